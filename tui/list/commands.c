/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the list. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "list/internal.h"

enum { CALL_DEADLINE_MS = 30000 };

/* ---- moving ---- */

/* The list with its current rows: keys may come faster than frames. */
static struct list_view *list_fresh(struct tui *tui)
{
    struct list_view *list = list_of_tui(tui);

    list_build(list);
    return list;
}

static void list_go_by(struct tui *tui, long step)
{
    struct list_view *list = list_fresh(tui);
    size_t at = list_index(list), count = list->rows.count;

    if (count == 0)
        return;
    if (step < 0)
        list_go(list, at - MIN(at, (size_t)-step));
    else
        list_go(list, MIN(at + (size_t)step, count - 1));
}

static void list_run_up(struct tui *tui, const struct words *words)
{
    (void)words;
    list_go_by(tui, -1);
}

static void list_run_down(struct tui *tui, const struct words *words)
{
    (void)words;
    list_go_by(tui, 1);
}

static void list_run_page_up(struct tui *tui, const struct words *words)
{
    (void)words;
    list_go_by(tui, -(long)MAX(1, list_of_tui(tui)->table.height - 1));
}

static void list_run_page_down(struct tui *tui, const struct words *words)
{
    (void)words;
    list_go_by(tui, MAX(1, list_of_tui(tui)->table.height - 1));
}

static void list_run_first(struct tui *tui, const struct words *words)
{
    (void)words;
    list_go(list_fresh(tui), 0);
}

static void list_run_last(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_fresh(tui);

    (void)words;
    if (list->rows.count > 0)
        list_go(list, list->rows.count - 1);
}

/* ---- finding a session by what was typed ---- */

static bool list_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* By id, key or label, else an unambiguous prefix of the id, all of them perhaps after the name of
 * the host; NULL, which was reported. */
static struct session *list_find_named(struct tui *tui, const char *text)
{
    const char *name;
    const struct uplink *uplink = tui_uplink_named(tui, text, &name);
    struct session *session = NULL, *found = NULL;
    size_t count = 0, exact = 0;

    while ((session = tui_next_session(tui, session)) != NULL) {
        if (uplink != NULL && uplink_of(session) != uplink)
            continue;
        if (strcmp(session->id, name) == 0) { /* two servers may use the same id */
            found = session;
            exact++;
        } else if (exact == 0 &&
                   (strcmp(session->label, name) == 0 || strcmp(session->key, name) == 0 ||
                    list_begins(session->id, name))) {
            found = session;
            count++;
        }
    }
    if (exact > 0 ? exact == 1 : count == 1)
        return found;
    tui_say(tui, MESSAGE_ERROR,
            exact + count == 0 ? "there is no session %s" : "several sessions fit %s", text);
    return NULL;
}

/* The named session, else the one at the cursor; NULL, which was reported. */
static struct session *list_choose(struct tui *tui, const struct words *words)
{
    struct session *session;

    if (words->count > 1)
        return list_find_named(tui, words->words[1]);
    session = list_selected(list_of_tui(tui));
    if (session == NULL)
        tui_say(tui, MESSAGE_PLAIN, "there is no session at the cursor");
    return session;
}

/* ---- opening ---- */

static void list_fold(struct list_view *list)
{
    struct rows_config *config = &list->config;

    for (size_t i = 0; i < config->folded_count; i++)
        if (strcmp(config->folded[i], list->at_name) == 0) {
            config->folded_count--;
            memmove(config->folded[i], config->folded[i + 1],
                    (config->folded_count - i) * sizeof(config->folded[0]));
            return;
        }
    if (config->folded_count < FOLDED_MAX)
        (void)snprintf(config->folded[config->folded_count++], STORE_NAME_MAX, "%s", list->at_name);
}

static void list_run_fold(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);

    (void)words;
    if (list_at(list) && list->at_group)
        list_fold(list);
}

