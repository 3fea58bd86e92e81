/* SPDX-License-Identifier: Apache-2.0 */
/* The end of a server of which parts save something first. */
#include "server/core/server.h"

#include "base/mem.h"
#include "server/core/state.h"

#include "check_run.h"

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_server *server;
static int asked, ended;

static bool on_ending(struct gb_server *ending)
{
    ck_assert_ptr_eq(ending, server);
    ck_assert_int_ne(server_check_open(ending, NULL), 0); /* nothing new begins */
    asked++;
    return true;
}

static bool on_ending_with_nothing(struct gb_server *ending)
{
    (void)ending;
    asked++;
    return false;
}

static void on_ended(void *arg)
{
    (void)arg;
    ended++;
}

static void turn(void)
{
    for (int i = 0; i < 5; i++)
        (void)uv_run(&uv, UV_RUN_NOWAIT);
}

static const struct gb_part saver = {.name = "saver", .server_ending = on_ending};
static const struct gb_part other = {.name = "other", .server_ending = on_ending};
static const struct gb_part idler = {.name = "idler", .server_ending = on_ending_with_nothing};

static void begin(const struct gb_part *const *parts)
{
    static struct gb_images images;
    static struct gb_host host = {.images = &images};
    const struct gb_server_config config = {
        .parts = parts, .socket = "/nonexistent/socket", .ended = on_ended};

    asked = ended = 0;
    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    host.loop = loop;
    gb_list_init(&host.vms);
    server = gb_server_new(loop, &host, &config);
}

static void end(void)
{
    gb_server_free(server);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

START_TEST(it_waits_for_each)
{
    static const struct gb_part *const parts[] = {&saver, &idler, &other, NULL};

    begin(parts);
    gb_server_shutdown(server, true, 0);
    turn();
    ck_assert_int_eq(asked, 3);
    server_saved(server);
    turn();
    ck_assert_int_eq(ended, 0);
    gb_server_shutdown(server, true, 0); /* which it does already */
    turn();
    ck_assert_int_eq(ended, 0);
    server_saved(server);
    turn();
    ck_assert_int_eq(asked, 3);
    ck_assert_int_eq(ended, 1);
    end();
}
END_TEST

START_TEST(asked_again_it_waits_no_more)
{
    static const struct gb_part *const parts[] = {&saver, NULL};

    begin(parts);
    gb_server_shutdown(server, false, 0);
    turn();
    ck_assert_int_eq(ended, 0);
    gb_server_shutdown(server, false, 0);
    turn();
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(ended, 1);
    server_saved(server); /* too late */
    turn();
    ck_assert_int_eq(ended, 1);
    end();
}
END_TEST

START_TEST(it_waits_for_nobody)
{
    static const struct gb_part *const parts[] = {&idler, NULL};

    begin(parts);
    gb_server_shutdown(server, false, 0);
    turn();
    ck_assert_int_eq(asked, 1);
    ck_assert_int_eq(ended, 1);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ending");
    TCase *tests = tcase_create("ending");

    tcase_add_test(tests, it_waits_for_each);
    tcase_add_test(tests, asked_again_it_waits_no_more);
    tcase_add_test(tests, it_waits_for_nobody);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
