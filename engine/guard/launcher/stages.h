/* SPDX-License-Identifier: Apache-2.0 */
/* The stages that change the launcher itself. Each returns 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "guard/launcher/options.h"

/* Closes everything above what @options keeps; the launcher's own become close-on-exec. */
int stage_descriptors(const struct guard_options *options);

/* SIGKILL when the parent dies. It is forgotten whenever the user changes, so it is asked for
 * again.
 * @lifeline is a descriptor whose other end the parent alone holds: when that is closed the parent
 * died before the signal was asked for, and the result is -EOWNERDEAD. */
int stage_death_signal(int lifeline);

/* @own_uid: the user runs nothing else, so its processes can be counted. @memory_mb: what it may
 * have of memory of its own, 0 for any. Also makes it a better victim than others where memory runs
 * out. */
int stage_limits(bool own_uid, unsigned memory_mb);

/* A user namespace in which the user is who it was. */
int stage_user_namespace(void);

int stage_hostname(void);

/* Gives up root for @uid, as user, group and all; no supplementary groups. */
int stage_user(uid_t uid);

/* Empties the bounding set; needs CAP_SETPCAP, so it comes before stage_user(). */
int stage_bounding_set(void);
/* Empties all others and makes sure. */
int stage_capabilities(void);

int stage_no_new_privs(void);