static void list_run_open(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);
    struct session *session;

    if (words->count == 1 && list_at(list) && list->at_group) {
        list_fold(list);
        return;
    }
    session = list_choose(tui, words);
    if (session == NULL)
        return;
    session->seen = true;
    tui_open_session(uplink_of(session), session->id);
}

/* Available everywhere. */
static void list_run_open_named(struct tui *tui, const struct words *words)
{
    struct session *session;

    if (words->count == 1) {
        tui_say(tui, MESSAGE_ERROR, "open takes a session: its name, key or id");
        return;
    }
    session = list_find_named(tui, words->words[1]);
    if (session == NULL)
        return;
    session->seen = true;
    tui_open_session(uplink_of(session), session->id);
}

void list_set_filter(struct list_view *list, const char *text)
{
    struct gb_err err = {0};

    (void)snprintf(list->filter_text, sizeof(list->filter_text), "%s", text);
    if (filter_parse(gb_bytes_str(text), &list->config.filter, &err) == 0)
        list->filter_bad[0] = '\0';
    else
        (void)snprintf(list->filter_bad, sizeof(list->filter_bad), "%s", err.message);
}

/* ---- marks ---- */

size_t list_marked(const struct list_view *list)
{
    struct session *session = NULL;
    size_t count = 0;

    while ((session = tui_next_session(list->view.tui, session)) != NULL)
        count += session->marked;
    return count;
}

/* The rows of marked sessions. Returns their number. */
static size_t
list_each_marked_row(struct list_view *list,
                     void (*each)(struct tui *tui, struct session *session, void *arg), void *arg)
{
    size_t count = 0;

    list_build(list);
    for (size_t i = 0; i < list->rows.count; i++) {
        struct session *session = list->rows.rows[i].session;

        session = session != NULL ? list_live(session) : NULL;
        if (session == NULL || !session->marked)
            continue;
        count++;
        each(list->view.tui, session, arg);
    }
    return count;
}

size_t list_marked_shown(const struct list_view *list)
{
    size_t count = 0;

    for (size_t i = 0; i < list->rows.count; i++) {
        const struct session *session = list->rows.rows[i].session;

        session = session != NULL ? list_live(session) : NULL;
        count += session != NULL && session->marked;
    }
    return count;
}

static void list_mark_all(struct list_view *list, bool on)
{
    for (size_t i = 0; i < list->rows.count; i++) {
        struct session *session = list->rows.rows[i].session;

        session = session != NULL ? list_live(session) : NULL;
        if (session != NULL && !session_gone(session))
            session->marked = on;
    }
}

static void list_run_mark(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);
    struct session *session;

    if (words->count > 1 && strcmp(words->words[1], "all") == 0) {
        list_build(list);
        list_mark_all(list, true);
        return;
    }
    if (words->count > 1 && strcmp(words->words[1], "none") == 0) {
        for (session = NULL; (session = tui_next_session(tui, session)) != NULL;)
            session->marked = false;
        return;
    }
    session = list_selected(list);
    if (session == NULL && list->rows.count == 0)
        tui_say(tui, MESSAGE_PLAIN, "there is no session at the cursor");
    if (session != NULL && !session_gone(session))
        session->marked = !session->marked;
    list_go_by(tui, 1);
}

/* Calls @act for the named session, else for each marked one that has a row, else for the one at
 * the cursor. Returns their number; 0 has been reported. */
static size_t list_for_each(struct tui *tui, const struct words *words,
                            void (*act)(struct tui *tui, struct session *session, void *arg),
                            void *arg)
{
    struct list_view *list = list_of_tui(tui);
    struct session *session;
    size_t count = 0;

    if (words->count == 1 && list_marked(list) > 0) {
        count = list_each_marked_row(list, act, arg);
        if (count == 0)
            tui_say(tui, MESSAGE_WARNING, "none of the %zu marked sessions is shown",
                    list_marked(list));
        return count;
    }
    session = list_choose(tui, words);
    if (session == NULL)
        return 0;
    act(tui, session, arg);
    return 1;
}

