/* SPDX-License-Identifier: Apache-2.0 */
#include "client/client.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "rpc/methods.h"
#include "rpc/object.h"
#include "client/dial.h"
#include "client/link.h"

enum {
    READ_BYTES = 256u << 10,
    START_TIMEOUT_MS = 60000,
    CALL_METHOD_MAX = 64,
    NODES_MAX = 1 << 20,
    NODES_KEPT_MAX = 4096
};

struct call {
    struct gb_list link;
    struct gb_client *client;
    uint64_t id;
    uint64_t end; /* offset of the end of its line in everything ever sent */
    size_t size;  /* of its line */
    gb_reply_cb *reply;
    void *arg;
    struct gb_timer *deadline;
    uint64_t deadline_ms;
    enum gb_code refused; /* was never sent, and is to be failed from the loop */
    char method[CALL_METHOD_MAX];
};

/* Runs in the thread pool: owns its inputs. */
struct dial_work {
    uv_work_t work;           /* must be first: freed through it */
    struct gb_client *client; /* NULL: nobody is waiting any more */
    char *host, *socket, *program;
    bool ask;
    struct gb_dialled dialled;
    int r;
    struct gb_err err;
};

struct gb_client {
    struct gb_loop *loop;
    struct gb_client_events events;
    void *arg;
    size_t reply_bytes;
    struct dial_work *dial;   /* while connecting */
    struct gb_buf waiting;    /* lines queued until the connection is up */
    struct gb_stream *stream; /* while connected */
    struct gb_link *link;     /* to another machine: ssh's errors */
    char *host;               /* NULL: this machine */
    bool ending, broken;      /* the link is lost, and we wait for ssh's reason; broken: with an
                               * error */
    struct gb_list calls, refused;
    size_t call_count;
    uint64_t next_id;
    uint64_t queued, left; /* bytes ever passed to the stream, and bytes known to have been sent */
    struct gb_buf *input;  /* the stream's; NULL before the first input */
    size_t scanned;        /* bytes of the input known to contain no newline */
    struct gb_deferred refuse, resume;
    struct gb_json_doc doc; /* reused for its memory */
    struct gb_err why;      /* set once the connection is over */
    char wrong[200];        /* an error from the server that belongs to no request */
    bool over, paused;
    unsigned depth; /* nesting depth of our running callbacks */
    bool freed;
};

static void client_release(struct gb_client *client)
{
    gb_buf_release(&client->waiting);
    gb_json_release(&client->doc);
    free(client->host);
    free(client);
}

static void client_enter(struct gb_client *client)
{
    client->depth++;
}

/* May free the client. */
static void client_leave(struct gb_client *client)
{
    client->depth--;
    if (client->freed && client->depth == 0)
        client_release(client);
}

/* It must not be in any list. */
static void client_call_free(struct call *call)
{
    call->client->call_count--;
    gb_timer_free(call->deadline);
    free(call);
}

/* Answers the call and frees it. */
static void client_call_answer(struct call *call, const struct gb_json *result,
                               const struct gb_call_error *error)
{
    gb_reply_cb *reply = call->reply;
    void *arg = call->arg;

    gb_list_remove(&call->link);
    client_call_free(call);
    if (reply != NULL)
        reply(arg, result, error);
}

static void client_copy_text(char *to, size_t room, struct gb_bytes text)
{
    size_t size = MIN(text.size, room - 1);

    /* Do not split a character. */
    if (size < text.size)
        size -= gb_utf8_unfinished((struct gb_bytes){text.data, size});
    if (size > 0)
        memcpy(to, text.data, size);
    to[size] = '\0';
}

/* NULL for an unknown method. */
static const struct gb_method *client_method_of(const struct call *call)
{
    return gb_method_find(gb_bytes_str(call->method));
}

/* Whether the call runs code: for others only the outcome is unknown. */
static bool client_runs_code(const struct call *call)
{
    const struct gb_method *method = client_method_of(call);

    return method != NULL && method->runs_code;
}

