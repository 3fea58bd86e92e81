/* SPDX-License-Identifier: Apache-2.0 */
#include "net/secret.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/name.h"

enum { SECRET_SHOWN_MAX = 60 };

#define SECRET_EXPIRES_MAX_MS (UINT64_C(366) * 86400000)

struct secret_reader {
    struct gb_secret *secret;
    unsigned line;
    struct gb_bytes rest; /* of the line */
    struct gb_err *err;
};

static int secret_complain(const struct secret_reader *reader, const char *what,
                           struct gb_bytes word)
{
    _cleanup_(gb_buf_release) struct gb_buf shown = {0};

    gb_escape(&shown, word, SECRET_SHOWN_MAX);
    return gb_err_set(reader->err, GB_EINVALID, "secret %s, line %u: %s: %s", reader->secret->name,
                      reader->line, what, gb_buf_str(&shown));
}

static bool secret_is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r';
}

static void secret_skip_space(struct gb_bytes *text)
{
    while (text->size > 0 && secret_is_space(text->data[0])) {
        text->data++;
        text->size--;
    }
}

/* The next word; size 0 at the end of the line or at a comment. */
static struct gb_bytes secret_word(struct secret_reader *reader)
{
    struct gb_bytes *rest = &reader->rest, word;

    secret_skip_space(rest);
    word = (struct gb_bytes){rest->data, 0};
    if (rest->size > 0 && rest->data[0] == '#')
        rest->size = 0;
    while (word.size < rest->size && !secret_is_space(rest->data[word.size]))
        word.size++;
    rest->data += word.size;
    rest->size -= word.size;
    return word;
}

/* The rest of the line. */
static struct gb_bytes secret_text(struct secret_reader *reader)
{
    struct gb_bytes text;

    secret_skip_space(&reader->rest);
    text = reader->rest;
    while (text.size > 0 && secret_is_space(text.data[text.size - 1]))
        text.size--;
    reader->rest.size = 0;
    return text;
}

static bool secret_is_letter(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
}

/* [A-Za-z_][A-Za-z0-9_]* */
static bool secret_is_name(struct gb_bytes word)
{
    if (word.size == 0 || word.size > GB_SECRET_NAME_MAX || !secret_is_letter(word.data[0]))
        return false;
    for (size_t i = 1; i < word.size; i++) {
        if (!secret_is_letter(word.data[i]) && (word.data[i] < '0' || word.data[i] > '9'))
            return false;
    }
    return true;
}

static void secret_copy(char *to, struct gb_bytes word)
{
    memcpy(to, word.data, word.size);
    to[word.size] = '\0';
}

/* ---- lines ---- */

static int secret_read_source(struct secret_reader *reader, enum gb_secret_source source,
                              struct gb_bytes verb)
{
    struct gb_secret *secret = reader->secret;
    struct gb_bytes text = secret_text(reader);

    if (secret->source != GB_SECRET_NOWHERE)
        return secret_complain(reader, "the value comes from one place only", verb);
    if (text.size == 0 || (source == GB_SECRET_FILE && text.data[0] != '/'))
        return secret_complain(reader, "this is no absolute path, variable or command", text);
    secret->source = source;
    secret->origin = xstrndup((const char *)text.data, text.size);
    return 0;
}

static int secret_read_hosts(struct secret_reader *reader)
{
    struct gb_secret *secret = reader->secret;
    struct gb_bytes word;

    while ((word = secret_word(reader)).size > 0) {
        char name[2 + GB_HOST_NAME_MAX + 1] = "*.";
        size_t wild = word.size > 2 && word.data[0] == '*' && word.data[1] == '.' ? 2 : 0;

        if (secret->host_count == GB_SECRET_HOSTS_MAX)
            return secret_complain(reader, "there are too many hosts", word);
        if (!gb_name_normalise((struct gb_bytes){word.data + wild, word.size - wild}, name + wild))
            return secret_complain(reader, "this is not the name of a host", word);
        secret->hosts[secret->host_count++] = xstrdup(name);
    }
    return 0;
}

/* A token, for a header field; for a parameter too, so that it needs no escapes. */
static bool secret_is_key(struct gb_bytes word)
{
    if (word.size == 0 || word.size > GB_SECRET_NAME_MAX)
        return false;
    for (size_t i = 0; i < word.size; i++) {
        if (!secret_is_letter(word.data[i]) && (word.data[i] < '0' || word.data[i] > '9') &&
            word.data[i] != '-' && word.data[i] != '.')
            return false;
    }
    return true;
}

