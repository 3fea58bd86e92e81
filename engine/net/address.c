/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"

enum { V4_BITS = 96, V4_BYTES = 12 };

static const uint8_t mapped[V4_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct gb_address gb_address_from_v4(uint32_t address)
{
    struct gb_address result = {{0}};

    memcpy(result.bytes, mapped, V4_BYTES);
    for (unsigned i = 0; i < 4; i++)
        result.bytes[V4_BYTES + i] = (uint8_t)(address >> (24 - 8 * i));
    return result;
}

bool gb_address_from_socket(const struct sockaddr *socket, struct gb_address *ret_address)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (socket->sa_family == AF_INET) {
        memcpy(&v4, socket, sizeof(v4));
        *ret_address = gb_address_from_v4(ntohl(v4.sin_addr.s_addr));
    } else if (socket->sa_family == AF_INET6) {
        memcpy(&v6, socket, sizeof(v6));
        memcpy(ret_address->bytes, &v6.sin6_addr, sizeof(ret_address->bytes));
    }
    return socket->sa_family == AF_INET || socket->sa_family == AF_INET6;
}

static uint32_t address_get32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

bool gb_address_is_v4(const struct gb_address *address)
{
    return memcmp(address->bytes, mapped, V4_BYTES) == 0;
}

uint32_t gb_address_v4(const struct gb_address *address)
{
    return address_get32(address->bytes + V4_BYTES);
}

/* ---- classes ---- */

struct address_range_v4 {
    uint32_t net;
    unsigned bits;
    enum gb_address_class of;
};

/* IANA's registry according to RFC 6890; the first match counts. Addresses for a session's names
 * are from 198.18.0.0/15. */
static const struct address_range_v4 ranges_v4[] = {
    {0xa9fea9fe, 32, GB_ADDRESS_NEVER}, /* 169.254.169.254: metadata service of most clouds */
    {0xa9feaa02, 32, GB_ADDRESS_NEVER}, /* 169.254.170.2: of one cloud's containers */
    {0x646464c8, 32, GB_ADDRESS_NEVER}, /* 100.100.100.200: of another cloud */
    {0x00000000, 8, GB_ADDRESS_NEVER},  /* this network */
    {0x0a000000, 8, GB_ADDRESS_PRIVATE},
    {0x64400000, 10, GB_ADDRESS_PRIVATE}, /* carrier-grade NAT */
    {0x7f000000, 8, GB_ADDRESS_PRIVATE},  /* this host */
    {0xa9fe0000, 16, GB_ADDRESS_PRIVATE}, /* this link */
    {0xac100000, 12, GB_ADDRESS_PRIVATE},
    {0xc0000000, 24, GB_ADDRESS_PRIVATE}, /* protocol assignments */
    {0xc0000200, 24, GB_ADDRESS_PRIVATE}, /* documentation */
    {0xc0586300, 24, GB_ADDRESS_PRIVATE}, /* 6to4 relays */
    {0xc0a80000, 16, GB_ADDRESS_PRIVATE},
    {0xc6120000, 15, GB_ADDRESS_PRIVATE}, /* benchmarking */
    {0xc6336400, 24, GB_ADDRESS_PRIVATE}, /* documentation */
    {0xcb007100, 24, GB_ADDRESS_PRIVATE}, /* documentation */
    {0xe0000000, 4, GB_ADDRESS_NEVER},    /* multicast */
    {0xffffffff, 32, GB_ADDRESS_NEVER},   /* broadcast */
    {0xf0000000, 4, GB_ADDRESS_PRIVATE},  /* reserved */
};

static enum gb_address_class address_class_v4(uint32_t address)
{
    for (size_t i = 0; i < ARRAY_SIZE(ranges_v4); i++) {
        if ((address ^ ranges_v4[i].net) >> (32 - ranges_v4[i].bits) == 0)
            return ranges_v4[i].of;
    }
    return GB_ADDRESS_PUBLIC;
}

struct address_range_v6 {
    uint8_t net[16];
    unsigned bits;
    unsigned v4_at; /* offset of an embedded IPv4 address; 0: none */
    bool inverted;  /* its bits are inverted */
    enum gb_address_class of;
};

