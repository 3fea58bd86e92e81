/* SPDX-License-Identifier: Apache-2.0 */
/* The tabs of the session view: their names, their line, and the commands that change them. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "view/internal.h"

static const char *const tab_names[] = {"cells", "output", "files", "stats",
                                        "past",  "net",    "shells"};
static_assert(ARRAY_SIZE(tab_names) == TAB_COUNT, "a name for each");

enum { TAB_TEXT_MAX = 32 };

const char *session_view_tab_name(enum tab tab)
{
    return tab_names[tab];
}

/* The search pattern, and the position in the matches, as far as known. */
static void tabs_add_search(const struct session_view *self, struct gb_buf *text)
{
    size_t at, count;

    gb_buf_addf(text, "/%.*s%s  ", (int)self->stream.search.size, self->stream.search.pattern,
                self->stream.look.hide ? " only" : "");
    if (!stream_counted(&self->stream, &at, &count))
        return;
    if (at > 0)
        gb_buf_addf(text, "%zu of %zu  ", at, count);
    else
        gb_buf_addf(text, "%zu  ", count);
}

/* What stands on the right of the tabs. */
static void tabs_add_remark(const struct session_view *self, struct gb_buf *text)
{
    if (self->tab > TAB_OUTPUT)
        return;
    if (self->stream.look.annotated)
        gb_buf_adds(text, "bookmarks only  ");
    if (self->stream.search.size > 0)
        tabs_add_search(self, text);
    gb_buf_adds(text, self->stream.follow ? "following" : "scrolled");
}

/* The text of a tab; those that are not shown lose their names where there is no room. */
static void tabs_text(const struct session_view *self, int tab, bool brief, char text[TAB_TEXT_MAX])
{
    if (brief && tab != (int)self->tab)
        (void)snprintf(text, TAB_TEXT_MAX, " %d ", tab + 1);
    else
        (void)snprintf(text, TAB_TEXT_MAX, " %d %s ", tab + 1, tab_names[tab]);
}

/* The columns of all tabs. */
static int tabs_columns(const struct session_view *self, bool brief)
{
    char text[TAB_TEXT_MAX];
    int columns = 1;

    for (int i = 0; i < TAB_COUNT; i++) {
        tabs_text(self, i, brief, text);
        columns += (int)strlen(text) + 1;
    }
    return columns;
}

static bool tabs_are_brief(const struct session_view *self, int width, struct gb_bytes remark)
{
    return tabs_columns(self, false) + (int)text_columns(remark) + 1 > width;
}

void tabs_draw(const struct session_view *self, struct region row)
{
    struct gb_buf remark = {0};
    char text[TAB_TEXT_MAX];
    bool brief;
    int x = 1;

    tabs_add_remark(self, &remark);
    brief = tabs_are_brief(self, row.width, gb_buf_bytes(&remark));
    for (int i = 0; i < TAB_COUNT; i++) {
        tabs_text(self, i, brief, text);
        x +=
            1 + paint_str(row, x, 0, STYLE(i == (int)self->tab ? ROLE_TAB_ACTIVE : ROLE_TAB), text);
    }
    paint_right(row, x, 0, row.width - x - 1,
                STYLE(self->stream.follow ? ROLE_DIM : ROLE_MESSAGE_WARNING),
                gb_buf_bytes(&remark));
    gb_buf_release(&remark);
}

void tabs_click(struct session_view *self, int at)
{
    struct gb_buf remark = {0};
    char text[TAB_TEXT_MAX];
    bool brief;
    int x = 1;

    tabs_add_remark(self, &remark);
    brief = tabs_are_brief(self, self->region.width, gb_buf_bytes(&remark));
    gb_buf_release(&remark);
    for (int i = 0; i < TAB_COUNT; i++) {
        int columns;

        tabs_text(self, i, brief, text);
        columns = (int)strlen(text);
        if (at >= x && at < x + columns) {
            session_view_set_tab(self, (enum tab)i);
            return;
        }
        x += columns + 1;
    }
}

/* ---- commands ---- */

void tabs_run(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);

    if (self == NULL)
        return;
    for (int i = 0; i < TAB_COUNT; i++)
        if (words->count == 2 && strcmp(words->words[1], tab_names[i]) == 0) {
            session_view_set_tab(self, (enum tab)i);
            return;
        }
    tui_say(tui, MESSAGE_ERROR, "tab takes " TABS_TEXT);
}

void tabs_run_next(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);

    (void)words;
    if (self != NULL)
        session_view_set_tab(self, (enum tab)((self->tab + 1) % TAB_COUNT));
}

void tabs_run_previous(struct tui *tui, const struct words *words)
{
    struct session_view *self = session_view_top(tui);

    (void)words;
    if (self != NULL)
        session_view_set_tab(self, (enum tab)((self->tab + TAB_COUNT - 1) % TAB_COUNT));
}
