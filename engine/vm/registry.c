/* SPDX-License-Identifier: Apache-2.0 */
/* The processes that belong to this run folder. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/process.h"
#include "vm/private.h"

enum { FILE_MAX_BYTES = 512 };

static bool parse_process(struct gb_bytes *text, const char *name,
                          struct registry_process *ret_process)
{
    uint64_t pid, start;

    if (!gb_bytes_skip(text, name) || !gb_bytes_skip(text, " ") ||
        !gb_bytes_number(text, INT32_MAX, &pid) || !gb_bytes_skip(text, " ") ||
        !gb_bytes_number(text, INT64_MAX, &start) || !gb_bytes_skip(text, "\n"))
        return false;
    *ret_process = (struct registry_process){(pid_t)pid, start};
    return pid > 1;
}

bool registry_parse(struct gb_bytes text, struct registry_entry *ret_entry)
{
    return parse_process(&text, "server", &ret_entry->server) &&
           parse_process(&text, "launcher", &ret_entry->launcher) &&
           parse_process(&text, "qemu", &ret_entry->qemu) && text.size == 0;
}

static char *file_path(const char *run, pid_t launcher)
{
    return xasprintf("%s/vms/%d", run, (int)launcher);
}

static void add_process(struct gb_buf *text, const char *name, pid_t pid)
{
    uint64_t start = 0;

    (void)gb_process_started(pid, &start); /* ended already: 0 matches nothing */
    gb_buf_addf(text, "%s %d %ju\n", name, (int)pid, (uintmax_t)start);
}

int registry_add(const char *run, pid_t launcher, pid_t qemu, struct gb_err *err)
{
    _cleanup_(freep) char *path = file_path(run, launcher);
    _cleanup_(closep) int fd = -1;
    struct gb_buf text = {0};
    ssize_t n;

    add_process(&text, "server", getpid());
    add_process(&text, "launcher", launcher);
    add_process(&text, "qemu", qemu);
    /* It has to outlive this process, not a power failure: no sync. A torn file is not an entry. */
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    n = fd < 0 ? -errno : gb_fd_write_full(fd, gb_buf_data(&text), text.size);
    gb_buf_release(&text);
    return n < 0 ? gb_err_sys(err, (int)-n, "cannot write %s", path) : 0;
}

void registry_remove(const char *run, pid_t launcher)
{
    _cleanup_(freep) char *path = file_path(run, launcher);

    (void)unlink(path); /* absent if the VM died before it was written */
}

/* Kills the process if it is the recorded one. Opens it before comparing the start time, so that
 * the pid cannot be reused in between. */
static bool kill_process(const struct registry_process *process)
{
    _cleanup_(gb_process_close) struct gb_process opened = GB_PROCESS_NONE;
    uint64_t start;

    return gb_process_open(process->pid, &opened) == 0 &&
           gb_process_started(process->pid, &start) && start == process->start &&
           gb_process_kill(&opened) == 0;
}

static bool is_running(const struct registry_process *process)
{
    uint64_t start;

    return gb_process_started(process->pid, &start) && start == process->start;
}

/* True if the file is no longer needed. */
static bool reap_file(const char *path, unsigned *killed)
{
    struct gb_buf text = {0};
    struct registry_entry entry;
    bool known = gb_fd_read_file(path, FILE_MAX_BYTES, &text, NULL) == 0 &&
                 registry_parse(gb_buf_bytes(&text), &entry);

    gb_buf_release(&text);
    if (!known)
        return true;
    /* Another server's, or that of a previous host object in this process. */
    if (is_running(&entry.server))
        return false;
    *killed += kill_process(&entry.qemu) ? 1 : 0;
    *killed += kill_process(&entry.launcher) ? 1 : 0;
    return true;
}

int registry_reap(const char *run, unsigned *ret_killed, struct gb_err *err)
{
    _cleanup_(freep) char *path = xasprintf("%s/vms", run);
    struct dirent *entry;
    unsigned killed = 0;
    DIR *folder;
    int r;

    r = gb_fd_make_dirs(path, 0700, err);
    if (r < 0)
        return r;
    folder = opendir(path);
    if (folder == NULL)
        return gb_err_sys(err, errno, "cannot read %s", path);
    while ((entry = readdir(folder)) != NULL) {
        _cleanup_(freep) char *file = xasprintf("%s/%s", path, entry->d_name);

        if (entry->d_name[0] == '.')
            continue;
        if (reap_file(file, &killed))
            (void)unlink(file);
    }
    (void)closedir(folder);
    *ret_killed = killed;
    return 0;
}
