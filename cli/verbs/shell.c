/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell shell: a program in a session at our terminal. */
#include <stdio.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/terminal.h"
#include "rpc/object.h"
#include "tty/tty.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

enum {
    SHELL_DEADLINE_MS = 30000,
    ARGUMENT_MAX = 256, /* bytes of an argument that are shown */
};

static void shell_print_state(const struct gb_terminal_info *terminal)
{
    struct gb_buf line = {0};
    char name[GB_SIGNAL_NAME_MAX];

    if ((terminal->flags & GB_TERMINAL_RUNNING) != 0) {
        (void)printf("runs, %u looking", terminal->clients);
    } else if (terminal->message.data != NULL) {
        gb_escape(&line, terminal->message, GB_ERR_MESSAGE_MAX);
        (void)printf("lost: %s", gb_buf_str(&line));
    } else if (terminal->signal != 0) {
        gb_signal_to_string(terminal->signal, name);
        (void)printf("ended by %s", name);
    } else {
        (void)printf("ended with %d", (int)terminal->exit_code);
    }
    gb_buf_release(&line);
}

static void shell_print_list(void *arg, const struct gb_json *result)
{
    const struct args *options = arg;
    struct gb_terminals_info list;
    struct gb_terminal_info terminal;

    if (args_has(options, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_terminals_object, result, &list);
    for (size_t at = 0; gb_items_next(&gb_terminal_object, &list.terminals, &at, &terminal) == 1;) {
        struct gb_buf line = {0};
        struct gb_bytes word;

        for (size_t i = 0; gb_names_next(&terminal.args, &i, &word);) {
            gb_buf_adds(&line, line.size == 0 ? "" : " ");
            gb_escape(&line, word, ARGUMENT_MAX);
        }
        (void)printf("%4u  ", terminal.number);
        shell_print_state(&terminal);
        (void)printf("  %s\n", line.size > 0 ? gb_buf_str(&line) : "(shell)");
        gb_buf_release(&line);
    }
}

static int shell_list(const struct args *args)
{
    _cleanup_(freep) char *session = NULL;
    struct app app;
    bool good;

    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    good = session != NULL && app_call_on(&app, "terminal.list", session, SHELL_DEADLINE_MS,
                                          shell_print_list, (void *)(uintptr_t)args);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static int shell_run(const struct args *args)
{
    const bool watch = args_has(args, "watch");
    const char *number = args_value(args, watch ? "watch" : "attach");
    double terminal = 0;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    if (number != NULL && !args_number(number, 1, UINT32_MAX, &terminal))
        return app_wrong_use(args, "%s is not the number of a terminal; --list shows them", number);
    if ((number != NULL || args_has(args, "list")) && args->word_count > 1)
        return app_wrong_use(args, "either start a program or return to one, not both");
    return args_has(args, "list") ? shell_list(args) : tty_main(args, (uint32_t)terminal, watch);
}

static const struct option shell_options[] = {
    {.name = "attach",
     .value = "N",
     .kind = ARG_TEXT,
     .help = "return to terminal N, and type at it from now on"},
    {.name = "watch", .value = "N", .kind = ARG_TEXT, .help = "watch terminal N"},
    {.name = "list", .kind = ARG_NONE, .help = "list the terminals of the session"},
    OPTION_ENV,
    OPTION_JSON,
    {0},
};

const struct verb verb_shell = {
    .name = "shell",
    .summary = "a shell, or any program, at this terminal",
    .usage = "[options] SESSION [PROGRAM [ARGS…]]",
    .options = shell_options,
    .common = app_options,
    .words = ARG_COMMAND_IN_SESSION,
    .examples = "  glassbell shell work\n"
                "  glassbell shell work less data.csv\n"
                "  glassbell shell --attach 1 work\n"
                "\n"
                "Enter ~ . leaves, and the program goes on.\n",
    .run = shell_run,
};
