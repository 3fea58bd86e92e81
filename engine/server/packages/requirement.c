/* SPDX-License-Identifier: Apache-2.0 */
#include "requirement.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define HASH " --hash="

enum { SHOWN = 80 };

/* Takes the longest beginning of these characters. */
static struct gb_bytes requirement_span(struct gb_bytes *text, const char *characters)
{
    struct gb_bytes span = {text->data, 0};

    while (span.size < text->size && text->data[span.size] != '\0' &&
           strchr(characters, text->data[span.size]) != NULL)
        span.size++;
    text->data += span.size;
    text->size -= span.size;
    return span;
}

static bool requirement_is_letter(uint8_t byte)
{
    return byte != '\0' && strchr(LETTERS DIGITS, byte) != NULL;
}

/* A name begins and ends with a letter or a digit. */
static bool requirement_take_word(struct gb_bytes *text)
{
    const struct gb_bytes word = requirement_span(text, LETTERS DIGITS "._-");

    return word.size > 0 && requirement_is_letter(word.data[0]) &&
           requirement_is_letter(word.data[word.size - 1]);
}

static bool requirement_take_name(struct gb_bytes *text)
{
    if (gb_bytes_skip(text, "@") && (!requirement_take_word(text) || !gb_bytes_skip(text, "/")))
        return false;
    if (!requirement_take_word(text))
        return false;
    if (gb_bytes_skip(text, "[")) {
        (void)requirement_span(text, LETTERS DIGITS "._-, ");
        return gb_bytes_skip(text, "]");
    }
    return true;
}

/* Versions and comparisons: after a space or directly, never anything that begins like an option.
 */
static bool requirement_take_version(struct gb_bytes *text)
{
    (void)requirement_span(text, " ");
    if (text->size == 0 || text->data[0] == ';')
        return true;
    if (strchr("=<>!~@", text->data[0]) == NULL)
        return false;
    (void)requirement_span(text, LETTERS DIGITS "._-=<>!~^@*+,| ");
    return true;
}

static bool requirement_take_marker(struct gb_bytes *text)
{
    if (!gb_bytes_skip(text, ";"))
        return true;
    (void)requirement_span(text, LETTERS DIGITS "._-=<>!~*+, ()'\"");
    return true;
}

static bool requirement_take_hashes(struct gb_bytes *text)
{
    while (text->size > 0) {
        if (!gb_bytes_skip(text, "--hash="))
            return false;
        if (requirement_span(text, LETTERS DIGITS).size == 0 || !gb_bytes_skip(text, ":") ||
            requirement_span(text, LETTERS DIGITS "+/=").size == 0)
            return false;
        if (text->size > 0 && requirement_span(text, " ").size == 0)
            return false;
    }
    return true;
}

/* Where the digests begin. What is before them must have no word that begins with a dash: package
 * managers take it for an option. */
static size_t requirement_find(struct gb_bytes line, const char *text)
{
    const size_t size = strlen(text);

    for (size_t i = 0; i + size <= line.size; i++)
        if (memcmp(line.data + i, text, size) == 0)
            return i;
    return line.size;
}

int requirement_check(struct gb_bytes line, struct gb_err *err)
{
    const size_t end = requirement_find(line, HASH);
    struct gb_bytes text = {line.data, end};
    struct gb_bytes hashes = {line.data + end, line.size - end};

    (void)requirement_span(&hashes, " ");
    if (line.size <= (size_t)GB_PACKAGE_MAX && requirement_find(text, " -") == end &&
        requirement_take_name(&text) && requirement_take_version(&text) &&
        requirement_take_marker(&text) && text.size == 0 && requirement_take_hashes(&hashes))
        return 0;
    return gb_err_set(err, GB_EINVALID,
                      "%.*s is no package: it takes NAME, NAME==VERSION or the like, and neither "
                      "options nor addresses nor paths",
                      (int)MIN(line.size, (size_t)SHOWN), (const char *)line.data);
}
