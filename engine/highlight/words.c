/* SPDX-License-Identifier: Apache-2.0 */
/* Any language, based on its record: what starts a comment or a string, which names are keywords.
 * state.mode: 0, or in a block comment. */
#include "private.h"

enum { MODE_CODE, MODE_COMMENT };

/* The length of @word if the text at the current position starts with it, else 0. */
static size_t words_at(const struct lexer *lexer, const char *word)
{
    size_t size = strlen(word);

    return size > 0 && lexer->size - lexer->at >= size &&
                   memcmp(lexer->text + lexer->at, word, size) == 0
               ? size
               : 0;
}

/* The same for the longest match in a list. */
static size_t words_any_at(const struct lexer *lexer, const struct gb_texts *list)
{
    size_t longest = 0;

    for (size_t i = 0; i < list->count; i++)
        longest = MAX(longest, words_at(lexer, list->list[i]));
    return longest;
}

/* In a block comment: up to its end. */
static void words_comment_rest(struct lexer *lexer, size_t from, const char *end)
{
    size_t size = 0;

    while (lexer->at < lexer->size && (size = words_at(lexer, end)) == 0)
        lexer->at++;
    lexer->at += size;
    lexer->state->mode = size > 0 ? MODE_CODE : MODE_COMMENT;
    lexer_token(lexer, from, HIGHLIGHT_COMMENT);
}

/* A string ends with its opening delimiter, or at the end of the line. */
static void words_string(struct lexer *lexer, size_t quote)
{
    size_t from = lexer->at;
    bool ended = false;

    lexer->at += quote;
    while (lexer->at < lexer->size && !ended) {
        size_t left = lexer->size - lexer->at;

        ended = left >= quote && memcmp(lexer->text + lexer->at, lexer->text + from, quote) == 0;
        if (ended)
            lexer->at += quote;
        else
            lexer->at += lexer->text[lexer->at] == '\\' && left > 1 ? 2 : 1;
    }
    lexer_token(lexer, from, HIGHLIGHT_STRING);
}

/* Whether a name that ends here is called: followed by a bracket that does not start a comment. */
static bool words_is_called(struct lexer *lexer)
{
    const struct gb_texts *block = &lexer->language->highlight.block;
    size_t at = lexer->at;
    bool called;

    lexer_skip_space(lexer);
    called = peek(lexer, 0) == '(' && (block->count != 2 || words_at(lexer, block->list[0]) == 0);
    lexer->at = at;
    return called;
}

static void words_name(struct lexer *lexer)
{
    size_t from = lexer->at;
    struct gb_bytes name = lexer_name(lexer);

    if (lexer_is_keyword(lexer, name))
        lexer_token(lexer, from, HIGHLIGHT_KEYWORD);
    else if (lexer_is_type(lexer, name))
        lexer_token(lexer, from, HIGHLIGHT_TYPE);
    else if (words_is_called(lexer))
        lexer_token(lexer, from, HIGHLIGHT_FUNCTION);
}

/* Handles what the record defines for this position; false: nothing. */
static bool words_by_record(struct lexer *lexer)
{
    const struct gb_language *language = lexer->language;
    size_t from = lexer->at, size;

    if (words_any_at(lexer, &language->highlight.comments) > 0) {
        lexer->at = lexer->size;
        lexer_token(lexer, from, HIGHLIGHT_COMMENT);
        return true;
    }
    if (language->highlight.block.count == 2 &&
        (size = words_at(lexer, language->highlight.block.list[0])) > 0) {
        lexer->at += size;
        words_comment_rest(lexer, from, language->highlight.block.list[1]);
        return true;
    }
    if ((size = words_any_at(lexer, &language->highlight.strings)) > 0) {
        words_string(lexer, size);
        return true;
    }
    size = words_at(lexer, language->highlight.variables);
    if (size == 0 || !is_name(peek(lexer, size)))
        return false;
    lexer->at += size;
    (void)lexer_name(lexer);
    lexer_token(lexer, from, HIGHLIGHT_VARIABLE);
    return true;
}

void lex_words(struct lexer *lexer)
{
    const struct gb_texts *block = &lexer->language->highlight.block;

    if (lexer->state->mode == MODE_COMMENT && block->count == 2)
        words_comment_rest(lexer, 0, block->list[1]);
    while (lexer->at < lexer->size) {
        size_t from = lexer->at;
        uint8_t c = peek(lexer, 0);

        if (is_space(c)) {
            lexer->at++;
        } else if (words_by_record(lexer)) {
            continue;
        } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
            lexer_number(lexer);
        } else if (is_name_start(c)) {
            words_name(lexer);
        } else {
            lexer->at++;
            if (c != 0 && strchr("+-*/%=<>!&|^~?:@", c) != NULL)
                lexer_token(lexer, from, HIGHLIGHT_OPERATOR);
        }
    }
}
