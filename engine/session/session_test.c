/* SPDX-License-Identifier: Apache-2.0 */
/* A session over VMs that keep the rules, and that fail in each step: what is told, how often, and
 * what may be tried again without a word. */
#include "session/session.h"

#include "guest/testing.h"
#include "session/internal.h"
#include "session/query.h"

/* A session and all that was told of it. */
struct user {
    struct gb_session *session;
    int opened, open_failed, closed, lost, changed, rested, moved, stayed;
    uint64_t idle_ms; /* when it is not kept */
    bool again;       /* another VM follows a lost one */
    struct gb_err open_error, why;
    const char *next;       /* the script of the VM that follows */
    struct gb_guest *clone; /* until it is adopted */
};

/* A cell and all that was told of it. */
struct run {
    struct gb_cell *cell;
    int started, done, failed;
    struct gb_err error;
    char state[32];
};

static void on_opened(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    user->opened += err == NULL;
    user->open_failed += err != NULL;
    if (err != NULL)
        user->open_error = *err;
}

static void on_changed(void *arg)
{
    ((struct user *)arg)->changed++;
}

static void on_rested(void *arg)
{
    struct user *user = arg;

    ck_assert_int_eq(gb_session_check_rest(user->session, NULL), 0);
    user->rested++;
}

static int on_moved(void *arg, struct gb_err *err)
{
    struct user *user = arg;

    ck_assert(!gb_session_is_moving(user->session) && err != NULL);
    user->moved++;
    return 0;
}

static void on_stayed(void *arg)
{
    struct user *user = arg;

    ck_assert(!gb_session_is_moving(user->session));
    user->stayed++;
}

static void give_clone(struct user *user, const char *script);

static bool on_lost(void *arg, const struct gb_err *why)
{
    struct user *user = arg;

    (void)why;
    user->lost++;
    ck_assert_ptr_null(gb_session_vm(user->session));
    if (user->again)
        give_clone(user, user->next);
    return user->again;
}

static void on_closed(void *arg, const struct gb_err *why)
{
    ((struct user *)arg)->closed++;
    ((struct user *)arg)->why = *why;
}

static const struct gb_session_events session_events = {.opened = on_opened,
                                                        .changed = on_changed,
                                                        .rested = on_rested,
                                                        .moved = on_moved,
                                                        .stayed = on_stayed,
                                                        .lost = on_lost,
                                                        .closed = on_closed};

static void on_started(void *arg, const struct gb_cell *cell)
{
    (void)cell;
    ((struct run *)arg)->started++;
}

static void on_done(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct run *run = arg;

    ck_assert_int_eq(cell->state, GB_CELL_DONE);
    run->done += err == NULL;
    run->failed += err != NULL;
    if (err != NULL)
        run->error = *err;
}

static const struct gb_cell_events cell_events = {.started = on_started, .done = on_done};

/* ---- a clone: fake/vm.c in `-incoming`, loaded from an empty file ---- */

static void on_clone_loaded(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    ck_assert_ptr_null(err);
    gb_session_adopt(user->session, TAKE_PTR(user->clone), GB_SOURCE_TEMPLATE);
}

static void on_clone_dead(void *arg, const struct gb_err *why)
{
    (void)arg;
    ck_abort_msg("a clone died before it was adopted: %s", why->message);
}

static void give_clone(struct user *user, const char *script)
{
    static const struct gb_guest_events events = {.dead = on_clone_dead};
    const struct gb_vm_config config = {
        .image = &kit_image, .memory_mb = KIT_MEMORY_MB, .incoming = true};

    kit_play(script);
    user->clone = gb_guest_new(kit_loop, NULL, &events, user);
    ck_assert_int_eq(gb_guest_start(user->clone, &kit_host, &config, NULL), 0);
    gb_guest_load(user->clone, kit_empty, false, on_clone_loaded, user);
}

/* ---- the kit ---- */

static void on_status(void *arg, const struct gb_status *status, const struct gb_err *err)
{
    (void)err;
    *(int *)arg += status != NULL;
}

