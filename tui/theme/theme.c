/* SPDX-License-Identifier: Apache-2.0 */
#include "theme/theme.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static const char *const ansi_names[] = {"black", "red",     "green", "yellow",
                                         "blue",  "magenta", "cyan",  "white"};
static const char *const attribute_names[] = {"bold",      "dim",     "italic",
                                              "underline", "reverse", "strike"};

/* ---- reading ---- */

struct reader {
    struct theme_file *file;
    enum { SECTION_NONE, SECTION_THEME, SECTION_PALETTE, SECTION_ROLES } section;
    size_t line;
    struct gb_err *err;
};

static struct gb_bytes theme_trim(struct gb_bytes text)
{
    while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t' ||
                             text.data[text.size - 1] == '\r'))
        text.size--;
    return text;
}

static bool theme_copy(char *to, size_t room, struct gb_bytes text)
{
    if (text.size >= room)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
        to[i] = (char)text.data[i];
    }
    to[text.size] = '\0';
    return true;
}

static bool theme_plain_name(struct gb_bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!((name.data[i] >= 'a' && name.data[i] <= 'z') ||
              (name.data[i] >= '0' && name.data[i] <= '9') || name.data[i] == '-' ||
              name.data[i] == '_' || name.data[i] == '.'))
            return false;
    return name.size > 0;
}

static bool theme_parse_rgb(struct gb_bytes text, colour *ret_colour)
{
    uint32_t rgb = 0;

    if (text.size != 7 || text.data[0] != '#')
        return false;
    for (size_t i = 1; i < 7; i++) {
        uint8_t c = text.data[i];
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        rgb = rgb << 4 | digit;
    }
    *ret_colour = COLOUR_RGB(rgb);
    return true;
}

static bool theme_parse_ansi(struct gb_bytes text, colour *ret_colour)
{
    unsigned bright = 0;

    if (text.size > 7 && memcmp(text.data, "bright-", 7) == 0) {
        bright = 8;
        text.data += 7;
        text.size -= 7;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ansi_names); i++)
        if (gb_bytes_equal(text, ansi_names[i])) {
            *ret_colour = COLOUR_INDEX(bright + i);
            return true;
        }
    return false;
}

/* Without the palette. */
static bool theme_parse_colour(struct gb_bytes text, colour *ret_colour)
{
    if (gb_bytes_equal(text, "default")) {
        *ret_colour = COLOUR_NONE;
        return true;
    }
    return theme_parse_rgb(text, ret_colour) || theme_parse_ansi(text, ret_colour);
}

static int theme_bad(struct reader *reader, const char *what)
{
    return gb_err_set(reader->err, GB_EINVALID, "line %zu: %s", reader->line, what);
}

static int theme_read(struct reader *reader, struct gb_bytes key, struct gb_bytes value)
{
    struct theme_file *file = reader->file;

    if (gb_bytes_equal(key, "name")) {
        if (value.size == 0 || !theme_copy(file->name, sizeof(file->name), value))
            return theme_bad(reader, "the name is empty or too long");
    } else if (gb_bytes_equal(key, "inherit")) {
        if (!theme_plain_name(value) || !theme_copy(file->inherit, sizeof(file->inherit), value))
            return theme_bad(reader, "inherit wants the name of another theme");
    } else if (gb_bytes_equal(key, "kind")) {
        if (!gb_bytes_equal(value, "dark") && !gb_bytes_equal(value, "light"))
            return theme_bad(reader, "kind is dark or light");
        file->light = gb_bytes_equal(value, "light");
    } else {
        return theme_bad(reader, "[theme] has name, kind and inherit");
    }
    return 0;
}

/* Names with another meaning in a look. ANSI colour names may be redefined. */
static bool theme_is_reserved(struct gb_bytes name)
{
    for (size_t i = 0; i < ARRAY_SIZE(attribute_names); i++)
        if (gb_bytes_equal(name, attribute_names[i]))
            return true;
    return gb_bytes_equal(name, "on") || gb_bytes_equal(name, "default");
}

static int theme_read_palette(struct reader *reader, struct gb_bytes key, struct gb_bytes value)
{
    struct theme_file *file = reader->file;

    if (file->palette_count == THEME_PALETTE_MAX)
        return theme_bad(reader, "the palette has too many colours");
    if (!theme_plain_name(key) || theme_is_reserved(key) ||
        !theme_copy(file->palette[file->palette_count].name, THEME_NAME_MAX, key))
        return theme_bad(reader, "a colour is named with a–z, 0–9 and -, and not as an attribute");
    if (!theme_parse_colour(value, &file->palette[file->palette_count].value))
        return theme_bad(reader, "a colour is #rrggbb, a name of ANSI, or default");
    for (size_t i = 0; i < file->palette_count; i++)
        if (strcmp(file->palette[i].name, file->palette[file->palette_count].name) == 0)
            return theme_bad(reader, "the palette has this colour already");
    file->palette_count++;
    return 0;
}

