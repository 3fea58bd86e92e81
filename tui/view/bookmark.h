/* SPDX-License-Identifier: Apache-2.0 */
/* The commands about bookmarks and notes of cells (remark.h). */
#pragma once

#include "app/tui.h"

void bookmark_run(struct tui *tui, const struct words *words);
void bookmark_run_note(struct tui *tui, const struct words *words);
void bookmark_run_next(struct tui *tui, const struct words *words);
void bookmark_run_previous(struct tui *tui, const struct words *words);
void bookmark_run_only(struct tui *tui, const struct words *words);
