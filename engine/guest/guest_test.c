/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation with a guest that keeps the rules, breaks them, and dies in each step. */
#include "guest/testing.h"

/* A user of a conversation, and all that it was told. */
struct user {
    struct gb_guest *guest;
    int listens, ready, replaced, done, waiting, failed, dead, unasked, ended;
    int answers, errors; /* of requests */
    int configured, configure_failed, held, hold_failed, resumed, resume_failed;
    int exit_code;
    size_t output, background;
    bool pause;
    struct gb_err error, failure, why;
};

static void on_listens(void *arg)
{
    ((struct user *)arg)->listens++;
}

static void on_ready(void *arg, bool replaced)
{
    ((struct user *)arg)->ready++;
    ((struct user *)arg)->replaced += replaced;
}

static int on_output(void *arg, enum gb_output stream, struct gb_bytes bytes, struct gb_err *err)
{
    (void)stream;
    (void)err;
    ((struct user *)arg)->output += bytes.size;
    return 0;
}

static int on_waiting(void *arg, bool waiting, struct gb_err *err)
{
    (void)err;
    ((struct user *)arg)->waiting += waiting;
    return 0;
}

static int on_done(void *arg, const struct gb_done *done, struct gb_err *err)
{
    (void)err;
    ((struct user *)arg)->done++;
    ((struct user *)arg)->exit_code = (int)done->exit_code;
    return 0;
}

static void on_background(void *arg, uint32_t cell, enum gb_output stream, struct gb_bytes bytes)
{
    (void)cell;
    (void)stream;
    ((struct user *)arg)->background += bytes.size;
}

static void on_request_ended(void *arg, enum gb_guest_type type)
{
    (void)type;
    ((struct user *)arg)->ended++;
}

static void on_unasked(void *arg, const char *what)
{
    (void)what;
    ((struct user *)arg)->unasked++;
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
    ((struct user *)arg)->dead++;
    ((struct user *)arg)->why = *why;
}

static const struct gb_guest_events user_events = {
    .listens = on_listens,
    .ready = on_ready,
    .output = on_output,
    .waiting = on_waiting,
    .done = on_done,
    .background = on_background,
    .request_ended = on_request_ended,
    .unasked = on_unasked,
    .failed = on_failed,
    .dead = on_dead,
};

static void on_reply(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct user *user = arg;

    ck_assert((frame == NULL) == (err != NULL));
    user->answers += frame != NULL;
    user->errors += frame == NULL;
    if (err != NULL)
        user->error = *err;
}

static void on_pong(void *arg, const struct gb_pong *pong, const struct gb_err *err)
{
    struct user *user = arg;

    ck_assert((pong == NULL) == (err != NULL));
    user->answers += pong != NULL;
    user->errors += pong == NULL;
}

static void on_configured(void *arg, const struct gb_err *err)
{
    ((struct user *)arg)->configured += err == NULL;
    ((struct user *)arg)->configure_failed += err != NULL;
}

static void on_held(void *arg, const struct gb_err *err)
{
    ((struct user *)arg)->held += err == NULL;
    ((struct user *)arg)->hold_failed += err != NULL;
    if (err != NULL)
        ((struct user *)arg)->error = *err;
}

static void on_resumed(void *arg, const struct gb_err *err)
{
    ((struct user *)arg)->resumed += err == NULL;
    ((struct user *)arg)->resume_failed += err != NULL;
}

static void start(struct user *user, const char *script)
{
    const struct gb_vm_config config = {.image = &kit_image, .memory_mb = KIT_MEMORY_MB};
    struct gb_err err = {0};

    kit_play(script);
    if (user->guest == NULL)
        user->guest = gb_guest_new(kit_loop, "toy", &user_events, user);
    ck_assert_msg(gb_guest_start(user->guest, &kit_host, &config, &err) == 0, "%s", err.message);
    ck_assert_int_eq(user->listens + user->dead, 0);
}

/* Until the interpreter is there. */
static void boot(struct user *user, const char *script)
{
    *user = (struct user){0};
    start(user, script);
    kit_wait_for(&user->ready, 1);
    ck_assert_int_eq(user->listens, 1);
}

static void end(struct user *user)
{
    gb_guest_kill(user->guest, "the test is over");
    kit_wait_for(&user->dead, 1);
    gb_guest_free(user->guest);
    kit_settle();
    ck_assert_int_eq(user->dead, 1);
}

