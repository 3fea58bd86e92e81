/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cell.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/app.h"
#include "model/member.h"
#include "rpc/access.h"

int signal_number(struct gb_bytes name)
{
    char word[GB_SIGNAL_NAME_MAX];
    uint32_t signum;

    if (name.size <= 3 || memcmp(name.data, "SIG", 3) != 0) {
        (void)snprintf(word, sizeof(word), "SIG%.*s", (int)MIN(name.size, sizeof(word)),
                       name.size > 0 ? (const char *)name.data : "");
        name = gb_bytes_str(word);
    }
    return gb_signal_from_string(name, &signum) ? (int)signum : 0;
}

int cell_exit_status(const struct gb_json *cell)
{
    const struct gb_json *code = json_member(cell, "exit_code");
    int signum = signal_number(json_text(cell, "signal"));

    if (json_true(cell, "timed_out"))
        return EXIT_TIMED_OUT;
    if (signum > 0)
        return 128 + signum;
    if (code != NULL && code->type == GB_JSON_NUMBER) {
        double number = gb_json_number(code);

        return number >= 0 && number <= 255 ? (int)number : EXIT_GLASSBELL;
    }
    if (json_true(cell, "interrupted"))
        return 128 + SIGINT;
    if (json_true(cell, "oom"))
        return 128 + SIGKILL;
    return EXIT_GLASSBELL;
}

bool cell_wanted_input(const struct gb_json *cell)
{
    static const char error[] = "EOFError: EOF when reading a line";
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    const size_t size = sizeof(error) - 1;

    if (!json_add_bytes(&text, cell, "stderr", "stderr_base64"))
        return false;
    while (text.size > 0 && gb_buf_data(&text)[text.size - 1] == '\n')
        text.size--;
    return text.size >= size && memcmp(gb_buf_data(&text) + text.size - size, error, size) == 0;
}

bool cell_says_anything(const struct gb_json *cell)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    return !json_add_bytes(&text, cell, "stdout", "stdout_base64") ||
           !json_add_bytes(&text, cell, "stderr", "stderr_base64") || text.size > 0 ||
           cell_exit_status(cell) != 0;
}
