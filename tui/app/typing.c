/* SPDX-License-Identifier: Apache-2.0 */
/* Lines typed at the bottom of the screen: after `:` with completions above it, after `/` with the
 * view following each letter, and answers to questions. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/complete.h"
#include "app/internal.h"
#include "base/mem.h"
#include "command/line.h"

enum { OFFER_ROWS = 9 };

struct typing {
    struct overlay overlay;
    char question[160];
    struct line line;
    bool command; /* it will be run; completions are shown */
    bool path;    /* a local one; likewise */
    struct candidates candidates;
    size_t chosen;                /* index of one of them plus 1; 0: none */
    char typed[COMMAND_LINE_MAX]; /* by the user, while a completion replaces it */
    tui_changed_cb *changed;
    tui_asked_cb *done;
    void *arg;
};

static struct typing *typing_of(struct overlay *overlay)
{
    return container_of(overlay, struct typing, overlay);
}

static void typing_look_again(struct typing *typing)
{
    typing->chosen = 0;
    if (typing->command)
        complete_line(typing->overlay.tui, typing->line.text, typing->line.point,
                      &typing->candidates);
    if (typing->path)
        complete_path(typing->line.text, 0, typing->line.point, &typing->candidates);
    if (typing->changed != NULL)
        typing->changed(typing->arg, typing->line.text);
}

/* ---- drawing ---- */

static void typing_draw_offer(struct typing *typing, struct region above)
{
    const struct candidates *candidates = &typing->candidates;
    size_t chosen = typing->chosen, first = chosen > OFFER_ROWS ? chosen - OFFER_ROWS : 0;
    int rows = (int)MIN(candidates->count, (size_t)OFFER_ROWS), width = 0;
    struct region box;

    if (rows == 0)
        return;
    for (size_t i = 0; i < candidates->count; i++)
        width = MAX(width, (int)text_columns(gb_bytes_str(candidates->items[i].text)));
    width = MIN(width, 32);
    box = region_part(above, 0, above.height - rows, MIN(above.width, width + 64), rows);
    paint_fill(box, STYLE(ROLE_POPUP));
    for (int y = 0; y < rows; y++) {
        const struct candidate *item = &candidates->items[first + (size_t)y];
        struct region row = region_part(box, 0, y, -1, 1);
        bool selected = first + (size_t)y + 1 == chosen;

        if (selected)
            paint_fill(row, STYLE(ROLE_POPUP_SELECTED));
        (void)paint_cut(row, 2, 0, width, STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP),
                        gb_bytes_str(item->text));
        (void)paint_cut(row, width + 4, 0, row.width - width - 5,
                        STYLE(selected ? ROLE_POPUP_SELECTED : ROLE_POPUP_DIM),
                        gb_bytes_str(item->note));
    }
}

static void typing_draw(struct overlay *overlay, struct region region)
{
    struct typing *typing = typing_of(overlay);
    struct region row = region_part(region, 0, region.height - 2, -1, 1);
    const struct line *line = &typing->line;
    size_t from = 0, taken;
    int x, room;

    paint_fill(row, STYLE(ROLE_TEXT));
    x = 1 + paint_str(row, 1, 0, STYLE(ROLE_ACCENT), typing->question);
    room = MAX(1, row.width - x - 2);
    /* What does not fit is scrolled out to the left, so that the point is visible. */
    while (text_columns((struct gb_bytes){(const uint8_t *)line->text + from, line->point - from}) >
           (size_t)room) {
        struct glyph glyph;

        from += glyph_next((struct gb_bytes){(const uint8_t *)line->text + from, line->size - from},
                           &glyph);
    }
    (void)paint_text(row, x, 0, STYLE(ROLE_EDITOR),
                     (struct gb_bytes){(const uint8_t *)line->text + from, line->size - from});
    taken = text_columns((struct gb_bytes){(const uint8_t *)line->text + from, line->point - from});
    paint_cursor(row, x + (int)taken, 0);
    if (typing->command || typing->path)
        typing_draw_offer(typing, region_part(region, 0, 0, -1, region.height - 2));
}

/* ---- keys ---- */

/* The overlay is freed first, because the action may open another one. */
static void typing_finish(struct typing *typing, bool yes)
{
    struct tui *tui = typing->overlay.tui;
    _cleanup_(freep) char *text = xstrdup(typing->line.text);
    tui_asked_cb *done = typing->done;
    struct line_history *history = typing->line.history;
    bool command = typing->command;
    void *arg = typing->arg;

    tui_set_overlay(tui, NULL);
    if (command && yes) {
        history_add(&tui->history, text);
        lines_add(tui->history_path, text);
        tui_command(tui, text);
    } else if (done != NULL) {
        if (yes && history != NULL)
            history_add(history, text);
        done(arg, yes ? text : NULL);
    }
}

static void typing_choose(struct typing *typing, int step)
{
    size_t count = typing->candidates.count + 1;
    struct line *line = &typing->line;

    if (count == 1)
        return;
    if (typing->chosen == 0)
        (void)snprintf(typing->typed, sizeof(typing->typed), "%s",
                       line->text + typing->candidates.from);
    typing->chosen = (typing->chosen + count + (size_t)step) % count;
    line->point = line->size;
    line_replace(line, typing->candidates.from,
                 typing->chosen == 0 ? typing->typed
                                     : typing->candidates.items[typing->chosen - 1].text);
    /* If there is only one, no further choice is needed. */
    if (typing->candidates.count == 1) {
        bool goes_on = line->size > 0 && line->text[line->size - 1] == '/';

        if (!typing->path && !goes_on)
            line_insert(line, gb_bytes_str(" "));
        typing_look_again(typing);
    }
}