/* @sent: the server may have it. */
static void client_call_fail(struct call *call, enum gb_code code, bool sent, const char *message)
{
    struct gb_call_error error = {
        .rpc_code = gb_code_rpc(code),
        .code = code,
        .dispatched = sent && client_runs_code(call),
        .retryable = !sent && gb_code_class(code) == GB_CLASS_RETRY,
    };

    client_copy_text(error.kind, sizeof(error.kind), gb_bytes_str(gb_code_kind(code)));
    client_copy_text(error.message, sizeof(error.message), gb_bytes_str(message));
    client_call_answer(call, NULL, &error);
}

/* The connection is over; @all: it is unknown which bytes were sent. Call it between client_enter()
 * and client_leave(). */
static void client_fail_all(struct gb_client *client, bool all)
{
    struct gb_list *link;

    if (client->over)
        return;
    client->over = true;
    gb_stream_free(client->stream);
    client->stream = NULL;
    gb_buf_clear(&client->waiting);
    while (!client->freed && (link = gb_list_pop(&client->calls)) != NULL) {
        struct call *call = container_of(link, struct call, link);
        bool sent = call->end <= client->left || (all && call->end <= client->queued);

        client_call_fail(call, sent ? GB_EUNKNOWN : client->why.code, sent, client->why.message);
    }
    if (!client->freed && client->events.closed != NULL)
        client->events.closed(client->arg, &client->why);
}

static void client_end_connection(struct gb_client *client, bool all)
{
    client_enter(client);
    client_fail_all(client, all);
    client_leave(client);
}

void gb_client_end(struct gb_client *client, const struct gb_err *why)
{
    if (client == NULL || client->over || client->stream == NULL)
        return;
    client->why = *why;
    client_end_connection(client, true);
}

static void client_protocol_error(struct gb_client *client, const char *what)
{
    (void)gb_err_set(&client->why, GB_EINTERNAL, "the server does not speak the protocol: %s",
                     what);
    client_fail_all(client, true);
}

static struct gb_bytes client_string_of(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object != NULL ? gb_json_member(object, name) : NULL;

    if (value == NULL || value->type != GB_JSON_STRING)
        return (struct gb_bytes){NULL, 0};
    return value->text;
}

static bool client_true_of(const struct gb_json *object, const char *name)
{
    const struct gb_json *value = object != NULL ? gb_json_member(object, name) : NULL;

    return value != NULL && value->type == GB_JSON_BOOL && value->truth;
}

static bool client_on_error(struct call *call, const struct gb_json *error)
{
    const struct gb_json *data = gb_json_member(error, "data");
    struct gb_bytes message = client_string_of(error, "message");
    struct gb_bytes kind = client_string_of(data, "kind");
    const struct gb_json *number = gb_json_member(error, "code");
    struct gb_call_error told = {0};
    int64_t code;

    if (message.data == NULL || number == NULL || !gb_json_integer(number, &code) ||
        code < INT_MIN || code > INT_MAX)
        return false;
    told.rpc_code = (int)code;
    if (kind.data == NULL)
        kind = gb_bytes_str("internal");
    client_copy_text(told.kind, sizeof(told.kind), kind);
    client_copy_text(told.message, sizeof(told.message), message);
    told.code = gb_code_from_kind(told.kind);
    told.dispatched = client_true_of(data, "dispatched");
    told.retryable = client_true_of(data, "retryable");
    told.data = data;
    client_call_answer(call, NULL, &told);
    return true;
}

/* Hides results that violate the protocol: they come from a server of another version, or from no
 * server. */
static void client_on_result(struct call *call, const struct gb_json *result)
{
    const struct gb_method *method = client_method_of(call);
    struct gb_err err = {0};
    int r = 0;

    if (method != NULL && method->result != NULL)
        r = gb_object_check(method->result, result, &err);
    if (r == 0 && method != NULL && method->beside != NULL)
        r = gb_object_check(method->beside, result, &err);
    if (r < 0)
        client_call_fail(call, err.code, true, err.message);
    else
        client_call_answer(call, result, NULL);
}

