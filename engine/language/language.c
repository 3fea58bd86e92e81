/* SPDX-License-Identifier: Apache-2.0 */
#include "language/language.h"

#include <stdlib.h>
#include <string.h>

#include "base/hidden.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

/* ---- the table ---- */

enum field_kind {
    FIELD_NAME,   /* a-z, 0-9, '-', '_', '.', a letter first */
    FIELD_WORD,   /* no spaces */
    FIELD_LINE,   /* one line */
    FIELD_INDENT, /* spaces and tabs */
    FIELD_ENDING, /* a dot, then lower-case letters and digits */
    FIELD_CODE,   /* any text */
};

enum {
    NEEDED = 1,
    MANY = 2, /* a list */
    OWN = 4,  /* only for the engine; not sent to clients */
    WORD_MAX = 64,
    LINE_MAX_BYTES = 160,
    INDENT_MAX = 16,
    CELL_MAX = 4096,
    WORDS_MAX = 256, /* per list of keywords or types */
    LIST_MAX = 32,
    CELLS_MAX = 8,
};

/* In the order in which they are written; the fields of a section are adjacent. */
static const struct field {
    const char *section; /* NULL: a member of the record itself */
    const char *key;
    size_t offset;
    enum field_kind kind;
    unsigned flags;
    size_t max; /* number of values in a list */
} language_fields[] = {
#define AT(member) offsetof(struct gb_language, member)
    {NULL, "name", AT(name), FIELD_NAME, NEEDED, 1},
    {NULL, "title", AT(title), FIELD_LINE, NEEDED, 1},
    {NULL, "aliases", AT(aliases), FIELD_WORD, MANY, LIST_MAX},
    {NULL, "endings", AT(endings), FIELD_ENDING, MANY, LIST_MAX},
    {NULL, "programs", AT(programs), FIELD_WORD, MANY, LIST_MAX},
    {"refused", "endings", AT(refused.endings), FIELD_ENDING, MANY, LIST_MAX},
    {"refused", "why", AT(refused.why), FIELD_LINE, 0, 1},
    {"prompt", "first", AT(prompt.first), FIELD_LINE, NEEDED, 1},
    {"prompt", "more", AT(prompt.more), FIELD_LINE, NEEDED, 1},
    {"prompt", "indent", AT(prompt.indent), FIELD_INDENT, NEEDED, 1},
    {"prompt", "goes_on", AT(prompt.goes_on), FIELD_WORD, MANY, LIST_MAX},
    {"notebook", "kernel", AT(notebook.kernel), FIELD_WORD, NEEDED, 1},
    {"notebook", "title", AT(notebook.title), FIELD_LINE, NEEDED, 1},
    {"notebook", "shell", AT(notebook.shell), FIELD_LINE, 0, 1},
    {"notebook", "process", AT(notebook.process), FIELD_LINE, 0, 1},
    {"errors", "no_input", AT(errors.no_input), FIELD_LINE, 0, 1},
    {"highlight", "lexer", AT(highlight.lexer), FIELD_NAME, NEEDED, 1},
    {"highlight", "endings", AT(highlight.endings), FIELD_ENDING, MANY, LIST_MAX},
    {"highlight", "keywords", AT(highlight.keywords), FIELD_WORD, MANY, WORDS_MAX},
    {"highlight", "types", AT(highlight.types), FIELD_WORD, MANY, WORDS_MAX},
    {"highlight", "comments", AT(highlight.comments), FIELD_WORD, MANY, LIST_MAX},
    {"highlight", "block", AT(highlight.block), FIELD_WORD, MANY, 2},
    {"highlight", "strings", AT(highlight.strings), FIELD_WORD, MANY, LIST_MAX},
    {"highlight", "variables", AT(highlight.variables), FIELD_WORD, 0, 1},
    {"inspect", "variables", AT(inspect.variables), FIELD_CODE, 0, 1},
    {"environment", "refused", AT(environment.refused), FIELD_WORD, MANY | OWN, LIST_MAX},
    {"packages", "network", AT(packages.network), FIELD_NAME, OWN, 1},
    {"warm", "template", AT(warm.template), FIELD_CODE, MANY | OWN, CELLS_MAX},
    {"warm", "pool", AT(warm.pool), FIELD_CODE, MANY | OWN, CELLS_MAX},
#undef AT
};

