/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server sends: the text is in no byte of what passes, and the same passes in whatever
 * pieces it comes. The first byte says in which. */
#include "edge/answer.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a client takes from the answer, without the borders of chunks. */
static bool answer_run(const struct gb_mask *mask, struct gb_bytes in, size_t piece,
                       struct gb_buf *out)
{
    struct gb_answer answer = {.mask = mask, .owners = 1};
    bool good = true;

    gb_answer_begin(&answer, false, true, false);
    for (size_t at = 0; good && at < in.size; at += piece)
        good =
            gb_answer_feed(&answer, (struct gb_bytes){in.data + at, MIN(piece, in.size - at)}, out);
    if (good)
        (void)gb_answer_end(&answer, out);
    gb_answer_release(&answer);
    return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char text[] = "SECRETVALUE";
    struct gb_mask mask = {0};
    struct gb_buf whole = {0}, pieces = {0};
    size_t piece = size > 0 ? 1u + data[0] : 1;
    bool good;

    assert(gb_mask_add(&mask, gb_bytes_str(text), "holder", 1));
    data += size > 0;
    size -= size > 0;
    good = answer_run(&mask, (struct gb_bytes){data, size}, MAX(size, (size_t)1), &whole);
    assert(good == answer_run(&mask, (struct gb_bytes){data, size}, piece, &pieces));
    assert(memmem(gb_buf_data(&whole), whole.size, text, strlen(text)) == NULL);
    assert(memmem(gb_buf_data(&pieces), pieces.size, text, strlen(text)) == NULL);
    gb_buf_release(&whole);
    gb_buf_release(&pieces);
    gb_mask_release(&mask);
    return 0;
}
