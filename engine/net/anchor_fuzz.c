/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of this host: whatever a file contains, what is taken is PEM, and not too much. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "net/anchor.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_buf pem = {0}, again = {0};

    gb_anchors_take((struct gb_bytes){data, size}, GB_ANCHORS_MAX, &pem);
    assert(pem.size <= GB_ANCHORS_MAX);
    gb_anchors_take(gb_buf_bytes(&pem), GB_ANCHORS_MAX, &again);
    assert(again.size == pem.size);
    gb_buf_release(&pem);
    gb_buf_release(&again);
    return 0;
}
