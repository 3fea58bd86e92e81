/* SPDX-License-Identifier: Apache-2.0 */
/* The note of a session that is asleep: what another server needs to know about it, as a JSON
 * object next to its chain. Read strictly: the file may be damaged, or foreign. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/member.h"
#include "rpc/json.h"
#include "settings/settings.h"

enum { NOTE_VERSION = 1, NOTE_LIVES_MAX = 10000, NOTE_NAMES_MAX = 10000, NOTE_ENV_MAX = 4096 };

struct note_life { /* as in struct gb_lives */
    uint64_t from_epoch;
    uint32_t from_cell, cells_before;
    uint32_t flags; /* none */
};

struct note_name { /* of a checkpoint */
    uint64_t seq;
    struct gb_bytes name;
    uint32_t flags; /* none */
};

struct note_setting { /* of the environment */
    struct gb_bytes name, value;
    uint32_t flags; /* none */
};

/* Texts with a NULL pointer are absent. They borrow from whoever built the struct. */
struct note {
    uint32_t version;
    struct gb_bytes id, image, key, label, owner, client, origin;
    struct gb_bytes checkpoints; /* its own policy, a word of the settings; absent: it has none */
    struct gb_bytes network, policy, rules, secrets; /* struct saved_session; absent: empty */
    struct gb_bytes packages, layer;                 /* as in struct hosted; absent: none */
    struct gb_bytes template; /* gb_templates_describe() when its VM was made */
    uint64_t origin_checkpoint, epoch, here, idle_ms, lifetime_ms;
    uint64_t created_at_ns, slept_at_ns; /* wall clock */
    uint32_t origin_cell, memory_mb, timeout_ms, cells, incarnation, incarnation_before;
    struct gb_items lives, names, env;
    uint32_t flags; /* none */
};

/* The words for `checkpoints`. */
extern const char *const note_policies[];

/* Appends it. */
void note_write(struct gb_buf *text, const struct note *note);
/* Parses @text, which is modified; @ret_note borrows from it and from @doc. GB_EINVALID. */
int note_read(struct gb_json_doc *doc, struct gb_buf *text, struct note *ret_note,
              struct gb_err *err);
bool note_find_policy(const struct note *note, enum gb_settings_checkpoints *ret_policy);
int note_next_life(const struct note *note, size_t *at, struct note_life *ret_life);
int note_next_setting(const struct note *note, size_t *at, struct note_setting *ret_setting);
int note_next_name(const struct note *note, size_t *at, struct note_name *ret_name);
