/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh says while a connection goes through it, and why the link was lost. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct gb_link;

/* Takes @errors (−1: nothing is said), reads it, and keeps the end. @name is copied. Gives. */
struct gb_link *gb_link_new(struct gb_loop *loop, int errors, const char *name);
/* @told is called once, from the loop, when ssh has said its last words or has had time for them.
 */
void gb_link_settle(struct gb_link *link, void (*told)(void *arg), void *arg);
/* "the link to NAME was lost: its last line". */
void gb_link_why(const struct gb_link *link, struct gb_buf *out);
/* Accepts NULL. */
void gb_link_free(struct gb_link *link);
