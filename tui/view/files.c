/* SPDX-License-Identifier: Apache-2.0 */
#include "view/files.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "kit/local.h"
#include "model/answer.h"
#include "model/entry.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { CALL_DEADLINE_MS = 30000 };

/* ---- paths ---- */

static void files_join(char to[FILES_PATH_MAX], const char *folder, const char *name)
{
    if (strcmp(folder, ".") == 0)
        (void)snprintf(to, FILES_PATH_MAX, "%s", name);
    else
        (void)snprintf(to, FILES_PATH_MAX, "%s/%s", folder, name);
}

const struct file_entry *files_selected(const struct files *files)
{
    return files->selected < files->count ? &files->entries[files->selected] : NULL;
}

void files_selected_path(const struct files *files, char path[FILES_PATH_MAX])
{
    const struct file_entry *entry = files_selected(files);

    path[0] = '\0';
    if (entry != NULL)
        files_join(path, files->path, entry->name);
}

void files_path_of(const struct files *files, const struct file_entry *entry,
                   char path[FILES_PATH_MAX])
{
    files_join(path, files->path, entry->name);
}

/* ---- looking into a file ---- */

static void files_drop_look(struct files *files)
{
    text_free(files->text);
    files->text = NULL;
    files->looked[0] = '\0';
    files->text_top = 0;
    files->cut = false;
}

static bool files_is_text(struct gb_bytes bytes)
{
    bytes.size -= gb_utf8_unfinished(bytes);
    return memchr(bytes.data, '\0', bytes.size) == NULL && gb_utf8_valid(bytes);
}

/* NULL: none. */
static void files_colour_by(struct files *files, struct gb_language *language)
{
    struct gb_language *before = files->language;

    files->language = gb_language_ref(language);
    gb_language_unref(before);
}

static void files_feed_hex(struct text *text, struct gb_bytes bytes)
{
    struct gb_buf line = {0};

    for (size_t at = 0; at < MIN(bytes.size, (size_t)FILES_HEX_MAX); at += 16) {
        gb_buf_clear(&line);
        gb_buf_addf(&line, "%06zx ", at);
        for (size_t i = 0; i < 16; i++)
            if (at + i < bytes.size)
                gb_buf_addf(&line, "%s%02x", i == 8 ? "  " : " ", bytes.data[at + i]);
            else
                gb_buf_adds(&line, i == 8 ? "    " : "   ");
        gb_buf_adds(&line, "  ");
        for (size_t i = 0; i < 16 && at + i < bytes.size; i++) {
            uint8_t c = bytes.data[at + i];

            gb_buf_add_u8(&line, c >= 0x20 && c < 0x7f ? c : '.');
        }
        gb_buf_adds(&line, "\n");
        text_feed(text, TEXT_STDOUT, gb_buf_bytes(&line));
    }
    gb_buf_release(&line);
}

static void files_want_look(struct files *files);

static void files_on_look(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct files *files = arg;
    struct gb_piece_info piece;
    struct gb_buf bytes = {0};
    char path[FILES_PATH_MAX];

    files->look_call = 0;
    gb_object_take(&gb_piece_object, result, &piece);
    files_selected_path(files, path);
    if (strcmp(path, files->looked) != 0) {
        files_want_look(files); /* the cursor has moved on */
        return;
    }
    text_free(files->text);
    files->text = text_new(1 << 20);
    files_colour_by(files, NULL);
    if (error != NULL) {
        text_feed(files->text, TEXT_STDERR, gb_bytes_str(error->message));
    } else if (gb_bytes_add_decoded(&bytes, piece.data, (piece.flags & GB_PIECE_BASE64) != 0)) {
        files->size = piece.size;
        files->cut = (piece.flags & GB_PIECE_EOF) == 0;
        if (files_is_text(gb_buf_bytes(&bytes))) {
            files_colour_by(
                files, gb_languages_of_coloured(&uplink_store(files->uplink)->languages, path));
            text_feed(files->text, TEXT_STDOUT, gb_buf_bytes(&bytes));
        } else {
            files_feed_hex(files->text, gb_buf_bytes(&bytes));
            files->cut |= bytes.size > FILES_HEX_MAX;
        }
    }
    text_end(files->text);
    gb_buf_release(&bytes);
    tui_redraw(files->tui);
}

