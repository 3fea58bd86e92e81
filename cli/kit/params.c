/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/params.h"

#include <string.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "cli/app.h"

enum {
    POLICY_MAX = 64 * 1024,
    REQUIREMENTS_FILE_MAX = 256 * 1024,
    OPEN_MS = 300000,
    FETCH_MS = 700000
};

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

/* Removes a comment, the spaces around, and the backslash that joins it to the next line: true. */
static bool params_trim_requirement(struct gb_bytes *line)
{
    bool goes_on = false;

    for (size_t i = 0; i < line->size; i++) {
        if (line->data[i] == '#' &&
            (i == 0 || line->data[i - 1] == ' ' || line->data[i - 1] == '\t'))
            line->size = i;
    }
    while (line->size > 0 && strchr(" \t\r\\", line->data[line->size - 1]) != NULL && !goes_on) {
        goes_on = line->data[line->size - 1] == '\\';
        line->size--;
    }
    while (line->size > 0 && strchr(" \t\r", line->data[line->size - 1]) != NULL)
        line->size--;
    while (line->size > 0 && strchr(" \t", line->data[0]) != NULL) {
        line->data++;
        line->size--;
    }
    return goes_on;
}

/* A file of requirements: a line each, as pip reads them, but only packages. */
static bool params_put_requirements(const char *path, struct gb_json_out *out)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0}, joined = {0};
    struct gb_err err = {0};
    struct gb_bytes rest, line;

    if (gb_fd_read_file(path, REQUIREMENTS_FILE_MAX, &text, &err) < 0) {
        app_say("--packages: %s", err.message);
        return false;
    }
    rest = gb_buf_bytes(&text);
    while (gb_bytes_line(&rest, &line)) {
        const bool goes_on = params_trim_requirement(&line);

        gb_buf_add(&joined, line.data, line.size);
        if (goes_on) {
            gb_buf_adds(&joined, " ");
            continue;
        }
        if (joined.size > 0)
            gb_json_put(out, NULL, gb_buf_bytes(&joined));
        gb_buf_clear(&joined);
    }
    if (joined.size > 0)
        gb_json_put(out, NULL, gb_buf_bytes(&joined));
    return true;
}

/* A path. Packages may have a slash in their names too: "@types/node", or one word of several. */
static bool params_is_requirements(const char *value)
{
    const size_t size = strlen(value);

    if (size > 4 && strcmp(value + size - 4, ".txt") == 0)
        return true;
    return value[0] != '@' && strchr(value, '/') != NULL && strchr(value, ' ') == NULL;
}

bool params_put_packages(const struct args *args, struct gb_json_out *out)
{
    const char *value;
    size_t at = 0, size;
    bool good = true;

    if (!args_has(args, "packages"))
        return true;
    gb_json_array(out, "packages");
    while (good && (value = args_next(args, "packages", &at)) != NULL) {
        if (params_is_requirements(value)) {
            good = params_put_requirements(value, out);
            continue;
        }
        for (; *value != '\0'; value += size + strspn(value + size, " ")) {
            size = strcspn(value, " ");
            if (size > 0)
                gb_json_put(out, NULL, (struct gb_bytes){(const uint8_t *)value, size});
        }
    }
    gb_json_end(out);
    return good;
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
