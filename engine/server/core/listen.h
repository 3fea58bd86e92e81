/* SPDX-License-Identifier: Apache-2.0 */
/* The socket file, its lock, and which peers are accepted. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/* @handed_fd: a socket that is already listening at the path; −1: none. */
int listen_open(const char *path, int handed_fd, int *ret_lock_fd, int *ret_fd, struct gb_err *err);
/* Whether the peer has our uid. */
bool listen_trusted(int fd, pid_t *ret_pid);
