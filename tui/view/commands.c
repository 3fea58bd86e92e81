/* SPDX-License-Identifier: Apache-2.0 */
/* Commands of the session view. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "view/bookmark.h"
#include "view/internal.h"

/* Starts a command's function: the view, or return. */
#define SELF(tui)                                                                                  \
    struct session_view *self = session_view_top(tui);                                             \
    (void)words;                                                                                   \
    if (self == NULL)                                                                              \
    return

void session_view_run_type(struct tui *tui, const struct words *words)
{
    SELF(tui);
    if (self->history_done)
        (void)session_view_type(self);
    else
        self->autofocus = true; /* its cells will tell whose session it is */
}

static void view_run_leave(struct tui *tui, const struct words *words)
{
    SELF(tui);
    session_view_leave(self);
}

static void view_run_interrupt(struct tui *tui, const struct words *words)
{
    SELF(tui);
    pane_interrupt(&self->pane);
}

static void view_run_answer(struct tui *tui, const struct words *words)
{
    const struct card *card;
    SELF(tui);

    card = cells_running(&self->cells);
    if (card == NULL || !card->waiting) {
        tui_say(tui, MESSAGE_PLAIN, "no program waits for input");
        return;
    }
    pane_set_input(&self->pane, true);
    pane_focus(&self->pane, true);
}

/* ---- moving ---- */

static void view_run_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_scroll(&self->stream, 1);
}

static void view_run_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_scroll(&self->stream, -1);
}

static void view_run_page_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_page(&self->stream, 1);
}

static void view_run_page_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_page(&self->stream, -1);
}

static void view_run_top(struct tui *tui, const struct words *words)
{
    SELF(tui);
    seek_top(self);
}

static void view_run_end(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_to_end(&self->stream);
}

static void view_run_next_cell(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_step(&self->stream, 1);
}

static void view_run_previous_cell(struct tui *tui, const struct words *words)
{
    SELF(tui);
    stream_step(&self->stream, -1);
}

static void view_run_cell(struct tui *tui, const struct words *words)
{
    struct gb_bytes word = gb_bytes_str(words->count == 2 ? words->words[1] : "");
    uint64_t number;
    SELF(tui);

    if (gb_bytes_number(&word, UINT32_MAX, &number) && word.size == 0)
        seek_cell(self, (uint32_t)number);
    else
        tui_say(tui, MESSAGE_ERROR, "cell takes the number of a cell");
}

static void view_run_next_failed(struct tui *tui, const struct words *words)
{
    const struct card *at;
    bool behind = false;
    SELF(tui);

    at = stream_selected(&self->stream);
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < self->cells.count; i++) {
            struct card *card = self->cells.cards[i];

            if ((behind || round == 1) && card_failed(card) && !card->tucked) {
                stream_select(&self->stream, card);
                return;
            }
            behind |= card == at;
        }
    tui_say(tui, MESSAGE_PLAIN, "no cell failed");
}

/* ---- showing ---- */

static void view_run_fold(struct tui *tui, const struct words *words)
{
    struct card *card;
    SELF(tui);

    card = stream_selected(&self->stream);
    if (card != NULL)
        session_view_fold(self, card);
}

static void view_run_fold_all(struct tui *tui, const struct words *words)
{
    bool folded = true;
    SELF(tui);

    for (size_t i = 0; i < self->cells.count; i++)
        folded &= self->cells.cards[i]->folded || card_failed(self->cells.cards[i]);
    for (size_t i = 0; i < self->cells.count; i++)
        self->cells.cards[i]->folded = !folded && !card_failed(self->cells.cards[i]);
    tui_say(tui, MESSAGE_PLAIN, "%s", folded ? "all unfolded" : "all folded but failures");
}

static void view_run_whole(struct tui *tui, const struct words *words)
{
    struct card *card;
    SELF(tui);

    card = stream_selected(&self->stream);
    if (card == NULL)
        return;
    card->whole = !card->whole;
    card->folded = false;
}

static void view_run_follow(struct tui *tui, const struct words *words)
{
    SELF(tui);
    if (self->stream.follow)
        stream_scroll(&self->stream, -1);
    else
        stream_to_end(&self->stream);
}

