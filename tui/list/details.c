/* SPDX-License-Identifier: Apache-2.0 */
/* Details of the session at the cursor, and below them a preview of its view. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "list/internal.h"
#include "show/words.h"
#include "store/question.h"

static void details_draw_pair(struct region line, int x, const char *label, const char *value)
{
    x += paint_str(line, x, 0, STYLE(ROLE_DIM), label) + 1;
    (void)paint_cut(line, x, 0, line.width - x, STYLE(ROLE_TEXT), gb_bytes_str(value));
}

static void details_clock_text(double at, char text[24])
{
    time_t seconds = (time_t)at;
    struct tm parts;

    if (localtime_r(&seconds, &parts) == NULL || strftime(text, 24, "%H:%M", &parts) == 0)
        (void)snprintf(text, 24, "?");
}

static void details_draw_graphs(const struct list_view *list, struct region region,
                                const struct session *session)
{
    enum graph_signs signs = tui_signs(list->view.tui);
    int half = (region.width - 2) / 2;
    struct region left = region_part(region, 0, 0, half, -1);
    struct region right = region_part(region, half + 2, 0, half, -1);
    char used[16], limit[16];
    float top = 1;

    words_size(used, sizeof(used), (double)session->memory_bytes);
    words_size(limit, sizeof(limit), (double)session->memory_limit_bytes);
    (void)paint_f(left, 0, 0, STYLE(ROLE_DIM), "memory %s of %s", used, limit);
    memory_graph(region_part(left, 0, 1, -1, -1), signs, session);
    for (size_t i = 0; i < session->cpu.count; i++)
        top = MAX(top, session->cpu.values[i]);
    (void)paint_f(right, 0, 0, STYLE(ROLE_DIM), "cpu %.0f%%", session->cpu_share * 100);
    paint_graph(region_part(right, 0, 1, -1, -1), signs, session->cpu.values, session->cpu.count,
                top);
}

static void details_draw_attention(struct region line, const struct session *session, double now)
{
    enum attention attention = session_attention(session, now);
    int x = 0;

    if (attention == ATTENTION_NONE)
        return;
    if (attention == ATTENTION_CONNECTION) {
        char text[STORE_MESSAGE_MAX];

        question_text(session->question, text, sizeof(text));
        x += paint_cut(line, x, 0, line.width - x, STYLE(ROLE_WAITING), gb_bytes_str("! "));
        (void)paint_cut(line, x, 0, line.width - x, STYLE(ROLE_WAITING), gb_bytes_str(text));
        return;
    }
    x += paint_f(line, x, 0, STYLE(ROLE_WAITING), "! %s", attention_text(attention));
    if (session->reason[0] != '\0')
        (void)paint_cut(line, x + 1, 0, line.width - x - 1, STYLE(ROLE_TEXT),
                        gb_bytes_str(session->reason));
}

static void details_draw_lease(struct region line, const struct session *session)
{
    char since[24];

    if (!session->lease.held)
        return;
    details_clock_text(session->lease.since, since);
    (void)paint_f(line, 0, 0, STYLE(session->lease.mine ? ROLE_BANNER_MINE : ROLE_BANNER_LEASE),
                  " held by %.60s since %s ", session->lease.mine ? "you" : session->lease.holder,
                  since);
}

/* The name of the session that it was forked from. */
static const char *details_parent(const struct session *session)
{
    const struct session *parent = store_find(session->store, session->parent);

    return parent != NULL ? session_title(parent) : session->parent;
}

/* Two columns, in the order of what users ask first. */
static void details_draw_facts(struct region region, const struct session *session, double now)
{
    struct region left = region_part(region, 0, 1, region.width / 2 - 1, -1);
    struct region right = region_part(region, region.width / 2, 1, -1, -1);
    char text[200], time[24], idle[16];

    details_draw_pair(region_part(region, 0, 0, -1, 1), 0, "id", session->id);
    if (strncmp(session->image, session->language, strlen(session->language)) == 0)
        (void)snprintf(text, sizeof(text), "%.60s", session->image);
    else
        (void)snprintf(text, sizeof(text), "%.60s (%.60s)", session->image, session->language);
    details_draw_pair(region_part(left, 0, 0, -1, 1), 0, "image", text);
    session_owner_text(session, text, sizeof(text));
    details_draw_pair(region_part(left, 0, 1, -1, 1), 0, "owner", text[0] != '\0' ? text : "–");
    details_draw_pair(region_part(left, 0, 2, -1, 1), 0, "network",
                      session->network[0] != '\0' ? session->network : "none");
    details_clock_text(session->created_at, time);
    if (session->parent[0] != '\0')
        (void)snprintf(text, sizeof(text), "%s, forked from %.100s after cell %u", time,
                       details_parent(session), session->parent_cell);
    else
        (void)snprintf(text, sizeof(text), "%s from %s", time,
                       session->source[0] != '\0' ? session->source : "?");
    details_draw_pair(region_part(right, 0, 0, -1, 1), 0, "opened", text);
    if (session->expires_at > 0) {
        words_short_age(idle, sizeof(idle), session->expires_at - now);
        (void)snprintf(text, sizeof(text), "in %s unless used", idle);
    } else {
        (void)snprintf(text, sizeof(text), "%s", session_gone(session) ? "it has" : "never");
    }
    details_draw_pair(region_part(right, 0, 1, -1, 1), 0, "closes", text);
    (void)snprintf(text, sizeof(text), "%u", session->cells);
    if (session->incarnation > 1)
        (void)snprintf(text, sizeof(text), "%u, incarnation %u", session->cells,
                       session->incarnation);
    details_draw_pair(region_part(right, 0, 2, -1, 1), 0, "cells", text);
}

