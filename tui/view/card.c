/* SPDX-License-Identifier: Apache-2.0 */
#include "view/card.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "show/remarks.h"
#include "show/words.h"
#include "view/paint.h"
#include "view/part.h"
#include "view/remark.h"
#include "view/trail.h"

/* ---- rows ---- */

static unsigned card_text_width(const struct card_look *look)
{
    return look->wrap ? (unsigned)MAX(look->width - CARD_GUTTER - 1, 1) : 0;
}

static size_t card_rows_of(struct text *text, const struct card_look *look)
{
    return text != NULL ? text_rows(text, card_text_width(look)) : 0;
}

static bool card_hides(const struct card_look *look)
{
    return look->hide && look->search->size > 0;
}

static size_t card_matching_lines(struct text *text, const struct card_look *look)
{
    struct text_filter *filter = &look->search->filter;

    return text == NULL       ? 0
           : look->around > 0 ? text_shown(text, filter, look->around)
                              : text_found(text, 0, filter);
}

static bool card_is_quiet(const struct card *card, const struct card_look *look)
{
    return card->folded && !look->output_only;
}

static size_t card_code_rows(const struct card *card, const struct card_look *look)
{
    size_t rows = card_rows_of(card->code, look);

    return card->whole || rows <= CARD_CODE_SHOWN ? rows : CARD_CODE_SHOWN - 2;
}

static struct remarks card_remarks(const struct card *card)
{
    return (struct remarks){
        .error = gb_bytes_str(card->error != NULL ? card->error : ""),
        .note = gb_bytes_str(card->note != NULL ? card->note : ""),
        .flags = card->outcome.flags,
        .left_out = card->cut[TEXT_STDOUT] + card->cut[TEXT_STDERR],
    };
}

static size_t card_display_rows(const struct card *card, const struct card_look *look)
{
    size_t rows = 0;

    for (size_t i = 0; i < card->display_count; i++)
        rows += picture_rows(&card->displays[i], &look->figures);
    return rows;
}

/* A person's note is shown as a whole. */
static int card_remark_columns(int width)
{
    return MAX(width - CARD_GUTTER - 1, 1);
}

static size_t card_remark_rows(const struct card *card, int width)
{
    const struct region nowhere = {0};

    return card->remark == NULL
               ? 0
               : (size_t)paint_lines(nowhere, 0, 0, card_remark_columns(width),
                                     STYLE(ROLE_CELL_NOTE), gb_bytes_str(card->remark));
}

/* Whether cells are chosen one by one: then groups of undone ones are not folded. */
static bool card_is_picked(const struct card_look *look)
{
    return look->way != NULL || look->annotated;
}

static size_t card_part_rows(const struct card *card, const struct card_look *look,
                             enum card_part part)
{
    bool quiet = card_is_quiet(card, look), hide = card_hides(look);
    struct remarks remarks;

    if (part == CARD_PART_UNDONE)
        return card->group_last != 0 && !card_is_picked(look);
    if (card->tucked && !card_is_picked(look))
        return part == CARD_PART_GAP && card->group_last != 0;
    if (part == CARD_PART_HEAD)
        return 1;
    if (part == CARD_PART_GAP)
        return quiet ? 0 : 1;
    if (part == CARD_PART_REMARK)
        return hide || look->output_only ? 0 : card_remark_rows(card, look->width);
    if (quiet)
        return 0;
    if (hide && part == CARD_PART_CODE)
        return look->output_only ? 0 : card_matching_lines(card->code, look);
    if (hide && part == CARD_PART_OUTPUT)
        return card_matching_lines(card->output, look);
    if (hide && part == CARD_PART_VALUE)
        return card_matching_lines(card->value, look);
    if (hide)
        return 0;
    switch (part) {
    case CARD_PART_CODE:
        return look->output_only ? 0 : card_code_rows(card, look);
    case CARD_PART_CODE_MORE:
        return !look->output_only && card_code_rows(card, look) < card_rows_of(card->code, look);
    case CARD_PART_AWAY:
        return card->away;
    case CARD_PART_EARLIER:
        return card->output != NULL && (text_dropped(card->output) > 0 || part_before(card) > 0);
    case CARD_PART_LATER:
        return part_behind(card) > 0;
    case CARD_PART_OUTPUT:
        return card_rows_of(card->output, look);
    case CARD_PART_VALUE:
        return card_rows_of(card->value, look);
    case CARD_PART_DISPLAY:
        return card_display_rows(card, look);
    case CARD_PART_NOTE:
        remarks = card_remarks(card);
        return remarks_count(&remarks);
    case CARD_PART_FILES:
        return !look->output_only && card->file_count > 0;
    case CARD_PART_UNDONE:
    case CARD_PART_HEAD:
    case CARD_PART_REMARK:
    case CARD_PART_GAP:
    case CARD_PART_COUNT:
    default:
        return 0;
    }
}