static void start(struct user *user, bool replaceable)
{
    const struct gb_session_config config = {.image = &kit_image, .idle_ms = user->idle_ms};
    struct gb_session_events events = session_events;
    struct gb_err err = {0};

    if (!replaceable)
        events.lost = NULL;
    ck_assert_msg(gb_session_new(&kit_host, &config, &events, user, &user->session, &err) == 0,
                  "%s", err.message);
    gb_session_keep(user->session, true);
    ck_assert_int_eq(user->session->state, SESSION_WITHOUT_VM);
}

static void boot(struct user *user, const char *script)
{
    struct gb_err err = {0};

    kit_play(script);
    ck_assert_msg(gb_session_boot(user->session, &err) == 0, "%s", err.message);
    ck_assert_int_eq(user->session->state, SESSION_BOOTING);
}

static void exec(struct user *user, struct run *run, const char *code)
{
    const struct gb_cell_config config = {
        .mode = GB_MODE_KERNEL, .interactive = true, .code = gb_bytes_str(code)};
    struct gb_err err = {0};

    *run = (struct run){0};
    ck_assert_msg(gb_session_exec(user->session, &config, &cell_events, run, &run->cell, &err) == 0,
                  "%s", err.message);
    ck_assert_int_eq(run->started + run->done + run->failed, 0);
}

static void end(struct user *user)
{
    if (user->closed == 0)
        gb_session_close(user->session, "the test is over");
    kit_wait_for(&user->closed, 1);
    kit_settle();
    ck_assert_int_eq(user->closed, 1);
    ck_assert_int_eq(user->opened + user->open_failed, 1);
    ck_assert_int_eq(user->session->state, SESSION_CLOSED);
    gb_session_free(user->session);
}

static void wait_for_state(struct user *user, enum session_state state)
{
    uint64_t limit = gb_loop_now_ns() + KIT_WAIT_S * GB_NS_PER_S;

    while (user->session->state != state) {
        ck_assert_msg(gb_loop_now_ns() < limit, "state %d never came", state);
        uv_run(&kit_uv, UV_RUN_ONCE);
    }
}

/* ---- as it should be ---- */

START_TEST(goes_through_its_states)
{
    struct user user = {0};
    struct run first, second;

    start(&user, false);
    exec(&user, &first, "wait"); /* cells are taken, and wait */
    exec(&user, &second, "hello");
    ck_assert_int_eq(gb_session_state(user.session), GB_SESSION_STARTING);
    ck_assert_uint_eq(gb_session_waiting(user.session), 2);
    boot(&user, "/honest/nothing/1");
    wait_for_state(&user, SESSION_PREPARING);
    ck_assert_int_eq(gb_session_state(user.session), GB_SESSION_STARTING);
    wait_for_state(&user, SESSION_WAITING_INPUT);
    ck_assert_int_eq(user.opened, 1);
    ck_assert_int_eq(first.started, 1);
    ck_assert(first.cell->waiting);
    ck_assert_int_eq(second.started, 0);
    gb_session_close(user.session, "enough");
    ck_assert_int_eq(user.session->state, SESSION_ENDING);
    ck_assert_int_eq(gb_session_state(user.session), GB_SESSION_WAITING_INPUT); /* as it was */
    kit_wait_for(&user.closed, 1);
    ck_assert_int_eq(first.error.code, GB_EUNKNOWN);
    ck_assert(first.error.dispatched);
    ck_assert_int_eq(second.error.code, GB_ECLOSED);
    ck_assert(!second.error.dispatched);
    gb_cell_unref(first.cell);
    gb_cell_unref(second.cell);
    end(&user);
}
END_TEST

START_TEST(runs_one_cell_after_the_other)
{
    struct user user = {0};
    struct run runs[3];

    start(&user, false);
    boot(&user, "/honest/nothing/1");
    kit_wait_for(&user.opened, 1);
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++)
        exec(&user, &runs[i], i == 1 ? "lose" : "hello");
    ck_assert_int_eq(user.session->state, SESSION_RUNNING);
    for (size_t i = 0; i < ARRAY_SIZE(runs); i++) {
        kit_wait_for(&runs[i].done, 1);
        ck_assert_int_eq(runs[i].cell->exit_code, (int)i + 1);
        ck_assert_int_eq(runs[i].started, 1);
        gb_cell_unref(runs[i].cell);
    }
    ck_assert_int_eq(user.session->state, SESSION_IDLE);
    ck_assert_uint_eq(gb_session_incarnation(user.session), 2);
    ck_assert_int_gt(user.changed, 0);
    end(&user);
    ck_assert_int_eq(user.why.code, GB_ECLOSED);
    ck_assert_str_eq(user.why.message, "the test is over");
}
END_TEST

