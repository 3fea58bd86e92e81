/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals of a session, and its rest. */
#include "guest/testing.h"
#include "session/internal.h"

/* A session with one program, the VM that it is to get, and all that was told of them. */
struct user {
    struct gb_session *session;
    struct gb_terminal *terminal;
    struct gb_guest *other;
    int opened, closed, rested;
    int started, ended;
    int held, loaded, going_on, failed;
};

/* ---- descriptions for clients ---- */

static void on_opened(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->opened++;
}

static void on_rested(void *arg)
{
    ((struct user *)arg)->rested++;
}

static void on_closed(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct user *)arg)->closed++;
}

static void on_started(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->started++;
}

static void on_output(void *arg, struct gb_bytes bytes)
{
    gb_terminal_consume(((struct user *)arg)->terminal, bytes.size);
}

static void on_sent(void *arg)
{
    (void)arg;
}

static void on_ended(void *arg, const struct gb_terminal_end *end, const struct gb_err *why)
{
    (void)why;
    ((struct user *)arg)->ended += end != NULL;
}

static void on_held(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->held++;
}

static void on_going_on(void *arg, const struct gb_err *err)
{
    ((struct user *)arg)->going_on += err == NULL;
    ((struct user *)arg)->failed += err != NULL;
}

static void on_loaded(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->loaded++;
}

static void on_other_dead(void *arg, const struct gb_err *why)
{
    (void)arg;
    ck_abort_msg("the other VM died before it was the session's: %s", why->message);
}

/* ---- the kit ---- */

static void begin(struct user *user)
{
    static const struct gb_session_events events = {
        .opened = on_opened, .rested = on_rested, .closed = on_closed};
    const struct gb_session_config config = {.image = &kit_image};

    *user = (struct user){0};
    kit_play("/honest/nothing/1");
    ck_assert_int_eq(gb_session_new(&kit_host, &config, &events, user, &user->session, NULL), 0);
    ck_assert_int_eq(gb_session_boot(user->session, NULL), 0);
    kit_wait_for(&user->opened, 1);
    kit_settle();
}

static void end(struct user *user)
{
    gb_session_close(user->session, "the test is over");
    kit_wait_for(&user->closed, 1);
    kit_settle();
    gb_session_free(user->session);
    while (!gb_list_empty(&kit_host.vms)) /* one that was left behind ends by itself */
        uv_run(&kit_uv, UV_RUN_ONCE);
}

static void begin_program(struct user *user)
{
    static const struct gb_terminal_events events = {
        .started = on_started, .output = on_output, .sent = on_sent, .ended = on_ended};
    const struct gb_terminal_config config = {.rows = 24, .columns = 80};

    ck_assert_int_eq(
        gb_session_terminal(user->session, &config, &events, user, &user->terminal, NULL), 0);
}

static void end_program(struct user *user)
{
    kit_wait_for(&user->started, 1);
    ck_assert_int_eq(gb_terminal_write(user->terminal, gb_bytes_str("q"), NULL), 0);
    kit_wait_for(&user->ended, 1);
    gb_terminal_free(user->terminal);
    gb_session_terminal_over(user->session);
}

/* Another VM, which is HELD as one that was loaded. */
static void make_other(struct user *user, const char *script)
{
    static const struct gb_guest_events events = {.dead = on_other_dead};
    const struct gb_vm_config config = {
        .image = &kit_image, .memory_mb = KIT_MEMORY_MB, .incoming = true};

    kit_play(script);
    user->other = gb_guest_new(kit_loop, NULL, &events, user);
    ck_assert_int_eq(gb_guest_start(user->other, &kit_host, &config, NULL), 0);
    gb_guest_load(user->other, kit_empty, true, on_loaded, user);
    kit_wait_for(&user->loaded, 1);
}

/* ---- rest ---- */

/* From the request on, until its end; then that is told. */
START_TEST(a_program_keeps_it_from_rest)
{
    struct user user;
    struct gb_err err = {0};

    begin(&user);
    begin_program(&user);
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, &err), -GB_EBUSY);
    kit_wait_for(&user.started, 1);
    kit_settle();
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, &err), -GB_EBUSY);
    ck_assert_str_eq(err.message, "a program runs at a terminal of the session");
    user.rested = 0;
    end_program(&user);
    kit_wait_for(&user.rested, 1);
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, &err), 0);
    kit_wait_for(&user.held, 1);
    end(&user);
}
END_TEST

static const char *const others[] = {NULL, "/honest/nothing/1", "/refuses/RESUME/1"};

/* Asked for at rest, it begins when the session goes on, in whichever VM, and is told as ever. */
START_TEST(a_program_begins_after_the_rest)
{
    struct user user;

    begin(&user);
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, NULL), 0);
    kit_wait_for(&user.held, 1);
    begin_program(&user);
    kit_settle();
    ck_assert_int_eq(user.started, 0);
    if (others[_i] != NULL) {
        make_other(&user, others[_i]);
        gb_session_exchange(user.session, user.other, on_going_on, &user);
        kit_wait_for(_i == 1 ? &user.going_on : &user.failed, 1);
    }
    if (_i != 1) {
        ck_assert_int_eq(user.started, 0);
        gb_session_release(user.session, on_going_on, &user);
        kit_wait_for(&user.going_on, 1);
    }
    end_program(&user);
    ck_assert_int_eq(user.started, 1);
    end(&user);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tests = tcase_create("terminal");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, a_program_keeps_it_from_rest);
    tcase_add_loop_test(tests, a_program_begins_after_the_rest, 0, (int)ARRAY_SIZE(others));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
