/* SPDX-License-Identifier: Apache-2.0 */
/* How a cell ended, and the words for it: the same for the log, the front end, the documents and
 * the prompt. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/cell.h"

struct outcome {
    int exit_code;                   /* -1: it did not exit */
    char signal[GB_SIGNAL_NAME_MAX]; /* "SIGKILL"; "": none */
    uint32_t flags;                  /* enum gb_cell_flags */
    uint64_t left_out;               /* bytes of its output */
};

struct outcome outcome_of(const struct gb_cell_info *cell);
/* Whether one of these flags is set. */
bool outcome_has(const struct outcome *outcome, uint32_t flags);

/* "timed out, SIGKILL": all that is to be said when it did not end well; adds nothing when it did.
 */
void outcome_words(const struct outcome *outcome, struct gb_buf *to);
/* The one word that matters most, for a narrow place; "" when there is none. */
void outcome_word(const struct outcome *outcome, char *to, size_t room);
/* What the journal has lost of it, as a sentence; adds nothing when it is all there. */
void outcome_lost(const struct outcome *outcome, struct gb_buf *to);
/* "123 bytes of output were left out". */
void outcome_left_out(uint64_t bytes, char *to, size_t room);

/* Each sentence of advice that it calls for: more time, more memory, what a new interpreter means.
 */
void outcome_advise(const struct outcome *outcome, void (*say)(void *arg, const char *sentence),
                    void *arg);
extern const char outcome_state_lost[];
