/* SPDX-License-Identifier: Apache-2.0 */
/* Completion with bash's own compgen, bash's own words about its commands, and parsing without
 * execution to decide whether a cell is complete. */

#include <config.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shell.h> /* first: bash's other headers do not compile alone */

#include <builtins.h>
#include <builtins/common.h>
#include <execute_cmd.h>

#include "shell_worker.h"

#define MATCHES_MAX 500u
#define OUTPUT_MAX (4u << 20)
#define INDENT "    "
#define DESCRIPTION_MAX 1000u
#define PARSE_FLAGS                                                                                \
    (SEVAL_NONINT | SEVAL_NOHIST | SEVAL_NOFREE | SEVAL_RESETLINE | SEVAL_NOHISTEXP |              \
     SEVAL_PARSEONLY)

enum completeness { WHOLE, INCOMPLETE, INVALID };

struct matches {
    struct payload pairs;
    char *texts[MATCHES_MAX];
    size_t count;
};

struct request {
    char *text;
    const char *action;
    int status;
};

/* Captures what an action writes to descriptor @fd; the caller frees it. */
static char *capture(int fd, void (*action)(void *arg), void *arg)
{
    int status = last_command_exit_value;
    int file = memfd_create("capture", MFD_CLOEXEC);
    char *text = calloc(1, OUTPUT_MAX + 1);
    ssize_t n;

    if (file < 0 || text == NULL)
        channel_violation();
    dup2(file, fd);
    shell_guard(action, arg);
    fflush(stdout);
    dup2(shell_null_fd, fd);
    n = pread(file, text, OUTPUT_MAX, 0);
    text[n < 0 ? 0 : n] = '\0';
    close(file);
    last_command_exit_value = status;
    return text;
}

static void run_compgen(void *arg)
{
    struct request *r = arg;
    sh_builtin_func_t *compgen = builtin_address("compgen");
    WORD_LIST *words = NULL;

    if (compgen == NULL)
        return;
    words = make_word_list(make_bare_word(r->text), words);
    words = make_word_list(make_bare_word("--"), words);
    words = make_word_list(make_bare_word(r->action), words);
    words = make_word_list(make_bare_word("-A"), words);
    this_shell_builtin = compgen;
    compgen(words);
    dispose_words(words);
}

static void add_match(struct matches *all, const char *text, const char *type)
{
    if (all->count == MATCHES_MAX)
        return;
    for (size_t i = 0; i < all->count; i++)
        if (strcmp(all->texts[i], text) == 0)
            return;
    all->texts[all->count++] = strdup(text);
    payload_string(&all->pairs, text);
    payload_string(&all->pairs, type);
}

/* A file name as it has to be typed; directories end in a slash. */
static void add_file(struct matches *all, const char *name)
{
    struct stat st;
    size_t size = strlen(name);
    char *quoted = sh_backslash_quote((char *)(uintptr_t)name, NULL, 0);
    char *path = bash_tilde_expand(name, 0);
    const char *slash = "";
    char *text;

    if (path != NULL && stat(path, &st) == 0 && S_ISDIR(st.st_mode) && name[size - 1] != '/')
        slash = "/";
    if (asprintf(&text, "%s%s", name[0] == '~' ? name : quoted, slash) < 0)
        channel_violation();
    add_match(all, text, "path");
    free(text);
    free(path);
    free(quoted);
}

static void generate(struct matches *all, const char *action, char *word, const char *prefix,
                     const char *type)
{
    struct request r = {.text = word, .action = action};
    char *output = capture(1, run_compgen, &r);
    char *at = output, *line;

    while ((line = strsep(&at, "\n")) != NULL) {
        char name[4096];

        if (line[0] == '\0')
            continue;
        if (strcmp(type, "path") == 0) {
            add_file(all, line);
        } else if (snprintf(name, sizeof(name), "%s%s", prefix, line) < (int)sizeof(name)) {
            add_match(all, name, type);
        }
    }
    free(output);
}

