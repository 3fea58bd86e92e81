/* SPDX-License-Identifier: Apache-2.0 */
#include "history.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "journal/match.h"
#include "journal/pace.h"
#include "base/mem.h"
#include "journal/journal.h"
#include "model/answer.h"
#include "model/cell.h"
#include "model/session.h"
#include "model/stats.h"
#include "model/undone.h"
#include "rpc/object.h"
#include "server/core/cell.h"
#include "server/core/ended.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/sessions.h"
#include "server/core/state.h"
#include "server/history/annotate.h"
#include "server/history/netlog.h"

enum {
    HISTORY_BYTES = 16 << 20, /* of a reply with more than one cell */
    SEARCH_BYTES = 64 << 20,  /* of records examined by one search */
    SEARCH_CELLS = 20000,
    PAST_DEFAULT = 1000,
};

struct history_server {
    struct gb_journal *journal; /* NULL: there is none */
};

struct history_session {
    struct gb_buf undone; /* cells (model/undone.h) */
};

static const struct part_state history_state = {.server = sizeof(struct history_server),
                                                .session = sizeof(struct history_session)};

static struct gb_journal *history_journal(const struct gb_server *server)
{
    const struct history_server *state = part_of_server(server, &history_state);

    return state->journal;
}

/* ---- writing ---- */

static struct gb_bytes history_text_bytes(const char *text)
{
    return gb_bytes_str(text == NULL ? "" : text);
}

static struct gb_buf *history_undone(struct hosted *hosted)
{
    struct history_session *state = part_of_session(hosted, &history_state);

    return &state->undone;
}

static void history_session(struct hosted *hosted, const struct gb_err *why)
{
    const struct gb_image *image = gb_session_image(hosted->session);
    struct gb_journal *journal = history_journal(hosted->server);
    const struct gb_record_session record = {
        .state = why == NULL ? GB_RECORD_OPEN : GB_RECORD_CLOSED,
        .flags = (hosted->run ? GB_SESSION_RUN : 0u) |
                 (hosted->key != NULL ? GB_SESSION_HAS_KEY : 0u) |
                 (hosted->label != NULL ? GB_SESSION_HAS_LABEL : 0u) |
                 (hosted->owner != NULL ? GB_SESSION_HAS_OWNER : 0u) |
                 (hosted->client != NULL ? GB_SESSION_HAS_CLIENT : 0u) |
                 (hosted->origin.session != NULL ? GB_SESSION_HAS_ORIGIN : 0u),
        .memory_mb = gb_session_memory_mb(hosted->session),
        .cells = gb_session_cells(hosted->session),
        .created_at_ns = hosted->created_at_ns,
        .key = history_text_bytes(hosted->key),
        .label = history_text_bytes(hosted->label),
        .owner = history_text_bytes(hosted->owner),
        .client = history_text_bytes(hosted->client),
        .image = history_text_bytes(image->name),
        .language = history_text_bytes(image->language),
        .reason = history_text_bytes(why == NULL ? NULL : gb_end_to_string(hosted->end)),
        .message = history_text_bytes(why == NULL ? NULL : why->message),
        .undone = gb_buf_bytes(history_undone(hosted)),
        .origin = history_text_bytes(hosted->origin.session),
        .origin_checkpoint = hosted->origin.checkpoint,
        .origin_cell = hosted->origin.cell,
        .packages = history_text_bytes(hosted->packages),
    };

    if (journal != NULL)
        gb_journal_session(journal, gb_session_id(hosted->session), hosted_incarnation(hosted),
                           &record);
}

static void history_on_session(struct hosted *hosted)
{
    history_session(hosted, NULL);
}

static void history_on_session_end(struct hosted *hosted, const struct gb_err *why)
{
    history_session(hosted, why);
    gb_buf_release(history_undone(hosted));
}

static void history_on_rewound(struct hosted *hosted, struct gb_bytes undone)
{
    struct gb_buf *known = history_undone(hosted);

    gb_buf_clear(known);
    gb_buf_add(known, undone.data, undone.size);
    history_session(hosted, NULL);
}

static void history_on_start(struct hosted *hosted, const struct gb_cell_info *cell)
{
    struct gb_journal *journal = history_journal(hosted->server);

    if (journal != NULL)
        gb_journal_start(journal, cell);
}

