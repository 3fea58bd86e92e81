/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/place.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "edge/wipe.h"
#include "rpc/base64.h"

enum { CREDENTIALS_MAX = 16 * 1024 };

struct place_reader {
    struct gb_placed *placed;
    size_t count;
    struct gb_place_found *found;
    struct gb_buf *out, *ranges; /* ranges: fields that are left out with a secret */
};

static bool place_same(struct gb_bytes text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.data, word, text.size) == 0;
}

static void place_put(struct gb_buf *out, struct gb_bytes bytes)
{
    gb_buf_add(out, bytes.data, bytes.size);
}

/* Whether the value can be put in; marks the secret. Once: a head full of placeholders would become
 * a much longer one. */
static bool place_use(struct gb_placed *placed)
{
    if (placed->value.size == 0 || placed->used) {
        placed->missing |= placed->value.size == 0;
        placed->repeated |= placed->used;
        return false;
    }
    placed->used = true;
    return true;
}

bool gb_place_value_is_valid(struct gb_bytes value)
{
    if (value.size < GB_SECRET_VALUE_MIN || value.size > GB_SECRET_VALUE_MAX ||
        value.data[0] == ' ' || value.data[value.size - 1] == ' ')
        return false;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] < ' ' || value.data[i] > '~')
            return false;
    }
    return true;
}

/* ---- the target ---- */

/* As encoders do it: with digits of either case, and some leave slashes alone. */
enum { ESCAPED_LOWER = 1, ESCAPED_SLASH = 2, ESCAPED_COUNT = 4 };

static void place_put_escaped(struct gb_buf *out, struct gb_bytes value, unsigned how)
{
    static const char plain[] =
        "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    const size_t skip = (how & ESCAPED_SLASH) != 0 ? 0 : 1;

    for (size_t i = 0; i < value.size; i++) {
        if (memchr(plain + skip, value.data[i], sizeof(plain) - 1 - skip) != NULL)
            gb_buf_add_u8(out, value.data[i]);
        else
            gb_buf_addf(out, (how & ESCAPED_LOWER) != 0 ? "%%%02x" : "%%%02X", value.data[i]);
    }
}

/* KEY=VALUE */
static void place_put_parameter(const struct place_reader *reader, struct gb_bytes parameter)
{
    const uint8_t *equals = memchr(parameter.data, '=', parameter.size);
    struct gb_bytes key, value;

    if (equals == NULL) {
        place_put(reader->out, parameter);
        return;
    }
    key = (struct gb_bytes){parameter.data, (size_t)(equals - parameter.data)};
    value = (struct gb_bytes){equals + 1, parameter.size - key.size - 1};
    for (size_t i = 0; i < reader->count; i++) {
        struct gb_placed *placed = &reader->placed[i];

        if (placed->place != GB_SECRET_QUERY || !gb_bytes_equal(key, placed->key) ||
            !gb_bytes_equal(value, placed->placeholder) || !place_use(placed))
            continue;
        gb_buf_add(reader->out, key.data, key.size + 1);
        place_put_escaped(reader->out, placed->value, 0);
        return;
    }
    place_put(reader->out, parameter);
}

static void place_put_query(const struct place_reader *reader, struct gb_bytes query)
{
    for (;;) {
        const uint8_t *end = memchr(query.data, '&', query.size);
        size_t size = end == NULL ? query.size : (size_t)(end - query.data);

        place_put_parameter(reader, (struct gb_bytes){query.data, size});
        if (end == NULL)
            return;
        gb_buf_add_u8(reader->out, '&');
        query.data += size + 1;
        query.size -= size + 1;
    }
}

static void place_copy(char *to, size_t most, struct gb_bytes text)
{
    size_t size = MIN(text.size, most);

    for (size_t i = 0; i < size; i++)
        to[i] = text.data[i] > ' ' && text.data[i] <= '~' ? (char)text.data[i] : '?';
    to[size] = '\0';
}

/* METHOD SP TARGET SP VERSION */
static void place_put_request_line(const struct place_reader *reader, struct gb_bytes line)
{
    const uint8_t *first = memchr(line.data, ' ', line.size);
    struct gb_bytes method = {line.data, (size_t)(first - line.data)};
    struct gb_bytes target = {first + 1, line.size - method.size - 1}, path;
    const uint8_t *second = memchr(target.data, ' ', target.size), *mark;

    target.size = (size_t)(second - target.data);
    mark = memchr(target.data, '?', target.size);
    path =
        (struct gb_bytes){target.data, mark == NULL ? target.size : (size_t)(mark - target.data)};
    place_copy(reader->found->method, GB_PLACE_METHOD_MAX, method);
    place_copy(reader->found->path, GB_PLACE_PATH_MAX, path);
    gb_buf_add(reader->out, line.data, method.size + 1);
    place_put(reader->out, path);
    if (mark != NULL) {
        gb_buf_add_u8(reader->out, '?');
        place_put_query(reader, (struct gb_bytes){mark + 1, target.size - path.size - 1});
    }
    gb_buf_add(reader->out, second, line.size - method.size - 1 - target.size);
}

