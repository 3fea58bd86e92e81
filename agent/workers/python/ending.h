/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pyapi.h"

/* The last step of a program (ending.py does the others). METH_FASTCALL, unless stated
 * otherwise. */

/* same(names, copy): whether a dictionary still has the same names in the same order, bound to the
 * same objects. Only compares: writes to no page of either. */
PyObject *ending_same(PyObject *self, PyObject *const *args, ssize_t count);

/* thaw(objects…): puts objects that gc.freeze() removed back under the garbage collector's
 * control. */
PyObject *ending_thaw(PyObject *self, PyObject *const *args, ssize_t count);

/* is_python_class(class): whether it was created by a class statement. METH_O. */
PyObject *ending_is_python_class(PyObject *self, PyObject *kind);

/* strangers(objects, known): those of the list @objects whose classes are not in the set @known. */
PyObject *ending_strangers(PyObject *self, PyObject *const *args, ssize_t count);

/* leave(cell, code): sends DONE and ends the process. */
PyObject *ending_leave(PyObject *self, PyObject *const *args, ssize_t count);

/* depart(names, cell, code, streams, held): puts an object into the dictionary @names (that of sys)
 * whose destruction ends the process: the interpreter clears that dictionary after all modules are
 * gone. Then @streams are flushed, DONE is sent with @code, and the process exits with it. @held is
 * never released. */
PyObject *ending_depart(PyObject *self, PyObject *const *args, ssize_t count);
