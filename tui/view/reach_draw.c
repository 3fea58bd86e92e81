/* SPDX-License-Identifier: Apache-2.0 */
/* Paints a session's network. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "show/words.h"
#include "store/question.h"
#include "view/internal.h"
#include "view/paint.h"

enum {
    DETAIL_ROWS = 5,
    DETAIL_ROWS_MIN = 14, /* of the tab, for details to have room */
    CLOCK_COLUMNS = 8,
    CELL_COLUMNS = 7,
    SIZE_COLUMNS = 6,
    DURATION_COLUMNS = 9,
    ADDRESS_COLUMNS = 18,
    ADDRESS_COLUMNS_MIN = 110, /* of the tab, for addresses to have a column */
    LABEL_COLUMNS = 10,
    HOST_COLUMNS_MAX = 48,
    REMARK_COLUMNS = 20, /* for the whole of its heading */
};

void reach_split(struct region region, struct reach_regions *ret_regions)
{
    ret_regions->head = region_cut_top(&region, 1);
    ret_regions->details =
        region_cut_bottom(&region, region.height >= DETAIL_ROWS_MIN ? DETAIL_ROWS + 1 : 0);
    ret_regions->headings = region_cut_top(&region, region.height >= 4 ? 1 : 0);
    ret_regions->list = region;
}

/* ---- words ---- */

/* What a record is about, besides its host. */
static const char *reach_word(const struct reach_record *record, bool open)
{
    switch ((enum gb_network_entry)record->kind) {
    case GB_NETWORK_CONNECTION:
        return open ? "open" : record->reason != NULL ? "broken" : "";
    case GB_NETWORK_DENIED:
        return "refused";
    case GB_NETWORK_POLICY:
        return "rules";
    case GB_NETWORK_ANSWER:
        return "answered";
    case GB_NETWORK_REQUEST:
        return record->reason != NULL ? "refused" : "request";
    case GB_NETWORK_PORT:
    case GB_NETWORK_VISIT:
        return record->reason != NULL && record->kind == GB_NETWORK_VISIT ? "broken" : "port";
    case GB_NETWORK_END:
        return "the end";
    case GB_NETWORK_ENTRY_COUNT:
        break;
    }
    return "";
}

static enum role reach_role(const struct reach_record *record, bool open)
{
    const char *word = reach_word(record, open);

    if (open)
        return ROLE_RUNNING;
    if (strcmp(word, "refused") == 0)
        return ROLE_CELL_FAILED;
    return strcmp(word, "broken") == 0 ? ROLE_CELL_STOPPED : ROLE_DIM;
}

/* The host and the port, or what stands for them. */
static void reach_host(const struct reach_record *record, char *text, size_t room)
{
    const char *host = record->name != NULL      ? record->name
                       : record->address != NULL ? record->address
                                                 : "";

    if (record->kind == GB_NETWORK_PORT || record->kind == GB_NETWORK_VISIT)
        (void)snprintf(text, room, "port %u", record->port);
    else if (record->port > 0)
        (void)snprintf(text, room, "%s:%u", host, record->port);
    else
        (void)snprintf(text, room, "%s", host);
}

/* Rules have a line each. */
static void reach_rules(const char *rules, char *text, size_t room)
{
    size_t size = 0;

    for (; *rules != '\0' && size + 3 < room; rules++) {
        if (*rules != '\n') {
            text[size++] = *rules;
        } else if (rules[1] != '\0') {
            text[size++] = ';';
            text[size++] = ' ';
        }
    }
    text[size] = '\0';
}

/* The last column: a request, why it failed, the rule. */
static void reach_remark(const struct reach_record *record, char *text, size_t room)
{
    const bool request = record->kind == GB_NETWORK_REQUEST;
    const char *rule = record->rule != NULL ? record->rule : "";

    if (record->kind == GB_NETWORK_PORT || record->kind == GB_NETWORK_VISIT)
        rule = record->address != NULL ? record->address : "";
    if (record->kind == GB_NETWORK_POLICY)
        reach_rules(rule, text, room);
    else if (record->reason != NULL && (request || record->kind == GB_NETWORK_PORT))
        (void)snprintf(text, room, "%s  %s", record->reason, rule);
    else
        (void)snprintf(text, room, "%s", record->reason != NULL ? record->reason : rule);
}

