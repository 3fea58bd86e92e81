/* SPDX-License-Identifier: Apache-2.0 */
/* Marks: a note is there, whole and ours, or there is none, whatever the disk does. */
#include "past/mark.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"
#include "vm/vm.h"

static char folder[40];
static char path[64];
static struct gb_snapshot_files files;
static struct gb_err err;
static bool syncs_fail;
static int looks_fail; /* errno; 0: they do not */

/* Instead of the C library's: a folder that cannot be synced, as on a failing disk. */
int fsync(int fd)
{
    struct stat info;

    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) && syncs_fail) {
        errno = EIO;
        return -1;
    }
    return 0;
}

/* The same. */
int lstat(const char *restrict name, struct stat *restrict info)
{
    if (looks_fail != 0) {
        errno = looks_fail;
        return -1;
    }
    return fstatat(AT_FDCWD, name, info, AT_SYMLINK_NOFOLLOW);
}

static const char *beside(const char *ending)
{
    static char name[80];

    (void)snprintf(name, sizeof(name), "%s.%s", path, ending);
    return name;
}

static bool exists(const char *ending)
{
    struct stat info;

    return lstat(beside(ending), &info) == 0;
}

static int make_file(const char *name, const char *content)
{
    char file[64];
    int fd;

    (void)snprintf(file, sizeof(file), "%s/%s", folder, name);
    fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(gb_fd_write_full(fd, content, strlen(content)), (ssize_t)strlen(content));
    return fd;
}

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-mark-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/s-1", folder);
    files = GB_SNAPSHOT_FILES_NONE;
    files.ram_fd = make_file("template.ram", "memory");
    files.state_fd = make_file("template.state", "devices");
    err = (struct gb_err){0};
    syncs_fail = false;
    looks_fail = 0;
}

static void teardown(void)
{
    gb_snapshot_files_release(&files);
    gb_past_remove(path);
    for (const char *const *name =
             (const char *const[]){"template.ram", "template.state", "other", "layer", NULL};
         *name != NULL; name++) {
        char file[64];

        (void)snprintf(file, sizeof(file), "%s/%s", folder, *name);
        (void)unlink(file);
    }
    ck_assert_int_eq(rmdir(folder), 0); /* nothing else is left */
}

static int mark(const char *note)
{
    return past_mark_write(path, &files, false, gb_bytes_str(note), &err);
}

static int mark_awake(const char *note)
{
    return past_mark_write(path, &files, true, gb_bytes_str(note), &err);
}

/* 0 if there is the mark of a session that is @awake, or not, it is read, and its note is @note. */
static int look_for(bool awake, const char *note)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_snapshot_files found = GB_SNAPSHOT_FILES_NONE;
    bool is_awake = false;
    int r;

    if (gb_past_has_mark(path, &is_awake, &err) != 1 || is_awake != awake)
        return -GB_ENOTFOUND;
    r = gb_past_read_mark(path, awake, &text, &found, &err);
    if (r < 0)
        return r;
    ck_assert(gb_bytes_equal(gb_buf_bytes(&text), note));
    ck_assert_uint_eq(found.ram_bytes, strlen("memory"));
    gb_snapshot_files_release(&found);
    return 0;
}

static int look(const char *note)
{
    return look_for(false, note);
}

START_TEST(what_is_marked_is_read)
{
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(mark("a note") == 0, "%s", err.message);
        ck_assert_int_eq(look("a note"), 0);
    }
    gb_past_remove(path);
    ck_assert_int_lt(look("a note"), 0);
}
END_TEST

START_TEST(mark_that_cannot_be_synced_is_none)
{
    syncs_fail = true;
    ck_assert_int_lt(mark("a note"), 0);
    ck_assert(!exists("note"));
    syncs_fail = false;
    ck_assert_int_eq(mark("a note"), 0);
    ck_assert_int_eq(look("a note"), 0);
}
END_TEST

