/* SPDX-License-Identifier: Apache-2.0 */
#include "net/hello.h"

#include <string.h>

#include "base/mem.h"
#include "net/name.h"

enum {
    RECORD_HEAD = 5,
    RECORD_MAX = 16384,
    RECORD_HANDSHAKE = 22,
    MESSAGE_HEAD = 4,
    CLIENT_HELLO = 1,
    VERSION_AND_RANDOM = 2 + 32,
    EXTENSION_SERVER_NAME = 0,
    NAME_IS_HOST = 0,
};

static size_t hello_number(const uint8_t *at, size_t bytes)
{
    size_t value = 0;

    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

/* The concatenated payload of the handshake records. */
static enum gb_hello_verdict hello_join(struct gb_bytes seen, struct gb_buf *message)
{
    while (seen.size > 0) {
        size_t size, have;

        if (seen.data[0] != RECORD_HANDSHAKE || (seen.size > 1 && seen.data[1] != 3))
            return GB_HELLO_BAD;
        if (seen.size < RECORD_HEAD)
            return GB_HELLO_MORE;
        size = hello_number(seen.data + 3, 2);
        if (size == 0 || size > RECORD_MAX)
            return GB_HELLO_BAD;
        have = MIN(size, seen.size - RECORD_HEAD);
        gb_buf_add(message, seen.data + RECORD_HEAD, have);
        if (message->size > 0 && gb_buf_data(message)[0] != CLIENT_HELLO)
            return GB_HELLO_BAD;
        if (message->size >= MESSAGE_HEAD) {
            size_t whole = MESSAGE_HEAD + hello_number(gb_buf_data(message) + 1, 3);

            if (whole > GB_HELLO_MAX)
                return GB_HELLO_BAD;
            if (message->size >= whole)
                return GB_HELLO_NAMED; /* complete */
        }
        if (have < size)
            return GB_HELLO_MORE;
        seen.data += RECORD_HEAD + size;
        seen.size -= RECORD_HEAD + size;
    }
    return GB_HELLO_MORE;
}

/* Removes a vector with a length field of so many bytes from the front. */
static bool hello_take(struct gb_bytes *from, size_t bytes, struct gb_bytes *ret_vector)
{
    size_t size;

    if (from->size < bytes)
        return false;
    size = hello_number(from->data, bytes);
    if (from->size - bytes < size)
        return false;
    *ret_vector = (struct gb_bytes){from->data + bytes, size};
    from->data += bytes + size;
    from->size -= bytes + size;
    return true;
}

/* server_name (RFC 6066, 3): one name of the only defined type. */
static enum gb_hello_verdict hello_server_name(struct gb_bytes body,
                                               char name[GB_HOST_NAME_MAX + 1])
{
    struct gb_bytes list, host;

    if (!hello_take(&body, 2, &list) || body.size > 0 || list.size == 0 ||
        list.data[0] != NAME_IS_HOST)
        return GB_HELLO_BAD;
    list.data++;
    list.size--;
    if (!hello_take(&list, 2, &host) || list.size > 0 || !gb_name_normalise(host, name))
        return GB_HELLO_BAD;
    return GB_HELLO_NAMED;
}

static enum gb_hello_verdict hello_extensions(struct gb_bytes rest, char name[GB_HOST_NAME_MAX + 1])
{
    enum gb_hello_verdict verdict = GB_HELLO_UNNAMED;

    while (rest.size > 0) {
        struct gb_bytes body;
        size_t type;

        if (rest.size < 2)
            return GB_HELLO_BAD;
        type = hello_number(rest.data, 2);
        rest.data += 2;
        rest.size -= 2;
        if (!hello_take(&rest, 2, &body))
            return GB_HELLO_BAD;
        if (type != EXTENSION_SERVER_NAME)
            continue;
        if (verdict != GB_HELLO_UNNAMED)
            return GB_HELLO_BAD; /* duplicate: one of them would not be checked */
        verdict = hello_server_name(body, name);
        if (verdict == GB_HELLO_BAD)
            return verdict;
    }
    return verdict;
}

enum gb_hello_verdict gb_hello_read(struct gb_bytes seen, char name[GB_HOST_NAME_MAX + 1])
{
    _cleanup_(gb_buf_release) struct gb_buf message = {0};
    enum gb_hello_verdict verdict = hello_join(seen, &message);
    struct gb_bytes rest, session, suites, methods, extensions;

    if (verdict == GB_HELLO_MORE && seen.size > GB_HELLO_MAX)
        return GB_HELLO_BAD;
    if (verdict != GB_HELLO_NAMED)
        return verdict;
    rest = (struct gb_bytes){gb_buf_data(&message) + MESSAGE_HEAD,
                             hello_number(gb_buf_data(&message) + 1, 3)};
    if (rest.size < VERSION_AND_RANDOM || rest.data[0] != 3)
        return GB_HELLO_BAD;
    rest.data += VERSION_AND_RANDOM;
    rest.size -= VERSION_AND_RANDOM;
    if (!hello_take(&rest, 1, &session) || session.size > 32 || !hello_take(&rest, 2, &suites) ||
        suites.size == 0 || !hello_take(&rest, 1, &methods) || methods.size == 0)
        return GB_HELLO_BAD;
    if (rest.size == 0)
        return GB_HELLO_UNNAMED; /* a client without extensions */
    if (!hello_take(&rest, 2, &extensions) || rest.size > 0)
        return GB_HELLO_BAD;
    return hello_extensions(extensions, name);
}