/* ---- fields ---- */

/* Base64 of USER:PASSWORD with the value in place of one that is the placeholder; false: neither
 * is. */
static bool place_put_basic(struct gb_buf *out, struct gb_placed *placed, struct gb_bytes text)
{
    _cleanup_(gb_wipe_buf) struct gb_buf after = {0};
    uint8_t before[CREDENTIALS_MAX];
    const uint8_t *colon;
    struct gb_bytes user, password;
    ptrdiff_t size = text.size <= CREDENTIALS_MAX ? gb_base64_decode(text, before) : -1;
    bool is_user;

    colon = size <= 0 ? NULL : memchr(before, ':', (size_t)size);
    if (colon == NULL)
        return false;
    user = (struct gb_bytes){before, (size_t)(colon - before)};
    password = (struct gb_bytes){colon + 1, (size_t)size - user.size - 1};
    is_user = gb_bytes_equal(user, placed->placeholder);
    if ((!is_user && !gb_bytes_equal(password, placed->placeholder)) || !place_use(placed))
        return false;
    placed->repeated |= is_user && gb_bytes_equal(password, placed->placeholder);
    place_put(&after, is_user ? placed->value : user);
    gb_buf_add_u8(&after, ':');
    place_put(&after, is_user ? password : placed->value);
    gb_base64_encode(out, gb_buf_bytes(&after));
    return true;
}

/* SCHEME SP CREDENTIALS */
static bool place_put_authorization(const struct place_reader *reader, struct gb_bytes value)
{
    const uint8_t *space = memchr(value.data, ' ', value.size);
    struct gb_bytes scheme, rest;

    if (space == NULL)
        return false;
    scheme = (struct gb_bytes){value.data, (size_t)(space - value.data)};
    rest = (struct gb_bytes){space + 1, value.size - scheme.size - 1};
    while (rest.size > 0 && rest.data[0] == ' ') {
        rest.data++;
        rest.size--;
    }
    for (size_t i = 0; i < reader->count; i++) {
        struct gb_placed *placed = &reader->placed[i];
        _cleanup_(gb_wipe_buf) struct gb_buf text = {0};

        if (placed->place == GB_SECRET_BEARER && place_same(scheme, "bearer") &&
            gb_bytes_equal(rest, placed->placeholder) && place_use(placed))
            place_put(&text, placed->value);
        else if (placed->place != GB_SECRET_BASIC || !place_same(scheme, "basic") ||
                 !place_put_basic(&text, placed, rest))
            continue;
        place_put(reader->out, scheme);
        gb_buf_add_u8(reader->out, ' ');
        place_put(reader->out, gb_buf_bytes(&text));
        return true;
    }
    return false;
}

/* The value for the placeholder within the text. */
static void place_put_header(const struct place_reader *reader, struct gb_placed *placed,
                             struct gb_bytes value)
{
    const size_t size = strlen(placed->placeholder);
    const uint8_t *at;

    while ((at = memmem(value.data, value.size, placed->placeholder, size)) != NULL &&
           place_use(placed)) {
        size_t before = (size_t)(at - value.data);

        gb_buf_add(reader->out, value.data, before);
        place_put(reader->out, placed->value);
        value.data += before + size;
        value.size -= before + size;
    }
    place_put(reader->out, value);
}

static struct gb_placed *place_of_header(const struct place_reader *reader, struct gb_bytes name,
                                         struct gb_bytes value)
{
    for (size_t i = 0; i < reader->count; i++) {
        struct gb_placed *placed = &reader->placed[i];

        if (placed->place == GB_SECRET_HEADER && place_same(name, placed->key) &&
            memmem(value.data, value.size, placed->placeholder, strlen(placed->placeholder)) !=
                NULL)
            return placed;
    }
    return NULL;
}

static struct gb_bytes place_trim(struct gb_bytes value)
{
    while (value.size > 0 && (value.data[0] == ' ' || value.data[0] == '\t')) {
        value.data++;
        value.size--;
    }
    while (value.size > 0 &&
           (value.data[value.size - 1] == ' ' || value.data[value.size - 1] == '\t'))
        value.size--;
    return value;
}

/* The options of a connection, without one that would have the next server drop what is asked of it
 * here. */
static void place_put_connection(struct gb_buf *out, struct gb_bytes name, struct gb_bytes value)
{
    bool first = true;

    for (;;) {
        const uint8_t *end = memchr(value.data, ',', value.size);
        size_t size = end == NULL ? value.size : (size_t)(end - value.data);
        struct gb_bytes option = place_trim((struct gb_bytes){value.data, size});

        if (option.size > 0 && !place_same(option, "accept-encoding")) {
            if (first)
                place_put(out, name);
            gb_buf_adds(out, first ? ": " : ", ");
            place_put(out, option);
            first = false;
        }
        if (end == NULL)
            break;
        value.data += size + 1;
        value.size -= size + 1;
    }
    if (!first)
        gb_buf_adds(out, "\r\n");
}

