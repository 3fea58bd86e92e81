/* SPDX-License-Identifier: Apache-2.0 */
/* Room for VMs: what admission and the pool say of themselves, and what a client is told when there
 * is no room. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "server/internal.h"

enum { CLOSABLE_MAX = 5 };

static void on_pool_changed(void *arg)
{
    struct gb_server *server = arg;
    struct event event;

    if (!event_begin(&event, server, EVENT_POOL_CHANGED, NULL))
        return;
    gb_json_object(&event.out, "pool");
    put_pool(&event.out, server);
    gb_json_end(&event.out);
    event_end(&event);
}

void room_open(struct gb_server *server)
{
    server->room = gb_room_new(server->host, &server->settings, on_pool_changed, server);
}

/* ---- figures ---- */

static void put_admission(struct gb_json_out *out, struct gb_server *server)
{
    struct gb_admission_status status;

    gb_admission_status(server->room->admission, &status);
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

static void put_template(struct gb_json_out *out, const struct gb_template_status *status)
{
    gb_json_object(out, "template");
    gb_json_put_str(out, "state", gb_template_state_name(status->state));
    gb_json_put_u64(out, "bytes", status->bytes);
    if (status->made_at_s > 0)
        gb_json_put_u64(out, "made_at", status->made_at_s);
    else
        gb_json_put_null(out, "made_at");
    gb_json_put_str(out, "message", status->message);
    gb_json_end(out);
}

static void put_shelf(struct gb_json_out *out, struct gb_server *server,
                      const struct gb_pool_status *status)
{
    struct gb_template_status template =
        gb_templates_status(server->room->templates, status->image, status->memory_mb);

    gb_json_object(out, NULL);
    gb_json_put_str(out, "image", status->image->name);
    gb_json_put_u64(out, "memory_mb", status->memory_mb);
    gb_json_put_str(out, "network", "none");
    gb_json_put_u64(out, "ready", status->ready);
    gb_json_put_u64(out, "target", status->target);
    gb_json_put_u64(out, "floor", status->floor);
    gb_json_put_u64(out, "ceiling", status->ceiling);
    gb_json_put_u64(out, "starting", status->starting);
    gb_json_put_u64(out, "waiting", status->waiting);
    gb_json_put_u64(out, "hits", status->hits);
    gb_json_put_u64(out, "misses", status->misses);
    gb_json_put_u64(out, "lost", status->lost);
    put_template(out, &template);
    gb_json_end(out);
}

/* An image of which no VM was asked for yet has no shelf, and is shown all the same. */
static void put_unasked(struct gb_json_out *out, struct gb_server *server)
{
    const struct gb_images *images = server->host->images;
    const struct gb_settings_pool_all *sizes = &server->settings.pool;

    for (size_t i = 0; i < images->count; i++) {
        struct gb_pool_status status, unasked = {.image = &images->images[i],
                                                 .memory_mb = images->images[i].memory_mb,
                                                 .floor = (unsigned)sizes->floor,
                                                 .ceiling = (unsigned)sizes->ceiling};
        bool asked = false;

        for (size_t at = 0; gb_pool_next(server->room->pool, &at, &status);)
            asked =
                asked || (status.image == unasked.image && status.memory_mb == unasked.memory_mb);
        if (!asked)
            put_shelf(out, server, &unasked);
    }
}

void put_pool(struct gb_json_out *out, struct gb_server *server)
{
    struct gb_pool_status status;

    gb_json_array(out, "pools");
    put_unasked(out, server);
    for (size_t at = 0; gb_pool_next(server->room->pool, &at, &status);)
        put_shelf(out, server, &status);
    gb_json_end(out);
    put_admission(out, server);
}

void handle_pool(struct request *request, const struct gb_params *params)
{
    struct reply reply;

    (void)params;
    reply_begin(&reply, request);
    put_pool(&reply.out, request->connection->server);
    reply_end(&reply);
}

/* ---- no room ---- */

static bool is_closable(const struct hosted *hosted)
{
    return hosted->opened && !hosted->closing && !hosted->run &&
           gb_session_state(hosted->session) == GB_SESSION_IDLE;
}

/* Those that nobody needed for the longest time, oldest first. */
static size_t find_closable(struct gb_server *server, struct hosted *found[CLOSABLE_MAX],
                            size_t *ret_all)
{
    size_t count = 0, all = 0;
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        uint64_t active = gb_session_last_active_ns(hosted->session);
        size_t at = count;

        if (!is_closable(hosted))
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

void room_explain(struct gb_server *server, struct gb_err *err)
{
    struct hosted *found[CLOSABLE_MAX];
    size_t all, used = strlen(err->message);
    size_t count = find_closable(server, found, &all);
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

void put_shortage(struct gb_json_out *out, void *arg)
{
    struct hosted *hosted = arg, *found[CLOSABLE_MAX];
    struct gb_server *server = hosted->server;
    size_t all, count = find_closable(server, found, &all);

    gb_json_put_str(out, "short", gb_shortage_name(hosted->start.ticket.shortage));
    put_admission(out, server);
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
