/* The front end without a verb: `glovebox` in a terminal. */
#include "base/mem.h"
#include "list/list.h"
#include "app/tui.h"
#include "verbs.h"

int verb_tui(const struct args *args)
{
    static const struct command *const tables[] = {list_commands, NULL};
    _cleanup_(freep) char *program = NULL;
    struct tui_config config = {.first_view = list_view_new, .tables = tables};
    struct app app;
    int status;

    if (!args_has(args, "no-autostart"))
        program = gb_client_this_program();
    config.program = program;
    config.socket = args_value(args, "socket");
    config.theme = args_value(args, "theme");
    app_open_loop(&app);
    status = tui_run(&app, &config);
    app_close(&app);
    return status;
}
