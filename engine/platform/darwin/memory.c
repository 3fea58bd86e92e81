/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of another process is a Mach task's, and the kernel only gives the port of a task
 * (task_for_pid) to programs that Apple has signed for that, or that ask the user each time. So
 * there are no checkpoints of a running VM here; everything else works without them. */
#include "platform/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

int gb_memory_check_system(struct gb_err *err)
{
    return gb_err_set(err, GB_EUNSUPPORTED,
                      "macOS does not let a program into the memory of another one, so that a "
                      "VM's changes cannot be kept: checkpoints need a host with Linux");
}

int gb_memory_open(pid_t pid, const struct stat *file, struct gb_memory *ret_memory,
                   struct gb_err *err)
{
    (void)pid;
    (void)file;
    (void)ret_memory;
    return gb_memory_check_system(err);
}

void gb_memory_close(struct gb_memory *memory)
{
    *memory = GB_MEMORY_NONE;
}

int gb_memory_private(const struct gb_memory *memory, struct gb_buf *ranges, struct gb_err *err)
{
    (void)memory;
    (void)ranges;
    return gb_memory_check_system(err);
}

const char *gb_memory_way_name(enum gb_memory_way way)
{
    static const char *const names[GB_MEMORY_WAYS] = {"content", "soft-dirty", "userfaultfd"};

    return names[way];
}

bool gb_memory_way_works(enum gb_memory_way way)
{
    (void)way;
    return false;
}

enum gb_memory_way gb_memory_choose_way(void)
{
    const char *wanted = getenv("GLASSBELL_TRACKING");

    if (wanted != NULL && strcmp(wanted, gb_memory_way_name(GB_MEMORY_BY_CONTENT)) != 0)
        gb_warning("GLASSBELL_TRACKING is ignored: macOS cannot tell which pages a VM writes");
    return GB_MEMORY_BY_CONTENT;
}

int gb_memory_watch(const struct gb_memory *memory, enum gb_memory_way way, struct gb_err *err)
{
    (void)memory;
    (void)way;
    return gb_memory_check_system(err);
}

int gb_memory_changed(const struct gb_memory *memory, enum gb_memory_way way, struct gb_buf *ranges,
                      struct gb_err *err)
{
    (void)memory;
    (void)way;
    (void)ranges;
    return gb_memory_check_system(err);
}

int gb_memory_read(const struct gb_memory *memory, const struct gb_page_range *ranges, size_t count,
                   uint8_t *data, struct gb_err *err)
{
    (void)memory;
    (void)ranges;
    (void)count;
    (void)data;
    return gb_memory_check_system(err);
}

int gb_memory_write(const struct gb_memory *memory, const struct gb_page_range *ranges,
                    size_t count, const uint8_t *data, struct gb_err *err)
{
    (void)memory;
    (void)ranges;
    (void)count;
    (void)data;
    return gb_memory_check_system(err);
}
