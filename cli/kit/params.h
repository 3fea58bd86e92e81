/* SPDX-License-Identifier: Apache-2.0 */
/* Options that several verbs have, as parameters of a call. */
#pragma once

#include "cli/args.h"
#include "rpc/json.h"

/* Puts -e NAME=VALUE and -m MB into the parameters. False when one cannot be used: the sentence was
 * said. */
bool params_put_env(const struct args *args, struct gb_json_out *out);
bool params_put_memory(const struct args *args, struct gb_json_out *out);
/* The image that -l or --image ask for, @fallback without them; NULL when a language is unknown. */
const char *params_image(const struct args *args, const char *fallback);
