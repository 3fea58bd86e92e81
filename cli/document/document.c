/* SPDX-License-Identifier: Apache-2.0 */
#include "document/document.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/cell.h"
#include "rpc/access.h"
#include "show/filter.h"
#include "rpc/base64.h"
#include "document/internal.h"

const char document_names[] = "ipynb, py, md, asciicast, json";

enum document_format document_find(const char *name)
{
    static const char *const names[DOCUMENT_FORMAT_COUNT] = {"ipynb", "py", "md", "asciicast",
                                                             "json"};
    int i;

    for (i = 0; i < DOCUMENT_FORMAT_COUNT; i++)
        if (strcmp(name, names[i]) == 0)
            break;
    return (enum document_format)i;
}

const char *document_ending(enum document_format format)
{
    static const char *const endings[] = {"ipynb", "py", "md", "cast", "json"};
    static_assert(ARRAY_SIZE(endings) == DOCUMENT_FORMAT_COUNT, "an ending for each format");

    return endings[format];
}

/* ---- what the formats share ---- */

void add_shown(struct gb_buf *to, struct gb_bytes text)
{
    struct filter filter = {0};

    filter_add(&filter, to, text);
    filter_end(&filter, to);
}

/* After the filter all sequences are whole. */
void add_without_colours(struct gb_buf *to, struct gb_bytes shown)
{
    const uint8_t *at = shown.data, *end = shown.data + shown.size;

    while (at < end) {
        const uint8_t *escape = memchr(at, 0x1b, (size_t)(end - at)), *last = NULL;

        gb_buf_add(to, at, (size_t)((escape != NULL ? escape : end) - at));
        if (escape != NULL)
            last = memchr(escape, 'm', (size_t)(end - escape));
        at = last != NULL ? last + 1 : end;
    }
}

void add_plain(struct gb_buf *to, struct gb_bytes text)
{
    struct gb_buf shown = {0};

    add_shown(&shown, text);
    add_without_colours(to, gb_buf_bytes(&shown));
    gb_buf_release(&shown);
}

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

void add_duration(struct gb_buf *to, double ms)
{
    if (ms < 1000)
        gb_buf_addf(to, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
    else
        gb_buf_addf(to, "%.2f s", ms / 1000);
}

void cell_stream(struct gb_buf *to, const struct gb_json *cell, const char *name)
{
    char base64_name[32];

    (void)snprintf(base64_name, sizeof(base64_name), "%s_base64", name);
    (void)json_add_bytes(to, cell, name, base64_name);
}

void display_bytes(struct gb_buf *to, const struct gb_json *display)
{
    (void)json_add_bytes(to, display, "text", "base64");
}

double display_size(const struct gb_json *display)
{
    struct gb_bytes base64 = json_text(display, "base64");

    if (base64.size == 0)
        return json_number(display, "bytes") + (double)json_text(display, "text").size;
    return (double)base64.size * 3 / 4;
}

static bool begins(struct gb_bytes text, const char *with)
{
    size_t size = strlen(with);

    return text.size > size && memcmp(text.data, with, size) == 0;
}

double time_of(const struct gb_json *object, const char *name)
{
    double number = json_number(object, name);

    return number > 0 && number < 1e11 ? number : 0;
}

bool is_text_type(struct gb_bytes mime)
{
    return begins(mime, "text/") || gb_bytes_equal(mime, "image/svg+xml") ||
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
    return begins(mime, "image/");
}

struct gb_bytes cell_mode(const struct gb_json *cell)
{
    struct gb_bytes mode = json_text(cell, "mode");

    return mode.size > 0 ? mode : gb_bytes_str("kernel");
}

bool cell_is_running(const struct gb_json *cell)
{
    return gb_bytes_equal(json_text(cell, "state"), "running");
}

bool cell_is_shell(const struct gb_json *cell)
{
    return gb_bytes_equal(cell_mode(cell), "shell");
}

const char *cell_language(const struct document *document, const struct gb_json *cell)
{
    return cell_is_shell(cell) ? "shell" : document->language;
}

uint32_t list_count(const struct gb_json *list)
{
    return list != NULL && list->type == GB_JSON_ARRAY ? list->count : 0;
}

static void add_part(struct gb_buf *to, size_t before, const char *part)
{
    if (to->size > before)
        gb_buf_adds(to, ", ");
    gb_buf_adds(to, part);
}

void cell_trouble(struct gb_buf *to, const struct gb_json *cell)
{
    const struct gb_json *code = json_member(cell, "exit_code");
    struct gb_bytes signum = json_text(cell, "signal");
    size_t before = to->size;

    if (json_true(cell, "code_lost"))
        add_part(to, before, "its code is lost: the journal is damaged");
    if (json_true(cell, "result_lost")) {
        add_part(to, before,
                 "what became of it is lost: the journal is damaged, or could not be "
                 "written");
        return;
    }
    if (json_true(cell, "timed_out"))
        add_part(to, before, "timed out");
    if (json_true(cell, "interrupted"))
        add_part(to, before, "interrupted");
    if (json_true(cell, "oom"))
        add_part(to, before, "out of memory");
    if (signum.size > 0) {
        add_part(to, before, "");
        add_plain(to, signum);
    }
    if (code != NULL && code->type == GB_JSON_NUMBER && gb_json_number(code) != 0) {
        add_part(to, before, "");
        gb_buf_addf(to, "exit code %.0f", gb_json_number(code));
    }
    if (json_true(cell, "state_lost"))
        add_part(to, before, "state lost");
    if (json_text(json_member(cell, "error"), "message").size > 0) {
        add_part(to, before, "");
        add_plain(to, json_text(json_member(cell, "error"), "message"));
    }
    if (to->size == before && !cell_is_running(cell) && cell_exit_status(cell) == EXIT_GLASSBELL)
        add_part(to, before, "no result");
}

/* ---- one document ---- */

static void copy_text(char *to, size_t room, struct gb_bytes text)
{
    struct gb_buf shown = {0};

    add_plain(&shown, text);
    (void)snprintf(to, room, "%s", gb_buf_str(&shown));
    gb_buf_release(&shown);
}

static void begin_json(struct document *document, const struct gb_json *session)
{
    gb_json_object(&document->json, NULL);
    if (session != NULL)
        json_print(&document->json, "session", session);
    gb_json_array(&document->json, "cells");
}

/* The formats that are JSON. */
static void make_visible(struct document *document, size_t from)
{
    if (document->format != DOCUMENT_PY && document->format != DOCUMENT_MD)
        json_make_visible(document->out, from);
}

void document_begin(struct document *document, enum document_format format, struct gb_buf *out,
                    const struct gb_json *session)
{
    struct gb_bytes name = json_text(session, "label");
    size_t from = out->size;

    *document = (struct document){.format = format, .out = out, .json = {.buf = out}};
    if (name.size == 0)
        name = json_text(session, "key");
    if (name.size == 0)
        name = json_text(session, "session");
    copy_text(document->title, sizeof(document->title), name);
    copy_text(document->language, sizeof(document->language), json_text(session, "language"));
    document->created_at = time_of(session, "created_at");
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
        begin_json(document, session);
        break;
    default: /* a recording begins with its first cell */
        break;
    }
    make_visible(document, from);
}

void document_cell(struct document *document, const struct gb_json *cell)
{
    size_t from = document->out->size;

    switch (document->format) {
    case DOCUMENT_IPYNB:
        ipynb_cell(document, cell);
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
    default:
        json_print(&document->json, NULL, cell);
        break;
    }
    make_visible(document, from);
    document->begun = true;
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
    make_visible(document, from);
}