/* Whether the word at @start is a command name. */
static bool is_command(const char *text, const char *start)
{
    static const char *const openers[] = {"then",  "do",      "else", "elif", "if",
                                          "while", "until",   "!",    "time", "sudo",
                                          "exec",  "command", "{"};
    const char *end = start, *begin;

    while (end > text && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    if (end == text || strchr(";|&(\n`", end[-1]) != NULL)
        return true;
    begin = end;
    while (begin > text && strchr(" \t\n;|&(", begin[-1]) == NULL)
        begin--;
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++)
        if (strlen(openers[i]) == (size_t)(end - begin) &&
            memcmp(openers[i], begin, (size_t)(end - begin)) == 0)
            return true;
    return false;
}

/* The start of the last word of @text. */
static char *last_word(char *text)
{
    char *start = text, *p;

    for (p = text; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        else if (strchr(" \t\n;|&()<>=:'\"`", *p) != NULL)
            start = p + 1;
    }
    return start;
}

static void unquote(char *word)
{
    char *to = word;

    for (; *word != '\0'; word++) {
        if (*word == '\\' && word[1] != '\0')
            word++;
        *to++ = *word;
    }
    *to = '\0';
}

/* Fills @all with completions for the end of @text; returns the start of the part to replace. */
static char *find_matches(struct matches *all, char *text)
{
    char *start = last_word(text);
    char *dollar = strrchr(start, '$');
    bool command = is_command(text, start);
    char *word;

    if (dollar != NULL && strpbrk(dollar, "/.}") == NULL) {
        start = dollar + (dollar[1] == '{' ? 2 : 1);
        generate(all, "variable", start, "", "instance");
        return start;
    }
    word = strdup(start);
    if (word == NULL)
        channel_violation();
    unquote(word);
    if (command && strchr(word, '/') == NULL && word[0] != '~') {
        generate(all, "keyword", word, "", "keyword");
        generate(all, "function", word, "", "function");
        generate(all, "builtin", word, "", "function");
        generate(all, "command", word, "", "function");
    } else {
        generate(all, "file", word, "", "path");
    }
    free(word);
    return start;
}

/* The length in bytes of the first @points code points of @text. */
static size_t bytes_of_points(const char *text, size_t points)
{
    size_t at = 0;

    while (text[at] != '\0' && points > 0) {
        at++;
        while (((uint8_t)text[at] & 0xc0) == 0x80)
            at++;
        points--;
    }
    return at;
}

static uint32_t points_of_bytes(const char *text, size_t size)
{
    uint32_t points = 0;

    for (size_t i = 0; i < size; i++)
        points += ((uint8_t)text[i] & 0xc0) != 0x80;
    return points;
}

static void answer_complete(struct channel *c, uint32_t id, char *text, uint32_t cursor)
{
    struct matches *all = calloc(1, sizeof(*all));
    struct payload reply = {0};
    size_t end = bytes_of_points(text, cursor);
    char *start;

    if (all == NULL)
        channel_violation();
    text[end] = '\0';
    start = find_matches(all, text);
    payload_u32(&reply, id);
    payload_u32(&reply, points_of_bytes(text, (size_t)(start - text)));
    payload_u32(&reply, points_of_bytes(text, end));
    payload_u32(&reply, (uint32_t)all->count);
    for (size_t i = 0; i < all->pairs.size; i++)
        payload_u8(&reply, all->pairs.data[i]);
    channel_send(c, MSG_COMPLETIONS, &reply);
    payload_release(&reply);
    payload_release(&all->pairs);
    for (size_t i = 0; i < all->count; i++)
        free(all->texts[i]);
    free(all);
}

static void parse(void *arg)
{
    struct request *r = arg;

    r->status = parse_and_execute(r->text, "bash", PARSE_FLAGS);
}

static bool ends_in_continuation(const char *text)
{
    size_t size = strlen(text), slashes = 0;

    while (size > 0 && text[size - 1] == '\\') {
        slashes++;
        size--;
    }
    return slashes % 2 == 1;
}

static enum completeness completeness(char *text)
{
    struct request r = {.text = text, .status = EXECUTION_FAILURE};
    enum completeness found;
    char *said;

    if (strncmp(text, "#!", 2) == 0)
        return WHOLE;
    if (ends_in_continuation(text))
        return INCOMPLETE;
    said = capture(2, parse, &r);
    if (strstr(said, "unexpected EOF") != NULL || strstr(said, "unexpected end of file") != NULL ||
        strstr(said, "delimited by end-of-file") != NULL)
        found = INCOMPLETE;
    else
        found = r.status == 0 ? WHOLE : INVALID;
    free(said);
    return found;
}

