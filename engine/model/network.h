/* SPDX-License-Identifier: Apache-2.0 */
/* What a session may reach, and what it has reached. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

/* `session.network` */
struct gb_network_info {
    struct gb_bytes network, rules, secrets;
    uint32_t open; /* connections */
    uint64_t opened, denied, received, sent;
    struct gb_items questions; /* struct gb_question_info */
    struct gb_items ports;     /* struct gb_port_info */
    struct gb_items listening; /* struct gb_listening_info */
    uint32_t flags;            /* none */
};

/* A port of the guest to which a socket of the host leads. */
struct gb_port_info {
    uint32_t port;
    struct gb_bytes address; /* where it is on the host: an address and a port, or a path */
    uint32_t open;           /* connections */
    uint64_t opened, received, sent;
    uint32_t flags; /* none */
};

/* A port of the guest on which a program listens. */
struct gb_listening_info {
    uint32_t port;
    uint32_t flags; /* none */
};

/* Connections to one target that wait for an answer. */
struct gb_question_info {
    uint64_t question;                /* its number in the session */
    struct gb_bytes session;          /* its id; empty: the one that was asked about */
    struct gb_bytes name, address;    /* one of them */
    uint32_t port, cell, connections; /* cell 0: none was running */
    uint64_t at_ns, until_ns;         /* wall clock */
    uint32_t flags;                   /* none */
};

enum {
    GB_NETWORK_RULE_MAX = 256,              /* bytes of a rule in a record; longer ones are cut */
    GB_NETWORK_RULES_TEXT_MAX = 128 * 1024, /* of all rules */
    GB_NETWORK_REASON_MAX = 64,
    GB_NETWORK_HOST_MAX = 256, /* of a name or an address */
};

/* A connection of a session or what was decided about its network, as the journal stores it. */
struct gb_network_record {
    uint64_t number; /* increases; for paging */
    uint64_t at_ns;  /* wall clock: when it ended */
    uint8_t kind;    /* enum gb_network_entry */
    uint32_t cell;   /* that was running when it began; 0: none */
    uint64_t connection;
    uint32_t port, line; /* of the rule; 0: none */
    uint64_t received, sent, duration_ns;
    uint64_t left_out; /* earlier records that were not written, because there were too many */
    struct gb_bytes name, address, rule, reason, client; /* NULL: none */
    uint32_t flags;                                      /* none */
};

/* `session.network_log` */
struct gb_network_log_info {
    struct gb_items records;
    uint64_t next;
    uint32_t flags; /* enum gb_page_flags */
};

/* A secret of the settings, without its value. */
struct gb_secret_info {
    struct gb_bytes name, source, place, hosts, variable, problem;
    uint32_t flags; /* none */
};

/* `secret.list` */
struct gb_secrets_info {
    struct gb_items secrets; /* struct gb_secret_info */
    uint32_t flags;          /* none */
};

extern const struct gb_object gb_secret_object, gb_secrets_object;
extern const struct gb_object gb_network_object, gb_network_record_object, gb_network_log_object,
    gb_question_object, gb_port_object, gb_listening_object;