static int theme_read_role(struct reader *reader, struct gb_bytes key, struct gb_bytes value)
{
    char name[THEME_NAME_MAX];
    enum role role;

    if (!theme_copy(name, sizeof(name), key) || (role = role_find(name)) == ROLE_COUNT)
        return theme_bad(reader, "there is no such role");
    if (reader->file->roles[role][0] != '\0')
        return theme_bad(reader, "this role is given twice");
    if (value.size == 0 ||
        !theme_copy(reader->file->roles[role], sizeof(reader->file->roles[role]), value))
        return theme_bad(reader, "the look is empty or too long");
    return 0;
}

static int theme_read_line(struct reader *reader, struct gb_bytes line)
{
    const uint8_t *equals;
    struct gb_bytes key, value;

    line = theme_trim(line);
    if (line.size == 0 || line.data[0] == '#' || line.data[0] == ';')
        return 0;
    if (line.data[0] == '[') {
        if (gb_bytes_equal(line, "[theme]"))
            reader->section = SECTION_THEME;
        else if (gb_bytes_equal(line, "[palette]"))
            reader->section = SECTION_PALETTE;
        else if (gb_bytes_equal(line, "[roles]"))
            reader->section = SECTION_ROLES;
        else
            return theme_bad(reader, "the sections are [theme], [palette] and [roles]");
        return 0;
    }
    equals = memchr(line.data, '=', line.size);
    if (equals == NULL)
        return theme_bad(reader, "a line is NAME = VALUE");
    key = theme_trim((struct gb_bytes){line.data, (size_t)(equals - line.data)});
    value = theme_trim((struct gb_bytes){equals + 1, line.size - (size_t)(equals - line.data) - 1});
    switch (reader->section) {
    case SECTION_THEME:
        return theme_read(reader, key, value);
    case SECTION_PALETTE:
        return theme_read_palette(reader, key, value);
    case SECTION_ROLES:
        return theme_read_role(reader, key, value);
    case SECTION_NONE:
        break;
    }
    return theme_bad(reader, "a section has to come first");
}

int theme_parse(struct gb_bytes text, const char *name, struct theme_file *ret_file,
                struct gb_err *err)
{
    struct reader reader = {.file = ret_file, .err = err};

    *ret_file = (struct theme_file){.light = -1};
    if (text.size > THEME_BYTES_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "a theme has at most %d bytes", THEME_BYTES_MAX);
    if (!theme_copy(ret_file->name, sizeof(ret_file->name), gb_bytes_str(name)))
        return gb_err_set(err, GB_EINVALID, "the name of the theme is too long");
    while (text.size > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - text.data);
        int r;

        reader.line++;
        r = theme_read_line(&reader, (struct gb_bytes){text.data, size});
        if (r < 0)
            return r;
        size += end != NULL;
        text.data += size;
        text.size -= size;
    }
    return 0;
}

/* ---- resolving ---- */

/* The nearest file that defines it wins, so that a theme may only replace the palette. */
static bool theme_find_colour(const struct theme_file *files, size_t count, struct gb_bytes name,
                              colour *ret_colour)
{
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < files[i].palette_count; j++)
            if (gb_bytes_equal(name, files[i].palette[j].name)) {
                *ret_colour = files[i].palette[j].value;
                return true;
            }
    return theme_parse_colour(name, ret_colour);
}

static bool theme_find_attribute(struct gb_bytes word, uint8_t *attributes)
{
    for (unsigned i = 0; i < ARRAY_SIZE(attribute_names); i++)
        if (gb_bytes_equal(word, attribute_names[i])) {
            *attributes |= (uint8_t)(1u << i);
            return true;
        }
    return false;
}

struct partial {
    struct look look;
    bool given, has_fg, has_bg;
};

static struct gb_bytes theme_next_word(const char **at)
{
    struct gb_bytes word;

    *at += strspn(*at, " \t");
    word = (struct gb_bytes){(const uint8_t *)*at, strcspn(*at, " \t")};
    *at += word.size;
    return word;
}

static int theme_parse_look(const struct theme_file *files, size_t count, const char *text,
                            const char *role, struct partial *ret_partial, struct gb_err *err)
{
    struct partial partial = {.given = true};
    const char *at = text;
    bool on = false;

    for (;;) {
        struct gb_bytes word = theme_next_word(&at);

        if (word.size == 0)
            break;
        if (!on && gb_bytes_equal(word, "on") && !partial.has_bg) {
            on = true;
        } else if (on) {
            if (!theme_find_colour(files, count, word, &partial.look.bg))
                return gb_err_set(err, GB_EINVALID, "%s: there is no colour %.*s", role,
                                  (int)word.size, (const char *)word.data);
            partial.has_bg = true;
            on = false;
        } else if (!theme_find_attribute(word, &partial.look.attributes)) {
            if (partial.has_fg || !theme_find_colour(files, count, word, &partial.look.fg))
                return gb_err_set(err, GB_EINVALID, "%s: there is no colour or attribute %.*s",
                                  role, (int)word.size, (const char *)word.data);
            partial.has_fg = true;
        }
    }
    if (on)
        return gb_err_set(err, GB_EINVALID, "%s: a colour is missing after `on`", role);
    *ret_partial = partial;
    return 0;
}

