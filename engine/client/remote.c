/* SPDX-License-Identifier: Apache-2.0 */
#include "client/remote.h"

#include <string.h>

#include "base/utf8.h"

static const char remote_scheme[] = "ssh://";

/* The characters allowed in a part of the address. */
struct remote_part {
    const char *what;
    const char *others; /* allowed besides letters and digits; NULL: everything except `never` */
    size_t max;
};

static const struct remote_part remote_user = {"the user", "._-+@", GB_REMOTE_USER_MAX};
static const struct remote_part remote_name = {"the host", "._-", GB_REMOTE_NAME_MAX};
static const struct remote_part remote_ipv6 = {"the IPv6 address", ".:%_-", GB_REMOTE_NAME_MAX};
static const struct remote_part remote_socket = {"the path of the socket", NULL,
                                                 GB_REMOTE_SOCKET_MAX};

bool gb_remote_is_url(const char *text)
{
    return strncmp(text, remote_scheme, sizeof(remote_scheme) - 1) == 0;
}

static bool remote_is_alphanumeric(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
           (byte >= 'A' && byte <= 'Z');
}

static bool remote_allows(const struct remote_part *part, uint8_t byte)
{
    if (byte < ' ' || byte == 127)
        return false;
    if (part->others == NULL) /* it is passed through a shell, in single quotes */
        return byte != '\'' && byte != '\\';
    return remote_is_alphanumeric(byte) || strchr(part->others, byte) != NULL;
}

/* The value of a hexadecimal digit, or -1. */
static int remote_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    byte |= 0x20;
    return byte >= 'a' && byte <= 'f' ? byte - 'a' + 10 : -1;
}

/* Copies @text to @to, which is large enough for the part, decoding %XX. */
static int remote_copy(const struct remote_part *part, struct gb_bytes text, bool decode, char *to,
                       struct gb_err *err)
{
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];

        if (byte == '%' && decode) {
            int high = i + 2 < text.size ? remote_digit(text.data[i + 1]) : -1;
            int low = i + 2 < text.size ? remote_digit(text.data[i + 2]) : -1;

            if (high < 0 || low < 0)
                return gb_err_set(err, GB_EINVALID,
                                  "%s has a %% without two hexadecimal digits after it",
                                  part->what);
            byte = (uint8_t)(high << 4 | low);
            i += 2;
        } else if (byte == '?' || byte == '#') {
            return gb_err_set(err, GB_EINVALID, "an address has no part after a %c", byte);
        }
        if (size == 0 && byte == '-') /* ssh would take it for an option */
            return gb_err_set(err, GB_EINVALID, "%s begins with -", part->what);
        if (!remote_allows(part, byte))
            return gb_err_set(err, GB_EINVALID, "%s has a character that is not allowed (0x%02x)",
                              part->what, byte);
        if (size == part->max)
            return gb_err_set(err, GB_EINVALID, "%s is longer than %zu bytes", part->what,
                              part->max);
        to[size++] = (char)byte;
    }
    to[size] = '\0';
    if (size == 0)
        return gb_err_set(err, GB_EINVALID, "%s is empty", part->what);
    if (!gb_utf8_valid((struct gb_bytes){(const uint8_t *)to, size}))
        return gb_err_set(err, GB_EINVALID, "%s is not UTF-8", part->what);
    return 0;
}

/* The position of the first @byte in @text, or its size. */
static size_t remote_position(struct gb_bytes text, uint8_t byte)
{
    const uint8_t *found = text.size > 0 ? memchr(text.data, byte, text.size) : NULL;

    return found != NULL ? (size_t)(found - text.data) : text.size;
}

static struct gb_bytes remote_from(struct gb_bytes text, size_t from)
{
    return (struct gb_bytes){text.data + from, text.size - from};
}

static int remote_read_port(struct gb_bytes text, uint16_t *ret_port, struct gb_err *err)
{
    uint64_t port;

    if (text.size == 0 || text.data[0] == '0' || !gb_bytes_number(&text, UINT16_MAX, &port) ||
        text.size > 0)
        return gb_err_set(err, GB_EINVALID, "the port is not a number from 1 to 65535");
    *ret_port = (uint16_t)port;
    return 0;
}

