/* SPDX-License-Identifier: Apache-2.0 */
/* Running code: session.exec and run.
 *
 * An exec may lose its connection and its request before it ends: the cell is then interrupted, or
 * runs on without a recipient if it is detached, and the exec only waits for its end. A `run` is an
 * exec whose session was opened for it and is closed after it.
 */
#pragma once

#include "server/cells/state.h"

handler_fn exec_handle, exec_handle_run;

/* The connection has closed: interrupts its cells unless they are detached. */
void exec_disconnect(struct exec *exec);
/* Tells the exec's connection whether its program waits for input, if that has changed since it was
 * last told and the connection's queue has room. */
void exec_tell_waiting(struct exec *exec);
