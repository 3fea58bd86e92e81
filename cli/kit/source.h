/* SPDX-License-Identifier: Apache-2.0 */
/* What is to be run, in which language, and with which arguments. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/args.h"
#include "language/language.h"
#include "rpc/json.h"

enum source_kind {
    SOURCE_CODE,     /* -c CODE */
    SOURCE_STDIN,    /* - */
    SOURCE_FILE,     /* a program that is a file */
    SOURCE_NOTEBOOK, /* its code cells, one after the other */
};

struct source {
    enum source_kind kind;
    const char *name;     /* for messages: a file, "-" or "-c"; borrowed from the arguments */
    const char *language; /* its name; of a set of languages; NULL: nothing tells */
    char *kernel;         /* of a notebook: what it says of its language */
    bool in_shell;        /* it runs in the shell beside the session's interpreter */
    char *file;           /* what it is called in the home; NULL: it is no file there */
    struct gb_buf *cells; /* the code: one, or those of a notebook */
    size_t count;
    const char *const *args; /* of the program; borrowed */
    size_t arg_count;
};

/* Why sources could not be read: the words are wrong, or a file is. */
enum source_fault { SOURCE_GOOD, SOURCE_WRONG_USE, SOURCE_UNREADABLE };

/* The sources that the arguments name, from the word @first_word on: each -c and -f in their order,
 * else the next word; what follows is for the program. Reads files and standard input; at most
 * GB_CODE_MAX each. A fault comes with a sentence in @message. Gives @ret_sources, @ret_count of
 * them; at least one. */
enum source_fault sources_read(const struct args *args, size_t first_word,
                               struct source **ret_sources, size_t *ret_count,
                               struct gb_buf *message);
/* Decides of which of @languages each is, which must outlive them. @language: what -l says, or
 * NULL. False, with a sentence in @message, when something is to tell it and does not. */
bool sources_decide(struct source *sources, size_t count, const struct gb_languages *languages,
                    const struct gb_language *language, struct gb_buf *message);
void sources_free(struct source *sources, size_t count);

/* Adds what session.exec is to be told of a cell of the source: code, file, arguments, mode.
 * @alone: it is a program of its own, and no guest of a session's interpreter. */
void source_put(struct gb_json_out *out, const struct source *source, size_t cell, bool alone);
