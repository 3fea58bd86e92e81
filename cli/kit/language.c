/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/language.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct name {
    const char *name, *language;
};

const char *language_of_name(const char *name)
{
    static const struct name names[] = {
        {"python", "python"},  {"py", "python"},
        {"python3", "python"}, {"javascript", "javascript"},
        {"js", "javascript"},  {"typescript", "javascript"},
        {"ts", "javascript"},  {"node", "javascript"},
        {"shell", "shell"},    {"sh", "shell"},
        {"bash", "shell"},     {"raw", "shell"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].language;
    return NULL;
}

static const char *language_ending_of(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');

    return dot != NULL && dot > name ? dot : "";
}

const char *language_of_file(const char *path, const char **ret_ending)
{
    static const struct name endings[] = {
        {".py", "python"},      {".js", "javascript"}, {".mjs", "javascript"},
        {".cjs", "javascript"}, {".ts", "javascript"}, {".mts", "javascript"},
        {".cts", "javascript"}, {".sh", "shell"},      {".bash", "shell"},
    };
    const char *ending = language_ending_of(path);

    if (ret_ending != NULL)
        *ret_ending = ending;
    for (size_t i = 0; i < ARRAY_SIZE(endings); i++)
        if (strcasecmp(ending, endings[i].name) == 0)
            return endings[i].language;
    return NULL;
}

bool language_is_notebook(const char *path)
{
    return strcasecmp(language_ending_of(path), ".ipynb") == 0;
}

/* Takes the next word off the front of @line; empty at its end. */
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

/* What `env` is told to run: behind its options, of which -u and -C have a value and -S may have
 * what follows stuck to it, and behind variables. */
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

const char *language_of_program(const char *program)
{
    static const struct name programs[] = {
        {"python", "python"},     {"python3", "python"}, {"node", "javascript"},
        {"nodejs", "javascript"}, {"bash", "shell"},     {"sh", "shell"},
        {"dash", "shell"},
    };

    /* python3.11 */
    if (strncmp(program, "python3.", 8) == 0 &&
        strspn(program + 8, "0123456789") == strlen(program + 8))
        return "python";
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
        if (strcmp(program, programs[i].name) == 0)
            return programs[i].language;
    return NULL;
}

const char *language_title(const char *language)
{
    return strcmp(language, "python") == 0       ? "Python"
           : strcmp(language, "javascript") == 0 ? "JavaScript"
                                                 : "shell";
}
