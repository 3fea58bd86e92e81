/* SPDX-License-Identifier: Apache-2.0 */
/* Options that several verbs have, as parameters of a call. */
#pragma once

#include "cli/app.h"
#include "cli/args.h"
#include "rpc/json.h"

/* Puts -e NAME=VALUE and -m MB into the parameters. False when one cannot be used: the sentence was
 * said. */
bool params_put_env(const struct args *args, struct gb_json_out *out);
bool params_put_memory(const struct args *args, struct gb_json_out *out);
/* The same for --net POLICY: `none`, a name of the settings, a file of rules (with a slash in its
 * name), or rules themselves, with ; between them. */
bool params_put_network(const struct args *args, struct gb_json_out *out);
/* Lines of rules as the elements of an array that has been begun; comments are left out. */
void params_put_rules(struct gb_bytes text, struct gb_json_out *out);
/* The image that -l or --image ask for, GB_IMAGE_DEFAULT without them; NULL when the server knows
 * no such language, which was told. Good until app_close(). */
const char *params_image(struct app *app, const struct args *args);
