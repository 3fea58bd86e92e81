/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell-edge: ends the TLS connections of one session to the hosts of its secrets, and to those
 * that are inspected, and is the only process that knows the secrets (docs/network.md, "Secrets").
 *
 * Theory of operation. The server starts it with a socket as descriptor 3 (edge/protocol.h). It
 * first confines itself for good (guard/launcher/confine.h): it opens nothing; values, certificates
 * and connections come as descriptors. Then it is told the session's secrets, makes a certificate
 * authority for their hosts, and relays until the server closes the socket.
 *
 * One thread, one poll(2); nothing waits but for a message to the server, which always reads. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "edge/authority.h"
#include "edge/protocol.h"
#include "edge/relay.h"
#include "edge/vault.h"
#include "edge/wipe.h"
#include "guard/launcher/confine.h"

enum {
    MEMORY_MAX = 256 << 20,
    TRUST_MAX = 4 * 1024 * 1024,
    POLL_MAX = 1 + GB_EDGE_SECRETS_MAX + 2 * GB_EDGE_CONNECTIONS_MAX,
    HOSTS_MAX = (GB_EDGE_SECRETS_MAX + 1) * GB_EDGE_HOSTS_MAX,
    HERITAGE_MS = 5000, /* for each piece; the server gives up after 30 s */
};

struct edge {
    struct vault vault;
    struct relay_world world;
    struct relay *relays[GB_EDGE_CONNECTIONS_MAX];
    int heritage; /* yields the authority of another edge; -1: none */
    bool started, over;
};

/* A static one: its secrets are never on the stack. */
static struct edge edge = {.heritage = -1};

static void main_tell(void *arg, const struct gb_edge_message *message)
{
    _cleanup_(gb_buf_release) struct gb_buf packet = {0};

    (void)arg;
    gb_edge_encode(message, &packet);
    if (gb_edge_send(GB_EDGE_FD, gb_buf_bytes(&packet), NULL, 0, true) < 0)
        edge.over = true;
}

static void main_fail(const char *why)
{
    const struct gb_edge_message message = {.kind = GB_EDGE_FAILED, .name = gb_bytes_str(why)};

    main_tell(NULL, &message);
    edge.over = true;
}

/* ---- messages ---- */

static int main_trust(int fd, struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf pem = {0};

    if (fd < 0)
        return 0; /* hosts without certificates of their own cannot be reached */
    if (!vault_slurp(fd, TRUST_MAX, &pem))
        return gb_err_set(err, GB_EINVALID, "the system's certificates cannot be read");
    return gb_authority_client(gb_buf_bytes(&pem), &edge.world.client, err);
}

/* The other edge is of the same session's origin, and answers without waiting for anything. One
 * that has stopped, or was taken over, must not stop this one too. */
static bool main_inherit(void)
{
    _cleanup_(gb_wipe_buf) struct gb_buf pem = {0};

    return edge.heritage >= 0 &&
           vault_slurp_pipe(TAKE_FD(edge.heritage), GB_EDGE_AUTHORITY_MAX, HERITAGE_MS, &pem) &&
           gb_authority_take(gb_buf_bytes(&pem), &edge.world.authority, NULL) == 0;
}

/* Adds the lines of @text. */
static bool main_add_hosts(struct gb_bytes text, const char *hosts[HOSTS_MAX], size_t *count)
{
    struct gb_bytes host;

    while (gb_bytes_line(&text, &host)) {
        if (*count == HOSTS_MAX || host.size == 0)
            return false;
        hosts[(*count)++] = xstrndup((const char *)host.data, host.size); /* for good */
    }
    return true;
}

