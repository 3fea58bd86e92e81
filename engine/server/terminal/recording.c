/* SPDX-License-Identifier: Apache-2.0 */
#include "recording.h"

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
#include "base/log.h"
#include "base/mem.h"
#include "base/surplus.h"
#include "rpc/json.h"

enum {
    RECORDING_WAIT_MS = 2000,
    RECORDING_WAIT_BYTES = 64 * 1024,
    RECORDING_FILE_CHARGE = 64 * 1024, /* the least that a file counts: bounds their number */
    RECORDING_FILES_MAX = 4096,        /* looked at in one go */
    RECORDING_END_ROOM = 128,          /* for the last event */
    RECORDING_NAME_MAX = GB_SURPLUS_NAME_MAX,
    RECORDING_ID_MAX = 30, /* of a session */
    RECORDING_COMMAND_MAX = 1000,
};

struct recording {
    struct gb_list link;
    struct recording_folder *folder;
    char name[RECORDING_NAME_MAX + 1];
    int fd;
    struct gb_vt_view *view;
    unsigned rows, columns;
    uint64_t began_ns; /* monotonic */
    uint64_t size;     /* including what waits */
    struct gb_buf waiting;
    struct gb_timer *timer;
    bool over; /* nothing more is recorded */
};

/* ---- files ---- */

/* "SESSION-NUMBER". False: that cannot be the id of a session. */
static bool recording_name(char name[RECORDING_NAME_MAX + 1], struct gb_bytes session,
                           uint32_t number)
{
    if (session.size == 0 || session.size > RECORDING_ID_MAX || session.data[0] == '.')
        return false;
    for (size_t i = 0; i < session.size; i++) {
        uint8_t byte = session.data[i];

        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') && byte != '-')
            return false;
    }
    (void)snprintf(name, RECORDING_NAME_MAX + 1, "%.*s-%u", (int)session.size,
                   (const char *)session.data, number);
    return true;
}

static struct recording *recording_find(struct recording_folder *folder, const char *name)
{
    struct recording *recording;

    GB_LIST_FOREACH(recording, &folder->casts, link)
        if (strcmp(recording->name, name) == 0)
            return recording;
    return NULL;
}

static void recording_say(struct recording_folder *folder, const char *what, int sys_errno)
{
    if (!folder->told)
        gb_warning("terminals are not recorded: %s: %s", what, strerror(sys_errno));
    folder->told = true;
}

static bool recording_remove(const struct gb_surplus_item *item, bool old, void *arg)
{
    struct recording_folder *folder = arg;

    (void)old;
    return recording_find(folder, item->name) == NULL && unlinkat(folder->fd, item->name, 0) == 0;
}

/* Makes room for another recording. */
static void recording_make_room(struct recording_folder *folder)
{
    const uint64_t total = folder->settings->record_total;
    /* So that no more files fit than are looked at. */
    const uint64_t charge = MAX((uint64_t)RECORDING_FILE_CHARGE, 2 * total / RECORDING_FILES_MAX);
    const struct gb_surplus_limits limits = {.max_age_s = UINT64_MAX,
                                             .max_bytes = total - MIN(total, charge)};
    int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *files = fd < 0 ? NULL : fdopendir(fd);
    struct gb_surplus_item *items;
    const struct dirent *entry;
    size_t count = 0;
    struct stat info;

    if (files == NULL) {
        (void)gb_close(fd);
        return;
    }
    items = xcalloc(RECORDING_FILES_MAX, sizeof(*items));
    while (count < RECORDING_FILES_MAX && (entry = readdir(files)) != NULL) {
        size_t size = strlen(entry->d_name);

        if (size > RECORDING_NAME_MAX ||
            fstatat(fd, entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(info.st_mode))
            continue;
        items[count] = (struct gb_surplus_item){.bytes = MAX((uint64_t)info.st_size, charge),
                                                .used = info.st_mtime};
        memcpy(items[count++].name, entry->d_name, size + 1);
    }
    gb_surplus(items, count, &limits, time(NULL), recording_remove, folder);
    free(items);
    (void)closedir(files);
}

void recording_folder_open(struct recording_folder *folder, struct gb_loop *loop, const char *path,
                           const struct gb_settings_terminals *settings)
{
    struct gb_err err = {0};

    folder->loop = loop;
    folder->settings = settings;
    folder->fd = -1;
    gb_list_init(&folder->casts);
    if (path == NULL)
        return;
    if (gb_fd_make_dirs(path, 0700, &err) < 0) {
        gb_warning("terminals are not recorded: %s", err.message);
        return;
    }
    folder->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0)
        recording_say(folder, path, errno);
    else
        recording_make_room(folder);
}

