/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of checkers whose records stand in tests/records, where other checkers read them.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"

/* Calls @each with every record of tests/records/@name, and returns how many there are. Lines that
 * begin with # are comments. */
static inline size_t check_records(const char *name, void (*each)(void *arg, const char *line),
                                   void *arg)
{
    struct gb_buf text = {0};
    struct gb_err err = {0};
    char path[1024], *rest;
    size_t count = 0;

    (void)snprintf(path, sizeof(path), "%.*s/../tests/records/%s",
                   (int)(strrchr(__FILE__, '/') - __FILE__), __FILE__, name);
    ck_assert_msg(gb_fd_read_file(path, 1 << 20, &text, &err) == 0, "%s: %s", path, err.message);
    rest = (char *)(uintptr_t)gb_buf_str(&text);
    while (*rest != '\0') {
        char *line = rest, *end = strchr(line, '\n');

        ck_assert_msg(end != NULL, "%s: a line without its end", path);
        *end = '\0';
        rest = end + 1;
        if (line[0] == '#')
            continue;
        each(arg, line);
        count++;
    }
    gb_buf_release(&text);
    return count;
}
