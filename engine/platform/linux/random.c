/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

int gb_random_fill(void *data, size_t size)
{
    ssize_t n;

    assert(size <= GB_RANDOM_MAX);
    do
        n = getrandom(data, size, 0);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)size ? 0 : n < 0 ? -errno : -EIO;
}
