/* SPDX-License-Identifier: Apache-2.0 */
#include "changes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/guest.h"

enum {
    NAME_BUCKETS = 8192,
    WATCH_BUCKETS = 1024,
    ENTRIES_MAX = 65536,         /* maximum remembered; a guest's file system holds no more
                                  * either */
    NAME_BYTES_MAX = 4 << 20,    /* total length of their names */
    LOOKS_MAX = 2 * ENTRIES_MAX, /* examinations per report */
    NEWS_BYTES = 16 * 1024,
    NEWS_ROUNDS = 256, /* reads of events per report */
};

static const uint32_t news_wanted =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_EXCL_UNLINK | IN_ONLYDIR;

/* A file, or a former file. */
struct shape {
    uint64_t inode, size;
    int64_t mtime_ns;
};

/* A folder's entry that is or was known as a file or a folder, or that an event named. */
struct entry {
    struct entry *parent, *child, *next, *previous;
    struct entry *same_bucket, *same_watch_bucket;
    struct entry *next_due, *next_touched;
    struct shape before, now; /* as last reported, as last found */
    uint64_t folder_inode;
    uint32_t number;
    int watch;     /* for a folder; -1: none */
    bool existed;  /* existed as a file at the last report */
    bool exists;   /* exists as a file */
    bool folder;   /* is a folder */
    bool blind;    /* a folder that is not watched or has not been read */
    bool modified; /* an event reported a write */
    bool due;      /* has to be examined */
    bool touched;  /* has to be reported or forgotten */
    uint8_t size;
    char name[];
};

/* A change to be reported. */
struct found {
    const struct entry *entry;
    enum gb_change change;
    size_t at, size; /* position and length of the path */
};

struct changes {
    int root_fd, news_fd;
    uint64_t secret; /* so that nobody can choose names that collide */
    struct entry *root, *due, *touched;
    struct entry *open_folder; /* the folder open as folder_fd */
    int folder_fd;
    uint32_t entries, numbered, blind;
    size_t name_bytes;
    struct found *found; /* room for GB_CHANGED_MAX */
    bool missed;         /* something could not be tracked since the last report */
    bool look_all;       /* events were lost: everything has to be examined */
    struct entry *names[NAME_BUCKETS];
    struct entry *watches[WATCH_BUCKETS];
    uint8_t news[NEWS_BYTES] __attribute__((aligned(8)));
};

/* The tracked entries. */

/* A polynomial hash over the bytes modulo 2^61 - 1, at a secret point. */
static size_t bucket_of(const struct changes *changes, uint32_t folder, const char *name,
                        size_t size)
{
    const uint64_t prime = (UINT64_C(1) << 61) - 1;
    uint64_t hash = folder;

    for (size_t i = 0; i < size; i++) {
        __extension__ unsigned __int128 product = (unsigned __int128)hash * changes->secret;

        hash = (uint64_t)(product & prime) + (uint64_t)(product >> 61) + (uint8_t)name[i] + 1;
        hash = (hash & prime) + (hash >> 61);
    }
    return (size_t)((hash ^ (hash >> 31)) % NAME_BUCKETS);
}

static struct entry *find(const struct changes *changes, const struct entry *folder,
                          const char *name, size_t size)
{
    struct entry *entry = changes->names[bucket_of(changes, folder->number, name, size)];

    while (entry != NULL &&
           (entry->parent != folder || entry->size != size || memcmp(entry->name, name, size) != 0))
        entry = entry->same_bucket;
    return entry;
}

static void touch(struct changes *changes, struct entry *entry)
{
    if (entry->touched)
        return;
    entry->touched = true;
    entry->next_touched = changes->touched;
    changes->touched = entry;
}

static void set_due(struct changes *changes, struct entry *entry)
{
    touch(changes, entry);
    if (entry->due)
        return;
    entry->due = true;
    entry->next_due = changes->due;
    changes->due = entry;
}

