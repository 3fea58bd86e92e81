/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"
#include "snapshot/lock.h"

/* The unit for scanning, hashing and punching holes. */
enum { BLOCK = 64 * 1024, HEX_BYTES = 2 };

static const char *const file_names[] = {"ram", "state", "manifest"};

static void store_to_hex(const uint8_t *bytes, size_t count, char *hex)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(hex + HEX_BYTES * i, HEX_BYTES + 1, "%02x", bytes[i]);
}

void gb_snapshot_name(struct gb_bytes key, char ret_name[GB_SNAPSHOT_NAME_HEX + 1])
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;

    sha256_init(&sha);
    sha256_update(&sha, key.size, key.data);
    sha256_digest(&sha, sizeof(digest), digest);
    store_to_hex(digest, GB_SNAPSHOT_NAME_HEX / HEX_BYTES, ret_name);
}

void gb_snapshot_files_release(struct gb_snapshot_files *files)
{
    (void)gb_close(files->ram_fd);
    (void)gb_close(files->state_fd);
    *files = GB_SNAPSHOT_FILES_NONE;
}

static bool store_is_zero(const uint8_t *data, size_t size)
{
    return size == 0 || (data[0] == 0 && memcmp(data, data + 1, size - 1) == 0);
}

/* Calls @block for each block of data, skipping holes. */
static int store_each_block(int fd,
                            int (*block)(void *arg, uint64_t at, const uint8_t *data, size_t size),
                            void *arg)
{
    _cleanup_(freep) uint8_t *piece = xmalloc(BLOCK);
    off_t at = 0;

    for (;;) {
        ssize_t n;
        int r;

        at = lseek(fd, at, SEEK_DATA);
        if (at < 0 && errno == ENXIO)
            return 0;
        if (at < 0)
            return -errno;
        at -= at % BLOCK;
        n = pread(fd, piece, BLOCK, at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return 0;
        r = block(arg, (uint64_t)at, piece, (size_t)n);
        if (r < 0)
            return r;
        at += BLOCK;
    }
}

static int store_hash_block(void *arg, uint64_t at, const uint8_t *data, size_t size)
{
    uint8_t place[sizeof(at)];

    if (store_is_zero(data, size))
        return 0;
    for (size_t i = 0; i < sizeof(place); i++)
        place[i] = (uint8_t)(at >> (8 * i));
    sha256_update(arg, sizeof(place), place);
    sha256_update(arg, size, data);
    return 0;
}

int gb_snapshot_digest(int fd, char ret_hex[SNAPSHOT_MANIFEST_DIGEST_HEX + 1], struct gb_err *err)
{
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    int r;

    sha256_init(&sha);
    r = store_each_block(fd, store_hash_block, &sha);
    if (r < 0)
        return gb_err_sys(err, -r, "cannot read a template");
    sha256_digest(&sha, sizeof(digest), digest);
    store_to_hex(digest, sizeof(digest), ret_hex);
    return 0;
}

static int store_punch_block(void *arg, uint64_t at, const uint8_t *data, size_t size)
{
    const int *fd = arg;

    int r = store_is_zero(data, size) ? gb_file_punch_hole(*fd, at, size) : 0;

    return r == -EOPNOTSUPP ? 0 : r;
}

static char *store_folder_of(const char *folder, const char *prefix, const char *name)
{
    return xasprintf("%s/%s%s", folder, prefix, name);
}

static void store_remove_folder(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(file_names); i++) {
        _cleanup_(freep) char *file = xasprintf("%s/%s", path, file_names[i]);

        (void)unlink(file);
    }
    (void)rmdir(path); /* if it contains anything foreign it stays, which does no harm */
}

