/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/relay.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "edge/answer.h"
#include "edge/wipe.h"
#include "net/http.h"

enum {
    PIECE = 16 * 1024,      /* bytes read at a time */
    QUEUE_HIGH = 64 * 1024, /* of one direction, above which nothing is read for it */
    ROUNDS = 16,            /* of a call: others wait meanwhile */
    HANDSHAKE_S = 30,
    /* Of the host, after which the end of a body so far is passed (answer.h): at least, and in
     * terms of what the handshake with it has taken, which is two or three round trips. */
    PAUSE_MS = 50,
    PAUSE_HANDSHAKES = 2,
    STALLED_PAUSE_MS = 2000, /* likewise, when the host has had to wait for the guest before */
    CLOSING_S = 5,
    CLOSING_BYTES = 1 << 20, /* dropped of what the guest still sends */
};

enum relay_state {
    RELAY_SERVER_HELLO,
    RELAY_GUEST_HELLO,
    RELAY_OPEN,
    RELAY_FLUSHING,
    RELAY_DRAINING
};

/* One of the two connections. */
struct relay_side {
    int fd;
    SSL *ssl;
    bool ended;  /* nothing more comes from it */
    short waits; /* POLLIN, POLLOUT: what the last call of TLS waits for */
    struct gb_buf out;
};

struct relay {
    const struct relay_world *world;
    enum relay_state state;
    char name[GB_HOST_NAME_MAX + 1];
    uint64_t number;
    uint32_t cell, port;
    struct relay_side guest, server;
    struct gb_buf in; /* of the guest, not looked at yet */
    struct gb_http http;
    struct gb_answer answer;
    struct gb_place_found found;
    struct gb_buf used;              /* names of the secrets in the last request */
    bool unreported;                 /* the last request */
    int reason;                      /* of the refusal; −1: none */
    const char *why;                 /* as a phrase */
    uint64_t deadline_ns, pause_ns;  /* pause_ns: when it was long enough; UINT64_MAX: no pause */
    uint64_t began_ns, handshake_ns; /* with the host */
    bool stalled;                    /* the host has had to wait, and may not go on immediately */
    bool busy;                       /* there is more to do, later */
    size_t drained;
};

/* ---- news ---- */

static struct gb_edge_message relay_message(const struct relay *relay, enum gb_edge_kind kind)
{
    return (struct gb_edge_message){
        .kind = (uint8_t)kind,
        .name = gb_bytes_str(relay->name),
        .number = relay->number,
        .cell = relay->cell,
        .port = relay->port,
        .method = gb_bytes_str(relay->found.method),
        .path = gb_bytes_str(relay->found.path),
    };
}

static void relay_report(struct relay *relay)
{
    struct gb_edge_message message = relay_message(relay, GB_EDGE_REQUEST);

    message.status = relay->answer.status;
    message.secrets = gb_buf_bytes(&relay->used);
    relay->unreported = false;
    relay->world->tell(relay->world->arg, &message);
}

void relay_refuse_new(const struct relay_world *world, const struct gb_edge_message *connect,
                      enum gb_edge_reason reason)
{
    struct gb_edge_message message = *connect;

    message.kind = GB_EDGE_REFUSED;
    message.reason = reason;
    world->tell(world->arg, &message);
}

static uint64_t relay_after(unsigned seconds)
{
    return gb_clock_mono_ns() + seconds * GB_NS_PER_S;
}

/* ---- refusals ---- */

/* As long as the guest takes to read it; it is over when its end of the connection is closed. */
static void relay_flush_and_close(struct relay *relay)
{
    if (relay->state < RELAY_FLUSHING) {
        relay->state = RELAY_FLUSHING;
        relay->deadline_ns = relay->pause_ns = UINT64_MAX;
    }
}

static void relay_put_refusal(struct relay *relay)
{
    static const char *const statuses[] = {
        [GB_EDGE_BAD_REQUEST] = "400 Bad Request",
        [GB_EDGE_OTHER_HOST] = "421 Misdirected Request",
        [GB_EDGE_NO_SECRET] = "502 Bad Gateway",
        [GB_EDGE_BAD_SERVER] = "502 Bad Gateway",
        [GB_EDGE_BAD_ANSWER] = "502 Bad Gateway",
        [GB_EDGE_BAD_TLS] = "502 Bad Gateway",
        [GB_EDGE_TOO_MANY] = "503 Service Unavailable",
    };
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    gb_buf_addf(&text, "glassbell: %s: %s\n", gb_edge_reason((uint32_t)relay->reason), relay->why);
    gb_buf_addf(&relay->guest.out,
                "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
                "Connection: close\r\n\r\n%s",
                statuses[relay->reason], text.size, gb_buf_str(&text));
    relay_flush_and_close(relay);
}

