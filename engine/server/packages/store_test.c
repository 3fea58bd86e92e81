/* SPDX-License-Identifier: Apache-2.0 */
#include "server/packages/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"
#include "vm/vm.h"

static char folder[64];
static struct gb_err err;

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-store-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    DIR *entries = opendir(folder);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    (void)closedir(entries);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* A layer of that content, for a request of that name. */
static struct layer publish(const char *request, const char *content)
{
    struct store_draft draft = STORE_DRAFT_NONE;
    struct layer layer = {0};

    store_key(gb_bytes_str(request), layer.key);
    gb_buf_adds(&layer.image, "python\n");
    gb_buf_adds(&layer.wanted, request);
    gb_buf_adds(&layer.wanted, "\n");
    gb_buf_adds(&layer.lock, "six==1.16.0\nxyz==2\n");
    ck_assert_int_eq(store_begin(folder, &draft, &err), 0);
    for (; *content != '\0'; content++)
        ck_assert_int_eq(store_add(&draft, (struct gb_bytes){(const uint8_t *)content, 1}, &err),
                         0);
    ck_assert_int_eq(store_publish(folder, &draft, &layer, &err), 0);
    store_drop(&draft);
    return layer;
}

static bool is_there(const char *name, const char *ending)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s%s", folder, name, ending);

    return access(path, F_OK) == 0;
}

static size_t records(void)
{
    struct store_entry *entries;
    const size_t count = store_list(folder, &entries);

    free(entries);
    return count;
}

/* As if it had been made, or used, so long ago. */
static void age(const char *name, const char *ending, time_t seconds)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s%s", folder, name, ending);
    const struct timespec times[] = {{.tv_sec = time(NULL) - seconds},
                                     {.tv_sec = time(NULL) - seconds}};

    ck_assert_int_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

START_TEST(what_was_published_is_found)
{
    struct layer made = publish("six", "content"), found;
    char bytes[8] = "";
    struct stat info;
    int fd = store_open(folder, made.key, &found, &err);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(pread(fd, bytes, 7, 0), 7);
    ck_assert_str_eq(bytes, "content");
    ck_assert_int_eq(fstat(fd, &info), 0);
    ck_assert_uint_eq((uint64_t)info.st_size, GB_VM_SPARE_BYTES);
    ck_assert_int_eq(info.st_mode & 0777 & ~0600, 0);
    ck_assert_str_eq(found.digest, made.digest);
    ck_assert_uint_eq(found.bytes, 7);
    ck_assert_str_eq(gb_buf_str(&found.lock), "six==1.16.0\nxyz==2\n");
    ck_assert_str_eq(gb_buf_str(&found.image), "python\n");
    (void)close(fd);
    layer_release(&found);
    fd = store_open_layer(folder, gb_bytes_str(made.digest), &err);
    ck_assert_int_ge(fd, 0);
    (void)close(fd);
    ck_assert_int_eq(store_open_layer(folder, gb_bytes_str("../six"), &err), -GB_ENOTFOUND);
    ck_assert_int_eq(store_open(folder, "0123456789abcdef0123456789abcdef", &found, &err),
                     -GB_ENOTFOUND);
    layer_release(&made);
}
END_TEST

/* Two requests that give the same bytes share a file, which goes with the last of them. */
START_TEST(the_same_content_is_kept_once)
{
    struct layer one = publish("six", "content"), other = publish("six==1", "content");

    ck_assert_str_eq(one.digest, other.digest);
    ck_assert_uint_eq(records(), 2);
    ck_assert(store_remove(folder, one.key));
    ck_assert(!store_remove(folder, one.key));
    ck_assert(is_there(one.digest, ".erofs"));
    ck_assert(store_remove(folder, other.key));
    ck_assert(!is_there(one.digest, ".erofs"));
    ck_assert_uint_eq(records(), 0);
    layer_release(&one);
    layer_release(&other);
}
END_TEST

