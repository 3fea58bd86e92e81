/* SPDX-License-Identifier: Apache-2.0 */
#include "net/name.h"

#include <string.h>

enum { LABEL_MAX = 63 };

static bool name_is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static bool name_is_plain(char byte)
{
    return (byte >= 'a' && byte <= 'z') || name_is_digit(byte) || byte == '-' || byte == '_';
}

/* inet_aton(3) accepts more as addresses than people expect: 0x7f.1, 2130706433. */
static bool name_is_number(const char *label)
{
    if (label[0] == '0' && label[1] == 'x')
        return label[2 + strspn(label + 2, "0123456789abcdef")] == '\0';
    return label[strspn(label, "0123456789")] == '\0';
}

bool gb_name_normalise(struct gb_bytes text, char name[GB_HOST_NAME_MAX + 1])
{
    size_t label = 0; /* its start */

    if (text.size > 0 && text.data[text.size - 1] == '.')
        text.size--;
    if (text.size == 0 || text.size > GB_HOST_NAME_MAX)
        return false;
    for (size_t i = 0; i <= text.size; i++) {
        char byte = i < text.size ? (char)text.data[i] : '.';

        if (byte >= 'A' && byte <= 'Z')
            byte = (char)(byte + ('a' - 'A'));
        if (byte != '.') {
            if (!name_is_plain(byte))
                return false;
            name[i] = byte;
            continue;
        }
        if (i == label || i - label > LABEL_MAX || name[label] == '-' || name[i - 1] == '-')
            return false;
        name[i] = i < text.size ? '.' : '\0';
        if (i < text.size)
            label = i + 1;
    }
    return !name_is_number(name + label);
}

bool gb_name_matches(const char *pattern, const char *name)
{
    size_t below, size = strlen(name);

    if (pattern[0] != '*')
        return strcmp(pattern, name) == 0;
    below = strlen(pattern + 1); /* including the dot */
    return size > below && strcmp(name + size - below, pattern + 1) == 0;
}
