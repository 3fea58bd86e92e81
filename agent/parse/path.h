/* SPDX-License-Identifier: Apache-2.0 */
/* The lexical part of the rules for paths sent by the host. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

/* A path relative to the home: "." for the home itself. */
struct path {
    char text[GB_PATH_MAX + 4];
    size_t size;
};

/* Accepts relative paths, and absolute ones at or below @home. Rejects NUL, absolute paths
 * elsewhere and more ".." than names before them (GB_EPOLICY), a name of more than 255 bytes
 * (GB_ETOOLARGE), and an empty path (GB_EINVALID). The kernel decides about other ".." and symbolic
 * links. */
int path_parse(struct gb_bytes input, const char *home, struct path *ret_path, struct gb_err *err);

/* Cuts the last component off @path, which is then its folder, and returns it: it remains in @path
 * after the cut. NULL (and no cut) if the last component cannot be a file name: ".", "..", or a
 * trailing slash. */
const char *path_split(struct path *path);
