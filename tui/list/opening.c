/* SPDX-License-Identifier: Apache-2.0 */
/* `new`: opens a session, and goes to its prompt. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "kit/requirements.h"
#include "list/internal.h"

enum { OPEN_DEADLINE_MS = 300000, FETCH_DEADLINE_MS = 700000 };

#define PACKAGES "--packages"

/* A filter that hides it would hide what was just requested. */
void list_on_landing(void *arg)
{
    struct list_view *list = arg;
    struct tui *tui = list->view.tui;
    const struct session *session = ref_find(&list->landing);

    if (session == NULL || tui_top(tui) != &list->view)
        return;
    list->at_group = false;
    ref_set(&list->at, session);
    ref_set(&list->landing, NULL);
    if (!filter_match(&list->config.filter, session, tui_now(tui)))
        list_set_filter(list, "");
    list->config.attention = false;
    tui_open_session(uplink_of(session), session->id);
    tui_command(tui, "type");
    tui_say(tui, MESSAGE_GOOD, "a new session; its state stays until it is closed");
}

static void list_on_opened(void *arg, const struct gb_json *result,
                           const struct gb_call_error *error)
{
    struct uplink *uplink = arg;
    struct tui *tui = uplink_tui(uplink);
    struct list_view *list = list_of_tui(tui);
    const struct gb_json *id;
    char name[STORE_NAME_MAX];

    if (error != NULL) {
        tui_say_error(tui, "new", error);
        return;
    }
    id = gb_json_member(result, "session");
    if (id == NULL || id->type != GB_JSON_STRING)
        return;
    (void)snprintf(name, sizeof(name), "%.*s", (int)MIN(id->text.size, sizeof(name) - 1),
                   (const char *)id->text.data);
    ref_set_id(&list->landing, uplink_store(uplink), name);
    tui_say(tui, MESSAGE_GOOD, "%s is open", name);
    tui_redraw(tui);
}

/* The server for a new session if none is named: that of the session at the cursor, else the first
 * one that there is a link to. */
static struct uplink *list_standard_uplink(struct tui *tui)
{
    const struct session *session = list_selected(list_of_tui(tui));

    if (session != NULL && uplink_is_up(uplink_of(session)))
        return uplink_of(session);
    for (size_t i = 0; i < tui_uplink_count(tui); i++)
        if (uplink_is_up(tui_uplink(tui, i)))
            return tui_uplink(tui, i);
    return tui_uplink(tui, 0);
}

/* What was typed. */
struct opening {
    const char *image, *label;
    bool packages;
};

/* A pipe, or a terminal, would keep us waiting. */
static int opening_put_packages(const char *value, struct gb_json_out *out, struct gb_err *err)
{
    _cleanup_(freep) char *path = requirements_is_file(value) ? tui_local_path(value) : NULL;
    struct stat info;

    if (path != NULL && stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return gb_err_set(err, GB_EINVALID, "%s is not a file", path);
    return requirements_put(path != NULL ? path : value, out, err);
}

/* Adds all that is given as packages to the open array. */
static int opening_read(const struct words *words, struct opening *opening,
                        struct gb_json_out *packages, struct gb_err *err)
{
    int r = 0;

    for (size_t i = 1; i < words->count && r == 0; i++) {
        const char *word = words->words[i];

        if (strcmp(word, PACKAGES) == 0 && i + 1 < words->count) {
            opening->packages = true;
            r = opening_put_packages(words->words[++i], packages, err);
        } else if (strcmp(word, PACKAGES) == 0) {
            r = gb_err_set(err, GB_EINVALID,
                           PACKAGES " wants names of packages, or a file of them");
        } else if (strncmp(word, "--", 2) == 0) {
            r = gb_err_set(err, GB_EINVALID, "there is no %s, only " PACKAGES, word);
        } else if (opening->image == NULL) {
            opening->image = word;
        } else if (opening->label == NULL) {
            opening->label = word;
        } else {
            r = gb_err_set(err, GB_EINVALID,
                           "%s is too much: several packages go into quotation marks", word);
        }
    }
    return r;
}

static void opening_begin(struct tui *tui, const struct opening *opening, const struct gb_buf *list)
{
    const char *image = opening->image != NULL ? opening->image : GB_IMAGE_DEFAULT;
    struct uplink *uplink = tui_uplink_named(tui, image, &image);
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    char proposed[STORE_HOST_MAX + STORE_NAME_MAX];

    if (uplink == NULL)
        uplink = list_standard_uplink(tui);
    uplink_qualify(uplink, image, proposed, sizeof(proposed));
    if (opening->image == NULL && !opening->packages &&
        (tui_uplink_count(tui) > 1 || uplink_store(uplink)->server.image_count > 1)) {
        tui_ask_command(tui, "new ", proposed);
        return;
    }
    if (tui_uplink_count(tui) > 1 && !uplink_is_up(uplink)) { /* not when it is back */
        tui_say(tui, MESSAGE_ERROR, "new: there is no link to %s", uplink_store(uplink)->name);
        return;
    }
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "image", image);
    if (opening->label != NULL)
        gb_json_put_str(&out, "label", opening->label);
    if (opening->packages)
        gb_json_put_raw(&out, "packages", gb_buf_bytes(list));
    gb_json_end(&out);
    tui_say(tui, MESSAGE_PLAIN, "opening a %s session…", proposed);
    (void)uplink_call(uplink, "session.open", &params,
                      OPEN_DEADLINE_MS + (opening->packages ? FETCH_DEADLINE_MS : 0),
                      list_on_opened, uplink);
    gb_buf_release(&params);
}

void list_run_new(struct tui *tui, const struct words *words)
{
    _cleanup_(gb_buf_release) struct gb_buf list = {0};
    struct gb_json_out packages = {.buf = &list};
    struct opening opening = {0};
    struct gb_err err = {0};
    int r;

    gb_json_array(&packages, NULL);
    r = opening_read(words, &opening, &packages, &err);
    gb_json_end(&packages);
    if (r < 0)
        tui_say(tui, MESSAGE_ERROR, "new: %s", err.message);
    else
        opening_begin(tui, &opening, &list);
}
