/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/random.h"

#include <assert.h>
#include <errno.h>
#include <sys/random.h>

int gb_random_fill(void *data, size_t size)
{
    assert(size <= GB_RANDOM_MAX); /* getentropy() refuses more */
    return getentropy(data, size) < 0 ? -errno : 0;
}
