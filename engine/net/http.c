/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "net/http_line.h"
#include "net/name.h"

enum {
    HTTP_HEAD, /* of a request; must be zero */
    HTTP_BODY,
    HTTP_PIECE_SIZE, /* the line before a chunk */
    HTTP_PIECE,
    HTTP_PIECE_END, /* CR LF after it */
    HTTP_TRAILER,   /* lines after the last chunk; an empty one ends the body */
};

enum { LINE_MAX_BYTES = 4096 };

void gb_http_release(struct gb_http *http)
{
    gb_buf_release(&http->head);
}

static bool http_refuse(struct gb_http *http, const char *why)
{
    http->refused = why;
    return false;
}

/* ---- heads ---- */

static bool http_is_token(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr("!#$%&'*+-.^_`|~", byte) != NULL);
}

/* HOST or HOST:PORT. */
static bool http_is_for_us(const struct gb_http *http, struct gb_bytes authority)
{
    char name[GB_HOST_NAME_MAX + 1];
    const uint8_t *colon = memchr(authority.data, ':', authority.size);
    uint64_t port = http->port;

    if (colon != NULL) {
        struct gb_bytes rest = {colon + 1, authority.size - (size_t)(colon - authority.data) - 1};

        authority.size = (size_t)(colon - authority.data);
        if (!gb_bytes_number(&rest, UINT16_MAX, &port) || rest.size > 0)
            return false;
    }
    return port == http->port && gb_name_normalise(authority, name) &&
           strcmp(name, http->name) == 0;
}

struct http_found {
    bool host, old; /* old: HTTP/1.0 */
    struct gb_http_framing framing;
};

/* METHOD SP TARGET SP HTTP/1.x */
static bool http_read_request_line(struct gb_http *http, struct gb_bytes line,
                                   struct http_found *found)
{
    const char *scheme = http->tls ? "https://" : "http://";
    const size_t scheme_size = strlen(scheme);
    const uint8_t *space = memchr(line.data, ' ', line.size);
    struct gb_bytes method, target;

    if (space == NULL)
        return http_refuse(http, "a request line that is none");
    method = (struct gb_bytes){line.data, (size_t)(space - line.data)};
    target = (struct gb_bytes){space + 1, line.size - method.size - 1};
    for (size_t i = 0; i < method.size; i++) {
        if (!http_is_token(method.data[i]))
            return http_refuse(http, "a request line that is none");
    }
    space = memchr(target.data, ' ', target.size);
    if (method.size == 0 || space == NULL)
        return http_refuse(http, "a request line that is none");
    line = (struct gb_bytes){space + 1, target.size - (size_t)(space - target.data) - 1};
    target.size = (size_t)(space - target.data);
    found->old = gb_bytes_equal(line, "HTTP/1.0");
    if (!gb_bytes_equal(line, "HTTP/1.1") && !found->old)
        return http_refuse(http, "a version of HTTP that is not 1.0 or 1.1");
    if (gb_bytes_equal(method, "CONNECT"))
        return http_refuse(http, "CONNECT");
    for (size_t i = 0; i < target.size; i++) {
        if (target.data[i] <= ' ' || target.data[i] == 0x7f)
            return http_refuse(http, "a target that is none");
    }
    if (target.size > 0 && target.data[0] == '/')
        return true;
    if (gb_bytes_equal(target, "*") && gb_bytes_equal(method, "OPTIONS"))
        return true;
    if (target.size > scheme_size &&
        strncasecmp((const char *)target.data, scheme, scheme_size) == 0) {
        struct gb_bytes authority = {target.data + scheme_size, 0};
        size_t most = target.size - scheme_size;

        while (authority.size < most && memchr("/?#", authority.data[authority.size], 3) == NULL)
            authority.size++;
        if (http_is_for_us(http, authority))
            return true;
    }
    return http_refuse(http, "a target of another host");
}

static bool http_read_field(struct gb_http *http, struct gb_bytes line, struct http_found *found)
{
    struct gb_bytes name, value;
    const char *why;

    if (!gb_http_line_field(line, &name, &value))
        return http_refuse(http, "a field that is none");
    for (size_t i = 0; i < name.size; i++) {
        if (!http_is_token(name.data[i]))
            return http_refuse(http, "a field that is none");
    }
    why = gb_http_framing_take(&found->framing, name, value);
    if (why != NULL)
        return http_refuse(http, why);
    if (gb_http_line_same(name, "host")) {
        if (found->host || !http_is_for_us(http, value))
            return http_refuse(http, "a Host of another name");
        found->host = true;
    }
    return true;
}

/* The head is complete, including its empty line. */
static bool http_read_head(struct gb_http *http)
{
    struct gb_bytes rest = gb_buf_bytes(&http->head);
    struct http_found found = {0};
    bool first = true;

    for (;;) {
        struct gb_bytes line;
        const char *why = gb_http_line_next(&rest, &line);

        if (why != NULL)
            return http_refuse(http, why);
        if (line.size == 0 && !first)
            break;
        if (first ? !http_read_request_line(http, line, &found)
                  : !http_read_field(http, line, &found))
            return false;
        first = false;
    }
    if (!found.host)
        return http_refuse(http, "a request without a Host");
    if (found.framing.length && found.framing.pieces)
        return http_refuse(http, "Content-Length and Transfer-Encoding in one request");
    if (found.old && found.framing.pieces)
        return http_refuse(http, "a Transfer-Encoding, which HTTP/1.0 does not have");
    http->left = found.framing.size;
    http->state = found.framing.pieces ? HTTP_PIECE_SIZE : http->left > 0 ? HTTP_BODY : HTTP_HEAD;
    return true;
}

