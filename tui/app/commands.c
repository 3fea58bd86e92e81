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
            on ? "the mouse works here, and copies what it is dragged over; with Shift the "
                 "terminal's own"
               : "the mouse selects text");
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
    {.name = "help",
     .arguments = "",
     .help = "the keys and commands that there are",
     .keys = "? F1",
     .bar = "help",
     .run = app_run_help},
    {.name = "key",
     .arguments = "",
     .help = "what does a key do? Press it, and it is said instead of done",
     .keys = "F2",
     .run = app_run_key},
    {.name = "command",
     .arguments = "",
     .help = "type a command",
     .keys = ":",
     .bar = "command",
     .run = app_run_line},
    {.name = "menu",
     .arguments = "",
     .help = "what can be done here, to choose from; also the right button of the mouse",
     .keys = "F10",
     .run = menu_run},
    {.name = "palette",
     .arguments = "",
     .help = "find a command, a session, a theme, a cell or a file by a few letters",
     .keys = "C-p",
     .bar = "find",
     .run = app_run_palette},
    {.name = "back", .arguments = "", .help = "one step back", .keys = "Esc", .run = app_run_back},
    {.name = "backward",
     .arguments = "",
     .help = "to the place where you were before",
     .keys = "M-Left",
     .run = ways_run_backward},
    {.name = "forward",
     .arguments = "",
     .help = "forward again",
     .keys = "M-Right",
     .run = ways_run_forward},
    {.name = "take",
     .arguments = "[NOTE]",
     .help = "take the session over: cells of others wait",
     .keys = "T",
     .bar = "take over",
     .argument = ARGUMENT_TEXT,
     .run = lease_take},
    {.name = "hand-back",
     .arguments = "[NOTE]",
     .help = "hand it back, with a note that the agent gets",
     .keys = "H",
     .argument = ARGUMENT_TEXT,
     .run = lease_hand_back},
    {.name = "network",
     .arguments = "[once|session|always|refuse|never]",
     .help = "decide about a connection that waits: let it through once, in this session, or "
             "always and "
             "write that into the settings; refuse it once or in this session",
     .keys = "A",
     .run = question_run},
    {.name = "close",
     .arguments = "",
     .help = "close the session; again: at once",
     .keys = "X",
     .run = closing_run_close},
    {.name = "undo",
     .arguments = "",
     .help = "let what is about to close stay open",
     .keys = "u",
     .run = closing_run_undo},
    {.name = "export",
     .arguments = "[FILE]",
     .help =
         "write the session into a file, as its ending says: a notebook, a program, Markdown, a "
         "recording",
     .argument = ARGUMENT_FILE,
     .run = exporting_run},
    {.name = "log",
     .arguments = "",
     .help = "what the session ran and printed, from the journal, in $PAGER",
     .run = exporting_run_log},
    {.name = "screen",
     .arguments = "[FILE]",
     .help = "write the screen into a file, as text",
     .argument = ARGUMENT_FILE,
     .run = exporting_run_screen},
    {.name = "freeze",
     .arguments = "",
     .help = "let the display stand still, or move again",
     .keys = "p",
     .run = app_run_freeze},
    {.name = "theme",
     .arguments = "[NAME]",
     .help = "change the colours",
     .argument = ARGUMENT_THEME,
     .run = app_run_theme},
    {.name = "mouse",
     .arguments = "[on|off]",
     .help = "let the mouse work here, or select text",
     .argument = ARGUMENT_TEXT,
     .run = app_run_mouse},
    {.name = "set",
     .arguments = "[OPTION VALUE]",
     .help = "theme NAME, or mouse on|off; nothing: how they are",
     .argument = ARGUMENT_OPTION,
     .run = app_run_set},
    {.name = "reconnect",
     .arguments = "",
     .help = "look for the server again, and start it when none runs",
     .run = app_run_reconnect},
    {.name = "redraw",
     .arguments = "",
     .help = "paint the screen again",
     .keys = "C-l",
     .run = app_run_redraw},
    {.name = "suspend",
     .arguments = "",
     .help = "back to the shell; fg returns",
     .keys = "C-z",
     .run = app_run_suspend},
    {.name = "quit",
     .arguments = "",
     .help = "leave; sessions and the server go on",
     .keys = "q C-q",
     .bar = "quit",
     .run = app_run_quit},
    {0},
};
