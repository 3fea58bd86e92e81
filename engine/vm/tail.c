/* SPDX-License-Identifier: Apache-2.0 */
/* The end of QEMU's and the guest's output, and what can be concluded from it. */
#include <string.h>

#include "base/log.h"
#include "vm/private.h"

enum { LINE_MAX_BYTES = 160 };

void tail_add(struct gb_buf *tail, struct gb_bytes text)
{
    if (text.size > TAIL_MAX) {
        text.data += text.size - TAIL_MAX;
        text.size = TAIL_MAX;
    }
    if (tail->size + text.size > TAIL_MAX)
        gb_buf_consume(tail, tail->size + text.size - TAIL_MAX);
    gb_buf_add(tail, text.data, text.size);
}

static struct gb_bytes trim(struct gb_bytes line)
{
    while (line.size > 0 && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' '))
        line.size--;
    /* The kernel's time stamp: "[    0.123456] ". */
    if (line.size > 0 && line.data[0] == '[') {
        const uint8_t *end = memchr(line.data, ']', MIN(line.size, 20));

        if (end != NULL) {
            line.size -= (size_t)(end + 1 - line.data);
            line.data = end + 1;
        }
    }
    while (line.size > 0 && line.data[0] == ' ') {
        line.data++;
        line.size--;
    }
    return line;
}

/* Removes the last line from the end of @text. */
static struct gb_bytes pop_line(struct gb_bytes *text)
{
    size_t end = text->size, at = end;

    while (at > 0 && text->data[at - 1] != '\n')
        at--;
    text->size = at > 0 ? at - 1 : 0;
    return trim((struct gb_bytes){text->data + at, end - at});
}

bool tail_last_line(struct gb_buf *buf, struct gb_bytes text)
{
    while (text.size > 0) {
        struct gb_bytes line = pop_line(&text);

        if (line.size == 0)
            continue;
        gb_escape(buf, line, LINE_MAX_BYTES);
        return true;
    }
    return false;
}

void tail_describe(struct gb_buf *buf, struct gb_bytes console)
{
    static const char panic[] = "Kernel panic";
    const uint8_t *found =
        console.size > 0 ? memmem(console.data, console.size, panic, sizeof(panic) - 1) : NULL;

    if (found != NULL) {
        size_t rest = console.size - (size_t)(found - console.data);
        const uint8_t *newline = memchr(found, '\n', rest);

        gb_buf_adds(buf, "the guest's kernel panicked: ");
        gb_escape(
            buf, trim((struct gb_bytes){found, newline != NULL ? (size_t)(newline - found) : rest}),
            LINE_MAX_BYTES);
        return;
    }
    gb_buf_adds(buf, "the guest switched itself off");
    if (console.size > 0) {
        struct gb_buf line = {0};

        if (tail_last_line(&line, console))
            gb_buf_addf(buf, " (last on its console: %s)", gb_buf_str(&line));
        gb_buf_release(&line);
    }
}
