/* SPDX-License-Identifier: Apache-2.0 */
#include "view/cells.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/facts.h"
#include "view/part.h"
#include "view/remark.h"

/* The common prefix of front ends' names. */
static const char front_end_name[] = "glassbell tui ";

/* ---- cards ---- */

static void cells_free_card(struct cells *cells, struct card *card)
{
    text_free(card->code);
    text_free(card->output);
    text_free(card->value);
    gb_buf_release(&card->source);
    free(card->note);
    free(card->remark);
    free(card->error);
    free(card->marks);
    for (size_t i = 0; i < card->file_count; i++)
        free(card->files[i].path);
    for (size_t i = 0; i < card->display_count; i++) {
        gb_buf_release(&card->displays[i].data);
        if (card->displays[i].picture != NULL)
            cells->free_picture(card->displays[i].picture);
    }
    free(card->displays);
    free(card);
}

static void cells_remove_at(struct cells *cells, size_t at)
{
    cells_free_card(cells, cells->cards[at]);
    cells->count--;
    cells->change++;
    cells->ended_change++;
    memmove(cells->cards + at, cells->cards + at + 1, (cells->count - at) * sizeof(*cells->cards));
    if (at < cells->count)
        cells->cards[at]->asked_before = false; /* there is a gap now */
}

/* Sorted by number; cards without one come last. */
static void cells_place(struct cells *cells, struct card *card)
{
    size_t at = cells->count;

    if (cells->count == cells->capacity) {
        cells->capacity = MAX(cells->capacity * 2, 16u);
        cells->cards = realloc(cells->cards, cells->capacity * sizeof(*cells->cards));
        if (cells->cards == NULL)
            abort(); /* at most CELLS_MAX pointers */
    }
    while (at > 0 && card->number != 0 &&
           (cells->cards[at - 1]->number == 0 || cells->cards[at - 1]->number > card->number)) {
        cells->cards[at] = cells->cards[at - 1];
        at--;
    }
    cells->cards[at] = card;
    cells->count++;
}

void cells_keep_near(struct cells *cells, uint32_t number)
{
    cells->near = number;
}

void cells_keep_annotated(struct cells *cells, bool annotated)
{
    cells->annotated = annotated;
}

/* The oldest card that has ended and that nobody has annotated, but not the last one. SIZE_MAX:
 * there is none. */
static size_t cells_plain(const struct cells *cells)
{
    for (size_t i = 0; i + 1 < cells->count; i++)
        if (cells->cards[i]->state == CARD_DONE && !remark_has(cells->cards[i]))
            return i;
    return SIZE_MAX;
}

/* The most dispensable card. Cells that have not ended are kept, and so is the last one. */
static size_t cells_farthest(const struct cells *cells)
{
    size_t last = cells->count - 1;

    while (last > 0 && (last == cells->count - 1 || cells->cards[last]->state != CARD_DONE))
        last--;
    if (cells->near == 0 || last == 0)
        return 0;
    return (int64_t)cells->near - cells->cards[0]->number >
                   (int64_t)cells->cards[last]->number - cells->near
               ? 0
               : last;
}

/* NULL: there are too many, and it is older than all of them. */
static struct card *cells_add_card(struct cells *cells, uint32_t number)
{
    struct card *card;

    if (cells->count >= CELLS_MAX) {
        size_t plain = cells->annotated ? cells_plain(cells) : SIZE_MAX;

        if (plain == SIZE_MAX && cells->near == 0 && number != 0 &&
            number < cells->cards[0]->number)
            return NULL;
        cells_remove_at(cells, plain != SIZE_MAX ? plain : cells_farthest(cells));
    }
    card = xcalloc(1, sizeof(*card));
    card->number = number;
    card->outcome.exit_code = -1;
    card->code = text_new(CELL_CODE_MAX * 4);
    cells_place(cells, card);
    return card;
}

struct card *cells_find(const struct cells *cells, uint32_t number)
{
    size_t low = 0, high = cells->count;

    while (low < high) {
        size_t middle = (low + high) / 2;
        uint32_t there = cells->cards[middle]->number;

        if (there != 0 && there < number)
            low = middle + 1;
        else
            high = middle;
    }
    if (number != 0 && low < cells->count && cells->cards[low]->number == number)
        return cells->cards[low];
    return NULL;
}

