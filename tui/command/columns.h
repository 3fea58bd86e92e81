/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of the list of sessions, and their names in commands; their content is in
 * list/columns.c. */
#pragma once

#include <stddef.h>

/* X(constant, name). The column owner shows the client for sessions without an owner. The graph of
 * the memory has no name, since it cannot be sorted by. */
#define COLUMNS(X)                                                                                 \
    X(COLUMN_STATE, "state")                                                                       \
    X(COLUMN_NAME, "name")                                                                         \
    X(COLUMN_HOST, "host")                                                                         \
    X(COLUMN_OWNER, "owner")                                                                       \
    X(COLUMN_CLIENT, "client")                                                                     \
    X(COLUMN_IMAGE, "image")                                                                       \
    X(COLUMN_NETWORK, "net")                                                                       \
    X(COLUMN_CELLS, "cells")                                                                       \
    X(COLUMN_MEMORY, "mem")                                                                        \
    X(COLUMN_GRAPH, NULL)                                                                          \
    X(COLUMN_CPU, "cpu")                                                                           \
    X(COLUMN_IDLE, "idle")                                                                         \
    X(COLUMN_AGE, "age")

enum column {
#define COLUMN_X(constant, name) constant,
    COLUMNS(COLUMN_X)
#undef COLUMN_X
        COLUMN_COUNT
};

extern const char *const column_names[COLUMN_COUNT];
