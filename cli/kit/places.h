/* SPDX-License-Identifier: Apache-2.0 */
/* The servers whose sessions the front end shows: those that --host and --socket name, each as
 * often as one likes; else $GLASSBELL_HOST; else the server of this machine and those that
 * `[tui] hosts` of the settings names. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/place.h"

enum { PLACES_MAX = 16 };

struct places {
    struct place {
        char *name;   /* for people and for commands: no spaces, each a different one */
        char *host;   /* an address (client/remote.h); NULL: this machine */
        char *socket; /* of this machine; NULL: as the protocol defines it */
    } list[PLACES_MAX];
    size_t count;
    char *program; /* run to start a server if there is none; NULL: never */
};

/* @one: only the one server that place_find() finds. Gives; on failure @ret_places needs no
 * release. GB_EINVALID: there is no such host, or one is named twice, or they are too many. */
int places_find(const struct args *args, bool one, struct places *ret_places, struct gb_err *err);
void places_release(struct places *places);
