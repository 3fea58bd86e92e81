/* SPDX-License-Identifier: Apache-2.0 */
/* Files that go to a guest and come from it: pieces and their answers, refusals, guests that break
 * the rules, fall silent or die. */
#include "guest/testing.h"

enum { PIECE = 300000 };

/* A user of one guest, and what it was told. */
struct user {
    struct gb_guest *guest;
    int listens, dead, failed, ended;
    int good, bad; /* answers */
    struct gb_err error, failure;
    struct gb_buf content;
    struct gb_download_end end;
};

static void on_listens(void *arg)
{
    ((struct user *)arg)->listens++;
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

static void on_request_ended(void *arg, enum gb_guest_type type)
{
    (void)type;
    ((struct user *)arg)->ended++;
}

static const struct gb_guest_events user_events = {
    .listens = on_listens, .request_ended = on_request_ended, .failed = on_failed, .dead = on_dead};

static void on_written(void *arg, const struct gb_err *err)
{
    struct user *user = arg;

    user->good += err == NULL;
    user->bad += err != NULL;
    if (err != NULL)
        user->error = *err;
}

static void on_read(void *arg, const struct gb_download_end *end, const struct gb_err *err)
{
    struct user *user = arg;

    ck_assert((end == NULL) == (err != NULL));
    on_written(user, err);
    if (end != NULL)
        user->end = *end;
}

static void start(struct user *user, const char *script)
{
    const struct gb_vm_config config = {.image = &kit_image, .memory_mb = KIT_MEMORY_MB};
    struct gb_err err = {0};

    kit_play(script);
    if (user->guest == NULL)
        user->guest = gb_guest_new(kit_loop, "toy", &user_events, user);
    ck_assert_msg(gb_guest_start(user->guest, &kit_host, &config, &err) == 0, "%s", err.message);
}

static void boot(struct user *user)
{
    *user = (struct user){0};
    start(user, "/honest/nothing/1");
    kit_wait_for(&user->listens, 1);
}

/* Of which no upload is left. */
static void end(struct user *user)
{
    if (gb_guest_vm(user->guest) != NULL) {
        gb_guest_kill(user->guest, "the test is over");
        kit_wait_for(&user->dead, 1);
    }
    gb_guest_free(user->guest);
    gb_buf_release(&user->content);
    kit_settle();
}

static int give(struct user *user, struct gb_guest_upload *upload, size_t size, bool final,
                struct gb_err *err)
{
    static const uint8_t bytes[PIECE];

    return gb_guest_upload_give(upload, (struct gb_bytes){bytes, size}, final, on_written, user,
                                err);
}

static struct gb_guest_upload *begin(struct user *user, const char *path)
{
    return gb_guest_upload_new(user->guest, gb_bytes_str(path), 0);
}

static void ask(struct user *user, const char *path, uint64_t length)
{
    const struct gb_download what = {gb_bytes_str(path), 0, length};

    ck_assert_int_eq(gb_guest_download(user->guest, &what, &user->content, on_read, user, NULL), 0);
}

START_TEST(pieces_are_answered_one_by_one)
{
    struct user user;
    struct gb_guest_upload *upload;

    boot(&user);
    upload = begin(&user, "file");
    for (int i = 1; i <= 3; i++) {
        ck_assert_int_eq(give(&user, upload, PIECE, false, NULL), 0);
        ck_assert_int_eq(user.good, i - 1); /* not from within the call */
        kit_wait_for(&user.good, i);
    }
    for (int i = 4; i <= 5; i++) { /* empty ones, in the middle and as the last */
        ck_assert_int_eq(give(&user, upload, 0, i == 5, NULL), 0);
        kit_wait_for(&user.good, i);
    }
    gb_guest_upload_free(upload);
    /* Many at once, and an empty file. */
    upload = begin(&user, "file");
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(give(&user, upload, PIECE, i == 19, NULL), 0);
    ck_assert_uint_gt(gb_guest_queued(user.guest), 19 * PIECE - GB_STREAM_WINDOW);
    kit_wait_for(&user.good, 25);
    gb_guest_upload_free(upload);
    upload = begin(&user, "file");
    ck_assert_int_eq(give(&user, upload, 0, true, NULL), 0);
    kit_wait_for(&user.good, 26);
    gb_guest_upload_free(upload);
    ck_assert_int_eq(user.bad + user.failed, 0);
    ck_assert_int_eq(user.ended, 26);
    end(&user);
}
END_TEST

START_TEST(refusals_are_told)
{
    static const struct {
        const char *path;
        size_t size;
        bool final;
        int code;
    } rows[] = {
        {"refused", 10, true, GB_EPOLICY},    {"refused", 10, false, GB_EPOLICY},
        {"refused", 0, true, GB_EPOLICY},     {"refused", 0, false, GB_EPOLICY},
        {"full", 10, false, GB_ETOOLARGE},    {"full", PIECE, true, GB_ETOOLARGE},
        {"full", PIECE, false, GB_ETOOLARGE},
    };
    struct user user;
    struct gb_guest_upload *upload;
    struct gb_err err = {0};

    boot(&user);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        user.bad = user.good = 0;
        upload = begin(&user, rows[i].path);
        ck_assert_int_eq(give(&user, upload, rows[i].size, rows[i].final, NULL), 0);
        kit_wait_for(&user.bad, 1);
        ck_assert_int_eq(user.error.code, rows[i].code);
        ck_assert_str_eq(user.error.message, rows[i].path);
        ck_assert_int_eq(give(&user, upload, 1, true, &err), -rows[i].code);
        gb_guest_upload_free(upload);
        ck_assert_int_eq(user.good, 0);
    }
    /* A first piece of nothing that is not refused is answered, too. */
    upload = begin(&user, "file");
    ck_assert_int_eq(give(&user, upload, 0, false, NULL), 0);
    kit_wait_for(&user.good, 1);
    gb_guest_upload_free(upload);
    ask(&user, "missing", 100);
    kit_wait_for(&user.bad, 2);
    ck_assert_int_eq(user.error.code, GB_EPOLICY);
    ck_assert_int_eq(user.failed, 0);
    end(&user);
}
END_TEST