static void ask(struct user *user, enum gb_guest_type type, uint64_t deadline_ms)
{
    static const struct gb_file_change change = {.path = {(const uint8_t *)"x", 1}};
    const struct gb_fields *table = type == GB_GUEST_FILE_REMOVE ? &gb_file_change_fields : NULL;

    ck_assert_int_eq(gb_guest_request(user->guest, type, 0, table, table != NULL ? &change : NULL,
                                      deadline_ms, on_reply, user, NULL),
                     0);
}

static void configure(struct user *user, bool exact_clock)
{
    const struct gb_guest_settings settings = {.hostname = "toy", .exact_clock = exact_clock};

    ck_assert_int_eq(gb_guest_configure(user->guest, &settings, on_configured, user, NULL), 0);
    ck_assert_int_eq(user->configured, 0);
}

static void run(struct user *user, uint32_t number, const char *code)
{
    const struct gb_exec message = {
        .timeout_ms = 1000, .max_stdout = 8 << 20, .max_stderr = 1000, .code = gb_bytes_str(code)};

    gb_guest_exec(user->guest, number, &message);
}

START_TEST(goes_through_all_of_it)
{
    struct user user;

    boot(&user, "/honest/nothing/1");
    ck_assert_int_eq(user.replaced, 1);
    configure(&user, true);
    kit_wait_for(&user.configured, 1);
    ask(&user, GB_GUEST_STAT, 0);
    ck_assert_int_eq(gb_guest_ping(user.guest, 0, on_pong, &user, NULL), 0);
    kit_wait_for(&user.answers, 2);
    run(&user, 1, "hello");
    kit_wait_for(&user.done, 1);
    ck_assert_int_eq(user.exit_code, 1);
    ck_assert_uint_eq(user.output, 5);
    run(&user, 2, "leave");
    kit_wait_for(&user.done, 2);
    run(&user, 3, "lose");
    kit_wait_for(&user.ready, 2);
    ck_assert_int_eq(user.replaced, 2);
    ck_assert_uint_eq(user.background, strlen("behind"));
    ck_assert_int_eq(user.failed + user.unasked + user.errors, 0);
    ck_assert_int_eq(user.ended, 3); /* CONFIGURE among them */
    end(&user);
    ck_assert_str_eq(user.why.message, "the test is over");
}
END_TEST

/* What is asked before there is a guest waits, and follows the first CONFIGURE. */
START_TEST(keeps_what_was_asked_before)
{
    struct user user = {0};

    user.guest = gb_guest_new(kit_loop, NULL, &user_events, &user);
    ask(&user, GB_GUEST_STAT, 0);
    ask(&user, GB_GUEST_FILE_REMOVE, 0);
    ck_assert(!gb_guest_listens(user.guest));
    ck_assert_uint_gt(gb_guest_queued(user.guest), 2 * GB_FRAME_HEADER);
    start(&user, "/honest/nothing/1");
    kit_wait_for(&user.listens, 1);
    ck_assert_int_eq(user.answers, 0);
    configure(&user, false);
    kit_wait_for(&user.configured, 1);
    kit_wait_for(&user.answers, 1);
    /* FILE_REMOVE is answered with OK, which is right. */
    kit_wait_for(&user.answers, 2);
    ck_assert_uint_eq(gb_guest_queued(user.guest), 0);
    end(&user);
}
END_TEST

/* ---- death ---- */

/* The steps of a conversation, one after the other; each ends with this or with death. */
static const int *take_step(struct user *user, int step)
{
    switch (step) {
    case 0:
        return &user->listens;
    case 1:
        return &user->ready;
    case 2:
        configure(user, false);
        return &user->configured;
    case 3:
        ask(user, GB_GUEST_STAT, 0);
        return &user->answers;
    case 4:
        run(user, 1, "hello");
        return &user->done;
    case 5:
        gb_guest_hold(user->guest, on_held, user);
        return &user->held;
    case 6:
        gb_guest_resume(user->guest, false, on_resumed, user);
        return &user->resumed;
    default:
        ask(user, GB_GUEST_FILE_REMOVE, 0);
        user->answers = 0;
        return &user->answers;
    }
}

static const struct death {
    const char *script;
    int step; /* that does not come to its end */
    int code; /* of the end of the VM */
    int errors, dispatched;
} deaths[] = {
    {"/dies/START/1", 0, GB_EBOOT, 0, 0},         {"/dies/READY/1", 1, GB_ECLOSED, 0, 0},
    {"/dies/CONFIGURE/1", 2, GB_ECLOSED, 0, 0},   {"/dies/STAT/1", 3, GB_ECLOSED, 1, 0},
    {"/dies/EXEC/1", 4, GB_ECLOSED, 0, 0},        {"/dies/DONE/1", 4, GB_ECLOSED, 0, 0},
    {"/dies/HOLD/1", 5, GB_ECLOSED, 0, 0},        {"/dies/stop/1", 5, GB_ECLOSED, 0, 0},
    {"/dies/cont/1", 6, GB_ECLOSED, 0, 0},        {"/dies/RESUME/1", 6, GB_ECLOSED, 0, 0},
    {"/dies/FILE_REMOVE/1", 7, GB_ECLOSED, 1, 1},
};

