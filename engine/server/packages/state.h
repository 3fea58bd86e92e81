/* SPDX-License-Identifier: Apache-2.0 */
/* The packages part's state. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"
#include "net/index.h"
#include "server/core/hosted.h"
#include "server/core/part.h"
#include "server/packages/store.h"

struct build;

struct packages_server {
    struct gb_list builds;   /* struct build */
    unsigned builders;       /* sessions that have not ended */
    uint64_t made;           /* layers that builds have made */
    struct gb_deferred turn; /* of the builds that have not begun */
    struct gb_indexes *indexes;
    char *folder;
};

struct packages_session {
    struct hosted *hosted;
    struct gb_buf wanted;      /* lines, sorted; empty: no packages */
    struct gb_index_wait told; /* where the index has to be found first */
    struct gb_list wait;       /* in the build that it waits for */
    struct build *waits_for;
    char key[STORE_KEY_HEX + 1];
    bool waits;
    struct build *builds; /* it is the builder of this */
    bool is_builder;      /* it is one, or was until its VM ended */
};

extern const struct part_state packages_sizes;

struct packages_session *packages_of(struct hosted *hosted);
struct packages_server *packages_server(const struct gb_server *server);
