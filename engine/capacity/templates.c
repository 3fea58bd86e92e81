/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. An *entry* stands for an image with a memory size.
 *
 *   NONE ─ first request ─> CHECKING ─ good ─> READY
 *                              └─ none, or not to be used ─> MAKING, if wanted ─> READY or FAILED
 *
 * Work on the store's files runs as a *job* on the thread pool, one per entry at a time, with
 * copies of everything that it needs. The steps of MAKING are: the lock on the name, job BEGIN
 * (which may find that another server has made the template meanwhile), the builder's VM, job
 * PUBLISH. A small host makes one template at a time: two at once would take as long as one after
 * the other, and the first would be late. Waiting for another server's lock does not count.
 *
 * The key is recomputed when QEMU's binary or the image changes; the result is a new entry.
 */
#include "capacity/templates.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "guest/guest.h"
#include "platform/file.h"
#include "snapshot/lock.h"
#include "capacity/admission.h"
#include "capacity/template_builder.h"
#include "snapshot/store.h"

enum {
    FORMAT = 1,
    RETRY_MS = 60000,          /* after a failure */
    RETRY_DOUBLINGS = 6,       /* after repeated failures */
    HUNG_MAX = 2,              /* consecutive clones that fail to start before the template is given
                                * up */
    LOCK_PATIENCE_MS = 300000, /* for another server that makes the same template */
    TIDY_MS = 3600000,         /* between checks of the store */
    RAM_ROOM_MB = 64,
};

enum template_job_kind { JOB_OPEN, JOB_BEGIN, JOB_PUBLISH, JOB_ABORT, JOB_TIDY };

struct template_entry {
    struct gb_list link;
    struct gb_templates *templates;
    const struct gb_image *image;
    uint32_t memory_mb;
    enum gb_template_state state;
    struct gb_buf key;
    char name[GB_SNAPSHOT_NAME_HEX + 1];
    uint64_t asked;
    bool suspect;                 /* READY, but has to be verified again */
    struct gb_snapshot *template; /* READY */
    struct gb_list waiters;
    struct gb_list turn; /* in templates->queue */
    struct template_builder *builder;
    struct gb_snapshot_lock lock; /* while MAKING */
    bool counted;                 /* in templates->making */
    bool used;                    /* since the store was last told */
    bool again;                   /* second attempt to make it */
    unsigned hung;                /* consecutive clones that failed to start */
    unsigned useless;             /* consecutive templates given up for that reason */
    struct stat given_up;         /* the RAM file of the last one */
    uint64_t failed_ns;
    struct gb_err why; /* if FAILED, or why the builder ended */
};

struct gb_templates {
    struct gb_host *host;
    struct gb_admission *admission; /* NULL: not accounted */
    char *folder;
    struct gb_list entries;
    struct gb_list queue; /* entries waiting to be made */
    unsigned making, making_max;
    unsigned jobs; /* running on threads */
    struct gb_surplus_limits limits;
    struct gb_timer *tidy_timer;
    bool tidying, tidy_again, ending;
    struct gb_deferred end;
    void (*freed)(void *arg);
    void *arg;
};

struct template_job {
    uv_work_t work;
    struct gb_templates *templates;
    struct template_entry *entry; /* NULL for TIDY */
    enum template_job_kind kind;
    char *folder, *name;
    struct gb_buf key;  /* TIDY: names in use, each followed by a NUL */
    struct gb_buf text; /* TIDY: what was done, in lines */
    uint64_t bytes;
    struct gb_surplus_limits limits;
    struct gb_snapshot_files files;
    struct stat given_up; /* copied from the entry */
    int r;
    struct gb_err err;
};

/* ---- waiters ---- */

static void entry_tell(struct template_entry *entry, struct gb_snapshot *template,
                       const struct gb_err *err)
{
    struct gb_list waiters, *link;

    /* A waiter that is notified may ask again immediately. */
    gb_list_init(&waiters);
    while ((link = gb_list_pop(&entry->waiters)) != NULL)
        gb_list_add_tail(&waiters, link);
    while ((link = gb_list_pop(&waiters)) != NULL) {
        struct gb_template_waiter *waiter = container_of(link, struct gb_template_waiter, link);

        waiter->link.next = NULL;
        waiter->done(waiter->arg, template, err);
    }
}

