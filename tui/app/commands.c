/* SPDX-License-Identifier: Apache-2.0 */
/* Commands available everywhere. */
#include <string.h>

#include "app/internal.h"

static void app_run_quit(struct tui *tui, const struct words *words)
{
    (void)words;
    tui_quit(tui);
}

static void app_run_redraw(struct tui *tui, const struct words *words)
{
    (void)words;
    terminal_forget(tui->terminal);
}

static void app_run_suspend(struct tui *tui, const struct words *words)
{
    (void)words;
    tui_suspend(tui);
}

static void app_run_back(struct tui *tui, const struct words *words)
{
    const struct view *view = tui->view;
    char key[KEY_NAME_MAX];

    (void)words;
    if (view->ops->back != NULL && view->ops->back(tui->view))
        return;
    /* If the program was started with one session, going back from it does not exit the program. */
    if (tui->config.exit_with_session && view->below != NULL && view->below->below == NULL) {
        tui_key_of(tui, tui_context(tui), "quit", key);
        tui_say(tui, MESSAGE_PLAIN, "%s leaves; the session continues", key);
        return;
    }
    tui_pop(tui);
}

static void app_run_theme(struct tui *tui, const struct words *words)
{
    if (words->count != 2)
        tui_say(tui, MESSAGE_PLAIN, "theme %s (%s)", tui->theme.name, tui->theme_wanted);
    else
        (void)tui_set_theme(tui, words->words[1]);
}

static void app_run_line(struct tui *tui, const struct words *words)
{
    (void)words;
    tui->message_command[0] = '\0';
    typing_command(tui, "");
}

static void app_run_palette(struct tui *tui, const struct words *words)
{
    (void)words;
    tui->message_command[0] = '\0';
    palette_open(tui);
}

static void app_run_help(struct tui *tui, const struct words *words)
{
    (void)words;
    help_open(tui);
}

static void app_run_key(struct tui *tui, const struct words *words)
{
    (void)words;
    tui->message_command[0] = '\0';
    help_ask_key(tui);
}

static void app_run_freeze(struct tui *tui, const struct words *words)
{
    (void)words;
    tui->frozen_now = tui_now(tui);
    tui->frozen = !tui->frozen;
    tui_say(tui, MESSAGE_PLAIN,
            tui->frozen ? "the display is frozen; work continues" : "the display is live again");
}

static void app_run_reconnect(struct tui *tui, const struct words *words)
{
    const bool one = tui->uplink_count == 1;
    size_t lost = 0;

    (void)words;
    for (size_t i = 0; i < tui->uplink_count; i++) {
        struct uplink *uplink = &tui->uplinks[i];

        if (uplink_is_up(uplink))
            continue;
        uplink_connect(uplink, true);
        uplink->asked = true;
        lost++;
    }
    if (lost == 0)
        tui_say(tui, MESSAGE_PLAIN, one ? "the server is connected" : "all hosts are connected");
    else if (one)
        tui_say(tui, MESSAGE_PLAIN, "looking for the server…");
    else
        tui_say(tui, MESSAGE_PLAIN, "looking for %zu host%s…", lost, lost == 1 ? "" : "s");
}

static void app_set_mouse(struct tui *tui, bool on)
{
    tui->mouse = on;
    terminal_mouse(tui->terminal, on);
    tui_say(tui, MESSAGE_PLAIN,
            on ? "the mouse works here; Shift selects text" : "the mouse selects text");
}

static void app_run_mouse(struct tui *tui, const struct words *words)
{
    app_set_mouse(tui, words->count < 2 || strcmp(words->words[1], "on") == 0);
}

/* Settings that can be changed at run time; the settings file has their initial values. */
static void app_run_set(struct tui *tui, const struct words *words)
{
    const char *name = words->count > 1 ? words->words[1] : "";
    const char *value = words->count > 2 ? words->words[2] : "";

    if (strcmp(name, "theme") == 0 && words->count == 3)
        (void)tui_set_theme(tui, value);
    else if (strcmp(name, "mouse") == 0 && (strcmp(value, "on") == 0 || strcmp(value, "off") == 0))
        app_set_mouse(tui, strcmp(value, "on") == 0);
    else if (words->count == 1)
        tui_say(tui, MESSAGE_PLAIN, "theme %s, mouse %s", tui->theme_wanted,
                tui->mouse ? "on" : "off");
    else
        tui_say(tui, MESSAGE_ERROR, "set takes theme NAME, or mouse on|off");
}

const struct command global_commands[] = {
    {"help", "", "the keys and commands that there are", "? F1", "help", CONTEXT_GLOBAL,
     ARGUMENT_NONE, app_run_help},
    {"key", "", "what does a key do? Press it, and it is said instead of done", "F2", NULL,
     CONTEXT_GLOBAL, ARGUMENT_NONE, app_run_key},
    {"command", "", "type a command", ":", "command", CONTEXT_GLOBAL, ARGUMENT_NONE, app_run_line},
    {"palette", "", "find a command, a session or a theme by a few letters", "C-p", "find",
     CONTEXT_GLOBAL, ARGUMENT_NONE, app_run_palette},
    {"back", "", "one step back", "Esc", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE, app_run_back},
    {"take", "[NOTE]", "take the session over: cells of others wait", "T", "take over",
     CONTEXT_GLOBAL, ARGUMENT_TEXT, lease_take},
    {"hand-back", "[NOTE]", "hand it back, with a note that the agent gets", "H", NULL,
     CONTEXT_GLOBAL, ARGUMENT_TEXT, lease_hand_back},
    {"network", "[once|session|always|refuse|never]",
     "decide about a connection that waits: let it through once, in this session, or always and "
     "write that into the settings; refuse it once or in this session",
     "A", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE, question_run},
    {"close", "", "close the session; again: at once", "X", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE,
     closing_run_close},
    {"undo", "", "let what is about to close stay open", "u", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE,
     closing_run_undo},
    {"freeze", "", "let the display stand still, or move again", "p", NULL, CONTEXT_GLOBAL,
     ARGUMENT_NONE, app_run_freeze},
    {"theme", "[NAME]", "change the colours", NULL, NULL, CONTEXT_GLOBAL, ARGUMENT_THEME,
     app_run_theme},
    {"mouse", "[on|off]", "let the mouse work here, or select text", NULL, NULL, CONTEXT_GLOBAL,
     ARGUMENT_TEXT, app_run_mouse},
    {"set", "[OPTION VALUE]", "theme NAME, or mouse on|off; nothing: how they are", NULL, NULL,
     CONTEXT_GLOBAL, ARGUMENT_OPTION, app_run_set},
    {"reconnect", "", "look for the server again, and start it when none runs", NULL, NULL,
     CONTEXT_GLOBAL, ARGUMENT_NONE, app_run_reconnect},
    {"redraw", "", "paint the screen again", "C-l", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE,
     app_run_redraw},
    {"suspend", "", "back to the shell; fg returns", "C-z", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE,
     app_run_suspend},
    {"quit", "", "leave; sessions and the server go on", "q C-q", "quit", CONTEXT_GLOBAL,
     ARGUMENT_NONE, app_run_quit},
    {NULL, NULL, NULL, NULL, NULL, CONTEXT_GLOBAL, ARGUMENT_NONE, NULL},
};