/* Consumes bytes of a head; false if it is refused. */
static bool http_feed_head(struct gb_http *http, struct gb_bytes *bytes, struct gb_buf *pass)
{
    while (bytes->size > 0) {
        const enum gb_http_line end = gb_http_line_collect(&http->head, bytes, GB_HTTP_HEAD_MAX);
        struct gb_bytes head;

        if (end == GB_HTTP_LINE_TOO_LONG)
            return http_refuse(http, "a head that is too long");
        head = gb_buf_bytes(&http->head);
        if (head.size == 2 && memcmp(head.data, "\r\n", 2) == 0) {
            gb_buf_clear(&http->head); /* old clients send one after a body: it is left out */
            continue;
        }
        if (end == GB_HTTP_LINE_MORE || !gb_http_line_ends_head(&http->head))
            continue;
        if (!http_read_head(http))
            return false;
        head = gb_buf_bytes(&http->head);
        if (http->on_head == NULL)
            gb_buf_add(pass, head.data, head.size);
        else if (!http->on_head(http, head, pass))
            return false;
        gb_buf_clear(&http->head);
        return true;
    }
    return true;
}

/* ---- bodies ---- */

/* Collects a line of a chunked body in `head`; true when it is complete. */
static bool http_take_line(struct gb_http *http, struct gb_bytes *bytes)
{
    switch (gb_http_line_collect(&http->head, bytes, LINE_MAX_BYTES)) {
    case GB_HTTP_LINE_MORE:
        return false;
    case GB_HTTP_LINE_TOO_LONG:
        return http_refuse(http, "a line in a body that is too long");
    case GB_HTTP_LINE_WHOLE:
        break;
    }
    if (http->head.size < 2 || gb_buf_data(&http->head)[http->head.size - 2] != '\r')
        return http_refuse(http, "a line that does not end in CR LF");
    return true;
}

/* HEX CR LF: extensions are refused, since nobody needs them and servers disagree about them. */
static bool http_read_piece_size(struct gb_http *http)
{
    const struct gb_bytes line = gb_buf_bytes(&http->head);
    uint64_t size = 0;
    const size_t digits = gb_http_line_hex(line, &size);

    if (digits == 0 || digits != line.size - 2)
        return http_refuse(http, "the size of a piece that is none");
    http->left = size;
    http->state = size > 0 ? HTTP_PIECE : HTTP_TRAILER;
    return true;
}

static bool http_end_line(struct gb_http *http)
{
    bool empty = http->head.size == 2;

    if (http->state == HTTP_PIECE_SIZE)
        return http_read_piece_size(http);
    if (http->state == HTTP_PIECE_END) {
        if (!empty)
            return http_refuse(http, "a piece that is longer than it says");
        http->state = HTTP_PIECE_SIZE;
    } else if (empty) {
        http->state = HTTP_HEAD;
    } else {
        return http_refuse(http, "fields behind a body");
    }
    return true;
}

static bool http_feed_line(struct gb_http *http, struct gb_bytes *bytes, struct gb_buf *pass)
{
    if (!http_take_line(http, bytes))
        return http->refused == NULL;
    if (!http_end_line(http))
        return false;
    gb_buf_add(pass, gb_buf_data(&http->head), http->head.size);
    gb_buf_clear(&http->head);
    return true;
}

static void http_feed_body(struct gb_http *http, struct gb_bytes *bytes, struct gb_buf *pass)
{
    size_t size = MIN(http->left, (uint64_t)bytes->size);

    gb_buf_add(pass, bytes->data, size);
    bytes->data += size;
    bytes->size -= size;
    http->left -= size;
    if (http->left == 0)
        http->state = http->state == HTTP_BODY ? HTTP_HEAD : HTTP_PIECE_END;
}

bool gb_http_is_between(const struct gb_http *http)
{
    return http->state == HTTP_HEAD && http->head.size == 0;
}

bool gb_http_is_in_body(const struct gb_http *http)
{
    return http->state != HTTP_HEAD;
}

bool gb_http_take(struct gb_http *http, struct gb_bytes *bytes, struct gb_buf *pass)
{
    bool good = http->refused == NULL;

    while (good && bytes->size > 0) {
        if (http->state == HTTP_HEAD)
            good = http_feed_head(http, bytes, pass);
        else if (http->state == HTTP_BODY || http->state == HTTP_PIECE)
            http_feed_body(http, bytes, pass);
        else
            good = http_feed_line(http, bytes, pass);
        if (gb_http_is_between(http))
            break;
    }
    return good;
}

bool gb_http_feed(struct gb_http *http, struct gb_bytes bytes, struct gb_buf *pass)
{
    bool good = http->refused == NULL;

    while (good && bytes.size > 0)
        good = gb_http_take(http, &bytes, pass);
    return good;
}
