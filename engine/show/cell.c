/* SPDX-License-Identifier: Apache-2.0 */
#include "show/cell.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "highlight/highlight.h"
#include "model/event.h"
#include "rpc/object.h"
#include "show/facts.h"
#include "show/outcome.h"
#include "show/remarks.h"
#include "show/role.h"
#include "show/words.h"

enum { FILES_SHOWN = 8, DISPLAYS_BRIEF = 8 };

static void show_colour(const struct show_target *target, enum show_role role)
{
    if (target->colour)
        gb_buf_addf(target->out, "\x1b[%sm", show_role_sgr(role, true));
}

static void show_no_colour(const struct show_target *target)
{
    if (target->colour)
        gb_buf_adds(target->out, "\x1b[0m");
}

/* Untrusted text on a line of ours. */
static void show_text(const struct show_target *target, struct gb_bytes text)
{
    if (target->colour)
        filter_shown(target->out, text);
    else
        filter_plain(target->out, text);
}

/* ---- what is open ---- */

static void show_filtered(struct show_target *target, struct gb_bytes bytes, bool end)
{
    struct gb_buf shown = {0};

    if (end)
        filter_end(&target->filter, &shown);
    else
        filter_add(&target->filter, &shown, bytes);
    if (target->colour)
        gb_buf_add(target->out, gb_buf_data(&shown), shown.size);
    else
        filter_without_colours(target->out, gb_buf_bytes(&shown));
    gb_buf_release(&shown);
}

/* Flushes the filters: those of both streams if they share a target. */
static void show_end_streams(struct show *show)
{
    for (size_t i = 0; i < ARRAY_SIZE(show->streams); i++)
        if (!show->streams[i]->exact)
            show_filtered(show->streams[i], (struct gb_bytes){NULL, 0}, true);
}

/* Exact output gets nothing added. */
static void show_end_line(struct show *show)
{
    if (show->in_line && (!show->ours->exact || show->ours->terminal))
        gb_buf_adds(show->ours->out, "\n");
    show->in_line = false;
}

void show_end_output(struct show *show)
{
    show_end_streams(show);
    show_end_line(show);
}

/* ---- the head ---- */

static void show_clock(struct gb_buf *out, double seconds)
{
    time_t whole = (time_t)seconds;
    struct tm parts;
    char text[64];

    if (whole != 0 && localtime_r(&whole, &parts) != NULL &&
        strftime(text, sizeof(text), "  %Y-%m-%d %H:%M:%S", &parts) > 0)
        gb_buf_adds(out, text);
}

static void show_head(const struct show *show, const struct gb_cell_info *cell)
{
    const struct show_target *to = show->ours;

    show_colour(to, SHOW_STRONG);
    gb_buf_addf(to->out, "[%u]", cell->number);
    show_no_colour(to);
    show_colour(to, SHOW_DIM);
    if (!show->brief)
        show_clock(to->out, facts_seconds(cell->started_at_ns));
    if (cell->client.size > 0) {
        gb_buf_adds(to->out, "  ");
        show_text(to, cell->client);
    }
    if (facts_mode(cell) != GB_MODE_KERNEL)
        gb_buf_addf(to->out, "  %s", gb_mode_to_string(facts_mode(cell)));
    if ((cell->flags & GB_CELL_UNDONE) != 0)
        gb_buf_adds(to->out, "  undone");
    if ((cell->flags & GB_CELL_BOOKMARK) != 0)
        gb_buf_adds(to->out, "  bookmark");
    show_no_colour(to);
    gb_buf_adds(to->out, "\n");
}

struct code_line {
    const struct show_target *to;
    struct gb_bytes text;
    size_t shown; /* bytes */
};

static void show_code_until(struct code_line *line, size_t end)
{
    filter_plain(line->to->out,
                 (struct gb_bytes){line->text.data + line->shown, end - line->shown});
    line->shown = end;
}

static void show_on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    struct code_line *line = arg;

    show_code_until(line, from);
    show_colour(line->to, show_role_of(role));
    show_code_until(line, to);
    show_no_colour(line->to);
}

static void show_code_line(const struct show_target *to, const struct gb_language *of,
                           struct highlight_state *state, struct gb_bytes text)
{
    struct code_line line = {.to = to, .text = text};

    highlight_line(of, state, text, to->colour ? show_on_token : NULL, &line);
    show_code_until(&line, text.size);
}

