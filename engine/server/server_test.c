/* SPDX-License-Identifier: Apache-2.0 */
/* The server on a real socket, in a process of its own, with a host that has no images: what can be
 * asked without a VM. tests/ asks the rest. */
#include "server/core/server.h"
#include "server/parts.h"

#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "model/limits.h"
#include "rpc/methods.h"
#include "server/core/histogram.h"
#include "server/core/sessions.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check_run.h"

enum { DEADLINE_MS = 30000, NOBODY = 65534 };

static char folder[64], path[128];
static pid_t server_pid;
static struct gb_err err;

/* ---- the server's process ---- */

static void on_signal(void *arg, int signum)
{
    (void)signum;
    gb_server_shutdown(arg, true, 5000);
}

static void on_ended(void *arg)
{
    *(bool *)arg = true;
}

static int serve(int ready_fd)
{
    static struct gb_images images;
    struct gb_host host = {.images = &images, .accel = GB_ACCEL_TCG};
    struct gb_server_config config = {.parts = gb_server_parts, .socket = path, .ended = on_ended};
    struct gb_signal *sigterm;
    struct gb_server *server;
    struct gb_loop *loop;
    bool ended = false;
    uv_loop_t uv;

    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    host.loop = loop;
    gb_list_init(&host.vms);
    config.arg = &ended;
    server = gb_server_new(loop, &host, &config);
    if (gb_server_listen(server, &err) < 0)
        return 3;
    sigterm = gb_signal_new(loop, SIGTERM, on_signal, server);
    if (write(ready_fd, "r", 1) != 1)
        return 4;
    while (!ended)
        (void)uv_run(&uv, UV_RUN_ONCE);
    gb_signal_free(sigterm);
    gb_server_free(server);
    (void)uv_run(&uv, UV_RUN_DEFAULT); /* what is still to be sent */
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    return uv_loop_close(&uv) == 0 ? 0 : 5;
}

static void make_folder(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-server-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/new/server.sock", folder);
}

static void remove_folder(void)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
}

static void start(void)
{
    int ready[2];
    char byte;

    make_folder();
    ck_assert_int_eq(pipe(ready), 0);
    server_pid = fork();
    if (server_pid == 0)
        exit(serve(ready[1]));
    (void)close(ready[1]);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
}

static void expect_end(void)
{
    int status;

    ck_assert_int_eq(waitpid(server_pid, &status, 0), server_pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
    ck_assert_int_eq(access(path, F_OK), -1);
    remove_folder();
}

static void stop(void)
{
    ck_assert_int_eq(kill(server_pid, SIGTERM), 0);
    expect_end();
}

/* ---- the client ---- */

static int dial(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval deadline = {.tv_sec = DEADLINE_MS / 1000};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path));
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof(deadline)), 0);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof(deadline)), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    ck_assert_int_eq(gb_fd_write_full(fd, text, strlen(text)), (int)strlen(text));
}

/* A line without its newline; NULL at the end of the stream. */
static char *get(int fd)
{
    static char line[1 << 20];
    size_t n = 0;
    ssize_t r;

    for (;;) {
        r = read(fd, line + n, 1);
        ck_assert_int_ge(r, 0);
        if (r == 0)
            return NULL;
        if (line[n] == '\n') {
            line[n] = '\0';
            return line;
        }
        n++;
        ck_assert_uint_lt(n, sizeof(line));
    }
}

static void expect(int fd, const char *part)
{
    const char *line = get(fd);

    ck_assert_ptr_nonnull(line);
    ck_assert_msg(strstr(line, part) != NULL, "no %s in %s", part, line);
}

#define HELLO "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"hello\"}\n"

#define RUN(params) "{\"id\":1,\"method\":\"run\",\"params\":{" params "}}\n"

