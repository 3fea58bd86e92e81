/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "pyapi.h"

/* The last step of a program (ending.py tells the others). METH_FASTCALL, where nothing else is
 * said. */

/* same(names, copy): whether a dictionary has still the same names in the same order, and the same
 * objects under them. Looks only: no page of either is written to. */
PyObject *ending_same(PyObject *self, PyObject *const *args, ssize_t count);

/* thaw(objects…): gives the collector back what gc.freeze() took from it. */
PyObject *ending_thaw(PyObject *self, PyObject *const *args, ssize_t count);

/* is_python_class(class): whether it was made by a class statement. METH_O. */
PyObject *ending_is_python_class(PyObject *self, PyObject *kind);

/* leave(cell, code): tells DONE and ends the process. */
PyObject *ending_leave(PyObject *self, PyObject *const *args, ssize_t count);

/* depart(names, cell, code, streams, held): puts an object into the dictionary @names, that of sys,
 * whose end is the end of the process: the interpreter clears that dictionary when all modules are
 * gone. Then
 * @streams are flushed, DONE is told with @code, and the process exits with it. @held is never let
 * go. */
PyObject *ending_depart(PyObject *self, PyObject *const *args, ssize_t count);
