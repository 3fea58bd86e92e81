/* SPDX-License-Identifier: Apache-2.0 */
#include "past/lives.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/undone.h"

void gb_lives_begin(struct gb_lives *lives, uint64_t from_epoch, uint32_t from_cell, uint32_t cells)
{
    struct gb_life *all = xcalloc(lives->count + 1, sizeof(*all));

    if (lives->count > 0)
        memcpy(all, lives->all, lives->count * sizeof(*all));
    free(lives->all);
    lives->all = all;
    all[lives->count++] =
        (struct gb_life){.from_epoch = from_epoch, .from_cell = from_cell, .cells_before = cells};
}

void gb_lives_release(struct gb_lives *lives)
{
    free(lives->all);
    *lives = (struct gb_lives){0};
}

/* Goes back to the previous life, and how far it counts. The first one, which is not in the list,
 * has none. */
static bool lives_go_back(const struct gb_lives *lives, uint64_t *epoch, uint32_t *cell)
{
    const struct gb_life *life;

    if (*epoch < 2 || *epoch - 2 >= lives->count)
        return false;
    life = &lives->all[*epoch - 2];
    *epoch = life->from_epoch;
    *cell = life->from_cell;
    return true;
}

static uint32_t lives_cells_before(const struct gb_lives *lives, uint64_t epoch)
{
    return epoch < 2 || epoch - 2 >= lives->count ? 0 : lives->all[epoch - 2].cells_before;
}

uint32_t gb_lives_last_cell(const struct gb_lives *lives, uint64_t epoch, uint32_t cell)
{
    (void)gb_lives_before(lives, true, &epoch, &cell);
    return cell;
}

bool gb_lives_before(const struct gb_lives *lives, bool here, uint64_t *epoch, uint32_t *cell)
{
    if (!here && *cell == 0)
        return false;
    if (!here)
        (*cell)--;
    while (*cell <= lives_cells_before(lives, *epoch) && lives_go_back(lives, epoch, cell))
        ;
    return true;
}

struct range {
    uint32_t first, last;
};

void gb_lives_undone(const struct gb_lives *lives, uint64_t epoch, uint32_t cells,
                     struct gb_buf *text)
{
    struct range *ranges = xcalloc(lives->count + 1, sizeof(*ranges));
    uint32_t above = cells, cell = cells; /* up to `above` it is known */
    size_t count = 0;

    do {
        const uint32_t before = lives_cells_before(lives, epoch);

        if (cell <= before)
            continue; /* it had none */
        if (cell < above)
            ranges[count++] = (struct range){cell + 1, above};
        above = before;
    } while (lives_go_back(lives, &epoch, &cell));
    if (above > 0)
        ranges[count++] = (struct range){1, above};
    for (size_t i = MIN(count, (size_t)GB_UNDONE_RANGES_MAX); i-- > 0;)
        gb_undone_add(text, ranges[i].first, ranges[i].last);
    free(ranges);
}
