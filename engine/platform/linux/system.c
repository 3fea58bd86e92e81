/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/linux/cpuinfo.h"
#include "platform/linux/proc.h"

enum { CPUINFO_MAX = 32 * 1024, MEMINFO_MAX = 64 * 1024, SMALL_FILE_MAX = 256 };

static uint64_t system_meminfo(const char *name)
{
    struct gb_buf text = {0};
    uint64_t bytes = gb_fd_read_file("/proc/meminfo", MEMINFO_MAX, &text, NULL) == 0
                         ? proc_kilobytes(gb_buf_bytes(&text), name)
                         : 0;

    gb_buf_release(&text);
    return bytes;
}

uint64_t gb_system_memory_total(void)
{
    return system_meminfo("MemTotal");
}

uint64_t gb_system_memory_available(void)
{
    return system_meminfo("MemAvailable");
}

bool gb_system_limits_groups(void)
{
    struct statfs info;

    return statfs("/sys/fs/cgroup", &info) == 0 && info.f_type == CGROUP2_SUPER_MAGIC;
}

char *gb_system_boot_id(void)
{
    struct gb_buf text = {0};

    if (gb_fd_read_file("/proc/sys/kernel/random/boot_id", SMALL_FILE_MAX, &text, NULL) < 0)
        gb_buf_clear(&text);
    while (text.size > 0 && gb_buf_data(&text)[text.size - 1] == '\n')
        text.size--;
    return gb_buf_take_str(&text);
}

char *gb_system_describe(bool features)
{
    _cleanup_(closep) int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    _cleanup_(freep) uint8_t *cpuinfo = xmalloc(CPUINFO_MAX);
    /* The start is enough: all processors are listed, and only the first one matters. */
    ssize_t n = fd >= 0 ? gb_fd_read_full(fd, cpuinfo, CPUINFO_MAX) : 0;
    struct utsname name = {0};
    struct gb_buf text = {0};

    (void)uname(&name); /* only fails for a bad address */
    gb_buf_addf(&text, "Linux %s, ", name.release);
    cpuinfo_add(&text, (struct gb_bytes){cpuinfo, n > 0 ? (size_t)n : 0}, features);
    if (features)
        cpuinfo_add_nested(&text, "/sys/module");
    return gb_buf_take_str(&text);
}

const char *gb_system_accelerator(void)
{
    return "kvm";
}

int gb_system_open_accelerator(struct gb_err *err)
{
    _cleanup_(closep) int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    return fd < 0 ? gb_err_set(err, GB_EUNSUPPORTED, "/dev/kvm: %s", strerror(errno)) : 0;
}