/* ---- files before cells ---- */

static void on_written(void *arg, const struct gb_err *err)
{
    *(int *)arg += err == NULL;
}

/* More than a window: most of it waits. */
static struct gb_guest_upload *give_file(struct user *user, const char *path, bool final, int *good)
{
    static const uint8_t bytes[3 * GB_STREAM_WINDOW];
    struct gb_guest_upload *upload = gb_session_upload(user->session, gb_bytes_str(path), 0);

    ck_assert_int_eq(gb_session_upload_give(user->session, upload,
                                            (struct gb_bytes){bytes, sizeof(bytes)}, final,
                                            on_written, good, NULL),
                     0);
    return upload;
}

/* A cell finds the files that were finished before it, whether the VM is there (_i 0) or not yet;
 * it does not wait for those that are not finished. */
START_TEST(a_cell_finds_the_files_before_it)
{
    struct user user = {0};
    struct gb_guest_upload *uploads[2];
    struct run first, second;
    int good = 0;

    start(&user, false);
    if (_i == 0) {
        boot(&user, "/honest/nothing/1");
        wait_for_state(&user, SESSION_IDLE);
    }
    uploads[0] = give_file(&user, "stuck", false, &good);
    uploads[1] = give_file(&user, "file", true, &good);
    exec(&user, &first, "count");
    exec(&user, &second, "count");
    ck_assert_int_ne(user.session->state, SESSION_RUNNING);
    ck_assert_int_eq(first.cell->state, GB_CELL_QUEUED);
    if (_i == 1)
        boot(&user, "/honest/nothing/1");
    kit_wait_for(&second.done, 1);
    ck_assert_int_eq(first.done, 1);
    ck_assert_int_eq(good, 1);
    ck_assert_uint_eq(first.cell->out.size, 1);
    ck_assert_uint_eq(second.cell->out.size, 1);
    gb_guest_upload_free(uploads[0]);
    gb_guest_upload_free(uploads[1]);
    gb_cell_unref(first.cell);
    gb_cell_unref(second.cell);
    end(&user);
}
END_TEST

/* A cell that waits for a file can be interrupted; one behind a file that is given up runs. */
START_TEST(a_cell_waits_for_no_file_that_will_not_come)
{
    struct user user = {0};
    struct gb_guest_upload *upload;
    struct run first, second;
    int good = 0;

    start(&user, false);
    boot(&user, "/honest/nothing/1");
    wait_for_state(&user, SESSION_IDLE);
    upload = give_file(&user, "stuck", true, &good);
    exec(&user, &first, "count");
    exec(&user, &second, "hello");
    kit_settle();
    ck_assert_int_eq(user.session->state, SESSION_IDLE);
    gb_cell_interrupt(first.cell);
    kit_wait_for(&first.done, 1);
    ck_assert_int_eq(first.started + second.started, 0);
    gb_guest_upload_free(upload);
    kit_wait_for(&second.done, 1);
    ck_assert_int_eq(good, 0);
    ck_assert_uint_eq(second.cell->out.size, strlen("hello"));
    gb_cell_unref(first.cell);
    gb_cell_unref(second.cell);
    end(&user);
}
END_TEST

START_TEST(takes_nothing_when_it_is_over)
{
    const struct gb_cell_config config = {.code = gb_bytes_str("hello")};
    struct user user = {0};
    struct gb_err err = {0}, why = {0};
    struct gb_cell *cell;

    start(&user, false);
    (void)gb_err_set(&why, GB_ECAPACITY, "there is no room");
    gb_session_fail(user.session, &why);
    ck_assert_int_eq(user.session->state, SESSION_ENDING);
    ck_assert_int_eq(user.closed, 0);
    ck_assert_int_eq(gb_session_boot(user.session, &err), -GB_ECLOSED);
    ck_assert_int_eq(gb_session_exec(user.session, &config, &cell_events, NULL, &cell, &err),
                     -GB_ECLOSED);
    ck_assert_str_eq(err.message, "the session has ended: there is no room");
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, NULL, &err), -GB_ECLOSED);
    end(&user);
    ck_assert_int_eq(user.open_error.code, GB_ECAPACITY);
}
END_TEST

