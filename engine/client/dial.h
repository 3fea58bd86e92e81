/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the server's socket and connecting to it; starting the server when nobody listens. Or
 * reaching that of another machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Fails with GB_EPOLICY unless the folder of @path is a folder (no symbolic link) that belongs to
 * us and that nobody else can write to. With @make it is made (0700) when it is missing; without, a
 * missing folder is GB_ENOTFOUND. */
int gb_socket_check_folder(const char *path, bool make, struct gb_err *err);

struct gb_dial_config {
    const char *host;   /* an address (client/host.h); NULL: this machine */
    const char *socket; /* NULL: as gb_socket_path() finds it */
    const char
        *program; /* is started as `PROGRAM serve --daemon …` when nobody listens; NULL: never */
    uint64_t timeout_ms; /* for a server that has to be started */
    bool ask;            /* ssh may ask at our terminal */
};

struct gb_dialled {
    int fd;     /* non-blocking, close-on-exec */
    int errors; /* what ssh says (client/ssh.h); −1: nothing more, or no ssh */
};

/* Connects, and starts the server first when need be: under a lock beside the socket, so that two
 * first clients start one server. The server tells through a pipe that it listens. The peer must be
 * of our uid. Of another machine all that is done there, by `glassbell stdio`, and @socket is not
 * looked at: nothing falls back on a server here. Blocks for up to the time-out: for the thread
 * pool, or for a program without a loop. Gives. GB_ENOTFOUND: nobody listens; GB_EPOLICY: the
 * folder or the peer is somebody else's; GB_EBUSY: the server did not get ready in time, or its own
 * error. */
int gb_dial(const struct gb_dial_config *config, struct gb_dialled *ret, struct gb_err *err);
