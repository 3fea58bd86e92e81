/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. The steps of STARTING:
 *
 *   RESTORING ─ the clone answers ─> CONFIGURING ─ OK ─> WARMING ─ DONE ─> READY
 *                                         └──── ROUNDS times ────┘
 *
 * CONFIGURE gives it random numbers of its own, so that no two VMs that run are twins, even before
 * anybody has them; who takes one configures it again. The cell goes the whole way that a user's
 * will go. It leaves nothing behind.
 *
 * Under emulation the first round translates all of this code (80 ms, measured), the second, with
 * another cell, what other cells will need (40 ms), and the third takes as long as ever (2 ms).
 * Under a load that empties the shelf the first has to do.
 *
 * Whatever the guest says that was not asked for makes it useless, as does silence.
 */
#include "pool/member.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "wire/guest.h"

enum step { RESTORING, CONFIGURING, WARMING };

/* The number of the cell is one that no session comes to. */
enum { STEP_MS = 30000, GIVE_UP_MS = 8000, ENTROPY_BYTES = 64, ROUNDS = 3 };
#define CELL_NUMBER 0xfffffe00u

/* What a first cell is likely to be: a call, a text, some of the language's ways to loop and to
 * make text. None leaves a name behind. */
static const struct {
    const char *language, *code[ROUNDS];
} warm_ups[] = {
    {"python",
     {"print(1)", "[f'{i}: {x:.1f}' for i, x in enumerate([1.5, 2])]\nprint('warm', flush=True)",
      "print(1)"}},
    {"javascript",
     {"console.log(1)", "[1.5, 2].map((x, i) => `${i}: ${x.toFixed(1)}`); console.log('warm')",
      "console.log(1)"}},
    {"shell", {"echo 1", "for x in one two; do printf '%s\\n' \"$x\"; done | cat", "echo 1"}},
};

static const char *code_for(const struct member *member)
{
    for (size_t i = 0; i < ARRAY_SIZE(warm_ups); i++)
        if (strcmp(warm_ups[i].language, member->template->image->language) == 0)
            return warm_ups[i].code[member->rounds];
    return NULL;
}

/* ---- the end ---- */

static void release(struct member *member)
{
    gb_loop_undefer(&member->told);
    gb_timer_free(member->timer);
    gb_slot_unref(member->slot);
    gb_snapshot_unref(member->template);
    free(member);
}

static void tell_gone(void *arg)
{
    struct member *member = arg;

    member->events->gone(member->arg, member, &member->why);
}

static void fail(struct member *member, const struct gb_err *err)
{
    if (member->state == MEMBER_GONE)
        return;
    member->state = MEMBER_GONE;
    member->why = *err;
    gb_timer_stop(member->timer);
    if (!member->dropped)
        gb_loop_defer(member->host->loop, &member->told, tell_gone, member);
}

static void fail_with(struct member *member, const char *sentence)
{
    struct gb_err err = {0};

    (void)gb_err_set(&err, GB_EBOOT, "%s", sentence);
    fail(member, &err);
}

void member_drop(struct member *member, const char *reason)
{
    if (member == NULL || member->dropped)
        return;
    member->dropped = true;
    member->state = MEMBER_GONE;
    gb_loop_undefer(&member->told);
    gb_timer_stop(member->timer);
    if (member->clone != NULL)
        gb_clone_free(TAKE_PTR(member->clone)); /* the process keeps a share of the slot */
    if (member->vm != NULL)
        gb_vm_kill(member->vm, reason);
    else
        release(member);
}

/* ---- the VM ---- */

static void become_ready(struct member *member)
{
    member->state = MEMBER_READY;
    member->was_ready = true;
    gb_slot_settle(member->slot);
    member->answered_ns = gb_clock_mono_ns();
    gb_timer_stop(member->timer);
    member->events->ready(member->arg, member);
}

static void send_frame(struct member *member, struct gb_frame frame, const struct gb_fields *table,
                       const void *message)
{
    _cleanup_(gb_buf_release) struct gb_buf frames = {0};

    gb_guest_add(&frames, frame, table, message);
    gb_vm_send(member->vm, &frames);
}

static void configure(struct member *member)
{
    uint8_t entropy[ENTROPY_BYTES];
    /* Names as well, so that what sets them has run; nobody sees these. */
    const struct gb_configure message = {
        .entropy = {entropy, sizeof(entropy)},
        .hostname = gb_bytes_str("glassbell"),
        .machine_id = gb_bytes_str("00000000000000000000000000000000"),
        .wall_ns = gb_clock_wall_ns(),
    };
    struct gb_err err;

    member->step = CONFIGURING;
    if (getrandom(entropy, sizeof(entropy), 0) != (ssize_t)sizeof(entropy)) {
        (void)gb_err_sys(&err, errno, "no random numbers");
        fail(member, &err);
        return;
    }
    send_frame(member, (struct gb_frame){.type = GB_GUEST_CONFIGURE, .id = 1}, &gb_configure_fields,
               &message);
}

static void warm_up(struct member *member, const char *code)
{
    const struct gb_exec message = {.mode = GB_MODE_KERNEL,
                                    .timeout_ms = STEP_MS,
                                    .max_stdout = GB_STDOUT_DEFAULT,
                                    .max_stderr = GB_STDERR_DEFAULT,
                                    .code = gb_bytes_str(code)};

    member->step = WARMING;
    send_frame(member, (struct gb_frame){.type = GB_GUEST_EXEC, .cell = CELL_NUMBER},
               &gb_exec_fields, &message);
}

