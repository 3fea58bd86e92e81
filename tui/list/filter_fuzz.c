/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a filter: understood or refused, and matched against sessions. */
#include <string.h>

#include "list/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct session sessions[] = {
        {.id = "s-1", .label = "one", .image = "python", .memory_bytes = 1000},
        {.id = "", .state = SESSION_LOST, .cells = 5, .cpu_share = 1},
    };
    struct filter filter = {0};
    struct gb_err err = {0};
    int r = filter_parse((struct gb_bytes){data, size}, &filter, &err);

    if ((r < 0) != (err.message[0] != '\0') || filter.count > FILTER_TERMS_MAX)
        __builtin_trap();
    for (size_t i = 0; r == 0 && i < 2; i++)
        (void)filter_match(&filter, &sessions[i], 5000);
    return 0;
}
