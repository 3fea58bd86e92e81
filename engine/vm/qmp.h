/* SPDX-License-Identifier: Apache-2.0 */
/* QMP, QEMU's monitor: one command at a time, answers matched by id, events in between. A guest may
 * have taken over QEMU, so lines are bounded and parsed strictly. */
#pragma once

#include <cjson/cJSON.h>

#include "base/buf.h"
#include "base/err.h"
#include "loop/loop.h"

enum { QMP_LINE_MAX = 256 * 1024 };

enum qmp_kind { QMP_GREETING, QMP_RETURN, QMP_ERROR, QMP_EVENT };

struct qmp_message {
    enum qmp_kind kind;
    double id;        /* for RETURN and ERROR; -1: none */
    const char *text; /* EVENT: its name; ERROR: its description. Borrows from @json */
    /* GREETING: its content; RETURN: the returned value; EVENT: its data, may be NULL */
    const cJSON *value;
    cJSON *json; /* owns all of the above; cJSON_Delete() */
};

/* Parses one line. Fails with GB_EINTERNAL. */
int qmp_parse(struct gb_bytes line, struct qmp_message *ret_message, struct gb_err *err);

struct qmp;

/* @value: the returned value, borrowed for the call; NULL on error. */
typedef void qmp_done_fn(void *arg, const cJSON *value, const struct gb_err *err);

struct qmp_events {
    /* The monitor accepts commands. */
    void (*ready)(void *arg);
    void (*event)(void *arg, const char *name, const cJSON *data);
    /* The socket was closed, or QEMU sent garbage (@err, else NULL). Called once and last. A
     * running command has been failed before. */
    void (*closed)(void *arg, const struct gb_err *err);
    /* QEMU's greeting; may be NULL. Borrows for the call. */
    void (*greeting)(void *arg, const cJSON *greeting);
};

/* Takes @fd, a connected socket. Gives. */
struct qmp *qmp_new(struct gb_loop *loop, int fd, const struct qmp_events *events, void *arg);

/* Sends a command; allowed once `ready` was called and while none is running. Takes @arguments (may
 * be NULL). Passes a copy of @fd along unless that is negative. Calls @done once, from the loop. */
void qmp_execute(struct qmp *qmp, const char *command, cJSON *arguments, int fd, qmp_done_fn *done,
                 void *arg);

/* No further callbacks. No-op on NULL. */
void qmp_free(struct qmp *qmp);
