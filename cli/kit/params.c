/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/params.h"

#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/app.h"
#include "kit/requirements.h"

enum { POLICY_MAX = 64 * 1024, OPEN_MS = 300000, FETCH_MS = 700000 };

bool params_put_env(const struct args *args, struct gb_json_out *out)
{
    return params_put_env_and(args, out, NULL, NULL);
}

bool params_put_env_and(const struct args *args, struct gb_json_out *out, const char *name,
                        const char *value)
{
    const char *pair;
    size_t at = 0;

    if (!args_has(args, "env") && name == NULL)
        return true;
    gb_json_object(out, "env");
    if (name != NULL)
        gb_json_put_str(out, name, value);
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

void params_put_rules(struct gb_bytes text, struct gb_json_out *out)
{
    while (text.size > 0) {
        size_t size = 0;

        while (size < text.size && text.data[size] != '\n' && text.data[size] != ';')
            size++;
        if (size > 0)
            gb_json_put(out, NULL, (struct gb_bytes){text.data, size});
        size += size < text.size ? 1 : 0;
        text.data += size;
        text.size -= size;
    }
}

static void params_put_secrets(const struct args *args, struct gb_json_out *out)
{
    const char *name;
    size_t at = 0;

    if (!args_has(args, "secret"))
        return;
    gb_json_array(out, "secrets");
    while ((name = args_next(args, "secret", &at)) != NULL)
        gb_json_put_str(out, NULL, name);
    gb_json_end(out);
}

bool params_put_packages(const struct args *args, struct gb_json_out *out)
{
    const char *value;
    struct gb_err err = {0};
    size_t at = 0;
    int r = 0;

    if (!args_has(args, "packages"))
        return true;
    gb_json_array(out, "packages");
    while (r == 0 && (value = args_next(args, "packages", &at)) != NULL)
        r = requirements_put(value, out, &err);
    gb_json_end(out);
    if (r < 0)
        app_say("--packages: %s", err.message);
    return r == 0;
}

uint64_t params_open_ms(const struct args *args)
{
    return OPEN_MS + (args_has(args, "packages") ? FETCH_MS : 0);
}

bool params_put_network(const struct args *args, struct gb_json_out *out)
{
    const char *policy = args_value(args, "net");
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct gb_err err = {0};

    params_put_secrets(args, out);
    if (policy == NULL)
        return true;
    if (strpbrk(policy, " /") == NULL) {
        gb_json_put_str(out, "network", policy);
        return true;
    }
    if (strchr(policy, ' ') != NULL) {
        gb_buf_adds(&text, policy);
    } else if (gb_fd_read_file(policy, POLICY_MAX, &text, &err) < 0) {
        app_say("--net: %s", err.message);
        return false;
    }
    gb_json_object(out, "network");
    gb_json_array(out, "rules");
    params_put_rules(gb_buf_bytes(&text), out);
    gb_json_end(out);
    gb_json_end(out);
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