/* Finds or creates an entry; NULL (and the report is incomplete) if there is no room. */
static struct entry *want(struct changes *changes, struct entry *folder, const char *name)
{
    size_t size = strlen(name);
    struct entry *entry = size > GB_FILE_NAME_MAX ? NULL : find(changes, folder, name, size);
    struct entry **bucket;

    if (entry != NULL)
        return entry;
    if (size <= GB_FILE_NAME_MAX && changes->entries < ENTRIES_MAX &&
        changes->name_bytes + size <= NAME_BYTES_MAX)
        entry = calloc(1, sizeof(*entry) + size + 1);
    if (entry == NULL) {
        changes->missed = changes->look_all = true;
        return NULL;
    }
    bucket = &changes->names[bucket_of(changes, folder->number, name, size)];
    entry->parent = folder;
    entry->next = folder->child;
    if (entry->next != NULL)
        entry->next->previous = entry;
    folder->child = entry;
    entry->same_bucket = *bucket;
    *bucket = entry;
    entry->number = ++changes->numbered;
    entry->watch = -1;
    entry->size = (uint8_t)size;
    memcpy(entry->name, name, size);
    changes->entries++;
    changes->name_bytes += size;
    return entry;
}

static void forget(struct changes *changes, struct entry *entry)
{
    struct entry **at =
        &changes->names[bucket_of(changes, entry->parent->number, entry->name, entry->size)];

    while (*at != entry)
        at = &(*at)->same_bucket;
    *at = entry->same_bucket;
    if (entry->previous != NULL)
        entry->previous->next = entry->next;
    else
        entry->parent->child = entry->next;
    if (entry->next != NULL)
        entry->next->previous = entry->previous;
    changes->entries--;
    changes->name_bytes -= entry->size;
    free(entry);
}

/* The next entry after @entry in a pre-order walk below @top. */
static struct entry *walk(const struct entry *top, const struct entry *entry)
{
    if (entry->child != NULL)
        return entry->child;
    while (entry != top && entry->next == NULL)
        entry = entry->parent;
    return entry == top ? NULL : entry->next;
}

/* Writes the path of @entry to the end of @buffer; NULL if it is too long to be used. */
static char *path_of(const struct entry *entry, char buffer[GB_PATH_MAX + 1])
{
    size_t at = GB_PATH_MAX;

    buffer[at] = '\0';
    for (; entry->parent != NULL; entry = entry->parent) {
        if (at < (size_t)entry->size + 1)
            return NULL;
        if (at < GB_PATH_MAX)
            buffer[--at] = '/';
        at -= entry->size;
        memcpy(buffer + at, entry->name, entry->size);
    }
    return buffer + at;
}

/* Watches. */

static struct entry **watch_bucket(struct changes *changes, int watch)
{
    return &changes->watches[(unsigned)watch % WATCH_BUCKETS];
}

static struct entry *watched(struct changes *changes, int watch)
{
    struct entry *entry = *watch_bucket(changes, watch);

    while (entry != NULL && entry->watch != watch)
        entry = entry->same_watch_bucket;
    return entry;
}

static void lose_watch(struct changes *changes, struct entry *folder)
{
    struct entry **at = watch_bucket(changes, folder->watch);

    while (*at != folder)
        at = &(*at)->same_watch_bucket;
    *at = folder->same_watch_bucket;
    folder->watch = -1;
}

static void drop_watch(struct changes *changes, struct entry *folder)
{
    int watch = folder->watch;

    if (watch < 0)
        return;
    lose_watch(changes, folder);
    (void)inotify_rm_watch(changes->news_fd, watch); /* usually removed with its folder */
}

static void set_blind(struct changes *changes, struct entry *folder, bool blind)
{
    if (blind && !folder->blind)
        changes->blind++;
    else if (!blind && folder->blind)
        changes->blind--;
    folder->blind = blind;
}