/* The guest is told at its first request, unless it has part of an answer. */
static void relay_refuse(struct relay *relay, enum gb_edge_reason reason, const char *why)
{
    struct gb_edge_message message = relay_message(relay, GB_EDGE_REFUSED);

    if (relay->reason >= 0)
        return;
    relay->reason = (int)reason;
    relay->why = why;
    message.reason = reason;
    relay->world->tell(relay->world->arg, &message);
    relay->server.ended = true;
    gb_wipe_buf(&relay->server.out);
    if (relay->state != RELAY_OPEN)
        return;
    if (gb_answer_is_done(&relay->answer) || relay->answer.status == 0)
        relay_put_refusal(relay);
    else
        relay_flush_and_close(relay);
}

/* ---- requests ---- */

static bool relay_on_head(struct gb_http *http, struct gb_bytes head, struct gb_buf *pass)
{
    struct relay *relay = http->arg;
    struct gb_placed placed[GB_EDGE_SECRETS_MAX];
    size_t count = vault_place(relay->world->vault, relay->name, placed);
    bool used = false;

    gb_place_head(head, placed, count, &relay->found, pass);
    gb_buf_clear(&relay->used);
    if (relay->found.other_upgrade) {
        http->refused = "an upgrade to a protocol that is not websocket";
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (placed[i].missing) {
            http->refused = "the secret has no value: see the server's log";
            relay_refuse(relay, GB_EDGE_NO_SECRET, http->refused);
            return false;
        }
        if (placed[i].repeated) {
            http->refused = "a placeholder that stands there more than once";
            return false;
        }
        used = used || placed[i].used;
        if (placed[i].used)
            gb_buf_addf(&relay->used, "%s%s", relay->used.size > 0 ? "," : "", placed[i].name);
    }
    relay->unreported = true;
    gb_answer_begin(&relay->answer, strcmp(relay->found.method, "HEAD") == 0, relay->found.upgrade,
                    used);
    return true;
}

static void relay_on_want(void *arg, uint32_t index)
{
    const struct relay *relay = arg;
    const struct gb_edge_message message = {.kind = GB_EDGE_WANT, .index = index};

    relay->world->tell(relay->world->arg, &message);
}

/* Whether bytes of the guest can be looked at: the next request begins when the last one has been
 * answered, and values are there. */
static bool relay_may_take(struct relay *relay)
{
    if (relay->in.size == 0 || relay->server.out.size >= QUEUE_HIGH || relay->reason >= 0)
        return false;
    if (!gb_http_is_between(&relay->http))
        return true;
    return gb_answer_is_done(&relay->answer) &&
           vault_is_ready(relay->world->vault, relay->name, gb_clock_mono_ns(), relay_on_want,
                          relay);
}

static bool relay_take(struct relay *relay)
{
    struct gb_bytes bytes = gb_buf_bytes(&relay->in);
    size_t before = bytes.size;

    /* The host has answered for good, before the body: some hosts would take that for a request. */
    if (gb_http_is_in_body(&relay->http) && gb_answer_is_done(&relay->answer)) {
        relay_flush_and_close(relay);
        return true;
    }
    if (gb_answer_is_upgraded(&relay->answer)) {
        if (before == 0 || relay->server.out.size >= QUEUE_HIGH)
            return false;
        gb_buf_add(&relay->server.out, bytes.data, bytes.size);
        gb_buf_clear(&relay->in);
        return true;
    }
    if (!relay_may_take(relay))
        return false;
    if (!gb_http_take(&relay->http, &bytes, &relay->server.out)) {
        const char *why = relay->http.refused;

        relay_refuse(relay,
                     strcmp(why, "a Host of another name") == 0 ||
                             strcmp(why, "a target of another host") == 0
                         ? GB_EDGE_OTHER_HOST
                         : GB_EDGE_BAD_REQUEST,
                     why);
        return true;
    }
    gb_buf_consume(&relay->in, before - bytes.size);
    return bytes.size < before;
}

