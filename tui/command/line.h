/* SPDX-License-Identifier: Apache-2.0 */
/* One line being typed: text, cursor, history. Pure; for `:`, `/` and questions. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "command/command.h"
#include "input/key.h"

enum { HISTORY_MAX = 200 };

struct line_history {
    char *lines[HISTORY_MAX]; /* the oldest first */
    size_t count;
};

struct line {
    char text[COMMAND_LINE_MAX]; /* UTF-8, terminated */
    size_t size, point;          /* bytes; the point is between characters */
    char killed[COMMAND_LINE_MAX];
    struct line_history *history; /* borrowed; NULL: none */
    size_t at;                    /* in it; `count`: the line itself */
    char draft[COMMAND_LINE_MAX]; /* what was typed before the history was looked through */
};

/* Without history at first. */
void line_set(struct line *line, const char *text);
/* Puts text at the point, without control characters; what does not fit is left out. */
void line_insert(struct line *line, struct gb_bytes text);
/* Puts @text in place of the bytes from @from up to the point. */
void line_replace(struct line *line, size_t from, const char *text);
/* The keys of an editor (those of emacs). False for one that it does not know. */
bool line_key(struct line *line, struct key key);

/* Adds a line unless it is the last one already or empty. */
void history_add(struct line_history *history, const char *line);
void history_release(struct line_history *history);