static int add_watch(struct changes *changes, struct entry *folder, int fd)
{
    struct entry **bucket, *other;
    char path[32];
    int watch;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    watch = inotify_add_watch(changes->news_fd, path, news_wanted);
    if (watch < 0)
        return -errno;
    if (watch == folder->watch)
        return 0;
    /* A folder that was moved keeps its watch, from its previous location. */
    other = watched(changes, watch);
    if (other != NULL)
        lose_watch(changes, other);
    drop_watch(changes, folder);
    bucket = watch_bucket(changes, watch);
    folder->watch = watch;
    folder->same_watch_bucket = *bucket;
    *bucket = folder;
    return 0;
}

/* Examining. */

static void close_folder(struct changes *changes)
{
    if (changes->open_folder != changes->root)
        (void)gb_close(changes->folder_fd);
    changes->open_folder = NULL;
    changes->folder_fd = -1;
}

/* A descriptor of the folder at @folder's path, cached for the next call; -1: none. */
static int open_folder(struct changes *changes, struct entry *folder)
{
    const struct open_how how = {
        .flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
    };
    char buffer[GB_PATH_MAX + 1];
    const char *path = path_of(folder, buffer);
    int from = changes->root_fd, fd = -1;

    if (changes->open_folder == folder)
        return changes->folder_fd;
    /* Open it relative to its parent where possible, or the cost would be quadratic in the
     * depth. */
    if (changes->open_folder != NULL && changes->open_folder == folder->parent) {
        from = changes->folder_fd;
        path = path == NULL ? NULL : folder->name;
    }
    if (folder == changes->root)
        fd = changes->root_fd;
    else if (path != NULL)
        fd = (int)syscall(SYS_openat2, from, path, &how, sizeof(how));
    close_folder(changes);
    if (fd < 0)
        return -1;
    changes->folder_fd = fd;
    changes->open_folder = folder;
    return fd;
}

/* @folder has been replaced or removed: everything below it is gone. */
static void drop(struct changes *changes, struct entry *folder)
{
    for (struct entry *entry = folder; entry != NULL; entry = walk(folder, entry)) {
        touch(changes, entry);
        entry->exists = entry->folder = false;
        set_blind(changes, entry, false);
        drop_watch(changes, entry);
    }
    if (changes->open_folder != NULL)
        close_folder(changes);
}

/* Marks every present and former entry of the folder to be examined. */
static void read_folder(struct changes *changes, struct entry *folder)
{
    int fd = open_folder(changes, folder);
    const struct dirent *found;
    struct entry *entry;
    DIR *entries;

    for (entry = folder->child; entry != NULL; entry = entry->next)
        set_due(changes, entry);
    fd = fd < 0 || add_watch(changes, folder, fd) < 0
             ? -1
             : openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    entries = fd < 0 ? NULL : fdopendir(fd);
    set_blind(changes, folder, entries == NULL);
    if (entries == NULL) {
        (void)gb_close(fd);
        return;
    }
    for (int i = 0; i < LOOKS_MAX && (found = readdir(entries)) != NULL; i++) {
        if (strcmp(found->d_name, ".") == 0 || strcmp(found->d_name, "..") == 0)
            continue;
        entry = want(changes, folder, found->d_name);
        if (entry == NULL)
            break;
        set_due(changes, entry);
    }
    (void)closedir(entries);
}

