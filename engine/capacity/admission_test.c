/* SPDX-License-Identifier: Apache-2.0 */
#include "capacity/admission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

#define MB (UINT64_C(1) << 20)

static char folder[64];
static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_admission *admission;
static struct gb_admission_config config;
static struct gb_admission_status status;
static struct gb_err err;

/* A host with so much free, and so much pressure. */
static void put_host(unsigned available_mb, const char *pressure)
{
    _cleanup_(freep) char *meminfo = xasprintf("%s/proc/meminfo", folder);
    _cleanup_(freep) char *stall = xasprintf("%s/proc/pressure/memory", folder);
    _cleanup_(freep) char *text =
        xasprintf("MemTotal: 2097152 kB\nMemAvailable: %u kB\n", available_mb * 1024);
    _cleanup_(freep) char *full = xasprintf("full avg10=%s avg60=0\n", pressure);

    ck_assert_int_eq(gb_fd_replace_file(meminfo, gb_bytes_str(text), 0600, NULL), 0);
    ck_assert_int_eq(gb_fd_replace_file(stall, gb_bytes_str(full), 0600, NULL), 0);
}

static void begin(void)
{
    _cleanup_(freep) char *proc = NULL;

    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-admission-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    proc = xasprintf("%s/proc/pressure", folder);
    ck_assert_int_eq(gb_fd_make_dirs(proc, 0700, NULL), 0);
    put_host(2000, "0.00");
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    config = (struct gb_admission_config){.memory_bytes = 1000 * MB,
                                          .reserve_bytes = 100 * MB,
                                          .overcommit = 2,
                                          .cpus = 2,
                                          .vms_per_cpu = 50,
                                          .starts_per_cpu = 50,
                                          .pressure_percent = 10,
                                          .waiting_max = 3};
    admission = gb_admission_new(loop, gb_budget_new(folder), &config);
    err = (struct gb_err){0};
}

static void end(void)
{
    _cleanup_(freep) char *remove = xasprintf("%s/proc/meminfo", folder);
    _cleanup_(freep) char *stall = xasprintf("%s/proc/pressure/memory", folder);

    gb_admission_free(admission);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    ck_assert_int_eq(unlink(remove), 0);
    ck_assert_int_eq(unlink(stall), 0);
    *strrchr(stall, '/') = '\0';
    ck_assert_int_eq(rmdir(stall), 0);
    *strrchr(stall, '/') = '\0';
    ck_assert_int_eq(rmdir(stall), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}

struct caller {
    struct gb_ticket ticket;
    struct gb_slot *slot;
    struct gb_err err;
    unsigned calls, order;
};

static unsigned calls;

static void on_done(void *arg, struct gb_slot *slot, const struct gb_err *why)
{
    struct caller *caller = arg;

    caller->slot = slot;
    if (why != NULL)
        caller->err = *why;
    caller->calls++;
    caller->order = ++calls;
}

/* Charged @half times two megabytes with an overcommit of 2: half base, half beyond. */
static int ask(struct caller *caller, unsigned base_mb, unsigned full_mb, uint64_t wait_ms)
{
    const struct gb_charge charge = {base_mb * MB, full_mb * MB};

    *caller = (struct caller){0};
    return gb_admission_ask(admission, &charge, wait_ms, &caller->ticket, on_done, caller,
                            &caller->slot, &err);
}

static void turn(void)
{
    (void)uv_run(&uv, UV_RUN_NOWAIT);
}

START_TEST(charges)
{
    struct caller a, b;

    ck_assert_int_eq(ask(&a, 100, 300, 0), 1);
    gb_admission_status(admission, &status);
    ck_assert_uint_eq(status.memory_used, 200 * MB); /* 100, and half of the 200 beyond */
    ck_assert_uint_eq(status.memory_budget, 1000 * MB);
    ck_assert_uint_eq(status.starting, 1);
    gb_slot_settle(a.slot);
    gb_slot_settle(a.slot);
    gb_slot_charge(a.slot, &(struct gb_charge){300 * MB, 300 * MB});
    gb_admission_status(admission, &status);
    ck_assert_uint_eq(status.memory_used, 300 * MB);
    ck_assert_uint_eq(status.starting, 0);
    /* The slot is there as long as anybody has it. */
    ck_assert_ptr_eq(gb_slot_ref(a.slot), a.slot);
    gb_slot_unref(a.slot);
    ck_assert_int_eq(ask(&b, 400, 1200, 0), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message, "charged 800 MB, and 300 MB of the budget of 1000 MB "
                                              "(from the settings) are in use by 1 VMs"));
    gb_slot_unref(a.slot);
    ck_assert_int_eq(ask(&b, 400, 1200, 0), 1);
    gb_slot_unref(b.slot);
    ck_assert_int_eq(ask(&b, 1001, 1001, 1000), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message, "never"));
}
END_TEST

