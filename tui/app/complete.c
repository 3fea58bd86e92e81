#include "app/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/fuzzy.h"

static void offer(struct candidates *out, const char *typed, const char *text, const char *note)
{
    struct candidate *item;
    int score = fuzzy_match(typed, text, NULL);

    if (score == FUZZY_NONE || text[0] == '\0' || out->count == CANDIDATES_MAX)
        return;
    item = &out->items[out->count++];
    (void)snprintf(item->text, sizeof(item->text), "%s", text);
    (void)snprintf(item->note, sizeof(item->note), "%s", note);
    item->score = score;
}

static void offer_commands(struct tui *tui, const char *typed, struct candidates *out)
{
    enum context context = tui_context(tui);

    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *row = tui->tables.tables[i]; row->name != NULL; row++)
            if (command_is_known(&tui->tables, context, row))
                offer(out, typed, row->name, row->help);
}

static void offer_sessions(struct tui *tui, const char *typed, struct candidates *out)
{
    struct session *session;

    GB_LIST_FOREACH(session, &tui->store.sessions, link)
    {
        char note[160];

        (void)snprintf(note, sizeof(note), "%.64s, %s", session->image,
                       session_state_word(session));
        offer(out, typed, session_title(session), note);
    }
}

static void offer_themes(const char *typed, struct candidates *out)
{
    char names[THEME_LIST_MAX][THEME_NAME_MAX];
    size_t count = theme_list(names);

    offer(out, typed, "auto", "as the terminal is: dark or light");
    for (size_t i = 0; i < count; i++)
        offer(out, typed, names[i], "");
}

static void offer_images(struct tui *tui, const char *typed, struct candidates *out)
{
    for (size_t i = 0; i < tui->store.server.image_count; i++)
        offer(out, typed, tui->store.server.images[i], "");
}

static int compare(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;

    return one->score != other->score ? other->score - one->score : strcmp(one->text, other->text);
}

void complete_line(struct tui *tui, const char *line, size_t point, struct candidates *ret)
{
    static const char *const columns[] = {"state", "name", "owner", "image", "cells",
                                          "mem",   "cpu",  "idle",  "age"};
    static const char *const options[] = {"theme", "mouse"};
    char typed[COMMAND_LINE_MAX], name[COMMAND_LINE_MAX];
    const struct command *command;
    size_t first = strcspn(line, " ");

    ret->count = 0;
    ret->from = point;
    while (ret->from > 0 && line[ret->from - 1] != ' ')
        ret->from--;
    (void)snprintf(typed, sizeof(typed), "%.*s", (int)(point - ret->from), line + ret->from);
    if (ret->from == 0) {
        offer_commands(tui, typed, ret);
    } else {
        (void)snprintf(name, sizeof(name), "%.*s", (int)first, line);
        command = command_find(&tui->tables, tui_context(tui), name);
        switch (command != NULL ? command->argument : ARGUMENT_NONE) {
        case ARGUMENT_SESSION:
            offer_sessions(tui, typed, ret);
            break;
        case ARGUMENT_THEME:
            offer_themes(typed, ret);
            break;
        case ARGUMENT_IMAGE:
            offer_images(tui, typed, ret);
            break;
        case ARGUMENT_COMMAND:
            offer_commands(tui, typed, ret);
            break;
        case ARGUMENT_COLUMN:
            for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
                offer(ret, typed, columns[i], "");
            break;
        case ARGUMENT_OPTION:
            for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                offer(ret, typed, options[i], "");
            break;
        default:
            break;
        }
    }
    qsort(ret->items, ret->count, sizeof(ret->items[0]), compare);
}
