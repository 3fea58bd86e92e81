/* SPDX-License-Identifier: Apache-2.0 */
/* The native part of the Python worker: the channels, the work between two cells, and what must not
 * have a Python frame (flow.h, streams.h).
 *
 * The work between two cells is done in C because it always runs cold: a guest sleeps between
 * cells, and under emulation code that runs once costs ten times what it costs in a loop. Only
 * reading the channel and handling cells and plain settings is done here; other messages are parsed
 * and answered by Python code. A peer that violates the protocol ends the process.
 *
 * open(fd, null, last, generators) takes over the cell channel and returns its new descriptor.
 *     @null is a descriptor of /dev/null; from @last on there must be room for a cell's
 *     descriptors;
 *     @generators is a tuple of module names: if one of them is loaded, entropy is left to Python.
 * receive() waits for a message and returns (CELL, number, flags, environment, file, argv, code)
 *     with the environment as ((name, value), …), all of it bytes; else (type, payload). Signal
 *     handlers run while it waits, and may raise.
 * arrived() tells whether receive() would find something.
 * begin(number, interactive) puts the cell's descriptors onto 0, 1 and 2.
 * finish(number, code, flags, value, keep) puts /dev/null onto 0 and, unless @keep, onto 1 and 2,
 *     and sends DONE.
 * send(type, payload) sends any other message, from any thread.
 * answer(fd, function) takes over the query channel: function(type, payload), called in a thread
 *     that Python does not know between two queries, returns (type, payload).
 * forked() closes the channels in a child.
 * run_file(fd, path, namespace) reads, compiles and runs an open file (takes the descriptor) in a
 *     dictionary like the interpreter's own command: with its handling of encodings, and its error
 *     messages. */

#include "pyapi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/channel.h"
#include "ending.h"
#include "flow.h"
#include "streams.h"

#define AT_ONCE 32768 /* small enough for the socket to accept without blocking */
#define PAIRS_MAX 4096

static struct channel cells, queries;
static struct message message;
static bool at_hand; /* @message holds one */
static bool forked;
static int null_fd = -1, last_fd;
static pthread_mutex_t sending = PTHREAD_MUTEX_INITIALIZER;
static PyObject *generators, *answerer;
static pthread_t thread; /* answers queries */
static bool answering;
static int wake_fd = -1;
static int reserve[CHANNEL_CELL_FDS] = {-1, -1, -1};

