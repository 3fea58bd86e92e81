/* SPDX-License-Identifier: Apache-2.0 */
/* The line at the top: sessions by state, memory, pool, latency; below it the current location, and
 * the isolation. If there is not enough room, the least important parts are left out first. */
#include <stdio.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"
#include "show/words.h"

enum { PARTS_MAX = 16, PIECES_MAX = 8, GRAPH_COLUMNS = 8 };
enum { CRUMBS_COLUMNS_MIN = 20 };

static const char STILL[] = " stands still ";

struct piece {
    enum role role;
    char text[48];
};

struct part {
    struct piece pieces[PIECES_MAX];
    size_t count;
    const struct samples *samples; /* a graph at its end; NULL: none */
    float top;
    int priority;     /* larger values are left out first */
    const char *line; /* the command for a click; NULL: none */
    int x, width;
};

struct header {
    struct part parts[PARTS_MAX];
    size_t count;
};

static struct part *header_add_part(struct header *header, int priority)
{
    struct part *part = &header->parts[header->count];

    if (header->count + 1 < PARTS_MAX)
        header->count++;
    *part = (struct part){.priority = priority};
    return part;
}

static void header_add(struct part *part, enum role role, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void header_add(struct part *part, enum role role, const char *format, ...)
{
    struct piece *piece;
    va_list args;

    if (part->count == PIECES_MAX)
        return;
    piece = &part->pieces[part->count++];
    piece->role = role;
    va_start(args, format);
    (void)vsnprintf(piece->text, sizeof(piece->text), format, args);
    va_end(args);
}

/* On the scale of its limit, and only if it changes. */
static void header_add_graph(struct part *part, const struct samples *samples, float top)
{
    struct region room = {.width = GRAPH_COLUMNS, .height = 1};

    part->top = top;
    if (!graph_is_flat(room, GRAPH_BRAILLE, samples->values, samples->count, top))
        part->samples = samples;
}

static int header_part_width(const struct part *part)
{
    int width = part->samples != NULL ? GRAPH_COLUMNS + 1 : 0;

    for (size_t i = 0; i < part->count; i++)
        width += (int)text_columns(gb_bytes_str(part->pieces[i].text));
    return width;
}

/* ---- the parts ---- */

/* @words: each symbol with its word. */
static void header_add_sessions(struct header *header, struct tui *tui, bool words)
{
    static const struct {
        enum session_state state;
        const char *word;
        enum role role;
    } shown[] = {
        {SESSION_RUNNING, "running", ROLE_RUNNING}, {SESSION_WAITING, "input", ROLE_WAITING},
        {SESSION_FAILED, "failed", ROLE_FAILED},    {SESSION_STARTING, "starting", ROLE_STARTING},
        {SESSION_IDLE, "idle", ROLE_IDLE},          {SESSION_ASLEEP, "asleep", ROLE_HEADER_DIM}};
    static const char *const signs[] = {
        [SESSION_RUNNING] = "●",  [SESSION_WAITING] = "◐", [SESSION_FAILED] = "✕",
        [SESSION_STARTING] = "◌", [SESSION_IDLE] = "○",    [SESSION_ASLEEP] = "z"};
    unsigned counts[SESSION_STATE_COUNT] = {0}, wanting = 0;
    struct session *session = NULL;
    struct part *part;

    while ((session = tui_next_session(tui, session)) != NULL) {
        counts[session_shown(session)]++;
        wanting += session_attention(session, tui_now(tui)) != ATTENTION_NONE;
    }
    for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
        unsigned count = counts[shown[i].state];

        if (count == 0 && (shown[i].state == SESSION_STARTING || shown[i].state == SESSION_FAILED ||
                           shown[i].state == SESSION_ASLEEP))
            continue;
        part = header_add_part(header, 1);
        header_add(part, count > 0 ? shown[i].role : ROLE_HEADER_DIM, "%s ", signs[shown[i].state]);
        header_add(part, count > 0 ? ROLE_HEADER_STRONG : ROLE_HEADER_DIM, "%u", count);
        if (words)
            header_add(part, ROLE_HEADER_DIM, " %s", shown[i].word);
    }
    if (wanting > 0) {
        part = header_add_part(header, 0);
        header_add(part, ROLE_WAITING, "! %u", wanting);
        if (words)
            header_add(part, ROLE_HEADER_DIM, " want%s you", wanting == 1 ? "s" : "");
        part->line = "next";
    }
}

