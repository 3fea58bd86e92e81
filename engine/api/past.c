/* SPDX-License-Identifier: Apache-2.0 */
/* Checkpoints, rewinds, forks, sleep. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "model/past.h"
#include "rpc/object.h"

/* ---- moments ---- */

static int past_put_moment(struct gb_json_out *out, const struct glassbell_moment *moment,
                           struct gb_err *err)
{
    switch (moment->kind) {
    case GLASSBELL_NOW:
        return 0;
    case GLASSBELL_AFTER_CELL:
        gb_json_put_u64(out, "cell", moment->number);
        return 0;
    case GLASSBELL_AT_CHECKPOINT:
        gb_json_put_u64(out, "seq", moment->number);
        return 0;
    case GLASSBELL_AT_NAME:
        if (moment->name == NULL)
            return gb_err_set(err, GB_EINVALID, "the moment has no name");
        gb_json_put_str(out, "name", moment->name);
        return 0;
    }
    return gb_err_set(err, GB_EINVALID, "there is no kind %d of moments", (int)moment->kind);
}

/* ---- the list ---- */

/* The pages that have arrived. */
struct past_list {
    struct glassbell_session *session;
    glassbell_past_fn *done;
    void *arg;
    struct gb_buf rows; /* struct glassbell_checkpoint */
    struct api_texts texts;
};

static void past_list_end(struct past_list *list, const struct glassbell_past *past,
                          const struct glassbell_error *error)
{
    list->done(list->arg, past, error);
    gb_buf_release(&list->rows);
    api_texts_release(&list->texts);
    free(list);
}

static void past_list_add(struct past_list *list, const struct gb_checkpoint_info *info)
{
    const struct glassbell_checkpoint row = {
        .seq = info->seq,
        .parent = info->parent,
        .cell = info->cell,
        .epoch = info->epoch,
        .at = (double)info->at_ns / 1e9,
        .size = info->bytes,
        .name = api_text(&list->texts, info->name),
        .here = (info->flags & GB_CHECKPOINT_HERE) != 0,
    };

    gb_buf_add(&list->rows, &row, sizeof(row));
}

static void past_list_next(struct past_list *list, uint64_t after);

static void past_read_list(struct api_call *call, const struct gb_json *result,
                           const struct glassbell_error *error)
{
    struct past_list *list = call->arg;
    struct gb_checkpoint_info info = {0};
    struct gb_checkpoints_info page;
    struct glassbell_past past;
    size_t at = 0;

    if (error != NULL) {
        past_list_end(list, NULL, error);
        return;
    }
    gb_object_take(&gb_checkpoints_object, result, &page);
    while (gb_items_next(&gb_checkpoint_object, &page.checkpoints, &at, &info) > 0)
        past_list_add(list, &info);
    if ((page.flags & GB_CHECKPOINTS_MORE) != 0 && info.seq > 0) {
        past_list_next(list, info.seq);
        return;
    }
    past = (struct glassbell_past){
        .checkpoints = (const struct glassbell_checkpoint *)(const void *)gb_buf_data(&list->rows),
        .count = list->rows.size / sizeof(struct glassbell_checkpoint),
        .epoch = page.epoch,
        .size = page.bytes,
        .missing = api_text(&list->texts, page.missing),
    };
    past_list_end(list, &past, NULL);
}

static void past_list_next(struct past_list *list, uint64_t after)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, list->session);
    gb_json_put_u64(&out, "after", after);
    gb_json_put_u64(&out, "limit", GB_CHECKPOINTS_MAX);
    api_call(list->session, "session.checkpoints", &out, past_read_list, NULL, list);
}

void glassbell_session_checkpoints(struct glassbell_session *session, glassbell_past_fn *done,
                                   void *arg)
{
    struct past_list *list = xcalloc(1, sizeof(*list));

    list->session = session;
    list->done = done;
    list->arg = arg;
    api_texts_init(&list->texts);
    past_list_next(list, 0);
}

/* ---- taking one ---- */

static void past_read_kept(struct api_call *call, const struct gb_json *result,
                           const struct glassbell_error *error)
{
    glassbell_kept_fn *done = (glassbell_kept_fn *)call->done;
    struct gb_kept_info info;
    struct glassbell_kept kept;

    if (error != NULL) {
        done(call->arg, NULL, error);
        return;
    }
    gb_object_take(&gb_kept_object, result, &info);
    kept = (struct glassbell_kept){.seq = info.seq,
                                   .cell = info.cell,
                                   .size = info.bytes,
                                   .pages = info.pages,
                                   .pause_ms = (double)info.pause_us / 1e3};
    done(call->arg, &kept, NULL);
}

