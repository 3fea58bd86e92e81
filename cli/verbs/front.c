/* SPDX-License-Identifier: Apache-2.0 */
#include "verbs/front.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/places.h"
#include "command/manual.h"
#include "list/list.h"
#include "platform/program.h"
#include "app/tui.h"
#include "view/session_view.h"

static_assert((int)PLACES_MAX <= (int)TUI_SERVERS_MAX, "the front end has room for all");

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

static void front_nothing(uv_work_t *work)
{
    (void)work;
}

/* Each attempt to connect occupies a thread of libuv's pool, perhaps for long: enough threads that
 * a host that does not answer holds up nobody else. The size is read from the environment when the
 * pool is first used, and must not be seen by programs that we start. */
static void front_widen_pool(uv_loop_t *uv, size_t servers)
{
    static const char name[] = "UV_THREADPOOL_SIZE";
    static uv_work_t work; /* one per process, like the pool */
    char size[16];

    if (servers < 2 || getenv(name) != NULL)
        return;
    (void)snprintf(size, sizeof(size), "%zu", servers + 4);
    (void)setenv(name, size, 1);
    (void)uv_queue_work(uv, &work, front_nothing, NULL);
    (void)unsetenv(name);
}

int front_run(const struct args *args, const char *session)
{
    struct tui_server servers[PLACES_MAX];
    struct tui_config config = {
        .servers = servers,
        .first_view = list_view_new,
        .session_view = session_view_new,
        .session_preview = session_preview_new,
        .tables = tables,
    };
    _cleanup_(freep) char *again = gb_program_again();
    struct gb_err err = {0};
    struct places places;
    struct app app;
    int status;

    if (places_find(args, session != NULL, &places, &err) < 0)
        return app_wrong_use(args, "%s", err.message);
    for (size_t i = 0; i < places.count; i++)
        servers[i] =
            (struct tui_server){places.list[i].name, places.list[i].host, places.list[i].socket};
    config.server_count = places.count;
    config.again = again;
    config.program = places.program;
    config.theme = args_value(args, "theme");
    config.session = session;
    config.exit_with_session = session != NULL;
    app_open_loop(&app);
    front_widen_pool(app.uv, config.server_count);
    status = tui_run(app.uv, app.loop, &config, &err);
    app_close(&app);
    places_release(&places);
    if (status >= 0)
        return status;
    app_say_err(&err);
    return EXIT_GLASSBELL;
}
