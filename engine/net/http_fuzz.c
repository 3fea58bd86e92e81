/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a client of HTTP sends: what passes is what came, in its order, but for empty lines
 * before requests, and the same in whatever pieces it comes. The first byte says in which. */
#include "net/http.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool http_is_of(const struct gb_buf *passed, const uint8_t *data, size_t size)
{
    const uint8_t *bytes = gb_buf_data(passed);
    size_t at = 0, i = 0;

    while (i < passed->size && at < size) {
        if (bytes[i] == data[at]) {
            i++;
            at++;
        } else if (size - at >= 2 && memcmp(data + at, "\r\n", 2) == 0) {
            at += 2;
        } else {
            return false;
        }
    }
    return i == passed->size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_http whole = {.name = "a.example", .port = 80}, cut = whole;
    struct gb_buf passed = {0}, pieces = {0};
    size_t piece = size > 0 ? 1u + data[0] : 1;
    bool good, also = true;

    data += size > 0;
    size -= size > 0;
    good = gb_http_feed(&whole, (struct gb_bytes){data, size}, &passed);
    for (size_t at = 0; also && at < size; at += piece)
        also = gb_http_feed(&cut, (struct gb_bytes){data + at, MIN(piece, size - at)}, &pieces);
    assert(good == also && passed.size == pieces.size && passed.size <= size);
    assert(http_is_of(&passed, data, size));
    gb_http_release(&whole);
    gb_http_release(&cut);
    gb_buf_release(&passed);
    gb_buf_release(&pieces);
    return 0;
}