static int history_record(struct hosted *hosted, const struct gb_cell_info *cell,
                          struct gb_journal_ticket *ticket)
{
    struct gb_journal *journal = history_journal(hosted->server);

    return journal == NULL ? 1 : gb_journal_cell(journal, cell, ticket);
}

static int history_read_cells(struct gb_server *server, struct gb_bytes id,
                              const struct gb_journal_query *query, struct gb_err *err)
{
    if (history_journal(server) == NULL)
        return gb_err_set(err, GB_EUNSUPPORTED, "this server keeps no journal");
    return gb_journal_read(history_journal(server), id, query, err);
}

/* ---- at the start ---- */

/* An unknown state is reported as "closed". */
static enum gb_end history_end_of(const struct gb_journal_session *session)
{
    enum gb_end end = GB_END_CLOSED;

    (void)gb_end_from_string(gb_bytes_str(session->reason), &end);
    return end;
}

static int history_open(struct gb_server *server, struct gb_err *err)
{
    struct history_server *state = part_of_server(server, &history_state);
    const struct gb_settings_journal *settings = &server->settings.journal;
    _cleanup_(freep) char *folder = NULL;
    struct gb_journal_config config = {
        .size = settings->size,
        .interval_ms = settings->interval_ms,
        .sync = (enum gb_journal_sync)settings->sync,
        .sweep = settings->path[0] == '\0',
        .others_age_ms = settings->others_age_ms,
        .others_size = settings->others_size,
    };
    int r;

    if (!settings->enabled || (settings->path[0] == '\0' && server->state_folder == NULL))
        return 0;
    folder = settings->path[0] != '\0' ? xstrdup(settings->path) : xstrdup(server->state_folder);
    config.folder = folder;
    r = gb_journal_open(server->loop, &config, &state->journal, err);
    if (r < 0)
        return gb_err_wrap(err, r, "the journal ([journal] in the settings)");
    for (struct gb_list *sessions = gb_journal_sessions(history_journal(server)),
                        *at = sessions->next;
         at != sessions; at = at->next) {
        const struct gb_journal_session *session =
            container_of(at, struct gb_journal_session, link);
        struct gb_err why = {0};

        (void)gb_err_set(&why, GB_ECLOSED, "%s", session->message);
        ended_add(&server->ended, session->id, session->key, session->incarnation,
                  history_end_of(session), &why);
    }
    return 0;
}

/* `journal`: its statistics. */
static void history_describe_stats(struct gb_stats_info *info, const struct gb_server *server)
{
    struct gb_journal_figures figures;

    if (history_journal(server) == NULL)
        return;
    figures = gb_journal_figures(history_journal(server));
    info->flags |= GB_STATS_HAS_JOURNAL;
    info->journal = (struct gb_journal_info){
        .bytes = figures.bytes,
        .segments = figures.segments,
        .sessions = figures.sessions,
        .records = figures.records,
        .failures = figures.failures,
        .lost = figures.lost,
    };
    if (figures.sys_errno != 0)
        info->journal.trouble = gb_bytes_str(strerror(figures.sys_errno));
}

/* ---- session.history ---- */

/* A reply being assembled. It outlives its request if the connection closes. */
struct history {
    struct request *request; /* NULL once it has been freed */
    struct gb_server *server;
    struct gb_buf cells;
    struct gb_json_out out;
    bool whole;       /* with streams and display data */
    int64_t offset;   /* of the requested part of the output */
    uint64_t length;  /* 0: not a part */
    bool ended;       /* nothing is running in it any more */
    uint32_t before;  /* none of its first cells runs, so many */
    bool closed;      /* normally: every cell's end was reported before */
    char *image;      /* the session's */
    char *undone;     /* likewise */
    uint32_t waiting; /* the cell that waits for standard input; 0: none */
    struct gb_buf prompt;
    struct gb_match find;
    uint32_t told, limit; /* counts of cells */
};

static void history_put_pace(struct gb_json_out *out, struct gb_bytes pace)
{
    struct gb_pace_step step;

    gb_json_array(out, "pace");
    for (size_t at = 0; gb_pace_next(pace, &at, &step);) {
        gb_json_array(out, NULL);
        gb_json_put_u64(out, NULL, step.at_ms);
        gb_json_put_str(out, NULL, gb_output_to_string(step.is_stderr ? GB_STDERR : GB_STDOUT));
        gb_json_put_u64(out, NULL, step.size);
        gb_json_end(out);
    }
    gb_json_end(out);
}

