/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that are found on this host: `python` and `node` allow the package index that the
 * server's user has configured for pip or npm, or else what these use without a configuration, the
 * hosts where that index says that its files are, and nothing else.
 *
 * Configuration is read from files and variables each time, so that a change needs no restart.
 * What only the package manager itself can tell is in what its command prints (net/index.h runs
 * it). Credentials in an index's address are not used. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { GB_PRESETS = 2 };

/* The number of the preset of that name, below GB_PRESETS; -1: there is none. */
int gb_preset_number(struct gb_bytes name);

/* What is known of the indexes of a preset beyond their configuration; zeroed: nothing. */
struct gb_preset_known {
    struct gb_bytes said;   /* what its command has printed */
    struct gb_bytes places; /* lines "NAME ADDRESS…", of hosts that have no public address */
};

/* Adds the rules of a preset as text. An index that has no public address may be reached at those
 * that it has now, and at no other (`resolve`); so may a host of its files, if it is at the same
 * address and port. GB_EINVALID: no index is known, or an address that is configured cannot be
 * read. */
int gb_preset_rules(int number, const struct gb_preset_known *known, struct gb_buf *rules,
                    struct gb_err *err);

/* Adds the address of the index itself, to be given to a package manager in a guest. GB_ENOTFOUND:
 * none is known. GB_EINVALID: an address cannot be read. GB_EUNSUPPORTED: it has credentials. */
int gb_preset_index(int number, struct gb_bytes said, struct gb_buf *index, struct gb_err *err);

/* Calls @add with each variable that makes a guest's package manager use that index; stops when one
 * is negative, and returns it. */
int gb_preset_variables(int number, struct gb_bytes index,
                        int (*add)(void *arg, const char *name, struct gb_bytes value), void *arg);

/* For /bin/sh: makes the package manager print what it uses. It may use the network. */
const char *gb_preset_command(int number);

/* The addresses in a configuration file of pip (`index-url`, `extra-index-url` under `[global]` and
 * `[install]`) or of npm (`registry`, also of scopes), as rules. False: one is no address. */
bool gb_preset_read_pip(struct gb_bytes file, struct gb_buf *rules);
bool gb_preset_read_npm(struct gb_bytes file, struct gb_buf *rules);
