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

void read_pool(struct pool *pool, const struct gb_pool_info *told)
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
