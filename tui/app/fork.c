/* SPDX-License-Identifier: Apache-2.0 */
/* Forking a session. The fork appears in the list by itself; the user stays where they are. */
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"
#include "model/past.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { FORK_DEADLINE_MS = 300000 };

static void fork_on_answer(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct uplink *uplink = arg;
    struct tui *tui = uplink->tui;
    struct gb_forked_info forked;
    struct gb_fork_info child;
    char id[STORE_NAME_MAX], name[STORE_HOST_MAX + STORE_NAME_MAX], message[MESSAGE_TEXT_MAX];
    size_t at = 0;

    if (error != NULL) {
        tui_say_error(tui, "fork", error);
        return;
    }
    gb_object_take(&gb_forked_object, result, &forked);
    if (gb_items_next(&gb_fork_object, &forked.sessions, &at, &child) != 1) {
        tui_say(tui, MESSAGE_ERROR, "fork: the server opened no session, and gave no reason");
        return;
    }
    json_copy_text(child.session, id, sizeof(id));
    uplink_qualify(uplink, id, name, sizeof(name));
    json_copy_text(child.message, message, sizeof(message));
    if ((child.flags & GB_FORK_FAILED) != 0)
        tui_say(tui, MESSAGE_ERROR, "fork: %s (%s)", message,
                gb_code_kind((enum gb_code)child.error));
    else if (forked.cell == 0)
        tui_say(tui, MESSAGE_GOOD, "forked as it was before the first cell; :open %s", name);
    else
        tui_say(tui, MESSAGE_GOOD, "forked as it was after cell %u; :open %s", forked.cell, name);
}

void tui_fork(struct uplink *uplink, const char *session, int64_t cell, uint64_t seq)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    if (cell >= 0)
        gb_json_put_i64(&out, "cell", cell);
    if (seq != 0)
        gb_json_put_u64(&out, "seq", seq);
    gb_json_end(&out);
    tui_say(uplink->tui, MESSAGE_PLAIN, "forking…");
    (void)uplink_call(uplink, "session.fork", &params, FORK_DEADLINE_MS, fork_on_answer, uplink);
    gb_buf_release(&params);
}
