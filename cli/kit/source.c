/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/source.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "cli/language.h"
#include "cli/notebook.h"
#include "kit/transfer.h"
#include "model/words.h"

/* ---- reading ---- */

static bool source_read_stdin(struct gb_buf *code, struct gb_buf *message)
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

static bool source_read_notebook(struct source *source, struct gb_buf *message)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct notebook notebook;
    struct gb_err err = {0};

    if (gb_fd_read_file(source->name, NOTEBOOK_MAX, &text, &err) < 0) {
        gb_buf_adds(message, err.message);
        return false;
    }
    if (notebook_read(text.memory + text.start, text.size, &notebook, &err) < 0) {
        gb_buf_addf(message, "%s: %s", source->name, err.message);
        return false;
    }
    source->kernel = notebook.language;
    source->cells = notebook.cells;
    source->count = notebook.count;
    return true;
}

static bool source_read_file(struct source *source, struct gb_buf *message)
{
    struct gb_err err = {0};

    source->file = transfer_local_name(source->name);
    if (gb_fd_read_file(source->name, GB_CODE_MAX, source->cells, &err) < 0) {
        gb_buf_adds(message, err.message);
        return false;
    }
    if (source->file == NULL)
        gb_buf_addf(message, "%s is not the name of a file", source->name);
    return source->file != NULL;
}

/* ---- the language ---- */

/* "; -l javascript, python or shell says how to run it" */
static void source_say_how(const struct gb_languages *languages, struct gb_buf *message)
{
    gb_buf_adds(message, "; -l ");
    for (size_t i = 0; i < languages->count; i++)
        gb_buf_addf(message, "%s%s",
                    i == 0                      ? ""
                    : i + 1 == languages->count ? " or "
                                                : ", ",
                    languages->list[i]->name);
    gb_buf_adds(message, " says how to run it");
}

static const struct gb_language *source_of_kernel(const struct source *source,
                                                  const struct gb_languages *languages,
                                                  struct gb_buf *message)
{
    const struct gb_language *language = gb_languages_of_word(languages, source->kernel);

    if (language == NULL)
        language = gb_languages_of_program(languages, source->kernel);
    if (language == NULL)
        gb_buf_addf(message, "%s: %s%s", source->name,
                    source->kernel[0] == '\0' ? "the notebook does not name its language"
                                              : "no image here runs the language of the notebook, ",
                    source->kernel);
    return language;
}

/* From the first line. Silent if there is none. */
static const struct gb_language *source_of_first_line(const struct source *source,
                                                      const struct gb_languages *languages,
                                                      struct gb_buf *message)
{
    _cleanup_(gb_buf_release) struct gb_buf program = {0};
    const struct gb_language *language;

    if (!shebang_program(gb_buf_bytes(source->cells), &program))
        return NULL;
    language = gb_languages_of_program(languages, gb_buf_str(&program));
    if (language == NULL)
        gb_buf_addf(message, "%s is to be run by %s, which is not a language of the images here",
                    source->kind == SOURCE_STDIN ? "standard input" : source->name,
                    gb_buf_str(&program));
    return language;
}

static const struct gb_language *source_of_file(const struct source *source,
                                                const struct gb_languages *languages,
                                                struct gb_buf *message)
{
    const struct gb_language *language = gb_languages_of_file(languages, source->name), *refused;
    const char *ending = gb_file_ending(source->name);

    if (language == NULL)
        language = source_of_first_line(source, languages, message);
    if (language != NULL || message->size > 0)
        return language;
    refused = gb_languages_of_refused(languages, source->name);
    if (refused != NULL)
        gb_buf_addf(message, "%s: %s; -l %s runs the file as it is", source->name,
                    refused->refused.why, refused->name);
    else if (ending[0] != '\0')
        gb_buf_addf(message, "%s: files that end in %s do not belong to a language known here",
                    source->name, ending);
    else
        gb_buf_addf(message,
                    "%s: neither its ending nor a first line with #! says what language it is",
                    source->name);
    return NULL;
}

/* Nothing is guessed: the language is given by -l, the extension, the first line, or the notebook
 * itself. */
static bool source_decide(struct source *source, const struct gb_languages *languages,
                          struct gb_buf *message)
{
    const struct gb_language *language = NULL;

    if (source->kind == SOURCE_NOTEBOOK)
        language = source_of_kernel(source, languages, message);
    else if (source->kind == SOURCE_STDIN)
        language = source_of_first_line(source, languages, message);
    else if (source->kind == SOURCE_FILE)
        language = source_of_file(source, languages, message);
    if (language != NULL)
        source->language = language->name;
    else if (message->size > 0 && (source->kind != SOURCE_FILE ||
                                   gb_languages_of_refused(languages, source->name) == NULL))
        source_say_how(languages, message);
    return message->size == 0;
}

bool sources_decide(struct source *sources, size_t count, const struct gb_languages *languages,
                    const struct gb_language *language, struct gb_buf *message)
{
    bool good = true;

    for (size_t i = 0; i < count && good; i++) {
        if (language != NULL)
            sources[i].language = language->name;
        else
            good = source_decide(&sources[i], languages, message);
    }
    return good;
}

/* ---- the words ---- */