static void on_configured(struct member *member)
{
    const char *code = code_for(member);

    if (code != NULL)
        warm_up(member, code);
    else
        become_ready(member); /* a language of which nothing is known */
}

static void on_warm(struct member *member, const struct gb_frame *frame)
{
    struct gb_done done;
    struct gb_err err = {0};

    if (gb_fields_decode(&gb_done_fields, frame->payload, &done, &err) < 0)
        fail(member, &err);
    else if (done.exit_code != 0 || done.flags != 0)
        fail_with(member, "its first cell failed");
    else if (++member->rounds < ROUNDS && !member->events->hurry(member->arg))
        configure(member);
    else
        become_ready(member);
}

static void on_frame(void *arg, const struct gb_frame *frame)
{
    struct member *member = arg;
    bool starting = member->state == MEMBER_STARTING;
    char text[96];

    if (member->state == MEMBER_GONE || frame->type == GB_GUEST_LOG)
        return;
    if (starting && member->step == CONFIGURING && frame->type == GB_GUEST_OK) {
        on_configured(member);
    } else if (starting && member->step == WARMING && frame->cell == CELL_NUMBER &&
               frame->type == GB_GUEST_DONE) {
        on_warm(member, frame);
    } else if (member->state == MEMBER_ASKED && frame->type == GB_GUEST_PONG &&
               frame->id == member->pings) {
        become_ready(member);
    } else if (!(starting && member->step == WARMING && frame->type == GB_GUEST_OUTPUT)) {
        (void)snprintf(text, sizeof(text), "the guest says %s unasked",
                       gb_guest_type_name(frame->type));
        fail_with(member, text);
    }
}

static void on_running(void *arg, const struct gb_hello *hello)
{
    (void)hello;
    fail_with(arg, "the guest says HELLO a second time");
}

static void on_dead(void *arg, const struct gb_err *why)
{
    struct member *member = arg;

    gb_vm_free(TAKE_PTR(member->vm));
    if (member->dropped)
        release(member);
    else
        fail(member, why);
}

/* ---- the clone ---- */

static void on_restored(void *arg)
{
    static const struct gb_vm_events events = {
        .running = on_running, .frame = on_frame, .dead = on_dead};
    struct member *member = arg;

    member->vm = gb_clone_take(TAKE_PTR(member->clone));
    gb_vm_hand_over(member->vm, &events, member);
    configure(member);
}

static void on_clone_failed(void *arg, const struct gb_err *err)
{
    fail(arg, err);
}

static void on_timer(void *arg)
{
    struct member *member = arg;

    if (member->state == MEMBER_STARTING) {
        fail_with(member, "it did not come up in time");
    } else if (member->state == MEMBER_ASKED && !member->silent) {
        member->silent = true;
        gb_timer_start(member->timer, GIVE_UP_MS);
        member->events->silent(member->arg, member);
    } else if (member->state == MEMBER_ASKED) {
        fail_with(member, "it does not answer any more");
    }
}

int member_start(struct gb_host *host, struct gb_snapshot *template, struct gb_slot *slot,
                 const struct member_events *events, void *arg, struct member **ret_member,
                 struct gb_err *err)
{
    static const struct gb_clone_events clone_events = {.ready = on_restored,
                                                        .failed = on_clone_failed};
    struct member *member = xcalloc(1, sizeof(*member));
    int r = gb_clone_start(host, template, &clone_events, member, &member->clone, err);

    if (r < 0) {
        free(member);
        return r;
    }
    gb_slot_hold(slot, gb_clone_vm(member->clone));
    member->host = host;
    member->template = gb_snapshot_ref(template);
    member->slot = slot;
    member->events = events;
    member->arg = arg;
    member->timer = gb_timer_new(host->loop, on_timer, member);
    gb_list_init(&member->link);
    *ret_member = member;
    return 0;
}

void member_load(struct member *member)
{
    if (member->state != MEMBER_STANDING)
        return;
    member->state = MEMBER_STARTING;
    member->step = RESTORING;
    gb_timer_start(member->timer, STEP_MS);
    gb_clone_load(member->clone);
}

struct gb_vm *member_vm(const struct member *member)
{
    return member->clone != NULL ? gb_clone_vm(member->clone) : member->vm;
}

void member_ask(struct member *member)
{
    if (member->state != MEMBER_READY)
        return;
    member->state = MEMBER_ASKED;
    member->silent = false;
    gb_timer_start(member->timer, MEMBER_ASK_MS);
    send_frame(member, (struct gb_frame){.type = GB_GUEST_PING, .id = ++member->pings}, NULL, NULL);
}

struct gb_vm *member_take(struct member *member, struct gb_slot **ret_slot)
{
    struct gb_vm *vm = TAKE_PTR(member->vm);

    *ret_slot = TAKE_PTR(member->slot);
    release(member);
    return vm;
}

struct gb_clone *member_take_clone(struct member *member, struct gb_slot **ret_slot)
{
    struct gb_clone *clone = TAKE_PTR(member->clone);

    *ret_slot = TAKE_PTR(member->slot);
    release(member);
    return clone;
}
