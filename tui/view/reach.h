/* SPDX-License-Identifier: Apache-2.0 */
/* The network of a session: connections that wait for a decision, ports on which its programs
 * listen, and a row for each connection, request and decision, the newest at the top. Does not
 * paint.
 *
 * Theory of operation. What has ended is in the server's log, which is read on from the last known
 * record whenever an event says that there is more, one request at a time; what is open is known
 * from events. Memory is bounded: the oldest records are dropped, the log keeps them. Names and
 * addresses come from guests: painting makes them safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/network.h"
#include "rpc/json.h"
#include "store/store.h"

enum {
    REACH_RECORDS_MAX = 2000,
    REACH_OPEN_MAX = 256,
    REACH_PORTS_MAX = 128, /* that are shown */
    REACH_TEXT_MAX = 256,  /* bytes of a name, an address, a rule */
    REACH_PAGE = 500,      /* records per request */
};

enum reach_kind { REACH_QUESTION, REACH_PORT, REACH_OPEN, REACH_RECORD };

/* A connection that is open, or a record of the log. Texts are NULL if there is none. */
struct reach_record {
    uint64_t number; /* of the record; of one that is open: of the connection */
    uint64_t connection;
    uint8_t kind; /* enum gb_network_entry */
    uint32_t cell, port, line;
    uint64_t received, sent, left_out;
    double at, ms; /* Unix seconds; milliseconds */
    char *name, *address, *rule, *reason, *client;
};

/* A port of the guest. */
struct reach_port {
    uint32_t port;
    bool listening;
    char *address; /* where it is open on the host; NULL: it is not */
    uint32_t open;
    uint64_t opened, received, sent;
};

/* A row. */
struct reach_item {
    enum reach_kind kind;
    const struct question *question;
    const struct reach_port *port;
    const struct reach_record *record; /* of REACH_OPEN and REACH_RECORD */
};

struct reach {
    struct reach_record *records; /* in the order of the log */
    size_t count, capacity;
    struct reach_record open[REACH_OPEN_MAX];
    size_t open_count;
    struct reach_port ports[REACH_PORTS_MAX];
    size_t port_count;
    char network[STORE_NAME_MAX]; /* what it is called; empty: not known yet */
    char secrets[STORE_NAME_MAX]; /* names of the session's, separated by spaces, perhaps cut */
    uint32_t now_open;
    uint64_t opened, denied, received, sent;
    uint64_t after; /* the last record that was read */
    bool dropped;   /* older records are only in the log */
};

/* The tab that shows it. */
struct reach_tab {
    struct reach reach;
    uint64_t call;                  /* of the request in progress; 0: none */
    bool stale;                     /* there may be more than was read */
    bool known;                     /* it has been read */
    char error[GB_ERR_MESSAGE_MAX]; /* why it cannot be; empty: none */
    /* The row under the cursor, and its index if it has gone. */
    enum reach_kind kind;
    uint64_t id;
    size_t row;
    bool chosen; /* the user has moved the cursor: it stays on its row */
    size_t top;
    int height; /* of the list, as last arranged */
};

void reach_release(struct reach *reach);
/* The result of `session.network`. */
void reach_take_state(struct reach *reach, const struct gb_json *result);
/* A page of `session.network_log`. True: there are further records. A page without a new record is
 * the last one, whatever it says. */
bool reach_take_log(struct reach *reach, const struct gb_json *result);
/* An event `network.…` or `snapshot`. */
void reach_event(struct reach *reach, const char *kind, const struct gb_json *params);
/* The connection to the server is lost: what is open is not known any more. */
void reach_forget_open(struct reach *reach);

/* The number of rows, and row @index, which is below it. @questions: the first one that waits;
 * NULL: none. Borrowed until something is taken. */
size_t reach_rows(const struct reach *reach, const struct question *questions);
void reach_row(const struct reach *reach, const struct question *questions, size_t index,
               struct reach_item *ret_item);
/* A number by which a row is found again among those of its kind. */
uint64_t reach_id(const struct reach_item *item);
