/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/budget.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_folder.h"
#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "platform/linux/budget_parse.h"

#define GB (UINT64_C(1) << 30)

static struct gb_budget *budget;
static struct gb_budget_reading reading;

static void begin(void)
{
    check_folder_make("budget");
}

static void end(void)
{
    gb_budget_free(budget);
    budget = NULL;
    check_folder_remove();
}

static void put(const char *path, const char *text)
{
    _cleanup_(freep) char *file = xasprintf("%s%s", folder, path);
    _cleanup_(freep) char *above = xstrndup(file, (size_t)(strrchr(file, '/') - file));

    ck_assert_int_eq(gb_fd_make_dirs(above, 0700, NULL), 0);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str(text), 0600, NULL), 0);
}

static void look(void)
{
    gb_budget_free(budget);
    budget = gb_budget_new(folder);
    gb_budget_read(budget, &reading);
}

static void put_host(void)
{
    put("/proc/meminfo", "MemTotal:       16777216 kB\n"
                         "MemFree:         1048576 kB\n"
                         "MemAvailable:    8388608 kB\n");
}

START_TEST(plain_host)
{
    put_host();
    look();
    ck_assert_uint_eq(reading.memory_total, 16 * GB);
    ck_assert_uint_eq(reading.memory_limit, 16 * GB);
    ck_assert_uint_eq(reading.memory_available, 8 * GB);
    ck_assert(!reading.memory_by_group && !reading.cpus_by_group && !reading.has_pressure);
    ck_assert(reading.cpus >= 1);
}
END_TEST

START_TEST(nothing_known)
{
    look();
    ck_assert_uint_eq(reading.memory_limit, 0);
    ck_assert_uint_eq(reading.memory_available, UINT64_MAX);
    ck_assert(reading.cpus >= 1);
}
END_TEST

