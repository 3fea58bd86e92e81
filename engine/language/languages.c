/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of languages: reading them, and lookups. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "language/language.h"

/* ---- reading ---- */

/* Attributes that must be unique in a set. */
static const size_t languages_unique[] = {
    offsetof(struct gb_language, aliases),           offsetof(struct gb_language, endings),
    offsetof(struct gb_language, programs),          offsetof(struct gb_language, refused.endings),
    offsetof(struct gb_language, highlight.endings),
};

static const struct gb_texts *languages_words(const struct gb_language *language, size_t offset)
{
    return (const struct gb_texts *)(const void *)((const char *)language + offset);
}

/* A word that both contain, or NULL. */
static const char *languages_common(const struct gb_language *one, const struct gb_language *other)
{
    if (strcmp(one->name, other->name) == 0 || gb_texts_have(&other->aliases, one->name))
        return one->name;
    if (gb_texts_have(&one->aliases, other->name))
        return other->name;
    for (size_t i = 0; i < ARRAY_SIZE(languages_unique); i++) {
        const struct gb_texts *words = languages_words(one, languages_unique[i]);

        for (size_t k = 0; k < words->count; k++)
            if (gb_texts_have(languages_words(other, languages_unique[i]), words->list[k]))
                return words->list[k];
    }
    return NULL;
}

static int languages_add(struct gb_languages *languages, struct gb_language *language,
                         struct gb_err *err)
{
    if (languages->count == GB_LANGUAGES_MAX)
        return gb_err_set(err, GB_EINVALID, "there are more than %d languages",
                          (int)GB_LANGUAGES_MAX);
    for (size_t i = 0; i < languages->count; i++) {
        const char *common = languages_common(languages->list[i], language);

        if (common != NULL)
            return gb_err_set(err, GB_EINVALID, "the languages %s and %s both claim %s",
                              languages->list[i]->name, language->name, common);
    }
    languages->list[languages->count++] = gb_language_ref(language);
    return 0;
}

int gb_languages_read(const struct gb_json *records, enum gb_language_source source,
                      struct gb_languages *ret_languages, struct gb_err *err)
{
    struct gb_languages languages = {0};
    const struct gb_json *record;

    if (records == NULL || records->type != GB_JSON_ARRAY)
        return source == GB_LANGUAGE_OF_SERVER
                   ? 0
                   : gb_err_set(err, GB_EINVALID, "it has no list of languages");
    record = gb_json_first(records);
    for (uint32_t i = 0; i < records->count; i++, record = gb_json_next(record)) {
        _cleanup_(gb_language_unrefp) struct gb_language *language = NULL;
        int r = gb_language_read(record, source, &language, err);

        if (r == 0)
            r = languages_add(&languages, language, err);
        if (r < 0 && source == GB_LANGUAGE_OF_FILE) {
            gb_languages_release(&languages);
            return r;
        }
    }
    *ret_languages = languages;
    return 0;
}

int gb_languages_read_file(struct gb_bytes text, struct gb_languages *ret_languages,
                           struct gb_err *err)
{
    _cleanup_(freep) char *copy = xstrndup((const char *)text.data, text.size);
    struct gb_json_doc doc = {0};
    int r = gb_json_parse(&doc, (uint8_t *)copy, strlen(copy), GB_LANGUAGE_VALUES_MAX, err);

    if (r == 0)
        r = gb_languages_read(gb_json_member(doc.nodes, "languages"), GB_LANGUAGE_OF_FILE,
                              ret_languages, err);
    gb_json_release(&doc);
    return r;
}

void gb_languages_release(struct gb_languages *languages)
{
    for (size_t i = 0; i < languages->count; i++)
        gb_language_unref(languages->list[i]);
    *languages = (struct gb_languages){0};
}

/* ---- finding ---- */

struct gb_language *gb_languages_find(const struct gb_languages *languages, const char *name)
{
    for (size_t i = 0; languages != NULL && i < languages->count; i++)
        if (strcmp(languages->list[i]->name, name) == 0)
            return languages->list[i];
    return NULL;
}

const struct gb_language *gb_languages_named(const struct gb_languages *languages,
                                             struct gb_bytes name)
{
    for (size_t i = 0; languages != NULL && i < languages->count; i++)
        if (gb_bytes_equal(name, languages->list[i]->name))
            return languages->list[i];
    return &gb_language_unknown;
}

struct gb_language *gb_languages_of_word(const struct gb_languages *languages, const char *word)
{
    struct gb_language *language = gb_languages_find(languages, word);

    for (size_t i = 0; languages != NULL && language == NULL && i < languages->count; i++)
        if (gb_texts_have(&languages->list[i]->aliases, word))
            language = languages->list[i];
    return language;
}

const char *gb_file_ending(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return dot != NULL && dot > name ? dot : "";
}

/* Looks up an extension in the list at @offset. */
static struct gb_language *languages_of_ending(const struct gb_languages *languages, size_t offset,
                                               const char *path)
{
    const char *ending = gb_file_ending(path);

    for (size_t i = 0; languages != NULL && i < languages->count; i++) {
        const struct gb_texts *endings = languages_words(languages->list[i], offset);

        for (size_t k = 0; k < endings->count; k++)
            if (strcasecmp(endings->list[k], ending) == 0)
                return languages->list[i];
    }
    return NULL;
}

struct gb_language *gb_languages_of_file(const struct gb_languages *languages, const char *path)
{
    return languages_of_ending(languages, offsetof(struct gb_language, endings), path);
}

struct gb_language *gb_languages_of_refused(const struct gb_languages *languages, const char *path)
{
    return languages_of_ending(languages, offsetof(struct gb_language, refused.endings), path);
}

struct gb_language *gb_languages_of_coloured(const struct gb_languages *languages, const char *path)
{
    struct gb_language *language = gb_languages_of_file(languages, path);

    if (language == NULL)
        language =
            languages_of_ending(languages, offsetof(struct gb_language, highlight.endings), path);
    return language;
}

/* A trailing "*" in @pattern matches digits: python3.11. */
static bool languages_program_fits(const char *pattern, const char *program)
{
    size_t size = strlen(pattern);

    if (size == 0 || pattern[size - 1] != '*')
        return strcmp(pattern, program) == 0;
    size--;
    return strncmp(pattern, program, size) == 0 &&
           strspn(program + size, "0123456789") == strlen(program + size);
}

struct gb_language *gb_languages_of_program(const struct gb_languages *languages,
                                            const char *program)
{
    for (size_t i = 0; languages != NULL && i < languages->count; i++) {
        const struct gb_texts *programs = &languages->list[i]->programs;

        for (size_t k = 0; k < programs->count; k++)
            if (languages_program_fits(programs->list[k], program))
                return languages->list[i];
    }
    return NULL;
}

bool gb_languages_refuse(const struct gb_languages *languages, const char *name)
{
    for (size_t i = 0; languages != NULL && i < languages->count; i++) {
        const struct gb_texts *refused = &languages->list[i]->environment.refused;

        for (size_t k = 0; k < refused->count; k++)
            if (strcasecmp(refused->list[k], name) == 0)
                return true;
    }
    return false;
}

void gb_languages_add_names(const struct gb_languages *languages, struct gb_buf *to)
{
    for (size_t i = 0; languages != NULL && i < languages->count; i++)
        gb_buf_addf(to, "%s%s", i > 0 ? ", " : "", languages->list[i]->name);
}
