/* SPDX-License-Identifier: Apache-2.0 */
/* A Jupyter notebook, nbformat 4.5. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "document/internal.h"
#include "model/words.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/cell.h"
#include "show/facts.h"

void ipynb_begin(struct document *document, const struct gb_json *session)
{
    static const char *const kept[] = {"session", "label", "key", "image", "created_at"};
    const struct gb_language *language = document_language(document);
    struct gb_json_out *out = &document->json;

    gb_json_object(out, NULL);
    gb_json_put_u64(out, "nbformat", 4);
    gb_json_put_u64(out, "nbformat_minor", 5);
    gb_json_object(out, "metadata");
    if (language->notebook.kernel[0] != '\0') { /* otherwise programs that open it ask for one */
        gb_json_object(out, "kernelspec");
        gb_json_put_str(out, "display_name", language->notebook.title);
        gb_json_put_str(out, "language", language->name);
        gb_json_put_str(out, "name", language->notebook.kernel);
        gb_json_end(out);
    }
    if (document->language[0] != '\0') {
        gb_json_object(out, "language_info");
        gb_json_put_str(out, "name", document->language);
        gb_json_end(out);
    }
    gb_json_object(out, "glassbell");
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        const struct gb_json *value = json_member(session, kept[i]);

        if (value != NULL)
            json_print(out, kept[i], value);
    }
    gb_json_end(out);
    gb_json_end(out);
    gb_json_array(out, "cells");
}

static void ipynb_put_stream(struct gb_json_out *out, const struct gb_cell_info *cell,
                             enum gb_output stream)
{
    struct gb_buf bytes = {0};

    facts_stream(&bytes, cell, stream);
    if (bytes.size > 0) {
        gb_json_object(out, NULL);
        gb_json_put_str(out, "output_type", "stream");
        gb_json_put_str(out, "name", gb_output_to_string(stream));
        gb_json_put(out, "text", gb_buf_bytes(&bytes));
        gb_json_end(out);
    }
    gb_buf_release(&bytes);
}

static void ipynb_put_displays(struct gb_json_out *out, const struct gb_cell_info *cell)
{
    struct gb_display_info display;

    for (size_t at = 0; gb_items_next(&gb_display_object, &cell->displays, &at, &display) == 1;) {
        struct gb_buf text = {0};

        if (display.mime.size == 0 || (display.flags & GB_DISPLAY_BASE64) == 0)
            continue;
        gb_json_object(out, NULL);
        gb_json_put_str(out, "output_type", "display_data");
        gb_json_object(out, "data");
        if (is_text_type(display.mime)) {
            facts_display_bytes(&text, &display);
            gb_json_put_named(out, display.mime, gb_buf_bytes(&text));
        } else {
            gb_json_put_named(out, display.mime, display.data);
        }
        gb_json_end(out);
        gb_json_object(out, "metadata");
        gb_json_end(out);
        gb_json_end(out);
        gb_buf_release(&text);
    }
}

static void ipynb_put_value(struct gb_json_out *out, const struct gb_cell_info *cell)
{
    if ((cell->flags & GB_CELL_HAS_VALUE) == 0)
        return;
    gb_json_object(out, NULL);
    gb_json_put_str(out, "output_type", "execute_result");
    gb_json_put_u64(out, "execution_count", cell->number);
    gb_json_object(out, "data");
    gb_json_put(out, "text/plain", cell->value);
    gb_json_end(out);
    gb_json_object(out, "metadata");
    gb_json_end(out);
    gb_json_end(out);
}

/* The traceback itself is in what the program printed to stderr. */
static void ipynb_put_error(struct gb_json_out *out, const struct gb_cell_info *cell)
{
    struct gb_buf trouble = {0};

    show_trouble(&trouble, cell);
    if (trouble.size > 0) {
        gb_json_object(out, NULL);
        gb_json_put_str(out, "output_type", "error");
        gb_json_put_str(out, "ename", "Glassbell");
        gb_json_put(out, "evalue", gb_buf_bytes(&trouble));
        gb_json_array(out, "traceback");
        gb_json_put(out, NULL, gb_buf_bytes(&trouble));
        gb_json_end(out);
        gb_json_end(out);
    }
    gb_buf_release(&trouble);
}

/* A cell that did not run in the kernel starts with a cell magic, if the language has one. */
static void ipynb_put_source(struct document *document, const struct gb_cell_info *cell)
{
    const struct gb_language *language = document_language(document);
    const char *magic = "";
    struct gb_buf source = {0};

    if (facts_is_shell(cell))
        magic = language->notebook.shell;
    else if (facts_mode(cell) == GB_MODE_PROCESS)
        magic = language->notebook.process;
    if (magic[0] != '\0')
        gb_buf_addf(&source, "%s\n", magic);
    gb_buf_add(&source, cell->code.data, cell->code.size);
    gb_json_put(&document->json, "source", gb_buf_bytes(&source));
    gb_buf_release(&source);
}

static void ipynb_put_metadata(struct gb_json_out *out, const struct gb_json *json)
{
    static const char *const kept[] = {"mode",      "client",      "started_at", "wall_ms",
                                       "exit_code", "signal",      "timed_out",  "interrupted",
                                       "oom",       "files",       "truncated",  "state_lost",
                                       "code_lost", "result_lost", "undone"};

    gb_json_object(out, "metadata");
    gb_json_object(out, "glassbell");
    for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
        const struct gb_json *value = json_member(json, kept[i]);

        if (value != NULL)
            json_print(out, kept[i], value);
    }
    gb_json_end(out);
    gb_json_end(out);
}

void ipynb_cell(struct document *document, const struct gb_cell_info *cell,
                const struct gb_json *json)
{
    struct gb_json_out *out = &document->json;
    char id[32];

    (void)snprintf(id, sizeof(id), "cell-%u", cell->number);
    gb_json_object(out, NULL);
    gb_json_put_str(out, "cell_type", "code");
    gb_json_put_str(out, "id", id);
    gb_json_put_u64(out, "execution_count", cell->number);
    ipynb_put_metadata(out, json);
    ipynb_put_source(document, cell);
    gb_json_array(out, "outputs");
    ipynb_put_stream(out, cell, GB_STDOUT);
    ipynb_put_stream(out, cell, GB_STDERR);
    ipynb_put_displays(out, cell);
    ipynb_put_value(out, cell);
    ipynb_put_error(out, cell);
    gb_json_end(out);
    gb_json_end(out);
}

void ipynb_end(struct document *document)
{
    gb_json_end(&document->json);
    gb_json_end(&document->json);
    gb_buf_adds(document->out, "\n");
}
