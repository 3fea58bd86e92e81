/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/complete.h"

#include <string.h>

#include "base/mem.h"

/* Adds the indentation of the line of @text that contains byte @at. */
static void complete_prompt_indent_of(struct gb_bytes text, size_t at, struct gb_buf *indent)
{
    size_t from = at, to;

    while (from > 0 && text.data[from - 1] != '\n')
        from--;
    for (to = from; to < at && (text.data[to] == ' ' || text.data[to] == '\t'); to++)
        ;
    gb_buf_add(indent, text.data + from, to - from);
}

/* The number of open brackets; an open multi-line string counts as one. Strings in ' and " end with
 * their line, others with their quote. */
static int complete_count_open(struct gb_bytes text)
{
    int open = 0;
    size_t i = 0;

    while (i < text.size) {
        uint8_t c = text.data[i];
        bool triple = (c == '"' || c == '\'') && i + 2 < text.size && text.data[i + 1] == c &&
                      text.data[i + 2] == c;

        if (c == '#') {
            while (i < text.size && text.data[i] != '\n')
                i++;
            continue;
        }
        if (c == '"' || c == '\'' || c == '`') {
            bool ended = false;

            for (i += triple ? 3 : 1; i < text.size && !ended; i++) {
                if (text.data[i] == '\\')
                    i++;
                else if (text.data[i] == '\n' && !triple && c != '`')
                    ended = true;
                else if (text.data[i] == c && !triple)
                    ended = true;
                else if (triple && text.data[i] == c && i + 2 < text.size &&
                         text.data[i + 1] == c && text.data[i + 2] == c) {
                    i += 2;
                    ended = true;
                }
            }
            if (!ended && (triple || c == '`'))
                return open + 1;
            continue;
        }
        open += c == '(' || c == '[' || c == '{';
        open -= c == ')' || c == ']' || c == '}';
        i++;
    }
    return open;
}

bool prompt_looks_complete(struct gb_bytes text, const char *unit, struct gb_buf *indent)
{
    size_t end = text.size, line;
    bool blank = true, indented, opens;

    while (end > 0 && (text.data[end - 1] == ' ' || text.data[end - 1] == '\t'))
        end--;
    line = end;
    while (line > 0 && text.data[line - 1] != '\n')
        line--;
    blank = line == end;
    indented = !blank && line > 0 && (text.data[line] == ' ' || text.data[line] == '\t');
    opens = !blank && (text.data[end - 1] == ':' || text.data[end - 1] == '{');
    if (complete_count_open(text) <= 0 && !opens && !indented &&
        (blank || text.data[end - 1] != '\\'))
        return true;
    if (indent != NULL) {
        complete_prompt_indent_of(text, text.size, indent);
        if (opens)
            gb_buf_adds(indent, unit);
    }
    return false;
}
