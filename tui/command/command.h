/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: everything that the front end does has a row in a table.
 *
 * Keys, the `:` line with its completion, the palette, the key bar, `?` and the manual page are all
 * made from these rows. A key stands for a line: what was run is what is shown.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "input/key.h"

struct tui;

enum { COMMAND_WORDS_MAX = 64, COMMAND_LINE_MAX = 4096, COMMAND_TABLES_MAX = 16 };

/* Where a command is known. The keys of the context that has them are looked at first, then those
 * of CONTEXT_GLOBAL. In CONTEXT_REPL only keys with a modifier or without a character are taken. */
#define CONTEXTS(X)                                                                                \
    X(CONTEXT_GLOBAL, "global", "Everywhere")                                                      \
    X(CONTEXT_LIST, "list", "List of sessions")                                                    \
    X(CONTEXT_SESSION, "session", "Session")                                                       \
    X(CONTEXT_FILES, "files", "Files of a session")                                                \
    X(CONTEXT_REPL, "repl", "Typing into a session")

enum context {
#define CONTEXT_X(constant, name, title) constant,
    CONTEXTS(CONTEXT_X)
#undef CONTEXT_X
        CONTEXT_COUNT
};

/* What an argument can be completed with. */
enum argument {
    ARGUMENT_NONE,
    ARGUMENT_SESSION,
    ARGUMENT_IMAGE,
    ARGUMENT_THEME,
    ARGUMENT_COLUMN,
    ARGUMENT_COMMAND,
    ARGUMENT_KEY,
    ARGUMENT_OPTION,
    ARGUMENT_FILE, /* of this machine */
    ARGUMENT_TEXT, /* the rest of the line as it is */
    ARGUMENT_COUNT
};

/* A line cut into words, the name first. */
struct words {
    char *words[COMMAND_WORDS_MAX];
    size_t count;
    const char *rest; /* of the line behind the name, as it was typed; "" when there is nothing */
    char memory[COMMAND_LINE_MAX * 2];
};

struct command {
    const char *name;
    const char *arguments; /* "[SESSION…]"; "" when it takes none */
    const char *help;      /* a sentence without a full stop */
    const char *keys;      /* the default keys, separated by spaces; NULL: none */
    const char *bar;       /* a word or two for the key bar; NULL: not there */
    enum context context;
    enum argument argument;
    void (*run)(struct tui *tui, const struct words *words);
};

/* Rows end with a NULL name. */
struct command_tables {
    const struct command *tables[COMMAND_TABLES_MAX];
    size_t count;
};

/* Cuts a line: words are separated by spaces; "…" and '…' keep them together, a backslash keeps the
 * next character. False with a sentence in @message (COMMAND_LINE_MAX, a quote that is not closed).
 */
bool words_parse(const char *line, struct words *ret_words, struct gb_buf *message);

/* The row of that name in @context, else in CONTEXT_GLOBAL; a beginning that fits one name only
 * will do. NULL when there is none. */
const struct command *command_find(const struct command_tables *tables, enum context context,
                                   const char *name);
/* Whether that row is the one that its name means in @context. */
bool command_is_known(const struct command_tables *tables, enum context context,
                      const struct command *row);
const char *context_title(enum context context);
/* CONTEXT_COUNT when there is none. */
enum context context_find(struct gb_bytes name);
