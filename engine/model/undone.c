/* SPDX-License-Identifier: Apache-2.0 */
#include "model/undone.h"

struct gb_undone gb_undone_of(struct gb_bytes text)
{
    return (struct gb_undone){.rest = text};
}

/* Decimal digits without a leading 0. */
static bool undone_number(struct gb_bytes *rest, uint32_t *ret_number)
{
    uint64_t number = 0;
    size_t size = 0;

    while (size < rest->size && rest->data[size] >= '0' && rest->data[size] <= '9') {
        number = 10 * number + (uint64_t)(rest->data[size] - '0');
        if (number == 0 || number > UINT32_MAX)
            return false;
        size++;
    }
    rest->data += size;
    rest->size -= size;
    *ret_number = (uint32_t)number;
    return size > 0;
}

static bool undone_skip(struct gb_bytes *rest, char sign)
{
    if (rest->size == 0 || rest->data[0] != (uint8_t)sign)
        return false;
    rest->data++;
    rest->size--;
    return true;
}

bool gb_undone_next(struct gb_undone *at)
{
    const uint32_t before = at->last;
    struct gb_bytes rest = at->rest;

    if (at->is_bad || rest.size == 0)
        return false;
    at->is_bad = true;
    if (before != 0 && !undone_skip(&rest, ','))
        return false;
    if (!undone_number(&rest, &at->first) || (before != 0 && at->first - 1 <= before))
        return false;
    at->last = at->first;
    if (undone_skip(&rest, '-') && (!undone_number(&rest, &at->last) || at->last <= at->first))
        return false;
    at->is_bad = false;
    at->rest = rest;
    return true;
}

bool gb_undone_is_text(struct gb_bytes text)
{
    struct gb_undone at = gb_undone_of(text);
    size_t count = 0;

    while (gb_undone_next(&at))
        count++;
    return !at.is_bad && count <= GB_UNDONE_RANGES_MAX;
}

bool gb_undone_has(struct gb_bytes text, uint32_t cell)
{
    struct gb_undone at = gb_undone_of(text);

    while (gb_undone_next(&at))
        if (cell <= at.last)
            return cell >= at.first;
    return false;
}

void gb_undone_add(struct gb_buf *text, uint32_t first, uint32_t last)
{
    gb_buf_addf(text, "%s%u", text->size > 0 ? "," : "", first);
    if (last > first)
        gb_buf_addf(text, "-%u", last);
}
