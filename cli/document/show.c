/* SPDX-License-Identifier: Apache-2.0 */
#include "document/show.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "cli/app.h"
#include "document/internal.h"
#include "rpc/access.h"
#include "show/words.h"

enum { FILES_SHOWN = 8 };

#define DIM "2"
#define BOLD "1"
#define RED "31"
#define CYAN "36"

static void colour(struct show *show, const char *sgr)
{
    if (show->colour)
        gb_buf_addf(show->out, "\x1b[%sm", sgr);
}

static void plain(struct show *show)
{
    if (show->colour)
        gb_buf_adds(show->out, "\x1b[0m");
}

static void end_output(struct show *show)
{
    if (show->in_line)
        gb_buf_adds(show->out, "\n");
    show->in_line = false;
}

static void add_shown_text(struct show *show, struct gb_bytes text)
{
    if (show->colour)
        add_shown(show->out, text);
    else
        add_plain(show->out, text);
}

static void add_clock(struct gb_buf *out, double seconds)
{
    time_t whole = (time_t)seconds;
    struct tm parts;
    char text[64];

    if (whole != 0 && localtime_r(&whole, &parts) != NULL &&
        strftime(text, sizeof(text), "  %Y-%m-%d %H:%M:%S", &parts) > 0)
        gb_buf_adds(out, text);
}

static void add_head(struct show *show, const struct gb_json *cell)
{
    struct gb_bytes client = json_text(cell, "client");

    colour(show, BOLD);
    gb_buf_addf(show->out, "[%.0f]", json_number(cell, "cell"));
    plain(show);
    colour(show, DIM);
    add_clock(show->out, time_of(cell, "started_at"));
    if (client.size > 0) {
        gb_buf_adds(show->out, "  ");
        add_shown_text(show, client);
    }
    if (!gb_bytes_equal(cell_mode(cell), "kernel")) {
        gb_buf_adds(show->out, "  ");
        add_shown_text(show, cell_mode(cell));
    }
    plain(show);
    gb_buf_adds(show->out, "\n");
}

static void add_code(struct show *show, const struct gb_json *cell, struct gb_bytes language)
{
    struct gb_bytes code = json_text(cell, "code");
    bool shell = cell_is_shell(cell) || gb_bytes_equal(language, "shell");
    bool python = !shell && (language.size == 0 || gb_bytes_equal(language, "python"));
    const char *prompt = python ? ">>> " : shell ? "$ " : "> ";

    while (code.size > 0) {
        const uint8_t *newline = memchr(code.data, '\n', code.size);
        size_t size = newline != NULL ? (size_t)(newline - code.data) : code.size;

        colour(show, CYAN);
        gb_buf_adds(show->out, prompt);
        add_shown_text(show, (struct gb_bytes){code.data, size});
        plain(show);
        gb_buf_adds(show->out, "\n");
        prompt = python ? "... " : shell ? "  " : ". ";
        size = MIN(size + 1, code.size);
        code.data += size;
        code.size -= size;
    }
    if (json_true(cell, "code_cut"))
        show_note(show, "the code goes on");
}

void show_begin(struct show *show, const struct gb_json *cell, struct gb_bytes language)
{
    struct gb_bytes code = json_text(cell, "code");

    if (show->head)
        add_head(show, cell);
    if (show->code && show->exact) {
        gb_buf_add(show->out, code.data, code.size);
        if (code.size > 0 && code.data[code.size - 1] != '\n')
            gb_buf_adds(show->out, "\n");
    } else if (show->code) {
        add_code(show, cell, language);
    }
}

static void filter_stream(struct show *show, struct gb_bytes bytes, bool end)
{
    struct gb_buf shown = {0};

    if (end)
        filter_end(&show->filter, &shown);
    else
        filter_add(&show->filter, &shown, bytes);
    if (show->colour)
        gb_buf_add(show->out, gb_buf_data(&shown), shown.size);
    else
        add_without_colours(show->out, gb_buf_bytes(&shown));
    gb_buf_release(&shown);
}

static void end_stream(struct show *show)
{
    if (show->exact)
        return;
    filter_stream(show, (struct gb_bytes){NULL, 0}, true);
    if (show->in_stderr)
        plain(show);
    show->in_stderr = false;
}

void show_piece(struct show *show, bool is_stderr, struct gb_bytes bytes)
{
    if (!show->output || bytes.size == 0)
        return;
    if (show->exact) {
        gb_buf_add(show->out, bytes.data, bytes.size);
        return;
    }
    if (is_stderr != show->in_stderr) {
        end_stream(show);
        show->in_stderr = is_stderr;
        if (is_stderr)
            colour(show, RED);
    }
    filter_stream(show, bytes, false);
    show->in_line = bytes.data[bytes.size - 1] != '\n';
}

