/* SPDX-License-Identifier: Apache-2.0 */
#include "pool/room.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { POOL_MEMORY_MIN_MB = 64, POOL_MEMORY_MAX_MB = 1 << 20 };

static struct gb_admission_config admission_config(const struct gb_settings *settings)
{
    const struct gb_settings_admission *wanted = &settings->admission;

    return (struct gb_admission_config){
        .memory_bytes = wanted->memory_bytes,
        .reserve_bytes = wanted->reserve_bytes,
        .overcommit = wanted->overcommit,
        .cpus = wanted->cpus,
        .vms_per_cpu = wanted->vms_per_cpu,
        .starts_per_cpu = wanted->starts_per_cpu,
        .pressure_percent = wanted->pressure,
        .waiting_max = (size_t)wanted->waiting_max,
    };
}

static struct gb_pool_config pool_config(const struct gb_settings *settings)
{
    const struct gb_settings_pool_all *wanted = &settings->pool;

    return (struct gb_pool_config){
        .sizes = {.floor = (unsigned)wanted->floor,
                  .ceiling = (unsigned)wanted->ceiling,
                  .waiting = (unsigned)wanted->standing},
        .half_life_ms = wanted->half_life_ms,
    };
}

static void configure_templates(struct gb_room *room, const struct gb_settings *settings)
{
    const struct gb_templates_config config = {
        .max_bytes = settings->templates.max_bytes,
        .max_age_ms = settings->templates.max_age_ms,
    };

    gb_templates_configure(room->templates, &config);
}

/* IMAGE or IMAGE:MB. NULL: there is no such image, or MB is no size. */
static const struct gb_image *find_kind(struct gb_room *room, const char *name,
                                        uint32_t *ret_memory_mb)
{
    _cleanup_(freep) char *image_name = xstrdup(name);
    char *colon = strrchr(image_name, ':'), *end;
    const struct gb_image *image;
    unsigned long memory_mb = 0;

    if (colon != NULL) {
        *colon = '\0';
        memory_mb = strtoul(colon + 1, &end, 10);
        if (colon[1] < '1' || colon[1] > '9' || *end != '\0' || memory_mb < POOL_MEMORY_MIN_MB ||
            memory_mb > POOL_MEMORY_MAX_MB)
            return NULL;
    }
    image = gb_host_find_image(room->host, image_name);
    if (image != NULL)
        *ret_memory_mb = memory_mb > 0 ? (uint32_t)memory_mb : image->memory_mb;
    return image;
}

void gb_room_begin(struct gb_room *room, const struct gb_settings *settings)
{
    const struct gb_pool_sizes all = pool_config(settings).sizes;
    const struct gb_images *images = room->host->images;

    for (size_t i = 0; all.floor > 0 && i < images->count; i++)
        gb_pool_size(room->pool, &images->images[i], images->images[i].memory_mb, &all);
    for (size_t i = 0; i < settings->pool_count; i++) {
        const struct gb_settings_pool *wanted = &settings->pools[i];
        struct gb_pool_sizes sizes = all;
        uint32_t memory_mb;
        const struct gb_image *image = find_kind(room, wanted->name, &memory_mb);

        if (image == NULL) {
            gb_warning("settings: the pool \"%s\" is of no use: there is no such image, or no such "
                       "size of memory",
                       wanted->name);
            continue;
        }
        if (wanted->floor >= 0)
            sizes.floor = (unsigned)wanted->floor;
        if (wanted->ceiling >= 0)
            sizes.ceiling = (unsigned)wanted->ceiling;
        if (wanted->standing >= 0)
            sizes.waiting = (unsigned)wanted->standing;
        gb_pool_size(room->pool, image, memory_mb, &sizes);
    }
}

struct gb_room *gb_room_new(struct gb_host *host, const struct gb_settings *settings,
                            void (*changed)(void *arg), void *arg)
{
    struct gb_room *room = xcalloc(1, sizeof(*room));
    const struct gb_admission_config admission = admission_config(settings);
    const struct gb_pool_config pool = pool_config(settings);

    room->host = host;
    room->admission = gb_admission_new(host->loop, gb_budget_new(""), &admission);
    room->templates = gb_templates_new(host);
    gb_templates_account(room->templates, room->admission);
    configure_templates(room, settings);
    room->pool = gb_pool_new(host, room->templates, room->admission, &pool, changed, arg);
    return room;
}

void gb_room_configure(struct gb_room *room, const struct gb_settings *settings)
{
    const struct gb_admission_config admission = admission_config(settings);
    const struct gb_pool_config pool = pool_config(settings);

    gb_admission_configure(room->admission, &admission);
    gb_pool_configure(room->pool, &pool);
    configure_templates(room, settings);
    gb_room_begin(room, settings);
}

void gb_room_stop(struct gb_room *room)
{
    gb_pool_stop(room->pool);
}

static void on_no_vms(void *arg)
{
    struct gb_room *room = arg;
    void (*freed)(void *arg) = room->freed;
    void *user = room->arg;

    free(room);
    if (freed != NULL)
        freed(user);
}

static void on_templates_gone(void *arg)
{
    struct gb_room *room = arg;

    gb_host_when_empty(room->host, on_no_vms, room);
}

void gb_room_free(struct gb_room *room, void (*freed)(void *arg), void *arg)
{
    room->freed = freed;
    room->arg = arg;
    gb_pool_free(TAKE_PTR(room->pool));
    gb_templates_free(TAKE_PTR(room->templates), on_templates_gone, room);
    gb_admission_free(TAKE_PTR(room->admission));
}
