/* SPDX-License-Identifier: Apache-2.0 */
#include "server/checkpoint/state.h"

#include "base/fd.h"
#include "base/mem.h"
#include "server/core/state.h"

const struct part_state checkpoint_sizes = {
    .server = sizeof(struct checkpoint_server),
    .session = sizeof(struct checkpoint_session),
};

enum gb_settings_checkpoints checkpoint_policy(struct hosted *hosted)
{
    const enum gb_settings_checkpoints general =
        (enum gb_settings_checkpoints)hosted->server->settings.past.checkpoints;
    const struct checkpoint_session *state = checkpoint_of(hosted);

    return general != GB_SETTINGS_CHECKPOINTS_OFF && state->has_policy ? state->policy : general;
}

bool checkpoint_is_automatic(struct hosted *hosted)
{
    const enum gb_settings_checkpoints policy = checkpoint_policy(hosted);

    return (policy == GB_SETTINGS_CHECKPOINTS_IDLE || policy == GB_SETTINGS_CHECKPOINTS_CELL) &&
           checkpoint_of(hosted)->bound == NULL && !hosted->run;
}

void checkpoint_announce(struct hosted *hosted)
{
    gb_session_announce(hosted->session, checkpoint_policy(hosted) == GB_SETTINGS_CHECKPOINTS_CELL);
}

int checkpoint_may_be(struct hosted *hosted, struct gb_err *err)
{
    const struct checkpoint_server *state = checkpoint_of_server(hosted->server);
    const struct gb_settings_past *settings = &hosted->server->settings.past;

    if (settings->checkpoints == GB_SETTINGS_CHECKPOINTS_OFF)
        return gb_err_set(err, GB_ENOPAST, "checkpoints are off ([past] checkpoints)");
    if (checkpoint_policy(hosted) == GB_SETTINGS_CHECKPOINTS_OFF)
        return gb_err_set(err, GB_ENOPAST, "the session was opened without checkpoints");
    if (state->folder == NULL)
        return gb_err_set(err, GB_ENOPAST, "%s", state->why.message);
    if (gb_start_origin(&hosted->start) == NULL)
        return gb_err_set(err, GB_ENOPAST,
                          "the session's VM was booted, and only one restored from a template can "
                          "have checkpoints (`glassbell image warm` makes one)");
    if (state->bytes >= settings->total)
        return gb_err_set(err, GB_ECAPACITY,
                          "the checkpoints of all sessions take %llu MB on disk, and the settings "
                          "allow no more ([past] total)",
                          (unsigned long long)(state->bytes >> 20));
    return 0;
}

int checkpoint_describe(struct hosted *hosted, struct gb_buf *text, struct gb_err *err)
{
    return gb_templates_describe(gb_pool_templates(hosted->server->capacity->pool),
                                 gb_session_image(hosted->session),
                                 gb_session_memory_mb(hosted->session), text, err);
}

struct gb_past *checkpoint_new_past(struct hosted *hosted, struct gb_snapshot *snapshot,
                                    int disk_fd)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s", checkpoint_of_server(hosted->server)->folder,
                                            gb_session_id(hosted->session));

    return gb_past_new(hosted->server->loop, snapshot, path,
                       (size_t)hosted->server->settings.past.keep, hosted->server->host->tracking,
                       disk_fd);
}

uint64_t checkpoint_share(const struct gb_server *server)
{
    const struct gb_settings_past *settings = &server->settings.past;
    struct hosted *hosted;
    uint64_t count = 0;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        count += checkpoint_of(hosted)->past != NULL;
    return MIN((uint64_t)settings->per_session, (uint64_t)settings->total / MAX(count, 1u));
}

int checkpoint_make_past(struct hosted *hosted, struct gb_err *err)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct gb_buf template = {0};
    int r = checkpoint_may_be(hosted, err), disk_fd = -1;

    if (r < 0 || state->past != NULL)
        return r;
    r = checkpoint_describe(hosted, &template, err);
    if (r == 0)
        r = gb_fd_copy(hosted->disk_fd, &disk_fd, err);
    if (r == 0) {
        state->template = xstrdup(gb_buf_str(&template));
        state->past = checkpoint_new_past(hosted, gb_start_origin(&hosted->start), disk_fd);
    }
    gb_buf_release(&template);
    return r;
}

bool checkpoint_is_now(struct hosted *hosted)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);

    return state->is_known && state->known_ns == gb_session_last_changed_ns(hosted->session);
}

bool checkpoint_outlives_server(struct hosted *hosted)
{
    return checkpoint_of(hosted)->bound == NULL && !hosted->run &&
           (!hosted->closing || hosted_is_left(hosted));
}

bool checkpoint_is_last(struct hosted *hosted)
{
    return checkpoint_is_now(hosted) && gb_session_waiting(hosted->session) == 0;
}

void checkpoint_is_known(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);

    state->is_known = true;
    state->known_ns = gb_session_last_changed_ns(hosted->session);
}

void checkpoint_count(struct hosted *hosted)
{
    struct checkpoint_session *state = checkpoint_of(hosted);
    struct checkpoint_server *server = checkpoint_of_server(hosted->server);
    uint64_t bytes = state->past == NULL ? 0 : gb_past_bytes(state->past);

    server->bytes += bytes - state->counted_bytes;
    state->counted_bytes = bytes;
}

struct hosted *checkpoint_find(struct request *request, const struct gb_params *params, bool adds)
{
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(request->connection->server, params->session, &err);

    if (hosted != NULL &&
        (checkpoint_may_be(hosted, &err) == 0 || (!adds && err.code == GB_ECAPACITY)))
        return hosted;
    /* It may still be made from a template. */
    if (hosted != NULL && !hosted->opened && err.code == GB_ENOPAST &&
        checkpoint_of_server(hosted->server)->folder != NULL)
        return hosted;
    request_fail(request, &err);
    return NULL;
}

struct job *checkpoint_new_job(struct request *request, struct hosted *hosted, struct gb_bytes name)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->hosted = hosted;
    job->request = request;
    job->asked = true;
    job->target.cell = -1;
    if (name.data != NULL)
        job->name = xstrndup((const char *)name.data, name.size);
    return job;
}