/* ---- death in each step ---- */

static const struct death {
    const char *script;
    bool opened;
    int open_code; /* unless it opened */
    int cell_code; /* of the first cell; 0: it is done */
    bool dispatched;
} deaths[] = {
    {"/dies/START/1", false, GB_EBOOT, GB_EBOOT, false},
    {"/dies/READY/1", false, GB_EBOOT, GB_EBOOT, false},
    {"/dies/CONFIGURE/1", false, GB_EBOOT, GB_EBOOT, false},
    {"/refuses/CONFIGURE/1", false, GB_EBOOT, GB_EBOOT, false},
    {"/lies/CONFIGURE/1", false, GB_EBOOT, GB_EBOOT, false},
    {"/dies/EXEC/1", true, 0, GB_EUNKNOWN, true},
    {"/dies/DONE/1", true, 0, GB_EUNKNOWN, true},
    {"/breaks/EXEC/1", true, 0, GB_EUNKNOWN, true},
    {"/breaks/EXEC/3", true, 0, GB_EUNKNOWN, true},
    {"/breaks/EXEC/4", true, 0, GB_EUNKNOWN, true},
    {"/breaks/EXEC/10", true, 0, GB_EUNKNOWN, true},
    {"/dies/EXEC/2", true, 0, 0, true},
};

/* A boot that dies ends the session; of each cell it is told once whether it may have run. */
START_TEST(dies_in_each_step)
{
    const struct death *death = &deaths[_i];
    struct user user = {0};
    struct run first, second;

    start(&user, true); /* a boot is not replaced all the same */
    exec(&user, &first, "hello");
    exec(&user, &second, "never");
    boot(&user, death->script);
    kit_wait_for(&user.closed, 1);
    ck_assert_int_eq(user.opened, death->opened);
    ck_assert_int_eq(user.open_failed, !death->opened);
    if (!death->opened)
        ck_assert_int_eq(user.open_error.code, death->open_code);
    ck_assert_int_eq(user.lost, 0);
    ck_assert_int_eq(first.done + first.failed, 1);
    ck_assert_int_eq(first.error.code, death->cell_code);
    if (death->cell_code != 0)
        ck_assert_int_eq(first.error.dispatched, death->dispatched);
    ck_assert_int_eq(second.done, 0);
    ck_assert_int_eq(second.failed, 1);
    ck_assert_int_eq(second.error.dispatched, death->cell_code == 0);
    ck_assert_int_eq(second.started, death->cell_code == 0);
    gb_cell_unref(first.cell);
    gb_cell_unref(second.cell);
    end(&user);
}
END_TEST

/* ---- only what never ran is tried again ---- */

static const char *const losses[] = {"/dies/CONFIGURE/1", "/refuses/CONFIGURE/1",
                                     "/lies/CONFIGURE/1"};