/* Whether it is none of those that are shown. */
static bool card_is_out(const struct card *card, const struct card_look *look)
{
    return (look->way != NULL && !trail_way_has(look->way, card)) ||
           (look->annotated && !remark_has(card));
}

size_t card_rows(const struct card *card, const struct card_look *look)
{
    size_t rows = 0;

    if (card_is_out(card, look))
        return 0;
    for (int part = 0; part < CARD_PART_COUNT; part++)
        rows += card_part_rows(card, look, (enum card_part)part);
    if (card_hides(look) && rows <= 2u + (card->group_last != 0))
        return 0; /* nothing was found in it */
    return rows;
}

size_t card_part_row(const struct card *card, const struct card_look *look, enum card_part part)
{
    size_t row = 0;

    for (int before = 0; before < (int)part; before++)
        row += card_part_rows(card, look, (enum card_part)before);
    return row;
}

size_t card_line_row(const struct card *card, const struct card_look *look, size_t line)
{
    return card_part_row(card, look, CARD_PART_OUTPUT) +
           (card->output != NULL ? text_row_of(card->output, card_text_width(look), line) : 0);
}

bool card_has(const struct card *card, const struct card_look *look, enum card_part part)
{
    return card_part_rows(card, look, part) > 0;
}

/* The part that row @row belongs to, and the row within it. @row is below card_rows(). */
static enum card_part card_locate(const struct card *card, const struct card_look *look, size_t row,
                                  size_t *ret_in_part)
{
    for (int part = 0; part < CARD_PART_COUNT; part++) {
        size_t rows = card_part_rows(card, look, (enum card_part)part);

        if (row < rows) {
            *ret_in_part = row;
            return (enum card_part)part;
        }
        row -= rows;
    }
    *ret_in_part = 0;
    return CARD_PART_GAP;
}

/* ---- the head line ---- */

void card_sign(const struct card *card, const char **ret_sign, enum role *ret_role)
{
    if (card->waiting) {
        *ret_sign = "◐";
        *ret_role = ROLE_WAITING;
    } else if (card->state == CARD_SENT) {
        *ret_sign = "◌";
        *ret_role = ROLE_STARTING;
    } else if (card->state == CARD_RUNNING) {
        *ret_sign = "●";
        *ret_role = ROLE_RUNNING;
    } else if (outcome_has(&card->outcome, GB_CELL_INTERRUPTED | GB_CELL_TIMED_OUT)) {
        *ret_sign = "■";
        *ret_role = ROLE_CELL_STOPPED;
    } else if (card_failed(card)) {
        *ret_sign = "✕";
        *ret_role = ROLE_CELL_FAILED;
    } else {
        *ret_sign = "✓";
        *ret_role = ROLE_CELL_GOOD;
    }
}

/* With a role, on the background of the head line. */
#define ON(role_) ((struct style){.role = (uint8_t)(role_), .bg = ground})

/* The figures at the right end; returns where they start. */
static int card_draw_figures(const struct card *card, const struct card_look *look,
                             struct region region, enum role state_role, colour ground)
{
    char verdict[64], duration[32] = "", memory[16] = "", clock[16] = "";
    int x = region.width - 1;
    time_t at = (time_t)card->started_at;
    struct tm tm;

    card_verdict(card, verdict, sizeof(verdict));
    if (card->state == CARD_RUNNING && card->started_at > 0)
        words_duration(duration, sizeof(duration), MAX(look->now - card->started_at, 0.0) * 1000);
    else if (card->state == CARD_DONE && card->started_at > 0)
        words_duration(duration, sizeof(duration), card->wall_ms);
    if (card->peak_memory > 0)
        words_size(memory, sizeof(memory), (double)card->peak_memory);
    if (look->times && card->started_at > 0 && localtime_r(&at, &tm) != NULL)
        (void)strftime(clock, sizeof(clock), "%H:%M:%S", &tm);
    if (card->waiting)
        (void)snprintf(verdict, sizeof(verdict), "waits for input");
    else if (card->state == CARD_SENT)
        (void)snprintf(verdict, sizeof(verdict), "queued");

