/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/prompt.h"

#include <stdio.h>
#include <string.h>

/* readline's headers need stdio's first. */
#include <readline/history.h>
#include <readline/readline.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "editor/edit.h"
#include "editor/private.h"

/* The only one, since readline is global. */
struct prompt prompt;

/* ---- readline's side ---- */

/* Keys are passed in complete, so the queue is only empty here when readline wants the second key
 * of a sequence that it can wait for; it calls the hook below first. */
static int prompt_next_byte(FILE *stream)
{
    (void)stream;
    if (prompt.key.size == 0)
        return EOF;
    {
        int byte = gb_buf_data(&prompt.key)[0];

        gb_buf_consume(&prompt.key, 1);
        return byte;
    }
}

static int prompt_is_byte_there(void)
{
    return prompt.key.size > 0;
}

static void prompt_paint_nothing(void)
{
}

static void prompt_list_nothing(char **matches, int count, int longest)
{
    (void)matches;
    (void)count;
    (void)longest;
}

static char **prompt_complete_nothing(const char *text, int start, int end)
{
    (void)text;
    (void)start;
    (void)end;
    rl_attempted_completion_over = 1; /* never complete local file names */
    return NULL;
}

/* A line was accepted: readline continues with an empty one when this returns. */
static void prompt_on_line(char *line)
{
    size_t size;

    prompt_close_popup();
    if (line == NULL) {
        if (prompt.hooks != NULL)
            prompt.hooks->eof(prompt.arg);
        return;
    }
    size = strlen(line);
    while (size > 0 && strchr(" \t\n", line[size - 1]) != NULL)
        size--;
    line[size] = '\0';
    if (size > 0 && prompt.hooks != NULL && !prompt.hooks->submit(prompt.arg, line)) {
        free(prompt.kept);
        prompt.kept = TAKE_PTR(line);
    } else if (size > 0) {
        history_file_add(prompt.history, line);
        using_history();
    }
    free(line);
}

static void prompt_install(void)
{
    rl_callback_handler_install("", prompt_on_line);
}

static bool prompt_is_set(const char *variable)
{
    const char *value = rl_variable_value(variable);

    return value != NULL && strcmp(value, "on") == 0;
}

static void prompt_set_up(void)
{
    if (prompt.ready)
        return;
    prompt.ready = true;
    prompt.nowhere = fopen("/dev/null", "r+e");
    if (prompt.nowhere == NULL)
        abort(); /* a host without /dev/null */
    rl_prep_term_function = NULL;
    rl_deprep_term_function = NULL;
    rl_getc_function = prompt_next_byte;
    rl_input_available_hook = prompt_is_byte_there;
    rl_redisplay_function = prompt_paint_nothing;
    rl_completion_display_matches_hook = prompt_list_nothing;
    rl_attempted_completion_function = prompt_complete_nothing;
    edit_start(prompt.nowhere, prompt.nowhere);
    prompt.shows_mode = prompt_is_set("show-mode-in-prompt");
    prompt.pastes = prompt_is_set("enable-bracketed-paste");
    (void)rl_variable_bind("enable-bracketed-paste", "off");
    (void)rl_variable_bind("show-mode-in-prompt", "off");
    (void)rl_variable_bind("blink-matching-paren", "off");
    prompt_bind_keys();
    prompt_install();
}

/* ---- history per language ---- */

static void prompt_put_history_away(void)
{
    if (prompt.at != NULL)
        prompt.at->state = history_get_history_state();
}

static void prompt_use_history(const char *language)
{
    HISTORY_STATE empty = {0};
    struct prompt_history *history = prompt.histories;

    if (prompt.at != NULL && strcmp(prompt.at->language, language) == 0)
        return;
    prompt_put_history_away();
    while (history != NULL && strcmp(history->language, language) != 0)
        history = history->next;
    if (history != NULL) {
        history_set_history_state(history->state);
        free(history->state);
        history->state = NULL;
    } else {
        history = xcalloc(1, sizeof(*history));
        history->language = xstrdup(language);
        history->path = history_file_path(language);
        history->next = prompt.histories;
        prompt.histories = history;
        history_set_history_state(&empty);
        history_file_read(history->path, &history->ends);
    }
    prompt.at = history;
    prompt.history = history->path;
}

void prompt_ended(const char *language, struct gb_bytes text, const char *verdict)
{
    struct prompt_history *history = prompt.histories;

    while (history != NULL && strcmp(history->language, language) != 0)
        history = history->next;
    if (history != NULL)
        history_file_tell(&history->ends, history->path, text, verdict);
}

/* ---- the text ---- */

void prompt_set_text(const char *text)
{
    rl_begin_undo_group();
    rl_replace_line(text, 0);
    rl_end_undo_group();
    rl_point = rl_end;
    prompt_close_popup();
}

bool prompt_clear(void)
{
    bool typed = rl_end > 0;

    if (!prompt.ready)
        return false;
    prompt.waiting = false;
    gb_buf_clear(&prompt.ahead);
    prompt_close_popup();
    rl_free_line_state(); /* abandons a search or an argument */
    rl_callback_sigcleanup();
    rl_callback_handler_remove();
    rl_replace_line("", 1);
    prompt_install();
    using_history();
    return typed;
}

