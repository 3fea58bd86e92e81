/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals in a guest: each has its own conversation, next to the cells.
 *
 * Life: requested → `started` (with an error: it is over) → output, until `ended`. Both are called
 * once, from the loop. If a request was not answered, it is unknown whether the program has run:
 * err.dispatched says so.
 *
 * Output is bounded by the window of its stream (GB_TERMINAL_WINDOW) until the user reports it as
 * consumed; then the program blocks. Input waits in a queue.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "guest/guest.h"
#include "wire/stream_kinds.h"

struct gb_terminal;

struct gb_terminal_config {
    uint32_t rows, columns;
    struct gb_pairs env;  /* added to the session's */
    struct gb_bytes argv; /* each argument followed by a NUL; empty: the user's shell */
};

struct gb_terminal_events {
    void (*started)(void *arg, const struct gb_err *err);
    /* The program's output; report it with gb_terminal_consume() once it is consumed. */
    void (*output)(void *arg, struct gb_bytes bytes);
    /* Some of its input has been sent. */
    void (*sent)(void *arg);
    /* The program has ended (@end), or nothing more is known about it (@why). */
    void (*ended)(void *arg, const struct gb_terminal_end *end, const struct gb_err *why);
};

/* GB_EBUSY: see gb_guest_request(). Gives; the user frees it. */
int gb_terminal_open(struct gb_guest *guest, const struct gb_terminal_config *config,
                     const struct gb_terminal_events *events, void *arg,
                     struct gb_terminal **ret_terminal, struct gb_err *err);
void gb_terminal_consume(struct gb_terminal *terminal, size_t bytes);
/* GB_ECLOSED: it has ended. GB_ETOOLARGE: more than GB_TERMINAL_INPUT_MAX would be queued. */
int gb_terminal_write(struct gb_terminal *terminal, struct gb_bytes bytes, struct gb_err *err);
/* Unsent bytes. */
size_t gb_terminal_queued(const struct gb_terminal *terminal);
/* Does not wait for an answer. */
int gb_terminal_resize(struct gb_terminal *terminal, uint32_t rows, uint32_t columns,
                       struct gb_err *err);
/* Like a modem losing its carrier; `ended` is called afterwards. No-op if it has ended. */
void gb_terminal_hang_up(struct gb_terminal *terminal);
/* Allowed at any time: no further callbacks. Kills a running program. No-op on NULL. */
void gb_terminal_free(struct gb_terminal *terminal);
