/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/content.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "base/clock.h"
#include "cli/app.h"
#include "cli/cell.h"
#include "model/answer.h"
#include "model/entry.h"
#include "model/event.h"
#include "model/past.h"
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

/* Copies members of the answer for programs, unchanged. */
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

/* ---- cells ---- */

struct stream {
    const char *name, *heading;
    struct gb_bytes data;
    bool base64;
    uint64_t left_out; /* first by the server, then here as well */
};

static void content_add_stream(struct writer *writer, struct stream *stream, size_t limit)
{
    struct gb_buf bytes = {0}, shown = {0};

    (void)gb_bytes_add_decoded(&bytes, stream->data, stream->base64);
    stream->left_out += content_add_text(&shown, gb_buf_bytes(&bytes), limit);
    gb_json_put(&writer->object, stream->name, gb_buf_bytes(&shown));
    if (shown.size > 0) {
        content_new_line(&writer->text);
        gb_buf_adds(&writer->text, stream->heading);
        gb_buf_add(&writer->text, gb_buf_data(&shown), shown.size);
    }
    gb_buf_release(&bytes);
    gb_buf_release(&shown);
}

static void content_add_streams(struct writer *writer, const struct gb_cell_info *cell,
                                size_t limit)
{
    struct stream streams[] = {
        {"stdout", "", cell->out, (cell->flags & GB_CELL_OUT_BASE64) != 0, cell->dropped_stdout},
        {"stderr", "[stderr]\n", cell->err, (cell->flags & GB_CELL_ERR_BASE64) != 0,
         cell->dropped_stderr}};

    for (size_t i = 0; i < ARRAY_SIZE(streams); i++)
        content_add_stream(writer, &streams[i], limit);
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

static void content_add_value(struct writer *writer, const struct gb_cell_info *cell, size_t limit)
{
    struct gb_buf shown = {0};

    if ((cell->flags & GB_CELL_HAS_VALUE) == 0)
        return;
    (void)content_add_text(&shown, cell->value, limit);
    gb_json_put(&writer->object, "value", gb_buf_bytes(&shown));
    content_new_line(&writer->text);
    gb_buf_adds(&writer->text, "[value] ");
    gb_buf_add(&writer->text, gb_buf_data(&shown), shown.size);
    gb_buf_release(&shown);
}

/* A path or a name, whatever its bytes. */
static void content_add_name(struct gb_buf *to, struct gb_bytes bytes, bool base64)
{
    struct gb_buf name = {0};

    (void)gb_bytes_add_decoded(&name, bytes, base64);
    content_add_filtered(to, gb_buf_bytes(&name));
    gb_buf_release(&name);
}

static void content_add_files(struct writer *writer, const struct gb_cell_info *cell)
{
    const uint32_t count = gb_items_count(&cell->files);
    struct gb_file_info file;
    size_t at = 0;

    if (count == 0)
        return;
    content_new_line(&writer->text);
    gb_buf_adds(&writer->text, "[files] ");
    for (uint32_t i = 0;
         i < FILES_SHOWN && gb_items_next(&gb_file_info_object, &cell->files, &at, &file) == 1;
         i++) {
        gb_buf_addf(&writer->text, "%s%s ", i == 0 ? "" : ", ", gb_change_to_string(file.change));
        content_add_name(&writer->text, file.path, (file.flags & GB_FILE_INFO_BASE64) != 0);
    }
    if (count > FILES_SHOWN)
        gb_buf_addf(&writer->text, " and %" PRIu32 " more", count - FILES_SHOWN);
}

static void content_add_background(struct writer *writer, const struct gb_json *result,
                                   size_t limit)
{
    const struct gb_json *list = json_array(result, "background"), *json = NULL;

    if (json_list_count(list) == 0)
        return;
    gb_json_array(&writer->object, "background");
    JSON_FOREACH(json, list) {
        struct gb_buf bytes = {0}, shown = {0};
        struct gb_output_info piece;

        if (gb_object_read(&gb_background_object, json, &piece, NULL) < 0)
            continue;
        (void)gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_OUTPUT_BASE64) != 0);
        (void)content_add_text(&shown, gb_buf_bytes(&bytes), limit);
        gb_json_object(&writer->object, NULL);
        gb_json_put_u64(&writer->object, "cell", piece.cell);
        gb_json_put_str(&writer->object, "stream", gb_output_to_string(piece.stream));
        gb_json_put(&writer->object, "text", gb_buf_bytes(&shown));
        gb_json_end(&writer->object);
        content_new_line(&writer->text);
        gb_buf_addf(&writer->text, "[%s of a background process of cell %u]\n",
                    gb_output_to_string(piece.stream), piece.cell);
        gb_buf_add(&writer->text, gb_buf_data(&shown), shown.size);
        gb_buf_release(&bytes);
        gb_buf_release(&shown);
    }
    gb_json_end(&writer->object);
}

