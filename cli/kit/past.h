/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by `log` and `export`: finding a session that may have ended, and reading its cells. */
#pragma once

#include "cli/app.h"
#include "model/cell.h"
#include "model/network.h"
#include "model/session.h"

/* A session from session.list. */
struct past {
    struct app *app;
    struct gb_buf text;          /* its object */
    struct gb_json_doc doc;      /* parsed; borrows from the text */
    struct gb_session_info info; /* as a struct; borrows too */
    char *id;
    bool open;
    bool annotated; /* set it: past_read() reads only cells with a bookmark or a note */
};

/* Passes the result of session.list to @use: sessions in @state, NULL: open ones. False: it failed,
 * which was reported. */
bool past_list(struct app *app, const char *state, app_use *use, void *arg);

/* Finds a session by an unambiguous prefix of its id, or by key or label; of several with the same
 * key or label the newest, open ones first. False: reported. Release it in any case. */
bool past_find(struct app *app, const char *name, struct past *ret_past);
void past_release(struct past *past);
const struct gb_json *past_session(const struct past *past);

/* Calls @each for the cells with numbers above @after, at most @limit of them (0: all), in order,
 * with the JSON that they were read from. @each returns false to stop. False: a call failed or an
 * answer was invalid, which was reported. */
typedef bool past_each(void *arg, const struct gb_cell_info *cell, const struct gb_json *json);
bool past_read(struct past *past, uint64_t after, uint64_t limit, past_each *each, void *arg);

/* The same for the records of the session's network. A server without a journal has none. */
typedef bool past_each_record(void *arg, const struct gb_network_record *record,
                              const struct gb_json *json);
bool past_read_network(struct past *past, past_each_record *each, void *arg);
