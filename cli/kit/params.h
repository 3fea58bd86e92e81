/* SPDX-License-Identifier: Apache-2.0 */
/* Options shared by several verbs, as parameters of a call. */
#pragma once

#include "cli/app.h"
#include "cli/args.h"
#include "rpc/json.h"

/* Adds -e NAME=VALUE and -m MB to the parameters. False if one is invalid: the error was
 * reported. */
bool params_put_env(const struct args *args, struct gb_json_out *out);
/* The same with one more: @name (NULL: none) and @value. */
bool params_put_env_and(const struct args *args, struct gb_json_out *out, const char *name,
                        const char *value);
bool params_put_memory(const struct args *args, struct gb_json_out *out);
/* The same for --net POLICY: `none`, a name from the settings, a file of rules (if it contains a
 * slash), or rules separated by semicolons; and for --secret NAME. */
bool params_put_network(const struct args *args, struct gb_json_out *out);
/* The same for --packages: names with spaces between, or a file of them (if it contains a slash or
 * ends in .txt). */
bool params_put_packages(const struct args *args, struct gb_json_out *out);
/* How long session.open may take, which is longer where packages are fetched for it. */
uint64_t params_open_ms(const struct args *args);
/* Adds lines of rules as elements of the open array; skips comments. */
void params_put_rules(struct gb_bytes text, struct gb_json_out *out);
/* The image given by -l or --image, else GB_IMAGE_DEFAULT; NULL if the server does not know the
 * language, which was reported. Valid until app_close(). */
const char *params_image(struct app *app, const struct args *args);
