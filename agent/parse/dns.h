/* SPDX-License-Identifier: Apache-2.0 */
/* DNS (RFC 1035), as far as needed by a stub with one address per name: parses queries; writes
 * answers with one address, without one, or with an error. Pure. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"

enum {
    DNS_MAX = 512, /* size of a message over UDP */
    DNS_TYPE_A = 1,
    DNS_OK = 0,
    DNS_FORMAT = 1, /* response codes */
    DNS_SERVER = 2,
    DNS_NO_NAME = 3,
    DNS_NOT_KNOWN = 4,
    DNS_REFUSED = 5,
};

struct dns_query {
    uint16_t id, flags, type;
    size_t size;                     /* of head and question; 12: no question to repeat */
    char name[GB_HOST_NAME_MAX + 1]; /* lower case, without the trailing dot; "": the root */
};

/* Parses a query. Returns 0; a code for dns_answer(); or -1 if it is not a query and gets no
 * answer. */
int dns_read(struct gb_bytes message, struct dns_query *ret_query);

/* Writes the answer to the query parsed from @message: @code, and with DNS_OK and @address (4
 * bytes; NULL: no address of that type) the address. Returns the size. */
size_t dns_answer(struct gb_bytes message, const struct dns_query *query, int code,
                  const uint8_t *address, uint32_t ttl_s, uint8_t to[DNS_MAX]);