static int main_start(int trust_fd, struct gb_bytes inspected, struct gb_err *err)
{
    static const char *hosts[HOSTS_MAX];
    _cleanup_(gb_buf_release) struct gb_buf pem = {0};
    struct gb_edge_message ready = {.kind = GB_EDGE_READY};
    size_t count = 0;
    int r = main_trust(trust_fd, err);

    for (size_t i = 0; i < edge.vault.count; i++) {
        for (size_t j = 0; j < edge.vault.secrets[i].host_count; j++)
            hosts[count++] = edge.vault.secrets[i].hosts[j];
    }
    if (r == 0 && (edge.started || !main_add_hosts(inspected, hosts, &count) || count == 0))
        r = gb_err_set(err, GB_EINTERNAL, "a START that is none");
    if (r == 0 && !main_inherit())
        r = gb_authority_new(hosts, count, &edge.world.authority, err);
    if (r == 0)
        r = gb_authority_write(edge.world.authority, &pem, err);
    if (r < 0)
        return r;
    edge.started = true;
    ready.name = gb_buf_bytes(&pem);
    main_tell(NULL, &ready);
    return 0;
}

/* Takes @fd, the end of an empty pipe, into which all of it fits. */
static void main_share(int fd)
{
    _cleanup_(gb_wipe_buf) struct gb_buf pem = {0};

    if (fd >= 0 && edge.started && gb_authority_share(edge.world.authority, &pem, NULL) == 0 &&
        pem.size <= GB_EDGE_AUTHORITY_MAX)
        (void)gb_fd_write_full(fd, gb_buf_data(&pem), pem.size); /* else it is not wanted */
    (void)gb_close(fd);
}

static void main_end(size_t index)
{
    relay_free(edge.relays[index]);
    edge.relays[index] = NULL;
}

static void main_run(size_t index)
{
    if (edge.relays[index] != NULL && !relay_run(edge.relays[index]))
        main_end(index);
}

static void main_connect(const struct gb_edge_message *message, int guest_fd, int server_fd)
{
    size_t index = 0;

    while (index < GB_EDGE_CONNECTIONS_MAX && edge.relays[index] != NULL)
        index++;
    if (index == GB_EDGE_CONNECTIONS_MAX || !edge.started) {
        (void)gb_close(guest_fd);
        (void)gb_close(server_fd);
        relay_refuse_new(&edge.world, message, GB_EDGE_TOO_MANY);
        return;
    }
    edge.relays[index] = relay_new(&edge.world, message, guest_fd, server_fd);
    if (edge.relays[index] == NULL)
        relay_refuse_new(&edge.world, message, GB_EDGE_BAD_TLS);
    main_run(index);
}

static int main_take(const struct gb_edge_message *message, const int *fds, struct gb_err *err)
{
    switch (message->kind) {
    case GB_EDGE_SECRET:
        return vault_add(&edge.vault, message, fds[0], message->trust != 0 ? fds[1] : -1, err);
    case GB_EDGE_START:
        return main_start(fds[0], message->hosts, err);
    case GB_EDGE_VALUE:
        vault_renew(&edge.vault, message->index, fds[0]);
        return 0;
    case GB_EDGE_CONNECT:
        main_connect(message, fds[0], fds[1]);
        return 0;
    case GB_EDGE_SHARE:
        main_share(fds[0]);
        return 0;
    case GB_EDGE_HERITAGE:
        (void)gb_close(edge.heritage);
        edge.heritage = fds[0];
        return 0;
    default:
        return gb_err_set(err, GB_EINTERNAL, "a message of kind %u", message->kind);
    }
}

/* Takes all messages that have come. */
static void main_listen(void)
{
    static uint8_t packet[GB_EDGE_PACKET_MAX];

    while (!edge.over) {
        int fds[GB_EDGE_FDS_MAX] = {-1, -1};
        struct gb_edge_message message;
        struct gb_err err = {0};
        size_t count;
        ptrdiff_t n = gb_edge_receive(GB_EDGE_FD, packet, fds, &count);

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            edge.over = true;
            return;
        }
        if (gb_edge_decode((struct gb_bytes){packet, (size_t)n}, &message, &err) < 0 ||
            main_take(&message, fds, &err) < 0)
            main_fail(err.message);
    }
}

/* ---- the loop ---- */

struct main_poll {
    struct pollfd fds[POLL_MAX];
    size_t values, relays, count; /* where each kind begins */
    uint64_t deadline_ns;
};

