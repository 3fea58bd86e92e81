/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs and their options, as tables: the parser, the help, the shell completion and the test of
 * the manual page all read the same rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* What a word or the value of an option is: the shell completes by it. */
enum arg_kind {
    ARG_TEXT,
    ARG_FILE,
    ARG_LANGUAGE,
    ARG_SESSION,
    ARG_IMAGE,
    ARG_VERB,
    ARG_SHELL,              /* one that there is completion for */
    ARG_PROGRAM,            /* a file, then arguments that are its own */
    ARG_PROGRAM_IN_SESSION, /* the same behind a session */
    ARG_COMMAND_IN_SESSION, /* a session, then words that are a program's own */
    ARG_NONE,
    ARG_KIND_COUNT
};

struct option {
    char letter;       /* 0: none */
    const char *name;  /* without dashes */
    const char *value; /* its placeholder; NULL: takes none */
    enum arg_kind kind;
    const char *help;
    bool hidden;      /* for programs */
    const char *word; /* another spelling, a whole word; NULL: none */
    bool command;     /* with it, what stands behind the session is a command with its words */
};

struct args;

struct verb {
    const char *name;
    const char *summary;          /* for the list of verbs */
    const char *usage;            /* behind "glassbell NAME " */
    const struct option *options; /* ends with a NULL name; NULL: none */
    const struct option *common;  /* the same, shared by many verbs */
    enum arg_kind words;          /* what its positional words are */
    const char *examples;         /* lines, indented by two spaces; NULL: none */
    int (*run)(const struct args *args);
};

struct arg {
    const struct option *option;
    const char *value;   /* NULL for a flag */
    size_t words_before; /* how many words stand before it */
};

struct args {
    const struct verb *verb;
    const struct verb *const *verbs; /* the whole table, ends with NULL */
    struct arg *given;
    size_t given_count;
    const char **words;
    size_t word_count;
    bool help; /* --help was met: nothing behind it was looked at */
};

/* Parses what stands behind the verb. Options may follow words, `--` ends them, `-` is a word;
 * short flags may be joined and a short option's value may stick to it; `--name=value` or `--name
 * value`. Where words are a program's, options end also at the first that is none of ours behind
 * what names the program (-c, -f or a word): what follows is the program's own. False with a
 * sentence in @message. Strings are borrowed from @argv. */
bool args_parse(const struct verb *verb, int argc, char **argv, struct args *ret_args,
                struct gb_buf *message);
void args_release(struct args *args);

bool args_has(const struct args *args, const char *name);
/* The last value, or NULL. */
const char *args_value(const struct args *args, const char *name);
/* The next value of an option that may be repeated: start with *@at 0. NULL: no more. */
const char *args_next(const struct args *args, const char *name, size_t *at);

const struct verb *args_find_verb(const struct verb *const *verbs, const char *name);
/* The verb that @name was probably meant to be (it begins one, or is one or two slips away). */
const struct verb *args_nearest_verb(const struct verb *const *verbs, const char *name);

/* A number with a fraction, @minimum to @maximum; nothing behind it. */
bool args_number(const char *text, double minimum, double maximum, double *ret_value);
