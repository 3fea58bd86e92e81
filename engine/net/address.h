/* SPDX-License-Identifier: Apache-2.0 */
/* What kind of place an address is: one that everybody may reach, or one that is only somewhere
 * because we are here. IPv6 addresses that carry an IPv4 address are what that one is. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* In the order of the network; IPv4 as ::ffff:a.b.c.d. */
struct gb_address {
    uint8_t bytes[16];
};

enum gb_address_class {
    GB_ADDRESS_PUBLIC,
    GB_ADDRESS_PRIVATE, /* of this host, this link, this site, or set apart (RFC 6890) */
    GB_ADDRESS_NEVER,   /* no host at all: multicast, broadcast, unspecified, or the metadata of a
                         * cloud, which hands out its keys to whoever asks */
};

enum gb_address_class gb_address_class(const struct gb_address *address);

struct gb_address gb_address_from_v4(uint32_t address);
bool gb_address_is_v4(const struct gb_address *address);
/* Of one that is: 127.0.0.1 is 0x7f000001. */
uint32_t gb_address_v4(const struct gb_address *address);

enum { GB_ADDRESS_TEXT = 48 };
/* Strict: dotted quads without leading zeros, IPv6 as inet_pton(3) reads it. False: it is none. */
bool gb_address_parse(struct gb_bytes text, struct gb_address *ret_address);
void gb_address_format(const struct gb_address *address, char text[GB_ADDRESS_TEXT]);

/* A network: the first @bits are those of the address. */
struct gb_address_net {
    struct gb_address address;
    unsigned bits; /* of 128 */
};
/* "192.0.2.0/24", "2001:db8::/32", or an address alone. False: it is none, or has bits behind its
 * prefix. */
bool gb_address_net_parse(struct gb_bytes text, struct gb_address_net *ret_net);
bool gb_address_net_has(const struct gb_address_net *net, const struct gb_address *address);
