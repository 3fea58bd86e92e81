/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/content.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/app.h"
#include "cli/cell.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/filter.h"
#include "rpc/base64.h"
#include "show/words.h"

enum {
    IMAGE_COUNT_MAX = 16,
    IMAGE_BYTES_MAX = 4u << 20,   /* one image, in base64 */
    IMAGES_BYTES_MAX = 12u << 20, /* all images */
    FILES_SHOWN = 20
};

struct writer {
    struct gb_json_out *out;
    bool structured;
    struct gb_buf text;   /* the first block of text */
    struct gb_buf fields; /* content of structuredContent */
    struct gb_json_out object;
};

static void content_begin(struct writer *writer, struct gb_json_out *out, enum revision revision)
{
    *writer = (struct writer){.out = out, .structured = revision >= REVISION_2025_06_18};
    writer->object.buf = &writer->fields;
    gb_json_object(&writer->object, NULL);
}

static void content_put_text_block(struct gb_json_out *out, struct gb_bytes text)
{
    gb_json_object(out, NULL);
    gb_json_put_str(out, "type", "text");
    gb_json_put(out, "text", text);
    gb_json_end(out);
}

static void content_put_image_block(struct gb_json_out *out, struct gb_bytes mime,
                                    struct gb_bytes base64)
{
    gb_json_object(out, NULL);
    gb_json_put_str(out, "type", "image");
    gb_json_put(out, "data", base64);
    gb_json_put(out, "mimeType", mime);
    gb_json_end(out);
}

/* Opens the array "content" and writes its first block. */
static void content_begin_content(struct writer *writer)
{
    gb_json_array(writer->out, "content");
    content_put_text_block(writer->out, gb_buf_bytes(&writer->text));
}

static void content_end(struct writer *writer, bool is_error)
{
    gb_json_end(writer->out);
    gb_json_end(&writer->object);
    if (writer->structured)
        gb_json_put_raw(writer->out, "structuredContent", gb_buf_bytes(&writer->fields));
    gb_json_put_bool(writer->out, "isError", is_error);
    gb_buf_release(&writer->text);
    gb_buf_release(&writer->fields);
}

/* Starts a new line. */
static void content_new_line(struct gb_buf *text)
{
    if (text->size > 0 && gb_buf_data(text)[text->size - 1] != '\n')
        gb_buf_adds(text, "\n");
}

/* Copies members of the answer unchanged. */
static void content_copy(struct writer *writer, const struct gb_json *from,
                         const char *const *names)
{
    for (; *names != NULL; names++) {
        const struct gb_json *value = gb_json_member(from, *names);

        if (value != NULL)
            json_print(&writer->object, *names, value);
    }
}

/* ---- foreign text ---- */

static void content_add_filtered(struct gb_buf *out, struct gb_bytes text)
{
    struct filter filter = {0};

    filter_add(&filter, out, text);
    filter_end(&filter, out);
}

size_t content_add_text(struct gb_buf *out, struct gb_bytes text, size_t limit)
{
    size_t head = limit / 4, tail = limit - head, left;

    if (text.size <= limit) {
        content_add_filtered(out, text);
        return 0;
    }
    head -= gb_utf8_unfinished((struct gb_bytes){text.data, head});
    /* Do not split a character. */
    while (tail > 0 && (text.data[text.size - tail] & 0xc0) == 0x80)
        tail--;
    left = text.size - head - tail;
    content_add_filtered(out, (struct gb_bytes){text.data, head});
    content_new_line(out);
    gb_buf_addf(out, "[... %zu bytes left out ...]\n", left);
    content_add_filtered(out, (struct gb_bytes){text.data + text.size - tail, tail});
    return left;
}

/* Decodes base64 to the end of @to; false if invalid. */
static bool content_decode(struct gb_buf *to, struct gb_bytes encoded)
{
    uint8_t *room = gb_buf_reserve(to, encoded.size / 4 * 3 + 3, SIZE_MAX);
    ptrdiff_t size = room == NULL ? -1 : gb_base64_decode(encoded, room);

    if (size < 0)
        return false;
    gb_buf_commit(to, (size_t)size);
    return true;
}

/* ---- cells ---- */

struct stream {
    const char *name, *base64_name, *heading;
    uint64_t left_out;
};