static const struct {
    const char *line, *first, *second;
} errors[] = {
    {"x\n", "\"id\":null,\"error\":{\"code\":-32700", "not JSON"},
    {"\n", "\"code\":-32700", "the text ends"},
    {"{\"id\":1,\"method\":\"h\xff\"}\n", "\"code\":-32700", "not UTF-8"},
    {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", "\"code\":-32700", "32 levels"},
    {"[]\n", "\"code\":-32600", "an array"},
    {"{}\n", "\"code\":-32600", "needs an id"},
    {"{\"method\":\"hello\"}\n", "\"code\":-32600", "needs an id"},
    {"{\"id\":null,\"method\":\"hello\"}\n", "\"code\":-32600", "needs an id"},
    {"{\"id\":\"a\\\"b\"}\n", "\"id\":\"a\\\"b\",\"error\":{\"code\":-32600", "needs a method"},
    {"{\"id\":1.5,\"method\":7}\n", "\"id\":1.5,", "needs a method"},
    {"{\"id\":1,\"jsonrpc\":\"1.0\",\"method\":\"hello\"}\n", "\"code\":-32600", "must be"},
    {"{\"id\":1,\"id\":2,\"method\":\"hello\"}\n", "\"code\":-32600", "twice"},
    {"{\"id\":1,\"method\":\"hello\",\"more\":1}\n", "\"code\":-32600", "no member"},
    {"{\"id\":1,\"method\":\"no.such\"}\n", "\"id\":1,\"error\":{\"code\":-32601", "no.such"},
    {"{\"id\":1,\"method\":\"hello\",\"params\":[]}\n", "\"code\":-32602", "an object"},
    {"{\"id\":1,\"method\":\"hello\",\"params\":{\"x\":1}}\n", "\"code\":-32602", "\\\"x\\\""},
    {"{\"id\":1,\"method\":\"hello\",\"params\":{\"protocol\":2}}\n", "\"unsupported\"",
     "version 2"},
    {"{\"id\":1,\"method\":\"session.exec\",\"params\":{\"code\":\"1\"}}\n", "\"code\":-32602",
     "needs the parameter session"},
    {"{\"id\":1,\"method\":\"session.exec\",\"params\":{\"session\":\"s\"}}\n", "invalid_input",
     "give the parameter code"},
    {"{\"id\":1,\"method\":\"session.get\",\"params\":{\"session\":\"s\"}}\n", "\"code\":-32001",
     "\"kind\":\"not_found\",\"dispatched\":false,\"retryable\":false"},
    {"{\"id\":1,\"method\":\"session.close\",\"params\":{\"session\":\"s\"}}\n", "\"code\":-32001",
     "not_found"},
    {"{\"id\":1,\"method\":\"session.open\"}\n", "image_missing", "glassbell image build"},
    {"{\"id\":1,\"method\":\"session.open\",\"params\":{\"image\":\"x\"}}\n", "image_missing",
     "and no other: `glassbell image build` makes them"},
    {"{\"id\":1,\"method\":\"file.write\",\"params\":{\"session\":\"s\",\"path\":\"p\"}}\n",
     "\"code\":-32602", "text or base64"},
    {"{\"id\":1,\"method\":\"file.write\",\"params\":{\"session\":\"s\",\"path\":\"p\",\"text\":"
     "\"\","
     "\"base64\":\"\"}}\n",
     "\"code\":-32602", "text or base64"},
    {"{\"id\":1,\"method\":\"session.stdin\",\"params\":{\"session\":\"s\",\"text\":\"\","
     "\"base64\":\"\"}}\n",
     "\"code\":-32602", "text or base64"},
    {"{\"id\":1,\"method\":\"session.stdin\",\"params\":{\"session\":\"s\"}}\n", "\"code\":-32602",
     "text, base64 or eof"},
    {"{\"id\":1,\"method\":\"session.history\",\"params\":{\"session\":\"s\"}}\n", "unsupported",
     "keeps no journal"},
    {"{\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"kinds\":[\"cell.ended\"]}}\n",
     "\"code\":-32602", "cell.ended"},
    {"{\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"sessions\":[]}}\n", "invalid_input",
     "sessions is empty"},
    {"{\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"sessions\":[\"s-1\"]}}\n",
     "not_found", "s-1"},
    {"{\"id\":1,\"method\":\"session.lease\",\"params\":{\"session\":\"s-1\"}}\n",
     "\"code\":-32602", "needs the parameter action"},
    {"{\"id\":1,\"method\":\"session.lease\",\"params\":{\"session\":\"s-1\",\"action\":null}}\n",
     "\"code\":-32602", "needs the parameter action"},
    {"{\"id\":1,\"method\":\"session.lease\",\"params\":{\"session\":\"s-1\","
     "\"action\":\"take\"}}\n",
     "not_found", "s-1"},
    {"{\"id\":1,\"method\":\"session.lease\",\"params\":{\"session\":\"s-1\",\"action\":"
     "\"keep\"}}\n",
     "invalid_input", "take, release, hand_over"},
    {"{\"id\":1,\"method\":\"events.unsubscribe\",\"params\":{\"subscription\":3}}\n", "not_found",
     "no subscription 3"},
    {"{\"id\":1,\"method\":\"run\",\"params\":{}}\n", "invalid_input", "code, code_base64 or file"},
    {RUN("\"code\":\"1\",\"code_base64\":\"MQ==\""), "invalid_input", "give code or code_base64"},
    {RUN("\"code_base64\":\"MQ\""), "\"code\":-32602", "not base64"},
    {RUN("\"file\":\"a.py\""), "invalid_input", "no file yet"},
    {RUN("\"code\":\"\",\"file\":\"\""), "invalid_input", "file must not be empty"},
    {RUN("\"code\":\"\",\"file\":\"a\",\"file_base64\":\"YQ==\""), "invalid_input",
     "give file or file_base64"},
    {RUN("\"code\":\"\",\"file\":\"/etc/x.py\""), "policy", "below the home"},
    {RUN("\"code\":\"\",\"file\":\"/home/user\""), "policy", "below the home"},
    {RUN("\"code\":\"\",\"file\":\"a/../../x\""), "policy", ".."},
    {RUN("\"code\":\"\",\"file\":\"a\\u0000\""), "policy", "NUL"},
    {RUN("\"code\":\"\",\"file\":\"a/\""), "invalid_input", "path of a file"},
    {RUN("\"code\":\"\",\"args\":[\"a\\u0000\"]"), "invalid_input", "an argument"},
    {RUN("\"code\":\"\",\"args\":[1]"), "invalid_input", "must be strings"},
    {RUN("\"code\":\"\",\"args\":\"a\""), "invalid_input", "an array"},
    {RUN("\"code\":\"\",\"args\":[],\"args_base64\":[]"), "invalid_input", "not both"},
    {RUN("\"code\":\"\",\"args_base64\":[\"%\"]"), "invalid_input", "not base64"},
    {RUN("\"code\":\"\",\"final\":true"), "invalid_input", "final"},
    {"{\"id\":1,\"method\":\"run\",\"params\":{\"code\":\"a\\u0000b\"}}\n", "invalid_input", "NUL"},
    {"{\"id\":1,\"method\":\"run\",\"params\":{\"code\":\"1\",\"env\":{\"LD_PRELOAD\":\"x\"}}}\n",
     "invalid_input", "LD_PRELOAD"},
};