/* The part of @stream, which starts @start bytes into the output, that lies in @from .. @to. */
static struct gb_bytes history_part_of(struct gb_bytes stream, uint64_t start, uint64_t from,
                                       uint64_t to)
{
    uint64_t first = MIN(MAX(from, start) - start, (uint64_t)stream.size);
    uint64_t last = MIN(MAX(to, start) - start, (uint64_t)stream.size);

    return (struct gb_bytes){stream.data + first, (size_t)(last - first)};
}

/* Cuts the output to the requested part. Neither stream is larger than a record, so nothing
 * overflows. */
static void history_cut_output(const struct history *history, struct gb_cell_info *cell)
{
    uint64_t size = (uint64_t)cell->out.size + cell->err.size, from, to;

    if (history->offset >= 0)
        from = MIN((uint64_t)history->offset, size);
    else
        from = size - MIN((uint64_t)-history->offset, size);
    to = from + MIN(history->length, size - from);
    cell->flags =
        (cell->flags & ~(uint32_t)GB_CELL_NO_OUTPUT) | GB_CELL_HAS_SIZES | GB_CELL_HAS_PART;
    cell->stdout_bytes = cell->out.size;
    cell->stderr_bytes = cell->err.size;
    cell->offset = from;
    cell->out = history_part_of(cell->out, 0, from, to);
    cell->err = history_part_of(cell->err, cell->stdout_bytes, from, to);
}

/* What the journal does not know about the cell that runs. The cells are read in another thread,
 * which must not look at sessions. */
static void history_take_present(struct history *history, struct gb_bytes id)
{
    struct hosted *hosted = hosted_find(history->server, id, NULL);
    struct gb_session_info info = {0};

    if (hosted == NULL)
        return;
    PART_CALL(history->server, describe_session, &info, hosted);
    if ((info.flags & GB_SESSION_HAS_WAITING) == 0)
        return;
    history->waiting = info.waiting_cell;
    gb_buf_add(&history->prompt, info.prompt.data, info.prompt.size);
}

static void history_add_present(const struct history *history, struct gb_cell_info *cell)
{
    if (cell->number != history->waiting)
        return;
    cell->flags |= GB_CELL_WAITING;
    cell->prompt = gb_buf_bytes(&history->prompt);
}

static void history_put_entry(struct history *history, const struct gb_cell_info *cell)
{
    struct gb_cell_info told = *cell;
    const bool result_lost = (cell->flags & GB_CELL_RESULT_LOST) != 0;

    if (!history->whole)
        gb_cell_make_brief(&told);
    if (history->length > 0 && !result_lost)
        history_cut_output(history, &told);
    if (cell->state == GB_CELL_RUNNING)
        history_add_present(history, &told);
    gb_json_object(&history->out, NULL);
    cell_put(&history->out, &told);
    if (history->whole && !result_lost)
        history_put_pace(&history->out, cell->pace);
    gb_json_end(&history->out);
}

/* Describes a cell whose end was not recorded. How it ended is unknown; if the session was closed
 * normally, it did end. */
static void history_say_end_unknown(const struct history *history, struct gb_cell_info *cell)
{
    cell->state = GB_CELL_DONE;
    if (history->closed) {
        cell->flags |= GB_CELL_RESULT_LOST;
        return;
    }
    cell->flags |= GB_CELL_HAS_ERROR | GB_CELL_DISPATCHED;
    cell->error = GB_EUNKNOWN;
    cell->message = gb_bytes_str("the server ended before the end of this code was recorded");
}

static enum gb_journal_verdict history_on_cell(void *arg, const struct gb_cell_info *record)
{
    struct history *history = arg;
    struct gb_cell_info cell = *record;
    size_t before = history->cells.size;

    if ((history->ended || cell.number <= history->before) && cell.state != GB_CELL_DONE)
        history_say_end_unknown(history, &cell);
    if (cell.image.size == 0)
        cell.image = gb_bytes_str(history->image);
    if (gb_undone_has(gb_bytes_str(history->undone), cell.number))
        cell.flags |= GB_CELL_UNDONE;
    if (history->find.size > 0 && !gb_match_cell(&history->find, &cell))
        return GB_JOURNAL_NEXT;
    history_put_entry(history, &cell);
    if (history->told > 0 && history->cells.size > HISTORY_BYTES) {
        history->cells.size = before; /* it goes into the next reply */
        return GB_JOURNAL_BEFORE;
    }
    history->told++;
    return history->told < history->limit && history->cells.size < HISTORY_BYTES
               ? GB_JOURNAL_NEXT
               : GB_JOURNAL_ENOUGH;
}

