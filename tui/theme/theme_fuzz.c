/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a theme: understood or refused, resolved or refused. */
#include <string.h>

#include "theme/theme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct theme_file file;
    struct gb_err err = {0};
    struct theme theme;
    int r = theme_parse((struct gb_bytes){data, size}, "fuzz", &file, &err);

    if ((r < 0) != (err.message[0] != '\0') || file.palette_count > THEME_PALETTE_MAX)
        __builtin_trap();
    if (r == 0)
        (void)theme_resolve(&file, 1, &theme, &err);
    return 0;
}