static bool reach_has_figures(const struct reach_record *record)
{
    return record->kind == GB_NETWORK_CONNECTION || record->kind == GB_NETWORK_VISIT ||
           record->kind == GB_NETWORK_END;
}

/* ---- rows ---- */

struct reach_columns {
    int clock, cell, host, host_width, address, in, out, duration, remark;
};

static struct reach_columns reach_layout(int width)
{
    struct reach_columns at = {.clock = 1};
    int right = (SIZE_COLUMNS + 1) * 2 + (width >= 70 ? DURATION_COLUMNS + 1 : 0);
    int rest = width - 2 - CLOCK_COLUMNS - 1 - CELL_COLUMNS - 1 - right;

    if (width < 60) { /* the host and what became of it */
        at.cell = at.in = at.out = at.duration = at.address = -1;
        at.host = 1;
        at.clock = -1;
        at.host_width = MAX((width - 2) * 3 / 5, 8);
        at.remark = at.host + at.host_width + 1;
        return at;
    }
    at.cell = at.clock + CLOCK_COLUMNS + 1;
    at.host = at.cell + CELL_COLUMNS + 1;
    at.address = width >= ADDRESS_COLUMNS_MIN ? 0 : -1;
    rest -= at.address == 0 ? ADDRESS_COLUMNS + 1 : 0;
    at.host_width = MAX(MIN(rest / 2, (int)HOST_COLUMNS_MAX), 12);
    at.in = at.host + at.host_width + 1;
    if (at.address == 0) {
        at.address = at.in;
        at.in += ADDRESS_COLUMNS + 1;
    }
    at.out = at.in + SIZE_COLUMNS + 1;
    at.duration = width >= 70 ? at.out + SIZE_COLUMNS + 1 : -1;
    at.remark = (at.duration >= 0 ? at.duration + DURATION_COLUMNS : at.out + SIZE_COLUMNS) + 1;
    return at;
}

static void reach_draw_headings(struct region row)
{
    const struct reach_columns at = reach_layout(row.width);
    const struct style style = STYLE(ROLE_HEADING);

    paint_fill(row, style);
    if (at.clock >= 0)
        (void)paint_str(row, at.clock, 0, style, "TIME");
    if (at.cell >= 0)
        (void)paint_str(row, at.cell, 0, style, "CELL");
    (void)paint_str(row, at.host, 0, style, "HOST");
    if (at.address >= 0)
        (void)paint_str(row, at.address, 0, style, "ADDRESS");
    if (at.in >= 0) {
        paint_right(row, at.in, 0, SIZE_COLUMNS, style, gb_bytes_str("IN"));
        paint_right(row, at.out, 0, SIZE_COLUMNS, style, gb_bytes_str("OUT"));
    }
    if (at.duration >= 0)
        paint_right(row, at.duration, 0, DURATION_COLUMNS, style, gb_bytes_str("TOOK"));
    (void)paint_str(row, at.remark, 0, style,
                    row.width - at.remark > REMARK_COLUMNS ? "RULE, REQUEST, ERROR"
                                                           : "RULE, ERROR");
}

static void reach_clock(double at, char *text, size_t room)
{
    time_t seconds = (time_t)at;
    struct tm parts;

    if (at <= 0 || localtime_r(&seconds, &parts) == NULL ||
        strftime(text, room, "%H:%M:%S", &parts) == 0)
        text[0] = '\0';
}

