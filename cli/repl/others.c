/* SPDX-License-Identifier: Apache-2.0 */
#include "repl/others.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/allowance.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/cell.h"
#include "model/event.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/cell.h"
#include "show/facts.h"
#include "show/filter.h"
#include "show/words.h"

enum { NOTE_MAX = 400 };

/* A stream's lines: the beginning of one that is not complete. */
struct pending {
    struct gb_buf line[2];
};

struct other_cell {
    uint32_t number;
    bool own;      /* only a place in the order */
    bool released; /* it is being shown */
    bool ended;
    uint64_t began_ns;
    struct gb_allowance lines;
    uint64_t left_lines, left_bytes; /* since the last line that was shown */
    struct pending pending;
    struct gb_buf text;
    struct show_target target;
    struct show show;
};

enum left { LEFT_CELLS, LEFT_LINES, LEFT_NOTES, LEFT_COUNT };

struct others {
    const struct gb_languages *languages;
    char *language, *session;
    bool colour;
    struct other_cell *cells[OTHERS_CELLS_MAX + 1]; /* in the order of execution; one is ours */
    size_t cell_count;
    struct other_cell *ours; /* NULL: none of ours runs */
    uint32_t own[OTHERS_OWN_MAX];
    size_t own_count;    /* total */
    bool sent;           /* a cell of ours waits or runs */
    bool asleep;         /* which was told */
    struct gb_buf text;  /* may be shown */
    struct gb_buf later; /* after our own cell */
    struct gb_allowance cell_allowance, line_allowance, note_allowance;
    /* What was not shown. */
    uint64_t left[LEFT_COUNT];
    uint32_t left_cell; /* the last one */
    uint64_t left_since_ns;
    /* Output of cells that have ended. */
    struct {
        uint32_t cell;   /* 0: none yet */
        uint32_t headed; /* whose head is the last that was written; 0: none */
        uint64_t since_ns;
        struct pending pending;
    } late;
};

static const struct gb_allowance_rate others_cell_rate = {OTHERS_CELLS_BURST, GB_NS_PER_S};
static const struct gb_allowance_rate others_line_rate = {OTHERS_LINES_BURST, GB_NS_PER_S};
static const struct gb_allowance_rate others_note_rate = {OTHERS_NOTES_BURST, GB_NS_PER_S};

const char *const others_kinds[] = {
    "cell.started",    "cell.output",    "cell.waiting",  "cell.finished",  "lease.changed",
    "session.rewound", "session.asleep", "session.awake", "session.closed", NULL};

/* ---- what is left out ---- */

static void others_leave(struct others *others, enum left what, uint64_t count, uint64_t now_ns)
{
    if (others->left_since_ns == 0)
        others->left_since_ns = now_ns;
    others->left[what] += count;
}

static void others_leave_cell(struct others *others, const struct other_cell *cell, uint64_t now_ns)
{
    others_leave(others, LEFT_CELLS, 1, now_ns);
    others->left_cell = MAX(others->left_cell, cell->number);
}

/* ---- the order ---- */

static struct other_cell *others_first(const struct others *others)
{
    return others->cell_count > 0 ? others->cells[0] : NULL;
}

static struct other_cell *others_find(const struct others *others, uint32_t number)
{
    for (size_t i = 0; i < others->cell_count; i++)
        if (others->cells[i]->number == number && !others->cells[i]->own)
            return others->cells[i];
    return NULL;
}

static bool others_is_own(const struct others *others, uint32_t number)
{
    for (size_t i = 0; i < MIN(others->own_count, (size_t)OTHERS_OWN_MAX); i++)
        if (others->own[i] == number)
            return true;
    return false;
}

static struct other_cell *others_add(struct others *others, uint32_t number, uint64_t now_ns)
{
    struct other_cell *cell = xcalloc(1, sizeof(*cell));

    cell->number = number;
    cell->began_ns = now_ns;
    others->cells[others->cell_count++] = cell;
    return cell;
}

static void pending_release(struct pending *pending)
{
    gb_buf_release(&pending->line[0]);
    gb_buf_release(&pending->line[1]);
}

static void others_remove(struct others *others, size_t index)
{
    struct other_cell *cell = others->cells[index];

    others->cell_count--;
    memmove(others->cells + index, others->cells + index + 1,
            (others->cell_count - index) * sizeof(others->cells[0]));
    pending_release(&cell->pending);
    gb_buf_release(&cell->text);
    free(cell);
}

