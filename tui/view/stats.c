/* SPDX-License-Identifier: Apache-2.0 */
/* Statistics of a session: its resource usage, its history, and where the time goes. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "show/words.h"
#include "view/internal.h"
#include "view/paint.h"

enum { LABEL = 16, GAUGE_MAX = 50, DURATION = 10, GRAPHS_COLUMNS_MIN = 64 };

static void stats_fact(struct region region, int *y, const char *label, const char *value)
{
    if (value[0] == '\0')
        return;
    (void)paint_str(region, 1, *y, STYLE(ROLE_DIM), label);
    (void)paint_cut(region, LABEL, *y, region.width - LABEL - 1, STYLE(ROLE_TEXT),
                    gb_bytes_str(value));
    (*y)++;
}

/* A sentence, on as many lines as it needs. */
static void stats_sentence(struct region region, int *y, const char *label, const char *value)
{
    (void)paint_str(region, 1, *y, STYLE(ROLE_DIM), label);
    *y += paint_lines(region, LABEL, *y, region.width - LABEL - 1, STYLE(ROLE_TEXT),
                      gb_bytes_str(value));
}

/* Returns the number of lines: with a @region without height nothing is drawn. */
static int stats_draw_facts(const struct session *session, const struct server *server,
                            struct region region, double now)
{
    char text[512], age[32], idle[32];
    int y = 0;

    stats_fact(region, &y, "session", session->id);
    stats_fact(region, &y, "key", session->key);
    session_owner_text(session, text, sizeof(text));
    stats_fact(region, &y, "owner", text);
    (void)snprintf(text, sizeof(text), "%s (%s)", session->image, session->language);
    stats_fact(region, &y, "image", text);
    (void)snprintf(text, sizeof(text), "%s%s%s", session->source,
                   session->network[0] != '\0' ? ", network " : "", session->network);
    stats_fact(region, &y, "started from", text);
    words_age(age, sizeof(age), MAX(now - session->created_at, 0.0));
    words_age(idle, sizeof(idle), MAX(now - session->last_active_at, 0.0));
    (void)snprintf(text, sizeof(text), "%s, idle for %s", age, idle);
    stats_fact(region, &y, "age", text);
    if (session->expires_at > 0) {
        words_age(age, sizeof(age), MAX(session->expires_at - now, 0.0));
        (void)snprintf(text, sizeof(text), "in %s", age);
        stats_fact(region, &y, "closes", text);
    }
    (void)snprintf(text, sizeof(text), "%u cell%s, incarnation %u", session->cells,
                   session->cells == 1 ? "" : "s", session->incarnation);
    stats_fact(region, &y, "ran", text);
    if (isolation_text(server, text, sizeof(text)))
        stats_sentence(region, &y, "isolation", text);
    return y;
}

/* The width of the bars: the rest is for the code. */
static int stats_bar_columns(int width)
{
    int columns = width >= 100 ? (width - LABEL - DURATION) / 2 : width - LABEL - DURATION - 6;

    return MAX(MIN(columns, (int)GAUGE_MAX), 4);
}

static void stats_draw_gauge(struct tui *tui, struct region region, int y, const char *label,
                             double used, double total)
{
    char have[16], all[16];
    double share = total > 0 ? used / total : 0;
    int columns = stats_bar_columns(region.width);

    words_size(have, sizeof(have), used);
    words_size(all, sizeof(all), total);
    (void)paint_str(region, 1, y, STYLE(ROLE_DIM), label);
    paint_gauge(region, LABEL, y, columns, tui_signs(tui), share,
                STYLE(share > 0.9   ? ROLE_GRAPH_HIGH
                      : share > 0.7 ? ROLE_GRAPH_MIDDLE
                                    : ROLE_GRAPH_LOW));
    (void)paint_f(region, LABEL + columns + 2, y, STYLE(ROLE_TEXT), "%s of %s", have, all);
}

static void stats_draw_graph(struct tui *tui, struct region region, const char *title,
                             const struct samples *samples, const char *now, double top)
{
    int x = 1;

    x += paint_str(region, x, 0, STYLE(ROLE_TITLE), title) + 1;
    (void)paint_str(region, x, 0, STYLE(ROLE_STRONG), now);
    paint_graph(region_part(region, 1, 1, -1, region.height - 1), tui_signs(tui), samples->values,
                samples->count, (float)top);
}

static void stats_bar(struct tui *tui, struct region region, int y, const char *label, double ms,
                      double all, enum role role)
{
    char text[32];
    int columns = stats_bar_columns(region.width);

    words_duration(text, sizeof(text), ms);
    (void)paint_str(region, 1, y, STYLE(ROLE_DIM), label);
    paint_gauge(region, LABEL, y, columns, tui_signs(tui), all > 0 ? ms / all : 0, STYLE(role));
    paint_right(region, LABEL + columns, y, DURATION, STYLE(ROLE_TEXT), gb_bytes_str(text));
}

