/* SPDX-License-Identifier: Apache-2.0 */
#include "past/past.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "past/device.h"
#include "past/mark.h"
#include "past/moments.h"
#include "past/track.h"
#include "platform/file.h"

/* Each takes what has arrived meanwhile; the guest has room for some 100 pages more. */
enum { PAST_LOOKS_MAX = 8 };

enum past_step {
    PAST_REST,
    /* a checkpoint */
    PAST_SAVING,
    PAST_LOOKING, /* in a thread */
    PAST_WRITING, /* in a thread */
    PAST_MARKING, /* in a thread */
    /* a rewind */
    PAST_AWAITING,
    PAST_LAYING, /* in a thread */
    PAST_LOADING,
    PAST_WAKING_MARK, /* in a thread */
    PAST_RETURNED,    /* until gb_past_settle() */
    PAST_ENDING,      /* in a thread */
};

/* What is known about the memory of a VM. */
struct past_vm {
    struct gb_memory memory;
    struct gb_track *track; /* NULL: not examined yet */
};

struct gb_past {
    struct gb_loop *loop;
    struct gb_snapshot *snapshot;
    char *path;
    size_t keep; /* checkpoints at most */
    enum gb_memory_way way;
    int disk_fd; /* what is behind the spare disk of its VMs; -1: nothing */
    struct past_moments moments;
    uint64_t here, bytes;
    enum past_step step;
    bool freed;         /* freed when the operation in progress has ended */
    bool leaves;        /* its files stay if there is a mark */
    bool asleep, awake; /* there is a mark of such a session */
    bool woken;         /* it was one of a session that sleeps, until the return in progress */
    void (*gone)(void *arg);
    void *gone_arg;

    /* Owned by the thread while it is working. */
    struct gb_chain *chain; /* NULL: not opened yet */
    struct past_vm now;     /* of the session's VM */
    struct past_vm next;    /* of the VM that it may get */
    int state_fd;           /* device state, in memory */
    int looked_fd;          /* the one before the last look */
    unsigned looks;         /* at the VM for the checkpoint being taken */
    bool *pinned;           /* one per moment, plus one */
    uint64_t seq, at_ns;    /* the checkpoint being taken, or rewound to */
    uint64_t parent;        /* of the one being taken; 0: the base */

    uv_work_t work;
    void (*on_thread)(struct gb_past *past);
    void (*after)(struct gb_past *past);

    struct gb_past_take take;
    char *name; /* of it */
    uint64_t begun_ns;
    uint64_t copied; /* bytes */
    struct gb_past_taken taken;

    uint64_t marked_seq; /* where the session continues from according to its mark */
    struct gb_buf note;  /* of the mark being written: */
    bool note_awake;
    gb_vm_done_fn *mark_done;
    void *mark_arg;

    bool goes_on;            /* a rewind: it is the session that continues, not a fork */
    struct gb_clone *clone;  /* of it */
    struct gb_err clone_err; /* of it, while a thread has `err`; code GB_OK: none */
    void (*returned)(void *arg, struct gb_clone *clone, const struct gb_err *err);
    void *arg;

    struct gb_err err; /* code GB_OK: no error so far */
};

struct gb_past *gb_past_new(struct gb_loop *loop, struct gb_snapshot *snapshot, const char *path,
                            size_t keep, enum gb_memory_way way, int disk_fd)
{
    struct gb_past *past = xcalloc(1, sizeof(*past));

    past->loop = loop;
    past->snapshot = gb_snapshot_ref(snapshot);
    past->path = xstrdup(path);
    past->keep = keep;
    past->way = way;
    past->now.memory = past->next.memory = GB_MEMORY_NONE;
    past->state_fd = past->looked_fd = -1;
    past->disk_fd = disk_fd;
    past->work.data = past;
    return past;
}

static void past_vm_release(struct past_vm *vm)
{
    gb_track_free(TAKE_PTR(vm->track));
    gb_memory_close(&vm->memory);
}

static void past_release(struct gb_past *past)
{
    void (*gone)(void *) = past->gone;
    void *arg = past->gone_arg;

    past_moments_release(&past->moments);
    gb_snapshot_unref(past->snapshot);
    free(past->pinned);
    gb_buf_release(&past->note);
    past->disk_fd = gb_close(past->disk_fd);
    free(past->name);
    free(past->path);
    free(past);
    if (gone != NULL)
        gone(arg);
}

