/* SPDX-License-Identifier: Apache-2.0 */
/* The client against peers that answer out of order, lie, hang up, or say nothing: over a real
 * socket, the peer in a thread of its own. */
#include "client/client.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "client/dial.h"
#include "platform/socket.h"

struct peer {
    int listener;
    void (*talk)(FILE *in, int fd);
    pthread_t thread;
};

struct told {
    unsigned calls;
    bool failed;
    struct gb_call_error error;
    int64_t number; /* of the result's "n" */
    unsigned order; /* which answer it was */
};

static char folder[] = "/tmp/gb-client-test-XXXXXX";
static char path[64];
static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_client *client;
static struct peer peer;
static unsigned answers, notes, closes;
static char noted[64];

/* ---- the peer ---- */

static void say(int fd, const char *text)
{
    ck_assert_int_eq(gb_fd_write_full(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void hear(FILE *in)
{
    char line[512];

    ck_assert_ptr_nonnull(fgets(line, sizeof(line), in));
}

static void *peer_run(void *arg)
{
    struct peer *me = arg;
    int fd = accept(me->listener, NULL, NULL);
    FILE *in = fdopen(dup(fd), "r");

    me->talk(in, fd);
    (void)fclose(in);
    (void)close(fd);
    return NULL;
}

static void peer_start(void (*talk)(FILE *in, int fd))
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    peer.listener = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(peer.listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(peer.listener, 1), 0);
    peer.talk = talk;
    ck_assert_int_eq(pthread_create(&peer.thread, NULL, peer_run, &peer), 0);
}

/* ---- our side ---- */

static void on_notified(void *arg, const char *method, const struct gb_json *params)
{
    (void)arg;
    (void)params;
    notes++;
    (void)snprintf(noted, sizeof(noted), "%s", method);
}

static void on_closed(void *arg, const struct gb_err *why)
{
    (void)arg;
    ck_assert_str_ne(why->message, "");
    closes++;
}

static void on_reply(void *arg, const struct gb_json *result, const struct gb_call_error *error)
{
    struct told *told = arg;

    told->calls++;
    told->order = ++answers;
    told->failed = error != NULL;
    if (error != NULL)
        told->error = *error;
    else if (gb_json_member(result, "n") != NULL)
        ck_assert(gb_json_integer(gb_json_member(result, "n"), &told->number));
}

static void setup(void)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6); /* mkdtemp filled it in the last time */
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/sock", folder);
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    client = NULL;
    answers = notes = closes = 0;
    peer.listener = -1;
}

static void teardown(void)
{
    gb_client_free(client);
    if (peer.listener >= 0) {
        ck_assert_int_eq(pthread_join(peer.thread, NULL), 0);
        (void)close(peer.listener);
    }
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    (void)unlink(path);
    (void)rmdir(folder);
}

enum { REPLY_BYTES = 4u << 20 };

static void client_start_from(uint64_t first_call)
{
    static const struct gb_client_events events = {on_notified, on_closed};

    client =
        gb_client_new(loop,
                      &(struct gb_client_config){
                          .socket = path, .reply_bytes = REPLY_BYTES, .first_call = first_call},
                      &events, NULL);
}

static void client_start(void)
{
    client_start_from(0);
}

static void wait_for(const struct told *told)
{
    while (told->calls == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
}

static void call(const char *method, uint64_t deadline_ms, struct told *told)
{
    (void)gb_client_call(client, method, NULL, deadline_ms, on_reply, told);
    ck_assert_uint_eq(told->calls, 0); /* never from within */
}

/* ---- the tests ---- */

START_TEST(nobody_listens)
{
    struct told told = {0}, later = {0};

    client_start();
    call("hello", 0, &told);
    wait_for(&told);
    ck_assert(told.failed);
    ck_assert_int_eq(told.error.code, GB_ENOTFOUND);
    ck_assert(!told.error.dispatched);
    call("hello", 0, &later);
    wait_for(&later);
    ck_assert(later.failed && !later.error.dispatched);
    ck_assert_uint_eq(closes, 1);
}
END_TEST

static void answer_backwards(FILE *in, int fd)
{
    hear(in);
    hear(in);
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"n\":22}}\n{\"jsonrpc\":\"2.0\",\"id\":1,");
    say(fd,
        "\"result\":{\"n\":11}}\n{\"jsonrpc\":\"2.0\",\"method\":\"cell.output\",\"params\":{}}\n");
}