/* A clone that fails before it is open is replaced, and nobody is told; cells wait meanwhile. */
START_TEST(replaces_a_clone_in_silence)
{
    struct user user = {.again = true, .next = "/honest/nothing/1"};
    struct run run;

    start(&user, true);
    exec(&user, &run, "hello");
    give_clone(&user, losses[_i]);
    kit_wait_for(&run.done, 1);
    ck_assert_int_eq(user.lost, 1);
    ck_assert_int_eq(user.opened, 1);
    ck_assert_int_eq(run.started, 1);
    ck_assert_int_eq(run.failed + user.open_failed + user.closed, 0);
    ck_assert_int_eq(gb_session_source(user.session), GB_SOURCE_TEMPLATE);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

/* Nobody has another one: the session ends with the reason of the VM. */
START_TEST(ends_when_no_vm_follows)
{
    struct user user = {0};

    start(&user, true);
    give_clone(&user, losses[_i]);
    kit_wait_for(&user.closed, 1);
    ck_assert_int_eq(user.lost, 1);
    ck_assert_int_eq(user.open_failed, 1);
    ck_assert_int_eq(user.open_error.code, GB_EBOOT);
    end(&user);
}
END_TEST

static void on_reply(void *arg, const struct gb_err *err)
{
    *(int *)arg = err == NULL ? 1 : err->dispatched ? 3 : 2;
}

/* Something of a user's was sent to it: it is not exchanged behind his back. */
START_TEST(does_not_replace_what_was_used)
{
    const struct gb_file_change change = {.path = gb_bytes_str("x")};
    struct user user = {.again = true, .next = "/honest/nothing/1"};
    int reply = 0;

    start(&user, true);
    ck_assert_int_eq(gb_session_remove_file(user.session, &change, on_reply, &reply, NULL), 0);
    give_clone(&user, losses[_i]); /* where CONFIGURE fails, and the request was sent behind it */
    kit_wait_for(&user.closed, 1);
    ck_assert_int_eq(user.lost, 0);
    ck_assert_int_eq(reply, 3);
    end(&user);
}
END_TEST

/* A clone that was open and dies is lost for good. */
START_TEST(does_not_replace_what_ran)
{
    struct user user = {.again = true, .next = "/honest/nothing/1"};
    struct run run;

    start(&user, true);
    give_clone(&user, "/dies/EXEC/1");
    kit_wait_for(&user.opened, 1);
    exec(&user, &run, "hello");
    kit_wait_for(&user.closed, 1);
    ck_assert_int_eq(user.lost, 0);
    ck_assert_int_eq(run.error.code, GB_EUNKNOWN);
    ck_assert(run.error.dispatched);
    gb_cell_unref(run.cell);
    end(&user);
}
END_TEST

static void on_told(void *arg, const struct gb_err *err)
{
    (void)err;
    if (arg != NULL)
        ++*(int *)arg;
}

START_TEST(is_closed_in_each_state)
{
    struct user user = {0};
    struct run run;
    int told = 0;

    start(&user, true);
    if (_i >= SESSION_BOOTING) {
        boot(&user, _i == SESSION_BOOTING ? "/silent/READY/1" : "/honest/nothing/1");
        if (_i != SESSION_BOOTING)
            wait_for_state(&user, _i > SESSION_IDLE ? SESSION_IDLE : (enum session_state)_i);
    }
    if (_i == SESSION_HELD || _i == SESSION_ASLEEP)
        ck_assert_int_eq(gb_session_hold(user.session, on_told, &told, NULL), 0);
    if (_i == SESSION_ASLEEP) {
        kit_wait_for(&told, 1);
        gb_session_sleep(user.session, 0);
    }
    if (_i == SESSION_RUNNING || _i == SESSION_WAITING_INPUT) {
        exec(&user, &run, "wait");
        if (_i == SESSION_WAITING_INPUT)
            wait_for_state(&user, SESSION_WAITING_INPUT);
    }
    ck_assert_int_eq(user.session->state, _i);
    gb_session_close(user.session, NULL);
    gb_session_close(user.session, "harmless");
    ck_assert_int_eq(user.session->state, SESSION_ENDING);
    ck_assert_int_eq(user.closed, 0);
    kit_wait_for(&user.closed, 1);
    ck_assert_str_eq(user.why.message, "it was closed");
    if (_i == SESSION_RUNNING || _i == SESSION_WAITING_INPUT)
        gb_cell_unref(run.cell);
    while (!gb_list_empty(&kit_host.vms)) /* one that it had before it fell asleep */
        uv_run(&kit_uv, UV_RUN_ONCE);
    end(&user);
}
END_TEST

/* ---- rest ---- */

/* What holds the session, and the VM that it is to get. */
struct rest {
    struct gb_guest *guest;
    int held, loaded, released, exchanged, failed;
};

static void on_held(void *arg, const struct gb_err *err)
{
    ((struct rest *)arg)->held += err == NULL;
    ((struct rest *)arg)->failed += err != NULL;
}

static void on_loaded(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct rest *)arg)->loaded++;
}

static void on_released(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct rest *)arg)->released++;
}

static void on_exchanged(void *arg, const struct gb_err *err)
{
    ((struct rest *)arg)->exchanged += err == NULL;
    ((struct rest *)arg)->failed += err != NULL;
}

/* One that a session has left behind ends by itself. */
static void wait_for_no_vm(void)
{
    while (!gb_list_empty(&kit_host.vms))
        uv_run(&kit_uv, UV_RUN_ONCE);
}