/* The indentation of the last line, deeper after a word that opens a block. */
static void add_indent(struct payload *p, char *text)
{
    static const char *const openers[] = {"then", "do", "else", "{", "(", "in"};
    struct payload indent = {0};
    char *line = strrchr(text, '\n'), *end;

    line = line == NULL ? text : line + 1;
    for (char *at = line; *at == ' ' || *at == '\t'; at++)
        payload_u8(&indent, (uint8_t)*at);
    end = line + strlen(line);
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < sizeof(openers) / sizeof(openers[0]); i++) {
        size_t size = strlen(openers[i]);

        if ((size_t)(end - line) < size || memcmp(end - size, openers[i], size) != 0)
            continue;
        if ((size_t)(end - line) > size && strchr(" \t;()", end[-(ptrdiff_t)size - 1]) == NULL)
            continue;
        for (size_t k = 0; k < strlen(INDENT); k++)
            payload_u8(&indent, ' ');
        break;
    }
    payload_bytes(p, indent.data, indent.size);
    payload_release(&indent);
}

static void answer_is_complete(struct channel *c, uint32_t id, char *text)
{
    struct payload reply = {0};
    enum completeness status = completeness(text);

    payload_u32(&reply, id);
    payload_u8(&reply, (uint8_t)status);
    if (status == INCOMPLETE)
        add_indent(&reply, text);
    else
        payload_bytes(&reply, NULL, 0);
    channel_send(c, MSG_COMPLETENESS, &reply);
    payload_release(&reply);
}

/* A line of at most DESCRIPTION_MAX bytes, which begins at @text. */
static void add_line(struct payload *p, const char *text)
{
    size_t size = strcspn(text, "\n");

    payload_bytes(p, text, size < DESCRIPTION_MAX ? size : DESCRIPTION_MAX);
}

/* Reserved words are among bash's builtins, without a function. NULL: it is none, or disabled. */
static const struct builtin *find_builtin(const char *name)
{
    for (int i = 0; i < num_shell_builtins; i++) {
        const struct builtin *b = &shell_builtins[i];

        if (b->name != NULL && strcmp(b->name, name) == 0 &&
            (b->flags & (BUILTIN_ENABLED | BUILTIN_DELETED)) == BUILTIN_ENABLED)
            return b;
    }
    return NULL;
}

/* What bash itself says about the command at the end of @text, unless a function has its name. */
static void answer_describe(struct channel *c, uint32_t id, char *text)
{
    char *word = last_word(text);
    size_t size = strlen(word);
    bool command = size > 0 && is_command(text, word);
    bool function = command && find_function(word) != NULL;
    const struct builtin *found = command && !function ? find_builtin(word) : NULL;
    struct payload reply = {0};
    const char *usage = "", *help = "";

    if (found != NULL && found->short_doc != NULL)
        usage = found->short_doc;
    if (strncmp(usage, word, size) == 0 && (usage[size] == ' ' || usage[size] == '\0'))
        usage += size + (usage[size] == ' ');
    if (found != NULL && found->long_doc != NULL && found->long_doc[0] != NULL)
        help = found->long_doc[0];
    payload_u32(&reply, id);
    add_line(&reply, function                  ? "function"
                     : found == NULL           ? ""
                     : found->function == NULL ? "keyword"
                                               : "function");
    add_line(&reply, usage);
    add_line(&reply, help);
    channel_send(c, MSG_DESCRIPTION, &reply);
    payload_release(&reply);
}

void complete_answer(struct channel *c, const struct message *m)
{
    struct fields f = {m->data, m->size};
    uint32_t id = fields_u32(&f);
    size_t size;
    const uint8_t *data = fields_bytes(&f, &size);
    uint32_t cursor = m->type == MSG_COMPLETE ? fields_u32(&f) : 0;
    char *text;

    fields_end(&f);
    text = malloc(size + 2);
    if (text == NULL)
        channel_violation();
    memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    if (m->type == MSG_COMPLETE)
        answer_complete(c, id, text, cursor);
    else if (m->type == MSG_IS_COMPLETE)
        answer_is_complete(c, id, text);
    else if (m->type == MSG_DESCRIBE)
        answer_describe(c, id, text);
    else
        channel_violation();
    free(text);
}
