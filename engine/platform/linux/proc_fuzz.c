/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's texts about processes and the processor. */
#include <stdlib.h>

#include "platform/linux/cpuinfo.h"
#include "platform/linux/proc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes text = {data, size};
    struct gb_buf out = {0};
    uint64_t value;

    (void)proc_stat_number(text, STAT_START, &value);
    if (proc_kilobytes(text, "Pss") % 1024 != 0)
        abort();
    cpuinfo_add(&out, text, true);
    gb_buf_release(&out);
    return 0;
}
