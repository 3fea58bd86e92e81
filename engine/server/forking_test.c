/* SPDX-License-Identifier: Apache-2.0 */
/* A fork has all that its origin has, or is none. */
#include "server/core/open.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/server.h"
#include "server/core/state.h"

#include "check_run.h"

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_server *server;
static struct gb_image image = {.memory_mb = 256};
static struct gb_images images;
static struct gb_host host = {.images = &images};

static void begin(void)
{
    static const struct gb_part *const parts[] = {NULL};
    const struct gb_server_config config = {.parts = parts, .socket = "/nonexistent/socket"};

    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    host.loop = loop;
    gb_list_init(&host.vms);
    server = gb_server_new(loop, &host, &config);
    server->state = SERVER_OPEN;
}

static void end(void)
{
    gb_server_free(server);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

/* Else its packages would be a disk of zeroes. */
START_TEST(without_descriptors_there_is_no_fork)
{
    char id[] = "s-00000000000000000000";
    struct gb_env env = {0};
    const struct gb_session_config config = {.image = &image, .env = &env};
    const struct gb_session_restored restored = {.id = id, .incarnation = 1, .epoch = 1};
    const struct gb_session_events events = {0};
    const struct origin origin = {.session = id};
    struct hosted *parent = xcalloc(1, sizeof(*parent)), *child = NULL;
    struct connection *connection = xcalloc(1, sizeof(*connection));
    struct rlimit before, limit;
    struct gb_err err = {0};
    int next;

    connection->server = parent->server = server;
    ck_assert_int_eq(
        gb_session_restore(&host, &config, &restored, &events, parent, &parent->session, &err), 0);
    parent->disk_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(parent->disk_fd, 0);
    next = dup(parent->disk_fd);
    (void)gb_close(next);
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = before;
    limit.rlim_cur = (rlim_t)next; /* the lowest that is free */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(open_fork(connection, parent, NULL, &origin, &child, &err), -GB_ECAPACITY);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
    ck_assert_ptr_null(child);
    (void)gb_close(parent->disk_fd);
    gb_session_free(parent->session);
    free(parent);
    free(connection);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("forking");
    TCase *tests = tcase_create("forking");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, without_descriptors_there_is_no_fork);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
