/* SPDX-License-Identifier: Apache-2.0 */
/* The lexical part of the rules for paths that the host sends. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* A path below the home, without its beginning: "." for the home itself. */
struct path {
    char text[GB_PATH_MAX + 4];
    size_t size;
};

/* Relative paths, and absolute ones at or below @home. Refused: NUL, absolute paths elsewhere and
 * more ".." than names before them (GB_EPOLICY), a name of more than 255 bytes (GB_ETOOLARGE),
 * nothing at all (GB_EINVALID). Other ".." and symbolic links are the kernel's to judge. */
int path_parse(struct gb_bytes input, const char *home, struct path *ret_path, struct gb_err *err);

/* Cuts the last name off @path, which then is its folder, and returns it: it stays in @path behind
 * the cut. NULL (and nothing cut) when the path has no last name that a file could have: ".", "..",
 * or a trailing slash. */
const char *path_split(struct path *path);
