/* SPDX-License-Identifier: Apache-2.0 */
/* Runs sources and passes on their output: the core of `run` and `exec`. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cli/app.h"
#include "cli/files.h"
#include "cli/source.h"

struct execute_config {
    struct source *sources; /* borrowed */
    size_t count;
    const char *session; /* runs all sources in turn; NULL: each gets its own VM */
    bool tries;          /* instead, each runs in its own fork of @session */
    bool keeps;          /* the forks stay open */
    bool ours;           /* @session is closed once it has been forked */
    const char *image;   /* NULL: the source's language, else python */
    uint64_t timeout_ms; /* 0: the session's */
    uint64_t lease_wait_ms;
    uint64_t max_output; /* bytes of standard output, per source */
    bool json;
    bool forward_stdin; /* pass ours to the program: as requested, or because it is a terminal */
    struct file_pair *uploads, *downloads; /* borrowed */
    size_t upload_count, download_count;
};

/* Runs everything; returns the exit status. */
int execute(struct app *app, const struct args *args, const struct execute_config *config);