/* ---- in a thread ---- */

static void past_on_thread(uv_work_t *work)
{
    struct gb_past *past = work->data;

    past->on_thread(past);
}

static void past_begin_end(struct gb_past *past);

static void past_after_thread(uv_work_t *work, int status)
{
    struct gb_past *past = work->data;

    (void)status; /* it is never cancelled */
    if (past->freed && past->step != PAST_ENDING)
        past_begin_end(past);
    else
        past->after(past);
}

static void past_run(struct gb_past *past, enum past_step step, void (*on_thread)(struct gb_past *),
                     void (*after)(struct gb_past *))
{
    int r;

    past->step = step;
    past->on_thread = on_thread;
    past->after = after;
    r = uv_queue_work(gb_loop_uv(past->loop), &past->work, past_on_thread, past_after_thread);
    assert(r == 0); /* only fails for bad arguments */
    (void)r;
}

/* ---- the end ---- */

static void past_end_on_thread(struct gb_past *past)
{
    gb_chain_close(past->chain);
    past_vm_release(&past->now);
    past_vm_release(&past->next);
    (void)gb_close(past->state_fd);
    (void)gb_close(past->looked_fd);
    if (past->leaves && past->woken)
        (void)past_mark_lull(past->path);
    if (!past->leaves || !(past->asleep || past->awake))
        gb_past_remove(past->path); /* there is none if nothing was kept */
}

static void past_begin_end(struct gb_past *past)
{
    past_run(past, PAST_ENDING, past_end_on_thread, past_release);
}

/* True: its user is gone. */
static bool past_is_over(struct gb_past *past)
{
    if (past->freed)
        past_begin_end(past);
    return past->freed;
}

void gb_past_free(struct gb_past *past)
{
    if (past == NULL)
        return;
    past->freed = true;
    gb_clone_free(TAKE_PTR(past->clone));
    if (past->step == PAST_REST || past->step == PAST_LOADING || past->step == PAST_RETURNED)
        past_begin_end(past); /* in other steps there will be a callback */
}

void gb_past_leave(struct gb_past *past, void (*gone)(void *arg), void *arg)
{
    if (past == NULL)
        return;
    past->leaves = true;
    past->gone = gone;
    past->gone_arg = arg;
    gb_past_free(past);
}

void gb_past_destroy(struct gb_past *past, void (*gone)(void *arg), void *arg)
{
    past->gone = gone;
    past->gone_arg = arg;
    gb_past_free(past);
}

bool gb_past_may_be_marked(const struct gb_past *past)
{
    /* A thread may be changing the rest. */
    return past->step == PAST_MARKING || past->step == PAST_WAKING_MARK || past->asleep ||
           past->awake;
}

/* ---- what there is ---- */

bool gb_past_is_busy(const struct gb_past *past)
{
    return past->step != PAST_REST;
}

const struct gb_past_moment *gb_past_moments(const struct gb_past *past, size_t *ret_count)
{
    *ret_count = past->moments.count;
    return past->moments.list;
}

const struct gb_past_moment *gb_past_find(const struct gb_past *past, uint64_t seq)
{
    return past_moments_find(&past->moments, seq);
}

uint64_t gb_past_here(const struct gb_past *past)
{
    return past->here;
}

uint64_t gb_past_bytes(const struct gb_past *past)
{
    return past->bytes;
}

/* The chain has changed, and no thread uses it. */
static void past_list(struct gb_past *past)
{
    past_moments_read(&past->moments, past->chain);
    past->bytes = gb_chain_bytes(past->chain);
}

/* ---- what a checkpoint and a return share ---- */

/* Records the first failure. */
static void past_note(struct gb_past *past, const struct gb_err *err)
{
    if (err != NULL && past->err.code == GB_OK)
        past->err = *err;
}

static int past_begin(struct gb_past *past, struct gb_err *err)
{
    if (past->step != PAST_REST)
        return gb_err_set(err, GB_EBUSY, "a checkpoint of the session is under way");
    past->err = past->clone_err = (struct gb_err){0};
    past->taken = (struct gb_past_taken){0};
    past->copied = 0;
    return past_device_make(&past->state_fd, err);
}