static void add_value(struct show *show, const struct gb_json *cell)
{
    struct gb_bytes value = json_text(cell, "value");

    if (value.size == 0)
        return;
    colour(show, BOLD);
    gb_buf_adds(show->out, "= ");
    plain(show);
    add_shown_text(show, value);
    gb_buf_adds(show->out, json_true(cell, "value_cut") ? " ...\n" : "\n");
}

static void add_displays(struct show *show, const struct gb_json *cell)
{
    const struct gb_json *list = json_member(cell, "displays"), *display = NULL;

    for (uint32_t i = 0; i < list_count(list); i++) {
        char size[32];

        display = i == 0 ? gb_json_first(list) : gb_json_next(display);
        words_size(size, sizeof(size), display_size(display));
        gb_buf_adds(show->out, "[display ");
        add_shown_text(show, json_text(display, "mime"));
        gb_buf_addf(show->out, ", %s]\n", size);
    }
}

/* Bytes that are no text are shown as \xNN. */
static void add_path(struct show *show, const struct gb_json *file)
{
    struct gb_buf path = {0};

    (void)json_add_bytes(&path, file, "path", "path_base64");
    add_shown_text(show, gb_buf_bytes(&path));
    gb_buf_release(&path);
}

static void add_files(struct show *show, const struct gb_json *cell)
{
    const struct gb_json *list = json_member(cell, "files"), *file = NULL;
    uint32_t count = list_count(list);

    for (uint32_t i = 0; i < MIN(count, (uint32_t)FILES_SHOWN); i++) {
        struct gb_bytes change;

        file = i == 0 ? gb_json_first(list) : gb_json_next(file);
        change = json_text(file, "change");
        gb_buf_adds(show->out, gb_bytes_equal(change, "added")     ? "+ "
                               : gb_bytes_equal(change, "removed") ? "- "
                                                                   : "~ ");
        add_path(show, file);
        gb_buf_adds(show->out, "\n");
    }
    if (count > FILES_SHOWN)
        gb_buf_addf(show->out, "and %u more files\n", count - FILES_SHOWN);
}

static void add_left_out(struct show *show, const struct gb_json *cell)
{
    const struct gb_json *truncated = json_member(cell, "truncated");
    double bytes = json_number(truncated, "stdout") + json_number(truncated, "stderr");
    char size[32];

    if (bytes <= 0)
        return;
    words_size(size, sizeof(size), bytes);
    gb_buf_addf(show->out, "[%s of output were not kept]\n", size);
}

void show_end(struct show *show, const struct gb_json *cell)
{
    struct gb_buf trouble = {0};

    end_stream(show);
    if (show->exact || !show->head) {
        show->in_line = false;
        return;
    }
    end_output(show);
    add_left_out(show, cell);
    add_value(show, cell);
    add_displays(show, cell);
    add_files(show, cell);
    cell_trouble(&trouble, cell);
    colour(show, trouble.size > 0 ? RED : DIM);
    gb_buf_adds(show->out, "[");
    /* Else nobody saw its end. */
    if (time_of(cell, "wall_ms") > 0 || (trouble.size == 0 && !json_true(cell, "result_lost"))) {
        add_duration(show->out, time_of(cell, "wall_ms"));
        gb_buf_adds(show->out, trouble.size > 0 ? ", " : "");
    }
    gb_buf_addf(show->out, "%s]", gb_buf_str(&trouble));
    plain(show);
    gb_buf_adds(show->out, "\n\n");
    gb_buf_release(&trouble);
}

void show_cell(struct show *show, const struct gb_json *cell, struct gb_bytes language)
{
    static const char *const names[] = {"stdout", "stderr"};

    show_begin(show, cell, language);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        struct gb_buf bytes = {0};

        cell_stream(&bytes, cell, names[i]);
        show_piece(show, i == 1, gb_buf_bytes(&bytes));
        gb_buf_release(&bytes);
    }
    show_end(show, cell);
}

void show_note(struct show *show, const char *text)
{
    end_output(show);
    colour(show, DIM);
    gb_buf_adds(show->out, "[");
    add_shown_text(show, gb_bytes_str(text));
    gb_buf_adds(show->out, "]");
    plain(show);
    gb_buf_adds(show->out, "\n");
}
