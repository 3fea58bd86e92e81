/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/inspect.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/socket.h"
#include "vm/cpu.h"
#include "vm/private.h"
#include "vm/qmp.h"

enum { LIMIT_MS = 10000, VERSION_PART_MAX = 999, PACKAGE_MAX = 64 };

/* A QEMU started only to be queried. It has answered everything when it has exited and both its
 * sockets have been read to the end. */
struct inspection {
    struct gb_loop *loop;
    char *qemu;
    const struct gb_machine *machine;
    struct inspected_qemu found;
    bool greeted, answered;
    struct gb_child *child;
    struct gb_stream *errors;
    struct qmp *qmp;
    struct gb_timer *timer;
    struct gb_deferred end;
    struct gb_buf last_words;
    bool exited;
    void (*done)(void *arg, const struct inspected_qemu *found, const struct gb_err *err);
    void *arg;
};

static bool read_part(const cJSON *version, const char *name, int *ret_number)
{
    const cJSON *part = cJSON_GetObjectItemCaseSensitive(version, name);

    if (!cJSON_IsNumber(part) || part->valuedouble < 0 || part->valuedouble > VERSION_PART_MAX)
        return false;
    *ret_number = part->valueint;
    return true;
}

bool inspect_read_greeting(const cJSON *greeting, struct inspected_qemu *found)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(greeting, "version");
    const cJSON *package = cJSON_GetObjectItemCaseSensitive(version, "package");
    const cJSON *numbers = cJSON_GetObjectItemCaseSensitive(version, "qemu");
    struct gb_buf text = {0};
    int major, minor, micro;

    if (!read_part(numbers, "major", &major) || !read_part(numbers, "minor", &minor) ||
        !read_part(numbers, "micro", &micro))
        return false;
    (void)snprintf(found->version, sizeof(found->version), "%d.%d.%d", major, minor, micro);
    if (cJSON_IsString(package))
        gb_escape(&text, gb_bytes_str(package->valuestring), PACKAGE_MAX);
    (void)snprintf(found->package, sizeof(found->package), "%s", gb_buf_str(&text));
    gb_buf_release(&text);
    return true;
}

static void start(struct inspection *inspection);

static void inspect_finish(void *arg)
{
    struct inspection *inspection = arg;
    struct gb_err err = {0};

    gb_timer_free(TAKE_PTR(inspection->timer));
    gb_child_free(TAKE_PTR(inspection->child));
    if (!inspection->answered && inspection->found.sandbox) {
        /* It may have been built without -sandbox. */
        inspection->found = (struct inspected_qemu){0};
        inspection->greeted = inspection->exited = false;
        gb_buf_clear(&inspection->last_words);
        start(inspection);
        return;
    }
    if (!inspection->answered) {
        struct gb_buf line = {0};

        (void)tail_last_line(&line, gb_buf_bytes(&inspection->last_words));
        (void)gb_err_set(&err, GB_EUNSUPPORTED, "%s does not run: %s", inspection->qemu,
                         line.size > 0 ? gb_buf_str(&line) : "it does not answer as QEMU does");
        gb_buf_release(&line);
    }
    inspection->done(inspection->arg, inspection->answered ? &inspection->found : NULL,
                     inspection->answered ? NULL : &err);
    gb_buf_release(&inspection->last_words);
    free(inspection->qemu);
    free(inspection);
}

static void check_end(struct inspection *inspection)
{
    if (inspection->exited && inspection->errors == NULL && inspection->qmp == NULL)
        gb_loop_defer(inspection->loop, &inspection->end, inspect_finish, inspection);
}

static void on_exited(void *arg, int status, int signal)
{
    struct inspection *inspection = arg;

    (void)status; /* only its answers count */
    (void)signal;
    inspection->exited = true;
    check_end(inspection);
}

static void on_errors_closed(void *arg, int sys_errno)
{
    struct inspection *inspection = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(inspection->errors));
    check_end(inspection);
}

static void on_errors_input(void *arg, struct gb_buf *input)
{
    struct inspection *inspection = arg;

    tail_add(&inspection->last_words, gb_buf_bytes(input));
    gb_buf_clear(input);
}

static void on_limit(void *arg)
{
    struct inspection *inspection = arg;

    gb_child_signal(inspection->child, SIGKILL);
}

static void on_greeting(void *arg, const cJSON *greeting)
{
    struct inspection *inspection = arg;

    inspection->greeted = inspect_read_greeting(greeting, &inspection->found);
}

