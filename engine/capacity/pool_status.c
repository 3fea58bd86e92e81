/* SPDX-License-Identifier: Apache-2.0 */
/* What the pool tells of its lines. */
#include "base/clock.h"
#include "base/mem.h"
#include "capacity/pool_lines.h"

void pool_line_fade(struct pool_line *line)
{
    demand_fade(&line->demand, line->pool->config.half_life_ms, gb_clock_mono_ns());
}

unsigned pool_line_target(const struct pool_line *line)
{
    if (line->pool->stopped)
        return 0;
    return demand_target(&line->demand, line->sizes.floor, line->sizes.ceiling);
}

unsigned pool_line_count(const struct pool_line *line, enum pool_clone_state first,
                         enum pool_clone_state last)
{
    const struct pool_clone *clone;
    unsigned n = 0;

    GB_LIST_FOREACH_CONST(clone, &line->clones, link)
        n += clone->state >= first && clone->state <= last ? 1 : 0;
    return n;
}

bool gb_pool_next(struct gb_pool *pool, size_t *at, struct gb_pool_status *ret_status)
{
    struct pool_line *line;
    size_t i = 0;

    GB_LIST_FOREACH(line, &pool->lines, link) {
        if (i++ != *at)
            continue;
        pool_line_fade(line);
        *ret_status = (struct gb_pool_status){
            .kind = line->kind,
            .ready = pool_line_count(line, POOL_CLONE_READY, POOL_CLONE_ASKED),
            .target = pool_line_target(line),
            .floor = line->sizes.floor,
            .ceiling = MAX(line->sizes.ceiling, line->sizes.floor),
            .starting = pool_line_count(line, POOL_CLONE_STARTING, POOL_CLONE_STARTING),
            .waiting = pool_line_count(line, POOL_CLONE_WAITING, POOL_CLONE_WAITING),
            .hits = line->hits,
            .misses = line->misses,
            .lost = line->lost,
        };
        (*at)++;
        return true;
    }
    return false;
}

/* The line's clone after @skip others that have a VM; counts down *@skip. */
static struct pool_clone *line_nth_vm(const struct pool_line *line, size_t *skip)
{
    struct pool_clone *clone;

    GB_LIST_FOREACH_CONST(clone, &line->clones, link)
        if (clone->state != POOL_CLONE_GONE && pool_clone_vm(clone) != NULL && (*skip)-- == 0)
            return clone;
    return NULL;
}

bool gb_pool_next_vm(struct gb_pool *pool, size_t *at, struct gb_pool_vm *ret_vm)
{
    static const uint8_t states[] = {[POOL_CLONE_WAITING] = GB_POOL_VM_WAITING,
                                     [POOL_CLONE_STARTING] = GB_POOL_VM_STARTING,
                                     [POOL_CLONE_READY] = GB_POOL_VM_READY,
                                     [POOL_CLONE_ASKED] = GB_POOL_VM_READY};
    size_t skip = *at;
    struct pool_line *line;

    GB_LIST_FOREACH(line, &pool->lines, link) {
        const struct pool_clone *clone = line_nth_vm(line, &skip);

        if (clone == NULL)
            continue;
        *ret_vm = (struct gb_pool_vm){.vm = pool_clone_vm(clone),
                                      .image = line->kind.image,
                                      .memory_mb = line->kind.memory_mb,
                                      .state = (enum gb_pool_vm_state)states[clone->state]};
        (*at)++;
        return true;
    }
    return false;
}
