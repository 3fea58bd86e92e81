/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/language.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "language/language.h"

bool language_is_notebook(const char *path)
{
    return strcasecmp(gb_file_ending(path), ".ipynb") == 0;
}

/* Removes the next word from the front of @line; empty at its end. */
static struct gb_bytes language_next_word(struct gb_bytes *line)
{
    struct gb_bytes word;
    size_t size = 0;

    while (line->size > 0 && (line->data[0] == ' ' || line->data[0] == '\t')) {
        line->data++;
        line->size--;
    }
    while (size < line->size && line->data[size] != ' ' && line->data[size] != '\t')
        size++;
    word = (struct gb_bytes){line->data, size};
    line->data += size;
    line->size -= size;
    return word;
}

static struct gb_bytes language_without_folders(struct gb_bytes path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.data[i - 1] == '/')
            return (struct gb_bytes){path.data + i, path.size - i};
    return path;
}

/* The program that `env` is told to run: after its options, of which -u and -C take a value and -S
 * may have text attached, and after variables. */
static struct gb_bytes language_word_for_env(struct gb_bytes *line)
{
    for (;;) {
        struct gb_bytes word = language_next_word(line);

        if (word.size == 0)
            return word;
        if (gb_bytes_equal(word, "-u") || gb_bytes_equal(word, "-C"))
            (void)language_next_word(line);
        else if (word.size > 2 && memcmp(word.data, "-S", 2) == 0)
            return (struct gb_bytes){word.data + 2, word.size - 2};
        else if (word.data[0] != '-' && memchr(word.data, '=', word.size) == NULL)
            return word;
    }
}

bool shebang_program(struct gb_bytes code, struct gb_buf *ret_program)
{
    struct gb_bytes line, word;
    const uint8_t *end;

    if (code.size < 3 || memcmp(code.data, "#!", 2) != 0)
        return false;
    line = (struct gb_bytes){code.data + 2, MIN(code.size, (size_t)GB_SHEBANG_MAX) - 2};
    for (const char *stop = "\n\r"; *stop != '\0'; stop++) {
        end = memchr(line.data, *stop, line.size);
        if (end != NULL)
            line.size = (size_t)(end - line.data);
    }
    word = language_without_folders(language_next_word(&line));
    if (gb_bytes_equal(word, "env"))
        word = language_without_folders(language_word_for_env(&line));
    gb_buf_add(ret_program, word.data, word.size);
    return word.size > 0;
}
