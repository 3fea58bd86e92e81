/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by chain.c and compact.c. */
#pragma once

#include "past/chain.h"

enum { PAST_CHAIN_START = 32 }; /* offset of the first record in a file */

struct gb_chain {
    int fd;
    char *path;
    bool durable;
    bool has_rest; /* something that is not a record follows `end`: cut off by the next append */
    uint64_t key, end;
    uint64_t next;                  /* number; never reused */
    struct gb_chain_entry *entries; /* by number */
    size_t count, capacity, ranges;
};

void past_chain_closep(struct gb_chain **chain);

/* A chain without records whose file has @ret_size bytes and has not been read; @flags: of open(),
 * besides the usual ones. Gives. */
int past_chain_open_file(const char *path, int flags, struct gb_chain **ret_chain,
                         uint64_t *ret_size, struct gb_err *err);
/* Waits until written data is on disk, if the chain is durable. 0 or -errno. */
int past_chain_sync(const struct gb_chain *chain);
/* Writes the start of a new file; key and next are set. */
int past_chain_begin(struct gb_chain *chain, struct gb_err *err);

struct gb_chain_entry *past_chain_find(const struct gb_chain *chain, uint64_t seq);
/* Adds it at the end of the list. Takes @ranges. */
int past_chain_add(struct gb_chain *chain, const struct past_head *head, uint64_t at,
                   struct gb_page_range *ranges, struct gb_err *err);
