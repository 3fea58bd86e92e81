/* SPDX-License-Identifier: Apache-2.0 */
/* Functions bound to keys. readline may leave them by longjmp: they own nothing. */
#include "prompt/private.h"

#include <string.h>

#include "base/mem.h"

/* ---- lines of the text ---- */

static int line_start(int at)
{
    while (at > 0 && rl_line_buffer[at - 1] != '\n')
        at--;
    return at;
}

static int line_end(int at)
{
    while (at < rl_end && rl_line_buffer[at] != '\n')
        at++;
    return at;
}

static int points_between(int from, int to)
{
    int points = 0;

    for (int i = from; i < to; i++)
        points += ((unsigned char)rl_line_buffer[i] & 0xc0) != 0x80;
    return points;
}

/* The place @points code points behind @from, within its line. */
static int go_to(int from, int points)
{
    int end = line_end(from), at = from;

    while (at < end && points > 0) {
        at++;
        while (at < end && ((unsigned char)rl_line_buffer[at] & 0xc0) == 0x80)
            at++;
        points--;
    }
    return at;
}

static bool move_line(int direction)
{
    int start = line_start(rl_point), column = points_between(start, rl_point);

    if (direction < 0) {
        if (start == 0)
            return false;
        rl_point = go_to(line_start(start - 1), column);
    } else {
        int end = line_end(rl_point);

        if (end == rl_end)
            return false;
        rl_point = go_to(end + 1, column);
    }
    return true;
}

/* ---- history ---- */

static int on_up(int count, int key);
static int on_down(int count, int key);

/* Going on through history: by what stood before the cursor at first, or entry by entry. */
static int move_history(int direction)
{
    bool going_on = prompt.in_history && (rl_last_func == on_up || rl_last_func == on_down);

    if (!going_on) {
        prompt.in_history = true;
        prompt.by_prefix = rl_point > 0 && memchr(rl_line_buffer, '\n', (size_t)rl_end) == NULL;
    }
    if (!prompt.by_prefix)
        return direction < 0 ? rl_get_previous_history(1, 0) : rl_get_next_history(1, 0);
    /* readline takes the prefix anew unless its own function was the last one. */
    rl_last_func = going_on ? rl_history_search_backward : NULL;
    (void)(direction < 0 ? rl_history_search_backward(1, 0) : rl_history_search_forward(1, 0));
    return 0;
}

static int on_up(int count, int key)
{
    (void)count;
    (void)key;
    if (!(prompt.in_history && (rl_last_func == on_up || rl_last_func == on_down))) {
        prompt.in_history = false;
        if (move_line(-1))
            return 0;
    }
    (void)move_history(-1);
    return 0;
}

static int on_down(int count, int key)
{
    (void)count;
    (void)key;
    if (!(prompt.in_history && (rl_last_func == on_up || rl_last_func == on_down))) {
        prompt.in_history = false;
        if (move_line(1))
            return 0;
    }
    (void)move_history(1);
    return 0;
}

/* ---- moving ---- */

static int on_home(int count, int key)
{
    (void)count;
    (void)key;
    rl_point = line_start(rl_point);
    return 0;
}

static int on_end(int count, int key)
{
    const char *suggestion = prompt_suggestion();

    (void)count;
    (void)key;
    if (suggestion != NULL)
        (void)rl_insert_text(suggestion);
    else
        rl_point = line_end(rl_point);
    return 0;
}

static int on_forward(int count, int key)
{
    const char *suggestion = prompt_suggestion();

    if (suggestion == NULL)
        return rl_forward_char(count, key);
    (void)rl_insert_text(suggestion);
    return 0;
}

/* A word of the suggestion, with the blanks before it. */
static int on_forward_word(int count, int key)
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

/* To the end of the line, not of the text; at its end, the line break. */
static int on_kill(int count, int key)
{
    int end = line_end(rl_point);

    (void)count;
    (void)key;
    if (end == rl_point && end < rl_end)
        end++;
    (void)rl_kill_text(rl_point, end);
    return 0;
}

/* ---- Enter, Tab ---- */

