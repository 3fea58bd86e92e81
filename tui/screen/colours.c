/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/colours.h"

#include <string.h>

/* The parameters of the last sequences that set the colours; NULL: unknown. */
struct colours {
    struct gb_bytes fg, bg;
};

/* SGR: "ESC [", digits and semicolons, "m". Returns its length; 0: something else. */
static size_t colours_sequence(struct gb_bytes bytes, struct gb_bytes *ret_parameters)
{
    size_t at = 2;

    if (bytes.size < 3 || bytes.data[0] != 0x1b || bytes.data[1] != '[')
        return 0;
    while (at < bytes.size &&
           ((bytes.data[at] >= '0' && bytes.data[at] <= '9') || bytes.data[at] == ';'))
        at++;
    if (at == bytes.size || bytes.data[at] != 'm')
        return 0;
    *ret_parameters = (struct gb_bytes){bytes.data + 2, at - 2};
    return at + 1;
}

/* Whether the parameters only set one colour: 38, 39, 3x or 9x for @digit '3' with @bright "9", 48,
 * 49, 4x or 10x for '4' with "10". */
static bool colours_is(struct gb_bytes parameters, uint8_t digit, const char *bright)
{
    const uint8_t *data = parameters.data;
    size_t size = strlen(bright), semicolons = 0;

    for (size_t i = 0; i < parameters.size; i++)
        semicolons += data[i] == ';';
    if (parameters.size > 5 && data[0] == digit && data[1] == '8')
        return semicolons == (memcmp(data + 2, ";5;", 3) == 0 ? 2u : 4u);
    return semicolons == 0 && ((parameters.size == 2 && data[0] == digit) ||
                               (parameters.size == size + 1 && memcmp(data, bright, size) == 0));
}

/* Records a colour; returns whether it changed. */
static bool colours_set(struct gb_bytes *colour, struct gb_bytes parameters)
{
    bool same = colour->data != NULL && colour->size == parameters.size &&
                memcmp(colour->data, parameters.data, parameters.size) == 0;

    *colour = parameters;
    return !same;
}

/* Whether the sequence has to be sent. */
static bool colours_change(struct colours *colours, struct gb_bytes parameters)
{
    if (colours_is(parameters, '3', "9"))
        return colours_set(&colours->fg, parameters);
    if (colours_is(parameters, '4', "10"))
        return colours_set(&colours->bg, parameters);
    /* Parameters of attributes have one digit, or are below 30 where they end attributes; all
     * others may set colours. */
    if (parameters.size == 0 || parameters.size > 2 || parameters.data[0] == '0' ||
        (parameters.size == 2 && parameters.data[0] != '2'))
        *colours = (struct colours){0};
    return true;
}

void colours_once(struct gb_bytes bytes, struct gb_buf *out)
{
    struct colours colours = {0};

    while (bytes.size > 0) {
        struct gb_bytes parameters;
        size_t used = colours_sequence(bytes, &parameters);

        if (used == 0) {
            const uint8_t *next = memchr(bytes.data + 1, 0x1b, bytes.size - 1);

            used = next != NULL ? (size_t)(next - bytes.data) : bytes.size;
            gb_buf_add(out, bytes.data, used);
        } else if (colours_change(&colours, parameters)) {
            gb_buf_add(out, bytes.data, used);
        }
        bytes.data += used;
        bytes.size -= used;
    }
}
