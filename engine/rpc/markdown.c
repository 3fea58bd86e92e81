/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the tables of the protocol as Markdown. */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "rpc/methods.h"
#include "rpc/object.h"

static const char *type_of(const struct gb_param *param)
{
    switch (param->type) {
    case GB_PARAM_NAME:
    case GB_PARAM_TEXT:
    case GB_PARAM_CHOICE:
        return "string";
    case GB_PARAM_BASE64:
        return "base64 string";
    case GB_PARAM_INTEGER:
        return "integer";
    case GB_PARAM_BOOL:
    case GB_PARAM_SWITCH:
        return "boolean";
    case GB_PARAM_STRINGS:
        return "object of strings";
    case GB_PARAM_NAMES:
        return "array of strings";
    case GB_PARAM_ANY:
        return "any";
    case GB_PARAM_TYPE_COUNT:
        break;
    }
    return "?";
}

/* The allowed range, and the default of an absent parameter. */
static void add_range(struct gb_buf *buf, const struct gb_param *param)
{
    switch (param->type) {
    case GB_PARAM_NAME:
        gb_buf_addf(buf, "%" PRId64 "–%" PRId64 " bytes, no NUL", param->min, param->max);
        break;
    case GB_PARAM_TEXT:
    case GB_PARAM_BASE64:
        gb_buf_addf(buf, "at most %" PRId64 " bytes", param->max);
        break;
    case GB_PARAM_INTEGER:
        gb_buf_addf(buf, "%" PRId64 "–%" PRId64, param->min, param->max);
        if (param->standard >= param->min)
            gb_buf_addf(buf, ", default %" PRId64, param->standard);
        break;
    case GB_PARAM_BOOL:
        gb_buf_addf(buf, "default %s", param->standard != 0 ? "true" : "false");
        break;
    case GB_PARAM_CHOICE:
        for (size_t i = 0; param->choices[i] != NULL; i++)
            gb_buf_addf(buf, "%s`%s`", i == 0 ? "" : " ", param->choices[i]);
        if (param->standard >= 0)
            gb_buf_addf(buf, ", default `%s`", param->choices[param->standard]);
        break;
    case GB_PARAM_STRINGS:
    case GB_PARAM_NAMES:
        gb_buf_addf(buf, "at most %" PRId64 " values", param->max);
        break;
    case GB_PARAM_SWITCH:
    case GB_PARAM_ANY:
    case GB_PARAM_TYPE_COUNT:
        break;
    }
}

static void add_errors(struct gb_buf *buf, const struct gb_method *method)
{
    const char *before = "Errors: ";

    for (int i = GB_OK + 1; i < GB_CODE_COUNT; i++)
        if ((method->errors & GB_ERROR_BIT(i)) != 0) {
            gb_buf_addf(buf, "%s`%s`", before, gb_code_kind((enum gb_code)i));
            before = ", ";
        }
    if (method->errors != 0)
        gb_buf_adds(buf, ".\n\n");
}

static void add_method(struct gb_buf *buf, const struct gb_method *method)
{
    gb_buf_addf(buf, "### `%s`\n\n%s\n\n", method->name, method->doc);
    if (method->param_count == 0)
        gb_buf_adds(buf, "No parameters.\n\n");
    else
        gb_buf_adds(buf, "| parameter | type | range | meaning |\n|---|---|---|---|\n");
    for (size_t i = 0; i < method->param_count; i++) {
        const struct gb_param *param = &method->params[i];

        gb_buf_addf(buf, "| `%s`%s | %s | ", param->name, param->required ? " (required)" : "",
                    type_of(param));
        add_range(buf, param);
        gb_buf_addf(buf, " | %s |\n", param->doc);
    }
    if (method->param_count > 0)
        gb_buf_adds(buf, "\n");
    if (method->result_count == 0 && method->result == NULL)
        gb_buf_adds(buf, "Result: `{}`.\n\n");
    else
        gb_buf_adds(buf, "| result | type | meaning |\n|---|---|---|\n");
    if (method->result != NULL && method->result->has_section)
        gb_buf_addf(buf, "| `…` | %s | the fields of %s %s |\n", method->result->name,
                    gb_object_article(method->result), method->result->name);
    else if (method->result != NULL)
        gb_object_add_rows(buf, method->result);
    if (method->beside != NULL)
        gb_object_add_rows(buf, method->beside);
    for (size_t i = 0; i < method->result_count; i++)
        gb_buf_addf(buf, "| `%s` | %s | %s |\n", method->results[i].name, method->results[i].type,
                    method->results[i].doc);
    if (method->result_count > 0 || method->result != NULL)
        gb_buf_adds(buf, "\n");
    add_errors(buf, method);
    if (method->runs_code)
        gb_buf_adds(buf, "Without an answer the code may have run.\n\n");
}

void gb_methods_markdown(struct gb_buf *buf)
{
    const struct gb_method *method;

    for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++)
        add_method(buf, method);
}

void gb_errors_markdown(struct gb_buf *buf)
{
    static const char *const classes[] = {
        [GB_CLASS_RETRY] = "nothing ran; the same call may work later",
        [GB_CLASS_CALLER] = "nothing ran; the input has to change",
        [GB_CLASS_FATAL] = "nothing: trying again does not help",
        [GB_CLASS_UNKNOWN] = "the code may have run: check before running it again",
    };

    gb_buf_adds(buf, "| kind | code | meaning | what a caller may do |\n|---|---|---|---|\n");
    for (int i = GB_OK + 1; i < GB_CODE_COUNT; i++) {
        enum gb_code code = (enum gb_code)i;

        gb_buf_addf(buf, "| `%s` | %d | %s | %s |\n", gb_code_kind(code), gb_code_rpc(code),
                    gb_code_meaning(code), classes[gb_code_class(code)]);
    }
}
