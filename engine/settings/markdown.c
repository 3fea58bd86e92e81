/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the tables of the settings as Markdown. */
#include <string.h>

#include "settings/settings.h"

static const char *markdown_type_of(const struct gb_option *option)
{
    static const char *const names[GB_OPTION_TYPE_COUNT] = {
        "yes or no", "whole number", "number", "time", "size", "text", "path", "choice",
    };

    return names[option->type];
}

static void add_option(struct gb_buf *buf, const struct gb_option *option)
{
    gb_buf_addf(buf, "| `%s` | %s", option->key, markdown_type_of(option));
    if (option->type == GB_OPTION_CHOICE)
        for (size_t i = 0; option->choices[i] != NULL; i++)
            gb_buf_addf(buf, "%s `%s`", i == 0 ? ":" : "", option->choices[i]);
    if (option->type == GB_OPTION_INTEGER || option->type == GB_OPTION_NUMBER)
        gb_buf_addf(buf, ", %.15g–%.15g", option->min, option->max);
    gb_buf_adds(buf, " | ");
    if (option->standard == NULL)
        gb_buf_adds(buf, "as `[pool]`");
    else if (option->standard[0] == '\0')
        gb_buf_adds(buf, "–");
    else
        gb_buf_addf(buf, "`%s`", option->standard);
    gb_buf_addf(buf, " | %s | %s |\n", option->reloadable ? "yes" : "no", option->help);
}

static void add_table(struct gb_buf *buf, const struct gb_settings_section *section, bool of_pool)
{
    bool any = false;

    for (size_t i = 0; i < gb_option_count; i++) {
        const struct gb_option *option = &gb_options[i];

        if (option->of_pool != of_pool || strcmp(option->section, section->name) != 0)
            continue;
        if (!any)
            gb_buf_adds(buf, "| option | value | default | reload | meaning |\n"
                             "|---|---|---|---|---|\n");
        any = true;
        add_option(buf, option);
    }
    if (any)
        gb_buf_adds(buf, "\n");
}

void gb_settings_markdown(struct gb_buf *buf)
{
    for (const struct gb_settings_section *section = gb_settings_sections; section->name != NULL;
         section++) {
        gb_buf_addf(buf, "### `[%s]`\n\n%s.\n\n", section->name, section->help);
        add_table(buf, section, false);
        if (section->named) {
            gb_buf_addf(buf,
                        "### `[%s \"NAME\"]`\n\nNAME is an image, or IMAGE:MB for VMs with "
                        "another size than the image's.\n\n",
                        section->name);
            add_table(buf, section, true);
        }
    }
}
