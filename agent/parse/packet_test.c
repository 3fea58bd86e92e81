/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/packet.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"

/* 10.113.0.2:40000 -> 198.18.0.2:443, as Linux sends it but for its options. */
static const uint8_t syn_bytes[] = {0x45, 0,    0,    40,   0,    1,    0x40, 0,    64, 6,
                                    0,    0,    10,   113,  0,    2,    198,  18,   0,  2, /* IP */
                                    0x9c, 0x40, 0x01, 0xbb, 0x11, 0x22, 0x33, 0x44, 0,  0,
                                    0,    0,    0x50, 0x02, 0xff, 0xff, 0,    0,    0,  0};

/* The sum over a header and what goes before it is zero when its checksum is right. */
static uint16_t sum_of(const uint8_t *bytes, size_t size, uint32_t sum)
{
    for (size_t i = 0; i < size; i++)
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static uint16_t tcp_sum(const uint8_t *packet, size_t size)
{
    uint32_t pseudo = 6 + (uint32_t)(size - 20);

    for (size_t i = 12; i < 20; i += 2)
        pseudo += (uint32_t)packet[i] << 8 | packet[i + 1];
    return sum_of(packet + 20, size - 20, pseudo);
}

START_TEST(a_syn_is_read)
{
    struct packet_syn syn;

    ck_assert_int_eq(packet_read_syn((struct gb_bytes){syn_bytes, sizeof(syn_bytes)}, &syn), 0);
    ck_assert_uint_eq(syn.source, 0x0a710002);
    ck_assert_uint_eq(syn.destination, 0xc6120002);
    ck_assert_uint_eq(syn.source_port, 40000);
    ck_assert_uint_eq(syn.destination_port, 443);
    ck_assert_uint_eq(syn.sequence, 0x11223344);
}
END_TEST

START_TEST(anything_else_is_not)
{
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {
        {0, 0x44},  {0, 0x65},  {0, 0x4f},  {3, 41},    {9, 17},
        {33, 0x12}, {33, 0x10}, {33, 0x06}, {32, 0x40}, {32, 0x60},
    };
    struct packet_syn syn;

    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        uint8_t packet[sizeof(syn_bytes)];

        memcpy(packet, syn_bytes, sizeof(packet));
        packet[changes[i].at] = changes[i].value;
        ck_assert_msg(packet_read_syn((struct gb_bytes){packet, sizeof(packet)}, &syn) < 0,
                      "change %zu", i);
    }
    for (size_t size = 0; size < sizeof(syn_bytes); size++)
        ck_assert_int_lt(packet_read_syn((struct gb_bytes){syn_bytes, size}, &syn), 0);
}
END_TEST

START_TEST(a_granted_syn_has_the_mark_and_a_good_checksum)
{
    uint8_t packet[sizeof(syn_bytes)];

    memcpy(packet, syn_bytes, sizeof(packet));
    packet_grant(packet, sizeof(packet));
    ck_assert_uint_eq(packet[8], PACKET_GRANTED_TTL);
    ck_assert_uint_eq(tcp_sum(packet, sizeof(packet)), 0);
    packet[8] = 64;
    packet[36] = packet[37] = 0;
    ck_assert_mem_eq(packet, syn_bytes, sizeof(packet));
}
END_TEST

START_TEST(answers_go_back_to_the_program)
{
    static const uint8_t back[] = {198, 18, 0, 2, 10, 113, 0, 2};
    const struct gb_bytes syn = {syn_bytes, sizeof(syn_bytes)};
    uint8_t to[PACKET_ANSWER_MAX];

    ck_assert_uint_eq(packet_refuse(syn, to), 40);
    ck_assert_mem_eq(to + 12, back, sizeof(back));
    ck_assert_mem_eq(to + 20, "\x01\xbb\x9c\x40", 4);
    ck_assert_mem_eq(to + 28, "\x11\x22\x33\x45", 4);
    ck_assert_uint_eq(to[33], 0x14);
    ck_assert_uint_eq(tcp_sum(to, 40), 0);
    ck_assert_uint_eq(packet_unreachable(syn, to), 20 + 8 + 28);
    ck_assert_mem_eq(to + 12, back, sizeof(back));
    ck_assert_mem_eq(to + 20, "\x03\x01", 2);
    ck_assert_mem_eq(to + 28, syn_bytes, 28);
    ck_assert_uint_eq(sum_of(to + 20, 36, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("packet");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, a_syn_is_read);
    tcase_add_test(tests, anything_else_is_not);
    tcase_add_test(tests, a_granted_syn_has_the_mark_and_a_good_checksum);
    tcase_add_test(tests, answers_go_back_to_the_program);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