static bool typing_event(struct overlay *overlay, const struct input_event *typing_event)
{
    struct typing *typing = typing_of(overlay);
    struct key key = typing_event->key;

    if (typing_event->kind == INPUT_PASTE) {
        line_insert(&typing->line, typing_event->bytes);
        typing_look_again(typing);
        return true;
    }
    if (typing_event->kind != INPUT_KEY)
        return true;
    if (key.code == KEY_ENTER) {
        typing_finish(typing, true);
    } else if (key.code == KEY_ESCAPE ||
               (key.modifiers == KEY_CONTROL && (key.code == 'c' || key.code == 'g')) ||
               (typing->command && key.code == KEY_BACKSPACE && typing->line.size == 0)) {
        typing_finish(typing, false);
    } else if ((typing->command || typing->path) && key.code == KEY_TAB) {
        typing_choose(typing, (key.modifiers & KEY_SHIFT) != 0 ? -1 : 1);
    } else if (line_key(&typing->line, key)) {
        typing_look_again(typing);
    }
    return true;
}

static void typing_free(struct overlay *overlay)
{
    free(typing_of(overlay));
}

enum typing_kind { TYPING_COMMAND, TYPING_PATTERN, TYPING_ANSWER, TYPING_PATH, TYPING_COUNT };

static struct typing *typing_new(struct tui *tui, enum typing_kind kind, const char *question,
                                 const char *start)
{
    static const struct overlay_ops ops[] = {
        [TYPING_COMMAND] = {"COMMAND", typing_draw, typing_event, typing_free},
        [TYPING_PATTERN] = {"PATTERN", typing_draw, typing_event, typing_free},
        [TYPING_ANSWER] = {"ANSWER", typing_draw, typing_event, typing_free},
        [TYPING_PATH] = {"PATH", typing_draw, typing_event, typing_free},
    };
    static const struct bar_key keys[][5] = {
        [TYPING_COMMAND] = {{"Enter", "run"},
                            {"Tab", "complete"},
                            {"Up", "earlier"},
                            {"Esc", "leave"}},
        [TYPING_PATTERN] = {{"Enter", "keep"}, {"Up", "earlier"}, {"Esc", "as before"}},
        [TYPING_ANSWER] = {{"Enter", "done"}, {"Esc", "leave"}},
        [TYPING_PATH] = {{"Enter", "done"}, {"Tab", "complete"}, {"Esc", "leave"}},
    };
    static_assert(ARRAY_SIZE(ops) == TYPING_COUNT && ARRAY_SIZE(keys) == TYPING_COUNT,
                  "a row each");
    struct typing *typing = xcalloc(1, sizeof(*typing));
    size_t size = strlen(question);

    typing->overlay = (struct overlay){&ops[kind], keys[kind], tui};

    /* The text does not touch the question; `:` and `/` are not words. */
    (void)snprintf(typing->question, sizeof(typing->question), "%s%s", question,
                   size > 1 && question[size - 1] != ' ' ? ": " : "");
    line_set(&typing->line, start != NULL ? start : "");
    return typing;
}

void typing_command(struct tui *tui, const char *start)
{
    struct typing *typing = typing_new(tui, TYPING_COMMAND, ":", NULL);

    typing->command = true;
    typing->line.history = &tui->history;
    line_set(&typing->line, start);
    typing_look_again(typing);
    tui_set_overlay(tui, &typing->overlay);
}

void tui_ask_command(struct tui *tui, const char *start, const char *first)
{
    struct typing *typing;

    typing_command(tui, start);
    typing = typing_of(tui->overlay);
    for (size_t i = 0; i < typing->candidates.count; i++)
        if (strcmp(typing->candidates.items[i].text, first) == 0) {
            typing_choose(typing, (int)i + 1);
            break; /* they may be others now */
        }
}

static struct typing *typing_ask(struct tui *tui, enum typing_kind kind, const char *question,
                                 const char *start, tui_asked_cb *done, void *arg)
{
    struct typing *typing = typing_new(tui, kind, question, start);

    typing->done = done;
    typing->arg = arg;
    return typing;
}

void tui_ask(struct tui *tui, const char *question, const char *start, tui_asked_cb *done,
             void *arg)
{
    tui_set_overlay(tui, &typing_ask(tui, TYPING_ANSWER, question, start, done, arg)->overlay);
}

void tui_ask_path(struct tui *tui, const char *question, const char *start, tui_asked_cb *done,
                  void *arg)
{
    struct typing *typing = typing_ask(tui, TYPING_PATH, question, start, done, arg);

    typing->path = true;
    tui_set_overlay(tui, &typing->overlay);
}

void tui_ask_live(struct tui *tui, enum tui_recall recall, tui_changed_cb *changed,
                  tui_asked_cb *done, void *arg)
{
    struct typing *typing = typing_ask(tui, TYPING_PATTERN, "/", NULL, done, arg);

    typing->line.history = &tui->recalled[recall];
    line_set(&typing->line, "");
    typing->changed = changed;
    tui_set_overlay(tui, &typing->overlay);
}
