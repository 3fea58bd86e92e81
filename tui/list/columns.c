/* SPDX-License-Identifier: Apache-2.0 */
#include "list/columns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "show/words.h"

static const struct {
    const char *heading;
    int width;    /* the minimum */
    int priority; /* smaller values stay longer */
    bool right;
} columns[] = {
    [COLUMN_STATE] = {"STATE", 10, 0, false}, [COLUMN_NAME] = {"NAME", 14, 0, false},
    [COLUMN_OWNER] = {"WHO", 10, 6, false},   [COLUMN_CLIENT] = {"CLIENT", 16, 8, false},
    [COLUMN_IMAGE] = {"IMAGE", 11, 5, false}, [COLUMN_CELLS] = {"CELLS", 5, 4, true},
    [COLUMN_MEMORY] = {"MEM", 5, 1, true},    [COLUMN_GRAPH] = {"", 8, 3, false},
    [COLUMN_CPU] = {"CPU", 5, 2, true},       [COLUMN_IDLE] = {"IDLE", 5, 1, true},
    [COLUMN_AGE] = {"AGE", 5, 7, true},       [COLUMN_NETWORK] = {"NET", 9, 3, false},
    [COLUMN_HOST] = {"HOST", 8, 1, false},
};
static_assert(ARRAY_SIZE(columns) == COLUMN_COUNT, "a row for each column");

enum { NAME_COLUMNS_MAX = 32, GRAPH_COLUMNS_MAX = 16 };
static_assert(COLUMN_COUNT <= 32, "a bit for each column");

static void columns_widen(struct layout *layout, enum column column, int most, int *room)
{
    int more = MIN(*room, most - layout->widths[column]);

    if (layout->widths[column] == 0 || more <= 0)
        return;
    layout->widths[column] += more;
    *room -= more;
}

struct layout columns_layout(int width, uint32_t wanted, int name_width)
{
    struct layout layout;
    int used = 0, room;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        layout.widths[i] = (wanted & (UINT32_C(1) << i)) != 0 ? columns[i].width : 0;
        used += layout.widths[i] > 0 ? layout.widths[i] + 1 : 0;
    }
    while (used > width) {
        size_t worst = COLUMN_STATE;

        for (size_t i = 0; i < COLUMN_COUNT; i++)
            if (layout.widths[i] > 0 && columns[i].priority > columns[worst].priority)
                worst = i;
        if (columns[worst].priority == 0)
            break;
        used -= layout.widths[worst] + 1;
        layout.widths[worst] = 0;
    }
    room = MAX(0, width - used);
    columns_widen(&layout, COLUMN_NAME, NAME_COLUMNS_MAX, &room);
    columns_widen(&layout, COLUMN_GRAPH, GRAPH_COLUMNS_MAX, &room);
    columns_widen(&layout, COLUMN_NAME, name_width, &room); /* the rest */
    return layout;
}

enum column column_find(const char *name)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (column_names[i] != NULL && strcmp(column_names[i], name) == 0)
            return (enum column)i;
    return COLUMN_COUNT;
}

const char *column_heading(enum column column)
{
    return columns[column].heading;
}

bool column_right(enum column column)
{
    return columns[column].right;
}

/* ---- order ---- */

static int columns_compare_numbers(double a, double b)
{
    return a < b ? -1 : a > b;
}

/* Sessions that need attention come first, the most pressing at the top, then running ones. One
 * that was looked at keeps its place: rows do not move because the user looks at them. */
static int columns_state_rank(const struct session *session, double now)
{
    static const int ranks[] = {
        [SESSION_WAITING] = 0, [SESSION_FAILED] = 0,  [SESSION_RUNNING] = 1, [SESSION_STARTING] = 2,
        [SESSION_IDLE] = 3,    [SESSION_LOST] = 5,    [SESSION_CLOSED] = 6,  [SESSION_CLOSING] = 3,
        [SESSION_ASLEEP] = 4,  [SESSION_OFFLINE] = 4,
    };
    static_assert(ARRAY_SIZE(ranks) == SESSION_STATE_COUNT, "a rank for each state");
    /* A session about to close keeps its place. */
    enum attention trouble = session_gone(session) ? ATTENTION_NONE : session_trouble(session, now);

    return trouble < ATTENTION_NONE
               ? (int)trouble
               : (int)ATTENTION_NONE +
                     ranks[session->offline && !session_gone(session) ? SESSION_OFFLINE
                                                                      : session->state];
}

/* Within a state: running sessions keep their places, among others the most recently active comes
 * first. */
static int columns_compare_state(const struct session *a, const struct session *b, double now)
{
    const int order = columns_state_rank(a, now) - columns_state_rank(b, now);

    if (order != 0 || a->state == SESSION_RUNNING || b->state == SESSION_RUNNING)
        return order;
    return columns_compare_numbers(b->last_active_at, a->last_active_at);
}

/* In the order in which the user has named them. */
static int columns_compare_hosts(const struct session *a, const struct session *b)
{
    const unsigned one = a->store != NULL ? a->store->rank : 0;
    const unsigned other = b->store != NULL ? b->store->rank : 0;

    return one < other ? -1 : one > other;
}