void glassbell_session_checkpoint(struct glassbell_session *session, const char *name,
                                  glassbell_kept_fn *done, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    if (name != NULL)
        gb_json_put_str(&out, "name", name);
    api_call(session, "session.checkpoint", &out, past_read_kept, (api_any_fn *)done, arg);
}

/* ---- going there ---- */

static void past_read_rewound(struct api_call *call, const struct gb_json *result,
                              const struct glassbell_error *error)
{
    glassbell_rewound_fn *done = (glassbell_rewound_fn *)call->done;
    struct gb_rewound_info info;
    struct glassbell_rewound rewound;

    if (error != NULL) {
        done(call->arg, NULL, error);
        return;
    }
    gb_object_take(&gb_rewound_object, result, &info);
    rewound = (struct glassbell_rewound){.seq = info.seq,
                                         .cell = info.cell,
                                         .epoch = info.epoch,
                                         .from_seq = info.from_seq,
                                         .from_cell = info.from_cell,
                                         .took_ms = (double)info.took_us / 1e3};
    done(call->arg, &rewound, NULL);
}

void glassbell_session_rewind(struct glassbell_session *session, const struct glassbell_moment *to,
                              const struct glassbell_rewind_options *options,
                              glassbell_rewound_fn *done, void *arg)
{
    struct gb_err err = {0};
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    if (options != NULL) {
        gb_json_put_bool(&out, "interrupt", options->interrupt);
        gb_json_put_bool(&out, "drop_queued", options->drop_queued);
        if (options->wait_ms > 0)
            gb_json_put_u64(&out, "wait_ms", options->wait_ms);
    }
    if (past_put_moment(&out, to, &err) == 0) {
        api_call(session, "session.rewind", &out, past_read_rewound, (api_any_fn *)done, arg);
        return;
    }
    gb_buf_release(&params);
    api_fail(session, &err, past_read_rewound, (api_any_fn *)done, arg);
}

static void past_step(struct glassbell_session *session, int64_t steps, glassbell_rewound_fn *done,
                      void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    gb_json_put_i64(&out, "steps", steps);
    api_call(session, "session.rewind", &out, past_read_rewound, (api_any_fn *)done, arg);
}

void glassbell_session_undo(struct glassbell_session *session, glassbell_rewound_fn *done,
                            void *arg)
{
    past_step(session, 1, done, arg);
}

void glassbell_session_redo(struct glassbell_session *session, glassbell_rewound_fn *done,
                            void *arg)
{
    past_step(session, -1, done, arg);
}

/* ---- sleep ---- */

static void past_read_slept(struct api_call *call, const struct gb_json *result,
                            const struct glassbell_error *error)
{
    glassbell_slept_fn *done = (glassbell_slept_fn *)call->done;
    struct gb_slept_info info;
    struct glassbell_slept slept;

    if (error != NULL) {
        done(call->arg, NULL, error);
        return;
    }
    gb_object_take(&gb_slept_object, result, &info);
    slept = (struct glassbell_slept){.seq = info.seq,
                                     .cell = info.cell,
                                     .size = info.bytes,
                                     .took_ms = (double)info.took_us / 1e3};
    done(call->arg, &slept, NULL);
}

void glassbell_session_sleep(struct glassbell_session *session, glassbell_slept_fn *done, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    api_call(session, "session.sleep", &out, past_read_slept, (api_any_fn *)done, arg);
}

void glassbell_session_wake(struct glassbell_session *session, glassbell_slept_fn *done, void *arg)
{
    struct gb_json_out out;
    struct gb_buf params;

    api_begin(&out, &params, session);
    api_call(session, "session.wake", &out, past_read_slept, (api_any_fn *)done, arg);
}

/* ---- forks ---- */

struct past_birth;

/* One that was asked for. */
struct past_child {
    struct past_birth *birth;
    struct glassbell_session *session; /* NULL: it failed */
    char kind[32], message[GB_ERR_MESSAGE_MAX];
    struct glassbell_error error;
};

struct past_birth {
    glassbell_fork_fn *done;
    void *arg;
    size_t count, waiting;
    struct past_child children[];
};

