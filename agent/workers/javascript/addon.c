/* SPDX-License-Identifier: Apache-2.0 */
/* What the JavaScript worker needs and Node lacks: descriptors passed with messages, dup2, and
 * watching two sockets without keeping the event loop alive while a cell runs.
 *
 * start(callback(channel, type, payload)) takes over descriptors 3 and 4. send(channel, type,
 * payload), put() (puts the last cell's descriptors onto 0, 1, 2), rest() (puts /dev/null onto
 * them), hold(0|1), entropy() (32 bytes), reseed(), writable(fd) (waits). Each iteration of the
 * loop calls callback(2, 0, -) before it waits, if watch(1) requested that.
 *
 * SIGINT: listen() installs the handler; the loop then calls callback(3, 0, -). If the loop does
 * not get to it soon, because JavaScript is busy, a thread makes V8 terminate the running code,
 * down to the loop.
 *
 * stop() makes V8 terminate the running code for good: no catch, no finally. attempt() reports it
 * to its caller, otherwise the loop calls callback(4, 0, -). drop() empties V8's microtask queue.
 *
 * traces(function(sites)) passes the call sites of a stack to the function, which returns those to
 * be shown; Node turns them into text. It throws nothing. */

#include "napi.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "common/channel.h"

#define CHANNELS 2
#define ITERATION CHANNELS
#define INTERRUPT (CHANNELS + 1)
#define STOPPED (CHANNELS + 2)
#define PATIENCE_NS 100000000
#define ENTROPY_SIZE 32
/* Node itself has one timer and one idle handle; c-ares and others add a few. */
#define ASIDE_MAX 64

/* Handles that currently do not count. */
struct aside {
    uv_handle_t *handles[ASIDE_MAX];
    size_t count;
};

static napi_env the_env;
static napi_ref callback;
static napi_async_context context;
static struct channel channels[CHANNELS];
static uv_poll_t polls[CHANNELS];
static uv_prepare_t iteration;
static uv_async_t interrupt;
static sem_t signalled;
static sem_t answered;
static atomic_uint signals_sent;
static atomic_uint signals_seen;
static bool cell_runs;
static bool watched;
static int null_fd = -1;

static bool stopping;
static napi_ref stack_filter;

/* Members of v8::Isolate that Node-API does not expose, as C functions; a v8::Local is a pointer,
 * and so is napi_value. */
static void (*terminate_execution)(void *isolate);
static void (*cancel_terminate_execution)(void *isolate);
static void (*run_microtasks)(void *isolate);
static napi_value (*node_format)(void *context, napi_value error, napi_value sites);
static void (*set_formatter)(void *isolate, napi_value (*format)(void *context, napi_value error,
                                                                 napi_value sites));
static void *isolate;

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
    /* Exceptions are the worker's own business: one that escapes has been told by then. */
    if (napi_make_callback(the_env, context, global, function, 3, arguments, &result) != 0)
        (void)napi_get_and_clear_last_exception(the_env, &result);
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

static void on_sigint(int number)
{
    int saved = errno;

    (void)number;
    atomic_fetch_add(&signals_sent, 1);
    (void)uv_async_send(&interrupt);
    (void)sem_post(&signalled);
    errno = saved;
}

static bool signal_waits(void)
{
    return atomic_load(&signals_seen) != atomic_load(&signals_sent);
}

static void acknowledge(void)
{
    atomic_store(&signals_seen, atomic_load(&signals_sent));
    (void)sem_post(&answered);
    /* The terminated code has unwound to here. */
    cancel_terminate_execution(isolate);
}

static void on_interrupt(uv_async_t *handle)
{
    struct message nothing = {0};

    (void)handle;
    if (!signal_waits())
        return;
    acknowledge();
    call(INTERRUPT, &nothing);
}

static void refer(bool on)
{
    for (int i = 0; i < CHANNELS; i++) {
        if (on)
            uv_ref((uv_handle_t *)&polls[i]);
        else
            uv_unref((uv_handle_t *)&polls[i]);
    }
}

/* Runs before the loop waits. While a cell runs, the channels keep the loop alive only as long as
 * something else does; Node then leaves the loop and emits `beforeExit`. Not earlier: leaving the
 * loop with JavaScript just terminated would end the process. */
static void on_iteration(uv_prepare_t *handle)
{
    struct message nothing = {0};

    if (signal_waits())
        on_interrupt(&interrupt);
    if (stopping) {
        stopping = false;
        cancel_terminate_execution(isolate);
        call(STOPPED, &nothing);
    }
    if (watched)
        call(ITERATION, &nothing);
    if (!cell_runs)
        return;
    refer(false);
    if (uv_loop_alive(handle->loop))
        refer(true);
}

