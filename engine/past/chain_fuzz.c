/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of checkpoints: opened, read, compacted and opened again, it never crashes,
 * and what could be read before can be read after. */
#include "past/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

static int fuzz_count(void *arg, struct gb_page_range range, const uint8_t *data,
                      struct gb_err *err)
{
    uint64_t *sum = arg;

    (void)err;
    for (size_t i = 0; i < (size_t)range.count * PAST_PAGE; i++)
        *sum += (uint64_t)data[i] * (range.first + i / PAST_PAGE + 1);
    return 0;
}

/* Of all that can be read. */
static uint64_t fuzz_sum(struct gb_chain *chain)
{
    size_t count;
    const struct gb_chain_entry *entries = gb_chain_entries(chain, &count);
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        _cleanup_(gb_buf_release) struct gb_buf device = {0};
        uint64_t one = 0;

        if (gb_chain_read(chain, entries[i].head.seq, fuzz_count, &one, &device, NULL) == 0)
            sum += one + device.size;
    }
    return sum;
}

static bool fuzz_all(void *arg, const struct gb_chain_entry *entry)
{
    (void)arg;
    (void)entry;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char path[64];
    struct gb_chain *chain;
    uint64_t sum;

    if (path[0] == '\0')
        (void)snprintf(path, sizeof(path), "/dev/shm/glassbell-past-fuzz-%d", (int)getpid());
    (void)unlink(path);
    if (gb_fd_replace_file(path, (struct gb_bytes){data, size}, 0600, NULL) < 0)
        abort();
    if (gb_chain_open(path, false, &chain, NULL) < 0)
        return 0;
    sum = fuzz_sum(chain);
    if (gb_chain_compact(chain, fuzz_all, NULL, NULL) == 0 && fuzz_sum(chain) != sum)
        abort();
    gb_chain_close(chain);
    if (gb_chain_open(path, false, &chain, NULL) < 0 || fuzz_sum(chain) != sum)
        abort();
    gb_chain_close(chain);
    return 0;
}
