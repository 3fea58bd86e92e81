/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/print.h"

#include <unistd.h>

#include "base/fd.h"
#include "cli/app.h"
#include "rpc/access.h"

int print_text(struct gb_buf *text)
{
    ssize_t n = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(text), text->size);

    gb_buf_release(text);
    return n < 0 ? EXIT_GLASSBELL : 0;
}

void print_json(const struct gb_json *value)
{
    struct gb_buf text = {0};
    struct gb_json_out out = {.buf = &text};

    json_print(&out, NULL, value);
    json_make_visible(&text, 0);
    gb_buf_adds(&text, "\n");
    (void)print_text(&text);
}