/* The figures of all hosts to which there is a link, added up. Graphs and figures that cannot be
 * added are for a single host. */
static void header_add_memory(struct header *header, struct tui *tui)
{
    struct part *part = header_add_part(header, 2);
    struct session *session = NULL;
    uint64_t limit = 0;
    char text[16], of[16];
    double used = 0;

    while ((session = tui_next_session(tui, session)) != NULL)
        used += session_gone(session) || session->offline ? 0 : (double)session->memory_bytes;
    for (size_t i = 0; i < tui->uplink_count; i++) {
        const struct host *host = &tui->uplinks[i].store.host;

        if (!tui->uplinks[i].store.offline)
            limit += host->budget_bytes > 0 ? host->budget_bytes : host->memory_total;
    }
    words_size(text, sizeof(text), used);
    header_add(part, ROLE_HEADER_DIM, "mem ");
    header_add(part, ROLE_HEADER_STRONG, "%s", text);
    if (limit > 0) {
        words_size(of, sizeof(of), (double)limit);
        header_add(part, ROLE_HEADER_DIM, "/%s", of);
    }
    if (tui->uplink_count == 1)
        header_add_graph(part, &tui->uplinks[0].store.host.memory, (float)limit);
}

static void header_add_cpu(struct header *header, struct tui *tui)
{
    const struct host *one = &tui->uplinks[0].store.host;
    struct part *part = header_add_part(header, 4);
    double used = 0;

    for (size_t i = 0; i < tui->uplink_count; i++) {
        const struct samples *cpu = &tui->uplinks[i].store.host.cpu;

        if (!tui->uplinks[i].store.offline && cpu->count > 0)
            used += cpu->values[cpu->count - 1];
    }
    header_add(part, ROLE_HEADER_DIM, "cpu ");
    header_add(part, ROLE_HEADER_STRONG, "%.0f%%", used * 100);
    if (tui->uplink_count == 1)
        header_add_graph(part, &one->cpu, (float)MAX(1u, one->cpus));
}

/* How much of it sessions share with their template. */
static void header_add_shared(struct header *header, const struct host *host)
{
    double all = (double)host->shared_bytes + (double)host->private_bytes;
    struct part *part;

    if (host->shared_bytes == 0)
        return;
    part = header_add_part(header, 6);
    header_add(part, ROLE_HEADER_DIM, "shared ");
    header_add(part, ROLE_HEADER_STRONG, "%.0f%%", 100 * (double)host->shared_bytes / all);
}

/* An image named like its language is shown by the first alias of that, which is short. */
static const char *header_short_image(const struct store *store, const char *image, char text[24])
{
    const struct gb_language *language = gb_languages_find(&store->languages, image);

    if (language != NULL && language->aliases.count > 0)
        image = language->aliases.list[0];
    (void)snprintf(text, 24, "%.16s", image);
    return text;
}

static void header_add_pools(struct header *header, const struct store *store)
{
    struct part *part;

    if (store->pool_count == 0)
        return;
    part = header_add_part(header, 3);
    header_add(part, ROLE_HEADER_DIM, "pool");
    for (size_t i = 0; i < store->pool_count && part->count < PIECES_MAX; i++) {
        const struct pool *pool = &store->pools[i];
        char name[24];
        enum role role = pool->target == 0            ? ROLE_HEADER_DIM
                         : pool->ready < pool->target ? ROLE_STARTING
                                                      : ROLE_HEADER_STRONG;

        header_add(part, role, " %s %u/%u", header_short_image(store, pool->image, name),
                   pool->ready, pool->target);
    }
}

