/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/front.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "command/manual.h"
#include "list/list.h"
#include "platform/program.h"
#include "app/tui.h"
#include "view/session_view.h"

/* The tables of all views, and the global one. */
static const struct command *const tables[] = {list_commands, ended_commands,   session_commands,
                                               past_commands, network_commands, shell_commands,
                                               NULL};

int front_print_manual(void)
{
    struct command_tables all = {0};
    struct gb_buf text = {0};
    ssize_t n;

    for (size_t i = 0; tables[i] != NULL; i++)
        all.tables[all.count++] = tables[i];
    all.tables[all.count++] = global_commands;
    command_manual(&all, &text);
    n = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&text), text.size);
    gb_buf_release(&text);
    return n < 0 ? EXIT_GLASSBELL : 0;
}

int front_run(const struct args *args, const char *session)
{
    struct tui_config config = {
        .first_view = list_view_new,
        .session_view = session_view_new,
        .session_preview = session_preview_new,
        .tables = tables,
    };
    _cleanup_(freep) char *again = gb_program_again();
    struct gb_err err = {0};
    struct server_place place;
    struct app app;
    int status;

    if (place_find(args, &place, &err) < 0)
        return app_wrong_use(args, "%s", err.message);
    config.host = place.host;
    config.socket = place.socket;
    config.again = again;
    config.program = place.program;
    config.theme = args_value(args, "theme");
    config.session = session;
    config.exit_with_session = session != NULL;
    app_open_loop(&app);
    status = tui_run(app.uv, app.loop, &config, &err);
    app_close(&app);
    place_release(&place);
    if (status >= 0)
        return status;
    app_say_err(&err);
    return EXIT_GLASSBELL;
}
