/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals in a guest: each a conversation of its own beside the cells.
 *
 * Life: asked for → `started` (with an error: it is over) → output, until `ended`. Both are told
 * once, from the loop. Of a program that was asked for and not answered it is not known whether it
 * has run: err.dispatched says so.
 *
 * What it prints is bounded by the window of its stream (GB_TERMINAL_WINDOW) until its user says
 * that it has consumed it; then the program waits. What it is to read waits in a queue.
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
    struct gb_pairs env;  /* over the session's */
    struct gb_bytes argv; /* each argument and its NUL; empty: the user's shell */
};

struct gb_terminal_events {
    void (*started)(void *arg, const struct gb_err *err);
    /* What the program has printed, to be given back with gb_terminal_consume(). */
    void (*output)(void *arg, struct gb_bytes bytes);
    /* Something of what it is to read has left. */
    void (*sent)(void *arg);
    /* The program has ended (@end), or nothing more is known of it (@why). */
    void (*ended)(void *arg, const struct gb_terminal_end *end, const struct gb_err *why);
};

/* GB_EBUSY: as gb_guest_request(). Gives; the user frees it. */
int gb_terminal_open(struct gb_guest *guest, const struct gb_terminal_config *config,
                     const struct gb_terminal_events *events, void *arg,
                     struct gb_terminal **ret_terminal, struct gb_err *err);
void gb_terminal_consume(struct gb_terminal *terminal, size_t bytes);
/* GB_ECLOSED: it has ended. GB_ETOOLARGE: more than GB_TERMINAL_INPUT_MAX would wait. */
int gb_terminal_write(struct gb_terminal *terminal, struct gb_bytes bytes, struct gb_err *err);
/* Bytes that wait to leave. */
size_t gb_terminal_queued(const struct gb_terminal *terminal);
/* The answer is not awaited. */
int gb_terminal_resize(struct gb_terminal *terminal, uint32_t rows, uint32_t columns,
                       struct gb_err *err);
/* As when a modem loses its carrier; `ended` follows. Harmless when it has. */
void gb_terminal_hang_up(struct gb_terminal *terminal);
/* At any time: nothing is told any more. A program that runs is killed. Accepts NULL. */
void gb_terminal_free(struct gb_terminal *terminal);
