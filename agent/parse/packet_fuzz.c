/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a raw socket shows: what is read can be granted and answered. */
#include "parse/packet.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes bytes = {data, size};
    uint8_t packet[PACKET_SYN_MAX], answer[PACKET_ANSWER_MAX];
    struct packet_syn syn;

    if (packet_read_syn(bytes, &syn) < 0)
        return 0;
    assert(size <= sizeof(packet));
    assert(packet_refuse(bytes, answer) <= sizeof(answer));
    assert(packet_unreachable(bytes, answer) <= sizeof(answer));
    memcpy(packet, data, size);
    packet_grant(packet, size);
    assert(packet[8] == PACKET_GRANTED_TTL);
    return 0;
}
