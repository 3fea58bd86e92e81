/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that the launcher applies to itself. Each returns 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "guard/launcher/options.h"

/* Closes all descriptors above those that @options keeps; the launcher's own become
 * close-on-exec. */
int stage_descriptors(const struct guard_options *options);

/* SIGKILL when the parent dies. The kernel clears this whenever the user changes, so it is set
 * again. Only the parent holds the other end of @lifeline: if that is closed, the parent died
 * before the signal was set, and the result is -EOWNERDEAD. */
int stage_death_signal(int lifeline);

/* @own_uid: the user runs nothing else, so its processes can be limited. @memory_mb: limit on
 * private memory, 0 for none. Also raises the OOM score, so that this process is killed before
 * others. */
int stage_limits(bool own_uid, unsigned memory_mb);

/* Enters a user namespace that maps the user to itself. */
int stage_user_namespace(void);

int stage_hostname(void);

/* Drops root for @uid as user and group ids, without supplementary groups. */
int stage_user(uid_t uid);

/* Empties the capability bounding set; needs CAP_SETPCAP, so call it before stage_user(). */
int stage_bounding_set(void);
/* Empties all other capability sets and verifies that. */
int stage_capabilities(void);

int stage_no_new_privs(void);
