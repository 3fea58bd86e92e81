/* SPDX-License-Identifier: Apache-2.0 */
/* The lock of the folder of checkpoints: two servers would remove, and take up, what is the other
 * one's. It is held for as long as anybody uses the folder, which may be longer than its server
 * lives. */
#pragma once

#include "base/err.h"

struct folder_lock;

/* Gives the first use of it. GB_EBUSY: another server has it. */
int lock_take(const char *folder, struct folder_lock **ret_lock, struct gb_err *err);
/* Gives another use. */
struct folder_lock *lock_share(struct folder_lock *lock);
/* Takes one; the last one unlocks the folder. No-op on NULL. */
void lock_drop(struct folder_lock *lock);