static int past_open_chain(struct gb_past *past)
{
    if (past->chain != NULL)
        return 0;
    /* Another process has made it: it is as it is. */
    return past->asleep || past->awake
               ? gb_chain_open_heads(past->path, true, &past->chain, &past->err)
               : gb_chain_open(past->path, true, &past->chain, &past->err);
}

/* Finds the guest's memory in a process. */
static int past_find_memory(const struct gb_past *past, struct past_vm *vm, pid_t pid,
                            struct gb_err *err)
{
    struct stat info;

    gb_memory_close(&vm->memory);
    if (fstat(past->snapshot->files.ram_fd, &info) < 0)
        return gb_err_sys(err, errno, "cannot look at a snapshot");
    return gb_memory_open(pid, &info, &vm->memory, err);
}

static int past_new_track(struct gb_past *past, struct past_vm *vm)
{
    gb_track_free(vm->track);
    vm->track = gb_track_new(vm->memory.pages, past->snapshot->files.ram_fd, past->way);
    if (vm->track == NULL)
        return gb_err_set(&past->err, GB_ECAPACITY, "no memory to follow a session");
    if (getenv("GLASSBELL_VERIFY_TRACKING") != NULL)
        gb_track_verify(vm->track);
    return 0;
}

/* ---- a checkpoint ---- */

static void past_end_taking(struct gb_past *past)
{
    const bool is_well = past->err.code == GB_OK;

    past->step = PAST_REST;
    past->take.done(past->take.arg, is_well ? &past->taken : NULL, is_well ? NULL : &past->err);
}

static void past_look(struct gb_past *past)
{
    struct past_vm *vm = &past->now;

    /* Nothing can be based on a damaged one: everything is new. */
    past->parent = past->here;
    if (past->chain != NULL && !gb_chain_is_sound(past->chain, past->parent)) {
        past->parent = 0;
        gb_track_free(TAKE_PTR(vm->track));
    }
    if (vm->track == NULL && past_new_track(past, vm) < 0)
        return;
    if (gb_track_look(vm->track, &vm->memory, past->take.limit, &past->err) == 0)
        past->copied = gb_track_copied(vm->track);
}

static bool past_stays(void *arg, const struct gb_chain_entry *entry)
{
    const struct gb_past *past = arg;
    size_t count;

    return past->pinned[entry - gb_chain_entries(past->chain, &count)];
}

/* Removes checkpoints beyond the limits. The last one is the one just appended. */
static void past_tidy(struct gb_past *past)
{
    size_t count;
    const struct gb_chain_entry *entries = gb_chain_entries(past->chain, &count);
    const struct keep_limits limits = {past->take.most, past->keep};
    /* Makes room for the next ones, because the remaining ones are rewritten. */
    const struct keep_limits wanted = {limits.bytes / 4 * 3, MAX(limits.count / 4 * 3, 1)};
    _cleanup_(freep) bool *stays = xcalloc(count + 1, sizeof(*stays));

    if ((gb_chain_bytes(past->chain) <= limits.bytes && count <= limits.count) ||
        !keep_choose(entries, count, past->pinned, past->seq, wanted, stays))
        return;
    memcpy(past->pinned, stays, count * sizeof(*stays));
    /* If it fails they stay, and the next checkpoint tries again. */
    (void)gb_chain_compact(past->chain, past_stays, past, NULL);
}

static int past_append(struct gb_past *past)
{
    _cleanup_(gb_buf_release) struct gb_buf device = {0};
    struct gb_track_changes changes;
    struct gb_chain_checkpoint checkpoint = {.parent = past->parent,
                                             .epoch = past->take.epoch,
                                             .at_ns = past->at_ns,
                                             .cell = past->take.cell,
                                             .memory_pages = past->now.memory.pages};

    if (past_open_chain(past) < 0 || past_device_read(past->state_fd, &device, &past->err) < 0 ||
        gb_track_sort(past->now.track, &changes, &past->err) < 0)
        return -(int)past->err.code;
    checkpoint.ranges = changes.ranges;
    checkpoint.n_ranges = changes.n_ranges;
    checkpoint.pages = changes.data;
    checkpoint.device = gb_buf_bytes(&device);
    if (gb_chain_append(past->chain, &checkpoint, &past->seq, &past->err) < 0)
        return -(int)past->err.code;
    gb_track_commit(past->now.track);
    past->taken.seq = past->seq;
    past->taken.pages = changes.pages;
    past->taken.bytes = past_record_size(&gb_chain_find(past->chain, past->seq)->head);
    return 0;
}

