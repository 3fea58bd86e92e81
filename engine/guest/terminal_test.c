/* SPDX-License-Identifier: Apache-2.0 */
/* Programs at terminals in a guest that keeps the rules, and in one that lies about them. */
#include "guest/terminal.h"

#include "guest/testing.h"

/* A user of a conversation and of one terminal, and all that it was told. */
struct user {
    struct gb_guest *guest;
    struct gb_terminal *terminal;
    int ready, failed, dead;
    int started, refused, ended, sent;
    bool free_when_ended, consumes_nothing;
    struct gb_buf output;
    struct gb_terminal_end end;
    struct gb_err failure, why;
};

static void on_ready(void *arg, bool replaced)
{
    (void)replaced;
    ((struct user *)arg)->ready++;
}

static void on_failed(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    user->failed++;
    user->failure = *err;
    gb_guest_kill(user->guest, err->message);
}

static void on_dead(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct user *)arg)->dead++;
}

static void on_listens(void *arg)
{
    (void)arg;
}

static const struct gb_guest_events guest_events = {
    .listens = on_listens, .ready = on_ready, .failed = on_failed, .dead = on_dead};

static void on_started(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    user->started += err == NULL;
    user->refused += err != NULL;
    if (err != NULL)
        user->why = *err;
}

static void on_output(void *arg, struct gb_bytes bytes)
{
    struct user *user = arg;

    ck_assert_int_eq(user->started, 1);
    ck_assert_int_eq(user->ended, 0);
    gb_buf_add(&user->output, bytes.data, bytes.size);
    if (!user->consumes_nothing)
        gb_terminal_consume(user->terminal, bytes.size);
}

static void on_sent(void *arg)
{
    ((struct user *)arg)->sent++;
}

static void on_ended(void *arg, const struct gb_terminal_end *end, const struct gb_err *why)
{
    struct user *user = arg;

    ck_assert((end == NULL) != (why == NULL));
    user->ended++;
    if (end != NULL)
        user->end = *end;
    if (why != NULL)
        user->why = *why;
    if (user->free_when_ended)
        gb_terminal_free(TAKE_PTR(user->terminal));
}

static const struct gb_terminal_events terminal_events = {
    .started = on_started, .output = on_output, .sent = on_sent, .ended = on_ended};

static void begin(struct user *user, const char *script)
{
    const struct gb_vm_config config = {.image = &kit_image, .memory_mb = KIT_MEMORY_MB};
    const struct gb_terminal_config terminal = {.rows = 24, .columns = 80};
    struct gb_err err = {0};

    *user = (struct user){0};
    kit_play(script);
    user->guest = gb_guest_new(kit_loop, "toy", &guest_events, user);
    ck_assert_msg(gb_guest_start(user->guest, &kit_host, &config, &err) == 0, "%s", err.message);
    kit_wait_for(&user->ready, 1);
    ck_assert_int_eq(
        gb_terminal_open(user->guest, &terminal, &terminal_events, user, &user->terminal, NULL), 0);
    /* Not before the loop runs. */
    ck_assert_int_eq(user->started + user->refused, 0);
}

static void end(struct user *user)
{
    if (user->dead == 0)
        gb_guest_kill(user->guest, "the test is over");
    kit_wait_for(&user->dead, 1);
    gb_terminal_free(user->terminal);
    gb_guest_free(user->guest);
    kit_settle();
    gb_buf_release(&user->output);
}

static void type(struct user *user, const char *text)
{
    ck_assert_int_eq(gb_terminal_write(user->terminal, gb_bytes_str(text), NULL), 0);
}

START_TEST(goes_through_all_of_it)
{
    struct user user;

    begin(&user, "/honest/nothing/1");
    kit_wait_for(&user.started, 1);
    type(&user, "a");
    kit_wait_for(&user.sent, 1);
    type(&user, "q");
    kit_wait_for(&user.ended, 1);
    ck_assert_str_eq(gb_buf_str(&user.output), "readyaq"); /* all of it, before the end */
    ck_assert_int_eq((int)user.end.exit_code, 7);
    ck_assert_uint_eq(user.end.signal, 0);
    ck_assert_int_eq(gb_terminal_write(user.terminal, gb_bytes_str("x"), NULL), -GB_ENOTFOUND);
    ck_assert_int_eq(gb_terminal_resize(user.terminal, 1, 1, NULL), -GB_ENOTFOUND);
    gb_terminal_hang_up(user.terminal);
    end(&user);
    ck_assert_int_eq(user.ended + user.failed, 1);
}
END_TEST

static void on_held(void *arg, const struct gb_err *err)
{
    ((int *)arg)[err == NULL]++;
}