    x -= 9;
    paint_right(region, x, 0, 9, ON(ROLE_TEXT), gb_bytes_str(duration));
    if (look->width >= 70) {
        x -= 8;
        paint_right(region, x, 0, 8, ON(ROLE_DIM), gb_bytes_str(memory));
    }
    if (clock[0] != '\0' && look->width >= 90) {
        x -= 10;
        paint_right(region, x, 0, 10, ON(ROLE_DIM), gb_bytes_str(clock));
    }
    if (card->file_count > 0 && look->width >= 70) {
        char files[32];
        int n = snprintf(files, sizeof(files), "%zu file%s", card->file_count + card->files_left,
                         card->file_count == 1 ? "" : "s");

        x -= n + 2;
        (void)paint_str(region, x + 1, 0, ON(ROLE_CHANGED), files);
    }
    if (verdict[0] != '\0') {
        x -= (int)strlen(verdict) + 1;
        (void)paint_str(region, x, 0, ON(state_role), verdict);
    }
    return x;
}

static void card_draw_head(const struct card *card, const struct card_look *look,
                           struct region region, bool selected)
{
    enum role state_role = ROLE_TEXT;
    const char *sign = "";
    colour ground = selected ? look->ground_selected : look->ground;
    char number[16];
    int x = CARD_GUTTER, end;
    const char *who = card->mine ? "you" : card->client[0] != '\0' ? card->client : "a client";

    card_sign(card, &sign, &state_role);
    if (card->revealed)
        state_role = ROLE_DIM;
    paint_fill(region, ON(selected ? ROLE_CELL_SELECTED : ROLE_CELL));
    (void)paint_str(region, 1, 0, ON(state_role), sign);
    end = card_draw_figures(card, look, region, state_role, ground);
    if (card->number != 0)
        (void)snprintf(number, sizeof(number), "%u", card->number);
    else
        (void)snprintf(number, sizeof(number), "…");
    x += paint_str(region, x, 0, ON(card->revealed ? ROLE_DIM : ROLE_CELL_NUMBER), number) + 1;
    if (card->bookmark)
        x += paint_str(region, x, 0, ON(ROLE_ACCENT), "★") + 1;
    if (look->marks)
        x += paint_str(region, x, 0, ON(ROLE_ACCENT), card->returnable ? "◆" : " ") + 1;
    x += paint_cut(region, x, 0, MIN(24, MAX(end - x - 2, 0)),
                   ON(card->mine ? ROLE_CELL_MINE : ROLE_CELL_OTHER), gb_bytes_str(who)) +
         1;
    if (card->mode[0] != '\0' && strcmp(card->mode, "kernel") != 0)
        x += paint_str(region, x, 0, ON(ROLE_DIM), card->mode) + 1;
    if (card_is_quiet(card, look)) {
        struct highlight_state state = {0};
        struct line_tokens tokens = {look->language, &state};
        struct text_line line;

        if (text_line(card->code, 0, &line))
            paint_line_cut(region_part(region, x + 1, 0, MAX(end - x - 2, 0), 1), &line,
                           card->revealed ? ROLE_DIM : ROLE_CELL_CODE,
                           card->revealed ? NULL : &tokens, look->search);
    } else if (end - x > 2) {
        paint_rule(region, x, 0, end - x - 1, ON(ROLE_CELL_GUTTER));
    }
}

/* ---- the rest ---- */

static void card_draw_group(const struct card *card, const struct card_look *look,
                            struct region region, bool selected)
{
    colour ground = selected ? look->ground_selected : look->ground;
    char text[128];

    trail_group_text(card, look->now, text, sizeof(text));
    paint_fill(region, ON(selected ? ROLE_CELL_SELECTED : ROLE_CELL));
    (void)paint_str(region, 1, 0, ON(ROLE_DIM), card->tucked ? "▸" : "▾");
    (void)paint_cut(region, CARD_GUTTER, 0, region.width - CARD_GUTTER, ON(ROLE_DIM),
                    gb_bytes_str(text));
}

