/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/relay.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "check_run.h"
#include "net/http.h"

#define HOST "a.test"
#define ASK "GET /x?y HTTP/1.1\r\nHost: " HOST "\r\nAccept-Encoding: gzip\r\n\r\n"

enum {
    BODY = 40 * 1024, /* less than is kept for a program */
    ROUNDS_MAX = 10000,
    ROOM = 4096
};

/* A relay, and both programs that talk over it. */
struct scene {
    struct vault vault;
    struct relay_world world;
    struct relay *relay;
    SSL_CTX *trusting; /* the certificates of the authority */
    SSL *program, *server;
    int program_fd, server_fd;
    struct gb_buf heard, got; /* by the server, by the program */
    struct gb_buf told;       /* what is told, a line each */
    bool over;
};

static struct scene scene;

static void scene_tell(void *arg, const struct gb_edge_message *message)
{
    (void)arg;
    gb_buf_addf(&scene.told, "%u %.*s %.*s %u\n", message->kind, (int)message->method.size,
                (const char *)message->method.data, (int)message->path.size,
                (const char *)message->path.data, message->status);
}

static SSL *scene_ssl(SSL_CTX *context, int fd)
{
    SSL *ssl = SSL_new(context);

    ck_assert_ptr_nonnull(ssl);
    ck_assert_int_eq(SSL_set_fd(ssl, fd), 1);
    return ssl;
}

static void scene_pair(int ret_fds[2])
{
    const int room = ROOM;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ret_fds),
                     0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
}

static void scene_begin(void)
{
    static const char *const hosts[] = {HOST};
    const struct gb_edge_message connect = {.name = gb_bytes_str(HOST), .number = 1, .port = 443};
    _cleanup_(gb_buf_release) struct gb_buf pem = {0};
    int guest[2], far[2];
    SSL_CTX *server;

    (void)signal(SIGPIPE, SIG_IGN); /* allowed: as in glassbell-edge */
    scene = (struct scene){.world = {.vault = &scene.vault, .tell = scene_tell}};
    ck_assert_int_eq(gb_authority_new(hosts, 1, &scene.world.authority, NULL), 0);
    ck_assert_int_eq(gb_authority_write(scene.world.authority, &pem, NULL), 0);
    ck_assert_int_eq(gb_authority_client(gb_buf_bytes(&pem), &scene.world.client, NULL), 0);
    ck_assert_int_eq(gb_authority_client(gb_buf_bytes(&pem), &scene.trusting, NULL), 0);
    ck_assert_int_eq(gb_authority_server(scene.world.authority, HOST, &server, NULL), 0);
    scene_pair(guest);
    scene_pair(far);
    scene.program_fd = guest[0];
    scene.server_fd = far[0];
    scene.program = scene_ssl(scene.trusting, guest[0]);
    SSL_set_connect_state(scene.program);
    ck_assert_int_eq(SSL_set_tlsext_host_name(scene.program, HOST), 1);
    scene.server = scene_ssl(server, far[0]);
    SSL_set_accept_state(scene.server);
    scene.relay = relay_new(&scene.world, &connect, guest[1], far[1]);
    ck_assert_ptr_nonnull(scene.relay);
}

static void scene_end(void)
{
    relay_free(scene.relay);
    SSL_free(scene.program);
    SSL_free(scene.server);
    SSL_CTX_free(scene.trusting);
    SSL_CTX_free(scene.world.client);
    gb_authority_free(scene.world.authority);
    (void)gb_close(scene.program_fd);
    (void)gb_close(scene.server_fd);
    gb_buf_release(&scene.heard);
    gb_buf_release(&scene.got);
    gb_buf_release(&scene.told);
}

/* The relay does all that it can. */
static void scene_relay(void)
{
    for (unsigned i = 0; i < ROUNDS_MAX && !scene.over; i++) {
        scene.over = !relay_run(scene.relay);
        if (relay_deadline_ns(scene.relay) != 0)
            return;
    }
}

static void scene_read(SSL *ssl, struct gb_buf *to)
{
    uint8_t bytes[4096];
    int n;

    while ((n = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
        gb_buf_add(to, bytes, (size_t)n);
    ERR_clear_error();
}

/* False: there is no room now. */
static bool scene_write(SSL *ssl, struct gb_bytes bytes, size_t *at)
{
    while (*at < bytes.size) {
        int n = SSL_write(ssl, bytes.data + *at, (int)MIN(bytes.size - *at, (size_t)1024));

        ERR_clear_error();
        if (n <= 0)
            return false;
        *at += (size_t)n;
    }
    return true;
}

/* The program asks, and the server hears all of it. */
static void scene_ask(void)
{
    const struct gb_bytes ask = gb_bytes_str(ASK);
    size_t sent = 0;

    for (unsigned i = 0; i < ROUNDS_MAX; i++) {
        (void)scene_write(scene.program, ask, &sent);
        scene_relay();
        scene_read(scene.server, &scene.heard);
        if (scene.heard.size > 4 &&
            memcmp(gb_buf_data(&scene.heard) + scene.heard.size - 4, "\r\n\r\n", 4) == 0)
            return;
    }
    ck_abort_msg("nothing was heard");
}

START_TEST(a_head_without_secrets_is_passed_as_it_is)
{
    scene_begin();
    scene_ask();
    ck_assert_str_eq(gb_buf_str(&scene.heard), ASK);
    scene_end();
    ck_assert_uint_eq(scene.world.vault->count, 0);
}
END_TEST

/* The server answers and closes; the program reads only later, and however late, has it all. */
START_TEST(an_answer_waits_for_a_program_without_a_deadline)
{
    _cleanup_(gb_buf_release) struct gb_buf answer = {0};
    struct pollfd fds[2];
    size_t sent = 0;
    unsigned i;

    scene_begin();
    scene_ask();
    gb_buf_addf(&answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n",
                BODY);
    for (i = 0; i < BODY; i++)
        gb_buf_add_u8(&answer, 'x');
    for (i = 0; i < ROUNDS_MAX && !scene_write(scene.server, gb_buf_bytes(&answer), &sent); i++)
        scene_relay();
    scene.server_fd = gb_close(scene.server_fd);
    scene_relay();
    ck_assert(!scene.over);
    ck_assert_uint_eq(sent, answer.size);
    ck_assert_uint_eq(scene.got.size, 0);
    relay_poll(scene.relay, fds);
    ck_assert_int_eq(fds[0].events, POLLOUT);
    ck_assert_uint_eq(relay_deadline_ns(scene.relay), UINT64_MAX);
    for (i = 0; i < ROUNDS_MAX && scene.got.size < answer.size; i++) {
        scene_read(scene.program, &scene.got);
        scene_relay();
    }
    ck_assert_uint_eq(scene.got.size, answer.size);
    ck_assert_mem_eq(gb_buf_data(&scene.got), gb_buf_data(&answer), answer.size);
    /* What it still sends is awaited for a while only. */
    ck_assert(!scene.over);
    ck_assert_uint_lt(relay_deadline_ns(scene.relay), UINT64_MAX);
    scene.program_fd = gb_close(scene.program_fd);
    scene_relay();
    ck_assert(scene.over);
    ck_assert_str_eq(gb_buf_str(&scene.told), "8 GET /x 200\n");
    scene_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("relay");
    TCase *tests = tcase_create("all");

    tcase_add_test(tests, a_head_without_secrets_is_passed_as_it_is);
    tcase_add_test(tests, an_answer_waits_for_a_program_without_a_deadline);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
