/* The cell channel of the Python worker: what happens between two cells.
 *
 * All of it could be done in Python and once was. It is done here because it is done cold: between
 * two cells a guest sleeps, and under emulation every piece of code that runs once costs ten times
 * what it costs in a loop. Only the reading of the channel and the answers to a cell and to plain
 * settings are here; other messages are sent by Python code, from any thread, holding @lock. A peer
 * that breaks the rules ends the process.
 *
 * open(fd, null, last, lock, generators) takes the channel over and returns where it is now. @null
 * is a descriptor of /dev/null; from @last on there must be room for the descriptors of a cell;
 * @generators is a tuple of names: entropy is for Python code where one of these modules is loaded.
 * receive() waits for a message: (CELL, number, flags, environment, file, argv, code) with the
 * environment as ((name, value), …), all of it bytes, and the cell's descriptors put onto 0, 1 and
 * 2; else (type, payload). Signal handlers run while it waits, and may raise. finish(number, code,
 * flags, value) puts /dev/null onto 0, 1 and 2 and says DONE. ending(number, flags, value) says
 * ENDING. run_file(path, namespace) reads, compiles and runs a file in a dictionary as the
 * interpreter's own command does: it knows the encodings, and has the words for what is wrong with
 * one. */

#include "pyapi.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "common/channel.h"

#define VALUE_AT_ONCE 32768 /* surely taken by the socket without waiting */
#define PAIRS_MAX 4096

static struct channel cells;
static struct message message;
static bool at_hand; /* @message is one */
static bool undone;  /* it waits to be looked at again */
static int null_fd = -1, last_fd;
static PyObject *send_lock, *generators;
static int reserve[CHANNEL_CELL_FDS] = {-1, -1, -1};

/* Whatever descriptors the user hoards, the three of the next cell have to find a place: some are
 * held back, and given up when the highest numbers, which are used last, are taken. */
static void keep_room(void)
{
    int probe = fcntl(null_fd, F_DUPFD_CLOEXEC, last_fd);

    if (probe >= 0)
        (void)close(probe);
    for (size_t i = 0; i < CHANNEL_CELL_FDS; i++) {
        if (probe == last_fd && reserve[i] < 0) {
            reserve[i] = fcntl(null_fd, F_DUPFD_CLOEXEC, CHANNEL_FIRST_FD);
        } else if (probe != last_fd && reserve[i] >= 0) {
            (void)close(reserve[i]); /* fails when he closed all that he found */
            reserve[i] = -1;
        }
    }
}

