/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of its own for each unit test: a fixture that makes it and removes it with all that the
 * test has left in it. */
#pragma once

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[64];

/* @name is that of the test: the folder lies in /tmp. */
static inline void check_folder_make(const char *name)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-%s-test-XXXXXX", name);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline int check_folder_discard(const char *path, const struct stat *info, int type,
                                       struct FTW *at)
{
    (void)info, (void)type, (void)at;
    return remove(path);
}

static inline void check_folder_remove(void)
{
    ck_assert_int_eq(nftw(folder, check_folder_discard, 16, FTW_DEPTH | FTW_PHYS), 0);
}
