/* SPDX-License-Identifier: Apache-2.0 */
/* A VM: one QEMU process, its monitor (QMP), and the byte stream to the agent, cut into frames.
 *
 * Life: STARTING (process runs) → RUNNING (the guest's HELLO came, or it was restored) → DEAD.
 * WAITING stands for a process in `-incoming defer` that has no guest yet. A VM is freed only when
 * it is DEAD, which is when the process has been reaped, not when it was told to go.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "vm/host.h"
#include "wire/frame.h"
#include "wire/guest.h"

struct gb_vm;

/* Where the guest's RAM lives. */
enum gb_ram {
    GB_RAM_ANONYMOUS,
    GB_RAM_SHARED_FILE,  /* written through to ram_path: what a template is made from */
    GB_RAM_PRIVATE_FILE, /* ram_path mapped copy-on-write: a clone */
    GB_RAM_COUNT
};

struct gb_vm_config {
    const struct gb_image *image; /* borrowed for the VM's life */
    uint32_t memory_mb;
    enum gb_ram ram;
    const char *ram_path;     /* NULL for ANONYMOUS */
    bool incoming;            /* start without a guest and wait for gb_vm_load() */
    uint64_t boot_timeout_ms; /* until HELLO; 0: by accelerator */
};

struct gb_vm_events {
    /* The agent's HELLO was checked; frames may be sent from now on. */
    void (*running)(void *arg, const struct gb_hello *hello);
    /* A frame from the guest, HELLO apart. Borrows for the call. */
    void (*frame)(void *arg, const struct gb_frame *frame);
    /* Bytes queued for the guest have left; may be NULL. */
    void (*sent)(void *arg, size_t bytes);
    /* The process has been reaped. Once, last. @why: GB_EBOOT before RUNNING, else GB_ECLOSED; the
     * sentence tells the cause (exit status, signal, protocol violation, the guest's last console
     * lines when it panicked). Free the VM now or later. */
    void (*dead)(void *arg, const struct gb_err *why);
};

/* What the host can see of a VM. */
struct gb_vm_sample {
    pid_t pid; /* of QEMU */
    uint64_t pss_bytes, private_bytes, cpu_ns;
    uint64_t anonymous_bytes; /* of no file: its own heap, and copies of what it has written to */
};

/* Starts QEMU through the launcher. Borrows @host for the VM's life. No event before it returned.
 */
int gb_vm_start(struct gb_host *host, const struct gb_vm_config *config,
                const struct gb_vm_events *events, void *arg, struct gb_vm **ret_vm,
                struct gb_err *err);

/* Another one hears the events from now on: who started the VM gives it to who uses it. Not when
 * DEAD.
 */
void gb_vm_hand_over(struct gb_vm *vm, const struct gb_vm_events *events, void *arg);

/* @reaped is called once, when the process has been reaped, before `dead` and whoever hears that:
 * for what belongs to the process itself. */
void gb_vm_on_reaped(struct gb_vm *vm, void (*reaped)(void *arg), void *arg);

/* Adds all that device state and RAM of such a VM depend on and that this module knows: QEMU, its
 * arguments (without paths that change with each VM), firmware, the host's kernel and CPU. */
int gb_vm_describe(const struct gb_host *host, const struct gb_image *image, uint32_t memory_mb,
                   struct gb_buf *text, struct gb_err *err);

/* Queues frames; takes the content of @frames, which is empty after. Dropped when the VM is dying.
 */
void gb_vm_send(struct gb_vm *vm, struct gb_buf *frames);
/* Bytes that the guest has not taken yet. */
size_t gb_vm_queued(const struct gb_vm *vm);

/* Our end of the second port (GB_GUEST_NETWORK_PORT), on which the guest says nothing unless it was
 * told to (NETWORK_ON): gives it, once. -1: it has been taken, or the VM is DEAD. */
int gb_vm_take_network(struct gb_vm *vm);

/* Ends the process at once; `dead` follows, with @reason (NULL: "killed by Glassbell") as its
 * sentence. Harmless when it is dying. */
void gb_vm_kill(struct gb_vm *vm, const char *reason);
/* Only when DEAD. Accepts NULL. */
void gb_vm_free(struct gb_vm *vm);

/* QEMU's pid on the host; 0 before it is known. */
pid_t gb_vm_pid(const struct gb_vm *vm);
/* Isolation stages that were applied to this process (enum gb_guard_stage). */
uint32_t gb_vm_guard_stages(const struct gb_vm *vm);
/* Monotonic ns: start of the process, its HELLO (0: none yet). */
uint64_t gb_vm_started_ns(const struct gb_vm *vm);
uint64_t gb_vm_hello_ns(const struct gb_vm *vm);
/* Reads /proc: a millisecond or so; not for every event. */
int gb_vm_sample(struct gb_vm *vm, struct gb_vm_sample *ret_sample, struct gb_err *err);
/* The same, read again only after a second, and not once @until_ns (monotonic) is over: who asks
 * for many VMs gives itself a budget. NULL: it was never seen. Borrows until the next call. */
const struct gb_vm_sample *gb_vm_look(struct gb_vm *vm, uint64_t until_ns);
/* When it was read last, or that was tried (monotonic); 0: never. */
uint64_t gb_vm_looked_ns(const struct gb_vm *vm);

/* The monitor. One operation at a time; @done once, from the loop, @err NULL on success. */
typedef void gb_vm_done_fn(void *arg, const struct gb_err *err);
/* Halts and continues the guest's CPU. */
void gb_vm_stop(struct gb_vm *vm, gb_vm_done_fn *done, void *arg);
void gb_vm_cont(struct gb_vm *vm, gb_vm_done_fn *done, void *arg);
/* Writes the device state (not the RAM, which is in its file) of a stopped VM to @path. */
void gb_vm_save(struct gb_vm *vm, const char *path, gb_vm_done_fn *done, void *arg);
/* @done when the process of a WAITING VM has mapped its memory and waits for device state. */
void gb_vm_await(struct gb_vm *vm, gb_vm_done_fn *done, void *arg);
/* Loads device state into a WAITING VM and lets it run; it is RUNNING at done, and has to be pinged
 * and configured by its user. */
void gb_vm_load(struct gb_vm *vm, const char *path, gb_vm_done_fn *done, void *arg);
