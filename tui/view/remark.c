/* SPDX-License-Identifier: Apache-2.0 */
#include "view/remark.h"

#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rpc/access.h"

bool remark_has(const struct card *card)
{
    return card->bookmark || card->remark != NULL;
}

static void remark_set(struct card *card, struct gb_bytes note)
{
    free(card->remark);
    card->remark = note.size > 0 ? xstrndup((const char *)note.data, note.size) : NULL;
}

void remark_read(struct card *card, const struct gb_cell_info *info)
{
    card->bookmark = (info->flags & GB_CELL_BOOKMARK) != 0;
    remark_set(card, info->annotation);
}

void remark_take(struct card *card, const struct gb_json *info)
{
    const struct gb_json *bookmark = json_member(info, "bookmark");
    const struct gb_json *note = json_member(info, "note");

    if (card == NULL)
        return;
    if (bookmark != NULL && bookmark->type == GB_JSON_BOOL)
        card->bookmark = bookmark->truth;
    if (note != NULL && note->type == GB_JSON_STRING && note->text.size <= GB_ANNOTATION_MAX)
        remark_set(card, note->text);
}