static void view_run_wrap(struct tui *tui, const struct words *words)
{
    SELF(tui);
    self->stream.look.wrap = !self->stream.look.wrap;
    tui_say(tui, MESSAGE_PLAIN, "long lines are %s", self->stream.look.wrap ? "wrapped" : "cut");
}

static void view_run_times(struct tui *tui, const struct words *words)
{
    SELF(tui);
    self->stream.look.times = !self->stream.look.times;
}

/* ---- searching ---- */

void session_view_end_search(struct session_view *self)
{
    const struct card *card = stream_selected(&self->stream);
    bool hid = self->stream.look.hide, follow = self->stream.follow;

    (void)seek_stop(self);
    search_set(&self->stream.search, "");
    self->stream.match = NULL;
    self->stream.look.hide = false;
    if (hid && !follow)
        stream_select(&self->stream, card); /* rows appear: keep looking at the same cell */
}

static void view_search(struct session_view *self, const char *pattern)
{
    if (pattern[0] == '\0') {
        session_view_end_search(self);
        return;
    }
    search_set(&self->stream.search, pattern);
    self->stream.match = NULL;
    seek_next(self, self->stream.follow ? -1 : 1);
}

static void view_on_pattern(void *arg, const char *line)
{
    struct session_view *self = arg;

    if (line != NULL && self == session_view_top(self->view.tui))
        view_search(self, line);
}

static void view_run_search(struct tui *tui, const struct words *words)
{
    SELF(tui);

    if (words->rest[0] != '\0')
        view_search(self, words->rest);
    else
        tui_ask_live(tui, RECALL_SEARCH, NULL, view_on_pattern, self);
}

static void view_find(struct tui *tui, int direction)
{
    struct session_view *self = session_view_top(tui);

    if (self == NULL)
        return;
    if (self->stream.search.size == 0)
        tui_say(tui, MESSAGE_PLAIN, "no search; / begins one");
    else
        seek_next(self, direction);
}

static void view_run_search_next(struct tui *tui, const struct words *words)
{
    (void)words;
    view_find(tui, 1);
}

static void view_run_search_previous(struct tui *tui, const struct words *words)
{
    (void)words;
    view_find(tui, -1);
}

static void view_run_hide(struct tui *tui, const struct words *words)
{
    const struct card *card;
    SELF(tui);

    if (self->stream.search.size == 0) {
        tui_say(tui, MESSAGE_PLAIN, "no search; / begins one");
        return;
    }
    card = stream_selected(&self->stream);
    self->stream.look.hide = !self->stream.look.hide;
    self->stream.match = NULL;
    stream_select(&self->stream, card); /* rows appear or disappear: keep looking at the same
                                         * cell */
}

/* Lines around those that match: shows more or fewer, and hides the others if that is not so yet.
 */
static void view_set_around(struct tui *tui, struct session_view *self, unsigned lines)
{
    const struct card *card;

    if (self->stream.search.size == 0) {
        tui_say(tui, MESSAGE_PLAIN, "no search; / begins one");
        return;
    }
    card = stream_selected(&self->stream);
    self->stream.look.hide = true;
    self->stream.look.around = MIN(lines, (unsigned)CARD_AROUND_MAX);
    self->stream.match = NULL;
    stream_select(&self->stream, card);
    tui_say(tui, MESSAGE_PLAIN, "%u line%s around each match", self->stream.look.around,
            self->stream.look.around == 1 ? "" : "s");
}

static void view_run_around(struct tui *tui, const struct words *words)
{
    struct gb_bytes word = gb_bytes_str(words->count == 2 ? words->words[1] : "");
    uint64_t lines;
    SELF(tui);

    if (gb_bytes_number(&word, CARD_AROUND_MAX, &lines) && word.size == 0)
        view_set_around(tui, self, (unsigned)lines);
    else
        tui_say(tui, MESSAGE_ERROR, "around takes a number of lines, at most %d", CARD_AROUND_MAX);
}

