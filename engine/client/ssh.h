/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to the server on another machine, through OpenSSH: `ssh HOST glassbell stdio`.
 *
 * Theory of operation. ssh gets one end of a socket pair as its standard input and output, so that
 * the other end behaves like a connection to the server's own socket. ssh is not our child: it
 * exits at end of input after delivering what was sent, and we need not reap it. It shares our
 * terminal, where it may ask for a password, and ignores the Ctrl-C that is meant for us.
 *
 * The first line from the far end is the greeting of `glassbell stdio`: one JSON object, {"stdio":
 * 1}, or {"stdio": 1, "error": {"kind": …, "message": …}}. Anything else (a shell that prints, an
 * old version) is an error. The socket's protocol follows, byte for byte.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "client/remote.h"

enum {
    GB_STDIO_VERSION = 1,
    GB_GREETING_MAX = 2048, /* length of the line, with the newline */
    GB_SSH_ARGS_MAX = 32,
};

struct gb_ssh_config {
    bool autostart;      /* start a server there if none runs */
    bool ask;            /* ssh may prompt on our terminal, if we have one */
    uint64_t timeout_ms; /* until the greeting; longer while ssh prompts */
};

/* Blocks until the far end has sent its greeting. Gives two descriptors: the stream (non-blocking),
 * and ssh's standard error, which has to be read (−1: already closed). GB_ENOTFOUND: no server can
 * be reached, with ssh's message; GB_EBUSY: not in time; or the error that the far end reported. On
 * failure nothing has been sent. */
int gb_ssh_open(const struct gb_remote *host, const struct gb_ssh_config *config, int *ret_fd,
                int *ret_errors, struct gb_err *err);

/* The command line, NULL-terminated. It borrows from @host and @buf. */
void gb_ssh_command(const struct gb_remote *host, const struct gb_ssh_config *config, bool batch,
                    struct gb_buf *buf, const char *ret_argv[GB_SSH_ARGS_MAX]);

/* Parses the greeting, without its newline; modifies it. Returns 0, or the error that the far end
 * reports. */
int gb_ssh_read_greeting(uint8_t *line, size_t size, struct gb_err *err);
/* Writes the far end's greeting, with its newline. @problem NULL: the connection is up. */
void gb_ssh_write_greeting(struct gb_buf *out, const struct gb_err *problem);

/* Adds the last line of @text that is not blank, without control sequences. Adds nothing if there
 * is none. */
void gb_ssh_last_line(struct gb_bytes text, struct gb_buf *out);
