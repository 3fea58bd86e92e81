/* SPDX-License-Identifier: Apache-2.0 */
/* Memory that has held a secret. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Overwrites memory, even if it is never read again. */
static inline void gb_wipe(void *memory, size_t size)
{
    volatile uint8_t *at = memory;

    while (size-- > 0)
        *at++ = 0;
}

static inline void gb_wipe_buf(struct gb_buf *buf)
{
    if (buf->memory != NULL)
        gb_wipe(buf->memory, buf->capacity);
    gb_buf_release(buf);
}
