/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a server on another machine: ssh://[USER@]HOST[:PORT][/SOCKET].
 *
 * USER, HOST and PORT mean what they mean to OpenSSH: HOST may be an alias from its configuration,
 * or an IPv6 address in brackets. SOCKET is the absolute path of the server's socket on that
 * machine. USER, SOCKET and the zone of an IPv6 address may contain %XX escapes. Characters that a
 * program behind ssh (a shell, a ProxyCommand) could interpret are refused.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    GB_REMOTE_URL_MAX = 1024,
    GB_REMOTE_USER_MAX = 64,
    GB_REMOTE_NAME_MAX = 255,
    GB_REMOTE_SOCKET_MAX = 107, /* size of sun_path, without the NUL */
};

struct gb_remote {
    char user[GB_REMOTE_USER_MAX + 1]; /* "": from ssh's configuration */
    char name[GB_REMOTE_NAME_MAX + 1];
    uint16_t port;                         /* 0: likewise */
    char socket[GB_REMOTE_SOCKET_MAX + 1]; /* "": the default on that machine */
    bool bracketed;                        /* the host is an IPv6 address */
};

/* Whether @text is a URL rather than the name of a configured host. */
bool gb_remote_is_url(const char *text);
/* GB_EINVALID, with a message that says what is wrong. */
int gb_remote_parse(struct gb_bytes url, struct gb_remote *ret_host, struct gb_err *err);
/* Prints the URL; parsing it gives the same struct. */
void gb_remote_print(struct gb_buf *buf, const struct gb_remote *host);
