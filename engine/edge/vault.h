/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets of a session, in the only process that has their values. Values come from descriptors
 * and may be replaced. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/err.h"
#include "edge/mask.h"
#include "edge/place.h"
#include "edge/protocol.h"

enum { VAULT_KEPT = 3 };

struct vault_secret {
    char name[GB_EDGE_NAME_MAX + 1], placeholder[GB_EDGE_TEXT_MAX + 1], key[GB_EDGE_NAME_MAX + 1];
    char *hosts[GB_EDGE_HOSTS_MAX];
    size_t host_count;
    enum gb_secret_place place;
    uint64_t expires_ms, read_at_ns;
    struct gb_buf value, incoming;
    struct gb_buf kept[VAULT_KEPT]; /* values before, the last one first */
    int fd;                         /* that the value is being read from; -1: none */
    bool pending;                   /* a value is being read, or has been requested */
    uint64_t deadline_ns;           /* when there will be none, while `pending` */
    SSL_CTX *client;                /* for its hosts; NULL: the usual */
};

struct vault {
    struct vault_secret secrets[GB_EDGE_SECRETS_MAX];
    size_t count;
    struct gb_mask mask; /* of all values, and of those before them; owners: vault_owners() */
};

/* Takes the descriptors. */
int vault_add(struct vault *vault, const struct gb_edge_message *message, int value_fd,
              int trust_fd, struct gb_err *err);
/* Takes @fd, from which the value of a secret can be read again. */
void vault_renew(struct vault *vault, uint32_t index, int fd);
/* Reads what is available from the secret's descriptor. */
void vault_read(struct vault *vault, struct vault_secret *secret);
/* Gives up values that have not come in time. True: there were some. */
bool vault_expire(struct vault *vault, uint64_t now_ns);
/* When the next value is given up; UINT64_MAX: none is awaited. */
uint64_t vault_deadline_ns(const struct vault *vault);
bool vault_covers(const struct vault_secret *secret, const char *host);
/* The secrets of @host as a set of bits, for the mask: any of them can be in what it says. */
uint32_t vault_owners(const struct vault *vault, const char *host);
/* The secrets of @host, at most GB_EDGE_SECRETS_MAX. */
size_t vault_place(struct vault *vault, const char *host, struct gb_placed *placed);
/* What servers of that host must prove; NULL: the usual. */
SSL_CTX *vault_client(struct vault *vault, const char *host);
/* Calls @want for values of @host that are too old, or could not be had some time ago. True: all of
 * them are there, or cannot be had. */
bool vault_is_ready(struct vault *vault, const char *host, uint64_t now_ns,
                    void (*want)(void *arg, uint32_t index), void *arg);

/* Reads all of a descriptor, at most @most bytes. Takes @fd. False: more, or an error. */
bool vault_slurp(int fd, size_t most, struct gb_buf *text);
/* The same of a pipe, but not longer than @most_ms for each piece. */
bool vault_slurp_pipe(int fd, size_t most, int most_ms, struct gb_buf *text);
