/* SPDX-License-Identifier: Apache-2.0 */
/* A VM of the pool from its process to its taking, over VMs that fail in each step. */
#include "capacity/pool_clone.h"

#include <fcntl.h>

#include "guest/testing.h"

static struct gb_admission *admission;
static struct gb_snapshot *template;

/* The owner of one, and what it was told. */
struct owner {
    struct pool_clone *clone;
    int ready, silent, gone, dead;
    bool hurries, networked;
    struct gb_err why;
};

static void on_ready(void *arg, struct pool_clone *clone)
{
    struct owner *owner = arg;

    ck_assert_int_eq(clone->state, POOL_CLONE_READY);
    ck_assert(clone->was_ready);
    owner->ready++;
}

static void on_silent(void *arg, struct pool_clone *clone)
{
    ck_assert_int_eq(clone->state, POOL_CLONE_ASKED);
    ((struct owner *)arg)->silent++;
}

static bool on_hurry(void *arg)
{
    return ((struct owner *)arg)->hurries;
}

static void on_gone(void *arg, struct pool_clone *clone, const struct gb_err *err)
{
    struct owner *owner = arg;

    ck_assert_int_eq(clone->state, POOL_CLONE_GONE);
    owner->gone++;
    owner->why = *err;
    pool_clone_drop(TAKE_PTR(owner->clone), err->message);
}

static const struct pool_clone_events clone_events = {
    .ready = on_ready, .silent = on_silent, .hurry = on_hurry, .gone = on_gone};

static void setup(void)
{
    const struct gb_admission_config config = {.overcommit = 1, .pressure_percent = 100};
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;

    kit_setup();
    admission = gb_admission_new(kit_loop, gb_budget_new(""), &config);
    files.ram_fd = open(kit_empty, O_RDONLY | O_CLOEXEC);
    files.state_fd = open(kit_empty, O_RDONLY | O_CLOEXEC);
    files.disk_bytes = 1 << 30; /* so that what the stand-in takes for itself is little */
    template = gb_snapshot_new(&kit_image, KIT_MEMORY_MB, &files);
}

/* All processes have gone, and what they were charged with them. */
static void teardown(void)
{
    struct gb_admission_status status;

    while (!gb_list_empty(&kit_host.vms))
        uv_run(&kit_uv, UV_RUN_ONCE);
    kit_settle();
    gb_admission_status(admission, &status);
    ck_assert_uint_eq(status.vms, 0);
    ck_assert_uint_eq(template->refs, 1);
    gb_snapshot_unref(template);
    gb_admission_free(admission);
    kit_teardown();
}

static void start(struct owner *owner, const char *script)
{
    const struct gb_charge charge = {1, 2};
    struct gb_slot *slot = gb_admission_force(admission, &charge);

    kit_play(script);
    ck_assert_int_eq(pool_clone_start(&kit_host, template, slot, owner->networked, &clone_events,
                                      owner, &owner->clone, NULL),
                     0);
    ck_assert_int_eq(owner->clone->state, POOL_CLONE_WAITING);
}

static void on_dead(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct owner *)arg)->dead++;
}

START_TEST(becomes_ready_and_is_taken)
{
    static const struct gb_guest_events events = {.dead = on_dead};
    struct owner owner = {.hurries = _i == 1, .networked = _i == 2};
    struct gb_slot *slot;
    struct gb_guest *guest;

    start(&owner, "/honest/nothing/1");
    pool_clone_load(owner.clone);
    kit_wait_for(&owner.ready, 1);
    ck_assert_uint_eq(owner.clone->rounds, owner.hurries ? 1 : KIT_POOL_CELLS);
    pool_clone_ask(owner.clone);
    ck_assert_int_eq(owner.clone->state, POOL_CLONE_ASKED);
    kit_wait_for(&owner.ready, 2);
    guest = pool_clone_take(TAKE_PTR(owner.clone), &slot);
    gb_guest_hand_over(guest, &events, &owner);
    ck_assert(gb_guest_listens(guest));
    gb_guest_kill(guest, NULL);
    kit_wait_for(&owner.dead, 1);
    gb_guest_free(guest);
    gb_slot_unref(slot);
    ck_assert_int_eq(owner.gone + owner.silent, 0);
}
END_TEST

static const char *const bad[] = {
    "/dies/START/1",
    "/dies/migrate-incoming/1",
    "/dies/PING/1",
    "/refuses/PING/1",
    "/dies/CONFIGURE/1",
    "/refuses/CONFIGURE/1",
    "/lies/CONFIGURE/1",
    "/dies/EXEC/1",
    "/dies/DONE/1",
    "/dies/CONFIGURE/2",
    "/dies/EXEC/2",
    "/dies/DONE/3",
    "/breaks/EXEC/1",
    "/breaks/EXEC/4",
    "/breaks/EXEC/5",
    "/dies/NETWORK_REHEARSE/1",
    "/refuses/NETWORK_REHEARSE/1",
    "/lies/NETWORK_REHEARSE/1",
};

/* It is told once, and nothing is left; what was never ready is nobody's. */
START_TEST(is_gone_once)
{
    struct owner owner = {.networked = strstr(bad[_i], "NETWORK") != NULL};

    start(&owner, bad[_i]);
    pool_clone_load(owner.clone);
    kit_wait_for(&owner.gone, 1);
    kit_settle();
    ck_assert_int_eq(owner.gone, 1);
    ck_assert_int_eq(owner.ready, 0);
    ck_assert_uint_gt(strlen(owner.why.message), 0);
}
END_TEST

/* The first PING is the clone's. */
START_TEST(dies_when_it_is_asked)
{
    struct owner owner = {0};

    start(&owner, "/dies/PING/2");
    pool_clone_load(owner.clone);
    kit_wait_for(&owner.ready, 1);
    pool_clone_ask(owner.clone);
    kit_wait_for(&owner.gone, 1);
    ck_assert_int_eq(owner.ready, 1);
}
END_TEST

START_TEST(is_silent_when_it_is_asked)
{
    struct owner owner = {0};

    start(&owner, "/silent/PING/2");
    pool_clone_load(owner.clone);
    kit_wait_for(&owner.ready, 1);
    pool_clone_ask(owner.clone);
    kit_wait_for(&owner.silent, 1);
    ck_assert_int_eq(owner.clone->state, POOL_CLONE_ASKED);
    pool_clone_drop(TAKE_PTR(owner.clone), "its owner has lost patience");
    kit_settle();
    ck_assert_int_eq(owner.gone, 0);
}
END_TEST

START_TEST(is_dropped_at_any_time)
{
    struct owner owner = {0};

    start(&owner, "/honest/nothing/1");
    if (_i > 0)
        pool_clone_load(owner.clone);
    for (int i = 0; i < 3 * _i && owner.ready == 0; i++)
        uv_run(&kit_uv, UV_RUN_ONCE);
    pool_clone_drop(TAKE_PTR(owner.clone), "it is not wanted");
    pool_clone_drop(NULL, "harmless");
    kit_settle();
    ck_assert_int_eq(owner.gone, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("pool_clone");
    TCase *tests = tcase_create("pool_clone");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, becomes_ready_and_is_taken, 0, 3);
    tcase_add_loop_test(tests, is_gone_once, 0, (int)ARRAY_SIZE(bad));
    tcase_add_test(tests, dies_when_it_is_asked);
    tcase_add_test(tests, is_silent_when_it_is_asked);
    tcase_add_loop_test(tests, is_dropped_at_any_time, 0, 8);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