/* What dies is told once, with the truth about what may have been done, and leaves nothing. */
START_TEST(dies_in_each_step)
{
    const struct death *death = &deaths[_i];
    struct user user = {0};
    int step = 0;

    start(&user, death->script);
    for (;; step++) {
        const int *end_of_step = take_step(&user, step);

        while (*end_of_step == 0 && user.dead == 0)
            uv_run(&kit_uv, UV_RUN_ONCE);
        if (user.dead > 0)
            break;
    }
    ck_assert_msg(step == death->step, "%s: it died in step %d", death->script, step);
    ck_assert_int_eq(user.why.code, death->code);
    ck_assert_int_eq(user.dead, 1);
    ck_assert_int_eq(user.hold_failed, step == 5);
    ck_assert_int_eq(user.resume_failed, step == 6);
    ck_assert_int_eq(user.errors, 0); /* told when its user says so */
    gb_guest_fail_requests(user.guest, &user.why);
    ck_assert_int_eq(user.errors, death->errors);
    ck_assert_int_eq(user.configure_failed, step == 2);
    if (death->errors > 0) {
        ck_assert_int_eq(user.error.code, GB_ECLOSED);
        ck_assert_int_eq(user.error.dispatched, death->dispatched);
    }
    ck_assert_int_eq(user.failed, 0);
    ck_assert_ptr_null(gb_guest_vm(user.guest));
    gb_guest_free(user.guest);
    kit_settle();
    ck_assert_int_eq(user.dead, 1);
}
END_TEST

/* One conversation goes on over another VM; what never left was never done. */
START_TEST(gets_another_vm)
{
    struct user user = {0};

    start(&user, "/dies/READY/1");
    ask(&user, GB_GUEST_FILE_REMOVE, 0); /* waits */
    kit_wait_for(&user.dead, 1);
    user.dead = user.listens = 0;
    start(&user, "/honest/nothing/1");
    kit_wait_for(&user.ready, 1);
    ck_assert_int_eq(user.answers + user.errors, 0);
    configure(&user, false);
    kit_wait_for(&user.answers, 1);
    gb_guest_kill(user.guest, "once more");
    kit_wait_for(&user.dead, 1);
    ask(&user, GB_GUEST_FILE_REMOVE, 0); /* waits, and never leaves */
    gb_guest_fail_requests(user.guest, &user.why);
    ck_assert_int_eq(user.errors, 1);
    ck_assert(!user.error.dispatched);
    gb_guest_free(user.guest);
}
END_TEST

/* ---- answers ---- */

START_TEST(has_its_deadlines)
{
    struct user user, other = {0};

    boot(&user, "/silent/FILE_REMOVE/1");
    ask(&user, GB_GUEST_FILE_REMOVE, 1);
    kit_wait_for(&user.errors, 1);
    ck_assert_int_eq(user.error.code, GB_EBUSY);
    ck_assert(user.error.dispatched);
    ck_assert_str_eq(user.error.message, "the guest did not answer FILE_REMOVE in time");
    /* A guest that is late is not broken. */
    ask(&user, GB_GUEST_STAT, 0);
    kit_wait_for(&user.answers, 1);
    ck_assert_int_eq(user.failed, 0);
    /* Who was forgotten hears nothing, though it is asked for. */
    ck_assert_int_eq(
        gb_guest_request(user.guest, GB_GUEST_STAT, 0, NULL, NULL, 0, on_reply, &other, NULL), 0);
    gb_guest_forget(user.guest, &other);
    ask(&user, GB_GUEST_STAT, 0);
    kit_wait_for(&user.answers, 2);
    ck_assert_int_eq(other.answers + other.errors, 0);
    ck_assert_int_eq(user.unasked, 0);
    end(&user);
}
END_TEST

static void on_forgetting_reply(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct user *users = arg;

    on_reply(users, frame, err);
    gb_guest_forget(users[0].guest, &users[1]);
}

