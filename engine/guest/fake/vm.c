/* SPDX-License-Identifier: Apache-2.0 */
/* A VM that fails where a test wants it to: it replaces launcher, QEMU and agent by one process
 * that really exits. It behaves like an honest guest except for one thing, which replaces QEMU's
 * path on its command line:
 *
 *     /ACTION/WHAT/N     at the N-th WHAT (from 1)
 *
 *     WHAT      START; a command of the monitor; a frame of the host by its name (EXEC, PING, …)
 *     dies      ends at once, without an answer
 *     silent    does not answer
 *     refuses   answers ERROR busy
 *     lies      answers with a frame that is no answer to it
 *     late      answers just before the next answer
 *     arrives   at the first N: its memory changes right after the state of its devices is saved,
 *               as if something had arrived at a port
 *     breaks    says at each EXEC or TERMINAL what no honest guest says, N telling which
 *     honest    does nothing of the kind
 *
 * A cell prints its code and ends, with its number as the exit code (in a warm-up: 0); "flood N"
 * prints N bytes, as its window allows, "wait" waits for standard input and never ends, "leave"
 * keeps printing after its end, "lose" loses the interpreter. A program at a terminal prints
 * "ready" and what it reads, and exits with 7 if that starts with q.
 *
 * Files are only names: an upload to "refused" is refused, one to "full" has room for nothing,
 * "short" ends with a wrong size, and "early" before it was sent; "stuck" reads nothing. A download
 * named by a number has that many bytes; "missing" is refused, "much" sends more than requested,
 * "little" less, and "stuck" nothing. What calls find is counted: a download of "count" has as many
 * bytes as files have been completed, and a cell "count" prints as many; one of "last" is as long
 * as the last of them; any FILE_REMOVE removes all; an upload to "inside" is refused before a
 * FILE_MKDIR. A folder has one entry for each character of its path; a `+` there says that more
 * follow.
 *
 * Its memory is the file that it may read as `ram`, if there is one. The state of its devices is
 * one byte: how often something has arrived, which is also in the first byte of the page with that
 * number, and of page 0.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "wire/frame.h"
#include "wire/guest.h"
#include "wire/mux.h"

/* Those of a warm-up have higher numbers. */
#define CELLS_OF_OURS 0x10000u

enum {
    FD_STATUS = 3,
    FD_LIFELINE = 4,
    FD_MONITOR = 5,
    FD_AGENT = 6,
    NAME_MAX_BYTES = 32,
    FAKE_PAGE = 4096
};

static char action[NAME_MAX_BYTES], what[NAME_MAX_BYTES];
static int countdown, variant; /* as given: what `breaks` sends */
static struct gb_buf kept;     /* the delayed answer */

static void fake_write(int fd, const void *data, size_t size)
{
    if (gb_fd_write_full(fd, data, size) < 0)
        _exit(0); /* the reader has gone */
}

static void fake_send(struct gb_frame frame, const struct gb_fields *table, const void *message)
{
    struct gb_buf buf = {0};

    gb_guest_add(&buf, frame, table, message);
    fake_write(FD_AGENT, gb_buf_data(&buf), buf.size);
    gb_buf_release(&buf);
}

/* Whether it is time to fail, at @name. */
static bool fake_is_at(const char *name)
{
    if (strcmp(what, name) != 0 || --countdown != 0)
        return false;
    if (strcmp(action, "dies") == 0)
        (void)raise(SIGKILL);
    return true;
}

/* ---- its memory ---- */

static volatile uint8_t *ram; /* NULL: none */
static int state_fd = -1;     /* where the state of its devices is saved */
static uint8_t arrived;

static void fake_map(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *at;

    if (fd < 0 || fstat(fd, &info) < 0)
        _exit(8);
    if (info.st_size == 0) { /* of a test that does not need any */
        (void)close(fd);
        return;
    }
    at = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    if (at == MAP_FAILED)
        _exit(8);
    ram = at;
    (void)close(fd);
    /* As the launcher has QEMU do: O_CLOEXEC, O_NONBLOCK and UFFD_USER_MODE_ONLY. */
    (void)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | 1);
}

static void fake_save(void)
{
    const bool arrives = strcmp(action, "arrives") == 0 && arrived < variant;

    if (ram == NULL)
        return;
    fake_write(state_fd, &arrived, 1);
    if (!arrives)
        return;
    arrived++;
    ram[0] = arrived;
    ram[(size_t)arrived * FAKE_PAGE] = arrived;
}