/* Removes what a terminal should not be asked to show: control characters and invalid UTF-8.
 * Gives. */
static char *prompt_clean_paste(struct gb_bytes text)
{
    struct gb_buf clean = {0};
    size_t at = 0;

    while (at < text.size) {
        size_t size = gb_utf8_sequence(text.data + at, text.size - at);
        uint8_t c = text.data[at];

        if (size == 0)
            gb_buf_adds(&clean, "\357\277\275");
        else if (size > 1 || c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f))
            gb_buf_add(&clean, text.data + at, size);
        at += MAX(size, 1u);
    }
    return gb_buf_take_str(&clean);
}

bool prompt_paste(struct gb_bytes text)
{
    char *clean;

    if (text.size > PROMPT_TEXT_MAX || (size_t)rl_end + text.size > PROMPT_TEXT_MAX)
        return false;
    clean = prompt_clean_paste(text);
    prompt_close_popup();
    if (strlen(clean) + (size_t)rl_end <= PROMPT_TEXT_MAX) {
        (void)rl_begin_undo_group();
        (void)rl_insert_text(clean);
        (void)rl_end_undo_group();
    }
    free(clean);
    return true;
}

/* ---- attaching ---- */

void prompt_draft_release(struct prompt_draft *draft)
{
    free(draft->text);
    *draft = (struct prompt_draft){0};
}

void prompt_attach(const struct prompt_hooks *hooks, void *arg, const char *history,
                   const char *indent, struct prompt_draft *draft)
{
    if (prompt.hooks != NULL)
        prompt_detach(prompt.arg);
    prompt_set_up();
    (void)prompt_clear();
    prompt_use_history(history);
    prompt_forget_description();
    prompt.hooks = hooks;
    prompt.arg = arg;
    prompt.draft = draft;
    prompt.unit = indent;
    if (draft->text != NULL) {
        rl_replace_line(draft->text, 1);
        rl_point = (int)MIN(draft->cursor, (size_t)rl_end);
        prompt_draft_release(draft);
    }
}

void prompt_detach(void *arg)
{
    if (prompt.hooks == NULL || prompt.arg != arg)
        return;
    prompt_draft_release(prompt.draft);
    prompt.draft->text = xstrdup(rl_line_buffer);
    prompt.draft->cursor = (size_t)rl_point;
    prompt.hooks = NULL;
    prompt.arg = NULL;
    prompt.draft = NULL;
    (void)prompt_clear();
}

bool prompt_is_attached(const void *arg)
{
    return prompt.hooks != NULL && prompt.arg == arg;
}

void prompt_release(void)
{
    if (!prompt.ready)
        return;
    prompt_put_history_away();
    while (prompt.histories != NULL) {
        struct prompt_history *history = TAKE_PTR(prompt.histories);

        prompt.histories = history->next;
        history_set_history_state(history->state);
        clear_history();
        free(history->state->entries);
        free(history->state);
        history_file_tidy(history->path);
        history_ends_release(&history->ends);
        free(history->language);
        free(history->path);
        free(history);
    }
    prompt_close_popup();
    rl_callback_handler_remove();
    gb_buf_release(&prompt.search);
    gb_buf_release(&prompt.key);
    gb_buf_release(&prompt.ahead);
    gb_buf_release(&prompt.asked);
    free(prompt.kept);
    (void)fclose(prompt.nowhere);
    rl_instream = rl_outstream = NULL;
    prompt = (struct prompt){0};
}

/* Readline continues with an empty line: restores text that could not be sent. */
static void prompt_bring_back(void)
{
    if (prompt.kept == NULL)
        return;
    prompt_set_text(prompt.kept);
    free(TAKE_PTR(prompt.kept));
}

/* ---- keys ---- */

static void prompt_feed(struct gb_bytes key)
{
    gb_buf_clear(&prompt.key);
    gb_buf_add(&prompt.key, key.data, key.size);
    while (prompt.key.size > 0)
        rl_callback_read_char();
    prompt_bring_back();
    if (rl_end > PROMPT_TEXT_MAX)
        (void)rl_delete_text(PROMPT_TEXT_MAX, rl_end);
    rl_point = MIN(rl_point, rl_end);
}

/* Keys that arrived while Enter waited, each after its length. */
static void prompt_feed_ahead(void)
{
    while (!prompt.waiting && prompt.ahead.size > 0) {
        uint8_t key[PROMPT_KEY_MAX], size = gb_buf_data(&prompt.ahead)[0];

        memcpy(key, gb_buf_data(&prompt.ahead) + 1, size);
        gb_buf_consume(&prompt.ahead, 1u + size);
        if (!prompt_popup_key((struct gb_bytes){key, size}))
            prompt_feed((struct gb_bytes){key, size});
    }
}