static void reach_draw_record(const struct reach_record *record, bool open, struct region row,
                              struct style style, bool selected)
{
    const struct reach_columns at = reach_layout(row.width);
    const struct style dim = selected ? style : STYLE(ROLE_DIM);
    const char *word = reach_word(record, open);
    char text[2 * REACH_TEXT_MAX + 32];
    int x = at.remark;

    if (at.clock >= 0) {
        reach_clock(record->at, text, sizeof(text));
        (void)paint_str(row, at.clock, 0, dim, text);
    }
    if (at.cell >= 0 && record->cell > 0)
        (void)paint_f(row, at.cell, 0, dim, "[%u]", record->cell);
    reach_host(record, text, sizeof(text));
    (void)paint_cut(row, at.host, 0, at.host_width, style, gb_bytes_str(text));
    if (at.address >= 0 && record->address != NULL && record->name != NULL)
        (void)paint_cut(row, at.address, 0, ADDRESS_COLUMNS, dim, gb_bytes_str(record->address));
    if (at.in >= 0 && reach_has_figures(record) && !open) {
        words_size(text, sizeof(text), (double)record->received);
        paint_right(row, at.in, 0, SIZE_COLUMNS, style, gb_bytes_str(text));
        words_size(text, sizeof(text), (double)record->sent);
        paint_right(row, at.out, 0, SIZE_COLUMNS, style, gb_bytes_str(text));
    }
    if (at.duration >= 0 && reach_has_figures(record) && !open) {
        words_duration(text, sizeof(text), record->ms);
        paint_right(row, at.duration, 0, DURATION_COLUMNS, dim, gb_bytes_str(text));
    }
    if (word[0] != '\0')
        x += 1 + paint_str(row, x, 0, selected ? style : STYLE(reach_role(record, open)), word);
    reach_remark(record, text, sizeof(text));
    (void)paint_cut(row, x, 0, row.width - x - 1, dim, gb_bytes_str(text));
}

static void reach_draw_port(const struct session_view *self, const struct reach_port *port,
                            struct region row, struct style style, bool selected)
{
    char text[64], key[KEY_NAME_MAX];
    int x = 1;

    x += paint_str(row, x, 0, selected ? style : STYLE(ROLE_ACCENT),
                   port->listening ? "listening: " : "port: ");
    x += 2 + paint_f(row, x, 0, style, "%u", port->port);
    if (port->address == NULL) {
        tui_key_of(self->view.tui, CONTEXT_NETWORK, "use", key);
        (void)snprintf(text, sizeof(text), "%s opens it on this machine", key);
        (void)paint_cut(row, x, 0, row.width - x - 1, selected ? style : STYLE(ROLE_DIM),
                        gb_bytes_str(text));
        return;
    }
    x += 2 + paint_cut(row, x, 0, row.width - x - 1, selected ? style : STYLE(ROLE_LINK),
                       gb_bytes_str(port->address));
    if (!port->listening)
        x += 2 + paint_str(row, x, 0, selected ? style : STYLE(ROLE_DIM), "nobody listens");
    (void)paint_f(row, x, 0, selected ? style : STYLE(ROLE_DIM), "%u open, %llu in all", port->open,
                  (unsigned long long)port->opened);
}

static void reach_draw_row(const struct session_view *self, size_t index, struct region row,
                           bool selected, bool focused)
{
    const struct style style = STYLE(!selected ? ROLE_TEXT
                                     : focused ? ROLE_ROW_SELECTED
                                               : ROLE_ROW_INACTIVE);
    char text[2 * STORE_NAME_MAX];
    struct reach_item item;

    if (selected)
        paint_fill(row, style);
    reach_item(self, index, &item);
    switch (item.kind) {
    case REACH_QUESTION:
        question_text(item.question, text, sizeof(text));
        (void)paint_cut(row, 1, 0, row.width - 2, selected ? style : STYLE(ROLE_WAITING),
                        gb_bytes_str(text));
        break;
    case REACH_PORT:
        reach_draw_port(self, item.port, row, style, selected);
        break;
    case REACH_OPEN:
    case REACH_RECORD:
    default:
        reach_draw_record(item.record, item.kind == REACH_OPEN, row, style, selected);
        break;
    }
}

