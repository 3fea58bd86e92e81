/* SPDX-License-Identifier: Apache-2.0 */
/* What `log` and `export` share: finding a session that may have ended, and reading its cells. */
#pragma once

#include "cli/app.h"
#include "model/cell.h"
#include "model/session.h"

/* A session as session.list has it. */
struct past {
    struct app *app;
    struct gb_buf text;          /* its object */
    struct gb_json_doc doc;      /* the same, parsed; borrows from the text */
    struct gb_session_info info; /* the same, read; borrows too */
    char *id;
    bool open;
};

/* Hands the answer of session.list to @use: those in @state, NULL: those that are open. False: it
 * failed, and was told. */
bool past_list(struct app *app, const char *state, app_use *use, void *arg);

/* By an unambiguous beginning of its id, by its key or label; the newest of several with the same
 * key or label, an open one first. False: it was told. To be released in any case. */
bool past_find(struct app *app, const char *name, struct past *ret_past);
void past_release(struct past *past);
const struct gb_json *past_session(const struct past *past);

/* Calls @each for the cells with numbers above @after, at most @limit of them (0: all), in their
 * order, with the JSON that they were read from. @each returns false to stop. False: it failed, or
 * an answer was not what it should be, and that was told. */
typedef bool past_each(void *arg, const struct gb_cell_info *cell, const struct gb_json *json);
bool past_read(struct past *past, uint64_t after, uint64_t limit, past_each *each, void *arg);
