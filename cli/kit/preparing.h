/* SPDX-License-Identifier: Apache-2.0 */
/* What is being done before a session can start, as the server says while `session.open` waits: on
 * the last line of standard error if that is a terminal, and gone when the answer is there. One
 * line for each process, as there is one standard error. */
#pragma once

#include <stdbool.h>

#include "rpc/json.h"

/* Shows the notification. False: it is about something else. */
bool preparing_take(const char *method, const struct gb_json *params);
/* The caller shows preparing_text() itself: nothing is written until this is called with false. */
void preparing_aside(bool aside);
/* What is shown, safe for a terminal; "": nothing. */
const char *preparing_text(void);
/* Removes the line; no-op if there is none. */
void preparing_end(void);