static void show_code(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language)
{
    const struct gb_language *of = facts_language(show->languages, cell, language);
    const struct show_target *to = show->ours;
    struct highlight_state state = {0};
    struct gb_bytes code = cell->code;
    const char *prompt = of->prompt.first;

    while (code.size > 0) {
        const uint8_t *newline = memchr(code.data, '\n', code.size);
        size_t size = newline != NULL ? (size_t)(newline - code.data) : code.size;

        show_colour(to, SHOW_CODE);
        gb_buf_adds(to->out, prompt);
        show_no_colour(to);
        show_code_line(to, of, &state, (struct gb_bytes){code.data, size});
        gb_buf_adds(to->out, "\n");
        prompt = of->prompt.more;
        size = MIN(size + 1, code.size);
        code.data += size;
        code.size -= size;
    }
    if ((cell->flags & GB_CELL_CODE_CUT) != 0)
        show_note(show, "the code goes on");
}

/* The note that a person gave it. */
static void show_annotation(struct show *show, const struct gb_cell_info *cell)
{
    const struct show_target *to = show->ours;

    if (cell->annotation.size == 0)
        return;
    show_colour(to, SHOW_DIM);
    gb_buf_adds(to->out, "[note: ");
    show_text(to, cell->annotation);
    gb_buf_adds(to->out, "]");
    show_no_colour(to);
    gb_buf_adds(to->out, "\n");
}

void show_begin(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language)
{
    struct gb_bytes code = cell->code;

    if (show->head) {
        show_end_output(show); /* from what an earlier cell left running */
        show_head(show, cell);
        show_annotation(show, cell);
    }
    if (show->code && show->ours->exact) {
        gb_buf_add(show->ours->out, code.data, code.size);
        if (code.size > 0 && code.data[code.size - 1] != '\n')
            gb_buf_adds(show->ours->out, "\n");
    } else if (show->code) {
        show_code(show, cell, language);
    }
}

/* ---- output ---- */

void show_piece(struct show *show, bool is_stderr, struct gb_bytes bytes)
{
    struct show_target *target = show->streams[is_stderr];

    if (!show->output || bytes.size == 0)
        return;
    if (is_stderr != show->in_stderr && show->streams[0] == show->streams[1])
        show_end_streams(show);
    show->in_stderr = is_stderr;
    if (target->exact) {
        gb_buf_add(target->out, bytes.data, bytes.size);
    } else {
        /* Reset the colour, so that whoever writes next, including a person at a prompt, does not
         * inherit it. */
        if (is_stderr)
            show_colour(target, SHOW_STDERR);
        show_filtered(target, bytes, false);
        if (is_stderr)
            show_no_colour(target);
    }
    if (target->out == show->ours->out || (target->terminal && show->ours->terminal))
        show->in_line = bytes.data[bytes.size - 1] != '\n';
}

/* ---- the end ---- */

static void show_value(struct show *show, const struct gb_cell_info *cell)
{
    struct gb_bytes value = cell->value;
    struct show_target *to = show->ours;

    if (value.size == 0)
        return;
    if (!show->prompt) {
        show_colour(to, SHOW_STRONG);
        gb_buf_adds(to->out, "= ");
        show_no_colour(to);
    }
    if (to->exact)
        gb_buf_add(to->out, value.data, value.size);
    else
        show_text(to, value);
    gb_buf_adds(to->out, (cell->flags & GB_CELL_VALUE_CUT) != 0 ? " ...\n" : "\n");
}

void show_display(struct gb_buf *to, const struct gb_display_info *display)
{
    char size[32];

    words_size(size, sizeof(size), facts_display_size(display));
    gb_buf_adds(to, "display ");
    filter_plain(to, display->mime);
    gb_buf_addf(to, ", %s", size);
}

static void show_displays(const struct show *show, const struct gb_cell_info *cell)
{
    const uint32_t count = gb_items_count(&cell->displays);
    const uint32_t most = show->brief ? MIN(count, (uint32_t)DISPLAYS_BRIEF) : count;
    const struct show_target *to = show->ours;
    struct gb_display_info display;
    size_t at = 0;

    for (uint32_t i = 0; i < most; i++) {
        if (gb_items_next(&gb_display_object, &cell->displays, &at, &display) != 1)
            break;
        gb_buf_adds(to->out, "[");
        show_display(to->out, &display);
        gb_buf_adds(to->out, "]\n");
    }
    if (count > most)
        gb_buf_addf(to->out, "[and %u more]\n", count - most);
}

/* Bytes that are not text are shown as \xNN. */
static void show_path(const struct show_target *to, const struct gb_file_info *file)
{
    struct gb_buf path = {0};

    facts_path(&path, file);
    show_text(to, gb_buf_bytes(&path));
    gb_buf_release(&path);
}

