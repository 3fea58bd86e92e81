/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/transfer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "kit/local.h"
#include "model/answer.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { PIECE = 1u << 20, PIECES_UNDER_WAY = 8, DEADLINE_MS = 120000 };

/* A request in flight. */
struct piece {
    struct gb_list link;
    struct transfer *transfer;
    uint64_t call, offset;
    size_t size;
};

struct transfer {
    struct gb_client *client;
    struct transfer_config config;
    char *session, *local, *remote;
    int fd;                                   /* source of an upload */
    struct local *out;                        /* destination of a download */
    bool upload, waits, size_known, all_sent; /* waits: reads may block */
    mode_t mode;
    uint64_t size, next, done;
    struct gb_list pieces;
    size_t piece_count;
};

static void transfer_on_written(void *arg, const struct gb_json *result,
                                const struct gb_call_error *error);
static void transfer_on_read(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error);

static void transfer_piece_free(struct piece *piece)
{
    gb_list_remove(&piece->link);
    piece->transfer->piece_count--;
    free(piece);
}

void transfer_cancel(struct transfer *transfer)
{
    struct piece *piece;

    if (transfer == NULL)
        return;
    GB_LIST_FOREACH(piece, &transfer->pieces, link) {
        gb_client_forget(transfer->client, piece->call);
        transfer_piece_free(piece);
    }
    local_cancel(transfer->out);
    (void)gb_close(transfer->fd);
    free(transfer->session);
    free(transfer->local);
    free(transfer->remote);
    free(transfer);
}

static void transfer_finish(struct transfer *transfer, const struct gb_err *err)
{
    struct transfer_config config = transfer->config;

    transfer_cancel(transfer);
    config.finished(config.arg, err);
}

static void transfer_fail(struct transfer *transfer, const struct gb_call_error *error)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, error->code, "%s: %s", transfer->remote, error->message);
    err.dispatched = false; /* file transfers run no code */
    transfer_finish(transfer, &err);
}

static void transfer_fail_sys(struct transfer *transfer, int sys_errno, const char *what)
{
    struct gb_err err = {0};

    (void)gb_err_sys(&err, sys_errno, "%s %s", what, transfer->local);
    transfer_finish(transfer, &err);
}

static struct transfer *transfer_new(struct gb_client *client, const struct transfer_config *config)
{
    struct transfer *transfer = xcalloc(1, sizeof(*transfer));

    transfer->client = client;
    transfer->config = *config;
    transfer->session = xstrdup(config->session);
    transfer->local = xstrdup(config->local);
    transfer->remote = xstrdup(config->remote);
    transfer->fd = -1;
    gb_list_init(&transfer->pieces);
    return transfer;
}

static struct piece *transfer_piece_new(struct transfer *transfer, uint64_t offset, size_t size)
{
    struct piece *piece = xcalloc(1, sizeof(*piece));

    piece->transfer = transfer;
    piece->offset = offset;
    piece->size = size;
    gb_list_add_tail(&transfer->pieces, &piece->link);
    transfer->piece_count++;
    return piece;
}

static void transfer_begin_params(const struct transfer *transfer, struct gb_json_out *out,
                                  uint64_t offset)
{
    gb_json_object(out, NULL);
    gb_json_put_str(out, "session", transfer->session);
    gb_json_put_bytes(out, "path", "path_base64", gb_bytes_str(transfer->remote));
    gb_json_put_u64(out, "offset", offset);
}

static ssize_t transfer_read_piece(const struct transfer *transfer, uint8_t *data)
{
    struct local_wait wait;
    ssize_t n;

    if (!transfer->waits)
        return gb_fd_read_full(transfer->fd, data, PIECE);
    local_wait_begin(&wait);
    n = gb_fd_read_full(transfer->fd, data, PIECE);
    local_wait_end(&wait);
    return n;
}

/* False if the transfer has ended. */
static bool transfer_send_piece(struct transfer *transfer)
{
    _cleanup_(freep) uint8_t *data = xmalloc(PIECE);
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    ssize_t n = transfer_read_piece(transfer, data);
    struct piece *piece;

    if (n < 0) {
        transfer_fail_sys(transfer, (int)-n, "cannot read");
        return false;
    }
    /* A file that changes its size is sent as it is read. */
    transfer->all_sent = (size_t)n < PIECE;
    transfer->size = MAX(transfer->size, transfer->next + (uint64_t)n);
    transfer_begin_params(transfer, &out, transfer->next);
    gb_json_put_bool(&out, "final", transfer->all_sent);
    gb_json_put_u64(&out, "mode", transfer->mode);
    gb_json_put_base64(&out, "base64", (struct gb_bytes){data, (size_t)n});
    gb_json_end(&out);
    piece = transfer_piece_new(transfer, transfer->next, (size_t)n);
    transfer->next += (uint64_t)n;
    piece->call = gb_client_call(transfer->client, "file.write", &params, DEADLINE_MS,
                                 transfer_on_written, piece);
    gb_buf_release(&params);
    return true;
}

static void transfer_pump_upload(struct transfer *transfer)
{
    while (!transfer->all_sent && transfer->piece_count < PIECES_UNDER_WAY)
        if (!transfer_send_piece(transfer))
            return;
}

static void transfer_tell_progress(struct transfer *transfer)
{
    if (transfer->config.progress != NULL)
        transfer->config.progress(transfer->config.arg, transfer->done, transfer->size);
}

