/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/opener.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/param.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int opener_open(struct guard_options *options, const char **ret_what)
{
    for (size_t i = 0; i < options->file_count; i++) {
        struct guard_file *file = &options->files[i];

        if (file->kind == GUARD_FILE_SEEN)
            continue;
        *ret_what = file->path;
        file->fd = open(file->path, (file->kind == GUARD_FILE_WRITE ? O_RDWR : O_RDONLY) |
                                        O_CLOEXEC | O_NOCTTY);
        if (file->fd < 0)
            return -errno;
    }
    return 0;
}

int opener_send_listener(int socket, int listener)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec byte = {.iov_base = (char[]){'L'}, .iov_len = 1};
    struct msghdr message = {.msg_iov = &byte,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &listener, sizeof(listener));
    return sendmsg(socket, &message, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

int opener_receive_listener(int socket)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    char byte;
    struct iovec data = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    const struct cmsghdr *header;
    ssize_t n;
    int fd;

    do
        n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    header = CMSG_FIRSTHDR(&message);
    if (n == 0 || header == NULL || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int)))
        return -EPIPE;
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

/* The file that process @pid names with the string at @address, or NULL. */
static const struct guard_file *opener_find(const struct guard_options *options, pid_t pid,
                                            uint64_t address)
{
    char path[256] = {0};
    struct iovec here = {path, sizeof(path) - 1};
    struct iovec there = {(void *)(uintptr_t)address, sizeof(path) - 1};
    ssize_t n = process_vm_readv(pid, &here, 1, &there, 1, 0);

    /* The string may be at the very end of the last mapped page. */
    if (n < 0) {
        there.iov_len = MIN(there.iov_len, 4096 - (address & 4095));
        n = process_vm_readv(pid, &here, 1, &there, 1, 0);
    }
    if (n <= 0)
        return NULL;
    for (size_t i = 0; i < options->file_count; i++) {
        const struct guard_file *file = &options->files[i];
        char inside[64];

        options_inside_path(file, inside, sizeof(inside));
        if (file->fd >= 0 && (strcmp(path, inside) == 0 || strcmp(path, file->path) == 0))
            return file;
    }
    return NULL;
}

bool opener_answer(const struct guard_options *options, int listener)
{
    struct seccomp_notif question = {0};
    struct seccomp_notif_resp answer = {0};
    const struct guard_file *file;

    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
        return false; /* the process has gone */
    if (question.data.nr == SYS_tgkill)
        return true; /* the filter only forwards SIGABRT */
    answer.id = question.id;
    file = opener_find(options, (pid_t)question.pid, question.data.args[1]);
    if (file == NULL) {
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    } else {
        struct seccomp_notif_addfd add = {
            .id = question.id,
            .srcfd = (uint32_t)file->fd,
            .newfd_flags = O_CLOEXEC,
        };
        int fd = ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);

        if (fd < 0)
            answer.error = -errno;
        else
            answer.val = fd;
    }
    (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer); /* fails if the process has died */
    return false;
}
