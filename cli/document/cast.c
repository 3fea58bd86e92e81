/* SPDX-License-Identifier: Apache-2.0 */
/* A recording in asciicast version 2: the code of each cell at the time when it started, and its
 * output at the times when it came, if those are known, else at its end. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "document/internal.h"
#include "rpc/access.h"
#include "show/cell.h"
#include "show/filter.h"
#include "show/facts.h"

enum { WIDTH = 100, HEIGHT = 30 };

static void cast_begin(struct document *document, double at)
{
    struct gb_json_out *out = &document->json;

    document->epoch = at > 0 ? at : document->created_at;
    gb_json_object(out, NULL);
    gb_json_put_u64(out, "version", 2);
    gb_json_put_u64(out, "width", WIDTH);
    gb_json_put_u64(out, "height", HEIGHT);
    gb_json_put_u64(out, "timestamp", (uint64_t)document->epoch);
    gb_json_put_u64(out, "idle_time_limit", 2);
    gb_json_put_str(out, "title", document->title);
    gb_json_end(out);
    gb_buf_adds(document->out, "\n");
}

/* An event at @at, or at the time of the previous one if clocks went back. */
static void cast_add_event(struct document *document, double at, const struct gb_buf *text)
{
    struct gb_json_out out = {.buf = document->out};
    struct gb_buf lines = {0};
    const uint8_t *data = gb_buf_data(text);
    char seconds[32];

    if (text->size == 0)
        return;
    for (size_t i = 0; i < text->size; i++) {
        if (data[i] == '\n' && (i == 0 || data[i - 1] != '\r'))
            gb_buf_adds(&lines, "\r");
        gb_buf_add(&lines, data + i, 1);
    }
    document->last = MAX(document->last, at - document->epoch);
    (void)snprintf(seconds, sizeof(seconds), "%.6f", document->last);
    gb_json_array(&out, NULL);
    gb_json_put_raw(&out, NULL, gb_bytes_str(seconds));
    gb_json_put_str(&out, NULL, "o");
    gb_json_put(&out, NULL, gb_buf_bytes(&lines));
    gb_json_end(&out);
    gb_buf_adds(document->out, "\n");
    gb_buf_release(&lines);
}

static void cast_add_code(struct gb_buf *text, const struct gb_language *language,
                          struct gb_bytes code)
{
    const char *prompt = language->prompt.first;

    while (code.size > 0) {
        const uint8_t *newline = memchr(code.data, '\n', code.size);
        size_t size = newline != NULL ? (size_t)(newline - code.data) : code.size;

        gb_buf_addf(text, "\x1b[1;36m%s\x1b[0m", prompt);
        filter_shown(text, (struct gb_bytes){code.data, size});
        gb_buf_adds(text, "\n");
        prompt = language->prompt.more;
        size = MIN(size + 1, code.size);
        code.data += size;
        code.size -= size;
    }
}

struct playing {
    struct document *document;
    struct gb_buf streams[2]; /* not shown yet */
    struct gb_buf text;
    double at;
    bool in_line;
};

static void cast_show_text(struct playing *playing)
{
    size_t size = playing->text.size;

    if (size == 0)
        return;
    cast_add_event(playing->document, playing->at, &playing->text);
    end_line(&playing->text);
    playing->in_line = playing->text.size > size;
    gb_buf_clear(&playing->text);
}

static void cast_show_stream(struct playing *playing, bool is_stderr, size_t size)
{
    struct gb_buf *stream = &playing->streams[is_stderr];
    struct gb_bytes bytes = {gb_buf_data(stream), MIN(size, stream->size)};

    if (bytes.size == 0)
        return;
    if (is_stderr)
        gb_buf_adds(&playing->text, "\x1b[31m");
    filter_shown(&playing->text, bytes);
    if (is_stderr)
        gb_buf_adds(&playing->text, "\x1b[0m");
    gb_buf_consume(stream, bytes.size);
    cast_show_text(playing);
}

/* The elements of [milliseconds, stream, bytes]; skips invalid ones. */
static void cast_play_step(struct playing *playing, const struct gb_json *step, double began)
{
    const struct gb_json *ms, *stream, *size;
    double at, bytes;

    if (step->type != GB_JSON_ARRAY || step->count != 3)
        return;
    ms = gb_json_first(step);
    stream = gb_json_next(ms);
    size = gb_json_next(stream);
    at = gb_json_number(ms);
    bytes = gb_json_number(size);
    if (!(at >= 0 && at <= UINT32_MAX) || !(bytes >= 0 && bytes <= UINT32_MAX))
        return;
    playing->at = began + at / 1000;
    cast_show_stream(
        playing,
        gb_bytes_equal(stream->type == GB_JSON_STRING ? stream->text : (struct gb_bytes){0},
                       "stderr"),
        (size_t)bytes);
}

static void cast_add_output(struct playing *playing, const struct gb_cell_info *cell, double began)
{
    const struct gb_json *pace = cell->pace_json, *step = NULL;
    struct gb_bytes value = cell->value;
    struct gb_buf trouble = {0};

    facts_stream(&playing->streams[0], cell, GB_STDOUT);
    facts_stream(&playing->streams[1], cell, GB_STDERR);
    JSON_FOREACH(step, pace)
        cast_play_step(playing, step, began);
    playing->at = began + facts_seconds(cell->wall_ns);
    cast_show_stream(playing, false, SIZE_MAX);
    cast_show_stream(playing, true, SIZE_MAX);
    if (playing->in_line)
        gb_buf_adds(&playing->text, "\n");
    if (value.size > 0) {
        filter_shown(&playing->text, value);
        end_line(&playing->text);
    }
    show_trouble(&trouble, cell);
    if (trouble.size > 0)
        gb_buf_addf(&playing->text, "\x1b[1;31m[%s]\x1b[0m\n", gb_buf_str(&trouble));
    cast_show_text(playing);
    gb_buf_release(&trouble);
}

void cast_cell(struct document *document, const struct gb_cell_info *cell)
{
    struct playing playing = {.document = document};
    double at = facts_seconds(cell->started_at_ns);

    if (!document->begun)
        cast_begin(document, at);
    if (at <= 0)
        at = document->epoch + document->last;
    playing.at = at;
    cast_add_code(&playing.text, document_cell_language(document, cell), cell->code);
    cast_show_text(&playing);
    cast_add_output(&playing, cell, at);
    gb_buf_release(&playing.text);
    gb_buf_release(&playing.streams[0]);
    gb_buf_release(&playing.streams[1]);
}

void cast_end(struct document *document)
{
    if (!document->begun)
        cast_begin(document, 0);
}