static void content_add_refused(struct writer *writer, const struct gb_json *result)
{
    const struct gb_json *list = json_array(result, "network_refused"), *json = NULL;
    bool first = true;

    if (json_list_count(list) == 0)
        return;
    gb_json_array(&writer->object, "network_refused");
    content_new_line(&writer->text);
    gb_buf_adds(&writer->text, "[network_refused] ");
    JSON_FOREACH(json, list) {
        struct gb_buf shown = {0};

        if (json->type != GB_JSON_STRING)
            continue;
        content_add_filtered(&shown, json->text);
        gb_json_put(&writer->object, NULL, gb_buf_bytes(&shown));
        gb_buf_addf(&writer->text, "%s%s", first ? "" : ", ", gb_buf_str(&shown));
        gb_buf_release(&shown);
        first = false;
    }
    gb_json_end(&writer->object);
}

static void content_add_sentence(struct writer *writer, const char *name, struct gb_bytes text)
{
    struct gb_buf shown = {0};

    if (text.size == 0)
        return;
    (void)content_add_text(&shown, text, 4096);
    gb_json_put(&writer->object, name, gb_buf_bytes(&shown));
    content_new_line(&writer->text);
    gb_buf_addf(&writer->text, "[%s] %s\n", name, gb_buf_str(&shown));
    gb_buf_release(&shown);
}