struct card *cells_running(const struct cells *cells)
{
    for (size_t i = cells->count; i > 0; i--)
        if (cells->cards[i - 1]->state == CARD_RUNNING)
            return cells->cards[i - 1];
    return NULL;
}

/* Our card that waits for its number: the oldest with this code. */
static struct card *cells_find_sent(const struct cells *cells, struct gb_bytes code)
{
    for (size_t i = 0; i < cells->count; i++) {
        const struct card *card = cells->cards[i];

        if (card->number == 0 && card->call != 0 && card->state == CARD_SENT &&
            memcmp(gb_buf_data(&card->source), code.data, MIN(card->source.size, code.size)) == 0)
            return cells->cards[i];
    }
    return NULL;
}

static void cells_number_card(struct cells *cells, struct card *card, uint32_t number)
{
    size_t at = 0;

    while (cells->cards[at] != card)
        at++;
    cells->count--;
    memmove(cells->cards + at, cells->cards + at + 1, (cells->count - at) * sizeof(*cells->cards));
    card->number = number;
    cells_place(cells, card);
}

/* ---- memory ---- */

static size_t cells_bytes_of(const struct card *card)
{
    return (card->output != NULL ? text_bytes(card->output) : 0) +
           (card->value != NULL ? text_bytes(card->value) : 0);
}

static void cells_bound_output(struct cells *cells, const struct card *but)
{
    size_t total = 0;

    for (size_t i = 0; i < cells->count; i++)
        total += cells_bytes_of(cells->cards[i]);
    for (size_t i = 0; i < cells->count && total > CELLS_OUTPUT_MAX; i++) {
        struct card *card = cells->cards[i];

        if (card == but || card->state != CARD_DONE || card->output == NULL)
            continue;
        total -= text_bytes(card->output);
        text_free(card->output);
        card->output = NULL;
        card->away = true;
        card->asked = false;
    }
    cells->output_bytes = total;
}

static void cells_bound_figures(struct cells *cells, const struct card *but)
{
    size_t total = 0;

    for (size_t i = cells->count; i > 0; i--) {
        struct card *card = cells->cards[i - 1];

        for (size_t j = 0; j < card->display_count; j++) {
            struct card_display *display = &card->displays[j];

            total += display->data.size;
            if (total <= CELLS_PICTURES_MAX || card == but || display->data.size == 0)
                continue;
            gb_buf_release(&display->data);
            if (display->picture != NULL)
                cells->free_picture(display->picture);
            display->picture = NULL;
            card->figures_away = true;
            card->asked = false;
        }
    }
}

/* ---- reading ---- */

static void cells_set_code(struct card *card, struct gb_bytes code, bool cut)
{
    if (card->source.size > 0)
        return;
    card->source_cut = cut || code.size > CELL_CODE_MAX;
    code.size = MIN(code.size, (size_t)CELL_CODE_MAX);
    gb_buf_add(&card->source, code.data, code.size);
    while (code.size > 0 && (code.data[code.size - 1] == '\n' || code.data[code.size - 1] == ' '))
        code.size--;
    text_feed(card->code, TEXT_STDOUT, code);
    text_end(card->code);
}

static void cells_add_output(struct card *card, enum text_stream stream, struct gb_bytes bytes)
{
    if (bytes.size == 0)
        return;
    if (card->output == NULL)
        card->output = text_new(CELL_OUTPUT_MAX);
    text_feed(card->output, stream, bytes);
}

static void cells_set_value(struct card *card, struct gb_bytes value)
{
    if (value.size == 0 || card->value != NULL)
        return;
    card->value = text_new(CELL_OUTPUT_MAX / 4);
    text_feed(card->value, TEXT_STDOUT, value);
    text_end(card->value);
}

static char *cells_copy_text(struct gb_bytes text)
{
    return text.size > 0 ? xstrndup((const char *)text.data, MIN(text.size, 1000u)) : NULL;
}

/* For display: bytes that are not text become \xNN. */
static char *cells_shown_path(const struct gb_file_info *file)
{
    struct gb_buf bytes = {0}, shown = {0};

    if ((file->flags & GB_FILE_INFO_BASE64) == 0)
        return cells_copy_text(file->path);
    facts_path(&bytes, file);
    gb_escape(&shown, gb_buf_bytes(&bytes), 1000);
    gb_buf_release(&bytes);
    return shown.size > 0 ? gb_buf_take_str(&shown) : NULL;
}

