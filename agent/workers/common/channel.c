/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_SIZE 65536u

_Noreturn void channel_violation(void)
{
    _exit(CHANNEL_EXIT_VIOLATION);
}

_Noreturn void channel_depart(const struct channel *c, int code)
{
    struct pollfd gone = {.fd = c->fd}; /* POLLHUP is always reported */

    while (poll(&gone, 1, -1) <= 0)
        ;
    _exit(code);
}

static void *grow(void *old, size_t size)
{
    void *data = realloc(old, size);

    if (data == NULL)
        _exit(CHANNEL_EXIT_VIOLATION);
    return data;
}

static uint32_t load_u32(const uint8_t *data)
{
    return (uint32_t)data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
           (uint32_t)data[3] << 24;
}

static void store_u32(uint8_t *data, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        data[i] = (uint8_t)(value >> (8 * i));
}

void channel_init(struct channel *c, int fd)
{
    *c = (struct channel){.fd = fcntl(fd, F_DUPFD_CLOEXEC, CHANNEL_FIRST_FD)};
    if (c->fd < 0)
        channel_violation();
    close(fd);
}

static void take_fds(struct channel *c, struct msghdr *header)
{
    struct cmsghdr *m;

    for (m = CMSG_FIRSTHDR(header); m != NULL; m = CMSG_NXTHDR(header, m)) {
        size_t count = (m->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (m->cmsg_level != SOL_SOCKET || m->cmsg_type != SCM_RIGHTS ||
            count > CHANNEL_CELL_FDS - c->n_fds)
            channel_violation();
        memcpy(c->fds + c->n_fds, CMSG_DATA(m), count * sizeof(int));
        c->n_fds += count;
    }
    if (header->msg_flags & MSG_CTRUNC)
        channel_violation();
}

void channel_fill(struct channel *c)
{
    _Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(CHANNEL_CELL_FDS * sizeof(int))];
    struct iovec part;
    struct msghdr header = {.msg_iov = &part,
                            .msg_iovlen = 1,
                            .msg_control = control,
                            .msg_controllen = sizeof(control)};
    struct pollfd input = {.fd = c->fd, .events = POLLIN};
    ssize_t n;

    if (c->capacity - c->size < READ_SIZE) {
        c->capacity = c->size + READ_SIZE + c->size / 2;
        c->data = grow(c->data, c->capacity);
    }
    part = (struct iovec){.iov_base = c->data + c->size, .iov_len = c->capacity - c->size};
    /* A blocking read would also be woken when the agent reads what was sent to it (Linux wakes all
     * readers of a stream socket that becomes writable); poll() only waits for input. That saves
     * two context switches per cell, which matter under emulation. */
    if (poll(&input, 1, -1) < 0)
        return;
    n = recvmsg(c->fd, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n <= 0)
        _exit(0);
    take_fds(c, &header);
    c->size += (size_t)n;
}

bool channel_next(struct channel *c, struct message *ret_message)
{
    size_t size;

    if (c->size < CHANNEL_HEADER_SIZE)
        return false;
    size = load_u32(c->data);
    if (size > CHANNEL_MESSAGE_MAX || c->data[5] || c->data[6] || c->data[7])
        channel_violation();
    if (c->size - CHANNEL_HEADER_SIZE < size)
        return false;
    *ret_message =
        (struct message){.type = c->data[4], .data = c->data + CHANNEL_HEADER_SIZE, .size = size};
    return true;
}

void channel_drop(struct channel *c, const struct message *m)
{
    size_t size = CHANNEL_HEADER_SIZE + m->size;

    c->size -= size;
    memmove(c->data, c->data + size, c->size);
}

void channel_send(struct channel *c, uint8_t type, const struct payload *p)
{
    uint8_t header[CHANNEL_HEADER_SIZE] = {0};
    struct iovec parts[2] = {{header, sizeof(header)}, {p->data, p->size}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = p->size ? 2 : 1};
    struct pollfd room = {.fd = c->fd, .events = POLLOUT};

    store_u32(header, (uint32_t)p->size);
    header[4] = type;
    while (m.msg_iovlen > 0) {
        ssize_t n = sendmsg(c->fd, &m, MSG_NOSIGNAL);
        size_t sent;

        if (n < 0 && errno == EAGAIN)
            (void)poll(&room, 1, -1); /* An event loop has made the socket non-blocking. */
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            _exit(0);
        for (sent = (size_t)n; m.msg_iovlen > 0 && sent >= m.msg_iov->iov_len; m.msg_iovlen--)
            sent -= (m.msg_iov++)->iov_len;
        if (m.msg_iovlen > 0) {
            m.msg_iov->iov_base = (uint8_t *)m.msg_iov->iov_base + sent;
            m.msg_iov->iov_len -= sent;
        }
    }
}

static const uint8_t *take(struct fields *f, size_t size)
{
    const uint8_t *data = f->data;

    if (size > f->left)
        channel_violation();
    f->data += size;
    f->left -= size;
    return data;
}

uint8_t fields_u8(struct fields *f)
{
    return *take(f, 1);
}

uint32_t fields_u32(struct fields *f)
{
    return load_u32(take(f, 4));
}

const uint8_t *fields_bytes(struct fields *f, size_t *ret_size)
{
    size_t size = fields_u32(f);
    const uint8_t *data = take(f, size);

    *ret_size = size;
    return data;
}

void fields_end(const struct fields *f)
{
    if (f->left != 0)
        channel_violation();
}

static uint8_t *extend(struct payload *p, size_t size)
{
    if (size > CHANNEL_MESSAGE_MAX - p->size)
        channel_violation();
    if (p->capacity - p->size < size) {
        p->capacity = 2 * (p->size + size);
        p->data = grow(p->data, p->capacity);
    }
    p->size += size;
    return p->data + p->size - size;
}

void payload_u8(struct payload *p, uint8_t value)
{
    *extend(p, 1) = value;
}

void payload_u32(struct payload *p, uint32_t value)
{
    store_u32(extend(p, 4), value);
}

void payload_raw(struct payload *p, const void *data, size_t size)
{
    if (size > 0)
        memcpy(extend(p, size), data, size);
}

void payload_bytes(struct payload *p, const void *data, size_t size)
{
    payload_u32(p, (uint32_t)size);
    payload_raw(p, data, size);
}

void payload_string(struct payload *p, const char *text)
{
    payload_bytes(p, text, strlen(text));
}

void payload_release(struct payload *p)
{
    free(p->data);
    *p = (struct payload){0};
}
