/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the conversation: its VM, and dispatching what the guest sends.
 *
 * Theory of operation. A conversation is a set of requests that wait or are in progress
 * (request.c), at most one running cell, and ended cells that still print (cell.c), over at most
 * one VM. The VM can die at any moment; then nothing here ends but the VM. The user decides in
 * `dead` what that means: a session that has run nothing yet gets another VM and its waiting
 * requests go there, all others fail what is in progress.
 *
 * Request ids continue when a VM is adopted from another conversation: a late answer to an earlier
 * request there matches none here.
 */
#include "guest/guest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "guest/private.h"
#include "wire/frames.h"

/* Bytes queued for a guest, not accepted by it yet, above which streams wait. */
enum { GUEST_STREAMS_QUEUE = 8 * GB_STREAM_PIECE };

static const struct gb_mux_kind guest_stream_users[GB_STREAM_KIND_COUNT] = {
    [GB_STREAM_STDOUT] = {.opened = guest_output_opened,
                          .data = guest_output_data,
                          .ended = guest_output_ended},
    [GB_STREAM_STDERR] = {.opened = guest_output_opened,
                          .data = guest_output_data,
                          .ended = guest_output_ended},
    [GB_STREAM_STDIN] = {.fill = guest_stdin_fill, .ended = guest_stdin_ended},
    [GB_STREAM_UPLOAD] = {.fill = guest_upload_fill,
                          .credited = guest_upload_credited,
                          .shut = guest_upload_shut,
                          .ended = guest_upload_ended},
    [GB_STREAM_DOWNLOAD] = {.data = guest_download_data,
                            .shut = guest_download_shut,
                            .ended = guest_download_ended},
    [GB_STREAM_TERMINAL] = {.opened = guest_terminal_opened,
                            .fill = guest_terminal_fill,
                            .data = guest_terminal_data,
                            .shut = guest_terminal_shut,
                            .ended = guest_terminal_ended},
};

struct gb_guest *gb_guest_new(struct gb_loop *loop, const char *name,
                              const struct gb_guest_events *events, void *arg)
{
    struct gb_guest *guest = xcalloc(1, sizeof(*guest));

    guest->loop = loop;
    guest->name = name;
    guest->events = *events;
    guest->arg = arg;
    gb_list_init(&guest->requests);
    gb_list_init(&guest->terminals);
    gb_mux_init(&guest->mux, GB_SIDE_HOST, guest_stream_users, guest, &guest->out);
    guest_feed_init(&guest->input);
    gb_list_init(&guest->uploads);
    gb_list_init(&guest->downloads);
    gb_list_init(&guest->told);
    guest->request_timer = gb_timer_new(loop, guest_request_expired, guest);
    guest->cell_timer = gb_timer_new(loop, guest_cell_late, guest);
    guest->transfer_timer = gb_timer_new(loop, guest_transfer_expired, guest);
    return guest;
}

void gb_guest_free(struct gb_guest *guest)
{
    if (guest == NULL)
        return;
    assert(guest->vm == NULL && gb_list_empty(&guest->uploads));
    guest->listens = false;
    gb_mux_clear(&guest->mux, NULL);
    gb_guest_drop_requests(guest);
    guest_terminals_release(guest);
    gb_buf_release(&guest->out);
    gb_loop_undefer(&guest->refuse);
    gb_timer_free(guest->request_timer);
    gb_timer_free(guest->cell_timer);
    gb_timer_free(guest->transfer_timer);
    free(guest);
}

/* ---- frames from the guest ---- */

void guest_violation(struct gb_guest *guest, const struct gb_err *err)
{
    struct gb_err problem = {0};

    (void)gb_err_set(&problem, GB_ECLOSED, "the guest broke the protocol: %.300s", err->message);
    if (guest->events.failed != NULL)
        guest->events.failed(guest->arg, &problem);
}

void guest_unasked(struct gb_guest *guest, const struct gb_frame *frame)
{
    if (guest->events.unasked != NULL)
        guest->events.unasked(guest->arg, gb_guest_type_name(frame->type));
}

