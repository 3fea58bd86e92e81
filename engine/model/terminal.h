/* SPDX-License-Identifier: Apache-2.0 */
/* A program at a terminal. Bytes borrow from whoever made it. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

enum gb_terminal_flags {
    GB_TERMINAL_RUNNING = 1 << 0,
    GB_TERMINAL_LOST = 1 << 1, /* its VM was gone before its end was known */
};

struct gb_terminal_info {
    uint32_t number;
    struct gb_names args; /* none: the user's shell */
    uint32_t rows, columns, clients;
    struct gb_bytes typed_by; /* without a pointer: nobody, or a client without a name */
    uint64_t started_at_ns;   /* wall clock */
    int64_t exit_code;        /* -1: it did not exit */
    uint32_t signal;          /* 0: none */
    struct gb_bytes message;  /* with GB_TERMINAL_LOST */
    uint32_t flags;           /* enum gb_terminal_flags */
};

/* `terminal.list` */
struct gb_terminals_info {
    struct gb_items terminals; /* struct gb_terminal_info */
    uint32_t flags;            /* none */
};

/* All of one; only its number, as `session.terminal` answers it; how it has ended, as in
 * `terminal.ended`. */
extern const struct gb_object gb_terminal_object, gb_terminal_number_object, gb_terminal_end_object;
extern const struct gb_object gb_terminals_object;
