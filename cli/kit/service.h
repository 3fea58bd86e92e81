/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager: the socket that it hands over, and what it is told. The protocols are those
 * of sd_listen_fds(3) and sd_notify(3); without a manager all of it does nothing. */
#pragma once

#include "base/err.h"
#include "loop/loop.h"

/* The socket that was handed over ($LISTEN_FDS), and its path (gives); -1: none was. GB_EINVALID:
 * more than one, or something that is no listening Unix stream socket with a path. */
int service_socket(int *ret_fd, char **ret_path, struct gb_err *err);

struct service;

/* Tells the watchdog from the loop that it turns, if it wants to know. Gives. */
struct service *service_new(struct gb_loop *loop);
void service_ready(struct service *service);
void service_reloading(struct service *service);
void service_stopping(struct service *service);
/* Accepts NULL. */
void service_free(struct service *service);
