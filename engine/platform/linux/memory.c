/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "platform/linux/pagemap.h"
#include "platform/linux/proc.h"

/* Limits per call: ranges (IOV_MAX is 1024), and pages (no call transfers 2 GiB). */
enum { MEMORY_PIECES = 512, MEMORY_PAGES = 64 << 10 };

/* Whether a line of /proc/PID/maps describes a private mapping of all of @file; see proc(5). Some
 * file systems report a different device number there than in stat() (btrfs, overlay), so that is
 * not compared. */
static bool memory_is_mapping(const char *line, const struct stat *file, uint64_t *ret_start,
                              uint64_t *ret_end)
{
    uint64_t inode, offset;
    unsigned major_, minor_;
    char mode[5];

    /* NOLINTNEXTLINE(cert-err34-c): the kernel's own numbers, which fit */
    return sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64, ret_start,
                  ret_end, mode, &offset, &major_, &minor_, &inode) == 7 &&
           offset == 0 && inode == file->st_ino && mode[3] == 'p' && *ret_start < *ret_end &&
           *ret_end - *ret_start == (uint64_t)file->st_size;
}

/* Returns their number, and the addresses of the last one. */
static size_t memory_find(struct gb_buf *maps, const struct stat *file, uint64_t *ret_start,
                          uint64_t *ret_end)
{
    const char *line = gb_buf_str(maps);
    size_t count = 0;

    while (line != NULL && *line != '\0') {
        uint64_t start, end;

        if (memory_is_mapping(line, file, &start, &end)) {
            *ret_start = start;
            *ret_end = end;
            count++;
        }
        line = strchr(line, '\n');
        line = line != NULL ? line + 1 : NULL;
    }
    return count;
}

/* Most calls and files name a process by its number, which another one may have had since the
 * process was opened: what they returned is of this process if it exists (or is a zombie)
 * afterwards. */
static int memory_check(const struct gb_memory *memory, struct gb_err *err)
{
    if (pidfd_send_signal(memory->process_fd, 0, NULL, 0) == 0 || errno == EPERM)
        return 0;
    return gb_err_set(err, GB_ECLOSED, "process %d has ended", (int)memory->pid);
}

static int memory_open_pages(struct gb_memory *memory, struct gb_err *err)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)memory->pid);
    memory->pages_fd = open(path, O_RDONLY | O_CLOEXEC);
    if (memory->pages_fd < 0 && (errno == EACCES || errno == EPERM))
        return gb_err_set(err, GB_EUNSUPPORTED, "this system does not let us look at %s", path);
    if (memory->pages_fd < 0)
        return gb_err_sys(err, errno, "cannot open %s", path);
    return memory_check(memory, err);
}

int gb_memory_check_system(struct gb_err *err)
{
    (void)err; /* a process that is refused is told by gb_memory_open() */
    return 0;
}

int gb_memory_open(pid_t pid, const struct stat *file, struct gb_memory *ret_memory,
                   struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf maps = {0};
    _cleanup_(gb_memory_close) struct gb_memory memory = GB_MEMORY_NONE;
    uint64_t end = 0;
    int r;

    memory.pid = pid;
    memory.process_fd = pidfd_open(pid, 0);
    if (memory.process_fd < 0)
        return gb_err_sys(err, errno, "cannot open process %d", (int)pid);
    r = proc_read(pid, "maps", &maps, err);
    if (r < 0)
        return r;
    if (memory_find(&maps, file, &memory.start, &end) != 1 ||
        (end - memory.start) / GB_PAGE > UINT32_MAX)
        return gb_err_set(err, GB_ENOTFOUND, "process %d has not mapped the file once", (int)pid);
    memory.pages = (uint32_t)((end - memory.start) / GB_PAGE);
    r = memory_open_pages(&memory, err);
    if (r < 0)
        return r;
    *ret_memory = memory;
    memory = GB_MEMORY_NONE;
    return 0;
}

void gb_memory_close(struct gb_memory *memory)
{
    memory->pages_fd = gb_close(memory->pages_fd);
    memory->process_fd = gb_close(memory->process_fd);
}

