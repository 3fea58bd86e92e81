/* A recording in the second version of asciicast: the code of each cell at the time at which it
 * began to run, what it printed when it had ended. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "document/internal.h"

enum { WIDTH = 100, HEIGHT = 30 };

static void begin(struct document *document, double at)
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

/* An event at @at, or with the one before it where clocks went back. */
static void add_event(struct document *document, double at, const struct gb_buf *text)
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

static void add_code(struct gb_buf *text, const char *language, struct gb_bytes code)
{
    bool python = strcmp(language, "python") == 0;
    const char *prompt = python ? ">>> " : strcmp(language, "shell") == 0 ? "$ " : "> ";

    while (code.size > 0) {
        const uint8_t *newline = memchr(code.data, '\n', code.size);
        size_t size = newline != NULL ? (size_t)(newline - code.data) : code.size;

        gb_buf_addf(text, "\x1b[1;36m%s\x1b[0m", prompt);
        add_shown(text, (struct gb_bytes){code.data, size});
        gb_buf_adds(text, "\n");
        prompt = python ? "... " : "  ";
        size = MIN(size + 1, code.size);
        code.data += size;
        code.size -= size;
    }
}

static void add_output(struct gb_buf *text, const struct gb_json *cell)
{
    struct gb_buf bytes = {0}, trouble = {0};
    struct gb_bytes value = json_text(cell, "value");

    cell_stream(&bytes, cell, "stdout");
    add_shown(text, gb_buf_bytes(&bytes));
    gb_buf_clear(&bytes);
    cell_stream(&bytes, cell, "stderr");
    if (bytes.size > 0) {
        end_line(text);
        gb_buf_adds(text, "\x1b[31m");
        add_shown(text, gb_buf_bytes(&bytes));
        gb_buf_adds(text, "\x1b[0m");
    }
    end_line(text);
    if (value.size > 0) {
        add_shown(text, value);
        end_line(text);
    }
    cell_trouble(&trouble, cell);
    if (trouble.size > 0)
        gb_buf_addf(text, "\x1b[1;31m[%s]\x1b[0m\n", gb_buf_str(&trouble));
    gb_buf_release(&bytes);
    gb_buf_release(&trouble);
}

void cast_cell(struct document *document, const struct gb_json *cell)
{
    double at = time_of(cell, "started_at");
    struct gb_buf text = {0};

    if (!document->begun)
        begin(document, at);
    if (at <= 0)
        at = document->epoch + document->last;
    add_code(&text, cell_language(document, cell), json_text(cell, "code"));
    add_event(document, at, &text);
    gb_buf_clear(&text);
    add_output(&text, cell);
    add_event(document, at + time_of(cell, "wall_ms") / 1000, &text);
    gb_buf_release(&text);
}

void cast_end(struct document *document)
{
    if (!document->begun)
        begin(document, 0);
}
