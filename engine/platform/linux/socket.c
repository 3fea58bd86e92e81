/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int gb_socket_new(int type, bool nonblocking)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0);

    return fd < 0 ? -errno : fd;
}

int gb_socket_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

int gb_socket_packet_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

int gb_socket_pipe(int ret_fds[2])
{
    return pipe2(ret_fds, O_CLOEXEC) < 0 ? -errno : 0;
}

int gb_socket_accept(int fd)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    return client < 0 ? -errno : client;
}

ssize_t gb_socket_send(int fd, const void *data, size_t size)
{
    ssize_t n = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

    return n < 0 ? -errno : n;
}

ssize_t gb_socket_send_message(int fd, const struct msghdr *message)
{
    ssize_t n = sendmsg(fd, message, MSG_NOSIGNAL | MSG_DONTWAIT);

    return n < 0 ? -errno : n;
}

int gb_socket_peer(int fd, struct gb_socket_peer *ret_peer)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return -errno;
    *ret_peer = (struct gb_socket_peer){.uid = peer.uid, .pid = peer.pid};
    return 0;
}
