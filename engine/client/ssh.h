/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to the server of another machine, through OpenSSH: `ssh HOST glassbell stdio`.
 *
 * Theory of operation. ssh gets one end of a socket pair as its standard input and output, so that
 * what comes out is a stream like that of the server's own socket. It is no child of ours: it ends
 * when its input does, lets what was sent before arrive, and nobody has to reap it. It shares our
 * terminal, where it may ask for a password, and ignores the Ctrl-C that is meant for us.
 *
 * The first line from the far end is the greeting of `glassbell stdio`: one JSON object, {"stdio":
 * 1}, or {"stdio": 1, "error": {"kind": …, "message": …}}. Anything else in its place (a shell that
 * prints, an old version) is an error. Behind it comes the protocol of the socket, byte for byte.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "client/host.h"

enum {
    GB_STDIO_VERSION = 1,
    GB_GREETING_MAX = 2048, /* its line, with the newline */
    GB_SSH_ARGS_MAX = 32,
};

struct gb_ssh_config {
    bool autostart;      /* the server there is started when none runs */
    bool ask;            /* where we have a terminal ssh may ask there */
    uint64_t timeout_ms; /* until the greeting; who is asked has longer */
};

/* Blocks until the far end has greeted. Gives both descriptors, the stream (non-blocking) and what
 * ssh writes to standard error: that has to be read (−1: it writes nothing more). GB_ENOTFOUND:
 * there is no server to be reached by it, with what ssh says of it; GB_EBUSY: in time; or what the
 * far end's error is. Nothing was sent then. */
int gb_ssh_open(const struct gb_host *host, const struct gb_ssh_config *config, int *ret_fd,
                int *ret_errors, struct gb_err *err);

/* The command, ends with NULL. What it borrows is @host's and @buf's. */
void gb_ssh_command(const struct gb_host *host, const struct gb_ssh_config *config, bool batch,
                    struct gb_buf *buf, const char *ret_argv[GB_SSH_ARGS_MAX]);

/* The greeting, without its newline; changed. 0, or what the far end says is wrong. */
int gb_ssh_read_greeting(uint8_t *line, size_t size, struct gb_err *err);
/* The far end's side of it, with its newline. @problem NULL: the connection stands. */
void gb_ssh_write_greeting(struct gb_buf *out, const struct gb_err *problem);

/* The last line in @text that says something, without what a terminal could obey. Empty: none. */
void gb_ssh_last_line(struct gb_bytes text, struct gb_buf *out);
