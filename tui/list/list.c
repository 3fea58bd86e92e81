#include "list/list.h"

#include <stdlib.h>

#include "app/tui.h"
#include "base/mem.h"

struct list_view {
    struct view view;
    int at;
};

static void draw(struct view *view, struct region region, bool focused)
{
    struct list_view *list = container_of(view, struct list_view, view);
    struct session *session;
    int y = 0;

    GB_LIST_FOREACH(session, &tui_store(view->tui)->sessions, link)
    {
        (void)paint_f(region, 1, y, STYLE(session_state_role(session)), "%s %s",
                      session_state_sign(session), session_state_word(session));
        (void)paint_cut(region, 14, y, 24, STYLE(ROLE_TEXT), gb_bytes_str(session_title(session)));
        if (y == list->at && focused)
            paint_style(region_part(region, 0, y, -1, 1), STYLE(ROLE_ROW_SELECTED));
        y++;
    }
}

static enum context context(const struct view *view)
{
    (void)view;
    return CONTEXT_LIST;
}

static void title(const struct view *view, struct gb_buf *out)
{
    (void)view;
    gb_buf_adds(out, "sessions");
}

static void free_list(struct view *view)
{
    free(container_of(view, struct list_view, view));
}

struct view *list_view_new(struct tui *tui)
{
    static const struct view_ops ops = {
        .draw = draw, .context = context, .title = title, .free = free_list};
    struct list_view *list = xcalloc(1, sizeof(*list));

    list->view.ops = &ops;
    list->view.tui = tui;
    return &list->view;
}

const struct command list_commands[] = {
    {NULL, NULL, NULL, NULL, NULL, CONTEXT_LIST, ARGUMENT_NONE, NULL},
};