static void look(struct changes *changes, struct entry *entry)
{
    int fd = open_folder(changes, entry->parent);
    struct stat status;

    if (fd < 0 || fstatat(fd, entry->name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        status = (struct stat){0};
    if (entry->folder &&
        (!S_ISDIR(status.st_mode) || status.st_ino != entry->folder_inode || entry->watch < 0))
        drop(changes, entry);
    entry->exists = S_ISREG(status.st_mode);
    if (entry->exists)
        entry->now = (struct shape){
            .inode = status.st_ino,
            .size = (uint64_t)status.st_size,
            .mtime_ns =
                (int64_t)status.st_mtim.tv_sec * (int64_t)GB_NS_PER_S + status.st_mtim.tv_nsec,
        };
    if (!S_ISDIR(status.st_mode) || entry->folder)
        return;
    entry->folder = true;
    entry->folder_inode = status.st_ino;
    read_folder(changes, entry);
}

/* Events. */

static void take_news(struct changes *changes, const struct inotify_event *event)
{
    struct entry *folder, *entry;

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        changes->look_all = true;
        return;
    }
    folder = watched(changes, event->wd);
    if (folder == NULL)
        return;
    if ((event->mask & IN_IGNORED) != 0) {
        lose_watch(changes, folder);
        return;
    }
    if (event->len == 0)
        return;
    entry = want(changes, folder, event->name);
    if (entry == NULL)
        return;
    if ((event->mask & IN_MODIFY) != 0)
        entry->modified = true;
    set_due(changes, entry);
}

static void read_news(struct changes *changes)
{
    for (int i = 0; i < NEWS_ROUNDS; i++) {
        ssize_t size = read(changes->news_fd, changes->news, sizeof(changes->news));

        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const void *)(changes->news + at);

            take_news(changes, event);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
        /* A read that left room for another event has returned all of them. */
        if (size < (ssize_t)(sizeof(changes->news) - sizeof(struct inotify_event) - NAME_MAX - 1))
            return;
    }
}

/* Updates the known state. */
static void catch_up(struct changes *changes)
{
    int looks = 0;

    read_news(changes);
    if (changes->look_all) {
        changes->look_all = false;
        for (struct entry *entry = changes->root; entry != NULL;
             entry = walk(changes->root, entry)) {
            if (entry->folder)
                read_folder(changes, entry);
        }
    }
    while (changes->due != NULL) {
        struct entry *entry = changes->due;

        changes->due = entry->next_due;
        entry->due = false;
        if (looks++ < LOOKS_MAX)
            look(changes, entry);
        else
            changes->missed = changes->look_all = true;
    }
    close_folder(changes);
}

/* Reports. */

static bool is_change(const struct entry *entry, enum gb_change *ret_change)
{
    if (!entry->existed && !entry->exists)
        return false;
    *ret_change = entry->existed && entry->exists ? GB_CHANGED
                  : entry->exists                 ? GB_ADDED
                                                  : GB_REMOVED;
    return *ret_change != GB_CHANGED || entry->modified ||
           entry->before.inode != entry->now.inode || entry->before.size != entry->now.size ||
           entry->before.mtime_ns != entry->now.mtime_ns;
}

static void commit(struct entry *entry)
{
    entry->existed = entry->exists;
    entry->before = entry->now;
    entry->modified = false;
}

/* Forgets entries that are neither files nor folders, and folders kept only for those. */
static void sweep(struct changes *changes, struct entry *entry)
{
    while (entry->parent != NULL && !entry->exists && !entry->folder && !entry->touched &&
           entry->child == NULL) {
        struct entry *parent = entry->parent;

        forget(changes, entry);
        entry = parent;
    }
}