/* Records that are no records, and layers that are none. */
START_TEST(damage)
{
    static const char *const records[] = {
        "",
        "glassbell packages 2\n",
        "glassbell packages 1\n",
        "glassbell packages 1\nlayer abc\nbytes 7\n",
        "glassbell packages 1\nlayer "
        "../../../../../../../../../../../../../etc/passwd00000000000000"
        "0000\nbytes 7\n",
        "glassbell packages 1\nbytes 7\n",
        "glassbell packages 1\nbytes 99999999999999999999\n",
        "glassbell packages 1\nbytes -1\n",
        "glassbell packages 1\nunknown\n",
    };
    struct layer made = publish("six", "content"), found;
    _cleanup_(freep) char *record = xasprintf("%s/%s.record", folder, made.key);
    _cleanup_(freep) char *path = xasprintf("%s/%s.erofs", folder, made.digest);
    _cleanup_(gb_buf_release) struct gb_buf whole = {0};

    ck_assert_int_eq(gb_fd_read_file(record, STORE_RECORD_MAX, &whole, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
        ck_assert_int_eq(gb_fd_replace_file(record, gb_bytes_str(records[i]), 0600, &err), 0);
        ck_assert_msg(store_open(folder, made.key, &found, &err) == -GB_ENOTFOUND, "%s",
                      records[i]);
        ck_assert(!store_look(folder, made.key, &found));
    }
    ck_assert_int_eq(gb_fd_replace_file(record, gb_buf_bytes(&whole), 0600, &err), 0);
    ck_assert_int_eq(truncate(path, 4096), 0); /* of another size than the disk */
    ck_assert_int_eq(store_open(folder, made.key, &found, &err), -GB_ENOTFOUND);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/etc/passwd", path), 0);
    ck_assert_int_eq(store_open(folder, made.key, &found, &err), -GB_ENOTFOUND);
    layer_release(&made);
}
END_TEST

START_TEST(too_many_bytes_are_removed)
{
    const struct gb_surplus_limits none = {.max_age_s = 1 << 30, .max_bytes = 1};
    struct layer made = publish("six", "content");

    store_evict(folder, &none, made.key); /* somebody is about to open it */
    ck_assert(is_there(made.key, ".record") && is_there(made.digest, ".erofs"));
    store_evict(folder, &none, NULL);
    ck_assert(!is_there(made.key, ".record") && !is_there(made.digest, ".erofs"));
    layer_release(&made);
}
END_TEST

/* However many there are, a layer that a record names is none that nobody needs. */
START_TEST(none_of_many_is_an_orphan)
{
    enum { MANY = 1001 };
    const struct gb_surplus_limits all = {.max_age_s = 1 << 30, .max_bytes = UINT64_MAX};
    char content[16];

    for (int i = 0; i < MANY; i++) {
        struct layer made;

        (void)snprintf(content, sizeof(content), "%d", i);
        made = publish(content, content);
        age(made.digest, ".erofs", 7200);
        layer_release(&made);
    }
    store_evict(folder, &all, NULL);
    ck_assert_uint_eq(records(), MANY);
    for (int i = 0; i < MANY; i++) {
        char key[STORE_KEY_HEX + 1];
        struct layer found;
        int fd;

        (void)snprintf(content, sizeof(content), "%d", i);
        store_key(gb_bytes_str(content), key);
        fd = store_open(folder, key, &found, &err);
        ck_assert_int_ge(fd, 0);
        (void)close(fd);
        layer_release(&found);
    }
}
END_TEST

START_TEST(orphans_are_removed_when_they_are_old)
{
    const struct gb_surplus_limits all = {.max_age_s = 1 << 30, .max_bytes = UINT64_MAX};
    struct layer old = publish("six", "content"), young = publish("seven", "other content");

    for (int i = 0; i < 2; i++) {
        const struct layer *layer = i == 0 ? &old : &young;
        _cleanup_(freep) char *record = xasprintf("%s/%s.record", folder, layer->key);

        ck_assert_int_eq(unlink(record), 0);
    }
    age(old.digest, ".erofs", 7200);
    store_evict(folder, &all, NULL);
    ck_assert(!is_there(old.digest, ".erofs") && is_there(young.digest, ".erofs"));
    layer_release(&old);
    layer_release(&young);
}
END_TEST

/* By age: of two requests with the same bytes one goes, and the layer stays for the other. */
START_TEST(a_shared_layer_stays_for_the_younger)
{
    const struct gb_surplus_limits day = {.max_age_s = 86400, .max_bytes = UINT64_MAX};
    struct layer old = publish("six", "content"), young = publish("six==1", "content");

    age(old.key, ".record", 100000);
    age(old.digest, ".erofs", 100000);
    store_evict(folder, &day, NULL);
    ck_assert(!is_there(old.key, ".record") && is_there(young.key, ".record"));
    ck_assert(is_there(young.digest, ".erofs"));
    layer_release(&old);
    layer_release(&young);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("store");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 120); /* a thousand files are synced */
    tcase_add_test(tests, what_was_published_is_found);
    tcase_add_test(tests, the_same_content_is_kept_once);
    tcase_add_test(tests, damage);
    tcase_add_test(tests, too_many_bytes_are_removed);
    tcase_add_test(tests, none_of_many_is_an_orphan);
    tcase_add_test(tests, orphans_are_removed_when_they_are_old);
    tcase_add_test(tests, a_shared_layer_stays_for_the_younger);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
