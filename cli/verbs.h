/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs: each has its function in a file of its name and its row in verbs.c. */
#pragma once

#include "cli/app.h"

extern const struct verb verbs[];

/* What other programs call by a name that is none of ours: the sentence that leads to it, or NULL.
 */
const char *verb_instead(const char *name);

int verb_run(const struct args *args);
int verb_repl(const struct args *args);
int verb_open(const struct args *args);
int verb_exec(const struct args *args);
int verb_ls(const struct args *args);
int verb_close(const struct args *args);
int verb_interrupt(const struct args *args);
int verb_answer(const struct args *args);
int verb_put(const struct args *args);
int verb_get(const struct args *args);
int verb_log(const struct args *args);
int verb_export(const struct args *args);
int verb_mcp(const struct args *args);
int verb_image(const struct args *args);
int verb_serve(const struct args *args);
int verb_doctor(const struct args *args);
int verb_tui(const struct args *args);
int verb_attach(const struct args *args);
int verb_top(const struct args *args);
int verb_watch(const struct args *args);
int verb_help(const struct args *args);
int verb_version(const struct args *args);
int verb_completion(const struct args *args);

/* Puts -e NAME=VALUE and -m MB into the parameters. False when one cannot be used: the sentence was
 * said. */
bool put_env(const struct args *args, struct gb_json_out *out);
bool put_memory(const struct args *args, struct gb_json_out *out);
/* A result as JSON, in a line. */
void print_result(const struct gb_json *result);
/* The image that -l or --image ask for, @fallback without them; NULL when a language is unknown. */
const char *choose_image(const struct args *args, const char *fallback);
