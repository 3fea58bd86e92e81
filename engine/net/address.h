/* SPDX-License-Identifier: Apache-2.0 */
/* Classifies addresses: reachable by everybody, or only from where we are. An IPv6 address that
 * embeds an IPv4 address is classified as that address. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct sockaddr;

/* In network byte order; IPv4 as ::ffff:a.b.c.d. */
struct gb_address {
    uint8_t bytes[16];
};

enum gb_address_class {
    GB_ADDRESS_PUBLIC,
    GB_ADDRESS_PRIVATE, /* of this host, link or site, or reserved (RFC 6890) */
    GB_ADDRESS_NEVER,   /* not a host: multicast, broadcast, unspecified; or a cloud's metadata
                         * service, which gives its keys to any client */
};

enum gb_address_class gb_address_class(const struct gb_address *address);

struct gb_address gb_address_from_v4(uint32_t address);
/* False: it is of another family. */
bool gb_address_from_socket(const struct sockaddr *socket, struct gb_address *ret_address);
bool gb_address_is_v4(const struct gb_address *address);
/* For an IPv4 address: 127.0.0.1 is 0x7f000001. */
uint32_t gb_address_v4(const struct gb_address *address);

enum { GB_ADDRESS_TEXT = 48 };
/* Strict: dotted quads without leading zeros, IPv6 as in inet_pton(3). False if invalid. */
bool gb_address_parse(struct gb_bytes text, struct gb_address *ret_address);
void gb_address_format(const struct gb_address *address, char text[GB_ADDRESS_TEXT]);

/* A network: the first @bits of the address. */
struct gb_address_net {
    struct gb_address address;
    unsigned bits; /* of 128 */
};
/* "192.0.2.0/24", "2001:db8::/32", or a single address. False if invalid, or if bits after the
 * prefix are set. */
bool gb_address_net_parse(struct gb_bytes text, struct gb_address_net *ret_net);
bool gb_address_net_has(const struct gb_address_net *net, const struct gb_address *address);
