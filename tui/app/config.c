/* SPDX-License-Identifier: Apache-2.0 */
/* The settings file: [tui] and [keys], read at start-up and again whenever the file changes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/internal.h"
#include "base/mem.h"
#include "settings/settings.h"

/* Editors write in several steps; the file is read once it has stopped changing. */
enum { REST_MS = 100, UNDO_STANDARD_MS = 10000 };

struct config_watch {
    uv_fs_event_t event; /* must be first: freed through it */
    struct tui *tui;
    struct gb_timer *rest;
    char *name; /* name of the file within its folder */
};

static int config_apply_keys(struct tui *tui, const struct gb_settings *settings,
                             struct gb_err *err)
{
    struct keymap *keymap = xcalloc(1, sizeof(*keymap));
    int r = 0;

    (void)keymap_defaults(keymap, &tui->tables);
    for (size_t i = 0; r == 0 && i < settings->keys.count; i++) {
        const struct gb_settings_pair *key = &settings->keys.pairs[i];

        r = keymap_set(keymap, &tui->tables, key->key, key->value, err);
        if (r < 0)
            r = gb_err_wrap(err, r, "%s:%u", settings->path, key->line);
    }
    if (r == 0)
        tui->keymap = *keymap;
    free(keymap);
    return r;
}

/* A file with an error is ignored completely. */
static bool config_load(struct tui *tui, struct gb_settings *settings)
{
    struct gb_err err = {0};

    if (gb_settings_load(tui->config.settings, settings, &err) < 0) {
        tui_say(tui, MESSAGE_ERROR, "%s", err.message);
        return false;
    }
    if (config_apply_keys(tui, settings, &err) < 0) {
        tui_say(tui, MESSAGE_ERROR, "%s", err.message);
        gb_settings_release(settings);
        return false;
    }
    if (tui->mouse != settings->tui.mouse)
        terminal_mouse(tui->terminal, settings->tui.mouse);
    tui->mouse = settings->tui.mouse;
    tui->undo_ms = settings->tui.undo_ms;
    return true;
}

static void config_on_rest(void *arg)
{
    struct tui *tui = arg;
    struct gb_settings settings = {0};

    if (!config_load(tui, &settings))
        return;
    if (settings.tui.theme[0] != '\0' && strcmp(settings.tui.theme, tui->theme_wanted) != 0)
        (void)tui_set_theme(tui, settings.tui.theme);
    tui_say(tui, MESSAGE_GOOD, "the settings were read again");
    gb_settings_release(&settings);
}

static void config_on_change(uv_fs_event_t *event, const char *name, int events, int status)
{
    struct config_watch *watch = event->data;

    (void)events;
    if (status == 0 && name != NULL && strcmp(name, watch->name) == 0)
        gb_timer_start(watch->rest, REST_MS);
}

static void config_free_watch(uv_handle_t *handle)
{
    struct config_watch *watch = handle->data;

    free(watch->name);
    free(watch);
}

/* Watches the folder, because editors replace the file. */
static void config_watch_file(struct tui *tui, const char *path)
{
    struct config_watch *watch = xcalloc(1, sizeof(*watch));
    const char *slash = strrchr(path, '/');
    _cleanup_(freep) char *folder =
        slash == NULL ? xstrdup(".") : xstrndup(path, (size_t)MAX(slash - path, 1));

    watch->tui = tui;
    watch->name = xstrdup(slash == NULL ? path : slash + 1);
    watch->event.data = watch;
    watch->rest = gb_timer_new(tui->loop, config_on_rest, tui);
    (void)uv_fs_event_init(tui->uv, &watch->event);
    /* If that is not possible, the file is only read once, at start-up. */
    (void)uv_fs_event_start(&watch->event, config_on_change, folder, 0);
    tui->config_watch = watch;
}

void config_open(struct tui *tui)
{
    struct gb_settings settings = {0};
    const char *theme = tui->config.theme;

    tui->mouse = true;
    tui->undo_ms = UNDO_STANDARD_MS;
    if (!config_load(tui, &settings)) {
        (void)tui_set_theme(tui, theme != NULL ? theme : "auto");
        return;
    }
    if (theme == NULL && settings.tui.theme[0] != '\0')
        theme = settings.tui.theme;
    if (!tui_set_theme(tui, theme != NULL ? theme : "auto"))
        (void)snprintf(tui->theme_wanted, sizeof(tui->theme_wanted), "auto");
    if (settings.path != NULL)
        config_watch_file(tui, settings.path);
    gb_settings_release(&settings);
}

void config_close(struct tui *tui)
{
    struct config_watch *watch = tui->config_watch;

    if (watch == NULL)
        return;
    gb_timer_free(watch->rest);
    uv_close((uv_handle_t *)&watch->event, config_free_watch);
    tui->config_watch = NULL;
}
