/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/vault.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "edge/authority.h"
#include "edge/wipe.h"
#include "net/name.h"

enum {
    TRUST_MAX = 4 * 1024 * 1024,
    READ_BYTES = 16 * 1024,
    READ_S = 35, /* longer than the server lets a command run */
    AGAIN_S = 10,
};

static_assert(GB_EDGE_SECRETS_MAX <= 32, "a bit for each in the owners of a text");

bool vault_slurp_pipe(int fd, size_t most, int most_ms, struct gb_buf *text)
{
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        uint8_t *to = gb_buf_reserve(text, READ_BYTES, most);
        const int polled = to == NULL ? 0 : poll(&ready, 1, most_ms);
        const ssize_t n = polled > 0 ? read(fd, to, READ_BYTES) : -1;

        if (n > 0)
            gb_buf_commit(text, (size_t)n);
        if (n > 0 || (n < 0 && polled != 0 && errno == EINTR))
            continue;
        (void)gb_close(fd);
        return n == 0;
    }
}

bool vault_slurp(int fd, size_t most, struct gb_buf *text)
{
    return vault_slurp_pipe(fd, most, -1, text); /* files are always ready */
}

static bool vault_copy(char *to, size_t most, struct gb_bytes text)
{
    if (text.size > most || (text.size > 0 && memchr(text.data, '\0', text.size) != NULL))
        return false;
    if (text.size > 0)
        memcpy(to, text.data, text.size);
    to[text.size] = '\0';
    return true;
}

static int vault_read_trust(struct vault_secret *secret, int fd, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf pem = {0};
    int r;

    if (!vault_slurp(fd, TRUST_MAX, &pem))
        return gb_err_set(err, GB_EINVALID, "secret %s: the file that `trust` names cannot be read",
                          secret->name);
    r = gb_authority_client(gb_buf_bytes(&pem), &secret->client, err);
    return r == 0 ? 0
                  : gb_err_set(err, GB_EINVALID,
                               "secret %s: the file that `trust` names has no certificate",
                               secret->name);
}

int vault_add(struct vault *vault, const struct gb_edge_message *message, int value_fd,
              int trust_fd, struct gb_err *err)
{
    struct vault_secret *secret = &vault->secrets[vault->count];
    struct gb_bytes hosts = message->hosts, host;
    int r = 0;

    if (vault->count == GB_EDGE_SECRETS_MAX ||
        !vault_copy(secret->name, GB_EDGE_NAME_MAX, message->name) ||
        !vault_copy(secret->placeholder, GB_EDGE_TEXT_MAX, message->placeholder) ||
        !vault_copy(secret->key, GB_EDGE_NAME_MAX, message->key))
        r = gb_err_set(err, GB_EINTERNAL, "a secret that is none");
    while (r == 0 && gb_bytes_line(&hosts, &host)) {
        if (secret->host_count == GB_EDGE_HOSTS_MAX)
            r = gb_err_set(err, GB_EINTERNAL, "too many hosts");
        else
            secret->hosts[secret->host_count++] = xstrndup((const char *)host.data, host.size);
    }
    if (r == 0 && trust_fd >= 0)
        r = vault_read_trust(secret, TAKE_FD(trust_fd), err);
    (void)gb_close(trust_fd);
    if (r < 0) {
        (void)gb_close(value_fd);
        return r;
    }
    secret->place = (enum gb_secret_place)message->place;
    secret->expires_ms = message->expires_ms;
    secret->fd = -1;
    vault->count++;
    vault_renew(vault, (uint32_t)(vault->count - 1), value_fd);
    return 0;
}

static void vault_await(struct vault_secret *secret)
{
    secret->pending = true;
    secret->deadline_ns = gb_clock_mono_ns() + READ_S * GB_NS_PER_S;
}

void vault_renew(struct vault *vault, uint32_t index, int fd)
{
    struct vault_secret *secret;

    if (index >= vault->count || fd < 0 || gb_fd_set_nonblocking(fd, true) < 0) {
        (void)gb_close(fd);
        return;
    }
    secret = &vault->secrets[index];
    (void)gb_close(secret->fd);
    gb_wipe_buf(&secret->incoming);
    secret->fd = fd;
    vault_await(secret);
}

static bool vault_mask(struct vault *vault)
{
    bool good = true;

    gb_mask_release(&vault->mask);
    for (size_t i = 0; i < vault->count; i++) {
        const struct vault_secret *secret = &vault->secrets[i];
        struct gb_placed placed = {.place = secret->place, .placeholder = secret->placeholder};

        placed.value = gb_buf_bytes(&secret->value);
        good = gb_place_mask(&placed, &vault->mask, 1u << i) && good;
        for (size_t j = 0; j < VAULT_KEPT; j++) {
            placed.value = gb_buf_bytes(&secret->kept[j]);
            good = gb_place_mask(&placed, &vault->mask, 1u << i) && good;
        }
    }
    return good;
}

static bool vault_same(const struct gb_buf *a, const struct gb_buf *b)
{
    return a->size == b->size && memcmp(gb_buf_data(a), gb_buf_data(b), a->size) == 0;
}

