/* SPDX-License-Identifier: Apache-2.0 */
/* Connections of sessions that wait until somebody says whether they may be made. */
#pragma once

#include <stdint.h>

#include "model/network.h"
#include "store/store.h"

/* As many as a session can have; further ones are ignored. */
enum { QUESTIONS_MAX = 16 };

struct question {
    struct question *next; /* the next newer one */
    uint64_t number;       /* in the session */
    uint32_t port, cell, connections;
    char target[STORE_NAME_MAX]; /* a host's name, or an address; untrusted text */
};

/* Adds a question, or replaces the one with its number. */
void question_add(struct session *session, const struct gb_question_info *info);
/* No-op if there is none with this number. */
void question_remove(struct session *session, uint64_t number);
void questions_clear(struct session *session);

/* "cell 3 asks to connect to example.org port 443", for people. */
void question_text(const struct question *question, char *text, size_t room);
