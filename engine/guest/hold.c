/* SPDX-License-Identifier: Apache-2.0 */
/* Bringing guests to rest, and continuing from there.
 *
 * A guest to be examined (for a checkpoint) must not be in the middle of a frame, in either
 * direction, because another process will have another stream. So HOLD is the last frame sent to
 * it, not even credit follows, and its last frame is HELD. RESUME ends that, in the same process or
 * in one that was given its memory.
 *
 * A guest in which only the agent runs needs no such frames: freeze.
 */
#include <assert.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guest/private.h"
#include "platform/random.h"

/* For the answer of an idle agent. */
enum { HOLD_MS = 10000, HOLD_ENTROPY_BYTES = 64 };

static void hold_begin(struct gb_guest *guest, gb_vm_done_fn *done, void *arg)
{
    assert(guest->operation_done == NULL);
    guest->operation_done = done;
    guest->operation_arg = arg;
}

int gb_guest_check_rest(const struct gb_guest *guest, struct gb_err *err)
{
    if (!gb_guest_listens(guest))
        return gb_err_set(err, GB_EBUSY, "the guest does not listen");
    if (guest->cell.number != 0)
        return gb_err_set(err, GB_EBUSY, "a cell runs");
    if (guest_terminals_run(guest))
        return gb_err_set(err, GB_EBUSY, "a program runs at a terminal of the session");
    if (guest_uploads_are_open(guest))
        return gb_err_set(err, GB_EBUSY, "a file is on its way into the session");
    if (guest_downloads_wait(guest))
        return gb_err_set(err, GB_EBUSY, "a file is on its way out of the session");
    if (guest_is_asked(guest))
        return gb_err_set(err, GB_EBUSY, "a query of the session is unanswered");
    return 0;
}

/* Sends it, and nothing after it, not even what has waited for its turn. */
static int hold_ask(struct gb_guest *guest, enum gb_guest_type type, const struct gb_fields *table,
                    const void *message, gb_guest_reply_fn *done, struct gb_err *err)
{
    int r;

    assert(!guest->in_mux && !guest->going_on);
    guest->held = false;
    guest->going_on = true;
    r = gb_guest_request(guest, type, 0, table, message, HOLD_MS, done, guest, err);
    guest->going_on = false;
    guest->held = true;
    if (guest->out.size > 0)
        gb_vm_send(guest->vm, &guest->out);
    return r;
}

/* Nothing is sent to it any more; the last request may still be answered. */
static void hold_on_stopped(void *arg, const struct gb_err *err)
{
    struct gb_guest *guest = arg;

    guest->stopped = err == NULL;
    guest_operation_end(guest, err);
}

static void hold_on_refused(void *arg)
{
    struct gb_guest *guest = arg;

    guest_operation_end(guest, &guest->refusal);
}

static void hold_refuse(struct gb_guest *guest, const struct gb_err *err)
{
    guest->refusal = *err;
    gb_loop_defer(guest->loop, &guest->refuse, hold_on_refused, guest);
}

/* ---- freeze ---- */

static void freeze_on_pong(void *arg, const struct gb_pong *pong, const struct gb_err *err)
{
    struct gb_guest *guest = arg;
    struct gb_err problem = {0};

    if (guest->operation_done == NULL)
        return; /* the VM has ended meanwhile */
    if (err == NULL && pong->ready != 0) {
        guest->held = true;
        gb_vm_stop(guest->vm, hold_on_stopped, guest);
        return;
    }
    if (err == NULL)
        (void)gb_err_set(&problem, GB_EBOOT, "its interpreter is not ready any more");
    guest_operation_end(guest, err != NULL ? err : &problem);
}

void gb_guest_freeze(struct gb_guest *guest, gb_vm_done_fn *done, void *arg)
{
    struct gb_err err = {0};

    hold_begin(guest, done, arg);
    if (gb_guest_check_rest(guest, &err) < 0 ||
        gb_guest_ping(guest, 0, freeze_on_pong, guest, &err) < 0)
        hold_refuse(guest, &err);
}

/* ---- resume ---- */

/* Sends RESUME. It is still HELD. */
static int resume_send(struct gb_guest *guest, bool anew, gb_guest_reply_fn *done,
                       struct gb_err *err)
{
    uint8_t entropy[HOLD_ENTROPY_BYTES];
    struct gb_resume message = {.wall_ns = gb_clock_wall_ns()};
    int r = anew ? gb_random_fill(entropy, sizeof(entropy)) : 0;

    if (r < 0)
        return gb_err_sys(err, -r, "cannot get random numbers");
    if (anew)
        message.entropy = (struct gb_bytes){entropy, sizeof(entropy)};
    if (guest->strange)
        guest_begin_anew(guest);
    guest->strange = false;
    return hold_ask(guest, GB_GUEST_RESUME, &gb_resume_fields, &message, done, err);
}

