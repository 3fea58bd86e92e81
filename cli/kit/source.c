#include "cli/source.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"

struct name {
    const char *name, *image;
};

const char *source_language(const char *name)
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
            return names[i].image;
    return NULL;
}

const char *source_language_of_file(const char *path)
{
    static const struct name endings[] = {
        {".py", "python"},      {".js", "javascript"}, {".mjs", "javascript"},
        {".cjs", "javascript"}, {".ts", "javascript"}, {".mts", "javascript"},
        {".sh", "shell"},       {".bash", "shell"},
    };
    size_t size = strlen(path);

    for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
        size_t ending = strlen(endings[i].name);

        if (size > ending && strcmp(path + size - ending, endings[i].name) == 0)
            return endings[i].image;
    }
    return NULL;
}

static bool read_stdin(struct gb_buf *code, struct gb_buf *message)
{
    for (;;) {
        uint8_t *to = gb_buf_reserve(code, 64u << 10, GB_CODE_MAX + (64u << 10));
        ssize_t n;

        if (to == NULL || code->size > GB_CODE_MAX) {
            gb_buf_addf(message, "standard input has more than the %u MiB that code may have",
                        GB_CODE_MAX >> 20);
            return false;
        }
        n = gb_fd_read_full(STDIN_FILENO, to, 64u << 10);
        if (n < 0) {
            gb_buf_addf(message, "cannot read standard input: %s", strerror((int)-n));
            return false;
        }
        if (n == 0)
            return true;
        gb_buf_commit(code, (size_t)n);
    }
}

static bool read_word(struct source *source, struct gb_buf *message)
{
    struct gb_err err = {0};

    if (strcmp(source->name, "-") == 0)
        return read_stdin(&source->code, message);
    source->image = source_language_of_file(source->name);
    if (gb_fd_read_file(source->name, GB_CODE_MAX, &source->code, &err) < 0) {
        gb_buf_adds(message, err.message);
        return false;
    }
    return true;
}

bool sources_read(const struct args *args, size_t first_word, struct source **ret_sources,
                  size_t *ret_count, struct gb_buf *message)
{
    struct source *sources = xcalloc(args->given_count + args->word_count + 1, sizeof(*sources));
    size_t count = 0, dashes = 0, at = 0;
    const char *code;
    bool good = true;

    while ((code = args_next(args, "code", &at)) != NULL) {
        sources[count].name = "-c";
        gb_buf_adds(&sources[count++].code, code);
    }
    for (size_t i = first_word; i < args->word_count && good; i++) {
        sources[count].name = args->words[i];
        dashes += strcmp(args->words[i], "-") == 0;
        if (dashes > 1)
            gb_buf_adds(message, "standard input can be read only once");
        good = dashes <= 1 && read_word(&sources[count], message);
        count++;
    }
    if (good && count == 0) {
        gb_buf_adds(message,
                    "there is nothing to run: give -c CODE, a file, or - for standard input");
        good = false;
    }
    if (!good) {
        sources_free(sources, count);
        return false;
    }
    *ret_sources = sources;
    *ret_count = count;
    return true;
}

void sources_free(struct source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gb_buf_release(&sources[i].code);
    free(sources);
}