/* ---- acting ---- */

static void list_act_interrupt(struct tui *tui, struct session *session, void *arg)
{
    (void)arg;
    if (session_gone(session)) {
        tui_say(tui, MESSAGE_PLAIN, "%s is closed", session_title(session));
        return;
    }
    uplink_call_on(uplink_of(session), "session.interrupt", session->id, "interrupted");
}

static void list_run_interrupt(struct tui *tui, const struct words *words)
{
    (void)list_for_each(tui, words, list_act_interrupt, NULL);
}

static void list_act_close(struct tui *tui, struct session *session, void *arg)
{
    (void)arg;
    if (session_gone(session))
        tui_say(tui, MESSAGE_PLAIN, "%s is closed already", session_title(session));
    else
        (void)tui_close_session(tui, session);
}

static void list_run_close(struct tui *tui, const struct words *words)
{
    if (list_for_each(tui, words, list_act_close, NULL) > 0)
        tui_say_closing(tui);
}

static void list_run_fork(struct tui *tui, const struct words *words)
{
    const struct session *session = list_choose(tui, words);

    if (session == NULL)
        return;
    if (session_gone(session))
        tui_say(tui, MESSAGE_PLAIN, "%s is closed", session_title(session));
    else
        tui_fork(uplink_of(session), session->id, -1, 0);
}

static void list_run_type(struct tui *tui, const struct words *words)
{
    struct session *session = list_choose(tui, words);

    if (session == NULL)
        return;
    session->seen = true;
    tui_open_session(uplink_of(session), session->id);
    tui_command(tui, "type");
}

/* ---- looking ---- */

static void list_filter_changed(void *arg, const char *line)
{
    struct list_view *list = arg;

    list_set_filter(list, line);
    tui_redraw(list->view.tui);
}

static void list_filter_done(void *arg, const char *line)
{
    struct list_view *list = arg;

    /* Cancelled with Esc: restores the previous one. */
    list_set_filter(list, line != NULL ? line : list->filter_last);
    if (list->filter_bad[0] != '\0')
        tui_say(list->view.tui, MESSAGE_ERROR, "%s", list->filter_bad);
}

static void list_run_filter(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);

    (void)snprintf(list->filter_last, sizeof(list->filter_last), "%s", list->filter_text);
    if (words->count > 1) {
        list_set_filter(list, words->rest);
        if (list->filter_bad[0] != '\0')
            tui_say(tui, MESSAGE_ERROR, "%s", list->filter_bad);
        return;
    }
    tui_ask_live(tui, RECALL_FILTER, list_filter_changed, list_filter_done, list);
}

static void list_run_all(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);

    (void)words;
    list_set_filter(list, "");
    list->config.attention = false;
}

static void list_run_sort(struct tui *tui, const struct words *words)
{
    struct rows_config *config = &list_of_tui(tui)->config;
    enum column column = config->sort;

    if (words->count > 1) {
        column = column_find(words->words[1]);
        if (column == COLUMN_COUNT) {
            tui_say(tui, MESSAGE_ERROR, "there is no column %s", words->words[1]);
            return;
        }
        config->reverse = column == config->sort && !config->reverse;
    } else {
        do
            column = (enum column)((column + 1) % COLUMN_COUNT);
        while (column == COLUMN_GRAPH || (column == COLUMN_HOST && tui_uplink_count(tui) == 1));
        config->reverse = false;
    }
    config->sort = column;
    tui_say(tui, MESSAGE_PLAIN, "sorted by %s%s", column_names[column],
            config->reverse ? ", turned around" : "");
}

static void list_run_reverse(struct tui *tui, const struct words *words)
{
    struct rows_config *config = &list_of_tui(tui)->config;

    (void)words;
    config->reverse = !config->reverse;
}