static void content_add_stream(struct writer *writer, const struct gb_json *cell,
                               struct stream *stream, size_t limit)
{
    struct gb_buf bytes = {0}, shown = {0};
    double dropped = json_number(json_member(cell, "truncated"), stream->name);

    (void)json_add_bytes(&bytes, cell, stream->name, stream->base64_name);
    stream->left_out = content_add_text(&shown, gb_buf_bytes(&bytes), limit);
    if (dropped > 0 && dropped < 9e15)
        stream->left_out += (uint64_t)dropped;
    gb_json_put(&writer->object, stream->name, gb_buf_bytes(&shown));
    if (shown.size > 0) {
        content_new_line(&writer->text);
        gb_buf_adds(&writer->text, stream->heading);
        gb_buf_add(&writer->text, gb_buf_data(&shown), shown.size);
    }
    gb_buf_release(&bytes);
    gb_buf_release(&shown);
}

static void content_add_streams(struct writer *writer, const struct gb_json *cell, size_t limit)
{
    struct stream streams[] = {{"stdout", "stdout_base64", "", 0},
                               {"stderr", "stderr_base64", "[stderr]\n", 0}};

    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        content_add_stream(writer, cell, &streams[i], limit);
    gb_json_object(&writer->object, "truncated");
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        gb_json_put_u64(&writer->object, streams[i].name, streams[i].left_out);
    gb_json_end(&writer->object);
    for (size_t i = 0; i < ARRAY_SIZE(streams); i++) {
        if (streams[i].left_out == 0)
            continue;
        content_new_line(&writer->text);
        gb_buf_addf(&writer->text,
                    "[%s: %" PRIu64 " bytes are left out here. Let the code write what is long to "
                    "a file and read pieces of it with read_file, or raise max_output]\n",
                    streams[i].name, streams[i].left_out);
    }
}

static void content_add_value(struct writer *writer, const struct gb_json *cell, size_t limit)
{
    const struct gb_json *value = json_member(cell, "value");
    struct gb_buf shown = {0};

    if (value == NULL || value->type != GB_JSON_STRING)
        return;
    (void)content_add_text(&shown, value->text, limit);
    gb_json_put(&writer->object, "value", gb_buf_bytes(&shown));
    content_new_line(&writer->text);
    gb_buf_adds(&writer->text, "[value] ");
    gb_buf_add(&writer->text, gb_buf_data(&shown), shown.size);
    gb_buf_release(&shown);
}

/* A path or a name, whatever its bytes. */
static void content_add_name(struct gb_buf *to, const struct gb_json *thing, const char *text_key,
                             const char *base64_key)
{
    struct gb_buf name = {0};

    (void)json_add_bytes(&name, thing, text_key, base64_key);
    content_add_filtered(to, gb_buf_bytes(&name));
    gb_buf_release(&name);
}

static void content_add_files(struct writer *writer, const struct gb_json *cell)
{
    const struct gb_json *files = json_member(cell, "files"), *file;

    if (files == NULL || files->type != GB_JSON_ARRAY)
        return;
    json_print(&writer->object, "files", files);
    if (files->count == 0)
        return;
    content_new_line(&writer->text);
    gb_buf_adds(&writer->text, "[files] ");
    file = gb_json_first(files);
    for (uint32_t i = 0; i < files->count && i < FILES_SHOWN; i++, file = gb_json_next(file)) {
        struct gb_bytes change = json_text(file, "change");

        gb_buf_addf(&writer->text, "%s%.*s ", i == 0 ? "" : ", ", (int)change.size,
                    (const char *)change.data);
        content_add_name(&writer->text, file, "path", "path_base64");
    }
    if (files->count > FILES_SHOWN)
        gb_buf_addf(&writer->text, " and %" PRIu32 " more", files->count - FILES_SHOWN);
}