/* ---- the rest ---- */

static void reach_draw_head(const struct session_view *self, struct region row)
{
    const struct reach *reach = &self->reach.reach;
    char text[512], in[16], out[16];

    words_size(in, sizeof(in), (double)reach->received);
    words_size(out, sizeof(out), (double)reach->sent);
    if (!self->reach.known)
        (void)snprintf(text, sizeof(text), "…");
    else if (reach->network[0] == '\0')
        (void)snprintf(text, sizeof(text), "what its network was used for");
    else
        (void)snprintf(text, sizeof(text),
                       "network %s%s%s: %u open, %llu in all, %llu refused, %s in, %s out",
                       reach->network, reach->secrets[0] != '\0' ? ", secrets " : "",
                       reach->secrets, reach->now_open, (unsigned long long)reach->opened,
                       (unsigned long long)reach->denied, in, out);
    (void)paint_cut(row, 1, 0, row.width - 2, STYLE(ROLE_TITLE_ACTIVE), gb_bytes_str(text));
}

static void reach_detail(struct region region, int *y, const char *label, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    (void)paint_str(region, 1, *y, STYLE(ROLE_DIM), label);
    (void)paint_cut(region, LABEL_COLUMNS, *y, region.width - LABEL_COLUMNS - 1, STYLE(ROLE_TEXT),
                    gb_bytes_str(text));
    (*y)++;
}

/* The record under the cursor, whose columns may be cut. */
static void reach_draw_details(const struct session_view *self, struct region region)
{
    const struct reach_record *record;
    char text[2 * REACH_TEXT_MAX + 32];
    struct reach_item item;
    int y = 0;

    if (region.height == 0 || self->reach.row >= reach_count(self))
        return;
    paint_rule(region_cut_top(&region, 1), 0, 0, region.width, STYLE(ROLE_FRAME));
    reach_item(self, self->reach.row, &item);
    if (item.kind < REACH_OPEN)
        return;
    record = item.record;
    reach_host(record, text, sizeof(text));
    reach_detail(region, &y, "host", text);
    if (record->name != NULL)
        reach_detail(region, &y, "address", record->address);
    reach_detail(region, &y, record->kind == GB_NETWORK_REQUEST ? "request" : "rule", record->rule);
    reach_detail(region, &y, record->kind == GB_NETWORK_ANSWER ? "answer" : "reason",
                 record->reason);
    reach_detail(region, &y, "client", record->client);
    if (record->left_out > 0)
        (void)paint_f(region, 1, y, STYLE(ROLE_MESSAGE_WARNING),
                      "%llu records before this one were left out",
                      (unsigned long long)record->left_out);
}

/* Why there is no row. */
static const char *reach_reason(const struct session_view *self)
{
    if (self->reach.error[0] != '\0')
        return self->reach.error;
    if (!self->reach.known)
        return "…";
    return "it has used no network, and no program in it listens; `glassbell open --net` gives a "
           "session a network";
}

void reach_draw(const struct session_view *self, struct region region, bool focused)
{
    struct reach_regions regions;
    const size_t count = reach_count(self);

    reach_split(region, &regions);
    reach_draw_head(self, regions.head);
    if (count == 0) {
        (void)paint_lines(regions.list, 1, 0, regions.list.width - 2, STYLE(ROLE_DIM),
                          gb_bytes_str(reach_reason(self)));
        return;
    }
    if (regions.headings.height > 0)
        reach_draw_headings(regions.headings);
    for (int y = 0; y < regions.list.height && self->reach.top + (size_t)y < count; y++)
        reach_draw_row(self, self->reach.top + (size_t)y, region_part(regions.list, 0, y, -1, 1),
                       self->reach.top + (size_t)y == self->reach.row, focused);
    reach_draw_details(self, regions.details);
}