static void others_remove_own(struct others *others)
{
    for (size_t i = 0; i < others->cell_count; i++)
        if (others->cells[i] == others->ours) {
            others->ours = NULL;
            others_remove(others, i);
            return;
        }
}

/* ---- text that belongs to no cell ---- */

/* Where it goes now. */
static struct gb_buf *others_place(struct others *others)
{
    return others->ours != NULL ? &others->later : &others->text;
}

static void others_begin_show(const struct others *others, struct show *show,
                              struct show_target *target, struct gb_buf *out)
{
    *target = (struct show_target){.out = out, .terminal = true, .colour = others->colour};
    *show = (struct show){
        .ours = target,
        .streams = {target, target},
        .languages = others->languages,
        .head = true,
        .code = true,
        .output = true,
        .prompt = true,
        .brief = true,
    };
}

static void others_write_note(struct others *others, struct gb_buf *to, const char *text)
{
    struct show_target target;
    struct show show;

    others_begin_show(others, &show, &target, to);
    show_note(&show, text);
    others->late.headed = 0;
}

void others_say(struct others *others, const char *text, uint64_t now_ns)
{
    struct gb_buf *to = others_place(others);

    if (to->size > OTHERS_WAITING_BYTES ||
        !gb_allowance_take(&others->note_allowance, &others_note_rate, now_ns))
        others_leave(others, LEFT_NOTES, 1, now_ns);
    else
        others_write_note(others, to, text);
}

static void others_say_more(struct others *others, const char *what, struct gb_bytes more,
                            uint64_t now_ns)
{
    struct gb_buf text = {0};

    gb_buf_adds(&text, what);
    filter_plain(&text, (struct gb_bytes){more.data, MIN(more.size, (size_t)NOTE_MAX)});
    others_say(others, gb_buf_str(&text), now_ns);
    gb_buf_release(&text);
}

/* Shows the numbers of what was left out. */
static void others_tell_left(struct others *others)
{
    static const char *const one[] = {"cell", "line", "notice"};
    struct gb_buf text = {0};
    const char *between = "not shown of what others did: ";

    for (size_t i = 0; i < LEFT_COUNT; i++) {
        if (others->left[i] == 0)
            continue;
        gb_buf_addf(&text, "%s%" PRIu64 " %s%s", between, others->left[i], one[i],
                    others->left[i] == 1 ? "" : "s");
        if (i == LEFT_CELLS)
            gb_buf_addf(&text, ", the last one is %u", others->left_cell);
        between = "; ";
    }
    gb_buf_addf(&text, "; glassbell log %s", others->session);
    others_write_note(others, &others->text, gb_buf_str(&text));
    gb_buf_release(&text);
    memset(others->left, 0, sizeof(others->left));
    others->left_since_ns = 0;
}

/* ---- lines of output ---- */

typedef void line_use(void *arg, bool is_stderr, struct gb_bytes line);

static void pending_flush(struct pending *pending, line_use *use, void *arg)
{
    for (int stream = 0; stream < 2; stream++) {
        struct gb_buf *line = &pending->line[stream];

        if (line->size > 0)
            use(arg, stream == 1, gb_buf_bytes(line));
        gb_buf_clear(line);
    }
}

/* How much of @bytes belongs to a line of which @before bytes are known: up to its end, or as much
 * as there is room for, between characters. *@ret_whole: the line ends there. */
static size_t pending_take(struct gb_bytes bytes, size_t before, bool *ret_whole)
{
    const uint8_t *newline = memchr(bytes.data, '\n', bytes.size);
    size_t size = newline != NULL ? (size_t)(newline - bytes.data) + 1 : bytes.size;
    size_t room = OTHERS_LINE_BYTES - before;

    *ret_whole = newline != NULL || size > room;
    if (size <= room)
        return size;
    size = room;
    while (size > 0 && (bytes.data[size] & 0xc0) == 0x80)
        size--;
    return size > 0 || before > 0 ? size : room; /* not UTF-8 */
}

/* Calls @use with each line that is complete, or too long. */
static void pending_add(struct pending *pending, bool is_stderr, struct gb_bytes bytes,
                        line_use *use, void *arg)
{
    struct gb_buf *line = &pending->line[is_stderr];

    while (bytes.size > 0) {
        bool whole;
        size_t size = pending_take(bytes, line->size, &whole);

        gb_buf_add(line, bytes.data, size);
        bytes.data += size;
        bytes.size -= size;
        if (!whole)
            continue;
        use(arg, is_stderr, gb_buf_bytes(line));
        gb_buf_clear(line);
    }
}