static void content_add_background(struct writer *writer, const struct gb_json *cell, size_t limit)
{
    const struct gb_json *list = json_member(cell, "background"), *piece;

    if (list == NULL || list->type != GB_JSON_ARRAY || list->count == 0)
        return;
    gb_json_array(&writer->object, "background");
    piece = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, piece = gb_json_next(piece)) {
        struct gb_bytes stream = json_text(piece, "stream");
        struct gb_buf bytes = {0}, shown = {0};

        (void)json_add_bytes(&bytes, piece, "text", "base64");
        (void)content_add_text(&shown, gb_buf_bytes(&bytes), limit);
        gb_json_object(&writer->object, NULL);
        gb_json_put_u64(&writer->object, "cell", json_count(piece, "cell"));
        gb_json_put(&writer->object, "stream", stream);
        gb_json_put(&writer->object, "text", gb_buf_bytes(&shown));
        gb_json_end(&writer->object);
        content_new_line(&writer->text);
        gb_buf_addf(&writer->text, "[%.*s of a background process of cell %.0f]\n",
                    (int)stream.size, (const char *)stream.data, json_number(piece, "cell"));
        gb_buf_add(&writer->text, gb_buf_data(&shown), shown.size);
        gb_buf_release(&bytes);
        gb_buf_release(&shown);
    }
    gb_json_end(&writer->object);
}

static void content_add_sentence(struct writer *writer, const struct gb_json *cell,
                                 const char *name)
{
    struct gb_bytes text = json_text(cell, name);
    struct gb_buf shown = {0};

    if (text.size == 0)
        return;
    (void)content_add_text(&shown, text, 4096);
    gb_json_put(&writer->object, name, gb_buf_bytes(&shown));
    content_new_line(&writer->text);
    gb_buf_addf(&writer->text, "[%s] %s\n", name, gb_buf_str(&shown));
    gb_buf_release(&shown);
}

static void content_add_end(struct writer *writer, const struct gb_json *cell)
{
    const struct gb_json *code = json_member(cell, "exit_code");
    struct gb_bytes signum = json_text(cell, "signal");
    struct gb_buf *text = &writer->text;

    content_new_line(text);
    if (json_true(cell, "timed_out"))
        gb_buf_addf(text, "[timed out after %.1f s]\n", json_number(cell, "wall_ms") / 1000);
    if (json_true(cell, "oom"))
        gb_buf_adds(text, "[the VM had no memory left]\n");
    if (json_true(cell, "interrupted"))
        gb_buf_adds(text, "[interrupted]\n");
    if (json_true(cell, "state_lost"))
        gb_buf_adds(text, "[the interpreter is a new one: names and imports are gone, files are "
                          "still there]\n");
    if (signum.size > 0)
        gb_buf_addf(text, "[ended by %.*s]\n", (int)signum.size, (const char *)signum.data);
    if (code != NULL && code->type == GB_JSON_NUMBER && gb_json_number(code) != 0)
        gb_buf_addf(text, "[exit code %.0f]\n", gb_json_number(code));
    if (text->size == 0)
        gb_buf_adds(text, "[no output]\n");
}

static bool content_is_picture(struct gb_bytes mime)
{
    static const char *const known[] = {"image/png", "image/jpeg", "image/gif", "image/webp"};

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (gb_bytes_equal(mime, known[i]))
            return true;
    return false;
}

static bool content_is_readable(struct gb_bytes mime)
{
    return (mime.size > 5 && memcmp(mime.data, "text/", 5) == 0) ||
           gb_bytes_equal(mime, "application/json") || gb_bytes_equal(mime, "image/svg+xml");
}

static size_t content_decoded_size(struct gb_bytes base64)
{
    return base64.size / 4 * 3;
}

/* A display as a separate block, or a line that says why it is not included. */
static void content_put_display(struct writer *writer, const struct gb_json *display, size_t *count,
                                size_t *bytes, size_t limit)
{
    struct gb_bytes mime = json_text(display, "mime"), base64 = json_text(display, "base64");
    struct gb_buf text = {0}, raw = {0};
    char size[32];

    if (content_is_picture(mime) && base64.size <= IMAGE_BYTES_MAX && *count < IMAGE_COUNT_MAX &&
        *bytes + base64.size <= IMAGES_BYTES_MAX) {
        *count += 1;
        *bytes += base64.size;
        content_put_image_block(writer->out, mime, base64);
        return;
    }
    words_size(size, sizeof(size), (double)content_decoded_size(base64));
    if (content_is_readable(mime) && content_decode(&raw, base64)) {
        gb_buf_addf(&text, "[display %.*s, %s]\n", (int)mime.size, (const char *)mime.data, size);
        (void)content_add_text(&text, gb_buf_bytes(&raw), limit);
    } else {
        gb_buf_addf(&text, "[display %.*s, %s, is left out; let the code save it to a file]",
                    (int)mime.size, (const char *)mime.data, size);
    }
    content_put_text_block(writer->out, gb_buf_bytes(&text));
    gb_buf_release(&text);
    gb_buf_release(&raw);
}

