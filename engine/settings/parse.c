/* SPDX-License-Identifier: Apache-2.0 */
/* Parses the file line by line. The section is the only state between lines. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "settings/internal.h"

enum { SHOWN_MAX = 60, PLACE_MAX = 200 };

struct reader {
    struct gb_settings *settings;
    const char *name;
    unsigned line;
    const struct gb_settings_section *section; /* NULL: before the first section */
    size_t pool;                               /* in a named section: index in settings->pools */
    bool in_pool;
    struct gb_err *err;
};

static int complain(struct reader *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int complain(struct reader *reader, const char *format, ...)
{
    struct gb_buf text = {0};
    va_list args;
    int r;

    va_start(args, format);
    gb_buf_vaddf(&text, format, args);
    va_end(args);
    r = gb_err_set(reader->err, GB_EINVALID, "%.*s:%u: %s", PLACE_MAX, reader->name, reader->line,
                   gb_buf_str(&text));
    gb_buf_release(&text);
    return r;
}

/* Untrusted text, escaped for a message; uses the caller's buffer. */
static const char *shown(struct gb_buf *buf, struct gb_bytes text)
{
    gb_buf_clear(buf);
    gb_escape(buf, text, SHOWN_MAX);
    return gb_buf_str(buf);
}

static bool is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static void parse_skip_space(struct gb_bytes *text)
{
    while (text->size > 0 && is_space(text->data[0])) {
        text->data++;
        text->size--;
    }
}

/* Only a comment may follow. */
static bool is_rest_empty(struct gb_bytes text)
{
    bool spaced = text.size > 0 && is_space(text.data[0]);

    parse_skip_space(&text);
    return text.size == 0 || (spaced && text.data[0] == '#');
}

/* A quoted text with \" and \\; @text starts at the opening quote and is moved past the closing
 * one. False if it is malformed. */
static bool read_quoted(struct gb_bytes *text, struct gb_buf *ret_value)
{
    size_t at = 1;

    for (; at < text->size && text->data[at] != '"'; at++) {
        if (text->data[at] == '\\') {
            at++;
            if (at >= text->size || (text->data[at] != '"' && text->data[at] != '\\'))
                return false;
        }
        gb_buf_add_u8(ret_value, text->data[at]);
    }
    if (at >= text->size)
        return false;
    text->data += at + 1;
    text->size -= at + 1;
    return true;
}

/* The texts of the section. */
static struct gb_settings_texts *texts_of(const struct reader *reader)
{
    return (struct gb_settings_texts *)(void *)((char *)reader->settings + reader->section->lines);
}

static int add_text(struct reader *reader, struct gb_buf *name)
{
    struct gb_settings_texts *texts = texts_of(reader);
    const char *kind = reader->section->name;

    if (name->size == 0 || name->size > GB_SETTINGS_NAME_MAX ||
        gb_bytes_equal(gb_buf_bytes(name), "none") || gb_bytes_equal(gb_buf_bytes(name), "off"))
        return complain(reader,
                        "a %s may not be called none or off, and its name has 1 to %d bytes", kind,
                        GB_SETTINGS_NAME_MAX);
    for (size_t i = 0; i < texts->count; i++)
        if (gb_bytes_equal(gb_buf_bytes(name), texts->list[i].name))
            return complain(reader, "there is a %s of that name already, in line %u", kind,
                            texts->list[i].line);
    if (texts->count >= GB_SETTINGS_TEXTS_MAX)
        return complain(reader, "there are more than %d %ss", GB_SETTINGS_TEXTS_MAX, kind);
    if (texts->list == NULL)
        texts->list = xcalloc(GB_SETTINGS_TEXTS_MAX, sizeof(*texts->list));
    texts->list[texts->count++] =
        (struct gb_settings_text){gb_buf_take_str(name), xstrdup(""), reader->line};
    return 0;
}

/* Lines are stored as they are: who uses them parses them. */
static int add_line(const struct reader *reader, struct gb_bytes line)
{
    struct gb_settings_texts *texts = texts_of(reader);
    struct gb_settings_text *last = &texts->list[texts->count - 1];
    char *text = xasprintf("%s%.*s\n", last->text, (int)line.size, (const char *)line.data);

    free(last->text);
    last->text = text;
    return 0;
}

/* `[name]` or `[name "other name"]`. */
static int read_section(struct reader *reader, struct gb_bytes text)
{
    _cleanup_(gb_buf_release) struct gb_buf name = {0}, buf = {0};
    const struct gb_settings_section *section = gb_settings_sections;
    struct gb_settings_pool *pool;
    struct gb_bytes word = {text.data + 1, 0};
    bool named = false;

    while (word.size + 1 < text.size && word.data[word.size] != ']' &&
           !is_space(word.data[word.size]))
        word.size++;
    text.data += word.size + 1;
    text.size -= word.size + 1;
    parse_skip_space(&text);
    if (text.size > 0 && text.data[0] == '"') {
        named = true;
        if (!read_quoted(&text, &name))
            return complain(reader, "the name of the section does not end in a quotation mark");
        parse_skip_space(&text);
    }
    if (text.size == 0 || text.data[0] != ']')
        return complain(reader, "the section does not end in ]");
    text.data++;
    text.size--;
    if (!is_rest_empty(text))
        return complain(reader, "there is text after the section's ]");
    while (section->name != NULL && !gb_bytes_equal(word, section->name))
        section++;
    if (section->name == NULL)
        return complain(reader, "there is no section [%s]", shown(&buf, word));
    if (named && !section->named && section->lines == 0)
        return complain(reader, "the section [%s] takes no name", section->name);
    reader->section = section;
    reader->in_pool = named && section->named;
    if (section->lines != 0 && !named)
        return complain(reader, "the section [%s] needs a name, in quotation marks", section->name);
    if (!named)
        return 0;
    if (section->lines != 0)
        return add_text(reader, &name);
    if (name.size == 0 || name.size > GB_SETTINGS_NAME_MAX)
        return complain(reader, "the name of the section must have 1 to %d bytes",
                        GB_SETTINGS_NAME_MAX);
    pool = gb_settings_pool(reader->settings, gb_buf_str(&name));
    if (pool == NULL)
        return complain(reader, "there are more than %d pools", GB_SETTINGS_POOLS_MAX);
    pool->line = reader->line;
    reader->pool = (size_t)(pool - reader->settings->pools);
    return 0;
}

/* The option that was probably meant: the one with the longest common prefix. */
static const char *nearest(const struct reader *reader, struct gb_bytes key)
{
    const char *best = NULL;
    size_t most = 2;

    for (size_t i = 0; i < gb_option_count; i++) {
        const struct gb_option *option = &gb_options[i];
        size_t same = 0;

        if (strcmp(option->section, reader->section->name) != 0 ||
            option->of_pool != reader->in_pool)
            continue;
        while (same < key.size && option->key[same] == (char)key.data[same] &&
               option->key[same] != '\0')
            same++;
        if (same > most) {
            most = same;
            best = option->key;
        }
    }
    return best;
}

static int unknown(struct reader *reader, struct gb_bytes key)
{
    _cleanup_(gb_buf_release) struct gb_buf buf = {0};
    const char *meant = nearest(reader, key);

    return complain(reader, "[%s%s] has no option \"%s\"%s%s%s", reader->section->name,
                    reader->in_pool ? " \"…\"" : "", shown(&buf, key),
                    meant != NULL ? "; did you mean " : "", meant != NULL ? meant : "",
                    meant != NULL ? "?" : "");
}

/* Marks the option as given; false if it already was. */
static bool mark(uint64_t *bits, size_t index)
{
    uint64_t bit = UINT64_C(1) << (index % 64);
    bool first = (bits[index / 64] & bit) == 0;

    bits[index / 64] |= bit;
    return first;
}

/* The row's index among those of its kind. */
static size_t row_of(const struct gb_option *option)
{
    size_t row = 0;

    for (const struct gb_option *before = gb_options; before < option; before++)
        row += before->of_pool == option->of_pool ? 1 : 0;
    return row;
}

static int set_pair(struct reader *reader, struct gb_bytes key, struct gb_bytes value)
{
    struct gb_settings_list *list =
        (struct gb_settings_list *)(void *)((char *)reader->settings + reader->section->list);
    _cleanup_(gb_buf_release) struct gb_buf buf = {0};
    struct gb_settings_pair *pair;

    if (value.size == 0)
        return complain(reader, "[%s] %s has no value", reader->section->name, shown(&buf, key));
    if (reader->section->reserved != NULL && gb_bytes_equal(key, reader->section->reserved))
        return complain(reader, "[%s] cannot name %s", reader->section->name,
                        reader->section->reserved_says);
    for (size_t i = 0; i < list->count; i++)
        if (gb_bytes_equal(key, list->pairs[i].key))
            return complain(reader, "%s is given twice, first in line %u", shown(&buf, key),
                            list->pairs[i].line);
    if (list->count >= GB_SETTINGS_PAIRS_MAX)
        return complain(reader, "[%s] has more than %d lines", reader->section->name,
                        GB_SETTINGS_PAIRS_MAX);
    if (list->pairs == NULL)
        list->pairs = xcalloc(GB_SETTINGS_PAIRS_MAX, sizeof(*list->pairs));
    pair = &list->pairs[list->count++];
    pair->key = xstrndup((const char *)key.data, key.size);
    pair->value = xstrndup((const char *)value.data, value.size);
    pair->line = reader->line;
    return 0;
}

static int set(struct reader *reader, struct gb_bytes key, struct gb_bytes value)
{
    const struct gb_option *option;
    struct gb_settings_pool *pool = NULL;
    _cleanup_(gb_buf_release) struct gb_buf buf = {0};
    char where[PLACE_MAX + 32];

    if (reader->section->list != 0)
        return set_pair(reader, key, value);
    option = option_find(reader->section->name, reader->in_pool, key);
    if (option == NULL)
        return unknown(reader, key);
    if (reader->in_pool)
        pool = &reader->settings->pools[reader->pool];
    if (!mark(pool != NULL ? &pool->given : reader->settings->given, row_of(option)))
        return complain(reader, "%s is given twice", shown(&buf, key));
    (void)snprintf(where, sizeof(where), "%.*s:%u", PLACE_MAX, reader->name, reader->line);
    return gb_option_set(option, reader->settings, pool, where, value, reader->err);
}

/* `key = value`; either may be quoted. */
static int read_pair(struct reader *reader, struct gb_bytes text)
{
    _cleanup_(gb_buf_release) struct gb_buf key = {0}, value = {0};

    if (reader->section == NULL)
        return complain(reader, "an option comes before the first [section]");
    if (text.data[0] == '"') {
        if (!read_quoted(&text, &key))
            return complain(reader, "the key does not end in a quotation mark");
    } else {
        while (text.size > 0 && text.data[0] != '=' && !is_space(text.data[0])) {
            gb_buf_add_u8(&key, text.data[0]);
            text.data++;
            text.size--;
        }
    }
    parse_skip_space(&text);
    if (text.size == 0 || text.data[0] != '=')
        return complain(reader, "this is neither `[section]` nor `key = value`");
    if (key.size == 0 || key.size > GB_SETTINGS_NAME_MAX)
        return complain(reader, "a key must have 1 to %d bytes", GB_SETTINGS_NAME_MAX);
    text.data++;
    text.size--;
    parse_skip_space(&text);
    if (text.size > 0 && text.data[0] == '"') {
        if (!read_quoted(&text, &value))
            return complain(reader, "the value does not end in a quotation mark");
        if (!is_rest_empty(text))
            return complain(reader, "there is text after the value");
    } else {
        size_t end = 0;

        while (end < text.size &&
               !(text.data[end] == '#' && (end == 0 || is_space(text.data[end - 1]))))
            end++;
        while (end > 0 && is_space(text.data[end - 1]))
            end--;
        gb_buf_add(&value, text.data, end);
    }
    return set(reader, gb_buf_bytes(&key), gb_buf_bytes(&value));
}

static int parse_read_line(struct reader *reader, struct gb_bytes text)
{
    if (text.size > GB_SETTINGS_LINE_MAX)
        return complain(reader, "the line has more than %d bytes", GB_SETTINGS_LINE_MAX);
    if (!gb_utf8_valid(text))
        return complain(reader, "the line is not UTF-8");
    for (size_t i = 0; i < text.size; i++)
        if ((text.data[i] < ' ' && text.data[i] != '\t') || text.data[i] == 127)
            return complain(reader, "the line has a control character (0x%02x)", text.data[i]);
    parse_skip_space(&text);
    if (text.size == 0 || text.data[0] == '#')
        return 0;
    if (text.data[0] == '[')
        return read_section(reader, text);
    if (reader->section != NULL && reader->section->lines != 0)
        return add_line(reader, text);
    return read_pair(reader, text);
}

int gb_settings_parse(struct gb_settings *settings, const char *name, struct gb_bytes text,
                      struct gb_err *err)
{
    struct reader reader = {.settings = settings, .name = name, .err = err};
    struct gb_bytes line;

    if (text.size > GB_SETTINGS_FILE_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "%.*s has more than %d bytes", PLACE_MAX, name,
                          GB_SETTINGS_FILE_MAX);
    while (gb_bytes_line(&text, &line)) {
        int r;

        reader.line++;
        r = parse_read_line(&reader, line);
        if (r < 0)
            return r;
    }
    return 0;
}
