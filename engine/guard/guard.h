/* SPDX-License-Identifier: Apache-2.0 */
/* Isolation of QEMU in named stages, and the outcome of each.
 *
 * The stages are applied by a separate program, glassbell-launcher (launcher/main.c describes how
 * and in which order), which the server runs instead of QEMU. It reports the outcome of every stage
 * on a status pipe, as text lines that are parsed here:
 *
 *     stage NAME ok
 *     stage NAME failed REASON
 *     pid N              QEMU's, as the server sees it
 *     error SENTENCE     the launcher gives up
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "guard/stages.h"

struct gb_loop;

/* "seccomp"; "?" if @stage is not exactly one stage. */
const char *gb_guard_name(enum gb_guard_stage stage);
/* What the stage guarantees, as a sentence. */
const char *gb_guard_sentence(enum gb_guard_stage stage);

/* The stages that should succeed for this process: root runs its VMs as a separate user, any other
 * user in a user namespace. */
uint32_t gb_guard_wanted(void);

enum { GB_GUARD_REASON_MAX = 160, GB_GUARD_LINE_MAX = 512 };

/* What a launcher has reported so far. Zeroed is nothing. */
struct gb_guard_report {
    uint32_t applied, failed;         /* bits of enum gb_guard_stage */
    pid_t pid;                        /* of QEMU; 0: not reported yet */
    char reason[GB_GUARD_REASON_MAX]; /* of the first stage that failed */
    char error[GB_GUARD_LINE_MAX];    /* the launcher's fatal error; empty: none */
};

/* Consumes all whole lines at the front of @text. GB_EINTERNAL for a line that no launcher
 * writes. */
int gb_guard_report_read(struct gb_guard_report *report, struct gb_buf *text, struct gb_err *err);

/* Adds "seccomp filter (REASON), …" for the wanted stages that were not applied; nothing if all
 * were. */
void gb_guard_describe_missing(struct gb_buf *buf, const struct gb_guard_report *report,
                               uint32_t wanted);

/* Finds out which stages work on this host by running @launcher with all stages and no program.
 * Calls @done once, from the loop; @report is borrowed, NULL on error. */
void gb_guard_probe(struct gb_loop *loop, const char *launcher,
                    void (*done)(void *arg, const struct gb_guard_report *report,
                                 const struct gb_err *err),
                    void *arg);