START_TEST(answers_out_of_order)
{
    struct told first = {0}, second = {0};

    peer_start(answer_backwards);
    client_start();
    call("a", 0, &first);
    call("b", 0, &second);
    wait_for(&first);
    wait_for(&second);
    ck_assert_int_eq(first.number, 11);
    ck_assert_int_eq(second.number, 22);
    ck_assert_uint_eq(second.order, 1);
    while (closes == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert_uint_eq(notes, 1);
    ck_assert_str_eq(noted, "cell.output");
}
END_TEST

static void answer_error(FILE *in, int fd)
{
    hear(in);
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32004,\"message\":\"no room\","
            "\"data\":{\"kind\":\"capacity\",\"dispatched\":false,\"retryable\":true}}}\n");
}

START_TEST(errors_are_told)
{
    struct told told = {0};

    peer_start(answer_error);
    client_start();
    call("run", 0, &told);
    wait_for(&told);
    ck_assert(told.failed);
    ck_assert_int_eq(told.error.code, GB_ECAPACITY);
    ck_assert_int_eq(told.error.rpc_code, -32004);
    ck_assert_str_eq(told.error.message, "no room");
    ck_assert(told.error.retryable && !told.error.dispatched);
}
END_TEST

static void hang_up(FILE *in, int fd)
{
    (void)fd;
    hear(in);
}

static const struct {
    const char *method;
    bool runs_code;
} lost[] = {{"run", true},         {"session.exec", true},  {"session.history", false},
            {"file.write", false}, {"session.open", false}, {"session.close", false}};

/* Of any the outcome is unknown; code may have run only where code was asked to run. */
START_TEST(a_lost_call_may_have_run)
{
    struct told told = {0};

    peer_start(hang_up);
    client_start();
    call(lost[_i].method, 0, &told);
    wait_for(&told);
    ck_assert(told.failed);
    ck_assert_int_eq(told.error.code, GB_EUNKNOWN);
    ck_assert(told.error.dispatched == lost[_i].runs_code && !told.error.retryable);
}
END_TEST

static const struct {
    const char *method, *result, *says; /* says: NULL: it is as the protocol says */
    bool runs_code;
} results[] = {
    {"hello", "{\"isolation\":7}", "hello: isolation must be a string", false},
    {"hello", "[]", "hello must be an object", false},
    {"hello", "{\"images\":[{\"name\":1}]}", "image: name must be a string", false},
    {"session.list", "{\"sessions\":[{\"state\":\"dreaming\"}]}", "state is a word", false},
    {"session.open", "{\"session\":1}", "opened: session must be a string", false},
    {"pool.status", "{\"pools\":{}}", "capacity: pools must be an array", false},
    {"stats", "{\"host\":3}", "host must be an object", false},
    {"file.read", "{\"eof\":1}", "piece: eof must be true or false", false},
    {"session.exec", "{\"cell\":-1}", "cell: cell is out of its range", true},
    {"run", "{\"cell\":1,\"source\":\"disk\"}", "start: source is a word", true},
    {"run", "{\"cell\":1,\"exit_code\":0,\"source\":\"boot\",\"new\":[1]}", NULL, true},
    {"hello", "{\"n\":1,\"limits\":{\"new\":1}}", NULL, false},
    {"session.close", "{\"anything\":true}", NULL, false},
    {"of.the.future", "[1]", NULL, false},
};
static const char *result_now;

static void answer_result(FILE *in, int fd)
{
    hear(in);
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":");
    say(fd, result_now);
    say(fd, "}\n");
}

/* What is not as the tables of the protocol say is an error, and nobody's result. */
START_TEST(results_are_checked)
{
    struct told told = {0};

    result_now = results[_i].result;
    peer_start(answer_result);
    client_start();
    call(results[_i].method, 0, &told);
    wait_for(&told);
    ck_assert_msg(told.failed == (results[_i].says != NULL), "%s", told.error.message);
    if (results[_i].says == NULL)
        return;
    ck_assert_int_eq(told.error.code, GB_EINTERNAL);
    ck_assert_msg(strstr(told.error.message, results[_i].says) != NULL, "%s", told.error.message);
    ck_assert(told.error.dispatched == results[_i].runs_code && !told.error.retryable);
}
END_TEST

static void say_nothing(FILE *in, int fd)
{
    char byte;

    (void)fd;
    hear(in);
    while (fread(&byte, 1, 1, in) == 1)
        continue; /* until the client hangs up */
}

