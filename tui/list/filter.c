/* SPDX-License-Identifier: Apache-2.0 */
#include "list/filter.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/fuzzy.h"

enum unit { UNIT_NONE, UNIT_SIZE, UNIT_TIME, UNIT_SHARE };

static const struct {
    const char *name;
    enum unit unit;
    bool beginning; /* = also matches a prefix */
} fields[] = {
    [FIELD_ANY] = {"", UNIT_NONE, false},           [FIELD_NAME] = {"name", UNIT_NONE, false},
    [FIELD_ID] = {"id", UNIT_NONE, true},           [FIELD_KEY] = {"key", UNIT_NONE, false},
    [FIELD_OWNER] = {"owner", UNIT_NONE, false},    [FIELD_CLIENT] = {"client", UNIT_NONE, true},
    [FIELD_IMAGE] = {"image", UNIT_NONE, true},     [FIELD_LANGUAGE] = {"lang", UNIT_NONE, true},
    [FIELD_STATE] = {"state", UNIT_NONE, true},     [FIELD_SOURCE] = {"source", UNIT_NONE, true},
    [FIELD_CODE] = {"code", UNIT_NONE, false},      [FIELD_MEMORY] = {"mem", UNIT_SIZE, false},
    [FIELD_LIMIT] = {"limit", UNIT_SIZE, false},    [FIELD_CPU] = {"cpu", UNIT_SHARE, false},
    [FIELD_IDLE] = {"idle", UNIT_TIME, false},      [FIELD_AGE] = {"age", UNIT_TIME, false},
    [FIELD_NETWORK] = {"net", UNIT_NONE, false},    [FIELD_CELLS] = {"cells", UNIT_NONE, false},
    [FIELD_FAILURES] = {"fails", UNIT_NONE, false}, [FIELD_HOST] = {"host", UNIT_NONE, true},
};
static_assert(ARRAY_SIZE(fields) == FIELD_COUNT, "a row for each field");

static const struct {
    const char *sign;
    enum filter_operator relation;
} operators[] = {
    /* Longer ones first. */
    {"!=", OPERATOR_IS_NOT}, {"<=", OPERATOR_AT_MOST}, {">=", OPERATOR_AT_LEAST},
    {"=", OPERATOR_IS},      {"<", OPERATOR_LESS},     {">", OPERATOR_MORE},
    {"~", OPERATOR_HAS},     {":", OPERATOR_HAS},
};

static bool filter_is_number(enum filter_field field)
{
    return field >= FIELD_MEMORY;
}

static char filter_small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* ---- reading ---- */

static bool filter_find_unit(enum unit unit, const char *name, double *ret_factor)
{
    static const struct {
        enum unit unit;
        const char *name;
        double factor;
    } units[] = {
        {UNIT_SIZE, "", 1},         {UNIT_SIZE, "b", 1},         {UNIT_SIZE, "k", 1 << 10},
        {UNIT_SIZE, "kb", 1 << 10}, {UNIT_SIZE, "kib", 1 << 10}, {UNIT_SIZE, "m", 1 << 20},
        {UNIT_SIZE, "mb", 1 << 20}, {UNIT_SIZE, "mib", 1 << 20}, {UNIT_SIZE, "g", 1 << 30},
        {UNIT_SIZE, "gb", 1 << 30}, {UNIT_SIZE, "gib", 1 << 30}, {UNIT_TIME, "", 1},
        {UNIT_TIME, "ms", 0.001},   {UNIT_TIME, "s", 1},         {UNIT_TIME, "m", 60},
        {UNIT_TIME, "min", 60},     {UNIT_TIME, "h", 3600},      {UNIT_TIME, "d", 86400},
        {UNIT_SHARE, "", 0.01},     {UNIT_SHARE, "%", 0.01},     {UNIT_NONE, "", 1},
    };

    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (units[i].unit == unit && strcmp(units[i].name, name) == 0) {
            *ret_factor = units[i].factor;
            return true;
        }
    return false;
}

