/* SPDX-License-Identifier: Apache-2.0 */
/* Which server to use: --host and --socket, else $GLASSBELL_HOST, else the local socket. */
#pragma once

#include "base/err.h"
#include "cli/args.h"

/* --host, --socket and --no-autostart: for the option tables of all verbs that talk to the
 * server. */
extern const struct option app_options[];
/* The same without --host, for verbs that only use a server of this machine. */
extern const struct option app_local_options[];

struct server_place {
    char *host;         /* an address (client/remote.h); NULL: this machine */
    const char *socket; /* local, as given; or NULL */
    char *program;      /* run to start a server if there is none; NULL: never */
};

/* Looks names up in [hosts] of the settings. Gives; on failure @ret_place needs no release. */
int place_find(const struct args *args, struct server_place *ret_place, struct gb_err *err);
/* The address of a host, which may be one already; NULL for GB_HOST_LOCAL. Gives. */
int place_resolve(const char *host, char **ret_host, struct gb_err *err);
void place_release(struct server_place *place);
