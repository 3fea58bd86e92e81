/* SPDX-License-Identifier: Apache-2.0 */
/* What is being done before a session can start, as the server says while `session.open` waits: on
 * the last line of standard error if that is a terminal, and gone when the answer is there. */
#pragma once

#include <stdbool.h>

#include "rpc/json.h"

enum { PREPARING_MAX = 512 };

/* Zeroed: nothing is shown. */
struct preparing {
    char line[PREPARING_MAX]; /* what is shown, safe for a terminal; "": nothing */
    bool is_aside;
};

/* Shows the notification. False: it is about something else. */
bool preparing_take(struct preparing *preparing, const char *method, const struct gb_json *params);
/* The caller shows `line` itself: nothing is written until this is called with false. */
void preparing_aside(struct preparing *preparing, bool aside);
/* Removes the line; no-op if there is none. */
void preparing_end(struct preparing *preparing);
