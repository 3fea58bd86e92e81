/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints of a VM in which something changes although it stands still. */
#include "past/past.h"

#include <fcntl.h>

#include "guest/testing.h"

enum { PAGES = 64 };

static struct gb_guest *guest;
static struct gb_past *past;
static char ram[96], chain[96];
static int dead, running, held, copied, done, failed;
static bool gone; /* the VM is not HELD any more */
static struct gb_past_taken taken;
static struct gb_err why;

static void on_ready(void *arg, bool replaced)
{
    (void)arg;
    (void)replaced;
    running++;
}

static void on_dead(void *arg, const struct gb_err *err)
{
    (void)arg;
    (void)err;
    dead++;
}

static void on_held(void *arg, const struct gb_err *err)
{
    (void)arg;
    ck_assert_ptr_null(err);
    held++;
}

static struct gb_vm *held_vm(void *arg)
{
    (void)arg;
    ck_assert_int_eq(copied, 0);
    return gone ? NULL : gb_guest_vm(guest);
}

static void on_copied(void *arg)
{
    (void)arg;
    copied++;
}

static void on_done(void *arg, const struct gb_past_taken *result, const struct gb_err *err)
{
    (void)arg;
    ck_assert_int_eq(copied, 1);
    done++;
    failed += result == NULL;
    if (result != NULL)
        taken = *result;
    else
        why = *err;
}

/* A VM that is HELD, and behaves so. */
static void begin(const char *script, enum gb_memory_way way)
{
    static const struct gb_guest_events events = {.ready = on_ready, .dead = on_dead};
    const struct gb_vm_config config = {.image = &kit_image,
                                        .memory_mb = KIT_MEMORY_MB,
                                        .ram = GB_RAM_PRIVATE_FILE,
                                        .ram_path = ram};
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    struct gb_snapshot *snapshot;

    dead = running = held = failed = 0;
    gone = false;
    (void)snprintf(ram, sizeof(ram), "%s/ram", kit_folder);
    (void)snprintf(chain, sizeof(chain), "%s/chain", kit_folder);
    files.ram_fd = open(ram, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(ftruncate(files.ram_fd, PAGES * GB_PAGE), 0);
    files.state_fd = open(kit_empty, O_RDONLY | O_CLOEXEC);
    snapshot = gb_snapshot_new(&kit_image, KIT_MEMORY_MB, &files);
    past = gb_past_new(kit_loop, snapshot, chain, 100, way, -1);
    gb_snapshot_unref(snapshot);
    kit_play(script);
    guest = gb_guest_new(kit_loop, NULL, &events, NULL);
    ck_assert_int_eq(gb_guest_start(guest, &kit_host, &config, NULL), 0);
    kit_wait_for(&running, 1);
    gb_guest_hold(guest, on_held, NULL);
    kit_wait_for(&held, 1);
}

static void end(void)
{
    gb_past_free(past);
    gb_guest_kill(guest, NULL);
    kit_wait_for(&dead, 1);
    gb_guest_free(guest);
    uv_run(&kit_uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(unlink(ram), 0);
}

static void take(void)
{
    const struct gb_past_take how = {.vm = gb_guest_vm(guest),
                                     .limit = SIZE_MAX,
                                     .most = SIZE_MAX,
                                     .held_vm = held_vm,
                                     .copied = on_copied,
                                     .done = on_done};
    struct gb_err err = {0};

    copied = done = 0;
    ck_assert_msg(gb_past_take(past, &how, &err) == 0, "%s", err.message);
    kit_wait_for(&done, 1);
}

static int lay(void *arg, struct gb_page_range range, const uint8_t *data, struct gb_err *err)
{
    uint8_t *firsts = arg;

    (void)err;
    for (uint32_t i = 0; i < range.count; i++)
        firsts[range.first + i] = data[(size_t)i * GB_PAGE];
    return 0;
}

/* The last one is of the moment at which @arrived had arrived, in all that it consists of. */
static void check(uint8_t arrived)
{
    _cleanup_(gb_buf_release) struct gb_buf device = {0};
    uint8_t firsts[PAGES] = {0};
    struct gb_chain *stored;
    struct gb_err err = {0};

    ck_assert_int_eq(gb_chain_open_heads(chain, false, &stored, &err), 0);
    ck_assert_msg(gb_chain_read(stored, taken.seq, lay, firsts, &device, &err) == 0, "%s",
                  err.message);
    gb_chain_close(stored);
    ck_assert_uint_eq(device.size, 1);
    ck_assert_uint_eq(gb_buf_data(&device)[0], arrived);
    ck_assert_uint_eq(firsts[0], arrived);
    for (uint8_t i = 1; i < PAGES; i++)
        ck_assert_uint_eq(firsts[i], i <= arrived ? i : 0);
}

static const struct {
    const char *script;
    int fail; /* so many before one succeeds */
    uint8_t arrived;
} arrivals[] = {
    {"/honest/nothing/1", 0, 0},
    {"/arrives/xen-save-devices-state/1", 0, 1},
    {"/arrives/xen-save-devices-state/7", 0, 7},
    {"/arrives/xen-save-devices-state/20", 2, 20},
};

/* What arrives while it is copied belongs to it whole, or not at all. */
START_TEST(a_checkpoint_is_of_one_moment)
{
    const size_t which = (size_t)_i / GB_MEMORY_WAYS;
    const enum gb_memory_way way = (enum gb_memory_way)(_i % GB_MEMORY_WAYS);

    begin(arrivals[which].script, gb_memory_way_works(way) ? way : GB_MEMORY_BY_CONTENT);
    for (int i = 0; i < arrivals[which].fail; i++) {
        take();
        ck_assert_int_eq(failed, i + 1);
        ck_assert_int_eq(why.code, GB_EBUSY);
    }
    take();
    ck_assert_int_eq(failed, arrivals[which].fail);
    check(arrivals[which].arrived);
    take(); /* and the next one, of which nothing is new */
    ck_assert_uint_eq(taken.pages, 0);
    check(arrivals[which].arrived);
    end();
}
END_TEST

START_TEST(one_that_is_gone_is_not_asked)
{
    begin("/arrives/xen-save-devices-state/1", GB_MEMORY_BY_CONTENT);
    gone = true;
    take();
    ck_assert_int_eq(failed, 1);
    ck_assert_int_eq(why.code, GB_ECLOSED);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past");
    TCase *tests = tcase_create("past");

    tcase_add_checked_fixture(tests, kit_setup, kit_teardown);
    tcase_add_loop_test(tests, a_checkpoint_is_of_one_moment, 0,
                        (int)(ARRAY_SIZE(arrivals) * GB_MEMORY_WAYS));
    tcase_add_test(tests, one_that_is_gone_is_not_asked);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