static void transfer_on_written(void *arg, const struct gb_json *result,
                                const struct gb_call_error *error)
{
    struct piece *piece = arg;
    struct transfer *transfer = piece->transfer;

    (void)result;
    transfer->done += piece->size;
    transfer_piece_free(piece);
    if (error != NULL) {
        transfer_fail(transfer, error);
        return;
    }
    transfer_tell_progress(transfer);
    if (transfer->all_sent && transfer->piece_count == 0)
        transfer_finish(transfer, NULL);
    else
        transfer_pump_upload(transfer);
}

struct transfer *transfer_upload(struct gb_client *client, const struct transfer_config *config,
                                 struct gb_err *err)
{
    struct transfer *transfer;
    struct stat st;
    int fd = local_open_input(config->local, err);

    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        (void)gb_err_set(err, GB_EINVALID, "%s is not a file", config->local);
        (void)gb_close(fd);
        return NULL;
    }
    transfer = transfer_new(client, config);
    transfer->fd = fd;
    transfer->upload = true;
    transfer->waits = !S_ISREG(st.st_mode);
    transfer->mode = transfer->waits ? 0 : st.st_mode & 0777; /* 0: the default for new files */
    transfer->size = transfer->waits ? 0 : (uint64_t)st.st_size;
    transfer_pump_upload(transfer);
    return transfer;
}

static void transfer_ask_piece(struct transfer *transfer, uint64_t offset, size_t size)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct piece *piece;

    transfer_begin_params(transfer, &out, offset);
    gb_json_put_u64(&out, "length", size);
    gb_json_end(&out);
    piece = transfer_piece_new(transfer, offset, size);
    piece->call = gb_client_call(transfer->client, "file.read", &params, DEADLINE_MS,
                                 transfer_on_read, piece);
    gb_buf_release(&params);
}

static void transfer_pump_download(struct transfer *transfer)
{
    size_t most = local_in_order(transfer->out) ? 1 : PIECES_UNDER_WAY;

    while (transfer->next < transfer->size && transfer->piece_count < most) {
        size_t size = (size_t)MIN((uint64_t)PIECE, transfer->size - transfer->next);

        transfer_ask_piece(transfer, transfer->next, size);
        transfer->next += size;
    }
}

static void transfer_finish_download(struct transfer *transfer)
{
    struct gb_err err = {0};
    int r = local_finish(TAKE_PTR(transfer->out), &err);

    transfer_finish(transfer, r < 0 ? &err : NULL);
}

static void transfer_fail_changed(struct transfer *transfer)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_EBUSY, "%s changed while it was read", transfer->remote);
    transfer_finish(transfer, &err);
}

/* Writes the data received for a piece, and requests what is missing of it. False if the transfer
 * has ended. */
static bool transfer_store(struct transfer *transfer, const struct piece *piece,
                           const struct gb_piece_info *told)
{
    _cleanup_(gb_buf_release) struct gb_buf data = {0};
    bool good = gb_bytes_add_decoded(&data, told->data, (told->flags & GB_PIECE_BASE64) != 0);
    uint64_t end = MIN(piece->offset + piece->size, transfer->size);
    struct gb_err err = {0};

    if (!good || piece->offset + data.size > end ||
        (data.size == 0 && piece->offset < transfer->size)) {
        transfer_fail_changed(transfer);
        return false;
    }
    if (local_write(transfer->out, piece->offset, gb_buf_bytes(&data), &err) < 0) {
        transfer_finish(transfer, &err);
        return false;
    }
    transfer->done += data.size;
    if (piece->offset + data.size < end)
        transfer_ask_piece(transfer, piece->offset + data.size,
                           (size_t)(end - piece->offset - data.size));
    return true;
}

static void transfer_on_read(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error)
{
    struct piece *piece = arg;
    struct transfer *transfer = piece->transfer;
    struct piece was = *piece;
    struct gb_piece_info told;

    transfer_piece_free(piece);
    if (error != NULL) {
        transfer_fail(transfer, error);
        return;
    }
    gb_object_take(&gb_piece_object, result, &told);
    if (!transfer->size_known) {
        transfer->size_known = true;
        transfer->size = told.size;
        transfer->next = MIN((uint64_t)PIECE, transfer->size);
    } else if (told.size != transfer->size) {
        transfer_fail_changed(transfer);
        return;
    }
    if (!transfer_store(transfer, &was, &told))
        return;
    transfer_tell_progress(transfer);
    if (transfer->done >= transfer->size && transfer->piece_count == 0)
        transfer_finish_download(transfer);
    else
        transfer_pump_download(transfer);
}

struct transfer *transfer_download(struct gb_client *client, const struct transfer_config *config,
                                   struct gb_err *err)
{
    struct local *out = local_open(config->local, err);
    struct transfer *transfer;

    if (out == NULL)
        return NULL;
    transfer = transfer_new(client, config);
    transfer->out = out;
    transfer_ask_piece(transfer, 0, PIECE);
    return transfer;
}

char *transfer_local_name(const char *remote)
{
    size_t end = strlen(remote), start;

    while (end > 0 && remote[end - 1] == '/')
        end--;
    start = end;
    while (start > 0 && remote[start - 1] != '/')
        start--;
    if (end == start || (end - start == 1 && remote[start] == '.') ||
        (end - start == 2 && remote[start] == '.' && remote[start + 1] == '.'))
        return NULL;
    return xstrndup(remote + start, end - start);
}