static struct call *client_find_in(struct gb_list *list, uint64_t id)
{
    struct call *call;

    GB_LIST_FOREACH(call, list, link)
        if (call->id == id)
            return call;
    return NULL;
}

static const char *client_on_notification(struct gb_client *client, const struct gb_json *message)
{
    const struct gb_json *params = gb_json_member(message, "params");
    struct gb_bytes method = client_string_of(message, "method");
    char name[CALL_METHOD_MAX];

    if (method.data == NULL || method.size >= sizeof(name))
        return "a notification has no method";
    if (params != NULL && params->type != GB_JSON_OBJECT)
        return "the parameters of a notification are not an object";
    client_copy_text(name, sizeof(name), method);
    if (client->events.notified != NULL)
        client->events.notified(client->arg, name, params);
    return NULL;
}

/* Handles one message. Returns NULL, or what is wrong with it. */
static const char *client_dispatch(struct gb_client *client, const struct gb_json *message)
{
    const struct gb_json *id = gb_json_member(message, "id");
    const struct gb_json *result = gb_json_member(message, "result");
    const struct gb_json *error = gb_json_member(message, "error");
    struct call *call;
    int64_t number;

    if (message->type != GB_JSON_OBJECT)
        return "a message is not an object";
    if (!gb_bytes_equal(client_string_of(message, "jsonrpc"), "2.0"))
        return "a message is not JSON-RPC 2.0";
    if (id == NULL)
        return client_on_notification(client, message);
    if ((result == NULL) == (error == NULL))
        return "an answer has neither or both of result and error";
    if (id->type == GB_JSON_NULL) {
        client_copy_text(client->wrong, sizeof(client->wrong), client_string_of(error, "message"));
        return client->wrong[0] != '\0' ? client->wrong : "an error belongs to no request";
    }
    if (!gb_json_integer(id, &number) || number < 1 || (uint64_t)number >= client->next_id)
        return "an answer has an id that was never used";
    call = client_find_in(&client->calls, (uint64_t)number);
    if (call == NULL) /* forgotten, or past its deadline */
        return NULL;
    if (error != NULL)
        return client_on_error(call, error) ? NULL : "an error lacks its code or message";
    client_on_result(call, result);
    return NULL;
}

static const char *client_parse_line(struct gb_client *client, uint8_t *line, size_t size)
{
    struct gb_json_doc doc = client->doc; /* callbacks may free the client */
    const char *wrong;

    client->doc = (struct gb_json_doc){0};
    if (gb_json_parse(&doc, line, size, NODES_MAX, NULL) < 0)
        wrong = "a line is not JSON";
    else
        wrong = client_dispatch(client, &doc.nodes[0]);
    if (client->freed || doc.capacity > NODES_KEPT_MAX || client->doc.nodes != NULL)
        gb_json_release(&doc);
    else
        client->doc = doc;
    return wrong;
}

static void client_on_input(void *arg, struct gb_buf *input)
{
    struct gb_client *client = arg;

    client->input = input;
    client_enter(client);
    while (!client->freed && !client->over && !client->paused) {
        uint8_t *data = input->memory + input->start; /* parsed in place */
        uint8_t *newline;
        const char *wrong;
        size_t size;

        if (input->size == client->scanned)
            break;
        newline = memchr(data + client->scanned, '\n', input->size - client->scanned);
        if (newline == NULL) {
            client->scanned = input->size;
            if (input->size > client->reply_bytes)
                client_protocol_error(client, "a line is too long");
            break;
        }
        size = (size_t)(newline - data);
        client->scanned = 0;
        wrong = size > client->reply_bytes ? "a line is too long"
                                           : client_parse_line(client, data, size);
        if (client->freed || client->over)
            break;
        if (wrong != NULL) {
            client_protocol_error(client, wrong);
            break;
        }
        gb_buf_consume(input, size + 1);
    }
    client_leave(client);
}

