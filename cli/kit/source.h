/* SPDX-License-Identifier: Apache-2.0 */
/* The sources to run, with their languages and arguments. */
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
    const char *language; /* name from a set of languages; NULL: undetermined */
    char *kernel;         /* of a notebook: the language that it declares */
    bool in_shell;        /* run it in the shell next to the session's interpreter */
    char *file;           /* its name in the home; NULL: not a file there */
    struct gb_buf *cells; /* the code: one piece, or the cells of a notebook */
    size_t count;
    const char *const *args; /* of the program; borrowed */
    size_t arg_count;
};

/* Why sources could not be read: the arguments are wrong, or a file is. */
enum source_fault { SOURCE_GOOD, SOURCE_WRONG_USE, SOURCE_UNREADABLE };

/* Reads the sources named by the arguments from the word @first_word on: each -c and -f in order,
 * else the next word; the rest is for the program. Reads files and standard input; at most
 * GB_CODE_MAX each. On a fault, @message says what is wrong. Gives @ret_sources, @ret_count of
 * them; at least one. */
enum source_fault sources_read(const struct args *args, size_t first_word,
                               struct source **ret_sources, size_t *ret_count,
                               struct gb_buf *message);
/* Determines the language of each source from @languages, which must outlive them. @language: the
 * value of -l, or NULL. False, with an error in @message, if a language cannot be determined. */
bool sources_decide(struct source *sources, size_t count, const struct gb_languages *languages,
                    const struct gb_language *language, struct gb_buf *message);
void sources_free(struct source *sources, size_t count);

/* Adds the parameters of session.exec for a cell of the source: code, file, arguments, mode.
 * @alone: it is a program of its own, not a guest in a session's interpreter. */
void source_put(struct gb_json_out *out, const struct source *source, size_t cell, bool alone);
