/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: opened separately, set up, painted on, and restored on every way out of the
 * process.
 *
 * Theory of operation. /dev/tty is opened twice: once for reading, once (by kit/output.h) for
 * writing, so that O_NONBLOCK does not affect anyone who shares our standard streams. What the
 * terminal does not accept at once is queued; while there is a queue no frame is made, so a slow
 * line costs frames but never blocks the loop. Fatal signals restore the terminal first, with
 * nothing but write() and tcsetattr().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "input/parser.h"
#include "loop/loop.h"
#include "screen/render.h"

struct terminal;

struct terminal_events {
    void (*input)(void *arg, const struct input_event *event);
    void (*drained)(void *arg); /* everything written has been sent */
    void (*lost)(void *arg);    /* the terminal has gone */
};

/* Fails with a message: GB_EUNSUPPORTED (no terminal, or one without cursor addressing). Gives. */
int terminal_open(struct gb_loop *loop, const struct terminal_events *events, void *arg,
                  struct terminal **ret_terminal, struct gb_err *err);
/* Restores the terminal. No-op on NULL. */
void terminal_close(struct terminal *terminal);

/* What terminfo and the environment say; the caller adds the terminal's own replies. */
struct terminal_abilities terminal_abilities(const struct terminal *terminal);
void terminal_size(const struct terminal *terminal, int *ret_columns, int *ret_rows);
/* Like the renderer's functions of the same names. */
void terminal_frame(struct terminal *terminal, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities);
void terminal_forget(struct terminal *terminal);
void terminal_restyle(struct terminal *terminal);
void terminal_write(struct terminal *terminal, struct gb_bytes bytes);
/* Bytes not sent yet. */
size_t terminal_queued(const struct terminal *terminal);
/* Mouse reporting; on at first. */
void terminal_mouse(struct terminal *terminal, bool on);

/* Release the terminal to another program (an editor, the shell), and take it back. The queue is
 * written first. */
void terminal_suspend(struct terminal *terminal);
void terminal_resume(struct terminal *terminal);
