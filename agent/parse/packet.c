/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <errno.h>
#include <string.h>

/* Offsets in the headers: RFC 791, RFC 9293, RFC 792. */
enum {
    IP_TOTAL = 2,
    IP_TTL = 8,
    IP_PROTOCOL = 9,
    IP_SOURCE = 12,
    IP_DESTINATION = 16,
    IP_HEADER = 20,
    TCP_SOURCE = 0,
    TCP_DESTINATION = 2,
    TCP_SEQUENCE = 4,
    TCP_ACKNOWLEDGED = 8,
    TCP_OFFSET = 12,
    TCP_FLAGS = 13,
    TCP_CHECKSUM = 16,
    TCP_HEADER = 20,
    ICMP_TYPE = 0,
    ICMP_CODE = 1,
    ICMP_CHECKSUM = 2,
    ICMP_HEADER = 8,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    FLAG_SYN = 0x02,
    FLAG_RST = 0x04,
    FLAG_ACK = 0x10,
    UNREACHABLE = 3,
    UNREACHABLE_HOST = 1,
    USUAL_TTL = 64,
};

static uint16_t packet_get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t packet_get32(const uint8_t *at)
{
    return (uint32_t)packet_get16(at) << 16 | packet_get16(at + 2);
}

static void packet_put16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void packet_put32(uint8_t *at, uint32_t value)
{
    packet_put16(at, (uint16_t)(value >> 16));
    packet_put16(at + 2, (uint16_t)value);
}

static size_t packet_ip_size(const uint8_t *packet)
{
    return (size_t)(packet[0] & 15) * 4;
}

int packet_read_syn(struct gb_bytes packet, struct packet_syn *ret_syn)
{
    const uint8_t *tcp;
    size_t ip;

    if (packet.size < IP_HEADER + TCP_HEADER || packet.size > PACKET_SYN_MAX ||
        packet.data[0] >> 4 != 4 || packet.data[IP_PROTOCOL] != PROTOCOL_TCP)
        return -EINVAL;
    ip = packet_ip_size(packet.data);
    if (ip < IP_HEADER || packet.size < ip + TCP_HEADER ||
        packet_get16(packet.data + IP_TOTAL) != packet.size)
        return -EINVAL;
    tcp = packet.data + ip;
    if ((tcp[TCP_FLAGS] & (FLAG_SYN | FLAG_ACK | FLAG_RST)) != FLAG_SYN ||
        (size_t)(tcp[TCP_OFFSET] >> 4) * 4 < TCP_HEADER ||
        ip + (size_t)(tcp[TCP_OFFSET] >> 4) * 4 > packet.size)
        return -EINVAL;
    *ret_syn = (struct packet_syn){
        .source = packet_get32(packet.data + IP_SOURCE),
        .destination = packet_get32(packet.data + IP_DESTINATION),
        .source_port = packet_get16(tcp + TCP_SOURCE),
        .destination_port = packet_get16(tcp + TCP_DESTINATION),
        .sequence = packet_get32(tcp + TCP_SEQUENCE),
    };
    return 0;
}

static uint16_t packet_checksum(uint32_t sum, const uint8_t *at, size_t size)
{
    for (; size > 1; at += 2, size -= 2)
        sum += packet_get16(at);
    if (size > 0)
        sum += (uint32_t)at[0] << 8;
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void packet_sum_tcp(uint8_t *packet, size_t size)
{
    size_t ip = packet_ip_size(packet);
    uint8_t *tcp = packet + ip;
    uint32_t sum = PROTOCOL_TCP + (uint32_t)(size - ip);

    for (size_t at = IP_SOURCE; at < IP_HEADER; at += 2)
        sum += packet_get16(packet + at);
    packet_put16(tcp + TCP_CHECKSUM, 0);
    packet_put16(tcp + TCP_CHECKSUM, packet_checksum(sum, tcp, size - ip));
}

void packet_grant(uint8_t *packet, size_t size)
{
    packet[IP_TTL] = PACKET_GRANTED_TTL;
    packet_sum_tcp(packet, size);
}

/* The header of an answer from the destination of @syn to its source. */
static void packet_answer(struct gb_bytes syn, uint8_t *to, uint8_t protocol, size_t size)
{
    memset(to, 0, PACKET_ANSWER_MAX);
    to[0] = 0x45;
    packet_put16(to + IP_TOTAL, (uint16_t)size);
    to[IP_TTL] = USUAL_TTL;
    to[IP_PROTOCOL] = protocol;
    memcpy(to + IP_SOURCE, syn.data + IP_DESTINATION, 4);
    memcpy(to + IP_DESTINATION, syn.data + IP_SOURCE, 4);
}

size_t packet_refuse(struct gb_bytes syn, uint8_t to[PACKET_ANSWER_MAX])
{
    const uint8_t *asked = syn.data + packet_ip_size(syn.data);
    uint8_t *tcp = to + IP_HEADER;
    /* SYN counts as one, and so does each byte of data (RFC 9293, 3.10.7.1). */
    size_t data = syn.size - packet_ip_size(syn.data) - (size_t)(asked[TCP_OFFSET] >> 4) * 4;

    packet_answer(syn, to, PROTOCOL_TCP, IP_HEADER + TCP_HEADER);
    memcpy(tcp + TCP_SOURCE, asked + TCP_DESTINATION, 2);
    memcpy(tcp + TCP_DESTINATION, asked + TCP_SOURCE, 2);
    packet_put32(tcp + TCP_ACKNOWLEDGED, packet_get32(asked + TCP_SEQUENCE) + 1 + (uint32_t)data);
    tcp[TCP_OFFSET] = TCP_HEADER / 4 << 4;
    tcp[TCP_FLAGS] = FLAG_RST | FLAG_ACK;
    packet_sum_tcp(to, IP_HEADER + TCP_HEADER);
    return IP_HEADER + TCP_HEADER;
}

size_t packet_unreachable(struct gb_bytes syn, uint8_t to[PACKET_ANSWER_MAX])
{
    size_t quoted = packet_ip_size(syn.data) + 8;
    uint8_t *icmp = to + IP_HEADER;

    packet_answer(syn, to, PROTOCOL_ICMP, IP_HEADER + ICMP_HEADER + quoted);
    icmp[ICMP_TYPE] = UNREACHABLE;
    icmp[ICMP_CODE] = UNREACHABLE_HOST;
    memcpy(icmp + ICMP_HEADER, syn.data, quoted);
    packet_put16(icmp + ICMP_CHECKSUM, packet_checksum(0, icmp, ICMP_HEADER + quoted));
    return IP_HEADER + ICMP_HEADER + quoted;
}