static int store_open_file(const char *path, const char *name, int flags, struct stat *ret_info,
                           int *ret_fd, struct gb_err *err)
{
    _cleanup_(freep) char *file = xasprintf("%s/%s", path, name);
    _cleanup_(closep) int fd = open(file, flags | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY);

    if (fd < 0 || fstat(fd, ret_info) < 0)
        return gb_err_set(err, GB_EINVALID, "cannot open %s: %s", name, strerror(errno));
    if (!S_ISREG(ret_info->st_mode) || ret_info->st_uid != geteuid())
        return gb_err_set(err, GB_EINVALID, "%s is not a file of ours", name);
    *ret_fd = TAKE_FD(fd);
    return 0;
}

static int store_check_file(int fd, const struct stat *info,
                            const struct snapshot_manifest_file *expected, const char *name,
                            struct gb_err *err)
{
    char hex[SNAPSHOT_MANIFEST_DIGEST_HEX + 1];
    int r;

    if ((uint64_t)info->st_size != expected->bytes)
        return gb_err_set(err, GB_EINVALID, "%s has %jd bytes, and not %ju", name,
                          (intmax_t)info->st_size, (uintmax_t)expected->bytes);
    r = gb_snapshot_digest(fd, hex, err);
    if (r == 0 && strcmp(hex, expected->sha256) != 0)
        r = gb_err_set(err, GB_EINVALID, "%s is damaged: its digest does not match", name);
    return r;
}

static uint64_t store_disk_bytes(const struct stat *info)
{
    return (uint64_t)info->st_blocks * 512;
}

int gb_snapshot_open(const char *folder, const char *name, struct gb_bytes key,
                     struct gb_snapshot_files *ret_files, struct gb_err *err)
{
    _cleanup_(freep) char *path = store_folder_of(folder, "", name);
    _cleanup_(freep) char *manifest_path = xasprintf("%s/manifest", path);
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    struct stat ram = {0}, state = {0};
    struct snapshot_manifest manifest;
    int r;

    if (access(path, F_OK) < 0)
        return gb_err_set(err, GB_ENOTFOUND, "there is no template %s", name);
    if (gb_fd_read_file(manifest_path, SNAPSHOT_MANIFEST_MAX, &text, NULL) < 0)
        return gb_err_set(err, GB_EINVALID, "its manifest cannot be read");
    r = snapshot_manifest_parse(gb_buf_bytes(&text), &manifest, err);
    if (r < 0)
        return gb_err_wrap(err, r, "its manifest");
    if (manifest.key.size != key.size || memcmp(manifest.key.data, key.data, key.size) != 0)
        return gb_err_set(err, GB_EINVALID, "it was made for something else");
    r = store_open_file(path, "ram", O_RDONLY, &ram, &files.ram_fd, err);
    if (r == 0)
        r = store_open_file(path, "state", O_RDONLY, &state, &files.state_fd, err);
    if (r == 0)
        r = store_check_file(files.state_fd, &state, &manifest.state, "state", err);
    if (r == 0)
        r = store_check_file(files.ram_fd, &ram, &manifest.ram, "ram", err);
    if (r < 0) {
        gb_snapshot_files_release(&files);
        return r;
    }
    files.ram_bytes = manifest.ram.bytes;
    files.disk_bytes = store_disk_bytes(&ram) + store_disk_bytes(&state);
    files.made_at_s = manifest.made_at_s;
    (void)utimensat(AT_FDCWD, manifest_path, NULL, 0); /* marks it as used now: only matters for
                                                        * eviction */
    *ret_files = files;
    return 0;
}

char *gb_snapshot_lock_path(const char *folder, const char *name)
{
    return xasprintf("%s/%s.lock", folder, name);
}

int gb_snapshot_begin(const char *folder, const char *name, uint64_t bytes, struct gb_err *err)
{
    _cleanup_(freep) char *path = store_folder_of(folder, "new.", name);
    struct statvfs info;

    store_remove_folder(path);
    if (mkdir(path, 0700) < 0)
        return gb_err_sys(err, errno, "cannot make %s", path);
    if (statvfs(path, &info) < 0 || (uint64_t)info.f_bavail * info.f_frsize >= bytes)
        return 0;
    (void)rmdir(path);
    return gb_err_set(err, GB_EDISK, "the disk of %s has no room for a template of %ju MB", folder,
                      (uintmax_t)(bytes >> 20));
}

