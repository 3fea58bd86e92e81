/* SPDX-License-Identifier: Apache-2.0 */
#include "show/facts.h"

#include <stdio.h>

#include "rpc/access.h"

struct gb_bytes facts_mode(const struct gb_json *cell)
{
    struct gb_bytes mode = json_text(cell, "mode");

    return mode.size > 0 ? mode : gb_bytes_str("kernel");
}

bool facts_is_shell(const struct gb_json *cell)
{
    return gb_bytes_equal(facts_mode(cell), "shell");
}

bool facts_is_running(const struct gb_json *cell)
{
    return gb_bytes_equal(json_text(cell, "state"), "running");
}

double facts_time(const struct gb_json *object, const char *name)
{
    double number = json_number(object, name);

    return number > 0 && number < 1e11 ? number : 0;
}

void facts_stream(struct gb_buf *to, const struct gb_json *cell, const char *name)
{
    char base64_name[32];

    (void)snprintf(base64_name, sizeof(base64_name), "%s_base64", name);
    (void)json_add_bytes(to, cell, name, base64_name);
}

void facts_display_bytes(struct gb_buf *to, const struct gb_json *display)
{
    (void)json_add_bytes(to, display, "text", "base64");
}

double facts_display_size(const struct gb_json *display)
{
    struct gb_bytes base64 = json_text(display, "base64");

    if (base64.size == 0)
        return json_number(display, "bytes") + (double)json_text(display, "text").size;
    return (double)base64.size * 3 / 4;
}

char facts_change(struct gb_bytes change)
{
    return gb_bytes_equal(change, "added") ? '+' : gb_bytes_equal(change, "removed") ? '-' : '~';
}
