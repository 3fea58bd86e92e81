/* SPDX-License-Identifier: Apache-2.0 */
/* Functions bound to keys. readline may leave them by longjmp: they must not own anything. */
#include "editor/private.h"

#include <string.h>

#include "base/mem.h"
#include "editor/edit.h"

/* ---- lines of the text ---- */

static int keys_line_start(int at)
{
    while (at > 0 && rl_line_buffer[at - 1] != '\n')
        at--;
    return at;
}

static int keys_line_end(int at)
{
    while (at < rl_end && rl_line_buffer[at] != '\n')
        at++;
    return at;
}

static int keys_points_between(int from, int to)
{
    int points = 0;

    for (int i = from; i < to; i++)
        points += ((unsigned char)rl_line_buffer[i] & 0xc0) != 0x80;
    return points;
}

/* The position @points code points after @from, on the same line. */
static int keys_go_to(int from, int points)
{
    int end = keys_line_end(from), at = from;

    while (at < end && points > 0) {
        at++;
        while (at < end && ((unsigned char)rl_line_buffer[at] & 0xc0) == 0x80)
            at++;
        points--;
    }
    return at;
}

static bool keys_move_line(int direction)
{
    int start = keys_line_start(rl_point), column = keys_points_between(start, rl_point);

    if (direction < 0) {
        if (start == 0)
            return false;
        rl_point = keys_go_to(keys_line_start(start - 1), column);
    } else {
        int end = keys_line_end(rl_point);

        if (end == rl_end)
            return false;
        rl_point = keys_go_to(end + 1, column);
    }
    return true;
}

/* ---- history ---- */

static int keys_on_up(int count, int key);
static int keys_on_down(int count, int key);

/* Continues through the history: by the original text before the cursor, or entry by entry. */
static int keys_move_history(int direction)
{
    bool going_on =
        prompt.in_history && (rl_last_func == keys_on_up || rl_last_func == keys_on_down);

    if (!going_on) {
        prompt.in_history = true;
        prompt.by_prefix = rl_point > 0 && memchr(rl_line_buffer, '\n', (size_t)rl_end) == NULL;
    }
    if (!prompt.by_prefix)
        return direction < 0 ? rl_get_previous_history(1, 0) : rl_get_next_history(1, 0);
    /* readline takes a new prefix unless its own function was the last one. */
    rl_last_func = going_on ? rl_history_search_backward : NULL;
    (void)(direction < 0 ? rl_history_search_backward(1, 0) : rl_history_search_forward(1, 0));
    return 0;
}

static int keys_on_up(int count, int key)
{
    (void)count;
    (void)key;
    if (!(prompt.in_history && (rl_last_func == keys_on_up || rl_last_func == keys_on_down))) {
        prompt.in_history = false;
        if (keys_move_line(-1))
            return 0;
    }
    (void)keys_move_history(-1);
    return 0;
}

static int keys_on_down(int count, int key)
{
    (void)count;
    (void)key;
    if (!(prompt.in_history && (rl_last_func == keys_on_up || rl_last_func == keys_on_down))) {
        prompt.in_history = false;
        if (keys_move_line(1))
            return 0;
    }
    (void)keys_move_history(1);
    return 0;
}

/* ---- moving ---- */

static int keys_on_home(int count, int key)
{
    (void)count;
    (void)key;
    rl_point = keys_line_start(rl_point);
    return 0;
}

static int keys_on_end(int count, int key)
{
    const char *suggestion = prompt_suggestion();

    (void)count;
    (void)key;
    if (suggestion != NULL)
        (void)rl_insert_text(suggestion);
    else
        rl_point = keys_line_end(rl_point);
    return 0;
}

static int keys_on_forward(int count, int key)
{
    const char *suggestion = prompt_suggestion();

    if (suggestion == NULL)
        return rl_forward_char(count, key);
    (void)rl_insert_text(suggestion);
    return 0;
}

/* A word of the suggestion, with the blanks before it. */
static int keys_on_forward_word(int count, int key)
{
    const char *suggestion = prompt_suggestion();
    char word[256];
    size_t size;

    if (suggestion == NULL)
        return rl_forward_word(count, key);
    size = strspn(suggestion, " \t\n");
    size += strcspn(suggestion + size, " \t\n");
    size = MIN(size, sizeof(word) - 1);
    while (size > 0 && ((unsigned char)suggestion[size] & 0xc0) == 0x80)
        size--;
    memcpy(word, suggestion, size);
    word[size] = '\0';
    (void)rl_insert_text(word);
    return 0;
}

/* To the end of the line, not of the text; at the end of a line, the line break. */
static int keys_on_kill(int count, int key)
{
    int end = keys_line_end(rl_point);

    (void)count;
    (void)key;
    if (end == rl_point && end < rl_end)
        end++;
    (void)rl_kill_text(rl_point, end);
    return 0;
}

/* ---- Enter, Tab ---- */

static int keys_on_enter(int count, int key)
{
    (void)count;
    (void)key;
    if (prompt.accept) {
        rl_point = rl_end;
        return rl_newline(1, '\n');
    }
    if (memchr(rl_line_buffer + rl_point, '\n', (size_t)(rl_end - rl_point)) != NULL) {
        /* Above the last line, Enter inserts a newline. */
        int start = keys_line_start(rl_point);
        char blanks[256] = "\n";
        size_t size = strspn(rl_line_buffer + start, " \t");

        size = MIN(MIN(size, (size_t)(rl_point - start)), sizeof(blanks) - 2);
        memcpy(blanks + 1, rl_line_buffer + start, size);
        blanks[size + 1] = '\0';
        (void)rl_insert_text(blanks);
        return 0;
    }
    if (prompt_ask_complete()) /* an empty line: nothing to run */
        rl_replace_line("", 0);
    return 0;
}