static void stats_cell_bar(const struct session_view *self, struct region region, int y,
                           struct card *card, double longest)
{
    int x = LABEL + stats_bar_columns(region.width) + DURATION + 2;
    struct highlight_state state = {0};
    struct line_tokens tokens = {self->cells.language, &state};
    enum role role = ROLE_TEXT;
    struct text_line line;
    const char *sign = "";
    char label[32];

    card_sign(card, &sign, &role);
    (void)snprintf(label, sizeof(label), "  cell %u", card->number);
    stats_bar(self->view.tui, region, y, label, card->wall_ms, longest,
              role == ROLE_CELL_GOOD ? ROLE_TIME_RUN : role);
    (void)paint_str(region, 1, y, STYLE(role), sign);
    if (region.width - x >= 16 && text_line(card->code, 0, &line))
        (void)paint_line(region_part(region, x, y, -1, 1), 0, 0, &line, 0, line.bytes.size,
                         ROLE_CELL_CODE, &tokens, NULL);
}

/* The start of the VM, then the cells with their times. */
static void stats_draw_time(const struct session_view *self, const struct session *session,
                            struct region region)
{
    struct tui *tui = self->view.tui;
    double longest = 0;
    int y = 0, rows;

    (void)paint_str(region, 1, y++, STYLE(ROLE_TITLE), "where the time went");
    if (session->timing_total_ms > 0) {
        double all = session->timing_total_ms;

        stats_bar(tui, region, y++, "admission", session->timing_admission_ms, all,
                  ROLE_TIME_ADMISSION);
        stats_bar(tui, region, y++, "start", session->timing_boot_ms, all, ROLE_TIME_RESTORE);
        stats_bar(tui, region, y++, "interpreter", session->timing_worker_ms, all,
                  ROLE_TIME_DISPATCH);
        y += region.height >= 12 ? 1 : 0;
    }
    rows = region.height - y;
    for (size_t i = self->cells.count, n = 0; i > 0 && (int)n < rows; i--, n++)
        longest = MAX(longest, self->cells.cards[i - 1]->wall_ms);
    for (size_t i = self->cells.count; i > 0 && y < region.height; i--) {
        struct card *card = self->cells.cards[i - 1];

        if (card->state == CARD_DONE && card->started_at > 0)
            stats_cell_bar(self, region, y++, card, longest);
    }
}

static void stats_draw_gauges(struct tui *tui, const struct session *session, struct region *region)
{
    stats_draw_gauge(tui, region_cut_top(region, 1), 0, "memory", (double)session->memory_bytes,
                     (double)session->memory_limit_bytes);
    if (session->guest_total > 0)
        stats_draw_gauge(tui, region_cut_top(region, 1), 0, "guest's memory",
                         (double)session->guest_used, (double)session->guest_total);
    (void)region_cut_top(region, 1);
}

/* Facts on the left, graphs on the right. */
static void stats_draw_head(struct tui *tui, const struct server *server,
                            const struct session *session, struct region *region)
{
    const int graph = region->height >= 45 ? 9 : region->height >= 30 ? 6 : 4;
    struct region top, left;
    char text[64], size[16];
    int facts;

    left = region_part(*region, 0, 0, region->width / 2, 0);
    facts = stats_draw_facts(session, server, left, tui_now(tui));
    top = region_cut_top(region, MAX(2 * graph + 1, facts));
    left = region_cut_left(&top, region->width / 2);
    (void)stats_draw_facts(session, server, left, tui_now(tui));
    words_size(size, sizeof(size), (double)session->memory_bytes);
    stats_draw_graph(tui, region_part(top, 0, 0, -2, graph), "memory", &session->memory, size,
                     (double)session->memory_limit_bytes);
    (void)snprintf(text, sizeof(text), "%.0f%% of a core", session->cpu_share * 100);
    stats_draw_graph(tui, region_part(top, 0, graph + 1, -2, graph), "processor", &session->cpu,
                     text, 1.0);
    (void)region_cut_top(region, 1);
}

void session_stats_draw(const struct session_view *self, struct region region)
{
    const struct session *session = session_view_figures(self);
    struct tui *tui = self->view.tui;
    const struct server *server = &uplink_store(self->view.uplink)->server;

    if (session == NULL) {
        (void)paint_str(region, 1, 1, STYLE(ROLE_DIM), "nothing is known of this session");
        return;
    }
    (void)region_cut_top(&region, region.height >= 24 ? 1 : 0);
    if (region.width >= GRAPHS_COLUMNS_MIN) {
        stats_draw_head(tui, server, session, &region);
        stats_draw_gauges(tui, session, &region);
    } else { /* changing values come first: there may be no room for the rest */
        stats_draw_gauges(tui, session, &region);
        (void)region_cut_top(&region, 1 + stats_draw_facts(session, server, region, tui_now(tui)));
    }
    stats_draw_time(self, session, region);
}