/* ---- a cell ---- */

struct line_arg {
    struct others *others;
    struct other_cell *cell; /* NULL: one that has ended */
    uint64_t now_ns;
};

static void cell_tell_left(struct other_cell *cell)
{
    struct gb_buf text = {0};
    char size[32];

    if (cell->left_lines == 0)
        return;
    words_size(size, sizeof(size), (double)cell->left_bytes);
    gb_buf_addf(&text, "%" PRIu64 " line%s of output left out, %s", cell->left_lines,
                cell->left_lines == 1 ? "" : "s", size);
    show_end_output(&cell->show);
    show_note(&cell->show, gb_buf_str(&text));
    gb_buf_release(&text);
    cell->left_lines = cell->left_bytes = 0;
}

static void others_on_line(void *arg, bool is_stderr, struct gb_bytes line)
{
    const struct line_arg *with = arg;
    struct other_cell *cell = with->cell;

    /* The latter waits while the terminal is not ours. */
    if (cell->text.size > OTHERS_WAITING_BYTES || with->others->text.size > OTHERS_WAITING_BYTES ||
        !gb_allowance_take(&cell->lines, &others_line_rate, with->now_ns)) {
        cell->left_lines++;
        cell->left_bytes += line.size;
        return;
    }
    cell_tell_left(cell);
    show_piece(&cell->show, is_stderr, line);
    show_end_output(&cell->show); /* a line that is too long goes on in the next one */
}

static void others_on_late_line(void *arg, bool is_stderr, struct gb_bytes line)
{
    const struct line_arg *with = arg;
    struct others *others = with->others;
    struct gb_buf *to = others_place(others);
    struct show_target target;
    struct show show;

    if (to->size > OTHERS_WAITING_BYTES ||
        !gb_allowance_take(&others->line_allowance, &others_line_rate, with->now_ns)) {
        others_leave(others, LEFT_LINES, 1, with->now_ns);
        return;
    }
    others_begin_show(others, &show, &target, to);
    if (others->late.headed != others->late.cell) {
        struct gb_buf head = {0};

        gb_buf_addf(&head, "what cell %u left running prints", others->late.cell);
        others_write_note(others, to, gb_buf_str(&head));
        gb_buf_release(&head);
        others->late.headed = others->late.cell;
    }
    show_piece(&show, is_stderr, line);
    show_end_output(&show);
}

static void others_flush_late(struct others *others, uint64_t now_ns)
{
    struct line_arg arg = {.others = others, .now_ns = now_ns};

    pending_flush(&others->late.pending, others_on_late_line, &arg);
    others->late.since_ns = 0;
}

static void others_take_late(struct others *others, const struct gb_output_info *piece,
                             struct gb_bytes bytes, uint64_t now_ns)
{
    struct line_arg arg = {.others = others, .now_ns = now_ns};

    if (piece->cell != others->late.cell)
        others_flush_late(others, now_ns);
    others->late.cell = piece->cell;
    pending_add(&others->late.pending, piece->stream == GB_STDERR, bytes, others_on_late_line,
                &arg);
    if (others->late.pending.line[0].size + others->late.pending.line[1].size == 0)
        others->late.since_ns = 0;
    else if (others->late.since_ns == 0)
        others->late.since_ns = now_ns;
}

/* At most some lines and bytes of @text, between characters. */
static size_t others_cut(struct gb_bytes text, uint64_t *ret_left_lines)
{
    size_t size = 0, shown = 0;

    *ret_left_lines = 0;
    while (size < text.size && shown < OTHERS_CODE_LINES) {
        const uint8_t *newline = memchr(text.data + size, '\n', text.size - size);

        size = newline != NULL ? (size_t)(newline - text.data) + 1 : text.size;
        shown++;
    }
    if (size > OTHERS_CODE_BYTES) {
        size = OTHERS_CODE_BYTES;
        while (size > 0 && (text.data[size] & 0xc0) == 0x80)
            size--;
    }
    for (size_t at = size; at < text.size;) {
        const uint8_t *newline = memchr(text.data + at, '\n', text.size - at);

        at = newline != NULL ? (size_t)(newline - text.data) + 1 : text.size;
        ++*ret_left_lines;
    }
    return size;
}

