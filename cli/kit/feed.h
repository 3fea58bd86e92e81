/* SPDX-License-Identifier: Apache-2.0 */
/* Our standard input on its way to a cell: nothing is read before the cell has begun, nor behind
 * its end, and never more than the guest has room for. A terminal is read only in the foreground.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/app.h"

struct feed;

/* @failed: the guest did not take a piece, with a sentence. Gives. */
struct feed *feed_new(struct app *app, void (*failed)(void *arg, const char *message), void *arg);
/* The cell that it is for has begun; later calls do nothing. Copies @session. */
void feed_begin(struct feed *feed, const char *session, uint64_t cell);
/* The cell has ended. */
void feed_end(struct feed *feed);
/* Accepts NULL. */
void feed_free(struct feed *feed);