static void cells_read_files(struct card *card, const struct gb_cell_info *info)
{
    const uint32_t count = gb_items_count(&info->files);
    struct gb_file_info file;
    size_t at = 0;

    if (card->file_count > 0)
        return;
    for (uint32_t i = 0; gb_items_next(&gb_file_info_object, &info->files, &at, &file) == 1; i++) {
        struct card_file *to = &card->files[card->file_count];

        if (card->file_count == CELL_FILES_MAX) {
            card->files_left = count - i;
            break;
        }
        to->path = cells_shown_path(&file);
        if (to->path == NULL)
            continue;
        to->change = facts_change(&file);
        to->size = file.size;
        card->file_count++;
    }
}

/* Displays come in brief form with events, and with their data in replies and the history. */
static void cells_read_displays(struct card *card, const struct gb_cell_info *info)
{
    struct gb_display_info display;
    size_t at = 0;

    if (info->displays.json == NULL)
        return;
    card->figures_away = false;
    for (uint32_t i = 0; i < CELL_DISPLAYS_MAX &&
                         gb_items_next(&gb_display_object, &info->displays, &at, &display) == 1;
         i++) {
        struct card_display *to;

        if (card->displays == NULL)
            card->displays = xcalloc(CELL_DISPLAYS_MAX, sizeof(*card->displays));
        to = &card->displays[i];
        json_copy_text(display.mime, to->mime, sizeof(to->mime));
        if (to->data.size == 0)
            facts_display_bytes(&to->data, &display);
        if (to->data.size > CELL_PICTURE_MAX)
            gb_buf_release(&to->data);
        to->bytes = MAX(display.size, (uint64_t)to->data.size);
        card->figures_away |= to->data.size == 0 && strcmp(to->mime, "image/png") == 0 &&
                              to->bytes <= CELL_PICTURE_MAX;
        card->display_count = MAX(card->display_count, (size_t)i + 1);
    }
}

/* What a damaged journal cannot provide any more. */
static void cells_read_lost(struct card *card)
{
    struct gb_buf text = {0};

    outcome_lost(&card->outcome, &text);
    if (text.size > 0 && card->error == NULL)
        card->error = gb_buf_take_str(&text);
    gb_buf_release(&text);
}

/* The members common to all forms of a cell. */
static void cells_read_cell(struct card *card, const struct gb_cell_info *info)
{
    if (card->client[0] == '\0')
        json_copy_text(info->client, card->client, sizeof(card->client));
    /* All users of a server are the same person: other front ends are theirs too. */
    card->mine |= strncmp(card->client, front_end_name, strlen(front_end_name)) == 0;
    (void)snprintf(card->mode, sizeof(card->mode), "%s",
                   info->mode == GB_NO_WORD ? "" : gb_mode_to_string(info->mode));
    cells_set_code(card, info->code, (info->flags & GB_CELL_CODE_CUT) != 0);
    card->started_at = facts_seconds(info->started_at_ns);
    if (info->state != GB_CELL_DONE) {
        if (facts_is_running(info))
            card->state = CARD_RUNNING;
        return;
    }
    card->state = CARD_DONE;
    card->waiting = false;
    card->outcome = outcome_of(info);
    card->wall_ms = facts_ms(info->wall_ns);
    card->cpu_ms = facts_ms(info->cpu_ns);
    card->peak_memory = info->peak_memory;
    card->cut[TEXT_STDOUT] = info->dropped_stdout;
    card->cut[TEXT_STDERR] = info->dropped_stderr;
    if ((info->flags & GB_CELL_HAS_SIZES) != 0) {
        card->bytes[TEXT_STDOUT] = info->stdout_bytes;
        card->bytes[TEXT_STDERR] = info->stderr_bytes;
    }
    if (card->note == NULL)
        card->note = cells_copy_text(info->note);
    if (card->error == NULL)
        card->error = cells_copy_text(info->message);
    cells_read_lost(card);
    cells_set_value(card, info->value);
    cells_read_files(card, info);
    cells_read_displays(card, info);
}

static void cells_end_card(struct cells *cells, struct card *card)
{
    card->state = CARD_DONE;
    card->waiting = false;
    cells->ended_change++;
    if (card->output != NULL)
        text_end(card->output);
    cells_bound_output(cells, card);
    cells_bound_figures(cells, card);
}

/* ---- events ---- */

