/* SPDX-License-Identifier: Apache-2.0 */
#include "parse/settings.h"

#include <stdbool.h>
#include <string.h>

#include "base/limits.h"

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
static const char digits[] = "0123456789";

static bool one_of(uint8_t c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool host_name(struct gb_bytes name)
{
    if (name.size > 63 || name.data[0] == '-' || name.data[0] == '.')
        return false;
    for (size_t i = 0; i < name.size; i++) {
        if (!one_of(name.data[i], letters) && !one_of(name.data[i], digits) &&
            !one_of(name.data[i], "-."))
            return false;
    }
    return true;
}

static bool machine_id(struct gb_bytes id)
{
    for (size_t i = 0; i < id.size; i++) {
        if (!one_of(id.data[i], "0123456789abcdef"))
            return false;
    }
    return id.size == 32;
}

static bool variable_name(struct gb_bytes name)
{
    if (name.size == 0 || name.size > GB_ENV_NAME_MAX || one_of(name.data[0], digits))
        return false;
    for (size_t i = 0; i < name.size; i++) {
        if (!one_of(name.data[i], letters) && !one_of(name.data[i], digits) && name.data[i] != '_')
            return false;
    }
    return true;
}

int settings_check_env(const struct gb_pairs *env, struct gb_err *err)
{
    struct gb_bytes key, value;

    for (size_t at = 0; gb_pairs_next(env, &at, &key, &value) > 0;) {
        if (!variable_name(key))
            return gb_err_set(err, GB_EINVALID, "the name of an environment variable is invalid");
        if (value.size > 0 && memchr(value.data, '\0', value.size) != NULL)
            return gb_err_set(err, GB_EINVALID, "the value of %.*s contains a NUL", (int)key.size,
                              (const char *)key.data);
    }
    return 0;
}

int settings_check(const struct gb_configure *configure, struct gb_err *err)
{
    if (configure->hostname.size > 0 && !host_name(configure->hostname))
        return gb_err_set(err, GB_EINVALID, "the host name is invalid");
    if (configure->machine_id.size > 0 && !machine_id(configure->machine_id))
        return gb_err_set(err, GB_EINVALID, "the machine id is not 32 hexadecimal digits");
    return settings_check_env(&configure->env, err);
}
