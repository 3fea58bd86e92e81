/* SPDX-License-Identifier: Apache-2.0 */
#include "capacity/capacity.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

enum { POOL_MEMORY_MIN_MB = 64, POOL_MEMORY_MAX_MB = 1 << 20 };

static struct gb_admission_config capacity_admission_config(const struct gb_settings *settings)
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

static struct gb_pool_config capacity_pool_config(const struct gb_settings *settings)
{
    const struct gb_settings_pool_all *wanted = &settings->pool;

    return (struct gb_pool_config){
        .sizes = {.floor = (unsigned)wanted->floor,
                  .ceiling = (unsigned)wanted->ceiling,
                  .waiting = (unsigned)wanted->standing},
        .half_life_ms = wanted->half_life_ms,
    };
}

static void capacity_configure_templates(struct gb_capacity *capacity,
                                         const struct gb_settings *settings)
{
    const struct gb_templates_config config = {
        .max_bytes = settings->templates.max_bytes,
        .max_age_ms = settings->templates.max_age_ms,
    };

    gb_templates_configure(capacity->templates, &config);
}

/* IMAGE or IMAGE:MB. NULL if there is no such image, or MB is invalid. */
static const struct gb_image *capacity_find_kind(struct gb_capacity *capacity, const char *name,
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
    image = gb_host_find_image(capacity->host, image_name);
    if (image != NULL)
        *ret_memory_mb = memory_mb > 0 ? (uint32_t)memory_mb : image->memory_mb;
    return image;
}

void gb_capacity_begin(struct gb_capacity *capacity, const struct gb_settings *settings)
{
    const struct gb_pool_sizes all = capacity_pool_config(settings).sizes;
    const struct gb_images *images = capacity->host->images;

    for (size_t i = 0; all.floor > 0 && i < images->count; i++)
        gb_pool_size(capacity->pool, &images->images[i], images->images[i].memory_mb, &all);
    for (size_t i = 0; i < settings->pool_count; i++) {
        const struct gb_settings_pool *wanted = &settings->pools[i];
        struct gb_pool_sizes sizes = all;
        uint32_t memory_mb;
        const struct gb_image *image = capacity_find_kind(capacity, wanted->name, &memory_mb);

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
        gb_pool_size(capacity->pool, image, memory_mb, &sizes);
    }
}

struct gb_capacity *gb_capacity_new(struct gb_host *host, const struct gb_settings *settings,
                                    void (*changed)(void *arg), void *arg)
{
    struct gb_capacity *capacity = xcalloc(1, sizeof(*capacity));
    const struct gb_admission_config admission = capacity_admission_config(settings);
    const struct gb_pool_config pool = capacity_pool_config(settings);

    capacity->host = host;
    capacity->admission = gb_admission_new(host->loop, gb_budget_new(""), &admission);
    capacity->templates = gb_templates_new(host);
    gb_templates_account(capacity->templates, capacity->admission);
    capacity_configure_templates(capacity, settings);
    capacity->pool =
        gb_pool_new(host, capacity->templates, capacity->admission, &pool, changed, arg);
    return capacity;
}

void gb_capacity_configure(struct gb_capacity *capacity, const struct gb_settings *settings)
{
    const struct gb_admission_config admission = capacity_admission_config(settings);
    const struct gb_pool_config pool = capacity_pool_config(settings);

    gb_admission_configure(capacity->admission, &admission);
    gb_pool_configure(capacity->pool, &pool);
    capacity_configure_templates(capacity, settings);
    gb_capacity_begin(capacity, settings);
}

void gb_capacity_stop(struct gb_capacity *capacity)
{
    gb_pool_stop(capacity->pool);
}

static void capacity_on_no_vms(void *arg)
{
    struct gb_capacity *capacity = arg;
    void (*freed)(void *arg) = capacity->freed;
    void *user = capacity->arg;

    free(capacity);
    if (freed != NULL)
        freed(user);
}

static void capacity_on_templates_gone(void *arg)
{
    struct gb_capacity *capacity = arg;

    gb_host_when_empty(capacity->host, capacity_on_no_vms, capacity);
}

void gb_capacity_free(struct gb_capacity *capacity, void (*freed)(void *arg), void *arg)
{
    capacity->freed = freed;
    capacity->arg = arg;
    gb_pool_free(TAKE_PTR(capacity->pool));
    gb_templates_free(TAKE_PTR(capacity->templates), capacity_on_templates_gone, capacity);
    gb_admission_free(TAKE_PTR(capacity->admission));
}
