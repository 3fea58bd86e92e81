/* SPDX-License-Identifier: Apache-2.0 */
/* What is taken for a package has no control characters, and no word that begins like an option
 * except a digest. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "server/packages/requirement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char hash[] = " --hash=";

    if (requirement_check((struct gb_bytes){data, size}, NULL) < 0)
        return 0;
    assert(size > 0 && data[0] != '-' && data[0] != '.' && data[0] != '/' && data[0] != ' ');
    for (size_t i = 0; i < size; i++) {
        assert(data[i] >= 0x20 && data[i] < 0x7f && data[i] != '\\' && data[i] != '#');
        if (data[i] == ' ' && i + 1 < size && data[i + 1] == '-')
            assert(size - i >= sizeof(hash) - 1 && memcmp(data + i, hash, sizeof(hash) - 1) == 0);
    }
    return 0;
}