/* The last cell in one line, if there is no preview of all of them. */
static void details_draw_last(struct region region, const struct session *session)
{
    const struct last_cell *last = &session->last;
    const char *code = last->code;
    int x;

    if (last->number == 0) {
        (void)paint_str(region, 0, 0, STYLE(ROLE_DIM), "no cells so far");
        return;
    }
    x = paint_f(region, 0, 0, STYLE(ROLE_CELL_NUMBER), "%u ", last->number);
    x += paint_f(region, x, 0, STYLE(ROLE_CELL_OTHER), "%.40s  ", last->client);
    if (last->running)
        (void)paint_str(region, x, 0, STYLE(ROLE_RUNNING), "● runs");
    else if (last->failed)
        (void)paint_f(region, x, 0, STYLE(ROLE_CELL_FAILED), "✕ failed after %.2f s",
                      last->wall_ms / 1000);
    else
        (void)paint_f(region, x, 0, STYLE(ROLE_CELL_GOOD), "✓ %.2f s", last->wall_ms / 1000);
    for (int y = 1; y < region.height && *code != '\0'; y++) {
        size_t size = strcspn(code, "\n");

        (void)paint_cut(region, 0, y, region.width, STYLE(ROLE_CELL_CODE),
                        (struct gb_bytes){(const uint8_t *)code, size});
        code += size + (code[size] == '\n');
    }
}

/* The parts of the pane; those without room or reason are empty. */
struct details {
    struct region head, facts, graphs, lease, attention, rest;
};

static struct details details_split(const struct list_view *list, double now)
{
    struct region inside = list->beside ? region_part(list->pane, 2, 0, list->pane.width - 3, -1)
                                        : region_part(list->pane, 1, 0, -2, -1);
    const bool tall = inside.height >= 15;
    struct details parts;

    parts.head = region_cut_top(&inside, 1);
    parts.facts = region_cut_top(&inside, tall ? 4 : 0);
    (void)region_cut_top(&inside, tall ? 1 : 0);
    parts.graphs = region_cut_top(&inside, !tall ? 0 : inside.height >= 30 ? 6 : 4);
    (void)region_cut_top(&inside, tall ? 1 : 0);
    parts.lease = region_cut_top(&inside, list->shown->lease.held ? 1 : 0);
    parts.attention =
        region_cut_top(&inside, session_attention(list->shown, now) != ATTENTION_NONE ? 1 : 0);
    parts.rest = inside;
    return parts;
}

void list_arrange_details(struct list_view *list)
{
    struct details parts = details_split(list, tui_now(list->view.tui));

    list->preview_shown = list->preview != NULL && ref_is(&list->preview_of, list->shown);
    if (list->preview_shown && list->preview->ops->arrange != NULL)
        list->preview->ops->arrange(list->preview, parts.rest);
}

void list_draw_details(const struct list_view *list)
{
    const struct session *session = list->shown;
    double now = tui_now(list->view.tui);
    struct details parts = details_split(list, now);
    int x = list->beside ? 0 : 1;

    if (list->beside)
        paint_wall(list->pane, 0, 0, list->pane.height, STYLE(ROLE_FRAME));
    else
        paint_rule(list->pane, 0, 0, list->pane.width, STYLE(ROLE_FRAME));
    (void)paint_f(parts.head, x, 0, STYLE(session_state_role(session)), " %s ",
                  session_state_sign(session));
    (void)paint_f(parts.head, x + 3, 0, STYLE(ROLE_TITLE_ACTIVE), "%.100s ",
                  session_title(session));
    if (parts.facts.height > 0) {
        details_draw_facts(parts.facts, session, now);
        details_draw_graphs(list, parts.graphs, session);
    }
    details_draw_lease(parts.lease, session);
    details_draw_attention(parts.attention, session, now);
    if (list->preview_shown)
        list->preview->ops->draw(list->preview, parts.rest, false);
    else
        details_draw_last(parts.rest, session);
}