void prompt_key(struct gb_bytes key)
{
    uint8_t size = (uint8_t)key.size;

    if (key.size == 0 || key.size > PROMPT_KEY_MAX || prompt.hooks == NULL)
        return;
    if (prompt.ahead.size < PROMPT_AHEAD_MAX) {
        gb_buf_add_u8(&prompt.ahead, size);
        gb_buf_add(&prompt.ahead, key.data, key.size);
    }
    prompt_feed_ahead();
}

/* ---- Enter ---- */

/* The cell as the guest is to judge it: a last line of only blanks counts as empty. */
static const char *prompt_whole_text(void)
{
    size_t end = (size_t)rl_end;

    while (end > 0 && (rl_line_buffer[end - 1] == ' ' || rl_line_buffer[end - 1] == '\t'))
        end--;
    if (end > 0 && rl_line_buffer[end - 1] != '\n')
        end = (size_t)rl_end;
    gb_buf_clear(&prompt.asked);
    gb_buf_add(&prompt.asked, rl_line_buffer, end);
    return gb_buf_str(&prompt.asked);
}

bool prompt_ask_complete(void)
{
    if (edit_is_blank(rl_line_buffer))
        return true;
    prompt.waiting = true;
    prompt.hooks->ask_complete(prompt.arg, ++prompt.question, prompt_whole_text());
    return false;
}

/* Replays Enter, which is now accepted. */
static void prompt_accept(void)
{
    prompt.accept = true;
    (void)rl_execute_next('\r');
    rl_callback_read_char();
    prompt.accept = false;
    prompt_bring_back();
}

static void prompt_go_on(const char *indent)
{
    rl_point = rl_end;
    (void)rl_begin_undo_group();
    (void)rl_insert_text("\n");
    (void)rl_insert_text(indent);
    (void)rl_end_undo_group();
}

void prompt_completeness(uint64_t question, bool complete, const char *indent)
{
    if (!prompt.waiting || question != prompt.question)
        return;
    prompt.waiting = false;
    if (complete)
        prompt_accept();
    else
        prompt_go_on(indent != NULL && strspn(indent, " \t") == strlen(indent) ? indent : "");
    prompt_feed_ahead();
}

bool prompt_waits(void)
{
    return prompt.waiting;
}

void prompt_expired(void)
{
    struct gb_buf indent = {0};
    bool complete;

    if (!prompt.waiting)
        return;
    complete = prompt_looks_complete(gb_bytes_str(rl_line_buffer), prompt.unit, &indent);
    prompt_completeness(prompt.question, complete, gb_buf_str(&indent));
    gb_buf_release(&indent);
}

/* ---- what is seen ---- */

/* The rest of the newest entry that starts with the text. */
const char *prompt_suggestion(void)
{
    HIST_ENTRY **list = history_list();

    if (rl_end == 0 || rl_point != rl_end || prompt.match_count > 0 || list == NULL ||
        RL_ISSTATE(RL_STATE_ISEARCH | RL_STATE_NSEARCH) != 0)
        return NULL;
    for (int i = history_length - 1; i >= 0; i--)
        if (strncmp(list[i]->line, rl_line_buffer, (size_t)rl_end) == 0 &&
            list[i]->line[rl_end] != '\0')
            return list[i]->line + rl_end;
    return NULL;
}

/* Readline's own words, with how the entry that was found ended the last time: behind the words in
 * brackets. */
static const char *prompt_search(void)
{
    const char *words = rl_display_prompt, *close = strchr(words, ')');
    const char *verdict =
        prompt.at != NULL && rl_end > 0 ? history_verdict(&prompt.at->ends, rl_line_buffer) : NULL;

    if (words[0] != '(' || close == NULL || verdict == NULL || RL_ISSTATE(RL_STATE_ISEARCH) == 0)
        return words;
    gb_buf_clear(&prompt.search);
    gb_buf_addf(&prompt.search, "%.*s, %s%s", (int)(close - words), words, verdict, close);
    return gb_buf_str(&prompt.search);
}

void prompt_view(struct prompt_view *ret_view)
{
    bool searching = rl_display_prompt != NULL && rl_display_prompt[0] != '\0';

    *ret_view = (struct prompt_view){.text = "", .signature = "", .summary = ""};
    if (!prompt.ready)
        return;
    *ret_view = (struct prompt_view){
        .text = rl_line_buffer,
        .size = (size_t)rl_end,
        .cursor = (size_t)rl_point,
        .search = searching ? prompt_search() : NULL,
        .suggestion = prompt_suggestion(),
        .mode = rl_editing_mode != 0                    ? PROMPT_EMACS
                : rl_get_keymap() == vi_movement_keymap ? PROMPT_VI_COMMAND
                                                        : PROMPT_VI_INSERT,
        .matches = prompt.matches,
        .match_count = prompt.match_count,
        .selected = prompt.selected,
        .start = prompt.match_start,
        .signature = prompt.signature != NULL ? prompt.signature : "",
        .summary = prompt.summary != NULL ? prompt.summary : "",
        .describes = prompt.describes,
        .waits = prompt.waiting,
        .shows_mode = prompt.shows_mode,
        .pastes = prompt.pastes,
    };
}
