/* SPDX-License-Identifier: Apache-2.0 */
/* Passes our standard input to a cell: reads nothing before the cell has started or after its end,
 * and never more than the guest has room for. A terminal is only read in the foreground. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/app.h"

struct feed;

/* @failed: the guest refused data, with a message. Gives. */
struct feed *feed_new(struct app *app, void (*failed)(void *arg, const char *message), void *arg);
/* Its cell has started; later calls do nothing. Copies @session. */
void feed_begin(struct feed *feed, const char *session, uint64_t cell);
/* The cell has ended. */
void feed_end(struct feed *feed);
/* No-op on NULL. */
void feed_free(struct feed *feed);
