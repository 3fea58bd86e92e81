/* SPDX-License-Identifier: Apache-2.0 */
#include "show/outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "rpc/access.h"
#include "show/filter.h"

const char outcome_state_lost[] = "the interpreter is a new one: variables and imports are gone";

void outcome_read(struct outcome *outcome, const struct gb_json *cell)
{
    const struct gb_json *code = json_member(cell, "exit_code");
    const struct gb_json *truncated = json_member(cell, "truncated");
    struct gb_bytes signum = json_text(cell, "signal");
    struct gb_buf shown = {0};
    int64_t number;

    *outcome = (struct outcome){
        .exit_code = -1,
        .timed_out = json_true(cell, "timed_out"),
        .interrupted = json_true(cell, "interrupted"),
        .oom = json_true(cell, "oom"),
        .state_lost = json_true(cell, "state_lost"),
        .code_lost = json_true(cell, "code_lost"),
        .result_lost = json_true(cell, "result_lost"),
        .left_out = json_count(truncated, "stdout") + json_count(truncated, "stderr"),
    };
    if (code != NULL && gb_json_integer(code, &number) && number >= 0 && number < 256)
        outcome->exit_code = (int)number;
    filter_plain(&shown, signum);
    (void)snprintf(outcome->signal, sizeof(outcome->signal), "%s", gb_buf_str(&shown));
    gb_buf_release(&shown);
}

void outcome_lost(const struct outcome *outcome, struct gb_buf *to)
{
    if (!outcome->code_lost && !outcome->result_lost)
        return;
    gb_buf_addf(to, "%s lost: the journal is damaged%s",
                !outcome->result_lost ? "its code is"
                : outcome->code_lost  ? "its code and what became of it are"
                                      : "what became of it is",
                outcome->result_lost ? ", or could not be written" : "");
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
    if (outcome->result_lost)
        return;
    (void)snprintf(code, sizeof(code), "exit %d", outcome->exit_code);
    if (outcome->timed_out)
        outcome_add(to, before, "timed out");
    if (outcome->interrupted)
        outcome_add(to, before, "interrupted");
    if (outcome->oom)
        outcome_add(to, before, "out of memory");
    if (outcome->signal[0] != '\0')
        outcome_add(to, before, outcome->signal);
    if (outcome->exit_code > 0)
        outcome_add(to, before, code);
    if (outcome->state_lost)
        outcome_add(to, before, "state lost");
}

void outcome_word(const struct outcome *outcome, char *to, size_t room)
{
    if (outcome->exit_code > 0)
        (void)snprintf(to, room, "exit %d", outcome->exit_code);
    else
        (void)snprintf(to, room, "%s", outcome->result_lost ? "lost" : "");
    if (outcome->signal[0] != '\0')
        (void)snprintf(to, room, "%s", outcome->signal);
    if (outcome->interrupted)
        (void)snprintf(to, room, "interrupted");
    if (outcome->oom)
        (void)snprintf(to, room, "out of memory");
    if (outcome->timed_out)
        (void)snprintf(to, room, "timed out");
}

void outcome_left_out(uint64_t bytes, char *to, size_t room)
{
    (void)snprintf(to, room, "%" PRIu64 " bytes of output were left out", bytes);
}

void outcome_advise(const struct outcome *outcome, void (*say)(void *arg, const char *sentence),
                    void *arg)
{
    if (outcome->oom)
        say(arg, "the VM ran out of memory; -m gives it more");
    if (outcome->timed_out)
        say(arg, "the time is up; -t gives it more");
    if (outcome->state_lost)
        say(arg, outcome_state_lost);
}
