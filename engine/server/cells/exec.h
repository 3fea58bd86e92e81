/* SPDX-License-Identifier: Apache-2.0 */
/* Running code: session.exec and run.
 *
 * An exec's connection and its request may be gone before its end: then the cell is interrupted, or
 * goes on unheard when it is detached, and the exec only waits for its end. A run is an exec whose
 * session was opened for it and closes after it.
 */
#pragma once

#include "server/cells/state.h"

handler_fn exec_handle, exec_handle_run;

/* The connection has gone: its cells are interrupted, unless they are detached. */
void exec_disconnect(struct exec *exec);
/* Tells the exec's connection whether its program waits for input, when that is another state than
 * it was told last and the connection has room for it. */
void exec_tell_waiting(struct exec *exec);
