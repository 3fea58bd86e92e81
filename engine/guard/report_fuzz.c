/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "guard/guard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_guard_report report = {0};
    struct gb_buf text = {0};

    /* In two pieces, as a pipe may deliver them. */
    gb_buf_add(&text, data, size / 2);
    if (gb_guard_report_read(&report, &text, NULL) == 0) {
        gb_buf_add(&text, data + size / 2, size - size / 2);
        (void)gb_guard_report_read(&report, &text, NULL);
    }
    gb_buf_release(&text);
    return 0;
}
