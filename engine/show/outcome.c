/* SPDX-License-Identifier: Apache-2.0 */
#include "show/outcome.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"

const char outcome_state_lost[] = "the interpreter is a new one: variables and imports are gone";
const char outcome_rolled_back[] =
    "the session was taken back to how it was before this, variables and files";

struct outcome outcome_of(const struct gb_cell_info *cell)
{
    struct outcome outcome = {.exit_code = (int)cell->exit_code,
                              .flags = cell->flags,
                              .left_out = cell->dropped_stdout + cell->dropped_stderr};

    if (cell->signal > 0)
        gb_signal_to_string(cell->signal, outcome.signal);
    return outcome;
}

bool outcome_has(const struct outcome *outcome, uint32_t flags)
{
    return (outcome->flags & flags) != 0;
}

void outcome_lost(const struct outcome *outcome, struct gb_buf *to)
{
    if (!outcome_has(outcome, GB_CELL_CODE_LOST) && !outcome_has(outcome, GB_CELL_RESULT_LOST))
        return;
    gb_buf_addf(to, "%s lost: the journal is damaged%s",
                !outcome_has(outcome, GB_CELL_RESULT_LOST) ? "its code is"
                : outcome_has(outcome, GB_CELL_CODE_LOST)  ? "its code and what became of it are"
                                                           : "what became of it is",
                outcome_has(outcome, GB_CELL_RESULT_LOST) ? ", or could not be written" : "");
}

static void outcome_add(struct gb_buf *to, size_t before, const char *word)
{
    if (to->size > before)
        gb_buf_adds(to, ", ");
    gb_buf_adds(to, word);
}

void outcome_words(const struct outcome *outcome, struct gb_buf *to)
{
    const size_t before = to->size;
    char code[16];

    outcome_lost(outcome, to);
    if (outcome_has(outcome, GB_CELL_RESULT_LOST))
        return;
    (void)snprintf(code, sizeof(code), "exit %d", outcome->exit_code);
    if (outcome_has(outcome, GB_CELL_TIMED_OUT))
        outcome_add(to, before, "timed out");
    if (outcome_has(outcome, GB_CELL_INTERRUPTED))
        outcome_add(to, before, "interrupted");
    if (outcome_has(outcome, GB_CELL_OOM))
        outcome_add(to, before, "out of memory");
    if (outcome->signal[0] != '\0')
        outcome_add(to, before, outcome->signal);
    if (outcome->exit_code > 0)
        outcome_add(to, before, code);
    if (outcome_has(outcome, GB_CELL_STATE_LOST))
        outcome_add(to, before, "state lost");
    if (outcome_has(outcome, GB_CELL_ROLLED_BACK))
        outcome_add(to, before, "taken back");
}

void outcome_word(const struct outcome *outcome, char *to, size_t room)
{
    if (outcome->exit_code > 0)
        (void)snprintf(to, room, "exit %d", outcome->exit_code);
    else
        (void)snprintf(to, room, "%s", outcome_has(outcome, GB_CELL_RESULT_LOST) ? "lost" : "");
    if (outcome->signal[0] != '\0')
        (void)snprintf(to, room, "%s", outcome->signal);
    if (outcome_has(outcome, GB_CELL_INTERRUPTED))
        (void)snprintf(to, room, "interrupted");
    if (outcome_has(outcome, GB_CELL_OOM))
        (void)snprintf(to, room, "out of memory");
    if (outcome_has(outcome, GB_CELL_TIMED_OUT))
        (void)snprintf(to, room, "timed out");
}

void outcome_left_out(uint64_t bytes, char *to, size_t room)
{
    (void)snprintf(to, room, "%" PRIu64 " bytes of output were left out", bytes);
}

void outcome_advise(const struct outcome *outcome, void (*say)(void *arg, const char *sentence),
                    void *arg)
{
    if (outcome_has(outcome, GB_CELL_OOM))
        say(arg, "the VM ran out of memory; -m gives it more");
    if (outcome_has(outcome, GB_CELL_TIMED_OUT))
        say(arg, "the time is up; -t gives it more");
    if (outcome_has(outcome, GB_CELL_STATE_LOST))
        say(arg, outcome_state_lost);
    if (outcome_has(outcome, GB_CELL_ROLLED_BACK))
        say(arg, outcome_rolled_back);
}
