#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* The few functions of Python's stable ABI that the native module uses. The ABI is stable by
 * contract, and a copy of these declarations spares the build the headers of an interpreter. */

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef PyObject *(*PyCFunctionFast)(PyObject *self, PyObject *const *args, ssize_t count);

enum { METH_FASTCALL = 0x80, PYTHON_ABI_VERSION = 3, FILE_INPUT = 257 };

struct PyMethodDef {
    const char *name;
    PyCFunctionFast function;
    int flags;
    const char *doc;
};

struct PyModuleDef {
    ssize_t references;
    void *type;
    PyObject *(*init)(void);
    ssize_t index;
    PyObject *copy;
    const char *name, *doc;
    ssize_t size;
    struct PyMethodDef *methods;
    void *slots, *traverse, *clear, *free;
};

extern PyObject *PyModule_Create2(struct PyModuleDef *module, int version);
extern PyObject *PyBytes_FromStringAndSize(const char *data, ssize_t size);
extern int PyBytes_AsStringAndSize(PyObject *bytes, char **ret_data, ssize_t *ret_size);
extern PyObject *PyLong_FromLong(long value);
extern long PyLong_AsLong(PyObject *number);
extern PyObject *PyTuple_New(ssize_t size);
extern int PyTuple_SetItem(PyObject *tuple, ssize_t at, PyObject *item);
extern ssize_t PyTuple_Size(PyObject *tuple);                         /* -1: it is none */
extern PyObject *PyTuple_GetItem(PyObject *tuple, ssize_t at);        /* borrowed */
extern PyObject *PyImport_GetModuleDict(void);                        /* borrowed */
extern PyObject *PyDict_GetItem(PyObject *dictionary, PyObject *key); /* borrowed */
extern PyObject *PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...);
extern void Py_IncRef(PyObject *object);
extern void Py_DecRef(PyObject *object);
extern PyObject *PyErr_Occurred(void);
extern int PyErr_CheckSignals(void);
extern PyObject *PyExc_OSError;
extern PyObject *PyErr_SetFromErrnoWithFilename(PyObject *kind, const char *path);
/* Not of the stable ABI, and the same in every version there is. Closes @file when @close. */
extern PyObject *PyRun_FileExFlags(FILE *file, const char *path, int start, PyObject *globals,
                                   PyObject *locals, int close, void *flags);
extern PyThreadState *PyEval_SaveThread(void);
extern void PyEval_RestoreThread(PyThreadState *state);