void recording_folder_close(struct recording_folder *folder)
{
    folder->fd = gb_close(folder->fd);
}

/* ---- events ---- */

/* What cannot be written ends the recording. */
static void recording_flush(struct recording *recording)
{
    ssize_t n = recording->waiting.size == 0
                    ? 0
                    : gb_fd_write_full(recording->fd, gb_buf_data(&recording->waiting),
                                       recording->waiting.size);

    gb_timer_stop(recording->timer);
    gb_buf_release(&recording->waiting);
    if (n < 0) {
        recording_say(recording->folder, recording->name, (int)-n);
        recording->over = true;
    }
}

static void recording_on_timer(void *arg)
{
    recording_flush(arg);
}

static void recording_begin_event(const struct recording *recording, struct gb_buf *line,
                                  struct gb_json_out *out, const char *code)
{
    char seconds[32];

    (void)snprintf(seconds, sizeof(seconds), "%.6f",
                   (double)(gb_clock_mono_ns() - recording->began_ns) / (double)GB_NS_PER_S);
    *out = (struct gb_json_out){.buf = line};
    gb_json_array(out, NULL);
    gb_json_put_raw(out, NULL, gb_bytes_str(seconds));
    gb_json_put_str(out, NULL, code);
}

static void recording_add_line(struct recording *recording, const struct gb_buf *line)
{
    gb_buf_add(&recording->waiting, gb_buf_data(line), line->size);
    gb_buf_adds(&recording->waiting, "\n");
    recording->size += line->size + 1;
    if (recording->waiting.size >= RECORDING_WAIT_BYTES)
        recording_flush(recording);
    else if (!gb_timer_active(recording->timer))
        gb_timer_start(recording->timer, RECORDING_WAIT_MS);
}

/* Adds an event, or the marker that ends a recording that has become too large. */
static void recording_add_event(struct recording *recording, const char *code, struct gb_bytes text)
{
    struct gb_buf line = {0};
    struct gb_json_out out;

    if (recording->over)
        return;
    recording_begin_event(recording, &line, &out, code);
    gb_json_put(&out, NULL, text);
    gb_json_end(&out);
    if (recording->size + line.size + RECORDING_END_ROOM >
        recording->folder->settings->record_size) {
        gb_buf_clear(&line);
        recording_begin_event(recording, &line, &out, "m");
        gb_json_put_str(&out, NULL, "the recording is full");
        gb_json_end(&out);
        recording_add_line(recording, &line);
        recording->over = true;
    } else {
        recording_add_line(recording, &line);
    }
    gb_buf_release(&line);
}

static void recording_add_header(struct recording *recording, const struct recording_config *config)
{
    struct gb_buf line = {0}, command = {0};
    struct gb_json_out out = {.buf = &line};

    for (size_t i = 0; i < config->arg_count && command.size < RECORDING_COMMAND_MAX; i++)
        gb_buf_addf(&command, "%s%.*s", i > 0 ? " " : "", RECORDING_COMMAND_MAX, config->args[i]);
    gb_json_object(&out, NULL);
    gb_json_put_u64(&out, "version", 2);
    gb_json_put_u64(&out, "width", recording->columns);
    gb_json_put_u64(&out, "height", recording->rows);
    gb_json_put_u64(&out, "timestamp", config->started_at_ns / GB_NS_PER_S);
    if (command.size > 0)
        gb_json_put(&out, "command", gb_buf_bytes(&command));
    gb_json_put_str(&out, "title", recording->name);
    gb_json_object(&out, "env");
    gb_json_put_str(&out, "TERM", "xterm-256color");
    gb_json_end(&out);
    gb_json_end(&out);
    recording_add_line(recording, &line);
    gb_buf_release(&line);
    gb_buf_release(&command);
}

