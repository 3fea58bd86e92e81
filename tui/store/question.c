/* SPDX-License-Identifier: Apache-2.0 */
#include "store/question.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "rpc/access.h"
#include "store/read.h"

/* Where the question is, or where it would be added: at the end. NULL: there is no room. */
static struct question **question_place(struct session *session, uint64_t number)
{
    struct question **at = &session->question;
    unsigned count = 0;

    for (; *at != NULL && (*at)->number != number; at = &(*at)->next)
        count++;
    return *at != NULL || count < QUESTIONS_MAX ? at : NULL;
}

void question_add(struct session *session, const struct gb_question_info *info)
{
    struct question **at = question_place(session, info->question);
    struct question *question;

    if (at == NULL || info->question == 0)
        return;
    if (*at == NULL)
        *at = xcalloc(1, sizeof(**at));
    question = *at;
    question->number = info->question;
    question->port = info->port;
    question->cell = info->cell;
    question->connections = info->connections;
    json_copy_text(info->name.size > 0 ? info->name : info->address, question->target,
                   sizeof(question->target));
}

void question_remove(struct session *session, uint64_t number)
{
    struct question **at = question_place(session, number);
    struct question *question;

    if (at == NULL || *at == NULL)
        return;
    question = *at;
    *at = question->next;
    free(question);
}

void questions_clear(struct session *session)
{
    while (session->question != NULL)
        question_remove(session, session->question->number);
}

void question_text(const struct question *question, char *text, size_t room)
{
    char cell[32] = "it";

    if (question->cell > 0)
        (void)snprintf(cell, sizeof(cell), "cell %u", question->cell);
    (void)snprintf(text, room, "%s asks to connect to %s port %u%s", cell, question->target,
                   question->port, question->next != NULL ? ", and there are more questions" : "");
}
