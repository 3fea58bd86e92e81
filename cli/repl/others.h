/* SPDX-License-Identifier: Apache-2.0 */
/* What other clients do in the session, for the person at its prompt: turns the events of a
 * subscription into lines that are printed above what is being typed.
 *
 * Theory of operation. The cells of a session run one after the other, but the end of one is told
 * when it is in the journal, and by then the next one may have begun. So each cell collects its
 * text, and only the first in the order of execution is shown. Our own cells have their place in
 * that order: others_hold() says that their output has to wait, and what is noticed while one runs
 * is shown after it. A cell that is over within a second is shown as a whole, a longer one as it
 * goes on, always in whole lines.
 *
 * Everything is bounded: the cells and lines shown per second, their sizes, what waits behind our
 * own cell. What is left out is counted, and the count is shown.
 *
 * Pure: times come in (monotonic, never going back), text goes out.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "language/language.h"
#include "rpc/json.h"

enum {
    OTHERS_LONG_MS = 1000,        /* a cell that runs longer is shown while it runs */
    OTHERS_TALLY_MS = 1000,       /* so long until the number of what was left out is shown */
    OTHERS_CODE_LINES = 10,       /* of a cell; the same for a value */
    OTHERS_CODE_BYTES = 2048,     /* the same */
    OTHERS_LINES_BURST = 20,      /* lines of a cell's output at once, then one a second */
    OTHERS_LINE_BYTES = 1024,     /* a longer line counts as several */
    OTHERS_CELLS_BURST = 16,      /* cells at once, then one a second */
    OTHERS_NOTES_BURST = 16,      /* notices at once, then one a second */
    OTHERS_CELLS_MAX = 64,        /* cells whose end has not been told */
    OTHERS_WAITING_BYTES = 65536, /* text that waits: of each cell, and behind our own one */
    OTHERS_OWN_MAX = 64,          /* numbers of our own cells that are remembered */
};

struct others_config {
    const struct gb_languages *languages; /* borrowed */
    const char *language, *session;       /* session: as a person may call it in a command */
    bool colour;
};

struct others;

/* Copies the texts. Gives. */
struct others *others_new(const struct others_config *config);
/* No-op on NULL. */
void others_free(struct others *others);

/* The kinds of events that are wanted, ending with NULL. */
extern const char *const others_kinds[];
/* Takes the parameters of a notification `event`. */
void others_take(struct others *others, const struct gb_json *params, uint64_t now_ns);
/* A line of our own, in the place of an event. */
void others_say(struct others *others, const char *text, uint64_t now_ns);

/* A cell of ours was sent; it has started as number @cell; it has ended, or there will be no
 * answer. */
void others_sent(struct others *others);
void others_started(struct others *others, uint32_t cell);
void others_ended(struct others *others);
/* Whether the output of our own cell has to wait: another one ran before it, and others_show() has
 * not given its end yet. */
bool others_hold(const struct others *others);

/* Moves what may be shown now to @out: whole lines. */
void others_show(struct others *others, uint64_t now_ns, struct gb_buf *out);
/* How long until others_show() has something again, if nothing else happens, in ms; 0: nothing
 * waits for a time. */
uint64_t others_due_ms(const struct others *others, uint64_t now_ns);