static void answer_one_alone(FILE *in, int fd)
{
    hear(in);
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":1}}\n");
    say_nothing(in, fd);
}

START_TEST(deadlines)
{
    struct told first = {0}, told = {0};

    peer_start(answer_one_alone);
    client_start();
    call("hello", 0, &first);
    wait_for(&first); /* with a connection the next call is sent at once */
    ck_assert(!first.failed);
    call("run", 50, &told);
    wait_for(&told);
    ck_assert(told.failed);
    ck_assert_int_eq(told.error.code, GB_EUNKNOWN);
    ck_assert(told.error.dispatched);
    ck_assert_uint_eq(gb_client_calls(client), 0);
}
END_TEST

static uv_sem_t gate;

static void block(uv_work_t *work)
{
    (void)work;
    uv_sem_wait(&gate);
}

static void hear_only_a_and_b(FILE *in, int fd)
{
    char line[512];

    ck_assert_ptr_nonnull(fgets(line, sizeof(line), in));
    ck_assert_ptr_nonnull(strstr(line, "\"a\""));
    ck_assert_ptr_nonnull(fgets(line, sizeof(line), in));
    ck_assert_ptr_nonnull(strstr(line, "\"b\""));
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":1}}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":3,\"result\":{\"n\":3}}\n");
    ck_assert_ptr_null(fgets(line, sizeof(line), in));
}

/* What is reported as not sent is not sent later, when there is a connection at last. */
START_TEST(what_was_too_late_for_the_dial_is_never_sent)
{
    enum { THREADS = 4 }; /* of libuv, which dial */
    struct told a = {0}, late = {0}, b = {0};
    uv_work_t works[THREADS];

    peer_start(hear_only_a_and_b);
    ck_assert_int_eq(uv_sem_init(&gate, 0), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(uv_queue_work(&uv, &works[i], block, NULL), 0);
    client_start();
    call("a", 0, &a);
    call("late", 20, &late);
    call("b", 0, &b);
    wait_for(&late);
    ck_assert(late.failed && !late.error.dispatched);
    ck_assert_int_eq(late.error.code, GB_EBUSY);
    for (int i = 0; i < THREADS; i++)
        uv_sem_post(&gate);
    wait_for(&a);
    wait_for(&b);
    ck_assert(!a.failed && a.number == 1 && !b.failed && b.number == 3);
    uv_sem_destroy(&gate);
}
END_TEST

static void hear_the_end(FILE *in, int fd)
{
    char line[16];

    (void)fd;
    ck_assert_ptr_null(fgets(line, sizeof(line), in));
}

/* A connection that is replaced while it is being made: nobody waits for ever, and nothing is
 * sent. */
START_TEST(given_up_while_dialling)
{
    enum { THREADS = 4 };
    struct told a = {0}, big = {0};
    uv_work_t works[THREADS];
    struct gb_err why = {0};

    peer_start(hear_the_end);
    ck_assert_int_eq(uv_sem_init(&gate, 0), 0);
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(uv_queue_work(&uv, &works[i], block, NULL), 0);
    client_start();
    call("a", 0, &a);
    call("a", 60000, &big);
    (void)gb_err_set(&why, GB_EBUSY, "made anew");
    gb_client_give_up(client, &why);
    client = NULL;
    ck_assert_uint_eq(answers, 2);
    ck_assert(a.failed && big.failed && !a.error.dispatched);
    ck_assert_int_eq(a.error.code, GB_EBUSY);
    ck_assert_str_eq(a.error.message, "made anew");
    ck_assert_uint_eq(closes, 0);
    for (int i = 0; i < THREADS; i++)
        uv_sem_post(&gate);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    uv_sem_destroy(&gate);
}
END_TEST

START_TEST(forgotten_calls_stay_silent)
{
    struct told told = {0}, other = {0};
    uint64_t number;

    peer_start(answer_backwards);
    client_start();
    number = gb_client_call(client, "a", NULL, 0, on_reply, &told);
    call("b", 0, &other);
    gb_client_forget(client, number);
    wait_for(&other);
    while (closes == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert_uint_eq(told.calls, 0);
}
END_TEST

static void answer_the_hundredth(FILE *in, int fd)
{
    hear(in);
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":100,\"result\":{\"n\":7}}\n");
}

/* What is forgotten late, because the client was replaced, is none of the new one's. */
START_TEST(numbers_go_on)
{
    struct told told = {0};

    peer_start(answer_the_hundredth);
    client_start_from(100);
    ck_assert_uint_eq(gb_client_next_call(client), 100);
    call("a", 0, &told);
    ck_assert_uint_eq(gb_client_next_call(client), 101);
    for (uint64_t number = 1; number < 100; number++)
        gb_client_forget(client, number);
    wait_for(&told);
    ck_assert(!told.failed);
    ck_assert_int_eq(told.number, 7);
}
END_TEST

START_TEST(redirected_calls_tell_another)
{
    struct told told = {0}, other = {0};
    uint64_t number;

    peer_start(answer_backwards);
    client_start();
    number = gb_client_call(client, "a", NULL, 0, on_reply, &told);
    call("b", 0, &told);
    gb_client_redirect(client, number, on_reply, &other);
    wait_for(&other);
    ck_assert_uint_eq(other.calls, 1);
    ck_assert_uint_eq(told.calls, 1);
    gb_client_redirect(client, number, on_reply, &told); /* it has been answered */
}
END_TEST

static const char *const lies[] = {
    "nonsense\n",
    "[]\n",
    "{}\n",
    "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":{}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"result\":{}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"x\",\"message\":\"y\"}}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":7}\n",
    "{\"jsonrpc\":\"2.0\",\"method\":7}\n",
    "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"params\":[]}\n",
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}} {}\n",
    "\xff\n",
};
static size_t lie;

