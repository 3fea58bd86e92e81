/* SPDX-License-Identifier: Apache-2.0 */
#include "command/command.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "base/near.h"

enum { MEANT_MAX = 4 };

static const struct {
    const char *name, *title;
} contexts[] = {
#define CONTEXT_X(constant, name, title) {name, title},
    CONTEXTS(CONTEXT_X)
#undef CONTEXT_X
};
static_assert(ARRAY_SIZE(contexts) == CONTEXT_COUNT, "a row for each context");

const char *context_title(enum context context)
{
    return contexts[context].title;
}

enum context context_find(struct gb_bytes name)
{
    for (size_t i = 0; i < CONTEXT_COUNT; i++)
        if (gb_bytes_equal(name, contexts[i].name))
            return (enum context)i;
    return CONTEXT_COUNT;
}

/* Copies one word from *at to @to, without its quotes; false if a quote is not closed. */
static bool command_take_word(const char **at, char **to)
{
    char quote = '\0';

    for (; **at != '\0' && (quote != '\0' || **at != ' '); (*at)++) {
        char c = **at;

        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else {
            if (c == '\\' && quote != '\'' && (*at)[1] != '\0')
                c = *++*at;
            *(*to)++ = c;
        }
    }
    *(*to)++ = '\0';
    return quote == '\0';
}

bool words_parse(const char *line, struct words *ret_words, struct gb_buf *message)
{
    const char *at = line;
    char *to = ret_words->memory;

    ret_words->count = 0;
    ret_words->rest = "";
    if (strlen(line) >= COMMAND_LINE_MAX) {
        gb_buf_addf(message, "a command has at most %d bytes", COMMAND_LINE_MAX - 1);
        return false;
    }
    for (;;) {
        at += strspn(at, " ");
        if (ret_words->count == 1)
            ret_words->rest = at;
        if (*at == '\0')
            return true;
        if (ret_words->count == COMMAND_WORDS_MAX) {
            gb_buf_addf(message, "a command has at most %d words", COMMAND_WORDS_MAX);
            return false;
        }
        ret_words->words[ret_words->count++] = to;
        if (!command_take_word(&at, &to)) {
            gb_buf_adds(message, "a quotation mark is not closed");
            return false;
        }
    }
}

const struct command *command_find(const struct command_tables *tables, enum context context,
                                   const char *name)
{
    const struct command *begins = NULL, *global = NULL;
    size_t size = strlen(name), count = 0;

    for (size_t i = 0; i < tables->count; i++)
        for (const struct command *row = tables->tables[i]; row->name != NULL; row++) {
            if (row->context != context && row->context != CONTEXT_GLOBAL)
                continue;
            if (strcmp(row->name, name) == 0) {
                if (row->context == context)
                    return row;
                global = row;
            }
            if (strncmp(row->name, name, size) == 0) {
                bool again = begins != NULL && strcmp(begins->name, row->name) == 0;

                count += again ? 0 : 1;
                if (!again || row->context == context)
                    begins = row;
            }
        }
    return global != NULL ? global : count == 1 ? begins : NULL;
}

/* Whether the row applies, and its name is none that came before it in the tables. */
static bool command_is_first(const struct command_tables *tables, enum context context,
                             const struct command *row)
{
    if (row->context != context && row->context != CONTEXT_GLOBAL)
        return false;
    for (size_t i = 0; i < tables->count; i++)
        for (const struct command *at = tables->tables[i]; at->name != NULL; at++) {
            if (at == row)
                return true;
            if ((at->context == context || at->context == CONTEXT_GLOBAL) &&
                strcmp(at->name, row->name) == 0)
                return false;
        }
    return true;
}

bool command_meant(const struct command_tables *tables, enum context context, const char *name,
                   struct gb_buf *out)
{
    const char *begin[MEANT_MAX], *near = NULL;
    const size_t size = strlen(name);
    size_t count = 0, best = SIZE_MAX;

    for (size_t i = 0; i < tables->count; i++)
        for (const struct command *row = tables->tables[i]; row->name != NULL; row++) {
            const size_t d = gb_near_distance(name, row->name);

            if (!command_is_first(tables, context, row))
                continue;
            if (strncmp(row->name, name, size) == 0 && count < MEANT_MAX)
                begin[count++] = row->name;
            if (d < best && gb_near_is_typo(name, row->name, d)) {
                near = row->name;
                best = d;
            }
        }
    if (count == 0 && near != NULL)
        begin[count++] = near;
    for (size_t i = 0; i < count; i++)
        gb_buf_addf(out, "%s:%s", i == 0 ? "" : i + 1 < count ? ", " : " or ", begin[i]);
    return count > 0;
}

bool command_is_known(const struct command_tables *tables, enum context context,
                      const struct command *row)
{
    return command_find(tables, context, row->name) == row;
}
