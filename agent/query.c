/* SPDX-License-Identifier: Apache-2.0 */
#include "query.h"

#include "agent.h"
#include "base/limits.h"
#include "system.h"

/* Bytes of queries that the interpreter has not read. */
enum { UNREAD_MAX = 2 * GB_CODE_MAX };

/* Whether a query of @size bytes may wait: the queue has to grow for it. */
static int query_check_room(const struct agent *agent, size_t size, struct gb_err *err)
{
    const size_t unread = agent->kernel.query.out.size;

    if (unread > 0 && unread + size > UNREAD_MAX)
        return gb_err_set(err, GB_EBUSY, "the interpreter does not read its queries");
    return system_check_available(agent->boot.proc_fd, agent->reserve + unread + size, err);
}

/* Records a query of @size bytes; false, with an error to the host, if it cannot be asked. */
static bool open_query(struct agent *agent, uint32_t id, enum control_type answer, size_t size)
{
    struct gb_err err;

    if (agent->kernel.state != WORKER_READY || agent->kernel.query.source.fd < 0)
        (void)gb_err_set(&err, GB_EBUSY, "the interpreter is not ready");
    else if (id == 0)
        (void)gb_err_set(&err, GB_EINVALID, "a query needs a number");
    else if (query_check_room(agent, size, &err) == 0) {
        for (unsigned i = 0; i < QUERIES_MAX; i++) {
            if (agent->queries.open[i].id != 0)
                continue;
            agent->queries.open[i].id = id;
            agent->queries.open[i].answer = answer;
            return true;
        }
        (void)gb_err_set(&err, GB_EBUSY, "%d queries are unanswered", QUERIES_MAX);
    }
    port_send_error(&agent->port, id, &err);
    return false;
}

bool query_is_open(const struct queries *queries)
{
    for (unsigned i = 0; i < QUERIES_MAX; i++)
        if (queries->open[i].id != 0)
            return true;
    return false;
}

void query_complete(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_complete *question)
{
    const struct control_complete message = {frame->id, question->code, question->cursor};

    if (open_query(agent, frame->id, CONTROL_COMPLETIONS, question->code.size))
        worker_send(&agent->kernel, CONTROL_QUERY, CONTROL_COMPLETE, &control_complete_fields,
                    &message);
}

void query_is_complete(struct agent *agent, const struct gb_frame *frame,
                       const struct gb_is_complete *question)
{
    const struct control_is_complete message = {frame->id, question->code};

    if (open_query(agent, frame->id, CONTROL_COMPLETENESS, question->code.size))
        worker_send(&agent->kernel, CONTROL_QUERY, CONTROL_IS_COMPLETE, &control_is_complete_fields,
                    &message);
}

void query_describe(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_describe *question)
{
    const struct control_describe message = {frame->id, question->code};

    if (open_query(agent, frame->id, CONTROL_DESCRIPTION, question->code.size))
        worker_send(&agent->kernel, CONTROL_QUERY, CONTROL_DESCRIBE, &control_describe_fields,
                    &message);
}

static void pass_on(struct agent *agent, uint32_t id, const struct control_message *message)
{
    struct port *port = &agent->port;
    const struct control_completions *found = &message->completions;
    const struct control_description *told = &message->description;
    const struct gb_completions completions = {found->start, found->end, found->matches};
    const struct gb_completeness_reply reply = {message->completeness.status,
                                                message->completeness.indent};
    const struct gb_description description = {told->type, told->signature, told->summary};

    if (message->type == CONTROL_COMPLETIONS)
        port_send(port, (struct gb_frame){.type = GB_GUEST_COMPLETIONS, .id = id},
                  &gb_completions_fields, &completions);
    else if (message->type == CONTROL_COMPLETENESS)
        port_send(port, (struct gb_frame){.type = GB_GUEST_COMPLETENESS, .id = id},
                  &gb_completeness_fields, &reply);
    else
        port_send(port, (struct gb_frame){.type = GB_GUEST_DESCRIPTION, .id = id},
                  &gb_description_fields, &description);
}

void query_answer(struct agent *agent, struct worker *worker, const struct control_message *message)
{
    const uint32_t id = message->completions.id; /* the first field of all three */

    for (unsigned i = 0; i < QUERIES_MAX && worker == &agent->kernel; i++) {
        if (agent->queries.open[i].id != id || id == 0 ||
            agent->queries.open[i].answer != message->type)
            continue;
        agent->queries.open[i].id = 0;
        pass_on(agent, id, message);
        return;
    }
    worker_condemn(worker, "the worker answered a query that was not sent");
}

void query_worker_gone(struct agent *agent, const struct worker *worker)
{
    struct gb_err err;

    if (worker != &agent->kernel)
        return;
    (void)gb_err_set(&err, GB_EBUSY, "the interpreter has ended before it answered");
    for (unsigned i = 0; i < QUERIES_MAX; i++) {
        if (agent->queries.open[i].id != 0)
            port_send_error(&agent->port, agent->queries.open[i].id, &err);
        agent->queries.open[i].id = 0;
    }
}