/* However much of it there is room for. */
START_TEST(full_disk_leaves_the_earlier_mark)
{
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
    const bool awake = _i == 1;
    struct rlimit room = {0, RLIM_INFINITY};

    ck_assert_int_eq(awake ? mark_awake("earlier") : mark("earlier"), 0);
    ck_assert_int_eq(sigaction(SIGXFSZ, &ignored, NULL), 0);
    for (; room.rlim_cur < strlen("a later note"); room.rlim_cur++) {
        int limited = setrlimit(RLIMIT_FSIZE, &room);
        int r = awake ? mark_awake("a later note") : mark("a later note");

        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &all) + limited, 0);
        ck_assert_int_lt(r, 0);
        ck_assert_int_eq(look_for(awake, "earlier"), 0);
    }
    ck_assert_int_eq(awake ? mark_awake("a later note") : mark("a later note"), 0);
    ck_assert_int_eq(look_for(awake, "a later note"), 0);
}
END_TEST

START_TEST(mark_is_of_one_kind)
{
    ck_assert_int_eq(mark("a note"), 0);
    syncs_fail = true;
    ck_assert_int_lt(past_mark_wake(path, &err), 0);
    ck_assert_int_eq(look("a note"), 0);
    syncs_fail = false;
    ck_assert_int_eq(past_mark_wake(path, &err), 0);
    ck_assert_int_eq(look_for(true, "a note"), 0);
    ck_assert(past_mark_lull(path));
    ck_assert_int_eq(look("a note"), 0);
    ck_assert(!past_mark_lull(path)); /* there is none */
    ck_assert_int_eq(past_mark_wake(path, &err), 0);
    ck_assert_int_lt(past_mark_wake(path, &err), 0);
}
END_TEST

START_TEST(mark_replaces_the_earlier_one)
{
    ck_assert_int_eq(mark_awake("one"), 0);
    ck_assert_int_eq(mark_awake("two"), 0);
    ck_assert_int_eq(look_for(true, "two"), 0);
    syncs_fail = true; /* the earlier one stays */
    ck_assert_int_lt(mark("three"), 0);
    ck_assert_int_eq(look_for(true, "two"), 0);
    syncs_fail = false;
    ck_assert_int_eq(mark("three"), 0);
    ck_assert_int_eq(look("three"), 0);
    ck_assert(!exists("awake"));
    ck_assert_int_eq(past_mark_wake(path, &err), 0);
    ck_assert_int_eq(mark_awake("four"), 0);
    ck_assert_int_eq(look_for(true, "four"), 0);
    gb_past_remove(path);
    ck_assert_int_lt(look_for(true, "four"), 0);
}
END_TEST

START_TEST(one_that_sleeps_is_the_newer_one)
{
    /* As if the process had been killed before it removed the other one. */
    ck_assert_int_eq(mark("now"), 0);
    ck_assert_int_eq(mark_awake("before"), 0);
    ck_assert_int_eq(look("now"), 0);
    ck_assert_int_eq(past_mark_wake(path, &err), 0);
    ck_assert_int_eq(look_for(true, "now"), 0);
}
END_TEST

