/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the parameters of a request according to its method's table. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/base64.h"
#include "rpc/methods.h"

static int wrong_type(const struct gb_param *param, const char *expected,
                      const struct gb_json *value, struct gb_err *err)
{
    return gb_err_set(err, GB_EINVALID, "%s must be %s, and is %s", param->name, expected,
                      gb_json_type_name(value->type));
}

static int read_string(const struct gb_param *param, const struct gb_json *value,
                       struct gb_bytes *to, struct gb_err *err)
{
    ptrdiff_t decoded;

    if (value->type != GB_JSON_STRING)
        return wrong_type(param, "a string", value, err);
    *to = value->text;
    if (param->type == GB_PARAM_BASE64) {
        /* The caller allows the line to be modified; decoding shortens the text. */
        decoded = gb_base64_decode(value->text, (uint8_t *)(uintptr_t)value->text.data);
        if (decoded < 0)
            return gb_err_set(err, GB_EINVALID, "%s is not base64 (RFC 4648, padded)", param->name);
        to->size = (size_t)decoded;
    }
    if ((int64_t)to->size > param->max)
        return gb_err_set(err, GB_ETOOLARGE, "%s has %zu bytes; the limit is %" PRId64, param->name,
                          to->size, param->max);
    if (param->type != GB_PARAM_NAME)
        return 0;
    if ((int64_t)to->size < param->min)
        return gb_err_set(err, GB_EINVALID, "%s must not be empty", param->name);
    if (memchr(to->data, '\0', to->size) != NULL)
        return gb_err_set(err, GB_EINVALID, "%s must not contain a NUL", param->name);
    return 0;
}

static int read_integer(const struct gb_param *param, const struct gb_json *value, int64_t *to,
                        struct gb_err *err)
{
    if (value->type != GB_JSON_NUMBER)
        return wrong_type(param, "an integer", value, err);
    if (!gb_json_integer(value, to))
        return gb_err_set(err, GB_EINVALID, "%s must be an integer, and is %.*s", param->name,
                          (int)value->text.size, (const char *)value->text.data);
    if (*to < param->min || *to > param->max)
        return gb_err_set(err, GB_EINVALID,
                          "%s must be between %" PRId64 " and %" PRId64 ", and is %" PRId64,
                          param->name, param->min, param->max, *to);
    return 0;
}

static int read_choice(const struct gb_param *param, const struct gb_json *value, int64_t *to,
                       struct gb_err *err)
{
    char all[128] = "";
    size_t used = 0;

    if (value->type != GB_JSON_STRING)
        return wrong_type(param, "a string", value, err);
    for (int64_t i = 0; param->choices[i] != NULL; i++)
        if (gb_bytes_equal(value->text, param->choices[i])) {
            *to = i;
            return 0;
        }
    for (size_t i = 0; param->choices[i] != NULL && used < sizeof(all); i++)
        used += (size_t)snprintf(all + used, sizeof(all) - used, "%s%s", i == 0 ? "" : ", ",
                                 param->choices[i]);
    return gb_err_set(err, GB_EINVALID, "%s must be one of: %s", param->name, all);
}

/* An object or an array of strings. */
static int read_strings(const struct gb_param *param, const struct gb_json *value,
                        const struct gb_json **to, struct gb_err *err)
{
    bool object = param->type == GB_PARAM_STRINGS;
    const struct gb_json *child;

    if (value->type != (object ? GB_JSON_OBJECT : GB_JSON_ARRAY))
        return wrong_type(param, object ? "an object" : "an array", value, err);
    if ((int64_t)value->count > param->max)
        return gb_err_set(err, GB_ETOOLARGE, "%s has %" PRIu32 " values; the limit is %" PRId64,
                          param->name, value->count, param->max);
    child = gb_json_first(value);
    for (uint32_t i = 0; i < value->count; i++, child = gb_json_next(child))
        if (child->type != GB_JSON_STRING)
            return gb_err_set(err, GB_EINVALID, "the values of %s must be strings, and one is %s",
                              param->name, gb_json_type_name(child->type));
    *to = value;
    return 0;
}

static int read_one(const struct gb_param *param, const struct gb_json *value, void *to,
                    struct gb_err *err)
{
    switch (param->type) {
    case GB_PARAM_NAME:
    case GB_PARAM_TEXT:
    case GB_PARAM_BASE64:
        return read_string(param, value, to, err);
    case GB_PARAM_INTEGER:
        return read_integer(param, value, to, err);
    case GB_PARAM_BOOL:
        if (value->type != GB_JSON_BOOL)
            return wrong_type(param, "true or false", value, err);
        *(bool *)to = value->truth;
        return 0;
    case GB_PARAM_SWITCH:
        if (value->type != GB_JSON_BOOL)
            return wrong_type(param, "true or false", value, err);
        *(int64_t *)to = value->truth;
        return 0;
    case GB_PARAM_CHOICE:
        return read_choice(param, value, to, err);
    case GB_PARAM_STRINGS:
    case GB_PARAM_NAMES:
        return read_strings(param, value, to, err);
    case GB_PARAM_ANY:
        *(const struct gb_json **)to = value;
        return 0;
    case GB_PARAM_TYPE_COUNT:
        break;
    }
    assert(false);
    return 0;
}

