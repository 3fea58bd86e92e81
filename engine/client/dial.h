/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the server's socket and connects to it, starting the server if nobody listens; or connects
 * to the server of another machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* Fails with GB_EPOLICY unless the folder of @path is a directory (not a symbolic link) owned by us
 * and writable by nobody else. With @make, a missing one is created (0700); without, it is
 * GB_ENOTFOUND. */
int gb_socket_check_folder(const char *path, bool make, struct gb_err *err);

struct gb_dial_config {
    const char *host;    /* an address (client/remote.h); NULL: this machine */
    const char *socket;  /* NULL: the result of gb_socket_path() */
    const char *program; /* run as `PROGRAM serve --daemon …` if nobody listens; NULL: never */
    uint64_t timeout_ms; /* for starting a server */
    bool ask;            /* ssh may prompt on our terminal */
};

struct gb_dialled {
    int fd;     /* non-blocking, close-on-exec */
    int errors; /* ssh's standard error (client/ssh.h); −1: closed, or not ssh */
};

/* Connects, starting the server first if necessary, under a lock next to the socket, so that two
 * clients that come first start only one server. The server reports through a pipe that it is
 * listening. The peer must have our uid. For another machine `glassbell stdio` does all of this
 * over there; @socket is ignored, and there is no fallback to a local server. Blocks for up to the
 * time-out: call it from the thread pool or from a program without a loop. Gives. GB_ENOTFOUND:
 * nobody listens; GB_EPOLICY: the folder or the peer belongs to another user; GB_EBUSY: the server
 * was not ready in time, or the server's own error. */
int gb_dial(const struct gb_dial_config *config, struct gb_dialled *ret, struct gb_err *err);
