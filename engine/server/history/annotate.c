/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. What a request changes is one record of the journal. Once it is on disk,
 * watchers are told what was changed, in the order of the records, and the request is answered.
 * Nothing is kept here: a history reads bookmarks and notes with the cells. A fork's history begins
 * with the fork, so it has none of those of its origin.
 */
#include "annotate.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "journal/journal.h"
#include "server/core/event.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"

const char *const annotate_event_kinds[] = {"cell.annotated", NULL};

/* A record that is being written. It outlives its request if the connection closes. */
struct annotate {
    struct request *request; /* NULL once it has been freed */
    struct gb_server *server;
    struct gb_journal_ticket ticket;
    char session[GB_RECORD_ID_MAX];
    uint32_t cell;
    uint8_t flags;
    char *note, *client; /* NULL: not set; unnamed */
};

static void annotate_free(struct annotate *annotate)
{
    free(annotate->note);
    free(annotate->client);
    free(annotate);
}

static void annotate_tell(const struct annotate *annotate)
{
    struct event event;

    if (!event_begin_about(&event, annotate->server, annotate_event_kinds[0], annotate->session))
        return;
    gb_json_put_u64(&event.out, "cell", annotate->cell);
    gb_json_object(&event.out, "info");
    if ((annotate->flags & GB_ANNOTATION_SETS_BOOKMARK) != 0)
        gb_json_put_bool(&event.out, "bookmark", (annotate->flags & GB_ANNOTATION_BOOKMARK) != 0);
    if (annotate->note != NULL)
        gb_json_put_str(&event.out, "note", annotate->note);
    if (annotate->client != NULL)
        gb_json_put_str(&event.out, "client", annotate->client);
    gb_json_end(&event.out);
    event_end(&event);
}

static void annotate_on_recorded(void *arg, bool recorded)
{
    struct annotate *annotate = arg;
    struct request *request = annotate->request;
    struct gb_err err = {0};

    if (recorded)
        annotate_tell(annotate);
    annotate_free(annotate);
    if (request == NULL)
        return;
    if (recorded) {
        request_ok(request);
        return;
    }
    (void)gb_err_set(&err, GB_EINTERNAL, "the journal could not be written");
    request_fail(request, &err);
}

static void annotate_asker_gone(struct request *request)
{
    ((struct annotate *)request->arg)->request = NULL;
}

/* A note is shown on a line, to people. */
static int annotate_check(const struct gb_params *params, struct gb_err *err)
{
    const struct gb_bytes note = params->note;

    if (note.data == NULL && params->bookmark < 0)
        return gb_err_set(err, GB_EINVALID, "session.annotate needs bookmark or note");
    if (!gb_utf8_valid(note))
        return gb_err_set(err, GB_EINVALID, "note must be UTF-8");
    for (size_t i = 0; note.data != NULL && i < note.size; i++) {
        bool is_c1 = note.data[i] == 0xc2 && i + 1 < note.size && note.data[i + 1] < 0xa0;

        if (note.data[i] < ' ' || note.data[i] == 0x7f || is_c1)
            return gb_err_set(err, GB_EINVALID,
                              "note must be a line of text without control characters");
    }
    return 0;
}

static int annotate_begin(struct annotate *annotate, const struct gb_params *params,
                          struct gb_journal *journal, struct gb_err *err)
{
    const struct gb_record_annotation record = {
        .flags = annotate->flags,
        .note = params->note,
        .client = gb_bytes_str(annotate->client == NULL ? "" : annotate->client),
    };
    const struct gb_journal_session *session = gb_journal_find(journal, params->session);

    if (session != NULL) {
        memcpy(annotate->session, session->id, sizeof(annotate->session));
        return gb_journal_annotate(journal, params->session, annotate->cell, &record,
                                   &annotate->ticket, err);
    }
    if (hosted_find(annotate->server, params->session, err) == NULL)
        return -(int)err->code;
    return gb_err_set(err, GB_ENOTFOUND, "the journal has no records of this session");
}

void annotate_handle(struct request *request, const struct gb_params *params,
                     struct gb_journal *journal)
{
    const char *client = request->connection->client;
    struct annotate *annotate;
    struct gb_err err = {0};
    int r = annotate_check(params, &err);

    if (r == 0 && journal == NULL)
        r = gb_err_set(&err, GB_EUNSUPPORTED, "this server keeps no journal");
    if (r < 0) {
        request_fail(request, &err);
        return;
    }
    annotate = xcalloc(1, sizeof(*annotate));
    annotate->request = request;
    annotate->server = request->connection->server;
    annotate->ticket = (struct gb_journal_ticket){.done = annotate_on_recorded, .arg = annotate};
    annotate->cell = (uint32_t)params->cell;
    annotate->client = client == NULL ? NULL : xstrdup(client);
    if (params->bookmark >= 0)
        annotate->flags |= GB_ANNOTATION_SETS_BOOKMARK;
    if (params->bookmark > 0)
        annotate->flags |= GB_ANNOTATION_BOOKMARK;
    if (params->note.data != NULL) {
        annotate->flags |= GB_ANNOTATION_SETS_NOTE;
        annotate->note = xstrndup((const char *)params->note.data, params->note.size);
    }
    r = annotate_begin(annotate, params, journal, &err);
    if (r < 0) {
        annotate_free(annotate);
        request_fail(request, &err);
    } else if (r > 0) {
        annotate_on_recorded(annotate, true);
    } else {
        request->arg = annotate;
        request->abandon = annotate_asker_gone;
    }
}
