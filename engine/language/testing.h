/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests: the records of the workers in the source tree. */
#pragma once

#include <check.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "language/language.h"

/* Gives. */
static inline void languages_of_workers(struct gb_languages *ret_languages)
{
    static const char *const names[] = {"javascript", "python", "shell"};
    const char *end = strstr(__FILE__, "language/testing.h");
    struct gb_buf text = {0};
    struct gb_err err = {0};

    gb_buf_adds(&text, "{\"languages\":[");
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        _cleanup_(freep) char *path = xasprintf("%.*slanguage/../../agent/workers/%s/language.json",
                                                (int)(end - __FILE__), __FILE__, names[i]);
        struct gb_buf record = {0};

        ck_assert_msg(gb_fd_read_file(path, 1 << 20, &record, &err) == 0, "%s", err.message);
        gb_buf_adds(&text, i > 0 ? "," : "");
        gb_buf_add(&text, gb_buf_data(&record), record.size);
        gb_buf_release(&record);
    }
    gb_buf_adds(&text, "]}");
    *ret_languages = (struct gb_languages){0};
    ck_assert_msg(gb_languages_read_file(gb_buf_bytes(&text), ret_languages, &err) == 0, "%s",
                  err.message);
    gb_buf_release(&text);
}