static int secret_read_place(struct secret_reader *reader)
{
    static const char *const places[] = {"bearer", "basic", "header", "query"};
    struct gb_secret *secret = reader->secret;
    struct gb_bytes word = secret_word(reader), key = secret_word(reader);
    size_t place = 0;

    static_assert(ARRAY_SIZE(places) == GB_SECRET_IN_NOTHING, "a word for each");
    while (place < ARRAY_SIZE(places) && !gb_bytes_equal(word, places[place]))
        place++;
    if (place == ARRAY_SIZE(places))
        return secret_complain(reader, "this is none of bearer, basic, header NAME, query NAME",
                               word);
    if (secret->where != GB_SECRET_IN_NOTHING)
        return secret_complain(reader, "a secret has one place", word);
    secret->where = (enum gb_secret_where)place;
    if (place < GB_SECRET_IN_HEADER)
        return key.size == 0 ? 0 : secret_complain(reader, "this place takes no name", key);
    if (!secret_is_key(key))
        return secret_complain(reader, "this is not the name of a header field or a parameter",
                               key);
    if (place == GB_SECRET_IN_HEADER && key.size == 4 &&
        strncasecmp((const char *)key.data, "host", 4) == 0)
        return secret_complain(reader, "no secret belongs there", key);
    secret_copy(secret->key, key);
    return 0;
}

/* A number and s, m, h or d. */
static int secret_read_expires(struct secret_reader *reader)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    struct gb_bytes word = secret_word(reader), rest = word;
    uint64_t number;

    if (gb_bytes_number(&rest, 1000000, &number) && number > 0) {
        for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
            if (gb_bytes_equal(rest, units[i].unit) &&
                number * units[i].ms <= SECRET_EXPIRES_MAX_MS) {
                reader->secret->expires_ms = number * units[i].ms;
                return 0;
            }
        }
    }
    return secret_complain(reader, "this is not a time, such as 50m", word);
}

static int secret_read_variable(struct secret_reader *reader)
{
    struct gb_bytes word = secret_word(reader);

    if (!secret_is_name(word))
        return secret_complain(reader, "this is not the name of a variable", word);
    secret_copy(reader->secret->variable, word);
    return 0;
}

static int secret_read_trust(struct secret_reader *reader)
{
    struct gb_bytes text = secret_text(reader);

    if (reader->secret->trust != NULL || text.size == 0 || text.data[0] != '/')
        return secret_complain(reader, "this is no absolute path, or the second one", text);
    reader->secret->trust = xstrndup((const char *)text.data, text.size);
    return 0;
}

static int secret_read_line(struct secret_reader *reader)
{
    struct gb_bytes word = secret_word(reader), more;
    int r;

    if (word.size == 0)
        return 0;
    if (gb_bytes_equal(word, "file"))
        r = secret_read_source(reader, GB_SECRET_FILE, word);
    else if (gb_bytes_equal(word, "env"))
        r = secret_read_source(reader, GB_SECRET_ENV, word);
    else if (gb_bytes_equal(word, "command"))
        r = secret_read_source(reader, GB_SECRET_COMMAND, word);
    else if (gb_bytes_equal(word, "hosts"))
        r = secret_read_hosts(reader);
    else if (gb_bytes_equal(word, "place"))
        r = secret_read_place(reader);
    else if (gb_bytes_equal(word, "variable"))
        r = secret_read_variable(reader);
    else if (gb_bytes_equal(word, "expires"))
        r = secret_read_expires(reader);
    else if (gb_bytes_equal(word, "trust"))
        r = secret_read_trust(reader);
    else
        return secret_complain(reader,
                               "a line begins with file, env, command, hosts, place, variable, "
                               "expires or trust",
                               word);
    more = secret_word(reader);
    return r < 0 || more.size == 0 ? r : secret_complain(reader, "there is more", more);
}

/* ---- whole ---- */

static int secret_check(const struct gb_secret *secret, struct gb_err *err)
{
    const char *missing = secret->source == GB_SECRET_NOWHERE     ? "file, env or command"
                          : secret->host_count == 0               ? "hosts"
                          : secret->where == GB_SECRET_IN_NOTHING ? "place"
                                                                  : NULL;

    return missing == NULL ? 0
                           : gb_err_set(err, GB_EINVALID, "secret %s: it needs a line `%s`",
                                        secret->name, missing);
}

int gb_secret_parse(struct gb_secret *secret, const char *name, struct gb_bytes text,
                    struct gb_err *err)
{
    struct secret_reader reader = {.secret = secret, .err = err};

