/* SPDX-License-Identifier: Apache-2.0 */
#include "streams.h"

#include <poll.h>
#include <string.h>

enum { READ_SIZE = 65536, OUTPUTS = 2 };

static struct {
    PyObject *readinto, *read;                      /* of FileIO */
    PyObject *write, *flush, *close, *dealloc_warn; /* of BufferedWriter */
} base;
static uint32_t cell;
static bool interactive, used;
/* The user's streams that exist when a cell begins: only their addresses. */
static PyObject *spared[OUTPUTS];
static PyObject *survivor; /* the writer whose text layer is being freed */

void streams_cell(uint32_t number, bool may_wait)
{
    cell = number;
    interactive = may_wait;
}

/* Called before and after a read that may block. */
static bool begin_wait(void)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};

    used = true;
    if (!interactive || poll(&input, 1, 0) != 0)
        return false;
    tell_waiting(cell, true);
    return true;
}

static void end_wait(bool waited)
{
    if (waited && interactive)
        tell_waiting(cell, false);
}

static PyObject *input_readinto(PyObject *self, PyObject *buffer)
{
    bool waited = begin_wait();
    PyObject *got = PyObject_CallFunctionObjArgs(base.readinto, self, buffer, NULL);

    end_wait(waited);
    return got;
}

static PyObject *read_some(PyObject *self, PyObject *size)
{
    bool waited = begin_wait();
    PyObject *got = PyObject_CallFunctionObjArgs(base.read, self, size, NULL);

    end_wait(waited);
    return got;
}

static PyObject *input_readall(PyObject *self, PyObject *nothing)
{
    PyObject *size = PyLong_FromLong(READ_SIZE), *parts = PyList_New(0);
    PyObject *separator = PyBytes_FromStringAndSize("", 0), *whole = NULL, *part = NULL;

    (void)nothing;
    if (size != NULL && parts != NULL && separator != NULL) {
        while ((part = read_some(self, size)) != NULL && PyObject_IsTrue(part) == 1 &&
               PyList_Append(parts, part) == 0)
            Py_DecRef(part);
        if (part != NULL)
            whole = PyObject_CallMethod(separator, "join", "O", parts);
    }
    Py_DecRef(part);
    Py_DecRef(separator);
    Py_DecRef(parts);
    Py_DecRef(size);
    return whole;
}

static PyObject *input_read(PyObject *self, PyObject *const *args, ssize_t count)
{
    PyObject *size;

    if (count > 1 || count == 0 || args[0] == &_Py_NoneStruct)
        return count > 1 ? PyObject_CallFunctionObjArgs(base.read, self, args[0], args[1], NULL)
                         : input_readall(self, NULL);
    if (PyLong_AsLong(args[0]) < 0 && PyErr_Occurred() == NULL)
        return input_readall(self, NULL);
    PyErr_Clear(); /* let the original reject what is not a number */
    size = args[0];
    return read_some(self, size);
}

static PyObject *output_flush(PyObject *self)
{
    return PyObject_CallFunctionObjArgs(base.flush, self, NULL);
}

static bool has_line(PyObject *data)
{
    char *bytes;
    ssize_t size;

    if (PyBytes_AsStringAndSize(data, &bytes, &size) < 0) {
        PyErr_Clear(); /* another kind of buffer: rare, and it may have one */
        return true;
    }
    return memchr(bytes, '\n', (size_t)size) != NULL || memchr(bytes, '\r', (size_t)size) != NULL;
}

static PyObject *output_write(PyObject *self, PyObject *data)
{
    PyObject *written = PyObject_CallFunctionObjArgs(base.write, self, data, NULL), *flushed;

    if (written == NULL || !has_line(data))
        return written;
    flushed = output_flush(self);
    if (flushed == NULL) {
        Py_DecRef(written);
        return NULL;
    }
    Py_DecRef(flushed);
    return written;
}

/* Called by a text layer before close() when it is freed for lack of references. */
static PyObject *output_dealloc_warn(PyObject *self, PyObject *source)
{
    for (size_t i = 0; i < OUTPUTS; i++) {
        if (source != spared[i])
            continue;
        survivor = self;
        spared[i] = NULL;
        Py_IncRef(&_Py_NoneStruct);
        return &_Py_NoneStruct;
    }
    return PyObject_CallFunctionObjArgs(base.dealloc_warn, self, source, NULL);
}

static PyObject *output_close(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    if (survivor == self) {
        survivor = NULL;
        return output_flush(self);
    }
    return PyObject_CallFunctionObjArgs(base.close, self, NULL);
}

