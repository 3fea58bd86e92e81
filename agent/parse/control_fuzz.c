/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes on either channel of a worker. */
#include "parse/control.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_message message;
    struct gb_bytes rest;
    struct gb_err err;
    size_t taken;

    if (size == 0)
        return 0;
    rest = (struct gb_bytes){data + 1, size - 1};
    while (control_next(data[0] % 2 == 0 ? CONTROL_CELL : CONTROL_QUERY, rest, &message, &taken,
                        &err) == 1) {
        struct gb_bytes key, value;
        uint32_t count = 0;

        assert(taken <= rest.size);
        if (message.type == CONTROL_COMPLETIONS) {
            for (size_t at = 0; gb_pairs_next(&message.completions.matches, &at, &key, &value) > 0;)
                count++;
            assert(count == message.completions.matches.count);
        }
        rest.data += taken;
        rest.size -= taken;
    }
    return 0;
}
