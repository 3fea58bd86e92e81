/* SPDX-License-Identifier: Apache-2.0 */
#include "files.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/answer.h"
#include "model/entry.h"
#include "rpc/base64.h"
#include "rpc/object.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "session/query.h"

/* The state per session and per connection. */
struct files_session {
    struct gb_list uploads; /* in progress, and those whose last piece waits for the guest */
};
struct files_connection {
    struct gb_list uploads;
    size_t write_count; /* requests waiting for a guest */
    bool waits;         /* too many bytes wait for a guest: reading is paused */
};

/* Lives while further pieces may come, or pieces wait for the guest. */
struct upload {
    struct gb_list of_connection; /* while further pieces may come */
    struct gb_list of_session;
    struct hosted *hosted;
    struct gb_guest_upload *file; /* NULL: abandoned */
    char *path;
    uint64_t next;    /* expected offset of the next piece */
    unsigned pending; /* pieces not yet answered by the guest */
};

static const struct part_state files_state = {
    .connection = sizeof(struct files_connection),
    .session = sizeof(struct files_session),
};

static struct files_session *files_of_session(struct hosted *hosted)
{
    return part_of_session(hosted, &files_state);
}

static struct files_connection *files_of_connection(struct connection *connection)
{
    return part_of_connection(connection, &files_state);
}

/* Whether a relative path leads out of the home by its components alone, whatever exists along
 * it. */
static bool files_leads_out(struct gb_bytes path)
{
    size_t at = 0, depth = 0;

    if (path.data[0] == '/')
        return false; /* only the guest knows where the home is */
    while (at < path.size) {
        const uint8_t *slash = memchr(path.data + at, '/', path.size - at);
        size_t size = (slash == NULL ? path.size : (size_t)(slash - path.data)) - at;
        struct gb_bytes word = {path.data + at, size};

        if (gb_bytes_equal(word, "..")) {
            if (depth-- == 0)
                return true;
        } else if (size > 0 && !gb_bytes_equal(word, ".")) {
            depth++;
        }
        at += size + 1;
    }
    return false;
}

static int files_check_path(struct gb_bytes path, struct gb_err *err)
{
    if (path.size == 0)
        return gb_err_set(err, GB_EINVALID, "path must not be empty; the home itself is \".\"");
    if (memchr(path.data, '\0', path.size) != NULL)
        return gb_err_set(err, GB_EPOLICY, "a path must not contain a NUL");
    if (files_leads_out(path))
        return gb_err_set(err, GB_EPOLICY, "the path leads out of the home");
    return 0;
}

static struct hosted *files_find(struct request *request, struct gb_bytes session,
                                 struct gb_bytes path, struct gb_err *err)
{
    struct hosted *hosted = hosted_find(request->connection->server, session, err);

    if (hosted != NULL && files_check_path(path, err) < 0)
        return NULL;
    return hosted;
}

/* ---- uploads ---- */

static void files_upload_free(struct upload *upload)
{
    gb_list_remove(&upload->of_connection);
    gb_list_remove(&upload->of_session);
    gb_session_upload_free(upload->hosted->session, upload->file);
    free(upload->path);
    free(upload);
}

/* No further piece will come. */
static void files_upload_close(struct upload *upload)
{
    gb_list_remove(&upload->of_connection);
    if (upload->pending == 0)
        files_upload_free(upload);
}

/* Makes the guest discard it. */
static void files_upload_abort(struct upload *upload)
{
    gb_session_upload_free(upload->hosted->session, TAKE_PTR(upload->file));
    files_upload_close(upload);
}

static void files_on_connection(struct connection *connection)
{
    gb_list_init(&files_of_connection(connection)->uploads);
}

static void files_on_disconnect(struct connection *connection)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&files_of_connection(connection)->uploads)) != NULL)
        files_upload_abort(container_of(link, struct upload, of_connection));
}

static void files_on_session(struct hosted *hosted)
{
    gb_list_init(&files_of_session(hosted)->uploads);
}

/* All pieces have been answered. */
static void files_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    struct gb_list *link;

    (void)why;
    while ((link = gb_list_pop(&files_of_session(hosted)->uploads)) != NULL)
        files_upload_free(container_of(link, struct upload, of_session));
}

