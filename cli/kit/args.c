/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/args.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

/* Iterates over the verb's own options and then the common ones. */
static const struct option *args_next_option(const struct verb *verb, size_t *at)
{
    size_t i = *at;

    *at = i + 1;
    for (size_t n = 0; verb->options != NULL && verb->options[n].name != NULL; n++)
        if (i-- == 0)
            return &verb->options[n];
    for (size_t n = 0; verb->common != NULL && verb->common[n].name != NULL; n++)
        if (i-- == 0)
            return &verb->common[n];
    return NULL;
}

static const struct option *args_find_long(const struct verb *verb, const char *name, size_t size)
{
    const struct option *option;

    for (size_t at = 0; (option = args_next_option(verb, &at)) != NULL;)
        if (strlen(option->name) == size && memcmp(option->name, name, size) == 0)
            return option;
    return NULL;
}

static const struct option *args_find_short(const struct verb *verb, char letter)
{
    const struct option *option;

    for (size_t at = 0; (option = args_next_option(verb, &at)) != NULL;)
        if (option->letter == letter && letter != 0)
            return option;
    return NULL;
}

static const struct option *args_nearest_option(const struct verb *verb, const char *name)
{
    const struct option *option, *best = NULL;
    size_t best_distance = 3;

    for (size_t at = 0; (option = args_next_option(verb, &at)) != NULL;) {
        size_t d = gb_near_distance(name, option->name);

        if (!option->hidden && d < best_distance) {
            best = option;
            best_distance = d;
        }
    }
    return best;
}

static void args_add_given(struct args *args, const struct option *option, const char *value)
{
    args->given[args->given_count++] = (struct arg){option, value, args->word_count};
}

static const struct option *args_find_word(const struct verb *verb, const char *word)
{
    for (const struct option *option = verb->options; option != NULL && option->name != NULL;
         option++)
        if (option->word != NULL && strcmp(option->word, word) == 0)
            return option;
    return NULL;
}

/* A session and a command: all words after the session belong to the command. */
static bool args_is_command(const struct args *args)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (args->given[i].option->command)
            return true;
    return args->verb->words == ARG_COMMAND_IN_SESSION;
}

/* The number of words before those that belong to the program. */
static size_t args_words_before(const struct args *args)
{
    size_t session = args->verb->words == ARG_PROGRAM_IN_SESSION ? 1 : 0;

    if (args_is_command(args))
        return 1;
    return session + (args_has(args, "code") || args_has(args, "file") ? 0 : 1);
}

static bool args_program_is_named(const struct args *args)
{
    return (args->verb->words == ARG_PROGRAM || args->verb->words == ARG_PROGRAM_IN_SESSION ||
            args_is_command(args)) &&
           args->word_count >= args_words_before(args);
}

/* An unknown option after a program, unless it resembles one of ours, belongs to the program. */
static bool args_is_of_program(const struct args *args, const char *word)
{
    _cleanup_(freep) char *name = xstrndup(word + 2, strcspn(word + 2, "="));

    if (!args_program_is_named(args))
        return false;
    if (args_is_command(args) && args->word_count > 1)
        return true;
    if (word[1] != '-')
        return args_find_short(args->verb, word[1]) == NULL;
    return args_find_long(args->verb, name, strlen(name)) == NULL &&
           args_nearest_option(args->verb, name) == NULL;
}

/* --name, --name=value, --name value. */
static bool args_parse_long(struct args *args, const char *text, int argc, char **argv, int *i,
                            struct gb_buf *message)
{
    const char *equals = strchr(text, '=');
    size_t size = equals != NULL ? (size_t)(equals - text) : strlen(text);
    const struct option *option = args_find_long(args->verb, text, size);

    if (option == NULL) {
        _cleanup_(freep) char *name = xstrndup(text, size);
        const struct option *near = args_nearest_option(args->verb, name);

        gb_buf_addf(message, "there is no option --%s", name);
        if (near != NULL)
            gb_buf_addf(message, "; did you mean --%s?", near->name);
        if (args_program_is_named(args))
            gb_buf_adds(message, " Arguments for the program go after --");
        return false;
    }
    if (option->value == NULL && equals != NULL) {
        gb_buf_addf(message, "the option --%s takes no value", option->name);
        return false;
    }
    if (option->value == NULL) {
        args_add_given(args, option, NULL);
        return true;
    }
    if (equals != NULL) {
        args_add_given(args, option, equals + 1);
        return true;
    }
    if (*i + 1 >= argc) {
        gb_buf_addf(message, "the option --%s needs a value (%s)", option->name, option->value);
        return false;
    }
    args_add_given(args, option, argv[++*i]);
    return true;
}