/* Requests the file under the cursor; if a request is in progress, its answer triggers the next. */
static void files_want_look(struct files *files)
{
    const struct file_entry *entry = files_selected(files);
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    char path[FILES_PATH_MAX];

    files_selected_path(files, path);
    if (files->look_call != 0 || strcmp(path, files->looked) == 0)
        return;
    files_drop_look(files);
    if (entry == NULL || entry->folder || entry->other)
        return;
    (void)snprintf(files->looked, sizeof(files->looked), "%s", path);
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", files->session);
    gb_json_put_bytes(&out, "path", "path_base64", gb_bytes_str(path));
    gb_json_put_u64(&out, "length", FILES_LOOK_MAX);
    gb_json_end(&out);
    files->look_call =
        uplink_call(files->uplink, "file.read", &params, CALL_DEADLINE_MS, files_on_look, files);
    gb_buf_release(&params);
}

/* ---- folders ---- */

static void files_drop_entries(struct files *files)
{
    for (size_t i = 0; i < files->count; i++)
        free(files->entries[i].name);
    free(files->entries);
    files->entries = NULL;
    files->count = 0;
}

static int files_by_name(const void *a, const void *b)
{
    const struct file_entry *left = a, *right = b;

    if (left->folder != right->folder)
        return left->folder ? -1 : 1;
    return strcmp(left->name, right->name);
}

static void files_read_entries(struct files *files, const struct gb_json *result)
{
    struct gb_listing_info listing;
    struct gb_entry_info told;

    gb_object_take(&gb_listing_object, result, &listing);
    files->entries = xcalloc(MIN(gb_items_count(&listing.entries), (uint32_t)FILES_MAX) + 1,
                             sizeof(*files->entries));
    for (size_t at = 0; files->count < FILES_MAX &&
                        gb_items_next(&gb_entry_object, &listing.entries, &at, &told) == 1;) {
        struct file_entry *to = &files->entries[files->count];
        struct gb_buf name = {0};

        if (!gb_bytes_add_decoded(&name, told.name, (told.flags & GB_ENTRY_BASE64) != 0) ||
            name.size == 0 || name.size > GB_FILE_NAME_MAX ||
            memchr(gb_buf_data(&name), '\0', name.size) != NULL) {
            gb_buf_release(&name);
            continue;
        }
        to->name = gb_buf_take_str(&name);
        to->folder = told.type == GB_ENTRY_DIR;
        to->link = told.type == GB_ENTRY_SYMLINK;
        to->other = told.type == GB_ENTRY_OTHER;
        to->size = told.size;
        to->mtime = (double)told.mtime_ns / (double)GB_NS_PER_S;
        files->count++;
    }
    qsort(files->entries, files->count, sizeof(*files->entries), files_by_name);
    files->more = (listing.flags & GB_PAGE_MORE) != 0;
}

static void files_on_list(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct files *files = arg;
    const struct file_entry *before = files_selected(files);
    char name[FILES_PATH_MAX];

    files->list_call = 0;
    (void)snprintf(name, sizeof(name), "%s",
                   files->wanted[0] != '\0' ? files->wanted
                   : before != NULL         ? before->name
                                            : "");
    files->wanted[0] = '\0';
    files->loaded = true;
    files_drop_entries(files);
    files->error[0] = '\0';
    files->looked[0] = '\0'; /* it may have changed */
    if (error != NULL)
        (void)snprintf(files->error, sizeof(files->error), "%s", error->message);
    else
        files_read_entries(files, result);
    files->selected = MIN(files->selected, files->count > 0 ? files->count - 1 : 0);
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->entries[i].name, name) == 0)
            files->selected = i;
    files_want_look(files);
    tui_redraw(files->tui);
}

