/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and output of a cell as files of this machine, or in a viewer.
 *
 * What is saved comes from the journal, piece by piece, not from what happens to be loaded: so it
 * is whole, and as it was printed. One at a time.
 *
 * A viewer must not be more than a viewer: the desktop chooses a program by what a file is, which
 * for HTML, SVG and unknown types may be one that runs what is in it. So only pictures that begin
 * as one of their type does are opened, and the pager, which may pass control sequences on to the
 * terminal, gets the text without them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "kit/local.h"
#include "kit/outside.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/outcome.h"
#include "view/internal.h"

enum { SAVE_DEADLINE_MS = 60000, SAVE_PIECE = 1 << 20 };

/* The last one is for all other types. */
static const struct save_type {
    const char *mime, *ending;
    const char *begin; /* how a file of it begins; NULL: it is not opened */
} save_types[] = {
    {"image/png", "png", "\x89PNG\r\n\x1a\n"},
    {"image/jpeg", "jpg", "\xff\xd8\xff"},
    {"image/gif", "gif", "GIF8"},
    {"image/svg+xml", "svg", NULL},
    {"application/pdf", "pdf", NULL},
    {"application/json", "json", NULL},
    {"text/html", "html", NULL},
    {"text/plain", "txt", NULL},
    {"text/csv", "csv", NULL},
    {"text/markdown", "md", NULL},
    {"text/latex", "tex", NULL},
    {NULL, "bin", NULL},
};

static const struct save_type *save_type_of(const char *mime)
{
    size_t i = 0;

    while (save_types[i].mime != NULL && strcmp(mime, save_types[i].mime) != 0)
        i++;
    return &save_types[i];
}

static bool save_is_of(const struct save_type *type, struct gb_bytes bytes)
{
    return type->begin != NULL && bytes.size >= strlen(type->begin) &&
           memcmp(bytes.data, type->begin, strlen(type->begin)) == 0;
}

/* ---- the end ---- */

/* A file in a folder of its own, and the folder. */
static void save_remove_own(const char *path)
{
    const char *slash = strrchr(path, '/');
    _cleanup_(freep) char *folder = xstrndup(path, slash != NULL ? (size_t)(slash - path) : 0);

    (void)unlink(path);
    (void)rmdir(folder);
}

static void save_drop(struct save *save)
{
    local_cancel(save->local);
    if (save->show && save->path != NULL)
        save_remove_own(save->path);
    free(save->path);
    *save = (struct save){0};
}

static void save_fail(struct session_view *self, const char *message)
{
    tui_say(self->view.tui, MESSAGE_ERROR, "save: %s", message);
    save_drop(&self->save);
}

/* In a program with windows, which may run for as long as it likes, and reads the file when it
 * likes: the file stays. */
static void save_show_figure(struct session_view *self, const char *path, bool may_open)
{
    static const char script[] = "command -v xdg-open >/dev/null || exit 127\n"
                                 "xdg-open \"$1\" </dev/null >/dev/null 2>&1 &";
    const char *const argv[] = {"/bin/sh", "-c", script, "sh", path, NULL};
    const bool windows = getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;
    struct tui *tui = self->view.tui;

    if (!may_open)
        tui_say(tui, MESSAGE_WARNING, "saved as %s; only pictures are opened (PNG, JPEG, GIF)",
                path);
    else if (!windows)
        tui_say(tui, MESSAGE_GOOD, "saved as %s; there is no display to show it on", path);
    else if (outside_run_program(argv) != 0)
        tui_say(tui, MESSAGE_WARNING, "saved as %s; there is no xdg-open to show it", path);
    else
        tui_say(tui, MESSAGE_GOOD, "saved as %s, and opened with xdg-open", path);
}

