/* SPDX-License-Identifier: Apache-2.0 */
/* The methods that open, list and close sessions. */
#include "sessions.h"

#include <assert.h>

#include "server/core/ended.h"
#include "server/core/hosted.h"
#include "server/core/open.h"
#include "server/core/request.h"
#include "server/core/sample.h"
#include "server/core/state.h"
#include "session/query.h"

enum { STAT_DEADLINE_MS = 1000 };

/* Nobody would know the id of a keyless session whose opener has gone. */
static void sessions_opener_gone(struct request *request)
{
    struct hosted *hosted = request->arg;

    gb_list_remove(&request->wait);
    if (hosted != NULL && hosted->key == NULL && (!hosted->opened || hosted->preparing > 0))
        hosted_close(hosted, GB_END_CLOSED, "the client that opened it went away");
}

/* Attaches to the session with the key. 1: done; 0: there is none. */
static int sessions_attach(struct request *request, const struct gb_params *params,
                           struct gb_err *err)
{
    struct gb_server *server = request->connection->server;
    struct hosted *hosted;
    const struct gb_image *image;

    if (params->key.data == NULL || (hosted = hosted_by_key(server, params->key, false)) == NULL)
        return 0;
    image = gb_session_image(hosted->session);
    if (params->image.data != NULL && open_image(server, params->image, err) != image)
        return gb_err_set(err, GB_EINVALID,
                          "the session with the key \"%s\" is one of the image %s", hosted->key,
                          image->name);
    if (hosted->opened && hosted->preparing == 0) {
        gb_session_want(hosted->session);
        hosted_reply_opened(request, hosted, false);
        return 1;
    }
    /* Waits for its start like the first opener; arg stays NULL because it did not create it. */
    request->abandon = sessions_opener_gone;
    gb_list_add_tail(&hosted->openers, &request->wait);
    return 1;
}

static void sessions_open(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = NULL;
    int r = server_check_open(request->connection->server, &err);

    if (r == 0)
        r = sessions_attach(request, params, &err);
    if (r == 1)
        return;
    if (r == 0)
        r = open_session(request->connection, params, false, &hosted, &err);
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    assert(hosted != NULL);
    request->arg = hosted;
    request->abandon = sessions_opener_gone;
    gb_list_add_tail(&hosted->openers, &request->wait);
}

/* ---- look ---- */

static void sessions_reply(struct request *request, struct hosted *hosted)
{
    struct reply reply;

    reply_begin(&reply, request);
    hosted_put(&reply.out, hosted, sample_budget());
    reply_end(&reply);
}

static void sessions_on_status(void *arg, const struct gb_status *status, const struct gb_err *err)
{
    struct request *request = arg;
    struct hosted *hosted = request->arg;

    (void)err; /* a guest that does not answer in time is shown with its last known values */
    if (status != NULL)
        hosted_take_status(hosted, status);
    sessions_reply(request, hosted);
}

static void sessions_get(struct request *request, const struct gb_params *params)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);

    if (hosted == NULL) {
        request_fail(request, &err);
        return;
    }
    request->arg = hosted;
    if (!hosted->opened || gb_session_is_asleep(hosted->session) ||
        gb_session_status(hosted->session, STAT_DEADLINE_MS, sessions_on_status, request, NULL) < 0)
        sessions_reply(request, hosted);
    else
        request->abandon = request_forget;
}

bool sessions_match(struct gb_bytes wanted, const char *value)
{
    return wanted.data == NULL || (value != NULL && gb_bytes_equal(wanted, value));
}

static void sessions_list(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct reply reply;
    struct hosted *hosted;

    reply_begin(&reply, request);
    gb_json_array(&reply.out, "sessions");
    if (part_list_ended(&reply.out, server, params)) {
        gb_json_end(&reply.out);
        reply_end(&reply);
        return;
    }
    sample_look(server);
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        if (hosted->closing || !sessions_match(params->key, hosted->key) ||
            !sessions_match(params->label, hosted->label) ||
            !sessions_match(params->owner, hosted->owner) ||
            !sessions_match(params->image, gb_session_image(hosted->session)->name) ||
            !sessions_match(params->state,
                            gb_session_state_to_string(gb_session_state(hosted->session))))
            continue;
        gb_json_object(&reply.out, NULL);
        hosted_put(&reply.out, hosted, 0);
        gb_json_end(&reply.out);
    }
    gb_json_end(&reply.out);
    reply_end(&reply);
}

/* ---- close ---- */

static void sessions_close(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct hosted *hosted = hosted_lookup(server, params->session);
    struct gb_err err = {0};

    if (hosted != NULL) {
        gb_list_add_tail(&hosted->closers, &request->wait);
        hosted_close(hosted, GB_END_CLOSED, "it was closed");
    } else if (ended_by_id(&server->ended, params->session) != NULL) {
        request_ok(request);
    } else if (!part_close_missing(server, request, params->session)) {
        (void)hosted_find(server, params->session, &err);
        request_fail(request, &err);
    }
}

const struct method_handler sessions_methods[] = {
    {"session.open", sessions_open},
    {"session.get", sessions_get},
    {"session.list", sessions_list},
    {"session.close", sessions_close},
    {NULL, NULL},
};