static void card_draw_text(const struct card *card, const struct card_look *look,
                           struct region region, struct text *text, const struct card_place *place)
{
    const unsigned width = card_hides(look) ? 0 : card_text_width(look);
    const bool is_dim = card->revealed || place->is_around;
    enum role role = ROLE_CELL_STDOUT;
    struct text_line line;
    size_t from, to;

    if (!text_line(text, place->line, &line))
        return;
    text_line_part(&line, width, place->piece, &from, &to);
    if (place->part == CARD_PART_CODE) {
        struct highlight_state state = card_state_at(card, look->language, place->line);
        struct line_tokens tokens = {look->language, &state};

        (void)text_line(text, place->line, &line);
        (void)paint_line(region, CARD_GUTTER, 0, &line, from, to,
                         is_dim ? ROLE_DIM : ROLE_CELL_CODE, is_dim ? NULL : &tokens, look->search);
    } else if (place->part == CARD_PART_VALUE) {
        role = is_dim ? ROLE_DIM : ROLE_CELL_VALUE;
        (void)paint_str(region, 1, 0, STYLE(role),
                        place->line == 0 && place->piece == 0 ? "=" : " ");
        (void)paint_line(region, CARD_GUTTER, 0, &line, from, to, role, NULL, look->search);
    } else {
        if (line.stream == TEXT_STDERR)
            role = ROLE_CELL_STDERR;
        (void)paint_str(region, 1, 0,
                        STYLE(role == ROLE_CELL_STDERR ? ROLE_CELL_STDERR : ROLE_CELL_GUTTER),
                        role == ROLE_CELL_STDERR ? "┃" : "│");
        (void)paint_line(region, CARD_GUTTER, 0, &line, from, to, is_dim ? ROLE_DIM : role, NULL,
                         look->search);
    }
    if (place->is_torn)
        (void)paint_str(region, 1, 0, STYLE(ROLE_DIM), "⋮");
    if (!look->wrap && line.columns > look->width - CARD_GUTTER)
        (void)paint_str(region, region.width - 1, 0, STYLE(ROLE_DIM), "…");
}

static void card_draw_note(const struct card *card, struct region region, size_t row)
{
    const struct remarks remarks = card_remarks(card);
    struct gb_buf text = {0};

    remarks_add(&remarks, row, &text);
    (void)paint_str(region, 1, 0, STYLE(ROLE_CELL_NOTE), "!");
    (void)paint_cut(region, CARD_GUTTER, 0, region.width - CARD_GUTTER, STYLE(ROLE_CELL_NOTE),
                    gb_buf_bytes(&text));
    gb_buf_release(&text);
}

static void card_draw_remark(const struct card *card, const struct card_look *look,
                             struct region region, size_t row)
{
    (void)paint_str(region, 1, 0, STYLE(ROLE_ACCENT), row == 0 ? "»" : " ");
    (void)paint_lines(region, CARD_GUTTER, -(int)row, card_remark_columns(look->width),
                      STYLE(ROLE_CELL_NOTE), gb_bytes_str(card->remark));
}

static void card_draw_files(const struct card *card, struct region region)
{
    int x = CARD_GUTTER;

    (void)paint_str(region, 1, 0, STYLE(ROLE_CHANGED), "±");
    for (size_t i = 0; i < card->file_count; i++) {
        const struct card_file *file = &card->files[i];
        const char sign[] = {file->change, '\0'};
        enum role role = file->change == '+'   ? ROLE_ADDED
                         : file->change == '-' ? ROLE_REMOVED
                                               : ROLE_CHANGED;
        int wanted = (int)text_columns(gb_bytes_str(file->path)) + 4;

        if (x + wanted > region.width - 8 && i > 0) {
            (void)paint_f(region, x, 0, STYLE(ROLE_DIM), "and %zu more",
                          card->file_count - i + card->files_left);
            return;
        }
        (void)paint_str(region, x, 0, STYLE(role), sign);
        x += 2 +
             paint_cut(region, x + 2, 0, region.width - x - 2, STYLE(ROLE_FILE),
                       gb_bytes_str(file->path)) +
             2;
    }
}

static void card_draw_displays(const struct card *card, const struct card_look *look,
                               struct region region, size_t row)
{
    for (size_t i = 0; i < card->display_count; i++) {
        size_t rows = picture_rows(&card->displays[i], &look->figures);

        if (row < rows) {
            (void)paint_str(region, 1, 0, STYLE(ROLE_CELL_GUTTER), "│");
            picture_draw(&card->displays[i], region_part(region, CARD_GUTTER, 0, -1, -1), row,
                         &look->figures, i + 1);
            return;
        }
        row -= rows;
    }
}

