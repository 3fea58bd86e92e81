/* SPDX-License-Identifier: Apache-2.0 */
/* Strings shared by many sessions (an image, a client, the reason of the end), stored once each. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/internal.h"

struct text {
    size_t holders;
    char bytes[];
};

static int text_compare(const void *a, const void *b)
{
    return strcmp(((const struct text *)a)->bytes, ((const struct text *)b)->bytes);
}

const char *text_hold(struct gb_journal *journal, struct gb_bytes bytes)
{
    size_t size = bytes.size == 0 ? 0 : strnlen((const char *)bytes.data, bytes.size);
    struct text *text = xmalloc(sizeof(*text) + size + 1), **found;

    text->holders = 0;
    if (size > 0)
        memcpy(text->bytes, bytes.data, size);
    text->bytes[size] = '\0';
    found = tsearch(text, &journal->texts, text_compare);
    if (found == NULL)
        abort(); /* no memory for a node */
    if (*found != text)
        free(text);
    (*found)->holders++;
    return (*found)->bytes;
}

void text_release(struct gb_journal *journal, const char *bytes)
{
    struct text *text, **found;

    if (bytes == NULL)
        return;
    found = tfind(bytes - offsetof(struct text, bytes), &journal->texts, text_compare);
    text = *found;
    if (--text->holders > 0)
        return;
    (void)tdelete(text, &journal->texts, text_compare);
    free(text);
}
