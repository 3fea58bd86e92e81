/* SPDX-License-Identifier: Apache-2.0 */
#include "ending.h"

#include <stdint.h>

#include "common/channel.h"
#include "streams.h"

/* Not a name that programs use. */
#define NAME "glassbell: end of the process"

static uint32_t cell;
static int code;
static PyObject *streams;

PyObject *ending_same(PyObject *self, PyObject *const *args, ssize_t count)
{
    ssize_t now_at = 0, then_at = 0;
    PyObject *name, *value, *old_name, *old_value;
    int is_same = count == 2 && PyDict_Size(args[0]) == PyDict_Size(args[1]);

    (void)self;
    while (is_same && PyDict_Next(args[1], &then_at, &old_name, &old_value) != 0)
        is_same = PyDict_Next(args[0], &now_at, &name, &value) != 0 && name == old_name &&
                  value == old_value;
    return PyBool_FromLong(is_same);
}

PyObject *ending_thaw(PyObject *self, PyObject *const *args, ssize_t count)
{
    for (ssize_t i = 0; i < count; i++) {
        PyObject_GC_UnTrack(args[i]);
        PyObject_GC_Track(args[i]);
    }
    Py_IncRef(self);
    return self;
}

/* Called when the last of the program's objects have been freed. */
static void ending_exit(PyObject *capsule)
{
    (void)capsule;
    for (ssize_t i = 0; i < PyList_Size(streams); i++) {
        Py_DecRef(PyObject_CallMethod(PyList_GetItem(streams, i), "flush", NULL));
        PyErr_Clear(); /* probably closed: there is nothing to flush */
    }
    depart(cell, code);
}

PyObject *ending_strangers(PyObject *self, PyObject *const *args, ssize_t count)
{
    PyObject *found = PyList_New(0);

    (void)self;
    if (count != 2 || found == NULL)
        channel_violation();
    for (ssize_t i = 0; i < PyList_Size(args[0]); i++) {
        PyObject *object = PyList_GetItem(args[0], i), *class = PyObject_Type(object);

        if (PySet_Contains(args[1], class) != 1 && PyList_Append(found, object) < 0)
            channel_violation();
        Py_DecRef(class);
    }
    return found;
}

PyObject *ending_leave(PyObject *self, PyObject *const *args, ssize_t count)
{
    (void)self;
    if (count != 2)
        channel_violation();
    depart((uint32_t)PyLong_AsLong(args[0]), (int)PyLong_AsLong(args[1]));
}

/* All such classes, and no C classes, get this function from the interpreter. */
PyObject *ending_is_python_class(PyObject *self, PyObject *kind)
{
    static void *common;

    (void)self;
    if (common == NULL) {
        PyObject *abc = PyImport_ImportModule("abc");
        PyObject *class = abc != NULL ? PyObject_GetAttrString(abc, "ABC") : NULL;

        if (class == NULL)
            channel_violation();
        common = PyType_GetSlot(class, TYPE_DEALLOC);
        Py_DecRef(class);
        Py_DecRef(abc);
    }
    return PyBool_FromLong(PyType_GetSlot(kind, TYPE_DEALLOC) == common);
}

PyObject *ending_depart(PyObject *self, PyObject *const *args, ssize_t count)
{
    PyObject *capsule, *name;

    if (count != 5)
        channel_violation();
    cell = (uint32_t)PyLong_AsLong(args[1]);
    code = (int)PyLong_AsLong(args[2]);
    streams = args[3];
    Py_IncRef(streams);
    Py_IncRef(args[4]);
    capsule = PyCapsule_New(&cell, NULL, ending_exit);
    name = PyUnicode_FromString(NAME);
    if (capsule == NULL || name == NULL || PyDict_SetItem(args[0], name, capsule) < 0)
        channel_violation();
    Py_DecRef(capsule); /* the dictionary owns it */
    Py_DecRef(name);
    Py_IncRef(self);
    return self;
}
