/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include "base/mem.h"
#include "check_run.h"

static const struct {
    const char *text;
    enum gb_address_class of;
} classes[] = {
    {"8.8.8.8", GB_ADDRESS_PUBLIC},
    {"1.1.1.1", GB_ADDRESS_PUBLIC},
    {"100.63.255.255", GB_ADDRESS_PUBLIC},
    {"100.128.0.0", GB_ADDRESS_PUBLIC},
    {"172.15.255.255", GB_ADDRESS_PUBLIC},
    {"172.32.0.0", GB_ADDRESS_PUBLIC},
    {"192.167.255.255", GB_ADDRESS_PUBLIC},
    {"198.17.255.255", GB_ADDRESS_PUBLIC},
    {"223.255.255.255", GB_ADDRESS_PUBLIC},
    {"127.0.0.1", GB_ADDRESS_PRIVATE},
    {"127.255.255.255", GB_ADDRESS_PRIVATE},
    {"10.0.0.1", GB_ADDRESS_PRIVATE},
    {"100.64.0.1", GB_ADDRESS_PRIVATE},
    {"172.16.0.1", GB_ADDRESS_PRIVATE},
    {"172.31.255.255", GB_ADDRESS_PRIVATE},
    {"192.168.1.1", GB_ADDRESS_PRIVATE},
    {"169.254.1.1", GB_ADDRESS_PRIVATE},
    {"198.18.0.2", GB_ADDRESS_PRIVATE},
    {"198.19.255.255", GB_ADDRESS_PRIVATE},
    {"240.0.0.1", GB_ADDRESS_PRIVATE},
    {"169.254.169.254", GB_ADDRESS_NEVER},
    {"0.0.0.0", GB_ADDRESS_NEVER},
    {"0.1.2.3", GB_ADDRESS_NEVER},
    {"224.0.0.1", GB_ADDRESS_NEVER},
    {"239.255.255.250", GB_ADDRESS_NEVER},
    {"255.255.255.255", GB_ADDRESS_NEVER},
    {"2606:4700::1111", GB_ADDRESS_PUBLIC},
    {"::1", GB_ADDRESS_PRIVATE},
    {"fe80::1", GB_ADDRESS_PRIVATE},
    {"fd12::1", GB_ADDRESS_PRIVATE},
    {"fec0::1", GB_ADDRESS_PRIVATE},
    {"2001:db8::1", GB_ADDRESS_PRIVATE},
    {"::", GB_ADDRESS_NEVER},
    {"ff02::1", GB_ADDRESS_NEVER},
    {"fd00:ec2::254", GB_ADDRESS_NEVER},
    /* What carries an IPv4 address is what that is. */
    {"::ffff:10.0.0.1", GB_ADDRESS_PRIVATE},
    {"::ffff:8.8.8.8", GB_ADDRESS_PUBLIC},
    {"::10.0.0.1", GB_ADDRESS_PRIVATE},
    {"::ffff:0:127.0.0.1", GB_ADDRESS_PRIVATE},
    {"64:ff9b::a9fe:a9fe", GB_ADDRESS_NEVER},
    {"64:ff9b::8.8.8.8", GB_ADDRESS_PUBLIC},
    {"64:ff9b:1::1", GB_ADDRESS_PRIVATE},
    {"2002:7f00:1::", GB_ADDRESS_PRIVATE},
    {"2002:808:808::", GB_ADDRESS_PUBLIC},
    {"2001:0:1234::f5ff:fffe", GB_ADDRESS_PRIVATE}, /* Teredo of 10.0.0.1 */
};

START_TEST(each_address_has_its_class)
{
    for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
        struct gb_address address;

        ck_assert_msg(gb_address_parse(gb_bytes_str(classes[i].text), &address), "%s",
                      classes[i].text);
        ck_assert_msg(gb_address_class(&address) == classes[i].of, "%s: %u", classes[i].text,
                      gb_address_class(&address));
    }
}
END_TEST

START_TEST(text_is_read_strictly)
{
    static const char *const none[] = {
        "",         "1.2.3",    "1.2.3.4.5", "01.2.3.4", "0x7f.1", "2130706433", "1.2.3.256",
        " 1.2.3.4", "1.2.3.4 ", ":::",       "[::1]",    "::1%lo", "localhost"};
    struct gb_address address;
    char text[GB_ADDRESS_TEXT];

    for (size_t i = 0; i < ARRAY_SIZE(none); i++)
        ck_assert_msg(!gb_address_parse(gb_bytes_str(none[i]), &address), "%s", none[i]);
    ck_assert(gb_address_parse(gb_bytes_str("192.0.2.7"), &address));
    ck_assert_uint_eq(gb_address_v4(&address), 0xc0000207);
    gb_address_format(&address, text);
    ck_assert_str_eq(text, "192.0.2.7");
    ck_assert(gb_address_parse(gb_bytes_str("2001:DB8:0::1"), &address));
    gb_address_format(&address, text);
    ck_assert_str_eq(text, "2001:db8::1");
}
END_TEST

START_TEST(networks_have_what_is_in_them)
{
    static const struct {
        const char *net, *address;
        bool has;
    } cases[] = {
        {"192.0.2.0/24", "192.0.2.255", true},
        {"192.0.2.0/24", "192.0.3.0", false},
        {"192.0.2.4/31", "192.0.2.5", true},
        {"192.0.2.4/31", "192.0.2.6", false},
        {"0.0.0.0/0", "8.8.8.8", true},
        {"0.0.0.0/0", "2001:db8::1", false},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.4", false},
        {"2001:db8::/33", "2001:db8:7fff::", true},
        {"2001:db8::/33", "2001:db8:8000::", false},
        {"::/0", "2001:db8::1", true},
    };
    static const char *const none[] = {"192.0.2.1/24",  "192.0.2.0/33", "192.0.2.0/",
                                       "192.0.2.0/x",   "/24",          "2001:db8::/129",
                                       "2001:db8::1/32"};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gb_address_net net;
        struct gb_address address;

        ck_assert_msg(gb_address_net_parse(gb_bytes_str(cases[i].net), &net), "%s", cases[i].net);
        ck_assert(gb_address_parse(gb_bytes_str(cases[i].address), &address));
        ck_assert_msg(gb_address_net_has(&net, &address) == cases[i].has, "%s %s", cases[i].net,
                      cases[i].address);
    }
    for (size_t i = 0; i < ARRAY_SIZE(none); i++) {
        struct gb_address_net net;

        ck_assert_msg(!gb_address_net_parse(gb_bytes_str(none[i]), &net), "%s", none[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, each_address_has_its_class);
    tcase_add_test(tests, text_is_read_strictly);
    tcase_add_test(tests, networks_have_what_is_in_them);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
