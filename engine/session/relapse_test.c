/* SPDX-License-Identifier: Apache-2.0 */
/* VMs that run, but that their user cannot use: at once when they come, or later. */
#include "guest/testing.h"
#include "session/internal.h"
#include "session/query.h"

struct user {
    struct gb_session *session;
    int opened, closed, moved, asleep, stayed;
    int refused;           /* so many VMs are of no use when they come */
    struct gb_guest *next; /* the VM that it is to get */
    int held, loaded, given, failed, relapsed;
    struct gb_err why; /* of `failed` */
    struct gb_terminal *terminal;
    int started, lost; /* of its program */
};

struct run {
    struct gb_cell *cell;
    int started, done, failed;
    struct gb_err error;
};

static void on_opened(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->opened++;
}

static void on_closed(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct user *)arg)->closed++;
}

static int on_moved(void *arg, struct gb_err *err)
{
    struct user *user = arg;

    if (gb_session_is_asleep(user->session)) {
        user->asleep++;
        return 0;
    }
    ck_assert(!gb_session_is_moving(user->session));
    user->moved++;
    return user->moved <= user->refused ? gb_err_set(err, GB_EBOOT, "of no use") : 0;
}

static void on_stayed(void *arg)
{
    ((struct user *)arg)->stayed++;
}

static void on_started(void *arg, const struct gb_cell *cell)
{
    (void)cell;
    ((struct run *)arg)->started++;
}

static void on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct run *run = arg;

    (void)cell;
    run->done += err == NULL;
    run->failed += err != NULL;
    if (err != NULL)
        run->error = *err;
}

static void on_held(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->held++;
}

static void on_loaded(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->loaded++;
}

static void on_given(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    user->given += err == NULL;
    user->failed += err != NULL;
    if (err != NULL)
        user->why = *err;
}

struct asked {
    int answered, failed;
    struct gb_err why;
};

static void on_answered(void *arg, const struct gb_err *err)
{
    struct asked *asked = arg;

    asked->answered += err == NULL;
    asked->failed += err != NULL;
    if (err != NULL)
        asked->why = *err;
}

static void on_entry(void *arg, const struct gb_file_entry *entry, const struct gb_err *err)
{
    (void)entry;
    on_answered(arg, err);
}

static void on_relapsed(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct user *)arg)->relapsed++;
}

static void end_program(struct user *user)
{
    user->lost++;
    gb_terminal_free(TAKE_PTR(user->terminal));
    gb_session_terminal_over(user->session);
}

static void on_program_started(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    user->started += err == NULL;
    if (err == NULL)
        return;
    ck_assert_int_eq(err->code, GB_EBOOT);
    end_program(user);
}

static void on_program_ended(void *arg, const struct gb_terminal_end *last,
                             const struct gb_err *err)
{
    ck_assert_ptr_null(last);
    ck_assert_int_eq(err->code, GB_ECLOSED);
    end_program(arg);
}

static void on_program_output(void *arg, struct gb_bytes bytes)
{
    gb_terminal_consume(((struct user *)arg)->terminal, bytes.size);
}

static void on_program_sent(void *arg)
{
    (void)arg;
}

static void on_next_dead(void *arg, const struct gb_err *why)
{
    (void)arg;
    ck_abort_msg("the next VM died before it was taken: %s", why->message);
}

static void begin(struct user *user)
{
    static const struct gb_session_events events = {
        .opened = on_opened, .moved = on_moved, .stayed = on_stayed, .closed = on_closed};
    const struct gb_session_config config = {.image = &kit_image};

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
    while (!gb_list_empty(&kit_host.vms))
        uv_run(&kit_uv, UV_RUN_ONCE);
}

static void exec(struct user *user, struct run *run, const char *code)
{
    static const struct gb_cell_events events = {.started = on_started, .done = on_done};
    const struct gb_cell_config config = {
        .mode = GB_MODE_KERNEL, .interactive = true, .code = gb_bytes_str(code)};

    *run = (struct run){0};
    ck_assert_int_eq(gb_session_exec(user->session, &config, &events, run, &run->cell, NULL), 0);
}

/* HELD, as one that was loaded. */
static void make_next(struct user *user)
{
    static const struct gb_guest_events events = {.dead = on_next_dead};
    const struct gb_vm_config config = {
        .image = &kit_image, .memory_mb = KIT_MEMORY_MB, .incoming = true};
    const int loaded = user->loaded;

    user->next = gb_guest_new(kit_loop, NULL, &events, user);
    ck_assert_int_eq(gb_guest_start(user->next, &kit_host, &config, NULL), 0);
    gb_guest_load(user->next, kit_empty, true, on_loaded, user);
    kit_wait_for(&user->loaded, loaded + 1);
}

START_TEST(a_session_stays_asleep)
{
    struct user user = {.refused = 1};
    struct run run;

    begin(&user);
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, NULL), 0);
    kit_wait_for(&user.held, 1);
    gb_session_sleep(user.session, 0);
    exec(&user, &run, "waits");
    make_next(&user);
    gb_session_wake(user.session, TAKE_PTR(user.next), on_given, &user);
    kit_wait_for(&user.failed, 1);
    ck_assert_str_eq(user.why.message, "of no use");
    ck_assert_int_eq(user.session->state, SESSION_ASLEEP);
    ck_assert(user.stayed == 1 && user.given == 0 && user.closed == 0 && run.started == 0);
    ck_assert_ptr_null(gb_session_vm(user.session));
    make_next(&user);
    gb_session_wake(user.session, TAKE_PTR(user.next), on_given, &user);
    kit_wait_for(&run.done, 1);
    ck_assert_uint_eq(gb_session_epoch(user.session), 1);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