START_TEST(in_their_order)
{
    struct caller a, b, c, d;

    ck_assert_int_eq(ask(&a, 600, 600, 0), 1);
    ck_assert_int_eq(ask(&b, 500, 500, 60000), 0);
    ck_assert_int_eq(ask(&c, 100, 100, 60000), 0); /* there is room, but b was first */
    ck_assert_int_eq(ask(&d, 100, 100, 0), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message, "other requests for a VM are waiting already"));
    turn();
    ck_assert_uint_eq(b.calls + c.calls, 0);
    gb_admission_status(admission, &status);
    ck_assert_uint_eq(status.waiting, 2);
    ck_assert_int_eq(status.shortage, GB_SHORTAGE_MEMORY);
    gb_slot_unref(a.slot);
    ck_assert_uint_eq(b.calls, 0); /* from the loop */
    turn();
    ck_assert_uint_eq(b.calls, 1);
    ck_assert_uint_eq(c.calls, 1);
    ck_assert_uint_lt(b.order, c.order);
    gb_slot_unref(b.slot);
    gb_slot_unref(c.slot);
}
END_TEST

START_TEST(who_leaves_lets_others_in)
{
    struct caller a, b, c;

    ck_assert_int_eq(ask(&a, 600, 600, 0), 1);
    ck_assert_int_eq(ask(&b, 500, 500, 60000), 0);
    ck_assert_int_eq(ask(&c, 100, 100, 60000), 0);
    gb_ticket_cancel(&b.ticket);
    gb_ticket_cancel(&b.ticket);
    turn();
    ck_assert_uint_eq(b.calls, 0);
    ck_assert_uint_eq(c.calls, 1);
    gb_slot_unref(a.slot);
    gb_slot_unref(c.slot);
}
END_TEST

START_TEST(a_deadline)
{
    struct caller a, b, c;

    ck_assert_int_eq(ask(&a, 1000, 1000, 0), 1);
    ck_assert_int_eq(ask(&b, 100, 100, 60000), 0);
    ck_assert_int_eq(ask(&c, 100, 100, 1), 0);
    while (c.calls == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert_ptr_null(c.slot);
    ck_assert_int_eq(c.err.code, GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(c.err.message, "no memory for another VM (waited "));
    ck_assert_uint_eq(b.calls, 0);
    gb_ticket_cancel(&b.ticket);
    gb_slot_unref(a.slot);
}
END_TEST

START_TEST(too_many_wait)
{
    struct caller a, waiting[4];

    ck_assert_int_eq(ask(&a, 1000, 1000, 0), 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(ask(&waiting[i], 100, 100, 60000), 0);
    ck_assert_int_eq(ask(&waiting[3], 100, 100, 60000), -GB_ECAPACITY);
    for (int i = 0; i < 3; i++)
        gb_ticket_cancel(&waiting[i].ticket);
    gb_slot_unref(a.slot);
}
END_TEST

START_TEST(starts)
{
    struct caller a, b, c;

    config.starts_per_cpu = 1;
    gb_admission_configure(admission, &config);
    ck_assert_int_eq(ask(&a, 10, 10, 0), 1);
    ck_assert_int_eq(ask(&b, 10, 10, 0), 1);
    ck_assert_int_eq(ask(&c, 10, 10, 0), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message, "2 are starting, and 2 CPUs are enough for 2"));
    ck_assert_int_eq(ask(&c, 10, 10, 60000), 0);
    gb_slot_settle(a.slot);
    turn();
    ck_assert_uint_eq(c.calls, 1);
    gb_slot_unref(a.slot);
    gb_slot_unref(b.slot);
    gb_slot_unref(c.slot);
}
END_TEST

START_TEST(vms)
{
    struct caller callers[6];

    config.vms_per_cpu = 2.5;
    gb_admission_configure(admission, &config);
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(ask(&callers[i], 10, 10, 0), 1);
    ck_assert_int_eq(ask(&callers[5], 10, 10, 0), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message, "5 VMs run, and 2 CPUs are enough for 5"));
    for (int i = 0; i < 5; i++)
        gb_slot_unref(callers[i].slot);
}
END_TEST

/* What the host has free now: less what is promised, more than the reserve. */
START_TEST(free_now)
{
    struct caller a, b;

    put_host(350, "0.00");
    gb_admission_free(admission);
    admission = gb_admission_new(loop, gb_budget_new(folder), &config);
    ck_assert_int_eq(ask(&a, 150, 150, 0), 1);
    ck_assert_int_eq(ask(&b, 150, 150, 0), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message,
                                 "it takes 150 MB, 100 MB are reserved for others, and "
                                 "350 MB are free, of which VMs that are starting will "
                                 "take 150 MB"));
    /* Others give memory back, and nobody tells: it is looked at again while somebody waits. */
    ck_assert_int_eq(ask(&b, 150, 150, 60000), 0);
    put_host(500, "0.00");
    while (b.calls == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert_ptr_nonnull(b.slot);
    gb_slot_unref(a.slot);
    gb_slot_unref(b.slot);
}
END_TEST

