/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

#include "pyapi.h"

/* The classes of the standard streams' lower layers.
 *
 * sys.stdin, sys.stdout and sys.stderr are what python3 makes for pipes: each property is that.
 * What they do beyond it stands below the text layer, in classes that are called as the originals:
 * - FileIO for descriptor 0 tells the agent when an interactive cell is about to wait in a read;
 * - BufferedWriter passes on each line, so that output is seen when it is printed and comes in
 * order with that of children, and it outlives a text layer of the user's that an earlier cell left
 * in sys.stdout (spare()): the original is closed with it.
 *
 * Written in C because a method of a Python class is a frame, which tracebacks show. */

/* Adds the classes, and the functions that they are told things with, to the module. */
bool streams_init(PyObject *module);

/* A cell begins (@interactive: somebody may answer its reads), or is over (@cell is 0). */
void streams_cell(uint32_t cell, bool interactive);

/* In native.c: says that the cell waits, or no longer does. */
void tell_waiting(uint32_t cell, bool waits);

/* In native.c: says that a final cell is over, and what it came to, and ends the process. */
_Noreturn void depart(uint32_t cell, int code);
