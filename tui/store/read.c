/* SPDX-License-Identifier: Apache-2.0 */
#include "store/read.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

struct gb_bytes read_text(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object != NULL ? gb_json_member(object, name) : NULL;

    return value != NULL && value->type == GB_JSON_STRING ? value->text : gb_bytes_str("");
}

void read_string(const struct gb_json *object, const char *name, char *to, size_t room)
{
    struct gb_bytes text = read_text(object, name);
    size_t size = MIN(text.size, room - 1);

    if (size < text.size)
        size -= gb_utf8_unfinished((struct gb_bytes){text.data, size});
    for (size_t i = 0; i < size; i++)
        to[i] = text.data[i] == 0 ? ' ' : (char)text.data[i];
    to[size] = '\0';
}

double read_number(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object != NULL ? gb_json_member(object, name) : NULL;
    double number = value != NULL && value->type == GB_JSON_NUMBER ? gb_json_number(value) : 0;

    return isfinite(number) ? number : 0;
}

uint64_t read_u64(const struct gb_json *object, const char *name)
{
    double number = read_number(object, name);

    return number > 0 ? (uint64_t)MIN(number, 9e15) : 0;
}

bool read_true(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object != NULL ? gb_json_member(object, name) : NULL;

    return value != NULL && value->type == GB_JSON_BOOL && value->truth;
}

const struct gb_json *read_array(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object != NULL ? gb_json_member(object, name) : NULL;

    return value != NULL && value->type == GB_JSON_ARRAY ? value : NULL;
}

void read_host(struct host *host, const struct gb_json *value)
{
    if (value == NULL || value->type != GB_JSON_OBJECT)
        return;
    if (read_u64(value, "cpus") > 0)
        host->cpus = (unsigned)read_u64(value, "cpus");
    if (read_u64(value, "memory_total") > 0)
        host->memory_total = read_u64(value, "memory_total");
    if (read_u64(value, "memory_available") > 0)
        host->memory_available = read_u64(value, "memory_available");
    if (read_u64(value, "private_bytes") > 0)
        host->private_bytes = read_u64(value, "private_bytes");
    if (read_u64(value, "shared_bytes") > 0)
        host->shared_bytes = read_u64(value, "shared_bytes");
}

void read_admission(struct host *host, const struct gb_json *value)
{
    uint64_t budget = read_u64(value, "memory_budget");

    if (budget > 0)
        host->budget_bytes = budget;
}

void read_pool(struct pool *pool, const struct gb_json *value)
{
    const struct gb_json *template = gb_json_member(value, "template");

    *pool = (struct pool){0};
    read_string(value, "image", pool->image, sizeof(pool->image));
    pool->ready = (uint32_t)read_u64(value, "ready");
    pool->target = (uint32_t)read_u64(value, "target");
    pool->starting = (uint32_t)read_u64(value, "starting");
    pool->waiting = (uint32_t)read_u64(value, "waiting");
    pool->hits = read_u64(value, "hits");
    pool->misses = read_u64(value, "misses");
    read_string(template, "state", pool->template_state, sizeof(pool->template_state));
}

static void read_missing(struct server *server, const struct gb_json *guard)
{
    const struct gb_json *list = read_array(guard, "missing"), *item;
    size_t used = 0;

    server->missing_stages[0] = '\0';
    if (list == NULL)
        return;
    item = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, item = gb_json_next(item)) {
        struct gb_bytes name = read_text(item, "stage");
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
    const struct gb_json *images = read_array(result, "images"), *image;

    *server = (struct server){.told = true};
    server->client = read_u64(result, "client");
    read_string(result, "server", server->version, sizeof(server->version));
    read_string(result, "accel", server->accel, sizeof(server->accel));
    read_string(result, "accel_reason", server->accel_reason, sizeof(server->accel_reason));
    server->hardware = gb_bytes_equal(read_text(result, "isolation"), "hardware");
    read_missing(server, gb_json_member(result, "guard"));
    if (images == NULL)
        return;
    image = gb_json_first(images);
    for (uint32_t i = 0; i < images->count && server->image_count < STORE_POOLS_MAX;
         i++, image = gb_json_next(image))
        read_string(image, "name", server->images[server->image_count++], STORE_NAME_MAX);
}

void read_stats(struct host *host, const struct gb_json *result)
{
    const struct gb_json *latency = gb_json_member(result, "latency");
    const struct gb_json *vms = read_array(result, "vms"), *vm;
    uint64_t all = 0, own = 0;

    read_host(host, gb_json_member(result, "host"));
    if (latency != NULL) {
        host->open_p50_ms = read_number(gb_json_member(latency, "open"), "p50_ms");
        host->exec_p50_ms = read_number(gb_json_member(latency, "overhead"), "p50_ms");
        host->exec_p99_ms = read_number(gb_json_member(latency, "overhead"), "p99_ms");
    }
    if (vms == NULL)
        return;
    vm = gb_json_first(vms);
    for (uint32_t i = 0; i < vms->count; i++, vm = gb_json_next(vm)) {
        all += read_u64(vm, "memory_bytes");
        own += read_u64(vm, "private_bytes");
    }
    host->private_bytes = own;
    host->shared_bytes = all > own ? all - own : 0;
}