/* Waits for the loop to handle each signal, and terminates JavaScript if it does not. */
static void *guard_interrupts(void *arg)
{
    (void)arg;
    for (;;) {
        struct timespec until;

        while (sem_wait(&signalled) != 0)
            continue;
        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PATIENCE_NS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        while (signal_waits())
            if (sem_timedwait(&answered, &until) != 0 && errno == ETIMEDOUT)
                break;
        if (signal_waits())
            terminate_execution(isolate);
    }
    return NULL;
}

static void find_members(void)
{
    void *(*current)(void) = NULL;
    struct {
        void *pointer;
        const char *name;
    } members[] = {
        {&current, "_ZN2v87Isolate10GetCurrentEv"},
        {&terminate_execution, "_ZN2v87Isolate18TerminateExecutionEv"},
        {&cancel_terminate_execution, "_ZN2v87Isolate24CancelTerminateExecutionEv"},
        {&run_microtasks, "_ZN2v815MicrotasksScope17PerformCheckpointEPNS_7IsolateE"},
        {&set_formatter, "_ZN2v87Isolate28SetPrepareStackTraceCallbackEPFNS_10MaybeLocalINS_"
                         "5ValueEEENS_5LocalINS_7ContextEEENS4_IS2_EENS4_INS_5ArrayEEEE"},
        {&node_format, "_ZN4node25PrepareStackTraceCallbackEN2v85LocalINS0_7ContextEEENS1_INS0_"
                       "5ValueEEENS1_INS0_5ArrayEEE"},
    };

    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
        *(void **)members[i].pointer = dlsym(RTLD_DEFAULT, members[i].name);
    if (current != NULL)
        isolate = current();
    if (isolate == NULL || terminate_execution == NULL || cancel_terminate_execution == NULL)
        channel_violation();
}

static void start_interrupts(struct uv_loop_s *loop)
{
    sigset_t all, before;
    pthread_t thread;

    find_members();
    if (sem_init(&signalled, 0, 0) != 0 || sem_init(&answered, 0, 0) != 0 ||
        uv_async_init(loop, &interrupt, on_interrupt) != 0)
        channel_violation();
    uv_unref((uv_handle_t *)&interrupt);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&thread, NULL, guard_interrupts, NULL) != 0)
        channel_violation();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void arguments_of(napi_env env, napi_callback_info info, size_t count,
                         napi_value *ret_values)
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
    check_status(napi_create_string_utf8(env, "glassbell", 8, &name));
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
    check_status(uv_prepare_init(loop, &iteration));
    check_status(uv_prepare_start(&iteration, on_iteration));
    uv_unref((uv_handle_t *)&iteration);
    start_interrupts(loop);
    return undefined(env);
}

static napi_value js_listen(napi_env env, napi_callback_info info)
{
    struct sigaction action = {.sa_handler = on_sigint, .sa_flags = SA_RESTART};

    (void)info;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    return undefined(env);
}

/* Calls a function that throws nothing; true if it completed, false if SIGINT or stop() terminated
 * it; the termination ends here and does not reach Node's code that called us. */
