/* SPDX-License-Identifier: Apache-2.0 */
/* Completion and the like: questions to the session's worker, answered while a cell runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "parse/control.h"
#include "wire/guest.h"

struct agent;
struct worker;

enum { QUERIES_MAX = 16 };

/* Questions that are under way. Embed it; zeroed is empty. */
struct queries {
    struct {
        uint32_t id; /* the host's request, 0: free */
        enum control_type answer;
    } open[QUERIES_MAX];
};

void query_complete(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_complete *question);
void query_is_complete(struct agent *agent, const struct gb_frame *frame,
                       const struct gb_is_complete *question);

/* Whether one is under way. */
bool query_is_open(const struct queries *queries);

/* An answer of @worker goes to whoever asked. */
void query_answer(struct agent *agent, struct worker *worker,
                  const struct control_message *message);

/* All that is under way is answered by an error. */
void query_worker_gone(struct agent *agent, const struct worker *worker);
