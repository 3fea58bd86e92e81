/* SPDX-License-Identifier: Apache-2.0 */
/* Generates documentation and code from the tables of objects: the page, and the Python client's
 * table. */
#include "rpc/object.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

/* ---- the page ---- */

static const char *object_type_name(const struct gb_member *member)
{
    static const char *const names[] = {
        [GB_TEXT] = "string",  [GB_BYTES] = "string",   [GB_BASE64] = "string",
        [GB_EXACT] = "string", [GB_STRINGS] = "array",  [GB_U32] = "integer",
        [GB_U64] = "integer",  [GB_I64] = "integer",    [GB_BOOL] = "boolean",
        [GB_WORD] = "string",  [GB_SIGNAL] = "string",  [GB_KIND] = "string",
        [GB_MS] = "number",    [GB_SECONDS] = "number", [GB_OBJECT] = "object",
        [GB_LIST] = "array",   [GB_ARRAY] = "array",    [GB_MAP] = "object",
        [GB_NAMES] = "array",  [GB_NUMBER] = "number",  [GB_PAIR] = "string",
    };
    static_assert(ARRAY_SIZE(names) == GB_MEMBER_TYPE_COUNT, "a name for each type");

    return names[member->type];
}

static void object_add_words(struct gb_buf *buf, const struct gb_words *words)
{
    for (unsigned i = 0; i < words->count; i++)
        gb_buf_addf(buf, "%s`%s`",
                    i == 0                  ? ": "
                    : i + 1 == words->count ? " or "
                                            : ", ",
                    words->names[i]);
}

const char *gb_object_article(const struct gb_object *object)
{
    return strchr("aeiou", object->name[0]) != NULL ? "an" : "a";
}

/* Describes an element, or an object without a section of its own. */
static void object_add_inner(struct gb_buf *buf, const struct gb_object *object)
{
    if (object->has_section) {
        gb_buf_addf(buf, " (%s %s of \"Objects\")", gb_object_article(object), object->name);
        return;
    }
    gb_buf_adds(buf, ": {");
    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];

        gb_buf_addf(buf, "%s`%s`", i == 0 ? "" : ", ", member->name);
        if (member->type == GB_BYTES)
            gb_buf_addf(buf, " (or `%s_base64`)", member->name);
        gb_buf_addf(buf, " (%s%s)", member->doc,
                    member->presence == GB_NULLABLE   ? "; or null"
                    : member->presence == GB_OPTIONAL ? "; or absent"
                                                      : "");
        if (member->type == GB_WORD)
            object_add_words(buf, member->words);
        if (member->object != NULL)
            object_add_inner(buf, member->object);
    }
    gb_buf_adds(buf, "}");
}

void gb_object_add_rows(struct gb_buf *buf, const struct gb_object *object)
{
    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];

        gb_buf_addf(buf, "| `%s` | %s%s | %s", member->name, object_type_name(member),
                    member->presence == GB_NULLABLE   ? " or null"
                    : member->presence == GB_OPTIONAL ? " or absent"
                                                      : "",
                    member->doc);
        if (member->type == GB_WORD)
            object_add_words(buf, member->words);
        if (member->object != NULL)
            object_add_inner(buf, member->object);
        if (member->type == GB_BYTES || member->type == GB_STRINGS)
            gb_buf_addf(buf, "; `%s_base64` in its place when it is not UTF-8", member->name);
        if (member->type == GB_PAIR)
            gb_buf_adds(buf, "; or `base64`");
        gb_buf_adds(buf, " |\n");
    }
}

void gb_object_markdown(struct gb_buf *buf, const struct gb_object *object)
{
    gb_buf_adds(buf, "| field | type | meaning |\n|---|---|---|\n");
    gb_object_add_rows(buf, object);
    gb_buf_adds(buf, "\n");
}

/* ---- Python ---- */

static const char *object_python_type(enum gb_member_type type)
{
    static const char *const names[] = {
        [GB_TEXT] = "text",     [GB_BYTES] = "bytes",    [GB_PAIR] = "pair",
        [GB_BASE64] = "base64", [GB_EXACT] = "text",     [GB_STRINGS] = "strings",
        [GB_NAMES] = "names",   [GB_U32] = "integer",    [GB_U64] = "integer",
        [GB_I64] = "integer",   [GB_BOOL] = "boolean",   [GB_WORD] = "word",
        [GB_SIGNAL] = "word",   [GB_KIND] = "text",      [GB_NUMBER] = "number",
        [GB_MS] = "number",     [GB_SECONDS] = "number", [GB_OBJECT] = "object",
        [GB_LIST] = "list",     [GB_ARRAY] = "array",    [GB_MAP] = "map",
    };
    static_assert(ARRAY_SIZE(names) == GB_MEMBER_TYPE_COUNT, "a name for each type");

    return names[type];
}

/* The largest number, or the maximum of bytes or elements; 0: no limit. */
static uint64_t object_python_max(const struct gb_member *member)
{
    static const uint64_t of_type[GB_MEMBER_TYPE_COUNT] = {
        [GB_U32] = UINT32_MAX,
        [GB_U64] = GB_JSON_INTEGER_MAX,
        [GB_I64] = GB_JSON_INTEGER_MAX,
        [GB_MS] = GB_OBJECT_NS_MAX / GB_NS_PER_MS,
        [GB_SECONDS] = GB_OBJECT_NS_MAX / GB_NS_PER_S,
    };

    return member->type == GB_EXACT ? 0 : member->max > 0 ? member->max : of_type[member->type];
}

static void object_python_words(struct gb_buf *buf, const struct gb_member *member)
{
    char name[GB_SIGNAL_NAME_MAX];

    gb_buf_adds(buf, "(");
    for (unsigned i = 0; member->type == GB_WORD && i < member->words->count; i++)
        gb_buf_addf(buf, "\"%s\", ", member->words->names[i]);
    for (uint32_t signum = 1; member->type == GB_SIGNAL && signum <= GB_SIGNAL_MAX; signum++) {
        gb_signal_to_string(signum, name);
        gb_buf_addf(buf, "\"%s\", ", name);
    }
    gb_buf_adds(buf, ")");
}

void gb_object_add_python(struct gb_buf *buf, const struct gb_object *object)
{
    gb_buf_addf(buf, "    \"%s\": {\n", object->name);
    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];

        gb_buf_addf(buf, "        \"%s\": Member(\"%s\", %" PRIu64 ", ", member->name,
                    object_python_type(member->type), object_python_max(member));
        object_python_words(buf, member);
        gb_buf_addf(buf, ", \"%s\"),\n", member->object != NULL ? member->object->name : "");
    }
    gb_buf_adds(buf, "    },\n");
}
