/* SPDX-License-Identifier: Apache-2.0 */
#include "model/network.h"

/* clang-format off */
#define NETWORK(field_, ...) GB_MEMBER(struct gb_network_info, field_, __VA_ARGS__)
static const struct gb_member network_members[] = {
    NETWORK(network, "network", GB_TEXT, GB_ALWAYS,
            .doc = "what it is called: `none`, `rules`, or a name of the settings"),
    NETWORK(rules, "rules", GB_TEXT, GB_ALWAYS, .doc = "its rules, a line each"),
    NETWORK(open, "open", GB_U32, GB_ALWAYS, .doc = "connections that are open"),
    NETWORK(opened, "opened", GB_U64, GB_ALWAYS, .doc = "that have been"),
    NETWORK(denied, "denied", GB_U64, GB_ALWAYS, .doc = "connections and names that were refused"),
    NETWORK(received, "received", GB_U64, GB_ALWAYS, .doc = "bytes that the guest has received"),
    NETWORK(sent, "sent", GB_U64, GB_ALWAYS, .doc = "bytes that it has sent"),
};

const struct gb_object gb_network_object = {
    GB_OBJECT_TABLE("network", struct gb_network_info, network_members)};
/* clang-format on */
