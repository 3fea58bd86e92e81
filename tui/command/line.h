/* SPDX-License-Identifier: Apache-2.0 */
/* A single-line editor with history. Pure; used for `:`, `/` and questions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "command/command.h"
#include "input/key.h"

enum { HISTORY_MAX = 200 };

struct line_history {
    char *lines[HISTORY_MAX]; /* oldest first */
    size_t count;
};

struct line {
    char text[COMMAND_LINE_MAX]; /* UTF-8, NUL-terminated */
    size_t size, point;          /* bytes; the point is always between characters */
    char killed[COMMAND_LINE_MAX];
    struct line_history *history; /* borrowed; NULL: none */
    size_t at;                    /* position in it; `count`: the line itself */
    char draft[COMMAND_LINE_MAX]; /* the text before moving through the history */
};

/* Starts without a history. */
void line_set(struct line *line, const char *text);
/* Inserts text at the point, without control characters; drops what does not fit. */
void line_insert(struct line *line, struct gb_bytes text);
/* Replaces the bytes from @from to the point with @text. */
void line_replace(struct line *line, size_t from, const char *text);
/* Handles the editing keys of emacs. False for any other key. */
bool line_key(struct line *line, struct key key);

/* Adds a line unless it is empty or equals the last one. */
void history_add(struct line_history *history, const char *line);
void history_release(struct line_history *history);