/* Two are due at once, and the callback of the first forgets the second. */
START_TEST(forgets_one_from_the_callback_of_another)
{
    struct user users[2] = {0};

    users[0].guest = gb_guest_new(kit_loop, NULL, &user_events, &users[0]);
    ck_assert_int_eq(gb_guest_request(users[0].guest, GB_GUEST_STAT, 0, NULL, NULL, 1,
                                      on_forgetting_reply, users, NULL),
                     0);
    ck_assert_int_eq(gb_guest_request(users[0].guest, GB_GUEST_STAT, 0, NULL, NULL, 1, on_reply,
                                      &users[1], NULL),
                     0);
    kit_wait_for(&users[0].ended, 2);
    ck_assert_int_eq(users[0].errors, 1);
    ck_assert_int_eq(users[1].errors, 0);
    /* The same when all are failed. */
    ck_assert_int_eq(gb_guest_request(users[0].guest, GB_GUEST_STAT, 0, NULL, NULL, 0,
                                      on_forgetting_reply, users, NULL),
                     0);
    ck_assert_int_eq(gb_guest_request(users[0].guest, GB_GUEST_STAT, 0, NULL, NULL, 0, on_reply,
                                      &users[1], NULL),
                     0);
    gb_guest_fail_requests(users[0].guest, &(struct gb_err){.code = GB_ECLOSED});
    ck_assert_int_eq(users[0].errors, 2);
    ck_assert_int_eq(users[1].errors, 0);
    gb_guest_free(users[0].guest);
}
END_TEST

START_TEST(tells_a_refusal)
{
    struct user user;

    boot(&user, "/refuses/STAT/1");
    ask(&user, GB_GUEST_STAT, 0);
    kit_wait_for(&user.errors, 1);
    ck_assert_int_eq(user.error.code, GB_EBUSY);
    ck_assert_str_eq(user.error.message, "not now");
    ck_assert_int_eq(user.failed, 0);
    end(&user);
}
END_TEST

START_TEST(bounds_what_is_asked)
{
    struct user user = {0};

    user.guest = gb_guest_new(kit_loop, NULL, &user_events, &user);
    for (int i = 0; i < GB_GUEST_REQUESTS_MAX; i++)
        ask(&user, GB_GUEST_STAT, 0);
    ck_assert_int_eq(
        gb_guest_request(user.guest, GB_GUEST_STAT, 0, NULL, NULL, 0, on_reply, &user, NULL),
        -GB_EBUSY);
    gb_guest_drop_requests(user.guest);
    ck_assert_int_eq(user.ended, GB_GUEST_REQUESTS_MAX);
    ck_assert_int_eq(user.answers + user.errors, 0);
    ck_assert_uint_eq(gb_guest_queued(user.guest), 0);
    gb_guest_free(user.guest);
}
END_TEST

/* ---- guests that break the rules ---- */

START_TEST(refuses_a_wrong_answer)
{
    struct user user;

    boot(&user, "/lies/STAT/1");
    ask(&user, GB_GUEST_STAT, 0);
    kit_wait_for(&user.dead, 1);
    ck_assert_int_eq(user.failed, 1);
    ck_assert_str_eq(user.failure.message,
                     "the guest broke the protocol: COMPLETIONS is no answer to STAT");
    gb_guest_free(user.guest);
}
END_TEST

static const char *const violations[] = {
    NULL,
    "OPEN: there are no streams of kind ", /* GB_STREAM_KIND_COUNT, see below */
    "OPEN: cell 2 has not begun",
    "DONE: exit code or signal out of range",
    "ERROR: cell 1 was refused",
    "READY: generation 7 does not follow 1",
    "a guest never sends EXEC (16)",
    "DISPLAY",
    "DATA: more of stderr than the cell may have",
    "DATA: more for stdout than there was credit for",
};

START_TEST(refuses_what_is_against_the_rules)
{
    char script[64], kind[32];
    struct user user;

    (void)snprintf(script, sizeof(script), "/breaks/EXEC/%d", _i);
    (void)snprintf(kind, sizeof(kind), "kind %d", GB_STREAM_KIND_COUNT);
    boot(&user, script);
    run(&user, 1, "wait");
    gb_guest_pause_output(user.guest, true);
    kit_wait_for(&user.dead, 1);
    ck_assert_int_eq(user.failed, 1);
    ck_assert_msg(strstr(user.failure.message, violations[_i]) != NULL, "%s", user.failure.message);
    if (_i == 1)
        ck_assert_msg(strstr(user.failure.message, kind) != NULL, "%s", user.failure.message);
    ck_assert_int_eq(user.done, 0);
    gb_guest_free(user.guest);
}
END_TEST

/* ---- output ---- */