void guest_flush(struct gb_guest *guest)
{
    if (guest->vm == NULL) {
        gb_buf_clear(&guest->out);
        return;
    }
    if (guest->in_mux || guest->going_on || guest->held)
        return;
    do {
        if (guest->moved) {
            guest->moved = false;
            guest_go_on(guest);
        }
        if (gb_mux_is_ready(&guest->mux) &&
            gb_vm_queued(guest->vm) + guest->out.size < GUEST_STREAMS_QUEUE) {
            guest->in_mux = true;
            gb_mux_run(&guest->mux, GUEST_STREAMS_QUEUE);
            guest->in_mux = false;
        }
    } while (guest->moved);
    if (guest->out.size > 0)
        gb_vm_send(guest->vm, &guest->out);
}

void guest_give_up(struct gb_mux_stream *stream)
{
    gb_mux_reset(stream, &(struct gb_err){.code = GB_ENOTFOUND});
}

/* Sent with the next frame: there always is one, and each write wakes the guest. */
void guest_begin_anew(struct gb_guest *guest)
{
    gb_mux_restart(&guest->mux, NULL);
}

static int guest_on_ready(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    uint32_t before = guest->generation;
    struct gb_ready message;
    int r = gb_fields_decode(&gb_ready_fields, frame->payload, &message, err);

    if (r < 0 || !gb_bytes_equal(message.language, guest->image->language))
        return r;
    /* A new guest starts with 1. The interpreter of a restored one existed before we did, so the
     * first number that we see is arbitrary, and means that it was replaced. */
    if (message.generation == 0 || (before == 0 && message.generation != 1 && !guest->restored))
        return gb_err_set(err, GB_EINTERNAL, "READY: generation %u is not the first",
                          message.generation);
    if (before != 0 && message.generation != before && message.generation - 1 != before)
        return gb_err_set(err, GB_EINTERNAL, "READY: generation %u does not follow %u",
                          message.generation, before);
    guest->generation = message.generation;
    if (guest->events.ready != NULL)
        guest->events.ready(guest->arg, message.generation != before);
    else
        guest_unasked(guest, frame);
    return 0;
}

static int guest_on_log(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    struct gb_guest_log message;
    int r = gb_fields_decode(&gb_guest_log_fields, frame->payload, &message, err);

    if (r < 0 || guest->name == NULL || guest->log_bytes > GB_GUEST_LOGS_MAX)
        return r;
    guest->log_bytes += message.text.size + 1;
    if (guest->log_bytes > GB_GUEST_LOGS_MAX)
        gb_debug("%s: guest: it has said too much; nothing more of it is logged", guest->name);
    else
        gb_debug("%s: guest: %.*s", guest->name, (int)message.text.size,
                 (const char *)message.text.data);
    return 0;
}

static int guest_on_listening(struct gb_guest *guest, const struct gb_frame *frame,
                              struct gb_err *err)
{
    uint16_t ports[GB_LISTENING_MAX];
    unsigned count;
    struct gb_listening message;
    int r = gb_fields_decode(&gb_listening_fields, frame->payload, &message, err);

    if (r == 0)
        r = gb_listening_read(message.ports, ports, &count, err);
    if (r == 0 && guest->events.listening != NULL)
        guest->events.listening(guest->arg, ports, count);
    return r;
}

static int guest_on_network_lost(struct gb_guest *guest, const struct gb_frame *frame,
                                 struct gb_err *err)
{
    int r = gb_frame_decode(frame, NULL, err);

    if (r == 0 && guest->events.network_lost != NULL)
        guest->events.network_lost(guest->arg);
    return r;
}

static int guest_on_stream(struct gb_guest *guest, const struct gb_frame *frame, struct gb_err *err)
{
    int r;

    guest->in_mux = true;
    r = gb_mux_frame(&guest->mux, frame, err);
    guest->in_mux = false;
    if (r == 0)
        guest_flush(guest);
    return r;
}

static void guest_on_frame(void *arg, const struct gb_frame *frame)
{
    struct gb_guest *guest = arg;
    struct gb_err err = {0};
    int r;

    if (gb_mux_takes(frame))
        r = guest_on_stream(guest, frame, &err);
    else if (frame->type == GB_GUEST_READY)
        r = guest_on_ready(guest, frame, &err);
    else if (frame->type == GB_GUEST_LOG)
        r = guest_on_log(guest, frame, &err);
    else if (frame->type == GB_GUEST_LISTENING)
        r = guest_on_listening(guest, frame, &err);
    else if (frame->type == GB_GUEST_NETWORK_LOST)
        r = guest_on_network_lost(guest, frame, &err);
    else if (guest_is_answer(frame))
        r = guest_answer(guest, frame, &err);
    else
        r = guest_cell_frame(guest, frame, &err);
    if (r < 0)
        guest_violation(guest, &err);
}