static void main_prepare(struct main_poll *poll)
{
    poll->fds[0] = (struct pollfd){.fd = GB_EDGE_FD, .events = POLLIN};
    poll->values = 1;
    poll->relays = 1 + edge.vault.count;
    poll->count = poll->relays + 2 * (size_t)GB_EDGE_CONNECTIONS_MAX;
    poll->deadline_ns = vault_deadline_ns(&edge.vault);
    for (size_t i = 0; i < edge.vault.count; i++)
        poll->fds[poll->values + i] =
            (struct pollfd){.fd = edge.vault.secrets[i].fd, .events = POLLIN};
    for (size_t i = 0; i < GB_EDGE_CONNECTIONS_MAX; i++) {
        struct pollfd *fds = &poll->fds[poll->relays + 2 * i];

        fds[0] = fds[1] = (struct pollfd){.fd = -1};
        if (edge.relays[i] == NULL)
            continue;
        relay_poll(edge.relays[i], fds);
        poll->deadline_ns = MIN(poll->deadline_ns, relay_deadline_ns(edge.relays[i]));
    }
}

static int main_timeout_ms(uint64_t deadline_ns)
{
    uint64_t now = gb_clock_mono_ns();

    if (deadline_ns == UINT64_MAX)
        return -1;
    return deadline_ns <= now ? 0
                              : (int)MIN((deadline_ns - now) / GB_NS_PER_MS + 1, UINT64_C(60000));
}

/* The server has closed the guest's end: the guest has, or the session may not go on with it. */
static bool main_is_left(const struct pollfd *guest)
{
    return guest->fd >= 0 && (guest->revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

static void main_turn(void)
{
    static struct main_poll poll_now;
    struct main_poll *at = &poll_now;
    bool renewed = false;
    int n;

    main_prepare(at);
    n = poll(at->fds, (nfds_t)at->count, main_timeout_ms(at->deadline_ns));
    if (n < 0 && errno != EINTR)
        edge.over = true;
    if (n < 0)
        return;
    for (size_t i = 0; i + at->values < at->relays; i++) {
        if (at->fds[at->values + i].revents == 0)
            continue;
        vault_read(&edge.vault, &edge.vault.secrets[i]);
        renewed = true;
    }
    renewed |= vault_expire(&edge.vault, gb_clock_mono_ns());
    for (size_t i = 0; i < GB_EDGE_CONNECTIONS_MAX; i++) {
        const struct pollfd *fds = &at->fds[at->relays + 2 * i];

        if (main_is_left(&fds[0]))
            main_end(i);
        else if (renewed || fds[0].revents != 0 || fds[1].revents != 0 ||
                 (edge.relays[i] != NULL &&
                  relay_deadline_ns(edge.relays[i]) <= gb_clock_mono_ns()))
            main_run(i);
    }
    if (at->fds[0].revents != 0)
        main_listen();
}

/* What would otherwise be looked for in files when it is first used. */
static bool main_prepare_tls(void)
{
    unsigned char byte;

    if (setenv("TZ", "UTC0", 1) < 0)
        return false;
    tzset();
    return OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_LOAD_SSL_STRINGS |
                                OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
                            NULL) == 1 &&
           RAND_bytes(&byte, 1) == 1;
}

int main(void)
{
    const char *what;
    int r;

    (void)signal(SIGPIPE, SIG_IGN); /* allowed: its one use that is the same everywhere */
    edge.world = (struct relay_world){.vault = &edge.vault, .tell = main_tell};
    if (!main_prepare_tls()) {
        main_fail("OpenSSL cannot be used");
        return EXIT_FAILURE;
    }
    r = confine_enter(GB_EDGE_FD, 3 * GB_EDGE_CONNECTIONS_MAX, MEMORY_MAX, &what);
    if (r < 0) {
        char text[160];

        (void)snprintf(text, sizeof(text), "it could not be confined (%s): %s", what, strerror(-r));
        main_fail(text);
        return EXIT_FAILURE;
    }
    while (!edge.over)
        main_turn();
    return EXIT_SUCCESS;
}
