/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors cannot be created close-on-exec here, so another thread that starts a program in
 * between passes one on. Only libuv starts programs while there are threads, and it has all other
 * descriptors closed (POSIX_SPAWN_CLOEXEC_DEFAULT). */
#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

/* Room for the largest packet, and for some of them: the default is 2 KiB. */
enum { SOCKET_PACKET_ROOM = 256 * 1024 };

/* Sending to a closed peer is an error. Sockets from elsewhere (libuv, a parent) are not always
 * prepared, so that it is done before each send as well. */
static int socket_silence(int fd)
{
    const int on = 1;

    if (setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on)) == 0)
        return 0;
    return errno == EINVAL ? -EPIPE : -errno; /* EINVAL: the peer is gone */
}

/* 0 or -errno. */
static int socket_prepare(int fd)
{
    int r = gb_fd_set_cloexec(fd, true);

    return r < 0 ? r : socket_silence(fd);
}

/* Takes both if one cannot be prepared. */
static int socket_prepare_pair(int fds[2])
{
    int r = socket_prepare(fds[0]);

    if (r == 0)
        r = socket_prepare(fds[1]);
    if (r < 0) {
        fds[0] = gb_close(fds[0]);
        fds[1] = gb_close(fds[1]);
    }
    return r;
}

int gb_socket_new(int type, bool nonblocking)
{
    _cleanup_(closep) int fd = socket(AF_UNIX, type, 0);
    int r = fd < 0 ? -errno : socket_prepare(fd);

    if (r == 0 && nonblocking)
        r = gb_fd_set_nonblocking(fd, true);
    return r < 0 ? r : TAKE_FD(fd);
}

int gb_socket_pair(int ret_fds[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM, 0, ret_fds) < 0 ? -errno : socket_prepare_pair(ret_fds);
}

/* There is no SOCK_SEQPACKET for Unix sockets. Datagrams between two connected sockets are as
 * reliable and ordered; the end of the other side is ECONNRESET instead of an empty packet, which
 * receivers have to expect. */
int gb_socket_packet_pair(int ret_fds[2])
{
    const int room = SOCKET_PACKET_ROOM;
    int r = socketpair(AF_UNIX, SOCK_DGRAM, 0, ret_fds) < 0 ? -errno : socket_prepare_pair(ret_fds);

    for (int i = 0; r == 0 && i < 2; i++) {
        if (setsockopt(ret_fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)) < 0 ||
            setsockopt(ret_fds[i], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) < 0) {
            r = -errno;
            ret_fds[0] = gb_close(ret_fds[0]);
            ret_fds[1] = gb_close(ret_fds[1]);
        }
    }
    return r;
}

int gb_socket_pipe(int ret_fds[2])
{
    int r;

    ret_fds[0] = ret_fds[1] = -1;
    r = pipe(ret_fds) < 0 ? -errno : 0;
    for (int i = 0; r == 0 && i < 2; i++)
        r = gb_fd_set_cloexec(ret_fds[i], true);
    if (r < 0 && ret_fds[0] >= 0)
        for (int i = 0; i < 2; i++)
            ret_fds[i] = gb_close(ret_fds[i]);
    return r;
}

int gb_socket_accept(int fd)
{
    _cleanup_(closep) int client = accept(fd, NULL, NULL);
    int r = client < 0 ? -errno : socket_prepare(client);

    /* Inherited from the listening socket here, but not by POSIX. */
    if (r == 0)
        r = gb_fd_set_nonblocking(client, true);
    if (r == -EPIPE)
        r = -ECONNABORTED; /* it has hung up already */
    return r < 0 ? r : TAKE_FD(client);
}

ssize_t gb_socket_send(int fd, const void *data, size_t size)
{
    int r = socket_silence(fd);
    ssize_t n = r < 0 ? r : send(fd, data, size, MSG_DONTWAIT);

    return r < 0 ? r : n < 0 ? -errno : n;
}

ssize_t gb_socket_send_message(int fd, const struct msghdr *message)
{
    int r = socket_silence(fd);
    ssize_t n = r < 0 ? r : sendmsg(fd, message, MSG_DONTWAIT);

    return r < 0 ? r : n < 0 ? -errno : n;
}

int gb_socket_peer(int fd, struct gb_socket_peer *ret_peer)
{
    struct gb_socket_peer peer;
    socklen_t size = sizeof(peer.pid);
    gid_t gid;

    if (getpeereid(fd, &peer.uid, &gid) < 0 ||
        getsockopt(fd, SOL_LOCAL, LOCAL_PEERPID, &peer.pid, &size) < 0)
        return -errno;
    *ret_peer = peer;
    return 0;
}