static void tell_lie(FILE *in, int fd)
{
    hear(in);
    say(fd, lies[lie]);
    (void)fgetc(in); /* the client hangs up by itself */
}

START_TEST(lies_end_the_connection)
{
    struct told told = {0};

    lie = (size_t)_i;
    peer_start(tell_lie);
    client_start();
    call("run", 0, &told);
    wait_for(&told);
    ck_assert(told.failed);
    ck_assert(told.error.dispatched);
    while (closes == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
}
END_TEST

static void flood(FILE *in, int fd)
{
    static char piece[1 << 16];

    hear(in);
    memset(piece, 'x', sizeof(piece));
    for (size_t sent = 0; sent <= REPLY_BYTES + sizeof(piece); sent += sizeof(piece))
        if (send(fd, piece, sizeof(piece), MSG_NOSIGNAL) <= 0)
            break;
}

START_TEST(endless_lines_end_the_connection)
{
    struct told told = {0};

    peer_start(flood);
    client_start();
    call("run", 0, &told);
    wait_for(&told);
    ck_assert(told.failed);
    ck_assert_ptr_nonnull(strstr(told.error.message, "too long"));
}
END_TEST

static void on_reply_free(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    (void)result;
    (void)error;
    gb_client_free(client);
    client = NULL;
    ++*(unsigned *)arg;
}

/* In one piece: whoever frees the client at the first answer closes the pipe for a second. */
static void answer_both(FILE *in, int fd)
{
    hear(in);
    hear(in);
    say(fd, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}\n"
            "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
}

START_TEST(freed_from_its_own_callback)
{
    struct told other = {0};
    unsigned freed = 0;

    peer_start(answer_both);
    client_start();
    (void)gb_client_call(client, "a", NULL, 0, on_reply, &other);
    (void)gb_client_call(client, "b", NULL, 0, on_reply_free, &freed);
    while (freed == 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert_uint_eq(other.calls, 0);
    ck_assert_uint_eq(closes, 0);
}
END_TEST

START_TEST(too_many_calls_are_refused)
{
    struct told told[GB_REQUESTS_MAX + 1] = {0};

    peer_start(say_nothing);
    client_start();
    for (size_t i = 0; i <= GB_REQUESTS_MAX; i++)
        call("a", 0, &told[i]);
    wait_for(&told[GB_REQUESTS_MAX]);
    ck_assert_int_eq(told[GB_REQUESTS_MAX].error.code, GB_EBUSY);
    ck_assert(told[GB_REQUESTS_MAX].error.retryable);
    ck_assert_uint_eq(answers, 1);
    while (gb_client_queued(client) > 0) /* the peer waits for a line */
        (void)uv_run(&uv, UV_RUN_ONCE);
}
END_TEST

START_TEST(too_large_calls_are_refused)
{
    struct told told = {0};
    struct gb_buf params = {0};

    peer_start(say_nothing);
    client_start();
    gb_buf_adds(&params, "{\"x\":\"");
    ck_assert_ptr_nonnull(gb_buf_reserve(&params, GB_LINE_MAX, SIZE_MAX));
    memset(params.memory + params.start + params.size, 'x', GB_LINE_MAX);
    gb_buf_commit(&params, GB_LINE_MAX);
    gb_buf_adds(&params, "\"}");
    (void)gb_client_call(client, "a", &params, 0, on_reply, &told);
    ck_assert_uint_eq(params.size, 0);
    wait_for(&told);
    ck_assert_int_eq(told.error.code, GB_ETOOLARGE);
    ck_assert(!told.error.dispatched);
    (void)gb_client_call(client, "a", NULL, 0, NULL, NULL); /* the peer waits for a line */
    while (gb_client_queued(client) > 0)
        (void)uv_run(&uv, UV_RUN_ONCE);
    gb_buf_release(&params);
}
END_TEST

/* To a server of the same process; and ended by us, which answers what was not. */
START_TEST(a_connection_is_used_and_ended)
{
    static const struct gb_client_events events = {on_notified, on_closed};
    const struct gb_err why = {.code = GB_ECLOSED, .message = "that is all"};
    const char answer[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"n\":7}}\n";
    struct told told[3] = {0};
    int fds[2];

    ck_assert_int_eq(gb_socket_pair(fds), 0);
    client = gb_client_new(loop, &(struct gb_client_config){.connected = fds[0]}, &events, NULL);
    call("a", 0, &told[0]);
    say(fds[1], answer);
    wait_for(&told[0]);
    ck_assert_int_eq(told[0].number, 7);
    call("session.exec", 0, &told[1]);
    gb_client_end(client, &why);
    ck_assert_uint_eq(told[1].calls, 1);
    ck_assert_int_eq(told[1].error.code, GB_EUNKNOWN);
    ck_assert(told[1].error.dispatched);
    ck_assert_uint_eq(closes, 1);
    gb_client_end(client, &why);
    ck_assert_uint_eq(closes, 1);
    call("a", 0, &told[2]);
    wait_for(&told[2]);
    ck_assert_int_eq(told[2].error.code, GB_ECLOSED);
    ck_assert_str_eq(told[2].error.message, "that is all");
    (void)close(fds[1]);
}
END_TEST

START_TEST(folders_of_others_are_not_trusted)
{
    struct gb_err err = {0};
    char *inside = xasprintf("%s/glassbell/server.sock", folder);
    char *runtime = xasprintf("%s/glassbell", folder);

    ck_assert_int_eq(gb_socket_check_folder(inside, false, &err), -GB_ENOTFOUND);
    ck_assert_int_eq(gb_socket_check_folder(inside, true, &err), 0);
    ck_assert_int_eq(gb_socket_check_folder(inside, false, &err), 0);
    ck_assert_int_eq(chmod(runtime, 0777), 0);
    ck_assert_int_eq(gb_socket_check_folder(inside, true, &err), -GB_EPOLICY);
    ck_assert_int_eq(rmdir(runtime), 0);
    ck_assert_int_eq(symlink("/tmp", runtime), 0);
    ck_assert_int_eq(gb_socket_check_folder(inside, true, &err), -GB_EPOLICY);
    ck_assert_int_eq(unlink(runtime), 0);
    free(inside);
    free(runtime);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client");
    TCase *tests = tcase_create("all");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nobody_listens);
    tcase_add_test(tests, answers_out_of_order);
    tcase_add_test(tests, errors_are_told);
    tcase_add_loop_test(tests, a_lost_call_may_have_run, 0, (int)ARRAY_SIZE(lost));
    tcase_add_loop_test(tests, results_are_checked, 0, (int)ARRAY_SIZE(results));
    tcase_add_test(tests, deadlines);
    tcase_add_test(tests, what_was_too_late_for_the_dial_is_never_sent);
    tcase_add_test(tests, given_up_while_dialling);
    tcase_add_test(tests, forgotten_calls_stay_silent);
    tcase_add_test(tests, numbers_go_on);
    tcase_add_test(tests, redirected_calls_tell_another);
    tcase_add_loop_test(tests, lies_end_the_connection, 0, ARRAY_SIZE(lies));
    tcase_add_test(tests, endless_lines_end_the_connection);
    tcase_add_test(tests, freed_from_its_own_callback);
    tcase_add_test(tests, too_many_calls_are_refused);
    tcase_add_test(tests, too_large_calls_are_refused);
    tcase_add_test(tests, a_connection_is_used_and_ended);
    tcase_add_test(tests, folders_of_others_are_not_trusted);
    tcase_set_timeout(tests, 60);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
