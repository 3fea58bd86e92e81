/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/requirements.h"

#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

enum { REQUIREMENTS_FILE_MAX = 256 * 1024 };

/* Removes a comment, the spaces around, and the backslash that joins it to the next line: true. */
static bool requirements_trim(struct gb_bytes *line)
{
    bool goes_on = false;

    for (size_t i = 0; i < line->size; i++) {
        if (line->data[i] == '#' &&
            (i == 0 || line->data[i - 1] == ' ' || line->data[i - 1] == '\t'))
            line->size = i;
    }
    while (line->size > 0 && strchr(" \t\r\\", line->data[line->size - 1]) != NULL && !goes_on) {
        goes_on = line->data[line->size - 1] == '\\';
        line->size--;
    }
    while (line->size > 0 && strchr(" \t\r", line->data[line->size - 1]) != NULL)
        line->size--;
    while (line->size > 0 && strchr(" \t", line->data[0]) != NULL) {
        line->data++;
        line->size--;
    }
    return goes_on;
}

static int requirements_put_file(const char *path, struct gb_json_out *out, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0}, joined = {0};
    struct gb_bytes rest, line;
    int r = gb_fd_read_file(path, REQUIREMENTS_FILE_MAX, &text, err);

    if (r < 0)
        return r;
    rest = gb_buf_bytes(&text);
    while (gb_bytes_line(&rest, &line)) {
        const bool goes_on = requirements_trim(&line);

        gb_buf_add(&joined, line.data, line.size);
        if (goes_on) {
            gb_buf_adds(&joined, " ");
            continue;
        }
        if (joined.size > 0)
            gb_json_put(out, NULL, gb_buf_bytes(&joined));
        gb_buf_clear(&joined);
    }
    if (joined.size > 0)
        gb_json_put(out, NULL, gb_buf_bytes(&joined));
    return 0;
}

bool requirements_is_file(const char *value)
{
    const size_t size = strlen(value);

    if (size > 4 && strcmp(value + size - 4, ".txt") == 0)
        return true;
    return value[0] != '@' && strchr(value, '/') != NULL && strchr(value, ' ') == NULL;
}

int requirements_put(const char *value, struct gb_json_out *out, struct gb_err *err)
{
    size_t size;

    if (requirements_is_file(value))
        return requirements_put_file(value, out, err);
    for (; *value != '\0'; value += size + strspn(value + size, " ")) {
        size = strcspn(value, " ");
        if (size > 0)
            gb_json_put(out, NULL, (struct gb_bytes){(const uint8_t *)value, size});
    }
    return 0;
}