START_TEST(gives_credit_unless_it_is_paused)
{
    const size_t flood = 3 << 20;
    struct user user;

    boot(&user, "/honest/nothing/1");
    run(&user, 1, "flood 3145728");
    kit_wait_for(&user.done, 1);
    ck_assert_uint_eq(user.output, flood);
    user.output = 0;
    run(&user, 2, "flood 3145728");
    gb_guest_pause_output(user.guest, true);
    ask(&user, GB_GUEST_STAT, 0); /* answered behind all that the window allows */
    kit_wait_for(&user.answers, 1);
    ck_assert_int_eq(user.done, 1);
    ck_assert_uint_le(user.output, GB_STREAM_WINDOW);
    ck_assert_uint_gt(user.output, GB_STREAM_WINDOW / 2);
    gb_guest_pause_output(user.guest, false);
    kit_wait_for(&user.done, 2);
    ck_assert_uint_eq(user.output, flood);
    ck_assert_int_eq(user.failed, 0);
    end(&user);
}
END_TEST

/* ---- hold and resume ---- */

START_TEST(holds_and_resumes)
{
    struct user user;

    boot(&user, "/honest/nothing/1");
    run(&user, 1, "wait");
    gb_guest_hold(user.guest, on_held, &user);
    ck_assert_int_eq(user.hold_failed, 0);
    kit_wait_for(&user.hold_failed, 1);
    ck_assert_int_eq(user.error.code, GB_EBUSY);
    end(&user);

    boot(&user, "/honest/nothing/1");
    gb_guest_hold(user.guest, on_held, &user);
    kit_wait_for(&user.held, 1);
    ask(&user, GB_GUEST_STAT, 0);
    ck_assert(!gb_guest_listens(user.guest));
    kit_settle();
    ck_assert_int_eq(user.answers, 0);
    gb_guest_resume(user.guest, false, on_resumed, &user);
    kit_wait_for(&user.resumed, 1);
    kit_wait_for(&user.answers, 1);
    run(&user, 1, "hello");
    kit_wait_for(&user.done, 1);
    end(&user);
}
END_TEST

/* What waited is asked all the same, and it can be held again. */
START_TEST(goes_on_when_it_cannot_be_held)
{
    struct user user;

    boot(&user, "/refuses/HOLD/1");
    gb_guest_hold(user.guest, on_held, &user);
    ask(&user, GB_GUEST_STAT, 0);
    kit_wait_for(&user.hold_failed, 1);
    ck_assert_int_eq(user.error.code, GB_EBUSY);
    kit_wait_for(&user.answers, 1);
    gb_guest_hold(user.guest, on_held, &user);
    kit_wait_for(&user.held, 1);
    end(&user);
}
END_TEST

/* A late answer to what was asked in one conversation is no answer in the one that got its VM. */
START_TEST(adopts_a_guest_that_owes_an_answer)
{
    struct user first, second = {0};
    struct gb_guest *from;

    boot(&first, "/late/PING/1");
    from = first.guest;
    ck_assert_int_eq(gb_guest_ping(from, 0, on_pong, &first, NULL), 0);
    second.guest = gb_guest_new(kit_loop, NULL, &user_events, &second);
    ask(&second, GB_GUEST_STAT, 0); /* waits */
    gb_guest_adopt(second.guest, from);
    configure(&second, false);
    kit_wait_for(&second.configured, 1);
    kit_wait_for(&second.answers, 1);
    ck_assert_int_eq(second.failed + second.errors, 0);
    ck_assert_int_eq(second.unasked, 1); /* that answer */
    ck_assert_int_eq(first.answers + first.errors + first.dead, 0);
    end(&second);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("guest");
    TCase *tests = tcase_create("guest");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, goes_through_all_of_it);
    tcase_add_test(tests, keeps_what_was_asked_before);
    tcase_add_loop_test(tests, dies_in_each_step, 0, (int)ARRAY_SIZE(deaths));
    tcase_add_test(tests, gets_another_vm);
    tcase_add_test(tests, has_its_deadlines);
    tcase_add_test(tests, forgets_one_from_the_callback_of_another);
    tcase_add_test(tests, tells_a_refusal);
    tcase_add_test(tests, bounds_what_is_asked);
    tcase_add_test(tests, refuses_a_wrong_answer);
    tcase_add_loop_test(tests, refuses_what_is_against_the_rules, 1, (int)ARRAY_SIZE(violations));
    tcase_add_test(tests, gives_credit_unless_it_is_paused);
    tcase_add_test(tests, holds_and_resumes);
    tcase_add_test(tests, goes_on_when_it_cannot_be_held);
    tcase_add_test(tests, adopts_a_guest_that_owes_an_answer);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