START_TEST(a_session_keeps_its_vm)
{
    const struct gb_bytes path = gb_bytes_str("f");
    const struct gb_file_change change = {.path = path};
    struct user user = {.refused = 1};
    struct asked look = {0}, removal = {0};
    const struct gb_vm *before;
    struct run run;

    begin(&user);
    before = gb_session_vm(user.session);
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, NULL), 0);
    kit_wait_for(&user.held, 1);
    exec(&user, &run, "waits");
    ck_assert_int_eq(gb_session_stat_file(user.session, path, on_entry, &look, NULL), 0);
    ck_assert_int_eq(gb_session_remove_file(user.session, &change, on_answered, &removal, NULL), 0);
    make_next(&user);
    gb_session_exchange(user.session, TAKE_PTR(user.next), on_given, &user);
    kit_wait_for(&user.failed, 1);
    ck_assert_int_eq(user.session->state, SESSION_HELD);
    ck_assert_ptr_eq(gb_session_vm(user.session), before);
    ck_assert(user.stayed == 1 && user.given == 0 && user.closed == 0 && run.started == 0);
    /* Those were sent to the VM that is of no use. */
    ck_assert(look.failed == 1 && look.why.code == GB_EBOOT && !look.why.dispatched);
    ck_assert(removal.failed == 1 && removal.why.code == GB_EBOOT && removal.why.dispatched);
    ck_assert_int_eq(gb_session_stat_file(user.session, path, on_entry, &look, NULL), 0);
    gb_session_release(user.session, NULL, NULL);
    kit_wait_for(&run.done, 1);
    kit_wait_for(&look.answered, 1); /* by the old one */
    ck_assert_uint_eq(gb_session_epoch(user.session), 1);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

/* Closed while the VM that is of no use ends. */
START_TEST(a_session_ends_meanwhile)
{
    struct user user = {.refused = 1};

    begin(&user);
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &user, NULL), 0);
    kit_wait_for(&user.held, 1);
    make_next(&user);
    gb_session_exchange(user.session, TAKE_PTR(user.next), on_given, &user);
    kit_wait_for(&user.moved, 1);
    gb_session_close(user.session, "enough");
    kit_wait_for(&user.closed, 1);
    ck_assert(user.failed == 1 && user.stayed == 0);
    end(&user);
}
END_TEST

/* 0: before any cell; 1: while one runs. */
START_TEST(a_session_relapses)
{
    const struct gb_err why = {.code = GB_EBOOT, .message = "of no use"};
    struct user user = {0};
    struct run first, second;

    begin(&user);
    if (_i == 0)
        gb_session_delay(user.session, true);
    exec(&user, &first, "wait");
    exec(&user, &second, "waits");
    if (_i == 1)
        kit_wait_for(&first.started, 1);
    kit_settle();
    ck_assert_int_eq(gb_session_check_relapse(user.session, NULL), 0);
    gb_session_relapse(user.session, &why, 0, on_relapsed, &user);
    ck_assert_int_eq(gb_session_check_relapse(user.session, NULL), -GB_EBUSY);
    kit_wait_for(&user.relapsed, 1);
    ck_assert_int_eq(user.session->state, SESSION_ASLEEP);
    ck_assert(user.asleep == 1 && user.closed == 0);
    ck_assert(first.failed == 1 && second.failed == 1);
    ck_assert_int_eq(first.error.code, _i == 1 ? GB_EUNKNOWN : GB_EBOOT);
    ck_assert(first.error.dispatched == (_i == 1));
    ck_assert(second.error.code == GB_EBOOT && !second.error.dispatched);
    ck_assert_uint_eq(gb_session_epoch(user.session), 2);
    gb_cell_unref(first.cell);
    gb_cell_unref(second.cell);
    if (_i == 0)
        gb_session_delay(user.session, false);
    /* It can be woken as ever. */
    exec(&user, &first, "later");
    make_next(&user);
    gb_session_wake(user.session, TAKE_PTR(user.next), on_given, &user);
    kit_wait_for(&first.done, 1);
    gb_cell_unref(first.cell);
    end(&user);
}
END_TEST

/* 0: it runs; 1: it has been asked for. */
START_TEST(programs_at_terminals_end)
{
    static const struct gb_terminal_events events = {.started = on_program_started,
                                                     .output = on_program_output,
                                                     .sent = on_program_sent,
                                                     .ended = on_program_ended};
    const struct gb_terminal_config config = {.rows = 24, .columns = 80};
    const struct gb_err why = {.code = GB_EBOOT, .message = "of no use"};
    struct user user = {0};
    struct run run;

    begin(&user);
    ck_assert_int_eq(
        gb_session_terminal(user.session, &config, &events, &user, &user.terminal, NULL), 0);
    if (_i == 0)
        kit_wait_for(&user.started, 1);
    ck_assert_int_eq(gb_session_check_relapse(user.session, NULL), 0);
    gb_session_relapse(user.session, &why, 0, on_relapsed, &user);
    kit_wait_for(&user.relapsed, 1);
    ck_assert_int_eq(user.session->state, SESSION_ASLEEP);
    ck_assert_int_eq(user.lost, 1);
    ck_assert_uint_eq(user.session->terminals, 0);
    exec(&user, &run, "later");
    make_next(&user);
    gb_session_wake(user.session, TAKE_PTR(user.next), on_given, &user);
    kit_wait_for(&run.done, 1);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relapse");
    TCase *tests = tcase_create("relapse");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, a_session_stays_asleep);
    tcase_add_test(tests, a_session_keeps_its_vm);
    tcase_add_test(tests, a_session_ends_meanwhile);
    tcase_add_loop_test(tests, a_session_relapses, 0, 2);
    tcase_add_loop_test(tests, programs_at_terminals_end, 0, 2);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
