/* SPDX-License-Identifier: Apache-2.0 */
#include "command/manual.h"

#include <string.h>

/* A backslash and a leading dot or quote are special in mdoc. */
static void manual_put_text(struct gb_buf *out, const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\\')
            gb_buf_adds(out, "\\e");
        else if (*c == '"')
            gb_buf_adds(out, "\"\"");
        else if ((uint8_t)*c >= 0x80 && strncmp(c, "…", 3) == 0) {
            gb_buf_adds(out, "...");
            c += 2;
        } else {
            gb_buf_add(out, c, 1);
        }
    }
}

static void manual_put_row(struct gb_buf *out, const struct command *row)
{
    gb_buf_adds(out, ".It ");
    if (row->keys != NULL) {
        gb_buf_adds(out, "Sy \"\\&"); /* a key may be punctuation to mdoc */
        manual_put_text(out, row->keys);
        gb_buf_adds(out, "\" No \"");
    } else {
        gb_buf_adds(out, "No \"");
    }
    gb_buf_addf(out, ":%s%s", row->name, row->arguments[0] != '\0' ? " " : "");
    manual_put_text(out, row->arguments);
    gb_buf_adds(out, "\"\n\\&");
    manual_put_text(out, row->help);
    gb_buf_adds(out, ".\n");
}

void command_manual(const struct command_tables *tables, struct gb_buf *out)
{
    gb_buf_adds(out,
                ".Dd November 23, 2026\n.Dt GLASSBELL-KEYS 7\n.Os\n.Sh NAME\n.Nm glassbell-keys\n"
                ".Nd keys and commands of the glassbell front end\n.Sh DESCRIPTION\n"
                "Made from the table of commands that the program itself goes by.\n"
                "Each row has the default keys, the command as it is typed behind\n.Ql \\&: ,\n"
                "and what it does.\n"
                "Keys are changed in the section\n.Ql [keys]\n"
                "of the settings file, with or without a context in front:\n"
                ".Bd -literal -offset indent\n[keys]\nlist.F5 = sort mem\nq = none\n.Ed\n");

    for (size_t context = 0; context < CONTEXT_COUNT; context++) {
        bool first = true;

        for (size_t i = 0; i < tables->count; i++)
            for (const struct command *row = tables->tables[i]; row->name != NULL; row++) {
                if (row->context != (enum context)context)
                    continue;
                if (first)
                    gb_buf_addf(out, ".Ss %s\n.Bl -tag -width Ds\n",
                                context_title((enum context)context));
                first = false;
                manual_put_row(out, row);
            }
        if (!first)
            gb_buf_adds(out, ".El\n");
    }
    gb_buf_adds(out, ".Sh SEE ALSO\n.Xr glassbell 1\n");
}
