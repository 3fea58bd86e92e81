/* SPDX-License-Identifier: Apache-2.0 */
/* Collects ssh's standard error while it carries a connection, to explain why the link was lost. */
#pragma once

#include "base/buf.h"
#include "loop/loop.h"

struct gb_link;

/* Takes @errors (−1: none), reads it, and keeps the end of it. Copies @name. Gives. */
struct gb_link *gb_link_new(struct gb_loop *loop, int errors, const char *name);
/* Calls @told once, from the loop, when ssh has closed its standard error or has had enough time to
 * write to it. */
void gb_link_settle(struct gb_link *link, void (*told)(void *arg), void *arg);
/* Adds "the link to NAME was lost: " and ssh's last line. */
void gb_link_why(const struct gb_link *link, struct gb_buf *out);
/* No-op on NULL. */
void gb_link_free(struct gb_link *link);