/* The edge of the loaded part of a long output. */
static void card_draw_edge(const struct card *card, struct region region, enum card_part part)
{
    bool before = part == CARD_PART_EARLIER;
    uint64_t bytes = before ? part_before(card) : part_behind(card);
    char size[16];

    if (bytes == 0) { /* it is running, or nobody stored it */
        (void)paint_f(region, CARD_GUTTER, 0, STYLE(ROLE_DIM), "⋮ %" PRIu64 " earlier lines",
                      text_dropped(card->output));
        return;
    }
    words_size(size, sizeof(size), (double)bytes);
    (void)paint_f(region, CARD_GUTTER, 0, STYLE(ROLE_DIM), "⋮ %s of %s output%s", size,
                  before ? "earlier" : "later", card->wish != PART_NONE ? " …" : "");
}

/* NULL: the part is not text. */
static struct text *card_text_of(const struct card *card, enum card_part part)
{
    return part == CARD_PART_CODE     ? card->code
           : part == CARD_PART_OUTPUT ? card->output
           : part == CARD_PART_VALUE  ? card->value
                                      : NULL;
}

/* The line in a row, where only lines that match are shown. */
static bool card_shown_line(struct text *text, const struct card_look *look, size_t row,
                            size_t *ret_line)
{
    struct text_filter *filter = &look->search->filter;

    return look->around > 0 ? text_shown_line(text, filter, look->around, row, ret_line)
                            : text_found_row(text, 0, filter, row, ret_line);
}

static bool card_matches(struct text *text, const struct card_look *look, size_t line)
{
    const struct text_filter *filter = &look->search->filter;
    struct text_line content;
    size_t start;

    return text_line(text, line, &content) && filter->finds(filter->arg, content.bytes, 0, &start);
}

static void card_find_around(struct text *text, const struct card_look *look,
                             struct card_place *place)
{
    size_t before;

    if (look->around == 0)
        return;
    place->is_around = !card_matches(text, look, place->line);
    place->is_torn = place->row > 0 && card_shown_line(text, look, place->row - 1, &before) &&
                     before + 1 < place->line;
}

void card_find(struct card *card, const struct card_look *look, size_t row,
               struct card_place *ret_place)
{
    struct text *text;

    *ret_place = (struct card_place){.line = SIZE_MAX};
    ret_place->part = card_locate(card, look, row, &ret_place->row);
    text = card_text_of(card, ret_place->part);
    if (text == NULL)
        return;
    if (card_hides(look) ? !card_shown_line(text, look, ret_place->row, &ret_place->line)
                         : !text_locate(text, card_text_width(look), ret_place->row,
                                        &ret_place->line, &ret_place->piece))
        ret_place->line = SIZE_MAX;
    else if (card_hides(look))
        card_find_around(text, look, ret_place);
    if (ret_place->line != SIZE_MAX && ret_place->part == CARD_PART_CODE)
        card_mark_code(card, look->language, ret_place->line);
}

void card_draw(const struct card *card, const struct card_look *look, struct region region,
               const struct card_place *place, bool selected)
{
    struct region all = region;

    region = region_part(all, 0, 0, -1, 1);
    switch (place->part) {
    case CARD_PART_UNDONE:
        card_draw_group(card, look, region, selected && card->tucked);
        break;
    case CARD_PART_HEAD:
        card_draw_head(card, look, region, selected);
        break;
    case CARD_PART_CODE:
    case CARD_PART_OUTPUT:
    case CARD_PART_VALUE:
        card_draw_text(card, look, region, card_text_of(card, place->part), place);
        break;
    case CARD_PART_CODE_MORE:
        (void)paint_f(region, CARD_GUTTER, 0, STYLE(ROLE_DIM), "⋮ %zu more lines of code",
                      card_rows_of(card->code, look) - card_code_rows(card, look));
        break;
    case CARD_PART_AWAY:
        (void)paint_cut(region, CARD_GUTTER, 0, region.width - CARD_GUTTER, STYLE(ROLE_DIM),
                        gb_bytes_str("⋮ the output is fetched from the journal"));
        break;
    case CARD_PART_EARLIER:
    case CARD_PART_LATER:
        card_draw_edge(card, region, place->part);
        break;
    case CARD_PART_DISPLAY:
        card_draw_displays(card, look, all, place->row);
        break;
    case CARD_PART_NOTE:
        card_draw_note(card, region, place->row);
        break;
    case CARD_PART_REMARK:
        card_draw_remark(card, look, region, place->row);
        break;
    case CARD_PART_FILES:
        card_draw_files(card, region);
        break;
    case CARD_PART_GAP:
    case CARD_PART_COUNT:
    default:
        break;
    }
    if (selected)
        (void)paint_str(region, 0, 0, STYLE(ROLE_ACCENT), "▌");
}