/* Pieces of an upload that is given up end, and nothing of it is in the way of the next. */
START_TEST(is_given_up)
{
    struct user user;
    struct gb_guest_upload *upload;

    boot(&user);
    for (int i = 1; i <= 2 * (int)GB_UPLOADS_MAX; i++) {
        upload = begin(&user, "stuck");
        ck_assert_int_eq(give(&user, upload, PIECE, i % 2 == 0, NULL), 0);
        gb_guest_upload_free(upload);
        ck_assert_int_eq(user.bad, i - 1);
        kit_wait_for(&user.bad, i);
    }
    ask(&user, "stuck", 100);
    gb_guest_forget(user.guest, &user);
    upload = begin(&user, "file");
    ck_assert_int_eq(give(&user, upload, PIECE, true, NULL), 0);
    kit_wait_for(&user.good, 1);
    gb_guest_upload_free(upload);
    ck_assert_int_eq(user.failed, 0);
    end(&user);
}
END_TEST

/* Any number at once: those that are too many for the guest wait for their turn. */
START_TEST(many_at_once)
{
    enum { MANY = 100 };
    struct gb_guest_upload *uploads[MANY];
    struct gb_buf contents[MANY] = {0};
    const struct gb_download what = {gb_bytes_str("70000"), 0, 100000};
    struct user user;

    boot(&user);
    for (size_t i = 0; i < MANY; i++) {
        uploads[i] = begin(&user, "file");
        ck_assert_int_eq(give(&user, uploads[i], 50000, true, NULL), 0);
        ck_assert_int_eq(gb_guest_download(user.guest, &what, &contents[i], on_read, &user, NULL),
                         0);
    }
    kit_wait_for(&user.good, 2 * MANY);
    for (size_t i = 0; i < MANY; i++) {
        gb_guest_upload_free(uploads[i]);
        ck_assert_uint_eq(contents[i].size, 70000);
        gb_buf_release(&contents[i]);
    }
    ck_assert_int_eq(user.bad + user.failed, 0);
    end(&user);
}
END_TEST

static const struct {
    const char *path;
    bool upload;
    const char *sentence;
} violations[] = {
    {"short", true, "SHUT: the file is not what was sent"},
    {"early", true, "SHUT: the file is not what was sent"},
    {"much", false, "DATA: more of the file than was asked for"},
    {"little", false, "SHUT: less of the file than was asked for"},
};

START_TEST(refuses_what_is_against_the_rules)
{
    struct user user;
    struct gb_guest_upload *upload = NULL;

    boot(&user);
    if (violations[_i].upload) {
        upload = begin(&user, violations[_i].path);
        ck_assert_int_eq(give(&user, upload, PIECE, true, NULL), 0);
    } else {
        ask(&user, violations[_i].path, 100000);
    }
    kit_wait_for(&user.dead, 1);
    ck_assert_int_eq(user.failed, 1);
    ck_assert_ptr_nonnull(strstr(user.failure.message, violations[_i].sentence));
    gb_guest_fail_requests(user.guest, &user.failure);
    ck_assert_int_eq(user.good, 0);
    ck_assert_int_eq(user.bad, 1);
    gb_guest_upload_free(upload);
    end(&user);
}
END_TEST