/* ---- life ---- */

struct recording *recording_new(struct recording_folder *folder,
                                const struct recording_config *config, const struct gb_vt *vt)
{
    char name[RECORDING_NAME_MAX + 1];
    struct recording *recording;
    int fd;

    if (folder->fd < 0 || !folder->settings->record ||
        !recording_name(name, config->session, config->number))
        return NULL;
    recording_make_room(folder);
    fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        recording_say(folder, name, errno);
        return NULL;
    }
    recording = xcalloc(1, sizeof(*recording));
    recording->folder = folder;
    recording->fd = fd;
    memcpy(recording->name, name, sizeof(name));
    recording->rows = gb_vt_rows(vt);
    recording->columns = gb_vt_columns(vt);
    recording->view = gb_vt_view_new(recording->rows, recording->columns);
    recording->began_ns = gb_clock_mono_ns();
    recording->timer = gb_timer_new(folder->loop, recording_on_timer, recording);
    gb_list_add_tail(&folder->casts, &recording->link);
    recording_add_header(recording, config);
    return recording;
}

void recording_paint(struct recording *recording, const struct gb_vt *vt)
{
    struct gb_buf bytes = {0};

    if (recording == NULL || recording->over)
        return;
    if (recording->rows != gb_vt_rows(vt) || recording->columns != gb_vt_columns(vt)) {
        char size[32];

        recording->rows = gb_vt_rows(vt);
        recording->columns = gb_vt_columns(vt);
        gb_vt_view_resize(recording->view, recording->rows, recording->columns);
        (void)snprintf(size, sizeof(size), "%ux%u", recording->columns, recording->rows);
        recording_add_event(recording, "r", gb_bytes_str(size));
    }
    gb_vt_view_paint(recording->view, vt, &bytes);
    if (bytes.size > 0)
        recording_add_event(recording, "o", gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
}

void recording_end(struct recording *recording)
{
    struct gb_buf bytes = {0};

    if (recording == NULL)
        return;
    gb_vt_view_end(recording->view, &bytes);
    recording_add_event(recording, "o", gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
    recording_flush(recording);
    gb_list_remove(&recording->link);
    gb_timer_free(recording->timer);
    gb_vt_view_free(recording->view);
    (void)gb_close(recording->fd);
    free(recording);
}

/* ---- reading ---- */

int recording_read(struct recording_folder *folder, struct gb_bytes session, uint32_t number,
                   uint64_t offset, size_t length, struct gb_buf *ret_data,
                   struct gb_piece_info *ret_piece, struct gb_err *err)
{
    char name[RECORDING_NAME_MAX + 1];
    struct recording *recording;
    struct stat info;
    ssize_t n;
    int fd = -1;

    if (folder->fd >= 0 && recording_name(name, session, number)) {
        recording = recording_find(folder, name);
        if (recording != NULL)
            recording_flush(recording);
        fd = openat(folder->fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    }
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) {
        (void)gb_close(fd);
        return gb_err_set(err, GB_ENOTFOUND,
                          "there is no recording of terminal %u of that session: it had none, "
                          "[terminals] in the settings turned it off, or newer ones needed its "
                          "room",
                          number);
    }
    n = pread(fd, gb_buf_reserve(ret_data, length, SIZE_MAX), length, (off_t)offset);
    (void)gb_close(fd);
    if (n < 0)
        return gb_err_sys(err, errno, "cannot read the recording");
    gb_buf_commit(ret_data, (size_t)n);
    *ret_piece = (struct gb_piece_info){
        .data = gb_buf_bytes(ret_data),
        .size = (uint64_t)info.st_size,
        .flags = offset + (uint64_t)n >= (uint64_t)info.st_size ? GB_PIECE_EOF : 0};
    return 0;
}
