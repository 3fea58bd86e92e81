/* SPDX-License-Identifier: Apache-2.0 */
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "console.h"
#include "device.h"
#include "system.h"
#include "wire/guest.h"

static int wait_port(const struct boot *boot)
{
    struct pollfd news = {.fd = boot->uevent_fd, .events = POLLIN};
    char name[64];
    int fd;

    for (;;) {
        if (device_find_port(boot->sys_fd, GB_GUEST_PORT, name, sizeof(name)) == 0) {
            fd = openat(boot->dev_fd, name, O_RDWR | O_CLOEXEC | O_NOCTTY);
            if (fd >= 0)
                return fd;
            if (errno != ENOENT)
                console_fatal("the port %s cannot be opened: %s", name, strerror(errno));
        }
        if (poll(&news, 1, -1) < 0 && errno != EINTR)
            console_fatal("poll: %s", strerror(errno));
        device_drain_uevents(boot->uevent_fd);
    }
}

_Noreturn void probe_serve(const struct boot *boot)
{
    int fd = wait_port(boot);
    struct gb_buf frames = {0};
    struct utsname kernel;
    struct gb_hello hello = {.version = GB_GUEST_VERSION, .boot_ns = system_uptime_ns()};

    (void)uname(&kernel); /* fails for a bad pointer only */
    hello.language = gb_bytes_str("probe");
    hello.kernel = gb_bytes_str(kernel.release);
    gb_guest_add(&frames, (struct gb_frame){.type = GB_GUEST_HELLO}, &gb_hello_fields, &hello);
    if (gb_fd_write_full(fd, gb_buf_data(&frames), frames.size) < 0)
        console_fatal("the port cannot be written: %s", strerror(errno));
    for (;;)
        (void)pause(); /* the host has its result and ends the VM */
}