static void resume_on_answer(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_guest *guest = arg;

    (void)frame;
    if (guest->operation_done == NULL)
        return; /* the VM has ended meanwhile */
    if (err == NULL) {
        guest->held = false;
        guest_send_waiting(guest);
    }
    guest_operation_end(guest, err);
}

static void resume_ask(struct gb_guest *guest)
{
    struct gb_err err;

    if (resume_send(guest, guest->anew, resume_on_answer, &err) < 0)
        guest_operation_end(guest, &err);
}

static void resume_on_continued(void *arg, const struct gb_err *err)
{
    struct gb_guest *guest = arg;

    if (err == NULL) {
        guest->stopped = false;
        resume_ask(guest);
    } else {
        guest_operation_end(guest, err);
    }
}

static void resume_on_turn(void *arg)
{
    resume_ask(arg);
}

void gb_guest_resume(struct gb_guest *guest, bool anew, gb_vm_done_fn *done, void *arg)
{
    assert(guest->vm != NULL && guest->held);
    hold_begin(guest, done, arg);
    guest->anew = anew;
    if (guest->stopped)
        gb_vm_cont(guest->vm, resume_on_continued, guest);
    else
        gb_loop_defer(guest->loop, &guest->refuse, resume_on_turn, guest);
}

/* ---- hold ---- */

static void hold_on_answer(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_guest *guest = arg;

    (void)frame;
    if (guest->operation_done == NULL)
        return; /* the VM has ended meanwhile */
    if (err == NULL) {
        gb_vm_stop(guest->vm, hold_on_stopped, guest);
        return;
    }
    /* The agent may have stopped sending anyway, and only be late with the answer. */
    (void)resume_send(guest, false, NULL, NULL);
    guest->held = false;
    guest_send_waiting(guest);
    guest_operation_end(guest, err);
}

void gb_guest_hold(struct gb_guest *guest, gb_vm_done_fn *done, void *arg)
{
    struct gb_err err = {0};
    int r;

    hold_begin(guest, done, arg);
    guest_flush(guest);
    r = gb_guest_check_rest(guest, &err);
    if (r == 0) {
        r = hold_ask(guest, GB_GUEST_HOLD, NULL, NULL, hold_on_answer, &err);
        guest->held = r == 0;
    }
    if (r < 0)
        hold_refuse(guest, &err);
}

void gb_guest_silence(struct gb_guest *guest)
{
    assert(gb_guest_check_rest(guest, NULL) == 0);
    guest_flush(guest);
    guest->held = true;
}

/* ---- exchange ---- */

/* What a conversation knows about its VM, which is exchanged with it. */
struct hold_vm {
    struct gb_vm *vm;
    const struct gb_image *image;
    bool listens, held, stopped, restored;
    uint32_t generation;
    size_t log_bytes;
    unsigned restarts;
};

static struct hold_vm exchange_take(struct gb_guest *guest)
{
    const struct hold_vm taken = {.vm = guest->vm,
                                  .image = guest->image,
                                  .listens = guest->listens,
                                  .held = guest->held,
                                  .stopped = guest->stopped,
                                  .restored = guest->restored,
                                  .generation = guest->generation,
                                  .log_bytes = guest->log_bytes,
                                  .restarts = guest->mux.restarts};

    guest->vm = NULL;
    return taken;
}

static void exchange_give(struct gb_guest *guest, const struct hold_vm *given)
{
    guest->vm = given->vm;
    guest->image = given->image;
    guest->listens = given->listens;
    guest->held = given->held;
    guest->stopped = given->stopped;
    guest->restored = given->restored;
    guest->generation = given->generation;
    guest->log_bytes = given->log_bytes;
    gb_mux_clear(&guest->mux, NULL);
    gb_buf_clear(&guest->out); /* it was for the other one */
    guest_requests_forget_rest(guest);
    guest->mux.restarts = given->restarts;
    if (guest->vm == NULL)
        return;
    gb_vm_hand_over(guest->vm, &guest_vm_events, guest);
    guest->strange = true;
}

void gb_guest_exchange(struct gb_guest *guest, struct gb_guest *other)
{
    const struct hold_vm mine = exchange_take(guest), theirs = exchange_take(other);

    assert((mine.vm == NULL || mine.held) && (theirs.vm == NULL || theirs.held));
    assert(guest->operation_done == NULL && other->operation_done == NULL);
    exchange_give(guest, &theirs);
    exchange_give(other, &mine);
    other->cells_begun = guest->cells_begun;
}

void gb_guest_knows_cells(struct gb_guest *guest, uint32_t cells)
{
    guest->cells_begun = cells;
}

void gb_guest_adopt_held(struct gb_guest *guest, struct gb_guest *from, uint32_t cells)
{
    assert(guest->vm == NULL && from->held);
    gb_guest_exchange(guest, from);
    guest->cells_begun = cells;
    gb_guest_free(from);
}