/* spare(stdout, stderr): freeing these must not close the layers below. */
static PyObject *spare(PyObject *self, PyObject *const *args, ssize_t count)
{
    (void)self;
    survivor = NULL;
    for (ssize_t i = 0; i < OUTPUTS; i++)
        spared[i] = i < count && args[i] != &_Py_NoneStruct ? args[i] : NULL;
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

/* stdin_used(): whether anybody has read since the last call. */
static PyObject *stdin_used(PyObject *self, PyObject *nothing)
{
    bool was = used;

    (void)self;
    (void)nothing;
    used = false;
    return PyLong_FromLong(was);
}

/* Adds to the module a subclass with the same name as its base. */
static bool add_class(PyObject *module, PyObject *io, const char *name, struct PyTypeSpec *spec)
{
    PyObject *class = PyObject_GetAttrString(io, name);
    PyObject *size = class != NULL ? PyObject_GetAttrString(class, "__basicsize__") : NULL;
    PyObject *made = NULL;
    bool added;

    if (size != NULL) {
        spec->basic_size = (int)PyLong_AsLong(size);
        made = PyType_FromSpecWithBases(spec, class);
    }
    added = made != NULL && PyModule_AddObjectRef(module, name, made) == 0;
    Py_DecRef(made);
    Py_DecRef(size);
    Py_DecRef(class);
    return added;
}

static bool take_originals(PyObject *io)
{
    PyObject *file = PyObject_GetAttrString(io, "FileIO");
    PyObject *writer = PyObject_GetAttrString(io, "BufferedWriter");

    if (file != NULL && writer != NULL) {
        base.readinto = PyObject_GetAttrString(file, "readinto");
        base.read = PyObject_GetAttrString(file, "read");
        base.write = PyObject_GetAttrString(writer, "write");
        base.flush = PyObject_GetAttrString(writer, "flush");
        base.close = PyObject_GetAttrString(writer, "close");
        base.dealloc_warn = PyObject_GetAttrString(writer, "_dealloc_warn");
    }
    Py_DecRef(file);
    Py_DecRef(writer);
    return PyErr_Occurred() == NULL;
}

bool streams_init(PyObject *module)
{
    static struct PyMethodDef input_methods[] = {
        {"readinto", (PyAnyFunction)input_readinto, METH_O, "readinto($self, buffer, /)\n--\n\n"},
        {"readall", (PyAnyFunction)input_readall, METH_NOARGS, "readall($self, /)\n--\n\n"},
        {"read", (PyAnyFunction)input_read, METH_FASTCALL, "read($self, size=-1, /)\n--\n\n"},
        {NULL, NULL, 0, NULL},
    };
    static struct PyMethodDef output_methods[] = {
        {"write", (PyAnyFunction)output_write, METH_O, "write($self, buffer, /)\n--\n\n"},
        {"close", (PyAnyFunction)output_close, METH_NOARGS, "close($self, /)\n--\n\n"},
        {"_dealloc_warn", (PyAnyFunction)output_dealloc_warn, METH_O, NULL},
        {NULL, NULL, 0, NULL},
    };
    static struct PyMethodDef functions[] = {
        {"spare", (PyAnyFunction)spare, METH_FASTCALL, NULL},
        {"stdin_used", (PyAnyFunction)stdin_used, METH_NOARGS, NULL},
    };
    static struct PyTypeSlot input_slots[] = {{TYPE_METHODS, input_methods}, {0, NULL}};
    static struct PyTypeSlot output_slots[] = {{TYPE_METHODS, output_methods}, {0, NULL}};
    static struct PyTypeSpec input = {
        .name = "_io.FileIO", .flags = TYPE_BASETYPE, .slots = input_slots};
    static struct PyTypeSpec output = {
        .name = "_io.BufferedWriter", .flags = TYPE_BASETYPE, .slots = output_slots};
    PyObject *io = PyImport_ImportModule("_io");
    bool done = io != NULL && take_originals(io) && add_class(module, io, "FileIO", &input) &&
                add_class(module, io, "BufferedWriter", &output);

    for (size_t i = 0; done && i < sizeof(functions) / sizeof(functions[0]); i++) {
        PyObject *function = PyCFunction_NewEx(&functions[i], NULL, NULL);

        done = function != NULL && PyModule_AddObjectRef(module, functions[i].name, function) == 0;
        Py_DecRef(function);
    }
    Py_DecRef(io);
    return done;
}
