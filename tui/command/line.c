/* SPDX-License-Identifier: Apache-2.0 */
#include "command/line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

void line_set(struct line *line, const char *text)
{
    line->size = line->point = 0;
    line->text[0] = '\0';
    line_insert(line, gb_bytes_str(text));
    line->at = line->history != NULL ? line->history->count : 0;
}

static bool line_is_control(const uint8_t *data, size_t size)
{
    return data[0] < 0x20 || data[0] == 0x7f || (size == 2 && data[0] == 0xc2 && data[1] < 0xa0);
}

void line_insert(struct line *line, struct gb_bytes text)
{
    while (text.size > 0) {
        size_t n = gb_utf8_sequence(text.data, text.size);
        size_t used = n == 0 ? 1 : n;

        if (n > 0 && !line_is_control(text.data, n) && line->size + n < sizeof(line->text)) {
            memmove(line->text + line->point + n, line->text + line->point,
                    line->size - line->point + 1);
            memcpy(line->text + line->point, text.data, n);
            line->point += n;
            line->size += n;
        }
        text.data += used;
        text.size -= used;
    }
}

static size_t line_before(const struct line *line, size_t at)
{
    while (at > 0 && ((uint8_t)line->text[--at] & 0xc0) == 0x80)
        continue;
    return at;
}

static size_t line_after(const struct line *line, size_t at)
{
    while (at < line->size && ((uint8_t)line->text[++at] & 0xc0) == 0x80)
        continue;
    return at;
}

static bool line_is_word(char c)
{
    return c != ' ' && c != '/' && c != '=' && c != '.';
}

static size_t line_word_before(const struct line *line, size_t at)
{
    while (at > 0 && !line_is_word(line->text[at - 1]))
        at--;
    while (at > 0 && line_is_word(line->text[at - 1]))
        at--;
    return at;
}

static size_t line_word_after(const struct line *line, size_t at)
{
    while (at < line->size && !line_is_word(line->text[at]))
        at++;
    while (at < line->size && line_is_word(line->text[at]))
        at++;
    return at;
}

static void line_cut(struct line *line, size_t from, size_t to, bool keep)
{
    if (keep)
        (void)snprintf(line->killed, sizeof(line->killed), "%.*s", (int)(to - from),
                       line->text + from);
    memmove(line->text + from, line->text + to, line->size - to + 1);
    line->size -= to - from;
    line->point = from;
}

void line_replace(struct line *line, size_t from, const char *text)
{
    line_cut(line, from, line->point, false);
    line_insert(line, gb_bytes_str(text));
}

/* Shows another line of the history; after the last one comes the line that was being typed. */
static void line_walk(struct line *line, int step)
{
    const struct line_history *history = line->history;
    size_t at;

    if (history == NULL || (step < 0 ? line->at == 0 : line->at >= history->count))
        return;
    if (line->at == history->count)
        (void)snprintf(line->draft, sizeof(line->draft), "%s", line->text);
    at = step < 0 ? line->at - 1 : line->at + 1;
    line_set(line, at == history->count ? line->draft : history->lines[at]);
    line->at = at;
}

static bool line_control_key(struct line *line, uint32_t code)
{
    switch (code) {
    case 'a':
        line->point = 0;
        return true;
    case 'e':
        line->point = line->size;
        return true;
    case 'b':
        line->point = line_before(line, line->point);
        return true;
    case 'f':
        line->point = line_after(line, line->point);
        return true;
    case 'h':
        line_cut(line, line_before(line, line->point), line->point, false);
        return true;
    case 'd':
        line_cut(line, line->point, line_after(line, line->point), false);
        return true;
    case 'k':
        line_cut(line, line->point, line->size, true);
        return true;
    case 'u':
        line_cut(line, 0, line->point, true);
        return true;
    case 'w':
        line_cut(line, line_word_before(line, line->point), line->point, true);
        return true;
    case 'y':
        line_insert(line, gb_bytes_str(line->killed));
        return true;
    case 'p':
        line_walk(line, -1);
        return true;
    case 'n':
        line_walk(line, 1);
        return true;
    case KEY_LEFT:
        line->point = line_word_before(line, line->point);
        return true;
    case KEY_RIGHT:
        line->point = line_word_after(line, line->point);
        return true;
    default:
        return false;
    }
}

static bool line_meta_key(struct line *line, uint32_t code)
{
    switch (code) {
    case 'b':
        line->point = line_word_before(line, line->point);
        return true;
    case 'f':
        line->point = line_word_after(line, line->point);
        return true;
    case 'd':
        line_cut(line, line->point, line_word_after(line, line->point), true);
        return true;
    case KEY_BACKSPACE:
        line_cut(line, line_word_before(line, line->point), line->point, true);
        return true;
    default:
        return false;
    }
}

static bool line_plain_key(struct line *line, uint32_t code)
{
    switch (code) {
    case KEY_LEFT:
        return line_control_key(line, 'b');
    case KEY_RIGHT:
        return line_control_key(line, 'f');
    case KEY_HOME:
        return line_control_key(line, 'a');
    case KEY_END:
        return line_control_key(line, 'e');
    case KEY_BACKSPACE:
        return line_control_key(line, 'h');
    case KEY_DELETE:
        return line_control_key(line, 'd');
    case KEY_UP:
        return line_control_key(line, 'p');
    case KEY_DOWN:
        return line_control_key(line, 'n');
    default:
        return false;
    }
}

bool line_key(struct line *line, struct key key)
{
    char text[KEY_NAME_MAX];

    if ((key.modifiers & KEY_CONTROL) != 0)
        return line_control_key(line, key.code);
    if ((key.modifiers & KEY_META) != 0)
        return line_meta_key(line, key.code);
    if (key.code >= KEY_ENTER)
        return line_plain_key(line, key.code);
    if (key.code == ' ')
        line_insert(line, gb_bytes_str(" "));
    else {
        key_text(key, text);
        line_insert(line, gb_bytes_str(text));
    }
    return true;
}

void history_add(struct line_history *history, const char *line)
{
    if (line[0] == '\0' ||
        (history->count > 0 && strcmp(history->lines[history->count - 1], line) == 0))
        return;
    if (history->count == HISTORY_MAX) {
        free(history->lines[0]);
        memmove(history->lines, history->lines + 1, (HISTORY_MAX - 1) * sizeof(history->lines[0]));
        history->count--;
    }
    history->lines[history->count++] = xstrdup(line);
}

void history_release(struct line_history *history)
{
    for (size_t i = 0; i < history->count; i++)
        free(history->lines[i]);
    history->count = 0;
}
