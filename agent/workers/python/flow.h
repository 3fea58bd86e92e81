/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "pyapi.h"

/* Calls the user's code without a frame of ours below it.
 *
 * What user code can see of the stack (tracebacks, inspect.stack(), warnings that name their
 * caller, sys._getframe()) must begin with the user's own code. So our code is written as
 * generators; to call something that may run user code, it yields a tuple (callable, arguments…).
 * The call is made here, while the generator is suspended and therefore not on the stack, and the
 * generator receives (result, None) or (None, exception). A generator's return value is the result
 * of the whole; to raise a user's exception, with only the user's frames, it yields (None,
 * exception).
 *
 * The user's trace and profile functions do not see our code either. */

/* Initialises what the other functions need; false with an exception set. */
bool flow_init(void);

/* flow(function, name, doc, module): a builtin function that passes its arguments to @function,
 * which returns a generator, and runs that. METH_FASTCALL. */
PyObject *flow_new(PyObject *self, PyObject *const *args, ssize_t count);

/* either(first, other, name, module): a builtin function without arguments that calls @first and,
 * if that raises, @other. METH_FASTCALL. */
PyObject *either_new(PyObject *self, PyObject *const *args, ssize_t count);