static struct upload *files_upload_find(struct connection *connection, const struct hosted *hosted,
                                        struct gb_bytes path)
{
    struct upload *upload;

    GB_LIST_FOREACH(upload, &files_of_connection(connection)->uploads, of_connection)
        if (upload->hosted == hosted && gb_bytes_equal(path, upload->path))
            return upload;
    return NULL;
}

static struct upload *files_upload_begin(struct connection *connection, struct hosted *hosted,
                                         const struct gb_params *params)
{
    struct upload *upload = xcalloc(1, sizeof(*upload));

    upload->hosted = hosted;
    upload->path = xstrndup((const char *)params->path.data, params->path.size);
    upload->file = gb_session_upload(hosted->session, params->path, (uint32_t)params->permissions);
    gb_list_add_tail(&files_of_connection(connection)->uploads, &upload->of_connection);
    gb_list_add_tail(&files_of_session(hosted)->uploads, &upload->of_session);
    return upload;
}

/* The number of the session's uploads that may get further pieces. */
static size_t files_uploads_open(struct hosted *hosted)
{
    struct upload *upload;
    size_t count = 0;

    GB_LIST_FOREACH(upload, &files_of_session(hosted)->uploads, of_session)
        count += !gb_list_empty(&upload->of_connection);
    return count;
}

/* Finds or starts the upload that this piece belongs to. NULL with @err if that is impossible. */
static struct upload *files_upload_take(struct connection *connection, struct hosted *hosted,
                                        const struct gb_params *params, struct gb_err *err)
{
    struct upload *upload = files_upload_find(connection, hosted, params->path);
    uint64_t expected = upload == NULL ? 0 : upload->next;

    if (params->offset == 0 && upload != NULL) {
        files_upload_abort(upload); /* it starts over */
        upload = NULL;
    } else if ((uint64_t)params->offset != expected) {
        (void)gb_err_set(err, GB_EINVALID,
                         "the next piece of this upload begins at offset %" PRIu64
                         ", and this one says %" PRId64,
                         expected, params->offset);
        return NULL;
    }
    if (upload == NULL && files_uploads_open(hosted) >= GB_UPLOADS_MAX) {
        (void)gb_err_set(err, GB_EBUSY, "%u uploads of this session are open already",
                         GB_UPLOADS_MAX);
        return NULL;
    }
    return upload != NULL ? upload : files_upload_begin(connection, hosted, params);
}

/* A file.write that waits for the guest. */
struct write {
    struct request *request; /* NULL: the connection has closed */
    struct upload *upload;
    uint64_t size; /* size of the upload including this piece */
};

/* Resumes reading from the connection when the guest has caught up, or owes no more answers to
 * it. */
static void files_write_left(struct connection *connection, const struct hosted *hosted)
{
    struct files_connection *state = files_of_connection(connection);

    state->write_count--;
    if (!state->waits)
        return;
    if (state->write_count > 0 && gb_session_queued(hosted->session) > GB_UPLOAD_QUEUE_MAX / 2)
        return;
    state->waits = false;
    connection_brake(connection, false);
}

static void files_write_answer(const struct write *write, const struct gb_err *err)
{
    struct request *request = write->request;
    struct reply reply;

    files_write_left(request->connection, write->upload->hosted);
    if (err != NULL) {
        request_fail(request, err);
        return;
    }
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_written_object, &(struct gb_written_info){.size = write->size});
    reply_end(&reply);
}

static void files_on_written(void *arg, const struct gb_err *err)
{
    struct write *write = arg;
    struct upload *upload = write->upload;

    if (write->request != NULL)
        files_write_answer(write, err);
    upload->pending--;
    if (err != NULL || gb_list_empty(&upload->of_connection))
        files_upload_close(upload);
    free(write);
}

static void files_write_abandon(struct request *request)
{
    struct write *write = request->arg;

    write->request = NULL;
}