/* This program is also linked to servers that lack a part. */
static bool has_part(const char *name)
{
    for (size_t i = 0; gb_server_parts[i] != NULL; i++)
        if (strcmp(gb_server_parts[i]->name, name) == 0)
            return true;
    return false;
}

static bool is_whole(void)
{
    static const char *const parts[] = {"cells",    "files",      "lease",   "watch",
                                        "history",  "checkpoint", "network", "terminal",
                                        "packages", "pool",       "info"};

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        if (!has_part(parts[i]))
            return false;
    return true;
}

/* Whether @text names a method of a part that is not there. */
static bool lacks_method(const char *text)
{
    const char *name = strstr(text, "\"method\":\"");
    const struct method_handler *method;
    struct gb_bytes called;

    if (name == NULL || is_whole())
        return false;
    name += strlen("\"method\":\"");
    called = (struct gb_bytes){(const uint8_t *)name, strcspn(name, "\"")};
    if (gb_method_find(called) == NULL || gb_bytes_equal(called, "server.shutdown"))
        return false; /* nobody's, or the core's own */
    for (method = sessions_methods; method->name != NULL; method++)
        if (gb_bytes_equal(called, method->name))
            return false;
    for (size_t i = 0; gb_server_parts[i] != NULL; i++)
        for (method = gb_server_parts[i]->methods; method != NULL && method->name != NULL; method++)
            if (gb_bytes_equal(called, method->name))
                return false;
    return true;
}

