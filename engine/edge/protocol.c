/* SPDX-License-Identifier: Apache-2.0 */
#include "edge/protocol.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/socket.h"
#include "wire/table.h"

enum { HOSTS_TEXT_MAX = GB_EDGE_HOSTS_MAX * (GB_HOST_NAME_MAX + 3) };

/* clang-format off */
STATIC_TABLE(edge_fields, "a message of the edge",
    U8(gb_edge_message, kind), U32(gb_edge_message, index), U8(gb_edge_message, place),
    U8(gb_edge_message, trust), U64(gb_edge_message, expires_ms),
    BYTES(gb_edge_message, name, GB_EDGE_CERTIFICATE_MAX),
    BYTES(gb_edge_message, placeholder, GB_EDGE_TEXT_MAX),
    BYTES(gb_edge_message, key, GB_EDGE_NAME_MAX), BYTES(gb_edge_message, hosts, HOSTS_TEXT_MAX),
    U64(gb_edge_message, number), U32(gb_edge_message, cell), U32(gb_edge_message, port),
    U32(gb_edge_message, status), U32(gb_edge_message, reason),
    BYTES(gb_edge_message, method, GB_EDGE_TEXT_MAX), BYTES(gb_edge_message, path, GB_EDGE_TEXT_MAX),
    BYTES(gb_edge_message, secrets, GB_EDGE_SECRETS_MAX * (GB_EDGE_NAME_MAX + 2)));
/* clang-format on */

const char *gb_edge_reason(uint32_t reason)
{
    static const char *const names[] = {
#define GB_X(name, text) text,
        GB_EDGE_REASONS(GB_X)
#undef GB_X
    };

    return reason < ARRAY_SIZE(names) ? names[reason] : "?";
}

void gb_edge_encode(const struct gb_edge_message *message, struct gb_buf *packet)
{
    gb_buf_clear(packet);
    gb_fields_encode(&edge_fields, message, packet);
}

int gb_edge_decode(struct gb_bytes packet, struct gb_edge_message *ret_message, struct gb_err *err)
{
    int r = gb_fields_decode(&edge_fields, packet, ret_message, err);

    if (r == 0 &&
        (ret_message->kind == 0 || ret_message->kind >= GB_EDGE_KIND_COUNT ||
         ret_message->place >= GB_SECRET_PLACE_COUNT || ret_message->index >= GB_EDGE_SECRETS_MAX ||
         ret_message->reason >= GB_EDGE_REASON_COUNT))
        r = gb_err_set(err, GB_EINTERNAL, "a message of the edge that is none");
    return r;
}

int gb_edge_send(int socket, struct gb_bytes packet, const int *fds, size_t fd_count, bool wait)
{
    struct iovec part = {(void *)(uintptr_t)packet.data, packet.size};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * GB_EDGE_FDS_MAX)];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    if (fd_count > 0) {
        message.msg_control = &control;
        message.msg_controllen = (socklen_t)CMSG_SPACE(sizeof(int) * fd_count);
        control.head.cmsg_level = SOL_SOCKET;
        control.head.cmsg_type = SCM_RIGHTS;
        control.head.cmsg_len = (socklen_t)CMSG_LEN(sizeof(int) * fd_count);
        memcpy(CMSG_DATA(&control.head), fds, sizeof(int) * fd_count);
    }
    for (;;) {
        struct pollfd room = {.fd = socket, .events = POLLOUT};

        n = gb_socket_send_message(socket, &message);
        if (n == -EAGAIN && wait)
            (void)poll(&room, 1, -1);
        else if (n != -EINTR)
            return n < 0 ? (int)n : 0;
    }
}

/* Takes the descriptors out of a control message. */
static void edge_take_fds(struct msghdr *message, int *ret_fds, size_t *ret_count)
{
    for (struct cmsghdr *head = CMSG_FIRSTHDR(message); head != NULL;
         head = CMSG_NXTHDR(message, head)) {
        size_t count = 0;

        if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS)
            count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(head) + i * sizeof(int), sizeof(fd));
            if (*ret_count < GB_EDGE_FDS_MAX && gb_fd_set_cloexec(fd, true) == 0)
                ret_fds[(*ret_count)++] = fd;
            else
                (void)gb_close(fd);
        }
    }
}

ptrdiff_t gb_edge_receive(int socket, uint8_t packet[GB_EDGE_PACKET_MAX],
                          int ret_fds[GB_EDGE_FDS_MAX], size_t *ret_count)
{
    struct iovec part = {packet, GB_EDGE_PACKET_MAX};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int) * GB_EDGE_FDS_MAX)];
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    bool reset = false;
    ssize_t n;

    *ret_count = 0;
    /* A peer that has ended without reading all is told once, before its last packets
     * (net/unix of Linux, when a socket is released). */
    while ((n = recvmsg(socket, &message, MSG_DONTWAIT)) < 0 &&
           (errno == EINTR || (errno == ECONNRESET && !reset)))
        reset = reset || errno == ECONNRESET;
    if (n < 0)
        return -errno;
    edge_take_fds(&message, ret_fds, ret_count);
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0)
        return n;
    for (size_t i = 0; i < *ret_count; i++)
        (void)gb_close(ret_fds[i]);
    *ret_count = 0;
    return -EMSGSIZE;
}