static void files_write(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct gb_err err = {0};
    struct hosted *hosted = files_find(request, params->session, params->path, &err);
    struct upload *upload =
        hosted == NULL ? NULL : files_upload_take(connection, hosted, params, &err);
    struct write *write;

    if (upload == NULL) {
        request_fail(request, &err);
        return;
    }
    write = xcalloc(1, sizeof(*write));
    write->request = request;
    write->upload = upload;
    write->size = upload->next + params->text.size;
    if (gb_session_upload_give(hosted->session, upload->file, params->text, params->final,
                               files_on_written, write, &err) < 0) {
        free(write);
        files_upload_abort(upload);
        request_fail(request, &err);
        return;
    }
    request->arg = write;
    request->abandon = files_write_abandon;
    upload->pending++;
    upload->next = write->size;
    if (params->final)
        gb_list_remove(&upload->of_connection);
    files_of_connection(connection)->write_count++;
    if (gb_session_queued(hosted->session) > GB_UPLOAD_QUEUE_MAX) {
        files_of_connection(connection)->waits = true;
        connection_brake(connection, true);
    }
}

/* ---- read ---- */

struct read {
    struct request *request;
    struct hosted *hosted;
    struct gb_buf data;
};

static void files_read_free(struct read *read)
{
    gb_buf_release(&read->data);
    free(read);
}

static void files_read_abandon(struct request *request)
{
    struct read *read = request->arg;

    gb_session_forget(read->hosted->session, read);
    files_read_free(read);
}

static void files_on_read(void *arg, const struct gb_download_end *end, const struct gb_err *err)
{
    struct read *read = arg;
    struct reply reply;

    if (err != NULL) {
        request_fail(read->request, err);
    } else {
        reply_begin(&reply, read->request);
        gb_object_write(&reply.out, &gb_piece_object,
                        &(struct gb_piece_info){.data = gb_buf_bytes(&read->data),
                                                .size = end->size,
                                                .flags = end->eof != 0 ? GB_PIECE_EOF : 0});
        reply_end(&reply);
    }
    files_read_free(read);
}

static void files_read(struct request *request, const struct gb_params *params)
{
    const struct gb_download what = {
        .path = params->path,
        .offset = (uint64_t)params->offset,
        .length = (uint64_t)params->length,
    };
    struct gb_err err = {0};
    struct hosted *hosted = files_find(request, params->session, params->path, &err);
    struct read *read;

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    read = xcalloc(1, sizeof(*read));
    read->request = request;
    read->hosted = hosted;
    request->arg = read;
    request->abandon = files_read_abandon;
    if (gb_session_download(hosted->session, &what, &read->data, files_on_read, read, &err) < 0) {
        request_fail(request, &err);
        files_read_free(read);
    }
}

/* ---- list and stat ---- */

static void files_put_entry(struct gb_json_out *out, const struct gb_file_entry *entry)
{
    const struct gb_entry_info info = {
        .name = entry->name,
        .type = entry->type,
        .size = entry->size,
        .allocated = entry->allocated,
        .mtime_ns = entry->mtime_ns < 0 ? 0 : (uint64_t)entry->mtime_ns,
        .mode = entry->mode,
    };

    gb_object_write(out, &gb_entry_object, &info);
}

struct listing {
    struct request *request;
    struct hosted *hosted;
    struct gb_buf path, after, entries; /* after: the last name; entries: as JSON */
    struct gb_json_out out;
    uint64_t left; /* entries still to come */
};

static void listing_free(struct listing *listing)
{
    gb_buf_release(&listing->path);
    gb_buf_release(&listing->after);
    gb_buf_release(&listing->entries);
    free(listing);
}

static void listing_abandon(struct request *request)
{
    struct listing *listing = request->arg;

    gb_session_forget(listing->hosted->session, listing);
    listing_free(listing);
}

static void listing_fail(struct listing *listing, const struct gb_err *err)
{
    request_fail(listing->request, err);
    listing_free(listing);
}

static void files_on_listed(void *arg, const struct gb_session_page *page,
                            const struct gb_err *err);

static void listing_more(struct listing *listing)
{
    struct gb_err err = {0};
    const struct gb_file_list what = {
        .path = gb_buf_bytes(&listing->path),
        .after = gb_buf_bytes(&listing->after),
        .limit = (uint32_t)MIN(listing->left, (uint64_t)GB_ENTRIES_MAX),
    };

    if (gb_session_list_folder(listing->hosted->session, &what, files_on_listed, listing, &err) < 0)
        listing_fail(listing, &err);
}