enum { FIELD_COUNT = ARRAY_SIZE(language_fields) };

static char **field_text(struct gb_language *language, const struct field *field)
{
    return (char **)(void *)((char *)language + field->offset);
}

static struct gb_texts *field_words(struct gb_language *language, const struct field *field)
{
    return (struct gb_texts *)(void *)((char *)language + field->offset);
}

/* ---- what a value may be ---- */

static const size_t field_size_max[] = {
    [FIELD_NAME] = GB_LANGUAGE_NAME_MAX, [FIELD_WORD] = WORD_MAX,   [FIELD_LINE] = LINE_MAX_BYTES,
    [FIELD_INDENT] = INDENT_MAX,         [FIELD_ENDING] = WORD_MAX, [FIELD_CODE] = CELL_MAX,
};

static bool text_is_of(struct gb_bytes text, const char *characters)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == 0 || strchr(characters, text.data[i]) == NULL)
            return false;
    return true;
}

/* Whether it contains no hidden characters; newlines and tabs only in code. */
static bool text_is_plain(struct gb_bytes text, bool code)
{
    uint32_t before = 0;

    for (size_t at = 0; at < text.size;) {
        size_t size = gb_utf8_sequence(text.data + at, text.size - at);
        uint32_t c = size > 0 ? gb_hidden_point(text.data + at, size) : 0;

        if (c == 0 || (c < 0x20 && !(code && (c == '\n' || c == '\t'))) ||
            (c >= 0x20 && (gb_hidden(c) || gb_hidden_behind(before, c))))
            return false;
        before = c;
        at += size;
    }
    return true;
}

static bool field_allows(const struct field *field, struct gb_bytes text)
{
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
    if (text.size == 0 || text.size > field_size_max[field->kind] ||
        !text_is_plain(text, field->kind == FIELD_CODE || field->kind == FIELD_INDENT))
        return false;
    switch (field->kind) {
    case FIELD_NAME:
        return text.data[0] >= 'a' && text.data[0] <= 'z' && text_is_of(text, SMALL DIGITS "-_.");
    case FIELD_WORD:
        return memchr(text.data, ' ', text.size) == NULL;
    case FIELD_INDENT:
        return text_is_of(text, " \t");
    case FIELD_ENDING:
        return text.size > 1 && text.data[0] == '.' &&
               text_is_of((struct gb_bytes){text.data + 1, text.size - 1}, SMALL DIGITS "_+-");
    default:
        return true;
    }
#undef SMALL
#undef DIGITS
}

/* ---- reading ---- */

static void field_label(const struct field *field, char label[64])
{
    struct gb_buf text = {0};

    gb_buf_addf(&text, "%s%s%s", field->section != NULL ? field->section : "",
                field->section != NULL ? "." : "", field->key);
    (void)memccpy(label, gb_buf_str(&text), '\0', 64);
    gb_buf_release(&text);
}

static int field_refuse(const struct field *field, const char *why, struct gb_err *err)
{
    char label[64];

    field_label(field, label);
    return gb_err_set(err, GB_EINVALID, "\"%s\" %s", label, why);
}

static int field_read_list(struct gb_language *language, const struct field *field,
                           const struct gb_json *value, struct gb_err *err)
{
    struct gb_texts *words = field_words(language, field);
    const struct gb_json *item = gb_json_first(value);

    if (value->count > field->max)
        return field_refuse(field, "has too many values", err);
    words->list = xcalloc((size_t)value->count + 1, sizeof(*words->list));
    for (uint32_t i = 0; i < value->count; i++, item = gb_json_next(item)) {
        char *word;

        if (item->type != GB_JSON_STRING || !field_allows(field, item->text))
            return field_refuse(field, "has a value that it may not have", err);
        word = xstrndup((const char *)item->text.data, item->text.size);
        if (gb_texts_have(words, word) && field->kind != FIELD_CODE) {
            free(word);
            return field_refuse(field, "names something twice", err);
        }
        words->list[words->count++] = word;
    }
    return 0;
}

