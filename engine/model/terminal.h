/* SPDX-License-Identifier: Apache-2.0 */
/* A program at a terminal. Bytes borrow from whoever built the struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

enum gb_terminal_flags {
    GB_TERMINAL_RUNNING = 1 << 0,
    GB_TERMINAL_LOST = 1 << 1, /* its VM died before its end was known */
};

struct gb_terminal_info {
    uint32_t number;
    struct gb_names args; /* empty: the user's shell */
    uint32_t rows, columns, clients;
    struct gb_bytes typed_by; /* NULL pointer: none, or an unnamed client */
    uint64_t started_at_ns;   /* wall clock */
    int64_t exit_code;        /* -1: did not exit */
    uint32_t signal;          /* 0: none */
    struct gb_bytes message;  /* with GB_TERMINAL_LOST */
    uint32_t flags;           /* enum gb_terminal_flags */
};

/* `terminal.list` */
struct gb_terminals_info {
    struct gb_items terminals; /* struct gb_terminal_info */
    uint32_t flags;            /* none */
};

enum gb_screen_flags { GB_SCREEN_BASE64 = 1 << 0 /* in a reader: the data is in base64 */ };

/* The notifications `terminal.output` (`data`) and `terminal.taken` (`by`). */
struct gb_screen_info {
    uint32_t number;
    uint32_t flags; /* enum gb_screen_flags */
    struct gb_bytes data, by;
};

extern const struct gb_object gb_screen_object, gb_taken_object;

/* All members; only the number, as returned by `session.terminal`; how it ended, as in
 * `terminal.ended`. */
extern const struct gb_object gb_terminal_object, gb_terminal_number_object, gb_terminal_end_object;
extern const struct gb_object gb_terminals_object;