static void on_quit(void *arg, const cJSON *value, const struct gb_err *err)
{
    (void)arg; /* we wait for its end */
    (void)value;
    (void)err;
}

static void on_properties(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct inspection *inspection = arg;

    inspection->answered = err == NULL && inspection->greeted &&
                           cpu_read_known(inspection->machine, value, &inspection->found.cpu_known);
    if (inspection->answered)
        qmp_execute(inspection->qmp, "quit", NULL, -1, on_quit, inspection);
    else
        gb_child_signal(inspection->child, SIGKILL); /* whatever it is, it is not a usable QEMU */
}

static void on_ready(void *arg)
{
    struct inspection *inspection = arg;
    cJSON *arguments = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(arguments, "typename", inspection->machine->cpu_type);
    qmp_execute(inspection->qmp, "qom-list-properties", arguments, -1, on_properties, inspection);
}

static void on_event(void *arg, const char *name, const cJSON *data)
{
    (void)arg;
    (void)name;
    (void)data;
}

static void on_qmp_closed(void *arg, const struct gb_err *err)
{
    struct inspection *inspection = arg;

    qmp_free(TAKE_PTR(inspection->qmp));
    if (err != NULL)
        gb_child_signal(inspection->child, SIGKILL);
    check_end(inspection);
}

/* Takes our ends of the sockets; the child has copies of the others. */
static void listen_to(struct inspection *inspection, int errors, int monitor)
{
    static const struct gb_stream_events error_events = {.input = on_errors_input,
                                                         .closed = on_errors_closed};
    static const struct qmp_events events = {on_ready, on_event, on_qmp_closed, on_greeting};

    inspection->errors =
        gb_stream_new(inspection->loop, errors, TAIL_MAX, &error_events, inspection);
    inspection->qmp = qmp_new(inspection->loop, monitor, &events, inspection);
    inspection->timer = gb_timer_new(inspection->loop, on_limit, inspection);
    gb_timer_start(inspection->timer, LIMIT_MS);
}

static void start(struct inspection *inspection)
{
    char sandbox[] = "-sandbox";
    char *argv[] = {
        inspection->qemu,
        (char[]){"-M"},
        (char[]){"none"},
        (char[]){"-nodefaults"},
        (char[]){"-no-user-config"},
        (char[]){"-display"},
        (char[]){"none"},
        (char[]){"-chardev"},
        (char[]){"socket,id=qmp,fd=3"},
        (char[]){"-mon"},
        (char[]){"chardev=qmp,mode=control"},
        inspection->found.sandbox ? sandbox : NULL,
        (char[]){QEMU_SANDBOX},
        NULL,
    };
    struct gb_child_config child = {
        .file = inspection->qemu, .argv = argv, .fds = {-1, -1}, .fd_count = 4};
    _cleanup_(closep) int errors = -1, monitor = -1;
    int pairs[2][2] = {{-1, -1}, {-1, -1}};
    struct gb_err err = {0};
    int r = gb_socket_pair(pairs[0]);

    if (r == 0)
        r = gb_socket_pair(pairs[1]);
    if (r < 0)
        r = gb_err_sys(&err, -r, "cannot make sockets for QEMU");
    errors = pairs[0][0];
    monitor = pairs[1][0];
    child.fds[2] = pairs[0][1];
    child.fds[3] = pairs[1][1];
    if (r == 0)
        r = gb_child_start(inspection->loop, &child, on_exited, inspection, &inspection->child,
                           &err);
    (void)gb_close(pairs[0][1]);
    (void)gb_close(pairs[1][1]);
    if (r == 0) {
        listen_to(inspection, TAKE_FD(errors), TAKE_FD(monitor));
        return;
    }
    gb_buf_adds(&inspection->last_words, err.message);
    gb_loop_defer(inspection->loop, &inspection->end, inspect_finish, inspection);
}

void inspect_qemu(struct gb_loop *loop, const char *qemu, const struct gb_machine *machine,
                  void (*done)(void *arg, const struct inspected_qemu *found,
                               const struct gb_err *err),
                  void *arg)
{
    struct inspection *inspection = xcalloc(1, sizeof(*inspection));

    inspection->loop = loop;
    inspection->qemu = xstrdup(qemu);
    inspection->machine = machine;
    inspection->found.sandbox = true;
    inspection->done = done;
    inspection->arg = arg;
    start(inspection);
}
