/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "home.h"
#include "init.h"
#include "system.h"

enum { DEFAULT_MODE = 0644, MODE_BITS = 0777, GATHER = 4 };

int files_init(struct files *files, int proc_fd, uint64_t reserve)
{
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

/* Writing. */

static struct upload *find_upload(struct files *files, uint32_t id)
{
    for (size_t i = 0; i < ARRAY_SIZE(files->uploads); i++) {
        if (files->uploads[i].used && files->uploads[i].id == id)
            return &files->uploads[i];
    }
    return NULL;
}

static void forget_upload(struct upload *upload)
{
    (void)gb_close(upload->fd);
    (void)gb_close(upload->folder_fd);
    free(upload->path);
    *upload = (struct upload){.fd = -1, .folder_fd = -1};
}

/* Begins an upload: the folder of its path, and a file without a name in it. */
static int begin_upload(struct files *files, const struct gb_file_write *request,
                        struct upload **ret_upload, struct gb_err *err)
{
    struct upload *upload = NULL;
    struct path path;
    const char *name;
    int r;

    for (size_t i = 0; i < ARRAY_SIZE(files->uploads) && upload == NULL; i++) {
        if (!files->uploads[i].used)
            upload = &files->uploads[i];
    }
    if (upload == NULL)
        return gb_err_set(err, GB_EBUSY, "%u uploads are unfinished", GB_UPLOADS_MAX);
    if (request->offset != 0)
        return gb_err_set(err, GB_EINVALID, "an upload begins at offset 0");
    r = path_parse(request->path, USER_HOME, &path, err);
    if (r < 0)
        return r;
    name = path_split(&path);
    if (name == NULL)
        return gb_err_set(err, GB_EINVALID, "the path names no file");
    *upload = (struct upload){.id = request->upload, .used = true, .fd = -1, .folder_fd = -1};
    upload->path = xstrdup(name);
    upload->folder_fd = home_open_parents(files->home_fd, path.text);
    if (upload->folder_fd < 0)
        r = home_error(err, -upload->folder_fd, "the folder of the file");
    if (r == 0) {
        upload->fd = home_open(upload->folder_fd, ".", O_TMPFILE | O_RDWR, DEFAULT_MODE);
        if (upload->fd < 0)
            r = home_error(err, -upload->fd, "the file cannot be made");
    }
    if (r < 0)
        forget_upload(upload);
    else
        *ret_upload = upload;
    return r;
}

/* A link that is there already must not lead out, even though it would be replaced: whoever writes
 * through it does not expect that. */
static int check_target(struct files *files, const struct gb_file_write *request,
                        struct gb_err *err)
{
    struct path path;
    _cleanup_(closep) int fd = -1;
    int r = path_parse(request->path, USER_HOME, &path, err);

    if (r < 0)
        return r;
    fd = home_open(files->home_fd, path.text, O_PATH, 0);
    if (fd == -EXDEV || fd == -ELOOP)
        return home_error(err, -fd, "the file");
    return 0;
}

/* Gives the file its name: at once where nothing has that name, else beside it and over it. */
static int name_file(const struct upload *upload)
{
    char source[32], beside[32];
    uint64_t random = 0;

    (void)snprintf(source, sizeof(source), "/proc/self/fd/%d", upload->fd);
    if (linkat(AT_FDCWD, source, upload->folder_fd, upload->path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    if (getrandom(&random, sizeof(random), 0) < 0)
        return -errno;
    (void)snprintf(beside, sizeof(beside), ".upload-%016llx", (unsigned long long)random);
    if (linkat(AT_FDCWD, source, upload->folder_fd, beside, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    if (renameat(upload->folder_fd, beside, upload->folder_fd, upload->path) == 0)
        return 0;
    random = (uint64_t)errno;
    (void)unlinkat(upload->folder_fd, beside, 0);
    return -(int)random;
}

/* What the agent writes is no part of the user's memory limit: it may not take what the kernel
 * needs to go on. */
static int check_room(const struct files *files, size_t size, struct gb_err *err)
{
    if (system_has_available(files->proc_fd, files->reserve + size))
        return 0;
    return gb_err_set(
        err, GB_ETOOLARGE,
        "no memory left: the session's files and processes take up what it has; remove "
        "files, end processes, or open it with more memory");
}

static int write_chunk(struct files *files, struct upload *upload,
                       const struct gb_file_write *request, struct gb_err *err)
{
    mode_t mode = request->mode == 0 ? DEFAULT_MODE : request->mode;
    ssize_t n;
    int r;

    if ((mode & ~(mode_t)MODE_BITS) != 0)
        return gb_err_set(err, GB_EINVALID, "the mode %o has other than permission bits", mode);
    if (request->offset != upload->size)
        return gb_err_set(err, GB_EINVALID, "the upload is at %llu, not at %llu",
                          (unsigned long long)upload->size, (unsigned long long)request->offset);
    r = check_room(files, request->data.size, err);
    if (r < 0)
        return r;
    n = gb_fd_write_full(upload->fd, request->data.data, request->data.size);
    if (n < 0)
        return home_error(err, (int)-n, "the file cannot be written");
    upload->size += (uint64_t)n;
    if (!request->final)
        return 0;
    r = check_target(files, request, err);
    if (r < 0)
        return r;
    r = fchmod(upload->fd, mode) < 0 ? -errno : name_file(upload);
    return r < 0 ? home_error(err, -r, "the file cannot be put in its place") : 0;
}

bool files_are_open(const struct files *files)
{
    for (size_t i = 0; i < GB_UPLOADS_MAX; i++)
        if (files->uploads[i].used)
            return true;
    return false;
}

void files_write(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_write *request)
{
    struct upload *upload = find_upload(files, request->upload);
    struct gb_file_size size;
    struct gb_err err;
    int r = 0;

    home_as_user(true);
    if (upload == NULL)
        r = begin_upload(files, request, &upload, &err);
    if (r == 0)
        r = write_chunk(files, upload, request, &err);
    home_as_user(false);
    if (r == 0 && request->final)
        changes_accept(files->changes, upload->folder_fd, upload->path);
    if (r == 0) {
        size.size = upload->size;
        port_send(port, (struct gb_frame){.type = GB_GUEST_FILE_SIZE, .id = id},
                  &gb_file_size_fields, &size);
    } else {
        port_send_error(port, id, &err);
    }
    if (upload != NULL && (r < 0 || request->final))
        forget_upload(upload);
}

int files_put(struct files *files, struct gb_bytes path, struct gb_bytes data, mode_t mode,
              struct gb_err *err)
{
    const struct gb_file_write request = {.path = path, .final = 1, .mode = mode, .data = data};
    struct upload *upload = NULL;
    int r;

    home_as_user(true);
    r = begin_upload(files, &request, &upload, err);
    if (r == 0)
        r = write_chunk(files, upload, &request, err);
    home_as_user(false);
    if (r == 0)
        changes_accept(files->changes, upload->folder_fd, upload->path);
    if (upload != NULL)
        forget_upload(upload);
    return r;
}

void files_abort(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_abort *request)
{
    struct upload *upload = find_upload(files, request->upload);

    if (upload != NULL)
        forget_upload(upload);
    port_send_ok(port, id); /* to forget what is unknown is no error */
}

/* Reading. */

static int read_piece(int home_fd, const struct gb_file_read *request, struct gb_buf *data,
                      struct gb_file_data *ret_reply, struct gb_err *err)
{
    struct path path;
    struct stat status;
    _cleanup_(closep) int fd = -1;
    uint64_t left;
    size_t size;
    uint8_t *to;
    ssize_t n;
    int r = path_parse(request->path, USER_HOME, &path, err);

    if (r < 0)
        return r;
    if (request->length > GB_FILE_CHUNK_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "a piece of a file is at most %u bytes",
                          GB_FILE_CHUNK_MAX);
    /* O_NONBLOCK: a FIFO would wait for its other end here. */
    fd = home_open(home_fd, path.text, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return home_error(err, -fd, "the file cannot be read");
    if (fstat(fd, &status) < 0)
        return gb_err_sys(err, errno, "the file cannot be read");
    if (!S_ISREG(status.st_mode))
        return gb_err_set(err, GB_EINVALID, "only regular files can be read");
    left = (uint64_t)status.st_size - MIN((uint64_t)status.st_size, request->offset);
    size = (size_t)MIN(left, (uint64_t)request->length);
    to = gb_buf_reserve(data, size + 1, GB_FILE_CHUNK_MAX + 1);
    if (to == NULL)
        return gb_err_set(err, GB_ECAPACITY, "no memory for %zu bytes of the file", size);
    n = pread(fd, to, size, (off_t)MIN(request->offset, (uint64_t)INT64_MAX - size));
    if (n < 0)
        return gb_err_sys(err, errno, "the file cannot be read");
    gb_buf_commit(data, (size_t)n);
    *ret_reply = (struct gb_file_data){
        .size = (uint64_t)status.st_size,
        .eof = left <= (uint64_t)n || (size_t)n < size,
        .data = gb_buf_bytes(data),
    };
    return 0;
}

void files_read(struct files *files, struct port *port, uint32_t id,
                const struct gb_file_read *request)
{
    _cleanup_(gb_buf_release) struct gb_buf data = {0};
    struct gb_file_data reply;
    struct gb_err err;
    int r;

    home_as_user(true);
    r = read_piece(files->home_fd, request, &data, &reply, &err);
    home_as_user(false);
    if (r < 0)
        port_send_error(port, id, &err);
    else
        port_send(port, (struct gb_frame){.type = GB_GUEST_FILE_DATA, .id = id},
                  &gb_file_data_fields, &reply);
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

/* The first names of a folder in the order of their bytes, of those behind @after. Names are
 * gathered until there are several times too many, then sorted and cut: a folder of any size costs
 * little memory. */
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

/* False when there are more, and those that would have been told have gone. */
static bool add_names(int folder_fd, const struct names *names, size_t limit,
                      struct gb_buf *payload)
{
    size_t begin = gb_entries_begin(payload);
    uint32_t count = 0;

    for (size_t i = 0; i < MIN(names->count, limit); i++) {
        struct stat status;

        if (fstatat(folder_fd, names->list[i], &status, AT_SYMLINK_NOFOLLOW) < 0)
            continue; /* gone since */
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
    const char *name; /* in path */
    int folder_fd;
};

static int change(const struct files *files, const struct gb_file_change *request, bool make,
                  struct target *target, struct gb_err *err)
{
    struct path *path = &target->path;
    const int home_fd = files->home_fd;
    int r = path_parse(request->path, USER_HOME, path, err);

    if (r == 0 && make)
        r = check_room(files, 0, err);
    if (r < 0)
        return r;
    while (path->size > 1 && path->text[path->size - 1] == '/')
        path->text[--path->size] = '\0';
    if (make && request->recursive) {
        target->folder_fd = home_open_parents(home_fd, path->text);
        return target->folder_fd < 0
                   ? home_error(err, -target->folder_fd, "the folder cannot be made")
                   : 0;
    }
    target->name = path_split(path);
    if (target->name == NULL)
        return gb_err_set(err, GB_EPOLICY, "the path names nothing that could be changed");
    target->folder_fd = home_open(home_fd, path->text, O_PATH | O_DIRECTORY, 0);
    if (target->folder_fd < 0)
        return home_error(err, -target->folder_fd, "the folder above");
    if (make)
        r = mkdirat(target->folder_fd, target->name, 0755) < 0 ? -errno : 0;
    else if (request->recursive)
        r = home_remove_tree(target->folder_fd, target->name);
    else if (unlinkat(target->folder_fd, target->name, 0) < 0)
        r = errno == EISDIR && unlinkat(target->folder_fd, target->name, AT_REMOVEDIR) == 0
                ? 0
                : -errno;
    return r < 0 ? home_error(err, -r, make ? "the folder cannot be made" : "it cannot be removed")
                 : 0;
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
    if (target.folder_fd >= 0 && target.name != NULL)
        changes_accept(files->changes, target.folder_fd, target.name);
    (void)gb_close(target.folder_fd);
    answer(port, id, r, &err);
}

void files_remove(struct files *files, struct port *port, uint32_t id,
                  const struct gb_file_change *request)
{
    serve_change(files, port, id, request, false);
}

void files_mkdir(struct files *files, struct port *port, uint32_t id,
                 const struct gb_file_change *request)
{
    serve_change(files, port, id, request, true);
}