static void content_put_displays(struct writer *writer, const struct gb_json *cell, size_t limit)
{
    const struct gb_json *list = json_member(cell, "displays"), *display;
    size_t count = 0, bytes = 0;

    if (list == NULL || list->type != GB_JSON_ARRAY || list->count == 0)
        return;
    gb_json_array(&writer->object, "displays");
    display = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, display = gb_json_next(display)) {
        content_put_display(writer, display, &count, &bytes, limit);
        gb_json_object(&writer->object, NULL);
        gb_json_put(&writer->object, "mime", json_text(display, "mime"));
        gb_json_put_u64(&writer->object, "bytes",
                        content_decoded_size(json_text(display, "base64")));
        gb_json_end(&writer->object);
    }
    gb_json_end(&writer->object);
}

static void content_add_cell(struct writer *writer, const struct tool *tool,
                             const struct tool_options *options, const struct gb_json *cell)
{
    static const char *const plain[] = {
        "exit_code",  "signal",  "timed_out", "interrupted",       "oom",
        "state_lost", "wall_ms", "cpu_ms",    "peak_memory_bytes", NULL};
    static const char *const of_session[] = {"session", "cell", NULL};
    size_t limit = (size_t)options->max_output;

    if (strcmp(tool->method, "run") != 0)
        content_copy(writer, cell, of_session);
    content_add_background(writer, cell, limit);
    content_add_streams(writer, cell, limit);
    content_add_value(writer, cell, limit);
    content_add_files(writer, cell);
    content_add_sentence(writer, cell, "note");
    content_add_sentence(writer, cell, "notice");
    content_copy(writer, cell, plain);
}

/* An unreadable outcome counts as a failure. */
static bool content_failed(const struct gb_json *cell)
{
    struct gb_cell_info told;

    return gb_object_read(&gb_cell_object, cell, &told, NULL) < 0 || cell_exit_status(&told) != 0;
}

static void content_write_cell(struct writer *writer, const struct tool *tool,
                               const struct tool_options *options, const struct gb_json *cell)
{
    content_add_cell(writer, tool, options, cell);
    content_add_end(writer, cell);
    content_begin_content(writer);
    content_put_displays(writer, cell, (size_t)options->max_output);
    content_end(writer, content_failed(cell));
}

/* ---- files ---- */

