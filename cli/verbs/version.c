/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell version. */
#include "base/mem.h"
#include "cli/print.h"
#include "verbs/verbs.h"

static int version_run(const struct args *args)
{
    struct gb_buf text = {0};

    (void)args;
    gb_buf_adds(&text, "glassbell " GB_VERSION "\n");
    return print_text(&text);
}

const struct verb verb_version = {
    .name = "version",
    .summary = "print the version",
    .usage = "",
    .words = ARG_NONE,
    .run = version_run,
};
