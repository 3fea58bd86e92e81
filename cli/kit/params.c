/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/params.h"

#include <string.h>

#include "base/limits.h"
#include "cli/app.h"

bool params_put_env(const struct args *args, struct gb_json_out *out)
{
    const char *pair;
    size_t at = 0;

    if (!args_has(args, "env"))
        return true;
    gb_json_object(out, "env");
    while ((pair = args_next(args, "env", &at)) != NULL) {
        const char *equals = strchr(pair, '=');

        if (equals == NULL || equals == pair) {
            app_say("-e wants NAME=VALUE, not %s", pair);
            return false;
        }
        gb_json_put_named(out, (struct gb_bytes){(const uint8_t *)pair, (size_t)(equals - pair)},
                          gb_bytes_str(equals + 1));
    }
    gb_json_end(out);
    return true;
}

bool params_put_memory(const struct args *args, struct gb_json_out *out)
{
    const char *text = args_value(args, "memory");
    double mb;

    if (text == NULL)
        return true;
    if (!args_number(text, GB_MEMORY_MIN_MB, GB_MEMORY_MAX_MB, &mb)) {
        app_say("-m wants a number of MiB from %d to %d, not %s", GB_MEMORY_MIN_MB,
                GB_MEMORY_MAX_MB, text);
        return false;
    }
    gb_json_put_u64(out, "memory_mb", (uint64_t)mb);
    return true;
}

const char *params_image(struct app *app, const struct args *args)
{
    const char *image = args_value(args, "image"), *name = args_value(args, "lang");
    const struct gb_language *language;
    bool good;

    if (image != NULL)
        return image;
    if (name == NULL)
        return GB_IMAGE_DEFAULT;
    language = app_language(app, args, &good);
    return language != NULL ? language->name : good ? name : NULL;
}