static int compare_paths(const void *a, const void *b, void *paths)
{
    const struct found *one = a, *other = b;
    int order = memcmp((const uint8_t *)paths + one->at, (const uint8_t *)paths + other->at,
                       MIN(one->size, other->size));

    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

/* Adds a file to the changes; false if the list is full. */
static bool note(struct found *found, size_t *count, struct gb_buf *paths,
                 const struct entry *entry, enum gb_change change)
{
    char buffer[GB_PATH_MAX + 1];
    const char *path = path_of(entry, buffer);
    size_t size = path == NULL ? 0 : strlen(path), at = paths->size;

    if (path == NULL || *count == GB_CHANGED_MAX ||
        !gb_buf_try_add(paths, path, size, GB_CHANGED_BYTES_MAX))
        return false;
    found[(*count)++] = (struct found){entry, change, at, size};
    return true;
}

bool changes_report(struct changes *changes, struct gb_buf *list, uint32_t *count)
{
    struct found *const found = changes->found;
    _cleanup_(gb_buf_release) struct gb_buf paths = {0};
    size_t n = 0;
    bool whole;

    catch_up(changes);
    whole = !changes->missed && changes->blind == 0;
    changes->missed = false;
    for (struct entry *entry = changes->touched; entry != NULL; entry = entry->next_touched) {
        enum gb_change change;

        if (is_change(entry, &change) && !note(found, &n, &paths, entry, change))
            whole = false;
    }
    if (n > 1)
        qsort_r(found, n, sizeof(*found), compare_paths, paths.memory + paths.start);
    for (size_t i = 0; i < n; i++) {
        const struct gb_changed one = {
            .path = {gb_buf_data(&paths) + found[i].at, found[i].size},
            .change = (uint8_t)found[i].change,
            .size = found[i].change == GB_REMOVED ? 0 : found[i].entry->now.size,
        };

        gb_changed_add(list, count, &one);
    }
    while (changes->touched != NULL) {
        struct entry *entry = changes->touched;

        changes->touched = entry->next_touched;
        entry->touched = false;
        commit(entry);
        sweep(changes, entry);
    }
    return whole;
}

/* The path of @folder_fd below the root, or NULL. */
static const char *path_below(const struct changes *changes, int folder_fd,
                              char buffer[2 * PATH_MAX])
{
    char link[32], root[PATH_MAX];
    ssize_t root_size, size;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", changes->root_fd);
    root_size = readlink(link, root, sizeof(root));
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", folder_fd);
    size = readlink(link, buffer, 2 * PATH_MAX - 1);
    if (root_size <= 0 || size < root_size || memcmp(buffer, root, (size_t)root_size) != 0)
        return NULL;
    buffer[size] = '\0';
    return buffer + root_size;
}

void changes_accept(struct changes *changes, int folder_fd, const char *name)
{
    char buffer[2 * PATH_MAX];
    const char *path = path_below(changes, folder_fd, buffer);
    struct entry *top = changes->root;

    catch_up(changes);
    while (path != NULL && top != NULL && *path != '\0') {
        size_t size = strcspn(path, "/");

        if (size > 0)
            top = find(changes, top, path, size);
        path += size + (path[size] == '/');
    }
    if (path == NULL || top == NULL)
        return;
    top = find(changes, top, name, strlen(name));
    if (top == NULL)
        return;
    for (struct entry *entry = top; entry != NULL; entry = walk(top, entry))
        commit(entry);
}

/* Life. */

int changes_new(int root_fd, struct changes **ret_changes)
{
    struct changes *changes = xcalloc(1, sizeof(*changes));
    struct gb_buf list = {0};
    uint32_t count = 0;

    changes->root_fd = root_fd;
    changes->folder_fd = -1;
    changes->found = xcalloc(GB_CHANGED_MAX, sizeof(*changes->found));
    changes->news_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (changes->news_fd < 0 || getrandom(&changes->secret, sizeof(changes->secret), 0) < 0) {
        int r = -errno;

        changes_free(changes);
        return r;
    }
    changes->secret >>= 4; /* stay below the modulus */
    changes->root = xcalloc(1, sizeof(*changes->root));
    changes->root->folder = true;
    changes->root->watch = -1;
    changes->look_all = true;
    (void)changes_report(changes, &list, &count); /* everything present is known now */
    gb_buf_release(&list);
    *ret_changes = changes;
    return 0;
}

void changes_free(struct changes *changes)
{
    struct entry *entry;

    if (changes == NULL)
        return;
    for (entry = changes->root; entry != NULL;) {
        struct entry *parent = entry->parent;

        if (entry->child != NULL) {
            entry = entry->child;
        } else if (parent == NULL) {
            free(entry);
            entry = NULL;
        } else {
            forget(changes, entry);
            entry = parent;
        }
    }
    (void)gb_close(changes->news_fd);
    free(changes->found);
    free(changes);
}
