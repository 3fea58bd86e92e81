/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate authority of one session, in memory: its key (P-256) is made here, and is passed to
 * the edges of the session's forks only. Its certificate is valid for the hosts of the session's
 * secrets and inspected ones only (name constraints), and for a month. */
#pragma once

#include <stddef.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/err.h"

struct gb_authority;

/* @hosts: names, or "*." and one; or "*": all. Gives. */
int gb_authority_new(const char *const *hosts, size_t count, struct gb_authority **ret_authority,
                     struct gb_err *err);
/* Adds the certificate and its key, PEM: wipe it. */
int gb_authority_share(const struct gb_authority *authority, struct gb_buf *pem,
                       struct gb_err *err);
/* The same authority from what gb_authority_share() wrote. GB_EINVALID: it is not that. Gives. */
int gb_authority_take(struct gb_bytes pem, struct gb_authority **ret_authority, struct gb_err *err);
void gb_authority_free(struct gb_authority *authority); /* no-op on NULL */
/* Adds the certificate, PEM. */
int gb_authority_write(const struct gb_authority *authority, struct gb_buf *pem,
                       struct gb_err *err);
/* A TLS server that is that host: only HTTP/1.1 (ALPN), TLS 1.2 or later. Borrowed until the next
 * call: GB_EDGE_CONNECTIONS_MAX are kept, and the least recently used one is dropped. Connections
 * hold their own references. */
int gb_authority_server(struct gb_authority *authority, const char *name, SSL_CTX **ret_context,
                        struct gb_err *err);

/* A TLS client that trusts only the certificates in @pem. GB_EINVALID: there is none. Gives. */
int gb_authority_client(struct gb_bytes pem, SSL_CTX **ret_context, struct gb_err *err);