static const struct address_range_v6 ranges_v6[] = {
    {{0}, 128, 0, false, GB_ADDRESS_NEVER},                                   /* :: */
    {{[15] = 1}, 128, 0, false, GB_ADDRESS_PRIVATE},                          /* ::1 */
    {{[10] = 0xff, [11] = 0xff}, 96, 12, false, GB_ADDRESS_PUBLIC},           /* mapped */
    {{0}, 96, 12, false, GB_ADDRESS_PUBLIC},                                  /* compatible */
    {{[8] = 0xff, [9] = 0xff}, 96, 12, false, GB_ADDRESS_PUBLIC},             /* translated */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12, false, GB_ADDRESS_PUBLIC},             /* NAT64 */
    {{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}, 48, 0, false, GB_ADDRESS_PRIVATE}, /* NAT64, local */
    {{0x01, 0x00}, 64, 0, false, GB_ADDRESS_NEVER},                           /* discard */
    {{0x20, 0x01, 0x00, 0x00}, 32, 12, true, GB_ADDRESS_PUBLIC},              /* Teredo */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, 0, false, GB_ADDRESS_PRIVATE},             /* documentation */
    {{0x20, 0x01, 0x00}, 23, 0, false, GB_ADDRESS_PRIVATE},                   /* protocol
                                                                               * assignments */
    {{0x20, 0x02}, 16, 2, false, GB_ADDRESS_PUBLIC},                          /* 6to4 */
    {{0x3f, 0xff, 0x00}, 20, 0, false, GB_ADDRESS_PRIVATE},                   /* documentation */
    {{0xfd, 0x00, 0x0e, 0xc2, [15] = 0x54, [14] = 0x02}, 128, 0, false, GB_ADDRESS_NEVER},
    {{0xfc}, 7, 0, false, GB_ADDRESS_PRIVATE},        /* this site */
    {{0xfe, 0x80}, 10, 0, false, GB_ADDRESS_PRIVATE}, /* this link */
    {{0xfe, 0xc0}, 10, 0, false, GB_ADDRESS_PRIVATE}, /* deprecated */
    {{0xff}, 8, 0, false, GB_ADDRESS_NEVER},          /* multicast */
};

static bool address_has_prefix(const uint8_t *address, const uint8_t *net, unsigned bits)
{
    unsigned bytes = bits / 8, rest = bits % 8;

    return memcmp(address, net, bytes) == 0 &&
           (rest == 0 || (address[bytes] ^ net[bytes]) >> (8 - rest) == 0);
}

enum gb_address_class gb_address_class(const struct gb_address *address)
{
    for (size_t i = 0; i < ARRAY_SIZE(ranges_v6); i++) {
        const struct address_range_v6 *range = &ranges_v6[i];

        if (!address_has_prefix(address->bytes, range->net, range->bits))
            continue;
        if (range->v4_at == 0)
            return range->of;
        return address_class_v4(address_get32(address->bytes + range->v4_at) ^
                                (range->inverted ? UINT32_MAX : 0));
    }
    return GB_ADDRESS_PUBLIC;
}

/* ---- text ---- */

bool gb_address_parse(struct gb_bytes text, struct gb_address *ret_address)
{
    char copy[GB_ADDRESS_TEXT];
    uint8_t v4[4];

    if (text.size == 0 || text.size >= sizeof(copy) || memchr(text.data, '\0', text.size) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    if (inet_pton(AF_INET, copy, v4) == 1) {
        *ret_address = gb_address_from_v4(address_get32(v4));
        return true;
    }
    return inet_pton(AF_INET6, copy, ret_address->bytes) == 1;
}

void gb_address_format(const struct gb_address *address, char text[GB_ADDRESS_TEXT])
{
    const char *written = gb_address_is_v4(address)
                              ? inet_ntop(AF_INET, address->bytes + V4_BYTES, text, GB_ADDRESS_TEXT)
                              : inet_ntop(AF_INET6, address->bytes, text, GB_ADDRESS_TEXT);

    if (written == NULL)
        text[0] = '\0'; /* cannot fail: there is room */
}

bool gb_address_net_parse(struct gb_bytes text, struct gb_address_net *ret_net)
{
    const uint8_t *slash = memchr(text.data, '/', text.size);
    struct gb_bytes address = text, rest = {0};
    uint64_t bits;
    unsigned before, all;

    if (slash != NULL) {
        address.size = (size_t)(slash - text.data);
        rest = (struct gb_bytes){slash + 1, text.size - address.size - 1};
    }
    if (!gb_address_parse(address, &ret_net->address))
        return false;
    before = gb_address_is_v4(&ret_net->address) ? V4_BITS : 0;
    all = 128 - before;
    if (slash == NULL)
        bits = all;
    else if (!gb_bytes_number(&rest, all, &bits) || rest.size > 0)
        return false;
    ret_net->bits = before + (unsigned)bits;
    for (unsigned i = ret_net->bits; i < 128; i++) {
        if ((ret_net->address.bytes[i / 8] >> (7 - i % 8) & 1) != 0)
            return false;
    }
    return true;
}

bool gb_address_net_has(const struct gb_address_net *net, const struct gb_address *address)
{
    return address_has_prefix(address->bytes, net->address.bytes, net->bits);
}
