/* SPDX-License-Identifier: Apache-2.0 */
/* The environment: what may be set, and how. */
#include "session/env.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "session/session.h"

/* Names that would affect the loader or the C library before the user's code runs; those that
 * affect a worker are in its language's record. User code can set them for its own children; a
 * client cannot. HOME is allowed: it only says where programs look for their settings, and the home
 * stays where it is. */
static const char *const refused[] = {
    "GCONV_PATH", "GLIBC_TUNABLES", "LOCPATH", "MALLOC_TRACE", "NLSPATH",
    "PATH",       "TMPDIR",         "USER",    "LOGNAME",
};

static bool env_name_is_refused(const struct gb_languages *languages, const char *name)
{
    if (strncasecmp(name, "LD_", 3) == 0 || strncasecmp(name, "GLASSBELL_", 9) == 0)
        return true;
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
        if (strcasecmp(name, refused[i]) == 0)
            return true;
    return gb_languages_refuse(languages, name);
}

static bool env_name_is_well_formed(struct gb_bytes name)
{
    if (name.size == 0 || isdigit(name.data[0]))
        return false;
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] >= 0x80 || (!isalnum(name.data[i]) && name.data[i] != '_'))
            return false;
    return true;
}

static bool env_value_is_well_formed(struct gb_bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((value.data[i] < 0x20 && value.data[i] != '\t') || value.data[i] == 0x7f)
            return false;
    return gb_utf8_valid(value);
}

int gb_env_add(struct gb_env *env, const struct gb_languages *languages, struct gb_bytes name,
               struct gb_bytes value, struct gb_err *err)
{
    _cleanup_(freep) char *name_str = NULL;
    size_t at;

    if (name.size > GB_ENV_NAME_MAX || value.size > GB_ENV_VALUE_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "an environment name may have %u bytes and a value %u",
                          GB_ENV_NAME_MAX, GB_ENV_VALUE_MAX);
    if (!env_name_is_well_formed(name))
        return gb_err_set(err, GB_EINVALID,
                          "an environment name is letters, digits and _, and begins with no digit");
    name_str = xstrndup((const char *)name.data, name.size);
    if (env_name_is_refused(languages, name_str))
        return gb_err_set(err, GB_EINVALID,
                          "the environment name %s steers the sandbox itself and cannot be set",
                          name_str);
    if (!env_value_is_well_formed(value))
        return gb_err_set(err, GB_EINVALID,
                          "the value of %s has control characters or is not UTF-8", name_str);
    for (at = 0; at < env->count; at++)
        if (strcmp(env->names[at], name_str) == 0)
            break;
    if (at == env->count) {
        if (env->count >= GB_ENV_COUNT_MAX)
            return gb_err_set(err, GB_ETOOLARGE, "at most %u environment names can be set",
                              GB_ENV_COUNT_MAX);
        if (env->names == NULL) {
            env->names = xcalloc(GB_ENV_COUNT_MAX, sizeof(*env->names));
            env->values = xcalloc(GB_ENV_COUNT_MAX, sizeof(*env->values));
        }
        env->names[at] = TAKE_PTR(name_str);
        env->count++;
    }
    free(env->values[at]);
    env->values[at] = xstrndup((const char *)value.data, value.size);
    return 0;
}

void gb_env_release(struct gb_env *env)
{
    for (size_t i = 0; i < env->count; i++) {
        free(env->names[i]);
        free(env->values[i]);
    }
    free(env->names);
    free(env->values);
    *env = (struct gb_env){0};
}

struct gb_env env_copy(const struct gb_env *from)
{
    struct gb_env copy = {0};

    if (from == NULL || from->count == 0)
        return copy;
    copy.names = xcalloc(GB_ENV_COUNT_MAX, sizeof(*copy.names));
    copy.values = xcalloc(GB_ENV_COUNT_MAX, sizeof(*copy.values));
    for (size_t i = 0; i < from->count; i++) {
        copy.names[i] = xstrdup(from->names[i]);
        copy.values[i] = xstrdup(from->values[i]);
    }
    copy.count = from->count;
    return copy;
}

struct gb_pairs env_pairs(const struct gb_env *env, struct gb_buf *encoded)
{
    uint32_t count = 0;

    for (size_t i = 0; i < env->count; i++)
        gb_pairs_add(encoded, &count, gb_bytes_str(env->names[i]), gb_bytes_str(env->values[i]));
    return (struct gb_pairs){count, gb_buf_bytes(encoded)};
}
