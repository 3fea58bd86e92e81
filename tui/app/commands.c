/* Commands that are known everywhere. */
#include "app/internal.h"

static void run_quit(struct tui *tui, const struct words *words)
{
    (void)words;
    tui_quit(tui);
}

static void run_redraw(struct tui *tui, const struct words *words)
{
    (void)words;
    renderer_forget(&tui->renderer);
}

static void run_suspend(struct tui *tui, const struct words *words)
{
    (void)words;
    tui_suspend(tui);
}

static void run_back(struct tui *tui, const struct words *words)
{
    (void)words;
    tui_pop(tui);
}

static void run_theme(struct tui *tui, const struct words *words)
{
    if (words->count != 2)
        tui_say(tui, MESSAGE_PLAIN, "theme %s (%s)", tui->theme.name, tui->theme_wanted);
    else
        (void)tui_set_theme(tui, words->words[1]);
}

const struct command global_commands[] = {
    {"quit", "", "leave; sessions and the server go on", "q C-q", "quit", CONTEXT_GLOBAL,
     ARGUMENT_NONE, run_quit},
    {"back", "", "one step back", "Esc", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE, run_back},
    {"theme", "[NAME]", "change the colours", NULL, NULL, CONTEXT_GLOBAL, ARGUMENT_THEME,
     run_theme},
    {"redraw", "", "paint the screen again", "C-l", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE,
     run_redraw},
    {"suspend", "", "back to the shell; fg returns", "C-z", NULL, CONTEXT_GLOBAL, ARGUMENT_NONE,
     run_suspend},
    {NULL, NULL, NULL, NULL, NULL, CONTEXT_GLOBAL, ARGUMENT_NONE, NULL},
};