/* What never left says so, and waits for the guest; what did may have been done. */
START_TEST(dies_with_its_guest)
{
    struct user user = {0};
    struct gb_guest_upload *first, *second;

    user.guest = gb_guest_new(kit_loop, "toy", &user_events, &user);
    first = begin(&user, "file");
    ck_assert_int_eq(give(&user, first, PIECE, true, NULL), 0);
    ck_assert_uint_eq(gb_guest_queued(user.guest), PIECE);
    start(&user, "/dies/SHUT/2");
    kit_wait_for(&user.listens, 1);
    ck_assert_int_eq(
        gb_guest_configure(user.guest, &(struct gb_guest_settings){0}, on_written, &user, NULL), 0);
    kit_wait_for(&user.good, 2); /* that and the upload */
    second = begin(&user, "file");
    ck_assert_int_eq(give(&user, second, PIECE, true, NULL), 0);
    kit_wait_for(&user.dead, 1);
    ck_assert_int_eq(user.bad, 0);
    gb_guest_fail_requests(user.guest, &(struct gb_err){.code = GB_EBOOT});
    ck_assert_int_eq(user.bad, 1);
    ck_assert_int_eq(user.error.code, GB_ECLOSED);
    ck_assert(user.error.dispatched);
    gb_guest_upload_free(second);
    second = begin(&user, "file");
    ck_assert_int_eq(give(&user, second, PIECE, true, NULL), 0);
    gb_guest_fail_requests(user.guest, &(struct gb_err){.code = GB_EBOOT});
    ck_assert_int_eq(user.bad, 2);
    ck_assert(!user.error.dispatched);
    gb_guest_upload_free(first);
    gb_guest_upload_free(second);
    end(&user);
}
END_TEST

static void on_held(void *arg, const struct gb_err *err)
{
    on_written(arg, err);
}

/* Both ways to bring a guest to rest. */
static void (*const rests[])(struct gb_guest *guest, gb_vm_done_fn *done,
                             void *arg) = {gb_guest_freeze, gb_guest_hold};

/* The guest is not brought to rest now, for this reason, and goes on. */
static void is_not_held(struct user *user, int way, const char *reason)
{
    int bad = user->bad;

    ck_assert_int_eq(gb_guest_check_rest(user->guest, &user->error), -GB_EBUSY);
    ck_assert_str_eq(user->error.message, reason);
    user->error = (struct gb_err){0};
    rests[way](user->guest, on_held, user);
    kit_wait_for(&user->bad, bad + 1);
    ck_assert_int_eq(user->error.code, GB_EBUSY);
    ck_assert_str_eq(user->error.message, reason);
    ck_assert(gb_guest_listens(user->guest));
}

/* A file of which a part is in the guest would be half another's when that becomes another: it is
 * in the way, however long its next piece takes, until it is whole or given up. */
START_TEST(is_not_held_with_half_a_file)
{
    static const char in[] = "a file is on its way into the session",
                      out[] = "a file is on its way out of the session";
    struct user user;
    struct gb_guest_upload *upload, *other;

    boot(&user);
    upload = begin(&user, "stuck");
    ck_assert_int_eq(gb_guest_check_rest(user.guest, NULL), 0); /* nothing of it has left */
    ck_assert_int_eq(give(&user, upload, PIECE, false, NULL), 0);
    is_not_held(&user, _i, in); /* the guest has not answered */
    gb_guest_upload_free(upload);
    kit_wait_for(&user.bad, 2);
    ck_assert_int_eq(gb_guest_check_rest(user.guest, NULL), 0);
    upload = begin(&user, "file");
    other = begin(&user, "other");
    ck_assert_int_eq(give(&user, upload, 0, false, NULL), 0);
    ck_assert_int_eq(give(&user, other, PIECE, false, NULL), 0);
    kit_wait_for(&user.good, 2);
    is_not_held(&user, _i, in); /* the client has not gone on */
    ck_assert_int_eq(give(&user, upload, PIECE, true, NULL), 0);
    kit_wait_for(&user.good, 3);
    is_not_held(&user, _i, in); /* one of two */
    gb_guest_upload_free(other);
    ask(&user, "stuck", 100);
    is_not_held(&user, _i, out);
    gb_guest_forget(user.guest, &user);
    rests[_i](user.guest, on_held, &user);
    kit_wait_for(&user.good, 4);
    gb_guest_upload_free(upload);
    ck_assert_int_eq(user.failed, 0);
    end(&user);
}
END_TEST

