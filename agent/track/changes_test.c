/* SPDX-License-Identifier: Apache-2.0 */
#include "track/changes.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "base/limits.h"
#include "wire/guest.h"

static char root[] = "/tmp/glassbell-changes-XXXXXX";
static int root_fd;
static struct changes *changes;

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void setup(void)
{
    strcpy(root + strlen(root) - 6, "XXXXXX"); /* allowed: a constant of the same size */
    ck_assert_ptr_nonnull(mkdtemp(root));
    ck_assert_int_eq(chdir(root), 0);
    root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(root_fd, 0);
}

static void begin(void)
{
    ck_assert_int_eq(changes_new(root_fd, &changes), 0);
}

static void teardown(void)
{
    changes_free(changes);
    changes = NULL;
    close(root_fd);
    (void)nftw(root, remove_one, 64, FTW_DEPTH | FTW_PHYS);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* The report as text: "+path(size) ~path(size) -path". */
static const char *report(bool whole)
{
    static char text[1 << 16];
    struct gb_buf list = {0};
    struct gb_pairs pairs = {0};
    struct gb_changed one;
    size_t at = 0, to = 0;

    ck_assert_int_eq(changes_report(changes, &list, &pairs.count), whole);
    pairs.encoded = gb_buf_bytes(&list);
    text[0] = '\0';
    while (gb_changed_next(&pairs, &at, &one, NULL) > 0 && to < sizeof(text) - 8192) {
        to += (size_t)snprintf(text + to, sizeof(text) - to, "%s%c%.*s", to > 0 ? " " : "",
                               "+~-"[one.change], (int)one.path.size, (const char *)one.path.data);
        if (one.change != GB_REMOVED)
            to += (size_t)snprintf(text + to, sizeof(text) - to, "(%d)", (int)one.size);
    }
    ck_assert_uint_eq(at, pairs.encoded.size);
    gb_buf_release(&list);
    return text;
}

START_TEST(files_come_change_and_go)
{
    put("old", "1");
    begin();
    ck_assert_str_eq(report(true), "");
    put("b", "12");
    put("a", "");
    ck_assert_str_eq(report(true), "+a(0) +b(2)");
    ck_assert_str_eq(report(true), "");
    /* As large as before, and within the same tick of the clock. */
    put("old", "2");
    put("b", "21");
    ck_assert_str_eq(report(true), "~b(2) ~old(1)");
    put("passing", "x");
    unlink("passing");
    unlink("old");
    ck_assert_int_eq(rename("b", "c"), 0);
    ck_assert_str_eq(report(true), "-b +c(2) -old");
    /* Neither reading nor looking is a change, nor what ends as it began. */
    close(open("c", O_RDWR | O_CLOEXEC));
    ck_assert_int_eq(chmod("c", 0600), 0);
    rename("c", "d");
    rename("d", "c");
    ck_assert_str_eq(report(true), "");
    /* The way of an editor: written beside, and over it. */
    put("c.new", "34");
    rename("c.new", "c");
    ck_assert_str_eq(report(true), "~c(2)");
}
END_TEST

START_TEST(folders_come_move_and_go)
{
    begin();
    mkdir("a", 0755);
    mkdir("a/b", 0755);
    put("a/b/x", "1");
    put("a/y", "1");
    ck_assert_str_eq(report(true), "+a/b/x(1) +a/y(1)");
    put("a/b/x", "2");
    ck_assert_str_eq(report(true), "~a/b/x(1)");
    ck_assert_int_eq(rename("a", "c"), 0);
    ck_assert_str_eq(report(true), "-a/b/x -a/y +c/b/x(1) +c/y(1)");
    put("c/b/x", "345");
    ck_assert_str_eq(report(true), "~c/b/x(3)");
    /* Another folder in its place, with a file of the same name. */
    rename("c", "d");
    mkdir("c", 0755);
    put("c/y", "other");
    ck_assert_str_eq(report(true), "-c/b/x ~c/y(5) +d/b/x(3) +d/y(1)");
    put("d/b/x", "");
    put("c/z", "");
    ck_assert_str_eq(report(true), "+c/z(0) ~d/b/x(0)");
    /* A file where a folder was, and the other way round. */
    unlink("c/y");
    unlink("c/z");
    rmdir("c");
    put("c", "f");
    unlink("d/y");
    mkdir("d/y", 0755);
    put("d/y/deep", "");
    ck_assert_str_eq(report(true), "+c(1) -c/y -c/z -d/y +d/y/deep(0)");
    /* Gone to where nobody looks, and news from there. */
    ck_assert_int_eq(mkdir("../glassbell-changes-outside", 0755), 0);
    rename("d/b", "../glassbell-changes-outside/b");
    put("../glassbell-changes-outside/b/x", "outside");
    ck_assert_str_eq(report(true), "-d/b/x");
    put("../glassbell-changes-outside/b/x", "still");
    ck_assert_str_eq(report(true), "");
    rename("../glassbell-changes-outside/b", "back");
    ck_assert_str_eq(report(true), "+back/x(5)");
    rmdir("../glassbell-changes-outside");
}
END_TEST

START_TEST(links_are_not_followed)
{
    put("file", "1");
    begin();
    ck_assert_int_eq(symlink("file", "to-file"), 0);
    ck_assert_int_eq(symlink("/etc", "to-folder"), 0);
    ck_assert_int_eq(symlink(".", "round"), 0);
    ck_assert_int_eq(mkfifo("fifo", 0600), 0);
    ck_assert_str_eq(report(true), "");
    mkdir("d", 0755);
    put("d/passwd", "1");
    ck_assert_str_eq(report(true), "+d/passwd(1)");
    rename("d", "e");
    ck_assert_int_eq(symlink("/etc", "d"), 0);
    ck_assert_str_eq(report(true), "-d/passwd +e/passwd(1)");
    unlink("file");
    ck_assert_int_eq(symlink("e", "file"), 0);
    ck_assert_str_eq(report(true), "-file");
    ck_assert_int_eq(link("e/passwd", "hard"), 0);
    ck_assert_str_eq(report(true), "+hard(1)");
}
END_TEST

START_TEST(what_is_accepted_is_not_told)
{
    int fd;

    begin();
    mkdir("in", 0755);
    put("in/upload", "1");
    put("in/own", "1");
    fd = open("in", O_PATH | O_CLOEXEC);
    changes_accept(changes, fd, "upload");
    ck_assert_str_eq(report(true), "+in/own(1)");
    put("in/upload", "2");
    ck_assert_str_eq(report(true), "~in/upload(1)");
    unlink("in/upload");
    changes_accept(changes, fd, "upload");
    changes_accept(changes, fd, "never-there");
    ck_assert_str_eq(report(true), "");
    put("in/upload", "3");
    changes_accept(changes, fd, "upload");
    put("in/upload", "4");
    ck_assert_str_eq(report(true), "~in/upload(1)");
    close(fd);
    unlink("in/upload");
    unlink("in/own");
    rmdir("in");
    changes_accept(changes, root_fd, "in");
    ck_assert_str_eq(report(true), "");
    fd = open("/", O_PATH | O_CLOEXEC);
    changes_accept(changes, fd, "etc");
    close(fd);
}
END_TEST

START_TEST(names_are_bytes)
{
    char longest[GB_FILE_NAME_MAX + 1];
    const char *text;

    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    begin();
    put("new\nline", "");
    put("\xff\x01", "");
    put(longest, "");
    put("...", "");
    text = report(true);
    ck_assert_msg(strstr(text, "+...(0) +new\nline(0) +nnn") == text, "%s", text);
    unlink("\xff\x01");
    ck_assert_str_eq(report(true), "-\xff\x01");
}
END_TEST

START_TEST(a_long_list_is_cut)
{
    char name[32];

    begin();
    mkdir("many", 0755);
    for (int i = 0; i < 3000; i++) {
        (void)snprintf(name, sizeof(name), "many/%04d", i);
        put(name, "");
    }
    ck_assert_ptr_nonnull(strstr(report(false), "+many/"));
    ck_assert_str_eq(report(true), "");
    put("many/1234", "1");
    ck_assert_str_eq(report(true), "~many/1234(1)");
}
END_TEST

START_TEST(a_deep_tree_is_followed_as_far_as_paths_go)
{
    char name[201];

    memset(name, 'd', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    begin();
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(mkdir(name, 0755), 0);
        ck_assert_int_eq(chdir(name), 0);
        if (i == 10 || i == 25)
            put("f", "");
    }
    ck_assert_int_eq(chdir(root), 0);
    ck_assert_uint_eq(strlen(report(false)), 1 + 11 * 201 + strlen("f(0)"));
    /* As long as a part of the tree is not seen, nobody can say that the list is whole. */
    put("seen", "");
    ck_assert_str_eq(report(false), "+seen(0)");
}
END_TEST

START_TEST(dropped_news_are_made_up_for)
{
    int one, other, events = 20000;

    put("gone", "1");
    mkdir("d", 0755);
    put("d/f", "1");
    begin();
    one = open("one", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    other = open("d/other", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    for (int i = 0; i < events; i++) {
        ck_assert_int_eq(pwrite(one, "1", 1, 0), 1);
        ck_assert_int_eq(pwrite(other, "1", 1, 0), 1);
    }
    close(one);
    close(other);
    unlink("gone");
    put("d/f", "12");
    mkdir("e", 0755);
    put("e/new", "");
    ck_assert_str_eq(report(true), "~d/f(2) +d/other(1) +e/new(0) -gone +one(1)");
    put("e/new", "1");
    ck_assert_str_eq(report(true), "~e/new(1)");
}
END_TEST

/* Anything that a program may do, against a plain comparison of all names and contents. */

enum { NAMES = 4, DEPTH = 3, FILES_MAX = 512 };

struct snapshot {
    size_t count;
    struct {
        char path[64];
        char content[8];
    } files[FILES_MAX];
};

static void random_path(char path[64], unsigned *seed)
{
    size_t at = 0;

    for (int i = rand_r(seed) % DEPTH; i >= 0; i--)
        at += (size_t)snprintf(path + at, 64 - at, "%s%c", at > 0 ? "/" : "",
                               'a' + rand_r(seed) % NAMES);
}

static void random_step(unsigned *seed)
{
    char path[64], other[64], text[2] = {(char)('0' + rand_r(seed) % 10), '\0'};
    int fd;

    random_path(path, seed);
    random_path(other, seed);
    switch (rand_r(seed) % 8) {
    case 0:
    case 1:
        fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd >= 0) {
            ck_assert_int_eq(write(fd, text, 1), 1);
            close(fd);
        }
        break;
    case 2:
    case 3:
        (void)mkdir(path, 0755);
        break;
    case 4:
        (void)rename(path, other);
        break;
    case 5:
        (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        break;
    case 6:
        (void)symlink(other, path);
        break;
    default:
        (void)unlink(path);
    }
}

static struct snapshot *filling;

static int take_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    FILE *file;

    (void)walk;
    if (kind != FTW_F || !S_ISREG(status->st_mode))
        return 0;
    ck_assert_uint_lt(filling->count, FILES_MAX);
    (void)snprintf(filling->files[filling->count].path, 64, "%s", path + 2);
    memset(filling->files[filling->count].content, 0, 8);
    file = fopen(path, "re");
    ck_assert_ptr_nonnull(file);
    (void)fread(filling->files[filling->count].content, 1, 7, file);
    (void)fclose(file);
    filling->count++;
    return 0;
}

static void take(struct snapshot *snapshot)
{
    filling = snapshot;
    snapshot->count = 0;
    ck_assert_int_eq(nftw(".", take_one, 16, FTW_PHYS), 0);
}

static const char *content(const struct snapshot *snapshot, struct gb_bytes path)
{
    for (size_t i = 0; i < snapshot->count; i++) {
        if (gb_bytes_equal(path, snapshot->files[i].path))
            return snapshot->files[i].content;
    }
    return NULL;
}

/* Every entry of the list is right. */
static size_t check_list(const struct gb_pairs *pairs, const struct snapshot *before,
                         const struct snapshot *after)
{
    struct gb_changed one;
    size_t at = 0, explained = 0;

    while (gb_changed_next(pairs, &at, &one, NULL) > 0) {
        const char *was = content(before, one.path), *is = content(after, one.path);

        ck_assert_int_eq(was != NULL, one.change != GB_ADDED);
        ck_assert_int_eq(is != NULL, one.change != GB_REMOVED);
        explained += one.change != GB_CHANGED || strcmp(was, is) != 0;
    }
    return explained;
}

/* How many entries the list must have, beside files that were written anew as they were. */
static size_t count_differences(const struct snapshot *before, const struct snapshot *after)
{
    size_t count = 0;

    for (size_t i = 0; i < after->count; i++) {
        const char *was = content(before, gb_bytes_str(after->files[i].path));

        count += was == NULL || strcmp(was, after->files[i].content) != 0;
    }
    for (size_t i = 0; i < before->count; i++)
        count += content(after, gb_bytes_str(before->files[i].path)) == NULL;
    return count;
}

START_TEST(any_sequence_of_steps_is_understood)
{
    static struct snapshot before, after;
    unsigned seed = (unsigned)_i + 1;

    begin();
    take(&before);
    for (int round = 0; round < 150; round++) {
        struct gb_buf list = {0};
        struct gb_pairs pairs = {0};

        for (int step = rand_r(&seed) % 12; step >= 0; step--)
            random_step(&seed);
        ck_assert(changes_report(changes, &list, &pairs.count));
        pairs.encoded = gb_buf_bytes(&list);
        take(&after);
        ck_assert_uint_eq(check_list(&pairs, &before, &after), count_differences(&before, &after));
        gb_buf_release(&list);
        before = after;
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("changes");
    TCase *all = tcase_create("all");

    tcase_add_checked_fixture(all, setup, teardown);
    tcase_set_timeout(all, 60);
    tcase_add_test(all, files_come_change_and_go);
    tcase_add_test(all, folders_come_move_and_go);
    tcase_add_test(all, links_are_not_followed);
    tcase_add_test(all, what_is_accepted_is_not_told);
    tcase_add_test(all, names_are_bytes);
    tcase_add_test(all, a_long_list_is_cut);
    tcase_add_test(all, a_deep_tree_is_followed_as_far_as_paths_go);
    tcase_add_test(all, dropped_news_are_made_up_for);
    tcase_add_loop_test(all, any_sequence_of_steps_is_understood, 0, 8);
    suite_add_tcase(suite, all);
    return check_run(suite);
}