static void show_files(const struct show_target *to, const struct gb_cell_info *cell)
{
    const uint32_t count = gb_items_count(&cell->files);
    struct gb_file_info file;
    size_t at = 0;

    for (uint32_t i = 0; i < MIN(count, (uint32_t)FILES_SHOWN); i++) {
        if (gb_items_next(&gb_file_info_object, &cell->files, &at, &file) != 1)
            break;
        gb_buf_addf(to->out, "%c ", facts_change(&file));
        show_path(to, &file);
        gb_buf_adds(to->out, "\n");
    }
    if (count > FILES_SHOWN)
        gb_buf_addf(to->out, "and %u more files\n", count - FILES_SHOWN);
}

void show_trouble(struct gb_buf *to, const struct gb_cell_info *cell)
{
    const struct outcome outcome = outcome_of(cell);
    size_t before = to->size;

    outcome_words(&outcome, to);
    if (cell->message.size > 0 && !outcome_has(&outcome, GB_CELL_RESULT_LOST)) {
        gb_buf_adds(to, to->size > before ? ", " : "");
        filter_plain(to, cell->message);
    }
    if (to->size == before && !facts_is_running(cell) && outcome.exit_code < 0)
        gb_buf_adds(to, "no result");
}

static void show_outcome(const struct show *show, const struct gb_cell_info *cell)
{
    const struct show_target *to = show->ours;
    double ms = facts_ms(cell->wall_ns);
    struct gb_buf trouble = {0};
    char duration[32];

    show_trouble(&trouble, cell);
    words_duration(duration, sizeof(duration), ms);
    show_colour(to, trouble.size > 0 ? SHOW_FAILED : SHOW_DIM);
    /* Without a time, nobody saw it end. */
    gb_buf_addf(to->out, "[%s%s%s]", ms > 0 || trouble.size == 0 ? duration : "",
                ms > 0 && trouble.size > 0 ? ", " : "", gb_buf_str(&trouble));
    show_no_colour(to);
    gb_buf_adds(to->out, show->brief ? "\n" : "\n\n");
    gb_buf_release(&trouble);
}

static void show_remark(const struct show_target *to, const struct remarks *remarks, size_t index)
{
    struct gb_buf text = {0};

    remarks_add(remarks, index, &text);
    gb_buf_adds(to->out, "[");
    filter_plain(to->out, gb_buf_bytes(&text));
    gb_buf_adds(to->out, "]\n");
    gb_buf_release(&text);
}

void show_end(struct show *show, const struct gb_cell_info *cell)
{
    const struct show_target *to = show->ours;
    const struct outcome outcome = outcome_of(cell);
    /* The rest is reported with how it ended. */
    const struct remarks remarks = {.note = cell->note, .left_out = outcome.left_out};

    show_end_streams(show);
    if (!show->head && !show->prompt) {
        show->in_line = false;
        return;
    }
    show_end_line(show);
    if (show->prompt && !show->brief) {
        show_value(show, cell);
        return;
    }
    for (size_t i = 0; i < remarks_count(&remarks); i++)
        show_remark(to, &remarks, i);
    show_value(show, cell);
    show_displays(show, cell);
    if (!show->brief)
        show_files(to, cell);
    show_outcome(show, cell);
}

void show_cell(struct show *show, const struct gb_cell_info *cell, struct gb_bytes language)
{
    show_begin(show, cell, language);
    for (enum gb_output stream = GB_STDOUT; stream <= GB_STDERR; stream++) {
        struct gb_buf bytes = {0};

        facts_stream(&bytes, cell, stream);
        show_piece(show, stream == GB_STDERR, gb_buf_bytes(&bytes));
        gb_buf_release(&bytes);
    }
    show_end(show, cell);
}

void show_output(struct show *show, const struct gb_json *params)
{
    struct gb_output_info piece;
    struct gb_buf bytes = {0};

    gb_object_take(&gb_output_object, params, &piece);
    if (gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0))
        show_piece(show, piece.stream == GB_STDERR, gb_buf_bytes(&bytes));
    gb_buf_release(&bytes);
}

void show_rewound(struct gb_buf *to, uint32_t cell)
{
    if (cell == 0)
        gb_buf_adds(to, "rewound to its state at the beginning");
    else
        gb_buf_addf(to, "rewound to its state after cell %u", cell);
}

void show_note(struct show *show, const char *text)
{
    const struct show_target *to = show->ours;

    show_end_line(show);
    show_colour(to, SHOW_DIM);
    gb_buf_adds(to->out, "[");
    show_text(to, gb_bytes_str(text));
    gb_buf_adds(to->out, "]");
    show_no_colour(to);
    gb_buf_adds(to->out, "\n");
}
