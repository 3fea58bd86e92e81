/* SPDX-License-Identifier: Apache-2.0 */
/* The list of segments, and the names of their files. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "journal/internal.h"

enum { NAME_DIGITS = 10, KEY_DIGITS = 16 };

void segment_name(char name[48], uint32_t number, uint64_t key)
{
    if (key == 0)
        (void)snprintf(name, 48, "%0*" PRIu32 ".gbj", NAME_DIGITS, number);
    else
        (void)snprintf(name, 48, "%0*" PRIu32 "-%0*" PRIx64 ".gbj", NAME_DIGITS, number, KEY_DIGITS,
                       key);
}

/* Reads @count digits in @base, which is at most 16. */
static bool read_digits(const char **text, int count, unsigned base, uint64_t *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t value = 0;

    for (int i = 0; i < count; i++) {
        const char *digit = **text == '\0' ? NULL : memchr(digits, **text, base);

        if (digit == NULL)
            return false;
        value = value * base + (uint64_t)(digit - digits);
        (*text)++;
    }
    *ret_value = value;
    return true;
}

bool segment_parse_name(const char *name, uint32_t *ret_number, uint64_t *ret_key)
{
    uint64_t number, key = 0;

    if (!read_digits(&name, NAME_DIGITS, 10, &number) || number == 0 || number >= UINT32_MAX)
        return false;
    if (*name == '-') {
        name++;
        if (!read_digits(&name, KEY_DIGITS, 16, &key) || key == 0)
            return false;
    }
    *ret_number = (uint32_t)number;
    *ret_key = key;
    return strcmp(name, ".gbj") == 0;
}

struct segment *segment_add(struct gb_journal *journal, uint32_t number, uint64_t key)
{
    struct segment *segment = xcalloc(1, sizeof(*segment)), *at;

    segment->number = number;
    segment->key = key;
    gb_list_init(&segment->link);
    GB_LIST_FOREACH(at, &journal->segments, link)
        if (at->number > number) {
            gb_list_add_tail(&at->link, &segment->link);
            return segment;
        }
    gb_list_add_tail(&journal->segments, &segment->link);
    return segment;
}

struct segment *segment_find(const struct gb_journal *journal, uint32_t number)
{
    for (struct gb_list *at = journal->segments.previous; at != &journal->segments;
         at = at->previous) {
        struct segment *segment = container_of(at, struct segment, link);

        if (segment->number == number)
            return segment;
    }
    return NULL;
}

struct segment *segment_newest(const struct gb_journal *journal)
{
    return gb_list_empty(&journal->segments)
               ? NULL
               : container_of(journal->segments.previous, struct segment, link);
}

struct gb_journal_figures gb_journal_figures(const struct gb_journal *journal)
{
    struct gb_journal_figures figures = {.bytes = journal->total,
                                         .records = journal->records,
                                         .failures = journal->failures,
                                         .lost = journal->lost,
                                         .sys_errno = journal->outage.sys_errno,
                                         .sessions = journal->session_count};

    for (const struct gb_list *at = journal->segments.next; at != &journal->segments; at = at->next)
        figures.segments++;
    return figures;
}
