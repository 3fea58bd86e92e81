/* SPDX-License-Identifier: Apache-2.0 */
#include "event.h"

#include "base/clock.h"
#include "model/event.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/part.h"
#include "server/core/state.h"

const char *const event_core_kinds[] = {
    "session.opened",
    "session.changed",
    "session.closed",
    NULL,
};

static bool event_is_wanted(struct gb_server *server, const char *kind, const char *session)
{
    const struct gb_part *const *at;

    PART_FOREACH(at, server, wants_event) {
        if ((*at)->wants_event(server, kind, session))
            return true;
    }
    return false;
}

static const char *event_session(const struct hosted *hosted)
{
    return hosted == NULL ? NULL : gb_session_id(hosted->session);
}

static void event_start(struct event *event, const char *session, uint64_t at_ns)
{
    const struct gb_event_info head = {
        .at_ns = at_ns,
        .kind = gb_bytes_str(event->kind),
        .session = gb_bytes_str(session == NULL ? "" : session),
    };

    event->session = session;
    event->out.buf = &event->body;
    gb_json_object(&event->out, NULL);
    gb_object_write(&event->out, &gb_event_object, &head);
}

void event_begin_for(struct event *event, struct gb_server *server, const char *kind,
                     const struct hosted *hosted, uint64_t at_ns, void *to)
{
    *event = (struct event){.server = server, .kind = kind, .to = to};
    event_start(event, event_session(hosted), at_ns);
}

bool event_begin_about(struct event *event, struct gb_server *server, const char *kind,
                       const char *session)
{
    if (!event_is_wanted(server, kind, session))
        return false;
    *event = (struct event){.server = server, .kind = kind};
    event_start(event, session, gb_clock_wall_ns());
    return true;
}

bool event_begin(struct event *event, struct gb_server *server, const char *kind,
                 const struct hosted *hosted)
{
    return event_begin_about(event, server, kind, event_session(hosted));
}

void event_end(struct event *event)
{
    gb_json_end(&event->out);
    PART_CALL(event->server, tell_event, event);
    gb_buf_release(&event->body);
}