static PyObject *none(void)
{
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* Releases the GIL while it waits for its turn, or for the agent to read. */
static void send_message(uint8_t type, const struct payload *payload)
{
    PyThreadState *state;

    if (forked)
        return;
    if (payload->size <= AT_ONCE && pthread_mutex_trylock(&sending) == 0) {
        channel_send(&cells, type, payload);
        (void)pthread_mutex_unlock(&sending);
        return;
    }
    state = PyEval_SaveThread();
    (void)pthread_mutex_lock(&sending);
    channel_send(&cells, type, payload);
    (void)pthread_mutex_unlock(&sending);
    PyEval_RestoreThread(state);
}

void tell_waiting(uint32_t cell, bool waits)
{
    struct payload payload = {0};

    payload_u32(&payload, cell);
    payload_u8(&payload, waits);
    send_message(MSG_WAITING, &payload);
    payload_release(&payload);
}

_Noreturn void depart(uint32_t cell, int code)
{
    struct payload done = {0};

    payload_u32(&done, cell);
    payload_u32(&done, (uint32_t)code);
    payload_u8(&done, 0);
    payload_bytes(&done, "", 0);
    send_message(MSG_DONE, &done);
    channel_depart(&cells, code);
}

/* However many descriptors the user opens, the three of the next cell need a place: some are
 * reserved, and released when the highest numbers, which are used last, are taken. */
static void keep_room(void)
{
    int probe = fcntl(null_fd, F_DUPFD_CLOEXEC, last_fd);

    if (probe >= 0)
        (void)close(probe);
    for (size_t i = 0; i < CHANNEL_CELL_FDS; i++) {
        if (probe == last_fd && reserve[i] < 0) {
            reserve[i] = fcntl(null_fd, F_DUPFD_CLOEXEC, CHANNEL_FIRST_FD);
        } else if (probe != last_fd && reserve[i] >= 0) {
            (void)close(reserve[i]); /* fails if user code closed all descriptors */
            reserve[i] = -1;
        }
    }
}

static PyObject *python_open(PyObject *self, PyObject *const *args, ssize_t count)
{
    (void)self;
    if (count != 4 || PyTuple_Size(args[3]) < 0)
        channel_violation();
    generators = args[3];
    Py_IncRef(generators);
    channel_init(&cells, (int)PyLong_AsLong(args[0]));
    null_fd = (int)PyLong_AsLong(args[1]);
    last_fd = (int)PyLong_AsLong(args[2]);
    keep_room();
    return PyErr_Occurred() != NULL ? NULL : PyLong_FromLong(cells.fd);
}

static PyObject *bytes_of(struct fields *fields)
{
    size_t size;
    const uint8_t *data = fields_bytes(fields, &size);

    return PyBytes_FromStringAndSize((const char *)data, (ssize_t)size);
}

/* A tuple that owns its elements. An interpreter without memory is useless. */
static PyObject *tuple(ssize_t size)
{
    PyObject *made = PyTuple_New(size);

    if (made == NULL)
        channel_violation();
    return made;
}

static void put(PyObject *into, ssize_t at, PyObject *item)
{
    if (item == NULL || PyTuple_SetItem(into, at, item) < 0)
        channel_violation();
}

static PyObject *environment(struct fields *fields)
{
    uint32_t count = fields_u32(fields);
    PyObject *pairs;

    if (count > PAIRS_MAX)
        channel_violation();
    pairs = tuple((ssize_t)count);
    for (uint32_t i = 0; i < count; i++) {
        PyObject *pair = tuple(2);

        put(pair, 0, bytes_of(fields));
        put(pair, 1, bytes_of(fields));
        put(pairs, (ssize_t)i, pair);
    }
    return pairs;
}

static PyObject *cell(void)
{
    struct fields fields = {message.data, message.size};
    PyObject *result = tuple(7);

    put(result, 0, PyLong_FromLong(MSG_CELL));
    put(result, 1, PyLong_FromLong((long)fields_u32(&fields)));
    put(result, 2, PyLong_FromLong((long)fields_u8(&fields)));
    put(result, 3, environment(&fields));
    put(result, 4, bytes_of(&fields));
    put(result, 5, bytes_of(&fields));
    put(result, 6, bytes_of(&fields));
    fields_end(&fields);
    if (cells.n_fds != CHANNEL_CELL_FDS)
        channel_violation();
    return result;
}

static PyObject *python_begin(PyObject *self, PyObject *const *args, ssize_t count)
{
    (void)self;
    if (count != 2)
        channel_violation();
    for (size_t i = 0; i < cells.n_fds; i++) {
        (void)dup2(cells.fds[i], (int)i); /* only fails for a bad descriptor */
        (void)close(cells.fds[i]);
    }
    cells.n_fds = 0;
    streams_cell((uint32_t)PyLong_AsLong(args[0]), PyObject_IsTrue(args[1]) == 1);
    return none();
}

static bool has_generators(void)
{
    PyObject *modules = PyImport_GetModuleDict();
    ssize_t count = PyTuple_Size(generators);

    for (ssize_t i = 0; i < count; i++) {
        if (PyDict_GetItem(modules, PyTuple_GetItem(generators, i)) != NULL)
            return true;
    }
    return false;
}

/* Settings without anything to set: those of nearly every clone, which waits for this. False: to be
 * handled by Python code. */
static bool settle(void)
{
    struct fields fields = {message.data, message.size};
    struct payload nothing = {0};
    size_t size;

    (void)fields_bytes(&fields, &size);
    if (fields_u32(&fields) > 0 || has_generators())
        return false;
    fields_end(&fields);
    send_message(MSG_SETTLED, &nothing);
    return true;
}

/* Waits for the next message; false if a signal handler raised an exception. */
static bool take(void)
{
    if (at_hand)
        channel_drop(&cells, &message);
    at_hand = false;
    while (!channel_next(&cells, &message)) {
        PyThreadState *state = PyEval_SaveThread();

        channel_fill(&cells);
        PyEval_RestoreThread(state);
        if (PyErr_CheckSignals() < 0)
            return false;
    }
    at_hand = true;
    return true;
}

static PyObject *python_receive(PyObject *self, PyObject *nothing)
{
    PyObject *result;

    (void)self;
    (void)nothing;
    do {
        if (!take())
            return NULL;
    } while (message.type == MSG_SETTINGS && settle());
    if (message.type == MSG_CELL)
        return cell();
    result = tuple(2);
    put(result, 0, PyLong_FromLong(message.type));
    put(result, 1, PyBytes_FromStringAndSize((const char *)message.data, (ssize_t)message.size));
    return result;
}

static PyObject *python_arrived(PyObject *self, PyObject *nothing)
{
    struct pollfd input = {.fd = cells.fd, .events = POLLIN};
    size_t held = at_hand ? message.size + CHANNEL_HEADER_SIZE : 0;

    (void)self;
    (void)nothing;
    return PyLong_FromLong(cells.size > held || poll(&input, 1, 0) != 0);
}

static PyObject *python_send(PyObject *self, PyObject *const *args, ssize_t count)
{
    struct payload payload = {0};
    char *data;
    ssize_t size;

    (void)self;
    if (count != 2 || PyBytes_AsStringAndSize(args[1], &data, &size) < 0)
        channel_violation();
    payload_raw(&payload, data, (size_t)size);
    send_message((uint8_t)PyLong_AsLong(args[0]), &payload);
    payload_release(&payload);
    return none();
}

static PyObject *python_finish(PyObject *self, PyObject *const *args, ssize_t count)
{
    struct payload done = {0};
    char *value;
    ssize_t size;

    (void)self;
    if (count != 5 || PyBytes_AsStringAndSize(args[3], &value, &size) < 0)
        channel_violation();
    payload_u32(&done, (uint32_t)PyLong_AsLong(args[0]));
    payload_u32(&done, (uint32_t)PyLong_AsLong(args[1]));
    payload_u8(&done, (uint8_t)PyLong_AsLong(args[2]));
    payload_bytes(&done, value, (size_t)size);
    streams_cell(0, false);
    for (int i = 0; i < (PyObject_IsTrue(args[4]) == 1 ? 1 : CHANNEL_CELL_FDS); i++)
        (void)dup2(null_fd, i);
    keep_room();
    send_message(MSG_DONE, &done);
    payload_release(&done);
    return none();
}

/* Answers one query; returns the answer to send. */
static uint8_t answer(const struct message *question, struct payload *ret_answer)
{
    int state = PyGILState_Ensure();
    PyObject *type = PyLong_FromLong(question->type);
    PyObject *data =
        PyBytes_FromStringAndSize((const char *)question->data, (ssize_t)question->size);
    PyObject *given = PyObject_CallFunctionObjArgs(answerer, type, data, NULL);
    char *bytes;
    ssize_t size;
    uint8_t kind;

    if (given == NULL || PyBytes_AsStringAndSize(PyTuple_GetItem(given, 1), &bytes, &size) < 0)
        channel_violation();
    kind = (uint8_t)PyLong_AsLong(PyTuple_GetItem(given, 0));
    payload_raw(ret_answer, bytes, (size_t)size);
    Py_DecRef(given);
    Py_DecRef(data);
    Py_DecRef(type);
    PyGILState_Release(state);
    return kind;
}

/* Runs until told to pause. The start of an incomplete query stays in @queries. */
static void *answer_all(void *nothing)
{
    struct pollfd inputs[] = {{.fd = queries.fd, .events = POLLIN},
                              {.fd = wake_fd, .events = POLLIN}};
    struct message question;

    for (;;) {
        struct payload payload = {0};
        uint8_t kind;

        while (!channel_next(&queries, &question)) {
            if (poll(inputs, 2, -1) > 0 && inputs[1].revents != 0)
                return nothing;
            if (inputs[0].revents != 0)
                channel_fill(&queries);
        }
        kind = answer(&question, &payload);
        channel_drop(&queries, &question);
        channel_send(&queries, kind, &payload);
        payload_release(&payload);
    }
}

static int start_answering(void *nothing)
{
    sigset_t all, before;

    (void)nothing;
    if (answering || answerer == NULL)
        return 0;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    answering = pthread_create(&thread, NULL, answer_all, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return 0; /* without a thread: the next fork tries again */
}

static PyObject *python_answer(PyObject *self, PyObject *const *args, ssize_t count)
{
    (void)self;
    if (count != 2)
        channel_violation();
    answerer = args[1];
    Py_IncRef(answerer);
    channel_init(&queries, (int)PyLong_AsLong(args[0]));
    wake_fd = eventfd(0, EFD_CLOEXEC);
    (void)start_answering(NULL);
    return none();
}

static PyObject *python_pause(PyObject *self, PyObject *nothing)
{
    uint64_t one = 1;
    PyThreadState *state;

    (void)self;
    (void)nothing;
    if (!answering || write(wake_fd, &one, sizeof(one)) < 0)
        return none();
    answering = false; /* another thread that forks meanwhile has nothing to do */
    state = PyEval_SaveThread();
    (void)pthread_join(thread, NULL);
    PyEval_RestoreThread(state);
    (void)!read(wake_fd, &one, sizeof(one));
    return none();
}

/* Delayed: fork() counts the threads after this, and would warn. */
static PyObject *python_resume(PyObject *self, PyObject *nothing)
{
    (void)self;
    (void)nothing;
    (void)Py_AddPendingCall(start_answering, NULL);
    return none();
}

static PyObject *python_forked(PyObject *self, PyObject *nothing)
{
    (void)self;
    (void)nothing;
    forked = true;
    streams_cell(0, false);
    (void)close(cells.fd);
    (void)close(queries.fd);
    answerer = NULL;
    return none();
}

static PyObject *python_run_file(PyObject *self, PyObject *const *args, ssize_t count)
{
    char *path;
    ssize_t size;
    FILE *file;

    (void)self;
    if (count != 3 || PyBytes_AsStringAndSize(args[1], &path, &size) < 0)
        channel_violation();
    file = fdopen((int)PyLong_AsLong(args[0]), "rb");
    if (file == NULL)
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    return PyRun_FileExFlags(file, path, FILE_INPUT, args[2], args[2], 1, NULL);
}

__attribute__((visibility("default"))) PyObject *PyInit_native(void);

PyObject *PyInit_native(void)
{
    static struct PyMethodDef methods[] = {
        {"open", (PyAnyFunction)python_open, METH_FASTCALL, NULL},
        {"receive", (PyAnyFunction)python_receive, METH_NOARGS, NULL},
        {"arrived", (PyAnyFunction)python_arrived, METH_NOARGS, NULL},
        {"begin", (PyAnyFunction)python_begin, METH_FASTCALL, NULL},
        {"finish", (PyAnyFunction)python_finish, METH_FASTCALL, NULL},
        {"send", (PyAnyFunction)python_send, METH_FASTCALL, NULL},
        {"answer", (PyAnyFunction)python_answer, METH_FASTCALL, NULL},
        {"pause", (PyAnyFunction)python_pause, METH_NOARGS, NULL},
        {"resume", (PyAnyFunction)python_resume, METH_NOARGS, NULL},
        {"run_file", (PyAnyFunction)python_run_file, METH_FASTCALL, NULL},
        {"forked", (PyAnyFunction)python_forked, METH_NOARGS, NULL},
        {"same", (PyAnyFunction)ending_same, METH_FASTCALL, NULL},
        {"thaw", (PyAnyFunction)ending_thaw, METH_FASTCALL, NULL},
        {"is_python_class", (PyAnyFunction)ending_is_python_class, METH_O, NULL},
        {"strangers", (PyAnyFunction)ending_strangers, METH_FASTCALL, NULL},
        {"leave", (PyAnyFunction)ending_leave, METH_FASTCALL, NULL},
        {"depart", (PyAnyFunction)ending_depart, METH_FASTCALL, NULL},
        {"flow", (PyAnyFunction)flow_new, METH_FASTCALL, NULL},
        {"either", (PyAnyFunction)either_new, METH_FASTCALL, NULL},
        {NULL, NULL, 0, NULL},
    };
    static struct PyModuleDef module = {
        .references = 1, .name = "native", .size = -1, .methods = methods};
    PyObject *made = PyModule_Create2(&module, PYTHON_ABI_VERSION);

    if (made != NULL && (!flow_init() || !streams_init(made))) {
        Py_DecRef(made);
        return NULL;
    }
    return made;
}
