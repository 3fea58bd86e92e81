/* SPDX-License-Identifier: Apache-2.0 */
#include "shortage.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/object.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"

enum { CLOSABLE_MAX = 5 };

/* The source of a budget: the settings, if they set one. */
static uint8_t shortage_source(bool by_settings, bool by_group)
{
    return by_settings ? GB_BUDGET_BY_SETTINGS : by_group ? GB_BUDGET_BY_GROUP : GB_BUDGET_BY_HOST;
}

void shortage_describe(struct gb_admission_info *info, const struct gb_server *server)
{
    const struct gb_settings_admission *settings = &server->settings.admission;
    struct gb_admission_status status;

    gb_admission_status(server->capacity->admission, &status);
    *info = (struct gb_admission_info){
        .memory_budget = status.memory_budget,
        .memory_source = shortage_source(settings->memory_bytes > 0, status.memory_by_group),
        .memory_used = status.memory_used,
        .memory_reserve = status.memory_reserve,
        .memory_available = status.memory_available,
        .pressure = status.pressure,
        .cpus = status.cpus,
        .cpus_source = shortage_source(settings->cpus > 0, status.cpus_by_group),
        .cpu_budget = (uint32_t)status.vms_max,
        .vms = (uint32_t)status.vms,
        .starting = (uint32_t)status.starting,
        .starts = (uint32_t)status.starts_max,
        .waiting = (uint32_t)status.waiting,
        .shortage = status.waiting > 0 && status.shortage != GB_SHORTAGE_NONE
                        ? (uint8_t)status.shortage
                        : GB_NO_WORD,
        .granted = status.granted,
        .queued = status.queued,
        .refused = status.refused,
    };
    if (status.memory_budget != UINT64_MAX)
        info->flags |= GB_ADMISSION_HAS_BUDGET;
    if (status.memory_available != UINT64_MAX)
        info->flags |= GB_ADMISSION_HAS_AVAILABLE;
    if (status.has_pressure)
        info->flags |= GB_ADMISSION_HAS_PRESSURE;
}

static bool shortage_is_closable(const struct hosted *hosted)
{
    return hosted->opened && !hosted->closing && !hosted->run &&
           gb_session_state(hosted->session) == GB_SESSION_IDLE;
}

/* The least recently used sessions, oldest first. */
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
    /* May be truncated: `data` has the same information. */
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
    struct gb_admission_info admission;

    shortage_describe(&admission, server);
    if (hosted->start.ticket.shortage != GB_SHORTAGE_NONE)
        gb_json_put_str(out, "short", gb_shortage_to_string(hosted->start.ticket.shortage));
    else
        gb_json_put_null(out, "short");
    gb_json_object(out, "admission");
    gb_object_write(out, &gb_admission_object, &admission);
    gb_json_end(out);
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