static bool source_take(struct source *source, struct gb_buf *message)
{
    if (source->kind == SOURCE_NOTEBOOK)
        return source_read_notebook(source, message);
    source->cells = xcalloc(1, sizeof(*source->cells));
    source->count = 1;
    if (source->kind == SOURCE_CODE)
        return true;
    return source->kind == SOURCE_STDIN ? source_read_stdin(source->cells, message)
                                        : source_read_file(source, message);
}

static void source_name_source(struct source *source, const char *name)
{
    source->name = name;
    source->kind = strcmp(name, "-") == 0       ? SOURCE_STDIN
                   : language_is_notebook(name) ? SOURCE_NOTEBOOK
                                                : SOURCE_FILE;
}

/* Sources given by options, in order; the words are then the program's arguments. */
static size_t source_name_by_options(const struct args *args, struct source *sources)
{
    size_t count = 0;

    for (size_t i = 0; i < args->given_count; i++) {
        const struct arg *given = &args->given[i];

        if (strcmp(given->option->name, "code") == 0)
            sources[count++] = (struct source){.kind = SOURCE_CODE, .name = "-c"};
        else if (strcmp(given->option->name, "file") == 0)
            source_name_source(&sources[count++], given->value);
    }
    return count;
}

static bool source_check_words(const struct args *args, size_t first_word,
                               const struct source *sources, size_t count, struct gb_buf *message)
{
    size_t dashes = 0, words = args->word_count - first_word;

    for (size_t i = 0; i < count; i++)
        dashes += sources[i].kind == SOURCE_STDIN;
    for (size_t i = 0; i < args->given_count; i++) {
        const char *name = args->given[i].option->name;

        if ((strcmp(name, "code") == 0 || strcmp(name, "file") == 0) &&
            args->given[i].words_before > first_word) {
            gb_buf_addf(message,
                        "%s is already the program, and -%c after it would be another one; "
                        "arguments for it go after --",
                        args->words[first_word], args->given[i].option->letter);
            return false;
        }
    }
    if (count == 0)
        gb_buf_adds(message,
                    "there is nothing to run: give a file, - for standard input, or -c CODE");
    else if (dashes > 1)
        gb_buf_adds(message, "standard input can be read only once");
    else if (count > 1 && words > 0)
        gb_buf_addf(message, "%s is an argument, but there are %zu programs",
                    args->words[first_word], count);
    else if (words > 0 && sources[0].kind == SOURCE_NOTEBOOK)
        gb_buf_addf(message, "%s is an argument, but a notebook takes none",
                    args->words[first_word]);
    else
        return true;
    return false;
}

enum source_fault sources_read(const struct args *args, size_t first_word,
                               struct source **ret_sources, size_t *ret_count,
                               struct gb_buf *message)
{
    struct source *sources = xcalloc(args->given_count + 1, sizeof(*sources));
    size_t count = source_name_by_options(args, sources), at = 0;
    enum source_fault fault = SOURCE_GOOD;

    if (count == 0 && args->word_count > first_word)
        source_name_source(&sources[count++], args->words[first_word++]);
    if (!source_check_words(args, first_word, sources, count, message))
        fault = SOURCE_WRONG_USE;
    for (size_t i = 0; i < count && fault == SOURCE_GOOD; i++) {
        sources[i].args = args->words + first_word;
        sources[i].arg_count = args->word_count - first_word;
        if (!source_take(&sources[i], message))
            fault = SOURCE_UNREADABLE;
        else if (sources[i].kind == SOURCE_CODE)
            gb_buf_adds(sources[i].cells, args_next(args, "code", &at));
    }
    if (fault != SOURCE_GOOD) {
        sources_free(sources, count);
        return fault;
    }
    *ret_sources = sources;
    *ret_count = count;
    return SOURCE_GOOD;
}

void sources_free(struct source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t cell = 0; cell < sources[i].count; cell++)
            gb_buf_release(&sources[i].cells[cell]);
        free(sources[i].cells);
        free(sources[i].file);
        free(sources[i].kernel);
    }
    free(sources);
}

/* ---- as parameters ---- */

static bool source_all_text(const struct source *source)
{
    for (size_t i = 0; i < source->arg_count; i++)
        if (!gb_utf8_valid(gb_bytes_str(source->args[i])))
            return false;
    return true;
}

static void source_put_arguments(struct gb_json_out *out, const struct source *source)
{
    bool text = source_all_text(source);

    gb_json_array(out, text ? "args" : "args_base64");
    for (size_t i = 0; i < source->arg_count; i++) {
        if (text)
            gb_json_put_str(out, NULL, source->args[i]);
        else
            gb_json_put_base64(out, NULL, gb_bytes_str(source->args[i]));
    }
    gb_json_end(out);
}

void source_put(struct gb_json_out *out, const struct source *source, size_t cell, bool alone)
{
    struct gb_bytes code =
        cell < source->count ? gb_buf_bytes(&source->cells[cell]) : gb_bytes_str("");

    gb_json_put_bytes(out, "code", "code_base64", code);
    if (source->in_shell)
        gb_json_put_str(out, "mode", gb_mode_to_string(GB_MODE_SHELL));
    if (source->kind == SOURCE_NOTEBOOK)
        return;
    if (source->file != NULL)
        gb_json_put_bytes(out, "file", "file_base64", gb_bytes_str(source->file));
    if (source->kind == SOURCE_STDIN && (alone || source->arg_count > 0))
        gb_json_put_str(out, "name", "-");
    if (source->file != NULL || alone || source->arg_count > 0)
        source_put_arguments(out, source);
}
