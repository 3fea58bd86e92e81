/* What the JavaScript worker needs and Node has not: descriptors that come with messages, dup2,
 * and a watch on two sockets that does not keep the event loop alive while a cell runs.
 *
 * start(callback(channel, type, payload)) takes over descriptors 3 and 4.
 * send(channel, type, payload), put() (the descriptors of the last cell onto 0, 1, 2), rest()
 * (/dev/null onto them), hold(0|1), entropy() (32 bytes), writable(fd) (waits).
 * Each iteration of the loop ends with callback(2, 0, -) when watch(1) asked for it. */

#include "napi.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>
#include <uv.h>

#include "common/channel.h"

#define CHANNELS 2
#define ITERATION CHANNELS
#define ENTROPY_SIZE 32

static napi_env the_env;
static napi_ref callback;
static napi_async_context context;
static struct channel channels[CHANNELS];
static uv_poll_t polls[CHANNELS];
static uv_check_t check;
static int null_fd = -1;

static void check_status(napi_status status)
{
    if (status != 0)
        channel_violation();
}

static napi_value undefined(napi_env env)
{
    napi_value value;

    check_status(napi_get_undefined(env, &value));
    return value;
}

static void call(uint32_t which, const struct message *m)
{
    napi_handle_scope scope;
    napi_value function, global, arguments[3], result;

    check_status(napi_open_handle_scope(the_env, &scope));
    check_status(napi_get_reference_value(the_env, callback, &function));
    check_status(napi_get_global(the_env, &global));
    check_status(napi_create_uint32(the_env, which, &arguments[0]));
    check_status(napi_create_uint32(the_env, m->type, &arguments[1]));
    check_status(napi_create_buffer_copy(the_env, m->size, m->data, NULL, &arguments[2]));
    /* Its exceptions are the worker's own affair: it lets none out. */
    (void)napi_make_callback(the_env, context, global, function, 3, arguments, &result);
    check_status(napi_close_handle_scope(the_env, scope));
}

static void on_readable(uv_poll_t *handle, int status, int events)
{
    uint32_t which = (uint32_t)(handle - polls);
    struct channel *c = &channels[which];
    struct message m;

    (void)events;
    if (status < 0)
        _exit(0);
    channel_fill(c);
    while (channel_next(c, &m)) {
        if (m.type == MSG_CELL && c->n_fds != CHANNEL_CELL_FDS)
            channel_violation();
        call(which, &m);
        channel_drop(c, &m);
    }
}

static void on_iteration(uv_check_t *handle)
{
    struct message nothing = {0};

    (void)handle;
    call(ITERATION, &nothing);
}

static void arguments_of(napi_env env, napi_callback_info info, size_t count, napi_value *ret_values)
{
    size_t n = count;

    check_status(napi_get_cb_info(env, info, &n, ret_values, NULL, NULL));
    if (n != count)
        channel_violation();
}

static uint32_t number_argument(napi_env env, napi_callback_info info)
{
    napi_value value;
    uint32_t number;

    arguments_of(env, info, 1, &value);
    check_status(napi_get_value_uint32(env, value, &number));
    return number;
}

static napi_value js_start(napi_env env, napi_callback_info info)
{
    napi_value function, name;
    struct uv_loop_s *loop;
    int low = open("/dev/null", O_RDWR | O_CLOEXEC);

    arguments_of(env, info, 1, &function);
    the_env = env;
    check_status(napi_create_reference(env, function, 1, &callback));
    check_status(napi_create_string_utf8(env, "glovebox", 8, &name));
    check_status(napi_async_init(env, NULL, name, &context));
    check_status(napi_get_uv_event_loop(env, &loop));
    null_fd = fcntl(low, F_DUPFD_CLOEXEC, CHANNEL_FIRST_FD);
    close(low);
    for (int i = 0; i < CHANNELS; i++) {
        channel_init(&channels[i], 3 + i);
        if (uv_poll_init(loop, &polls[i], channels[i].fd) != 0 ||
            uv_poll_start(&polls[i], UV_READABLE, on_readable) != 0)
            channel_violation();
    }
    check_status(uv_check_init(loop, &check));
    uv_unref((uv_handle_t *)&check);
    return undefined(env);
}

static napi_value js_send(napi_env env, napi_callback_info info)
{
    napi_value values[3];
    uint32_t which, type;
    void *data;
    struct payload p = {0};

    arguments_of(env, info, 3, values);
    check_status(napi_get_value_uint32(env, values[0], &which));
    check_status(napi_get_value_uint32(env, values[1], &type));
    check_status(napi_get_buffer_info(env, values[2], &data, &p.size));
    if (which >= CHANNELS || p.size > CHANNEL_MESSAGE_MAX)
        channel_violation();
    p.data = data;
    channel_send(&channels[which], (uint8_t)type, &p);
    return undefined(env);
}

static napi_value js_put(napi_env env, napi_callback_info info)
{
    struct channel *c = &channels[0];

    (void)info;
    for (size_t i = 0; i < c->n_fds; i++) {
        dup2(c->fds[i], (int)i);
        close(c->fds[i]);
    }
    c->n_fds = 0;
    return undefined(env);
}

static napi_value js_rest(napi_env env, napi_callback_info info)
{
    (void)info;
    for (int i = 0; i < CHANNEL_CELL_FDS; i++)
        dup2(null_fd, i);
    return undefined(env);
}

static napi_value js_hold(napi_env env, napi_callback_info info)
{
    uint32_t hold = number_argument(env, info);

    for (int i = 0; i < CHANNELS; i++) {
        if (hold)
            uv_ref((uv_handle_t *)&polls[i]);
        else
            uv_unref((uv_handle_t *)&polls[i]);
    }
    return undefined(env);
}

static napi_value js_watch(napi_env env, napi_callback_info info)
{
    if (number_argument(env, info))
        uv_check_start(&check, on_iteration);
    else
        uv_check_stop(&check);
    return undefined(env);
}

static napi_value js_entropy(napi_env env, napi_callback_info info)
{
    uint8_t data[ENTROPY_SIZE];
    napi_value value;

    (void)info;
    if (getrandom(data, sizeof(data), 0) != (ssize_t)sizeof(data))
        channel_violation();
    check_status(napi_create_buffer_copy(env, sizeof(data), data, NULL, &value));
    return value;
}

static napi_value js_writable(napi_env env, napi_callback_info info)
{
    struct pollfd room = {.fd = (int)number_argument(env, info), .events = POLLOUT};

    (void)poll(&room, 1, -1);
    return undefined(env);
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
                                                                         napi_value exports);

napi_value napi_register_module_v1(napi_env env, napi_value exports)
{
    static const struct {
        const char *name;
        napi_callback function;
    } functions[] = {
        {"start", js_start},     {"send", js_send},   {"put", js_put},
        {"rest", js_rest},       {"hold", js_hold},   {"watch", js_watch},
        {"entropy", js_entropy}, {"writable", js_writable},
    };

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        napi_value function;

        check_status(napi_create_function(env, functions[i].name, SIZE_MAX, functions[i].function,
                                          NULL, &function));
        check_status(napi_set_named_property(env, exports, functions[i].name, function));
    }
    return exports;
}