static void others_begin_cell(struct others *others, const struct gb_cell_info *info,
                              uint64_t now_ns)
{
    struct gb_cell_info brief = *info;
    struct other_cell *cell;
    struct gb_buf note = {0};
    uint64_t left;

    if (others_is_own(others, info->number) || others_find(others, info->number) != NULL)
        return;
    if (others->cell_count >= OTHERS_CELLS_MAX) {
        others_leave_cell(others, &(struct other_cell){.number = info->number}, now_ns);
        return;
    }
    cell = others_add(others, info->number, now_ns);
    others_begin_show(others, &cell->show, &cell->target, &cell->text);
    brief.client.size = MIN(brief.client.size, (size_t)NOTE_MAX);
    brief.code.size = others_cut(brief.code, &left);
    if (left > 0)
        brief.flags &= ~(uint32_t)GB_CELL_CODE_CUT;
    show_begin(&cell->show, &brief, gb_bytes_str(others->language));
    if (left == 0)
        return;
    gb_buf_addf(&note, "%" PRIu64 "%s more line%s; glassbell log %s --cell %u", left,
                (info->flags & GB_CELL_CODE_CUT) != 0 ? " or" : "", left == 1 ? "" : "s",
                others->session, cell->number);
    show_note(&cell->show, gb_buf_str(&note));
    gb_buf_release(&note);
}

static void others_flush_cell(struct others *others, struct other_cell *cell, uint64_t now_ns)
{
    struct line_arg arg = {.others = others, .cell = cell, .now_ns = now_ns};

    pending_flush(&cell->pending, others_on_line, &arg);
}

static void others_end_cell(struct others *others, const struct gb_cell_info *info, uint64_t now_ns)
{
    struct other_cell *cell = others_find(others, info->number);
    struct gb_cell_info brief = *info;
    uint64_t left;

    if (cell == NULL || cell->ended)
        return; /* our own, or it never ran */
    others_flush_cell(others, cell, now_ns);
    cell_tell_left(cell);
    brief.value.size = others_cut(brief.value, &left);
    if (left > 0)
        brief.flags |= GB_CELL_VALUE_CUT;
    brief.note.size = MIN(brief.note.size, (size_t)OTHERS_CODE_BYTES);
    brief.message.size = MIN(brief.message.size, (size_t)OTHERS_CODE_BYTES);
    show_end(&cell->show, &brief);
    cell->ended = true;
}

static void others_take_output(struct others *others, const struct gb_json *params, uint64_t now_ns)
{
    struct gb_output_info piece;
    struct gb_buf bytes = {0};
    struct other_cell *cell;

    gb_object_take(&gb_output_object, params, &piece);
    cell = others_find(others, piece.cell);
    if (others_is_own(others, piece.cell) ||
        !gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0)) {
        gb_buf_release(&bytes);
        return;
    }
    if (cell != NULL && !cell->ended) {
        struct line_arg arg = {.others = others, .cell = cell, .now_ns = now_ns};

        pending_add(&cell->pending, piece.stream == GB_STDERR, gb_buf_bytes(&bytes), others_on_line,
                    &arg);
    } else if ((piece.flags & GB_OUTPUT_BACKGROUND) != 0) {
        others_take_late(others, &piece, gb_buf_bytes(&bytes), now_ns);
    }
    gb_buf_release(&bytes);
}

static void others_take_waiting(struct others *others, const struct gb_event_info *event,
                                uint64_t now_ns)
{
    struct other_cell *cell = others_find(others, event->cell);
    struct gb_buf note = {0};

    if (cell == NULL || (event->flags & GB_EVENT_WAITING) == 0)
        return;
    others_flush_cell(others, cell, now_ns);
    cell->released = true;
    if (others->text.size > OTHERS_WAITING_BYTES ||
        !gb_allowance_take(&cell->lines, &others_line_rate, now_ns))
        return;
    gb_buf_addf(&note, "it waits for input; glassbell answer %s TEXT", others->session);
    show_note(&cell->show, gb_buf_str(&note));
    gb_buf_release(&note);
}

/* Whether a cell is shown now; false with *@ret_drop: never. */
static bool others_release(struct others *others, struct other_cell *cell, uint64_t now_ns,
                           bool *ret_drop)
{
    *ret_drop = false;
    if (cell->released)
        return true;
    if (cell->ended) {
        *ret_drop = others->text.size > OTHERS_WAITING_BYTES ||
                    !gb_allowance_take(&others->cell_allowance, &others_cell_rate, now_ns);
        cell->released = !*ret_drop;
    } else if (now_ns - cell->began_ns >= (uint64_t)OTHERS_LONG_MS * GB_NS_PER_MS) {
        show_end_output(&cell->show);
        show_note(&cell->show, "runs");
        cell->released = true;
    }
    return cell->released;
}

