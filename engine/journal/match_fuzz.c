/* SPDX-License-Identifier: Apache-2.0 */
/* A text to look for (a byte of length in front) and output to look in: what is found in plain
 * output is what a plain search finds. */
#include "journal/match.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes text, in;
    struct gb_match match;
    bool found;

    if (size == 0)
        return 0;
    text = (struct gb_bytes){data + 1, MIN((size_t)data[0], size - 1)};
    in = (struct gb_bytes){text.data + text.size, size - 1 - text.size};
    gb_match_init(&match, text);
    found = gb_match_bytes(&match, in);
    if (in.size > 0 && text.size > 0 && match.exact && memchr(in.data, 0x1b, in.size) == NULL)
        assert(found == (memmem(in.data, in.size, text.data, text.size) != NULL));
    return 0;
}