static void history_free(struct history *history)
{
    gb_buf_release(&history->cells);
    gb_buf_release(&history->prompt);
    free(history->image);
    free(history->undone);
    free(history);
}

static void history_on_read(void *arg, uint32_t last, bool more, const struct gb_err *err)
{
    struct history *history = arg;
    struct request *request = history->request;
    struct gb_history_info info = {.next = last};
    struct reply reply;

    gb_json_end(&history->out);
    info.cells.written = gb_buf_bytes(&history->cells);
    info.flags = more ? GB_PAGE_MORE | GB_PAGE_HAS_NEXT : 0;
    if (request != NULL && err != NULL) {
        request_fail(request, err);
    } else if (request != NULL) {
        reply_begin(&reply, request);
        gb_object_write(&reply.out, &gb_history_object, &info);
        reply_end(&reply);
    }
    history_free(history);
}

static void history_asker_gone(struct request *request)
{
    ((struct history *)request->arg)->request = NULL;
}

static uint32_t history_cells_before(struct gb_server *server, struct gb_bytes id)
{
    const struct hosted *hosted = hosted_lookup(server, id);

    return hosted == NULL ? 0 : hosted->cells_before;
}

static void history_handle(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct history *history = xcalloc(1, sizeof(*history));
    bool search = params->find.data != NULL;
    const struct gb_journal_query query = {
        .after = (uint32_t)params->after_cell,
        .before = (uint32_t)params->before_cell,
        .limit = search ? SEARCH_CELLS : (uint32_t)params->limit,
        .bytes = search ? SEARCH_BYTES : 0,
        .annotated = params->annotated,
        .each = history_on_cell,
        .done = history_on_read,
        .arg = history,
    };
    const struct gb_journal_session *session;
    struct gb_err err = {0};
    int r = 0;

    history->request = request;
    history->server = server;
    history->whole = params->output;
    history->offset = params->offset;
    history->length = (uint64_t)params->length;
    history->limit = (uint32_t)params->limit;
    gb_match_init(&history->find, params->find);
    history->out.buf = &history->cells;
    gb_json_array(&history->out, NULL);
    if (params->offset != 0 && params->length == 0) {
        r = gb_err_set(&err, GB_EINVALID, "offset needs length");
    } else if (history_journal(server) == NULL) {
        r = gb_err_set(&err, GB_EUNSUPPORTED, "this server keeps no journal");
    } else if ((session = gb_journal_find(history_journal(server), params->session)) == NULL) {
        if (hosted_find(server, params->session, &err) == NULL)
            r = -(int)err.code;
        else
            r = gb_err_set(&err, GB_ENOTFOUND, "the journal has no records of this session");
    } else {
        history->ended = session->state != GB_RECORD_OPEN;
        history->closed = session->state == GB_RECORD_CLOSED;
        history->before = history_cells_before(server, params->session);
        history->image = xstrdup(session->image);
        history->undone = xstrdup(session->undone);
        history_take_present(history, params->session);
        r = gb_journal_read(history_journal(server), params->session, &query, &err);
    }
    if (r < 0) {
        history_free(history);
        request_fail(request, &err);
        return;
    }
    request->arg = history;
    request->abandon = history_asker_gone;
}

/* ---- sessions that have ended ---- */

static enum gb_session_state history_state_of(const struct gb_journal_session *session)
{
    return session->state == GB_RECORD_CLOSED ? GB_SESSION_CLOSED : GB_SESSION_LOST;
}

/* An empty text means none: a damaged record has no information. */
static struct gb_bytes history_known(const char *text)
{
    const bool is_told = text != NULL && text[0] != '\0';

    return gb_bytes_str(is_told ? text : NULL);
}

