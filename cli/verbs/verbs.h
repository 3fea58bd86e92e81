/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs. Each has a file of the same name, which ends with its row: its options, its help, and
 * its function. */
#pragma once

#include "cli/args.h"

struct gb_images;

/* In the order in which help lists them. A new verb needs a line here and its file. */
#define VERBS(X)                                                                                   \
    X(run)                                                                                         \
    X(tui)                                                                                         \
    X(attach)                                                                                      \
    X(watch)                                                                                       \
    X(top)                                                                                         \
    X(repl)                                                                                        \
    X(open)                                                                                        \
    X(exec)                                                                                        \
    X(shell)                                                                                       \
    X(ls)                                                                                          \
    X(close)                                                                                       \
    X(interrupt)                                                                                   \
    X(undo)                                                                                        \
    X(redo)                                                                                        \
    X(rewind)                                                                                      \
    X(fork)                                                                                        \
    X(diff)                                                                                        \
    X(checkpoint)                                                                                  \
    X(checkpoints)                                                                                 \
    X(sleep)                                                                                       \
    X(wake)                                                                                        \
    X(answer)                                                                                      \
    X(network)                                                                                     \
    X(packages)                                                                                    \
    X(secret)                                                                                      \
    X(port)                                                                                        \
    X(put)                                                                                         \
    X(get)                                                                                         \
    X(log)                                                                                         \
    X(note)                                                                                        \
    X(export)                                                                                      \
    X(mcp)                                                                                         \
    X(serve)                                                                                       \
    X(stdio)                                                                                       \
    X(doctor)                                                                                      \
    X(image)                                                                                       \
    X(version)                                                                                     \
    X(help)                                                                                        \
    X(completion)

#define DECLARE(name_) extern const struct verb verb_##name_;
VERBS(DECLARE)
#undef DECLARE

/* All of them; NULL-terminated. */
extern const struct verb *const verbs[];

/* `glassbell VERB --help`, with the languages of verbs_images(). */
void verbs_help(struct gb_buf *out, const struct verb *verb);
/* The images on this machine, as `image ls` lists them; NULL: there are none. Gives. */
struct gb_images *verbs_images(void);
/* Reports an unknown verb, and which one may be meant. Returns EXIT_USAGE. */
int verbs_unknown(const char *name);
