/* SPDX-License-Identifier: Apache-2.0 */
#include "shortage.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"

enum { CLOSABLE_MAX = 5 };

void shortage_put_admission(struct gb_json_out *out, struct gb_server *server)
{
    struct gb_admission_status status;

    gb_admission_status(server->capacity->admission, &status);
    gb_json_object(out, "admission");
    if (status.memory_budget != UINT64_MAX)
        gb_json_put_u64(out, "memory_budget", status.memory_budget);
    else
        gb_json_put_null(out, "memory_budget");
    gb_json_put_str(out, "memory_source",
                    server->settings.admission.memory_bytes > 0 ? "settings"
                    : status.memory_by_group                    ? "cgroup"
                                                                : "host");
    gb_json_put_u64(out, "memory_used", status.memory_used);
    gb_json_put_u64(out, "memory_reserve", status.memory_reserve);
    if (status.memory_available != UINT64_MAX)
        gb_json_put_u64(out, "memory_available", status.memory_available);
    else
        gb_json_put_null(out, "memory_available");
    if (status.has_pressure)
        gb_json_put_number(out, "pressure", status.pressure);
    else
        gb_json_put_null(out, "pressure");
    gb_json_put_number(out, "cpus", status.cpus);
    gb_json_put_str(out, "cpus_source",
                    server->settings.admission.cpus > 0 ? "settings"
                    : status.cpus_by_group              ? "cgroup"
                                                        : "host");
    gb_json_put_u64(out, "cpu_budget", status.vms_max);
    gb_json_put_u64(out, "vms", status.vms);
    gb_json_put_u64(out, "starting", status.starting);
    gb_json_put_u64(out, "starts", status.starts_max);
    gb_json_put_u64(out, "waiting", status.waiting);
    gb_json_put_str(out, "short", status.waiting > 0 ? gb_shortage_name(status.shortage) : NULL);
    gb_json_put_u64(out, "granted", status.granted);
    gb_json_put_u64(out, "queued", status.queued);
    gb_json_put_u64(out, "refused", status.refused);
    gb_json_end(out);
}

static bool shortage_is_closable(const struct hosted *hosted)
{
    return hosted->opened && !hosted->closing && !hosted->run &&
           gb_session_state(hosted->session) == GB_SESSION_IDLE;
}

/* Those that nobody needed for the longest time, oldest first. */
static size_t shortage_find_closable(struct gb_server *server, struct hosted *found[CLOSABLE_MAX],
                                     size_t *ret_all)
{
    size_t count = 0, all = 0;
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        uint64_t active = gb_session_last_active_ns(hosted->session);
        size_t at = count;

        if (!shortage_is_closable(hosted))
            continue;
        all++;
        while (at > 0 && gb_session_last_active_ns(found[at - 1]->session) > active)
            at--;
        if (at >= CLOSABLE_MAX)
            continue;
        if (count < CLOSABLE_MAX)
            count++;
        memmove(found + at + 1, found + at, (count - 1 - at) * sizeof(struct hosted *));
        found[at] = hosted;
    }
    *ret_all = all;
    return count;
}

static void shortage_explain(struct gb_server *server, struct gb_err *err)
{
    struct hosted *found[CLOSABLE_MAX];
    size_t all, used = strlen(err->message);
    size_t count = shortage_find_closable(server, found, &all);
    uint64_t idle;

    if (count == 0)
        return;
    idle = gb_clock_mono_ns() - gb_session_last_active_ns(found[0]->session);
    /* What does not fit is cut: the same is in `data`. */
    (void)snprintf(err->message + used, sizeof(err->message) - used,
                   "; %zu session%s idle and could be closed, first %s (for %.0f s)", all,
                   all == 1 ? " is" : "s are", gb_session_id(found[0]->session),
                   gb_ns_to_ms(idle) / 1000);
}

static void shortage_put(struct gb_json_out *out, void *arg)
{
    struct hosted *hosted = arg, *found[CLOSABLE_MAX];
    struct gb_server *server = hosted->server;
    size_t all, count = shortage_find_closable(server, found, &all);

    gb_json_put_str(out, "short", gb_shortage_name(hosted->start.ticket.shortage));
    shortage_put_admission(out, server);
    gb_json_array(out, "could_close");
    for (size_t i = 0; i < count; i++) {
        struct gb_session *session = found[i]->session;

        gb_json_object(out, NULL);
        gb_json_put_str(out, "session", gb_session_id(session));
        gb_json_put_str(out, "label", found[i]->label);
        gb_json_put_str(out, "owner", found[i]->owner);
        gb_json_put_ms(out, "idle_ms", gb_clock_mono_ns() - gb_session_last_active_ns(session));
        gb_json_end(out);
    }
    gb_json_end(out);
}

void shortage_refuse(struct hosted *hosted, struct request *request, const struct gb_err *err)
{
    struct gb_err told = *err;

    shortage_explain(hosted->server, &told);
    request_fail_with(request, &told, shortage_put, hosted);
}