static int on_enter(int count, int key)
{
    (void)count;
    (void)key;
    if (prompt.accept) {
        rl_point = rl_end;
        return rl_newline(1, '\n');
    }
    if (memchr(rl_line_buffer + rl_point, '\n', (size_t)(rl_end - rl_point)) != NULL) {
        /* Above the last line Enter makes a line. */
        int start = line_start(rl_point);
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

/* Runs it however incomplete it may look. */
static int on_force(int count, int key)
{
    (void)count;
    (void)key;
    rl_point = rl_end;
    return rl_newline(1, '\n');
}

static int on_line_break(int count, int key)
{
    (void)count;
    (void)key;
    (void)rl_insert_text("\n");
    return 0;
}

static int on_tab(int count, int key)
{
    int start = line_start(rl_point);

    (void)count;
    (void)key;
    if ((int)strspn(rl_line_buffer + start, " \t") >= rl_point - start)
        (void)rl_insert_text(prompt.unit);
    else
        prompt_ask_matches(false);
    return 0;
}

static int on_edit(int count, int key)
{
    (void)count;
    (void)key;
    prompt.hooks->edit(prompt.arg, rl_line_buffer);
    return 0;
}

static int on_nothing(int count, int key)
{
    (void)count;
    (void)key;
    return 0;
}

/* ---- binding ---- */

/* Whatever is bound to @from, by default or by ~/.inputrc, is bound to @to. */
static void rebind(Keymap map, rl_command_func_t *from, rl_command_func_t *to)
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
        {rl_newline, on_enter},
        {rl_get_previous_history, on_up},
        {rl_get_next_history, on_down},
        {rl_beg_of_line, on_home},
        {rl_end_of_line, on_end},
        {rl_forward_char, on_forward},
        {rl_forward_word, on_forward_word},
        {rl_kill_line, on_kill},
        {rl_complete, on_tab},
        {rl_menu_complete, on_tab},
        {rl_possible_completions, on_tab},
        {rl_vi_complete, on_tab},
        /* These write to the terminal, or run programs of this machine. */
        {rl_clear_screen, on_nothing},
        {rl_clear_display, on_nothing},
        {rl_refresh_line, on_nothing},
        {rl_dump_functions, on_nothing},
        {rl_dump_macros, on_nothing},
        {rl_dump_variables, on_nothing},
        {rl_insert_completions, on_nothing},
        {rl_tilde_expand, on_nothing},
        {rl_vi_tilde_expand, on_nothing},
    };
    static const struct {
        const char *keys;
        rl_command_func_t *function;
    } wanted[] = {
        {"\\e[1;5C", on_forward_word},
        {"\\e[1;5D", rl_backward_word},
        {"\\e[1~", on_home},
        {"\\e[4~", on_end},
        {"\\e[H", on_home},
        {"\\e[F", on_end},
        {"\\eOH", on_home},
        {"\\eOF", on_end},
        {"\\e[3~", rl_delete},
        {"\\e[A", on_up},
        {"\\e[B", on_down},
        {"\\eOA", on_up},
        {"\\eOB", on_down},
        {"\\e[C", on_forward},
        {"\\eOC", on_forward},
        {"\\e[D", rl_backward_char},
        {"\\eOD", rl_backward_char},
    };
    Keymap maps[] = {rl_get_keymap_by_name("emacs-standard"), rl_get_keymap_by_name("vi-insert"),
                     rl_get_keymap_by_name("vi-command")};

    for (size_t m = 0; m < ARRAY_SIZE(maps); m++) {
        for (size_t i = 0; i < ARRAY_SIZE(changed); i++)
            rebind(maps[m], changed[i].from, changed[i].to);
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
            (void)rl_bind_keyseq_if_unbound_in_map(wanted[i].keys, wanted[i].function, maps[m]);
        (void)rl_bind_key_in_map('\r', on_enter, maps[m]);
        (void)rl_bind_key_in_map('\n', on_enter, maps[m]);
    }
    for (size_t m = 0; m < 2; m++) {
        (void)rl_bind_key_in_map('\t', on_tab, maps[m]);
        (void)rl_bind_keyseq_in_map("\\e\\r", on_force, maps[m]);
        (void)rl_bind_keyseq_in_map("\\C-o", on_line_break, maps[m]);
        (void)rl_bind_keyseq_in_map("\\C-x\\C-e", on_edit, maps[m]);
    }
    (void)rl_bind_key_in_map('v', on_edit, maps[2]);
}