/* ---- the monitor ---- */

static void fake_say(const char *text)
{
    fake_write(FD_MONITOR, text, strlen(text));
}

static void fake_answer_monitor(const char *line)
{
    const char *command = strstr(line, "\"execute\":\""), *id = strstr(line, "\"id\":");
    char name[NAME_MAX_BYTES] = "", reply[128];

    if (command == NULL || id == NULL ||
        sscanf(command, "\"execute\":\"%31[a-z_-]\"", name) != 1) /* "qmp_capabilities" */
        _exit(4);
    if (fake_is_at(name) && strcmp(action, "silent") == 0)
        return;
    if (strcmp(name, "xen-save-devices-state") == 0)
        fake_save();
    (void)snprintf(reply, sizeof(reply), "{\"return\":{\"fdset-id\":1,\"fd\":9},\"id\":%ld}\n",
                   strtol(id + 5, NULL, 10));
    fake_say(reply);
    if (strcmp(name, "migrate-incoming") == 0)
        fake_say("{\"event\":\"MIGRATION\",\"data\":{\"status\":\"completed\"}}\n");
}

/* The size of the object at the front of @text, or 0 if it is incomplete. No string in a command
 * contains a brace. */
static size_t fake_command_size(const char *text)
{
    int depth = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
        if (text[i] == '}' && depth == 0)
            return i + 1;
    }
    return 0;
}

