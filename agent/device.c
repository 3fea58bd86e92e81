/* SPDX-License-Identifier: Apache-2.0 */
#include "device.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fd.h"
#include "console.h"

enum { ORDER_MAX = 64 * 1024, NAME_BYTES = 64 };

int device_open_uevents(void)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    int saved;

    if (fd < 0)
        return -errno;
    if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    saved = errno;
    (void)gb_close(fd);
    return -saved;
}

void device_drain_uevents(int uevent_fd)
{
    char message[4096];

    /* ENOBUFS means that some were lost, which is a wake-up too. */
    while (recv(uevent_fd, message, sizeof(message), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
        ;
}

static int load_module(int directory, const char *name)
{
    _cleanup_(closep) int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST)
        return -errno;
    (void)unlinkat(directory, name, 0); /* only matters for its memory, and it is small */
    return 0;
}

int device_load_modules(const char *directory)
{
    _cleanup_(gb_buf_release) struct gb_buf order = {0};
    _cleanup_(closep) int at = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char path[256];
    char *rest, *name;

    if (at < 0)
        return errno == ENOENT ? 0 : -errno; /* a kernel with everything built in */
    (void)snprintf(path, sizeof(path), "%s/order", directory);
    if (gb_fd_read_file(path, ORDER_MAX, &order, NULL) < 0)
        return -ENOENT;
    (void)gb_buf_str(&order);
    rest = (char *)order.memory + order.start;
    while ((name = strsep(&rest, "\n")) != NULL) {
        int r = *name == '\0' ? 0 : load_module(at, name);

        if (r < 0) {
            console_say("module %s: %s", name, strerror(-r));
            return r;
        }
    }
    return 0;
}

/* Searches DIRECTORY of sysfs for the entry whose attribute is @value. */
static int find_by_attribute(int sys_fd, const char *directory, const char *attribute,
                             const char *value, char *ret_name, size_t size)
{
    int at = openat(sys_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries;
    const struct dirent *entry;
    int r = -ENOENT;

    if (at < 0)
        return -errno;
    entries = fdopendir(at);
    if (entries == NULL) {
        (void)gb_close(at);
        return -ENOMEM;
    }
    while (r == -ENOENT && (entry = readdir(entries)) != NULL) {
        char path[512], text[NAME_BYTES];
        _cleanup_(closep) int fd = -1;
        ssize_t n;

        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", entry->d_name, attribute);
        fd = openat(dirfd(entries), path, O_RDONLY | O_CLOEXEC);
        n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
        if (n < 0)
            continue;
        text[n] = '\0';
        text[strcspn(text, "\n")] = '\0';
        if (strcmp(text, value) == 0 && strlen(entry->d_name) < size) {
            memcpy(ret_name, entry->d_name, strlen(entry->d_name) + 1);
            r = 0;
        }
    }
    (void)closedir(entries);
    return r;
}

int device_wait_disk(int sys_fd, int uevent_fd, const char *serial, int timeout_ms, char *ret_name,
                     size_t size)
{
    uint64_t end = gb_clock_mono_ns() + (uint64_t)timeout_ms * GB_NS_PER_MS;

    for (;;) {
        struct pollfd news = {.fd = uevent_fd, .events = POLLIN};
        uint64_t now;

        if (find_by_attribute(sys_fd, "block", "serial", serial, ret_name, size) == 0)
            return 0;
        now = gb_clock_mono_ns();
        if (now >= end)
            return -ETIMEDOUT;
        if (poll(&news, 1, (int)((end - now) / GB_NS_PER_MS) + 1) < 0 && errno != EINTR)
            return -errno;
        device_drain_uevents(uevent_fd);
    }
}

int device_find_port(int sys_fd, const char *port, char *ret_name, size_t size)
{
    return find_by_attribute(sys_fd, "class/virtio-ports", "name", port, ret_name, size);
}
