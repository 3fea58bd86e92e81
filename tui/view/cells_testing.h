/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of a session's cells in the front end: the cells, the stream of their cards,
 * the server's side of both, and what is painted. */
#pragma once

#include <stdio.h>
#include <string.h>

#include "check_run.h"
#include "base/mem.h"
#include "rpc/object.h"
#include "screen/grid.h"
#include "screen/render.h"
#include "view/card.h"
#include "view/cells.h"
#include "view/part.h"
#include "view/picture.h"
#include "view/stream.h"

static struct cells cells;
static struct stream stream;
static unsigned wanted;

static inline void want(void *arg, struct card *card)
{
    (void)arg;
    card->asked = true;
    wanted++;
}

static inline bool want_between(void *arg, uint32_t after, uint32_t before)
{
    (void)arg;
    return after < before;
}

/* A journal with one cell of much output, and a front end that reads parts of it. */
static struct gb_buf journal[2];
static enum part_wish wished;
static uint64_t offset, length;

static inline bool want_part(void *arg, struct card *card, enum part_wish wish)
{
    (void)arg;
    wished = wish;
    part_ask(card, wish, &offset, &length);
    return true;
}

static inline void setup(void)
{
    cells_init(&cells, "s-1", picture_free);
    stream_init(&stream, &cells);
    stream.want = want;
    stream.want_between = want_between;
    stream.want_part = want_part;
    wished = PART_NONE;
    wanted = 0;
}

static inline void teardown(void)
{
    gb_buf_release(&journal[0]);
    gb_buf_release(&journal[1]);
    cells_release(&cells);
}

static inline void with_json(const char *text,
                             void (*use)(const struct gb_json *json, const void *arg),
                             const void *arg)
{
    struct gb_json_doc doc = {0};
    char *copy = xstrdup(text);

    ck_assert_int_eq(gb_json_parse(&doc, (uint8_t *)copy, strlen(copy), 10000, NULL), 0);
    use(doc.nodes, arg);
    gb_json_release(&doc);
    free(copy);
}

static inline void use_event(const struct gb_json *json, const void *kind)
{
    struct gb_event_info told;

    gb_object_take(&gb_event_object, json, &told);
    told.kind = gb_bytes_str(kind);
    cells_event(&cells, &told, json);
}

static inline void event(const char *kind, const char *json)
{
    with_json(json, use_event, kind);
}

static inline void use_history(const struct gb_json *json, const void *arg)
{
    (void)arg;
    (void)cells_history(&cells, json);
}

static inline void use_reply(const struct gb_json *json, const void *call)
{
    cells_reply(&cells, *(const uint64_t *)call, json, "");
}

static inline void started(unsigned number, const char *client, const char *code)
{
    _cleanup_(freep) char *json =
        xasprintf("{\"session\":\"s-1\",\"cell\":%u,\"info\":{\"cell\":%u,\"client\":\"%s\","
                  "\"mode\":\"kernel\",\"state\":\"running\",\"code\":\"%s\",\"started_at\":1}}",
                  number, number, client, code);

    event("cell.started", json);
}

static inline void output(unsigned number, const char *kind, const char *text)
{
    _cleanup_(freep) char *json =
        xasprintf("{\"cell\":%u,\"stream\":\"%s\",\"text\":\"%s\"}", number, kind, text);

    event("cell.output", json);
}

static inline void finished(unsigned number, const char *more)
{
    _cleanup_(freep) char *json =
        xasprintf("{\"cell\":%u,\"info\":{\"cell\":%u,\"state\":\"done\",\"exit_code\":0,"
                  "\"wall_ms\":12.0,\"started_at\":1%s}}",
                  number, number, more);

    event("cell.finished", json);
}

/* Painting changes nothing and asks for nothing: the same again is the same. */
static inline void paint_twice(struct grid *grid, struct grid *again)
{
    static struct stream before;
    const unsigned asked = wanted;

    memcpy(&before, &stream, sizeof(before));
    stream_draw(&stream, region_all(grid), true);
    stream_draw(&stream, region_all(again), true);
    ck_assert_mem_eq(&before, &stream, sizeof(before));
    ck_assert_mem_eq(grid->cells, again->cells,
                     (size_t)(grid->width * grid->height) * sizeof(*grid->cells));
    ck_assert_uint_eq(wanted, asked);
}

/* What is painted, line by line. */
static inline const char *painted(int width, int height)
{
    static struct gb_buf out;
    struct grid grid = {0}, again = {0};

    grid_resize(&grid, width, height);
    grid_resize(&again, width, height);
    stream_arrange(&stream, width, height, 2.0);
    paint_twice(&grid, &again);
    stream_ask(&stream);
    gb_buf_clear(&out);
    dump_text(&grid, &out);
    grid_release(&grid);
    grid_release(&again);
    return gb_buf_str(&out);
}

static inline bool counted(size_t *at, size_t *count)
{
    stream_count(&stream);
    return stream_counted(&stream, at, count);
}

static inline enum stream_found find(int direction)
{
    struct stream_place place;
    enum stream_found found;

    stream_begin(&stream, direction, &place);
    found = stream_walk(&stream, direction, &place);
    if (found == STREAM_FOUND)
        stream_show(&stream, &place);
    return found;
}
