/* SPDX-License-Identifier: Apache-2.0 */
/* A policy: any bytes give rules that read back as they were written, or a sentence. */
#include "net/policy.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_policy policy, again = {0};
    struct gb_buf text = {0}, twice = {0};
    struct gb_err err = {0};

    if (gb_policy_parse(&policy, (struct gb_bytes){data, size}, &err) < 0) {
        assert(err.message[0] != '\0' && strchr(err.message, '\n') == NULL);
    } else {
        (void)gb_policy_allows_name(&policy, "a.example", 443);
        gb_policy_write(&policy, &text);
        if (text.size <= GB_POLICY_TEXT_MAX) {
            assert(gb_policy_parse(&again, gb_buf_bytes(&text), NULL) == 0);
            gb_policy_write(&again, &twice);
            assert(text.size == twice.size);
        }
    }
    gb_policy_release(&policy);
    gb_policy_release(&again);
    gb_buf_release(&text);
    gb_buf_release(&twice);
    return 0;
}
