/* SPDX-License-Identifier: Apache-2.0 */
/* A settings file: any bytes give settings or a sentence with a place. */
#include <stdlib.h>
#include <string.h>

#include "settings/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_settings settings, standards;
    struct gb_err err = {0};

    gb_settings_init(&settings);
    gb_settings_init(&standards);
    if (gb_settings_parse(&settings, "f", (struct gb_bytes){data, size}, &err) < 0) {
        if (strncmp(err.message, "f", 1) != 0 || strchr(err.message, '\n') != NULL)
            abort();
    } else {
        gb_settings_reload(&standards, &settings, NULL, NULL);
    }
    gb_settings_release(&settings);
    gb_settings_release(&standards);
    return 0;
}
