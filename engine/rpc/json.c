/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/base64.h"

enum { FIRST_NODES = 32, NUMBER_MAX = 64 };

static const char *const type_names[] = {
    [GB_JSON_NULL] = "null",       [GB_JSON_BOOL] = "true or false", [GB_JSON_NUMBER] = "a number",
    [GB_JSON_STRING] = "a string", [GB_JSON_ARRAY] = "an array",     [GB_JSON_OBJECT] = "an object",
};
static_assert(ARRAY_SIZE(type_names) == GB_JSON_TYPE_COUNT, "a name for each type");

struct parser {
    struct gb_json_doc *doc;
    uint8_t *at, *begin, *end;
    size_t max_nodes;
    uint32_t open[GB_JSON_DEPTH_MAX]; /* open containers, as node indexes */
    unsigned depth;
    struct gb_bytes key; /* of the next value */
    struct gb_err *err;
};

const char *gb_json_type_name(enum gb_json_type type)
{
    return (unsigned)type < GB_JSON_TYPE_COUNT ? type_names[type] : "?";
}

static int bad(struct parser *parser, const char *what)
{
    return gb_err_set(parser->err, GB_EINVALID, "not JSON: %s at byte %td", what,
                      parser->at - parser->begin);
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\t' ||
                                        *parser->at == '\r' || *parser->at == '\n'))
        parser->at++;
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))
#define HIGH_BITS EACH_BYTE(0x80)