static void history_put_past(struct gb_json_out *out, const struct gb_journal_session *session)
{
    const struct gb_session_info info = {
        .id = gb_bytes_str(session->id),
        .key = gb_bytes_str(session->key),
        .label = gb_bytes_str(session->label),
        .owner = gb_bytes_str(session->owner),
        .client = gb_bytes_str(session->client),
        .image = history_known(session->image),
        .language = history_known(session->language),
        .state = (uint8_t)history_state_of(session),
        .origin = gb_bytes_str(session->origin),
        .origin_checkpoint = session->origin_checkpoint,
        .origin_cell = session->origin_cell,
        .packages = history_known(session->packages),
        .flags = GB_SESSION_HAS_ENDED |
                 (session->flags & (GB_SESSION_RUN | GB_SESSION_HAS_ORIGIN)) |
                 (session->damaged ? GB_SESSION_DAMAGED : 0u),
        .incarnation = session->incarnation,
        .cells = session->cells,
        .memory_mb = session->memory_mb,
        .created_at_ns = session->created_at_ns,
        .ended_at_ns = session->last_at_ns,
        .reason = gb_bytes_str(session->reason),
        .message = gb_bytes_str(session->message),
    };

    gb_object_write(out, &gb_session_object, &info);
}

static bool history_list_ended(struct gb_json_out *out, struct gb_server *server,
                               const struct gb_params *params)
{
    enum gb_session_state state = GB_SESSION_STARTING;
    int64_t left = params->limit > 0 ? params->limit : PAST_DEFAULT;
    struct gb_list *sessions;

    if (!gb_session_state_from_string(params->state, &state) || state < GB_SESSION_CLOSED)
        return false;
    if (history_journal(server) == NULL)
        return true;
    sessions = gb_journal_sessions(history_journal(server));
    /* Newest first. */
    for (struct gb_list *at = sessions->previous; at != sessions && left > 0; at = at->previous) {
        const struct gb_journal_session *session =
            container_of(at, struct gb_journal_session, link);

        if (session->state == GB_RECORD_OPEN || history_state_of(session) != state ||
            !sessions_match(params->key, session->key) ||
            !sessions_match(params->label, session->label) ||
            !sessions_match(params->owner, session->owner) ||
            !sessions_match(params->image, session->image))
            continue;
        gb_json_object(out, NULL);
        history_put_past(out, session);
        gb_json_end(out);
        left--;
    }
    return true;
}

/* ---- hooks ---- */

static bool history_explain(struct gb_server *server, struct gb_bytes id, struct gb_err *err)
{
    struct gb_journal *journal = history_journal(server);
    const struct gb_journal_session *session =
        journal == NULL ? NULL : gb_journal_find(journal, id);

    if (session == NULL)
        return false;
    (void)gb_err_set(err, GB_ECLOSED, "the session has ended: %.300s", session->message);
    return true;
}

static uint32_t history_last_cell(struct gb_server *server, struct gb_bytes id)
{
    struct gb_journal *journal = history_journal(server);
    const struct gb_journal_session *session =
        journal == NULL ? NULL : gb_journal_find(journal, id);

    return session == NULL ? 0 : session->cells;
}

static void history_on_server_end(struct gb_server *server)
{
    gb_journal_close(history_journal(server));
}

static void history_record_network(struct hosted *hosted, const struct gb_network_record *record)
{
    struct gb_journal *journal = history_journal(hosted->server);

    if (journal != NULL)
        gb_journal_network(journal, gb_session_id(hosted->session), hosted_incarnation(hosted),
                           record);
}

static void history_handle_network(struct request *request, const struct gb_params *params)
{
    netlog_handle(request, params, history_journal(request->connection->server));
}

static void history_handle_annotate(struct request *request, const struct gb_params *params)
{
    annotate_handle(request, params, history_journal(request->connection->server));
}

static const struct method_handler history_methods[] = {
    {"session.annotate", history_handle_annotate},
    {"session.history", history_handle},
    {"session.network_log", history_handle_network},
    {NULL, NULL},
};

const struct gb_part history_part = {
    .name = "history",
    .methods = history_methods,
    .event_kinds = annotate_event_kinds,
    .state = &history_state,
    .server_start = history_open,
    .server_free = history_on_server_end,
    .session_new = history_on_session,
    .record_session = history_on_session,
    .session_ended = history_on_session_end,
    .session_rewound = history_on_rewound,
    .explain_missing = history_explain,
    .cell_started = history_on_start,
    .record_cell = history_record,
    .read_cells = history_read_cells,
    .last_cell = history_last_cell,
    .record_network = history_record_network,
    .describe_stats = history_describe_stats,
    .list_ended = history_list_ended,
};
