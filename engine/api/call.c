/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct api_chunk {
    struct gb_list link;
    char text[];
};

void api_texts_init(struct api_texts *texts)
{
    gb_list_init(&texts->chunks);
}

const char *api_text(struct api_texts *texts, struct gb_bytes text)
{
    struct api_chunk *chunk;

    if (text.data == NULL)
        return NULL;
    chunk = xcalloc(1, sizeof(*chunk) + text.size + 1);
    if (text.size > 0)
        memcpy(chunk->text, text.data, text.size);
    gb_list_add_tail(&texts->chunks, &chunk->link);
    return chunk->text;
}

void api_texts_release(struct api_texts *texts)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&texts->chunks)) != NULL)
        free(container_of(link, struct api_chunk, link));
}

struct glassbell_error api_face(const struct gb_err *err)
{
    return (struct glassbell_error){
        .kind = gb_code_kind(err->code),
        .message = err->message,
        .dispatched = err->dispatched,
        .retryable = gb_code_class(err->code) == GB_CLASS_RETRY,
    };
}

struct glassbell_error api_told(const struct gb_call_error *error)
{
    return (struct glassbell_error){
        .kind = error->kind,
        .message = error->message,
        .dispatched = error->dispatched,
        .retryable = error->retryable,
    };
}

/* ---- the end of a session's wrapper ---- */

static void call_release_session(void *arg)
{
    struct glassbell_session *session = arg;
    struct glassbell *engine = session->engine;

    if (!session->dropped || session->calls > 0)
        return;
    gb_list_remove(&session->link);
    gb_client_free(session->client);
    free(session->id);
    free(session);
    engine->on_session_gone(engine);
}

void api_settle(struct glassbell_session *session)
{
    if (session->dropped)
        gb_loop_defer(session->engine->loop, &session->deferred, call_release_session, session);
}

/* ---- calls ---- */

static void call_end(struct api_call *call, const struct gb_json *result,
                     const struct glassbell_error *error)
{
    struct glassbell_session *session = call->session;

    call->read(call, result, error);
    free(call);
    if (session == NULL)
        return;
    session->calls--;
    api_settle(session);
}

static void call_on_reply(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct glassbell_error face;

    if (error != NULL)
        face = api_told(error);
    call_end(arg, result, error != NULL ? &face : NULL);
}

static void call_on_failed(void *arg)
{
    struct api_call *call = arg;
    const struct gb_err err = call->err;
    const struct glassbell_error face = api_face(&err);

    call_end(call, NULL, &face);
}

static struct api_call *call_new(struct glassbell_session *session, api_read_fn *read,
                                 api_any_fn *done, void *arg)
{
    struct api_call *call = xcalloc(1, sizeof(*call));

    call->session = session;
    call->read = read;
    call->done = done;
    call->arg = arg;
    session->calls++;
    return call;
}

void api_begin(struct gb_json_out *out, struct gb_buf *buf, const struct glassbell_session *session)
{
    *buf = (struct gb_buf){0};
    *out = (struct gb_json_out){.buf = buf};
    gb_json_object(out, NULL);
    if (session != NULL)
        gb_json_put_str(out, "session", session->id);
}

void api_call_with(struct glassbell_session *session, const char *method, struct gb_buf *params,
                   api_read_fn *read, api_any_fn *done, void *arg)
{
    struct api_call *call = call_new(session, read, done, arg);

    if (session->client != NULL) {
        (void)gb_client_call(session->client, method, params, 0, call_on_reply, call);
    } else {
        call->err = session->err;
        gb_loop_defer(session->engine->loop, &call->deferred, call_on_failed, call);
    }
    gb_buf_release(params);
}

void api_call(struct glassbell_session *session, const char *method, struct gb_json_out *params,
              api_read_fn *read, api_any_fn *done, void *arg)
{
    gb_json_end(params);
    api_call_with(session, method, params->buf, read, done, arg);
}

void api_fail(struct glassbell_session *session, const struct gb_err *err, api_read_fn *read,
              api_any_fn *done, void *arg)
{
    struct api_call *call = call_new(session, read, done, arg);

    call->err = *err;
    gb_loop_defer(session->engine->loop, &call->deferred, call_on_failed, call);
}

void api_read_nothing(struct api_call *call, const struct gb_json *result,
                      const struct glassbell_error *error)
{
    (void)call;
    (void)result;
    (void)error;
}

void api_read_done(struct api_call *call, const struct gb_json *result,
                   const struct glassbell_error *error)
{
    (void)result;
    ((glassbell_done_fn *)call->done)(call->arg, error);
}

void api_put_strings(struct gb_json_out *out, const char *key, const char *const *strings)
{
    if (strings == NULL)
        return;
    gb_json_array(out, key);
    for (; *strings != NULL; strings++)
        gb_json_put_str(out, NULL, *strings);
    gb_json_end(out);
}

int api_put_env(struct gb_json_out *out, const char *const *lines, struct gb_err *err)
{
    if (lines == NULL)
        return 0;
    gb_json_object(out, "env");
    for (; *lines != NULL; lines++) {
        const char *equals = strchr(*lines, '=');

        if (equals == NULL)
            return gb_err_set(err, GB_EINVALID, "an environment setting is NAME=value");
        gb_json_put_named(out,
                          (struct gb_bytes){(const uint8_t *)*lines, (size_t)(equals - *lines)},
                          gb_bytes_str(equals + 1));
    }
    gb_json_end(out);
    return 0;
}
