/* SPDX-License-Identifier: Apache-2.0 */
#include "sweep.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "journal/internal.h"

enum { PREFIX = 8, HEX = 16, NAME = PREFIX + HEX, JOURNALS_MAX = 4096 };

static_assert(NAME <= GB_SURPLUS_NAME_MAX, "the name of a journal is too long");

static bool sweep_is_name(const char *text)
{
    return strncmp(text, "journal-", PREFIX) == 0 && strlen(text) == NAME &&
           strspn(text + PREFIX, "0123456789abcdef") == HEX;
}

static bool is_lock(const char *name)
{
    return strcmp(name, "lock") == 0;
}

/* Calls @visit for each entry except "." and ".."; false if a call returned false, or the folder
 * cannot be read. */
static bool each_entry(int folder_fd, bool (*visit)(int folder_fd, const char *name, void *arg),
                       void *arg)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    bool good = entries != NULL;

    if (entries == NULL) {
        (void)gb_close(fd);
        return false;
    }
    while (good && (entry = readdir(entries)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            good = visit(folder_fd, entry->d_name, arg);
    (void)closedir(entries);
    return good;
}

static bool sweep_add_file(int folder_fd, const char *name, void *arg)
{
    struct gb_surplus_item *found = arg;
    struct stat info;
    uint32_t number;
    uint64_t key;

    if ((!is_lock(name) && !segment_parse_name(name, &number, &key)) ||
        fstatat(folder_fd, name, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(info.st_mode))
        return false;
    found->bytes += (uint64_t)info.st_size;
    found->used = MAX(found->used, info.st_mtime);
    return true;
}

static bool remove_segment(int folder_fd, const char *name, void *arg)
{
    (void)arg;
    return is_lock(name) || unlinkat(folder_fd, name, 0) == 0;
}

static int open_journal(int parent_fd, const char *name)
{
    return openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

/* Remove the lock last: a server that comes meanwhile finds it taken. */
static bool remove_journal(int parent_fd, const char *name)
{
    _cleanup_(closep) int fd = open_journal(parent_fd, name);
    _cleanup_(closep) int lock_fd =
        fd < 0 ? -1 : openat(fd, "lock", O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    return lock_fd >= 0 && flock(lock_fd, LOCK_EX | LOCK_NB) == 0 &&
           each_entry(fd, remove_segment, NULL) && unlinkat(fd, "lock", 0) == 0 &&
           unlinkat(parent_fd, name, AT_REMOVEDIR) == 0;
}

struct search {
    int parent_fd;
    const char *own; /* its name */
    struct gb_surplus_item *found;
    size_t count;
    struct gb_buf *text;
};

static bool remove_surplus(const struct gb_surplus_item *item, bool old, void *arg)
{
    const struct search *search = arg;

    if (!remove_journal(search->parent_fd, item->name))
        return false;
    gb_buf_addf(search->text, "removing %s, which belongs to a server at another socket: %s\n",
                item->name,
                old ? "it has not been used for a long time" : "they take up too much space");
    return true;
}

static bool consider(int parent_fd, const char *name, void *arg)
{
    struct search *search = arg;
    struct gb_surplus_item *found = &search->found[search->count];
    int fd;

    if (!sweep_is_name(name) || strcmp(name, search->own) == 0)
        return true;
    fd = open_journal(parent_fd, name);
    if (fd < 0)
        return true;
    *found = (struct gb_surplus_item){0};
    memcpy(found->name, name, NAME);
    search->count += each_entry(fd, sweep_add_file, found);
    (void)gb_close(fd);
    return search->count < JOURNALS_MAX;
}

void sweep_journals(const char *own, const struct gb_surplus_limits *limits, struct gb_buf *text)
{
    _cleanup_(freep) struct gb_surplus_item *found = xcalloc(JOURNALS_MAX, sizeof(*found));
    _cleanup_(freep) char *parent = xstrdup(own);
    struct search search = {.found = found, .text = text};
    char *slash = strrchr(parent, '/');
    _cleanup_(closep) int parent_fd = -1;

    if (slash == NULL)
        return;
    search.own = own + (slash - parent) + 1;
    *slash = '\0';
    parent_fd = open(parent[0] == '\0' ? "/" : parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent_fd < 0)
        return;
    search.parent_fd = parent_fd;
    (void)each_entry(parent_fd, consider, &search);
    gb_surplus(found, search.count, limits, time(NULL), remove_surplus, &search);
}
