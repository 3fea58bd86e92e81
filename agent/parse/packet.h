/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 packets that open a connection: parses them, and builds the answers that the agent sends
 * instead of the kernel. Pure; numbers are in host byte order. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    PACKET_SYN_MAX = 160, /* 60 of the IP header, 60 of TCP's, and a little Fast Open data */
    /* The TTL that distinguishes the agent's own packets from those of programs. */
    PACKET_GRANTED_TTL = 33,
    PACKET_ANSWER_MAX = 20 + 8 + 60 + 8,
};

struct packet_syn {
    uint32_t source, destination;
    uint16_t source_port, destination_port;
    uint32_t sequence;
};

/* 0, or -EINVAL unless it is a complete IPv4 TCP SYN of at most PACKET_SYN_MAX bytes. */
int packet_read_syn(struct gb_bytes packet, struct packet_syn *ret_syn);

/* Modifies the parsed @packet so that the listener accepts it: sets the TTL and TCP's checksum. The
 * kernel computes IP's. */
void packet_grant(uint8_t *packet, size_t size);

/* Builds what the destination of the parsed @syn would answer without a listener (RST), and what a
 * router without a route to it would (ICMP host unreachable). Returns the size. */
size_t packet_refuse(struct gb_bytes syn, uint8_t to[PACKET_ANSWER_MAX]);
size_t packet_unreachable(struct gb_bytes syn, uint8_t to[PACKET_ANSWER_MAX]);
