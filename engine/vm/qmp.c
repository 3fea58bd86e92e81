/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/qmp.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/mem.h"
#include "platform/socket.h"

enum { READ_BYTES = 16 * 1024 };

struct qmp {
    struct gb_loop *loop;
    struct gb_stream *stream;
    struct qmp_events events;
    void *arg;
    double id;         /* of the last command */
    qmp_done_fn *done; /* for the running command; NULL: none runs */
    void *done_arg;
    struct gb_deferred fail; /* a command that could not be sent */
    unsigned busy;           /* running callbacks of its own: its memory must stay */
    bool ready, freed;
};

static void leave(struct qmp *qmp)
{
    if (--qmp->busy == 0 && qmp->freed)
        free(qmp);
}

static int parse_text(const cJSON *object, const char *key, const char **ret_text)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!cJSON_IsString(item))
        return -GB_EINTERNAL;
    *ret_text = item->valuestring;
    return 0;
}

static int classify(struct qmp_message *message)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(message->json, "id");
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(message->json, "error");

    message->id = cJSON_IsNumber(id) ? id->valuedouble : -1;
    message->value = cJSON_GetObjectItemCaseSensitive(message->json, "QMP");
    if (cJSON_IsObject(message->value)) {
        message->kind = QMP_GREETING;
        return 0;
    }
    if (parse_text(message->json, "event", &message->text) == 0) {
        message->kind = QMP_EVENT;
        message->value = cJSON_GetObjectItemCaseSensitive(message->json, "data");
        return 0;
    }
    if (error != NULL) {
        message->kind = QMP_ERROR;
        return parse_text(error, "desc", &message->text);
    }
    message->kind = QMP_RETURN;
    message->value = cJSON_GetObjectItemCaseSensitive(message->json, "return");
    return message->value != NULL ? 0 : -GB_EINTERNAL;
}

int qmp_parse(struct gb_bytes line, struct qmp_message *ret_message, struct gb_err *err)
{
    struct qmp_message message = {0};
    const char *end = NULL;

    if (line.size > QMP_LINE_MAX)
        return gb_err_set(err, GB_EINTERNAL, "QEMU's monitor sent too long a line");
    message.json = cJSON_ParseWithLengthOpts((const char *)line.data, line.size, &end, 0);
    while (message.json != NULL && end < (const char *)line.data + line.size &&
           (*end == ' ' || *end == '\r'))
        end++;
    if (!cJSON_IsObject(message.json) || end != (const char *)line.data + line.size ||
        classify(&message) < 0) {
        cJSON_Delete(message.json);
        return gb_err_set(err, GB_EINTERNAL, "QEMU's monitor sent a line that cannot be read");
    }
    *ret_message = message;
    return 0;
}

/* Completes the running command; @done may send the next one. */
static void qmp_finish(struct qmp *qmp, const cJSON *value, const struct gb_err *err)
{
    qmp_done_fn *done = qmp->done;

    if (done == NULL)
        return;
    qmp->done = NULL;
    done(qmp->done_arg, value, err);
}

static void on_capabilities(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct qmp *qmp = arg;

    (void)value;
    if (err != NULL)
        return; /* no command works without capabilities; the user's deadline will report that */
    qmp->ready = true;
    qmp->events.ready(qmp->arg);
}

static void send_command(struct qmp *qmp, const char *command, cJSON *arguments, int fd,
                         qmp_done_fn *done, void *arg);

static void on_message(struct qmp *qmp, const struct qmp_message *message)
{
    struct gb_err err = {0};

    switch (message->kind) {
    case QMP_GREETING:
        if (qmp->id != 0)
            break;
        if (qmp->events.greeting != NULL)
            qmp->events.greeting(qmp->arg, message->value);
        if (qmp->stream != NULL)
            send_command(qmp, "qmp_capabilities", NULL, -1, on_capabilities, qmp);
        break;
    case QMP_EVENT:
        qmp->events.event(qmp->arg, message->text, message->value);
        break;
    case QMP_RETURN:
        if (message->id == qmp->id)
            qmp_finish(qmp, message->value, NULL);
        break;
    case QMP_ERROR:
        if (message->id != qmp->id)
            break;
        (void)gb_err_set(&err, GB_EINTERNAL, "QEMU refused: %.200s", message->text);
        qmp_finish(qmp, NULL, &err);
        break;
    }
}

static void fail(struct qmp *qmp, const struct gb_err *why)
{
    struct gb_err lost = {0};

    gb_stream_free(TAKE_PTR(qmp->stream));
    if (why == NULL)
        (void)gb_err_set(&lost, GB_ECLOSED, "QEMU's monitor was closed");
    qmp_finish(qmp, NULL, why != NULL ? why : &lost);
    if (!qmp->freed)
        qmp->events.closed(qmp->arg, why);
}

