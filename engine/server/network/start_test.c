/* SPDX-License-Identifier: Apache-2.0 */
/* A guest whose network ends again and again. */
#include "server/network/start.h"

#include "guest/testing.h"
#include "server/core/server.h"
#include "server/core/state.h"
#include "server/network/network.h"
#include "server/network/state.h"

static struct gb_server *server;
static int opened, closed;

static void on_opened(void *arg, const struct gb_err *err)
{
    (void)arg;
    ck_assert_ptr_null(err);
    opened++;
}

static void on_closed(void *arg, const struct gb_err *why)
{
    (void)arg;
    (void)why;
    closed++;
}

/* A session with a VM, as the server has it. */
static struct hosted *begin(void)
{
    static const struct gb_part *const parts[] = {&network_part, NULL};
    static const struct gb_session_events events = {.opened = on_opened, .closed = on_closed};
    const struct gb_server_config config = {.parts = parts, .socket = "/nonexistent/socket"};
    const struct gb_session_config session = {.image = &kit_image};
    struct hosted *hosted;

    server = gb_server_new(kit_loop, &kit_host, &config);
    hosted = xcalloc(1, sizeof(*hosted) + server->part_sizes.session);
    hosted->server = server;
    opened = closed = 0;
    ck_assert_int_eq(gb_session_new(&kit_host, &session, &events, hosted, &hosted->session, NULL),
                     0);
    ck_assert_int_eq(gb_session_boot(hosted->session, NULL), 0);
    kit_wait_for(&opened, 1);
    return hosted;
}

static void end(struct hosted *hosted)
{
    hosted->closing = true;
    gb_session_close(hosted->session, "the test is over");
    kit_wait_for(&closed, 1);
    start_release(hosted);
    gb_net_end(network_state(hosted)->net);
    gb_net_free(network_state(hosted)->net);
    kit_settle();
    gb_session_free(hosted->session);
    free(hosted);
    while (!gb_list_empty(&kit_host.vms))
        uv_run(&kit_uv, UV_RUN_ONCE);
    gb_server_free(server);
    uv_run(&kit_uv, UV_RUN_DEFAULT);
}

/* What happens when the wait is over. */
static void wait_is_over(struct gb_timer *timer)
{
    gb_timer_start(timer, 0);
    kit_settle();
}

/* Whoever comes first begins the conversation: the wait, or a rewind that has failed meanwhile. */
START_TEST(a_network_is_joined_once)
{
    struct hosted *hosted = begin();
    struct network_session *state = network_state(hosted);
    struct gb_policy policy = {0};
    struct gb_err err = {0};

    start_make(hosted, &policy);
    ck_assert_msg(start_join(hosted, &err) == 0, "%s", err.message);
    for (int i = 0; gb_net_is_joined(state->net); i++) {
        ck_assert_int_lt(i, 20);
        start_lost(hosted);
    }
    ck_assert(gb_timer_active(state->restart_timer));
    start_stayed(hosted); /* another VM was to come */
    ck_assert(gb_net_is_joined(state->net));
    state->restarts = (struct gb_allowance){0}; /* so long has it lasted */
    wait_is_over(state->restart_timer);
    ck_assert(gb_net_is_joined(state->net));
    ck_assert(!gb_timer_active(state->restart_timer));
    end(hosted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("start");
    TCase *tests = tcase_create("start");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, a_network_is_joined_once);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
