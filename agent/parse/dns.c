/* SPDX-License-Identifier: Apache-2.0 */
#include "dns.h"

#include <stdbool.h>
#include <string.h>

enum {
    HEAD = 12,
    QUESTION_END = 4, /* type and class */
    ANSWER = 2 + 2 + 2 + 4 + 2 + 4,
    LABEL_MAX = 63,
    CLASS_IN = 1,
    FLAG_ANSWER = 0x8000,
    FLAG_RECURSION_WANTED = 0x0100,
    FLAG_RECURSION_OFFERED = 0x0080,
    OPCODE = 0x7800,
    POINTER_TO_QUESTION = 0xc000 | HEAD,
};

static uint16_t dns_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void dns_put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Whether a label may contain this byte: those of host names, plus the underscore of service
 * names. */
static bool dns_is_plain(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
}

/* The name at *@at, which is moved past it. A question's name is never compressed: there is nothing
 * before it to point to. */
static bool dns_read_name(struct gb_bytes message, size_t *at, char name[GB_HOST_NAME_MAX + 1])
{
    size_t size = 0;

    for (;;) {
        size_t label;

        if (*at >= message.size)
            return false;
        label = message.data[(*at)++];
        if (label == 0)
            break;
        if (label > LABEL_MAX || message.size - *at < label ||
            size + label + (size > 0 ? 1 : 0) > GB_HOST_NAME_MAX)
            return false;
        if (size > 0)
            name[size++] = '.';
        for (size_t i = 0; i < label; i++) {
            uint8_t byte = message.data[*at + i];

            if (!dns_is_plain(byte))
                return false;
            name[size++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + ('a' - 'A') : byte);
        }
        *at += label;
    }
    name[size] = '\0';
    return true;
}

int dns_read(struct gb_bytes message, struct dns_query *ret_query)
{
    size_t at = HEAD;

    *ret_query = (struct dns_query){.size = HEAD};
    if (message.size < HEAD || message.size > DNS_MAX)
        return -1;
    ret_query->id = dns_get16(message.data);
    ret_query->flags = dns_get16(message.data + 2);
    if ((ret_query->flags & FLAG_ANSWER) != 0)
        return -1;
    if ((ret_query->flags & OPCODE) != 0)
        return DNS_NOT_KNOWN;
    if (dns_get16(message.data + 4) != 1 || !dns_read_name(message, &at, ret_query->name) ||
        message.size - at < QUESTION_END)
        return DNS_FORMAT;
    ret_query->type = dns_get16(message.data + at);
    ret_query->size = at + QUESTION_END;
    return dns_get16(message.data + at + 2) == CLASS_IN ? DNS_OK : DNS_REFUSED;
}

size_t dns_answer(struct gb_bytes message, const struct dns_query *query, int code,
                  const uint8_t *address, uint32_t ttl_s, uint8_t to[DNS_MAX])
{
    bool asked = query->size > HEAD;
    bool answers = asked && code == DNS_OK && address != NULL && query->size + ANSWER <= DNS_MAX;
    uint8_t *at = to + query->size;

    memset(to, 0, HEAD);
    memcpy(to + HEAD, message.data + HEAD, query->size - HEAD);
    dns_put16(to, query->id);
    dns_put16(to + 2, FLAG_ANSWER | (query->flags & (OPCODE | FLAG_RECURSION_WANTED)) |
                          FLAG_RECURSION_OFFERED | (unsigned)code);
    dns_put16(to + 4, asked);
    dns_put16(to + 6, answers);
    if (!answers)
        return query->size;
    dns_put16(at, POINTER_TO_QUESTION);
    dns_put16(at + 2, DNS_TYPE_A);
    dns_put16(at + 4, CLASS_IN);
    dns_put16(at + 6, ttl_s >> 16);
    dns_put16(at + 8, ttl_s & 0xffff);
    dns_put16(at + 10, 4);
    memcpy(at + 12, address, 4);
    return query->size + ANSWER;
}
