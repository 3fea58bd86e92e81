/* Figures of a session: what it takes, how that went, and where the time goes. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "view/internal.h"

enum { LABEL = 16, GAUGE_MAX = 50 };

static void fact(struct region region, int *y, const char *label, const char *value)
{
    if (value[0] == '\0')
        return;
    (void)paint_str(region, 1, *y, STYLE(ROLE_DIM), label);
    (void)paint_cut(region, LABEL, *y, region.width - LABEL - 1, STYLE(ROLE_TEXT),
                    gb_bytes_str(value));
    (*y)++;
}

static void draw_facts(const struct session *session, struct region region, double now)
{
    char text[512], size[32], age[32], idle[32];
    int y = 0;

    fact(region, &y, "session", session->id);
    fact(region, &y, "key", session->key);
    fact(region, &y, "owner", session->owner);
    (void)snprintf(text, sizeof(text), "%s (%s)", session->image, session->language);
    fact(region, &y, "image", text);
    (void)snprintf(text, sizeof(text), "%s%s%s", session->source,
                   session->network[0] != '\0' ? ", network " : "", session->network);
    fact(region, &y, "started from", text);
    format_age(age, sizeof(age), MAX(now - session->created_at, 0.0));
    format_age(idle, sizeof(idle), MAX(now - session->last_active_at, 0.0));
    (void)snprintf(text, sizeof(text), "%s, idle for %s", age, idle);
    fact(region, &y, "age", text);
    if (session->expires_at > 0) {
        format_age(age, sizeof(age), MAX(session->expires_at - now, 0.0));
        (void)snprintf(text, sizeof(text), "in %s", age);
        fact(region, &y, "closes", text);
    }
    format_size(size, sizeof(size), (double)session->memory_bytes);
    (void)snprintf(text, sizeof(text), "%u cells, incarnation %u", session->cells,
                   session->incarnation);
    fact(region, &y, "ran", text);
    (void)snprintf(text, sizeof(text), "%s of the host", size);
    fact(region, &y, "memory", text);
}

static void draw_gauge(struct tui *tui, struct region region, int y, const char *label, double used,
                       double total)
{
    char have[32], all[32];
    double share = total > 0 ? used / total : 0;
    int columns = MIN(region.width - LABEL - 22, (int)GAUGE_MAX);

    format_size(have, sizeof(have), used);
    format_size(all, sizeof(all), total);
    (void)paint_str(region, 1, y, STYLE(ROLE_DIM), label);
    paint_gauge(region, LABEL, y, columns, tui_signs(tui), share,
                STYLE(share > 0.9   ? ROLE_GRAPH_HIGH
                      : share > 0.7 ? ROLE_GRAPH_MIDDLE
                                    : ROLE_GRAPH_LOW));
    (void)paint_f(region, LABEL + columns + 1, y, STYLE(ROLE_TEXT), "%s of %s", have, all);
}

static void draw_graph(struct tui *tui, struct region region, const char *title,
                       const struct samples *samples, const char *now, double top)
{
    int x = 1;

    x += paint_str(region, x, 0, STYLE(ROLE_TITLE), title) + 1;
    (void)paint_str(region, x, 0, STYLE(ROLE_STRONG), now);
    paint_graph(region_part(region, 1, 1, -1, region.height - 1), tui_signs(tui), samples->values,
                samples->count, (float)top);
}

static void bar(struct tui *tui, struct region region, int y, const char *label, double ms,
                double all, enum role role)
{
    char text[32];
    int columns = MIN(region.width - LABEL - 12, (int)GAUGE_MAX);

    card_duration(text, sizeof(text), ms);
    (void)paint_str(region, 1, y, STYLE(ROLE_DIM), label);
    paint_gauge(region, LABEL, y, columns, tui_signs(tui), all > 0 ? ms / all : 0, STYLE(role));
    paint_right(region, LABEL + columns, y, 10, STYLE(ROLE_TEXT), gb_bytes_str(text));
}

/* The start of the VM, then the cells with the time that each took. */
static void draw_time(const struct session_view *self, const struct session *session,
                      struct region region)
{
    struct tui *tui = self->view.tui;
    double longest = 0;
    int y = 0, rows;

    (void)paint_str(region, 1, y++, STYLE(ROLE_TITLE), "where the time went");
    if (session->timing_total_ms > 0) {
        double all = session->timing_total_ms;

        bar(tui, region, y++, "admission", session->timing_admission_ms, all, ROLE_TIME_ADMISSION);
        bar(tui, region, y++, "start", session->timing_boot_ms, all, ROLE_TIME_RESTORE);
        bar(tui, region, y++, "interpreter", session->timing_worker_ms, all, ROLE_TIME_DISPATCH);
    }
    rows = region.height - y;
    for (size_t i = self->cells.count, n = 0; i > 0 && (int)n < rows; i--, n++)
        longest = MAX(longest, self->cells.cards[i - 1]->wall_ms);
    for (size_t i = self->cells.count; i > 0 && y < region.height; i--) {
        const struct card *card = self->cells.cards[i - 1];
        char label[32];

        if (card->state != CARD_DONE || card->started_at <= 0)
            continue;
        (void)snprintf(label, sizeof(label), "%s cell %u", card_failed(card) ? "✕" : "✓",
                       card->number);
        bar(tui, region, y++, label, card->wall_ms, longest, ROLE_TIME_RUN);
    }
}

void session_stats_draw(const struct session_view *self, struct region region)
{
    const struct session *session = session_view_session(self);
    struct tui *tui = self->view.tui;
    struct region top, left;
    char text[64], size[32];
    int half;

    if (session == NULL) {
        (void)paint_str(region, 1, 1, STYLE(ROLE_DIM), "nothing is known of this session");
        return;
    }
    (void)region_cut_top(&region, 1);
    half = region.width / 2;
    top = region_cut_top(&region, 10);
    left = region_cut_left(&top, half);
    draw_facts(session, left, tui_now(tui));
    format_size(size, sizeof(size), (double)session->memory_bytes);
    draw_graph(tui, region_part(top, 0, 0, -2, 5), "memory", &session->memory, size,
               (double)session->memory_limit_bytes);
    (void)snprintf(text, sizeof(text), "%.0f %% of a core", session->cpu_share * 100);
    draw_graph(tui, region_part(top, 0, 5, -2, 5), "processor", &session->cpu, text, 1.0);
    if (region.height < 3)
        return;
    if (session->guest_total > 0)
        draw_gauge(tui, region, 0, "guest's memory", (double)session->guest_used,
                   (double)session->guest_total);
    else
        draw_gauge(tui, region, 0, "memory", (double)session->memory_bytes,
                   (double)session->memory_limit_bytes);
    (void)region_cut_top(&region, 2);
    draw_time(self, session, region);
}