START_TEST(refused)
{
    int fd = dial();
    bool lacks = lacks_method(errors[_i].line);
    const char *line;

    put(fd, errors[_i].line);
    line = get(fd);
    ck_assert_ptr_nonnull(line);
    ck_assert_msg(strstr(line, lacks ? "\"code\":-32601" : errors[_i].first) != NULL, "%s", line);
    ck_assert_msg(strstr(line, lacks ? "there is no method" : errors[_i].second) != NULL, "%s",
                  line);
    put(fd, HELLO);
    expect(fd, "\"id\":7,\"result\":");
    (void)close(fd);
}
END_TEST

START_TEST(answers)
{
    int fd = dial();

    put(fd, "{\"id\":1,\"method\":\"hello\",\"params\":{\"client\":\"test\",\"protocol\":1}}\r\n");
    expect(fd, "\"isolation\":\"emulation\"");
    put(fd, "{\"id\":2,\"method\":\"session.list\",\"params\":{\"state\":\"idle\"}}\n");
    expect(fd, "\"result\":{\"sessions\":[]}");
    put(fd, "{\"id\":3,\"method\":\"stats\"}\n");
    expect(fd, "\"connections\":1,");
    put(fd, "{\"id\":4,\"method\":\"pool.status\"}\n");
    expect(fd, has_part("pool") ? "\"pools\":[]" : "there is no method");
    (void)close(fd);
}
END_TEST

/* docs/protocol.md: `hello` gives all limits by name. */
START_TEST(hello_tells_all_limits)
{
    int fd = dial();
    const char *line;
    char limit[96];

    put(fd, "{\"id\":1,\"method\":\"hello\"}\n");
    line = get(fd);
    ck_assert_ptr_nonnull(line);
    for (size_t i = 0; i < gb_limit_count; i++) {
        if (gb_limits[i].name == NULL)
            continue;
        (void)snprintf(limit, sizeof(limit), "\"%s\":%" PRIu64, gb_limits[i].name,
                       gb_limits[i].value);
        ck_assert_msg(strstr(line, limit) != NULL, "no %s in %s", limit, line);
    }
    (void)close(fd);
}
END_TEST

/* Every method of the protocol is there, unless its part is not: it gets as far as its parameters.
 */
START_TEST(has_all_methods)
{
    int fd = dial();
    const struct gb_method *method;
    char request[128];

    for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++) {
        (void)snprintf(request, sizeof(request),
                       "{\"id\":1,\"method\":\"%s\",\"params\":{\"no\":1}}\n", method->name);
        put(fd, request);
        expect(fd, lacks_method(request) ? "\"code\":-32601" : "\"code\":-32602");
    }
    (void)close(fd);
}
END_TEST

START_TEST(many_in_one_piece)
{
    int fd = dial();
    struct gb_buf lines = {0};
    char part[32];

    for (int i = 0; i < 500; i++)
        gb_buf_addf(&lines, "{\"id\":%d,\"method\":\"session.list\"}\n", i);
    ck_assert_int_eq(gb_fd_write_full(fd, gb_buf_data(&lines), lines.size), (int)lines.size);
    for (int i = 0; i < 500; i++) {
        (void)snprintf(part, sizeof(part), "\"id\":%d,\"result\"", i);
        expect(fd, part);
    }
    gb_buf_release(&lines);
    (void)close(fd);
}
END_TEST

START_TEST(half_a_line)
{
    int silent = dial(), busy = dial();

    put(silent, "{\"id\":1,\"meth");
    put(busy, HELLO);
    expect(busy, "\"id\":7");
    put(silent, "od\":\"hello\"}\n");
    expect(silent, "\"id\":1,\"result\"");
    (void)close(silent);
    (void)close(busy);
}
END_TEST

