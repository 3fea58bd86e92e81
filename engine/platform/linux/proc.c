/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/proc.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"

enum { PROC_MAX = 64 * 1024 };

int proc_read(pid_t pid, const char *file, struct gb_buf *text, struct gb_err *err)
{
    char path[64];

    if (pid == 0)
        (void)snprintf(path, sizeof(path), "/proc/self/%s", file);
    else
        (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    return gb_fd_read_file(path, PROC_MAX, text, err);
}

bool proc_stat_number(struct gb_bytes text, int number, uint64_t *ret_value)
{
    const uint8_t *name_end = text.size > 0 ? memrchr(text.data, ')', text.size) : NULL;

    if (name_end == NULL)
        return false;
    text.size -= (size_t)(name_end + 1 - text.data);
    text.data = name_end + 1;
    for (int field = 3; field < number; field++) {
        const uint8_t *space;

        if (!gb_bytes_skip(&text, " ") || (space = memchr(text.data, ' ', text.size)) == NULL)
            return false;
        text.size -= (size_t)(space - text.data);
        text.data = space;
    }
    return gb_bytes_skip(&text, " ") && gb_bytes_number(&text, INT64_MAX, ret_value);
}

uint64_t proc_kilobytes(struct gb_bytes text, const char *name)
{
    size_t length = strlen(name);

    while (text.size > length) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t line = end != NULL ? (size_t)(end - text.data) + 1 : text.size;
        struct gb_bytes rest = text;
        uint64_t value;

        if (gb_bytes_skip(&rest, name) && gb_bytes_skip(&rest, ":")) {
            while (gb_bytes_skip(&rest, " ") || gb_bytes_skip(&rest, "\t"))
                ;
            if (gb_bytes_number(&rest, UINT64_MAX >> 10, &value))
                return value << 10;
        }
        text.data += line;
        text.size -= line;
    }
    return 0;
}
