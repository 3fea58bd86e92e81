/* SPDX-License-Identifier: Apache-2.0 */
/* Questions: connections to the same target wait for one answer. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/internal.h"

struct net_question {
    struct gb_list link, waiters;
    struct gb_net_question what;
};

static struct net_question *question_find(const struct gb_net *net, const struct gb_net_news *news)
{
    for (struct gb_list *at = net->questions.next; at != &net->questions; at = at->next) {
        struct net_question *question = container_of(at, struct net_question, link);

        if (question->what.port == news->port &&
            strcmp(question->what.name, news->name != NULL ? news->name : "") == 0 &&
            strcmp(question->what.address, news->address != NULL ? news->address : "") == 0)
            return question;
    }
    return NULL;
}

static void question_free(struct net_question *question)
{
    gb_list_remove(&question->link);
    free(question);
}

static struct net_question *question_new(struct gb_net *net, const struct gb_net_news *news,
                                         const struct gb_policy_rule *rule)
{
    struct net_question *question = xcalloc(1, sizeof(*question));
    struct gb_net_question *what = &question->what;

    gb_list_init(&question->waiters);
    gb_list_add_tail(&net->questions, &question->link);
    what->number = ++net->questions_numbered;
    what->port = news->port;
    what->cell = news->cell;
    what->line = news->line;
    what->is_private = rule->is_private;
    what->has_mode = rule->has_mode;
    what->mode = rule->mode;
    what->asked_ns = gb_clock_mono_ns();
    what->asked_at_ns = gb_clock_wall_ns();
    if (news->name != NULL)
        memcpy(what->name, news->name, strlen(news->name) + 1);
    if (news->address != NULL)
        memcpy(what->address, news->address, strlen(news->address) + 1);
    return question;
}

const char *question_join(struct gb_net *net, struct net_waiter *waiter,
                          const struct gb_net_news *news, const struct gb_policy_rule *rule)
{
    struct net_question *question = question_find(net, news);
    const char *why = NULL;

    if (question == NULL) {
        if (gb_list_count(&net->questions) == GB_NET_QUESTIONS_MAX)
            return "too_many_questions";
        question = question_new(net, news, rule);
        question->what.waiting = 1;
        why = net->events.asked(net->arg, &question->what);
        if (why != NULL) {
            question_free(question);
            return why;
        }
    } else {
        question->what.waiting++;
    }
    waiter->question = question;
    gb_list_add_tail(&question->waiters, &waiter->link);
    return NULL;
}

void question_leave(struct gb_net *net, struct net_waiter *waiter, const char *answer)
{
    struct net_question *question = waiter->question;

    if (question == NULL)
        return;
    gb_list_remove(&waiter->link);
    waiter->question = NULL;
    if (--question->what.waiting > 0)
        return;
    net->events.answered(net->arg, &question->what, answer);
    question_free(question);
}

bool gb_net_answer(struct gb_net *net, uint64_t number, bool allow, const char *answer,
                   const char *reason)
{
    const struct gb_net_question *what = gb_net_question(net, number - 1);
    struct net_question *question;
    struct gb_list *link;

    if (number == 0 || what == NULL || what->number != number)
        return false;
    question = container_of((struct gb_net_question *)(uintptr_t)what, struct net_question, what);
    net->events.answered(net->arg, what, answer);
    while ((link = gb_list_pop(&question->waiters)) != NULL) {
        struct net_waiter *waiter = container_of(link, struct net_waiter, link);

        waiter->question = NULL;
        waiter->answered(waiter, allow, reason);
    }
    question_free(question);
    return true;
}

const struct gb_net_question *gb_net_question(const struct gb_net *net, uint64_t after)
{
    for (struct gb_list *at = net->questions.next; at != &net->questions; at = at->next) {
        const struct net_question *question = container_of(at, struct net_question, link);

        if (question->what.number > after)
            return &question->what;
    }
    return NULL;
}
