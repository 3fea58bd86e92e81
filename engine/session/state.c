/* SPDX-License-Identifier: Apache-2.0 */
#include "session/state.h"

#include <assert.h>

#include "base/mem.h"

#define TO(state) (1u << SESSION_##state)

static const unsigned state_exits[] = {
    [SESSION_WITHOUT_VM] = TO(BOOTING) | TO(PREPARING) | TO(ASLEEP) | TO(ENDING),
    [SESSION_BOOTING] = TO(PREPARING) | TO(ENDING),
    [SESSION_PREPARING] = TO(IDLE) | TO(WITHOUT_VM) | TO(ENDING),
    [SESSION_IDLE] = TO(HELD) | TO(ASLEEP) | TO(RUNNING) | TO(ENDING),
    [SESSION_HELD] = TO(IDLE) | TO(ASLEEP) | TO(ENDING),
    [SESSION_ASLEEP] = TO(HELD) | TO(ENDING),
    [SESSION_RUNNING] = TO(IDLE) | TO(ASLEEP) | TO(WAITING_INPUT) | TO(ENDING),
    [SESSION_WAITING_INPUT] = TO(IDLE) | TO(ASLEEP) | TO(RUNNING) | TO(ENDING),
    [SESSION_ENDING] = TO(CLOSED),
    [SESSION_CLOSED] = 0,
};
static_assert(ARRAY_SIZE(state_exits) == SESSION_STATE_COUNT, "exits of each state");

bool session_may_enter(enum session_state from, enum session_state to)
{
    return (state_exits[from] & (1u << to)) != 0;
}

enum gb_session_state session_state_shown(enum session_state state)
{
    static const enum gb_session_state shown[] = {
        [SESSION_WITHOUT_VM] = GB_SESSION_STARTING,
        [SESSION_BOOTING] = GB_SESSION_STARTING,
        [SESSION_PREPARING] = GB_SESSION_STARTING,
        [SESSION_IDLE] = GB_SESSION_IDLE,
        [SESSION_HELD] = GB_SESSION_IDLE,
        [SESSION_ASLEEP] = GB_SESSION_ASLEEP,
        [SESSION_RUNNING] = GB_SESSION_RUNNING,
        [SESSION_WAITING_INPUT] = GB_SESSION_WAITING_INPUT,
        [SESSION_ENDING] = GB_SESSION_CLOSED,
        [SESSION_CLOSED] = GB_SESSION_CLOSED,
    };

    static_assert(ARRAY_SIZE(shown) == SESSION_STATE_COUNT, "each state is told as something");
    return shown[state];
}