static void list_run_columns(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);
    uint32_t chosen = 0;

    for (size_t i = 1; i < words->count; i++) {
        enum column column =
            strcmp(words->words[i], "graph") == 0 ? COLUMN_GRAPH : column_find(words->words[i]);

        if (column == COLUMN_COUNT) {
            tui_say(tui, MESSAGE_ERROR, "there is no column %s", words->words[i]);
            return;
        }
        chosen |= UINT32_C(1) << column;
    }
    if (chosen != 0) /* a row without a name belongs to nobody */
        chosen |= UINT32_C(1) << COLUMN_NAME;
    list->columns = chosen;
    tui_say(tui, MESSAGE_PLAIN,
            chosen == 0 ? "the columns that there is room for"
                        : "these columns, as far as there is room");
}

static void list_run_tree(struct tui *tui, const struct words *words)
{
    static const char *const names[] = {
        [GROUP_NONE] = "table",
        [GROUP_OWNER] = "owner",
        [GROUP_IMAGE] = "image",
        [GROUP_HOST] = "host",
    };
    struct rows_config *config = &list_of_tui(tui)->config;

    static_assert(ARRAY_SIZE(names) == GROUP_COUNT, "a name for each");
    if (words->count == 1) {
        config->grouping = (enum grouping)((config->grouping + 1) % GROUP_COUNT);
        if (config->grouping == GROUP_HOST && tui_uplink_count(tui) == 1)
            config->grouping = GROUP_NONE;
    } else {
        for (size_t i = 0; i < GROUP_COUNT; i++)
            if (strcmp(names[i], words->words[1]) == 0)
                config->grouping = (enum grouping)i;
    }
    tui_say(tui, MESSAGE_PLAIN, config->grouping == GROUP_NONE ? "as a table" : "as a tree by %s",
            names[config->grouping]);
}

static void list_run_preview(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);

    (void)words;
    list_preview(list, !list->preview_on);
}

static void list_run_attention(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_of_tui(tui);

    (void)words;
    list->config.attention = !list->config.attention;
}

/* The next one that needs attention: the most pressing first, then down the list and around. */
static void list_run_next(struct tui *tui, const struct words *words)
{
    struct list_view *list = list_fresh(tui);
    size_t at, count, best = SIZE_MAX;
    enum attention pressing = ATTENTION_NONE;
    double now = tui_now(tui);

    (void)words;
    at = list_index(list);
    count = list->rows.count;
    for (size_t i = 1; i <= count; i++) {
        const struct session *session = list->rows.rows[(at + i) % count].session;
        enum attention attention =
            session != NULL ? session_attention(session, now) : ATTENTION_NONE;

        if (attention < pressing && (i < count || best == SIZE_MAX)) {
            pressing = attention;
            best = (at + i) % count;
        }
    }
    if (best == SIZE_MAX) {
        tui_say(tui, MESSAGE_GOOD, "nothing needs you");
        return;
    }
    /* Those that were looked at come after the others, until something new happens; input stays. */
    if (list->rows.rows[best].session != NULL) {
        struct session *session = list_live(list->rows.rows[best].session);

        list_go(list, best);
        if (session != NULL) {
            tui_say(tui, MESSAGE_WARNING, "%s %s", session_title(session),
                    attention_text(pressing));
            session->seen = true;
        }
    }
}

static void list_run_copy(struct tui *tui, const struct words *words)
{
    struct session *session = list_choose(tui, words);

    if (session != NULL && tui_copy(tui, gb_bytes_str(session->id)))
        tui_say(tui, MESSAGE_GOOD, "%s is in the clipboard", session->id);
}

#define LIST_ROW(name, arguments, help, keys, bar, argument, run)                                  \
    {                                                                                              \
        name, arguments, help, keys, bar, CONTEXT_LIST, argument, run                              \
    }