static void past_write(struct gb_past *past)
{
    if (past_append(past) == 0) {
        past_tidy(past);
        if (gb_chain_find(past->chain, past->seq) == NULL)
            (void)gb_err_set(&past->err, GB_EINTERNAL,
                             "a checkpoint that this one is based on was damaged on disk; the next "
                             "one will contain everything");
    }
    gb_track_rest(past->now.track);
}

static void past_after_writing(struct gb_past *past)
{
    if (past->chain != NULL)
        past_list(past);
    if (past->err.code == GB_OK) {
        past->here = past->seq;
        if (past->name != NULL)
            past_moments_name(&past->moments, past->seq, TAKE_PTR(past->name));
    } else if (past_moments_find(&past->moments, past->here) ==
               NULL) { /* removed because it was damaged */
        past->here = 0;
        gb_track_free(TAKE_PTR(past->now.track));
    }
    past_end_taking(past);
}

/* Whether or not the copy succeeded, the guest may continue. */
static void past_end_pause(struct gb_past *past)
{
    const struct gb_past_moment *moments = past->moments.list;
    const size_t count = past->moments.count;

    past->taken.pause_ns = gb_clock_mono_ns() - past->begun_ns;
    past->at_ns = gb_clock_wall_ns();
    free(past->pinned);
    past->pinned = xcalloc(count + 2, sizeof(*past->pinned));
    for (size_t i = 0; i < count; i++)
        past->pinned[i] = moments[i].name != NULL || moments[i].seq == past->take.keep ||
                          (past->awake && moments[i].seq == past->marked_seq);
    past->pinned[count] = true;
    if (past->err.code != GB_OK && past->now.track != NULL)
        gb_track_distrust(past->now.track); /* what was written during the look is in none */
    past->step = PAST_REST;                 /* it may be freed from there */
    past->take.copied(past->take.arg);
    if (past->freed)
        return; /* freed from there: it has started to end */
    if (past->err.code == GB_OK)
        past_run(past, PAST_WRITING, past_write, past_after_writing);
    else
        past_end_taking(past);
}

static void past_on_saved(void *arg, const struct gb_err *err);

static void past_save(struct gb_past *past, struct gb_vm *vm)
{
    _cleanup_(freep) char *path = gb_file_path_of(past->state_fd);

    gb_vm_save(vm, path, past_on_saved, past);
}

/* QEMU may have written to the guest's memory since: then the state of its devices is another one,
 * because a queue of theirs has advanced. */
static void past_after_looking(struct gb_past *past)
{
    struct gb_vm *vm = past->take.held_vm == NULL ? NULL : past->take.held_vm(past->take.arg);

    if (past->err.code == GB_OK && past->take.held_vm != NULL && vm == NULL)
        (void)gb_err_set(&past->err, GB_ECLOSED, "the VM has ended");
    if (past->err.code != GB_OK || vm == NULL) {
        past_end_pause(past);
        return;
    }
    past->step = PAST_SAVING;
    past->looks++;
    past_device_swap(&past->state_fd, &past->looked_fd);
    past_save(past, vm);
}

/* Nothing has been copied yet, or it is not of the moment that the state is of. */
static bool past_must_look(struct gb_past *past)
{
    if (past->looks == 0)
        return true;
    if (past_device_is_same(past->state_fd, past->looked_fd, &past->err))
        return false;
    if (past->err.code == GB_OK && past->looks == PAST_LOOKS_MAX)
        (void)gb_err_set(&past->err, GB_EBUSY, "too much arrives for the session");
    gb_track_distrust(past->now.track);
    return past->err.code == GB_OK;
}

static void past_on_saved(void *arg, const struct gb_err *err)
{
    struct gb_past *past = arg;

    if (past_is_over(past))
        return;
    past_note(past, err);
    if (past->err.code == GB_OK && past_must_look(past))
        past_run(past, PAST_LOOKING, past_look, past_after_looking);
    else
        past_end_pause(past);
}