void gb_templates_cancel(struct gb_template_waiter *waiter)
{
    if (waiter->link.next == NULL)
        return;
    gb_list_remove(&waiter->link);
    waiter->link.next = NULL;
}

/* ---- jobs ---- */

static void template_job_tidy(struct template_job *job)
{
    struct gb_bytes names = gb_buf_bytes(&job->key);

    for (size_t at = 0; at < names.size; at += GB_SNAPSHOT_NAME_HEX + 1)
        gb_snapshot_touch(job->folder, (const char *)names.data + at);
    gb_snapshot_evict(job->folder, &job->limits, &job->text);
}

/* Opens it, unless it is the one that was given up: another server may have made a new one. */
static int template_job_open_stored(struct template_job *job, struct gb_err *err)
{
    int r = gb_snapshot_open(job->folder, job->name, gb_buf_bytes(&job->key), &job->files, err);
    const struct stat *bad = &job->given_up;
    struct stat info;

    if (r < 0 || bad->st_ino == 0 || fstat(job->files.ram_fd, &info) < 0 ||
        info.st_ino != bad->st_ino || info.st_dev != bad->st_dev ||
        gb_file_mtime_ns(&info) != gb_file_mtime_ns(bad))
        return r;
    gb_snapshot_files_release(&job->files);
    if (job->kind == JOB_BEGIN) /* we hold the lock */
        gb_snapshot_remove(job->folder, job->name);
    return gb_err_set(err, GB_ENOTFOUND, "its clones do not start");
}

static void template_job_on_thread(uv_work_t *work)
{
    struct template_job *job = work->data;
    struct gb_bytes key = gb_buf_bytes(&job->key);

    switch (job->kind) {
    case JOB_OPEN:
        job->r = template_job_open_stored(job, &job->err);
        break;
    case JOB_BEGIN:
        if (template_job_open_stored(job, NULL) < 0)
            job->r = gb_snapshot_begin(job->folder, job->name, job->bytes, &job->err);
        break;
    case JOB_PUBLISH:
        job->r = gb_snapshot_publish(job->folder, job->name, key, &job->files, &job->err);
        break;
    case JOB_ABORT:
        gb_snapshot_abort(job->folder, job->name);
        break;
    case JOB_TIDY:
        template_job_tidy(job);
        break;
    }
}

static void template_job_free(struct template_job *job)
{
    free(job->folder);
    free(job->name);
    gb_buf_release(&job->key);
    gb_buf_release(&job->text);
    free(job);
}

static void template_job_done(struct template_job *job);

static void template_job_on_done(uv_work_t *work, int status)
{
    struct template_job *job = work->data;

    (void)status; /* it is never cancelled */
    job->templates->jobs--;
    template_job_done(job);
    template_job_free(job);
}

static struct template_job *template_job_new(struct gb_templates *templates,
                                             enum template_job_kind kind)
{
    struct template_job *job = xcalloc(1, sizeof(*job));

    job->work.data = job;
    job->templates = templates;
    job->kind = kind;
    job->folder = xstrdup(templates->folder);
    job->limits = templates->limits;
    job->files = GB_SNAPSHOT_FILES_NONE;
    return job;
}

/* Takes @job. */
static int template_job_run(struct template_job *job, struct gb_err *err)
{
    struct gb_templates *templates = job->templates;
    int r;

    r = uv_queue_work(gb_loop_uv(templates->host->loop), &job->work, template_job_on_thread,
                      template_job_on_done);
    if (r < 0) {
        template_job_free(job);
        return gb_err_sys(err, -r, "no thread for the template store");
    }
    templates->jobs++;
    return 0;
}

static int entry_start_job(struct template_entry *entry, enum template_job_kind kind,
                           struct gb_err *err)
{
    struct template_job *job = template_job_new(entry->templates, kind);

    job->entry = entry;
    job->name = xstrdup(entry->name);
    gb_buf_add(&job->key, gb_buf_data(&entry->key), entry->key.size);
    job->bytes = (uint64_t)(entry->memory_mb + RAM_ROOM_MB) << 20;
    job->given_up = entry->given_up;
    return template_job_run(job, err);
}