/* A disk that fails has not lost it. */
START_TEST(mark_that_cannot_be_looked_at_is_not_none)
{
    const int errors[] = {EIO, EACCES, ESTALE, ENOMEM};
    bool awake;

    ck_assert_int_eq(gb_past_has_mark(path, &awake, &err), 0);
    ck_assert_int_eq(mark_awake("a note"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        looks_fail = errors[i];
        ck_assert_int_lt(gb_past_has_mark(path, &awake, &err), 0);
        ck_assert_int_lt(mark_awake("another note"), 0); /* that could not be undone */
    }
    looks_fail = 0;
    ck_assert_int_eq(look_for(true, "a note"), 0);
    looks_fail = EIO;
    gb_past_remove(path);
    looks_fail = 0;
    ck_assert_int_eq(gb_past_has_mark(path, &awake, &err), 0);
}
END_TEST

START_TEST(links_of_another_template_are_replaced)
{
    int other = make_file("other", "else");
    char from[64];

    (void)snprintf(from, sizeof(from), "%s/other", folder);
    ck_assert_int_eq(link(from, beside("ram")), 0);
    ck_assert_int_eq(mark("a note"), 0);
    ck_assert_int_eq(look("a note"), 0); /* the memory is the template's */
    (void)gb_close(other);
}
END_TEST

static bool layer_is(const char *content)
{
    _cleanup_(closep) int fd = gb_past_open_layer(path);
    char bytes[16] = "";

    return fd >= 0 && pread(fd, bytes, sizeof(bytes) - 1, 0) > 0 && strcmp(bytes, content) == 0;
}

START_TEST(layer_outlives_its_store)
{
    int layer = make_file("layer", "packages");
    char from[64];

    (void)snprintf(from, sizeof(from), "%s/layer", folder);
    ck_assert_int_eq(past_mark_layer(path, -1, &err), 0);
    ck_assert(!exists("layer"));
    ck_assert_int_eq(past_mark_layer(path, layer, &err), 0);
    ck_assert_int_lt(gb_past_open_layer(path), 0); /* it is not as large as the disk */
    ck_assert_int_eq(ftruncate(layer, (off_t)GB_VM_SPARE_BYTES), 0);
    ck_assert_int_eq(mark("a note"), 0);
    ck_assert_int_eq(unlink(from), 0);
    ck_assert_int_eq(past_mark_layer(path, layer, &err), 0); /* again */
    ck_assert(layer_is("packages"));
    gb_past_remove(path);
    ck_assert(!exists("layer"));
    ck_assert_int_eq(past_mark_layer(path, layer, &err), 0); /* it is gone: nothing can be kept */
    ck_assert_int_lt(gb_past_open_layer(path), 0);
    (void)gb_close(layer);
}
END_TEST

START_TEST(note_is_a_file_of_ours_alone)
{
    ck_assert_int_eq(mark("a note"), 0);
    ck_assert_int_eq(chmod(beside("note"), 0622), 0);
    ck_assert_int_eq(look("a note"), -GB_EINVALID);
    ck_assert_int_eq(chmod(beside("note"), 0600), 0);
    ck_assert_int_eq(look("a note"), 0);
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(beside("note"), 1, (gid_t)-1), 0);
        ck_assert_int_eq(look("a note"), -GB_EINVALID);
    }
    ck_assert_int_eq(unlink(beside("note")), 0);
    ck_assert_int_eq(symlink("template.state", beside("note")), 0);
    ck_assert_int_lt(look("a note"), 0);
    ck_assert_int_eq(unlink(beside("note")), 0);
    ck_assert_int_eq(mkfifo(beside("note"), 0600), 0);
    ck_assert_int_eq(look("a note"), -GB_EINVALID); /* without waiting for a writer */
}
END_TEST

START_TEST(note_that_is_too_large_is_refused)
{
    ck_assert_int_eq(mark("a note"), 0);
    ck_assert_int_eq(truncate(beside("note"), GB_PAST_NOTE_MAX + 1), 0);
    ck_assert_int_eq(look(""), -GB_ETOOLARGE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past/mark");
    TCase *tests = tcase_create("mark");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_marked_is_read);
    tcase_add_test(tests, mark_that_cannot_be_synced_is_none);
    tcase_add_loop_test(tests, full_disk_leaves_the_earlier_mark, 0, 2);
    tcase_add_test(tests, mark_is_of_one_kind);
    tcase_add_test(tests, mark_replaces_the_earlier_one);
    tcase_add_test(tests, one_that_sleeps_is_the_newer_one);
    tcase_add_test(tests, mark_that_cannot_be_looked_at_is_not_none);
    tcase_add_test(tests, links_of_another_template_are_replaced);
    tcase_add_test(tests, layer_outlives_its_store);
    tcase_add_test(tests, note_is_a_file_of_ours_alone);
    tcase_add_test(tests, note_that_is_too_large_is_refused);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
