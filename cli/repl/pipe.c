/* SPDX-License-Identifier: Apache-2.0 */
/* The REPL without a terminal: reads cells from a pipe or a file, without prompts. */
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kit/input.h"
#include "repl/internal.h"

enum { LINE_MAX_BYTES = 1u << 20 };

struct lines {
    struct input *input;
    struct gb_buf text;
    bool end;
};

static void pipe_on_input(void *arg, struct gb_bytes bytes)
{
    struct lines *lines = arg;

    lines->end = bytes.size == 0;
    gb_buf_add(&lines->text, bytes.data, bytes.size);
    input_pause(lines->input, lines->text.size > LINE_MAX_BYTES);
}

/* The next line with its newline, or NULL at the end. Gives. */
static char *pipe_next_line(struct repl *repl, struct lines *lines)
{
    const uint8_t *newline = NULL;
    char *line;
    size_t size;

    for (;;) {
        if (lines->text.size > 0)
            newline = memchr(gb_buf_data(&lines->text), '\n', lines->text.size);
        if (newline != NULL || lines->end || repl->stopped || lines->text.size > GB_CODE_MAX)
            break;
        input_pause(lines->input, false);
        app_turn(repl->app);
    }
    size = newline != NULL ? (size_t)(newline - gb_buf_data(&lines->text)) + 1 : lines->text.size;
    if (size == 0 || repl->stopped)
        return NULL;
    line = xstrndup((const char *)gb_buf_data(&lines->text), size);
    gb_buf_consume(&lines->text, size);
    return line;
}

/* Whether a line continues the block above it. In languages without rules for the end of a block,
 * every line does. */
static bool pipe_goes_on(const struct gb_language *language, const char *line)
{
    const struct gb_texts *words = &language->prompt.goes_on;

    if (words->count == 0 || line[0] == ' ' || line[0] == '\t' || line[0] == '\n')
        return true;
    for (size_t i = 0; i < words->count; i++)
        if (strncmp(line, words->list[i], strlen(words->list[i])) == 0)
            return true;
    return false;
}

static void pipe_run_text(struct repl *repl, struct gb_buf *text)
{
    const char *code = gb_buf_str(text);

    if (code[strspn(code, " \t\r\n")] != '\0') {
        while (text->size > 0 && gb_buf_data(text)[text->size - 1] == '\n')
            text->size--;
        code = gb_buf_str(text);
        if (repl_is_farewell(code))
            repl->quit = true;
        else if (!repl_command(repl, code))
            repl_run_cell(repl, code);
    }
    gb_buf_clear(text);
}

void repl_pipe(struct repl *repl)
{
    struct lines lines = {0};
    struct gb_buf cell = {0};
    char *line;

    lines.input = input_new(repl->app->loop, STDIN_FILENO, pipe_on_input, &lines);
    while (!repl->quit && !repl->stopped && (line = pipe_next_line(repl, &lines)) != NULL) {
        /* Such a block also ends, without an empty line, where something else begins. */
        if (cell.size > 0 && !pipe_goes_on(repl->known, line) &&
            repl_is_complete(repl, gb_buf_str(&cell)))
            pipe_run_text(repl, &cell);
        gb_buf_adds(&cell, line);
        free(line);
        if (cell.size > GB_CODE_MAX || (cell.size > 0 && gb_buf_data(&cell)[0] == '\n'))
            pipe_run_text(repl, &cell);
        else if (cell.size > 1) {
            _cleanup_(freep) char *whole =
                xstrndup((const char *)gb_buf_data(&cell), cell.size - 1);

            if (repl_is_complete(repl, whole))
                pipe_run_text(repl, &cell);
        }
    }
    if (!repl->quit && !repl->stopped)
        pipe_run_text(repl, &cell);
    input_free(lines.input);
    gb_buf_release(&lines.text);
    gb_buf_release(&cell);
}