/* Files that are asked for while the guest is held wait for it. */
START_TEST(waits_while_the_guest_is_held)
{
    struct user user;
    struct gb_guest_upload *upload;

    boot(&user);
    rests[_i](user.guest, on_held, &user);
    kit_wait_for(&user.good, 1);
    upload = begin(&user, "file");
    ck_assert_int_eq(give(&user, upload, PIECE, false, NULL), 0);
    ck_assert_int_eq(give(&user, upload, PIECE, true, NULL), 0);
    ask(&user, "1000", 2000);
    kit_settle();
    ck_assert_int_eq(user.good, 1);
    gb_guest_resume(user.guest, false, on_held, &user);
    kit_wait_for(&user.good, 5);
    ck_assert_uint_eq(user.content.size, 1000);
    ck_assert_uint_eq(user.end.size, 4711);
    gb_guest_upload_free(upload);
    ck_assert_int_eq(user.bad + user.failed, 0);
    end(&user);
}
END_TEST

/* They go to the guest that it becomes, whole; also one that was begun and had not left. When that
 * guest fails first they wait for the one that comes back. */
START_TEST(files_go_to_the_guest_that_it_becomes)
{
    static const char *const scripts[] = {"/honest/nothing/1", "/refuses/RESUME/1"};
    const struct gb_vm_config config = {
        .image = &kit_image, .memory_mb = KIT_MEMORY_MB, .incoming = true};
    struct user user, other = {0};
    struct gb_guest_upload *upload;

    boot(&user);
    upload = begin(&user, "file");
    gb_guest_hold(user.guest, on_held, &user);
    kit_wait_for(&user.good, 1);
    ck_assert_int_eq(give(&user, upload, PIECE, false, NULL), 0);
    kit_play(scripts[_i]);
    other.guest = gb_guest_new(kit_loop, "other", &user_events, &other);
    ck_assert_int_eq(gb_guest_start(other.guest, &kit_host, &config, NULL), 0);
    gb_guest_load(other.guest, kit_empty, true, on_held, &other);
    kit_wait_for(&other.good, 1);
    gb_guest_exchange(user.guest, other.guest);
    gb_guest_resume(user.guest, true, on_held, &user);
    if (_i == 0) {
        kit_wait_for(&user.good, 2 + 1);
    } else {
        kit_wait_for(&user.bad, 1);
        gb_guest_exchange(user.guest, other.guest);
        gb_guest_resume(user.guest, false, on_held, &user);
        kit_wait_for(&user.good, 2 + 1);
    }
    ck_assert_int_eq(give(&user, upload, PIECE, true, NULL), 0);
    ask(&user, "last", 3 * PIECE);
    kit_wait_for(&user.good, 2 + 3);
    ck_assert_uint_eq(user.content.size, 2 * PIECE);
    ck_assert_int_eq(user.bad, _i);
    ck_assert_int_eq(user.failed + other.failed, 0);
    gb_guest_upload_free(upload);
    end(&other);
    end(&user);
}
END_TEST

START_TEST(is_bounded)
{
    struct user user = {0};
    struct gb_guest_upload *upload;
    int r = 0, count = 0;

    user.guest = gb_guest_new(kit_loop, "toy", &user_events, &user);
    upload = begin(&user, "file");
    while (r == 0 && count < 1000) {
        r = give(&user, upload, PIECE, false, &user.error);
        count += r == 0;
    }
    ck_assert_int_eq(r, -GB_EBUSY);
    ck_assert_int_eq(count, GB_GUEST_QUEUE_MAX / PIECE + 1);
    gb_guest_upload_free(upload);
    kit_wait_for(&user.bad, count);
    ck_assert_uint_eq(gb_guest_queued(user.guest), 0);
    for (count = 0; count < GB_GUEST_REQUESTS_MAX; count++)
        ask(&user, "1", 1);
    ck_assert_int_eq(gb_guest_download(user.guest, &(struct gb_download){.length = 1},
                                       &user.content, on_read, &user, &user.error),
                     -GB_EBUSY);
    end(&user);
}
END_TEST

static void on_answer(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    (void)frame;
    on_written(arg, err);
}

static void change(struct user *user, enum gb_guest_type type)
{
    const struct gb_file_change message = {.path = gb_bytes_str("folder")};

    ck_assert_int_eq(gb_guest_request(user->guest, type, 0, &gb_file_change_fields, &message, 0,
                                      on_answer, user, NULL),
                     0);
}

/* A file that takes more than a window: most of it waits. */
static struct gb_guest_upload *give_much(struct user *user, const char *path, bool final)
{
    struct gb_guest_upload *upload = begin(user, path);

    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(give(user, upload, PIECE, final && i == 4, NULL), 0);
    return upload;
}

