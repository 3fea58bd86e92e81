/* SPDX-License-Identifier: Apache-2.0 */
#include "queries.h"

#include <assert.h>

#include "model/answer.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/request.h"

static void query_on_stdin(void *arg, const struct gb_err *err)
{
    if (err == NULL)
        request_ok(arg);
    else
        request_fail(arg, err);
}

void query_stdin(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    int r = 0;

    if (params->text.data == NULL && !params->eof)
        r = gb_err_set(&err, GB_EINVALID, "give text, base64 or eof");
    else if ((hosted = hosted_find(request->connection->server, params->session, &err)) == NULL)
        r = -(int)err.code;
    if (hosted != NULL) {
        request->arg = hosted;
        request->abandon = request_forget;
        r = gb_session_stdin(hosted->session, (uint32_t)params->cell, params->text, params->eof,
                             query_on_stdin, request, &err);
    }
    if (r < 0)
        request_fail(request, &err);
}

void query_interrupt(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);

    if (hosted == NULL || gb_session_interrupt(hosted->session, &err) < 0)
        request_fail(request, &err);
    else
        request_ok(request);
}

/* ---- queries ---- */

static bool query_next_match(const void *owner, size_t *at, void *ret_item)
{
    struct gb_match_info *match = ret_item;

    *match = (struct gb_match_info){0};
    return gb_pairs_next(owner, at, &match->text, &match->type) == 1;
}

static void query_on_completions(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct request *request = arg;
    struct gb_completions message;
    struct gb_matches_info info;
    struct gb_err bad = {0};
    struct reply reply;

    if (frame == NULL) {
        request_fail(request, err);
        return;
    }
    if (gb_fields_decode(&gb_completions_fields, frame->payload, &message, &bad) < 0) {
        request_break(request, request->arg, &bad);
        return;
    }
    reply_begin(&reply, request);
    info = (struct gb_matches_info){
        .matches = {.next = query_next_match, .owner = &message.matches},
        .start = message.start,
        .end = message.end,
    };
    gb_object_write(&reply.out, &gb_matches_object, &info);
    reply_end(&reply);
}

static void query_on_completeness(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct request *request = arg;
    struct gb_completeness_reply message;
    struct gb_whole_info info = {0};
    struct gb_err bad = {0};
    struct reply reply;
    int r;

    if (frame == NULL) {
        request_fail(request, err);
        return;
    }
    r = gb_fields_decode(&gb_completeness_fields, frame->payload, &message, &bad);
    if (r < 0) {
        request_break(request, request->arg, &bad);
        return;
    }
    reply_begin(&reply, request);
    info.status = (uint8_t)message.status;
    info.indent = message.indent;
    gb_object_write(&reply.out, &gb_whole_object, &info);
    reply_end(&reply);
}

static size_t query_code_points(struct gb_bytes text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

static void query_ask(struct request *request, struct hosted *hosted, enum gb_guest_type type,
                      const struct gb_fields *table, const void *message, gb_reply_fn *done)
{
    struct gb_err err = {0};

    request->arg = hosted;
    request->abandon = request_forget;
    if (gb_session_request(hosted->session, type, table, message, 0, done, request, &err) < 0)
        request_fail(request, &err);
}

void query_complete(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    int64_t end = (int64_t)query_code_points(params->code);
    const struct gb_complete message = {
        .code = params->code, .cursor = (uint32_t)(params->cursor < 0 ? end : params->cursor)};

    if (hosted != NULL && params->cursor > end) {
        (void)gb_err_set(&err, GB_EINVALID,
                         "cursor is past the end of the code, which has %lld "
                         "code points",
                         (long long)end);
        hosted = NULL;
    }
    if (hosted == NULL)
        request_fail(request, &err);
    else
        query_ask(request, hosted, GB_GUEST_COMPLETE, &gb_complete_fields, &message,
                  query_on_completions);
}

void query_is_complete(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);
    const struct gb_is_complete message = {.code = params->code};

    if (hosted == NULL)
        request_fail(request, &err);
    else
        query_ask(request, hosted, GB_GUEST_IS_COMPLETE, &gb_is_complete_fields, &message,
                  query_on_completeness);
}
