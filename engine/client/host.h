/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a server on another machine: ssh://[USER@]HOST[:PORT][/SOCKET].
 *
 * USER, HOST and PORT are OpenSSH's own words: HOST may be a name of its configuration, or an IPv6
 * address in brackets. SOCKET is the absolute path of the server's socket there. Bytes may be
 * written as %XX in USER, SOCKET and the zone of an IPv6 address. What a program behind ssh (a
 * shell, a ProxyCommand) could take for something else than a name is refused, whoever wrote it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    GB_HOST_URL_MAX = 1024,
    GB_HOST_USER_MAX = 64,
    GB_HOST_NAME_MAX = 255,
    GB_HOST_SOCKET_MAX = 107, /* what a socket's address holds */
};

struct gb_host {
    char user[GB_HOST_USER_MAX + 1]; /* "": as ssh's configuration says */
    char name[GB_HOST_NAME_MAX + 1];
    uint16_t port;                       /* 0: likewise */
    char socket[GB_HOST_SOCKET_MAX + 1]; /* "": by the rule there */
    bool bracketed;                      /* the name is an IPv6 address */
};

/* Whether @text begins as an address does, and not as a name for one. */
bool gb_host_is_url(const char *text);
/* GB_EINVALID with a sentence that says what is wrong. */
int gb_host_parse(struct gb_bytes url, struct gb_host *ret_host, struct gb_err *err);
/* The address, written again: parsing it gives the same. */
void gb_host_print(struct gb_buf *buf, const struct gb_host *host);