static const char *content_picture_type(struct gb_bytes bytes)
{
    static const struct {
        const char *mime, *magic;
        size_t at, size;
    } known[] = {
        {"image/png", "\x89PNG\r\n\x1a\n", 0, 8},
        {"image/jpeg", "\xff\xd8\xff", 0, 3},
        {"image/gif", "GIF87a", 0, 6},
        {"image/gif", "GIF89a", 0, 6},
        {"image/webp", "WEBP", 8, 4},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (bytes.size >= known[i].at + known[i].size &&
            memcmp(bytes.data + known[i].at, known[i].magic, known[i].size) == 0)
            return known[i].mime;
    return NULL;
}

static void content_add_range(struct writer *writer, const struct tool_options *options,
                              size_t shown, uint64_t size, bool eof)
{
    struct gb_json_out *object = &writer->object;
    uint64_t next = (uint64_t)options->offset + shown;

    gb_json_put_str(object, "path", options->path);
    gb_json_put_i64(object, "offset", options->offset);
    gb_json_put_u64(object, "size", size);
    gb_json_put_bool(object, "eof", eof);
    if (!eof)
        gb_json_put_u64(object, "next_offset", next);
    if (!eof || options->offset > 0) {
        content_new_line(&writer->text);
        gb_buf_addf(&writer->text, "[bytes %" PRIi64 " to %" PRIu64 " of %" PRIu64, options->offset,
                    next, size);
        gb_buf_adds(&writer->text, eof ? ": the end]\n" : "; read on with offset=");
        if (!eof)
            gb_buf_addf(&writer->text, "%" PRIu64 "]\n", next);
    }
}

static void content_write_picture(struct writer *writer, const struct tool_options *options,
                                  const char *mime, struct gb_bytes bytes)
{
    struct gb_buf base64 = {0};
    char size[32];

    words_size(size, sizeof(size), (double)bytes.size);
    gb_buf_addf(&writer->text, "[%s, %s]", mime, size);
    gb_json_put_str(&writer->object, "mime", mime);
    content_add_range(writer, options, bytes.size, bytes.size, true);
    gb_base64_encode(&base64, bytes);
    content_begin_content(writer);
    content_put_image_block(writer->out, gb_bytes_str(mime), gb_buf_bytes(&base64));
    content_end(writer, false);
    gb_buf_release(&base64);
}

static void content_write_file(struct writer *writer, const struct tool_options *options,
                               const struct gb_json *result)
{
    uint64_t size = json_count(result, "size");
    bool eof = json_true(result, "eof");
    struct gb_buf raw = {0};
    struct gb_bytes bytes;
    const char *mime;

    (void)json_add_bytes(&raw, result, "text", "base64");
    bytes = gb_buf_bytes(&raw);
    mime = options->whole_image && eof ? content_picture_type(bytes) : NULL;
    if (mime != NULL) {
        content_write_picture(writer, options, mime, bytes);
        gb_buf_release(&raw);
        return;
    }
    if (!eof)
        bytes.size -= gb_utf8_unfinished(bytes);
    if (gb_utf8_valid(bytes)) {
        gb_json_put(&writer->object, "text", bytes);
        gb_buf_add(&writer->text, bytes.data, bytes.size);
    } else {
        bytes = gb_buf_bytes(&raw);
        gb_json_put_base64(&writer->object, "base64", bytes);
        gb_buf_adds(&writer->text, "[not text; in base64]\n");
        gb_base64_encode(&writer->text, bytes);
    }
    content_add_range(writer, options, bytes.size, size, eof);
    content_begin_content(writer);
    content_end(writer, false);
    gb_buf_release(&raw);
}

static void content_write_entries(struct writer *writer, const struct tool_options *options,
                                  const struct gb_json *result)
{
    static const char *const plain[] = {"type", "size", "mtime", "mode", NULL};
    static const char *const rest[] = {"more", "next", NULL};
    const struct gb_json *list = json_member(result, "entries"), *entry = NULL;
    struct gb_bytes next = json_text(result, "next");
    uint32_t count = list != NULL && list->type == GB_JSON_ARRAY ? list->count : 0;

    gb_json_put_str(&writer->object, "path", options->path[0] != '\0' ? options->path : ".");
    gb_json_array(&writer->object, "entries");
    for (uint32_t i = 0; i < count; i++) {
        struct gb_bytes type;
        struct gb_buf name = {0};

        entry = i == 0 ? gb_json_first(list) : gb_json_next(entry);
        type = json_text(entry, "type");
        content_add_name(&name, entry, "name", "name_base64");
        gb_json_object(&writer->object, NULL);
        gb_json_put(&writer->object, "name", gb_buf_bytes(&name));
        content_copy(writer, entry, plain);
        gb_json_end(&writer->object);
        gb_buf_addf(&writer->text, "%-7.*s %12.0f  %s\n", (int)type.size, (const char *)type.data,
                    json_number(entry, "size"), gb_buf_str(&name));
        gb_buf_release(&name);
    }
    gb_json_end(&writer->object);
    content_copy(writer, result, rest);
    if (count == 0)
        gb_buf_adds(&writer->text, "[the folder is empty]\n");
    if (json_true(result, "more"))
        gb_buf_addf(&writer->text, "[there are more; go on with next=%.*s]\n", (int)next.size,
                    (const char *)next.data);
    content_begin_content(writer);
    content_end(writer, false);
}

/* ---- sessions ---- */

static void content_write_opened(struct writer *writer, const struct gb_json *result)
{
    static const char *const plain[] = {"session", "created", "incarnation",
                                        "reason",  "source",  NULL};
    struct gb_bytes id = json_text(result, "session"), reason = json_text(result, "reason");

    content_copy(writer, result, plain);
    gb_buf_addf(&writer->text, "session %.*s (%.*s)", (int)id.size, (const char *)id.data,
                (int)reason.size, (const char *)reason.data);
    content_begin_content(writer);
    content_end(writer, false);
}

static void content_write_sessions(struct writer *writer, const struct gb_json *result)
{
    static const char *const plain[] = {"session",        "key",        "label",     "image",
                                        "language",       "state",      "cells",     "created_at",
                                        "last_active_at", "expires_at", "memory_mb", NULL};
    const struct gb_json *list = json_member(result, "sessions"), *session = NULL;
    uint32_t count = list != NULL && list->type == GB_JSON_ARRAY ? list->count : 0;

    gb_json_array(&writer->object, "sessions");
    for (uint32_t i = 0; i < count; i++) {
        struct gb_bytes label;

        session = i == 0 ? gb_json_first(list) : gb_json_next(session);
        label = json_text(session, "label");
        if (label.size == 0)
            label = json_text(session, "key");
        gb_json_object(&writer->object, NULL);
        content_copy(writer, session, plain);
        gb_json_end(&writer->object);
        content_add_filtered(&writer->text, json_text(session, "session"));
        gb_buf_adds(&writer->text, "  ");
        content_add_filtered(&writer->text, json_text(session, "image"));
        gb_buf_adds(&writer->text, "  ");
        content_add_filtered(&writer->text, json_text(session, "state"));
        gb_buf_addf(&writer->text, "  %.0f cells  ", json_number(session, "cells"));
        content_add_filtered(&writer->text, label);
        gb_buf_adds(&writer->text, "\n");
    }
    gb_json_end(&writer->object);
    if (count == 0)
        gb_buf_adds(&writer->text, "[no session is open]\n");
    content_begin_content(writer);
    content_end(writer, false);
}

static void content_write_done(struct writer *writer, const struct tool_options *options)
{
    gb_json_put_str(&writer->object, "session", options->session);
    gb_buf_adds(&writer->text, "done");
    content_begin_content(writer);
    content_end(writer, false);
}

static void content_write_written(struct writer *writer, const struct tool_options *options,
                                  const struct gb_json *result)
{
    static const char *const plain[] = {"size", NULL};

    gb_json_put_str(&writer->object, "path", options->path);
    content_copy(writer, result, plain);
    gb_buf_addf(&writer->text, "%.0f bytes written", json_number(result, "size"));
    content_begin_content(writer);
    content_end(writer, false);
}

void content_write(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                   const struct tool_options *options, const struct gb_json *result)
{
    struct writer writer;

    content_begin(&writer, out, revision);
    switch (tool->answer) {
    case ANSWER_CELL:
        content_write_cell(&writer, tool, options, result);
        break;
    case ANSWER_OPENED:
        content_write_opened(&writer, result);
        break;
    case ANSWER_FILE:
        content_write_file(&writer, options, result);
        break;
    case ANSWER_WRITTEN:
        content_write_written(&writer, options, result);
        break;
    case ANSWER_ENTRIES:
        content_write_entries(&writer, options, result);
        break;
    case ANSWER_SESSIONS:
        content_write_sessions(&writer, result);
        break;
    case ANSWER_DONE:
        content_write_done(&writer, options);
        break;
    case ANSWER_COUNT:
        assert(false);
        break;
    }
}

static const char *content_advice(const struct content_error *error)
{
    if (error->dispatched)
        return "the code may have run: look before you run it again";
    return error->retryable ? "nothing ran; the same call may work later" : "nothing ran";
}

void content_write_error(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                         const struct tool_options *options, const struct content_error *error,
                         const struct gb_json *cell)
{
    struct writer writer;
    struct gb_buf message = {0};

    content_begin(&writer, out, revision);
    content_add_filtered(&message, gb_bytes_str(error->message));
    if (tool->runs_code)
        gb_buf_addf(&writer.text, "%s (%s: %s)\n", gb_buf_str(&message), error->kind,
                    content_advice(error));
    else
        gb_buf_addf(&writer.text, "%s (%s)\n", gb_buf_str(&message), error->kind);
    gb_json_object(&writer.object, "error");
    gb_json_put_str(&writer.object, "kind", error->kind);
    gb_json_put(&writer.object, "message", gb_buf_bytes(&message));
    gb_json_put_bool(&writer.object, "dispatched", error->dispatched);
    gb_json_put_bool(&writer.object, "retryable", error->retryable);
    gb_json_end(&writer.object);
    if (cell != NULL)
        content_add_cell(&writer, tool, options, cell);
    content_begin_content(&writer);
    content_end(&writer, true);
    gb_buf_release(&message);
}
