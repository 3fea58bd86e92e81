/* SPDX-License-Identifier: Apache-2.0 */
#include "view/trail.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/past.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { TRAIL_DAY_S = 86400, NAMED_FILES = 3, NAMED_BYTES = 32 };

/* ---- the list of checkpoints ---- */

static void trail_clear(struct trail_points *points)
{
    for (size_t i = 0; i < points->count; i++)
        free(points->points[i].name);
    free(points->points);
    *points = (struct trail_points){0};
}

void trail_release(struct trail *trail)
{
    trail_clear(&trail->now);
    trail_clear(&trail->next);
}

void trail_drop(struct trail *trail)
{
    trail_clear(&trail->next);
}

/* False: there are too many, or they are not in order. */
static bool trail_add(struct trail_points *points, const struct gb_checkpoint_info *info)
{
    if (points->count == TRAIL_POINTS_MAX || info->parent >= info->seq ||
        (points->count > 0 && points->points[points->count - 1].seq >= info->seq))
        return false;
    if (points->count == points->capacity) {
        points->capacity = MAX(points->capacity * 2, 64u);
        points->points = realloc(points->points, points->capacity * sizeof(*points->points));
        if (points->points == NULL)
            abort(); /* at most some hundred kilobytes */
    }
    points->points[points->count++] = (struct trail_point){
        .seq = info->seq,
        .parent = info->parent,
        .cell = info->cell,
        .at = (double)info->at_ns / (double)GB_NS_PER_S,
        .bytes = info->bytes,
        .name = info->name.size > 0 ? xstrndup((const char *)info->name.data,
                                               MIN(info->name.size, (size_t)GB_NAME_MAX))
                                    : NULL,
    };
    if ((info->flags & GB_CHECKPOINT_HERE) != 0)
        points->here = info->seq;
    return true;
}

