/* SPDX-License-Identifier: Apache-2.0 */
#include "store/read.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/hello.h"
#include "model/stats.h"
#include "rpc/access.h"
#include "rpc/object.h"

void read_host(struct host *host, const struct gb_host_info *told)
{
    host->cpus = told->cpus > 0 ? told->cpus : host->cpus;
    host->memory_total = told->memory_total > 0 ? told->memory_total : host->memory_total;
    host->memory_available =
        told->memory_available > 0 ? told->memory_available : host->memory_available;
}

void read_host_event(struct host *host, const struct gb_json *value)
{
    struct gb_host_info told;

    gb_object_take(&gb_host_object, value, &told);
    read_host(host, &told);
    /* No server sends this so far. */
    if (json_count(value, "private_bytes") > 0)
        host->private_bytes = json_count(value, "private_bytes");
    if (json_count(value, "shared_bytes") > 0)
        host->shared_bytes = json_count(value, "shared_bytes");
}

void read_admission(struct host *host, const struct gb_admission_info *told)
{
    if (told->memory_budget > 0)
        host->budget_bytes = told->memory_budget;
}

static void read_pool(struct pool *pool, const struct gb_pool_info *told)
{
    *pool = (struct pool){
        .ready = told->ready,
        .target = told->target,
        .starting = told->starting,
        .waiting = told->waiting,
        .hits = told->hits,
        .misses = told->misses,
        .template_state = told->template_state,
    };
    json_copy_text(told->image, pool->image, sizeof(pool->image));
}

size_t read_pools(struct pool pools[STORE_POOLS_MAX], const struct gb_items *told)
{
    struct gb_pool_info info;
    size_t count = 0, i;

    for (size_t at = 0; gb_items_next(&gb_pool_object, told, &at, &info) == 1;) {
        struct pool pool;

        read_pool(&pool, &info);
        for (i = 0; i < count && strcmp(pools[i].image, pool.image) != 0; i++)
            ;
        if (i == STORE_POOLS_MAX)
            continue;
        if (i == count) {
            pools[count++] = pool;
            continue;
        }
        pools[i].ready += pool.ready;
        pools[i].target += pool.target;
        pools[i].starting += pool.starting;
        pools[i].waiting += pool.waiting;
        pools[i].hits += pool.hits;
        pools[i].misses += pool.misses;
    }
    return count;
}

static void read_missing(struct server *server, const struct gb_items *missing)
{
    struct gb_stage_info stage;
    size_t used = 0;

    server->missing_stages[0] = '\0';
    for (size_t at = 0; gb_items_next(&gb_stage_object, missing, &at, &stage) == 1;) {
        int n = snprintf(server->missing_stages + used, sizeof(server->missing_stages) - used,
                         "%s%.*s", used > 0 ? ", " : "", (int)MIN(stage.stage.size, 64u),
                         (const char *)stage.stage.data);

        if (n < 0 || (size_t)n >= sizeof(server->missing_stages) - used)
            return;
        used += (size_t)n;
    }
}

void read_hello(struct server *server, const struct gb_json *result)
{
    struct gb_hello_info told;
    struct gb_image_info image;

    gb_object_take(&gb_hello_object, result, &told);
    *server = (struct server){.told = true};
    server->client = told.client;
    json_copy_text(told.server, server->version, sizeof(server->version));
    json_copy_text(told.accel, server->accel, sizeof(server->accel));
    json_copy_text(told.accel_reason, server->accel_reason, sizeof(server->accel_reason));
    server->hardware = told.isolation == GB_ISOLATION_HARDWARE;
    read_missing(server, &told.missing);
    for (size_t at = 0; server->image_count < STORE_POOLS_MAX &&
                        gb_items_next(&gb_image_info_object, &told.images, &at, &image) == 1;)
        json_copy_text(image.name, server->images[server->image_count++], STORE_NAME_MAX);
}

void read_stats(struct host *host, const struct gb_json *result)
{
    struct gb_stats_info told;
    uint64_t all = 0, own = 0;
    struct gb_vm_info vm;

    gb_object_take(&gb_stats_object, result, &told);
    read_host(host, &told.host);
    host->open_p50_ms = gb_ns_to_ms(told.open.p50_ns);
    host->exec_p50_ms = gb_ns_to_ms(told.overhead.p50_ns);
    host->exec_p99_ms = gb_ns_to_ms(told.overhead.p99_ns);
    for (size_t at = 0; gb_items_next(&gb_vm_info_object, &told.vms, &at, &vm) == 1;) {
        all += vm.memory_bytes;
        own += vm.private_bytes;
    }
    host->private_bytes = own;
    host->shared_bytes = all > own ? all - own : 0;
}

void read_guest_memory(struct session *session, const struct gb_session_info *info)
{
    if ((info->flags & GB_SESSION_HAS_GUEST_MEMORY) == 0)
        return;
    session->guest_total = info->guest_total;
    session->guest_used = info->guest_used;
}

double read_seconds(uint64_t ns)
{
    return (double)ns / GB_NS_PER_S;
}

void read_session(struct session *session, const struct gb_session_info *info)
{
    json_copy_text(info->label, session->label, sizeof(session->label));
    json_copy_text(info->key, session->key, sizeof(session->key));
    json_copy_text(info->owner, session->owner, sizeof(session->owner));
    json_copy_text(info->client, session->client, sizeof(session->client));
    json_copy_text(info->image, session->image, sizeof(session->image));
    json_copy_text(info->language, session->language, sizeof(session->language));
    json_copy_text(info->network, session->network, sizeof(session->network));
    json_copy_text((info->flags & GB_SESSION_HAS_ORIGIN) != 0 ? info->origin : gb_bytes_str(""),
                   session->parent, sizeof(session->parent));
    session->parent_cell = info->origin_cell;
    session->source[0] = '\0';
    if (info->source != GB_NO_WORD)
        (void)snprintf(session->source, sizeof(session->source), "%s",
                       gb_source_to_string(info->source));
    if (info->state != GB_NO_WORD)
        session->state = (enum session_state)info->state;
    session->run = (info->flags & GB_SESSION_RUN) != 0;
    session->incarnation = info->incarnation;
    session->cells = info->cells;
    session->created_at = read_seconds(info->created_at_ns);
    session->last_active_at = read_seconds(info->last_active_at_ns);
    session->expires_at = read_seconds(info->expires_at_ns);
    session->ended_at = read_seconds(info->ended_at_ns);
    if (info->message.size > 0 || info->reason.size > 0)
        json_copy_text(info->message.size > 0 ? info->message : info->reason, session->reason,
                       sizeof(session->reason));
    session->memory_limit_bytes = (uint64_t)info->memory_mb << 20;
    if (info->memory_bytes > 0)
        session->memory_bytes = info->memory_bytes;
    if (info->cpu_ns > 0)
        session->cpu_ms = (double)info->cpu_ns / GB_NS_PER_MS;
    read_guest_memory(session, info);
}
