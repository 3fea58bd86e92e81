/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "pyapi.h"

/* Calls of the user's code without a frame of ours below it.
 *
 * What the user can see of the stack (tracebacks, inspect.stack(), warnings that name their caller,
 * sys._getframe()) must begin with his own code.  So our code is written as generators, and where
 * it wants something called that may run code of his, it yields a tuple (callable, arguments…). The
 * call is made from here, while the generator is suspended and is no part of the stack.  It is
 * given back (result, None) or (None, exception).  What a generator returns is the result of the
 * whole; it raises an exception of the user's, with his frames only, by yielding (None, exception).
 *
 * His trace and profile functions hear nothing of our code either. */

/* Initialises what the others need; false with an exception set. */
bool flow_init(void);

/* flow(function, name, doc, module): a builtin function that runs what @function, which makes a
 * generator, makes of the arguments.  METH_FASTCALL. */
PyObject *flow_new(PyObject *self, PyObject *const *args, ssize_t count);

/* either(first, other, name, module): a builtin function without arguments that calls @first, and
 * where that raises, @other. METH_FASTCALL. */
PyObject *either_new(PyObject *self, PyObject *const *args, ssize_t count);
