/* SPDX-License-Identifier: Apache-2.0 */
/* Completion, descriptions of names and similar queries to the session's worker, which are answered
 * even while a cell runs. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "parse/control.h"
#include "wire/guest.h"

struct agent;
struct worker;

enum { QUERIES_MAX = 16 };

/* Queries in progress. Embed it; zeroed is empty. */
struct queries {
    struct {
        uint32_t id; /* the host's request id; 0: free slot */
        enum control_type answer;
    } open[QUERIES_MAX];
};

void query_complete(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_complete *question);
void query_is_complete(struct agent *agent, const struct gb_frame *frame,
                       const struct gb_is_complete *question);

void query_describe(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_describe *question);

/* Whether any is in progress. */
bool query_is_open(const struct queries *queries);

/* Forwards @worker's answer to the request that it belongs to. */
void query_answer(struct agent *agent, struct worker *worker,
                  const struct control_message *message);

/* Answers all queries in progress with an error. */
void query_worker_gone(struct agent *agent, const struct worker *worker);