/* -a, -ab, -l value, -lvalue. */
static bool args_parse_short(struct args *args, const char *text, int argc, char **argv, int *i,
                             struct gb_buf *message)
{
    for (; *text != '\0'; text++) {
        const struct option *option = args_find_short(args->verb, *text);

        if (option == NULL) {
            gb_buf_addf(message, "there is no option -%c", *text);
            return false;
        }
        if (option->value == NULL) {
            args_add_given(args, option, NULL);
            continue;
        }
        if (text[1] != '\0') {
            args_add_given(args, option, text + 1);
            return true;
        }
        if (*i + 1 >= argc) {
            gb_buf_addf(message, "the option -%c needs a value (%s)", *text, option->value);
            return false;
        }
        args_add_given(args, option, argv[++*i]);
        return true;
    }
    return true;
}

bool args_parse(const struct verb *verb, int argc, char **argv, struct args *ret_args,
                struct gb_buf *message)
{
    struct args args = {.verb = verb};
    size_t letters = 0;
    bool only_words = false;

    for (int i = 0; i < argc; i++)
        letters += strlen(argv[i]) + 1;
    args.given = xcalloc(letters + 1, sizeof(*args.given));
    args.words = xcalloc((size_t)argc + 1, sizeof(*args.words));
    for (int i = 0; i < argc; i++) {
        const char *word = argv[i];
        bool good = true;

        if (!only_words && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
            args.help = true;
            break;
        }
        if (!only_words && word[0] == '-' && word[1] != '\0' && strcmp(word, "--") != 0)
            only_words = args_is_of_program(&args, word);
        else if (!only_words && strcmp(word, "--") != 0)
            only_words = args_program_is_named(&args);
        if (only_words || word[0] != '-' || word[1] == '\0')
            args.words[args.word_count++] = word;
        else if (strcmp(word, "--") == 0)
            only_words = true;
        else if (args_find_word(verb, word) != NULL)
            args_add_given(&args, args_find_word(verb, word), NULL);
        else if (word[1] == '-')
            good = args_parse_long(&args, word + 2, argc, argv, &i, message);
        else
            good = args_parse_short(&args, word + 1, argc, argv, &i, message);
        if (!good) {
            args_release(&args);
            return false;
        }
    }
    *ret_args = args;
    return true;
}

void args_release(struct args *args)
{
    free(args->given);
    free(args->words);
    *args = (struct args){0};
}

bool args_has(const struct args *args, const char *name)
{
    for (size_t i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i].option->name, name) == 0)
            return true;
    return false;
}

const char *args_value(const struct args *args, const char *name)
{
    for (size_t i = args->given_count; i > 0; i--)
        if (strcmp(args->given[i - 1].option->name, name) == 0)
            return args->given[i - 1].value;
    return NULL;
}

const char *args_next(const struct args *args, const char *name, size_t *at)
{
    while (*at < args->given_count) {
        const struct arg *given = &args->given[(*at)++];

        if (strcmp(given->option->name, name) == 0)
            return given->value;
    }
    return NULL;
}

const struct verb *args_find_verb(const struct verb *const *verbs, const char *name)
{
    for (; *verbs != NULL; verbs++)
        if (strcmp((*verbs)->name, name) == 0)
            return *verbs;
    return NULL;
}

const struct verb *args_nearest_verb(const struct verb *const *verbs, const char *name)
{
    const struct verb *best = NULL;
    size_t best_distance = 3;

    if (name[0] == '\0')
        return NULL;
    for (size_t i = 0; verbs[i] != NULL; i++)
        if (strncmp(verbs[i]->name, name, strlen(name)) == 0)
            return verbs[i];
    for (size_t i = 0; verbs[i] != NULL; i++) {
        const struct verb *verb = verbs[i];
        size_t d = gb_near_distance(name, verb->name);

        if (d < best_distance && gb_near_is_typo(name, verb->name, d)) {
            best = verb;
            best_distance = d;
        }
    }
    return best;
}

bool args_number(const char *text, double minimum, double maximum, double *ret_value)
{
    char *end;
    double value;

    if (text[0] == '\0' || strspn(text, "0123456789.") != strlen(text))
        return false; /* no sign, no exponent, no hexadecimal, no infinity */
    value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value) || value < minimum || value > maximum)
        return false;
    *ret_value = value;
    return true;
}