/* From the request on, until its end: nobody would hear it in the VM before. */
START_TEST(keeps_the_guest_from_rest)
{
    int held[2] = {0}; /* refused, done */
    struct user user;

    begin(&user, "/honest/nothing/1");
    gb_guest_hold(user.guest, on_held, held);
    kit_wait_for(&held[0], 1);
    kit_wait_for(&user.started, 1);
    gb_guest_hold(user.guest, on_held, held);
    kit_wait_for(&held[0], 2);
    type(&user, "q");
    kit_wait_for(&user.ended, 1);
    gb_guest_hold(user.guest, on_held, held);
    kit_wait_for(&held[1], 1);
    end(&user);
}
END_TEST

START_TEST(hangs_up)
{
    struct user user;

    begin(&user, "/honest/nothing/1");
    user.free_when_ended = true;
    kit_wait_for(&user.started, 1);
    gb_terminal_hang_up(user.terminal);
    kit_wait_for(&user.ended, 1);
    ck_assert_uint_eq(user.end.signal, SIGHUP);
    end(&user);
    ck_assert_int_eq(user.failed, 0);
}
END_TEST

/* Before its answer, and after: nothing more is told of it, and the guest lives. */
START_TEST(is_freed_at_any_time)
{
    struct user user;

    begin(&user, "/honest/nothing/1");
    if (_i > 0)
        kit_wait_for(&user.started, 1);
    gb_terminal_free(TAKE_PTR(user.terminal));
    kit_settle();
    ck_assert_int_eq(user.started, _i);
    ck_assert_int_eq(user.ended + user.failed + user.dead, 0);
    end(&user);
}
END_TEST

START_TEST(bounds_what_is_typed)
{
    static uint8_t much[GB_TERMINAL_INPUT_MAX + 1];
    struct user user;

    begin(&user, "/honest/nothing/1");
    kit_wait_for(&user.started, 1);
    ck_assert_int_eq(gb_terminal_write(user.terminal, (struct gb_bytes){much, sizeof(much)}, NULL),
                     -GB_ETOOLARGE);
    ck_assert_uint_eq(gb_terminal_queued(user.terminal), 0);
    end(&user);
}
END_TEST

START_TEST(tells_a_refusal)
{
    struct user user;

    begin(&user, "/refuses/TERMINAL/1");
    kit_wait_for(&user.refused, 1);
    ck_assert_int_eq(user.why.code, GB_EBUSY);
    end(&user);
    ck_assert_int_eq(user.started + user.ended + user.failed, 0);
}
END_TEST

/* Asked for and not answered, and while it runs. */
START_TEST(dies_with_its_vm)
{
    struct user user;

    begin(&user, _i == 0 ? "/dies/TERMINAL/1" : "/dies/RESIZE/1");
    if (_i > 0) {
        kit_wait_for(&user.started, 1);
        ck_assert_int_eq(gb_terminal_resize(user.terminal, 30, 100, NULL), 0);
    }
    kit_wait_for(&user.dead, 1);
    gb_guest_fail_requests(user.guest, &(struct gb_err){.code = GB_ECLOSED});
    ck_assert_int_eq(user.started, _i);
    ck_assert_int_eq(_i == 0 ? user.refused : user.ended, 1);
    end(&user);
}
END_TEST

static const char *const lies[] = {
    NULL,
    "TERMINAL: its stream was not opened",
    "OPEN: nobody has asked for terminal 2",
    "SHUT: exit code or signal out of range",
    "SHUT: exit code or signal out of range",
    "SHUT: exit code or signal out of range",
    "OPEN: nobody has asked for terminal 1",
    "DATA: more for terminal than there was credit for",
    "SHUT of a terminal",
};

START_TEST(terminals_that_were_not_asked_for)
{
    char script[64];
    struct user user;

    (void)snprintf(script, sizeof(script), "/breaks/TERMINAL/%d", _i);
    begin(&user, script);
    user.consumes_nothing = true;
    kit_wait_for(&user.dead, 1);
    ck_assert_int_eq(user.failed, 1);
    ck_assert_msg(strstr(user.failure.message, lies[_i]) != NULL, "%s", user.failure.message);
    ck_assert_int_le(user.ended, 1);
    end(&user);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("terminal");
    TCase *tests = tcase_create("terminal");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, goes_through_all_of_it);
    tcase_add_test(tests, keeps_the_guest_from_rest);
    tcase_add_test(tests, hangs_up);
    tcase_add_loop_test(tests, is_freed_at_any_time, 0, 2);
    tcase_add_test(tests, bounds_what_is_typed);
    tcase_add_test(tests, tells_a_refusal);
    tcase_add_loop_test(tests, dies_with_its_vm, 0, 2);
    tcase_add_loop_test(tests, terminals_that_were_not_asked_for, 1, (int)ARRAY_SIZE(lies));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
