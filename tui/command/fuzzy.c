/* SPDX-License-Identifier: Apache-2.0 */
#include "command/fuzzy.h"

#include <string.h>

enum {
    SCORE_LETTER = 1,
    SCORE_NEXT = 8,
    SCORE_WORD = 10,
    SCORE_BEGINNING = 16,
    SCORE_WHOLE = 1000
};

static char fuzzy_small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool fuzzy_begins_word(const char *text, size_t at)
{
    return at == 0 || text[at - 1] == ' ' || text[at - 1] == '-' || text[at - 1] == '.' ||
           text[at - 1] == '_' || text[at - 1] == '/' || text[at - 1] == '(';
}

/* The match for @c from @from on: right after the previous one if possible, else at the start of a
 * word, else the first one; SIZE_MAX: none. */
static size_t fuzzy_find(const char *text, size_t size, size_t from, char c)
{
    size_t first = SIZE_MAX;

    if (from < size && fuzzy_small(text[from]) == c)
        return from;
    for (size_t i = from; i < size; i++) {
        if (fuzzy_small(text[i]) != c)
            continue;
        if (fuzzy_begins_word(text, i))
            return i;
        if (first == SIZE_MAX)
            first = i;
    }
    return first;
}

/* With the first character at or after @start. */
static int fuzzy_match_from(const char *typed, const char *text, size_t size, size_t start,
                            bool places[FUZZY_TEXT_MAX])
{
    size_t at = start;
    int score = 0;

    memset(places, 0, FUZZY_TEXT_MAX * sizeof(places[0]));
    for (const char *c = typed; *c != '\0'; c++) {
        size_t place;

        if (*c == ' ')
            continue;
        place = fuzzy_find(text, size, at, fuzzy_small(*c));
        if (place == SIZE_MAX)
            return FUZZY_NONE;
        score += SCORE_LETTER;
        if (place == at && at > start)
            score += SCORE_NEXT;
        if (place == 0)
            score += SCORE_BEGINNING;
        else if (fuzzy_begins_word(text, place))
            score += SCORE_WORD;
        places[place] = true;
        at = place + 1;
    }
    return score;
}

int fuzzy_match(const char *typed, const char *text, bool places[FUZZY_TEXT_MAX])
{
    size_t size = strnlen(text, FUZZY_TEXT_MAX);
    bool tried[FUZZY_TEXT_MAX];
    int best = FUZZY_NONE;

    for (size_t start = 0; start <= size; start++) {
        int score = fuzzy_match_from(typed, text, size, start, tried);

        if (score == FUZZY_NONE)
            break; /* if it does not match from here, it will not match from later positions */
        if (score > best) {
            best = score;
            if (places != NULL)
                memcpy(places, tried, sizeof(tried));
        }
    }
    if (best != FUZZY_NONE && strcmp(typed, text) == 0)
        best += SCORE_WHOLE;
    return best;
}