/* ---- TLS ---- */

/* After a call that has not succeeded: true if it only has to wait. */
static bool relay_must_wait(struct relay_side *side, int result)
{
    const int error = SSL_get_error(side->ssl, result);

    ERR_clear_error();
    if (error == SSL_ERROR_WANT_READ)
        side->waits |= POLLIN;
    else if (error == SSL_ERROR_WANT_WRITE)
        side->waits |= POLLOUT;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

/* Bytes of that side; 0: none now, or it has ended. */
static size_t relay_read(struct relay_side *side, uint8_t bytes[PIECE])
{
    int n;

    if (side->ended)
        return 0;
    n = SSL_read(side->ssl, bytes, PIECE);
    if (n > 0)
        return (size_t)n;
    if (!relay_must_wait(side, n))
        side->ended = true;
    return 0;
}

/* True: some bytes were sent. @ret_broken: none can be. */
static bool relay_write(struct relay_side *side, bool *ret_broken)
{
    int n;

    if (side->out.size == 0)
        return false;
    n = SSL_write(side->ssl, gb_buf_data(&side->out), (int)MIN(side->out.size, (size_t)PIECE));
    if (n <= 0) {
        *ret_broken = !relay_must_wait(side, n);
        return false;
    }
    gb_wipe((uint8_t *)(uintptr_t)gb_buf_data(&side->out), (size_t)n);
    gb_buf_consume(&side->out, (size_t)n);
    return true;
}

/* ---- states ---- */

static bool relay_greet_server(struct relay *relay)
{
    int n = SSL_connect(relay->server.ssl);

    if (n == 1) {
        relay->handshake_ns = gb_clock_mono_ns() - relay->began_ns;
        relay->state = RELAY_GUEST_HELLO;
        return true;
    }
    if (relay_must_wait(&relay->server, n))
        return false;
    relay->state = RELAY_GUEST_HELLO;
    if (SSL_get_verify_result(relay->server.ssl) != X509_V_OK)
        relay_refuse(relay, GB_EDGE_BAD_SERVER, "the server's certificate is not valid");
    else
        relay_refuse(relay, GB_EDGE_BAD_TLS, "no TLS connection to the server");
    return true;
}

static bool relay_greet_guest(struct relay *relay, bool *ret_over)
{
    int n = SSL_accept(relay->guest.ssl);

    if (n == 1) {
        relay->state = RELAY_OPEN;
        relay->deadline_ns = UINT64_MAX;
        return true;
    }
    if (!relay_must_wait(&relay->guest, n)) {
        relay_refuse(relay, GB_EDGE_BAD_TLS, "no TLS connection with the program");
        *ret_over = true;
    }
    return false;
}

static uint64_t relay_long_enough_ns(const struct relay *relay)
{
    const uint64_t usual_ns =
        MAX((uint64_t)PAUSE_MS * GB_NS_PER_MS, PAUSE_HANDSHAKES * relay->handshake_ns);

    return relay->stalled ? MAX(usual_ns, (uint64_t)STALLED_PAUSE_MS * GB_NS_PER_MS) : usual_ns;
}

/* Passes what is kept back of a body when the host has been silent for long enough. The time does
 * not pass while the guest does not read, while its request is not complete, or when part of a TLS
 * record has come, and is longer after the host has had to wait and has to learn that there is
 * room: else the guest could choose where to cut. A host that is silent by itself, at a place that
 * the guest's request moves, is what is left of that. */
static bool relay_pause(struct relay *relay, bool silent)
{
    const uint64_t now = gb_clock_mono_ns();
    const bool asks = !gb_http_is_between(&relay->http) && !gb_answer_is_upgraded(&relay->answer);

    if (!silent || asks || !gb_answer_keeps(&relay->answer) ||
        SSL_has_pending(relay->server.ssl) == 1) {
        relay->pause_ns = UINT64_MAX;
        return false;
    }
    if (relay->pause_ns == UINT64_MAX)
        relay->pause_ns = now + relay_long_enough_ns(relay);
    if (now < relay->pause_ns)
        return false;
    gb_answer_pass(&relay->answer, &relay->guest.out);
    relay->pause_ns = UINT64_MAX;
    relay->stalled = false;
    return true;
}

static bool relay_hear_server(struct relay *relay)
{
    uint8_t bytes[PIECE];
    size_t n;

    if (relay->server.ended || relay->guest.out.size >= QUEUE_HIGH) {
        relay->stalled = !relay->server.ended;
        relay->pause_ns = UINT64_MAX;
        return false;
    }
    n = relay_read(&relay->server, bytes);
    if (n > 0 && gb_answer_is_done(&relay->answer)) { /* it gives the connection up */
        relay_flush_and_close(relay);
        return true;
    }
    if (n > 0 && !gb_answer_feed(&relay->answer, (struct gb_bytes){bytes, n}, &relay->guest.out))
        relay_refuse(relay, GB_EDGE_BAD_ANSWER, relay->answer.refused);
    gb_wipe(bytes, n);
    if (relay->unreported && (relay->answer.status >= 200 || relay->answer.status == 101))
        relay_report(relay);
    if (n == 0 && relay->server.ended) {
        if (!gb_answer_end(&relay->answer, &relay->guest.out) && relay->answer.status == 0)
            relay_refuse(relay, GB_EDGE_BAD_ANSWER, "the server has closed without an answer");
        relay_flush_and_close(relay);
        return true;
    }
    return relay_pause(relay, n == 0) || n > 0;
}

static bool relay_hear_guest(struct relay *relay)
{
    uint8_t bytes[PIECE];
    size_t n;

    if (relay->in.size >= PIECE || relay->guest.ended)
        return false;
    n = relay_read(&relay->guest, bytes);
    gb_buf_add(&relay->in, bytes, n);
    return n > 0;
}

/* The guest sends no more, and has what it asked for. */
static bool relay_is_finished(const struct relay *relay)
{
    return relay->guest.ended && relay->in.size == 0 && relay->server.out.size == 0 &&
           (gb_answer_is_done(&relay->answer) || !gb_http_is_between(&relay->http) ||
            gb_answer_is_upgraded(&relay->answer));
}

static bool relay_exchange(struct relay *relay, bool *ret_over)
{
    bool progress = relay_hear_guest(relay), broken = false;

    if (relay->reason >= 0 && relay->in.size > 0) {
        relay_put_refusal(relay);
        return true;
    }
    progress |= relay_take(relay);
    if (relay->state != RELAY_OPEN)
        return true;
    progress |= relay_write(&relay->server, &broken);
    if (broken)
        gb_wipe_buf(&relay->server.out); /* it may have answered nevertheless */
    progress |= relay_hear_server(relay);
    broken = false;
    progress |= relay_write(&relay->guest, &broken);
    *ret_over = broken || (relay->guest.ended && relay->reason >= 0);
    if (relay_is_finished(relay))
        relay_flush_and_close(relay);
    return progress;
}

/* Sends what is left, then takes what the guest still sends: closing before would break the
 * connection, and it might lose the answer. */
static bool relay_flush(struct relay *relay, bool *ret_over)
{
    bool broken = false, progress;

    relay->server.fd = gb_close(relay->server.fd); /* no more is asked of the host */
    progress = relay_write(&relay->guest, &broken);
    *ret_over = broken;
    if (relay->guest.out.size > 0 || broken)
        return progress;
    (void)SSL_shutdown(relay->guest.ssl);
    ERR_clear_error();
    (void)shutdown(relay->guest.fd, SHUT_WR);
    relay->state = RELAY_DRAINING;
    relay->deadline_ns = relay_after(CLOSING_S);
    return true;
}

static bool relay_drain(struct relay *relay, bool *ret_over)
{
    uint8_t bytes[PIECE];
    ssize_t n = recv(relay->guest.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    relay->guest.waits = POLLIN;
    if (n > 0)
        relay->drained += (size_t)n;
    *ret_over =
        n == 0 || relay->drained > CLOSING_BYTES || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n > 0;
}

bool relay_run(struct relay *relay)
{
    bool progress = true, over = gb_clock_mono_ns() >= relay->deadline_ns;

    for (unsigned i = 0; i < ROUNDS && progress && !over; i++) {
        relay->guest.waits = relay->server.waits = 0;
        switch (relay->state) {
        case RELAY_SERVER_HELLO:
            progress = relay_greet_server(relay);
            break;
        case RELAY_GUEST_HELLO:
            progress = relay_greet_guest(relay, &over);
            break;
        case RELAY_OPEN:
            progress = relay_exchange(relay, &over);
            break;
        case RELAY_FLUSHING:
            progress = relay_flush(relay, &over);
            break;
        case RELAY_DRAINING:
            progress = relay_drain(relay, &over);
            break;
        }
    }
    relay->busy = progress;
    return !over;
}

void relay_poll(const struct relay *relay, struct pollfd fds[2])
{
    const struct relay_side *guest = &relay->guest, *server = &relay->server;

    fds[0] = (struct pollfd){.fd = guest->fd, .events = guest->waits};
    fds[1] = (struct pollfd){.fd = server->waits == 0 ? -1 : server->fd, .events = server->waits};
}

uint64_t relay_deadline_ns(const struct relay *relay)
{
    return relay->busy ? 0 : MIN(relay->deadline_ns, relay->pause_ns);
}

/* ---- life ---- */

/* The server's certificate must be for that name: it or a wildcard for its first label stands among
 * the alternative names. */
static bool relay_set_host(SSL *ssl, const char *name)
{
    SSL_set_hostflags(ssl,
                      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    return SSL_set1_host(ssl, name) == 1;
}

static bool relay_open_sides(struct relay *relay)
{
    struct vault *vault = relay->world->vault;
    SSL_CTX *client = vault_client(vault, relay->name), *server = NULL;

    if (client == NULL)
        client = relay->world->client;
    if (client == NULL ||
        gb_authority_server(relay->world->authority, relay->name, &server, NULL) < 0)
        return false;
    relay->guest.ssl = SSL_new(server);
    relay->server.ssl = SSL_new(client);
    return relay->guest.ssl != NULL && relay->server.ssl != NULL &&
           SSL_set_fd(relay->guest.ssl, relay->guest.fd) == 1 &&
           SSL_set_fd(relay->server.ssl, relay->server.fd) == 1 &&
           SSL_set_tlsext_host_name(relay->server.ssl, relay->name) == 1 &&
           relay_set_host(relay->server.ssl, relay->name);
}

struct relay *relay_new(const struct relay_world *world, const struct gb_edge_message *connect,
                        int guest_fd, int server_fd)
{
    struct relay *relay = xcalloc(1, sizeof(*relay));

    relay->world = world;
    relay->guest.fd = guest_fd;
    relay->server.fd = server_fd;
    relay->number = connect->number;
    relay->cell = connect->cell;
    relay->port = connect->port;
    relay->reason = -1;
    relay->began_ns = gb_clock_mono_ns();
    relay->deadline_ns = relay_after(HANDSHAKE_S);
    relay->pause_ns = UINT64_MAX;
    if (connect->name.size > 0 && connect->name.size <= GB_HOST_NAME_MAX)
        memcpy(relay->name, connect->name.data, connect->name.size);
    relay->answer.mask = &world->vault->mask;
    relay->answer.owners = vault_owners(world->vault, relay->name);
    relay->http.tls = true;
    relay->http.port = (uint16_t)connect->port;
    relay->http.on_head = relay_on_head;
    relay->http.arg = relay;
    memcpy(relay->http.name, relay->name, sizeof(relay->name));
    if (relay->name[0] != '\0' && gb_fd_set_nonblocking(guest_fd, true) == 0 &&
        gb_fd_set_nonblocking(server_fd, true) == 0 && relay_open_sides(relay))
        return relay;
    relay_free(relay);
    return NULL;
}

void relay_free(struct relay *relay)
{
    if (relay == NULL)
        return;
    if (relay->unreported && relay->reason < 0) /* it was sent, whatever became of it */
        relay_report(relay);
    SSL_free(relay->guest.ssl);
    SSL_free(relay->server.ssl);
    ERR_clear_error();
    (void)gb_close(relay->guest.fd);
    (void)gb_close(relay->server.fd);
    gb_wipe_buf(&relay->guest.out);
    gb_wipe_buf(&relay->server.out);
    gb_wipe_buf(&relay->in);
    gb_http_release(&relay->http);
    gb_answer_release(&relay->answer);
    gb_buf_release(&relay->used);
    free(relay);
}