/* An open session that is HELD after its first cell, with a second one that waits. */
static void hold(struct user *user, struct rest *rest, struct run *second)
{
    struct run first;
    struct gb_err err = {0};

    start(user, false);
    boot(user, "/honest/nothing/1");
    exec(user, &first, "leave");
    kit_wait_for(&first.done, 1);
    gb_cell_unref(first.cell);
    ck_assert_int_eq(gb_session_hold(user->session, on_held, rest, &err), 0);
    ck_assert_int_eq(gb_session_hold(user->session, on_held, rest, &err), -GB_EBUSY);
    kit_wait_for(&rest->held, 1);
    exec(user, second, "second");
    kit_settle();
    ck_assert_int_eq(user->session->state, SESSION_HELD);
    ck_assert_int_eq(gb_session_state(user->session), GB_SESSION_IDLE);
    ck_assert_int_eq(second->started, 0);
}

/* Another VM, which is HELD as one that was loaded. */
static void make_other(struct rest *rest, const char *script)
{
    static const struct gb_guest_events events = {.dead = on_clone_dead};
    const struct gb_vm_config config = {
        .image = &kit_image, .memory_mb = KIT_MEMORY_MB, .incoming = true};

    kit_play(script);
    rest->guest = gb_guest_new(kit_loop, NULL, &events, rest);
    ck_assert_int_eq(gb_guest_start(rest->guest, &kit_host, &config, NULL), 0);
    gb_guest_load(rest->guest, kit_empty, true, on_loaded, rest);
    kit_wait_for(&rest->loaded, 1);
}

START_TEST(rests_and_goes_on)
{
    struct user user = {0};
    struct rest rest = {0};
    struct run second;

    hold(&user, &rest, &second);
    gb_session_release(user.session, on_released, &rest);
    kit_wait_for(&rest.released, 1);
    kit_wait_for(&second.done, 1);
    ck_assert_uint_eq(second.cell->out.size, strlen("second"));
    ck_assert_uint_eq(gb_session_epoch(user.session), 1);
    gb_cell_unref(second.cell);
    end(&user);
}
END_TEST

/* A request, a file and a part of one are under way; nobody has to ask again and again. */
START_TEST(tells_when_it_may_rest)
{
    struct user user = {0};
    struct rest rest = {0};
    struct gb_guest_upload *uploads[2];
    struct gb_err err = {0};
    int good = 0;

    start(&user, false);
    ck_assert_int_eq(gb_session_check_rest(user.session, NULL), -GB_EBUSY);
    boot(&user, "/honest/nothing/1");
    wait_for_state(&user, SESSION_IDLE);
    kit_settle();
    user.rested = 0;
    uploads[0] = give_file(&user, "file", false, &good);
    uploads[1] = give_file(&user, "file", true, &good);
    kit_wait_for(&good, 2);
    kit_settle();
    ck_assert_int_eq(gb_session_hold(user.session, on_held, &rest, &err), -GB_EBUSY);
    ck_assert_str_eq(err.message, "a file is on its way into the session");
    ck_assert_int_eq(user.rested, 0);
    gb_session_upload_free(user.session, uploads[0]);
    gb_session_upload_free(user.session, uploads[1]);
    kit_wait_for(&user.rested, 1);
    ck_assert_int_eq(gb_session_status(user.session, 0, on_status, &good, NULL), 0);
    ck_assert_int_eq(gb_session_check_rest(user.session, NULL), -GB_EBUSY);
    kit_wait_for(&user.rested, 2);
    ck_assert_int_eq(good, 3);
    end(&user);
}
END_TEST

/* To be looked at is no sign of life. */
START_TEST(ends_for_being_idle_after_a_rest)
{
    struct user user = {.idle_ms = 1};
    struct rest rest = {0};
    struct run second;

    hold(&user, &rest, &second);
    gb_session_release(user.session, on_released, &rest);
    kit_wait_for(&second.done, 1);
    gb_cell_unref(second.cell);
    gb_session_keep(user.session, false);
    kit_wait_for(&user.closed, 1);
    ck_assert(gb_session_expired(user.session));
    end(&user);
}
END_TEST