char *gb_snapshot_new_path(const char *folder, const char *name, const char *file)
{
    return xasprintf("%s/new.%s/%s", folder, name, file);
}

void gb_snapshot_remove(const char *folder, const char *name)
{
    _cleanup_(freep) char *from = store_folder_of(folder, "", name);
    _cleanup_(freep) char *to = store_folder_of(folder, "new.", name);

    store_remove_folder(to);
    if (rename(from, to) == 0) /* update it now, for whoever opens it */
        store_remove_folder(to);
}

void gb_snapshot_abort(const char *folder, const char *name)
{
    _cleanup_(freep) char *path = store_folder_of(folder, "new.", name);

    store_remove_folder(path);
}

static int store_sync_path(const char *path, struct gb_err *err)
{
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY);

    if (fd < 0 || fsync(fd) < 0)
        return gb_err_sys(err, errno, "cannot sync %s", path);
    return 0;
}

/* Digest, size and sync of one file; punches holes if @sparse. */
static int store_finish_file(const char *path, const char *name, bool sparse,
                             struct snapshot_manifest_file *ret_file, struct gb_err *err)
{
    _cleanup_(closep) int fd = -1;
    struct stat info;
    int r = store_open_file(path, name, O_RDWR, &info, &fd, err);

    if (r < 0)
        return r;
    if (sparse && (r = store_each_block(fd, store_punch_block, &fd)) < 0)
        return gb_err_sys(err, -r, "cannot make holes in a template");
    r = gb_snapshot_digest(fd, ret_file->sha256, err);
    ret_file->bytes = (uint64_t)info.st_size;
    if (r == 0 && fsync(fd) < 0)
        r = gb_err_sys(err, errno, "cannot write a template to the disk");
    return r;
}

static int store_write_manifest(const char *path, const struct snapshot_manifest *manifest,
                                struct gb_err *err)
{
    _cleanup_(freep) char *file = xasprintf("%s/manifest", path);
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    snapshot_manifest_write(&text, manifest);
    return gb_fd_replace_file(file, gb_buf_bytes(&text), 0600, err);
}

/* Replaces @to with @from, whatever is there. */
static int store_put_in_place(const char *from, const char *to, struct gb_err *err)
{
    int r = gb_file_rename_new(from, to);

    if (r == -EEXIST) {
        r = gb_file_exchange(from, to);
        if (r == 0)
            store_remove_folder(from);
    }
    return r < 0 ? gb_err_sys(err, -r, "cannot put a template in its place") : 0;
}

int gb_snapshot_publish(const char *folder, const char *name, struct gb_bytes key,
                        struct gb_snapshot_files *ret_files, struct gb_err *err)
{
    _cleanup_(freep) char *from = store_folder_of(folder, "new.", name);
    _cleanup_(freep) char *to = store_folder_of(folder, "", name);
    struct gb_snapshot_files files = GB_SNAPSHOT_FILES_NONE;
    struct snapshot_manifest manifest = {.made_at_s = (uint64_t)time(NULL), .key = key};
    struct stat ram = {0}, state = {0};
    int r = store_finish_file(from, "ram", true, &manifest.ram, err);

    if (r == 0)
        r = store_finish_file(from, "state", false, &manifest.state, err);
    if (r == 0)
        r = store_write_manifest(from, &manifest, err);
    if (r == 0)
        r = store_sync_path(from, err);
    /* Open it before the rename: afterwards another server may remove it. */
    if (r == 0)
        r = store_open_file(from, "ram", O_RDONLY, &ram, &files.ram_fd, err);
    if (r == 0)
        r = store_open_file(from, "state", O_RDONLY, &state, &files.state_fd, err);
    if (r == 0)
        r = store_put_in_place(from, to, err);
    if (r < 0) {
        gb_snapshot_files_release(&files);
        store_remove_folder(from);
        return r;
    }
    files.ram_bytes = manifest.ram.bytes;
    files.disk_bytes = store_disk_bytes(&ram) + store_disk_bytes(&state);
    files.made_at_s = manifest.made_at_s;
    *ret_files = files;
    (void)store_sync_path(folder,
                          NULL); /* a rename undone by a power failure only costs a template */
    return 0;
}

