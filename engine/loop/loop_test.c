/* SPDX-License-Identifier: Apache-2.0 */
#include "loop/loop.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

static uv_loop_t uv;
static struct gb_loop *loop;

static void setup(void)
{
    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
}

static void teardown(void)
{
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

struct counter {
    struct gb_deferred deferred, other;
    struct gb_timer *timer;
    struct gb_child *child;
    int calls, status, signal;
    bool again;
};

static void count(void *arg)
{
    struct counter *counter = arg;

    counter->calls++;
    if (counter->again && counter->calls < 3)
        gb_loop_defer(loop, &counter->deferred, count, counter);
}

static void take_other_back(void *arg)
{
    struct counter *counter = arg;

    gb_loop_undefer(&counter->other);
}

static struct counter left_behind;

START_TEST(deferred_calls)
{
    struct counter counter = {.again = true};

    gb_loop_defer(loop, &counter.deferred, count, &counter);
    gb_loop_defer(loop, &counter.deferred, count, &counter);
    ck_assert_int_eq(counter.calls, 0);
    uv_run(&uv, UV_RUN_ONCE);
    ck_assert_int_eq(counter.calls, 1); /* queued once; what it queued waits a turn */
    while (counter.calls < 3)
        uv_run(&uv, UV_RUN_ONCE);
    uv_run(&uv, UV_RUN_NOWAIT);
    ck_assert_int_eq(counter.calls, 3);

    counter = (struct counter){0};
    gb_loop_defer(loop, &counter.deferred, take_other_back, &counter);
    gb_loop_defer(loop, &counter.other, count, &counter);
    uv_run(&uv, UV_RUN_ONCE);
    uv_run(&uv, UV_RUN_NOWAIT);
    ck_assert_int_eq(counter.calls, 0);
    gb_loop_undefer(&counter.other);

    /* Left behind: dropped with the loop. */
    gb_loop_defer(loop, &left_behind.deferred, count, &left_behind);
}
END_TEST

static void free_timer(void *arg)
{
    struct counter *counter = arg;

    counter->calls++;
    gb_timer_free(TAKE_PTR(counter->timer));
}

START_TEST(timers)
{
    struct counter counter = {0};
    uint64_t begin = gb_loop_now_ns();

    counter.timer = gb_timer_new(loop, free_timer, &counter);
    ck_assert(!gb_timer_active(counter.timer));
    gb_timer_start(counter.timer, 5000);
    gb_timer_start(counter.timer, 20);
    ck_assert(gb_timer_active(counter.timer));
    while (counter.calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    ck_assert_uint_ge(gb_loop_now_ns() - begin, 19 * GB_NS_PER_MS);
    ck_assert_uint_lt(gb_loop_now_ns() - begin, 4000 * GB_NS_PER_MS);

    counter.timer = gb_timer_new(loop, free_timer, &counter);
    gb_timer_start(counter.timer, 1);
    gb_timer_stop(counter.timer);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(counter.calls, 1);
    gb_timer_free(counter.timer);
    gb_timer_free(NULL);
}
END_TEST

static void on_exited(void *arg, int status, int signum)
{
    struct counter *counter = arg;

    counter->calls++;
    counter->status = status;
    counter->signal = signum;
}

static void run_shell(struct counter *counter, const char *script, struct gb_child_config config)
{
    char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, xstrdup(script), NULL};
    struct gb_err err = {0};

    *counter = (struct counter){0};
    config.file = "/bin/sh";
    config.argv = argv;
    ck_assert_msg(gb_child_start(loop, &config, on_exited, counter, &counter->child, &err) == 0,
                  "%s", err.message);
    free(argv[2]);
    ck_assert_int_eq(counter->calls, 0);
}

static void wait_child(struct counter *counter)
{
    while (counter->calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    gb_child_signal(counter->child, SIGKILL); /* harmless */
    gb_child_free(counter->child);
}

START_TEST(children_end)
{
    struct counter counter;

    run_shell(&counter, "exit 7", (struct gb_child_config){0});
    wait_child(&counter);
    ck_assert_int_eq(counter.status, 7);
    ck_assert_int_eq(counter.signal, 0);

    run_shell(&counter, "kill -9 $$", (struct gb_child_config){0});
    wait_child(&counter);
    ck_assert_int_eq(counter.signal, 9);

    run_shell(&counter, "while :; do read x < /dev/zero; done", (struct gb_child_config){0});
    gb_child_signal(counter.child, SIGTERM);
    wait_child(&counter);
    ck_assert_int_eq(counter.signal, SIGTERM);
}
END_TEST

START_TEST(children_end_with_those_that_they_started)
{
    struct counter counter;
    int pipes[2];
    char byte;

    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    run_shell(
        &counter, "sh -c 'echo; while :; do read x < /dev/zero; done' & wait",
        (struct gb_child_config){.fds = {-1, pipes[1], -1}, .fd_count = 3, .new_session = true});
    close(pipes[1]);
    ck_assert_int_eq(read(pipes[0], &byte, 1), 1); /* the second one runs */
    gb_child_signal_group(counter.child, SIGKILL);
    wait_child(&counter);
    ck_assert_int_eq(counter.signal, SIGKILL);
    ck_assert_int_eq(read(pipes[0], &byte, 1), 0); /* and has ended */
    close(pipes[0]);
}
END_TEST

START_TEST(children_that_cannot_start)
{
    struct gb_child_config config = {.file = "/nonexistent", .argv = (char *[]){NULL}};
    struct counter counter = {0};
    struct gb_err err = {0};

    ck_assert_int_lt(gb_child_start(loop, &config, on_exited, &counter, &counter.child, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "/nonexistent"));
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(counter.calls, 0);
}
END_TEST

/* The child has what it was given where it was put, no descriptor that is close-on-exec, and no
 * variable. */
START_TEST(children_get_only_what_is_named)
{
    struct counter counter;
    char *script;
    int pipes[2];
    char text[256] = "";
    ssize_t n;

    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    setenv("GB_SECRET", "x", 1);
    script = xasprintf("echo given >&5; [ -z \"$GB_SECRET\" ] || echo a variable >&5; "
                       "for fd in %d; do [ ! -e /proc/$$/fd/$fd ] || echo $fd >&5; done",
                       pipes[0] > 5 ? pipes[0] : 6);
    run_shell(&counter, script,
              (struct gb_child_config){.fds = {-1, -1, -1, -1, -1, pipes[1]}, .fd_count = 6});
    free(script);
    close(pipes[1]);
    wait_child(&counter);
    n = read(pipes[0], text, sizeof(text) - 1);
    ck_assert_int_gt(n, 0);
    ck_assert_str_eq(text, "given\n");
    close(pipes[0]);
}
END_TEST

START_TEST(abandoned_children_are_reaped)
{
    struct counter counter;
    int pipes[2];
    char byte;

    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    run_shell(&counter, "exit 1",
              (struct gb_child_config){.fds = {-1, pipes[1], -1}, .fd_count = 3});
    close(pipes[1]);
    gb_child_free(counter.child);
    ck_assert_int_eq(read(pipes[0], &byte, 1), 0); /* it has ended */
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(counter.calls, 0);
    close(pipes[0]);
}
END_TEST

static void on_ready(void *arg)
{
    struct counter *counter = arg;

    counter->calls++;
}

START_TEST(watches)
{
    struct counter counter = {0};
    struct gb_watch *watch;
    int pipes[2];

    ck_assert_int_eq(pipe2(pipes, O_CLOEXEC), 0);
    watch = gb_watch_new(loop, pipes[0], on_ready, &counter);
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    while (counter.calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    gb_watch_pause(watch, true);
    counter.calls = 0;
    for (int i = 0; i < 5; i++)
        uv_run(&uv, UV_RUN_NOWAIT);
    ck_assert_int_eq(counter.calls, 0);
    gb_watch_pause(watch, false);
    while (counter.calls == 0)
        uv_run(&uv, UV_RUN_ONCE);
    gb_watch_free(watch);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

static void on_signal(void *arg, int signum)
{
    struct counter *counter = arg;

    counter->calls++;
    counter->signal = signum;
}

START_TEST(signals)
{
    struct counter counter = {0};
    struct gb_signal *caught = gb_signal_new(loop, SIGUSR1, on_signal, &counter);

    /* A signal alone does not keep the loop alive. */
    counter.timer = gb_timer_new(loop, free_timer, &counter);
    gb_timer_start(counter.timer, 20000);
    raise(SIGUSR1);
    uv_run(&uv, UV_RUN_ONCE);
    ck_assert_int_eq(counter.calls, 1);
    ck_assert_int_eq(counter.signal, SIGUSR1);
    gb_timer_free(counter.timer);
    gb_signal_free(caught);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loop");
    TCase *tests = tcase_create("loop");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 30);
    tcase_add_test(tests, deferred_calls);
    tcase_add_test(tests, timers);
    tcase_add_test(tests, children_end);
    tcase_add_test(tests, children_end_with_those_that_they_started);
    tcase_add_test(tests, children_that_cannot_start);
    tcase_add_test(tests, children_get_only_what_is_named);
    tcase_add_test(tests, abandoned_children_are_reaped);
    tcase_add_test(tests, watches);
    tcase_add_test(tests, signals);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