void files_refresh(struct files *files)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    if (files->list_call != 0)
        return;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", files->session);
    gb_json_put_bytes(&out, "path", "path_base64", gb_bytes_str(files->path));
    gb_json_put_u64(&out, "limit", FILES_MAX);
    gb_json_end(&out);
    files->list_call =
        uplink_call(files->uplink, "file.list", &params, CALL_DEADLINE_MS, files_on_list, files);
    gb_buf_release(&params);
}

static void files_go_to(struct files *files, const char *path)
{
    uplink_forget(files->uplink, files->list_call);
    files->list_call = 0;
    (void)snprintf(files->path, sizeof(files->path), "%s", path);
    files->selected = files->top = 0;
    files->loaded = false;
    files_drop_entries(files);
    files_drop_look(files);
    files_refresh(files);
}

void files_enter(struct files *files)
{
    const struct file_entry *entry = files_selected(files);
    char path[FILES_PATH_MAX];

    if (entry == NULL || !(entry->folder || entry->link))
        return;
    files_selected_path(files, path);
    files_go_to(files, path);
}

void files_leave(struct files *files)
{
    char path[FILES_PATH_MAX];
    char *slash;

    if (strcmp(files->path, ".") == 0)
        return;
    memcpy(path, files->path, sizeof(path));
    slash = strrchr(path, '/');
    (void)snprintf(files->wanted, sizeof(files->wanted), "%s", slash != NULL ? slash + 1 : path);
    if (slash != NULL)
        *slash = '\0';
    files_go_to(files, slash != NULL ? path : ".");
}

void files_seek(struct files *files, const char *path)
{
    char folder[FILES_PATH_MAX];
    char *slash;

    (void)snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    (void)snprintf(files->wanted, sizeof(files->wanted), "%s", slash != NULL ? slash + 1 : folder);
    if (slash != NULL)
        *slash = '\0';
    files_go_to(files, slash != NULL && folder[0] != '\0' ? folder : ".");
}

void files_move(struct files *files, long rows)
{
    long to = (long)files->selected + rows;

    if (files->count == 0)
        return;
    files->selected = (size_t)MAX(0L, MIN(to, (long)files->count - 1));
    files_want_look(files);
}

void files_scroll(struct files *files, long rows)
{
    size_t lines = files->text != NULL ? text_lines(files->text) : 0;

    files->text_top =
        (size_t)MAX(0L, MIN((long)files->text_top + rows, (long)lines - files->height + 2));
}

static void files_on_removed(void *arg, const struct gb_json *result,
                             const struct gb_call_error *error)
{
    struct files *files = arg;

    (void)result;
    files->list_call = 0;
    if (error != NULL)
        tui_say_error(files->tui, "remove", error);
    files_refresh(files);
}

void files_remove(struct files *files)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    char path[FILES_PATH_MAX];

    files_selected_path(files, path);
    if (path[0] == '\0' || files->list_call != 0)
        return;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", files->session);
    gb_json_put_bytes(&out, "path", "path_base64", gb_bytes_str(path));
    gb_json_put_bool(&out, "recursive", true);
    gb_json_end(&out);
    files->list_call = uplink_call(files->uplink, "file.remove", &params, CALL_DEADLINE_MS,
                                   files_on_removed, files);
    gb_buf_release(&params);
}

/* ---- in and out ---- */

static void files_on_progress(void *arg, uint64_t done, uint64_t size)
{
    struct files *files = arg;

    files->moved = done;
    files->moving_size = size;
    tui_redraw(files->tui);
}

static void files_on_finished(void *arg, const struct gb_err *err)
{
    struct files *files = arg;

    files->transfer = NULL;
    if (err != NULL)
        tui_say(files->tui, MESSAGE_ERROR, "%s: %s", files->moving, err->message);
    else
        tui_say(files->tui, MESSAGE_GOOD, "%s is there", files->moving);
    files_refresh(files);
}

