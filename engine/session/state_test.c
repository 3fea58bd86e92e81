/* SPDX-License-Identifier: Apache-2.0 */
/* The table of states: what state.h tells, and nothing else. */
#include "session/state.h"

#include "check_run.h"

/* One line for each state, one sign for each state to go to: in the order of the enum. */
static const char *const exits[] = {
    /* to: W    B    P    I    H    A    R    I    E    C */
    [SESSION_WITHOUT_VM] = ".++..+..+.", [SESSION_BOOTING] = "..+.....+.",
    [SESSION_PREPARING] = "+..+....+.",  [SESSION_IDLE] = "....+++.+.",
    [SESSION_HELD] = "...+.+..+.",       [SESSION_ASLEEP] = "....+...+.",
    [SESSION_RUNNING] = "...+.+.++.",    [SESSION_WAITING_INPUT] = "...+.++.+.",
    [SESSION_ENDING] = ".........+",     [SESSION_CLOSED] = "..........",
};

START_TEST(allows_what_is_told)
{
    for (int to = 0; to < SESSION_STATE_COUNT; to++)
        ck_assert_msg(session_may_enter((enum session_state)_i, (enum session_state)to) ==
                          (exits[_i][to] == '+'),
                      "from %d to %d", _i, to);
}
END_TEST

/* From every state there is a way to CLOSED, and it leads through ENDING. */
START_TEST(ends_from_everywhere)
{
    if (_i != SESSION_ENDING && _i != SESSION_CLOSED) {
        ck_assert(session_may_enter((enum session_state)_i, SESSION_ENDING));
        ck_assert(!session_may_enter((enum session_state)_i, SESSION_CLOSED));
    }
    ck_assert(!session_may_enter(SESSION_CLOSED, (enum session_state)_i));
}
END_TEST

START_TEST(is_told_in_six_words)
{
    static const char *const words[] = {"starting", "starting", "starting", "idle",
                                        "idle",     "asleep",   "running",  "waiting_input",
                                        "closed",   "closed"};

    ck_assert_str_eq(gb_session_state_to_string(session_state_shown((enum session_state)_i)),
                     words[_i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *tests = tcase_create("state");

    tcase_add_loop_test(tests, allows_what_is_told, 0, SESSION_STATE_COUNT);
    tcase_add_loop_test(tests, ends_from_everywhere, 0, SESSION_STATE_COUNT);
    tcase_add_loop_test(tests, is_told_in_six_words, 0, SESSION_STATE_COUNT);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
