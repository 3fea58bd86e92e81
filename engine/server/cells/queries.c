/* SPDX-License-Identifier: Apache-2.0 */
#include "queries.h"

#include <assert.h>

#include "model/answer.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "session/query.h"

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

static void query_on_completions(void *arg, const struct gb_completions *completions,
                                 const struct gb_err *err)
{
    struct request *request = arg;
    struct gb_matches_info info;
    struct reply reply;

    if (completions == NULL) {
        request_fail(request, err);
        return;
    }
    reply_begin(&reply, request);
    info = (struct gb_matches_info){
        .matches = {.next = query_next_match, .owner = &completions->matches},
        .start = completions->start,
        .end = completions->end,
    };
    gb_object_write(&reply.out, &gb_matches_object, &info);
    reply_end(&reply);
}

static void query_on_completeness(void *arg, const struct gb_completeness_reply *answer,
                                  const struct gb_err *err)
{
    struct request *request = arg;
    struct reply reply;

    if (answer == NULL) {
        request_fail(request, err);
        return;
    }
    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_whole_object,
                    &(struct gb_whole_info){.status = answer->status, .indent = answer->indent});
    reply_end(&reply);
}

static void query_on_description(void *arg, const struct gb_description *description,
                                 const struct gb_err *err)
{
    struct request *request = arg;
    struct gb_description_info info;
    struct reply reply;

    if (description == NULL) {
        request_fail(request, err);
        return;
    }
    reply_begin(&reply, request);
    info = (struct gb_description_info){
        .type = description->type,
        .signature = description->signature,
        .summary = description->summary,
    };
    gb_object_write(&reply.out, &gb_description_object, &info);
    reply_end(&reply);
}

static size_t query_code_points(struct gb_bytes text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.size; i++)
        n += (text.data[i] & 0xc0) != 0x80;
    return n;
}

/* The session that @request asks, or NULL with @err. */
static struct hosted *query_hosted(struct request *request, const struct gb_params *params,
                                   struct gb_err *err)
{
    struct hosted *hosted = hosted_find(request->connection->server, params->session, err);

    request->arg = hosted;
    request->abandon = hosted == NULL ? NULL : request_forget;
    return hosted;
}

void query_complete(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = query_hosted(request, params, &err);
    int64_t end = (int64_t)query_code_points(params->code);
    const struct gb_complete what = {
        .code = params->code, .cursor = (uint32_t)(params->cursor < 0 ? end : params->cursor)};
    int r = hosted == NULL ? -1 : 0;

    if (r == 0 && params->cursor > end)
        r = gb_err_set(&err, GB_EINVALID,
                       "cursor is past the end of the code, which has %lld code points",
                       (long long)end);
    if (r == 0)
        r = gb_session_complete(hosted->session, &what, query_on_completions, request, &err);
    if (r < 0)
        request_fail(request, &err);
}

void query_is_complete(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = query_hosted(request, params, &err);

    if (hosted == NULL || gb_session_is_complete(hosted->session, params->code,
                                                 query_on_completeness, request, &err) < 0)
        request_fail(request, &err);
}

void query_describe(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = query_hosted(request, params, &err);

    if (hosted == NULL ||
        gb_session_describe(hosted->session, params->code, query_on_description, request, &err) < 0)
        request_fail(request, &err);
}
