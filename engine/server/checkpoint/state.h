/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this part share. Not for others.
 *
 * Theory of operation. What is asked about the past of a session is a *job*: a checkpoint, or a
 * rewind. A session has one at a time, and the others wait. A job begins when nothing is under way
 * in the session, no cell, request or file, and until then its patience runs: so nobody has half of
 * a file in the guest when its memory becomes another. Then the session is held, and everything
 * that is asked of it waits until the job lets it go.
 *
 * A checkpoint: hold → copy → release → write. The session goes on while it is written.
 * A rewind: hold → (a checkpoint of now, unless there is one) → another VM is made of the moment
 * that is wanted → exchange. When that fails the session is released as it was. */
#pragma once

#include "base/list.h"
#include "capacity/admission.h"
#include "past/lives.h"
#include "past/past.h"
#include "server/core/hosted.h"
#include "server/core/part.h"
#include "server/core/request.h"

struct checkpoint_server {
    char *folder;      /* NULL: none can be taken */
    struct gb_err why; /* then */
    uint64_t bytes;    /* of all sessions, on the disk */
};

/* The moment that is wanted: the first of these that is given. */
struct job_target {
    uint64_t seq; /* 0: not given */
    int64_t cell; /* −1: not given */
    const char *name;
    int64_t steps;
};

struct job {
    struct gb_list link; /* in `waiting` of its session, or nowhere */
    struct hosted *hosted;
    struct request *request; /* NULL: nobody waits for it (any more) */
    bool rewinds;            /* else it takes a checkpoint */
    bool released;           /* the session goes on already */
    bool asked;              /* by a client */
    char *name;              /* of the checkpoint, or of the target; NULL: none */
    struct job_target target;
    uint64_t begun_ns, from_seq;
    uint32_t cells;       /* that there were, when it began */
    uint32_t cell;        /* the last one of them that is not undone */
    struct gb_slot *slot; /* of the VM that it makes */
    struct gb_timer *patience;
};

struct checkpoint_session {
    struct gb_past *past; /* NULL: nothing was taken yet */
    struct gb_lives lives;
    struct gb_timer *idle;  /* until the next one by itself */
    struct gb_list waiting; /* jobs */
    struct job *job;        /* the one that has begun */
    uint64_t counted_bytes; /* of it, in the server's sum */
    bool is_known;          /* nothing has been asked of it since the checkpoint that it follows */
    bool too_large;         /* to be looked at unless it is asked for */
    uint64_t known_ns;      /* then: when it was last active */
    uint64_t tried_ns;      /* likewise, when the last one by itself began, however it went */
};

/* ---- state.c ---- */

extern const struct part_state checkpoint_sizes;

static inline struct checkpoint_session *checkpoint_of(struct hosted *hosted)
{
    return part_of_session(hosted, &checkpoint_sizes);
}

static inline struct checkpoint_server *checkpoint_of_server(const struct gb_server *server)
{
    return part_of_server(server, &checkpoint_sizes);
}

/* 0; or GB_ENOPAST, or GB_ECAPACITY, and why no checkpoint of this session can be taken. */
int checkpoint_may_be(struct hosted *hosted, struct gb_err *err);
/* The same, and its past is there then. */
int checkpoint_make_past(struct hosted *hosted, struct gb_err *err);
/* Whether the checkpoint that the session follows is that of now. */
bool checkpoint_is_now(struct hosted *hosted);
/* It is, from now on. */
void checkpoint_is_known(struct hosted *hosted);
/* What the session's chain takes has changed. */
void checkpoint_count(struct hosted *hosted);

/* ---- job.c ---- */

/* Takes @job. */
void job_add(struct job *job, uint64_t wait_ms);
/* Begins the next one, if it may begin now. */
void job_next(struct hosted *hosted);
/* The session ends: all of them fail. */
void job_end_all(struct hosted *hosted, const struct gb_err *why);

/* ---- target.c ---- */

/* The checkpoint that is meant; 0, and GB_EGONE. With @steps the session has to follow that of now.
 */
uint64_t target_find(const struct gb_past *past, const struct job_target *target,
                     struct gb_err *err);
/* The same before the checkpoint of now is taken; 0: there is none, or it cannot be told yet. */
uint64_t target_ahead(const struct gb_past *past, const struct job_target *target);
/* The one that lies nearest to it, for the error's data. NULL: there is none. */
const struct gb_past_moment *target_nearest(const struct gb_past *past,
                                            const struct job_target *target);