/* At this terminal. */
static void save_show_text(struct session_view *self, const char *path, uint32_t cell)
{
    static const char page[] = "exec ${PAGER:-less} \"$1\"";
    const char *const argv[] = {"/bin/sh", "-c", page, "sh", path, NULL};

    if (tui_run_program(self->view.tui, argv) != 0)
        tui_say(self->view.tui, MESSAGE_ERROR, "view: the pager failed");
    else
        tui_say(self->view.tui, MESSAGE_PLAIN, "the pager showed the output of cell %u", cell);
    save_remove_own(path);
}

static void save_finish(struct session_view *self)
{
    struct save *save = &self->save;
    struct gb_err err = {0};
    struct save done;
    char note[64];

    if (local_finish(TAKE_PTR(save->local), &err) < 0) {
        save_fail(self, err.message);
        return;
    }
    done = *save;
    *save = (struct save){0};
    if (!done.show && done.left_out > 0) {
        outcome_left_out(done.left_out, note, sizeof(note));
        tui_say(self->view.tui, MESSAGE_WARNING, "saved as %s; %s", done.path, note);
    } else if (!done.show)
        tui_say(self->view.tui, MESSAGE_GOOD, "saved as %s", done.path);
    else if (done.figure > 0)
        save_show_figure(self, done.path, done.may_open);
    else
        save_show_text(self, done.path, done.cell);
    free(done.path);
}

/* ---- reading ---- */

static void save_ask(struct session_view *self);

static bool save_put(struct save *save, struct gb_bytes bytes, struct gb_err *err)
{
    const uint64_t at = save->written;

    save->written += bytes.size;
    return local_write(save->local, at, bytes, err) == 0;
}

/* What a pager may get of it. @last: nothing follows. */
static bool save_put_plain(struct save *save, struct gb_bytes bytes, bool last, struct gb_err *err)
{
    struct gb_buf shown = {0}, plain = {0};
    bool good;

    filter_add(&save->filter, &shown, bytes);
    if (last)
        filter_end(&save->filter, &shown);
    filter_without_colours(&plain, gb_buf_bytes(&shown));
    good = save_put(save, gb_buf_bytes(&plain), err);
    gb_buf_release(&shown);
    gb_buf_release(&plain);
    return good;
}

static bool save_write(struct save *save, struct gb_bytes told, bool base64, struct gb_err *err)
{
    struct gb_buf bytes = {0};
    bool good = gb_bytes_add_decoded(&bytes, told, base64);

    save->read += bytes.size;
    if (!good)
        (void)gb_err_set(err, GB_EINTERNAL, "the server's reply is wrong");
    else if (save->figure > 0)
        save->may_open = save_is_of(save->type, gb_buf_bytes(&bytes));
    good = good &&
           (save->show && save->figure == 0 ? save_put_plain(save, gb_buf_bytes(&bytes), false, err)
                                            : save_put(save, gb_buf_bytes(&bytes), err));
    gb_buf_release(&bytes);
    return good;
}

/* The figure, which comes in one piece. */
static void save_take_figure(struct session_view *self, const struct gb_cell_info *info)
{
    struct save *save = &self->save;
    struct gb_display_info display;
    struct gb_err err = {0};
    size_t number = 0;

    for (size_t at = 0; gb_items_next(&gb_display_object, &info->displays, &at, &display) == 1;) {
        if (++number != save->figure)
            continue;
        if ((display.flags & GB_DISPLAY_HAS_DATA) == 0)
            break;
        if (save_write(save, display.data, (display.flags & GB_DISPLAY_BASE64) != 0, &err))
            save_finish(self);
        else
            save_fail(self, err.message);
        return;
    }
    save_fail(self, "the journal does not have it any more");
}

