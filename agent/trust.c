/* SPDX-License-Identifier: Apache-2.0 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fd.h"
#include "wire/guest.h"

/* In the image. It is read before the other one is mounted over it, which then stays: its content
 * changes. */
#define TRUST_SYSTEM "/etc/ssl/certs/ca-certificates.crt"

enum { TRUST_SYSTEM_MAX = 768 * 1024 }; /* what /run has room for */

static int trust_mount(struct gb_err *err)
{
    const unsigned long closed = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

    if (mount(GB_GUEST_CERTIFICATES, TRUST_SYSTEM, NULL, MS_BIND, NULL) < 0 ||
        mount(NULL, TRUST_SYSTEM, NULL, MS_REMOUNT | MS_BIND | closed, NULL) < 0)
        return gb_err_sys(err, errno, "the certificates could not be mounted");
    return 0;
}

int trust_set(struct gb_bytes certificates, struct gb_err *err)
{
    static struct gb_buf system; /* the image's; read once */
    static bool mounted;
    _cleanup_(closep) int fd = -1;
    const bool has_system = access(TRUST_SYSTEM, F_OK) == 0;
    int r = 0;

    if (has_system && !mounted && system.size == 0)
        r = gb_fd_read_file(TRUST_SYSTEM, TRUST_SYSTEM_MAX, &system, err);
    if (r < 0)
        return r;
    fd = open(GB_GUEST_CERTIFICATES, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || gb_fd_write_full(fd, gb_buf_data(&system), system.size) < (ssize_t)system.size ||
        gb_fd_write_full(fd, "\n", 1) < 1 ||
        gb_fd_write_full(fd, certificates.data, certificates.size) < (ssize_t)certificates.size)
        return gb_err_sys(err, errno, "the certificates could not be written");
    if (has_system && !mounted)
        r = trust_mount(err);
    mounted = mounted || (has_system && r == 0);
    return r;
}
