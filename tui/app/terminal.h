/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal: opened a second time, put into the state that we need, painted on, and out of it
 * again on every way out of the process.
 *
 * Theory of operation. /dev/tty is opened anew, twice: once to read, once (by kit/output.h) to
 * write, so that O_NONBLOCK reaches nobody who shares our standard streams. What the terminal does
 * not take at once is queued; while there is a queue no frame is made, so a slow line costs frames
 * and never the loop. Signals that end a process by a fault restore the terminal first, with
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
    void (*drained)(void *arg); /* all that was written has left */
    void (*lost)(void *arg);    /* nobody is there any more */
};

/* Fails with a sentence: GB_EUNSUPPORTED (no terminal, or one that cannot place its cursor). Gives.
 */
int terminal_open(struct gb_loop *loop, const struct terminal_events *events, void *arg,
                  struct terminal **ret_terminal, struct gb_err *err);
/* Restores it. Accepts NULL. */
void terminal_close(struct terminal *terminal);

/* What terminfo and the environment say; the terminal's replies are the caller's to add. */
struct terminal_abilities terminal_abilities(const struct terminal *terminal);
void terminal_size(const struct terminal *terminal, int *ret_columns, int *ret_rows);
/* As the renderer's functions of the same names. */
void terminal_frame(struct terminal *terminal, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities);
void terminal_forget(struct terminal *terminal);
void terminal_restyle(struct terminal *terminal);
void terminal_write(struct terminal *terminal, struct gb_bytes bytes);
/* Bytes that have not left yet. */
size_t terminal_queued(const struct terminal *terminal);
/* Reports of the mouse; on at first. */
void terminal_mouse(struct terminal *terminal, bool on);

/* Gives the terminal to somebody else (an editor, the shell) and takes it back. What is queued is
 * written first. */
void terminal_suspend(struct terminal *terminal);
void terminal_resume(struct terminal *terminal);