START_TEST(line_too_long)
{
    static char block[1 << 20];
    int fd = dial();

    memset(block, 'a', sizeof(block));
    for (int i = 0; i < 70; i++)
        ck_assert_int_eq(gb_fd_write_full(fd, block, sizeof(block)), sizeof(block));
    put(fd, "\n" HELLO);
    expect(fd, "\"code\":-32600");
    expect(fd, "\"id\":7,\"result\"");
    (void)close(fd);
}
END_TEST

/* Up to the limit a line is taken, however long one of its strings is. */
START_TEST(line_just_fits)
{
    int fd = dial();
    size_t pad = GB_LINE_MAX - 128;
    char *text = malloc(pad);

    memset(text, 'A', pad);
    put(fd, "{\"id\":1,\"method\":\"file.write\",\"params\":{\"session\":\"s\",\"path\":\"p\","
            "\"base64\":\"");
    ck_assert_int_eq(gb_fd_write_full(fd, text, pad), (ssize_t)pad);
    put(fd, "\"}}\n");
    expect(fd, "not_found");
    free(text);
    (void)close(fd);
}
END_TEST

/* Asks for more and more and reads no answer, until the server reads no further. The questions. */
static size_t ask_without_reading(int fd)
{
    static const char line[] = "{\"id\":1,\"method\":\"hello\"}\n";
    size_t asked = 0;

    ck_assert_int_eq(gb_fd_set_nonblocking(fd, true), 0);
    for (;;) {
        struct pollfd writable = {.fd = fd, .events = POLLOUT};
        ssize_t n = write(fd, line + asked % (sizeof(line) - 1),
                          sizeof(line) - 1 - asked % (sizeof(line) - 1));

        if (n > 0) {
            asked += (size_t)n;
            ck_assert_uint_lt(asked, 64u << 20); /* it must stop far before */
        } else if (poll(&writable, 1, 1000) == 0) {
            break;
        }
    }
    ck_assert_int_eq(gb_fd_set_nonblocking(fd, false), 0);
    return asked / (sizeof(line) - 1);
}

/* A client that asks and does not read is no longer read from; when it reads, nothing is missing.
 */
START_TEST(slow_reader)
{
    int fd = dial(), other = dial();
    size_t asked = ask_without_reading(fd), answered = 0;
    char block[65536];

    put(other, HELLO); /* the others are served */
    expect(other, "\"id\":7");
    while (answered < asked) {
        ssize_t n = read(fd, block, sizeof(block));

        ck_assert_int_gt(n, 0);
        for (ssize_t i = 0; i < n; i++)
            answered += block[i] == '\n';
    }
    (void)close(fd);
    (void)close(other);
}
END_TEST

/* ---- standing still ---- */

static uint64_t stat_of(int fd, const char *key)
{
    const char *found;

    put(fd, "{\"id\":1,\"method\":\"stats\"}\n");
    found = strstr(get(fd), key);
    ck_assert_ptr_nonnull(found);
    return strtoull(found + strlen(key), NULL, 10);
}

/* Each question wakes the server once, and nothing else does. */
static void expect_rest(int fd)
{
    enum { ENOUGH = 50, TRIES = 1000 };
    uint64_t before = stat_of(fd, "\"wakeups\":");

    for (int i = 0, quiet = 0; quiet < ENOUGH; i++) {
        uint64_t now = stat_of(fd, "\"wakeups\":");

        quiet = now == before + 1 ? quiet + 1 : 0;
        before = now;
        ck_assert_msg(i < TRIES, "the server does not come to rest");
    }
}