/* False: it is closed. A descriptor is the last one that was sent. */
static bool fake_read_monitor(struct gb_buf *input)
{
    char piece[4096];
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {piece, sizeof(piece)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(FD_MONITOR, &message, MSG_CMSG_CLOEXEC);
    size_t size;

    if (n <= 0)
        return false;
    if (message.msg_controllen >= CMSG_LEN(sizeof(int))) {
        (void)gb_close(state_fd);
        memcpy(&state_fd, CMSG_DATA(&control.head), sizeof(state_fd));
    }
    gb_buf_add(input, piece, (size_t)n);
    while ((size = fake_command_size(gb_buf_str(input))) > 0) {
        fake_answer_monitor(gb_buf_str(input));
        gb_buf_consume(input, size);
    }
    return true;
}

/* ---- the agent ---- */

static void fake_ready(uint32_t generation)
{
    const struct gb_ready ready = {gb_bytes_str("shell"), generation, 1};

    fake_send((struct gb_frame){.type = GB_GUEST_READY}, &gb_ready_fields, &ready);
}

static void fake_begin(void)
{
    const struct gb_hello hello = {
        .version = GB_GUEST_VERSION,
        .language = gb_bytes_str("shell"),
        .kernel = gb_bytes_str("none"),
    };

    fake_send((struct gb_frame){.type = GB_GUEST_HELLO}, &gb_hello_fields, &hello);
    if (!fake_is_at("READY"))
        fake_ready(1);
}

static struct gb_mux mux;
static struct gb_buf mux_out;

static void fake_flush(void)
{
    fake_write(FD_AGENT, gb_buf_data(&mux_out), mux_out.size);
    gb_buf_clear(&mux_out);
}

/* The stream of @cell, opened if there is none. */
static struct gb_mux_stream *fake_stream(uint32_t cell, enum gb_stream_kind kind)
{
    struct gb_mux_stream *stream;

    GB_LIST_FOREACH(stream, &mux.streams, link)
        if (stream->cell == cell && stream->kind == kind)
            return stream;
    return gb_mux_open(&mux, kind, cell, NULL);
}

static void fake_output(uint32_t cell, enum gb_stream_kind kind, struct gb_bytes bytes)
{
    gb_mux_send(fake_stream(cell, kind), bytes, false);
    fake_flush();
}

/* Sends DATA, as far as there is credit. */
static void fake_data(uint32_t cell, enum gb_stream_kind kind, struct gb_bytes bytes)
{
    uint32_t id = fake_stream(cell, kind)->id;

    gb_frame_add(&mux_out, &(struct gb_frame){
                               .type = GB_GUEST_DATA, .id = id, .cell = cell, .payload = bytes});
    fake_flush();
}

static void fake_done(uint32_t cell, const struct gb_done *done)
{
    fake_send((struct gb_frame){.type = GB_GUEST_DONE, .cell = cell}, &gb_done_fields, done);
}

/* Something that no honest guest sends, different for each N: at the EXEC of @cell. */
static void fake_break(uint32_t cell)
{
    static const struct gb_waiting waiting = {1};
    static const struct gb_done impossible = {.exit_code = 256};
    static const struct gb_guest_error refusal = {GB_EBUSY, {0}};
    static const struct gb_open no_kind = {.kind = GB_STREAM_KIND_COUNT};
    static uint8_t much[4096];

    if (variant == 1)
        fake_send((struct gb_frame){.type = GB_GUEST_OPEN, .id = 2, .cell = cell}, &gb_open_fields,
                  &no_kind);
    else if (variant == 2)
        fake_output(cell + 1, GB_STREAM_STDOUT, gb_bytes_str("not begun"));
    else if (variant == 3)
        fake_done(cell, &impossible);
    else if (variant == 4)
        fake_send((struct gb_frame){.type = GB_GUEST_ERROR, .cell = cell}, &gb_guest_error_fields,
                  &refusal);
    else if (variant == 5)
        fake_ready(7);
    else if (variant == 6)
        fake_send((struct gb_frame){.type = GB_GUEST_EXEC, .cell = cell}, NULL, NULL);
    else if (variant == 7)
        fake_send((struct gb_frame){.type = GB_GUEST_DISPLAY, .cell = cell}, &gb_waiting_fields,
                  &waiting);
    else if (variant == 8)
        fake_output(cell, GB_STREAM_STDERR, (struct gb_bytes){much, sizeof(much)});
    else if (variant == 9)
        for (size_t sent = 0; sent <= GB_STREAM_WINDOW; sent += sizeof(much))
            fake_data(cell, GB_STREAM_STDOUT, (struct gb_bytes){much, sizeof(much)});
    else if (variant == 10)
        fake_send((struct gb_frame){.type = GB_GUEST_HELLO}, NULL, NULL);
}

static size_t flood_left;

static void fake_on_fill(void *arg, struct gb_mux_stream *stream)
{
    static const uint8_t piece[4096];
    const struct gb_done done = {0};
    size_t size = MIN(gb_mux_room(stream), MIN(flood_left, sizeof(piece)));
    uint32_t cell = stream->cell;

    (void)arg;
    if (size > 0)
        gb_mux_send(stream, (struct gb_bytes){piece, size}, false);
    flood_left -= size;
    if (flood_left > 0)
        return;
    (void)gb_mux_shut(stream, NULL);
    gb_guest_add(&mux_out, (struct gb_frame){.type = GB_GUEST_DONE, .cell = cell}, &gb_done_fields,
                 &done);
}

/* ---- files ---- */

static uint64_t whole, last_size; /* files that exist; size of the last one */
static bool has_folder;

struct fake_file {
    char name[NAME_MAX_BYTES];
    uint64_t size; /* uploaded, or to be sent */
};

static bool fake_is_named(const struct gb_mux_stream *stream, const char *name)
{
    const struct fake_file *file = stream->user;

    return strcmp(file->name, name) == 0;
}

/* The file of an opened stream; 1: it is refused. */
static int fake_file_new(struct gb_mux_stream *stream, struct gb_bytes path, const char *refused,
                         struct gb_err *err)
{
    struct fake_file *file;

    if (gb_bytes_equal(path, refused))
        return -gb_err_set(err, GB_EPOLICY, "%s", refused);
    file = calloc(1, sizeof(*file));
    if (file == NULL)
        _exit(7);
    memcpy(file->name, path.data, MIN(path.size, sizeof(file->name) - 1));
    stream->user = file;
    return 0;
}

static int fake_on_upload(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                          struct gb_err *err)
{
    struct gb_upload message;

    (void)arg;
    if (gb_fields_decode(&gb_upload_fields, params, &message, err) < 0)
        _exit(7);
    if (!has_folder && gb_bytes_equal(message.path, "inside"))
        return -gb_err_set(err, GB_ENOTFOUND, "inside");
    if (fake_file_new(stream, message.path, "refused", err) > 0)
        return 1;
    if (fake_is_named(stream, "early"))
        (void)gb_mux_shut(stream, &(struct gb_upload_end){0});
    return 0;
}

static int fake_on_upload_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                               struct gb_err *err)
{
    struct fake_file *file = stream->user;
    struct gb_err why = {0};

    (void)arg;
    (void)err;
    if (fake_is_named(stream, "full")) {
        (void)gb_err_set(&why, GB_ETOOLARGE, "full");
        free(file);
        gb_mux_reset(stream, &why);
        return 0;
    }
    file->size += bytes.size;
    if (!fake_is_named(stream, "stuck"))
        gb_mux_consume(stream, bytes.size);
    return 0;
}

