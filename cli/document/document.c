/* SPDX-License-Identifier: Apache-2.0 */
#include "document/document.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/access.h"
#include "show/filter.h"
#include "rpc/base64.h"
#include "document/internal.h"
#include "show/facts.h"

const char document_names[] = "ipynb, py, md, asciicast, json, ocsf";

enum document_format document_find(const char *name)
{
    static const char *const names[DOCUMENT_FORMAT_COUNT] = {"ipynb",     "py",   "md",
                                                             "asciicast", "json", "ocsf"};
    int i;

    for (i = 0; i < DOCUMENT_FORMAT_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            break;
    return (enum document_format)i;
}

const char *document_ending(enum document_format format)
{
    static const char *const endings[] = {"ipynb", "py", "md", "cast", "json", "jsonl"};
    static_assert(ARRAY_SIZE(endings) == DOCUMENT_FORMAT_COUNT, "an ending for each format");

    return endings[format];
}

enum document_format document_of_file(const char *path)
{
    const char *dot = strrchr(path, '.');
    int i = 0;

    while (i < DOCUMENT_FORMAT_COUNT &&
           (dot == NULL || strcmp(dot + 1, document_ending((enum document_format)i)) != 0))
        i++;
    return (enum document_format)i;
}

bool document_has_network(enum document_format format)
{
    return format == DOCUMENT_MD || format == DOCUMENT_JSON || format == DOCUMENT_OCSF;
}

bool document_has_cells(enum document_format format)
{
    return format != DOCUMENT_OCSF;
}

bool document_is_source(enum document_format format)
{
    return format == DOCUMENT_PY;
}

const struct gb_language *document_language_of(enum document_format format,
                                               const struct gb_languages *languages)
{
    _cleanup_(freep) char *file = xasprintf("cells.%s", document_ending(format));

    return document_is_source(format) ? gb_languages_of_file(languages, file) : NULL;
}

/* ---- what the formats share ---- */

void end_line(struct gb_buf *text)
{
    static const char reset[] = "\x1b[0m";
    const uint8_t *data = gb_buf_data(text);
    size_t size = text->size, tail = strlen(reset);

    while (size >= tail && memcmp(data + size - tail, reset, tail) == 0)
        size -= tail;
    if (size > 0 && data[size - 1] != '\n')
        gb_buf_adds(text, "\n");
}

static bool document_begins(struct gb_bytes text, const char *with)
{
    size_t size = strlen(with);

    return text.size > size && memcmp(text.data, with, size) == 0;
}

bool is_text_type(struct gb_bytes mime)
{
    return document_begins(mime, "text/") || gb_bytes_equal(mime, "image/svg+xml") ||
           gb_bytes_equal(mime, "application/json") ||
           gb_bytes_equal(mime, "application/javascript");
}

bool is_image_type(struct gb_bytes mime)
{
    for (size_t i = 0; i < mime.size; i++)
        if ((mime.data[i] == 0 || strchr("+-./", mime.data[i]) == NULL) &&
            !(mime.data[i] >= '0' && mime.data[i] <= '9') &&
            !(mime.data[i] >= 'a' && mime.data[i] <= 'z'))
            return false;
    return document_begins(mime, "image/");
}

const struct gb_language *document_language(const struct document *document)
{
    return gb_languages_named(document->languages, gb_bytes_str(document->language));
}

const struct gb_language *document_cell_language(const struct document *document,
                                                 const struct gb_cell_info *cell)
{
    return facts_language(document->languages, cell, gb_bytes_str(document->language));
}

/* ---- one document ---- */

static void document_copy_text(char *to, size_t room, struct gb_bytes text)
{
    struct gb_buf shown = {0};

    filter_plain(&shown, text);
    (void)snprintf(to, room, "%s", gb_buf_str(&shown));
    gb_buf_release(&shown);
}

static void document_begin_json(struct document *document, const struct gb_json *session)
{
    gb_json_object(&document->json, NULL);
    if (session != NULL)
        json_print(&document->json, "session", session);
    gb_json_array(&document->json, "cells");
}

/* The formats that are JSON. */
static void document_make_visible(struct document *document, size_t from)
{
    if (document->format != DOCUMENT_PY && document->format != DOCUMENT_MD)
        json_make_visible(document->out, from);
}

void document_begin(struct document *document, enum document_format format, struct gb_buf *out,
                    const struct gb_json *session, const struct gb_languages *languages)
{
    struct gb_bytes name = json_text(session, "label");
    size_t from = out->size;

    *document = (struct document){
        .format = format, .out = out, .json = {.buf = out}, .languages = languages};
    if (name.size == 0)
        name = json_text(session, "key");
    if (name.size == 0)
        name = json_text(session, "session");
    document_copy_text(document->title, sizeof(document->title), name);
    document_copy_text(document->session, sizeof(document->session), json_text(session, "session"));
    document_copy_text(document->language, sizeof(document->language),
                       json_text(session, "language"));
    document->created_at = json_time(session, "created_at");
    switch (format) {
    case DOCUMENT_IPYNB:
        ipynb_begin(document, session);
        break;
    case DOCUMENT_PY:
        py_begin(document, session);
        break;
    case DOCUMENT_MD:
        md_begin(document, session);
        break;
    case DOCUMENT_JSON:
        document_begin_json(document, session);
        break;
    default: /* a recording starts with its first cell */
        break;
    }
    document_make_visible(document, from);
}

void document_cell(struct document *document, const struct gb_cell_info *cell,
                   const struct gb_json *json)
{
    size_t from = document->out->size;

    switch (document->format) {
    case DOCUMENT_IPYNB:
        ipynb_cell(document, cell, json);
        break;
    case DOCUMENT_PY:
        py_cell(document, cell);
        break;
    case DOCUMENT_MD:
        md_cell(document, cell);
        break;
    case DOCUMENT_ASCIICAST:
        cast_cell(document, cell);
        break;
    case DOCUMENT_OCSF:
        break;
    default:
        json_print(&document->json, NULL, json);
        break;
    }
    document_make_visible(document, from);
    document->begun = true;
}

void document_network(struct document *document, const struct gb_network_record *record,
                      const struct gb_json *json)
{
    size_t from = document->out->size;

    if (document->format == DOCUMENT_MD) {
        md_network(document, record);
    } else if (document->format == DOCUMENT_OCSF) {
        ocsf_network(document, record);
    } else if (document->format == DOCUMENT_JSON) {
        if (!document->networked) {
            gb_json_end(&document->json);
            gb_json_array(&document->json, "network");
        }
        json_print(&document->json, NULL, json);
    }
    document->networked = true;
    document_make_visible(document, from);
}

void document_end(struct document *document)
{
    size_t from = document->out->size;

    if (document->format == DOCUMENT_IPYNB)
        ipynb_end(document);
    else if (document->format == DOCUMENT_ASCIICAST)
        cast_end(document);
    if (document->format == DOCUMENT_JSON) {
        gb_json_end(&document->json);
        gb_json_end(&document->json);
        gb_buf_adds(document->out, "\n");
    }
    document_make_visible(document, from);
}
