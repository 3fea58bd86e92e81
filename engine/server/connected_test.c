/* SPDX-License-Identifier: Apache-2.0 */
/* The server without a socket, and its clients in the same process. */
#include "server/core/server.h"
#include "server/parts.h"

#include "base/limits.h"
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check_run.h"

static uv_loop_t uv;
static struct gb_err err;

static void on_ended(void *arg)
{
    *(bool *)arg = true;
}

static void send_whole(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, bytes, size, MSG_DONTWAIT);

        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
        } else {
            ck_assert_int_eq(errno, EAGAIN);
            (void)uv_run(&uv, UV_RUN_NOWAIT); /* the server reads */
        }
    }
}

static void expect(int fd, const char *part)
{
    char answer[1024];
    ssize_t n;

    while ((n = recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT)) < 0) {
        ck_assert_int_eq(errno, EAGAIN);
        (void)uv_run(&uv, UV_RUN_ONCE);
    }
    answer[n] = '\0';
    ck_assert_msg(strstr(answer, part) != NULL, "no %s in %s", part, answer);
}

/* What a program sends at once is read, whatever that is together: GB_LINES_MAX protects a server
 * from others. */
START_TEST(long_lines_are_read_whole)
{
    enum { PIECE = 1 << 20, PIECES = 30, CLIENTS = GB_LINES_MAX / (PIECES * PIECE) + 1 };
    static struct gb_images images;
    struct gb_host host = {.images = &images, .accel = GB_ACCEL_TCG};
    struct gb_server_config config = {
        .parts = gb_server_parts, .socket = "/no/such/socket", .ended = on_ended};
    char *piece = xcalloc(PIECE, 1);
    struct gb_server *server;
    bool ended = false;
    int fds[CLIENTS];

    memset(piece, 'x', PIECE);
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    host.loop = gb_loop_new(&uv);
    gb_list_init(&host.vms);
    config.arg = &ended;
    server = gb_server_new(host.loop, &host, &config);
    ck_assert_int_eq(gb_server_start(server, &err), 0);
    for (size_t i = 0; i < CLIENTS; i++)
        ck_assert_int_eq(gb_server_connect(server, &fds[i], &err), 0);
    for (size_t sent = 0; sent < PIECES; sent++)
        for (size_t i = 0; i < CLIENTS; i++)
            send_whole(fds[i], piece, PIECE);
    for (size_t i = 0; i < CLIENTS; i++) {
        send_whole(fds[i], "\n", 1);
        expect(fds[i], "\"code\":-32700");
        (void)close(fds[i]);
    }
    free(piece);
    gb_server_shutdown(server, false, 0);
    while (!ended)
        (void)uv_run(&uv, UV_RUN_ONCE);
    gb_server_free(server);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    gb_loop_free(host.loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("connected");
    TCase *tests = tcase_create("connected");

    tcase_add_test(tests, long_lines_are_read_whole);
    tcase_set_timeout(tests, 120);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
