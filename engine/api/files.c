/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files, in pieces. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/answer.h"
#include "rpc/object.h"

enum { WHOLE_MAX = 64 << 20, WHOLE_PIECE = 8 << 20 };

struct whole {
    struct glassbell_session *session;
    char *path;
    struct gb_buf content;
    size_t sent;
    uint32_t mode;
    glassbell_file_fn *done;
    void *arg;
};

static void whole_tell(struct whole *whole, const struct glassbell_error *error)
{
    const struct glassbell_bytes content = {(const char *)gb_buf_data(&whole->content),
                                            whole->content.size};

    whole->done(whole->arg, error != NULL ? (struct glassbell_bytes){NULL, 0} : content, error);
    gb_buf_release(&whole->content);
    free(whole->path);
    free(whole);
}

static void whole_read_failed(struct api_call *call, const struct gb_json *result,
                              const struct glassbell_error *error)
{
    (void)result;
    whole_tell(call->arg, error);
}

static struct whole *whole_new(struct glassbell_session *session, const char *path,
                               glassbell_file_fn *done, void *arg)
{
    struct whole *whole = xcalloc(1, sizeof(*whole));

    whole->session = session;
    whole->path = xstrdup(path);
    whole->done = done;
    whole->arg = arg;
    return whole;
}

static void whole_begin(struct gb_json_out *out, struct gb_buf *params, const struct whole *whole)
{
    api_begin(out, params, whole->session);
    gb_json_put_bytes(out, "path", "path_base64", gb_bytes_str(whole->path));
}

/* ---- writing ---- */

static void whole_write_next(struct whole *whole);

static void whole_read_written(struct api_call *call, const struct gb_json *result,
                               const struct glassbell_error *error)
{
    struct whole *whole = call->arg;

    (void)result;
    if (error != NULL || whole->sent == whole->content.size) {
        gb_buf_clear(&whole->content);
        whole_tell(whole, error);
    } else {
        whole_write_next(whole);
    }
}

static void whole_write_next(struct whole *whole)
{
    const size_t size = MIN(whole->content.size - whole->sent, (size_t)WHOLE_PIECE);
    const struct gb_bytes piece = {gb_buf_data(&whole->content) + whole->sent, size};
    struct gb_json_out out;
    struct gb_buf params;

    whole_begin(&out, &params, whole);
    gb_json_put_bytes(&out, "text", "base64", piece);
    gb_json_put_u64(&out, "offset", whole->sent);
    whole->sent += size;
    gb_json_put_bool(&out, "final", whole->sent == whole->content.size);
    if (whole->mode > 0)
        gb_json_put_u64(&out, "mode", whole->mode);
    api_call(whole->session, "file.write", &out, whole_read_written, NULL, whole);
}

void glassbell_file_write(struct glassbell_session *session, const char *path,
                          struct glassbell_bytes content, uint32_t mode, glassbell_file_fn *done,
                          void *arg)
{
    struct whole *whole = whole_new(session, path, done, arg);
    struct gb_err err = {0};

    whole->mode = mode;
    if (strlen(path) > GB_PATH_MAX || content.size > WHOLE_MAX) {
        (void)gb_err_set(&err, GB_ETOOLARGE, "a file may have %d bytes, its path %u", WHOLE_MAX,
                         GB_PATH_MAX);
        api_fail(session, &err, whole_read_failed, NULL, whole);
        return;
    }
    gb_buf_add(&whole->content, content.data, content.size);
    whole_write_next(whole);
}

/* ---- reading ---- */

static void whole_read_next(struct whole *whole);

static void whole_read_piece(struct api_call *call, const struct gb_json *result,
                             const struct glassbell_error *error)
{
    struct whole *whole = call->arg;
    struct gb_piece_info piece;
    struct gb_err err = {0};
    struct glassbell_error face;

    if (error != NULL) {
        whole_tell(whole, error);
        return;
    }
    gb_object_take(&gb_piece_object, result, &piece);
    (void)gb_bytes_add_decoded(&whole->content, piece.data, (piece.flags & GB_PIECE_BASE64) != 0);
    if (piece.size > WHOLE_MAX || whole->content.size > WHOLE_MAX) {
        (void)gb_err_set(&err, GB_ETOOLARGE, "%s has more than %d bytes", whole->path, WHOLE_MAX);
        face = api_face(&err);
        whole_tell(whole, &face);
    } else if ((piece.flags & GB_PIECE_EOF) != 0) {
        whole_tell(whole, NULL);
    } else {
        whole_read_next(whole);
    }
}

static void whole_read_next(struct whole *whole)
{
    struct gb_json_out out;
    struct gb_buf params;

    whole_begin(&out, &params, whole);
    gb_json_put_u64(&out, "offset", whole->content.size);
    gb_json_put_u64(&out, "length", WHOLE_PIECE);
    api_call(whole->session, "file.read", &out, whole_read_piece, NULL, whole);
}

void glassbell_file_read(struct glassbell_session *session, const char *path,
                         glassbell_file_fn *done, void *arg)
{
    struct whole *whole = whole_new(session, path, done, arg);
    struct gb_err err = {0};

    if (strlen(path) > GB_PATH_MAX) {
        (void)gb_err_set(&err, GB_EINVALID, "a path may have %u bytes", GB_PATH_MAX);
        api_fail(session, &err, whole_read_failed, NULL, whole);
    } else {
        whole_read_next(whole);
    }
}