/* ssh has given its reason, or has had enough time to. */
static void client_on_link_lost(void *arg)
{
    struct gb_client *client = arg;
    struct gb_buf why = {0};

    gb_link_why(client->link, &why);
    (void)gb_err_set(&client->why, GB_EBUSY, "%s", gb_buf_str(&why));
    gb_buf_release(&why);
    client_end_connection(client, client->broken);
}

static void client_on_closed(void *arg, int sys_errno)
{
    struct gb_client *client = arg;

    if (client->link != NULL) {
        client->ending = true;
        client->broken = sys_errno != 0;
        gb_link_settle(client->link, client_on_link_lost, client);
        return;
    }
    if (sys_errno == 0)
        (void)gb_err_set(&client->why, GB_EBUSY, "the server closed the connection");
    else
        (void)gb_err_set(&client->why, GB_EBUSY, "the connection to the server broke: %s",
                         strerror(sys_errno));
    client_end_connection(client, sys_errno != 0);
}

static void client_on_sent(void *arg, size_t bytes)
{
    struct gb_client *client = arg;

    (void)bytes;
    client->left = client->queued - gb_stream_queued(client->stream);
}

static void client_stream_send(struct gb_client *client, struct gb_buf *line)
{
    client->queued += line->size;
    gb_stream_send_buf(client->stream, line);
    client->left = client->queued - gb_stream_queued(client->stream);
}

static void client_dial_blocking(uv_work_t *work)
{
    struct dial_work *dial = container_of(work, struct dial_work, work);
    struct gb_dial_config config = {.host = dial->host,
                                    .socket = dial->socket,
                                    .program = dial->program,
                                    .timeout_ms = START_TIMEOUT_MS,
                                    .ask = dial->ask};

    dial->r = gb_dial(&config, &dial->dialled, &dial->err);
}

/* Takes @fd. */
static void client_begin_stream(struct gb_client *client, int fd)
{
    static const struct gb_stream_events events = {
        .input = client_on_input, .closed = client_on_closed, .sent = client_on_sent};

    client->stream = gb_stream_new(client->loop, fd, READ_BYTES, &events, client);
}

static void client_dial_done(uv_work_t *work, int status)
{
    struct dial_work *dial = container_of(work, struct dial_work, work);
    struct gb_client *client = dial->client;
    struct gb_dialled dialled = dial->dialled;
    int r = status < 0 ? -GB_EINTERNAL : dial->r;
    struct gb_err err = dial->err;

    free(dial->host);
    free(dial->socket);
    free(dial->program);
    free(dial);
    if (client == NULL) {
        (void)gb_close(dialled.fd);
        (void)gb_close(dialled.errors);
        return;
    }
    client->dial = NULL;
    if (r < 0) {
        client->why = err;
        client_end_connection(client, false);
        return;
    }
    client_begin_stream(client, dialled.fd);
    if (client->host != NULL)
        client->link = gb_link_new(client->loop, dialled.errors, client->host);
    if (client->paused)
        gb_stream_pause(client->stream, true);
    client->queued =
        0; /* queued bytes count from here: the offsets of their calls are already right */
    client_stream_send(client, &client->waiting);
}

static void client_begin_dial(struct gb_client *client, const struct gb_client_config *config)
{
    struct dial_work *dial = xcalloc(1, sizeof(*dial));

    dial->client = client;
    client->host = config->host != NULL ? xstrdup(config->host) : NULL;
    dial->host = config->host != NULL ? xstrdup(config->host) : NULL;
    dial->socket = config->socket != NULL ? xstrdup(config->socket) : NULL;
    dial->program = config->program != NULL ? xstrdup(config->program) : NULL;
    dial->ask = config->ask;
    dial->dialled = (struct gb_dialled){-1, -1};
    client->dial = dial;
    (void)uv_queue_work(gb_loop_uv(client->loop), &dial->work, client_dial_blocking,
                        client_dial_done); /* never fails */
}