static void past_child_fail(struct past_child *child, const char *kind, struct gb_bytes message)
{
    child->session = NULL;
    (void)snprintf(child->kind, sizeof(child->kind), "%s", kind);
    (void)snprintf(child->message, sizeof(child->message), "%.*s", (int)message.size,
                   (const char *)message.data);
    child->error = (struct glassbell_error){.kind = child->kind, .message = child->message};
}

/* It is its user's from now on, unless it has ended while it waited for the others. */
static void past_child_give(struct past_child *child)
{
    struct glassbell_session *session = child->session;

    if (session == NULL)
        return;
    gb_client_pause(session->client, false);
    session->calls--;
    session->open = !session->dropped;
    if (session->open)
        return;
    past_child_fail(child, gb_code_kind(GB_ECLOSED), gb_bytes_str("the session has ended"));
    api_settle(session);
}

static void past_birth_end(struct past_birth *birth)
{
    struct glassbell_fork *forks;

    if (--birth->waiting > 0)
        return;
    forks = xcalloc(birth->count, sizeof(*forks));
    for (size_t i = 0; i < birth->count; i++) {
        struct past_child *child = &birth->children[i];

        past_child_give(child);
        forks[i].session = child->session;
        forks[i].error = child->session == NULL ? &child->error : NULL;
    }
    birth->done(birth->arg, forks, birth->count, NULL);
    free(forks);
    free(birth);
}

static void past_on_child(void *arg, struct glassbell_session *session,
                          const struct glassbell_error *error)
{
    struct past_child *child = arg;

    child->session = session;
    if (error != NULL) {
        past_child_fail(child, error->kind, gb_bytes_str(error->message));
    } else {
        session->open = false; /* not before all of them are given: nor is anything told of it */
        session->calls++;
        gb_client_pause(session->client, true);
    }
    past_birth_end(child->birth);
}

static void past_adopt(struct past_child *child, struct glassbell_session *parent,
                       const struct gb_fork_info *info)
{
    struct api_callbacks callbacks = parent->callbacks;
    struct glassbell_session *session;

    if (info->session.data == NULL)
        past_child_fail(child, gb_code_kind((enum gb_code)info->error), info->message);
    else if (parent->engine->closing) /* its server ends it */
        past_child_fail(child, gb_code_kind(GB_ECLOSED), gb_bytes_str("the engine is closed"));
    if (child->error.kind != NULL)
        return;
    callbacks.arg = child->birth->arg;
    session = api_session_new(parent->engine, &callbacks);
    (void)snprintf(session->source, sizeof(session->source), "fork");
    child->birth->waiting++;
    api_session_watch(session, info->session, past_on_child, child);
}

static void past_read_forked(struct api_call *call, const struct gb_json *result,
                             const struct glassbell_error *error)
{
    glassbell_fork_fn *done = (glassbell_fork_fn *)call->done;
    struct gb_forked_info info;
    struct gb_fork_info fork;
    struct past_birth *birth;
    size_t count, at = 0;

    if (error != NULL) {
        done(call->arg, NULL, 0, error);
        return;
    }
    gb_object_take(&gb_forked_object, result, &info);
    count = gb_items_count(&info.sessions);
    birth = xcalloc(1, sizeof(*birth) + count * sizeof(birth->children[0]));
    birth->done = done;
    birth->arg = call->arg;
    birth->waiting = 1; /* until all have begun */
    while (birth->count < count && gb_items_next(&gb_fork_object, &info.sessions, &at, &fork) > 0) {
        struct past_child *child = &birth->children[birth->count++];

        child->birth = birth;
        past_adopt(child, call->session, &fork);
    }
    past_birth_end(birth);
}

void glassbell_session_fork(struct glassbell_session *session,
                            const struct glassbell_fork_options *options, glassbell_fork_fn *done,
                            void *arg)
{
    static const struct glassbell_fork_options defaults = {0};
    struct gb_err err = {0};
    struct gb_json_out out;
    struct gb_buf params;

    if (options == NULL)
        options = &defaults;
    api_begin(&out, &params, session);
    if (options->count > 0)
        gb_json_put_u64(&out, "count", options->count);
    if (options->label != NULL)
        gb_json_put_str(&out, "label", options->label);
    if (options->wait_ms > 0)
        gb_json_put_u64(&out, "wait_ms", options->wait_ms);
    if (past_put_moment(&out, &options->from, &err) == 0) {
        api_call(session, "session.fork", &out, past_read_forked, (api_any_fn *)done, arg);
        return;
    }
    gb_buf_release(&params);
    api_fail(session, &err, past_read_forked, (api_any_fn *)done, arg);
}
