/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a cell that was read (rpc/object.h), in the units needed for display. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "language/language.h"
#include "model/cell.h"

/* GB_MODE_KERNEL if absent. */
enum gb_mode facts_mode(const struct gb_cell_info *cell);
bool facts_is_shell(const struct gb_cell_info *cell);
/* The language of the cell's code, in a session of the language named @session. Never NULL. */
const struct gb_language *facts_language(const struct gb_languages *languages,
                                         const struct gb_cell_info *cell, struct gb_bytes session);
/* Whether it is still running: a history can contain such a cell. */
bool facts_is_running(const struct gb_cell_info *cell);
double facts_seconds(uint64_t ns);
double facts_ms(uint64_t ns);
/* The bytes of a stream, a display or a path, decoded. */
void facts_stream(struct gb_buf *to, const struct gb_cell_info *cell, enum gb_output stream);
void facts_display_bytes(struct gb_buf *to, const struct gb_display_info *display);
void facts_path(struct gb_buf *to, const struct gb_file_info *file);
/* The size of a display's data, whether the data is included or not. */
double facts_display_size(const struct gb_display_info *display);
/* '+', '-' or '~': how a file changed. */
char facts_change(const struct gb_file_info *file);
