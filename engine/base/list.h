/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive doubly linked lists: the links are embedded in the objects, and the head is a link
 * too. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem.h"

struct gb_list {
    struct gb_list *next, *previous;
};

static inline void gb_list_init(struct gb_list *head)
{
    head->next = head->previous = head;
}

/* Also true for a link that is in no list, provided that it was initialised or removed. */
static inline bool gb_list_empty(const struct gb_list *head)
{
    return head->next == head;
}

static inline void gb_list_add_tail(struct gb_list *head, struct gb_list *link)
{
    link->previous = head->previous;
    link->next = head;
    head->previous->next = link;
    head->previous = link;
}

/* Removes @link from its list; no-op if it is in none. */
static inline void gb_list_remove(struct gb_list *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    gb_list_init(link);
}

/* Removes and returns the first link; NULL if the list is empty. */
static inline struct gb_list *gb_list_pop(struct gb_list *head)
{
    struct gb_list *link = head->next;

    if (link == head)
        return NULL;
    head->next = link->next;
    link->next->previous = head;
    gb_list_init(link);
    return link;
}

/* Walks the whole list: O(n). */
static inline size_t gb_list_count(const struct gb_list *head)
{
    size_t count = 0;

    for (const struct gb_list *at = head->next; at != head; at = at->next)
        count++;
    return count;
}

/* Iterates over @head. The body may remove the current object and no other. */
#define GB_LIST_FOREACH(object, head, member)                                                      \
    for (struct gb_list *at_ = (head)->next, *after_ = at_->next;                                  \
         at_ != (head) && ((object) = container_of(at_, __typeof__(*(object)), member), true);     \
         at_ = after_, after_ = at_->next)

/* The same over a const list; the objects in it need not be const. */
#define GB_LIST_FOREACH_CONST(object, head, member)                                                \
    for (const struct gb_list *at_ = (head)->next;                                                 \
         at_ != (head) &&                                                                          \
         ((object) = container_of((uintptr_t)at_, __typeof__(*(object)), member), true);           \
         at_ = at_->next)
