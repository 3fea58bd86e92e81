/* SPDX-License-Identifier: Apache-2.0 */
/* The pop-up of completions. */
#include "prompt/private.h"

#include <string.h>

#include "base/mem.h"

void prompt_close_popup(void)
{
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

/* The byte at which code point @points begins. */
static size_t byte_of(const char *text, size_t points)
{
    size_t i = 0;

    for (; text[i] != '\0'; i++)
        if (((unsigned char)text[i] & 0xc0) != 0x80 && points-- == 0)
            break;
    return i;
}

static size_t points_of(const char *text, size_t size)
{
    size_t points = 0;

    for (size_t i = 0; i < size; i++)
        points += ((unsigned char)text[i] & 0xc0) != 0x80;
    return points;
}

void prompt_ask_matches(bool again)
{
    prompt.match_question = ++prompt.question;
    prompt.match_again = again;
    prompt.hooks->ask_matches(prompt.arg, prompt.question, rl_line_buffer,
                              points_of(rl_line_buffer, (size_t)rl_point));
}

/* Puts @text in place of what is between the start of the matches and the cursor. */
static void put(size_t start, const char *text, size_t size)
{
    _cleanup_(freep) char *copy = xstrndup(text, size);

    if (size == (size_t)rl_point - start && memcmp(rl_line_buffer + start, copy, size) == 0)
        return;
    (void)rl_begin_undo_group();
    (void)rl_delete_text((int)start, rl_point);
    rl_point = (int)start;
    (void)rl_insert_text(copy);
    (void)rl_end_undo_group();
}

static size_t common_prefix(const struct prompt_match *matches, size_t count)
{
    size_t size = strlen(matches[0].text);

    for (size_t i = 1; i < count; i++) {
        size_t n = 0;

        while (n < size && matches[i].text[n] == matches[0].text[n])
            n++;
        size = n;
    }
    while (size > 0 && ((unsigned char)matches[0].text[size] & 0xc0) == 0x80)
        size--;
    return size;
}

void prompt_matches(uint64_t question, const struct prompt_match *matches, size_t count,
                    size_t start)
{
    bool again = prompt.match_again;
    size_t from = byte_of(rl_line_buffer, start), common;

    if (question == 0 || question != prompt.match_question || prompt.hooks == NULL)
        return;
    count = MIN(count, (size_t)PROMPT_MATCHES_MAX);
    prompt_close_popup();
    if (count == 0 || start > points_of(rl_line_buffer, (size_t)rl_point))
        return;
    if (!again) {
        common = common_prefix(matches, count);
        if (count == 1 || common > (size_t)rl_point - from)
            put(from, matches[0].text, common);
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
}

static bool is_key(struct gb_bytes key, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (gb_bytes_equal(key, *keys))
            return true;
    return false;
}

static void take_selected(void)
{
    const char *text = prompt.matches[prompt.selected].text;

    if (prompt.match_start <= (size_t)rl_point)
        put(prompt.match_start, text, strlen(text));
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

    prompt.match_question = 0; /* an answer that is late is for another text */
    if (prompt.match_count == 0)
        return false;
    if (is_key(key, next)) {
        prompt.selected = (prompt.selected + 1) % prompt.match_count;
    } else if (is_key(key, previous)) {
        prompt.selected = (prompt.selected + prompt.match_count - 1) % prompt.match_count;
    } else if (is_key(key, take)) {
        take_selected();
    } else if (is_key(key, leave)) {
        prompt_close_popup();
    } else if (types || is_key(key, backspace)) {
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
