/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a session, and who may leave each of them, and how. What clients are told
 * (enum gb_session_state) follows from them; the files of this module ask for nothing else.
 *
 *   WITHOUT_VM ─ boot ─> BOOTING ─ HELLO ─> PREPARING ─ all is there ─> IDLE ⇄ RUNNING ⇄
 * WAITING_INPUT └────── adopt ───────────────────────┘ │ └────────────────┘ └<───────────── a clone
 * is lost ───────┘ any of them ─> ENDING ─> CLOSED
 *
 * WITHOUT_VM     Cells and requests are taken, and wait. Left by gb_session_boot() and
 *                gb_session_adopt(); by gb_session_close() and _fail().
 * BOOTING        A VM starts. Left by its HELLO; by its death.
 * PREPARING      The guest listens: CONFIGURE is sent, and `needs` tells what is missing still.
 * Left when nothing is; by the death of a clone that nobody has asked anything of, which is
 *                replaced and nobody told; by its death otherwise, or when time is up.
 * IDLE           `opened` has been told. Left by cell_pump() when a cell waits.
 * RUNNING        A cell is in the guest (`current`). Left by WAITING and DONE of that cell.
 * WAITING_INPUT  The same, and it waits for standard input. Left as RUNNING.
 * ENDING         `why` says why. The VM is killed or dead, nothing is asked of it and nothing it
 * says counts. Left when its process has been reaped and the digests of the image, if they are
 * being compared, are known. CLOSED         Everything has been answered, `closed` has been told.
 * Never left.
 */
#pragma once

#include <stdbool.h>

#include "session/session.h"

enum session_state {
    SESSION_WITHOUT_VM,
    SESSION_BOOTING,
    SESSION_PREPARING,
    SESSION_IDLE,
    SESSION_RUNNING,
    SESSION_WAITING_INPUT,
    SESSION_ENDING,
    SESSION_CLOSED,
    SESSION_STATE_COUNT
};

/* Whether a session may go from one to the other. */
bool session_may_enter(enum session_state from, enum session_state to);
/* What clients are told. An ENDING session is still told as what it was (`ended_from`). */
enum gb_session_state session_state_shown(enum session_state state);
