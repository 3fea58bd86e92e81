/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a session, who may leave each of them, and how. What clients see
 * (enum gb_session_state) follows from them; the files of this module ask for nothing else.
 */
// clang-format off
/*
 *   WITHOUT_VM ── boot ──> BOOTING ── HELLO ──> PREPARING ── all is there ──> IDLE <──> RUNNING <──> WAITING_INPUT
 *    │      ^                                    ^     │                        ^                         │
 *    │      └────────── a clone is lost ─────────┼─────┘                        └───────── DONE ──────────┘
 *    └───────────────── adopt ───────────────────┘
 *
 *   IDLE <──> HELD <──> ASLEEP <── restored ── WITHOUT_VM
 *                         ^
 *   IDLE, RUNNING, WAITING_INPUT ── relapse
 *
 *   any of them ──> ENDING ──> CLOSED
 */
// clang-format on
#pragma once

#include <stdbool.h>

#include "session/session.h"

enum session_state {
    /* Cells and requests are accepted, and wait. Left by gb_session_boot() and gb_session_adopt();
     * at once by gb_session_restore(); by gb_session_close() and a failure, like all the following
     * except CLOSED. */
    SESSION_WITHOUT_VM,
    /* A VM is starting. Left by its HELLO; by its death. */
    SESSION_BOOTING,
    /* The guest listens: CONFIGURE has been sent, and `needs` says what is still missing. Left when
     * nothing is; by the death of an unused clone, which is silently replaced; otherwise by its
     * death, or when time is up. */
    SESSION_PREPARING,
    /* `opened` has been called. Left by session_cells_pump() when a cell waits, by
     * gb_session_hold(), and like RUNNING after gb_session_relapse(), by the VM's death. */
    SESSION_IDLE,
    /* The guest is being brought to rest, is at rest, or is being released: requests wait. Shown as
     * IDLE. Left if it does not come to rest, and by gb_session_release(),
     * gb_session_exchange() and gb_session_sleep(). */
    SESSION_HELD,
    /* It has no VM, and requests wait. Left by gb_session_wake(), to HELD until the new VM runs,
     * and entered again if that fails. */
    SESSION_ASLEEP,
    /* A cell is in the guest (`current`). Left by WAITING and DONE of that cell. */
    SESSION_RUNNING,
    /* The same, waiting for standard input. Left like RUNNING. */
    SESSION_WAITING_INPUT,
    /* `why` is the reason. The VM has been killed or is dead; nothing is requested of it, and
     * nothing that it sends counts. Left when its process has been reaped and a verification of the
     * image's digests in progress, if any, has finished. */
    SESSION_ENDING,
    /* Everything has been answered, `closed` has been called. Never left. */
    SESSION_CLOSED,
    SESSION_STATE_COUNT
};

/* Whether this transition is allowed. */
bool session_may_enter(enum session_state from, enum session_state to);
/* The state shown to clients. An ENDING session is still shown in its previous state
 * (`ended_from`). */
enum gb_session_state session_state_shown(enum session_state state);