static PyObject *python_open(PyObject *self, PyObject *const *args, ssize_t count)
{
    (void)self;
    if (count != 5 || PyTuple_Size(args[4]) < 0)
        channel_violation();
    send_lock = args[3];
    Py_IncRef(send_lock);
    generators = args[4];
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

/* A tuple that owns what is put into it. An interpreter without memory is of no further use. */
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
    for (int i = 0; i < CHANNEL_CELL_FDS; i++) {
        (void)dup2(cells.fds[i], i); /* fails for a bad descriptor only */
        (void)close(cells.fds[i]);
    }
    cells.n_fds = 0;
    return result;
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

static bool call(PyObject *object, const char *method)
{
    PyObject *result = PyObject_CallMethod(object, method, NULL);

    if (result == NULL)
        return false;
    Py_DecRef(result);
    return true;
}

/* Settings that have nothing to set: those of nearly every clone, each of which waits for it. 1:
 * done; 0: they are for Python code; -1: a signal handler raised while another thread was sending.
 */
static int settle(void)
{
    struct fields fields = {message.data, message.size};
    struct payload nothing = {0};
    size_t size;

    (void)fields_bytes(&fields, &size);
    if (fields_u32(&fields) > 0 || has_generators())
        return 0;
    fields_end(&fields);
    if (!call(send_lock, "acquire"))
        return -1;
    channel_send(&cells, MSG_SETTLED, &nothing);
    if (!call(send_lock, "release"))
        channel_violation(); /* whom could it have been taken from */
    return 1;
}

/* Waits for the next message; false when a signal handler raised meanwhile. */
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

static PyObject *python_receive(PyObject *self, PyObject *const *args, ssize_t count)
{
    PyObject *result;
    int settled;

    (void)self;
    (void)args;
    (void)count;
    do {
        if (!undone && !take())
            return NULL;
        settled = message.type == MSG_SETTINGS ? settle() : 0;
        undone = settled < 0;
    } while (settled > 0);
    if (undone)
        return NULL;
    if (message.type == MSG_CELL)
        return cell();
    result = tuple(2);
    put(result, 0, PyLong_FromLong(message.type));
    put(result, 1, PyBytes_FromStringAndSize((const char *)message.data, (ssize_t)message.size));
    return result;
}

static PyObject *python_finish(PyObject *self, PyObject *const *args, ssize_t count)
{
    struct payload done = {0};
    char *value;
    ssize_t size;

    (void)self;
    if (count != 4 || PyBytes_AsStringAndSize(args[3], &value, &size) < 0)
        channel_violation();
    payload_u32(&done, (uint32_t)PyLong_AsLong(args[0]));
    payload_u32(&done, (uint32_t)PyLong_AsLong(args[1]));
    payload_u8(&done, (uint8_t)PyLong_AsLong(args[2]));
    payload_bytes(&done, value, (size_t)size);
    for (int i = 0; i < CHANNEL_CELL_FDS; i++)
        (void)dup2(null_fd, i);
    keep_room();
    if (size <= VALUE_AT_ONCE) {
        channel_send(&cells, MSG_DONE, &done);
    } else {
        PyThreadState *state = PyEval_SaveThread();

        channel_send(&cells, MSG_DONE, &done);
        PyEval_RestoreThread(state);
    }
    payload_release(&done);
    return PyLong_FromLong(0);
}

static PyObject *python_ending(PyObject *self, PyObject *const *args, ssize_t count)
{
    struct payload ending = {0};
    PyThreadState *state;
    char *value;
    ssize_t size;

    (void)self;
    if (count != 3 || PyBytes_AsStringAndSize(args[2], &value, &size) < 0)
        channel_violation();
    payload_u32(&ending, (uint32_t)PyLong_AsLong(args[0]));
    payload_u8(&ending, (uint8_t)PyLong_AsLong(args[1]));
    payload_bytes(&ending, value, (size_t)size);
    state = PyEval_SaveThread();
    channel_send(&cells, MSG_ENDING, &ending);
    PyEval_RestoreThread(state);
    payload_release(&ending);
    return PyLong_FromLong(0);
}

static PyObject *python_run_file(PyObject *self, PyObject *const *args, ssize_t count)
{
    char *path;
    ssize_t size;
    FILE *file;

    (void)self;
    if (count != 2 || PyBytes_AsStringAndSize(args[0], &path, &size) < 0)
        channel_violation();
    file = fopen(path, "rbe");
    if (file == NULL)
        return PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
    return PyRun_FileExFlags(file, path, FILE_INPUT, args[1], args[1], 1, NULL);
}

__attribute__((visibility("default"))) PyObject *PyInit_native(void);

PyObject *PyInit_native(void)
{
    static struct PyMethodDef methods[] = {
        {"open", python_open, METH_FASTCALL, NULL},
        {"receive", python_receive, METH_FASTCALL, NULL},
        {"finish", python_finish, METH_FASTCALL, NULL},
        {"ending", python_ending, METH_FASTCALL, NULL},
        {"run_file", python_run_file, METH_FASTCALL, NULL},
        {NULL, NULL, 0, NULL},
    };
    static struct PyModuleDef module = {
        .references = 1, .name = "native", .size = -1, .methods = methods};

    return PyModule_Create2(&module, PYTHON_ABI_VERSION);
}