/* ---- eviction ---- */

static_assert(GB_SNAPSHOT_NAME_HEX <= GB_SURPLUS_NAME_MAX, "the name of a template is too long");

static bool store_is_name(const char *text)
{
    return strlen(text) == GB_SNAPSHOT_NAME_HEX &&
           strspn(text, "0123456789abcdef") == GB_SNAPSHOT_NAME_HEX;
}

/* False if it is not a complete snapshot: something foreign, or one being removed. */
static bool store_look_at(const char *folder, const char *name, struct gb_surplus_item *ret_item)
{
    _cleanup_(freep) char *path = store_folder_of(folder, "", name);
    struct gb_surplus_item item = {0};
    struct stat info;

    memcpy(item.name, name, GB_SNAPSHOT_NAME_HEX);
    for (size_t i = 0; i < ARRAY_SIZE(file_names); i++) {
        _cleanup_(freep) char *file = xasprintf("%s/%s", path, file_names[i]);

        if (lstat(file, &info) < 0)
            return false;
        item.bytes += store_disk_bytes(&info);
        if (strcmp(file_names[i], "manifest") == 0)
            item.used = info.st_mtime;
    }
    *ret_item = item;
    return true;
}

/* Removes NAME (@whole), or only what a dead builder left, unless somebody holds its lock. */
static bool store_remove_stored(const char *folder, const char *name, bool whole)
{
    _cleanup_(freep) char *lock = gb_snapshot_lock_path(folder, name);
    _cleanup_(freep) char *from = store_folder_of(folder, "", name);
    _cleanup_(closep) int fd = -1;

    if (gb_snapshot_lock_try(lock, &fd, NULL) < 0)
        return false;
    if (whole)
        gb_snapshot_remove(folder, name);
    else
        gb_snapshot_abort(folder, name);
    if (access(from, F_OK) < 0)
        (void)unlink(lock);
    return true;
}

struct store_eviction {
    const char *folder;
    struct gb_buf *text;
};

static bool store_evict(const struct gb_surplus_item *item, bool old, void *arg)
{
    const struct store_eviction *eviction = arg;

    if (!store_remove_stored(eviction->folder, item->name, true))
        return false;
    gb_buf_addf(eviction->text, "removing the template %s: %s\n", item->name,
                old ? "it has not been used for a long time" : "the store is too large");
    return true;
}

void gb_snapshot_evict(const char *folder, const struct gb_surplus_limits *limits,
                       struct gb_buf *text)
{
    _cleanup_(freep) struct gb_surplus_item *found = xcalloc(GB_SNAPSHOTS_MAX, sizeof(*found));
    struct store_eviction eviction = {folder, text};
    DIR *entries = opendir(folder);
    struct dirent *entry;
    size_t count = 0;

    if (entries == NULL)
        return; /* nothing has been stored */
    while ((entry = readdir(entries)) != NULL && count < GB_SNAPSHOTS_MAX) {
        const char *name = entry->d_name;

        if (strncmp(name, "new.", 4) == 0 && store_is_name(name + 4))
            (void)store_remove_stored(folder, name + 4, false);
        else if (store_is_name(name) && store_look_at(folder, name, &found[count]))
            count++;
    }
    (void)closedir(entries);
    gb_surplus(found, count, limits, time(NULL), store_evict, &eviction);
}

void gb_snapshot_touch(const char *folder, const char *name)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s/manifest", folder, name);

    (void)utimensat(AT_FDCWD, path, NULL, 0); /* it may have been removed */
}
