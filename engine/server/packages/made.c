/* SPDX-License-Identifier: Apache-2.0 */
#include "made.h"

#include "base/limits.h"
#include "server/packages/requirement.h"

bool made_check_lock(struct gb_bytes text)
{
    struct gb_bytes line;

    if (text.size > GB_PACKAGES_LOCK_MAX || (text.size > 0 && text.data[text.size - 1] != '\n'))
        return false;
    while (gb_bytes_line(&text, &line))
        if (requirement_check(line, NULL) < 0)
            return false;
    return true;
}

enum made_layer made_take_piece(uint64_t before, uint64_t said, uint64_t piece, uint64_t size,
                                bool eof)
{
    const uint64_t now = before + piece;

    if (piece > MADE_PIECE_MAX || before > MADE_LAYER_MAX)
        return MADE_NONSENSE;
    if (size > MADE_LAYER_MAX || now > MADE_LAYER_MAX)
        return MADE_TOO_LARGE;
    if (now > size || (before > 0 && said != size))
        return MADE_NONSENSE;
    if (eof)
        return now == size && now > 0 ? MADE_WHOLE : MADE_NONSENSE;
    return piece > 0 && now < size ? MADE_MORE : MADE_NONSENSE;
}

void made_last_line(struct gb_bytes text, char ret_line[MADE_LINE_MAX])
{
    struct gb_bytes line, last = {0};
    size_t size = 0;

    while (gb_bytes_line(&text, &line))
        if (line.size > 0)
            last = line;
    for (size_t i = 0; i < last.size && size < MADE_LINE_MAX - 1; i++)
        ret_line[size++] = (char)(last.data[i] < 0x20 || last.data[i] > 0x7e ? ' ' : last.data[i]);
    ret_line[size] = '\0';
}
