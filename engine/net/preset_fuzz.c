/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration files of package managers: whatever they contain, the rules can be parsed. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "net/policy.h"
#include "net/preset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gb_bytes file = {data, size};

    for (int npm = 0; npm < 2; npm++) {
        struct gb_policy policy = {0};
        struct gb_buf rules = {0};
        const struct gb_preset_known known = {
            .said = file,
            .places = gb_bytes_str("a.example 10.0.0.1\nb.example 10.0.0.1 fd00::1\n")};
        struct gb_err err = {0};
        int r = 0;

        (void)(npm ? gb_preset_read_npm(file, &rules) : gb_preset_read_pip(file, &rules));
        r = gb_policy_parse(&policy, gb_buf_bytes(&rules), &err);
        assert(r == 0 || r == -GB_ETOOLARGE);
        gb_policy_release(&policy);
        gb_buf_clear(&rules);
        policy = (struct gb_policy){0};
        if (gb_preset_rules(npm, &known, &rules, &err) == 0) /* as what a program says */
            assert(gb_policy_parse(&policy, gb_buf_bytes(&rules), &err) == 0);
        gb_policy_release(&policy);
        gb_buf_release(&rules);
    }
    return 0;
}
