/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads: a stream's data goes into the requester's buffer, up to the requested length. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guest/private.h"

/* In progress per guest, each with an open file there; others wait for their turn. */
enum { DOWNLOADS_MAX = 32 };

struct guest_download {
    struct gb_list link; /* in guest->downloads */
    struct gb_mux_stream *stream;
    char *path;
    uint64_t offset, length, received;
    uint64_t call;
    struct gb_buf *into; /* the owner's */
    gb_guest_download_fn *done;
    void *arg;
    bool opened; /* the guest knows about it */
    bool over;   /* has to be reported */
    struct gb_download_end end;
    struct gb_err err;
    uint64_t deadline_ns;
};

static void download_free(struct gb_guest *guest, struct guest_download *download)
{
    gb_list_remove(&download->link);
    guest_transfer_ended(guest, true);
    free(download->path);
    free(download);
}

static struct guest_download *download_over(const struct gb_guest *guest)
{
    struct guest_download *download;

    GB_LIST_FOREACH(download, &guest->downloads, link)
        if (download->over)
            return download;
    return NULL;
}

void guest_downloads_tell(void *arg)
{
    struct gb_guest *guest = arg;
    struct guest_download *download;

    while ((download = download_over(guest)) != NULL) {
        struct guest_download copy = *download;

        download_free(guest, download);
        if (copy.err.code != GB_OK)
            copy.done(copy.arg, NULL, &copy.err);
        else
            copy.done(copy.arg, &copy.end, NULL);
    }
}

static void download_finish(struct gb_guest *guest, struct guest_download *download,
                            const struct gb_err *why)
{
    if (why != NULL)
        download->err = *why;
    if (download->stream != NULL)
        guest_give_up(TAKE_PTR(download->stream));
    download->over = true;
    guest->moved = true; /* others may have waited for its place */
    gb_loop_defer(guest->loop, &guest->tell_downloads, guest_downloads_tell, guest);
}

void guest_downloads_open(struct gb_guest *guest)
{
    struct guest_download *download;
    size_t count = 0;

    GB_LIST_FOREACH(download, &guest->downloads, link) {
        const struct gb_download params = {gb_bytes_str(download->path), download->offset,
                                           download->length};

        count += download->stream != NULL;
        if (download->opened || download->over || count >= DOWNLOADS_MAX ||
            gb_guest_is_behind(guest, download->call))
            continue;
        download->stream = gb_mux_open(&guest->mux, GB_STREAM_DOWNLOAD, 0, &params);
        if (download->stream == NULL)
            return;
        download->stream->user = download;
        download->opened = true;
        count++;
    }
}

int gb_guest_download(struct gb_guest *guest, const struct gb_download *what, struct gb_buf *into,
                      gb_guest_download_fn *done, void *arg, struct gb_err *err)
{
    struct guest_download *download;
    int r = guest_transfer_check(guest, err);

    if (r < 0)
        return r;
    download = xcalloc(1, sizeof(*download));
    download->path = xstrndup((const char *)what->path.data, what->path.size);
    download->offset = what->offset;
    download->length = what->length;
    download->into = into;
    download->done = done;
    download->arg = arg;
    download->call = gb_guest_call(guest);
    download->deadline_ns = guest_transfer_deadline();
    gb_list_add_tail(&guest->downloads, &download->link);
    guest_transfer_begun(guest);
    guest_go_on(guest);
    guest_flush(guest);
    return 0;
}

/* ---- its stream ---- */

int guest_download_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                        struct gb_err *err)
{
    struct guest_download *download = stream->user;
    struct gb_err why = {0};

    if (bytes.size > download->length - download->received)
        return gb_err_set(err, GB_EINTERNAL, "DATA: more of the file than was asked for");
    download->received += bytes.size;
    download->deadline_ns = guest_transfer_deadline();
    if (gb_buf_try_add(download->into, bytes.data, bytes.size, SIZE_MAX)) {
        gb_mux_consume(stream, bytes.size);
        return 0;
    }
    (void)gb_err_set(&why, GB_ECAPACITY, "the server has no memory for the file");
    download_finish(arg, download, &why);
    return 0;
}

int guest_download_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                        struct gb_err *err)
{
    struct guest_download *download = stream->user;
    int r = gb_fields_decode(&gb_download_end_fields, word, &download->end, err);

    if (r < 0)
        return r;
    if (download->end.eof == 0 && download->received < download->length)
        return gb_err_set(err, GB_EINTERNAL, "SHUT: less of the file than was asked for");
    download->stream = NULL; /* ours has no data */
    download_finish(arg, download, NULL);
    return 0;
}

void guest_download_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct guest_download *download = stream->user;

    download->stream = NULL;
    /* Without a reason, the guest is gone: that is reported with the requests. */
    if (!download->over && why != NULL)
        download_finish(arg, download, why);
    guest_go_on(arg);
}

/* ---- other ends ---- */

bool guest_downloads_wait(const struct gb_guest *guest)
{
    const struct guest_download *download;

    GB_LIST_FOREACH_CONST(download, &guest->downloads, link)
        if (download->opened && !download->over)
            return true;
    return false;
}

uint64_t guest_downloads_expire(struct gb_guest *guest, uint64_t now_ns)
{
    struct guest_download *download;
    uint64_t first = UINT64_MAX;
    struct gb_err why = {0};

    (void)gb_err_set(&why, GB_EBUSY, "the guest did not send the file in time");
    GB_LIST_FOREACH(download, &guest->downloads, link) {
        if (!download->over && download->deadline_ns <= now_ns)
            download_finish(guest, download, &why);
        else if (!download->over)
            first = MIN(first, download->deadline_ns);
    }
    return first;
}

void guest_downloads_forget(struct gb_guest *guest, const void *arg)
{
    struct guest_download *download;

    GB_LIST_FOREACH(download, &guest->downloads, link) {
        if (download->arg != arg)
            continue;
        if (download->stream != NULL)
            guest_give_up(TAKE_PTR(download->stream));
        guest->moved = true;
        download_free(guest, download);
    }
}

void guest_downloads_fail(struct gb_guest *guest, const struct gb_err *why)
{
    struct guest_download *download;
    struct gb_err err = *why;

    err.dispatched = false;
    GB_LIST_FOREACH(download, &guest->downloads, link)
        if (!download->over)
            download_finish(guest, download, &err);
}

void guest_downloads_drop(struct gb_guest *guest)
{
    gb_loop_undefer(&guest->tell_downloads);
    while (!gb_list_empty(&guest->downloads))
        download_free(guest, container_of(guest->downloads.next, struct guest_download, link));
}