START_TEST(dead_clients_cost_nothing)
{
    enum { KILLED, STOPPED, FULL, SILENT, HALF_A_LINE, HALF_CLOSED, ONE_WAY, WATCHED, CLIENTS };
    static const char watch[] =
        "{\"id\":1,\"method\":\"events.subscribe\",\"params\":{\"kinds\":[\"snapshot\"]}}\n";
    int fd = dial(), clients[CLIENTS];

    for (int i = 0; i < CLIENTS; i++)
        clients[i] = dial();
    for (int i = KILLED; i <= FULL; i++)
        (void)ask_without_reading(clients[i]);
    put(clients[SILENT], HELLO);
    put(clients[WATCHED], watch);
    put(clients[HALF_A_LINE], "{\"id\":1,\"meth");
    put(clients[HALF_CLOSED], "{\"id\":1,\"meth");
    ck_assert_int_eq(shutdown(clients[HALF_CLOSED], SHUT_WR), 0);
    ck_assert_int_eq(shutdown(clients[ONE_WAY], SHUT_RD), 0);
    put(clients[ONE_WAY], HELLO);
    (void)close(clients[KILLED]);
    (void)close(clients[WATCHED]);
    ck_assert_int_eq(shutdown(clients[FULL], SHUT_WR), 0);
    expect_rest(fd);
    /* Of those that have gone nothing is left. */
    ck_assert_uint_eq(stat_of(fd, "\"connections\":"), 1 + CLIENTS - 3);
    for (int i = STOPPED; i < CLIENTS; i++)
        if (i != WATCHED)
            (void)close(clients[i]);
    expect_rest(fd);
    ck_assert_uint_eq(stat_of(fd, "\"connections\":"), 1);
    (void)close(fd);
}
END_TEST

START_TEST(modes)
{
    struct stat st;
    char *slash = strrchr(path, '/');

    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    *slash = '\0';
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0700);
    *slash = '/';
}
END_TEST