/* ---- searching ---- */

/* The same where only lines that match are shown, perhaps with some around them: between two of
 * them there are few. */
static enum text_search card_search_shown(struct text *text, const struct card_look *look,
                                          int direction, size_t rows, size_t *row)
{
    size_t line;

    for (size_t at = *row; look->around > 0; at = direction > 0 ? at + 1 : at - 1) {
        if (at >= rows || !card_shown_line(text, look, at, &line))
            return TEXT_NONE; /* also from the first row upwards */
        *row = at;
        if (card_matches(text, look, line))
            return TEXT_FOUND;
    }
    return TEXT_FOUND; /* there are no other rows */
}

/* Those that match among the first @rows rows of a part of which nothing else is shown. */
static size_t card_found_shown(struct text *text, const struct card_look *look, size_t rows)
{
    size_t line;

    if (look->around == 0 || rows == 0)
        return rows;
    if (!card_shown_line(text, look, rows - 1, &line))
        return text_found(text, 0, &look->search->filter);
    return text_found_before(text, 0, &look->search->filter, line + 1);
}

/* The same within a part; rows of the part. */
static enum text_search card_search_part(const struct card *card, const struct card_look *look,
                                         enum card_part part, int direction, size_t rows,
                                         size_t *row)
{
    struct text *text = card_text_of(card, part);
    enum text_search result;

    if (text == NULL || rows == 0)
        return TEXT_NONE;
    *row = MIN(*row, rows - 1);
    if (card_hides(look))
        return card_search_shown(text, look, direction, rows, row);
    result = text_find(text, card_text_width(look), &look->search->filter, direction, row);
    return result == TEXT_FOUND && *row >= rows ? TEXT_NONE : result; /* code that is not shown */
}

enum text_search card_search(const struct card *card, const struct card_look *look, int direction,
                             size_t *row)
{
    size_t begin[CARD_PART_COUNT + 1] = {0};

    if (look->search->size == 0 || card_is_out(card, look))
        return TEXT_NONE;
    for (int part = 0; part < CARD_PART_COUNT; part++)
        begin[part + 1] = begin[part] + card_part_rows(card, look, (enum card_part)part);
    for (int i = 0; i < CARD_PART_COUNT; i++) {
        int part = direction > 0 ? i : CARD_PART_COUNT - 1 - i;
        size_t at = *row > begin[part] ? *row - begin[part] : 0;
        enum text_search result;

        if (direction > 0 ? *row >= begin[part + 1] : *row < begin[part])
            continue;
        result = card_search_part(card, look, (enum card_part)part, direction,
                                  begin[part + 1] - begin[part], &at);
        if (result != TEXT_NONE) {
            *row = begin[part] + at;
            return result;
        }
    }
    return TEXT_NONE;
}

size_t card_found(const struct card *card, const struct card_look *look, size_t row)
{
    static const enum card_part parts[] = {CARD_PART_CODE, CARD_PART_OUTPUT, CARD_PART_VALUE};
    size_t count = 0;

    for (size_t i = 0; i < ARRAY_SIZE(parts) && !card_is_out(card, look); i++) {
        struct text *text = card_text_of(card, parts[i]);
        size_t begin = card_part_row(card, look, parts[i]);
        size_t rows = card_part_rows(card, look, parts[i]);

        if (text == NULL || row <= begin || (parts[i] == CARD_PART_CODE && look->output_only))
            continue;
        if (card_hides(look))
            count += card_found_shown(text, look, MIN(row - begin, rows));
        else if (row - begin >= rows)
            count += text_found(text, card_text_width(look), &look->search->filter);
        else
            count +=
                text_found_before(text, card_text_width(look), &look->search->filter, row - begin);
    }
    return count;
}