static int field_read(struct gb_language *language, const struct field *field,
                      const struct gb_json *value, struct gb_err *err)
{
    bool many = (field->flags & MANY) != 0;

    if (value->type != (many ? GB_JSON_ARRAY : GB_JSON_STRING))
        return field_refuse(field, many ? "is no list" : "is no text", err);
    if (many)
        return field_read_list(language, field, value, err);
    if (!field_allows(field, value->text))
        return field_refuse(field, "is what it may not be", err);
    *field_text(language, field) = xstrndup((const char *)value->text.data, value->text.size);
    return 0;
}

/* The index of a member's field; the number of fields if there is none. @section_name NULL: in the
 * record itself. */
static size_t field_find(const char *section_name, struct gb_bytes key)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const char *section = language_fields[i].section;

        if ((section == NULL) == (section_name == NULL) &&
            (section == NULL || strcmp(section, section_name) == 0) &&
            gb_bytes_equal(key, language_fields[i].key))
            return i;
    }
    return FIELD_COUNT;
}

static const char *section_find(struct gb_bytes key)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (language_fields[i].section != NULL && gb_bytes_equal(key, language_fields[i].section))
            return language_fields[i].section;
    return NULL;
}

struct reading {
    struct gb_language *language;
    enum gb_language_source source;
    bool seen[FIELD_COUNT];
};

static int reading_member(struct reading *reading, const char *section,
                          const struct gb_json *member, struct gb_err *err)
{
    size_t i = field_find(section, member->key);

    if (i == FIELD_COUNT && reading->source == GB_LANGUAGE_OF_SERVER)
        return 0;
    if (i == FIELD_COUNT)
        return gb_err_set(err, GB_EINVALID, "\"%s%s%.*s\" is not known",
                          section != NULL ? section : "", section != NULL ? "." : "",
                          (int)MIN(member->key.size, (size_t)WORD_MAX),
                          (const char *)member->key.data);
    if (reading->seen[i])
        return field_refuse(&language_fields[i], "is given twice", err);
    reading->seen[i] = true;
    if (reading->source == GB_LANGUAGE_OF_SERVER && (language_fields[i].flags & OWN) != 0)
        return 0;
    return field_read(reading->language, &language_fields[i], member, err);
}

static int reading_object(struct reading *reading, const char *section,
                          const struct gb_json *object, struct gb_err *err)
{
    const struct gb_json *member = gb_json_first(object);
    int r = 0;

    for (uint32_t i = 0; i < object->count && r == 0; i++, member = gb_json_next(member)) {
        const char *inner = section == NULL ? section_find(member->key) : NULL;

        if (inner == NULL)
            r = reading_member(reading, section, member, err);
        else if (member->type != GB_JSON_OBJECT)
            r = gb_err_set(err, GB_EINVALID, "\"%s\" is not an object", inner);
        else /* depth is limited: sections contain no sections */
            r = reading_object(reading, inner, member, err);
    }
    return r;
}

/* Absent members become empty, unless they are required. */
static int reading_fill(struct reading *reading, struct gb_err *err)
{
    struct gb_language *language = reading->language;

    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &language_fields[i];

        if (!reading->seen[i] && (field->flags & NEEDED) != 0)
            return field_refuse(field, "is missing", err);
        if ((field->flags & MANY) == 0 && *field_text(language, field) == NULL)
            *field_text(language, field) = xstrdup("");
    }
    if (language->highlight.block.count == 1)
        return gb_err_set(err, GB_EINVALID, "\"highlight.block\" has a beginning but no end");
    if ((language->refused.endings.count > 0) != (language->refused.why[0] != '\0'))
        return gb_err_set(err, GB_EINVALID, "\"refused\" needs endings and a reason");
    return 0;
}

