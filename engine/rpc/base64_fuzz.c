/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever decodes must be exactly what the encoder writes for it, and the other way round. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "rpc/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes bytes = {data, size};
    struct gb_buf text = {0};
    uint8_t *place = malloc(size + 1);
    ptrdiff_t decoded;

    if (place == NULL)
        return 0;
    memcpy(place, data, size);
    decoded = gb_base64_decode((struct gb_bytes){place, size}, place);
    if (decoded >= 0) {
        gb_base64_encode(&text, (struct gb_bytes){place, (size_t)decoded});
        assert(text.size == size && (size == 0 || memcmp(gb_buf_data(&text), data, size) == 0));
        gb_buf_clear(&text);
    }
    gb_base64_encode(&text, bytes);
    assert(text.size == gb_base64_size(size));
    decoded = gb_base64_decode(gb_buf_bytes(&text), text.memory);
    assert(decoded == (ptrdiff_t)size && (size == 0 || memcmp(text.memory, data, size) == 0));
    gb_buf_release(&text);
    free(place);
    return 0;
}