/* The next piece of the output; behind all of it stands the value. */
static void save_take_output(struct session_view *self, const struct gb_cell_info *info)
{
    struct save *save = &self->save;
    const uint64_t before = save->read, all = info->stdout_bytes + info->stderr_bytes;
    struct gb_err err = {0};

    save->left_out = info->dropped_stdout + info->dropped_stderr;
    if (info->offset != before) {
        save_fail(self, "the server's reply is wrong");
        return;
    }
    if (!save_write(save, info->out, (info->flags & GB_CELL_OUT_BASE64) != 0, &err) ||
        !save_write(save, info->err, (info->flags & GB_CELL_ERR_BASE64) != 0, &err)) {
        save_fail(self, err.message);
        return;
    }
    if (save->read < all && save->read > before) {
        save_ask(self);
        return;
    }
    if (save->read < all) {
        save_fail(self, "the journal does not have all of it any more");
        return;
    }
    if ((info->value.size > 0 && (!save_write(save, info->value, false, &err) ||
                                  !save_write(save, gb_bytes_str("\n"), false, &err))) ||
        (save->show && !save_put_plain(save, (struct gb_bytes){0}, true, &err)))
        save_fail(self, err.message);
    else
        save_finish(self);
}

static void save_on_history(void *arg, const struct gb_json *result,
                            const struct gb_call_error *error)
{
    struct session_view *self = arg;
    const struct gb_json *cells = json_array(result, "cells");
    struct gb_cell_info info;

    self->save.call = 0;
    tui_redraw(self->view.tui);
    if (error != NULL)
        save_fail(self, error->message);
    else if (json_list_count(cells) != 1 ||
             gb_object_read(&gb_cell_object, gb_json_first(cells), &info, NULL) < 0 ||
             info.number != self->save.cell)
        save_fail(self, "the journal does not have the cell any more");
    else if (self->save.figure > 0)
        save_take_figure(self, &info);
    else
        save_take_output(self, &info);
}

static void save_ask(struct session_view *self)
{
    struct save *save = &self->save;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", self->id);
    gb_json_put_u64(&out, "after", save->cell - 1);
    gb_json_put_u64(&out, "limit", 1);
    gb_json_put_bool(&out, "output", true);
    gb_json_put_u64(&out, "offset", save->figure > 0 ? 0 : save->read);
    gb_json_put_u64(&out, "length", save->figure > 0 ? 1 : SAVE_PIECE);
    gb_json_end(&out);
    save->call = uplink_call(self->view.uplink, "session.history", &params, SAVE_DEADLINE_MS,
                             save_on_history, self);
    gb_buf_release(&params);
    if (save->call == 0)
        save_fail(self, "there is no server");
}

/* ---- what, and where ---- */

/* @word: a number, `output`, or empty: the only figure, else the output. False: reported. */
static bool save_choose(struct session_view *self, const char *word, struct save_what *ret_what)
{
    struct tui *tui = self->view.tui;
    const struct card *card = stream_selected(&self->stream);
    struct gb_bytes rest = gb_bytes_str(word);
    uint64_t figure = 0;

    if (card == NULL || card->number == 0 || card->state != CARD_DONE) {
        tui_say(tui, MESSAGE_PLAIN, "the cursor is not on a cell that has ended");
        return false;
    }
    if (word[0] == '\0' && card->display_count > 1) {
        tui_say(tui, MESSAGE_PLAIN, "which of its %zu figures? :save 1, …; :save output",
                card->display_count);
        return false;
    }
    if (word[0] == '\0')
        figure = card->display_count;
    else if (strcmp(word, "output") != 0 &&
             (!gb_bytes_number(&rest, CELL_DISPLAYS_MAX, &figure) || rest.size > 0 || figure == 0 ||
              figure > card->display_count)) {
        tui_say(tui, MESSAGE_ERROR, "cell %u has no figure %s", card->number, word);
        return false;
    }
    *ret_what = (struct save_what){.cell = card->number, .figure = (size_t)figure};
    if (figure > 0)
        ret_what->type = save_type_of(card->displays[figure - 1].mime);
    if (figure > 0)
        (void)snprintf(ret_what->name, sizeof(ret_what->name), "cell-%u-%zu.%s", card->number,
                       (size_t)figure, ret_what->type->ending);
    else
        (void)snprintf(ret_what->name, sizeof(ret_what->name), "cell-%u.txt", card->number);
    return true;
}