struct gb_client *gb_client_new(struct gb_loop *loop, const struct gb_client_config *config,
                                const struct gb_client_events *events, void *arg)
{
    struct gb_client *client = xcalloc(1, sizeof(*client));

    client->loop = loop;
    client->events = *events;
    client->arg = arg;
    client->next_id = MAX(config->first_call, UINT64_C(1));
    client->reply_bytes = config->reply_bytes > 0 ? config->reply_bytes : GB_REPLY_MAX;
    gb_list_init(&client->calls);
    gb_list_init(&client->refused);
    if (config->connected > 0)
        client_begin_stream(client, config->connected);
    else
        client_begin_dial(client, config);
    return client;
}

static void client_drop_calls(struct gb_list *list)
{
    struct call *call;

    GB_LIST_FOREACH(call, list, link) {
        gb_list_remove(&call->link);
        client_call_free(call);
    }
}

void gb_client_free(struct gb_client *client)
{
    if (client == NULL || client->freed)
        return;
    client->freed = true;
    if (client->dial != NULL)
        client->dial->client = NULL;
    gb_loop_undefer(&client->refuse);
    gb_loop_undefer(&client->resume);
    client_drop_calls(&client->calls);
    client_drop_calls(&client->refused);
    gb_stream_free(client->stream);
    client->stream = NULL;
    gb_link_free(client->link);
    client->link = NULL;
    if (client->depth == 0)
        client_release(client);
}

void gb_client_give_up(struct gb_client *client, const struct gb_err *why)
{
    struct gb_list *link;
    bool freed;

    if (client == NULL || client->freed)
        return;
    client_enter(client);
    client->events.closed = NULL;
    if (!client->over)
        client->why = *why;
    client_fail_all(client, true);
    while (!client->freed && (link = gb_list_pop(&client->refused)) != NULL)
        client_call_fail(container_of(link, struct call, link), client->why.code, false,
                         client->why.message);
    freed = client->freed; /* by one of the callbacks */
    client_leave(client);
    if (!freed)
        gb_client_free(client);
}

/* There is no connection yet: what nobody waits for any more is not to happen later. */
static void client_take_back(struct gb_client *client, struct call *call)
{
    const uint8_t *lines = gb_buf_data(&client->waiting);
    const size_t end = (size_t)call->end;
    struct gb_buf kept = {0};
    struct call *later;

    gb_buf_add(&kept, lines, end - call->size);
    gb_buf_add(&kept, lines + end, client->waiting.size - end);
    GB_LIST_FOREACH(later, &client->calls, link)
        if (later->end > call->end)
            later->end -= call->size;
    gb_buf_release(&client->waiting);
    client->waiting = kept;
}

static void client_on_deadline(void *arg)
{
    struct call *call = arg;
    struct gb_client *client = call->client;
    char message[GB_ERR_MESSAGE_MAX];
    /* What is queued for a connection will be sent. */
    bool left = client->stream != NULL && (!client->ending || call->end <= client->left);

    (void)snprintf(message, sizeof(message), "the server gave no answer to %s within %llu ms",
                   call->method, (unsigned long long)call->deadline_ms);
    if (client->stream == NULL && call->end != UINT64_MAX)
        client_take_back(client, call);
    client_enter(client);
    client_call_fail(call, left ? GB_EUNKNOWN : GB_EBUSY, left, message);
    client_leave(client);
}

/* Fails, from the loop, the calls that were never sent. */
static void client_refuse_calls(void *arg)
{
    struct gb_client *client = arg;
    struct gb_list *link;

    client_enter(client);
    while (!client->freed && (link = gb_list_pop(&client->refused)) != NULL) {
        struct call *call = container_of(link, struct call, link);

        if (client->over)
            client_call_fail(call, client->why.code, false, client->why.message);
        else if (call->refused == GB_ETOOLARGE)
            client_call_fail(call, GB_ETOOLARGE, false, "the request is longer than a line may be");
        else
            client_call_fail(call, GB_EBUSY, false, "too many calls are under way");
    }
    client_leave(client);
}