const struct command list_commands[] = {
    LIST_ROW("open", "[SESSION]", "look into a session; fold or unfold a group", "Enter l Right",
             "open", ARGUMENT_SESSION, list_run_open),
    LIST_ROW("type", "[SESSION]", "look into a session, with the keys at its prompt", "i", NULL,
             ARGUMENT_SESSION, list_run_type),
    {.name = "open",
     .arguments = "SESSION",
     .help = "look into a session",
     .argument = ARGUMENT_SESSION,
     .run = list_run_open_named},
    LIST_ROW("new", "[IMAGE [LABEL]]", "open a session, also with --packages, and type into it",
             "n", "new", ARGUMENT_IMAGE, list_run_new),
    LIST_ROW("filter", "[FILTER]",
             "show what fits: web mem>150M lang=py idle>2m !owner=ci train-* ~prsr", "/", "filter",
             ARGUMENT_TEXT, list_run_filter),
    LIST_ROW("all", "", "show all again", "\\", NULL, ARGUMENT_NONE, list_run_all),
    LIST_ROW("next", "", "go to the next session that wants you", "Tab", "wants you", ARGUMENT_NONE,
             list_run_next),
    LIST_ROW("attention", "", "show only what wants you, or all", "!", NULL, ARGUMENT_NONE,
             list_run_attention),
    LIST_ROW("mark", "[all|none]", "mark the session, or take the mark off", "Space", "mark",
             ARGUMENT_TEXT, list_run_mark),
    LIST_ROW("interrupt", "[SESSION]", "interrupt what runs, in all that are marked", "I", NULL,
             ARGUMENT_SESSION, list_run_interrupt),
    LIST_ROW("close", "[SESSION]", "close it, or all that are marked; again: at once", "X Del",
             "close", ARGUMENT_SESSION, list_run_close),
    LIST_ROW("fork", "[SESSION]", "open one that goes on from it as it is now", "F", NULL,
             ARGUMENT_SESSION, list_run_fork),
    LIST_ROW("sort", "[COLUMN]", "sort by a column, or the next; again turns it around", "s",
             "sort", ARGUMENT_COLUMN, list_run_sort),
    LIST_ROW("columns", "[COLUMN…]", "choose the columns; none: as many as there is room for", NULL,
             NULL, ARGUMENT_COLUMN, list_run_columns),
    LIST_ROW("reverse", "", "turn the order around", "S", NULL, ARGUMENT_NONE, list_run_reverse),
    LIST_ROW("tree", "[owner|image|host]", "group by owner, image or host, or not: `table`", "b",
             "tree", ARGUMENT_TEXT, list_run_tree),
    LIST_ROW("fold", "", "fold or unfold a group", "o", NULL, ARGUMENT_NONE, list_run_fold),
    LIST_ROW("preview", "", "show the session at the cursor beside the list, or not", "v",
             "preview", ARGUMENT_NONE, list_run_preview),
    LIST_ROW("ended", "", "the sessions that have ended, and what they ran", "E", "ended",
             ARGUMENT_NONE, ended_run_show),
    {.name = "ended",
     .arguments = "",
     .help = "the sessions that have ended, and what they ran",
     .run = ended_run_show},
    LIST_ROW("copy", "", "copy the id", "y", NULL, ARGUMENT_NONE, list_run_copy),
    LIST_ROW("up", "", "up", "Up k", NULL, ARGUMENT_NONE, list_run_up),
    LIST_ROW("down", "", "down", "Down j", NULL, ARGUMENT_NONE, list_run_down),
    LIST_ROW("page-up", "", "a page up", "PgUp C-b", NULL, ARGUMENT_NONE, list_run_page_up),
    LIST_ROW("page-down", "", "a page down", "PgDn C-f", NULL, ARGUMENT_NONE, list_run_page_down),
    LIST_ROW("first", "", "to the first", "Home g", NULL, ARGUMENT_NONE, list_run_first),
    LIST_ROW("last", "", "to the last", "End G", NULL, ARGUMENT_NONE, list_run_last),
    {0},
};
