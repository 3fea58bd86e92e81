/* SPDX-License-Identifier: Apache-2.0 */
/* Makes Python source safe to read: bidirectional controls and invisible characters could make it
 * look like a different program. */
#include <string.h>

#include "base/hidden.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "document/internal.h"

/* The scanner's position. The text of exact strings has no other spelling. */
struct place {
    uint8_t quote; /* quote character of the string; 0: outside strings */
    bool triple, exact, comment, backslash;
};

static bool python_is_hidden(uint32_t before, uint32_t point)
{
    return point != '\n' && point != '\t' && gb_hidden_behind(before, point);
}

void add_code_line(struct gb_buf *to, struct gb_bytes line)
{
    uint32_t before = 0;

    while (line.size > 0) {
        size_t n = MAX(gb_utf8_sequence(line.data, line.size), 1u);
        uint32_t point = n > 1 || line.data[0] < 0x80 ? gb_hidden_point(line.data, n) : 0;

        if (python_is_hidden(before, point))
            gb_hidden_show(to, point);
        else
            gb_buf_add(to, line.data, n);
        before = point;
        line.data += n;
        line.size -= n;
    }
}

static bool python_is_name(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
           c >= 0x80;
}

/* Whether the letters in front of the quote at @at make the string a raw or a formatted one. */
static bool python_is_exact(struct gb_bytes code, size_t at)
{
    bool exact = false;
    size_t i = at;

    while (i > 0 && at - i < 3 && python_is_name(code.data[i - 1]))
        exact |= memchr("rRfFtT", code.data[--i], 6) != NULL;
    return exact && at - i < 3;
}

static bool python_is_triple(struct gb_bytes code, size_t at)
{
    return code.size - at >= 3 && code.data[at + 1] == code.data[at] &&
           code.data[at + 2] == code.data[at];
}

/* Processes the character at @at; returns its length in bytes, three for the quotes of a long
 * string. */
static size_t python_step(struct place *place, struct gb_bytes code, size_t at)
{
    uint8_t c = code.data[at];

    if (c == '\n') {
        place->comment = false;
        if (!place->triple && !place->backslash)
            place->quote = 0;
        place->backslash = false;
    } else if (place->comment) {
        return MAX(gb_utf8_sequence(code.data + at, code.size - at), 1u);
    } else if (place->backslash) {
        place->backslash = false;
    } else if (c == '\\') {
        place->backslash = true;
    } else if (place->quote == 0 && c == '#') {
        place->comment = true;
    } else if (place->quote == 0 && (c == '"' || c == '\'')) {
        place->quote = c;
        place->exact = python_is_exact(code, at);
        place->triple = python_is_triple(code, at);
        return place->triple ? 3 : 1;
    } else if (place->quote == c && place->quote != 0 &&
               (!place->triple || python_is_triple(code, at))) {
        place->quote = 0;
        return place->triple ? 3 : 1;
    }
    return MAX(gb_utf8_sequence(code.data + at, code.size - at), 1u);
}

bool add_python(struct gb_buf *to, struct gb_bytes code)
{
    struct place place = {0};
    uint32_t before = 0;
    bool whole = true;
    size_t at = 0;

    while (at < code.size) {
        struct place here = place;
        size_t n;
        uint32_t point;

        if (code.data[at] == '\r') { /* also ends a line, and would hide the previous one */
            at += at + 1 < code.size && code.data[at + 1] == '\n' ? 1 : 0;
            (void)python_step(&place, (struct gb_bytes){(const uint8_t *)"\n", 1}, 0);
            gb_buf_adds(to, "\n");
            before = 0;
            at++;
            continue;
        }
        n = python_step(&place, code, at);
        point = n == 3 && code.data[at] < 0x80 ? '"' : gb_hidden_point(code.data + at, n);
        if (!python_is_hidden(before, point)) {
            gb_buf_add(to, code.data + at, n);
        } else if (here.comment || (here.quote != 0 && !here.exact && !here.backslash)) {
            gb_hidden_show(to, point);
            point = 0;
        } else {
            gb_buf_add(to, code.data + at, n);
            whole = false;
        }
        before = point;
        at += n;
    }
    return whole;
}
