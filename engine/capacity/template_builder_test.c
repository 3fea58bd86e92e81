/* SPDX-License-Identifier: Apache-2.0 */
/* The building of a template over VMs that fail in each step: its end is told once, behind the end
 * of the process, and as the success that it is or is not. */
#include "capacity/template_builder.h"

#include "guest/testing.h"

static char *ram, *state;

struct owner {
    struct template_builder *builder;
    int done, built;
    struct gb_err why;
};

static void on_done(void *arg, const struct gb_err *err)
{
    struct owner *owner = arg;

    ck_assert(gb_list_empty(&kit_host.vms));
    owner->done++;
    owner->built += err == NULL;
    if (err != NULL)
        owner->why = *err;
}

static void setup(void)
{
    kit_setup();
    ram = xasprintf("%s/ram", kit_folder);
    state = xasprintf("%s/state", kit_folder);
}

static void teardown(void)
{
    (void)unlink(ram);
    (void)unlink(state);
    free(ram);
    free(state);
    kit_teardown();
}

static void start(struct owner *owner, const char *script)
{
    const struct template_builder_config config = {
        .image = &kit_image, .memory_mb = KIT_MEMORY_MB, .ram_path = ram, .state_path = state};
    struct gb_err err = {0};

    kit_play(script);
    ck_assert_msg(
        template_builder_start(&kit_host, &config, on_done, owner, &owner->builder, &err) == 0,
        "%s", err.message);
}

START_TEST(builds)
{
    struct owner owner = {0};
    struct stat info;

    start(&owner, "/honest/nothing/1");
    kit_wait_for(&owner.done, 1);
    ck_assert_msg(owner.built == 1, "%s", owner.why.message);
    ck_assert_int_eq(stat(ram, &info), 0);
    ck_assert_int_eq(info.st_size, KIT_MEMORY_MB << 20);
    ck_assert_int_eq(stat(state, &info), 0);
}
END_TEST

static const char *const bad[] = {
    "/dies/START/1",
    "/dies/READY/1",
    "/dies/PREPARE/1",
    "/refuses/PREPARE/1",
    "/lies/PREPARE/1",
    "/dies/EXEC/1",
    "/dies/DONE/2",
    "/dies/EXEC/3",
    "/breaks/EXEC/3",
    "/breaks/EXEC/6",
    "/dies/CONFIGURE/1",
    "/refuses/CONFIGURE/1",
    "/dies/PING/1",
    "/refuses/PING/1",
    "/dies/stop/1",
    "/dies/add-fd/1",
    "/dies/xen-save-devices-state/1",
};

START_TEST(fails_once)
{
    struct owner owner = {0};

    start(&owner, bad[_i]);
    kit_wait_for(&owner.done, 1);
    kit_settle();
    ck_assert_int_eq(owner.done, 1);
    ck_assert_msg(owner.built == 0, "%s", bad[_i]);
    ck_assert_uint_gt(strlen(owner.why.message), 0);
}
END_TEST

START_TEST(is_cancelled_at_any_time)
{
    struct owner owner = {0};

    start(&owner, "/silent/xen-save-devices-state/1");
    for (int i = 0; i < 2 * _i; i++)
        uv_run(&kit_uv, UV_RUN_ONCE);
    template_builder_cancel(owner.builder);
    kit_wait_for(&owner.done, 1);
    ck_assert_int_eq(owner.built, 0);
    ck_assert_int_eq(owner.why.code, GB_ECLOSED);
    kit_settle();
    ck_assert_int_eq(owner.done, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("template_builder");
    TCase *tests = tcase_create("template_builder");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, builds);
    tcase_add_loop_test(tests, fails_once, 0, (int)ARRAY_SIZE(bad));
    tcase_add_loop_test(tests, is_cancelled_at_any_time, 0, 5);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
