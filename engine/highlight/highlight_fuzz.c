/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as source text for each lexer: tokens are in order, and do not overlap; lexing again
 * from any line's state gives the same. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "highlight/highlight.h"

static char *words[] = {(char[]){"if"}, (char[]){"in"}, (char[]){"/*"},  (char[]){"*/"},
                        (char[]){"#"},  (char[]){"'"},  (char[]){"\"\""}};

/* A language that uses all that a record may say of this. */
static struct gb_language language = {
    .highlight = {.keywords = {words, 2},
                  .block = {words + 2, 2},
                  .comments = {words + 4, 1},
                  .strings = {words + 5, 2},
                  .variables = (char[]){"$"}},
};

static char *const lexers[] = {(char[]){"words"}, (char[]){"python"}, (char[]){"javascript"},
                               (char[]){"shell"}};

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
    for (size_t i = 0; i < ARRAY_SIZE(lexers); i++) {
        struct highlight_state state = {0};
        size_t at = 0;

        language.highlight.lexer = lexers[i];

        while (at < size) {
            const uint8_t *end = memchr(data + at, '\n', size - at);
            size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
            struct highlight_state again = state;
            struct check check = {.size = length};

            highlight_line(&language, &state, (struct gb_bytes){data + at, length}, on_token,
                           &check);
            assert(state.depth <= HIGHLIGHT_DEPTH_MAX && state.word_size <= HIGHLIGHT_WORD_MAX);
            highlight_line(&language, &again, (struct gb_bytes){data + at, length}, NULL, NULL);
            assert(memcmp(&again, &state, sizeof(state)) == 0);
            at += length + 1;
        }
    }
    return 0;
}
