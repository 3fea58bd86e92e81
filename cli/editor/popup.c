/* SPDX-License-Identifier: Apache-2.0 */
/* The pop-up of completions. */
#include "editor/private.h"

#include <string.h>

#include "base/mem.h"
#include "editor/edit.h"

/* ---- what the selected match is ---- */

static void popup_clear_description(void)
{
    free(TAKE_PTR(prompt.signature));
    free(TAKE_PTR(prompt.summary));
    prompt.describe_again = prompt.describing != 0;
}

/* Files are what their names say. */
static void popup_ask_description(void)
{
    const struct prompt_match *match = &prompt.matches[prompt.selected];
    struct gb_buf text = {0};

    popup_clear_description();
    if (prompt.describing != 0 || prompt.hooks->ask_description == NULL ||
        strcmp(match->kind, "path") == 0)
        return;
    prompt.describing = ++prompt.described;
    gb_buf_add(&text, rl_line_buffer, prompt.match_start);
    gb_buf_adds(&text, match->text);
    prompt.hooks->ask_description(prompt.arg, prompt.describing, gb_buf_str(&text));
    gb_buf_release(&text);
}

void prompt_description(uint64_t question, const char *signature, const char *summary)
{
    if (question == 0 || question != prompt.describing)
        return;
    prompt.describing = 0;
    if (prompt.match_count == 0)
        return;
    if (prompt.describe_again) {
        popup_ask_description();
        return;
    }
    prompt.signature = signature != NULL ? xstrdup(signature) : NULL;
    prompt.summary = summary != NULL ? xstrdup(summary) : NULL;
    prompt.describes |=
        (signature != NULL && signature[0] != '\0') || (summary != NULL && summary[0] != '\0');
}

void prompt_forget_description(void)
{
    prompt.describing = 0;
    prompt.describe_again = false;
}

/* ---- the list ---- */

static void popup_clear(void)
{
    popup_clear_description();
    for (size_t i = 0; i < prompt.match_count; i++) {
        free(prompt.owned[2 * i]);
        free(prompt.owned[2 * i + 1]);
    }
    free(prompt.owned);
    prompt.owned = NULL;
    free(prompt.matches);
    prompt.matches = NULL;
    prompt.match_count = prompt.selected = 0;
    prompt.match_question = 0;
}

void prompt_close_popup(void)
{
    popup_clear();
    prompt.describes = false;
}

void prompt_ask_matches(bool again)
{
    prompt.match_question = ++prompt.question;
    prompt.match_again = again;
    prompt.hooks->ask_matches(prompt.arg, prompt.question, rl_line_buffer,
                              edit_points(rl_line_buffer, (size_t)rl_point));
}

static const char *popup_text_at(const void *texts, size_t index)
{
    const struct prompt_match *matches = texts;

    return matches[index].text;
}

void prompt_matches(uint64_t question, const struct prompt_match *matches, size_t count,
                    size_t start)
{
    bool again = prompt.match_again;
    size_t from = edit_offset(rl_line_buffer, start), common;

    if (question == 0 || question != prompt.match_question || prompt.hooks == NULL)
        return;
    count = MIN(count, (size_t)PROMPT_MATCHES_MAX);
    popup_clear();
    prompt.describes = prompt.describes && again;
    if (count == 0 || start > edit_points(rl_line_buffer, (size_t)rl_point))
        return;
    if (!again) {
        common = edit_common(popup_text_at, matches, count);
        if (count == 1 || common > (size_t)rl_point - from)
            (void)edit_put(from, matches[0].text, common);
        if (count == 1)
            return;
    }
    prompt.matches = xcalloc(count, sizeof(*prompt.matches));
    prompt.owned = xcalloc(2 * count, sizeof(*prompt.owned));
    for (size_t i = 0; i < count; i++) {
        prompt.owned[2 * i] = xstrdup(matches[i].text);
        prompt.owned[2 * i + 1] = xstrdup(matches[i].kind);
        prompt.matches[i] = (struct prompt_match){prompt.owned[2 * i], prompt.owned[2 * i + 1]};
    }
    prompt.match_count = count;
    prompt.match_start = from;
    popup_ask_description();
}

static bool popup_is_key(struct gb_bytes key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (gb_bytes_equal(key, *keys))
            return true;
    return false;
}

static void popup_take_selected(void)
{
    const char *text = prompt.matches[prompt.selected].text;

    if (prompt.match_start <= (size_t)rl_point)
        (void)edit_put(prompt.match_start, text, strlen(text));
    prompt_close_popup();
}

bool prompt_popup_key(struct gb_bytes key)
{
    static const char *const next[] = {"\t", "\033[B", "\033OB", "\016", NULL};
    static const char *const previous[] = {"\033[Z", "\033[A", "\033OA", "\020", NULL};
    static const char *const take[] = {"\r", "\n", NULL};
    static const char *const leave[] = {"\033", "\007", NULL};
    static const char *const backspace[] = {"\177", "\b", NULL};
    bool types = key.data[0] > 0x20 && key.data[0] != 0x7f;

    prompt.match_question = 0; /* a late answer is for another text */
    if (prompt.match_count == 0)
        return false;
    if (popup_is_key(key, next)) {
        prompt.selected = (prompt.selected + 1) % prompt.match_count;
        popup_ask_description();
    } else if (popup_is_key(key, previous)) {
        prompt.selected = (prompt.selected + prompt.match_count - 1) % prompt.match_count;
        popup_ask_description();
    } else if (popup_is_key(key, take)) {
        popup_take_selected();
    } else if (popup_is_key(key, leave)) {
        prompt_close_popup();
    } else if (types || popup_is_key(key, backspace)) {
        gb_buf_clear(&prompt.key);
        gb_buf_add(&prompt.key, key.data, key.size);
        while (prompt.key.size > 0)
            rl_callback_read_char();
        if ((size_t)rl_point > prompt.match_start)
            prompt_ask_matches(true);
        else
            prompt_close_popup();
    } else {
        prompt_close_popup();
        return false;
    }
    return true;
}
