/* SPDX-License-Identifier: Apache-2.0 */
#include "client/link.h"

#include <stdlib.h>

#include "base/mem.h"
#include "client/ssh.h"

/* A master connection left running by ssh keeps standard error open: there may never be an end of
 * file. */
enum { READ_BYTES = 4096, SAID_MAX = 4096, LAST_WORDS_MS = 500 };

struct gb_link {
    struct gb_loop *loop;
    struct gb_stream *errors; /* NULL: ended */
    struct gb_buf said;
    struct gb_timer *patience;
    struct gb_deferred ended;
    void (*told)(void *arg);
    void *arg;
    char *name;
};

static void link_settled(void *arg)
{
    struct gb_link *link = arg;
    void (*told)(void *arg) = link->told;

    link->told = NULL;
    gb_timer_stop(link->patience);
    gb_loop_undefer(&link->ended);
    if (told != NULL)
        told(link->arg);
}

static void link_on_input(void *arg, struct gb_buf *input)
{
    struct gb_link *link = arg;

    gb_buf_add(&link->said, gb_buf_data(input), input->size);
    gb_buf_consume(input, input->size);
    if (link->said.size > SAID_MAX)
        gb_buf_consume(&link->said, link->said.size - SAID_MAX);
}

static void link_on_closed(void *arg, int sys_errno)
{
    struct gb_link *link = arg;

    (void)sys_errno;
    gb_stream_free(link->errors);
    link->errors = NULL;
    if (link->told != NULL)
        link_settled(link);
}

struct gb_link *gb_link_new(struct gb_loop *loop, int errors, const char *name)
{
    static const struct gb_stream_events events = {.input = link_on_input,
                                                   .closed = link_on_closed};
    struct gb_link *link = xcalloc(1, sizeof(*link));

    link->loop = loop;
    link->name = xstrdup(name);
    link->patience = gb_timer_new(loop, link_settled, link);
    if (errors >= 0)
        link->errors = gb_stream_new(loop, errors, READ_BYTES, &events, link);
    return link;
}

void gb_link_settle(struct gb_link *link, void (*told)(void *arg), void *arg)
{
    link->told = told;
    link->arg = arg;
    if (link->errors == NULL)
        gb_loop_defer(link->loop, &link->ended, link_settled, link);
    else
        gb_timer_start(link->patience, LAST_WORDS_MS);
}

void gb_link_why(const struct gb_link *link, struct gb_buf *out)
{
    struct gb_buf line = {0};

    gb_ssh_last_line(gb_buf_bytes(&link->said), &line);
    gb_buf_addf(out, "the link to %s was lost%s%s", link->name, line.size > 0 ? ": " : "",
                gb_buf_str(&line));
    gb_buf_release(&line);
}

void gb_link_free(struct gb_link *link)
{
    if (link == NULL)
        return;
    gb_stream_free(link->errors);
    gb_timer_free(link->patience);
    gb_loop_undefer(&link->ended);
    gb_buf_release(&link->said);
    free(link->name);
    free(link);
}