/* Runs the cell even if it looks incomplete. */
static int keys_on_force(int count, int key)
{
    (void)count;
    (void)key;
    rl_point = rl_end;
    return rl_newline(1, '\n');
}

static int keys_on_line_break(int count, int key)
{
    (void)count;
    (void)key;
    (void)rl_insert_text("\n");
    return 0;
}

static int keys_on_tab(int count, int key)
{
    int start = keys_line_start(rl_point);

    (void)count;
    (void)key;
    if ((int)strspn(rl_line_buffer + start, " \t") >= rl_point - start)
        (void)rl_insert_text(prompt.unit);
    else
        prompt_ask_matches(false);
    return 0;
}

/* C-d at the end of an incomplete cell means that nothing follows: it runs as it is, and its
 * language reports what is missing, like bash and Python. Elsewhere it deletes a character. */
static int keys_on_delete(int count, int key)
{
    const int start = keys_line_start(rl_point);
    const bool below = rl_point == rl_end && start > 0 &&
                       (int)strspn(rl_line_buffer + start, " \t") == rl_end - start;

    if (key == ('D' & 0x1f) && below && !edit_is_blank(rl_line_buffer))
        return keys_on_force(count, key);
    return rl_delete(count, key);
}

static int keys_on_edit(int count, int key)
{
    (void)count;
    (void)key;
    if (prompt.hooks->edit != NULL)
        prompt.hooks->edit(prompt.arg, rl_line_buffer);
    return 0;
}

static int keys_on_clear(int count, int key)
{
    (void)count;
    (void)key;
    if (prompt.hooks->clear != NULL)
        prompt.hooks->clear(prompt.arg);
    return 0;
}

static int keys_on_nothing(int count, int key)
{
    (void)count;
    (void)key;
    return 0;
}

/* ---- binding ---- */

/* Whatever is bound to @from, by default or by ~/.inputrc, is bound to @to instead. */
static void keys_rebind(Keymap map, rl_command_func_t *from, rl_command_func_t *to)
{
    char **keys = rl_invoking_keyseqs_in_map(from, map);

    for (size_t i = 0; keys != NULL && keys[i] != NULL; i++) {
        (void)rl_bind_keyseq_in_map(keys[i], to, map);
        free(keys[i]);
    }
    free(keys);
}

void prompt_bind_keys(void)
{
    static const struct {
        rl_command_func_t *from, *to;
    } changed[] = {
        {rl_newline, keys_on_enter},
        {rl_get_previous_history, keys_on_up},
        {rl_get_next_history, keys_on_down},
        {rl_beg_of_line, keys_on_home},
        {rl_end_of_line, keys_on_end},
        {rl_forward_char, keys_on_forward},
        {rl_forward_word, keys_on_forward_word},
        {rl_kill_line, keys_on_kill},
        {rl_delete, keys_on_delete},
        {rl_complete, keys_on_tab},
        {rl_menu_complete, keys_on_tab},
        {rl_possible_completions, keys_on_tab},
        {rl_vi_complete, keys_on_tab},
        /* These write to the terminal or run local programs. */
        {rl_clear_screen, keys_on_clear},
        {rl_clear_display, keys_on_clear},
        {rl_refresh_line, keys_on_nothing},
        {rl_dump_functions, keys_on_nothing},
        {rl_dump_macros, keys_on_nothing},
        {rl_dump_variables, keys_on_nothing},
        {rl_insert_completions, keys_on_nothing},
        {rl_tilde_expand, keys_on_nothing},
        {rl_vi_tilde_expand, keys_on_nothing},
    };
    static const struct {
        const char *keys;
        rl_command_func_t *function;
    } wanted[] = {
        {"\\e[1;5C", keys_on_forward_word},
        {"\\e[1;5D", rl_backward_word},
        {"\\e[1~", keys_on_home},
        {"\\e[4~", keys_on_end},
        {"\\e[H", keys_on_home},
        {"\\e[F", keys_on_end},
        {"\\eOH", keys_on_home},
        {"\\eOF", keys_on_end},
        {"\\e[3~", rl_delete},
        {"\\e[A", keys_on_up},
        {"\\e[B", keys_on_down},
        {"\\eOA", keys_on_up},
        {"\\eOB", keys_on_down},
        {"\\e[C", keys_on_forward},
        {"\\eOC", keys_on_forward},
        {"\\e[D", rl_backward_char},
        {"\\eOD", rl_backward_char},
    };
    Keymap maps[] = {rl_get_keymap_by_name("emacs-standard"), rl_get_keymap_by_name("vi-insert"),
                     rl_get_keymap_by_name("vi-command")};

    for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
        for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
            keys_rebind(maps[m], changed[i].from, changed[i].to);
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
            (void)rl_bind_keyseq_if_unbound_in_map(wanted[i].keys, wanted[i].function, maps[m]);
        (void)rl_bind_key_in_map('\r', keys_on_enter, maps[m]);
        (void)rl_bind_key_in_map('\n', keys_on_enter, maps[m]);
    }
    for (size_t m = 0; m < 2; m++) {
        (void)rl_bind_key_in_map('\t', keys_on_tab, maps[m]);
        (void)rl_bind_keyseq_in_map("\\e\\r", keys_on_force, maps[m]);
        (void)rl_bind_keyseq_in_map("\\C-o", keys_on_line_break, maps[m]);
        (void)rl_bind_keyseq_in_map("\\C-x\\C-e", keys_on_edit, maps[m]);
    }
    (void)rl_bind_key_in_map('v', keys_on_edit, maps[2]);
}