static void client_add_line(struct gb_buf *line, uint64_t id, const char *method,
                            const struct gb_buf *params)
{
    struct gb_json_out out = {.buf = line};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "jsonrpc", "2.0");
    gb_json_put_u64(&out, "id", id);
    gb_json_put_str(&out, "method", method);
    if (params != NULL && params->size > 0)
        gb_json_put_raw(&out, "params", gb_buf_bytes(params));
    gb_json_end(&out);
    gb_buf_add_u8(line, '\n');
}

uint64_t gb_client_call(struct gb_client *client, const char *method, struct gb_buf *params,
                        uint64_t deadline_ms, gb_reply_cb *reply, void *arg)
{
    struct call *call = xcalloc(1, sizeof(*call));
    struct gb_buf line = {0};

    call->client = client;
    call->id = client->next_id++;
    call->reply = reply;
    call->arg = arg;
    call->deadline_ms = deadline_ms;
    (void)snprintf(call->method, sizeof(call->method), "%s", method);
    call->end = UINT64_MAX;
    gb_list_init(&call->link);
    client->call_count++;
    if (client->over || client->call_count > GB_REQUESTS_MAX)
        call->refused = GB_EBUSY;
    else
        client_add_line(&line, call->id, method, params);
    if (params != NULL)
        gb_buf_clear(params);
    if (line.size > GB_LINE_MAX)
        call->refused = GB_ETOOLARGE;
    if (call->refused != GB_OK) {
        gb_list_add_tail(&client->refused, &call->link);
        gb_loop_defer(client->loop, &client->refuse, client_refuse_calls, client);
        gb_buf_release(&line);
        return call->id;
    }
    gb_list_add_tail(&client->calls, &call->link);
    if (deadline_ms > 0) {
        call->deadline = gb_timer_new(client->loop, client_on_deadline, call);
        gb_timer_start(call->deadline, deadline_ms);
    }
    if (client->ending) {
        ; /* fails with the same reason as those before; nothing is sent */
    } else if (client->stream == NULL) {
        call->end = client->waiting.size + line.size;
        call->size = line.size;
        gb_buf_add(&client->waiting, gb_buf_data(&line), line.size);
    } else {
        call->end = client->queued + line.size;
        client_stream_send(client, &line);
    }
    gb_buf_release(&line);
    return call->id;
}

static struct call *client_find_call(struct gb_client *client, uint64_t id)
{
    struct call *call = client_find_in(&client->calls, id);

    return call != NULL ? call : client_find_in(&client->refused, id);
}

void gb_client_forget(struct gb_client *client, uint64_t id)
{
    struct call *call = client_find_call(client, id);

    if (call == NULL)
        return;
    gb_list_remove(&call->link);
    client_call_free(call);
}

uint64_t gb_client_next_call(const struct gb_client *client)
{
    return client->next_id;
}

void gb_client_redirect(struct gb_client *client, uint64_t id, gb_reply_cb *reply, void *arg)
{
    struct call *call = client_find_call(client, id);

    if (call == NULL)
        return;
    call->reply = reply;
    call->arg = arg;
}

size_t gb_client_calls(const struct gb_client *client)
{
    return client->call_count;
}

size_t gb_client_queued(const struct gb_client *client)
{
    return client->stream != NULL ? gb_stream_queued(client->stream) : client->waiting.size;
}

/* Handles lines that arrived before the pause. */
static void client_resume_input(void *arg)
{
    struct gb_client *client = arg;

    if (client->stream != NULL && client->input != NULL && !client->paused)
        client_on_input(client, client->input);
}

void gb_client_pause(struct gb_client *client, bool paused)
{
    if (paused == client->paused)
        return;
    client->paused = paused;
    if (client->stream == NULL)
        return;
    gb_stream_pause(client->stream, paused);
    if (!paused)
        gb_loop_defer(client->loop, &client->resume, client_resume_input, client);
}
