/* SPDX-License-Identifier: Apache-2.0 */
/* What a session may reach: rules in the order in which they are looked at, the first that fits
 * decides, and what none fits is denied.
 *
 *   allow NAME… [:PORT…] [tls|http|tcp] [private]
 *   allow ip NET… [:PORT…] [tcp] [private]
 *   deny  NAME… [:PORT…]        deny ip NET… [:PORT…]        deny *
 *   resolve NAME ADDRESS…
 *
 * NAME is a host, `*.` and a host for all names below it, or `*`. A PORT is one number or two with
 * a hyphen; without any a rule that allows means 80 and 443, and one that denies means all. `tls`
 * (what 443 is otherwise) demands a TLS handshake for the name; `http` (what 80 is) demands
 * requests for the name; `tcp` (what all else is) lets everything pass. `private` lets the name
 * lead to addresses of this host and of its own networks. `resolve` says where a name is, whatever
 * a name server says. `#` begins a comment. */
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
    GB_POLICY_TARGETS_MAX = 32, /* of a rule; of a name's addresses, too */
    GB_POLICY_PORTS_MAX = 16,
};

enum gb_policy_mode { GB_POLICY_TCP, GB_POLICY_TLS, GB_POLICY_HTTP, GB_POLICY_MODE_COUNT };

struct gb_policy_ports {
    uint16_t first, last;
};

struct gb_policy_rule {
    unsigned line; /* of the text, from 1 */
    bool allow, is_ip, is_private, has_mode;
    enum gb_policy_mode mode;    /* with has_mode */
    char **names;                /* normalised, or with a wildcard */
    struct gb_address_net *nets; /* of an ip rule */
    size_t count;                /* of either */
    struct gb_policy_ports ports[GB_POLICY_PORTS_MAX];
    size_t port_count; /* 0: as is said above */
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

/* Reads the text of a policy into an empty one. GB_EINVALID names the line. Release it in any case.
 */
int gb_policy_parse(struct gb_policy *policy, struct gb_bytes text, struct gb_err *err);
void gb_policy_release(struct gb_policy *policy);
/* The rules as text that reads back as they are. */
void gb_policy_write(const struct gb_policy *policy, struct gb_buf *text);

/* The rule that allows it; NULL: it is denied. */
const struct gb_policy_rule *gb_policy_allows_name(const struct gb_policy *policy, const char *name,
                                                   uint16_t port);
const struct gb_policy_rule *gb_policy_allows_address(const struct gb_policy *policy,
                                                      const struct gb_address *address,
                                                      uint16_t port);
/* Whether the name is allowed at any port, and so may be known. */
bool gb_policy_knows_name(const struct gb_policy *policy, const char *name);
/* Where `resolve` says that it is; NULL: ask. */
const struct gb_policy_place *gb_policy_place(const struct gb_policy *policy, const char *name);
/* What a connection to that port has to be. */
enum gb_policy_mode gb_policy_mode(const struct gb_policy_rule *rule, uint16_t port);
