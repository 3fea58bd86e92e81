/* SPDX-License-Identifier: Apache-2.0 */
/* The cells in progress, for clients and for the journal. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/cell.h"
#include "model/session.h"
#include "rpc/json.h"
#include "session/session.h"

struct exec;

enum cell_detail {
    CELL_WHOLE, /* as in a reply */
    CELL_BRIEF, /* without streams and display data; code and value truncated */
};

/* A cell for the journal, without `pace`. Borrows from @exec. */
struct gb_cell_info cell_record(const struct exec *exec);

/* Writes its members, as cell_put() does. */
void cell_put_exec(struct gb_json_out *out, const struct exec *exec, enum cell_detail detail);
/* Writes it in brief form, with as much of the code as @room allows, which is reduced by that, and
 * always a little. */
void cell_put_exec_cut(struct gb_json_out *out, const struct exec *exec, size_t *room);
/* `prompt`: the unfinished line that a program which waits for standard input has printed, if there
 * is one. */
void cell_put_prompt(struct gb_json_out *out, const struct exec *exec);
/* Sets in a session's info that @exec waits for standard input. */
void session_set_waiting(struct gb_session_info *info, const struct exec *exec);