START_TEST(lives_on_in_another_vm)
{
    struct user user = {0};
    struct rest rest = {0};
    struct run second;
    const struct gb_vm *before;

    hold(&user, &rest, &second);
    before = gb_session_vm(user.session);
    make_other(&rest, "/honest/nothing/1");
    ck_assert(!gb_session_is_moving(user.session));
    gb_session_exchange(user.session, rest.guest, on_exchanged, &rest);
    ck_assert(gb_session_is_moving(user.session));
    kit_wait_for(&rest.exchanged, 1);
    ck_assert(user.moved == 1 && user.stayed == 0);
    kit_wait_for(&second.done, 1);
    ck_assert_ptr_ne(gb_session_vm(user.session), before);
    ck_assert_int_eq(second.cell->exit_code, 2); /* a number that is not used again */
    ck_assert_uint_eq(second.cell->out.size, strlen("second"));
    ck_assert_uint_eq(gb_session_epoch(user.session), 2);
    gb_cell_unref(second.cell);
    end(&user);
    wait_for_no_vm();
}
END_TEST

static const char *const bad_others[] = {"/dies/RESUME/1", "/refuses/RESUME/1", "/lies/RESUME/1"};

START_TEST(keeps_its_vm_when_the_other_fails)
{
    struct user user = {0};
    struct rest rest = {0};
    struct run second;
    const struct gb_vm *before;
    struct gb_err err = {0};

    hold(&user, &rest, &second);
    before = gb_session_vm(user.session);
    make_other(&rest, bad_others[_i]);
    gb_session_exchange(user.session, rest.guest, on_exchanged, &rest);
    kit_wait_for(&rest.failed, 1);
    ck_assert_int_eq(user.session->state, SESSION_HELD);
    ck_assert_ptr_eq(gb_session_vm(user.session), before);
    ck_assert(user.moved == 0 && user.stayed == 1);
    gb_session_release(user.session, on_released, &rest);
    kit_wait_for(&second.done, 1);
    ck_assert_uint_eq(second.cell->out.size, strlen("second"));
    ck_assert_uint_eq(gb_session_epoch(user.session), 1);
    ck_assert_msg(gb_session_check_rest(user.session, &err) == 0, "%s", err.message);
    gb_cell_unref(second.cell);
    end(&user);
    wait_for_no_vm();
}
END_TEST

/* Closed, or without its VM, while the other one is about to go on: nothing is left. */
START_TEST(ends_at_rest)
{
    struct user user = {0};
    struct rest rest = {0};
    struct run second;

    hold(&user, &rest, &second);
    make_other(&rest, "/silent/RESUME/1");
    gb_session_exchange(user.session, rest.guest, on_exchanged, &rest);
    kit_settle();
    gb_session_close(user.session, "enough");
    kit_wait_for(&user.closed, 1);
    ck_assert_int_eq(rest.failed, 1);
    ck_assert_int_eq(second.failed, 1);
    ck_assert(user.moved == 0 && user.stayed == 0);
    ck_assert(!second.error.dispatched);
    gb_cell_unref(second.cell);
    end(&user);
    wait_for_no_vm();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tests = tcase_create("session");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, goes_through_its_states);
    tcase_add_test(tests, runs_one_cell_after_the_other);
    tcase_add_loop_test(tests, a_cell_finds_the_files_before_it, 0, 2);
    tcase_add_test(tests, a_cell_waits_for_no_file_that_will_not_come);
    tcase_add_test(tests, takes_nothing_when_it_is_over);
    tcase_add_loop_test(tests, dies_in_each_step, 0, (int)ARRAY_SIZE(deaths));
    tcase_add_loop_test(tests, replaces_a_clone_in_silence, 0, (int)ARRAY_SIZE(losses));
    tcase_add_loop_test(tests, ends_when_no_vm_follows, 0, (int)ARRAY_SIZE(losses));
    tcase_add_loop_test(tests, does_not_replace_what_was_used, 0, (int)ARRAY_SIZE(losses));
    tcase_add_test(tests, does_not_replace_what_ran);
    tcase_add_loop_test(tests, is_closed_in_each_state, 0, SESSION_ENDING);
    tcase_add_test(tests, rests_and_goes_on);
    tcase_add_test(tests, tells_when_it_may_rest);
    tcase_add_test(tests, ends_for_being_idle_after_a_rest);
    tcase_add_test(tests, lives_on_in_another_vm);
    tcase_add_loop_test(tests, keeps_its_vm_when_the_other_fails, 0, (int)ARRAY_SIZE(bad_others));
    tcase_add_test(tests, ends_at_rest);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
