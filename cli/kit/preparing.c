/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/preparing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/event.h"
#include "rpc/object.h"

enum { PREPARING_SHOWN = 72 };

bool preparing_take(struct preparing *preparing, const char *method, const struct gb_json *params)
{
    struct gb_preparing_info info;
    struct gb_buf text = {0}, line = {0};

    if (strcmp(method, "session.preparing") != 0)
        return false;
    if (isatty(STDERR_FILENO) != 1)
        return true;
    gb_object_take(&gb_preparing_object, params, &info);
    info.text.size = MIN(info.text.size, (size_t)PREPARING_SHOWN);
    gb_escape(&text, info.text, PREPARING_SHOWN);
    (void)snprintf(preparing->line, sizeof(preparing->line), "%s", gb_buf_str(&text));
    gb_buf_addf(&line, "\r%s\033[K", preparing->line);
    if (!preparing->is_aside)
        (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&line), line.size);
    gb_buf_release(&line);
    gb_buf_release(&text);
    return true;
}

void preparing_aside(struct preparing *preparing, bool aside)
{
    preparing->is_aside = aside;
    preparing->line[0] = '\0';
}

void preparing_end(struct preparing *preparing)
{
    if (preparing->line[0] == '\0')
        return;
    preparing->line[0] = '\0';
    if (preparing->is_aside)
        return;
    (void)gb_fd_write_full(STDERR_FILENO, "\r\033[K", 4);
}
