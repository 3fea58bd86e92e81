/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a client sends first: a name that was found is one, and more bytes do not change it. */
#include "net/hello.h"

#include <assert.h>
#include <string.h>

#include "net/name.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[GB_HOST_NAME_MAX + 1], again[GB_HOST_NAME_MAX + 1];
    enum gb_hello_verdict verdict = GB_HELLO_MORE;
    size_t seen = 0;

    while (verdict == GB_HELLO_MORE && seen < size)
        verdict = gb_hello_read((struct gb_bytes){data, ++seen}, name);
    if (verdict == GB_HELLO_NAMED)
        assert(gb_name_normalise(gb_bytes_str(name), again) && strcmp(name, again) == 0);
    if (verdict != GB_HELLO_MORE)
        assert(gb_hello_read((struct gb_bytes){data, size}, again) == verdict);
    return 0;
}