/* A user service of systemd: the limit of a slice above holds too. */
START_TEST(unified)
{
    static const char own[] =
        "/sys/fs/cgroup/user.slice/user@1000.service/app.slice/glassbell.service";
    char path[256];

    put_host();
    put("/proc/self/cgroup", "0::/user.slice/user@1000.service/app.slice/glassbell.service\n");
    put("/proc/self/mountinfo",
        "23 28 0:22 / /proc rw,nosuid - proc proc rw\n"
        "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
    (void)snprintf(path, sizeof(path), "%s/memory.max", own);
    put(path, "max\n");
    (void)snprintf(path, sizeof(path), "%s/cpu.max", own);
    put(path, "max 100000\n");
    (void)snprintf(path, sizeof(path), "%s/memory.pressure", own);
    put(path, "some avg10=50.00 avg60=0.00 avg300=0.00 total=0\n"
              "full avg10=12.50 avg60=0.00 avg300=0.00 total=0\n");
    put("/proc/pressure/memory", "some avg10=9.00 avg60=0.00 avg300=0.00 total=0\n"
                                 "full avg10=3.00 avg60=0.00 avg300=0.00 total=0\n");
    put("/sys/fs/cgroup/user.slice/memory.max", "4294967296\n");
    put("/sys/fs/cgroup/user.slice/memory.current", "3221225472\n");
    put("/sys/fs/cgroup/user.slice/memory.stat",
        "anon 1\nactive_file 7\ninactive_file 1073741824\n");
    put("/sys/fs/cgroup/user.slice/cpu.max", "50000 100000\n");
    look();
    ck_assert_uint_eq(reading.memory_total, 16 * GB);
    ck_assert_uint_eq(reading.memory_limit, 4 * GB);
    ck_assert(reading.memory_by_group);
    ck_assert_uint_eq(reading.memory_available, 2 * GB); /* 4 less 3, and 1 can be given up */
    ck_assert_double_eq(reading.cpus, 0.5);
    ck_assert(reading.cpus_by_group);
    ck_assert_double_eq(reading.pressure, 12.5);
    /* A limit that is no limit, and one that changes later. */
    put("/sys/fs/cgroup/user.slice/memory.max", "max\n");
    gb_budget_read(budget, &reading);
    ck_assert_uint_eq(reading.memory_limit, 16 * GB);
    ck_assert_uint_eq(reading.memory_available, 8 * GB);
}
END_TEST

/* Docker on cgroup v1 shows the container's own group at the mount point, and the host's path. */
START_TEST(old_container)
{
    put_host();
    put("/proc/self/cgroup", "12:memory:/docker/0a1b\n11:cpu,cpuacct:/docker/0a1b\n"
                             "1:name=systemd:/docker/0a1b\n0::/system.slice/containerd.service\n");
    put("/proc/self/mountinfo",
        "1 2 0:31 /docker/0a1b /sys/fs/cgroup/memory ro,nosuid master:14 - cgroup cgroup "
        "rw,memory\n"
        "1 2 0:32 /docker/0a1b /sys/fs/cgroup/cpu,cpuacct ro master:15 - cgroup cgroup "
        "rw,cpu,cpuacct\n");
    put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1073741824\n");
    put("/sys/fs/cgroup/memory/memory.usage_in_bytes", "536870912\n");
    put("/sys/fs/cgroup/memory/memory.stat", "inactive_file 7\ntotal_inactive_file 268435456\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "25000\n");
    put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
    look();
    ck_assert_uint_eq(reading.memory_limit, GB);
    ck_assert_uint_eq(reading.memory_available, GB / 2 + GB / 4);
    ck_assert_double_eq(reading.cpus, 0.25);
}
END_TEST

/* cgroup v1 without limits: a number beyond all memory, and −1. */
START_TEST(old_without_limits)
{
    put_host();
    put("/proc/self/cgroup", "4:memory:/a b/c\n2:cpu:/\n");
    put("/proc/self/mountinfo", "1 2 0:31 / /sys/fs/cgroup/me\\040m rw - cgroup cgroup rw,memory\n"
                                "1 2 0:32 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    put("/sys/fs/cgroup/me m/a b/c/memory.limit_in_bytes", "9223372036854771712\n");
    put("/sys/fs/cgroup/me m/a b/c/memory.usage_in_bytes", "4096\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    look();
    ck_assert_uint_eq(reading.memory_limit, 16 * GB);
    ck_assert_uint_eq(reading.memory_available, 8 * GB);
    ck_assert(!reading.memory_by_group && !reading.cpus_by_group);
    /* The same tree holds for a limit of the group above. */
    put("/sys/fs/cgroup/me m/a b/memory.limit_in_bytes", "2147483648\n");
    put("/sys/fs/cgroup/me m/a b/memory.usage_in_bytes", "2147483649\n");
    gb_budget_read(budget, &reading);
    ck_assert_uint_eq(reading.memory_limit, 2 * GB);
    ck_assert_uint_eq(reading.memory_available, 0);
}
END_TEST

/* The group lies outside of what the mount shows: the mount point stands for it. */
START_TEST(outside_of_the_mount)
{
    put_host();
    put("/proc/self/cgroup", "0::/../other\n");
    put("/proc/self/mountinfo", "35 24 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    put("/sys/fs/cgroup/memory.max", "1073741824\n");
    put("/sys/fs/cgroup/memory.current", "0\n");
    put("/sys/fs/other/memory.max", "4096\n");
    put("/sys/fs/other/memory.current", "0\n");
    look();
    ck_assert_uint_eq(reading.memory_limit, GB);
}
END_TEST

START_TEST(bad_texts)
{
    struct gb_bytes path;
    struct budget_mount mount;
    uint64_t value;
    double number;

    ck_assert(!budget_parse_group(gb_bytes_str("0::relative\n:::\n"), NULL, &path));
    ck_assert(!budget_parse_group(gb_bytes_str("4:memoryx:/\n"), "memory", &path));
    ck_assert(!budget_parse_mount(gb_bytes_str("1 2 0:3 / /x rw - cgroup2\n"), NULL, &mount));
    ck_assert(
        !budget_parse_mount(gb_bytes_str("1 2 0:3 / /x rw cgroup2 cgroup2 rw\n"), NULL, &mount));
    ck_assert(!budget_parse_limit(gb_bytes_str(""), &value));
    ck_assert(!budget_parse_limit(gb_bytes_str("12x\n"), &value));
    ck_assert(!budget_parse_limit(gb_bytes_str("99999999999999999999\n"), &value));
    ck_assert(!budget_parse_cpu_max(gb_bytes_str("1000 0\n"), &number));
    ck_assert(!budget_parse_cpu_max(gb_bytes_str("1000\n"), &number));
    ck_assert(
        !budget_parse_field(gb_bytes_str("MemTotal: 18014398509481985 kB\n"), "MemTotal:", &value));
    ck_assert(!budget_parse_field(gb_bytes_str("MemTotal: 1 MB\n"), "MemTotal:", &value));
    ck_assert(!budget_parse_pressure(gb_bytes_str("full avg10=\n"), &number));
    ck_assert(!budget_parse_pressure(gb_bytes_str("some avg10=1.00 \n"), &number));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("budget");
    TCase *tests = tcase_create("budget");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, plain_host);
    tcase_add_test(tests, nothing_known);
    tcase_add_test(tests, unified);
    tcase_add_test(tests, old_container);
    tcase_add_test(tests, old_without_limits);
    tcase_add_test(tests, outside_of_the_mount);
    tcase_add_test(tests, bad_texts);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