/* The number of bytes from @at on that a JSON string contains verbatim; checks eight at a time. */
static size_t plain_run(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *begin = at;

    for (uint64_t word; end - at >= (ptrdiff_t)sizeof(word); at += sizeof(word)) {
        uint64_t quote, backslash;

        memcpy(&word, at, sizeof(word));
        /* A zero byte in x sets its bit in (x - 1) & ~x & 0x80. A borrow can only cause a false
         * positive above a true one, and the loop below checks again. */
        quote = word ^ EACH_BYTE('"');
        backslash = word ^ EACH_BYTE('\\');
        if ((((quote - EACH_BYTE(1)) & ~quote) | ((backslash - EACH_BYTE(1)) & ~backslash) |
             ((word - EACH_BYTE(0x20)) & ~word) | word) &
            HIGH_BITS)
            break;
    }
    while (at < end && *at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return (size_t)(at - begin);
}

static int hex4(struct parser *parser, uint32_t *ret_value)
{
    uint32_t value = 0;

    if (parser->end - parser->at < 4)
        return bad(parser, "an unfinished \\u");
    for (int i = 0; i < 4; i++) {
        uint8_t c = *parser->at;
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = c - (uint32_t)'0';
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (c | 0x20u) - (uint32_t)'a' + 10;
        else
            return bad(parser, "a bad \\u");
        value = value << 4 | digit;
        parser->at++;
    }
    *ret_value = value;
    return 0;
}

static uint8_t *put_utf8(uint8_t *to, uint32_t c)
{
    if (c < 0x80) {
        *to++ = (uint8_t)c;
    } else if (c < 0x800) {
        *to++ = (uint8_t)(0xc0 | c >> 6);
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *to++ = (uint8_t)(0xe0 | c >> 12);
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    } else {
        *to++ = (uint8_t)(0xf0 | c >> 18);
        *to++ = (uint8_t)(0x80 | (c >> 12 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c >> 6 & 0x3f));
        *to++ = (uint8_t)(0x80 | (c & 0x3f));
    }
    return to;
}

/* \uXXXX, with the second half of a surrogate pair; `at` is after the u. */
static int unicode_escape(struct parser *parser, uint8_t **to)
{
    uint32_t c, low;
    int r = hex4(parser, &c);

    if (r < 0)
        return r;
    if (c >= 0xdc00 && c <= 0xdfff)
        return bad(parser, "half a surrogate pair");
    if (c >= 0xd800 && c <= 0xdbff) {
        if (parser->end - parser->at < 2 || parser->at[0] != '\\' || parser->at[1] != 'u')
            return bad(parser, "half a surrogate pair");
        parser->at += 2;
        r = hex4(parser, &low);
        if (r < 0)
            return r;
        if (low < 0xdc00 || low > 0xdfff)
            return bad(parser, "half a surrogate pair");
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    *to = put_utf8(*to, c);
    return 0;
}

static int escape(struct parser *parser, uint8_t **to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    const char *found;

    parser->at++; /* the backslash */
    if (parser->at == parser->end)
        return bad(parser, "an unfinished escape");
    if (*parser->at == 'u') {
        parser->at++;
        return unicode_escape(parser, to);
    }
    found = memchr(from, *parser->at, sizeof(from) - 1);
    if (found == NULL)
        return bad(parser, "an unknown escape");
    *(*to)++ = (uint8_t)into[found - from];
    parser->at++;
    return 0;
}

/* Starts at the opening quote. Unescapes in place: an escape is never shorter than its value. */
static int string(struct parser *parser, struct gb_bytes *ret_text)
{
    uint8_t *begin = ++parser->at, *to = begin;

    for (;;) {
        size_t n = plain_run(parser->at, parser->end);
        int r;

        if (to != parser->at)
            memmove(to, parser->at, n);
        to += n;
        parser->at += n;
        if (parser->at == parser->end)
            return bad(parser, "a string without an end");
        if (*parser->at == '"')
            break;
        if (*parser->at == '\\') {
            r = escape(parser, &to);
            if (r < 0)
                return r;
            continue;
        }
        n = gb_utf8_sequence(parser->at, (size_t)(parser->end - parser->at));
        if (*parser->at < 0x20 || n == 0)
            return bad(parser, *parser->at < 0x20 ? "a control character in a string"
                                                  : "bytes that are not UTF-8");
        if (to != parser->at)
            memmove(to, parser->at, n);
        to += n;
        parser->at += n;
    }
    parser->at++;
    *ret_text = (struct gb_bytes){begin, (size_t)(to - begin)};
    return 0;
}

static size_t digits(struct parser *parser)
{
    uint8_t *begin = parser->at;

    while (parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9')
        parser->at++;
    return (size_t)(parser->at - begin);
}

static bool next_is(struct parser *parser, const char *one_of)
{
    return parser->at < parser->end && *parser->at != '\0' && strchr(one_of, *parser->at) != NULL;
}

static int number(struct parser *parser, struct gb_bytes *ret_text)
{
    uint8_t *begin = parser->at;
    bool zero;
    size_t n;

    if (*parser->at == '-')
        parser->at++;
    zero = next_is(parser, "0");
    n = digits(parser);
    if (n == 0 || (zero && n > 1))
        return bad(parser, "a bad number");
    if (next_is(parser, ".")) {
        parser->at++;
        if (digits(parser) == 0)
            return bad(parser, "a bad number");
    }
    if (next_is(parser, "eE")) {
        parser->at++;
        if (next_is(parser, "+-"))
            parser->at++;
        if (digits(parser) == 0)
            return bad(parser, "a bad number");
    }
    if (parser->at - begin > NUMBER_MAX)
        return bad(parser, "a number of too many digits");
    *ret_text = (struct gb_bytes){begin, (size_t)(parser->at - begin)};
    return 0;
}

static int add_node(struct parser *parser, enum gb_json_type type, struct gb_json **ret_node)
{
    struct gb_json_doc *doc = parser->doc;

    if (doc->count >= parser->max_nodes) {
        (void)gb_err_set(parser->err, GB_ETOOLARGE, "the line has more than %zu JSON values",
                         parser->max_nodes);
        return -GB_ETOOLARGE;
    }
    if (doc->count == doc->capacity) {
        size_t capacity = MIN(doc->capacity < FIRST_NODES ? FIRST_NODES : 2 * doc->capacity,
                              MAX(parser->max_nodes, (size_t)FIRST_NODES));
        struct gb_json *nodes = realloc(doc->nodes, capacity * sizeof(*nodes));

        if (nodes == NULL) {
            (void)gb_err_sys(parser->err, ENOMEM, "parsing JSON");
            return -GB_ECAPACITY;
        }
        doc->nodes = nodes;
        doc->capacity = capacity;
    }
    *ret_node = &doc->nodes[doc->count++];
    **ret_node = (struct gb_json){.type = type, .span = 1, .key = parser->key};
    parser->key = (struct gb_bytes){0};
    if (parser->depth > 0)
        doc->nodes[parser->open[parser->depth - 1]].count++;
    return 0;
}

static int literal(struct parser *parser, const char *word, enum gb_json_type type, bool truth)
{
    size_t size = strlen(word);
    struct gb_json *node;
    int r;

    if ((size_t)(parser->end - parser->at) < size || memcmp(parser->at, word, size) != 0)
        return bad(parser, "an unknown word");
    r = add_node(parser, type, &node);
    if (r < 0)
        return r;
    node->truth = truth;
    parser->at += size;
    return 0;
}

static int container(struct parser *parser, enum gb_json_type type)
{
    uint32_t index = (uint32_t)parser->doc->count;
    struct gb_json *node;
    int r;

    if (parser->depth == GB_JSON_DEPTH_MAX)
        return gb_err_set(parser->err, GB_EINVALID, "the JSON is nested deeper than %d levels",
                          GB_JSON_DEPTH_MAX);
    r = add_node(parser, type, &node);
    if (r < 0)
        return r;
    parser->open[parser->depth++] = index;
    parser->at++;
    return 0;
}

/* A value, or the start of a container. */
static int value(struct parser *parser)
{
    struct gb_bytes text = {0};
    struct gb_json *node;
    uint8_t c;
    int r;

    skip_space(parser);
    if (parser->at == parser->end)
        return bad(parser, "the text ends");
    c = *parser->at;
    if (c == '{' || c == '[')
        return container(parser, c == '{' ? GB_JSON_OBJECT : GB_JSON_ARRAY);
    if (c == 't')
        return literal(parser, "true", GB_JSON_BOOL, true);
    if (c == 'f')
        return literal(parser, "false", GB_JSON_BOOL, false);
    if (c == 'n')
        return literal(parser, "null", GB_JSON_NULL, false);
    if (c != '"' && c != '-' && (c < '0' || c > '9'))
        return bad(parser, "no value");
    r = c == '"' ? string(parser, &text) : number(parser, &text);
    if (r < 0)
        return r;
    r = add_node(parser, c == '"' ? GB_JSON_STRING : GB_JSON_NUMBER, &node);
    if (r < 0)
        return r;
    node->text = text;
    return 0;
}

/* The name of a member, and its colon. */
static int key(struct parser *parser)
{
    int r;

    skip_space(parser);
    if (!next_is(parser, "\""))
        return bad(parser, "no name of a member");
    r = string(parser, &parser->key);
    if (r < 0)
        return r;
    skip_space(parser);
    if (!next_is(parser, ":"))
        return bad(parser, "no colon");
    parser->at++;
    return 0;
}

/* After a value or an opening bracket: closes containers that end here and moves to the next value.
 * Returns 1 if there is one, 0 at the end of the document. */
static int advance(struct parser *parser)
{
    while (parser->depth > 0) {
        uint32_t index = parser->open[parser->depth - 1];
        struct gb_json *node = &parser->doc->nodes[index];
        bool object = node->type == GB_JSON_OBJECT;
        /* Empty and without a comma: the first value or the end may follow. */
        bool fresh = node->count == 0;
        int r;

        skip_space(parser);
        if (next_is(parser, object ? "}" : "]")) {
            node->span = (uint32_t)(parser->doc->count - index);
            parser->depth--;
            parser->at++;
            continue;
        }
        if (!fresh) {
            if (!next_is(parser, ","))
                return bad(parser, object ? "no comma or }" : "no comma or ]");
            parser->at++;
        }
        if (object) {
            r = key(parser);
            if (r < 0)
                return r;
        }
        return 1;
    }
    skip_space(parser);
    return parser->at == parser->end ? 0 : bad(parser, "something behind the end");
}

int gb_json_parse(struct gb_json_doc *doc, uint8_t *text, size_t size, size_t max_nodes,
                  struct gb_err *err)
{
    struct parser parser = {.doc = doc,
                            .at = text,
                            .begin = text,
                            .end = text + size,
                            .max_nodes = MIN(max_nodes, (size_t)UINT32_MAX),
                            .err = err};
    int r;

    doc->count = 0;
    do {
        r = value(&parser);
        if (r == 0)
            r = advance(&parser);
    } while (r == 1);
    if (r < 0)
        doc->count = 0;
    return r;
}

void gb_json_release(struct gb_json_doc *doc)
{
    free(doc->nodes);
    *doc = (struct gb_json_doc){0};
}

const struct gb_json *gb_json_member(const struct gb_json *object, const char *name)
{
    const struct gb_json *child;

    if (object->type != GB_JSON_OBJECT)
        return NULL;
    child = gb_json_first(object);
    for (uint32_t i = 0; i < object->count; i++, child = gb_json_next(child))
        if (gb_bytes_equal(child->key, name))
            return child;
    return NULL;
}

double gb_json_number(const struct gb_json *node)
{
    char copy[NUMBER_MAX + 1];

    if (node->type != GB_JSON_NUMBER)
        return 0;
    memcpy(copy, node->text.data, node->text.size); /* at most NUMBER_MAX: checked by the parser */
    copy[node->text.size] = '\0';
    return strtod(copy, NULL);
}

bool gb_json_integer(const struct gb_json *node, int64_t *ret_integer)
{
    double number_ = gb_json_number(node);

    if (node->type != GB_JSON_NUMBER || !(fabs(number_) <= 9007199254740992.0) ||
        nearbyint(number_) < number_ || nearbyint(number_) > number_)
        return false;
    *ret_integer = (int64_t)number_;
    return true;
}
