/* SPDX-License-Identifier: Apache-2.0 */
#include "list/filter.h"

#include <string.h>

#include "check_run.h"
#include "base/mem.h"

static const struct session subject = {
    .id = "s-0123456789",
    .label = "Agent seven",
    .owner = "claude",
    .client = "claude-code 2.1",
    .image = "python",
    .language = "python",
    .state = SESSION_WAITING,
    .source = "template",
    .network = "index",
    .memory_bytes = 200 << 20,
    .memory_limit_bytes = 512 << 20,
    .cpu_share = 0.5,
    .cells = 14,
    .created_at = 1000,
    .last_active_at = 1900,
    .last = {.code = "df.groupby('k')"},
};

static const struct {
    const char *text;
    bool fits;
} cases[] = {
    {"", true},
    {"seven", true},
    {"SEVEN agent", true},
    {"seven eight", false},
    {"eight or seven", true},
    {"or seven or", true},
    {"groupby", true},
    {"mem>150M", true},
    {"mem>150M mem<200M", false},
    {"mem<=200M", true},
    {"mem=0.1953125g", true},
    {"lang=py idle>1m", true},
    {"idle>2m", false},
    {"age>=16m", true},
    {"cpu>40% cpu<60", true},
    {"cells=14 cells!=15", true},
    {"owner=claud", false},
    {"owner~claud", true},
    {"client=claude", true},
    {"client=code", false},
    {"client~code", true},
    {"client!=glassbell", true},
    {"2.1", true},
    {"net=index net!=none", true},
    {"net=in", false},
    {"net~in", true},
    {"net=none", false},
    {"index", true},
    {"image!=py", false},
    {"!image=js", true},
    {"not !image=js", false},
    {"state=input", true},
    {"name=\"agent seven\"", true},
    {"\"agent seven\"", true},
    {"\"mem>900M\"", false},
    {"mem>900M or idle>1m owner=claude", true},
    {"mem>900M and seven", false},
    {"key=\"\"", true},
    {"ag*sev?n", true},
    {"\"ag*seven\"", false},
    {"g*7", false},
    {"name=agent*", true},
    {"name=agent", false},
    {"name=*sev", false},
    {"name!=*seven", false},
    {"name!=*eight", true},
    {"name~t*e?", true},
    {"client=c*e-c*e*2.?", true},
    {"owner=claud??", false},
    {"state=inp*", true},
    {"!state=inp*", false},
    {"*", true},
    {"id=*a*a*a*a*a*b", false},
    {"~agsvn", true},
    {"~nvsga", false},
    {"!~agsvn", false},
    {"~claude", false},
    {"~agsvn mem>150M", true},
    {"!", true},
};

START_TEST(matches)
{
    struct filter filter;
    struct gb_err err = {0};

    ck_assert_msg(filter_parse(gb_bytes_str(cases[_i].text), &filter, &err) == 0, "%s: %s",
                  cases[_i].text, err.message);
    ck_assert_msg(filter_match(&filter, &subject, 2000) == cases[_i].fits, "%s", cases[_i].text);
}
END_TEST

static const char *const bad[] = {
    "mem>", "mem>x",   "mem~5", "nothing=5", "owner>5", "cells>5M",
    "~",    "idle>2x", "=5",    "mem>-5",    "mem>nan", "mem>1e999",
};

START_TEST(refusals)
{
    struct filter filter = {.count = 7};
    struct gb_err err = {0};

    ck_assert_int_eq(filter_parse(gb_bytes_str(bad[_i]), &filter, &err), -GB_EINVALID);
    ck_assert_uint_eq(filter.count, 7); /* left alone */
    ck_assert(err.message[0] != '\0');
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list");
    TCase *tests = tcase_create("filter");

    tcase_add_loop_test(tests, matches, 0, (int)ARRAY_SIZE(cases));
    tcase_add_loop_test(tests, refusals, 0, (int)ARRAY_SIZE(bad));
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
