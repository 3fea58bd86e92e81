/* SPDX-License-Identifier: Apache-2.0 */
#include "view/search.h"

#include <string.h>

#include "base/mem.h"

static char search_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool search_finds(const void *search, struct gb_bytes line, size_t from, size_t *ret_start)
{
    return search_find(search, line, from, ret_start);
}

void search_set(struct search *search, const char *pattern)
{
    *search = (struct search){
        .size = MIN(strlen(pattern), (size_t)SEARCH_PATTERN_MAX),
        .filter = {.finds = search_finds, .arg = search, .key = search->filter.key + 1},
    };
    memcpy(search->pattern, pattern, search->size);
    for (size_t i = 0; i < search->size; i++)
        search->exact |= pattern[i] >= 'A' && pattern[i] <= 'Z';
}

bool search_find(const struct search *search, struct gb_bytes line, size_t from, size_t *ret_start)
{
    if (search->size == 0)
        return false;
    for (size_t at = from; at + search->size <= line.size; at++) {
        size_t i = 0;

        while (i < search->size &&
               (search->exact ? (char)line.data[at + i] : search_lower((char)line.data[at + i])) ==
                   search->pattern[i])
            i++;
        if (i == search->size) {
            *ret_start = at;
            return true;
        }
    }
    return false;
}
