/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a session, and who may leave each of them, and how. What clients are told
 * (enum gb_session_state) follows from them; the files of this module ask for nothing else.
 */
// clang-format off
/*
 *   WITHOUT_VM ── boot ──> BOOTING ── HELLO ──> PREPARING ── all is there ──> IDLE <──> RUNNING <──> WAITING_INPUT
 *    │      ^                                    ^     │                        ^                         │
 *    │      └────────── a clone is lost ─────────┼─────┘                        └───────── DONE ──────────┘
 *    └───────────────── adopt ───────────────────┘
 *
 *   IDLE <──> HELD
 *
 *   any of them ──> ENDING ──> CLOSED
 */
// clang-format on
#pragma once

#include <stdbool.h>

#include "session/session.h"

enum session_state {
    /* Cells and requests are taken, and wait. Left by gb_session_boot() and gb_session_adopt(); by
     * gb_session_close() and a failure, as all that follow but CLOSED. */
    SESSION_WITHOUT_VM,
    /* A VM starts. Left by its HELLO; by its death. */
    SESSION_BOOTING,
    /* The guest listens: CONFIGURE is sent, and `needs` tells what is missing still. Left when
     * nothing is; by the death of a clone that nobody has asked anything of, which is replaced and
     * nobody told; by its death otherwise, or when time is up. */
    SESSION_PREPARING,
    /* `opened` has been told. Left by session_cells_pump() when a cell waits, and by
     * gb_session_hold(). */
    SESSION_IDLE,
    /* The guest is brought to rest, rests, or goes on: what is asked waits. Told as IDLE. Left when
     * it does not come to rest, and by gb_session_release() and gb_session_exchange(). */
    SESSION_HELD,
    /* A cell is in the guest (`current`). Left by WAITING and DONE of that cell. */
    SESSION_RUNNING,
    /* The same, and it waits for standard input. Left as RUNNING. */
    SESSION_WAITING_INPUT,
    /* `why` says why. The VM is killed or dead, nothing is asked of it and nothing it says counts.
     * Left when its process has been reaped and the digests of the image, if they are being
     * compared, are known. */
    SESSION_ENDING,
    /* Everything has been answered, `closed` has been told. Never left. */
    SESSION_CLOSED,
    SESSION_STATE_COUNT
};

/* Whether a session may go from one to the other. */
bool session_may_enter(enum session_state from, enum session_state to);
/* What clients are told. An ENDING session is still told as what it was (`ended_from`). */
enum gb_session_state session_state_shown(enum session_state state);