static void header_add_latency(struct header *header, const struct host *host)
{
    struct part *part;

    if (host->exec_p50_ms <= 0 && host->open_p50_ms <= 0)
        return;
    part = header_add_part(header, 5);
    if (host->open_p50_ms > 0) {
        header_add(part, ROLE_HEADER_DIM, "open ");
        header_add(part, ROLE_HEADER_STRONG, host->open_p50_ms < 10 ? "%.1fms" : "%.0fms",
                   host->open_p50_ms);
    }
    if (host->exec_p50_ms > 0) {
        header_add(part, ROLE_HEADER_DIM, host->open_p50_ms > 0 ? " exec " : "exec ");
        header_add(part, ROLE_HEADER_STRONG, "%.1fms", host->exec_p50_ms);
    }
}

static int header_total_width(const struct header *header)
{
    int width = 0;

    for (size_t i = 0; i < header->count; i++)
        width += header->parts[i].width > 0
                     ? header->parts[i].width + (header->parts[i].priority <= 1 ? 2 : 3)
                     : 0;
    return width;
}

/* The least important part; with @graphs: of those that have one. */
static struct part *header_least(struct header *header, bool graphs)
{
    struct part *worst = NULL;

    for (size_t i = 0; i < header->count; i++) {
        struct part *part = &header->parts[i];

        if (part->width > 0 && (!graphs || part->samples != NULL) &&
            (worst == NULL || part->priority >= worst->priority))
            worst = part;
    }
    return worst;
}

/* Removes graphs first, then whole parts. */
static void header_fit(struct header *header, int room)
{
    struct part *part;

    while (header_total_width(header) > room && (part = header_least(header, true)) != NULL) {
        part->samples = NULL;
        part->width = header_part_width(part);
    }
    while (header_total_width(header) > room && (part = header_least(header, false)) != NULL)
        part->width = 0;
}

static int header_paint_part(struct tui *tui, struct region row, int x, const struct part *part)
{
    for (size_t i = 0; i < part->count; i++) {
        struct style style = tui_on(tui, part->pieces[i].role, ROLE_HEADER);

        x += paint_str(row, x, 0, style, part->pieces[i].text);
    }
    if (part->samples != NULL) {
        struct region graph = region_part(row, x + 1, 0, GRAPH_COLUMNS, 1);

        paint_graph(graph, tui_signs(tui), part->samples->values, part->samples->count, part->top);
        paint_ground(graph, tui->theme.looks.roles[ROLE_HEADER].bg);
        x += 1 + GRAPH_COLUMNS;
    }
    return x;
}

static void header_collect(struct header *header, struct tui *tui, bool words)
{
    header->count = 0;
    header_add_sessions(header, tui, words);
    header_add_memory(header, tui);
    if (tui->uplink_count == 1)
        header_add_shared(header, &tui->uplinks[0].store.host);
    header_add_cpu(header, tui);
    if (tui->uplink_count == 1) {
        header_add_pools(header, &tui->uplinks[0].store);
        header_add_latency(header, &tui->uplinks[0].store.host);
    }
    for (size_t i = 0; i < header->count; i++)
        header->parts[i].width = header_part_width(&header->parts[i]);
}

void header_paint(struct tui *tui, struct region row)
{
    struct header header = {0};
    int x;

    paint_fill(row, STYLE(ROLE_HEADER));
    x = paint_str(row, 0, 0, STYLE(ROLE_HEADER_NAME), " glassbell ");
    header_collect(&header, tui, true);
    if (header_total_width(&header) > row.width - x)
        header_collect(&header, tui, false);
    header_fit(&header, row.width - x);
    for (size_t i = 0; i < header.count; i++) {
        struct part *part = &header.parts[i];
        bool counts = part->priority <= 1;

        if (part->width == 0)
            continue;
        if (i > 0)
            x += paint_str(row, x, 0, STYLE(ROLE_HEADER_DIM), counts ? "  " : " │ ");
        else
            x += 1;
        if (part->line != NULL)
            tui_add_click(tui, row.x + x, row.y, part->width, part->line);
        x = header_paint_part(tui, row, x, part);
    }
}

/* ---- the second line ---- */

