/* SPDX-License-Identifier: Apache-2.0 */
/* IPv4 packets that open a connection: what one says, and the answers that the agent makes to it in
 * the kernel's stead. Pure; numbers are in the host's order. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
    PACKET_SYN_MAX = 160, /* 60 of the IP header, 60 of TCP's, and a little data of Fast Open */
    /* The TTL by which the agent's own packets are told from those of programs. */
    PACKET_GRANTED_TTL = 33,
    PACKET_ANSWER_MAX = 20 + 8 + 60 + 8,
};

struct packet_syn {
    uint32_t source, destination;
    uint16_t source_port, destination_port;
    uint32_t sequence;
};

/* 0, or -EINVAL for what is no SYN of TCP over IPv4, whole and not longer than PACKET_SYN_MAX. */
int packet_read_syn(struct gb_bytes packet, struct packet_syn *ret_syn);

/* Makes @packet, which was read, one that the listener takes: its TTL, and the checksum of TCP. The
 * kernel makes that of IP. */
void packet_grant(uint8_t *packet, size_t size);

/* What the destination of @syn, which was read, would say without a listener (RST), and what a
 * router would say that has no way to it (ICMP host unreachable). Returns the size. */
size_t packet_refuse(struct gb_bytes syn, uint8_t to[PACKET_ANSWER_MAX]);
size_t packet_unreachable(struct gb_bytes syn, uint8_t to[PACKET_ANSWER_MAX]);
