/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pairs.h"

#include <assert.h>
#include <stdbool.h>

static void pairs_add_bytes(struct gb_buf *encoded, struct gb_bytes bytes)
{
    assert(bytes.size <= UINT32_MAX);
    gb_buf_add_u32(encoded, (uint32_t)bytes.size);
    gb_buf_add(encoded, bytes.data, bytes.size);
}

void gb_pairs_add(struct gb_buf *encoded, uint32_t *count, struct gb_bytes key,
                  struct gb_bytes value)
{
    pairs_add_bytes(encoded, key);
    pairs_add_bytes(encoded, value);
    (*count)++;
}

static bool pairs_take_bytes(struct gb_bytes *left, struct gb_bytes *ret_bytes)
{
    enum { LENGTH = 4 };
    size_t size;

    if (left->size < LENGTH)
        return false;
    size = gb_get_u32(left->data);
    if (size > left->size - LENGTH)
        return false;
    *ret_bytes = (struct gb_bytes){left->data + LENGTH, size};
    *left = (struct gb_bytes){left->data + LENGTH + size, left->size - LENGTH - size};
    return true;
}

int gb_pairs_next(const struct gb_pairs *pairs, size_t *at, struct gb_bytes *ret_key,
                  struct gb_bytes *ret_value)
{
    struct gb_bytes left;

    if (*at >= pairs->encoded.size)
        return 0;
    left = (struct gb_bytes){pairs->encoded.data + *at, pairs->encoded.size - *at};
    if (!pairs_take_bytes(&left, ret_key) || !pairs_take_bytes(&left, ret_value))
        return 0;
    *at = pairs->encoded.size - left.size;
    return 1;
}