/* Moves the text of cells to what is shown, in the order of execution. */
static void others_advance(struct others *others, uint64_t now_ns)
{
    struct other_cell *cell;

    while ((cell = others_first(others)) != NULL && !cell->own) {
        bool drop;

        if (others_release(others, cell, now_ns, &drop)) {
            if (cell->text.size > 0)
                others->late.headed = 0;
            gb_buf_add(&others->text, gb_buf_data(&cell->text), cell->text.size);
            gb_buf_clear(&cell->text);
        } else if (drop) {
            others_leave_cell(others, cell, now_ns);
        }
        if (!cell->ended)
            break;
        others_remove(others, 0);
    }
}

/* ---- events ---- */

static bool others_lists(const struct gb_json *cells, uint32_t number)
{
    const struct gb_json *item = NULL;
    struct gb_cell_info cell;

    JSON_FOREACH(item, cells) {
        if (gb_object_read(&gb_cell_object, item, &cell, NULL) == 0 && cell.number == number)
            return true;
    }
    return false;
}

/* The cells that run when we come, or after events were dropped. */
static void others_take_snapshot(struct others *others, const struct gb_json *cells,
                                 uint64_t now_ns)
{
    const struct gb_json *item = NULL;
    struct gb_cell_info info;
    struct other_cell *cell;

    if (cells == NULL)
        return;
    for (size_t i = 0; i < others->cell_count; i++) {
        cell = others->cells[i];
        if (cell->own || cell->ended || others_lists(cells, cell->number))
            continue;
        others_flush_cell(others, cell, now_ns);
        cell_tell_left(cell);
        show_note(&cell->show, "its end was not seen");
        cell->ended = true;
    }
    JSON_FOREACH(item, cells) {
        if (gb_object_read(&gb_cell_object, item, &info, NULL) < 0 || !facts_is_running(&info))
            continue;
        others_begin_cell(others, &info, now_ns);
        cell = others_find(others, info.number);
        if (cell != NULL)
            cell->began_ns = 0; /* it has been running */
    }
}

static void others_take_cell(struct others *others, const struct gb_event_info *event,
                             uint64_t now_ns)
{
    struct gb_cell_info cell;

    if (event->info == NULL || gb_object_read(&gb_cell_object, event->info, &cell, NULL) < 0)
        return;
    if (gb_bytes_equal(event->kind, "cell.started"))
        others_begin_cell(others, &cell, now_ns);
    else
        others_end_cell(others, &cell, now_ns);
}

static void others_take_sleep(struct others *others, bool asleep, uint64_t now_ns)
{
    if (asleep)
        others_say(others, "the session sleeps; the next cell wakes it", now_ns);
    else if (others->asleep && !others->sent)
        others_say(others, "the session is awake again", now_ns);
    others->asleep = asleep;
}

static void others_take_rewound(struct others *others, const struct gb_event_info *event,
                                const struct gb_json *params, uint64_t now_ns)
{
    struct gb_buf text = {0};

    if (json_member(params, "rolled_back") != NULL)
        return; /* the cell because of which that was done says it */
    gb_buf_adds(&text, "the session was ");
    show_rewound(&text, event->cell);
    others_say(others, gb_buf_str(&text), now_ns);
    gb_buf_release(&text);
}

