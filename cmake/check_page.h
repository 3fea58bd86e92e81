/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests of tables that pages under docs/ are made from. */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"

/* A page is too long for a message of Check: fails with the first line that differs. */
static inline void check_same_text(const char *is, const char *want)
{
    size_t i = 0, line = 0;

    while (is[i] != '\0' && is[i] == want[i]) {
        if (is[i] == '\n')
            line = i + 1;
        i++;
    }
    ck_assert_msg(is[i] == want[i], "not fresh: the page has\n%.300s\nand should have\n%.300s",
                  is + line, want + line);
}

/* The part of the file @name of the source tree between the lines @begin and @end. With
 * GLASSBELL_WRITE_DOCS in the environment it is written anew, else compared with what @generate
 * adds. */
static inline void check_generated(const char *name, const char *begin, const char *end,
                                   void (*generate)(struct gb_buf *))
{
    struct gb_buf page = {0}, want = {0};
    struct gb_err err = {0};
    char path[1024], *from, *to;
    const char *text;

    (void)snprintf(path, sizeof(path), "%.*s/../%s", (int)(strrchr(__FILE__, '/') - __FILE__),
                   __FILE__, name);
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &page, &err), 0);
    text = gb_buf_str(&page);
    from = strstr(text, begin);
    ck_assert(from != NULL);
    to = strstr(from + strlen(begin), end);
    ck_assert(to != NULL);
    gb_buf_add(&want, text, (size_t)(from - text) + strlen(begin));
    generate(&want);
    gb_buf_adds(&want, to);
    if (getenv("GLASSBELL_WRITE_DOCS") != NULL)
        ck_assert_int_eq(gb_fd_replace_file(path, gb_buf_bytes(&want), 0644, &err), 0);
    else
        check_same_text(text, gb_buf_str(&want));
    gb_buf_release(&page);
    gb_buf_release(&want);
}

/* The same of docs/@name, between two marks: `generated: begin`, or with the name of the part
 * before "begin"; an empty line stands behind the first. */
static inline void check_page_part(const char *name, const char *part,
                                   void (*generate)(struct gb_buf *))
{
    char path[256], begin[96], end[96];

    (void)snprintf(path, sizeof(path), "docs/%s", name);
    (void)snprintf(begin, sizeof(begin), "<!-- generated: %sbegin -->\n\n", part);
    (void)snprintf(end, sizeof(end), "<!-- generated: %send -->\n", part);
    check_generated(path, begin, end, generate);
}

/* Of a page that has one such part. */
static inline void check_page(const char *name, void (*generate)(struct gb_buf *))
{
    check_page_part(name, "", generate);
}
