/* SPDX-License-Identifier: Apache-2.0 */
/* The small texts of this module: registry files, what is remembered of the accelerator, and what a
 * guest wrote on its console. */
#include <stdlib.h>

#include "vm/accel.h"
#include "vm/private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes text = {data, size};
    struct registry_entry entry;
    struct gb_buf out = {0}, tail = {0};
    struct accel_memory memory;

    (void)registry_parse(text, &entry);
    if (accel_parse(text, &memory))
        accel_release(&memory);
    tail_add(&tail, text);
    tail_add(&tail, text);
    if (tail.size > TAIL_MAX)
        abort();
    tail_describe(&out, gb_buf_bytes(&tail));
    (void)tail_last_line(&out, text);
    for (size_t i = 0; i < out.size; i++) {
        if (gb_buf_data(&out)[i] < ' ')
            abort();
    }
    gb_buf_release(&out);
    gb_buf_release(&tail);
    return 0;
}
