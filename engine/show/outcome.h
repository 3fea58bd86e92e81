/* SPDX-License-Identifier: Apache-2.0 */
/* How a cell ended, and the words for it: shared by the log, the front end, the documents and the
 * prompt. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/cell.h"

struct outcome {
    int exit_code;                   /* -1: did not exit */
    char signal[GB_SIGNAL_NAME_MAX]; /* "SIGKILL"; "": none */
    uint32_t flags;                  /* enum gb_cell_flags */
    uint64_t left_out;               /* bytes of output that were dropped */
};

struct outcome outcome_of(const struct gb_cell_info *cell);
/* Whether one of these flags is set. */
bool outcome_has(const struct outcome *outcome, uint32_t flags);

/* "timed out, SIGKILL": describes a failure completely; adds nothing if there was none. */
void outcome_words(const struct outcome *outcome, struct gb_buf *to);
/* The most important word, for narrow columns; "" if there is none. */
void outcome_word(const struct outcome *outcome, char *to, size_t room);
/* What the journal lost of the cell, as a sentence; adds nothing if it is complete. */
void outcome_lost(const struct outcome *outcome, struct gb_buf *to);
/* "123 bytes of output were left out". */
void outcome_left_out(uint64_t bytes, char *to, size_t room);

/* Calls back with each applicable sentence of advice: more time, more memory, what a restarted
 * interpreter means. */
void outcome_advise(const struct outcome *outcome, void (*say)(void *arg, const char *sentence),
                    void *arg);
extern const char outcome_state_lost[], outcome_rolled_back[];