int column_compare(enum column column, const struct session *a, const struct session *b, double now)
{
    int order = 0;

    switch (column) {
    case COLUMN_STATE:
        order = columns_compare_state(a, b, now);
        break;
    case COLUMN_NAME:
        order = strcasecmp(session_title(a), session_title(b));
        break;
    case COLUMN_HOST:
        order = columns_compare_hosts(a, b);
        break;
    case COLUMN_OWNER:
        order = strcasecmp(session_who(a), session_who(b));
        break;
    case COLUMN_CLIENT:
        order = strcasecmp(a->client, b->client);
        break;
    case COLUMN_IMAGE:
        order = strcasecmp(a->image, b->image);
        break;
    case COLUMN_NETWORK: /* those with one first */
        order = session_has_network(b) - session_has_network(a);
        order = order != 0 ? order : strcasecmp(a->network, b->network);
        break;
    case COLUMN_CELLS:
        order = columns_compare_numbers(b->cells, a->cells);
        break;
    case COLUMN_MEMORY:
    case COLUMN_GRAPH:
        order = columns_compare_numbers((double)b->memory_bytes, (double)a->memory_bytes);
        break;
    case COLUMN_CPU:
        order = columns_compare_numbers(b->cpu_share, a->cpu_share);
        break;
    case COLUMN_IDLE:
        order = columns_compare_numbers(b->last_active_at, a->last_active_at);
        break;
    case COLUMN_AGE:
        order = columns_compare_numbers(b->created_at, a->created_at);
        break;
    case COLUMN_COUNT:
        break;
    }
    if (order == 0)
        order = columns_compare_numbers((double)a->order, (double)b->order);
    return order != 0 ? order : columns_compare_hosts(a, b);
}

/* ---- text ---- */

static void columns_paint_state(struct region cell, const struct session *session,
                                struct style style, bool plain)
{
    struct style own = style;

    if (!plain)
        own = (struct style){.role = (uint8_t)session_state_role(session), .bg = style.bg};
    else
        own.attributes |= ATTRIBUTE_BOLD;
    (void)paint_f(cell, 0, 0, own, "%s %s", session_state_sign(session),
                  session_state_word(session));
}

/* A fork mostly has the name of the session that it was forked from. */
static void columns_paint_name(struct region cell, const struct session *session,
                               struct style style, struct style dim)
{
    int x = paint_cut(cell, 0, 0, cell.width, style, gb_bytes_str(session_title(session)));
    char origin[32];

    if (session->parent[0] == '\0')
        return;
    (void)snprintf(origin, sizeof(origin), "fork@%u", session->parent_cell);
    if (x + 1 + (int)strlen(origin) <= cell.width)
        (void)paint_str(cell, x + 1, 0, dim, origin);
}

static double columns_idle_for(const struct session *session, double now)
{
    return session->last.running || session->last_active_at <= 0 ? 0
                                                                 : now - session->last_active_at;
}

void memory_graph(struct region region, enum graph_signs signs, const struct session *session)
{
    const float limit = (float)session->memory_limit_bytes;

    if (!graph_is_flat(region, signs, session->memory.values, session->memory.count, limit))
        paint_graph(region, signs, session->memory.values, session->memory.count, limit);
}

void column_paint(struct region cell, enum column column, const struct session *session,
                  struct style style, bool plain, enum graph_signs signs, double now)
{
    struct style dim = style;
    char text[64] = "";

    if (!plain)
        dim.role = ROLE_DIM;
    switch (column) {
    case COLUMN_STATE:
        columns_paint_state(cell, session, style, plain);
        return;
    case COLUMN_NAME:
        columns_paint_name(cell, session, style, dim);
        return;
    case COLUMN_HOST:
        (void)paint_cut(cell, 0, 0, cell.width, session->offline ? dim : style,
                        gb_bytes_str(session_host(session)));
        return;
    case COLUMN_OWNER:
        (void)paint_cut(cell, 0, 0, cell.width, dim, gb_bytes_str(session_who(session)));
        return;
    case COLUMN_CLIENT:
        (void)paint_cut(cell, 0, 0, cell.width, dim, gb_bytes_str(session->client));
        return;
    case COLUMN_IMAGE:
        (void)paint_cut(cell, 0, 0, cell.width, dim, gb_bytes_str(session->image));
        return;
    case COLUMN_NETWORK:
        if (session_has_network(session))
            (void)paint_cut(cell, 0, 0, cell.width, style, gb_bytes_str(session->network));
        return;
    case COLUMN_GRAPH:
        memory_graph(cell, signs, session);
        return;
    case COLUMN_CELLS:
        (void)snprintf(text, sizeof(text), "%u", session->cells);
        break;
    case COLUMN_MEMORY:
        if (session->memory_bytes > 0)
            words_size(text, sizeof(text), (double)session->memory_bytes);
        break;
    case COLUMN_CPU:
        if (!session_gone(session))
            (void)snprintf(text, sizeof(text), "%.0f%%", session->cpu_share * 100);
        style = session->cpu_share >= 0.005 ? style : dim;
        break;
    case COLUMN_IDLE:
        if (session->last.running)
            (void)snprintf(text, sizeof(text), "now");
        else
            words_short_age(text, sizeof(text), columns_idle_for(session, now));
        style = dim;
        break;
    case COLUMN_AGE:
        words_short_age(text, sizeof(text), now - session->created_at);
        style = dim;
        break;
    case COLUMN_COUNT:
        return;
    }
    paint_right(cell, 0, 0, cell.width, style, gb_bytes_str(text));
}
