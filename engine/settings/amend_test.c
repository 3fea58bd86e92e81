/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"
#include "settings/settings.h"

static char folder[64], path[96];
static char lock[112];
static struct gb_err err;
static bool disk_fails; /* when a folder is synced */

int fsync(int fd)
{
    struct stat info;

    if (!disk_fails || fstat(fd, &info) < 0 || !S_ISDIR(info.st_mode))
        return 0;
    errno = EIO;
    return -1;
}

static void begin(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/amendXXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/a.conf", folder);
    (void)snprintf(lock, sizeof(lock), "%s.lock", path);
    disk_fails = false;
    err = (struct gb_err){0};
}

static void end(void)
{
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left there */
}

static void put(const char *text)
{
    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(text), 0640, &err), 0);
}

static void check_content(const char *wanted)
{
    struct gb_buf text = {0};

    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &text, &err), 0);
    ck_assert_str_eq(gb_buf_str(&text), wanted);
    gb_buf_release(&text);
}

static int add(const char *name)
{
    _cleanup_(freep) char *text = NULL;
    int r = gb_settings_add_rule(path, name, gb_bytes_str("allow new.example :443"), &text, &err);

    ck_assert_int_eq(r == 0 || disk_fails, text != NULL);
    if (text != NULL)
        ck_assert_int_eq(strncmp(text, "allow new.example :443\n", 23), 0);
    return r;
}

START_TEST(all_else_stays_as_it_is)
{
    struct stat status;

    put("# first\n[network \"other\"]\nask *\n\n  [network \"builds\"]   # mine\n"
        "# about a\nallow a.example\t# why\n\n\task *\n[sessions]\n  idle=5m # long\n# end");
    ck_assert_int_eq(add("builds"), 0);
    check_content(
        "# first\n[network \"other\"]\nask *\n\n  [network \"builds\"]   # mine\n"
        "allow new.example :443\n"
        "# about a\nallow a.example\t# why\n\n\task *\n[sessions]\n  idle=5m # long\n# end");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
}
END_TEST

START_TEST(a_section_at_the_end_without_a_line_end)
{
    put("[network \"builds\"]");
    ck_assert_int_eq(add("builds"), 0);
    check_content("[network \"builds\"]\nallow new.example :443\n");
}
END_TEST

START_TEST(what_cannot_be_amended_stays)
{
    static const char damaged[] = "[network \"builds\"]\nask *\n[sessions]\nidel = 5\n";

    put("[network \"other\"]\nask *\n");
    ck_assert_int_eq(add("builds"), -GB_ENOTFOUND);
    check_content("[network \"other\"]\nask *\n");
    put(damaged);
    ck_assert_int_eq(add("builds"), -GB_EINVALID);
    ck_assert_ptr_nonnull(strstr(err.message, ":4: "));
    check_content(damaged);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_lt(add("builds"), 0);
}
END_TEST

START_TEST(a_link_stays_a_link)
{
    char real[96];
    struct stat status;

    (void)snprintf(real, sizeof(real), "%s/real.conf", folder);
    put("[network \"builds\"]\n");
    ck_assert_int_eq(rename(path, real), 0);
    ck_assert_int_eq(symlink("real.conf", path), 0);
    ck_assert_int_eq(add("builds"), 0);
    ck_assert_int_eq(lstat(path, &status), 0);
    ck_assert(S_ISLNK(status.st_mode));
    check_content("[network \"builds\"]\nallow new.example :443\n");
    ck_assert_int_eq(unlink(real), 0);
}
END_TEST

START_TEST(two_servers_lose_no_rule)
{
    const int other = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    put("[network \"builds\"]\n");
    ck_assert_int_eq(flock(other, LOCK_EX), 0); /* a lock of another descriptor is another's */
    ck_assert_int_eq(add("builds"), -GB_EBUSY);
    check_content("[network \"builds\"]\n");
    ck_assert_int_eq(access(lock, F_OK), 0); /* it is the other's */
    ck_assert_int_eq(flock(other, LOCK_UN), 0);
    ck_assert_int_eq(add("builds"), 0);
    ck_assert_int_lt(access(lock, F_OK), 0);
    ck_assert_int_eq(add("builds"), 0);
    ck_assert_int_eq(close(other), 0);
    check_content("[network \"builds\"]\nallow new.example :443\nallow new.example :443\n");
}
END_TEST

START_TEST(nobody_else_can_hold_the_lock)
{
    const int other = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    put("[network \"builds\"]\n");
    ck_assert_int_eq(flock(other, LOCK_EX), 0); /* as everybody can who may read it */
    ck_assert_int_eq(add("builds"), 0);
    ck_assert_int_eq(close(other), 0);
    ck_assert_int_eq(symlink("a.conf", lock), 0);
    ck_assert_int_lt(add("builds"), 0);
    ck_assert_int_eq(unlink(lock), 0);
    ck_assert_int_eq(mkfifo(lock, 0600), 0);
    ck_assert_int_eq(add("builds"), -GB_EPOLICY);
    ck_assert_int_eq(unlink(lock), 0);
    ck_assert_int_eq(close(open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600)), 0);
    ck_assert_int_eq(chmod(lock, 0644), 0);
    ck_assert_int_eq(add("builds"), -GB_EPOLICY);
    ck_assert_int_eq(unlink(lock), 0); /* it has been left alone */
    check_content("[network \"builds\"]\nallow new.example :443\n");
}
END_TEST

/* Else it would be answered again, and be there twice. */
START_TEST(a_rule_that_may_not_last_is_there)
{
    put("[network \"builds\"]\n");
    disk_fails = true;
    ck_assert_int_lt(add("builds"), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "may not last"));
    check_content("[network \"builds\"]\nallow new.example :443\n");
}
END_TEST

START_TEST(settings_that_were_read_before)
{
    struct gb_settings settings;

    gb_settings_init(&settings);
    ck_assert_int_eq(
        gb_settings_parse(&settings, "a", gb_bytes_str("[network \"a\"]\nask *\n"), &err), 0);
    gb_settings_set_network(&settings, "a", "deny *\n");
    gb_settings_set_network(&settings, "b", "deny *\n");
    ck_assert_uint_eq(settings.networks.count, 1);
    ck_assert_str_eq(settings.networks.list[0].text, "deny *\n");
    gb_settings_release(&settings);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("amend");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, all_else_stays_as_it_is);
    tcase_add_test(tests, a_section_at_the_end_without_a_line_end);
    tcase_add_test(tests, what_cannot_be_amended_stays);
    tcase_add_test(tests, a_link_stays_a_link);
    tcase_add_test(tests, two_servers_lose_no_rule);
    tcase_add_test(tests, nobody_else_can_hold_the_lock);
    tcase_add_test(tests, a_rule_that_may_not_last_is_there);
    tcase_add_test(tests, settings_that_were_read_before);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
