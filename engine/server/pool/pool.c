/* SPDX-License-Identifier: Apache-2.0 */
#include "pool.h"

#include <stdlib.h>

#include "base/mem.h"
#include "model/capacity.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/open.h"
#include "server/core/request.h"
#include "server/core/shortage.h"
#include "server/core/state.h"

/* ---- pool.status ---- */

static void pool_describe(struct gb_pool_info *info, const struct gb_server *server,
                          const struct gb_pool_status *status)
{
    const struct gb_template_status template = gb_templates_status(
        server->capacity->templates, status->kind.image, status->kind.memory_mb);

    *info = (struct gb_pool_info){
        .image = gb_bytes_str(status->kind.image->name),
        .network = gb_bytes_str(status->kind.networked ? "any" : "none"),
        .memory_mb = status->kind.memory_mb,
        .ready = status->ready,
        .target = status->target,
        .floor = status->floor,
        .ceiling = status->ceiling,
        .starting = status->starting,
        .waiting = status->waiting,
        .hits = status->hits,
        .misses = status->misses,
        .lost = status->lost,
        .template_state = (uint8_t) template.state,
        .template_bytes = template.bytes,
        .template_made_at_s = template.made_at_s,
    };
    if (template.message != NULL)
        info->template_message = gb_bytes_str(template.message);
}

/* Whether there is a pool of an image in its default memory size, without a network. */
static bool pool_was_asked_for(const struct gb_server *server, const struct gb_image *image)
{
    struct gb_pool_status status;

    for (size_t at = 0; gb_pool_next(server->capacity->pool, &at, &status);)
        if (status.kind.image == image && status.kind.memory_mb == image->memory_mb &&
            !status.kind.networked)
            return true;
    return false;
}

/* First images of which no VM has been requested, which have no pool but are shown anyway; then the
 * pools. */
static bool pool_next(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_server *server = owner;
    const struct gb_images *images = server->host->images;
    const struct gb_settings_pool_all *sizes = &server->settings.pool;
    struct gb_pool_status status;
    size_t in_pool;

    while (*at < images->count) {
        const struct gb_image *image = &images->images[(*at)++];

        if (pool_was_asked_for(server, image))
            continue;
        status = (struct gb_pool_status){.kind = {image, image->memory_mb, false},
                                         .floor = (unsigned)sizes->floor,
                                         .ceiling = (unsigned)sizes->ceiling};
        pool_describe(ret_item, server, &status);
        return true;
    }
    in_pool = *at - images->count;
    if (!gb_pool_next(server->capacity->pool, &in_pool, &status))
        return false;
    *at = images->count + in_pool;
    pool_describe(ret_item, server, &status);
    return true;
}

/* Writes the members of pool.status. */
static void pool_put(struct gb_json_out *out, const struct gb_server *server)
{
    struct gb_capacity_info info = {.pools = {.next = pool_next, .owner = server}};

    shortage_describe(&info.admission, server);
    gb_object_write(out, &gb_capacity_object, &info);
}

static void pool_describe_stats(struct gb_stats_info *info, const struct gb_server *server)
{
    info->flags |= GB_STATS_HAS_CAPACITY;
    info->pools = (struct gb_items){.next = pool_next, .owner = server};
    shortage_describe(&info->admission, server);
}

static void pool_on_changed(struct gb_server *server)
{
    struct event event;

    if (!event_begin(&event, server, "pool.changed", NULL))
        return;
    gb_json_object(&event.out, "pool");
    pool_put(&event.out, server);
    gb_json_end(&event.out);
    event_end(&event);
}

static void pool_put_snapshot(struct gb_json_out *out, struct gb_server *server,
                              const struct session_filter *filter)
{
    (void)filter;
    gb_json_object(out, "pool");
    pool_put(out, server);
    gb_json_end(out);
}

static void pool_status(struct request *request, const struct gb_params *params)
{
    struct reply reply;

    (void)params;
    reply_begin(&reply, request);
    pool_put(&reply.out, request->connection->server);
    reply_end(&reply);
}

/* ---- image.warm: makes a template before anybody needs it ---- */

struct warming {
    struct request *request;
    struct gb_template_waiter waiter;
};

static void warming_reply(struct request *request, const struct gb_snapshot *template)
{
    const struct gb_warm_info info = {.image = gb_bytes_str(template->image->name),
                                      .memory_mb = template->memory_mb,
                                      .bytes = template->files.disk_bytes,
                                      .made_at_s = template->files.made_at_s};
    struct reply reply;

    reply_begin(&reply, request);
    gb_object_write(&reply.out, &gb_warm_object, &info);
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

static void pool_warm_image(struct request *request, const struct gb_params *params)
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

static const struct method_handler pool_methods[] = {
    {"pool.status", pool_status},
    {"image.warm", pool_warm_image},
    {NULL, NULL},
};

static const char *const pool_event_kinds[] = {"pool.changed", NULL};

const struct gb_part pool_part = {
    .name = "pool",
    .methods = pool_methods,
    .event_kinds = pool_event_kinds,
    .pool_changed = pool_on_changed,
    .put_snapshot = pool_put_snapshot,
    .describe_stats = pool_describe_stats,
};
