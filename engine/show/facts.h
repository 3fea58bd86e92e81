/* SPDX-License-Identifier: Apache-2.0 */
/* What a cell says of itself, read from the object that the socket gives (docs/protocol.md). What
 * is missing or of another type is empty, 0 or false. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "rpc/json.h"

/* "kernel", "process" or "shell". */
struct gb_bytes facts_mode(const struct gb_json *cell);
bool facts_is_shell(const struct gb_json *cell);
/* Whether it has not ended yet: a history has such a cell, too. */
bool facts_is_running(const struct gb_json *cell);
/* A point in time or a duration in seconds or milliseconds; 0 for what cannot be one. */
double facts_time(const struct gb_json *object, const char *name);
/* The bytes of a stream ("stdout") or of a display, whatever they are encoded in. */
void facts_stream(struct gb_buf *to, const struct gb_json *cell, const char *name);
void facts_display_bytes(struct gb_buf *to, const struct gb_json *display);
/* The size of what is displayed, whether its bytes are there or not. */
double facts_display_size(const struct gb_json *display);
/* '+', '-' or '~': what became of a file, by the `change` of its entry. */
char facts_change(struct gb_bytes change);