int gb_past_take(struct gb_past *past, const struct gb_past_take *take, struct gb_err *err)
{
    int r = past_begin(past, err);

    if (r == 0 && take->held_vm != NULL)
        r = past_device_make(&past->looked_fd, err);
    if (r == 0 && past->now.memory.pages_fd < 0)
        r = past_find_memory(past, &past->now, gb_vm_pid(take->vm), err);
    if (r < 0)
        return r;
    past->take = *take;
    free(past->name);
    past->name = take->name == NULL ? NULL : xstrdup(take->name);
    past->begun_ns = gb_clock_mono_ns();
    past->step = PAST_SAVING;
    past->looks = 0;
    past_save(past, take->vm);
    return 0;
}

uint64_t gb_past_copied_bytes(const struct gb_past *past)
{
    return past->copied;
}

/* ---- a mark ---- */

static void past_write_mark(struct gb_past *past)
{
    if (past_mark_layer(past->path, past->disk_fd, &past->err) < 0 ||
        past_mark_write(past->path, &past->snapshot->files, past->note_awake,
                        gb_buf_bytes(&past->note), &past->err) < 0)
        return;
    past->awake = past->note_awake;
    past->asleep = !past->awake;
    past->marked_seq = past->here;
}

static void past_after_marking(struct gb_past *past)
{
    past->step = PAST_REST;
    gb_buf_release(&past->note);
    past->mark_done(past->mark_arg, past->err.code == GB_OK ? NULL : &past->err);
}

int gb_past_mark(struct gb_past *past, bool awake, struct gb_bytes note, gb_vm_done_fn *done,
                 void *arg, struct gb_err *err)
{
    int r = past_begin(past, err);

    if (r < 0)
        return r;
    if (note.size > GB_PAST_NOTE_MAX)
        return gb_err_set(err, GB_EUNSUPPORTED, "the session has a past that is too long");
    gb_buf_clear(&past->note);
    gb_buf_add(&past->note, note.data, note.size);
    past->note_awake = awake;
    past->mark_done = done;
    past->mark_arg = arg;
    past_run(past, PAST_MARKING, past_write_mark, past_after_marking);
    return 0;
}

static void past_wake_mark(struct gb_past *past)
{
    if (past_mark_wake(past->path, &past->err) < 0)
        return;
    past->asleep = false;
    past->awake = true;
}

int gb_past_mark_awake(struct gb_past *past, gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    int r = past_begin(past, err);

    if (r < 0)
        return r;
    assert(past->asleep);
    past->mark_done = done;
    past->mark_arg = arg;
    past_run(past, PAST_MARKING, past_wake_mark, past_after_marking);
    return 0;
}

int gb_past_resume(struct gb_past *past, bool awake, uint64_t here, struct gb_err *err)
{
    assert(past->step == PAST_REST && past->chain == NULL);
    past->asleep = !awake;
    past->awake = awake;
    past->marked_seq = here;
    if (gb_chain_open_heads(past->path, true, &past->chain, err) < 0)
        return -(int)err->code;
    past_list(past);
    past->here = here;
    if (past_moments_find(&past->moments, here) == NULL || !gb_chain_is_sound(past->chain, here))
        return gb_err_set(err, GB_EGONE, "its checkpoint %ju is damaged", (uintmax_t)here);
    return 0;
}

void gb_past_name(struct gb_past *past, uint64_t seq, struct gb_bytes name)
{
    struct gb_past_moment *moment = past_moments_find(&past->moments, seq);

    if (moment == NULL)
        return;
    free(moment->name);
    moment->name = xstrndup((const char *)name.data, name.size);
}

/* ---- a return ---- */

static void past_end_returning(struct gb_past *past)
{
    struct gb_clone *clone = TAKE_PTR(past->clone);

    past->step = PAST_RETURNED;
    if (past->err.code != GB_OK) {
        gb_clone_free(clone);
        clone = NULL;
        gb_past_settle(past, false);
    }
    past->returned(past->arg, clone, clone == NULL ? &past->err : NULL);
}

static int past_lay_pages(void *arg, struct gb_page_range range, const uint8_t *data,
                          struct gb_err *err)
{
    struct gb_past *past = arg;

    gb_track_learn(past->next.track, range, data);
    return gb_memory_write(&past->next.memory, &range, 1, data, err);
}