int gb_language_read(const struct gb_json *record, enum gb_language_source source,
                     struct gb_language **ret_language, struct gb_err *err)
{
    _cleanup_(gb_language_unrefp) struct gb_language *language = xcalloc(1, sizeof(*language));
    struct reading reading = {.language = language, .source = source};
    int r;

    language->references = 1;
    if (record->type != GB_JSON_OBJECT)
        return gb_err_set(err, GB_EINVALID, "a language must be an object");
    r = reading_object(&reading, NULL, record, err);
    if (r == 0)
        r = reading_fill(&reading, err);
    if (r < 0)
        return language->name != NULL ? gb_err_wrap(err, r, "the language %s", language->name)
                                      : gb_err_wrap(err, r, "a language");
    *ret_language = TAKE_PTR(language);
    return 0;
}

/* ---- writing ---- */

static bool field_is_empty(const struct gb_language *language, const struct field *field)
{
    const void *place = (const char *)language + field->offset;

    return (field->flags & MANY) != 0 ? ((const struct gb_texts *)place)->count == 0
                                      : (*(char *const *)place)[0] == '\0';
}

static void field_put(struct gb_json_out *out, const struct gb_language *language,
                      const struct field *field)
{
    const void *place = (const char *)language + field->offset;
    const struct gb_texts *words = place;

    if ((field->flags & MANY) == 0) {
        gb_json_put_str(out, field->key, *(char *const *)place);
        return;
    }
    gb_json_array(out, field->key);
    for (size_t i = 0; i < words->count; i++)
        gb_json_put_str(out, NULL, words->list[i]);
    gb_json_end(out);
}

void gb_language_put(struct gb_json_out *out, const struct gb_language *language)
{
    const char *section = NULL;

    gb_json_object(out, NULL);
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &language_fields[i];

        if ((field->flags & OWN) != 0 || field_is_empty(language, field))
            continue;
        if (section != NULL && section != field->section)
            gb_json_end(out);
        if (field->section != NULL && section != field->section)
            gb_json_object(out, field->section);
        section = field->section;
        field_put(out, language, field);
    }
    if (section != NULL)
        gb_json_end(out);
    gb_json_end(out);
}

/* ---- life ---- */

struct gb_language *gb_language_ref(struct gb_language *language)
{
    if (language != NULL)
        language->references++;
    return language;
}

void gb_language_unref(struct gb_language *language)
{
    if (language == NULL || --language->references > 0)
        return;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &language_fields[i];
        struct gb_texts *words;

        if ((field->flags & MANY) == 0) {
            free(*field_text(language, field));
            continue;
        }
        words = field_words(language, field);
        for (size_t k = 0; k < words->count; k++)
            free(words->list[k]);
        free(words->list);
    }
    free(language);
}

void gb_language_unrefp(struct gb_language **language)
{
    gb_language_unref(*language);
}

bool gb_texts_have(const struct gb_texts *words, const char *word)
{
    return gb_texts_have_bytes(words, gb_bytes_str(word));
}

bool gb_texts_have_bytes(const struct gb_texts *words, struct gb_bytes word)
{
    for (size_t i = 0; i < words->count; i++)
        if (gb_bytes_equal(word, words->list[i]))
            return true;
    return false;
}

/* ---- the placeholder ---- */

#define EMPTY ((char[]){""})

const struct gb_language gb_language_unknown = {
    .references = 1,
    .name = EMPTY,
    .title = EMPTY,
    .refused = {.why = EMPTY},
    .prompt = {(char[]){"> "}, (char[]){"... "}, (char[]){"    "}, {NULL, 0}},
    .notebook = {EMPTY, EMPTY, EMPTY, EMPTY},
    .errors = {EMPTY},
    .highlight = {.lexer = EMPTY, .variables = EMPTY},
    .inspect = {EMPTY},
    .packages = {EMPTY},
};
