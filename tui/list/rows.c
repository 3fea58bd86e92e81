/* SPDX-License-Identifier: Apache-2.0 */
#include "list/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "platform/sort.h"

static struct row *rows_add(struct rows *rows)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity > 0 ? rows->capacity * 2 : 64;
        rows->rows = realloc(rows->rows, rows->capacity * sizeof(*rows->rows));
        if (rows->rows == NULL)
            abort(); /* a few kilobytes */
    }
    rows->rows[rows->count] = (struct row){0};
    return &rows->rows[rows->count++];
}

void rows_release(struct rows *rows)
{
    free(rows->rows);
    *rows = (struct rows){0};
}

static bool rows_is_folded(const struct rows_config *config, const char *group)
{
    for (size_t i = 0; i < config->folded_count; i++)
        if (strcmp(config->folded[i], group) == 0)
            return true;
    return false;
}

static const char *rows_group_of(const struct session *session, enum grouping grouping)
{
    return grouping == GROUP_OWNER   ? session_who(session)
           : grouping == GROUP_IMAGE ? session->image
           : grouping == GROUP_HOST  ? session_host(session)
                                     : "";
}

/* Hosts are in the order in which they were named, as in the other places. */
static int rows_compare_groups(const struct session *one, const struct session *other,
                               enum grouping grouping)
{
    if (grouping == GROUP_HOST)
        return (one->store->rank > other->store->rank) - (one->store->rank < other->store->rank);
    return strcmp(rows_group_of(one, grouping), rows_group_of(other, grouping));
}

struct rows_order {
    const struct rows_config *config;
    double now;
};

static int rows_compare(const void *a, const void *b, void *arg)
{
    const struct session *one = *(struct session *const *)a, *other = *(struct session *const *)b;
    const struct rows_order *by = arg;
    const struct rows_config *config = by->config;
    int order = rows_compare_groups(one, other, config->grouping);

    if (order != 0)
        return order;
    /* Ended ones stay at the end, whatever the sort order. */
    if (session_gone(one) != session_gone(other))
        return session_gone(one) ? 1 : -1;
    order = column_compare(config->sort, one, other, by->now);
    return config->reverse ? -order : order;
}

static bool rows_is_fork(const struct session *child, const struct session *parent)
{
    return child->store == parent->store && strcmp(child->parent, parent->id) == 0;
}

static bool rows_has_parent(struct session *const *sessions, size_t count,
                            const struct session *child)
{
    for (size_t i = 0; child->parent[0] != '\0' && i < count; i++)
        if (rows_is_fork(child, sessions[i]))
            return true;
    return false;
}

/* Adds @session, and below it those forked from it; not recursive, to a limited depth. */
static void rows_add_family(struct rows *rows, struct session *const *sessions, size_t count,
                            struct session *session, bool last)
{
    struct {
        const struct session *parent;
        size_t next;
    } stack[TREE_DEPTH_MAX];
    struct row *row;
    size_t depth = 0;

    row = rows_add(rows);
    row->session = session;
    row->depth = 1;
    row->last = last;
    stack[0].parent = session;
    stack[0].next = 0;
    for (;;) {
        size_t i = stack[depth].next;

        while (i < count && !rows_is_fork(sessions[i], stack[depth].parent))
            i++;
        stack[depth].next = i + 1;
        if (i >= count) {
            if (depth == 0)
                return;
            depth--;
            continue;
        }
        row = rows_add(rows);
        row->session = sessions[i];
        row->depth = (unsigned)depth + 2;
        row->last = true;
        for (size_t j = i + 1; j < count; j++)
            if (rows_is_fork(sessions[j], stack[depth].parent))
                row->last = false;
        if (depth + 1 < TREE_DEPTH_MAX) {
            depth++;
            stack[depth].parent = sessions[i];
            stack[depth].next = 0;
        }
    }
}

static void rows_add_group(struct rows *rows, struct session *const *sessions, size_t count,
                           const struct rows_config *config)
{
    const char *name = rows_group_of(sessions[0], config->grouping);
    bool tree = config->grouping != GROUP_NONE, folded = tree && rows_is_folded(config, name);
    size_t last = 0; /* among those that were not forked */

    if (tree) {
        struct row *head = rows_add(rows);

        head->group = name;
        head->folded = folded;
        head->sessions = (unsigned)count;
        for (size_t i = 0; i < count; i++)
            head->memory_bytes += (double)sessions[i]->memory_bytes;
    }
    for (size_t i = 0; tree && i < count; i++)
        if (!rows_has_parent(sessions, count, sessions[i]))
            last = i;
    for (size_t i = 0; i < count && !folded; i++) {
        if (!tree)
            rows_add(rows)->session = sessions[i];
        else if (!rows_has_parent(sessions, count, sessions[i]))
            rows_add_family(rows, sessions, count, sessions[i], i == last);
    }
}

void rows_build(struct rows *rows, struct session **sessions, size_t count,
                const struct rows_config *config, double now)
{
    struct rows_order order = {config, now};
    size_t kept = 0, from = 0;

    rows->count = 0;
    rows->all = count;
    for (size_t i = 0; i < count; i++)
        if (filter_match(&config->filter, sessions[i], now) &&
            (!config->attention || session_attention(sessions[i], now) != ATTENTION_NONE))
            sessions[kept++] = sessions[i];
    rows->sessions = kept;
    gb_sort(sessions, kept, sizeof(*sessions), rows_compare, &order);
    while (from < kept) {
        size_t to = from + 1;

        while (to < kept && strcmp(rows_group_of(sessions[to], config->grouping),
                                   rows_group_of(sessions[from], config->grouping)) == 0)
            to++;
        rows_add_group(rows, sessions + from, to - from, config);
        from = to;
    }
}
