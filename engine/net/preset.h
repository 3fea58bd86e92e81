/* SPDX-License-Identifier: Apache-2.0 */
/* Policies that are found on this host: `python` and `node` allow the package index that the
 * server's user has configured for pip or npm, and nothing else. The files and variables are read
 * each time, so that a change needs no restart. Credentials in an index's address are not used. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Adds the rules of that preset as text: 1; 0: there is none of that name. GB_EINVALID: no index is
 * configured for it, or its address cannot be read. */
int gb_preset_rules(struct gb_bytes name, struct gb_buf *rules, struct gb_err *err);

/* Adds the address of the index itself, to be given to a package manager in a guest. GB_EINVALID: as
 * above. GB_EUNSUPPORTED: it has credentials in it, or there is no such preset. */
int gb_preset_index(struct gb_bytes name, struct gb_buf *index, struct gb_err *err);

/* The addresses in a configuration file of pip (`index-url`, `extra-index-url` under `[global]` and
 * `[install]`) or of npm (`registry`, also of scopes), as rules. False: one is no address. */
bool gb_preset_read_pip(struct gb_bytes file, struct gb_buf *rules);
bool gb_preset_read_npm(struct gb_bytes file, struct gb_buf *rules);
