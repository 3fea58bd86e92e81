/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. The loop pushes jobs under a lock and wakes the thread; the thread takes all
 * queued jobs, writes them, syncs each file once if every cell has to survive a power cut (group
 * commit), and returns them through a pipe that the loop watches. With `interval` the thread wakes
 * up by itself some time after the first unsynced byte. */
#include "writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "platform/file.h"
#include "platform/socket.h"
#include "platform/thread.h"

struct writer {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    enum gb_journal_sync sync;
    uint64_t interval_ns;
    void (*sync_failed)(void *arg, int sys_errno);
    void *arg;
    int wake_fds[2]; /* a pipe: the thread writes a byte, the loop reads it */
    struct gb_watch *watch;
    size_t pending, pending_bytes; /* used by the loop: pushed and not returned */

    /* Protected by the lock. */
    struct gb_list queue, done;
    bool stop;
    struct segment_file *dirty; /* has unsynced bytes; NULL: none */
    uint64_t dirty_since_ns;
    int sync_errno; /* of a failure not yet reported to the loop; 0: none */
};

int write_at(int fd, struct gb_bytes bytes, uint64_t offset)
{
    while (bytes.size > 0) {
        ssize_t n = pwrite(fd, bytes.data, bytes.size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        bytes.data += n;
        bytes.size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return 0;
}

static void job_free(struct job *job)
{
    gb_buf_release(&job->bytes);
    free(job->path);
    free(job);
}

/* ---- the thread ---- */

/* Remove what was written of it, so that it does not precede later records. */
static void cut_back(struct job *job, int sys_errno)
{
    job->result = -sys_errno;
    job->file->broken = sys_errno;
    if (ftruncate(job->file->fd, (off_t)job->offset) < 0)
        return; /* it stays there, torn, until it is overwritten */
}

static void do_write(struct job *job)
{
    struct segment_file *file = job->file;

    job->result =
        file->broken ? -file->broken : write_at(file->fd, gb_buf_bytes(&job->bytes), job->offset);
    if (job->result < 0 && !file->broken)
        cut_back(job, -job->result);
}

static int sync_file(const struct segment_file *file)
{
    int r = gb_file_sync_data(file->fd);

    if (r == 0)
        (void)fsync(file->folder_fd); /* cheap if no file was created or removed */
    return r;
}

static void wake_loop(const struct writer *writer)
{
    (void)!write(writer->wake_fds[1], "", 1); /* fails if the pipe is full: the loop will wake up
                                               * anyway */
}

static void say_sync_failed(struct writer *writer, int sys_errno)
{
    pthread_mutex_lock(&writer->lock);
    writer->sync_errno = sys_errno;
    pthread_mutex_unlock(&writer->lock);
    wake_loop(writer);
}

static void sync_later_bytes(struct writer *writer, const struct segment_file *file)
{
    int r = sync_file(file);

    if (r < 0)
        say_sync_failed(writer, -r);
}

static void do_close(struct writer *writer, struct segment_file *file)
{
    int r = writer->sync != GB_JOURNAL_SYNC_NONE ? gb_file_sync_data(file->fd) : 0;

    if (r < 0)
        say_sync_failed(writer, -r);
    pthread_mutex_lock(&writer->lock);
    if (writer->dirty == file)
        writer->dirty = NULL;
    pthread_mutex_unlock(&writer->lock);
    (void)gb_close(file->fd);
    free(file);
}

/* Syncs @file for its @jobs: a cell that is not synced is not recorded. Goes backwards from the
 * last, so that the file is truncated at the first. */
static void sync_cells(struct gb_list *jobs, struct segment_file *file)
{
    int r = sync_file(file);

    if (r == 0)
        return;
    for (struct gb_list *at = jobs->previous; at != jobs; at = at->previous) {
        struct job *job = container_of(at, struct job, link);

        if (job->kind == JOB_WRITE && job->file == file && job->result == 0)
            cut_back(job, -r);
    }
}

/* Executes @jobs in order. A file that is closed has been synced. */
static void do_jobs(struct writer *writer, struct gb_list *jobs)
{
    struct segment_file *written = NULL;
    struct job *job;

    GB_LIST_FOREACH(job, jobs, link) {
        switch (job->kind) {
        case JOB_WRITE:
            do_write(job);
            written = job->result == 0 ? job->file : written;
            break;
        case JOB_CLOSE:
            if (job->file == NULL)
                abort(); /* a CLOSE has a file */
            if (written == job->file && writer->sync == GB_JOURNAL_SYNC_CELL)
                sync_cells(jobs, written);
            written = written == job->file ? NULL : written;
            do_close(writer, job->file);
            break;
        case JOB_REMOVE:
            (void)unlink(job->path);
            break;
        case JOB_SWEEP:
            sweep_journals(job->path, &job->limits, &job->bytes);
            break;
        case JOB_WAIT:
            break;
        }
    }
    if (written != NULL && writer->sync == GB_JOURNAL_SYNC_CELL)
        sync_cells(jobs, written);
    else if (written != NULL && writer->sync == GB_JOURNAL_SYNC_INTERVAL)
        writer_wrote(writer, written);
}

static void hand_back(struct writer *writer, struct gb_list *jobs)
{
    struct gb_list *link;

    pthread_mutex_lock(&writer->lock);
    while ((link = gb_list_pop(jobs)) != NULL)
        gb_list_add_tail(&writer->done, link);
    pthread_mutex_unlock(&writer->lock);
    wake_loop(writer);
}

/* Waits for jobs, for the end, or until it is time to sync. Called, and returns, with the lock
 * held. */
static void wait_for_work(struct writer *writer)
{
    if (writer->dirty != NULL)
        gb_condition_wait_until(&writer->wake, &writer->lock,
                                writer->dirty_since_ns + writer->interval_ns);
    else
        (void)pthread_cond_wait(&writer->wake, &writer->lock);
}

static void *writer_run(void *arg)
{
    struct writer *writer = arg;
    struct segment_file *dirty;
    struct gb_list jobs, *link;

    gb_list_init(&jobs);
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while ((link = gb_list_pop(&writer->queue)) != NULL)
            gb_list_add_tail(&jobs, link);
        if (!gb_list_empty(&jobs)) {
            pthread_mutex_unlock(&writer->lock);
            do_jobs(writer, &jobs);
            hand_back(writer, &jobs);
            pthread_mutex_lock(&writer->lock);
            continue;
        }
        dirty = writer->dirty;
        if (dirty != NULL &&
            (writer->stop || gb_clock_mono_ns() >= writer->dirty_since_ns + writer->interval_ns)) {
            writer->dirty = NULL;
            pthread_mutex_unlock(&writer->lock);
            sync_later_bytes(writer, dirty); /* only this thread closes it */
            pthread_mutex_lock(&writer->lock);
            continue;
        }
        if (writer->stop)
            break;
        wait_for_work(writer);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

/* ---- the loop ---- */

static void writer_take_back(struct writer *writer)
{
    struct gb_list done, *link;

    gb_list_init(&done);
    pthread_mutex_lock(&writer->lock);
    while ((link = gb_list_pop(&writer->done)) != NULL)
        gb_list_add_tail(&done, link);
    pthread_mutex_unlock(&writer->lock);
    while ((link = gb_list_pop(&done)) != NULL) {
        struct job *job = container_of(link, struct job, link);

        writer->pending--;
        writer->pending_bytes -= job->bytes_pushed;
        if (job->done != NULL)
            job->done(job);
        job_free(job);
    }
}

static void writer_on_event(void *arg)
{
    struct writer *writer = arg;
    uint8_t bytes[64];
    int sync_errno;

    (void)!read(writer->wake_fds[0], bytes, sizeof(bytes)); /* leftover bytes only cause another
                                                             * wake-up */
    pthread_mutex_lock(&writer->lock);
    sync_errno = writer->sync_errno;
    writer->sync_errno = 0;
    pthread_mutex_unlock(&writer->lock);
    if (sync_errno != 0)
        writer->sync_failed(writer->arg, sync_errno);
    writer_take_back(writer);
}

static void writer_release(struct writer *writer)
{
    (void)gb_close(writer->wake_fds[0]);
    (void)gb_close(writer->wake_fds[1]);
    free(writer);
}

struct writer *writer_new(struct gb_loop *loop, const struct gb_journal_config *config,
                          void (*sync_failed)(void *arg, int sys_errno), void *arg)
{
    struct writer *writer = xcalloc(1, sizeof(*writer));
    sigset_t all, before;
    bool runs;

    writer->wake_fds[0] = writer->wake_fds[1] = -1;
    if (gb_socket_pipe(writer->wake_fds) < 0 ||
        gb_fd_set_nonblocking(writer->wake_fds[0], true) < 0 ||
        gb_fd_set_nonblocking(writer->wake_fds[1], true) < 0) {
        writer_release(writer);
        return NULL;
    }
    writer->sync = config->sync;
    writer->interval_ns = config->interval_ms * GB_NS_PER_MS;
    writer->sync_failed = sync_failed;
    writer->arg = arg;
    gb_list_init(&writer->queue);
    gb_list_init(&writer->done);
    (void)pthread_mutex_init(&writer->lock, NULL);
    gb_condition_init(&writer->wake);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are handled by the loop */
    runs = pthread_create(&writer->thread, NULL, writer_run, writer) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!runs) {
        (void)pthread_cond_destroy(&writer->wake);
        (void)pthread_mutex_destroy(&writer->lock);
        writer_release(writer);
        return NULL;
    }
    writer->watch = gb_watch_new(loop, writer->wake_fds[0], writer_on_event, writer);
    return writer;
}

void writer_push(struct writer *writer, struct job *job)
{
    writer->pending++;
    job->bytes_pushed = job->bytes.size;
    writer->pending_bytes += job->bytes_pushed;
    pthread_mutex_lock(&writer->lock);
    gb_list_add_tail(&writer->queue, &job->link);
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
}

size_t writer_bytes(const struct writer *writer)
{
    return writer->pending_bytes;
}

bool writer_idle(const struct writer *writer)
{
    return writer->pending == 0;
}

void writer_wrote(struct writer *writer, struct segment_file *file)
{
    if (writer->sync != GB_JOURNAL_SYNC_INTERVAL)
        return;
    pthread_mutex_lock(&writer->lock);
    if (writer->dirty == NULL) {
        writer->dirty_since_ns = gb_clock_mono_ns();
        pthread_cond_signal(&writer->wake);
    }
    writer->dirty = file;
    pthread_mutex_unlock(&writer->lock);
}

void writer_free(struct writer *writer)
{
    if (writer == NULL)
        return;
    pthread_mutex_lock(&writer->lock);
    writer->stop = true;
    pthread_cond_signal(&writer->wake);
    pthread_mutex_unlock(&writer->lock);
    (void)pthread_join(writer->thread, NULL);
    writer_take_back(writer);
    gb_watch_free(writer->watch);
    (void)pthread_cond_destroy(&writer->wake);
    (void)pthread_mutex_destroy(&writer->lock);
    writer_release(writer);
}