static bool files_is_free(struct files *files)
{
    if (files->transfer != NULL)
        tui_say(files->tui, MESSAGE_WARNING, "one file at a time: %s is on its way", files->moving);
    else if (!uplink_is_up(files->uplink)) /* it would be moved some time later */
        tui_say(files->tui, MESSAGE_ERROR, "not sent: there is no link to the server");
    return files->transfer == NULL && uplink_is_up(files->uplink);
}

/* A FIFO would block the whole front end. */
static bool files_is_file(struct files *files, const char *local)
{
    bool stream = local_is_stream(local);

    if (stream)
        tui_say(files->tui, MESSAGE_WARNING, "%s is not a file", local);
    return !stream;
}

/* What was typed: a file, or a folder into which @name goes. Gives. */
static char *files_target(const char *typed, const char *name)
{
    char *path = tui_local_path(typed);
    struct stat info;

    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        char *inside = xasprintf("%s%s%s", path, path[strlen(path) - 1] == '/' ? "" : "/", name);

        free(path);
        return inside;
    }
    return path;
}

void files_download(struct files *files, const char *local)
{
    const struct file_entry *entry = files_selected(files);
    _cleanup_(freep) char *name = NULL;
    _cleanup_(freep) char *wanted = NULL;
    char path[FILES_PATH_MAX];
    struct gb_err err = {0};
    struct transfer_config config = {
        .session = files->session,
        .remote = path,
        .progress = files_on_progress,
        .finished = files_on_finished,
        .arg = files,
    };

    if (entry == NULL || entry->folder) {
        tui_say(files->tui, MESSAGE_WARNING, "the cursor is not on a file");
        return;
    }
    if (!files_is_free(files))
        return;
    files_selected_path(files, path);
    name = transfer_local_name(path);
    wanted = local != NULL && local[0] != '\0' ? files_target(local, entry->name) : NULL;
    config.local = wanted != NULL ? wanted : name;
    if (config.local == NULL || !files_is_file(files, config.local))
        return;
    (void)snprintf(files->moving, sizeof(files->moving), "%s", config.local);
    files->moved = files->moving_size = 0;
    files->transfer = transfer_download(uplink_client(files->uplink), &config, &err);
    if (files->transfer == NULL)
        tui_say(files->tui, MESSAGE_ERROR, "%s", err.message);
}

void files_upload(struct files *files, const char *typed)
{
    _cleanup_(freep) char *local = tui_local_path(typed);
    const char *name = strrchr(local, '/');
    char path[FILES_PATH_MAX];
    struct gb_err err = {0};
    struct transfer_config config = {
        .session = files->session,
        .local = local,
        .remote = path,
        .progress = files_on_progress,
        .finished = files_on_finished,
        .arg = files,
    };

    if (local[0] == '\0' || !files_is_free(files) || !files_is_file(files, local))
        return;
    files_join(path, files->path, name != NULL ? name + 1 : local);
    (void)snprintf(files->wanted, sizeof(files->wanted), "%s", name != NULL ? name + 1 : local);
    (void)snprintf(files->moving, sizeof(files->moving), "%s", path);
    files->moved = files->moving_size = 0;
    files->transfer = transfer_upload(uplink_client(files->uplink), &config, &err);
    if (files->transfer == NULL)
        tui_say(files->tui, MESSAGE_ERROR, "%s", err.message);
}

/* ---- life ---- */

void files_init(struct files *files, struct uplink *uplink, const char *session)
{
    *files = (struct files){
        .tui = uplink_tui(uplink), .uplink = uplink, .session = session, .path = "."};
}

void files_release(struct files *files)
{
    uplink_forget(files->uplink, files->list_call);
    uplink_forget(files->uplink, files->look_call);
    transfer_cancel(files->transfer);
    files_drop_entries(files);
    files_drop_look(files);
    files_colour_by(files, NULL);
}