static void listing_add(struct listing *listing, const struct gb_session_page *page)
{
    for (uint32_t i = 0; i < page->count; i++) {
        gb_json_object(&listing->out, NULL);
        files_put_entry(&listing->out, &page->entries[i]);
        gb_json_end(&listing->out);
    }
    listing->left -= page->count;
    if (page->count > 0) {
        const struct gb_bytes last = page->entries[page->count - 1].name;

        gb_buf_clear(&listing->after);
        gb_buf_add(&listing->after, last.data, last.size);
    }
}

static void files_on_listed(void *arg, const struct gb_session_page *page, const struct gb_err *err)
{
    struct listing *listing = arg;
    struct gb_listing_info info = {0};
    struct gb_buf next = {0};
    struct reply reply;

    if (page == NULL) {
        listing_fail(listing, err);
        return;
    }
    listing_add(listing, page);
    if (page->more && listing->left > 0 && listing->entries.size < GB_LIST_BYTES_MAX) {
        listing_more(listing);
        return;
    }
    gb_json_end(&listing->out);
    reply_begin(&reply, listing->request);
    info.entries.written = gb_buf_bytes(&listing->entries);
    if (page->more)
        gb_base64_encode(&next, gb_buf_bytes(&listing->after));
    info.next = gb_buf_bytes(&next);
    info.flags = page->more ? GB_PAGE_MORE : 0;
    gb_object_write(&reply.out, &gb_listing_object, &info);
    reply_end(&reply);
    gb_buf_release(&next);
    listing_free(listing);
}

static void files_list(struct request *request, const struct gb_params *params)
{
    struct gb_bytes path = params->path.data == NULL ? gb_bytes_str(".") : params->path;
    struct gb_err err = {0};
    struct hosted *hosted = files_find(request, params->session, path, &err);
    struct listing *listing;

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    listing = xcalloc(1, sizeof(*listing));
    listing->request = request;
    listing->hosted = hosted;
    listing->out.buf = &listing->entries;
    gb_json_array(&listing->out, NULL);
    gb_buf_add(&listing->path, path.data, path.size);
    gb_buf_add(&listing->after, params->after.data, params->after.size);
    listing->left = (uint64_t)params->limit;
    request->arg = listing;
    request->abandon = listing_abandon;
    listing_more(listing);
}

static void files_on_stat(void *arg, const struct gb_file_entry *entry, const struct gb_err *err)
{
    struct request *request = arg;
    struct reply reply;

    if (entry == NULL) {
        request_fail(request, err);
        return;
    }
    reply_begin(&reply, request);
    files_put_entry(&reply.out, entry);
    reply_end(&reply);
}

static void files_stat(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = files_find(request, params->session, params->path, &err);

    request->arg = hosted;
    request->abandon = request_forget;
    if (hosted == NULL ||
        gb_session_stat_file(hosted->session, params->path, files_on_stat, request, &err) < 0)
        request_fail(request, &err);
}

/* gb_session_remove_file() or gb_session_make_folder(). */
typedef int files_change_fn(struct gb_session *session, const struct gb_file_change *what,
                            gb_vm_done_fn *done, void *arg, struct gb_err *err);

static void files_change(struct request *request, const struct gb_params *params,
                         files_change_fn *change)
{
    const struct gb_file_change what = {.path = params->path, .recursive = params->recursive};
    struct gb_err err = {0};
    struct hosted *hosted = files_find(request, params->session, params->path, &err);

    request->arg = hosted;
    request->abandon = request_forget;
    if (hosted == NULL || change(hosted->session, &what, request_on_done, request, &err) < 0)
        request_fail(request, &err);
}

static void files_remove(struct request *request, const struct gb_params *params)
{
    files_change(request, params, gb_session_remove_file);
}

static void files_mkdir(struct request *request, const struct gb_params *params)
{
    files_change(request, params, gb_session_make_folder);
}

static const struct method_handler files_methods[] = {
    {"file.write", files_write},
    {"file.read", files_read},
    {"file.list", files_list},
    {"file.stat", files_stat},
    {"file.remove", files_remove},
    {"file.mkdir", files_mkdir},
    {NULL, NULL},
};

const struct gb_part files_part = {
    .name = "files",
    .methods = files_methods,
    .state = &files_state,
    .connection_new = files_on_connection,
    .connection_closing = files_on_disconnect,
    .session_new = files_on_session,
    .session_ended = files_on_session_end,
};
