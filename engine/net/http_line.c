/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http_line.h"

#include <string.h>
#include <strings.h>

enum { HTTP_LINE_HEX_MAX = 15 }; /* digits: the number cannot overflow */

enum gb_http_line gb_http_line_collect(struct gb_buf *line, struct gb_bytes *bytes, size_t most)
{
    const uint8_t *end = memchr(bytes->data, '\n', bytes->size);
    const size_t size = end == NULL ? bytes->size : (size_t)(end - bytes->data) + 1;

    if (line->size + size > most)
        return GB_HTTP_LINE_TOO_LONG;
    gb_buf_add(line, bytes->data, size);
    bytes->data += size;
    bytes->size -= size;
    return end == NULL ? GB_HTTP_LINE_MORE : GB_HTTP_LINE_WHOLE;
}

bool gb_http_line_ends_head(const struct gb_buf *head)
{
    const uint8_t *end = gb_buf_data(head) + head->size;

    return head->size >= 3 &&
           (memcmp(end - 3, "\n\r\n", 3) == 0 || memcmp(end - 2, "\n\n", 2) == 0);
}

const char *gb_http_line_next(struct gb_bytes *head, struct gb_bytes *ret_line)
{
    const uint8_t *end = memchr(head->data, '\n', head->size);

    if (end == NULL || end == head->data || end[-1] != '\r')
        return "a line that does not end in CR LF";
    *ret_line = (struct gb_bytes){head->data, (size_t)(end - head->data) - 1};
    head->data += ret_line->size + 2;
    head->size -= ret_line->size + 2;
    if (memchr(ret_line->data, '\r', ret_line->size) != NULL ||
        memchr(ret_line->data, '\0', ret_line->size) != NULL)
        return "a CR or NUL within a line";
    return NULL;
}

static bool http_line_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

bool gb_http_line_field(struct gb_bytes line, struct gb_bytes *ret_name, struct gb_bytes *ret_value)
{
    const uint8_t *colon = memchr(line.data, ':', line.size);
    struct gb_bytes value;

    if (colon == NULL || colon == line.data)
        return false;
    *ret_name = (struct gb_bytes){line.data, (size_t)(colon - line.data)};
    value = (struct gb_bytes){colon + 1, line.size - ret_name->size - 1};
    while (value.size > 0 && http_line_is_space(value.data[0])) {
        value.data++;
        value.size--;
    }
    while (value.size > 0 && http_line_is_space(value.data[value.size - 1]))
        value.size--;
    *ret_value = value;
    return true;
}

bool gb_http_line_same(struct gb_bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

size_t gb_http_line_hex(struct gb_bytes line, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t digits = 0;

    for (; digits < line.size; digits++) {
        const uint8_t byte = line.data[digits];
        const unsigned digit = byte >= '0' && byte <= '9'   ? byte - '0' + 0u
                               : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10u
                               : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10u
                                                            : 16;

        if (digit > 15)
            break;
        if (digits == HTTP_LINE_HEX_MAX)
            return 0;
        number = number << 4 | digit;
    }
    *ret_number = number;
    return digits;
}

const char *gb_http_framing_take(struct gb_http_framing *framing, struct gb_bytes name,
                                 struct gb_bytes value)
{
    if (gb_http_line_same(name, "content-length")) {
        if (framing->length || !gb_bytes_number(&value, INT64_MAX, &framing->size) ||
            value.size > 0)
            return "a Content-Length that is none, or a second one";
        framing->length = true;
    } else if (gb_http_line_same(name, "transfer-encoding")) {
        if (framing->pieces || !gb_http_line_same(value, "chunked"))
            return "a Transfer-Encoding that is not chunked, or a second one";
        framing->pieces = true;
    }
    return NULL;
}