/* False: reported. */
static bool save_begin(struct session_view *self, const struct save_what *what, const char *path,
                       bool show)
{
    struct save *save = &self->save;
    struct gb_err err = {0};

    if (save->call != 0) {
        tui_say(self->view.tui, MESSAGE_WARNING, "one at a time: %s is being saved", save->path);
        return false;
    }
    if (local_is_stream(path)) { /* a FIFO would block the whole front end */
        tui_say(self->view.tui, MESSAGE_WARNING, "%s is not a file", path);
        return false;
    }
    *save =
        (struct save){.cell = what->cell, .figure = what->figure, .type = what->type, .show = show};
    save->local = local_open(path, &err);
    if (save->local == NULL) {
        save_fail(self, err.message);
        return false;
    }
    save->path = xstrdup(path);
    save_ask(self);
    return save->call != 0;
}

/* A typed path: a file, or a folder in which the file gets a name. Gives. */
static char *save_target(const char *typed, const char *name)
{
    char *path = tui_local_path(typed), *inside;
    const size_t size = strlen(path);
    struct stat info;

    if (stat(path, &info) < 0 || !S_ISDIR(info.st_mode))
        return path;
    inside = xasprintf("%s%s%s", path, path[size - 1] == '/' ? "" : "/", name);
    free(path);
    return inside;
}

/* A new file that only the user can read, in a folder of its own. NULL: reported. Gives. */
static char *save_own_path(struct tui *tui, const char *name)
{
    const char *where = getenv("TMPDIR");
    char *folder =
        xasprintf("%s/glassbell-XXXXXX", where != NULL && where[0] != '\0' ? where : "/tmp");
    char *path = NULL;

    if (mkdtemp(folder) != NULL)
        path = xasprintf("%s/%s", folder, name);
    else
        tui_say(tui, MESSAGE_ERROR, "save: cannot make the folder %s", folder);
    free(folder);
    return path;
}

/* ---- commands ---- */

static void save_on_path(void *arg, const char *line)
{
    struct session_view *self = arg;
    char *path;

    if (line == NULL || line[0] == '\0' || self != session_view_top(self->view.tui))
        return;
    path = save_target(line, self->save_what.name);
    (void)save_begin(self, &self->save_what, path, false);
    free(path);
}

/* Whether a word says what to save, and is no path. */
static bool save_is_what(const char *word)
{
    return strcmp(word, "output") == 0 ||
           (word[0] != '\0' && word[strspn(word, "0123456789")] == '\0');
}

void save_run(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);
    const bool what = words->count > 1 && save_is_what(words->words[1]);
    const size_t at = what ? 2 : 1;

    if (self == NULL || !save_choose(self, what ? words->words[1] : "", &self->save_what))
        return;
    if (words->count > at + 1)
        tui_say(tui, MESSAGE_ERROR, "save takes one file; quote a name with spaces");
    else if (words->count > at)
        save_on_path(self, words->words[at]);
    else
        tui_ask_path(tui, "save to", self->save_what.name, save_on_path, self);
}

void save_run_show(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);
    char *path;

    if (self == NULL ||
        !save_choose(self, words->count > 1 ? words->words[1] : "", &self->save_what))
        return;
    path = save_own_path(tui, self->save_what.name);
    if (path != NULL && !save_begin(self, &self->save_what, path, true))
        save_remove_own(path);
    free(path);
}

void save_forget(struct session_view *self)
{
    if (self->save.call != 0)
        save_fail(self, "the connection to the server is lost");
}

void save_close(struct session_view *self)
{
    if (self->connection == uplink_connection(self->view.uplink))
        uplink_forget(self->view.uplink, self->save.call);
    save_drop(&self->save);
}