bool isolation_text(const struct server *server, char *text, size_t room)
{
    if (!server->told)
        return false;
    if (!server->hardware)
        (void)snprintf(text, room, "▲ %s: emulation, not a security boundary", server->accel);
    else if (server->missing_stages[0] != '\0')
        (void)snprintf(text, room, "▲ %s, without %.100s", server->accel, server->missing_stages);
    else
        (void)snprintf(text, room, "✓ %s", server->accel);
    return true;
}

/* Adds the text if it leaves room for the location; @last: in any case. */
static bool header_choose(char text[208], int width, bool last, const char *words)
{
    (void)snprintf(text, 208, " %s ", words);
    return last || width - (int)text_columns(gb_bytes_str(text)) >= CRUMBS_COLUMNS_MIN;
}

/* The only server, or that of the session that is shown; NULL: there are several, see links.c. */
static const struct uplink *header_uplink(const struct tui *tui)
{
    return tui->uplink_count == 1 ? &tui->uplinks[0] : tui->view->uplink;
}

/* In words until the user has pressed a key; afterwards only the symbol, with the words in help and
 * statistics. Where there is little room, fewer words. */
static int header_paint_isolation(struct tui *tui, struct region row)
{
    const struct uplink *uplink = header_uplink(tui);
    const struct server *server = uplink != NULL ? &uplink->store.server : NULL;
    const bool safe = server != NULL && server->hardware && server->missing_stages[0] == '\0';
    enum role role = ROLE_BANNER_WARNING;
    char words[200], text[208];

    if (uplink == NULL)
        return 0;
    if (uplink->state == CONNECTION_LOST) {
        if (!header_choose(text, row.width, false,
                           "no server: trying again (:reconnect starts one)"))
            (void)header_choose(text, row.width, true, "no server");
    } else {
        if (!isolation_text(server, words, sizeof(words)))
            return 0;
        role = safe ? ROLE_BANNER_SAFE : ROLE_BANNER_WARNING;
        if (tui->seen || !header_choose(text, row.width, false, words)) {
            (void)snprintf(words, sizeof(words), "▲ %s: emulation", server->accel);
            if (tui->seen || server->hardware || !header_choose(text, row.width, false, words)) {
                (void)snprintf(words, sizeof(words), "%s %s", safe ? "✓" : "▲", server->accel);
                (void)header_choose(text, row.width, true, words);
            }
        }
    }
    paint_right(row, 0, 0, row.width, STYLE(role), gb_bytes_str(text));
    return (int)text_columns(gb_bytes_str(text));
}

static int header_paint_host(struct region row, int x, const char *host)
{
    const int begin = x;

    x += paint_cut(row, x, 0, row.width / 2, STYLE(ROLE_TITLE), gb_bytes_str(host));
    x += paint_str(row, x, 0, STYLE(ROLE_DIM), " › ");
    return x - begin;
}

void crumbs_paint(struct tui *tui, struct region row)
{
    const struct view *views[8] = {NULL};
    size_t count = 0;
    int taken = header_paint_isolation(tui, row), x = 1;

    row.width -= taken;
    if (tui->frozen) { /* it is needed more than a long title */
        paint_right(row, 0, 0, row.width, STYLE(ROLE_BANNER_WARNING), gb_bytes_str(STILL));
        row.width -= (int)text_columns(gb_bytes_str(STILL)) + 1;
    }
    if (tui->uplink_count == 1 && tui->uplinks[0].place.host != NULL)
        x += header_paint_host(row, x, tui->uplinks[0].place.host);
    else if (tui->uplink_count > 1 && tui->view->uplink != NULL)
        x += header_paint_host(row, x, tui->view->uplink->store.name);
    for (const struct view *view = tui->view; view != NULL && count < ARRAY_SIZE(views);
         view = view->below)
        views[count++] = view;
    while (count > 0) {
        const struct view *view = views[--count];
        struct gb_buf text = {0};

        view->ops->title(view, &text);
        x += paint_cut(row, x, 0, row.width - x, STYLE(count == 0 ? ROLE_TITLE_ACTIVE : ROLE_TITLE),
                       gb_buf_bytes(&text));
        gb_buf_release(&text);
        if (count > 0)
            x += paint_str(row, x, 0, STYLE(ROLE_DIM), " › ");
    }
}
