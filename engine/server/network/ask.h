/* SPDX-License-Identifier: Apache-2.0 */
/* The value of `network` in a client's request. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "net/policy.h"
#include "net/preset.h"
#include "rpc/json.h"
#include "settings/settings.h"

struct network_ask {
    bool on;
    int preset;              /* the policy is to be found: network_ask_preset(); -1: it is there */
    struct gb_policy policy; /* if it is on; release it */
    /* How it is shown: "none", "rules", or its name. */
    char name[GB_SETTINGS_NAME_MAX + 1];
    bool is_named; /* it is from the settings, or a preset; a name there may be "rules" too */
};

/* @value NULL: absent, which means no network. GB_EINVALID, GB_ETOOLARGE. */
int network_ask_read(const struct gb_settings *settings, const struct gb_json *value,
                     struct network_ask *ret_ask, struct gb_err *err);
/* The policy of a preset, with what was found about its index (net/index.h). GB_EINVALID. */
int network_ask_preset(int preset, const struct gb_preset_known *known,
                       struct gb_policy *ret_policy, struct gb_err *err);
/* Puts rules, an array of lines, in front of those of @policy, and parses the result into
 * @ret_policy. */
int network_ask_add(const struct gb_policy *policy, const struct gb_json *rules,
                    struct gb_policy *ret_policy, struct gb_err *err);
/* The same with a text. */
int network_ask_add_text(const struct gb_policy *policy, struct gb_bytes rules,
                         struct gb_policy *ret_policy, struct gb_err *err);