/* @info: the cell itself, which tells one that we have sent; NULL: it is not known. */
static struct card *cells_card_of(struct cells *cells, uint32_t number,
                                  const struct gb_cell_info *info)
{
    struct card *card = cells_find(cells, number), *sent;

    if (number == 0 || card != NULL)
        return card;
    sent = info != NULL ? cells_find_sent(cells, info->code) : NULL;
    if (sent != NULL) {
        cells_number_card(cells, sent, number);
        return sent;
    }
    return cells_add_card(cells, number);
}

static void cells_take_output(struct cells *cells, const struct gb_json *params)
{
    struct gb_output_info piece;
    struct gb_buf bytes = {0};
    struct card *card;

    gb_object_take(&gb_output_object, params, &piece);
    card = cells_card_of(cells, piece.cell, NULL);
    if (card == NULL)
        return;
    if (gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0))
        cells_add_output(card, piece.stream == GB_STDERR ? TEXT_STDERR : TEXT_STDOUT,
                         gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
    cells_bound_output(cells, card);
}

/* Its end, or part of its output, was missed: the history has it, and until that arrives the
 * present content stays visible. */
static void cells_doubt_output(struct card *card)
{
    card->from_events = false;
    card->away = true;
    card->asked = false;
}

/* Whether events provided less than there is: we came late, or were too slow. */
static bool cells_misses_output(const struct card *card)
{
    for (int i = 0; i < TEXT_STREAM_COUNT; i++)
        if (card->bytes[i] >
            (card->output != NULL ? text_fed(card->output, (enum text_stream)i) : 0))
            return true;
    return false;
}

/* After a gap: cells that were running and are not any more have ended meanwhile. */
static void cells_end_unseen(struct cells *cells, const struct gb_json *list)
{
    uint32_t *running = xcalloc((size_t)json_list_count(list) + 1, sizeof(*running));
    const struct gb_json *json = NULL;
    size_t count = 0;

    JSON_FOREACH(json, list) {
        struct gb_cell_info info;

        gb_object_take(&gb_cell_object, json, &info);
        if (gb_bytes_equal(info.session, cells->session))
            running[count++] = info.number;
    }
    for (size_t i = 0; i < cells->count; i++) {
        struct card *card = cells->cards[i];
        bool runs = card->state != CARD_RUNNING || card->call != 0;

        for (size_t j = 0; !runs && j < count; j++)
            runs = running[j] == card->number;
        if (runs)
            continue;
        cells_end_card(cells, card);
        cells_doubt_output(card);
    }
    free(running);
}

static void cells_take_snapshot(struct cells *cells, const struct gb_json *list)
{
    const struct gb_json *json = NULL;

    if (list == NULL)
        return;
    cells_end_unseen(cells, list);
    JSON_FOREACH(json, list) {
        struct gb_cell_info info;
        struct card *card;

        if (gb_object_read(&gb_cell_object, json, &info, NULL) < 0 ||
            !gb_bytes_equal(info.session, cells->session))
            continue;
        card = cells_card_of(cells, info.number, &info);
        if (card == NULL || card->state == CARD_DONE)
            continue;
        cells_read_cell(card, &info);
        card->from_events = true; /* incomplete perhaps; its end tells whether this was all */
        card->waiting = (info.flags & GB_CELL_WAITING) != 0;
    }
}

/* The beginning or the end of a cell. Of an invalid one nothing else is known. */
static void cells_take_cell(struct cells *cells, const struct gb_event_info *event, bool ends)
{
    struct gb_cell_info info;
    struct card *card;
    bool valid;

    if (event->info == NULL)
        return;
    valid = gb_object_read(&gb_cell_object, event->info, &info, NULL) == 0;
    card = cells_card_of(cells, event->cell, valid ? &info : NULL);
    if (card == NULL)
        return;
    if (!ends) {
        card->from_events = true;
        card->state = CARD_RUNNING;
    }
    if (valid)
        cells_read_cell(card, &info);
    if (!ends)
        return;
    if (card->call == 0 && cells_misses_output(card))
        cells_doubt_output(card);
    cells_end_card(cells, card);
}

