/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager: socket activation and notifications, by the protocols of sd_listen_fds(3)
 * and sd_notify(3); without a manager these functions do nothing. */
#pragma once

#include "base/err.h"
#include "loop/loop.h"

/* The socket passed by the manager ($LISTEN_FDS), and its path (gives); -1: none. GB_EINVALID: more
 * than one, or not a listening Unix stream socket with a path. */
int service_socket(int *ret_fd, char **ret_path, struct gb_err *err);

struct service;

/* Notifies the watchdog periodically from the loop, if that is enabled. Gives. */
struct service *service_new(struct gb_loop *loop);
void service_ready(struct service *service);
void service_reloading(struct service *service);
void service_stopping(struct service *service);
/* No-op on NULL. */
void service_free(struct service *service);
