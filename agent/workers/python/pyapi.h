/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* The few functions of Python's stable ABI that the native module uses. The ABI is stable by
 * contract; with our own declarations the build needs no interpreter headers. */

typedef struct _object PyObject;
typedef struct _ts PyThreadState;
typedef PyObject *(*PyCFunctionFast)(PyObject *self, PyObject *const *args, ssize_t count);
typedef void (*PyAnyFunction)(void);

enum {
    METH_VARARGS = 0x1,
    METH_KEYWORDS = 0x2,
    METH_NOARGS = 0x4,
    METH_O = 0x8,
    METH_FASTCALL = 0x80,
    PYTHON_ABI_VERSION = 3,
    FILE_INPUT = 257,
};
enum { PYGEN_RETURN, PYGEN_NEXT }; /* of PyIter_Send(), which returns -1 on error */
enum {
    TYPE_DEALLOC = 52,
    TYPE_METHODS = 64,
    TYPE_BASETYPE = 1 << 10
}; /* a slot's number, and a flag */

struct PyMethodDef {
    const char *name;
    PyAnyFunction function; /* signature depends on the flags */
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

struct PyTypeSlot {
    int slot;
    void *content;
};

struct PyTypeSpec {
    const char *name;
    int basic_size, item_size;
    unsigned flags;
    struct PyTypeSlot *slots;
};

extern PyObject _Py_NoneStruct;

extern PyObject *PyModule_Create2(struct PyModuleDef *module, int version);
extern PyObject *PyModule_New(const char *name);
extern int PyModule_AddObjectRef(PyObject *module, const char *name, PyObject *value);
extern void *PyType_GetSlot(PyObject *type, int slot);
extern PyObject *PyType_FromSpecWithBases(struct PyTypeSpec *spec, PyObject *bases);
extern PyObject *PyCFunction_NewEx(struct PyMethodDef *method, PyObject *self, PyObject *module);
extern PyObject *PyBytes_FromStringAndSize(const char *data, ssize_t size);
extern int PyBytes_AsStringAndSize(PyObject *bytes, char **ret_data, ssize_t *ret_size);
extern PyObject *PyUnicode_FromString(const char *text);
extern const char *PyUnicode_AsUTF8AndSize(PyObject *text, ssize_t *ret_size); /* borrowed */
extern PyObject *PyLong_FromLong(long value);
extern long PyLong_AsLong(PyObject *number);
extern PyObject *PyTuple_New(ssize_t size);
extern int PyTuple_SetItem(PyObject *tuple, ssize_t at, PyObject *item);
extern ssize_t PyTuple_Size(PyObject *tuple);                  /* -1: not a tuple */
extern PyObject *PyTuple_GetItem(PyObject *tuple, ssize_t at); /* borrowed */
extern PyObject *PyTuple_GetSlice(PyObject *tuple, ssize_t from, ssize_t to);
extern PyObject *PyList_New(ssize_t size);
extern ssize_t PyList_Size(PyObject *list);
extern PyObject *PyList_GetItem(PyObject *list, ssize_t at); /* borrowed */
extern int PyList_Append(PyObject *list, PyObject *item);
extern PyObject *PyObject_Type(PyObject *object);
extern int PySet_Contains(PyObject *set, PyObject *key);
extern PyObject *PyImport_ImportModule(const char *name);
extern PyObject *PyImport_GetModuleDict(void);                        /* borrowed */
extern PyObject *PyDict_GetItem(PyObject *dictionary, PyObject *key); /* borrowed */
extern int PyDict_SetItem(PyObject *dictionary, PyObject *key, PyObject *value);
extern int PyDict_Next(PyObject *dictionary, ssize_t *at, PyObject **ret_key, PyObject **ret_value);
extern ssize_t PyDict_Size(PyObject *dictionary);
extern PyObject *PyBool_FromLong(long value);
extern PyObject *PyCapsule_New(void *pointer, const char *name, void (*destructor)(PyObject *));
extern void PyObject_GC_UnTrack(void *object);
extern void PyObject_GC_Track(void *object);
extern PyObject *PyObject_Call(PyObject *object, PyObject *args, PyObject *keywords);
extern PyObject *PyObject_CallObject(PyObject *object, PyObject *args);
extern PyObject *PyObject_CallFunctionObjArgs(PyObject *object, ...); /* … and NULL */
extern PyObject *PyObject_CallMethod(PyObject *object, const char *name, const char *format, ...);
extern PyObject *PyObject_GetAttrString(PyObject *object, const char *name);
extern int PyObject_IsTrue(PyObject *object);
extern int PyIter_Send(PyObject *iterator, PyObject *value, PyObject **ret_result);
extern void Py_IncRef(PyObject *object);
extern void Py_DecRef(PyObject *object);
extern PyObject *PyErr_Occurred(void);
extern void PyErr_Clear(void);
extern void PyErr_Fetch(PyObject **ret_kind, PyObject **ret_error, PyObject **ret_trace);
extern void PyErr_NormalizeException(PyObject **kind, PyObject **error, PyObject **trace);
extern void PyErr_Restore(PyObject *kind, PyObject *error, PyObject *trace);
extern void PyErr_SetObject(PyObject *kind, PyObject *error);
extern int PyException_SetTraceback(PyObject *error, PyObject *trace);
extern PyObject *PyException_GetTraceback(PyObject *error);
extern int PyErr_CheckSignals(void);
extern PyObject *PyExc_OSError;
extern PyObject *PyErr_SetFromErrnoWithFilename(PyObject *kind, const char *path);
/* Not in the stable ABI, but the same in all existing versions. Closes @file if @close. */
extern PyObject *PyRun_FileExFlags(FILE *file, const char *path, int start, PyObject *globals,
                                   PyObject *locals, int close, void *flags);
extern PyThreadState *PyEval_SaveThread(void);
extern void PyEval_RestoreThread(PyThreadState *state);
extern int Py_AddPendingCall(int (*function)(void *arg), void *arg);
extern int PyGILState_Ensure(void);
extern void PyGILState_Release(int state);