static const struct trail_point *trail_find_seq(const struct trail_points *points, uint64_t seq)
{
    size_t low = 0, high = points->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (points->points[middle].seq < seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low < points->count && points->points[low].seq == seq ? &points->points[low] : NULL;
}

/* Which of them the present follows, and the lanes of the others. */
static void trail_branch(struct trail_points *points)
{
    const struct trail_point *point = trail_find_seq(points, points->here), *parent;

    for (; point != NULL; point = trail_find_seq(points, point->parent))
        points->points[point - points->points].past = true;
    for (size_t i = 0; i < points->count; i++) {
        struct trail_point *at = &points->points[i];

        parent = trail_find_seq(points, at->parent);
        if (at->past)
            continue;
        at->lane = parent == NULL || parent->past ? 1 : parent->lane;
        if (i > 0 && parent != &points->points[i - 1] && parent != NULL && !parent->past)
            at->lane = (uint8_t)MIN(parent->lane + 1, (int)TRAIL_LANES_MAX);
    }
}

uint64_t trail_read(struct trail *trail, const struct gb_json *result)
{
    const struct gb_json *list = json_array(result, "checkpoints"), *item = NULL;
    bool good = true;

    JSON_FOREACH(item, list) {
        struct gb_checkpoint_info info;

        if (good && gb_object_read(&gb_checkpoint_object, item, &info, NULL) == 0)
            good = trail_add(&trail->next, &info);
    }
    if (good && json_list_count(list) > 0 && json_true(result, "more") && trail->next.count > 0)
        return trail->next.points[trail->next.count - 1].seq;
    trail_clear(&trail->now);
    trail->now = trail->next;
    trail->next = (struct trail_points){0};
    trail->change++;
    trail_branch(&trail->now);
    return 0;
}

const struct trail_point *trail_find(const struct trail *trail, uint32_t cell)
{
    for (size_t i = trail->now.count; i > 0; i--)
        if (trail->now.points[i - 1].cell == cell)
            return &trail->now.points[i - 1];
    return NULL;
}

const struct trail_point *trail_find_number(const struct trail *trail, uint64_t seq)
{
    return trail_find_seq(&trail->now, seq);
}

/* ---- what led to a moment ---- */

void trail_release_way(struct trail_way *way)
{
    free(way->ranges);
    *way = (struct trail_way){0};
}

static void trail_add_range(struct trail_way *way, uint32_t first, uint32_t last)
{
    if (way->count > 0 && way->ranges[way->count - 1].last + 1 == first)
        way->ranges[way->count - 1].last = last;
    else
        way->ranges[way->count++] = (struct trail_range){first, last};
}

void trail_find_way(const struct trail *trail, uint64_t seq, struct trail_way *way)
{
    const struct trail_points *points = &trail->now;
    const struct trail_point *point = trail_find_seq(points, seq);
    uint32_t covered = 0;
    bool *led;

    trail_release_way(way);
    way->present = seq == 0;
    if (point == NULL)
        return;
    led = xcalloc(points->count, sizeof(*led));
    way->ranges = xcalloc(points->count, sizeof(*way->ranges));
    for (; point != NULL; point = trail_find_seq(points, point->parent))
        led[point - points->points] = true;
    for (size_t i = 0; i < points->count; i++) {
        const uint32_t cell = points->points[i].cell;

        if (cell <= covered)
            continue;
        if (led[i])
            trail_add_range(way, covered + 1, cell);
        covered = cell;
    }
    free(led);
}

bool trail_way_has(const struct trail_way *way, const struct card *card)
{
    size_t low = 0, high = way->count;

    if (way->present)
        return !card->undone;
    while (low < high) {
        size_t middle = (low + high) / 2;

        if (way->ranges[middle].last < card->number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < way->count && way->ranges[low].first <= card->number;
}

/* ---- marks ---- */

void trail_mark(const struct trail *trail, struct cells *cells)
{
    for (size_t i = 0; i < cells->count; i++)
        cells->cards[i]->returnable = false;
    for (size_t i = 0; i < trail->now.count; i++) {
        struct card *card = cells_find(cells, trail->now.points[i].cell);

        if (card != NULL)
            card->returnable = true;
    }
}

/* ---- undone cells ---- */

/* Whether one of the ranges, [first, last] each, contains the cell. */
static bool trail_is_undone(const struct gb_json *ranges, uint32_t number)
{
    const struct gb_json *range = NULL;

    JSON_FOREACH(range, ranges) {
        int64_t first, last;

        if (json_list_count(range) == 2 && gb_json_integer(gb_json_first(range), &first) &&
            gb_json_integer(gb_json_next(gb_json_first(range)), &last) && number >= first &&
            number <= last)
            return true;
    }
    return false;
}

void trail_rewound(struct cells *cells, const struct gb_json *params, double at)
{
    const struct gb_json *ranges = json_array(params, "undone");

    for (size_t i = 0; i < cells->count; i++) {
        struct card *card = cells->cards[i];
        bool undone = card->number != 0 && trail_is_undone(ranges, card->number);

        if (undone && !card->undone)
            card->undone_at = at;
        else if (!undone)
            card->undone_at = 0;
        card->undone = undone;
    }
    cells->change++;
    cells->ended_change++;
}

/* Whether it is a part of a group. One after which the session went back by itself stays in sight:
 * its result says why. */
static bool trail_is_in_group(const struct card *card)
{
    return card->undone && card->state == CARD_DONE &&
           !outcome_has(&card->outcome, GB_CELL_ROLLED_BACK);
}

/* Cards @from to @to, without it. */
static void trail_set_group(struct cells *cells, size_t from, size_t to)
{
    struct card *first = cells->cards[from];
    bool shown = true;

    first->group_last = cells->cards[to - 1]->number;
    first->group_at = first->group_until = 0;
    for (size_t i = from; i < to; i++) {
        const struct card *card = cells->cards[i];

        shown &= card->revealed;
        first->group_at = MAX(first->group_at, card->undone_at);
        first->group_until = MAX(first->group_until, card->started_at + card->wall_ms / 1000);
    }
    for (size_t i = from; i < to; i++) {
        cells->cards[i]->revealed = shown;
        cells->cards[i]->tucked = !shown;
    }
}

void trail_group(struct cells *cells)
{
    for (size_t i = 0; i < cells->count; i++) {
        struct card *card = cells->cards[i];

        card->group_last = 0;
        card->tucked = false;
        if (!trail_is_in_group(card))
            card->revealed = false;
    }
    for (size_t from = 0, to; from < cells->count; from = to) {
        to = from + 1;
        if (!trail_is_in_group(cells->cards[from]))
            continue;
        while (to < cells->count && trail_is_in_group(cells->cards[to]))
            to++;
        trail_set_group(cells, from, to);
    }
}

void trail_reveal(struct cells *cells, const struct card *card, bool shown)
{
    size_t at = 0, to;

    while (at < cells->count && cells->cards[at] != card)
        at++;
    if (at == cells->count || !trail_is_in_group(card))
        return;
    for (to = at; to < cells->count && trail_is_in_group(cells->cards[to]); to++)
        cells->cards[to]->revealed = shown;
    while (at > 0 && trail_is_in_group(cells->cards[at - 1]))
        cells->cards[--at]->revealed = shown;
    trail_set_group(cells, at, to);
}

void trail_clock_text(double at, double now, char *text, size_t room)
{
    const bool today = now - at < TRAIL_DAY_S / 2.0;
    time_t seconds = (time_t)at;
    struct tm parts;

    if (localtime_r(&seconds, &parts) == NULL ||
        strftime(text, room, today ? "%H:%M" : "%Y-%m-%d %H:%M", &parts) == 0)
        (void)snprintf(text, room, "?");
}

void trail_group_text(const struct card *first, double now, char *text, size_t room)
{
    char cells[48], at[32] = "";

    if (first->group_last > first->number)
        (void)snprintf(cells, sizeof(cells), "cells %u–%u", first->number, first->group_last);
    else
        (void)snprintf(cells, sizeof(cells), "cell %u", first->number);
    if (first->group_at > 0) {
        trail_clock_text(first->group_at, now, at, sizeof(at));
        (void)snprintf(text, room, "%s undone at %s", cells, at);
    } else if (first->group_until > 0) {
        trail_clock_text(first->group_until, now, at, sizeof(at));
        (void)snprintf(text, room, "%s undone, ran until %s", cells, at);
    } else {
        (void)snprintf(text, room, "%s undone", cells);
    }
}

/* ---- what a rewind takes back ---- */

/* The last cell that the present and @point have in common. */
static uint32_t trail_common(const struct trail_points *points, const struct trail_point *point)
{
    const struct trail_point *here = trail_find_seq(points, points->here);

    /* The one with the larger number cannot lead to the other. */
    while (here != NULL && point != NULL && here != point)
        if (here->seq > point->seq)
            here = trail_find_seq(points, here->parent);
        else
            point = trail_find_seq(points, point->parent);
    return here == NULL || point == NULL ? 0 : here->cell;
}

struct trail_loss {
    uint32_t first, last;
    size_t cells;
    bool more; /* not all of them are loaded */
    const char *files[CELL_FILES_MAX];
    size_t file_count;
    bool more_files;
};

static void trail_add_file(struct trail_loss *loss, const char *path)
{
    for (size_t i = 0; i < loss->file_count; i++)
        if (strcmp(loss->files[i], path) == 0)
            return;
    if (loss->file_count < ARRAY_SIZE(loss->files))
        loss->files[loss->file_count++] = path;
    else
        loss->more_files = true;
}

/* The cells after @after that are not undone. */
static struct trail_loss trail_count_loss(const struct cells *cells, uint32_t after)
{
    struct trail_loss loss = {0};
    uint32_t before = after;

    for (size_t i = 0; i < cells->count; i++) {
        const struct card *card = cells->cards[i];

        if (card->number <= after)
            continue;
        loss.more |= card->number > before + 1;
        before = card->number;
        if (card->undone)
            continue;
        loss.first = loss.cells++ == 0 ? card->number : loss.first;
        loss.last = card->number;
        for (size_t j = 0; j < card->file_count; j++)
            trail_add_file(&loss, card->files[j].path);
        loss.more_files |= card->files_left > 0;
    }
    loss.more_files |= loss.more;
    return loss;
}

static void trail_add_files(const struct trail_loss *loss, struct gb_buf *text)
{
    size_t named = 0;

    if (loss->file_count == 0)
        return;
    gb_buf_addf(text, ", and %s changes to %s%zu file%s", loss->cells == 1 ? "its" : "their",
                loss->more_files ? "at least " : "", loss->file_count,
                loss->file_count == 1 ? "" : "s");
    for (size_t i = 0; i < loss->file_count && named < NAMED_FILES; i++)
        if (strlen(loss->files[i]) <= NAMED_BYTES)
            gb_buf_addf(text, "%s%s", named++ == 0 ? ": " : ", ", loss->files[i]);
    if (named > 0 && named < loss->file_count)
        gb_buf_adds(text, ", …");
}

void trail_question(const struct trail *trail, const struct cells *cells,
                    const struct trail_point *point, struct gb_buf *text)
{
    const struct trail_loss loss = trail_count_loss(cells, trail_common(&trail->now, point));

    if (point->cell == 0)
        gb_buf_adds(text, "back to before the first cell? ");
    else
        gb_buf_addf(text, "back to after cell %u? ", point->cell);
    if (loss.cells == 0)
        gb_buf_adds(text, "no cell goes");
    else if (loss.cells == 1)
        gb_buf_addf(text, "cell %u goes", loss.first);
    else
        gb_buf_addf(text, "%s%zu cells go (%u–%u)", loss.more ? "at least " : "", loss.cells,
                    loss.first, loss.last);
    trail_add_files(&loss, text);
}
