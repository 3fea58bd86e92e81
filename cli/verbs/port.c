/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell port: opens ports of a session to programs of this host, shows and closes them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/print.h"
#include "model/network.h"
#include "rpc/object.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

enum { PORT_DEADLINE_MS = 30000 };

/* "8000 at 127.0.0.1:41234, 1 open of 3 connections" */
static void port_print_info(const struct gb_port_info *port)
{
    _cleanup_(gb_buf_release) struct gb_buf line = {0};

    gb_buf_addf(&line, "%u at ", port->port);
    gb_escape(&line, port->address, GB_NETWORK_HOST_MAX);
    gb_buf_addf(&line, ", %u open of %llu connections", port->open,
                (unsigned long long)port->opened);
    (void)printf("%s\n", gb_buf_str(&line));
}

static bool port_is_open(const struct gb_network_info *info, uint32_t number)
{
    struct gb_port_info port;

    for (size_t at = 0; gb_items_next(&gb_port_object, &info->ports, &at, &port) == 1;) {
        if (port.port == number)
            return true;
    }
    return false;
}

static void port_print_list(void *arg, const struct gb_json *result)
{
    struct gb_network_info info;
    struct gb_listening_info listening;
    struct gb_port_info port;

    if (args_has(arg, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_network_object, result, &info);
    for (size_t at = 0; gb_items_next(&gb_port_object, &info.ports, &at, &port) == 1;)
        port_print_info(&port);
    for (size_t at = 0;
         gb_items_next(&gb_listening_object, &info.listening, &at, &listening) == 1;) {
        if (!port_is_open(&info, listening.port))
            (void)printf("%u listens in the session\n", listening.port);
    }
}

/* Only the address, for scripts. */
static void port_print_address(void *arg, const struct gb_json *result)
{
    _cleanup_(gb_buf_release) struct gb_buf line = {0};
    struct gb_port_info port;

    if (args_has(arg, "json")) {
        print_json(result);
        return;
    }
    gb_object_take(&gb_port_object, result, &port);
    gb_escape(&line, port.address, GB_NETWORK_HOST_MAX);
    (void)printf("%s\n", gb_buf_str(&line));
}

/* A path is relative to where we are, not to where the server is. */
static bool port_put_place(const struct args *args, struct gb_json_out *out)
{
    const char *path = args_value(args, "unix");
    _cleanup_(gb_buf_release) struct gb_buf whole = {0};
    _cleanup_(freep) char *here = NULL;

    gb_json_put_str(out, "address", args_value(args, "address"));
    if (path == NULL)
        return true;
    if (path[0] != '/') {
        here = realpath(".", NULL);
        if (here == NULL) {
            app_say("--unix: the current folder no longer exists");
            return false;
        }
        gb_buf_addf(&whole, "%s/", here);
    }
    gb_buf_adds(&whole, path);
    gb_json_put(out, "unix", gb_buf_bytes(&whole));
    return true;
}

static bool port_change(struct app *app, const struct args *args, const char *session, double port)
{
    _cleanup_(gb_buf_release) struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    const bool closes = args_has(args, "close");
    bool good = true;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", session);
    gb_json_put_u64(&out, "port", (uint64_t)port);
    if (closes && args_value(args, "address") != NULL)
        gb_json_put_str(&out, "address", args_value(args, "address"));
    else if (!closes)
        good = port_put_place(args, &out);
    gb_json_end(&out);
    return good &&
           app_call(app, closes ? "session.port_close" : "session.port_open", &params,
                    PORT_DEADLINE_MS, closes ? NULL : port_print_address, (void *)(uintptr_t)args);
}

/* A usage error; NULL: none. */
static const char *port_complaint(const struct args *args, double *ret_port)
{
    bool places = args_has(args, "unix") || args_has(args, "address");

    *ret_port = 0;
    if (args->word_count == 0)
        return "which session? `glassbell ls` shows them";
    if (args->word_count > 2 ||
        (args->word_count == 2 && (!args_number(args->words[1], 1, UINT16_MAX, ret_port) ||
                                   *ret_port != (double)(unsigned)*ret_port)))
        return "the argument after the session must be one of its ports, 1 to 65535";
    if (args->word_count == 1 && (places || args_has(args, "close")))
        return "which port of the session?";
    if (args_has(args, "unix") && (args_has(args, "address") || args_has(args, "close")))
        return "--unix cannot be combined with other options; --close takes the path as --address";
    return NULL;
}

static int port_run(const struct args *args)
{
    double port;
    const char *complaint = port_complaint(args, &port);
    _cleanup_(freep) char *session = NULL;
    struct app app;
    bool good;

    if (complaint != NULL)
        return app_wrong_use(args, "%s", complaint);
    app_open(&app, args);
    session = app_find_session(&app, args->words[0]);
    good = session != NULL;
    if (good && port == 0)
        good = app_call_on(&app, "session.network", session, PORT_DEADLINE_MS, port_print_list,
                           (void *)(uintptr_t)args);
    else if (good)
        good = port_change(&app, args, session, port);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option port_options[] = {
    {.name = "address",
     .value = "ADDRESS:PORT",
     .kind = ARG_TEXT,
     .help = "address on this host: 127.0.0.1 or [::1] (default: a free port of 127.0.0.1)"},
    {.name = "unix",
     .value = "PATH",
     .kind = ARG_FILE,
     .help = "as a Unix socket that only the server's user can use"},
    {.name = "close", .kind = ARG_NONE, .help = "close it again, and break its connections"},
    OPTION_JSON,
    {0}};

const struct verb verb_port = {
    .name = "port",
    .summary = "open a port of a session to this host",
    .usage = "[options] SESSION [PORT]",
    .options = port_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell port work 8000\n"
                "  glassbell port work 8000 --unix /tmp/work.sock\n"
                "  glassbell port work\n"
                "  glassbell port work 8000 --close\n",
    .run = port_run,
};
