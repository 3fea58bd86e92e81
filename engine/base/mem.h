/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: small fixed-size allocations abort on failure; allocations whose size somebody else
 * chooses return NULL.
 *
 * Ownership words used in headers: a function *borrows* an argument for the call, *takes* it (the
 * caller must not touch it again), or *gives* a result that the caller then owns.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <sys/param.h> /* MIN, MAX */

/* Never returns NULL: the process aborts. For sizes that we choose. */
void *xmalloc(size_t size) __attribute__((malloc, warn_unused_result));
void *xcalloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
/* For sizes that somebody else chooses, zeroed; NULL: there is none. */
void *try_calloc(size_t count, size_t size) __attribute__((malloc, warn_unused_result));
char *xstrdup(const char *s) __attribute__((malloc, warn_unused_result));
char *xstrndup(const char *s, size_t size) __attribute__((malloc, warn_unused_result));
char *xasprintf(const char *format, ...)
    __attribute__((format(printf, 1, 2), malloc, warn_unused_result));

/* `_cleanup_(freep) char *s = NULL;` frees at the end of the scope; TAKE_PTR gives to another. */
#define _cleanup_(function) __attribute__((cleanup(function)))

static inline void freep(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

#define TAKE_PTR(pointer)                                                                          \
    __extension__({                                                                                \
        __auto_type take_ptr_ = (pointer);                                                         \
        (pointer) = NULL;                                                                          \
        take_ptr_;                                                                                 \
    })

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that contains @member at address @pointer. */
#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))