/* HOST[:PORT], [IPV6][:PORT]. */
static int remote_read_name(struct gb_bytes text, struct gb_remote *host, struct gb_err *err)
{
    struct gb_bytes name = text, rest;
    int r;

    if (text.size > 0 && text.data[0] == '[') {
        size_t end = remote_position(text, ']');

        if (end == text.size)
            return gb_err_set(err, GB_EINVALID, "the IPv6 address does not end in ]");
        host->bracketed = true;
        name = (struct gb_bytes){text.data + 1, end - 1};
        rest = remote_from(text, end + 1);
        r = remote_copy(&remote_ipv6, name, true, host->name, err);
        if (r == 0 && strchr(host->name, ':') == NULL)
            r = gb_err_set(err, GB_EINVALID, "the text in [ ] is not an IPv6 address");
    } else {
        name.size = remote_position(text, ':');
        rest = remote_from(text, name.size);
        r = remote_copy(&remote_name, name, false, host->name, err);
    }
    if (r < 0 || rest.size == 0)
        return r;
    if (rest.data[0] != ':')
        return gb_err_set(err, GB_EINVALID, "the address continues after the ]");
    return remote_read_port(remote_from(rest, 1), &host->port, err);
}

static int remote_read(struct gb_bytes text, struct gb_remote *host, struct gb_err *err)
{
    struct gb_bytes authority = {text.data, remote_position(text, '/')};
    struct gb_bytes path = remote_from(text, authority.size);
    size_t at = remote_position(authority, '@');
    int r = 0;

    if (at < authority.size) {
        struct gb_bytes user = {authority.data, at};

        if (remote_position(user, ':') < user.size)
            return gb_err_set(
                err, GB_EINVALID,
                "an address must not contain a password: ssh asks for it, or uses a key");
        r = remote_copy(&remote_user, user, true, host->user, err);
        authority = remote_from(authority, at + 1);
    }
    if (r == 0)
        r = remote_read_name(authority, host, err);
    if (r == 0 && path.size > 1)
        r = remote_copy(&remote_socket, path, true, host->socket, err);
    return r;
}

int gb_remote_parse(struct gb_bytes url, struct gb_remote *ret_host, struct gb_err *err)
{
    struct gb_remote host = {0};
    struct gb_bytes text = url;
    int r;

    if (!gb_bytes_skip(&text, remote_scheme))
        return gb_err_set(err, GB_EINVALID,
                          "the address of a host is ssh://[USER@]HOST[:PORT][/SOCKET]");
    if (url.size > GB_REMOTE_URL_MAX)
        return gb_err_set(err, GB_EINVALID, "the address of the host is longer than %d bytes",
                          GB_REMOTE_URL_MAX);
    r = remote_read(text, &host, err);
    if (r == 0)
        *ret_host = host;
    return r;
}

static void remote_print_part(struct gb_buf *buf, const char *text, const char *plain)
{
    for (; *text != '\0'; text++)
        if (remote_is_alphanumeric((uint8_t)*text) || strchr(plain, *text) != NULL)
            gb_buf_add_u8(buf, (uint8_t)*text);
        else
            gb_buf_addf(buf, "%%%02X", (unsigned)(uint8_t)*text);
}

void gb_remote_print(struct gb_buf *buf, const struct gb_remote *host)
{
    gb_buf_adds(buf, remote_scheme);
    if (host->user[0] != '\0') {
        remote_print_part(buf, host->user, "._-+");
        gb_buf_adds(buf, "@");
    }
    if (host->bracketed)
        gb_buf_adds(buf, "[");
    remote_print_part(buf, host->name, host->bracketed ? ".:_-" : "._-");
    if (host->bracketed)
        gb_buf_adds(buf, "]");
    if (host->port != 0)
        gb_buf_addf(buf, ":%u", (unsigned)host->port);
    remote_print_part(buf, host->socket, "/._-+:,=~@");
}
