/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: everything that the front end can do is a row in a table.
 *
 * Keys, the `:` line with its completion, the palette, the key bar, `?` and the manual page are all
 * generated from these rows. A key stands for a line, so that what was run is what is shown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "input/key.h"

struct tui;

enum { COMMAND_WORDS_MAX = 64, COMMAND_LINE_MAX = 4096, COMMAND_TABLES_MAX = 16 };

/* Where a command is available. Keys are looked up in the current context first, then in
 * CONTEXT_GLOBAL. In CONTEXT_REPL only keys with a modifier or without a character are taken. */
#define CONTEXTS(X)                                                                                \
    X(CONTEXT_GLOBAL, "global", "Everywhere")                                                      \
    X(CONTEXT_LIST, "list", "List of sessions")                                                    \
    X(CONTEXT_ENDED, "ended", "Ended sessions")                                                    \
    X(CONTEXT_SESSION, "session", "Session")                                                       \
    X(CONTEXT_FILES, "files", "Files of a session")                                                \
    X(CONTEXT_PAST, "past", "Past of a session")                                                   \
    X(CONTEXT_NETWORK, "network", "Network of a session")                                          \
    X(CONTEXT_SHELLS, "shells", "Programs at terminals of a session")                              \
    X(CONTEXT_REPL, "repl", "Typing into a session")

enum context {
#define CONTEXT_X(constant, name, title) constant,
    CONTEXTS(CONTEXT_X)
#undef CONTEXT_X
        CONTEXT_COUNT
};

/* How an argument is completed. */
enum argument {
    ARGUMENT_NONE,
    ARGUMENT_SESSION,
    ARGUMENT_IMAGE,
    ARGUMENT_THEME,
    ARGUMENT_COLUMN,
    ARGUMENT_COMMAND,
    ARGUMENT_KEY,
    ARGUMENT_OPTION,
    ARGUMENT_FILE, /* local */
    ARGUMENT_TEXT, /* the rest of the line, verbatim */
    ARGUMENT_COUNT
};

/* A line split into words, the name first. */
struct words {
    char *words[COMMAND_WORDS_MAX];
    size_t count;
    const char *rest; /* the line after the name, as typed; "" if there is nothing */
    char memory[COMMAND_LINE_MAX * 2];
};

struct command {
    const char *name;
    const char *arguments; /* "[SESSION…]"; "" if there are none */
    const char *help;      /* a sentence without a full stop */
    const char *keys;      /* default keys, separated by spaces; NULL: none */
    const char *bar;       /* a word or two for the key bar; NULL: not in it */
    enum context context;
    enum argument argument;
    void (*run)(struct tui *tui, const struct words *words);
};

/* The tables end with a NULL name. */
struct command_tables {
    const struct command *tables[COMMAND_TABLES_MAX];
    size_t count;
};

/* Splits a line: words are separated by spaces; "…" and '…' quote, a backslash escapes the next
 * character. False with an error in @message (COMMAND_LINE_MAX, an unterminated quote). */
bool words_parse(const char *line, struct words *ret_words, struct gb_buf *message);

/* The row of that name in @context, else in CONTEXT_GLOBAL; an unambiguous prefix is enough. NULL
 * if there is none. */
const struct command *command_find(const struct command_tables *tables, enum context context,
                                   const char *name);
/* For a @name that command_find() does not find: what it may have meant, as words for a sentence
 * (":close", ":fork or :follow"). False: nothing. */
bool command_meant(const struct command_tables *tables, enum context context, const char *name,
                   struct gb_buf *out);
/* Whether the row is what its name refers to in @context. */
bool command_is_known(const struct command_tables *tables, enum context context,
                      const struct command *row);
const char *context_title(enum context context);
/* CONTEXT_COUNT if there is no such context. */
enum context context_find(struct gb_bytes name);
