/* SPDX-License-Identifier: Apache-2.0 */
/* The program that a request wants to run: code, file, arguments. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "rpc/methods.h"
#include "session/session.h"

/* What to run. Zero it before reading. */
struct program {
    struct gb_bytes code; /* borrows from the request's line until program_keep() */
    struct gb_buf kept, file, argv;
    bool put; /* write the code to the file first */
};
/* Reads and checks it from @params; decodes the arguments in place. -GB_EINVALID, -GB_EPOLICY,
 * -GB_ETOOLARGE. */
int program_read(const struct gb_params *params, struct program *program, struct gb_err *err);
/* Sets the fields that describe it; they borrow from @program. */
void program_config(const struct program *program, struct gb_cell_config *config);
/* Copies the code, so that it outlives the request's line. -GB_ECAPACITY. */
int program_keep(struct program *program, struct gb_err *err);
void program_release(struct program *program);