/* Needs root, who alone can become somebody else; for others there is nothing to see. */
START_TEST(another_uid)
{
    pid_t child;
    int status;

    if (geteuid() != 0)
        return;
    ck_assert_int_eq(chmod(folder, 0755), 0);
    ck_assert_int_eq(chmod(path, 0666), 0);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(chmod(path, 0755), 0);
    path[strlen(path)] = '/';
    child = fork();
    if (child == 0) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        char byte;

        memcpy(address.sun_path, path, strlen(path));
        if (setresuid(NOBODY, NOBODY, NOBODY) < 0 ||
            connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
            _exit(2);
        (void)send(fd, HELLO, sizeof(HELLO) - 1, MSG_NOSIGNAL);
        _exit(read(fd, &byte, 1) <= 0 ? 0 : 3);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(shut_down_by_client)
{
    int fd, other;

    start();
    fd = dial();
    other = dial();
    put(other, HELLO);
    expect(other, "\"id\":7");
    put(fd, "{\"id\":1,\"method\":\"server.shutdown\",\"params\":{\"drain\":true}}\n");
    expect(fd, "\"id\":1,\"result\":{}");
    ck_assert_ptr_null(get(fd));
    ck_assert_ptr_null(get(other));
    (void)close(fd);
    (void)close(other);
    expect_end();
}
END_TEST

/* ---- the socket's file ---- */

static int try_listen(void)
{
    struct gb_server_config config = {.parts = gb_server_parts, .socket = path};
    struct gb_images images = {0};
    struct gb_host host = {.images = &images};
    struct gb_server *server;
    struct gb_loop *loop;
    uv_loop_t uv;
    int r;

    err = (struct gb_err){0};
    (void)uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    host.loop = loop;
    gb_list_init(&host.vms);
    server = gb_server_new(loop, &host, &config);
    r = gb_server_listen(server, &err);
    gb_server_free(server);
    (void)uv_run(&uv, UV_RUN_DEFAULT); /* what runs on threads */
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    return r;
}

START_TEST(second_server)
{
    int fd = dial();

    ck_assert_int_eq(try_listen(), -GB_EBUSY);
    put(fd, HELLO); /* the first one has not noticed */
    expect(fd, "\"id\":7");
    (void)close(fd);
}
END_TEST

static int bind_there(bool listening)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (listening)
        ck_assert_int_eq(listen(fd, 1), 0);
    return fd;
}

/* A link to a folder of ours is none of them, whoever made it: clients do not trust it either. */
static void check_link(void)
{
    _cleanup_(freep) char *link = xasprintf("%s/link", folder);
    _cleanup_(freep) char *target = xasprintf("%s/target", folder);

    ck_assert_int_eq(mkdir(target, 0700), 0);
    ck_assert_int_eq(symlink(target, link), 0);
    (void)snprintf(path, sizeof(path), "%s/s", target);
    ck_assert_int_eq(try_listen(), 0);
    (void)snprintf(path, sizeof(path), "%s/s", link);
    ck_assert_int_eq(try_listen(), -GB_EPOLICY);
    ck_assert_int_eq(unlink(link), 0);
    ck_assert_int_eq(symlink("/nowhere", link), 0); /* and one to nothing is not followed */
    ck_assert_int_lt(try_listen(), 0);
    ck_assert_int_eq(unlink(link), 0);
}

START_TEST(stale_and_foreign_files)
{
    int fd;

    make_folder();
    (void)snprintf(path, sizeof(path), "%s/s", folder);
    (void)close(bind_there(false));
    ck_assert_int_eq(try_listen(), 0); /* nobody answered: replaced */
    ck_assert_int_eq(access(path, F_OK), -1);
    fd = bind_there(true);
    ck_assert_int_eq(try_listen(), -GB_EBUSY); /* somebody does who does not know of the lock */
    (void)close(fd);
    ck_assert_int_eq(unlink(path), 0);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    (void)close(fd);
    ck_assert_int_eq(try_listen(), -GB_EINVALID); /* a file is not removed */
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(chmod(folder, 0777), 0);
    ck_assert_int_eq(try_listen(), -GB_EPOLICY);
    ck_assert_int_eq(chmod(folder, 0700), 0);
    check_link();
    memset(path, 'x', sizeof(path) - 1);
    path[0] = '/';
    ck_assert_int_eq(try_listen(), -GB_EINVALID);
    remove_folder();
}
END_TEST

START_TEST(quantiles)
{
    struct histogram histogram = {0};

    ck_assert_uint_eq(histogram_quantile(&histogram, 50), 0);
    for (uint64_t i = 1; i <= 1000; i++)
        histogram_add(&histogram, i * 1000000);
    ck_assert_uint_eq(histogram.count, 1000);
    ck_assert_uint_eq(histogram.max_ns, 1000000000);
    /* At most a quarter of a power of two too much. */
    ck_assert_uint_ge(histogram_quantile(&histogram, 50), 500000000);
    ck_assert_uint_le(histogram_quantile(&histogram, 50), 625000000);
    ck_assert_uint_eq(histogram_quantile(&histogram, 100), 1000000000);
    histogram_add(&histogram, UINT64_MAX);
    histogram_add(&histogram, 0);
    ck_assert_uint_eq(histogram.buckets[0], 1);
    ck_assert_uint_eq(histogram.buckets[GB_HISTOGRAM_BUCKETS - 1], 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server");
    TCase *served = tcase_create("served"), *alone = tcase_create("alone");

    tcase_add_checked_fixture(served, start, stop);
    tcase_set_timeout(served, 60);
    if (has_part("info")) { /* which answers hello */
        tcase_add_loop_test(served, refused, 0, ARRAY_SIZE(errors));
        tcase_add_test(served, answers);
        tcase_add_test(served, hello_tells_all_limits);
        tcase_add_test(served, has_all_methods);
        tcase_add_test(served, many_in_one_piece);
        tcase_add_test(served, half_a_line);
        tcase_add_test(served, modes);
        tcase_add_test(served, second_server);
    }
    tcase_add_test(alone, shut_down_by_client);
    /* What takes long has nothing to do with parts. */
    if (is_whole()) {
        tcase_add_test(served, line_too_long);
        tcase_add_test(served, line_just_fits);
        tcase_add_test(served, slow_reader);
        tcase_add_test(served, dead_clients_cost_nothing);
        tcase_add_test(served, another_uid);
        tcase_add_test(alone, stale_and_foreign_files);
        tcase_add_test(alone, quantiles);
    }
    suite_add_tcase(suite, served);
    suite_add_tcase(suite, alone);
    return check_run(suite);
}
