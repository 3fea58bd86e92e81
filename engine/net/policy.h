/* SPDX-License-Identifier: Apache-2.0 */
/* What a session may reach: ordered rules, of which the first match decides; what matches none is
 * denied.
 *
 *   allow NAME… [:PORT…] [tls|inspect|http|tcp] [private]
 *   allow ip NET… [:PORT…] [tcp] [private]
 *   ask   …                     as allow, once a person has allowed it; also ask *
 *   deny  NAME… [:PORT…]        deny ip NET… [:PORT…]        deny *
 *   resolve NAME ADDRESS…
 *
 * NAME is a host, `*.` and a host for all names below it, or `*`. A PORT is a number or a range
 * with a hyphen; without ports an allow rule means 80 and 443, and a deny or an ask rule all. `tls`
 * (the default for 443) requires a TLS handshake for the name; `inspect` does so too, and needs
 * gb_net_events.diverted to pass the connection to a process that reads each request in it; `http`
 * (the default for 80) requires requests for the name; `tcp` (the default otherwise) passes
 * everything. `private` lets the name resolve to addresses of this host and its networks. `resolve`
 * sets the addresses of a name, overriding DNS. `#` starts a comment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "net/address.h"
#include "net/name.h"

enum {
    GB_POLICY_TEXT_MAX = 64 * 1024,
    GB_POLICY_RULES_MAX = 256,
    GB_POLICY_TARGETS_MAX = 32, /* per rule; also the addresses of a name */
    GB_POLICY_PORTS_MAX = 16,
};

enum gb_policy_mode {
    GB_POLICY_TCP,
    GB_POLICY_TLS,
    GB_POLICY_HTTP,
    GB_POLICY_INSPECT,
    GB_POLICY_MODE_COUNT
};

struct gb_policy_ports {
    uint16_t first, last;
};

struct gb_policy_rule {
    unsigned line;                                /* of the text, starting at 1 */
    bool allow, ask, is_ip, is_private, has_mode; /* neither allow nor ask: deny */
    enum gb_policy_mode mode;                     /* if has_mode */
    char **names;                                 /* normalised, or with a wildcard */
    struct gb_address_net *nets;                  /* for an ip rule */
    size_t count;                                 /* of names or nets */
    struct gb_policy_ports ports[GB_POLICY_PORTS_MAX];
    size_t port_count; /* 0: the defaults above */
};

struct gb_policy_place {
    char *name;
    struct gb_address *addresses;
    size_t count;
};

struct gb_policy {
    struct gb_policy_rule *rules;
    size_t rule_count;
    struct gb_policy_place *places;
    size_t place_count;
};

/* Parses the text of a policy into an empty one. GB_EINVALID names the line. Release it in any
 * case. */
int gb_policy_parse(struct gb_policy *policy, struct gb_bytes text, struct gb_err *err);
void gb_policy_release(struct gb_policy *policy);
/* "tcp", "tls", "http", "inspect". */
const char *gb_policy_mode_name(enum gb_policy_mode mode);
/* Writes the rules as text that parses to the same rules. */
void gb_policy_write(const struct gb_policy *policy, struct gb_buf *text);

/* The same for one rule, with a newline. */
void gb_policy_write_rule(const struct gb_policy_rule *rule, struct gb_buf *text);

/* The rule that allows it, or says to ask; NULL: denied. */
const struct gb_policy_rule *gb_policy_allows_name(const struct gb_policy *policy, const char *name,
                                                   uint16_t port);
const struct gb_policy_rule *gb_policy_allows_address(const struct gb_policy *policy,
                                                      const struct gb_address *address,
                                                      uint16_t port);
/* Whether the name is allowed on any port, or may be asked about: it may be resolved. */
bool gb_policy_knows_name(const struct gb_policy *policy, const char *name);
/* Calls @use for each name in a rule with the mode `inspect`, in their order, while it returns
 * true. True: it always did. */
bool gb_policy_each_inspected(const struct gb_policy *policy,
                              bool (*use)(void *arg, const char *name), void *arg);
/* The addresses set by `resolve`; NULL: use DNS. */
const struct gb_policy_place *gb_policy_place(const struct gb_policy *policy, const char *name);
/* The protocol required of a connection to that port. */
enum gb_policy_mode gb_policy_mode(const struct gb_policy_rule *rule, uint16_t port);