static int filter_read_number(struct filter_term *term, struct gb_err *err)
{
    char *end;
    double factor, number;

    /* No sign, no exponent, no hexadecimal. */
    number = strtod(term->text, &end);
    if (end == term->text || end != term->text + strspn(term->text, "0123456789.") ||
        !isfinite(number) || !filter_find_unit(fields[term->field].unit, end, &factor))
        return gb_err_set(err, GB_EINVALID, "%s: %s is not a number that fits",
                          fields[term->field].name, term->text);
    term->number = number * factor;
    return 0;
}

/* A piece of the line up to a space, without its quotes; records the first unquoted part, which may
 * contain an operator. */
struct piece {
    char text[FILTER_TEXT_MAX];
    size_t size;
    size_t quoted; /* quoted from here on; SIZE_MAX: not quoted */
};

static int filter_take_piece(struct gb_bytes text, size_t *at, struct piece *ret_piece,
                             struct gb_err *err)
{
    char quote = '\0';

    *ret_piece = (struct piece){.quoted = SIZE_MAX};
    for (; *at < text.size; (*at)++) {
        char c = (char)text.data[*at];

        if (quote == '\0' && c == ' ')
            break;
        if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
            ret_piece->quoted = MIN(ret_piece->quoted, ret_piece->size);
        } else if (quote != '\0' && c == quote) {
            quote = '\0';
        } else if (c == '\0' || ret_piece->size == FILTER_TEXT_MAX - 1) {
            return gb_err_set(err, GB_EINVALID, "a word of the filter is too long");
        } else {
            ret_piece->text[ret_piece->size++] = filter_small(c);
        }
    }
    ret_piece->text[ret_piece->size] = '\0';
    return 0;
}

static enum filter_field filter_find_field(const char *name, size_t size)
{
    for (size_t i = 1; i < FIELD_COUNT; i++)
        if (strlen(fields[i].name) == size && memcmp(fields[i].name, name, size) == 0)
            return (enum filter_field)i;
    return FIELD_COUNT;
}

/* For OPERATOR_HAS: anything may stand around the pattern. */
static int filter_widen(struct filter_term *term, struct gb_err *err)
{
    const size_t size = strlen(term->text);

    if (size + 3 > sizeof(term->text))
        return gb_err_set(err, GB_EINVALID, "a word of the filter is too long");
    memmove(term->text + 1, term->text, size);
    term->text[0] = term->text[size + 1] = '*';
    term->text[size + 2] = '\0';
    return 0;
}

/* Wildcards count where nothing is quoted. */
static int filter_read_wildcards(const struct piece *piece, struct filter_term *term,
                                 struct gb_err *err)
{
    term->wild = piece->quoted == SIZE_MAX && strpbrk(term->text, "*?") != NULL;
    return term->wild && term->relation == OPERATOR_HAS ? filter_widen(term, err) : 0;
}

/* "field OPERATOR value", else a word. */
static int filter_read_term(const struct piece *piece, size_t start, struct filter_term *term,
                            struct gb_err *err)
{
    const char *text = piece->text + start;
    size_t limit = MIN(piece->quoted, piece->size), at;
    size_t found = ARRAY_SIZE(operators);