static void *place(struct gb_params *params, const struct gb_param *param)
{
    return (char *)params + param->offset;
}

static void set_standard(struct gb_params *params, const struct gb_param *param)
{
    if (param->type == GB_PARAM_BOOL)
        *(bool *)place(params, param) = param->standard != 0;
    else if (param->type == GB_PARAM_SWITCH)
        *(int64_t *)place(params, param) = -1;
    else if (param->type == GB_PARAM_INTEGER || param->type == GB_PARAM_CHOICE)
        *(int64_t *)place(params, param) = param->standard;
}

static const struct gb_param *find_param(const struct gb_method *method, struct gb_bytes name,
                                         size_t *ret_index)
{
    for (size_t i = 0; i < method->param_count; i++)
        if (gb_bytes_equal(name, method->params[i].name)) {
            *ret_index = i;
            return &method->params[i];
        }
    return NULL;
}

/* The other parameter stored in the same field (text, or its bytes in base64); NULL: none. */
static const struct gb_param *other_of(const struct gb_method *method, const struct gb_param *param)
{
    for (size_t i = 0; i < method->param_count; i++)
        if (&method->params[i] != param && method->params[i].offset == param->offset)
            return &method->params[i];
    return NULL;
}

/* Of two parameters that share a field only one may be given. */
static int check_free(const struct gb_method *method, const struct gb_param *param,
                      struct gb_params *params, struct gb_err *err)
{
    const struct gb_param *other = other_of(method, param);

    if (other == NULL || ((const struct gb_bytes *)place(params, param))->data == NULL)
        return 0;
    return gb_err_set(err, GB_EINVALID, "give %s or %s, and not both", other->name, param->name);
}

/* @given: a bit for each one given. */
static int check_required(const struct gb_method *method, uint64_t given, struct gb_err *err)
{
    for (size_t i = 0; i < method->param_count; i++) {
        const struct gb_param *param = &method->params[i], *other = other_of(method, param);
        bool is_given = (given >> i & 1) != 0 ||
                        (other != NULL && (given >> (other - method->params) & 1) != 0);

        if (param->required && !is_given)
            return gb_err_set(err, GB_EINVALID, "%s needs the parameter %s%s%s", method->name,
                              param->name, other != NULL ? " or " : "",
                              other != NULL ? other->name : "");
    }
    return 0;
}

int gb_params_read(const struct gb_method *method, const struct gb_json *params,
                   struct gb_params *ret_params, struct gb_err *err)
{
    const struct gb_json *child;
    uint64_t seen = 0, given = 0;
    int r;

    *ret_params = (struct gb_params){0};
    for (size_t i = 0; i < method->param_count; i++)
        set_standard(ret_params, &method->params[i]);
    if (params != NULL && params->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "params must be an object with named parameters");
    child = params == NULL ? NULL : gb_json_first(params);
    for (uint32_t i = 0; params != NULL && i < params->count; i++, child = gb_json_next(child)) {
        size_t index = 0;
        const struct gb_param *param = find_param(method, child->key, &index);

        if (param == NULL)
            return gb_err_set(err, GB_EINVALID, "%s has no parameter \"%.*s\"", method->name,
                              (int)MIN(child->key.size, (size_t)64), (const char *)child->key.data);
        if ((seen >> index & 1) != 0)
            return gb_err_set(err, GB_EINVALID, "%s is given twice", param->name);
        seen |= UINT64_C(1) << index;
        if (child->type == GB_JSON_NULL)
            continue; /* treated as absent */
        given |= UINT64_C(1) << index;
        r = check_free(method, param, ret_params, err);
        if (r == 0)
            r = read_one(param, child, place(ret_params, param), err);
        if (r < 0)
            return r;
    }
    return check_required(method, given, err);
}

bool gb_method_may_fail(const struct gb_method *method, enum gb_code code)
{
    return ((method->errors | GB_METHOD_ERRORS) & GB_ERROR_BIT(code)) != 0;
}

size_t gb_method_cost(const struct gb_method *method, size_t line_size,
                      const struct gb_params *params)
{
    int64_t held = 0;

    if (method->holds > 0)
        memcpy(&held, (const char *)params + method->holds, sizeof(held));
    return line_size + (size_t)held;
}