static int fake_on_upload_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                               struct gb_err *err)
{
    const struct fake_file *file = stream->user;
    const struct gb_upload_end end = {file->size - fake_is_named(stream, "short")};

    (void)arg;
    (void)word;
    (void)err;
    whole++;
    last_size = file->size;
    (void)gb_mux_shut(stream, &end);
    return 0;
}

static int fake_on_download(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                            struct gb_err *err)
{
    struct gb_download message;
    struct fake_file *file;

    (void)arg;
    if (gb_fields_decode(&gb_download_fields, params, &message, err) < 0)
        _exit(7);
    if (fake_file_new(stream, message.path, "missing", err) > 0)
        return 1;
    file = stream->user;
    if (fake_is_named(stream, "count"))
        file->size = whole;
    else if (fake_is_named(stream, "last"))
        file->size = last_size;
    else if (!gb_bytes_number(&message.path, message.length, &file->size))
        file->size =
            message.length + fake_is_named(stream, "much") - fake_is_named(stream, "little");
    gb_mux_want(stream, !fake_is_named(stream, "stuck"));
    return 0;
}

static void fake_on_download_fill(void *arg, struct gb_mux_stream *stream)
{
    static const uint8_t piece[GB_STREAM_PIECE];
    struct fake_file *file = stream->user;
    size_t size = MIN(gb_mux_room(stream), file->size);

    (void)arg;
    if (size > 0)
        gb_mux_send(stream, (struct gb_bytes){piece, size}, false);
    file->size -= size;
    if (file->size == 0)
        (void)gb_mux_shut(stream,
                          &(struct gb_download_end){4711, !fake_is_named(stream, "little")});
}

static void fake_on_file_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    (void)arg;
    (void)why;
    free(stream->user);
}

/* ---- terminals ---- */

static int fake_on_typed(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                         struct gb_err *err)
{
    const struct gb_terminal_end end = {.exit_code = 7};

    (void)arg;
    (void)err;
    gb_mux_consume(stream, bytes.size);
    gb_mux_send(stream, bytes, false);
    if (bytes.data[0] == 'q')
        (void)gb_mux_shut(stream, &end);
    return 0;
}

static int fake_on_hung_up(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                           struct gb_err *err)
{
    const struct gb_terminal_end end = {.exit_code = -1, .signal = SIGHUP};

    (void)arg;
    (void)word;
    (void)err;
    if (stream->ours_open)
        (void)gb_mux_shut(stream, &end);
    return 0;
}

static const struct gb_mux_kind fake_kinds[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_STDOUT] = {.fill = fake_on_fill},
    [GB_STREAM_UPLOAD] = {.opened = fake_on_upload,
                          .data = fake_on_upload_data,
                          .shut = fake_on_upload_shut,
                          .ended = fake_on_file_ended},
    [GB_STREAM_DOWNLOAD] = {.opened = fake_on_download,
                            .fill = fake_on_download_fill,
                            .ended = fake_on_file_ended},
    [GB_STREAM_TERMINAL] = {.data = fake_on_typed, .shut = fake_on_hung_up},
};

/* ---- requests for terminals ---- */

/* A program at a terminal; with `breaks`, N says which part is a lie. */
static void fake_terminal(const struct gb_frame *frame)
{
    static uint8_t much[4096];
    const int lie = strcmp(action, "breaks") == 0 ? variant : 0;
    const struct gb_terminal_end ends[] = {
        [3] = {.exit_code = 256}, [4] = {.exit_code = -2}, [5] = {.exit_code = -1, .signal = 4096}};
    struct gb_terminal_request request;
    struct gb_terminal_open open;
    struct gb_mux_stream *stream = NULL;

    if (gb_fields_decode(&gb_terminal_fields, frame->payload, &request, NULL) < 0)
        _exit(7);
    open.number = request.number + (lie == 2 ? 1 : 0);
    if (lie != 1)
        stream = gb_mux_open(&mux, GB_STREAM_TERMINAL, 0, &open);
    if (lie == 6)
        (void)gb_mux_open(&mux, GB_STREAM_TERMINAL, 0, &open);
    fake_flush();
    fake_send((struct gb_frame){.type = GB_GUEST_OK, .id = frame->id}, NULL, NULL);
    if (lie == 0 && stream != NULL)
        gb_mux_send(stream, gb_bytes_str("ready"), false);
    else if (lie >= 3 && lie <= 5)
        (void)gb_mux_shut(stream, &ends[lie]);
    else if (lie == 7)
        for (size_t sent = 0; sent <= GB_TERMINAL_WINDOW; sent += sizeof(much))
            gb_frame_add(&mux_out, &(struct gb_frame){.type = GB_GUEST_DATA,
                                                      .id = stream->id,
                                                      .payload = {much, sizeof(much)}});
    else if (lie == 8)
        gb_frame_add(&mux_out, &(struct gb_frame){.type = GB_GUEST_SHUT, .id = stream->id});
    fake_flush();
}