static void guest_on_sent(void *arg, size_t bytes)
{
    (void)bytes;
    guest_flush(arg);
}

static void guest_on_running(void *arg, const struct gb_hello *hello)
{
    struct gb_guest *guest = arg;

    (void)hello;
    guest->listens = true;
    if (guest->events.listens != NULL)
        guest->events.listens(guest->arg);
}

void guest_operation_end(struct gb_guest *guest, const struct gb_err *err)
{
    gb_vm_done_fn *done = TAKE_PTR(guest->operation_done);

    done(guest->operation_arg, err);
}

static void guest_on_dead(void *arg, const struct gb_err *why)
{
    struct gb_guest *guest = arg;

    guest->listens = guest->held = guest->stopped = false;
    guest_cells_reset(guest);
    gb_vm_free(TAKE_PTR(guest->vm));
    /* The monitor's operations have ended with the VM; those that wait for an answer have not. */
    if (guest->operation_done != NULL)
        guest_operation_end(guest, why);
    if (guest->vm == NULL) /* otherwise it has got its old one back */
        guest->events.dead(guest->arg, why);
}

const struct gb_vm_events guest_vm_events = {.running = guest_on_running,
                                             .frame = guest_on_frame,
                                             .sent = guest_on_sent,
                                             .dead = guest_on_dead};

/* ---- its VM ---- */

/* What is known about the previous VM does not apply to this one. */
static void guest_forget_vm(struct gb_guest *guest)
{
    guest->listens = guest->held = guest->stopped = guest->restored = guest->strange = false;
    guest->generation = 0;
    guest->log_bytes = 0;
    guest->settings = (struct guest_settings_state){0};
    guest_cells_reset(guest);
}

int gb_guest_start(struct gb_guest *guest, struct gb_host *host, const struct gb_vm_config *config,
                   struct gb_err *err)
{
    assert(guest->vm == NULL);
    guest_forget_vm(guest);
    guest->image = config->image;
    return gb_vm_start(host, config, &guest_vm_events, guest, &guest->vm, err);
}

static void guest_on_loaded(void *arg, const struct gb_err *err)
{
    struct gb_guest *guest = arg;

    guest->listens = err == NULL;
    guest->strange = guest->listens && guest->held;
    if (guest->listens && !guest->held)
        guest_begin_anew(guest);
    guest_operation_end(guest, err);
}

void gb_guest_load(struct gb_guest *guest, const char *state_path, bool held, gb_vm_done_fn *done,
                   void *arg)
{
    assert(guest->vm != NULL && !guest->listens && guest->operation_done == NULL);
    guest->restored = true;
    guest->held = held;
    guest->operation_done = done;
    guest->operation_arg = arg;
    gb_vm_load(guest->vm, state_path, guest_on_loaded, guest);
}

void gb_guest_adopt(struct gb_guest *guest, struct gb_guest *from)
{
    assert(guest->vm == NULL && from->listens && from->operation_done == NULL);
    guest_forget_vm(guest);
    guest->vm = TAKE_PTR(from->vm);
    guest->image = from->image;
    guest->restored = from->restored;
    guest->generation = from->generation;
    guest->next_id = MAX(guest->next_id, from->next_id);
    guest->listens = true;
    gb_vm_hand_over(guest->vm, &guest_vm_events, guest);
    guest->mux.restarts = from->mux.restarts; /* their answers come here */
    guest_begin_anew(guest);
    gb_guest_free(from);
}

void gb_guest_hand_over(struct gb_guest *guest, const struct gb_guest_events *events, void *arg)
{
    guest->events = *events;
    guest->arg = arg;
}

struct gb_vm *gb_guest_vm(const struct gb_guest *guest)
{
    return guest->vm;
}

bool gb_guest_listens(const struct gb_guest *guest)
{
    return guest->listens && !guest->held;
}

void gb_guest_kill(struct gb_guest *guest, const char *reason)
{
    if (guest->vm != NULL)
        gb_vm_kill(guest->vm, reason);
}