static void read_lines(struct qmp *qmp, struct gb_buf *input)
{
    const uint8_t *end;

    while (input->size > 0 && (end = memchr(gb_buf_data(input), '\n', input->size)) != NULL) {
        struct gb_bytes line = {gb_buf_data(input), (size_t)(end - gb_buf_data(input))};
        struct qmp_message message;
        struct gb_err err = {0};

        gb_debug("from QEMU's monitor: %.*s", (int)MIN(line.size, 512), (const char *)line.data);
        if (qmp_parse(line, &message, &err) < 0) {
            fail(qmp, &err);
            return;
        }
        gb_buf_consume(input, line.size + 1);
        on_message(qmp, &message);
        cJSON_Delete(message.json);
        if (qmp->stream == NULL)
            return; /* freed by its user; its memory is freed later */
    }
    if (input->size > QMP_LINE_MAX) {
        struct gb_err err = {0};

        (void)gb_err_set(&err, GB_EINTERNAL, "QEMU's monitor sent too long a line");
        fail(qmp, &err);
    }
}

static void on_input(void *arg, struct gb_buf *input)
{
    struct qmp *qmp = arg;

    qmp->busy++;
    read_lines(qmp, input);
    leave(qmp);
}

static void on_closed(void *arg, int sys_errno)
{
    struct qmp *qmp = arg;

    (void)sys_errno;
    qmp->busy++;
    fail(qmp, NULL);
    leave(qmp);
}

struct qmp *qmp_new(struct gb_loop *loop, int fd, const struct qmp_events *events, void *arg)
{
    static const struct gb_stream_events stream_events = {.input = on_input, .closed = on_closed};
    struct qmp *qmp = xcalloc(1, sizeof(*qmp));

    qmp->loop = loop;
    qmp->events = *events;
    qmp->arg = arg;
    qmp->stream = gb_stream_new(loop, fd, READ_BYTES, &stream_events, qmp);
    return qmp;
}

/* The text is sent directly because of the descriptor; the socket is empty between commands, so it
 * accepts all of it. */
static int send_with_fd(struct qmp *qmp, const char *text, size_t size, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec data = {.iov_base = (void *)(uintptr_t)text, .iov_len = size};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n;

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
    n = gb_socket_send_message(gb_stream_fd(qmp->stream), &message);
    return n == (ssize_t)size ? 0 : -1;
}

static void on_fail(void *arg)
{
    struct gb_err err = {0};

    struct qmp *qmp = arg;

    (void)gb_err_set(&err, GB_ECLOSED, "QEMU's monitor does not take commands");
    qmp->busy++;
    qmp_finish(qmp, NULL, &err);
    leave(qmp);
}

static void send_command(struct qmp *qmp, const char *command, cJSON *arguments, int fd,
                         qmp_done_fn *done, void *arg)
{
    cJSON *json = cJSON_CreateObject();
    char *text;
    bool failed = qmp->stream == NULL;

    assert(qmp->done == NULL);
    qmp->done = done;
    qmp->done_arg = arg;
    qmp->id++;
    if (json == NULL || cJSON_AddStringToObject(json, "execute", command) == NULL ||
        cJSON_AddNumberToObject(json, "id", qmp->id) == NULL)
        abort(); /* no memory for a few bytes */
    if (arguments != NULL)
        (void)cJSON_AddItemToObject(json, "arguments", arguments); /* cannot fail: both exist */
    text = cJSON_PrintUnformatted(json);
    if (text == NULL)
        abort();
    gb_debug("to QEMU's monitor: %s", text);
    if (!failed && fd >= 0)
        failed = send_with_fd(qmp, text, strlen(text), fd) < 0;
    else if (!failed)
        gb_stream_send(qmp->stream, text, strlen(text));
    if (failed)
        gb_loop_defer(qmp->loop, &qmp->fail, on_fail, qmp);
    cJSON_free(text);
    cJSON_Delete(json);
}

void qmp_execute(struct qmp *qmp, const char *command, cJSON *arguments, int fd, qmp_done_fn *done,
                 void *arg)
{
    send_command(qmp, command, arguments, fd, done, arg);
}

void qmp_free(struct qmp *qmp)
{
    if (qmp == NULL || qmp->freed)
        return;
    qmp->freed = true;
    qmp->done = NULL;
    gb_stream_free(TAKE_PTR(qmp->stream));
    gb_loop_undefer(&qmp->fail);
    if (qmp->busy == 0)
        free(qmp);
}
