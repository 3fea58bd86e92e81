/* SPDX-License-Identifier: Apache-2.0 */
#include "store/read.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/access.h"

void read_host(struct host *host, const struct gb_json *value)
{
    if (value == NULL || value->type != GB_JSON_OBJECT)
        return;
    if (json_count(value, "cpus") > 0)
        host->cpus = (unsigned)json_count(value, "cpus");
    if (json_count(value, "memory_total") > 0)
        host->memory_total = json_count(value, "memory_total");
    if (json_count(value, "memory_available") > 0)
        host->memory_available = json_count(value, "memory_available");
    if (json_count(value, "private_bytes") > 0)
        host->private_bytes = json_count(value, "private_bytes");
    if (json_count(value, "shared_bytes") > 0)
        host->shared_bytes = json_count(value, "shared_bytes");
}

void read_admission(struct host *host, const struct gb_json *value)
{
    uint64_t budget = json_count(value, "memory_budget");

    if (budget > 0)
        host->budget_bytes = budget;
}

void read_pool(struct pool *pool, const struct gb_json *value)
{
    const struct gb_json *template = gb_json_member(value, "template");

    *pool = (struct pool){0};
    json_copy(value, "image", pool->image, sizeof(pool->image));
    pool->ready = (uint32_t)json_count(value, "ready");
    pool->target = (uint32_t)json_count(value, "target");
    pool->starting = (uint32_t)json_count(value, "starting");
    pool->waiting = (uint32_t)json_count(value, "waiting");
    pool->hits = json_count(value, "hits");
    pool->misses = json_count(value, "misses");
    json_copy(template, "state", pool->template_state, sizeof(pool->template_state));
}

static void read_missing(struct server *server, const struct gb_json *guard)
{
    const struct gb_json *list = json_array(guard, "missing"), *item;
    size_t used = 0;

    server->missing_stages[0] = '\0';
    if (list == NULL)
        return;
    item = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, item = gb_json_next(item)) {
        struct gb_bytes name = json_text(item, "stage");
        int n =
            snprintf(server->missing_stages + used, sizeof(server->missing_stages) - used, "%s%.*s",
                     used > 0 ? ", " : "", (int)MIN(name.size, 64u), (const char *)name.data);

        if (n < 0 || (size_t)n >= sizeof(server->missing_stages) - used)
            return;
        used += (size_t)n;
    }
}

void read_hello(struct server *server, const struct gb_json *result)
{
    const struct gb_json *images = json_array(result, "images"), *image;

    *server = (struct server){.told = true};
    server->client = json_count(result, "client");
    json_copy(result, "server", server->version, sizeof(server->version));
    json_copy(result, "accel", server->accel, sizeof(server->accel));
    json_copy(result, "accel_reason", server->accel_reason, sizeof(server->accel_reason));
    server->hardware = gb_bytes_equal(json_text(result, "isolation"), "hardware");
    read_missing(server, gb_json_member(result, "guard"));
    if (images == NULL)
        return;
    image = gb_json_first(images);
    for (uint32_t i = 0; i < images->count && server->image_count < STORE_POOLS_MAX;
         i++, image = gb_json_next(image))
        json_copy(image, "name", server->images[server->image_count++], STORE_NAME_MAX);
}

void read_stats(struct host *host, const struct gb_json *result)
{
    const struct gb_json *latency = gb_json_member(result, "latency");
    const struct gb_json *vms = json_array(result, "vms"), *vm;
    uint64_t all = 0, own = 0;

    read_host(host, gb_json_member(result, "host"));
    if (latency != NULL) {
        host->open_p50_ms = json_number(gb_json_member(latency, "open"), "p50_ms");
        host->exec_p50_ms = json_number(gb_json_member(latency, "overhead"), "p50_ms");
        host->exec_p99_ms = json_number(gb_json_member(latency, "overhead"), "p99_ms");
    }
    if (vms == NULL)
        return;
    vm = gb_json_first(vms);
    for (uint32_t i = 0; i < vms->count; i++, vm = gb_json_next(vm)) {
        all += json_count(vm, "memory_bytes");
        own += json_count(vm, "private_bytes");
    }
    host->private_bytes = own;
    host->shared_bytes = all > own ? all - own : 0;
}
