/* SPDX-License-Identifier: Apache-2.0 */
/* Cells as clients are told of them. The history part writes what the journal kept in the same way.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "journal/record.h"
#include "rpc/json.h"
#include "session/session.h"

struct exec;
struct hosted;

enum cell_detail {
    CELL_WHOLE, /* as in a reply */
    CELL_BRIEF, /* without streams and display data; code and value cut */
};

/* A cell as it is told and recorded, without `pace`. Borrows from @exec. */
struct gb_record_cell cell_record(const struct exec *exec);

void cell_put(struct gb_json_out *out, const struct gb_record_cell *cell, enum cell_detail detail);
void cell_put_exec(struct gb_json_out *out, const struct exec *exec, enum cell_detail detail);
/* Briefly, with as much of the code as @room has bytes for, which it uses up, and always a little.
 */
void cell_put_exec_cut(struct gb_json_out *out, const struct exec *exec, size_t *room);
/* While the program waits for standard input: `waiting` and `prompt`, the line that it left open;
 * else nothing. */
void cell_put_waiting(struct gb_json_out *out, const struct exec *exec);
void cell_put_prompt(struct gb_json_out *out, const struct exec *exec);
/* The same of a cell of @hosted that runs; nothing when there is none of that number. */
void cell_put_waiting_of(struct gb_json_out *out, struct hosted *hosted, uint32_t cell);
/* `cell`, `stream` and the bytes of a piece of output. */
void cell_put_output(struct gb_json_out *out, uint32_t cell, enum gb_output stream,
                     struct gb_bytes bytes, bool background);