    for (at = start; at < limit && found == ARRAY_SIZE(operators); at++)
        for (size_t i = 0; i < ARRAY_SIZE(operators) && found == ARRAY_SIZE(operators); i++)
            if (strncmp(piece->text + at, operators[i].sign, strlen(operators[i].sign)) == 0)
                found = i;
    if (found == ARRAY_SIZE(operators)) {
        memcpy(term->text, text, piece->size - start + 1);
        return filter_read_wildcards(piece, term, err);
    }
    at--; /* the start of the operator */
    if (at == start && operators[found].sign[0] == '~') {
        term->fuzzy = true;
        memcpy(term->text, text + 1, piece->size - start);
        return term->text[0] != '\0' ? 0 : gb_err_set(err, GB_EINVALID, "~ wants a few letters");
    }
    term->field = filter_find_field(text, at - start);
    term->relation = operators[found].relation;
    if (term->field == FIELD_COUNT)
        return gb_err_set(err, GB_EINVALID, "there is no field %.*s", (int)(at - start), text);
    at += strlen(operators[found].sign);
    memcpy(term->text, piece->text + at, piece->size - at + 1);
    if (term->text[0] == '\0' && piece->quoted == SIZE_MAX)
        return gb_err_set(err, GB_EINVALID, "%s wants a value", fields[term->field].name);
    if (filter_is_number(term->field)) {
        if (term->relation == OPERATOR_HAS)
            return gb_err_set(err, GB_EINVALID, "%s is a number: =, <, >",
                              fields[term->field].name);
        return filter_read_number(term, err);
    }
    if (term->relation > OPERATOR_IS_NOT)
        return gb_err_set(err, GB_EINVALID, "%s is text: =, !=, ~", fields[term->field].name);
    return filter_read_wildcards(piece, term, err);
}

int filter_parse(struct gb_bytes text, struct filter *ret_filter, struct gb_err *err)
{
    struct filter filter = {0};
    bool inverse = false, begins = false;
    size_t at = 0;

    if (text.size > FILTER_LINE_MAX)
        return gb_err_set(err, GB_EINVALID, "a filter has at most %d bytes", FILTER_LINE_MAX);
    while (at < text.size) {
        struct piece piece;
        size_t start;
        int r;

        if (text.data[at] == ' ') {
            at++;
            continue;
        }
        r = filter_take_piece(text, &at, &piece, err);
        if (r < 0)
            return r;
        if (piece.quoted == SIZE_MAX && strcmp(piece.text, "and") == 0)
            continue;
        if (piece.quoted == SIZE_MAX && strcmp(piece.text, "or") == 0) {
            begins = filter.count > 0;
            continue;
        }
        if (piece.quoted == SIZE_MAX && strcmp(piece.text, "not") == 0) {
            inverse = !inverse;
            continue;
        }
        start = piece.text[0] == '!' && piece.quoted > 0 ? 1 : 0;
        if (piece.size == start && piece.quoted == SIZE_MAX)
            continue;
        if (filter.count == FILTER_TERMS_MAX)
            return gb_err_set(err, GB_EINVALID, "a filter has at most %d terms", FILTER_TERMS_MAX);
        filter.terms[filter.count] =
            (struct filter_term){.inverse = inverse != (start == 1), .begins = begins};
        r = filter_read_term(&piece, start, &filter.terms[filter.count], err);
        if (r < 0)
            return r;
        filter.count++;
        inverse = begins = false;
    }
    *ret_filter = filter;
    return 0;
}

/* ---- matching ---- */

/* @word is in lower case. */
static bool filter_has(const char *text, const char *word)
{
    for (; *text != '\0' || *word == '\0'; text++) {
        size_t i = 0;

        while (word[i] != '\0' && filter_small(text[i]) == word[i])
            i++;
        if (word[i] == '\0')
            return true;
    }
    return false;
}

/* Whether all of @text is like @pattern, which is in lower case. */
static bool filter_like(const char *text, const char *pattern)
{
    const char *star = NULL, *from = NULL; /* the last star, and where what follows it was tried */

    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            from = text;
        } else if (*pattern == '?') {
            pattern++;
            do
                text++;
            while (((unsigned char)*text & 0xc0) == 0x80); /* the rest of a character */
        } else if (*pattern != '\0' && *pattern == filter_small(*text)) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    return pattern[strspn(pattern, "*")] == '\0';
}

static bool filter_is(const char *text, const char *word, bool beginning)
{
    size_t i = 0;

    while (word[i] != '\0' && filter_small(text[i]) == word[i])
        i++;
    return word[i] == '\0' && (text[i] == '\0' || (beginning && i > 0));
}

