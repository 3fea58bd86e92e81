/* SPDX-License-Identifier: Apache-2.0 */
/* Clones and the saving of a VM, over VMs that fail in each step. */
#include "snapshot/clone.h"

#include <fcntl.h>

#include "guest/testing.h"
#include "snapshot/save.h"

/* The owner of a clone, and what it was told. */
struct owner {
    struct gb_clone *clone;
    struct gb_guest *guest; /* taken */
    int ready, failed, dead, configured, saved, save_failed, running;
    struct gb_err why;
};

static void on_dead(void *arg, const struct gb_err *why)
{
    (void)why;
    ((struct owner *)arg)->dead++;
}

static void on_guest_ready(void *arg, bool replaced)
{
    (void)replaced;
    ((struct owner *)arg)->running++;
}

static const struct gb_guest_events guest_events = {.ready = on_guest_ready, .dead = on_dead};

static void on_ready(void *arg)
{
    struct owner *owner = arg;

    owner->ready++;
    owner->guest = gb_clone_take(TAKE_PTR(owner->clone));
    gb_guest_hand_over(owner->guest, &guest_events, owner);
}

static void on_failed(void *arg, const struct gb_err *err)
{
    ((struct owner *)arg)->failed++;
    ((struct owner *)arg)->why = *err;
}

static const struct gb_clone_events clone_events = {.ready = on_ready, .failed = on_failed};

static struct gb_snapshot *new_snapshot(void)
{
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;

    files.ram_fd = open(kit_empty, O_RDONLY | O_CLOEXEC);
    files.state_fd = open(kit_empty, O_RDONLY | O_CLOEXEC);
    files.disk_bytes = 1 << 30; /* so that what the stand-in takes for itself is little */
    return gb_snapshot_new(&kit_image, KIT_MEMORY_MB, &files);
}

static void start(struct owner *owner, const char *script)
{
    struct gb_snapshot *snapshot = new_snapshot();
    struct gb_err err = {0};

    kit_play(script);
    ck_assert_msg(gb_clone_start(&kit_host, snapshot, &clone_events, owner, &owner->clone, &err) ==
                      0,
                  "%s", err.message);
    ck_assert_uint_eq(snapshot->refs, 2);
    gb_snapshot_unref(snapshot);
    ck_assert_ptr_nonnull(gb_clone_vm(owner->clone));
}

static void end_guest(struct owner *owner)
{
    gb_guest_kill(owner->guest, NULL);
    kit_wait_for(&owner->dead, 1);
    gb_guest_free(owner->guest);
}

static void on_configured(void *arg, const struct gb_err *err)
{
    ck_assert_ptr_null(err);
    ((struct owner *)arg)->configured++;
}

/* Also when the first ping is lost, or its answer comes behind the one to the next. */
static const char *const good[] = {"/honest/nothing/1", "/silent/PING/1", "/late/PING/1"};

START_TEST(comes_up)
{
    const struct gb_guest_settings settings = {.hostname = "toy"};
    struct owner owner = {0};

    start(&owner, good[_i]);
    gb_clone_load(owner.clone);
    gb_clone_load(owner.clone); /* once */
    kit_wait_for(&owner.ready, 1);
    /* The conversation goes on, whatever it still owes. */
    ck_assert_int_eq(gb_guest_configure(owner.guest, &settings, on_configured, &owner, NULL), 0);
    kit_wait_for(&owner.configured, 1);
    ck_assert_int_eq(owner.failed + owner.dead, 0);
    end_guest(&owner);
}
END_TEST

static const char *const bad[] = {"/dies/START/1",   "/dies/migrate-set-capabilities/1",
                                  "/dies/getfd/1",   "/dies/migrate-incoming/1",
                                  "/dies/cont/1",    "/dies/PING/1",
                                  "/refuses/PING/1", "/lies/PING/1"};

START_TEST(fails_once)
{
    struct owner owner = {0};

    start(&owner, bad[_i]);
    gb_clone_load(owner.clone);
    kit_wait_for(&owner.failed, 1);
    kit_settle();
    ck_assert_int_eq(owner.failed, 1);
    ck_assert_int_eq(owner.ready, 0);
    ck_assert_uint_gt(strlen(owner.why.message), 0);
    gb_clone_free(owner.clone);
    while (!gb_list_empty(&kit_host.vms))
        uv_run(&kit_uv, UV_RUN_ONCE);
}
END_TEST

/* Freed in whatever state, it goes with its process and says nothing more. */
START_TEST(is_freed_at_any_time)
{
    struct owner owner = {0};

    start(&owner, "/silent/PING/1");
    if (_i > 0)
        gb_clone_load(owner.clone);
    for (int i = 0; i < 50 * _i; i++)
        uv_run(&kit_uv, UV_RUN_NOWAIT);
    gb_clone_free(owner.clone);
    while (!gb_list_empty(&kit_host.vms))
        uv_run(&kit_uv, UV_RUN_ONCE);
    kit_settle();
    ck_assert_int_eq(owner.ready + owner.failed, 0);
}
END_TEST

/* ---- saving ---- */

static void on_saved(void *arg, const struct gb_err *err)
{
    struct owner *owner = arg;

    owner->saved += err == NULL;
    owner->save_failed += err != NULL;
}

static const struct {
    const char *script;
    bool saved;
} saves[] = {
    {"/honest/nothing/1", true}, {"/dies/PING/1", false},
    {"/refuses/PING/1", false},  {"/dies/stop/1", false},
    {"/dies/add-fd/1", false},   {"/dies/xen-save-devices-state/1", false},
};

START_TEST(saves_or_says_so_once)
{
    const struct gb_vm_config config = {.image = &kit_image, .memory_mb = KIT_MEMORY_MB};
    char *path = xasprintf("%s/state", kit_folder);
    struct gb_snapshot_save save = {0};
    struct owner owner = {0};

    kit_play(saves[_i].script);
    owner.guest = gb_guest_new(kit_loop, NULL, &guest_events, &owner);
    ck_assert_int_eq(gb_guest_start(owner.guest, &kit_host, &config, NULL), 0);
    kit_wait_for(&owner.running, 1);
    gb_snapshot_save(&save, owner.guest, path, on_saved, &owner);
    ck_assert_int_eq(owner.saved + owner.save_failed, 0);
    while (owner.saved + owner.save_failed == 0)
        uv_run(&kit_uv, UV_RUN_ONCE);
    ck_assert_int_eq(owner.saved, saves[_i].saved);
    end_guest(&owner);
    kit_settle();
    ck_assert_int_eq(owner.saved + owner.save_failed, 1);
    ck_assert_ptr_null(save.state_path);
    (void)unlink(path);
    free(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("clone");
    TCase *tests = tcase_create("clone");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_loop_test(tests, comes_up, 0, (int)ARRAY_SIZE(good));
    tcase_add_loop_test(tests, fails_once, 0, (int)ARRAY_SIZE(bad));
    tcase_add_loop_test(tests, is_freed_at_any_time, 0, 5);
    tcase_add_loop_test(tests, saves_or_says_so_once, 0, (int)ARRAY_SIZE(saves));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