static void place_put_field(const struct place_reader *reader, struct gb_bytes line)
{
    const uint8_t *colon = memchr(line.data, ':', line.size);
    struct gb_bytes name = {line.data, (size_t)(colon - line.data)};
    struct gb_bytes value = place_trim((struct gb_bytes){colon + 1, line.size - name.size - 1});
    struct gb_placed *placed;
    size_t before = reader->out->size;

    if (place_same(name, "upgrade")) {
        reader->found->upgrade = place_same(value, "websocket");
        reader->found->other_upgrade |= !reader->found->upgrade;
    }
    if (reader->count == 0) {
        place_put(reader->out, line);
        gb_buf_adds(reader->out, "\r\n");
        return;
    }
    /* Compressed text could not be searched. */
    if (place_same(name, "accept-encoding") || place_same(name, "sec-websocket-extensions"))
        return;
    if (place_same(name, "connection")) {
        place_put_connection(reader->out, name, value);
        return;
    }
    if (place_same(name, "range") || place_same(name, "if-range")) {
        place_put(reader->ranges, line);
        gb_buf_adds(reader->ranges, "\r\n");
        return;
    }
    place_put(reader->out, name);
    gb_buf_adds(reader->out, ": ");
    placed = place_of_header(reader, name, value);
    if (placed != NULL) {
        place_put_header(reader, placed, value);
    } else if (!place_same(name, "authorization") || !place_put_authorization(reader, value)) {
        reader->out->size = before; /* as it came */
        place_put(reader->out, line);
    }
    gb_buf_adds(reader->out, "\r\n");
}

void gb_place_head(struct gb_bytes head, struct gb_placed *placed, size_t count,
                   struct gb_place_found *ret_found, struct gb_buf *out)
{
    _cleanup_(gb_buf_release) struct gb_buf ranges = {0};
    const struct place_reader reader = {placed, count, ret_found, out, &ranges};
    bool first = true, used = false;

    *ret_found = (struct gb_place_found){0};
    for (;;) {
        const uint8_t *end = memchr(head.data, '\n', head.size);
        struct gb_bytes line = {head.data, (size_t)(end - head.data) - 1};

        head.data += line.size + 2;
        head.size -= line.size + 2;
        if (line.size == 0)
            break;
        if (first) {
            place_put_request_line(&reader, line);
            gb_buf_adds(out, "\r\n");
        } else {
            place_put_field(&reader, line);
        }
        first = false;
    }
    for (size_t i = 0; i < count; i++)
        used = used || placed[i].used;
    if (!used)
        place_put(out, gb_buf_bytes(&ranges));
    gb_buf_adds(out, count > 0 ? "Accept-Encoding: identity\r\n\r\n" : "\r\n");
}

/* ---- what may come back ---- */

/* The alphabet for URLs. */
static void place_to_url(struct gb_buf *base64)
{
    for (size_t i = base64->start; i < base64->start + base64->size; i++) {
        if (base64->memory[i] == '+')
            base64->memory[i] = '-';
        else if (base64->memory[i] == '/')
            base64->memory[i] = '_';
    }
}

/* The base64 of USER:VALUE depends on the length of USER, so three forms of the value's middle
 * cover all of them, in each of two alphabets. */
static bool place_mask_base64(const struct gb_placed *placed, struct gb_mask *mask, uint32_t owners)
{
    bool good = true;

    for (size_t before = 0; before < 3; before++) {
        _cleanup_(gb_wipe_buf) struct gb_buf plain = {0}, text = {0};
        /* Characters that also depend on what stands before; and the end, on what follows. */
        size_t skip = before == 0 ? 0 : before + 1, used;
        struct gb_bytes middle;

        for (size_t i = 0; i < before; i++)
            gb_buf_add_u8(&plain, ' ');
        place_put(&plain, placed->value);
        used = plain.size / 3 * 4;
        gb_base64_encode(&text, gb_buf_bytes(&plain));
        middle = (struct gb_bytes){gb_buf_data(&text) + skip, used > skip ? used - skip : 0};
        good = gb_mask_add(mask, middle, placed->placeholder, owners) && good;
        place_to_url(&text);
        good = gb_mask_add(mask, middle, placed->placeholder, owners) && good;
    }
    return good;
}

bool gb_place_mask(const struct gb_placed *placed, struct gb_mask *mask, uint32_t owners)
{
    bool good;

    if (placed->value.size == 0)
        return true;
    good = gb_mask_add(mask, placed->value, placed->placeholder, owners);
    for (unsigned how = 0; how < ESCAPED_COUNT; how++) {
        _cleanup_(gb_wipe_buf) struct gb_buf escaped = {0};

        place_put_escaped(&escaped, placed->value, how);
        good = gb_mask_add(mask, gb_buf_bytes(&escaped), placed->placeholder, owners) && good;
    }
    return place_mask_base64(placed, mask, owners) && good;
}
