/* SPDX-License-Identifier: Apache-2.0 */
#include "show/signs.h"

#include <string.h>

#include "base/mem.h"

const struct signs *signs_of(const char *language)
{
    static const struct signs table[] = {
        {"python", ">>> ", "... ", "    "},
        {"javascript", "> ", "... ", "  "},
        {"shell", "$ ", "> ", "\t"},
    };

    for (size_t i = 1; i < ARRAY_SIZE(table); i++)
        if (strcmp(table[i].language, language) == 0)
            return &table[i];
    return &table[0];
}
