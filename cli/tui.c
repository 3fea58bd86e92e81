/* SPDX-License-Identifier: Apache-2.0 */
/* The front end: `glassbell` in a terminal, and `attach`. */
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "command/manual.h"
#include "list/list.h"
#include "app/tui.h"
#include "view/session_view.h"
#include "verbs.h"

/* The rows of all views, and those that are known everywhere. */
static const struct command *const tables[] = {list_commands, session_commands, NULL};

static int print_manual(void)
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

static int run(const struct args *args, const char *session)
{
    _cleanup_(freep) char *program = NULL;
    struct tui_config config = {
        .first_view = list_view_new,
        .session_view = session_view_new,
        .session_preview = session_preview_new,
        .tables = tables,
    };
    struct app app;
    int status;

    if (!args_has(args, "no-autostart"))
        program = gb_client_this_program();
    config.program = program;
    config.socket = args_value(args, "socket");
    config.theme = args_value(args, "theme");
    config.session = session;
    config.exit_with_session = session != NULL;
    app_open_loop(&app);
    status = tui_run(&app, &config);
    app_close(&app);
    return status;
}

int verb_tui(const struct args *args)
{
    if (args->word_count > 0)
        return app_wrong_use(args, "%s takes no names; `glassbell attach` does", args->verb->name);
    return args_has(args, "manual") ? print_manual() : run(args, NULL);
}

int verb_attach(const struct args *args)
{
    _cleanup_(freep) char *session = NULL;
    struct app app;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    app_close(&app);
    return session != NULL ? run(args, session) : EXIT_GLASSBELL;
}
