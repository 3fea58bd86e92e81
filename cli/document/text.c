/* SPDX-License-Identifier: Apache-2.0 */
/* A script in cells, and Markdown. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "document/internal.h"
#include "rpc/access.h"
#include "rpc/base64.h"
#include "rpc/object.h"
#include "show/words.h"
#include "show/cell.h"
#include "show/filter.h"
#include "show/facts.h"
#include "show/traffic.h"

static void text_add_time(struct gb_buf *out, double seconds)
{
    time_t whole = (time_t)seconds;
    struct tm parts;
    char text[64];

    if (whole == 0 || gmtime_r(&whole, &parts) == NULL)
        return;
    if (strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &parts) > 0)
        gb_buf_addf(out, ", %s", text);
}

static bool text_is_undone(const struct gb_cell_info *cell)
{
    return (cell->flags & GB_CELL_UNDONE) != 0;
}

/* After the number of a cell: when, how long, how it ended. */
static void text_add_facts(struct gb_buf *out, const struct gb_cell_info *cell)
{
    double ms = facts_ms(cell->wall_ns);
    struct gb_buf trouble = {0};
    char duration[32];

    if (facts_mode(cell) != GB_MODE_KERNEL)
        gb_buf_addf(out, ", %s", gb_mode_to_string(facts_mode(cell)));
    text_add_time(out, facts_seconds(cell->started_at_ns));
    show_trouble(&trouble, cell);
    words_duration(duration, sizeof(duration), ms);
    if (ms > 0 || trouble.size == 0) /* otherwise nobody saw its end */
        gb_buf_addf(out, ", %s", duration);
    if (trouble.size > 0)
        gb_buf_addf(out, ", %s", gb_buf_str(&trouble));
    if (text_is_undone(cell))
        gb_buf_adds(out, ", undone");
    gb_buf_release(&trouble);
}

/* ---- a script ---- */

void py_begin(struct document *document, const struct gb_json *session)
{
    (void)session;
    gb_buf_addf(document->out, "# %s: a session of Glassbell\n", document->title);
}

/* Each line as a comment. */
static void text_add_comment(struct gb_buf *out, struct gb_bytes text, const char *before)
{
    while (text.size > 0) {
        const uint8_t *newline = memchr(text.data, '\n', text.size);
        size_t size = newline != NULL ? (size_t)(newline - text.data) : text.size;

        gb_buf_adds(out, before);
        add_code_line(out, (struct gb_bytes){text.data, size});
        gb_buf_adds(out, "\n");
        size = MIN(size + 1, text.size);
        text.data += size;
        text.size -= size;
    }
}

void py_cell(struct document *document, const struct gb_cell_info *cell)
{
    struct gb_buf *out = document->out;
    struct gb_bytes code = cell->code;
    struct gb_buf python = {0};
    bool whole = add_python(&python, code);

    gb_buf_addf(out, "\n# %%%% [%u]", cell->number);
    text_add_facts(out, cell);
    gb_buf_adds(out, "\n");
    if (facts_is_shell(cell))
        text_add_comment(out, code, "# !");
    else if (text_is_undone(cell)) /* running the script does not repeat it */
        text_add_comment(out, code, "# ");
    else if (document->language[0] != '\0' &&
             document_language(document) != document_language_of(DOCUMENT_PY, document->languages))
        text_add_comment(out, code, "# ");
    else
        gb_buf_addf(out, "%s%s", whole ? "" : "# It contains characters that are not visible.\n",
                    gb_buf_str(&python));
    gb_buf_release(&python);
    end_line(out);
}

/* ---- Markdown ---- */

static void text_add_escaped(struct gb_buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (strchr("\\`*_{}[]<>#|~", *text) != NULL)
            gb_buf_adds(out, "\\");
        gb_buf_add(out, text, 1);
    }
}

void md_begin(struct document *document, const struct gb_json *session)
{
    struct gb_buf *out = document->out;

    gb_buf_adds(out, "# ");
    text_add_escaped(out, document->title);
    gb_buf_adds(out, "\n\nA session of Glassbell");
    if (document->language[0] != '\0')
        gb_buf_addf(out, " (%s)", document->language);
    text_add_time(out, json_time(session, "created_at"));
    gb_buf_adds(out, ".\n");
}

/* A block that its content cannot end: the fence is longer than any run of its character. */
static void text_add_block(struct gb_buf *out, const char *info, struct gb_bytes text)
{
    size_t longest = 2, run = 0;

    for (size_t i = 0; i < text.size; i++) {
        run = text.data[i] == '`' ? run + 1 : 0;
        longest = MAX(longest, run);
    }
    gb_buf_adds(out, "\n");
    for (size_t i = 0; i <= longest; i++)
        gb_buf_adds(out, "`");
    gb_buf_addf(out, "%s\n", info);
    gb_buf_add(out, text.data, text.size);
    if (text.size > 0)
        end_line(out);
    for (size_t i = 0; i <= longest; i++)
        gb_buf_adds(out, "`");
    gb_buf_adds(out, "\n");
}

static void text_add_text_block(struct gb_buf *out, const char *info, struct gb_bytes text)
{
    struct gb_buf shown = {0};

    if (text.size == 0)
        return;
    filter_plain(&shown, text);
    text_add_block(out, info, gb_buf_bytes(&shown));
    gb_buf_release(&shown);
}

static void text_add_displays(struct gb_buf *out, const struct gb_cell_info *cell)
{
    struct gb_display_info display;

    for (size_t at = 0; gb_items_next(&gb_display_object, &cell->displays, &at, &display) == 1;) {
        struct gb_buf bytes = {0}, shown = {0};

        facts_display_bytes(&bytes, &display);
        filter_plain(&shown, display.mime);
        if (is_text_type(display.mime)) {
            text_add_text_block(out, "", gb_buf_bytes(&bytes));
        } else if (is_image_type(display.mime) && (display.flags & GB_DISPLAY_BASE64) != 0 &&
                   display.data.size > 0) {
            /* Decoded and encoded again, so that nothing but base64 gets into the link. */
            gb_buf_addf(out, "\n![figure](data:%s;base64,", gb_buf_str(&shown));
            gb_base64_encode(out, gb_buf_bytes(&bytes));
            gb_buf_adds(out, ")\n");
        }
        gb_buf_release(&bytes);
        gb_buf_release(&shown);
    }
}

void md_cell(struct document *document, const struct gb_cell_info *cell)
{
    struct gb_buf *out = document->out, stream = {0};

    gb_buf_addf(out, "\n## Cell %u", cell->number);
    text_add_facts(out, cell);
    gb_buf_adds(out, "\n");
    text_add_text_block(out, document_cell_language(document, cell)->name, cell->code);
    facts_stream(&stream, cell, GB_STDOUT);
    text_add_text_block(out, "text", gb_buf_bytes(&stream));
    gb_buf_clear(&stream);
    facts_stream(&stream, cell, GB_STDERR);
    text_add_text_block(out, "stderr", gb_buf_bytes(&stream));
    gb_buf_release(&stream);
    text_add_text_block(out, "value", cell->value);
    text_add_displays(out, cell);
}

void md_network(struct document *document, const struct gb_network_record *record)
{
    struct gb_buf *out = document->out, line = {0};

    gb_buf_adds(out, document->networked ? "- " : "\n## Network\n\n- ");
    traffic_line(&line, record);
    text_add_escaped(out, gb_buf_str(&line));
    text_add_time(out, facts_seconds(record->at_ns));
    gb_buf_adds(out, "\n");
    gb_buf_release(&line);
}
