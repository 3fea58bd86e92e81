/* SPDX-License-Identifier: Apache-2.0 */
#include "flow.h"

#include <stdlib.h>
#include <string.h>

#include "common/channel.h"

enum { TRACE, PROFILE, HOOKS };

static const char *const hook_names[HOOKS][2] = {
    [TRACE] = {"gettrace", "settrace"}, [PROFILE] = {"getprofile", "setprofile"}};
static PyObject *get_hook[HOOKS], *set_hook[HOOKS];

/* The user's tracing functions while our code runs; NULL: none. */
struct hushed {
    PyObject *hooks[HOOKS];
};

static PyObject *none(void)
{
    Py_IncRef(&_Py_NoneStruct);
    return &_Py_NoneStruct;
}

static PyObject *pair(PyObject *first, PyObject *second)
{
    PyObject *made = PyTuple_New(2);

    if (made != NULL) {
        (void)PyTuple_SetItem(made, 0, first);
        (void)PyTuple_SetItem(made, 1, second);
    }
    return made;
}

/* The current exception, with its traceback; clears it. */
static PyObject *take_error(void)
{
    PyObject *kind, *error, *trace;

    PyErr_Fetch(&kind, &error, &trace);
    PyErr_NormalizeException(&kind, &error, &trace);
    if (trace != NULL)
        (void)PyException_SetTraceback(error, trace);
    Py_DecRef(kind);
    Py_DecRef(trace);
    return error;
}

static void raise_error(PyObject *error)
{
    PyObject *kind = PyObject_GetAttrString(error, "__class__");
    PyObject *trace = PyException_GetTraceback(error);

    Py_IncRef(error);
    PyErr_Restore(kind, error, trace);
}

/* Disables the user's tracing functions for our code. */
static void hush(struct hushed *ret_hushed)
{
    for (size_t i = 0; i < HOOKS; i++) {
        PyObject *now = PyObject_CallObject(get_hook[i], NULL);

        if (now == NULL || now == &_Py_NoneStruct) {
            PyErr_Clear();
            Py_DecRef(now);
            now = NULL;
        } else {
            Py_DecRef(PyObject_CallFunctionObjArgs(set_hook[i], &_Py_NoneStruct, NULL));
            PyErr_Clear();
        }
        ret_hushed->hooks[i] = now;
    }
}

/* Restores them without changing the current exception. */
static void unhush(struct hushed *hushed)
{
    for (size_t i = 0; i < HOOKS; i++) {
        PyObject *kind, *error, *trace;

        if (hushed->hooks[i] == NULL)
            continue;
        PyErr_Fetch(&kind, &error, &trace);
        Py_DecRef(PyObject_CallFunctionObjArgs(set_hook[i], hushed->hooks[i], NULL));
        PyErr_Clear();
        PyErr_Restore(kind, error, trace);
        Py_DecRef(hushed->hooks[i]);
        hushed->hooks[i] = NULL;
    }
}

/* (callable, arguments…): calls it and returns (result, None) or (None, exception). */
static PyObject *call(PyObject *request)
{
    PyObject *arguments = PyTuple_GetSlice(request, 1, PyTuple_Size(request)), *result;

    if (arguments == NULL)
        return NULL;
    result = PyObject_CallObject(PyTuple_GetItem(request, 0), arguments);
    Py_DecRef(arguments);
    return result != NULL ? pair(result, none()) : pair(none(), take_error());
}

/* Runs a generator to its end; takes it. */
static PyObject *drive(PyObject *generator)
{
    PyObject *answer = none(), *request = NULL;
    struct hushed hushed;

    hush(&hushed);
    while (answer != NULL) {
        int status = PyIter_Send(generator, answer, &request);

        Py_DecRef(answer);
        if (status != PYGEN_NEXT)
            break;
        unhush(&hushed);
        if (PyTuple_GetItem(request, 0) == &_Py_NoneStruct) {
            raise_error(PyTuple_GetItem(request, 1));
            Py_DecRef(request);
            Py_DecRef(generator); /* ends here: it has nothing to clean up */
            return NULL;
        }
        answer = call(request);
        hush(&hushed);
        Py_DecRef(request);
        request = NULL;
    }
    unhush(&hushed);
    Py_DecRef(generator);
    return request;
}

/* What a function is bound to: a module, like the interpreter's own functions, so that it is
 * displayed as a builtin. */
static PyObject *holder_new(PyObject *module, PyObject *first, PyObject *other)
{
    ssize_t size;
    const char *name = PyUnicode_AsUTF8AndSize(module, &size);
    PyObject *holder = name != NULL ? PyModule_New(name) : NULL;

    if (holder == NULL || PyModule_AddObjectRef(holder, "first", first) < 0 ||
        PyModule_AddObjectRef(holder, "other", other) < 0)
        channel_violation();
    return holder;
}

static PyObject *run(PyObject *holder, PyObject *arguments, PyObject *keywords)
{
    PyObject *function = PyObject_GetAttrString(holder, "first");
    PyObject *generator = function != NULL ? PyObject_Call(function, arguments, keywords) : NULL;

    Py_DecRef(function);
    return generator != NULL ? drive(generator) : NULL;
}

bool flow_init(void)
{
    PyObject *sys = PyImport_ImportModule("sys");

    for (size_t i = 0; sys != NULL && i < HOOKS; i++) {
        get_hook[i] = PyObject_GetAttrString(sys, hook_names[i][0]);
        set_hook[i] = PyObject_GetAttrString(sys, hook_names[i][1]);
    }
    Py_DecRef(sys);
    return PyErr_Occurred() == NULL;
}

/* They live as long as the process, like everything that refers to them. */
static const char *lasting(PyObject *text)
{
    ssize_t size;
    const char *data = PyUnicode_AsUTF8AndSize(text, &size);

    return data != NULL ? strdup(data) : NULL;
}

PyObject *flow_new(PyObject *self, PyObject *const *args, ssize_t count)
{
    struct PyMethodDef *method = count == 4 ? calloc(1, sizeof(*method)) : NULL;

    (void)self;
    if (method == NULL)
        channel_violation();
    *method = (struct PyMethodDef){.name = lasting(args[1]),
                                   .function = (PyAnyFunction)run,
                                   .flags = METH_VARARGS | METH_KEYWORDS,
                                   .doc = lasting(args[2])};
    return PyCFunction_NewEx(method, holder_new(args[3], args[0], &_Py_NoneStruct), args[3]);
}

static PyObject *call_held(PyObject *holder, const char *which)
{
    PyObject *function = PyObject_GetAttrString(holder, which);
    PyObject *result = function != NULL ? PyObject_CallObject(function, NULL) : NULL;

    Py_DecRef(function);
    return result;
}

static PyObject *try_both(PyObject *holder, PyObject *nothing)
{
    PyObject *result = call_held(holder, "first");

    (void)nothing;
    if (result != NULL)
        return result;
    PyErr_Clear();
    return call_held(holder, "other");
}

PyObject *either_new(PyObject *self, PyObject *const *args, ssize_t count)
{
    struct PyMethodDef *method = count == 4 ? calloc(1, sizeof(*method)) : NULL;

    (void)self;
    if (method == NULL)
        channel_violation();
    *method = (struct PyMethodDef){
        .name = lasting(args[2]), .function = (PyAnyFunction)try_both, .flags = METH_NOARGS};
    return PyCFunction_NewEx(method, holder_new(args[3], args[0], args[1]), args[3]);
}