/* Tells the store what is in use, and lets it evict templates. */
static void templates_start_tidying(struct gb_templates *templates)
{
    struct template_job *job;
    struct template_entry *entry;

    templates->tidy_again = templates->tidying;
    if (templates->tidying || templates->ending)
        return;
    gb_timer_start(templates->tidy_timer, TIDY_MS);
    job = template_job_new(templates, JOB_TIDY);
    GB_LIST_FOREACH(entry, &templates->entries, link) {
        if (entry->used)
            gb_buf_add(&job->key, entry->name, sizeof(entry->name));
        entry->used = false;
    }
    templates->tidying = template_job_run(job, NULL) == 0;
}

static void templates_on_tidy(void *arg)
{
    templates_start_tidying(arg);
}

static void templates_tidied(struct gb_templates *templates, struct template_job *job)
{
    char *line = (char *)(uintptr_t)gb_buf_str(&job->text), *rest = NULL;

    for (line = strtok_r(line, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
        gb_info("%s", line);
    templates->tidying = false;
    if (templates->tidy_again)
        templates_start_tidying(templates);
}

/* ---- the end ---- */

static void entry_free(struct template_entry *entry)
{
    gb_list_remove(&entry->link);
    gb_list_remove(&entry->turn);
    gb_snapshot_unref(entry->template);
    gb_buf_release(&entry->key);
    gb_snapshot_lock_release(&entry->lock);
    free(entry);
}

static void templates_end_when_due(void *arg)
{
    struct gb_templates *templates = arg;
    void (*freed)(void *arg) = templates->freed;
    void *user = templates->arg;
    struct template_entry *entry;

    if (templates->jobs > 0 || templates->making > 0)
        return;
    gb_timer_free(templates->tidy_timer);
    GB_LIST_FOREACH(entry, &templates->entries, link)
        entry_free(entry);
    free(templates->folder);
    free(templates);
    freed(user);
}

static void templates_check_end(struct gb_templates *templates)
{
    if (templates->ending)
        gb_loop_defer(templates->host->loop, &templates->end, templates_end_when_due, templates);
}

/* ---- making ---- */

static void templates_make_next(struct gb_templates *templates);

/* The entry's turn is over. */
static void entry_made(struct template_entry *entry)
{
    struct gb_templates *templates = entry->templates;

    gb_snapshot_lock_release(&entry->lock);
    templates->making -= entry->counted;
    entry->counted = false;
    templates_make_next(templates);
    templates_check_end(templates);
}

static void entry_failed(struct template_entry *entry, const struct gb_err *err)
{
    entry->state = GB_TEMPLATE_FAILED;
    entry->failed_ns = gb_clock_mono_ns();
    entry->why = *err;
    if (!entry->templates->ending)
        gb_warning("the template of %s with %u MB cannot be made: %s", entry->image->name,
                   entry->memory_mb, err->message);
    entry_tell(entry, NULL, err);
}

static void entry_ready(struct template_entry *entry, struct gb_snapshot_files *files)
{
    entry->template = gb_snapshot_new(entry->image, entry->memory_mb, files);
    entry->state = GB_TEMPLATE_READY;
    entry_tell(entry, entry->template, NULL);
}

static void entry_on_built(void *arg, const struct gb_err *err)
{
    struct template_entry *entry = arg;
    struct gb_err problem = {0};

    entry->builder = NULL;
    if (err == NULL && !entry->templates->ending) {
        if (entry_start_job(entry, JOB_PUBLISH, &problem) == 0)
            return;
        err = &problem;
    }
    if (err != NULL && !entry->templates->ending && !entry->again) {
        gb_warning("the making of the template of %s with %u MB failed, and is tried once more: %s",
                   entry->image->name, entry->memory_mb, err->message);
        entry->again = true;
        if (entry_start_job(entry, JOB_BEGIN, &problem) == 0)
            return;
    }
    if (err != NULL)
        entry_failed(entry, err);
    /* Remove what the builder left, under the lock; if there is no thread, the next builder does
     * it. */
    if (entry_start_job(entry, JOB_ABORT, &problem) < 0)
        entry_made(entry);
}

/* The folder exists. */
static int entry_start_builder(struct template_entry *entry, struct gb_err *err)
{
    _cleanup_(freep) char *ram = gb_snapshot_new_path(entry->templates->folder, entry->name, "ram");
    _cleanup_(freep) char *state =
        gb_snapshot_new_path(entry->templates->folder, entry->name, "state");
    struct gb_templates *templates = entry->templates;
    struct gb_charge charge = gb_charge_of(templates->host->accel, entry->memory_mb, false);
    struct template_builder_config config = {
        .image = entry->image,
        .memory_mb = entry->memory_mb,
        .ram_path = ram,
        .state_path = state,
    };
    int r;

    if (templates->ending)
        return gb_err_set(err, GB_ECLOSED, "the server is shutting down");
    if (templates->admission != NULL)
        config.slot = gb_admission_force(templates->admission, &charge);
    r = template_builder_start(templates->host, &config, entry_on_built, entry, &entry->builder,
                               err);
    gb_slot_unref(config.slot);
    return r;
}

void gb_templates_account(struct gb_templates *templates, struct gb_admission *admission)
{
    templates->admission = admission;
}

/* We have the lock, or failed to get it. */
static void entry_on_locked(void *arg, const struct gb_err *err)
{
    struct template_entry *entry = arg;
    struct gb_err problem = {0};

    if (!entry->counted) {
        entry->counted = true;
        entry->templates->making++;
    }
    if (err == NULL && entry_start_job(entry, JOB_BEGIN, &problem) < 0)
        err = &problem;
    if (err == NULL)
        return;
    entry_failed(entry, err);
    entry_made(entry);
}

static void entry_begin(struct template_entry *entry)
{
    struct gb_templates *templates = entry->templates;
    _cleanup_(freep) char *path = gb_snapshot_lock_path(templates->folder, entry->name);
    struct gb_err err = {0};
    int r = gb_fd_make_dirs(templates->folder, 0700, &err);

    if (r == 0)
        r = gb_snapshot_lock_take(&entry->lock, templates->host->loop, path, LOCK_PATIENCE_MS,
                                  entry_on_locked, entry, &err);
    if (r < 0)
        entry_failed(entry, &err);
    else if (r == 1)
        entry_on_locked(entry, NULL);
}

static void templates_make_next(struct gb_templates *templates)
{
    struct gb_list *link;

    while (!templates->ending && templates->making < templates->making_max &&
           (link = gb_list_pop(&templates->queue)) != NULL)
        entry_begin(container_of(link, struct template_entry, turn));
}

static bool entry_is_wanted(const struct template_entry *entry)
{
    const struct gb_template_waiter *waiter;

    if (entry->memory_mb == entry->image->memory_mb || entry->asked > 1)
        return true;
    GB_LIST_FOREACH_CONST(waiter, &entry->waiters, link)
        if (waiter->insists)
            return true;
    return false;
}

static void entry_want(struct template_entry *entry)
{
    entry->state = GB_TEMPLATE_MAKING;
    entry->again = false;
    gb_list_add_tail(&entry->templates->queue, &entry->turn);
    templates_make_next(entry->templates);
}

static void entry_opened(struct template_entry *entry, struct template_job *job)
{
    struct gb_err err;

    if (job->r == 0) {
        entry_ready(entry, &job->files);
        return;
    }
    if (job->r != -GB_ENOTFOUND)
        gb_warning("the template of %s with %u MB is not used, and made anew: %s",
                   entry->image->name, entry->memory_mb, job->err.message);
    if (!entry->templates->ending && entry_is_wanted(entry)) {
        entry_want(entry);
        return;
    }
    entry->state = GB_TEMPLATE_NONE;
    (void)gb_err_set(&err, GB_ENOTFOUND, "there is no template of this size");
    entry_tell(entry, NULL, &err);
}

static void template_job_done(struct template_job *job)
{
    struct template_entry *entry = job->entry;
    struct gb_err err = {0};

    if (job->kind == JOB_TIDY) {
        templates_tidied(job->templates, job);
        templates_check_end(job->templates);
        return;
    }
    switch (job->kind) {
    case JOB_OPEN:
        entry_opened(entry, job);
        templates_check_end(entry->templates);
        break;
    case JOB_BEGIN:
        if (job->files.ram_fd >= 0)
            entry_ready(entry, &job->files);
        else if (job->r == 0 && entry_start_builder(entry, &err) == 0)
            return;
        else
            entry_failed(entry, job->r < 0 ? &job->err : &err);
        entry_made(entry);
        break;
    case JOB_PUBLISH:
        if (job->r == 0) {
            gb_info("the template of %s with %u MB is made: %ju MB on the disk", entry->image->name,
                    entry->memory_mb, (uintmax_t)(job->files.disk_bytes >> 20));
            entry_ready(entry, &job->files);
        } else {
            entry_failed(entry, &job->err);
        }
        entry_made(entry);
        templates_start_tidying(job->templates);
        break;
    case JOB_ABORT:
        entry_made(entry);
        break;
    case JOB_TIDY:
        break;
    }
}

/* ---- asking ---- */

int gb_templates_describe(const struct gb_templates *templates, const struct gb_image *image,
                          uint32_t memory_mb, struct gb_buf *key, struct gb_err *err)
{
    const struct gb_images *images = templates->host->images;

    /* What differs first is what people are told, so the most general comes first. */
    gb_buf_addf(key, "architecture %s\n", templates->host->machine->architecture);
    gb_buf_addf(key, "format %d\nguest %u\nkernel %s\ninitramfs %s\nroot %s\nmemory %u\n",
                (int)FORMAT, GB_GUEST_VERSION, images->kernel_sha256, images->initramfs_sha256,
                image->sha256, memory_mb);
    gb_warmup_describe(image, GB_WARMUP_TEMPLATE, key);
    return gb_vm_describe(templates->host, image, memory_mb, key, err);
}

static struct template_entry *entry_find(const struct gb_templates *templates,
                                         const struct gb_image *image, uint32_t memory_mb)
{
    struct template_entry *entry;

    GB_LIST_FOREACH_CONST(entry, &templates->entries, link)
        if (entry->image == image && entry->memory_mb == memory_mb)
            return entry;
    return NULL;
}

static int entry_add(struct gb_templates *templates, const struct gb_image *image,
                     uint32_t memory_mb, struct template_entry **ret_entry, struct gb_err *err)
{
    struct gb_buf key = {0};
    struct template_entry *entry;
    int r = gb_templates_describe(templates, image, memory_mb, &key, err);

    if (r < 0) {
        gb_buf_release(&key);
        return r;
    }
    entry = xcalloc(1, sizeof(*entry));
    entry->templates = templates;
    entry->image = image;
    entry->memory_mb = memory_mb;
    entry->key = key;
    gb_snapshot_name(gb_buf_bytes(&entry->key), entry->name);
    gb_list_init(&entry->waiters);
    gb_list_init(&entry->turn);
    gb_list_add_tail(&templates->entries, &entry->link);
    *ret_entry = entry;
    return 0;
}

/* Its clones fail to start, although its files are intact. */
static void entry_give_up(struct template_entry *entry)
{
    struct gb_err err;

    if (fstat(entry->template->files.ram_fd, &entry->given_up) < 0)
        entry->given_up = (struct stat){0};
    gb_snapshot_unref(TAKE_PTR(entry->template));
    entry->hung = 0;
    entry->state = GB_TEMPLATE_NONE;
    gb_warning("%d clones in a row of the template of %s with %u MB did not come up: it is made "
               "anew",
               (int)HUNG_MAX, entry->image->name, entry->memory_mb);
    if (++entry->useless < 2)
        return;
    (void)gb_err_set(&err, GB_EBOOT, "clones of its templates do not start");
    entry_failed(entry, &err);
}

/* A failure is not retried for a while, and for longer if templates turned out useless. */
static uint64_t entry_retry_ms(const struct template_entry *entry)
{
    unsigned doublings = entry->useless > 2 ? entry->useless - 2 : 0;

    return (uint64_t)RETRY_MS << MIN(doublings, (unsigned)RETRY_DOUBLINGS);
}

/* Advances the entry's state if needed. */
static int entry_advance(struct template_entry *entry, bool insists, struct gb_err *err)
{
    uint64_t now = gb_clock_mono_ns();
    int r = 0;

    if (entry->state == GB_TEMPLATE_READY && entry->suspect) {
        entry->suspect = false;
        if (entry->hung >= HUNG_MAX) {
            entry_give_up(entry);
        } else {
            gb_snapshot_unref(TAKE_PTR(entry->template));
            entry->state = GB_TEMPLATE_NONE;
        }
    }
    if (entry->state == GB_TEMPLATE_FAILED) {
        if (now - entry->failed_ns < entry_retry_ms(entry) * GB_NS_PER_MS && !insists)
            return gb_err_set(err, entry->why.code, "%s", entry->why.message);
        entry->state = GB_TEMPLATE_NONE;
    }
    if (entry->state == GB_TEMPLATE_NONE && (r = entry_start_job(entry, JOB_OPEN, err)) == 0)
        entry->state = GB_TEMPLATE_CHECKING;
    return r;
}

int gb_templates_get(struct gb_templates *templates, const struct gb_image *image,
                     uint32_t memory_mb, bool insists, struct gb_snapshot **ret_template,
                     struct gb_template_waiter *waiter,
                     void (*done)(void *arg, struct gb_snapshot *template,
                                  const struct gb_err *err),
                     void *arg, struct gb_err *err)
{
    struct template_entry *entry = entry_find(templates, image, memory_mb);
    int r = 0;

    if (templates->ending)
        return gb_err_set(err, GB_ECLOSED, "the server is shutting down");
    if (entry == NULL)
        r = entry_add(templates, image, memory_mb, &entry, err);
    if (r == 0) {
        entry->asked++;
        r = entry_advance(entry, insists, err);
    }
    if (r < 0)
        return r;
    entry->used = true;
    if (entry->state == GB_TEMPLATE_READY) {
        *ret_template = entry->template;
        return 1;
    }
    waiter->insists = insists;
    waiter->done = done;
    waiter->arg = arg;
    gb_list_add_tail(&entry->waiters, &waiter->link);
    return 0;
}

void gb_templates_suspect(struct gb_templates *templates, const struct gb_snapshot *template)
{
    struct template_entry *entry;

    GB_LIST_FOREACH(entry, &templates->entries, link)
        if (entry->template == template) {
            entry->suspect = true;
            entry->hung++;
        }
}

void gb_templates_trust(struct gb_templates *templates, const struct gb_snapshot *template)
{
    struct template_entry *entry;

    GB_LIST_FOREACH(entry, &templates->entries, link)
        if (entry->template == template)
            entry->hung = entry->useless = 0;
}

/* ---- status ---- */

static struct gb_template_status entry_status(const struct template_entry *entry)
{
    const struct gb_snapshot *template = entry->template;

    return (struct gb_template_status){
        .image = entry->image,
        .memory_mb = entry->memory_mb,
        .state = entry->state,
        .bytes = template != NULL ? template->files.disk_bytes : 0,
        .made_at_s = template != NULL ? template->files.made_at_s : 0,
        .message = entry->state == GB_TEMPLATE_FAILED ? entry->why.message : NULL,
    };
}

struct gb_template_status gb_templates_status(const struct gb_templates *templates,
                                              const struct gb_image *image, uint32_t memory_mb)
{
    const struct template_entry *entry = entry_find(templates, image, memory_mb);

    if (entry != NULL)
        return entry_status(entry);
    return (struct gb_template_status){.image = image, .memory_mb = memory_mb};
}

/* ---- life ---- */

struct gb_templates *gb_templates_new(struct gb_host *host)
{
    struct gb_templates *templates = xcalloc(1, sizeof(*templates));
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);

    templates->host = host;
    templates->folder =
        xasprintf("%s/templates", host->cache != NULL ? host->cache : "/nonexistent");
    templates->making_max = cpus > 2 ? (unsigned)cpus / 2 : 1;
    gb_list_init(&templates->entries);
    gb_list_init(&templates->queue);
    templates->limits = (struct gb_surplus_limits){UINT64_MAX, UINT64_MAX};
    templates->tidy_timer = gb_timer_new(host->loop, templates_on_tidy, templates);
    return templates;
}

void gb_templates_configure(struct gb_templates *templates,
                            const struct gb_templates_config *config)
{
    templates->limits.max_bytes = config->max_bytes;
    templates->limits.max_age_s = config->max_age_ms / 1000;
    templates_start_tidying(templates);
}

struct gb_host *gb_templates_host(const struct gb_templates *templates)
{
    return templates->host;
}

void gb_templates_free(struct gb_templates *templates, void (*freed)(void *arg), void *arg)
{
    struct gb_err err;
    struct template_entry *entry;

    templates->ending = true;
    templates->freed = freed;
    templates->arg = arg;
    gb_timer_stop(templates->tidy_timer);
    (void)gb_err_set(&err, GB_ECLOSED, "the server is shutting down");
    GB_LIST_FOREACH(entry, &templates->entries, link) {
        entry_tell(entry, NULL, &err);
        if (!entry->counted)
            gb_snapshot_lock_release(&entry->lock);
        if (entry->builder != NULL)
            template_builder_cancel(entry->builder);
    }
    templates_check_end(templates);
}
