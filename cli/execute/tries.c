/* SPDX-License-Identifier: Apache-2.0 */
/* The same code in several forks of a session: each job is a try, and gets a fork. */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "execute/internal.h"
#include "model/past.h"
#include "rpc/object.h"

enum { TRIES_WAIT_MS = 60000, TRIES_DEADLINE_MS = 600000 };

/* Its output follows. */
static void tries_head(struct job *job)
{
    struct gb_buf line = {0};

    gb_buf_addf(&line, "== try %td: %s\n", job - job->execution->jobs + 1, job->session);
    if (!job->execution->config->json)
        report_write(job, TO_STDOUT, gb_buf_bytes(&line));
    gb_buf_release(&line);
}

static void tries_take(void *arg, const struct gb_json *result)
{
    struct execution *execution = arg;
    struct gb_forked_info forked;
    struct gb_fork_info child;
    size_t i = 0;

    gb_object_take(&gb_forked_object, result, &forked);
    for (size_t at = 0; i < execution->config->count &&
                        gb_items_next(&gb_fork_object, &forked.sessions, &at, &child) == 1;
         i++) {
        struct job *job = &execution->jobs[i];

        if ((child.flags & GB_FORK_FAILED) != 0) {
            _cleanup_(freep) char *message =
                xstrndup((const char *)child.message.data, child.message.size);

            report_say(job, message, "");
            continue;
        }
        job->session = xstrndup((const char *)child.session.data, child.session.size);
        job->owned = !execution->config->keeps;
        tries_head(job);
    }
}

void tries_fork(struct execution *execution)
{
    const struct execute_config *config = execution->config;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", config->session);
    gb_json_put_u64(&out, "count", config->count);
    gb_json_put_u64(&out, "wait_ms", TRIES_WAIT_MS);
    gb_json_end(&out);
    (void)app_call(execution->app, "session.fork", &params, TRIES_DEADLINE_MS, tries_take,
                   execution);
    gb_buf_release(&params);
    if (config->ours)
        (void)app_call_on(execution->app, "session.close", config->session, TRIES_WAIT_MS, NULL,
                          NULL);
    for (size_t i = 0; i < config->count; i++)
        if (execution->jobs[i].session == NULL)
            job_finish(&execution->jobs[i], EXIT_GLASSBELL);
}
