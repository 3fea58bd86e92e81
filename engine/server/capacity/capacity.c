/* SPDX-License-Identifier: Apache-2.0 */
#include "capacity.h"

#include <stdlib.h>

#include "base/mem.h"
#include "server/core/event.h"
#include "server/core/open.h"
#include "server/core/request.h"
#include "server/core/shortage.h"
#include "server/core/state.h"

/* ---- pool.status ---- */

static void capacity_put_template(struct gb_json_out *out, const struct gb_template_status *status)
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

static void capacity_put_pool(struct gb_json_out *out, struct gb_server *server,
                              const struct gb_pool_status *status)
{
    struct gb_template_status template =
        gb_templates_status(server->capacity->templates, status->image, status->memory_mb);

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
    capacity_put_template(out, &template);
    gb_json_end(out);
}

/* An image of which no VM was asked for yet has no pool, and is shown all the same. */
static void capacity_put_unasked(struct gb_json_out *out, struct gb_server *server)
{
    const struct gb_images *images = server->host->images;
    const struct gb_settings_pool_all *sizes = &server->settings.pool;

    for (size_t i = 0; i < images->count; i++) {
        struct gb_pool_status status, unasked = {.image = &images->images[i],
                                                 .memory_mb = images->images[i].memory_mb,
                                                 .floor = (unsigned)sizes->floor,
                                                 .ceiling = (unsigned)sizes->ceiling};
        bool asked = false;

        for (size_t at = 0; gb_pool_next(server->capacity->pool, &at, &status);)
            asked =
                asked || (status.image == unasked.image && status.memory_mb == unasked.memory_mb);
        if (!asked)
            capacity_put_pool(out, server, &unasked);
    }
}

/* The fields of pool.status. */
static void capacity_put(struct gb_json_out *out, struct gb_server *server)
{
    struct gb_pool_status status;

    gb_json_array(out, "pools");
    capacity_put_unasked(out, server);
    for (size_t at = 0; gb_pool_next(server->capacity->pool, &at, &status);)
        capacity_put_pool(out, server, &status);
    gb_json_end(out);
    shortage_put_admission(out, server);
}

static void capacity_on_pool(struct gb_server *server)
{
    struct event event;

    if (!event_begin(&event, server, "pool.changed", NULL))
        return;
    gb_json_object(&event.out, "pool");
    capacity_put(&event.out, server);
    gb_json_end(&event.out);
    event_end(&event);
}

static void capacity_put_snapshot(struct gb_json_out *out, struct gb_server *server,
                                  const struct session_filter *filter)
{
    (void)filter;
    gb_json_object(out, "pool");
    capacity_put(out, server);
    gb_json_end(out);
}

static void capacity_status(struct request *request, const struct gb_params *params)
{
    struct reply reply;

    (void)params;
    reply_begin(&reply, request);
    capacity_put(&reply.out, request->connection->server);
    reply_end(&reply);
}

/* ---- image.warm: makes a template before anybody needs it ---- */

struct warming {
    struct request *request;
    struct gb_template_waiter waiter;
};

static void warming_reply(struct request *request, const struct gb_snapshot *template)
{
    struct reply reply;

    reply_begin(&reply, request);
    gb_json_put_str(&reply.out, "image", template->image->name);
    gb_json_put_u64(&reply.out, "memory_mb", template->memory_mb);
    gb_json_put_u64(&reply.out, "bytes", template->files.disk_bytes);
    gb_json_put_u64(&reply.out, "made_at", template->files.made_at_s);
    reply_end(&reply);
}

static void warming_on_template(void *arg, struct gb_snapshot *template, const struct gb_err *err)
{
    struct warming *warming = arg;

    if (template != NULL)
        warming_reply(warming->request, template);
    else
        request_fail(warming->request, err);
    free(warming);
}

static void warming_asker_gone(struct request *request)
{
    struct warming *warming = request->arg;

    gb_templates_cancel(&warming->waiter);
    free(warming);
}

static void capacity_warm(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct warming *warming = xcalloc(1, sizeof(*warming));
    struct gb_snapshot *template = NULL;
    const struct gb_image *image = NULL;
    struct gb_err err = {0};
    int r = server_check_open(server, &err);

    if (r == 0)
        r = open_check_memory(params->memory_mb, &err);
    if (r == 0 && (image = open_image(server, params->image, &err)) == NULL)
        r = -(int)err.code;
    warming->request = request;
    request->arg = warming;
    request->abandon = warming_asker_gone;
    if (image != NULL)
        r = gb_templates_get(server->capacity->templates, image,
                             params->memory_mb > 0 ? (uint32_t)params->memory_mb : image->memory_mb,
                             true, &template, &warming->waiter, warming_on_template, warming, &err);
    if (r == 0)
        return;
    request->abandon = NULL;
    free(warming);
    if (template != NULL)
        warming_reply(request, template);
    else
        request_fail(request, &err);
}

static const struct method_handler capacity_methods[] = {
    {"pool.status", capacity_status},
    {"image.warm", capacity_warm},
    {NULL, NULL},
};

static const char *const capacity_event_kinds[] = {"pool.changed", NULL};

const struct gb_part capacity_part = {
    .name = "capacity",
    .methods = capacity_methods,
    .event_kinds = capacity_event_kinds,
    .pool_changed = capacity_on_pool,
    .put_snapshot = capacity_put_snapshot,
    .put_stats = capacity_put,
};
