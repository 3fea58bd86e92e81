/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "home.h"
#include "init.h"
#include "system.h"

enum { GATHER = 4 };

int files_init(struct files *files, struct loop *loop, int proc_fd, uint64_t reserve)
{
    files->loop = loop;
    files->proc_fd = proc_fd;
    files->reserve = reserve;
    files->home_fd = open(USER_HOME, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return files->home_fd < 0 ? -errno : changes_new(files->home_fd, &files->changes);
}

/* Answers a request: OK, or the error. */
static void answer(struct port *port, uint32_t id, int r, const struct gb_err *err)
{
    if (r < 0)
        port_send_error(port, id, err);
    else
        port_send_ok(port, id);
}

int files_check_room(const struct files *files, size_t size, struct gb_err *err)
{
    return system_check_available(files->proc_fd, files->reserve + size, err);
}

/* Listing. */

static enum gb_entry_type entry_type(mode_t mode)
{
    if (S_ISREG(mode))
        return GB_ENTRY_FILE;
    if (S_ISDIR(mode))
        return GB_ENTRY_DIR;
    return S_ISLNK(mode) ? GB_ENTRY_SYMLINK : GB_ENTRY_OTHER;
}

static void add_entry(struct gb_buf *payload, const char *name, const struct stat *status)
{
    const struct gb_file_entry entry = {
        .name = gb_bytes_str(name),
        .type = (uint8_t)entry_type(status->st_mode),
        .size = (uint64_t)status->st_size,
        .allocated = (uint64_t)status->st_blocks * 512,
        .mtime_ns =
            (int64_t)status->st_mtim.tv_sec * (int64_t)GB_NS_PER_S + status->st_mtim.tv_nsec,
        .mode = status->st_mode & 07777,
    };

    gb_entries_add(payload, &entry);
}

/* The first names of a folder in bytewise order, after @after. Names are collected until there are
 * several times too many, then sorted and truncated: a folder of any size costs little memory. */
struct names {
    char **list;
    size_t count, keep, room;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void cut_names(struct names *names)
{
    qsort(names->list, names->count, sizeof(*names->list), compare_names);
    while (names->count > names->keep)
        free(names->list[--names->count]);
}

static void names_release(struct names *names)
{
    while (names->count > 0)
        free(names->list[--names->count]);
    free(names->list);
}

static int gather(int folder_fd, const char *after, struct names *names)
{
    DIR *entries = fdopendir(folder_fd);
    const struct dirent *entry;

    if (entries == NULL) {
        (void)gb_close(folder_fd);
        return -ENOMEM;
    }
    rewinddir(entries); /* another descriptor of it may have been read */
    while ((entry = readdir(entries)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            strcmp(entry->d_name, after) <= 0)
            continue;
        if (names->count == names->room)
            cut_names(names);
        names->list[names->count++] = xstrdup(entry->d_name);
    }
    (void)closedir(entries);
    cut_names(names);
    return 0;
}

/* False if there are more names, and all of those to be returned have disappeared. */
static bool add_names(int folder_fd, const struct names *names, size_t limit,
                      struct gb_buf *payload)
{
    size_t begin = gb_entries_begin(payload);
    uint32_t count = 0;

    for (size_t i = 0; i < MIN(names->count, limit); i++) {
        struct stat status;

        if (fstatat(folder_fd, names->list[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue; /* removed since */
        add_entry(payload, names->list[i], &status);
        count++;
    }
    gb_entries_end(payload, begin, count, names->count > limit);
    return count > 0 || names->count <= limit;
}

static int list_folder(int home_fd, const struct gb_file_list *request, struct gb_buf *payload,
                       struct gb_err *err)
{
    _cleanup_(names_release) struct names names = {0};
    _cleanup_(closep) int fd = -1;
    char after[GB_FILE_NAME_MAX + 1] = "";
    size_t limit = request->limit;
    struct path path;
    int reader, r = path_parse(request->path, USER_HOME, &path, err);
    bool told;

    if (r < 0)
        return r;
    if (limit == 0 || limit > GB_ENTRIES_MAX)
        return gb_err_set(err, GB_EINVALID, "a listing has 1 to %u entries", GB_ENTRIES_MAX);
    if (request->after.size > 0)
        memcpy(after, request->after.data, request->after.size);
    fd = home_open(home_fd, path.text, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return home_error(err, -fd, "the folder cannot be listed");
    names.keep = limit + 1;
    names.room = names.keep * GATHER;
    names.list = xcalloc(names.room, sizeof(*names.list));
    do {
        gb_buf_clear(payload);
        reader = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        r = reader < 0 ? -errno : gather(reader, after, &names);
        if (r < 0)
            return home_error(err, -r, "the folder cannot be listed");
        told = add_names(fd, &names, limit, payload);
        if (!told)
            (void)snprintf(after, sizeof(after), "%s", names.list[limit - 1]);
        while (!told && names.count > 0)
            free(names.list[--names.count]);
    } while (!told);
    return 0;
}

static int stat_path(int home_fd, const struct gb_file_path *request, struct gb_buf *payload,
                     struct gb_err *err)
{
    struct path path;
    struct stat status;
    _cleanup_(closep) int fd = -1;
    const char *name;
    size_t begin;
    int r = path_parse(request->path, USER_HOME, &path, err);

    if (r < 0)
        return r;
    fd = home_open(home_fd, path.text, O_PATH | O_NOFOLLOW, 0);
    if (fd < 0 || fstat(fd, &status) < 0)
        return home_error(err, fd < 0 ? -fd : errno, "the file");
    name = path_split(&path);
    begin = gb_entries_begin(payload);
    add_entry(payload, name == NULL ? "." : name, &status);
    gb_entries_end(payload, begin, 1, false);
    return 0;
}

static void answer_entries(struct port *port, uint32_t id, int r, const struct gb_buf *payload,
                           const struct gb_err *err)
{
    const struct gb_frame frame = {
        .type = GB_GUEST_FILE_ENTRIES,
        .id = id,
        .payload = gb_buf_bytes(payload),
    };

    if (r < 0)
        port_send_error(port, id, err);
    else
        gb_frame_add(&port->out, &frame);
}

void files_list(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_list *request)
{
    _cleanup_(gb_buf_release) struct gb_buf payload = {0};
    struct gb_err err;
    int r;

    home_as_user(true);
    r = list_folder(files->home_fd, request, &payload, &err);
    home_as_user(false);
    answer_entries(port, id, r, &payload, &err);
}

void files_stat(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_path *request)
{
    _cleanup_(gb_buf_release) struct gb_buf payload = {0};
    struct gb_err err;
    int r;

    home_as_user(true);
    r = stat_path(files->home_fd, request, &payload, &err);
    home_as_user(false);
    answer_entries(port, id, r, &payload, &err);
}

/* Changes. */

/* The entry that a request is about: a name in a folder. */
struct target {
    struct path path;
    const char *name; /* points into path */
    int folder_fd;
};

static int parse_target(const struct gb_file_change *request, struct path *path, struct gb_err *err)
{
    int r = path_parse(request->path, USER_HOME, path, err);

    if (r < 0)
        return r;
    while (path->size > 1 && path->text[path->size - 1] == '/')
        path->text[--path->size] = '\0';
    return 0;
}

static int open_target(const struct files *files, struct target *target, struct gb_err *err)
{
    target->name = path_split(&target->path);
    if (target->name == NULL)
        return gb_err_set(err, GB_EPOLICY, "the path does not name anything that can be changed");
    target->folder_fd = home_open(files->home_fd, target->path.text, O_PATH | O_DIRECTORY, 0);
    if (target->folder_fd < 0)
        return home_error(err, -target->folder_fd, "the folder above");
    return 0;
}

static int find_target(const struct files *files, const struct gb_file_change *request,
                       struct target *target, struct gb_err *err)
{
    int r = parse_target(request, &target->path, err);

    return r < 0 ? r : open_target(files, target, err);
}

static int change(const struct files *files, const struct gb_file_change *request, bool make,
                  struct target *target, struct gb_err *err)
{
    int r = parse_target(request, &target->path, err);

    if (r == 0 && make)
        r = files_check_room(files, 0, err);
    if (r < 0)
        return r;
    if (make && request->recursive) {
        target->folder_fd = home_open_parents(files->home_fd, target->path.text);
        return target->folder_fd < 0
                   ? home_error(err, -target->folder_fd, "the folder cannot be made")
                   : 0;
    }
    r = open_target(files, target, err);
    if (r < 0)
        return r;
    if (make)
        r = mkdirat(target->folder_fd, target->name, 0755) < 0 ? -errno : 0;
    else if (unlinkat(target->folder_fd, target->name, 0) < 0)
        r = errno == EISDIR && unlinkat(target->folder_fd, target->name, AT_REMOVEDIR) == 0
                ? 0
                : -errno;
    return r < 0 ? home_error(err, -r, make ? "the folder cannot be made" : "it cannot be removed")
                 : 0;
}

/* Closes the target. */
static void finish_change(const struct files *files, struct port *port, uint32_t id,
                          struct target *target, int r, const struct gb_err *err)
{
    if (target->folder_fd >= 0 && target->name != NULL)
        changes_accept(files->changes, target->folder_fd, target->name);
    target->folder_fd = gb_close(target->folder_fd);
    answer(port, id, r, err);
}

static void serve_change(struct files *files, struct port *port, uint32_t id,
                         const struct gb_file_change *request, bool make)
{
    struct target target = {.folder_fd = -1};
    struct gb_err err;
    int r;

    home_as_user(true);
    r = change(files, request, make, &target, &err);
    home_as_user(false);
    finish_change(files, port, id, &target, r, &err);
}

/* Removing a folder with everything in it, a step in each round of the loop. */

struct removing {
    struct deadline next; /* passed at once: the host and cells are served in between */
    struct files *files;
    struct port *port;
    uint32_t id;
    struct target target;
    struct removal removal;
};

static void removing_end(struct removing *removing, int r)
{
    struct gb_err err;

    if (r < 0)
        r = home_error(&err, -r, "it cannot be removed");
    removing->files->removing_count--;
    finish_change(removing->files, removing->port, removing->id, &removing->target, r, &err);
    free(removing);
}

static void removing_step(struct deadline *next)
{
    struct removing *removing = container_of(next, struct removing, next);
    int r;

    home_as_user(true);
    r = home_removal_step(&removing->removal);
    home_as_user(false);
    if (r == 1)
        deadline_set(removing->files->loop, next, gb_clock_mono_ns());
    else
        removing_end(removing, r);
}

static void remove_tree(struct files *files, struct port *port, uint32_t id,
                        const struct gb_file_change *request)
{
    struct removing *removing = xcalloc(1, sizeof(*removing));
    struct gb_err err;
    int r;

    *removing = (struct removing){.files = files, .port = port, .id = id, .target.folder_fd = -1};
    home_as_user(true);
    r = find_target(files, request, &removing->target, &err);
    if (r == 0)
        r = home_removal_begin(&removing->removal, removing->target.folder_fd,
                               removing->target.name);
    home_as_user(false);
    if (removing->target.folder_fd < 0) {
        free(removing);
        answer(port, id, r, &err);
        return;
    }
    files->removing_count++;
    deadline_init(&removing->next, removing_step);
    if (r == 1)
        removing_step(&removing->next);
    else
        removing_end(removing, r);
}

void files_remove(struct files *files, struct port *port, uint32_t id,
                  const struct gb_file_change *request)
{
    if (request->recursive)
        remove_tree(files, port, id, request);
    else
        serve_change(files, port, id, request, false);
}

void files_mkdir(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_change *request)
{
    serve_change(files, port, id, request, true);
}
