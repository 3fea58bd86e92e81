/* SPDX-License-Identifier: Apache-2.0 */
/* Cells that are announced before they are sent. */
#include "guest/testing.h"
#include "session/internal.h"

struct user {
    struct gb_session *session;
    int opened, closed;
    int asked;          /* about cells */
    bool delays, holds; /* what is answered */
    int held, going_on;
    bool prepares; /* delays in `opened`, and ends another's delay */
    uint64_t idle_ms;
};

struct run {
    struct gb_cell *cell;
    int started, done;
};

static void on_opened(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    ck_assert_ptr_null(err);
    user->opened++;
    if (!user->prepares)
        return;
    gb_session_delay(user->session, true);
    gb_session_delay(user->session, false); /* of one that began before */
}

static void on_closed(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct user *)arg)->closed++;
}

static void on_held(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->held++;
}

static void on_going_on(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->going_on++;
}

static bool on_sending(void *arg)
{
    struct user *user = arg;

    user->asked++;
    ck_assert_int_eq(gb_session_check_rest(user->session, NULL), 0);
    if (user->holds)
        ck_assert_int_eq(gb_session_hold(user->session, on_held, user, NULL), 0);
    return user->delays || user->holds;
}

static void on_started(void *arg, const struct gb_cell *cell)
{
    (void)cell;
    ((struct run *)arg)->started++;
}

static void on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    (void)cell;
    ck_assert_ptr_null(err);
    ((struct run *)arg)->done++;
}

static void create(struct user *user)
{
    static const struct gb_session_events events = {
        .opened = on_opened, .sending = on_sending, .closed = on_closed};
    const struct gb_session_config config = {.image = &kit_image, .idle_ms = user->idle_ms};

    kit_play("/honest/nothing/1");
    ck_assert_int_eq(gb_session_new(&kit_host, &config, &events, user, &user->session, NULL), 0);
}

static void start(struct user *user)
{
    ck_assert_int_eq(gb_session_boot(user->session, NULL), 0);
    kit_wait_for(&user->opened, 1);
    kit_settle();
}

static void begin(struct user *user)
{
    create(user);
    gb_session_announce(user->session, true);
    start(user);
}

static void end(struct user *user)
{
    gb_session_close(user->session, "the test is over");
    kit_wait_for(&user->closed, 1);
    kit_settle();
    gb_session_free(user->session);
}

static void exec(struct user *user, struct run *run)
{
    static const struct gb_cell_events events = {.started = on_started, .done = on_done};
    const struct gb_cell_config config = {
        .mode = GB_MODE_KERNEL, .interactive = true, .code = gb_bytes_str("hello")};

    *run = (struct run){0};
    ck_assert_int_eq(gb_session_exec(user->session, &config, &events, run, &run->cell, NULL), 0);
}

START_TEST(each_cell_waits_until_it_may_be_sent)
{
    struct user user = {.delays = true};
    struct run runs[4];

    begin(&user);
    exec(&user, &runs[0]);
    exec(&user, &runs[1]);
    kit_settle();
    ck_assert_int_eq(user.asked, 1);
    ck_assert_int_eq(runs[0].started, 0);
    ck_assert_uint_eq(gb_session_cells_sent(user.session), 0);
    gb_session_send_next(user.session);
    kit_wait_for(&runs[0].done, 1);
    kit_wait_for(&user.asked, 2);
    ck_assert_uint_eq(gb_session_cells_sent(user.session), 1);
    /* It is interrupted like one that runs, and the permission is none for the next. */
    ck_assert_int_eq(gb_session_interrupt(user.session, NULL), 0);
    kit_wait_for(&runs[1].done, 1);
    ck_assert_int_eq(runs[1].started, 0);
    gb_session_send_next(user.session);
    exec(&user, &runs[2]);
    kit_wait_for(&user.asked, 3);
    ck_assert_int_eq(runs[2].started, 0);
    exec(&user, &runs[3]);
    user.delays = false;
    gb_session_send_next(user.session);
    kit_wait_for(&runs[3].done, 1);
    ck_assert_int_eq(user.asked, 4);
    gb_session_send_next(user.session); /* none waits for it */
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
        gb_cell_unref(runs[i].cell);
    end(&user);
}
END_TEST

/* One part delays before the session is open, another one while it is being opened; the end of one
 * of both sends nothing. */
START_TEST(a_cell_waits_for_all_that_delay)
{
    struct user user = {.prepares = true};
    struct run run;

    create(&user);
    gb_session_delay(user.session, true);
    exec(&user, &run);
    start(&user);
    kit_settle();
    ck_assert_int_eq(run.started, 0);
    ck_assert_int_eq(gb_session_check_rest(user.session, NULL), -GB_EBUSY);
    gb_session_delay(user.session, false);
    kit_wait_for(&run.done, 1);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

START_TEST(the_session_can_be_held_before_a_cell)
{
    struct user user = {.holds = true};
    struct run runs[2];
    uint64_t changed_ns;

    begin(&user);
    changed_ns = gb_session_last_changed_ns(user.session);
    exec(&user, &runs[0]);
    exec(&user, &runs[1]);
    kit_wait_for(&user.held, 1);
    kit_settle();
    ck_assert_int_eq(runs[0].started, 0);
    ck_assert_uint_eq(gb_session_last_changed_ns(user.session), changed_ns);
    gb_session_send_next(user.session);
    ck_assert_int_eq(runs[0].started, 0);
    gb_session_release(user.session, on_going_on, &user);
    kit_wait_for(&runs[0].done, 1);
    ck_assert_uint_eq(runs[0].cell->changed_before_ns, changed_ns);
    ck_assert_uint_gt(gb_session_last_changed_ns(user.session), changed_ns);
    kit_wait_for(&user.held, 2);
    ck_assert_int_eq(runs[1].started, 0);
    gb_session_send_next(user.session);
    gb_session_release(user.session, on_going_on, &user);
    kit_wait_for(&runs[1].done, 1);
    ck_assert_int_eq(user.asked, 2);
    ck_assert_int_eq(user.going_on, 2);
    gb_cell_unref(runs[0].cell);
    gb_cell_unref(runs[1].cell);
    end(&user);
}
END_TEST

START_TEST(a_cell_that_waits_is_use)
{
    struct user user = {.delays = true, .idle_ms = 500}, other = {.idle_ms = 1000};
    struct run run;

    begin(&user);
    exec(&user, &run);
    begin(&other);
    kit_wait_for(&other.closed, 1); /* the later one is idle, and for longer than this one may be */
    gb_session_free(other.session);
    ck_assert_int_eq(user.closed, 0);
    gb_session_send_next(user.session);
    kit_wait_for(&run.done, 1);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sending");
    TCase *tests = tcase_create("sending");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, each_cell_waits_until_it_may_be_sent);
    tcase_add_test(tests, a_cell_waits_for_all_that_delay);
    tcase_add_test(tests, the_session_can_be_held_before_a_cell);
    tcase_add_test(tests, a_cell_that_waits_is_use);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
