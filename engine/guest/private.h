/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this module share. Not for others. */
#pragma once

#include "base/limits.h"
#include "guest/guest.h"

enum {
    GUEST_PRINTING_MAX = 40, /* ended cells that the agent lets print, and more */
    GUEST_CREDIT_BATCH = GB_OUTPUT_WINDOW / 4,
};

/* The cell that runs. */
struct guest_cell {
    uint32_t number;  /* 0: none */
    uint64_t room[2]; /* bytes of stdout and stderr that it may still send */
    size_t uncredited;
    bool paused;
};

/* A cell that has ended and still prints, by the processes that it left behind. */
struct guest_printing {
    uint32_t cell; /* 0: none */
    uint64_t uncredited;
};

struct guest_settings_state {
    void (*done)(void *arg, const struct gb_err *err); /* NULL: no CONFIGURE is under way */
    void *arg;
    bool exact_clock;
    unsigned tries;
    bool late; /* the clock was not right the last time */
};

struct gb_guest {
    struct gb_loop *loop;
    const char *name;
    struct gb_guest_events events;
    void *arg;

    struct gb_vm *vm; /* NULL: none */
    const struct gb_image *image;
    bool listens;
    bool held;
    bool restored;
    uint32_t generation;           /* of the interpreter, as READY said last; 0: not heard of */
    size_t log_bytes;              /* that the log has taken */
    gb_vm_done_fn *operation_done; /* of load, hold or resume */
    void *operation_arg;
    struct gb_deferred refuse; /* of hold */

    struct gb_list requests; /* in the order of asking: those not sent are the last */
    uint32_t request_count, next_id;
    size_t waiting_bytes; /* of requests that are not sent */
    struct gb_timer *request_timer;

    struct guest_settings_state settings;

    struct guest_cell cell;
    uint32_t cells_begun; /* the last that was sent */
    struct gb_timer *cell_timer;
    struct guest_printing printing[GUEST_PRINTING_MAX]; /* the one that printed last in front */
};

/* ---- guest.c ---- */

/* The guest broke the protocol, as @err says. */
void guest_violation(struct gb_guest *guest, const struct gb_err *err);
void guest_unasked(struct gb_guest *guest, const struct gb_frame *frame);

/* ---- request.c ---- */

bool guest_is_answer(const struct gb_frame *frame);
/* An answer. */
int guest_answer(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
/* Sends what waits. */
void guest_send_waiting(struct gb_guest *guest);
/* Whether a request was sent and has not been answered. */
bool guest_is_asked(const struct gb_guest *guest);
void guest_request_expired(void *arg);

/* ---- cell.c ---- */

/* A frame that belongs to a cell, or to nothing. */
int guest_cell_frame(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err);
void guest_cell_late(void *arg);
/* The VM is gone, or was replaced. */
void guest_cells_reset(struct gb_guest *guest);
