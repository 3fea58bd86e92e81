/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes of a terminal, in pieces, with time-outs between them. */
#include "base/utf8.h"
#include "input/parser.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *arg, const struct input_event *event)
{
    struct input_parser *parser = arg;
    char name[KEY_NAME_MAX];

    if (parser->size > INPUT_SEQUENCE_MAX || event->kind >= INPUT_KIND_COUNT)
        __builtin_trap();
    if (event->kind == INPUT_KEY) {
        key_text(event->key, name);
        if (!gb_utf8_valid(gb_bytes_str(name)) || event->key.code > KEY_NONE)
            __builtin_trap();
    }
    if (event->kind == INPUT_MOUSE && (event->x < 0 || event->y < 0))
        __builtin_trap();
}

/* The first byte says how long the pieces are, 0xfe within that the time is over. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input_parser parser = {0};
    size_t step;

    if (size == 0)
        return 0;
    step = (size_t)(data[0] % 16) + 1;
    for (size_t i = 1; i < size; i += step) {
        size_t n = size - i < step ? size - i : step;

        input_feed(&parser, (struct gb_bytes){data + i, n}, check, &parser);
        if (data[i] == 0xfe)
            input_expired(&parser, check, &parser);
    }
    if (input_waiting(&parser) > 0)
        input_expired(&parser, check, &parser);
    if (input_waiting(&parser) != 0)
        __builtin_trap();
    input_release(&parser);
    return 0;
}