static void past_lay(struct gb_past *past)
{
    _cleanup_(gb_buf_release) struct gb_buf device = {0};

    if (past_new_track(past, &past->next) < 0 || past_open_chain(past) < 0 ||
        gb_chain_read(past->chain, past->seq, past_lay_pages, past, &device, &past->err) < 0)
        return;
    (void)past_device_write(past->state_fd, gb_buf_bytes(&device), &past->err);
}

static void past_after_laying(struct gb_past *past)
{
    _cleanup_(freep) char *path = gb_file_path_of(past->state_fd);

    past_note(past, past->clone_err.code != GB_OK ? &past->clone_err : NULL);
    if (past->err.code != GB_OK) {
        past_end_returning(past);
        return;
    }
    past->step = PAST_LOADING;
    gb_clone_load_state(past->clone, path);
}

static void past_on_equipped(void *arg, const struct gb_err *err)
{
    struct gb_past *past = arg;

    if (past_is_over(past))
        return;
    past_note(past, err);
    if (past->err.code == GB_OK)
        (void)past_find_memory(past, &past->next, gb_vm_pid(gb_clone_vm(past->clone)), &past->err);
    if (past->err.code == GB_OK)
        past_run(past, PAST_LAYING, past_lay, past_after_laying);
    else
        past_end_returning(past);
}

/* The process waits for device state: its memory is mapped. */
static void past_on_waiting(void *arg, const struct gb_err *err)
{
    struct gb_past *past = arg;

    if (err != NULL || past->freed || past->disk_fd < 0)
        past_on_equipped(past, err);
    else
        gb_vm_attach(gb_clone_vm(past->clone), past->disk_fd, past_on_equipped, past);
}

static void past_after_waking_mark(struct gb_past *past)
{
    past->woken = past->awake;
    past_note(past, past->clone_err.code != GB_OK ? &past->clone_err : NULL);
    past_end_returning(past);
}

/* What the session does from now on, the note does not know. */
static void past_on_ready(void *arg)
{
    struct gb_past *past = arg;

    if (past->goes_on && past->asleep)
        past_run(past, PAST_WAKING_MARK, past_wake_mark, past_after_waking_mark);
    else
        past_end_returning(past);
}

static void past_on_failed(void *arg, const struct gb_err *err)
{
    struct gb_past *past = arg;

    if (past->step == PAST_LAYING || past->step == PAST_WAKING_MARK) {
        past->clone_err = *err;
        return;
    }
    past_note(past, err);
    if (past->step == PAST_LOADING)
        past_end_returning(past); /* otherwise the current step will find out */
}

int gb_past_return(struct gb_past *past, struct gb_host *host, struct gb_clone *waiting,
                   uint64_t seq, bool goes_on,
                   void (*done)(void *, struct gb_clone *, const struct gb_err *), void *arg,
                   struct gb_err *err)
{
    static const struct gb_clone_events events = {past_on_ready, past_on_failed};
    int r = past_begin(past, err);

    if (r < 0) {
        gb_clone_free(waiting);
        return r;
    }
    past->clone = waiting;
    if (waiting != NULL)
        gb_clone_hand_over(waiting, &events, past);
    else
        r = gb_clone_start(host, past->snapshot, &events, past, &past->clone, err);
    if (r < 0)
        return r;
    past->seq = seq;
    past->goes_on = goes_on;
    past->returned = done;
    past->arg = arg;
    past->step = PAST_AWAITING;
    gb_clone_await(past->clone, past_on_waiting, past);
    return 0;
}

struct gb_vm *gb_past_returning_vm(const struct gb_past *past)
{
    return gb_clone_vm(past->clone);
}

void gb_past_forget_vm(struct gb_past *past)
{
    assert(past->step == PAST_REST);
    past_vm_release(&past->now);
    past->now = (struct past_vm){.memory = GB_MEMORY_NONE};
}

void gb_past_settle(struct gb_past *past, bool returned)
{
    assert(past->step == PAST_RETURNED);
    past->step = PAST_REST;
    if (past->woken && !returned) {
        past->asleep = past_mark_lull(past->path);
        past->awake = !past->asleep;
    }
    past->woken = false;
    if (returned) {
        past_vm_release(&past->now);
        past->now = past->next;
        past->here = past->seq;
        past->next = (struct past_vm){.memory = GB_MEMORY_NONE};
    }
    past_vm_release(&past->next);
}