static void view_run_more(struct tui *tui, const struct words *words)
{
    SELF(tui);
    view_set_around(tui, self, self->stream.look.around + 1);
}

static void view_run_fewer(struct tui *tui, const struct words *words)
{
    SELF(tui);
    view_set_around(tui, self, self->stream.look.around - MIN(self->stream.look.around, 1u));
}

/* ---- with a cell ---- */

static void view_copy(struct tui *tui, struct gb_buf *text, const char *what)
{
    if (text->size == 0)
        tui_say(tui, MESSAGE_PLAIN, "there is no %s to copy", what);
    else if (tui_copy(tui, gb_buf_bytes(text)))
        tui_say(tui, MESSAGE_GOOD, "the %s is in the clipboard", what);
    else
        tui_say(tui, MESSAGE_ERROR, "the %s is too large for the clipboard", what);
    gb_buf_release(text);
}

static void view_run_copy(struct tui *tui, const struct words *words)
{
    struct gb_buf text = {0};
    const struct card *card;
    SELF(tui);

    card = stream_selected(&self->stream);
    if (card == NULL)
        return;
    gb_buf_add(&text, gb_buf_data(&card->source), card->source.size);
    view_copy(tui, &text, "code");
}

static void view_run_copy_output(struct tui *tui, const struct words *words)
{
    struct gb_buf text = {0};
    const struct card *card;
    SELF(tui);

    card = stream_selected(&self->stream);
    if (card == NULL)
        return;
    if (card->output != NULL)
        text_copy(card->output, TEXT_STREAM_COUNT, &text);
    if (card->value != NULL)
        text_copy(card->value, TEXT_STREAM_COUNT, &text);
    view_copy(tui, &text, "output");
}

static void view_run_rerun(struct tui *tui, const struct words *words)
{
    struct card *card;
    SELF(tui);

    card = stream_selected(&self->stream);
    if (card == NULL || !session_view_type(self))
        return;
    if (card->source_cut) {
        tui_say(tui, MESSAGE_ERROR, "its code is too long to be here as a whole");
    } else {
        char *code = xstrndup((const char *)gb_buf_data(&card->source), card->source.size);

        if (pane_run(&self->pane, code)) {
            self->ran = true;
            stream_to_end(&self->stream);
        }
        free(code);
    }
    session_view_leave(self);
}

static void view_run_edit(struct tui *tui, const struct words *words)
{
    struct card *card;
    SELF(tui);

    card = stream_selected(&self->stream);
    if (!session_view_type(self))
        return;
    if (card != NULL && !card->source_cut) {
        char *code = xstrndup((const char *)gb_buf_data(&card->source), card->source.size);

        pane_edit(&self->pane, code);
        free(code);
    } else {
        pane_edit(&self->pane, "");
    }
}

/* A terminal needs no cell to end, but nobody may hold the session: `glassbell shell` is a client
 * of its own. False: reported. */
static bool view_may_open_terminal(const struct session_view *self)
{
    const struct session *session = session_view_session(self);
    struct tui *tui = self->view.tui;
    char key[KEY_NAME_MAX];

    tui_key_of(tui, CONTEXT_SESSION, "hand-back", key);
    if (session == NULL || session_gone(session))
        tui_say(tui, MESSAGE_WARNING, "the session is closed");
    else if (session->lease.held && session->lease.mine)
        tui_say(tui, MESSAGE_WARNING, "a shell needs a session that nobody holds; %s hands it back",
                key);
    else if (session->lease.held)
        tui_say(tui, MESSAGE_WARNING, "%s holds this session", session->lease.holder);
    else
        return true;
    return false;
}