/* The look of the longest prefix of the role's name, else that of `text`. */
static const struct partial *theme_parent_of(const struct partial *partials, enum role role)
{
    char name[THEME_NAME_MAX];
    char *dot;

    (void)snprintf(name, sizeof(name), "%s", role_name(role));
    while ((dot = strrchr(name, '.')) != NULL) {
        enum role parent;

        *dot = '\0';
        parent = role_find(name);
        if (parent != ROLE_COUNT && partials[parent].given)
            return &partials[parent];
    }
    return &partials[ROLE_TEXT];
}

int theme_resolve(const struct theme_file *files, size_t count, struct theme *ret_theme,
                  struct gb_err *err)
{
    struct partial partials[ROLE_COUNT] = {0};

    *ret_theme = (struct theme){0};
    (void)snprintf(ret_theme->name, sizeof(ret_theme->name), "%s", files[0].name);
    for (size_t i = 0; i < count; i++)
        if (files[i].light >= 0) {
            ret_theme->light = files[i].light > 0;
            break;
        }
    for (size_t role = 0; role < ROLE_COUNT; role++)
        for (size_t i = 0; i < count && !partials[role].given; i++)
            if (files[i].roles[role][0] != '\0') {
                int r = theme_parse_look(files, count, files[i].roles[role],
                                         role_name((enum role)role), &partials[role], err);

                if (r < 0)
                    return r;
            }
    for (size_t role = 0; role < ROLE_COUNT; role++) {
        struct partial look = partials[role];

        if (role != ROLE_TEXT) {
            const struct partial *parent = theme_parent_of(partials, (enum role)role);

            if (!look.given)
                look = *parent;
            if (!look.has_fg)
                look.look.fg = parent->has_fg ? parent->look.fg : partials[ROLE_TEXT].look.fg;
            if (!look.has_bg)
                look.look.bg = parent->has_bg ? parent->look.bg : partials[ROLE_TEXT].look.bg;
        }
        ret_theme->looks.roles[role] = look.look;
    }
    return 0;
}

void theme_fallback(struct theme *ret_theme)
{
    static const struct {
        enum role role;
        uint8_t attributes;
    } looks[] = {
        {ROLE_DIM, ATTRIBUTE_DIM},
        {ROLE_STRONG, ATTRIBUTE_BOLD},
        {ROLE_HEADER, ATTRIBUTE_REVERSE},
        {ROLE_HEADER_NAME, ATTRIBUTE_REVERSE | ATTRIBUTE_BOLD},
        {ROLE_HEADER_DIM, ATTRIBUTE_REVERSE},
        {ROLE_HEADER_STRONG, ATTRIBUTE_REVERSE | ATTRIBUTE_BOLD},
        {ROLE_HEADING, ATTRIBUTE_BOLD},
        {ROLE_HEADING_SORTED, ATTRIBUTE_BOLD | ATTRIBUTE_UNDERLINE},
        {ROLE_ROW_SELECTED, ATTRIBUTE_REVERSE},
        {ROLE_BAR, ATTRIBUTE_REVERSE},
        {ROLE_BAR_KEY, ATTRIBUTE_REVERSE | ATTRIBUTE_BOLD},
        {ROLE_BAR_REPL, ATTRIBUTE_BOLD},
        {ROLE_POPUP_SELECTED, ATTRIBUTE_REVERSE},
        {ROLE_MATCH, ATTRIBUTE_UNDERLINE},
        {ROLE_MATCH_CURRENT, ATTRIBUTE_REVERSE},
        {ROLE_SELECTION, ATTRIBUTE_REVERSE},
        {ROLE_CELL_SELECTED, ATTRIBUTE_REVERSE},
    };

    *ret_theme = (struct theme){.name = "plain"};
    for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
        ret_theme->looks.roles[looks[i].role].attributes = looks[i].attributes;
}

/* ---- contrast ---- */

static double theme_channel(uint32_t value)
{
    double share = (double)(value & 0xff) / 255;

    return share <= 0.04045 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4);
}

static double theme_luminance(colour c)
{
    uint32_t rgb = COLOUR_IS_INDEX(c) ? colour_of_index(c & 0xff) : c & 0xffffff;

    return 0.2126 * theme_channel(rgb >> 16) + 0.7152 * theme_channel(rgb >> 8) +
           0.0722 * theme_channel(rgb);
}

double theme_contrast(colour a, colour b)
{
    double la = theme_luminance(a), lb = theme_luminance(b);

    return (MAX(la, lb) + 0.05) / (MIN(la, lb) + 0.05);
}
