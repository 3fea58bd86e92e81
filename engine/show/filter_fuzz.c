/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever comes in whatever pieces: nothing but text and colours comes out, and the pieces do not
 * matter. */
#include <stdlib.h>
#include <string.h>

#include "show/filter.h"

static void filter_all(struct gb_buf *out, const uint8_t *data, size_t size, size_t piece)
{
    struct filter filter = {0};

    for (size_t at = 0; at < size; at += piece)
        filter_add(&filter, out,
                   (struct gb_bytes){data + at, size - at < piece ? size - at : piece});
    filter_end(&filter, out);
}

static void check(struct gb_bytes out)
{
    for (size_t i = 0; i < out.size; i++) {
        uint8_t byte = out.data[i];

        if (byte == 0x1b) {
            if (i + 2 >= out.size || out.data[i + 1] != '[')
                abort();
            for (i += 2; i < out.size && out.data[i] != 'm'; i++)
                if (strchr("0123456789;:", out.data[i]) == NULL || out.data[i] == 0)
                    abort();
            if (i == out.size)
                abort();
        } else if (byte == 0x7f || (byte < 0x20 && strchr("\n\r\t\b", byte) == NULL) || byte == 0) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_buf whole = {0}, pieces = {0};
    size_t piece = size > 0 ? data[0] % 70u + 1 : 1;

    filter_all(&whole, data, size, size + 1);
    filter_all(&pieces, data, size, piece);
    check(gb_buf_bytes(&whole));
    if (whole.size != pieces.size ||
        (whole.size > 0 && memcmp(gb_buf_data(&whole), gb_buf_data(&pieces), whole.size) != 0))
        abort();
    gb_buf_release(&whole);
    gb_buf_release(&pieces);
    return 0;
}