void cells_event(struct cells *cells, const struct gb_event_info *event,
                 const struct gb_json *params)
{
    const struct gb_bytes kind = event->kind;
    struct card *card;

    cells->change++;
    if (gb_bytes_equal(kind, "snapshot")) {
        cells_take_snapshot(cells, event->cells);
    } else if (gb_bytes_equal(kind, "cell.output")) {
        cells_take_output(cells, params);
    } else if (gb_bytes_equal(kind, "cell.started")) {
        cells_take_cell(cells, event, false);
    } else if (gb_bytes_equal(kind, "cell.waiting")) {
        card = cells_card_of(cells, event->cell, NULL);
        if (card != NULL && card->state != CARD_DONE)
            card->waiting = (event->flags & GB_EVENT_WAITING) != 0;
    } else if (gb_bytes_equal(kind, "cell.finished")) {
        cells_take_cell(cells, event, true);
    } else if (gb_bytes_equal(kind, "cell.annotated")) {
        remark_take(cells_find(cells, event->cell), event->info);
    }
}

/* ---- history and replies ---- */

static const struct cells_stream {
    enum text_stream stream;
    size_t offset; /* of its bytes */
    uint32_t base64;
} cells_streams[] = {
    {TEXT_STDOUT, offsetof(struct gb_cell_info, out), GB_CELL_OUT_BASE64},
    {TEXT_STDERR, offsetof(struct gb_cell_info, err), GB_CELL_ERR_BASE64},
};

/* False: they are not valid base64. */
static bool cells_decode(struct gb_buf *to, const struct gb_cell_info *info,
                         const struct cells_stream *stream)
{
    const struct gb_bytes *bytes = (const void *)((const uint8_t *)info + stream->offset);

    gb_buf_clear(to);
    return gb_bytes_add_decoded(to, *bytes, (info->flags & stream->base64) != 0);
}

/* The sizes of the streams in a reply. */
static void cells_read_sizes(struct card *card, const struct gb_cell_info *info)
{
    struct gb_buf bytes = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cells_streams); i++)
        if (cells_decode(&bytes, info, &cells_streams[i]))
            card->bytes[cells_streams[i].stream] = bytes.size;
    gb_buf_release(&bytes);
}

static void cells_read_output(struct card *card, const struct gb_cell_info *info)
{
    struct gb_buf bytes = {0};

    text_free(card->output);
    card->output = NULL;
    card->from = card->to = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cells_streams); i++) {
        if (cells_decode(&bytes, info, &cells_streams[i]))
            cells_add_output(card, cells_streams[i].stream, gb_buf_bytes(&bytes));
        card->bytes[cells_streams[i].stream] = bytes.size;
        if (card->output != NULL)
            text_end(card->output);
    }
    gb_buf_release(&bytes);
    card->away = false;
    card->from_events = true;
}

static void cells_take_past(struct cells *cells, const struct gb_cell_info *info)
{
    struct card *card = cells_card_of(cells, info->number, info);
    const bool part = (info->flags & GB_CELL_HAS_PART) != 0;
    bool told;

    if (card != NULL)
        remark_read(card, info);
    if (card == NULL || (card->state == CARD_RUNNING && card->from_events))
        return; /* the latter is provided by events */
    card->undone = (info->flags & GB_CELL_UNDONE) != 0;
    told = card->state == CARD_DONE && card->from_events && !card->away &&
           !(part && card->wish != PART_NONE);
    cells_read_cell(card, info);
    cells_bound_figures(cells, card);
    if (told || card->state != CARD_DONE)
        return;
    if (part) {
        part_take(card, info);
        cells_bound_output(cells, card);
    } else if ((info->flags & GB_CELL_HAS_SIZES) != 0) {
        card->away = info->stdout_bytes + info->stderr_bytes > 0;
        card->from_events = true;
    } else {
        cells_read_output(card, info);
        cells_bound_output(cells, card);
    }
}

size_t cells_history(struct cells *cells, const struct gb_json *result)
{
    const struct gb_json *list = json_array(result, "cells"), *cell = NULL;

    cells->change++;
    cells->ended_change++;
    JSON_FOREACH(cell, list) {
        struct gb_cell_info info;

        if (gb_object_read(&gb_cell_object, cell, &info, NULL) == 0)
            cells_take_past(cells, &info);
    }
    return json_list_count(list);
}

struct card *cells_sent(struct cells *cells, uint64_t call, const char *code)
{
    struct card *card = cells_add_card(cells, 0);

    card->call = call;
    card->mine = true;
    card->state = CARD_SENT;
    cells_set_code(card, gb_bytes_str(code), false);
    cells->change++;
    return card;
}

