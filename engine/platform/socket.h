/* SPDX-License-Identifier: Apache-2.0 */
/* Unix sockets and pipes. Descriptors are close-on-exec from creation; sending to a closed peer is
 * an error, never a signal.
 *
 * All functions return 0, a descriptor or a number of bytes, or -errno. Any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* A Unix socket of @type (SOCK_STREAM, SOCK_DGRAM). */
int gb_socket_new(int type, bool nonblocking);

/* Two connected stream sockets, both blocking. */
int gb_socket_pair(int ret_fds[2]);

/* Two connected sockets for packets (SOCK_SEQPACKET), both blocking. */
int gb_socket_packet_pair(int ret_fds[2]);

/* A pipe: its read end and its write end, both blocking. */
int gb_socket_pipe(int ret_fds[2]);

/* Accepts the next client of a listening socket; the descriptor is non-blocking. */
int gb_socket_accept(int fd);

/* Sends as much as the socket accepts without blocking. */
ssize_t gb_socket_send(int fd, const void *data, size_t size);
/* The same with an address, or with descriptors beside the data. */
ssize_t gb_socket_send_message(int fd, const struct msghdr *message);

/* The peer of a connected stream socket: the process that called connect() or listen(), as the
 * kernel recorded it then. Use @pid for display only: another process may have it by now. */
struct gb_socket_peer {
    uid_t uid;
    pid_t pid;
};
int gb_socket_peer(int fd, struct gb_socket_peer *ret_peer);