void others_take(struct others *others, const struct gb_json *params, uint64_t now_ns)
{
    struct gb_event_info event;
    struct gb_bytes kind;

    gb_object_take(&gb_event_object, params, &event);
    kind = event.kind;
    if (gb_bytes_equal(kind, "cell.started") || gb_bytes_equal(kind, "cell.finished")) {
        others_take_cell(others, &event, now_ns);
    } else if (gb_bytes_equal(kind, "cell.output")) {
        others_take_output(others, params, now_ns);
    } else if (gb_bytes_equal(kind, "cell.waiting")) {
        others_take_waiting(others, &event, now_ns);
    } else if (gb_bytes_equal(kind, "snapshot")) {
        others_take_snapshot(others, event.cells, now_ns);
    } else if (gb_bytes_equal(kind, "gap")) {
        others_say(others, "too much at once: some of what others did was not told", now_ns);
    } else if (gb_bytes_equal(kind, "lease.changed")) {
        bool held = (event.flags & GB_EVENT_HAS_LEASE) != 0;

        others_say_more(others, held ? "the session is held by " : "the session is held by nobody",
                        held ? event.lease.holder : gb_bytes_str(""), now_ns);
    } else if (gb_bytes_equal(kind, "session.rewound")) {
        others_take_rewound(others, &event, params, now_ns);
    } else if (gb_bytes_equal(kind, "session.asleep") || gb_bytes_equal(kind, "session.awake")) {
        others_take_sleep(others, gb_bytes_equal(kind, "session.asleep"), now_ns);
    } else if (gb_bytes_equal(kind, "session.closed")) {
        others_say_more(others, "the session has ended: ", event.message, now_ns);
    }
    others_advance(others, now_ns); /* what comes next is shown below it */
}

/* ---- our own cells ---- */

void others_sent(struct others *others)
{
    const struct other_cell *first = others_first(others);
    struct gb_buf text = {0};

    others->sent = true;
    if (first == NULL || !first->released || first->ended)
        return; /* usually it is over before one can read that */
    gb_buf_addf(&text, "waits for the end of cell %u", first->number);
    others_write_note(others, &others->text, gb_buf_str(&text));
    gb_buf_release(&text);
}

void others_started(struct others *others, uint32_t cell)
{
    others->own[others->own_count++ % OTHERS_OWN_MAX] = cell;
    others_remove_own(others); /* there is no other */
    others->ours = others_add(others, cell, 0);
    others->ours->own = true;
}

void others_ended(struct others *others)
{
    others->sent = false;
    others_remove_own(others);
    gb_buf_add(&others->text, gb_buf_data(&others->later), others->later.size);
    gb_buf_clear(&others->later);
}

bool others_hold(const struct others *others)
{
    const struct other_cell *first = others_first(others);

    return first != NULL && !first->own && others->ours != NULL;
}

/* ---- showing ---- */

static bool others_is_due(uint64_t since_ns, uint64_t after_ms, uint64_t now_ns)
{
    return since_ns > 0 && now_ns - since_ns >= after_ms * GB_NS_PER_MS;
}

void others_show(struct others *others, uint64_t now_ns, struct gb_buf *out)
{
    others_advance(others, now_ns);
    if (others_is_due(others->late.since_ns, OTHERS_LONG_MS, now_ns))
        others_flush_late(others, now_ns);
    if (others->ours == NULL && others_is_due(others->left_since_ns, OTHERS_TALLY_MS, now_ns))
        others_tell_left(others);
    gb_buf_add(out, gb_buf_data(&others->text), others->text.size);
    gb_buf_clear(&others->text);
}

static void others_soonest(uint64_t *soonest_ns, uint64_t since_ns, uint64_t after_ms)
{
    if (since_ns > 0)
        *soonest_ns = MIN(*soonest_ns, since_ns + after_ms * GB_NS_PER_MS);
}

uint64_t others_due_ms(const struct others *others, uint64_t now_ns)
{
    const struct other_cell *first = others_first(others);
    uint64_t at_ns = UINT64_MAX;

    if (first != NULL && !first->own && !first->released)
        others_soonest(&at_ns, first->began_ns + 1, OTHERS_LONG_MS);
    others_soonest(&at_ns, others->late.since_ns, OTHERS_LONG_MS);
    if (others->ours == NULL)
        others_soonest(&at_ns, others->left_since_ns, OTHERS_TALLY_MS);
    if (at_ns == UINT64_MAX)
        return 0;
    return at_ns <= now_ns ? 1 : (at_ns - now_ns) / GB_NS_PER_MS + 1;
}

/* ---- life ---- */

struct others *others_new(const struct others_config *config)
{
    struct others *others = xcalloc(1, sizeof(*others));

    others->languages = config->languages;
    others->language = xstrdup(config->language);
    others->session = xstrdup(config->session);
    others->colour = config->colour;
    return others;
}

void others_free(struct others *others)
{
    if (others == NULL)
        return;
    while (others->cell_count > 0)
        others_remove(others, others->cell_count - 1);
    pending_release(&others->late.pending);
    gb_buf_release(&others->text);
    gb_buf_release(&others->later);
    free(others->language);
    free(others->session);
    free(others);
}