/* Hosts may still repeat it: it is the first of those that are kept, once. */
static void vault_keep(struct vault_secret *secret)
{
    size_t at = 0;

    while (at < VAULT_KEPT - 1 && !vault_same(&secret->kept[at], &secret->value))
        at++;
    gb_wipe_buf(&secret->kept[at]);
    memmove(&secret->kept[1], &secret->kept[0], at * sizeof(secret->kept[0]));
    secret->kept[0] = secret->value;
    secret->value = (struct gb_buf){0};
}

/* The new value is complete; where it is not valid, there is none any more. */
static void vault_take(struct vault *vault, struct vault_secret *secret)
{
    struct gb_buf *text = &secret->incoming;

    if (text->size > 0 && gb_buf_data(text)[text->size - 1] == '\n')
        text->size--;
    if (text->size > 0 && gb_buf_data(text)[text->size - 1] == '\r')
        text->size--;
    if (secret->value.size > 0 && !vault_same(text, &secret->value))
        vault_keep(secret);
    gb_wipe_buf(&secret->value);
    if (gb_place_value_is_valid(gb_buf_bytes(text))) {
        secret->value = *text;
        *text = (struct gb_buf){0};
    } else {
        gb_wipe_buf(text);
    }
    if (!vault_mask(vault)) /* what comes back could not be turned back */
        gb_wipe_buf(&secret->value);
    secret->read_at_ns = gb_clock_mono_ns();
    secret->pending = false;
}

void vault_read(struct vault *vault, struct vault_secret *secret)
{
    struct gb_buf *text = &secret->incoming;

    for (;;) {
        /* Room for all that is valid, and for a byte more: the buffer never moves. */
        uint8_t *to = gb_buf_reserve(text, GB_SECRET_VALUE_MAX + 4 - text->size, SIZE_MAX);
        ssize_t n = to == NULL ? 0 : read(secret->fd, to, GB_SECRET_VALUE_MAX + 4 - text->size);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0)
            gb_buf_commit(text, (size_t)n);
        if (n <= 0 || text->size > GB_SECRET_VALUE_MAX + 2)
            break;
    }
    secret->fd = gb_close(secret->fd);
    vault_take(vault, secret);
}

bool vault_expire(struct vault *vault, uint64_t now_ns)
{
    bool late = false;

    for (size_t i = 0; i < vault->count; i++) {
        struct vault_secret *secret = &vault->secrets[i];

        if (!secret->pending || now_ns < secret->deadline_ns)
            continue;
        secret->fd = gb_close(secret->fd);
        gb_wipe_buf(&secret->incoming);
        vault_take(vault, secret);
        late = true;
    }
    return late;
}

uint64_t vault_deadline_ns(const struct vault *vault)
{
    uint64_t deadline = UINT64_MAX;

    for (size_t i = 0; i < vault->count; i++) {
        if (vault->secrets[i].pending)
            deadline = MIN(deadline, vault->secrets[i].deadline_ns);
    }
    return deadline;
}

uint32_t vault_owners(const struct vault *vault, const char *host)
{
    uint32_t owners = 0;

    for (size_t i = 0; i < vault->count; i++) {
        if (vault_covers(&vault->secrets[i], host))
            owners |= 1u << i;
    }
    return owners;
}

bool vault_covers(const struct vault_secret *secret, const char *host)
{
    for (size_t i = 0; i < secret->host_count; i++) {
        if (gb_name_matches(secret->hosts[i], host))
            return true;
    }
    return false;
}

size_t vault_place(struct vault *vault, const char *host, struct gb_placed *placed)
{
    size_t count = 0;

    for (size_t i = 0; i < vault->count; i++) {
        const struct vault_secret *secret = &vault->secrets[i];

        if (vault_covers(secret, host))
            placed[count++] = (struct gb_placed){.name = secret->name,
                                                 .placeholder = secret->placeholder,
                                                 .place = secret->place,
                                                 .key = secret->key,
                                                 .value = gb_buf_bytes(&secret->value)};
    }
    return count;
}

SSL_CTX *vault_client(struct vault *vault, const char *host)
{
    for (size_t i = 0; i < vault->count; i++) {
        if (vault->secrets[i].client != NULL && vault_covers(&vault->secrets[i], host))
            return vault->secrets[i].client;
    }
    return NULL;
}

static bool vault_is_too_old(const struct vault_secret *secret, uint64_t now_ns)
{
    const uint64_t age_ns = now_ns - MIN(now_ns, secret->read_at_ns);

    if (secret->value.size == 0)
        return age_ns > AGAIN_S * GB_NS_PER_S;
    return secret->expires_ms > 0 && age_ns > secret->expires_ms * GB_NS_PER_MS;
}

bool vault_is_ready(struct vault *vault, const char *host, uint64_t now_ns,
                    void (*want)(void *arg, uint32_t index), void *arg)
{
    bool ready = true;

    for (size_t i = 0; i < vault->count; i++) {
        struct vault_secret *secret = &vault->secrets[i];

        if (!vault_covers(secret, host))
            continue;
        if (!secret->pending && vault_is_too_old(secret, now_ns)) {
            vault_await(secret);
            want(arg, (uint32_t)i);
        }
        ready = ready && !secret->pending;
    }
    return ready;
}