START_TEST(pressure)
{
    struct caller a;

    put_host(2000, "25.00");
    gb_admission_free(admission);
    admission = gb_admission_new(loop, gb_budget_new(folder), &config);
    ck_assert_int_eq(ask(&a, 10, 10, 0), -GB_ECAPACITY);
    ck_assert_ptr_nonnull(strstr(err.message, "25 % of the last ten seconds"));
    config.pressure_percent = 100;
    gb_admission_configure(admission, &config);
    ck_assert_int_eq(ask(&a, 10, 10, 0), 1);
    gb_slot_unref(a.slot);
}
END_TEST

static struct gb_slot *spare;
static unsigned rooms;

static bool give(void *arg)
{
    (void)arg;
    if (spare == NULL)
        return false;
    gb_slot_unref(TAKE_PTR(spare));
    return true;
}

static void room(void *arg)
{
    (void)arg;
    rooms++;
}

/* Those that nobody asked for come last and go first. */
START_TEST(spares)
{
    const struct gb_charge charge = {400 * MB, 400 * MB};
    struct caller a, b;

    gb_admission_set_spare(admission, give, room, NULL);
    spare = gb_admission_spare(admission, &charge);
    ck_assert_ptr_nonnull(spare);
    /* One more would leave no room for somebody who asks. */
    ck_assert_ptr_null(gb_admission_spare(admission, &charge));
    ck_assert_int_eq(ask(&a, 600, 600, 0), 1);
    ck_assert_int_eq(ask(&b, 400, 400, 60000), 0);
    ck_assert_ptr_null(gb_admission_spare(admission, &charge));
    for (int i = 0; i < 5 && b.calls == 0; i++)
        turn();
    ck_assert_ptr_null(spare);
    ck_assert_uint_eq(b.calls, 1);
    rooms = 0;
    gb_slot_unref(a.slot);
    gb_slot_unref(b.slot);
    turn();
    ck_assert_uint_gt(rooms, 0);
}
END_TEST

START_TEST(slots_outlive_it)
{
    struct caller a;

    ck_assert_int_eq(ask(&a, 10, 10, 0), 1);
    gb_admission_free(admission);
    admission = NULL;
    gb_slot_settle(a.slot);
    gb_slot_unref(a.slot);
    gb_slot_unref(NULL);
}
END_TEST

START_TEST(loans_are_charged)
{
    const struct gb_charge charge = {300 * MB, 500 * MB}; /* counts as 400 MB */
    struct gb_loan one = {0}, two = {0};
    struct gb_ticket ticket = {0};
    struct gb_slot *slot = gb_admission_force(admission, &charge), *other = NULL;

    /* 1000 − 400 of the budget; of the host's 2000, 100 are reserved and 300 promised. */
    ck_assert_uint_eq(gb_admission_room(admission), 600 * MB);
    gb_loan_take(&one, admission, 250 * MB);
    ck_assert_uint_eq(gb_admission_room(admission), 350 * MB);
    gb_admission_status(admission, &status);
    ck_assert_uint_eq(status.memory_used, 650 * MB);
    ck_assert_uint_eq(status.vms, 1);
    ck_assert_int_eq(gb_admission_ask(admission, &charge, 0, &ticket, NULL, NULL, &other, &err),
                     -GB_ECAPACITY);
    gb_loan_take(&two, admission, 5000 * MB);
    ck_assert_uint_eq(gb_admission_room(admission), 0);
    gb_loan_return(&one);
    gb_loan_return(&one);
    gb_loan_return(&two);
    ck_assert_uint_eq(gb_admission_room(admission), 600 * MB);
    ck_assert_int_eq(gb_admission_ask(admission, &charge, 0, &ticket, NULL, NULL, &other, &err), 1);
    put_host(750, "0.00");
    gb_slot_unref(slot);
    gb_slot_unref(other);
    ck_assert_uint_eq(gb_admission_room(admission), 650 * MB);
    gb_loan_take(&one, admission, MB); /* outlives it */
    gb_admission_free(TAKE_PTR(admission));
    gb_loan_return(&one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("admission");
    TCase *tests = tcase_create("admission");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, charges);
    tcase_add_test(tests, in_their_order);
    tcase_add_test(tests, who_leaves_lets_others_in);
    tcase_add_test(tests, a_deadline);
    tcase_add_test(tests, too_many_wait);
    tcase_add_test(tests, starts);
    tcase_add_test(tests, vms);
    tcase_add_test(tests, free_now);
    tcase_add_test(tests, pressure);
    tcase_add_test(tests, spares);
    tcase_add_test(tests, slots_outlive_it);
    tcase_add_test(tests, loans_are_charged);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