/* A shell at a terminal in the session, another program, or a terminal that there is. */
void session_view_run_shell(struct tui *tui, const struct words *words)
{
    const char *argv[COMMAND_WORDS_MAX + 2];
    bool attaches = words->count == 2 && words->words[1][0] >= '1' && words->words[1][0] <= '9';
    size_t count = 0;
    int status;
    SELF(tui);

    if (!view_may_open_terminal(self))
        return;
    if (attaches) {
        argv[count++] = "--attach";
        argv[count++] = words->words[1];
    }
    argv[count++] = self->id;
    for (size_t i = 1; i < words->count && !attaches; i++)
        argv[count++] = words->words[i];
    status = tui_run_verb(self->view.uplink, "shell", argv, count);
    if (status < 0)
        tui_say(tui, MESSAGE_ERROR, "no terminal can be opened here; use `glassbell shell %s`",
                self->id);
    else if (status == 125)
        tui_say(tui, MESSAGE_ERROR, "the terminal failed; `glassbell shell %s` tells why",
                self->id);
    else if (status > 0)
        tui_say(tui, MESSAGE_PLAIN, "the program has ended with %d", status);
}

/* ---- files ---- */

static void view_run_file(struct tui *tui, const struct words *words)
{
    SELF(tui);
    if (words->rest[0] == '\0') {
        tui_say(tui, MESSAGE_ERROR, "file takes the path of a file");
        return;
    }
    session_view_set_tab(self, TAB_FILES);
    files_seek(&self->files, words->rest);
}

static void view_run_file_open(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_enter(session_view_files(self));
}

static void view_run_file_back(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_leave(session_view_files(self));
}

static void view_run_file_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_move(session_view_files(self), 1);
}

static void view_run_file_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_move(session_view_files(self), -1);
}

static void view_run_file_end(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_move(session_view_files(self), FILES_MAX);
}

static void view_run_file_top(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_move(session_view_files(self), -FILES_MAX);
}

static void view_run_look_down(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_scroll(session_view_files(self), session_view_files(self)->height - 2);
}

static void view_run_look_up(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_scroll(session_view_files(self), 2 - session_view_files(self)->height);
}

static void view_on_local(void *arg, const char *line)
{
    struct session_view *self = arg;

    if (line != NULL && self == session_view_top(self->view.tui))
        files_download(session_view_files(self), line);
}

static void view_run_download(struct tui *tui, const struct words *words)
{
    const struct file_entry *entry;
    SELF(tui);

    entry = files_selected(session_view_files(self));
    if (words->rest[0] != '\0')
        files_download(session_view_files(self), words->rest);
    else if (entry != NULL && !entry->folder)
        tui_ask_path(tui, "download to", entry->name, view_on_local, self);
}

/* A copy of the past is thrown away: nothing is to be changed in it. True: reported. */
static bool view_is_copy(const struct session_view *self)
{
    if (timeline_shows_files(self))
        tui_say(self->view.tui, MESSAGE_WARNING,
                "this is a copy of the past: what is changed in it is lost");
    return timeline_shows_files(self);
}

static void view_on_upload(void *arg, const char *line)
{
    struct session_view *self = arg;

    if (line != NULL && self == session_view_top(self->view.tui) && !view_is_copy(self))
        files_upload(session_view_files(self), line);
}

static void view_run_upload(struct tui *tui, const struct words *words)
{
    SELF(tui);
    if (view_is_copy(self))
        return;
    if (words->rest[0] != '\0')
        files_upload(session_view_files(self), words->rest);
    else
        tui_ask_path(tui, "upload", NULL, view_on_upload, self);
}

static void view_on_remove(void *arg)
{
    struct session_view *self = arg;

    if (self == session_view_top(self->view.tui) && !view_is_copy(self))
        files_remove(session_view_files(self));
}

static void view_run_remove(struct tui *tui, const struct words *words)
{
    char path[FILES_PATH_MAX], question[FILES_PATH_MAX + 32];
    SELF(tui);

    files_selected_path(session_view_files(self), path);
    if (path[0] == '\0' || view_is_copy(self))
        return;
    (void)snprintf(question, sizeof(question), "remove %s from the session?", path);
    tui_confirm(tui, question, view_on_remove, self);
}

static void view_run_refresh(struct tui *tui, const struct words *words)
{
    SELF(tui);
    files_refresh(session_view_files(self));
}

static void view_run_copy_path(struct tui *tui, const struct words *words)
{
    char path[FILES_PATH_MAX];
    struct gb_buf text = {0};
    SELF(tui);

    files_selected_path(session_view_files(self), path);
    gb_buf_adds(&text, path);
    view_copy(tui, &text, "path");
}

