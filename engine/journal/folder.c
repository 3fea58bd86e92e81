/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of a journal: creating it, opening it, and locking it against other servers. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "journal/internal.h"

/* On a read-only file system, an existing lock file still keeps others out. */
static int open_lock(const struct gb_journal *journal, struct gb_err *err)
{
    int fd = openat(journal->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int why = errno;

    if (fd < 0)
        fd = openat(journal->folder_fd, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return gb_err_sys(err, why, "cannot open the lock of the journal %s", journal->folder);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    (void)gb_close(fd);
    return gb_err_set(err, GB_EBUSY, "another server keeps its journal in %s", journal->folder);
}

/* 1: another server has just removed the folder (sweep.h). */
static int try_folder(struct gb_journal *journal, struct gb_err *err)
{
    struct gb_err not_made = {0};
    struct stat info;
    int r = gb_fd_make_dirs(journal->folder, 0700, &not_made);

    if (journal->folder_fd < 0)
        journal->folder_fd = open(journal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->folder_fd < 0 && r < 0) {
        *err = not_made;
        return r;
    }
    if (journal->folder_fd < 0)
        return gb_err_sys(err, errno, "cannot open the journal %s", journal->folder);
    r = open_lock(journal, err);
    if (r < 0)
        return r;
    journal->lock_fd = r;
    (void)futimens(journal->lock_fd, NULL); /* marks it as in use: see sweep.h */
    return fstat(journal->lock_fd, &info) == 0 && info.st_nlink == 0;
}

void folder_close(struct gb_journal *journal)
{
    journal->folder_fd = gb_close(journal->folder_fd);
    journal->lock_fd = gb_close(journal->lock_fd);
}

int folder_open(struct gb_journal *journal, struct gb_err *err)
{
    int r = try_folder(journal, err);

    if (r <= 0)
        return r;
    folder_close(journal);
    return try_folder(journal, err);
}

static void folder_on_swept(struct job *job)
{
    const char *line = gb_buf_str(&job->bytes);

    while (*line != '\0') {
        size_t size = strcspn(line, "\n");

        gb_info("journal: %.*s", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

void folder_sweep(struct gb_journal *journal, const struct gb_journal_config *config)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->kind = JOB_SWEEP;
    job->path = xstrdup(journal->folder);
    job->limits = (struct gb_surplus_limits){
        config->others_age_ms == 0 ? UINT64_MAX : config->others_age_ms / 1000,
        config->others_size == 0 ? UINT64_MAX : config->others_size,
    };
    job->done = folder_on_swept;
    writer_push(journal->writer, job);
}