struct card *cells_of_call(const struct cells *cells, uint64_t call)
{
    for (size_t i = cells->count; call != 0 && i > 0; i--)
        if (cells->cards[i - 1]->call == call)
            return cells->cards[i - 1];
    return NULL;
}

void cells_reply(struct cells *cells, uint64_t call, const struct gb_json *result,
                 const char *message)
{
    struct card *card = cells_of_call(cells, call);

    cells->change++;
    if (card == NULL)
        return;
    card->call = 0;
    if (result != NULL) {
        struct gb_cell_info info;

        gb_object_take(&gb_cell_object, result, &info);
        if (card->number == 0 && info.number != 0 && cells_find(cells, info.number) == NULL)
            cells_number_card(cells, card, info.number);
        cells_read_cell(card, &info);
        cells_read_sizes(card, &info);
        if (cells_misses_output(card))
            cells_read_output(card, &info);
    } else if (card->error == NULL) {
        card->error = xstrdup(message);
    }
    cells_end_card(cells, card);
}

void cells_lost(struct cells *cells)
{
    for (size_t i = 0; i < cells->count; i++) {
        struct card *card = cells->cards[i];

        if (card->state == CARD_DONE)
            continue;
        if (card->error == NULL)
            card->error = xstrdup("the connection was lost while it ran");
        card->call = 0;
        card->from_events = false;
        cells_end_card(cells, card);
    }
    cells->change++;
}

/* ---- asking ---- */

bool card_failed(const struct card *card)
{
    const struct outcome *outcome = &card->outcome;

    return card->state == CARD_DONE &&
           (card->error != NULL || outcome->signal[0] != '\0' ||
            outcome_has(outcome, GB_CELL_TIMED_OUT | GB_CELL_OOM | GB_CELL_INTERRUPTED) ||
            outcome->exit_code > 0);
}

void card_verdict(const struct card *card, char *to, size_t room)
{
    to[0] = '\0';
    if (card->state != CARD_DONE)
        return;
    outcome_word(&card->outcome, to, room);
    if (to[0] == '\0' && card->error != NULL)
        (void)snprintf(to, room, card->outcome.exit_code == 0 ? "code lost" : "not run");
}

/* The state at the last mark at or before line @line; *ret_at is the line of the mark. */
static struct highlight_state cells_mark_before(const struct card *card, size_t line,
                                                size_t *ret_at)
{
    size_t mark = MIN(line / CELL_MARK_LINES, card->mark_count - MIN(card->mark_count, 1u));

    *ret_at = mark * CELL_MARK_LINES;
    return card->mark_count > 0 ? card->marks[mark] : (struct highlight_state){0};
}

void card_mark_code(struct card *card, const struct gb_language *language, size_t line)
{
    struct highlight_state state;
    struct text_line text;
    size_t at;

    if (card->marks == NULL) {
        card->marks = xcalloc(text_lines(card->code) / CELL_MARK_LINES + 1, sizeof(*card->marks));
        card->mark_count = 1;
    }
    state = cells_mark_before(card, line, &at);
    for (; at < line && text_line(card->code, at, &text); at++) {
        highlight_line(language, &state, text.bytes, NULL, NULL);
        if ((at + 1) % CELL_MARK_LINES == 0 && (at + 1) / CELL_MARK_LINES == card->mark_count)
            card->marks[card->mark_count++] = state;
    }
}

struct highlight_state card_state_at(const struct card *card, const struct gb_language *language,
                                     size_t line)
{
    struct text_line text;
    size_t at;
    struct highlight_state state = cells_mark_before(card, line, &at);

    for (; at < line && text_line(card->code, at, &text); at++)
        highlight_line(language, &state, text.bytes, NULL, NULL);
    return state;
}

void cells_init(struct cells *cells, const char *session, void (*free_picture)(void *picture))
{
    *cells = (struct cells){.free_picture = free_picture};
    (void)snprintf(cells->session, sizeof(cells->session), "%s", session);
}

void cells_learn(struct cells *cells, struct gb_language *language)
{
    struct gb_language *before = cells->language;

    cells->language = gb_language_ref(language);
    gb_language_unref(before);
}

void cells_release(struct cells *cells)
{
    while (cells->count > 0)
        cells_remove_at(cells, cells->count - 1);
    free(cells->cards);
    gb_language_unref(cells->language);
    *cells = (struct cells){0};
}
