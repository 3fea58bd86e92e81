/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as source text of each language: tokens are in order, and do not overlap; lexing again
 * from any line's state gives the same. */
#include <assert.h>
#include <string.h>

#include "highlight/highlight.h"

struct check {
    size_t size, end;
};

static void on_token(void *arg, size_t from, size_t to, enum highlight_role role)
{
    struct check *check = arg;

    assert(from >= check->end && to > from && to <= check->size);
    assert(role < HIGHLIGHT_ROLE_COUNT);
    check->end = to;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int i = 0; i < HIGHLIGHT_LANGUAGE_COUNT; i++) {
        struct highlight_state state = {0};
        size_t at = 0;

        while (at < size) {
            const uint8_t *end = memchr(data + at, '\n', size - at);
            size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
            struct highlight_state again = state;
            struct check check = {.size = length};

            highlight_line((enum highlight_language)i, &state, (struct gb_bytes){data + at, length},
                           on_token, &check);
            assert(state.depth <= HIGHLIGHT_DEPTH_MAX && state.word_size <= HIGHLIGHT_WORD_MAX);
            highlight_line((enum highlight_language)i, &again, (struct gb_bytes){data + at, length},
                           NULL, NULL);
            assert(memcmp(&again, &state, sizeof(state)) == 0);
            at += length + 1;
        }
    }
    return 0;
}