/* ---- cells ---- */

static void fake_run(const struct gb_frame *frame)
{
    const struct gb_waiting waiting = {1};
    struct gb_done done = {.exit_code = frame->cell < CELLS_OF_OURS ? frame->cell & 0xff : 0};
    struct gb_exec exec;

    if (gb_fields_decode(&gb_exec_fields, frame->payload, &exec, NULL) < 0)
        _exit(5);
    if (gb_bytes_skip(&exec.code, "flood ")) {
        uint64_t bytes = 0;

        (void)gb_bytes_number(&exec.code, UINT64_MAX, &bytes);
        flood_left = bytes;
        gb_mux_want(fake_stream(frame->cell, GB_STREAM_STDOUT), true);
        gb_mux_run(&mux, SIZE_MAX / 2);
        fake_flush();
        return;
    }
    if (gb_bytes_equal(exec.code, "wait")) {
        fake_send((struct gb_frame){.type = GB_GUEST_WAITING, .cell = frame->cell},
                  &gb_waiting_fields, &waiting);
        return;
    }
    if (gb_bytes_equal(exec.code, "lose"))
        done.flags = GB_DONE_STATE_LOST;
    if (gb_bytes_equal(exec.code, "count"))
        exec.code.size = (size_t)MIN(whole, (uint64_t)exec.code.size);
    if (exec.code.size > 0)
        fake_output(frame->cell, GB_STREAM_STDOUT, exec.code);
    (void)fake_is_at("DONE");
    fake_done(frame->cell, &done);
    if (done.flags != 0)
        fake_ready(2);
    if (gb_bytes_equal(exec.code, "leave"))
        fake_output(frame->cell, GB_STREAM_STDERR, gb_bytes_str("behind"));
}

static uint64_t fake_wall_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* The answer to FILE_LIST and FILE_STAT. */
static void fake_add_entries(struct gb_buf *buf, const struct gb_frame *frame)
{
    struct gb_file_list list = {0};
    struct gb_file_path one = {0};
    struct gb_buf payload = {0};
    size_t begin = gb_entries_begin(&payload);
    uint32_t count = 0;
    bool more = false;

    if (frame->type == GB_GUEST_FILE_LIST)
        (void)gb_fields_decode(&gb_file_list_fields, frame->payload, &list, NULL);
    else if (gb_fields_decode(&gb_file_path_fields, frame->payload, &one, NULL) == 0)
        list.path = one.path;
    for (size_t i = 0; i < list.path.size; i++) {
        const struct gb_file_entry entry = {.name = {list.path.data + i, 1}, .size = i};

        if (list.path.data[i] == '+') {
            more = true;
            continue;
        }
        gb_entries_add(&payload, &entry);
        count++;
    }
    gb_entries_end(&payload, begin, count, more);
    gb_frame_add(buf, &(struct gb_frame){.id = frame->id,
                                         .type = GB_GUEST_FILE_ENTRIES,
                                         .payload = gb_buf_bytes(&payload)});
    gb_buf_release(&payload);
}

static void fake_answer(struct gb_buf *buf, const struct gb_frame *frame)
{
    const struct gb_pong pong = {1, fake_wall_ns(), 1};
    const struct gb_status status = {.memory_total = 1};
    struct gb_frame answer = {.id = frame->id, .type = GB_GUEST_OK};

    if (frame->type == GB_GUEST_PING) {
        answer.type = GB_GUEST_PONG;
        gb_guest_add(buf, answer, &gb_pong_fields, &pong);
    } else if (frame->type == GB_GUEST_HOLD) {
        answer.type = GB_GUEST_HELD;
        gb_guest_add(buf, answer, NULL, NULL);
    } else if (frame->type == GB_GUEST_STAT) {
        answer.type = GB_GUEST_STATUS;
        gb_guest_add(buf, answer, &gb_status_fields, &status);
    } else if (frame->type == GB_GUEST_FILE_LIST || frame->type == GB_GUEST_FILE_STAT) {
        fake_add_entries(buf, frame);
    } else {
        gb_guest_add(buf, answer, NULL, NULL);
    }
}

