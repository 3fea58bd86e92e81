/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs and their options, as tables: the parser, the help, the shell completion and the test of
 * the manual page all use the same rows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* The type of a word or of an option's value, for shell completion. */
enum arg_kind {
    ARG_TEXT,
    ARG_FILE,
    ARG_LANGUAGE,
    ARG_SESSION,
    ARG_IMAGE,
    ARG_VERB,
    ARG_SHELL,              /* a shell that has completion */
    ARG_PROGRAM,            /* a file, then that program's arguments */
    ARG_PROGRAM_IN_SESSION, /* the same, after a session */
    ARG_COMMAND_IN_SESSION, /* a session, then a program's words */
    ARG_NONE,
    ARG_KIND_COUNT
};

struct option {
    char letter;       /* 0: none */
    const char *name;  /* without dashes */
    const char *value; /* placeholder for its value; NULL: a flag */
    enum arg_kind kind;
    const char *help;
    bool hidden;      /* only for programs */
    const char *word; /* an alternative spelling, as a whole word; NULL: none */
    bool command;     /* with this option, a command with its words follows the session */
};

struct args;

struct verb {
    const char *name;
    const char *summary;          /* for the list of verbs */
    const char *usage;            /* after "glassbell NAME " */
    const struct option *options; /* ends with a NULL name; NULL: none */
    const struct option *common;  /* more of them, shared by many verbs */
    enum arg_kind words;          /* the type of its positional words */
    const char *examples;         /* lines, indented by two spaces; NULL: none */
    int (*run)(const struct args *args);
};

struct arg {
    const struct option *option;
    const char *value;   /* NULL for a flag */
    size_t words_before; /* the number of words before it */
};

struct args {
    const struct verb *verb;
    const struct verb *const *verbs; /* the whole table, NULL-terminated */
    struct arg *given;
    size_t given_count;
    const char **words;
    size_t word_count;
    bool help; /* --help was given: nothing after it was examined */
};

/* Parses the command line after the verb. Options may follow words, `--` ends them, `-` is a word;
 * short flags may be combined, and a short option's value may be attached to it; `--name=value` or
 * `--name value`. If the words are a program's, options also end at the first unknown one after the
 * program has been named (-c, -f or a word): the rest belongs to the program. False with an error
 * in @message. Strings are borrowed from @argv. */
bool args_parse(const struct verb *verb, int argc, char **argv, struct args *ret_args,
                struct gb_buf *message);
void args_release(struct args *args);

bool args_has(const struct args *args, const char *name);
/* The last value, or NULL. */
const char *args_value(const struct args *args, const char *name);
/* The next value of a repeatable option: start with *@at 0. NULL: no more. */
const char *args_next(const struct args *args, const char *name, size_t *at);

const struct verb *args_find_verb(const struct verb *const *verbs, const char *name);
/* The verb that @name was probably meant to be (it is a prefix of one, or one or two typing errors
 * away). */
const struct verb *args_nearest_verb(const struct verb *const *verbs, const char *name);

/* A number with a fraction, from @minimum to @maximum; nothing may follow it. */
bool args_number(const char *text, double minimum, double maximum, double *ret_value);
