/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/place.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "client/remote.h"
#include "platform/program.h"
#include "settings/settings.h"

enum { NAME_SHOWN_MAX = 60 };

/* clang-format off */
#define PLACE_LOCAL_OPTIONS                                                                        \
    {.name = "socket", .value = "PATH", .kind = ARG_FILE,                                          \
     .help = "the server's socket (default: $GLASSBELL_SOCKET)"},                                  \
    {.name = "no-autostart", .kind = ARG_NONE,                                                     \
     .help = "fail if no server runs, instead of starting one"}
/* clang-format on */

const struct option app_options[] = {
    {.name = "host",
     .value = "HOST",
     .kind = ARG_TEXT,
     .help = "a server on another machine: ssh://[USER@]HOST, or a name from the settings "
             "(default: $GLASSBELL_HOST)"},
    PLACE_LOCAL_OPTIONS,
    {0},
};
const struct option app_local_options[] = {PLACE_LOCAL_OPTIONS, {0}};

static int place_refuse_name(const char *name, const struct gb_settings *settings,
                             struct gb_err *err)
{
    struct gb_buf shown = {0}, names = {0};
    int r;

    gb_escape(&shown, gb_bytes_str(name), NAME_SHOWN_MAX);
    for (size_t i = 0; i < settings->hosts.count; i++)
        gb_buf_addf(&names, "%s%s", i == 0 ? "" : ", ", settings->hosts.pairs[i].key);
    r = gb_err_set(err, GB_EINVALID, "there is no host %s: [hosts] of the settings names %s",
                   gb_buf_str(&shown),
                   names.size > 0 ? gb_buf_str(&names)
                                  : "none, and an address is ssh://[USER@]HOST[:PORT][/SOCKET]");
    gb_buf_release(&shown);
    gb_buf_release(&names);
    return r;
}

/* The address with this name. Gives. */
static int place_look_up(const char *name, char **ret_host, struct gb_err *err)
{
    struct gb_settings settings;
    struct gb_remote host;
    int r = gb_settings_load(NULL, &settings, err);

    if (r < 0)
        return r;
    for (size_t i = 0; i < settings.hosts.count && *ret_host == NULL; i++) {
        const struct gb_settings_pair *pair = &settings.hosts.pairs[i];

        if (strcmp(pair->key, name) != 0)
            continue;
        r = gb_remote_parse(gb_bytes_str(pair->value), &host, err);
        if (r < 0)
            (void)gb_err_wrap(err, r, "%s:%u", settings.path, pair->line);
        else
            *ret_host = xstrdup(pair->value);
        break;
    }
    if (r == 0 && *ret_host == NULL)
        r = place_refuse_name(name, &settings, err);
    gb_settings_release(&settings);
    return r;
}

int place_resolve(const char *host, char **ret_host, struct gb_err *err)
{
    struct gb_remote parsed;
    int r;

    *ret_host = NULL;
    if (strcmp(host, GB_HOST_LOCAL) == 0)
        return 0;
    if (!gb_remote_is_url(host))
        return place_look_up(host, ret_host, err);
    r = gb_remote_parse(gb_bytes_str(host), &parsed, err);
    if (r == 0)
        *ret_host = xstrdup(host);
    return r;
}

int place_find(const struct args *args, struct server_place *ret_place, struct gb_err *err)
{
    const char *host = args_value(args, "host");
    int r = 0;

    *ret_place = (struct server_place){.socket = args_value(args, "socket")};
    if (host != NULL && ret_place->socket != NULL)
        return gb_err_set(err, GB_EINVALID,
                          "--host and --socket exclude each other; the socket there is a part "
                          "of the address: ssh://HOST/PATH");
    /* The command line takes precedence over the environment. */
    if (host == NULL && ret_place->socket == NULL)
        host = getenv("GLASSBELL_HOST");
    if (host != NULL && host[0] != '\0')
        r = place_resolve(host, &ret_place->host, err);
    if (r == 0 && !args_has(args, "no-autostart"))
        ret_place->program = gb_program_again();
    return r;
}

void place_release(struct server_place *place)
{
    free(place->host);
    free(place->program);
    *place = (struct server_place){0};
}
