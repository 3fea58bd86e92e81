/* SPDX-License-Identifier: Apache-2.0 */
/* A history as a server might send it, as every document and as the log shows it: JSON must be
 * JSON, and what is made for a terminal must hold nothing but text and colours. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "document/document.h"
#include "rpc/object.h"
#include "show/cell.h"

/* So that each way through the formats is there: the language of the sessions in the corpus, and
 * its neighbour. */
static char record[] =
    "{\"languages\":[{\"name\":\"python\",\"title\":\"Python\",\"endings\":[\".py\"],\"prompt\":{"
    "\"first\":\">>> \",\"more\":\"... \",\"indent\":\"    "
    "\"},\"notebook\":{\"kernel\":\"python3\","
    "\"title\":\"Python 3\",\"shell\":\"%%bash\",\"process\":\"%%python3\"},"
    "\"highlight\":{\"lexer\":\"python\"}}]}";
static struct gb_languages languages;

static void check_json(struct gb_bytes text)
{
    uint8_t *copy = malloc(text.size + 1);
    struct gb_json_doc doc = {0};

    if (copy == NULL)
        return;
    memcpy(copy, text.data, text.size);
    assert(gb_json_parse(&doc, copy, text.size, SIZE_MAX, NULL) == 0);
    gb_json_release(&doc);
    free(copy);
}

static void check_lines(struct gb_bytes text)
{
    while (text.size > 0) {
        const uint8_t *newline = memchr(text.data, '\n', text.size);
        size_t size;

        assert(newline != NULL);
        size = (size_t)(newline - text.data);
        check_json((struct gb_bytes){text.data, size});
        text.data += size + 1;
        text.size -= size + 1;
    }
}

static void check_terminal(struct gb_bytes text, bool colours)
{
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (byte == 0x1b) {
            assert(colours && i + 2 < text.size && text.data[i + 1] == '[');
            for (i += 2; i < text.size && text.data[i] != 'm'; i++)
                assert(memchr("0123456789;:", text.data[i], 12) != NULL);
            assert(i < text.size);
        } else {
            assert(byte != 0x7f && (byte >= 0x20 || memchr("\n\r\t\b", byte, 4) != NULL));
        }
    }
}

static void write_network(struct document *document, const struct gb_json *history)
{
    const struct gb_json *records = gb_json_member(history, "network"), *at = NULL;
    struct gb_network_record told;

    for (uint32_t i = 0; records != NULL && records->type == GB_JSON_ARRAY && i < records->count;
         i++) {
        at = i == 0 ? gb_json_first(records) : gb_json_next(at);
        if (gb_object_read(&gb_network_record_object, at, &told, NULL) == 0)
            document_network(document, &told, at);
    }
}

static void write_document(enum document_format format, const struct gb_json *history)
{
    const struct gb_json *cells = gb_json_member(history, "cells"), *cell = NULL;
    struct gb_cell_info told;
    struct document document;
    struct gb_buf out = {0};

    document_begin(&document, format, &out, gb_json_member(history, "session"), &languages);
    for (uint32_t i = 0; cells != NULL && cells->type == GB_JSON_ARRAY && i < cells->count; i++) {
        cell = i == 0 ? gb_json_first(cells) : gb_json_next(cell);
        if (gb_object_read(&gb_cell_object, cell, &told, NULL) == 0)
            document_cell(&document, &told, cell);
    }
    if (document_has_network(format))
        write_network(&document, history);
    document_end(&document);
    if (format == DOCUMENT_ASCIICAST || format == DOCUMENT_OCSF)
        check_lines(gb_buf_bytes(&out));
    else if (format == DOCUMENT_MD)
        check_terminal(gb_buf_bytes(&out), false);
    else if (format != DOCUMENT_PY)
        check_json(gb_buf_bytes(&out));
    gb_buf_release(&out);
}

static void show_history(const struct gb_json *history, bool colours)
{
    const struct gb_json *cells = gb_json_member(history, "cells"), *cell = NULL;
    struct gb_cell_info told;
    struct gb_buf out = {0};
    struct show_target to = {.out = &out, .colour = colours};
    struct show show = {.ours = &to,
                        .streams = {&to, &to},
                        .languages = &languages,
                        .head = true,
                        .code = true,
                        .output = true};

    for (uint32_t i = 0; cells != NULL && cells->type == GB_JSON_ARRAY && i < cells->count; i++) {
        cell = i == 0 ? gb_json_first(cells) : gb_json_next(cell);
        if (gb_object_read(&gb_cell_object, cell, &told, NULL) == 0)
            show_cell(&show, &told, gb_bytes_str("python"));
    }
    check_terminal(gb_buf_bytes(&out), colours);
    gb_buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *line = malloc(size + 1);
    struct gb_json_doc doc = {0};

    if (line == NULL)
        return 0;
    if (languages.count == 0)
        (void)gb_languages_read_file(gb_bytes_str(record), &languages, NULL);
    memcpy(line, data, size);
    if (gb_json_parse(&doc, line, size, 4096, NULL) == 0) {
        for (int i = 0; i < DOCUMENT_FORMAT_COUNT; i++)
            write_document((enum document_format)i, &doc.nodes[0]);
        show_history(&doc.nodes[0], true);
        show_history(&doc.nodes[0], false);
    }
    gb_json_release(&doc);
    free(line);
    return 0;
}