int gb_memory_private(const struct gb_memory *memory, struct gb_buf *ranges, struct gb_err *err)
{
    const size_t before = ranges->size;
    int r = pagemap_scan(memory->pages_fd, memory->start, memory->pages, ranges);

    if (r == -ENOTTY || r == -EINVAL) {
        ranges->size = before;
        r = pagemap_read(memory->pages_fd, memory->start, memory->pages, ranges);
    }
    return r < 0 ? gb_err_sys(err, -r, "cannot find the pages of process %d", (int)memory->pid) : 0;
}

/* Converts a failed transfer to an error. */
static int memory_failed(const struct gb_memory *memory, int sys_errno, struct gb_err *err)
{
    const int pid = (int)memory->pid;

    if (sys_errno == ESRCH)
        return gb_err_set(err, GB_ECLOSED, "process %d has ended", pid);
    if (sys_errno == EPERM)
        return gb_err_set(err, GB_EUNSUPPORTED,
                          "this system does not let us into the memory of process %d", pid);
    return gb_err_sys(err, sys_errno, "cannot copy pages of process %d", pid);
}

/* The next pages to transfer, and their position. */
struct memory_cursor {
    const struct gb_page_range *ranges;
    size_t count;
    uint32_t done; /* pages already transferred of the first range */
};

/* Fills @there with as much as one call may transfer, and advances. Returns the number of
 * pieces. */
static size_t memory_gather(const struct gb_memory *memory, struct memory_cursor *cursor,
                            struct iovec there[MEMORY_PIECES], size_t *ret_bytes)
{
    uint32_t left = MEMORY_PAGES;
    size_t n = 0;

    *ret_bytes = 0;
    while (cursor->count > 0 && n < MEMORY_PIECES && left > 0) {
        const struct gb_page_range *range = cursor->ranges;
        const uint32_t pages = MIN(range->count - cursor->done, left);
        const uint64_t page = (uint64_t)range->first + cursor->done;

        /* An address of another process's. NOLINTNEXTLINE(performance-no-int-to-ptr) */
        there[n].iov_base = (void *)(uintptr_t)(memory->start + page * GB_PAGE);
        there[n].iov_len = (size_t)pages * GB_PAGE;
        *ret_bytes += there[n++].iov_len;
        left -= pages;
        cursor->done += pages;
        if (cursor->done == range->count) {
            cursor->ranges++;
            cursor->count--;
            cursor->done = 0;
        }
    }
    return n;
}

static int memory_move(const struct gb_memory *memory, struct memory_cursor cursor, uint8_t *data,
                       bool writes, struct gb_err *err)
{
    struct iovec there[MEMORY_PIECES], here = {.iov_base = data};
    int r = memory_check(memory, err);

    while (r == 0 && cursor.count > 0) {
        size_t n = memory_gather(memory, &cursor, there, &here.iov_len);
        ssize_t moved = writes ? process_vm_writev(memory->pid, &here, 1, there, n, 0)
                               : process_vm_readv(memory->pid, &here, 1, there, n, 0);

        if (moved < 0 || (size_t)moved != here.iov_len)
            return memory_failed(memory, moved < 0 ? errno : EFAULT, err);
        here.iov_base = (uint8_t *)here.iov_base + here.iov_len;
        r = memory_check(memory, err);
    }
    return r;
}

int gb_memory_read(const struct gb_memory *memory, const struct gb_page_range *ranges, size_t count,
                   uint8_t *data, struct gb_err *err)
{
    return memory_move(memory, (struct memory_cursor){ranges, count, 0}, data, false, err);
}

int gb_memory_write(const struct gb_memory *memory, const struct gb_page_range *ranges,
                    size_t count, const uint8_t *data, struct gb_err *err)
{
    union {
        const uint8_t *in;
        uint8_t *out;
    } bytes = {.in = data}; /* an iovec has no const */

    return memory_move(memory, (struct memory_cursor){ranges, count, 0}, bytes.out, true, err);
}
