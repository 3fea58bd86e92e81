/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "client/remote.h"
#include "platform/program.h"
#include "rpc/address.h"
#include "settings/settings.h"

enum { PLACES_NAME_MAX = 40, PLACES_SHOWN_MAX = 60 };

static bool places_has(const struct places *places, const char *name)
{
    for (size_t i = 0; i < places->count; i++)
        if (strcmp(places->list[i].name, name) == 0)
            return true;
    return false;
}

/* Whether users can type it in commands. */
static bool places_is_name(const char *name)
{
    return name[0] != '\0' && strlen(name) <= PLACES_NAME_MAX && strpbrk(name, " \t\"'\\") == NULL;
}

/* Takes @host and @socket. The server's name is the first of @names (NULL-terminated, the last one
 * is the whole address) that can be one and is not taken, else a number. */
static int places_add(struct places *places, const char *const *names, char *host, char *socket,
                      struct gb_err *err)
{
    _cleanup_(freep) char *number = xasprintf("host%zu", places->count + 1);
    const char *good = NULL, *last = "";
    struct gb_buf shown = {0};
    int r = 0;

    for (; *names != NULL; names++) {
        last = *names;
        if (good == NULL && places_is_name(last) && !places_has(places, last))
            good = last;
    }
    if (good == NULL && !places_has(places, last) && !places_has(places, number))
        good = number;
    gb_escape(&shown, gb_bytes_str(last), PLACES_SHOWN_MAX);
    if (places->count == PLACES_MAX)
        r = gb_err_set(err, GB_EINVALID, "the front end shows at most %d hosts", PLACES_MAX);
    else if (good == NULL)
        r = gb_err_set(err, GB_EINVALID, "%s is named twice", gb_buf_str(&shown));
    gb_buf_release(&shown);
    if (r < 0) {
        free(host);
        free(socket);
        return r;
    }
    places->list[places->count++] =
        (struct place){.name = xstrdup(good), .host = host, .socket = socket};
    return 0;
}

/* For $GLASSBELL_HOST is not to be taken for it where we run other verbs. */
static int places_add_local(struct places *places, struct gb_err *err)
{
    const char *elsewhere = getenv("GLASSBELL_HOST");
    const bool shadowed = elsewhere != NULL && elsewhere[0] != '\0';

    return places_add(places, (const char *[]){GB_HOST_LOCAL, NULL}, NULL,
                      shadowed ? gb_socket_path(NULL) : NULL, err);
}

/* By its name, or the address; without the name of a user, if that is enough. */
static int places_add_host(struct places *places, const char *text, struct gb_err *err)
{
    _cleanup_(freep) char *alone = NULL, *whole = NULL;
    struct gb_remote parsed = {0};
    char *host = NULL;
    int r;

    if (strcmp(text, GB_HOST_LOCAL) == 0)
        return places_add_local(places, err);
    r = place_resolve(text, &host, err);
    if (r == 0 && !gb_remote_is_url(text))
        return places_add(places, (const char *[]){text, NULL}, host, NULL, err);
    if (r == 0)
        r = gb_remote_parse(gb_bytes_str(host), &parsed, err);
    if (r < 0) {
        free(host);
        return r;
    }
    alone = parsed.port == 0 ? xstrdup(parsed.name)
                             : xasprintf("%s:%u", parsed.name, (unsigned)parsed.port);
    whole = xstrdup(host + strlen("ssh://"));
    return places_add(places, (const char *[]){alone, whole, NULL}, host, NULL, err);
}

/* What follows the last slash, or the one before that. */
static const char *places_tail(const char *path, size_t slashes)
{
    const char *at = path + strlen(path);

    for (; at > path; at--)
        if (at[-1] == '/' && slashes-- == 1)
            break;
    return at;
}

/* By the file's name (the folder's, if it has the usual one), with as much of the path as needed.
 */
static int places_add_socket(struct places *places, const char *path, struct gb_err *err)
{
    static const char usual[] = "/server.sock";
    const size_t size = strlen(path), more = strlen(usual);
    const bool has_usual = size > more && strcmp(path + size - more, usual) == 0;
    _cleanup_(freep) char *shown = xstrndup(path, has_usual ? size - more : size);

    return places_add(places,
                      (const char *[]){places_tail(shown, 1), places_tail(shown, 2), path, NULL},
                      NULL, xstrdup(path), err);
}

/* Those of the command line, in the order given. */
static int places_add_given(struct places *places, const struct args *args, struct gb_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < args->given_count; i++) {
        const struct arg *given = &args->given[i];

        if (strcmp(given->option->name, "socket") == 0)
            r = places_add_socket(places, given->value, err);
        else if (strcmp(given->option->name, "host") == 0)
            r = places_add_host(places, given->value, err);
    }
    return r;
}

/* This machine's, and those of the settings. */
static int places_add_usual(struct places *places, struct gb_err *err)
{
    _cleanup_(freep) char *hosts = NULL;
    struct gb_settings settings = {0};
    char *rest, *name;
    int r = places_add_local(places, err);

    if (r == 0)
        r = gb_settings_load(NULL, &settings, err);
    if (r < 0)
        return r;
    hosts = xstrdup(settings.tui.hosts);
    name = hosts + strspn(hosts, " \t");
    for (; r == 0 && name[0] != '\0'; name = rest + strspn(rest, " \t")) {
        rest = name + strcspn(name, " \t");
        if (rest[0] != '\0')
            *rest++ = '\0';
        if (strcmp(name, GB_HOST_LOCAL) != 0) /* it is there already */
            r = places_add_host(places, name, err);
    }
    if (r < 0)
        r = gb_err_wrap(err, r, "%s: [tui] hosts", settings.path);
    gb_settings_release(&settings);
    return r;
}

static int places_find_one(const struct args *args, struct places *places, struct gb_err *err)
{
    struct server_place place;
    int r = place_find(args, &place, err);

    if (r < 0)
        return r;
    if (place.host == NULL && place.socket == NULL)
        r = places_add_local(places, err);
    else
        r = places_add(places, (const char *[]){GB_HOST_LOCAL, NULL}, TAKE_PTR(place.host),
                       place.socket != NULL ? xstrdup(place.socket) : NULL, err);
    place_release(&place);
    return r;
}

int places_find(const struct args *args, bool one, struct places *ret_places, struct gb_err *err)
{
    const char *host = getenv("GLASSBELL_HOST");
    int r = 0;

    *ret_places = (struct places){0};
    if (one)
        r = places_find_one(args, ret_places, err);
    else
        r = places_add_given(ret_places, args, err);
    if (r == 0 && ret_places->count == 0 && host != NULL && host[0] != '\0')
        r = places_add_host(ret_places, host, err);
    if (r == 0 && ret_places->count == 0)
        r = places_add_usual(ret_places, err);
    if (r < 0)
        places_release(ret_places);
    else if (!args_has(args, "no-autostart"))
        ret_places->program = gb_program_again();
    return r;
}

void places_release(struct places *places)
{
    for (size_t i = 0; i < places->count; i++) {
        free(places->list[i].name);
        free(places->list[i].host);
        free(places->list[i].socket);
    }
    free(places->program);
    *places = (struct places){0};
}