#define ROW(name, arguments, help, keys, bar, run)                                                 \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_SESSION, ARGUMENT_NONE, run                      \
    }

#define FILE_ROW(name, arguments, help, keys, bar, run)                                            \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_FILES, ARGUMENT_NONE, run                        \
    }

/* A command whose argument is a local file. */
#define LOCAL_ROW(name, help, keys, run)                                                           \
    {                                                                                              \
        name, "[FILE]", help, keys, name, CONTEXT_FILES, ARGUMENT_FILE, run                        \
    }

const struct command session_commands[] = {
    ROW("type", "", "the keys go to the prompt", "i Enter", "type", session_view_run_type),
    ROW("next-cell", "", "to the next cell", "J", "next cell", view_run_next_cell),
    ROW("previous-cell", "", "to the cell before", "K", NULL, view_run_previous_cell),
    ROW("next-failed", "", "to the next cell that failed", "Tab", NULL, view_run_next_failed),
    ROW("cell", "NUMBER", "to the cell with this number", NULL, NULL, view_run_cell),
    ROW("fold", "", "fold or unfold the cell, or the cells that were undone", "o Space", "fold",
        view_run_fold),
    ROW("fold-all", "", "fold all cells but those that failed, or unfold all", "O", NULL,
        view_run_fold_all),
    ROW("whole", "", "long code as a whole, or its beginning", "x", NULL, view_run_whole),
    ROW("search", "[PATTERN]", "find lines, in the journal too; nothing ends it", "/", "search",
        view_run_search),
    ROW("search-next", "", "to the next match", "n", NULL, view_run_search_next),
    ROW("search-previous", "", "to the match before", "N", NULL, view_run_search_previous),
    ROW("hide", "", "show only the lines that match, or all", "h", NULL, view_run_hide),
    ROW("around", "LINES", "the lines that match, with so many before and after each", NULL, NULL,
        view_run_around),
    ROW("around-more", "", "one more line around each match", ">", NULL, view_run_more),
    ROW("around-fewer", "", "one line fewer around each match", "<", NULL, view_run_fewer),
    ROW("bookmark", "", "give the cell a bookmark, or remove it", "m", NULL, bookmark_run),
    ROW("note", "[TEXT]", "a note to the cell, for whoever reads it; an empty one removes it", "M",
        NULL, bookmark_run_note),
    ROW("next-bookmark", "", "to the next cell with a bookmark or a note", "'", NULL,
        bookmark_run_next),
    ROW("previous-bookmark", "", "to the one before", "\"", NULL, bookmark_run_previous),
    ROW("bookmarks", "", "show only cells with a bookmark or a note, or all", "B", NULL,
        bookmark_run_only),
    ROW("undo", "[STEPS]", "back to the checkpoint before: variables, files and processes", "u",
        "undo", travel_run_undo),
    ROW("redo", "[STEPS]", "forward again to what was undone", "U", NULL, travel_run_redo),
    ROW("rewind", "[CELL]", "back to how it was after the cell; asks before", "R", "rewind",
        travel_run_rewind),
    ROW("copy", "", "the code of the cell into the clipboard", "y", "copy", view_run_copy),
    ROW("copy-output", "", "the output of the cell into the clipboard", "Y", NULL,
        view_run_copy_output),
    ROW("save", "[FIGURE|output] [FILE]", "the cell's figure, or its output, as a file here", "W",
        "save", save_run),
    ROW("view", "[FIGURE|output]", "the same in a viewer: xdg-open, or $PAGER for output", "v",
        NULL, save_run_show),
    ROW("rerun", "", "run the cell again", ".", "rerun", view_run_rerun),
    ROW("edit", "", "the code of the cell in $EDITOR, then at the prompt", "e", "edit",
        view_run_edit),
    {.name = "shell",
     .arguments = "[NUMBER|PROGRAM…]",
     .help = "a shell in it, a program, or the terminal NUMBER; ~. leaves",
     .keys = "$",
     .bar = "shell",
     .context = CONTEXT_SESSION,
     .argument = ARGUMENT_TEXT,
     .run = session_view_run_shell},
    ROW("fork", "[CELL]", "open a session that goes on from it as it is, or was after a cell", "F",
        "fork", travel_run_fork),
    ROW("checkpoint", "[NAME]", "keep it as it is, to return to", "c", NULL, travel_run_checkpoint),
    ROW("interrupt", "", "interrupt the cell that runs", "C-c I", NULL, view_run_interrupt),
    ROW("answer", "", "type a line for the program that waits for input", "a", NULL,
        view_run_answer),
    ROW("follow", "", "keep the end in sight, or stand still", "f", NULL, view_run_follow),
    ROW("wrap", "", "wrap long lines, or cut them", "w", NULL, view_run_wrap),
    ROW("times", "", "the time of day at each cell, or not", "t", NULL, view_run_times),
    ROW("file", "PATH", "to the file, among the files of the session", NULL, NULL, view_run_file),
    TAB_ROWS(CONTEXT_SESSION),
    ROW("down", "", "a line down", "j Down", NULL, view_run_down),
    ROW("up", "", "a line up", "k Up", NULL, view_run_up),
    ROW("page-down", "", "a page down", "PageDown C-f", NULL, view_run_page_down),
    ROW("page-up", "", "a page up", "PageUp C-b", NULL, view_run_page_up),
    ROW("top", "", "to the first cell", "g Home", NULL, view_run_top),
    ROW("end", "", "to the end", "G End", NULL, view_run_end),
    FILE_ROW("open-file", "", "into the folder", "Enter Right l", "open", view_run_file_open),
    FILE_ROW("parent", "", "to the folder above", "Backspace Left", "up", view_run_file_back),
    LOCAL_ROW("download", "a copy of the file on this machine", "d", view_run_download),
    LOCAL_ROW("upload", "a file of this machine into the folder", "+", view_run_upload),
    FILE_ROW("remove", "", "remove it from the session", "D", "remove", view_run_remove),
    FILE_ROW("undo", "[STEPS]", "back to the checkpoint before", "u", NULL, travel_run_undo),
    FILE_ROW("redo", "[STEPS]", "forward again to what was undone", "U", NULL, travel_run_redo),
    FILE_ROW("refresh", "", "read the folder again", "r", NULL, view_run_refresh),
    FILE_ROW("copy-path", "", "the path into the clipboard", "y", NULL, view_run_copy_path),
    FILE_ROW("file-down", "", "to the next file", "j Down", NULL, view_run_file_down),
    FILE_ROW("file-up", "", "to the file before", "k Up", NULL, view_run_file_up),
    FILE_ROW("file-top", "", "to the first file", "g Home", NULL, view_run_file_top),
    FILE_ROW("file-end", "", "to the last file", "G End", NULL, view_run_file_end),
    FILE_ROW("look-down", "", "a page down in the file", "PageDown J", NULL, view_run_look_down),
    FILE_ROW("look-up", "", "a page up in the file", "PageUp K", NULL, view_run_look_up),
    FILE_ROW("type", "", "the keys go to the prompt", "i", "type", session_view_run_type),
    FILE_ROW("file", "PATH", "to the file with this path", NULL, NULL, view_run_file),
    TAB_ROWS(CONTEXT_FILES),
    {.name = "leave",
     .arguments = "",
     .help = "the keys go to commands again",
     .keys = "C-]",
     .bar = "back to keys",
     .context = CONTEXT_REPL,
     .run = view_run_leave},
    {.name = "interrupt",
     .arguments = "",
     .help = "drop what is typed, or interrupt the cell",
     .keys = "C-c",
     .bar = "interrupt",
     .context = CONTEXT_REPL,
     .run = view_run_interrupt},
    {.name = "page-up",
     .arguments = "",
     .help = "a page up",
     .keys = "PageUp",
     .context = CONTEXT_REPL,
     .run = view_run_page_up},
    {.name = "page-down",
     .arguments = "",
     .help = "a page down",
     .keys = "PageDown",
     .context = CONTEXT_REPL,
     .run = view_run_page_down},
    {0},
};
