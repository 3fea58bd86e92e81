/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "pyapi.h"

/* The classes below the text layer of the standard streams.
 *
 * sys.stdin, sys.stdout and sys.stderr have exactly the properties that python3 gives them for
 * pipes. What they do in addition is below the text layer, in classes named like the originals:
 *
 * - FileIO for descriptor 0 tells the agent when an interactive cell is about to block in a read;
 * - BufferedWriter passes on each line, so that output appears when it is printed and in order with
 *   that of child processes. It also outlives a text layer that an earlier cell's user code left in
 *   sys.stdout (spare()), with which the original would be closed.
 *
 * They are written in C because a method of a Python class would have a frame, which tracebacks
 * show. */

/* Adds to the module the classes, and the functions that pass information to them. */
bool streams_init(PyObject *module);

/* A cell begins (@interactive: its reads may be answered), or is over (@cell is 0). */
void streams_cell(uint32_t cell, bool interactive);

/* In native.c: reports that the cell has started or stopped waiting for input. */
void tell_waiting(uint32_t cell, bool waits);

/* In native.c: reports the result of a final cell and ends the process. */
_Noreturn void depart(uint32_t cell, int code);