static void content_add_end(struct writer *writer, const struct gb_cell_info *cell)
{
    struct gb_buf *text = &writer->text;
    char signal[GB_SIGNAL_NAME_MAX];

    content_new_line(text);
    if ((cell->flags & GB_CELL_TIMED_OUT) != 0)
        gb_buf_addf(text, "[timed out after %.1f s]\n", (double)cell->wall_ns / GB_NS_PER_S);
    if ((cell->flags & GB_CELL_OOM) != 0)
        gb_buf_adds(text, "[the VM had no memory left]\n");
    if ((cell->flags & GB_CELL_INTERRUPTED) != 0)
        gb_buf_adds(text, "[interrupted]\n");
    if ((cell->flags & GB_CELL_STATE_LOST) != 0)
        gb_buf_adds(text, "[the interpreter is a new one: names and imports are gone, files are "
                          "still there]\n");
    if ((cell->flags & GB_CELL_ROLLED_BACK) != 0)
        gb_buf_adds(text, "[the session was taken back to how it was before this, variables and "
                          "files]\n");
    if (cell->signal > 0) {
        gb_signal_to_string(cell->signal, signal);
        gb_buf_addf(text, "[ended by %s]\n", signal);
    }
    if (cell->exit_code > 0)
        gb_buf_addf(text, "[exit code %d]\n", (int)cell->exit_code);
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

/* About the size of the data. */
static size_t content_decoded_size(struct gb_bytes base64)
{
    return base64.size / 4 * 3;
}

/* A display as a separate block, or a line that says why it is not included. */
static void content_put_display(struct writer *writer, const struct gb_display_info *display,
                                size_t *count, size_t *bytes, size_t limit)
{
    const struct gb_bytes mime = display->mime, base64 = display->data;
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
    if (content_is_readable(mime) && gb_bytes_add_decoded(&raw, base64, true)) {
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

static void content_put_displays(struct writer *writer, const struct gb_cell_info *cell,
                                 size_t limit)
{
    size_t count = 0, bytes = 0, at = 0;
    struct gb_display_info display;

    if (gb_items_count(&cell->displays) == 0)
        return;
    gb_json_array(&writer->object, "displays");
    while (gb_items_next(&gb_display_object, &cell->displays, &at, &display) == 1) {
        content_put_display(writer, &display, &count, &bytes, limit);
        gb_json_object(&writer->object, NULL);
        gb_json_put(&writer->object, "mime", display.mime);
        gb_json_put_u64(&writer->object, "bytes", content_decoded_size(display.data));
        gb_json_end(&writer->object);
    }
    gb_json_end(&writer->object);
}

/* @result: the same as @cell, and what stands beside it. */
static void content_add_cell(struct writer *writer, const struct tool *tool,
                             const struct tool_options *options, const struct gb_cell_info *cell,
                             const struct gb_json *result)
{
    static const char *const files[] = {"files", NULL};
    static const char *const plain[] = {
        "exit_code",  "signal",  "timed_out", "interrupted",       "oom",
        "state_lost", "wall_ms", "cpu_ms",    "peak_memory_bytes", NULL};
    static const char *const of_session[] = {"session", "cell", NULL};
    size_t limit = (size_t)options->max_output;

    if (strcmp(tool->method, "run") != 0)
        content_copy(writer, result, of_session);
    content_add_background(writer, result, limit);
    content_add_streams(writer, cell, limit);
    content_add_value(writer, cell, limit);
    content_copy(writer, result, files);
    content_add_files(writer, cell);
    content_add_sentence(writer, "note", cell->note);
    content_add_refused(writer, result);
    content_add_sentence(writer, "notice", json_text(result, "notice"));
    content_copy(writer, result, plain);
}

static void content_write_cell(struct writer *writer, const struct tool *tool,
                               const struct tool_options *options, const struct gb_json *result)
{
    struct gb_cell_info cell;

    gb_object_take(&gb_cell_object, result, &cell);
    content_add_cell(writer, tool, options, &cell, result);
    content_add_end(writer, &cell);
    content_begin_content(writer);
    content_put_displays(writer, &cell, (size_t)options->max_output);
    content_end(writer, cell_exit_status(&cell) != 0);
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
    struct gb_buf raw = {0};
    struct gb_piece_info piece;
    struct gb_bytes bytes;
    const char *mime;
    bool eof;

    gb_object_take(&gb_piece_object, result, &piece);
    eof = (piece.flags & GB_PIECE_EOF) != 0;
    (void)gb_bytes_add_decoded(&raw, piece.data, (piece.flags & GB_PIECE_BASE64) != 0);
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
    content_add_range(writer, options, bytes.size, piece.size, eof);
    content_begin_content(writer);
    content_end(writer, false);
    gb_buf_release(&raw);
}

static void content_write_entries(struct writer *writer, const struct tool_options *options,
                                  const struct gb_json *result)
{
    static const char *const plain[] = {"type", "size", "mtime", "mode", NULL};
    static const char *const rest[] = {"more", "next", NULL};
    const struct gb_json *json = NULL;
    struct gb_listing_info listing;

    gb_object_take(&gb_listing_object, result, &listing);
    gb_json_put_str(&writer->object, "path", options->path[0] != '\0' ? options->path : ".");
    gb_json_array(&writer->object, "entries");
    JSON_FOREACH(json, listing.entries.json) {
        struct gb_entry_info entry;
        struct gb_buf name = {0};

        gb_object_take(&gb_entry_object, json, &entry);
        content_add_name(&name, entry.name, (entry.flags & GB_ENTRY_BASE64) != 0);
        gb_json_object(&writer->object, NULL);
        gb_json_put(&writer->object, "name", gb_buf_bytes(&name));
        content_copy(writer, json, plain);
        gb_json_end(&writer->object);
        gb_buf_addf(&writer->text, "%-7s %12" PRIu64 "  %s\n", gb_entry_type_to_string(entry.type),
                    entry.size, gb_buf_str(&name));
        gb_buf_release(&name);
    }
    gb_json_end(&writer->object);
    content_copy(writer, result, rest);
    if (json_list_count(listing.entries.json) == 0)
        gb_buf_adds(&writer->text, "[the folder is empty]\n");
    if ((listing.flags & GB_PAGE_MORE) != 0)
        gb_buf_addf(&writer->text, "[there are more; go on with next=%.*s]\n",
                    (int)listing.next.size, (const char *)listing.next.data);
    content_begin_content(writer);
    content_end(writer, false);
}

/* ---- sessions ---- */

static void content_write_opened(struct writer *writer, const struct gb_json *result)
{
    static const char *const plain[] = {"session", "created", "incarnation",
                                        "reason",  "source",  NULL};
    struct gb_opened_info opened;

    gb_object_take(&gb_opened_object, result, &opened);
    content_copy(writer, result, plain);
    gb_buf_addf(&writer->text, "session %.*s (%.*s)", (int)opened.session.size,
                (const char *)opened.session.data, (int)opened.reason.size,
                (const char *)opened.reason.data);
    content_begin_content(writer);
    content_end(writer, false);
}

static void content_write_sessions(struct writer *writer, const struct gb_json *result)
{
    static const char *const plain[] = {"session",        "key",        "label",     "image",
                                        "language",       "state",      "cells",     "created_at",
                                        "last_active_at", "expires_at", "memory_mb", NULL};
    const struct gb_json *list = json_array(result, "sessions"), *json = NULL;

    gb_json_array(&writer->object, "sessions");
    JSON_FOREACH(json, list) {
        struct gb_session_info session;

        gb_object_take(&gb_session_object, json, &session);
        gb_json_object(&writer->object, NULL);
        content_copy(writer, json, plain);
        gb_json_end(&writer->object);
        content_add_filtered(&writer->text, session.id);
        gb_buf_adds(&writer->text, "  ");
        content_add_filtered(&writer->text, session.image);
        gb_buf_addf(&writer->text, "  %s  %u cells  ", gb_session_state_to_string(session.state),
                    session.cells);
        content_add_filtered(&writer->text, session.label.size > 0 ? session.label : session.key);
        gb_buf_adds(&writer->text, "\n");
    }
    gb_json_end(&writer->object);
    if (json_list_count(list) == 0)
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
    struct gb_written_info written;

    gb_object_take(&gb_written_object, result, &written);
    gb_json_put_str(&writer->object, "path", options->path);
    gb_object_write(&writer->object, &gb_written_object, &written);
    gb_buf_addf(&writer->text, "%" PRIu64 " bytes written", written.size);
    content_begin_content(writer);
    content_end(writer, false);
}

static void content_write_rewound(struct writer *writer, const struct tool_options *options,
                                  const struct gb_json *result)
{
    static const char *const plain[] = {"cell", "from_cell", "epoch", NULL};
    struct gb_rewound_info rewound;

    gb_object_take(&gb_rewound_object, result, &rewound);
    gb_json_put_str(&writer->object, "session", options->session);
    content_copy(writer, result, plain);
    if (rewound.cell == 0)
        gb_buf_adds(&writer->text, "the session is as it was before the first cell");
    else
        gb_buf_addf(&writer->text, "the session is as it was after cell %u", rewound.cell);
    gb_buf_addf(&writer->text,
                "; the last cell had been %u. With a negative number of steps, undo goes forward "
                "again",
                rewound.from_cell);
    content_begin_content(writer);
    content_end(writer, false);
}

/* One of several: the fields of a cell, without figures. */
static void content_add_try(struct writer *writer, const struct tool *tool,
                            const struct tool_options *options, const struct gb_json *result,
                            bool failed)
{
    struct gb_cell_info cell;
    struct gb_buf message = {0};

    gb_json_object(&writer->object, NULL);
    if (failed) {
        gb_json_object(&writer->object, "error");
        content_add_filtered(&message, json_text(result, "message"));
        gb_json_put(&writer->object, "kind", json_text(result, "kind"));
        gb_json_put(&writer->object, "message", gb_buf_bytes(&message));
        gb_json_end(&writer->object);
        gb_buf_addf(&writer->text, "[not run: %s]\n", gb_buf_str(&message));
    } else {
        gb_object_take(&gb_cell_object, result, &cell);
        content_add_cell(writer, tool, options, &cell, result);
        content_add_end(writer, &cell);
    }
    gb_json_end(&writer->object);
    gb_buf_release(&message);
}

void content_write_tries(struct gb_json_out *out, enum revision revision, const struct tool *tool,
                         const struct tool_options *options, const struct gb_json *const *results,
                         const bool *failed, size_t count)
{
    struct writer writer;

    content_begin(&writer, out, revision);
    gb_json_put_str(&writer.object, "session", options->session);
    gb_json_array(&writer.object, "results");
    for (size_t i = 0; i < count; i++) {
        content_new_line(&writer.text);
        gb_buf_addf(&writer.text, "[%zu of %zu]\n", i + 1, count);
        content_add_try(&writer, tool, options, results[i], failed[i]);
    }
    gb_json_end(&writer.object);
    content_begin_content(&writer);
    content_end(&writer, false);
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
    case ANSWER_REWOUND:
        content_write_rewound(&writer, options, result);
        break;
    case ANSWER_TRIED:
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
    struct gb_cell_info told;
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
    if (cell != NULL && gb_object_read(&gb_cell_object, cell, &told, NULL) == 0)
        content_add_cell(&writer, tool, options, &told, cell);
    content_begin_content(&writer);
    content_end(&writer, true);
    gb_buf_release(&message);
}
