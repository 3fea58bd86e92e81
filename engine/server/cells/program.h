/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says of the program that it wants run: code, file, arguments. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "rpc/methods.h"
#include "session/session.h"

/* What is to be run. Zeroed before it is read. */
struct program {
    struct gb_bytes code; /* borrows from the request's line until it is kept */
    struct gb_buf kept, file, argv;
    bool put; /* the code goes into the file first */
};
/* Reads it from @params, whose arguments are decoded where they stand, and checks it.
 * -GB_EINVALID, -GB_EPOLICY, -GB_ETOOLARGE. */
int program_read(const struct gb_params *params, struct program *program, struct gb_err *err);
/* Sets the fields that are about it; they borrow from @program. */
void program_config(const struct program *program, struct gb_cell_config *config);
/* Copies the code, so that it outlives the line. -GB_ECAPACITY. */
int program_keep(struct program *program, struct gb_err *err);
void program_release(struct program *program);