static struct gb_guest_upload *give_little(struct user *user, const char *path)
{
    struct gb_guest_upload *upload = begin(user, path);

    ck_assert_int_eq(give(user, upload, 7, true, NULL), 0);
    return upload;
}

/* What each call finds is what those before it have made, though data of some waits. Also when all
 * of them wait for the guest (_i 1). */
START_TEST(calls_keep_their_order)
{
    struct user user = {0};
    struct gb_guest_upload *uploads[6];

    if (_i == 0)
        boot(&user);
    else
        user.guest = gb_guest_new(kit_loop, "toy", &user_events, &user);
    uploads[0] = give_much(&user, "much", true);
    uploads[1] = give_little(&user, "little");
    ask(&user, "last", 10 * PIECE); /* 7 bytes, not 5 pieces */
    change(&user, GB_GUEST_FILE_REMOVE);
    uploads[2] = give_much(&user, "much", true);
    change(&user, GB_GUEST_FILE_MKDIR);
    uploads[3] = give_little(&user, "inside");
    ask(&user, "count", 100); /* 2 more: those before were removed */
    uploads[4] = give_much(&user, "much", true);
    change(&user, GB_GUEST_FILE_REMOVE);
    uploads[5] = give_little(&user, "little");
    ask(&user, "count", 100); /* 1 more */
    ck_assert(gb_guest_is_behind(user.guest, gb_guest_call(user.guest)));
    if (_i != 0) {
        start(&user, "/honest/nothing/1");
        kit_wait_for(&user.listens, 1);
        ck_assert_int_eq(
            gb_guest_configure(user.guest, &(struct gb_guest_settings){0}, on_written, &user, NULL),
            0);
    }
    kit_wait_for(&user.good, 15 + 3 + 3 + 3 + _i);
    ck_assert_uint_eq(user.content.size, 7 + 2 + 1);
    ck_assert(!gb_guest_is_behind(user.guest, gb_guest_call(user.guest)));
    ck_assert_int_eq(user.bad + user.failed, 0);
    for (size_t i = 0; i < ARRAY_SIZE(uploads); i++)
        gb_guest_upload_free(uploads[i]);
    end(&user);
}
END_TEST

/* An upload that is not finished, and one that will not be, holds up nobody. */
START_TEST(nobody_waits_for_what_will_not_come)
{
    struct user user;
    struct gb_guest_upload *unfinished, *full, *stuck, *little;

    boot(&user);
    unfinished = give_much(&user, "stuck", false);
    little = give_little(&user, "little");
    ask(&user, "count", 100);
    kit_wait_for(&user.good, 2);
    ck_assert_uint_eq(user.content.size, 1);
    full = give_much(&user, "full", true);
    ask(&user, "count", 100);
    change(&user, GB_GUEST_FILE_MKDIR);
    kit_wait_for(&user.good, 4);
    ck_assert_uint_eq(user.content.size, 2);
    kit_wait_for(&user.bad, 5);
    stuck = give_much(&user, "stuck", true);
    ask(&user, "count", 100);
    kit_settle();
    ck_assert_int_eq(user.good, 4);
    gb_guest_upload_free(stuck);
    kit_wait_for(&user.good, 5);
    ck_assert_uint_eq(user.content.size, 3);
    gb_guest_upload_free(unfinished);
    gb_guest_upload_free(full);
    gb_guest_upload_free(little);
    kit_wait_for(&user.bad, 15);
    ck_assert_int_eq(user.failed, 0);
    end(&user);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("transfer");
    TCase *tests = tcase_create("transfer");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_test(tests, pieces_are_answered_one_by_one);
    tcase_add_test(tests, refusals_are_told);
    tcase_add_test(tests, is_given_up);
    tcase_add_test(tests, many_at_once);
    tcase_add_loop_test(tests, refuses_what_is_against_the_rules, 0, (int)ARRAY_SIZE(violations));
    tcase_add_test(tests, dies_with_its_guest);
    tcase_add_loop_test(tests, is_not_held_with_half_a_file, 0, (int)ARRAY_SIZE(rests));
    tcase_add_loop_test(tests, waits_while_the_guest_is_held, 0, (int)ARRAY_SIZE(rests));
    tcase_add_loop_test(tests, files_go_to_the_guest_that_it_becomes, 0, 2);
    tcase_add_test(tests, is_bounded);
    tcase_add_loop_test(tests, calls_keep_their_order, 0, 2);
    tcase_add_test(tests, nobody_waits_for_what_will_not_come);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
