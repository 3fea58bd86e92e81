/* SPDX-License-Identifier: Apache-2.0 */
#include "app/complete.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/hidden.h"
#include "base/mem.h"
#include "command/columns.h"
#include "base/utf8.h"
#include "command/fuzzy.h"

#define PACKAGES_OPTION "--packages"

enum { PATH_ENTRIES_MAX = 20000 }; /* entries of a folder that are examined */

static void complete_offer(struct candidates *out, const char *typed, const char *text,
                           const char *note)
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

static void complete_offer_commands(struct tui *tui, const char *typed, struct candidates *out)
{
    enum context context = tui_context(tui);

    for (size_t i = 0; i < tui->tables.count; i++)
        for (const struct command *row = tui->tables.tables[i]; row->name != NULL; row++)
            if (command_is_known(&tui->tables, context, row))
                complete_offer(out, typed, row->name, row->help);
}

static void complete_offer_sessions(struct tui *tui, const char *typed, struct candidates *out)
{
    struct session *session = NULL;

    while ((session = tui_next_session(tui, session)) != NULL) {
        char note[160], name[STORE_HOST_MAX + STORE_NAME_MAX];

        (void)snprintf(note, sizeof(note), "%.64s, %s", session->image,
                       session_state_word(session));
        uplink_qualify(uplink_of(session), session_title(session), name, sizeof(name));
        complete_offer(out, typed, name, note);
    }
}

static void complete_offer_themes(const char *typed, struct candidates *out)
{
    char names[THEME_LIST_MAX][THEME_NAME_MAX];
    size_t count = theme_list(names);

    complete_offer(out, typed, "auto", "as the terminal is: dark or light");
    for (size_t i = 0; i < count; i++)
        complete_offer(out, typed, names[i], "");
}

static void complete_offer_images(struct tui *tui, const char *typed, struct candidates *out)
{
    for (size_t i = 0; i < tui->uplink_count; i++) {
        const struct uplink *uplink = &tui->uplinks[i];

        for (size_t j = 0; j < uplink->store.server.image_count; j++) {
            char name[STORE_HOST_MAX + STORE_NAME_MAX];

            uplink_qualify(uplink, uplink->store.server.images[j], name, sizeof(name));
            complete_offer(out, typed, name, "");
        }
    }
}

static int complete_compare(const void *a, const void *b)
{
    const struct candidate *one = a, *other = b;

    return one->score != other->score ? other->score - one->score : strcmp(one->text, other->text);
}

char *tui_local_path(const char *typed)
{
    const char *home = getenv("HOME");

    if (typed[0] == '~' && (typed[1] == '/' || typed[1] == '\0') && home != NULL && home[0] == '/')
        return xasprintf("%s%s", home, typed + 1);
    return xstrdup(typed);
}

static int complete_compare_names(const void *a, const void *b)
{
    return strcmp(((const struct candidate *)a)->text, ((const struct candidate *)b)->text);
}

/* Whether it can be typed and is displayed unambiguously. */
static bool complete_is_plain(const char *name)
{
    struct gb_bytes text = gb_bytes_str(name);

    while (text.size > 0) {
        size_t n = gb_utf8_sequence(text.data, text.size);

        if (n == 0 || gb_hidden(gb_hidden_point(text.data, n)))
            return false;
        text.data += n;
        text.size -= n;
    }
    return true;
}

static bool complete_is_folder(int folder, const char *name)
{
    struct stat info;

    return fstatat(folder, name, &info, 0) == 0 && S_ISDIR(info.st_mode);
}

void complete_path(const char *line, size_t from, size_t point, struct candidates *ret)
{
    _cleanup_(freep) char *typed = xstrndup(line + from, point - from);
    const char *slash = strrchr(typed, '/'), *begin = slash != NULL ? slash + 1 : typed;
    _cleanup_(freep) char *above = xstrndup(typed, (size_t)(begin - typed));
    _cleanup_(freep) char *folder = tui_local_path(slash != NULL ? above : ".");
    DIR *entries = opendir(folder);
    size_t seen = 0;

    ret->count = 0;
    ret->from = point - strlen(begin);
    for (const struct dirent *entry = entries != NULL ? readdir(entries) : NULL;
         entry != NULL && ret->count < CANDIDATES_MAX && seen < PATH_ENTRIES_MAX;
         entry = readdir(entries), seen++) {
        struct candidate *item = &ret->items[ret->count];

        if (strncmp(entry->d_name, begin, strlen(begin)) != 0 ||
            (entry->d_name[0] == '.' && begin[0] != '.') || strcmp(entry->d_name, ".") == 0 ||
            strcmp(entry->d_name, "..") == 0 || strlen(entry->d_name) + 2 > sizeof(item->text) ||
            !complete_is_plain(entry->d_name))
            continue;
        *item = (struct candidate){.note = ""};
        (void)snprintf(item->text, sizeof(item->text), "%.*s%s", (int)sizeof(item->text) - 2,
                       entry->d_name, complete_is_folder(dirfd(entries), entry->d_name) ? "/" : "");
        ret->count++;
    }
    if (entries != NULL)
        (void)closedir(entries);
    qsort(ret->items, ret->count, sizeof(ret->items[0]), complete_compare_names);
}

/* Whether the word that begins at @from follows this one. */
static bool complete_is_after(const char *line, size_t from, const char *word)
{
    const size_t size = strlen(word);

    while (from > 0 && line[from - 1] == ' ')
        from--;
    return from > size && line[from - size - 1] == ' ' &&
           memcmp(line + from - size, word, size) == 0;
}

void complete_line(struct tui *tui, const char *line, size_t point, struct candidates *ret)
{
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
        complete_offer_commands(tui, typed, ret);
    } else {
        (void)snprintf(name, sizeof(name), "%.*s", (int)first, line);
        command = command_find(&tui->tables, tui_context(tui), name);
        switch (command != NULL ? command->argument : ARGUMENT_NONE) {
        case ARGUMENT_SESSION:
            complete_offer_sessions(tui, typed, ret);
            break;
        case ARGUMENT_THEME:
            complete_offer_themes(typed, ret);
            break;
        case ARGUMENT_IMAGE:
            if (complete_is_after(line, ret->from, PACKAGES_OPTION)) {
                complete_path(line, ret->from, point, ret);
                return;
            }
            if (ret->from == first + strspn(line + first, " "))
                complete_offer_images(tui, typed, ret);
            else
                complete_offer(ret, typed, PACKAGES_OPTION, "names in quotes, or a file of them");
            break;
        case ARGUMENT_FILE: /* everything after the name is the path, including spaces */
            complete_path(line, first + strspn(line + first, " "), point, ret);
            return;
        case ARGUMENT_COMMAND:
            complete_offer_commands(tui, typed, ret);
            break;
        case ARGUMENT_COLUMN:
            for (size_t i = 0; i < COLUMN_COUNT; i++)
                if (column_names[i] != NULL)
                    complete_offer(ret, typed, column_names[i], "");
            break;
        case ARGUMENT_OPTION:
            for (size_t i = 0; i < ARRAY_SIZE(options); i++)
                complete_offer(ret, typed, options[i], "");
            break;
        default:
            break;
        }
    }
    qsort(ret->items, ret->count, sizeof(ret->items[0]), complete_compare);
}