static napi_value js_attempt(napi_env env, napi_callback_info info)
{
    napi_value function, global, result, thrown;
    napi_status status;

    arguments_of(env, info, 1, &function);
    check_status(napi_get_global(env, &global));
    status = napi_call_function(env, global, function, 0, NULL, &result);
    if (status != 0) {
        stopping = false;
        cancel_terminate_execution(isolate);
        (void)napi_get_and_clear_last_exception(env, &thrown);
    }
    check_status(napi_create_uint32(env, status == 0, &result));
    return result;
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

/* depart(cell, code): reports that a final cell is over, and ends the process. */
static napi_value js_depart(napi_env env, napi_callback_info info)
{
    napi_value values[2];
    uint32_t cell, code;
    struct payload done = {0};

    arguments_of(env, info, 2, values);
    check_status(napi_get_value_uint32(env, values[0], &cell));
    check_status(napi_get_value_uint32(env, values[1], &code));
    payload_u32(&done, cell);
    payload_u32(&done, code);
    payload_u8(&done, 0);
    payload_bytes(&done, "", 0);
    channel_send(&channels[0], MSG_DONE, &done);
    channel_depart(&channels[0], (int)code);
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

static napi_value js_interrupted(napi_env env, napi_callback_info info)
{
    napi_value value;

    (void)info;
    check_status(napi_create_uint32(env, signal_waits(), &value));
    return value;
}

/* Consumes a SIGINT that the loop has not handled yet; 1 if there was one. */
static napi_value js_settle(napi_env env, napi_callback_info info)
{
    napi_value value;
    bool waits = signal_waits();

    (void)info;
    if (waits)
        acknowledge();
    check_status(napi_create_uint32(env, waits, &value));
    return value;
}

static napi_value js_hold(napi_env env, napi_callback_info info)
{
    cell_runs = number_argument(env, info) == 0;
    refer(true);
    return undefined(env);
}

static napi_value js_watch(napi_env env, napi_callback_info info)
{
    watched = number_argument(env, info) != 0;
    return undefined(env);
}

static void set_aside(uv_handle_t *handle, void *arg)
{
    struct aside *aside = arg;
    uv_handle_type type = uv_handle_get_type(handle);

    if ((type != UV_TIMER && type != UV_IDLE) || !uv_is_active(handle) || !uv_has_ref(handle) ||
        aside->count == ASIDE_MAX)
        return;
    uv_unref(handle);
    aside->handles[aside->count++] = handle;
}

/* Whether the loop would continue without timers, immediates and our channels. */
static napi_value js_alive(napi_env env, napi_callback_info info)
{
    struct uv_loop_s *loop = polls[0].loop;
    struct aside aside = {0};
    napi_value value;

    (void)info;
    refer(false);
    uv_walk(loop, set_aside, &aside);
    check_status(napi_create_uint32(env, uv_loop_alive(loop) != 0, &value));
    for (size_t i = 0; i < aside.count; i++)
        uv_ref(aside.handles[i]);
    refer(true);
    return value;
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

/* `crypto` uses OpenSSL's generator, which was seeded when this process started, for a clone in its
 * template: without new entropy all clones would draw the same numbers. */
static napi_value js_reseed(napi_env env, napi_callback_info info)
{
    void (*seed)(const void *data, int size) = NULL;
    uint8_t data[ENTROPY_SIZE];

    (void)info;
    *(void **)&seed = dlsym(RTLD_DEFAULT, "RAND_seed");
    if (seed == NULL || getrandom(data, sizeof(data), 0) != (ssize_t)sizeof(data))
        channel_violation();
    seed(data, sizeof(data));
    return undefined(env);
}

/* The first microtask that V8 starts is terminated before its first line, and the queue with it. */
static napi_value js_drop(napi_env env, napi_callback_info info)
{
    (void)info;
    if (run_microtasks != NULL) {
        terminate_execution(isolate);
        run_microtasks(isolate);
        cancel_terminate_execution(isolate);
    }
    return undefined(env);
}

/* The calling code is terminated at its next call or loop iteration. */
static napi_value js_stop(napi_env env, napi_callback_info info)
{
    (void)info;
    stopping = true;
    terminate_execution(isolate);
    return undefined(env);
}

static napi_value format_stack(void *v8_context, napi_value error, napi_value sites)
{
    napi_value function, global, kept, thrown;

    check_status(napi_get_reference_value(the_env, stack_filter, &function));
    check_status(napi_get_global(the_env, &global));
    if (napi_call_function(the_env, global, function, 1, &sites, &kept) != 0) {
        (void)napi_get_and_clear_last_exception(the_env, &thrown);
        kept = sites;
    }
    return node_format(v8_context, error, kept);
}

static napi_value js_traces(napi_env env, napi_callback_info info)
{
    napi_value function;

    arguments_of(env, info, 1, &function);
    check_status(napi_create_reference(env, function, 1, &stack_filter));
    if (set_formatter != NULL && node_format != NULL)
        set_formatter(isolate, format_stack);
    return undefined(env);
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
        {"start", js_start},
        {"send", js_send},
        {"put", js_put},
        {"depart", js_depart},
        {"rest", js_rest},
        {"hold", js_hold},
        {"watch", js_watch},
        {"entropy", js_entropy},
        {"reseed", js_reseed},
        {"writable", js_writable},
        {"listen", js_listen},
        {"attempt", js_attempt},
        {"interrupted", js_interrupted},
        {"settle", js_settle},
        {"drop", js_drop},
        {"stop", js_stop},
        {"traces", js_traces},
        {"alive", js_alive},
    };

    for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
        napi_value function;

        check_status(napi_create_function(env, functions[i].name, SIZE_MAX, functions[i].function,
                                          NULL, &function));
        check_status(napi_set_named_property(env, exports, functions[i].name, function));
    }
    return exports;
}