    *secret = (struct gb_secret){.where = GB_SECRET_IN_NOTHING};
    if (!secret_is_name(gb_bytes_str(name)))
        return gb_err_set(err, GB_EINVALID,
                          "the name of a secret is at most %d letters, digits and underscores, and "
                          "does not begin with a digit",
                          GB_SECRET_NAME_MAX);
    secret_copy(secret->name, gb_bytes_str(name));
    secret_copy(secret->variable, gb_bytes_str(name));
    if (text.size > GB_SECRET_TEXT_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "secret %s has more than %d bytes", secret->name,
                          GB_SECRET_TEXT_MAX);
    while (gb_bytes_line(&text, &reader.rest)) {
        int r;

        reader.line++;
        r = reader.rest.size > 0 && memchr(reader.rest.data, '\0', reader.rest.size) != NULL
                ? secret_complain(&reader, "a line with a NUL", reader.rest)
                : secret_read_line(&reader);
        if (r < 0)
            return r;
    }
    return secret_check(secret, err);
}

struct gb_secret gb_secret_copy(const struct gb_secret *secret)
{
    struct gb_secret copy = *secret;

    copy.origin = xstrdup(secret->origin);
    copy.trust = secret->trust == NULL ? NULL : xstrdup(secret->trust);
    for (size_t i = 0; i < copy.host_count; i++)
        copy.hosts[i] = xstrdup(secret->hosts[i]);
    return copy;
}

void gb_secret_release(struct gb_secret *secret)
{
    for (size_t i = 0; i < secret->host_count; i++)
        free(secret->hosts[i]);
    free(secret->origin);
    free(secret->trust);
    *secret = (struct gb_secret){.where = GB_SECRET_IN_NOTHING};
}

bool gb_secret_covers(const struct gb_secret *secret, const char *host)
{
    for (size_t i = 0; i < secret->host_count; i++) {
        if (gb_name_matches(secret->hosts[i], host))
            return true;
    }
    return false;
}

/* Whether some name matches both. */
static bool secret_overlap(const char *a, const char *b)
{
    const bool wild_a = a[0] == '*', wild_b = b[0] == '*';

    if (wild_a && wild_b) /* one is the other, or is below it */
        return strcmp(a, b) == 0 || gb_name_matches(a, b + 2) || gb_name_matches(b, a + 2);
    return gb_name_matches(wild_b ? b : a, wild_b ? a : b);
}

static const char *secret_field(const struct gb_secret *secret)
{
    return secret->where < GB_SECRET_IN_HEADER ? "Authorization" : secret->key;
}

static bool secret_same_place(const struct gb_secret *a, const struct gb_secret *b)
{
    if ((a->where == GB_SECRET_IN_QUERY) != (b->where == GB_SECRET_IN_QUERY))
        return false;
    return a->where == GB_SECRET_IN_QUERY ? strcmp(a->key, b->key) == 0
                                          : strcasecmp(secret_field(a), secret_field(b)) == 0;
}

static bool secret_same_trust(const struct gb_secret *a, const struct gb_secret *b)
{
    if (a->trust == NULL || b->trust == NULL)
        return a->trust == b->trust;
    return strcmp(a->trust, b->trust) == 0;
}

/* A host, or a wildcard, of @a for which @b is too; NULL: there is none. */
static const char *secret_shared_host(const struct gb_secret *a, const struct gb_secret *b)
{
    for (size_t i = 0; i < a->host_count; i++) {
        for (size_t j = 0; j < b->host_count; j++) {
            if (secret_overlap(a->hosts[i], b->hosts[j]))
                return a->hosts[i];
        }
    }
    return NULL;
}

int gb_secret_check_both(const struct gb_secret *a, const struct gb_secret *b, struct gb_err *err)
{
    const char *shared;

    if (strcmp(a->variable, b->variable) == 0)
        return gb_err_set(err, GB_EINVALID,
                          "the secrets %s and %s are for the same variable, %s, and a session can "
                          "have one of them",
                          a->name, b->name, a->variable);
    shared = secret_shared_host(a, b);
    if (shared != NULL && secret_same_place(a, b))
        return gb_err_set(err, GB_EINVALID,
                          "the secrets %s and %s are for the same place of requests to %s, and a "
                          "session can have one of them",
                          a->name, b->name, shared);
    if (shared != NULL && !secret_same_trust(a, b))
        return gb_err_set(err, GB_EINVALID,
                          "the secrets %s and %s are both for %s, so they need the same `trust`",
                          a->name, b->name, shared);
    return 0;
}

void gb_secret_write_place(const struct gb_secret *secret, struct gb_buf *text)
{
    static const char *const words[] = {"bearer", "basic", "header", "query", "?"};

    gb_buf_addf(text, "%s%s%s", words[secret->where], secret->key[0] != '\0' ? " " : "",
                secret->key);
}