static const char *filter_text_of(const struct session *session, enum filter_field field)
{
    switch (field) {
    case FIELD_NAME:
        return session_title(session);
    case FIELD_ID:
        return session->id;
    case FIELD_HOST:
        return session_host(session);
    case FIELD_KEY:
        return session->key;
    case FIELD_OWNER:
        return session->owner;
    case FIELD_CLIENT:
        return session->client;
    case FIELD_IMAGE:
        return session->image;
    case FIELD_LANGUAGE:
        return session->language;
    case FIELD_STATE:
        return session_state_word(session);
    case FIELD_SOURCE:
        return session->source;
    case FIELD_NETWORK:
        return session_has_network(session) ? session->network : "none";
    case FIELD_CODE:
        return session->last.code;
    default:
        return "";
    }
}

static double filter_number_of(const struct session *session, enum filter_field field, double now)
{
    switch (field) {
    case FIELD_MEMORY:
        return (double)session->memory_bytes;
    case FIELD_LIMIT:
        return (double)session->memory_limit_bytes;
    case FIELD_CPU:
        return session->cpu_share;
    case FIELD_IDLE:
        return session->last.running ? 0 : MAX(0, now - session->last_active_at);
    case FIELD_AGE:
        return MAX(0, now - session->created_at);
    case FIELD_CELLS:
        return session->cells;
    case FIELD_FAILURES:
        return session->failures;
    default:
        return 0;
    }
}

static bool filter_compare(double number, enum filter_operator relation, double with)
{
    switch (relation) {
    case OPERATOR_IS:
        return number >= with && number <= with;
    case OPERATOR_IS_NOT:
        return number < with || number > with;
    case OPERATOR_LESS:
        return number < with;
    case OPERATOR_AT_MOST:
        return number <= with;
    case OPERATOR_MORE:
        return number > with;
    case OPERATOR_AT_LEAST:
        return number >= with;
    case OPERATOR_HAS:
        break;
    }
    return false;
}

static bool filter_any_text(const struct session *session, const char *word, bool wild)
{
    for (size_t i = FIELD_NAME; i < FIELD_MEMORY; i++)
        if ((i != FIELD_NETWORK || session_has_network(session)) && /* "none" is no text of it */
            (wild ? filter_like : filter_has)(filter_text_of(session, (enum filter_field)i), word))
            return true;
    return false;
}

static bool filter_match_term(const struct filter_term *term, const struct session *session,
                              double now)
{
    const char *text = filter_text_of(session, term->field);
    bool beginning = fields[term->field].beginning;

    if (term->fuzzy)
        return fuzzy_match(term->text, session_title(session), NULL) != FUZZY_NONE;
    if (term->field == FIELD_ANY)
        return filter_any_text(session, term->text, term->wild);
    if (term->wild)
        return filter_like(text, term->text) == (term->relation != OPERATOR_IS_NOT);
    if (term->field == FIELD_STATE && term->relation != OPERATOR_HAS)
        return session_state_is(session, term->text) == (term->relation == OPERATOR_IS);
    if (filter_is_number(term->field))
        return filter_compare(filter_number_of(session, term->field, now), term->relation,
                              term->number);
    switch (term->relation) {
    case OPERATOR_IS:
        return filter_is(text, term->text, beginning);
    case OPERATOR_IS_NOT:
        return !filter_is(text, term->text, beginning);
    default:
        return filter_has(text, term->text);
    }
}

bool filter_match(const struct filter *filter, const struct session *session, double now)
{
    bool fits = true;

    for (size_t i = 0; i < filter->count; i++) {
        const struct filter_term *term = &filter->terms[i];

        if (term->begins) {
            if (fits)
                return true;
            fits = true;
        }
        fits = fits && filter_match_term(term, session, now) != term->inverse;
    }
    return fits;
}