/* Answers a request, unless this VM is told otherwise. */
static void fake_answer_request(const struct gb_frame *frame, bool now)
{
    const struct gb_guest_error refusal = {GB_EBUSY, gb_bytes_str("not now")};
    struct gb_buf buf = {0};

    if (now && strcmp(action, "refuses") == 0) {
        fake_send((struct gb_frame){.id = frame->id, .type = GB_GUEST_ERROR},
                  &gb_guest_error_fields, &refusal);
    } else if (now && strcmp(action, "lies") == 0) {
        fake_send((struct gb_frame){.id = frame->id, .type = GB_GUEST_COMPLETIONS}, NULL, NULL);
    } else if (now && strcmp(action, "late") == 0) {
        fake_answer(&kept, frame);
    } else {
        fake_answer(&buf, frame);
        fake_write(FD_AGENT, gb_buf_data(&kept), kept.size);
        gb_buf_clear(&kept);
        fake_write(FD_AGENT, gb_buf_data(&buf), buf.size);
    }
    gb_buf_release(&buf);
}

static void fake_serve(const struct gb_frame *frame)
{
    bool now = fake_is_at(gb_guest_type_name(frame->type));

    if (now && strcmp(action, "silent") == 0)
        return;
    if (frame->type == GB_GUEST_FILE_REMOVE)
        whole = 0;
    has_folder = has_folder || frame->type == GB_GUEST_FILE_MKDIR;
    if (frame->type == GB_GUEST_EXEC && strcmp(action, "breaks") == 0)
        fake_break(frame->cell);
    if (frame->type == GB_GUEST_EXEC) {
        fake_run(frame);
    } else if (frame->type == GB_GUEST_TERMINAL && (!now || strcmp(action, "breaks") == 0)) {
        fake_terminal(frame);
    } else if (gb_mux_takes(frame)) {
        if (gb_mux_frame(&mux, frame, NULL) < 0)
            _exit(6);
        gb_mux_run(&mux, SIZE_MAX / 2);
        fake_flush();
    } else {
        fake_answer_request(frame, now);
    }
}

/* False: it is closed. */
static bool fake_read_agent(struct gb_buf *input)
{
    static uint8_t piece[65536];
    ssize_t n = read(FD_AGENT, piece, sizeof(piece));
    struct gb_frame frame;
    size_t size;

    if (n <= 0)
        return false;
    gb_buf_add(input, piece, (size_t)n);
    while (gb_frame_next(gb_buf_bytes(input), &frame, &size, NULL) > 0) {
        fake_serve(&frame);
        gb_buf_consume(input, size);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct gb_buf monitor = {0}, agent = {0};
    struct pollfd ends[] = {{.fd = FD_LIFELINE},
                            {.fd = FD_MONITOR, .events = POLLIN},
                            {.fd = FD_AGENT, .events = POLLIN}};
    bool incoming = false;
    char text[64];
    int i = 1;

    while (i < argc && strcmp(argv[i], "--") != 0) {
        if (strncmp(argv[i], "ram=", 4) == 0)
            fake_map(argv[i] + 4);
        i++;
    }
    if (i + 1 >= argc ||
        sscanf(argv[i + 1], "/%31[a-z]/%31[a-zA-Z_-]/%d", action, what, &countdown) != 3)
        return 2;
    variant = countdown;
    for (; i < argc; i++)
        incoming = incoming || strcmp(argv[i], "-incoming") == 0;
    gb_mux_init(&mux, GB_SIDE_GUEST, fake_kinds, NULL, &mux_out);
    (void)fake_is_at("START");
    (void)snprintf(text, sizeof(text), "pid %ld\n", (long)getpid());
    fake_write(FD_STATUS, text, strlen(text));
    fake_say("{\"QMP\":{\"version\":{}}}\n");
    if (!incoming)
        fake_begin();
    while (poll(ends, ARRAY_SIZE(ends), -1) >= 0) {
        if (ends[0].revents != 0 || (ends[1].revents != 0 && !fake_read_monitor(&monitor)) ||
            (ends[2].revents != 0 && !fake_read_agent(&agent)))
            return 0;
    }
    return 1;
}
