/* SPDX-License-Identifier: Apache-2.0 */
/* Which pages a process has written to since the last look.
 *
 * userfaultfd. A range that is registered for asynchronous write protection has a bit per page,
 * which the kernel clears when the page is written to, without telling anybody; PAGEMAP_SCAN
 * returns the pages without it, and sets it again (Documentation/admin-guide/mm/pagemap.rst).
 * Private pages only: it would create entries for pages that the process has never touched, which
 * then count as private. The descriptor has to be created by the process itself: the launcher makes
 * QEMU do so when it starts (guard/launcher/tracking.h). We find it among the descriptors of the
 * process, and use a duplicate.
 *
 * Soft-dirty bits (Documentation/admin-guide/mm/soft-dirty.rst) exist on kernels that were built
 * with them. They are cleared for the whole process.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/linux/pagemap.h"
#include "platform/memory.h"

/* From <linux/userfaultfd.h> of Linux 6.7 and 5.11. */
#define WRITTEN_WP_ASYNC (UINT64_C(1) << 15)
#define WRITTEN_USER_MODE_ONLY 1

const char *gb_memory_way_name(enum gb_memory_way way)
{
    static const char *const names[GB_MEMORY_WAYS] = {"content", "soft-dirty", "userfaultfd"};

    return names[way];
}

/* ---- userfaultfd ---- */

/* @at: of the process whose descriptor it is. 0 or -errno. */
static int written_register(int fd, uint64_t at, uint64_t size)
{
    struct uffdio_api api = {.api = UFFD_API, .features = WRITTEN_WP_ASYNC};
    struct uffdio_register range = {.range = {at, size}, .mode = UFFDIO_REGISTER_MODE_WP};

    /* Refused the second time, when the range is registered as it was the first time. */
    if (ioctl(fd, UFFDIO_API, &api) < 0 && errno != EINVAL)
        return -errno;
    return ioctl(fd, UFFDIO_REGISTER, &range) < 0 ? -errno : 0;
}

/* A duplicate of the process's userfaultfd; or -errno. */
static int written_find_descriptor(const struct gb_memory *memory)
{
    char path[64], target[64];
    const struct dirent *entry;
    DIR *folder;
    int found = -ENOENT;

    (void)snprintf(path, sizeof(path), "/proc/%d/fd", (int)memory->pid);
    folder = opendir(path);
    if (folder == NULL)
        return -errno;
    while (found < 0 && (entry = readdir(folder)) != NULL) {
        const ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        struct gb_bytes name = gb_bytes_str(entry->d_name);
        uint64_t number;

        target[n > 0 ? n : 0] = '\0';
        if (strcmp(target, "anon_inode:[userfaultfd]") == 0 &&
            gb_bytes_number(&name, INT32_MAX, &number)) {
            found = pidfd_getfd(memory->process_fd, (int)number, 0);
            found = found < 0 ? -errno : found;
        }
    }
    (void)closedir(folder);
    return found;
}

static int written_watch_by_userfaultfd(const struct gb_memory *memory)
{
    int fd = written_find_descriptor(memory);
    int r = fd < 0 ? fd : written_register(fd, memory->start, (uint64_t)memory->pages * GB_PAGE);

    (void)gb_close(fd); /* the process keeps its own */
    return r;
}

/* ---- soft-dirty ---- */

/* @pid: 0 is this process. 0 or -errno. */
static int written_clear(pid_t pid)
{
    _cleanup_(closep) int fd = -1;
    char path[40];

    if (pid == 0)
        (void)snprintf(path, sizeof(path), "/proc/self/clear_refs");
    else
        (void)snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)pid);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return write(fd, "4", 1) == 1 ? 0 : -errno;
}

/* ---- trying them out ---- */

/* Whether exactly a write makes a page of ours appear. */
static bool written_try(enum gb_memory_way way, int pages_fd, int fd, volatile uint8_t *page)
{
    const uint64_t at = (uintptr_t)page;
    struct gb_buf found[3] = {{0}};
    int r = 0;

    *page = 1;
    if (way == GB_MEMORY_BY_USERFAULTFD)
        r = written_register(fd, at, GB_PAGE);
    for (int i = 0; r == 0 && i < 3; i++) {
        if (way == GB_MEMORY_BY_USERFAULTFD) {
            r = pagemap_scan_written(pages_fd, at, 1, found + i);
        } else {
            r = pagemap_read_dirty(pages_fd, at, 1, found + i);
            if (r == 0)
                r = written_clear(0);
        }
        if (i == 1)
            *page = 2;
    }
    for (int i = 0; i < 3; i++) {
        if ((found[i].size > 0) != (i != 1))
            r = -ENOSYS;
        gb_buf_release(found + i);
    }
    return r == 0;
}

bool gb_memory_way_works(enum gb_memory_way way)
{
    _cleanup_(closep) int pages_fd = -1, fd = -1;
    void *page;
    bool works;

    if (way == GB_MEMORY_BY_CONTENT)
        return true;
    pages_fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    if (way == GB_MEMORY_BY_USERFAULTFD)
        fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | WRITTEN_USER_MODE_ONLY);
    if (pages_fd < 0 || (way == GB_MEMORY_BY_USERFAULTFD && fd < 0))
        return false;
    /* cppcheck-suppress invalidFunctionArg; there is no file */
    page = mmap(NULL, GB_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return false;
    works = written_try(way, pages_fd, fd, page);
    (void)munmap(page, GB_PAGE);
    return works;
}

enum gb_memory_way gb_memory_choose_way(void)
{
    const char *wanted = getenv("GLASSBELL_TRACKING");

    for (enum gb_memory_way way = GB_MEMORY_WAYS - 1; way > GB_MEMORY_BY_CONTENT; way--)
        if ((wanted == NULL || strcmp(wanted, gb_memory_way_name(way)) == 0) &&
            gb_memory_way_works(way))
            return way;
    return GB_MEMORY_BY_CONTENT;
}

/* ---- both ---- */

int gb_memory_watch(const struct gb_memory *memory, enum gb_memory_way way, struct gb_err *err)
{
    struct gb_buf scratch = {0};
    int r = 0;

    if (way == GB_MEMORY_BY_USERFAULTFD)
        r = written_watch_by_userfaultfd(memory);
    if (r < 0)
        return gb_err_set(err, GB_EUNSUPPORTED, "cannot follow the writes of process %d: %s",
                          (int)memory->pid, strerror(-r));
    r = gb_memory_changed(memory, way, &scratch, err);
    gb_buf_release(&scratch);
    return r;
}

int gb_memory_changed(const struct gb_memory *memory, enum gb_memory_way way, struct gb_buf *ranges,
                      struct gb_err *err)
{
    int r;

    switch (way) {
    case GB_MEMORY_BY_USERFAULTFD:
        r = pagemap_scan_written(memory->pages_fd, memory->start, memory->pages, ranges);
        break;
    case GB_MEMORY_BY_SOFT_DIRTY:
        r = pagemap_read_dirty(memory->pages_fd, memory->start, memory->pages, ranges);
        if (r == 0)
            r = written_clear(memory->pid);
        break;
    case GB_MEMORY_BY_CONTENT:
    case GB_MEMORY_WAYS:
    default:
        return gb_memory_private(memory, ranges, err);
    }
    return r < 0 ? gb_err_sys(err, -r, "cannot find what process %d has written", (int)memory->pid)
                 : 0;
}
