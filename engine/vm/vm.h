/* SPDX-License-Identifier: Apache-2.0 */
/* A VM: one QEMU process, its monitor (QMP), and the byte stream to the agent, split into frames.
 *
 * Life: STARTING (process runs) → RUNNING (the guest's HELLO arrived, or it was restored) → DEAD.
 * WAITING is a process in `-incoming defer` that has no guest yet. A VM may only be freed when it
 * is DEAD, which means that the process has been reaped, not that it was killed.
 *
 * All functions: loop thread only.
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

/* The size of the spare disk that every VM has. */
#define GB_VM_SPARE_BYTES GB_GUEST_PACKAGES_DISK_BYTES

struct gb_vm;

/* Where the guest's RAM lives. */
enum gb_ram {
    GB_RAM_ANONYMOUS,
    GB_RAM_SHARED_FILE,  /* shared mapping of ram_path: to build a template */
    GB_RAM_PRIVATE_FILE, /* private (copy-on-write) mapping of ram_path: a clone */
    GB_RAM_COUNT
};

struct gb_vm_config {
    const struct gb_image *image; /* borrowed for the VM's life */
    uint32_t memory_mb;
    enum gb_ram ram;
    const char *ram_path;     /* NULL for ANONYMOUS */
    bool incoming;            /* start without a guest and wait for gb_vm_load() */
    uint64_t boot_timeout_ms; /* until HELLO; 0: depends on the accelerator */
};

struct gb_vm_events {
    /* The agent's HELLO was valid; frames may be sent from now on. */
    void (*running)(void *arg, const struct gb_hello *hello);
    /* A frame from the guest, other than HELLO. Borrows for the call. */
    void (*frame)(void *arg, const struct gb_frame *frame);
    /* Bytes queued for the guest have been sent; may be NULL. */
    void (*sent)(void *arg, size_t bytes);
    /* The process has been reaped. Called once and last. @why: GB_EBOOT before RUNNING, else
     * GB_ECLOSED; the message gives the cause (exit status, signal, protocol violation, the guest's
     * last console lines if it panicked). Free the VM now or later. */
    void (*dead)(void *arg, const struct gb_err *why);
};

/* The resource usage of a VM, as seen by the host. */
struct gb_vm_sample {
    pid_t pid; /* of QEMU */
    uint64_t pss_bytes, private_bytes, cpu_ns;
    uint64_t anonymous_bytes; /* not backed by a file: QEMU's heap, and copies of written pages */
};

/* Starts QEMU through the launcher. Borrows @host for the VM's life. No event is called before it
 * returns. */
int gb_vm_start(struct gb_host *host, const struct gb_vm_config *config,
                const struct gb_vm_events *events, void *arg, struct gb_vm **ret_vm,
                struct gb_err *err);

/* From now on the events go to another owner, for example from the code that started the VM to the
 * code that uses it. Not when DEAD. */
void gb_vm_hand_over(struct gb_vm *vm, const struct gb_vm_events *events, void *arg);

/* Calls @reaped once, when the process has been reaped, before `dead`: for resources that belong to
 * the process itself. */
void gb_vm_on_reaped(struct gb_vm *vm, void (*reaped)(void *arg), void *arg);

/* Adds everything known to this module that the VM's device state and RAM depend on: QEMU, its
 * arguments (without paths that differ for each VM), firmware, the host's kernel and CPU. */
int gb_vm_describe(const struct gb_host *host, const struct gb_image *image, uint32_t memory_mb,
                   struct gb_buf *text, struct gb_err *err);

/* Queues frames; moves the content of @frames, which is empty afterwards. Drops them if the VM is
 * dying. */
void gb_vm_send(struct gb_vm *vm, struct gb_buf *frames);
/* Bytes queued for the guest. */
size_t gb_vm_queued(const struct gb_vm *vm);

/* Our end of the second port (GB_GUEST_NETWORK_PORT), on which the guest is silent until
 * NETWORK_ON: gives it, once. -1: it has been taken, or the VM is DEAD. */
int gb_vm_take_network(struct gb_vm *vm);
/* It has been taken: whoever has it may send at any time. */
bool gb_vm_network_is_taken(const struct gb_vm *vm);

/* Kills the process; `dead` follows, with @reason (NULL: "killed by Glassbell") as its message.
 * No-op if it is dying. */
void gb_vm_kill(struct gb_vm *vm, const char *reason);
/* Only when DEAD. No-op on NULL. */
void gb_vm_free(struct gb_vm *vm);

/* QEMU's pid on the host; 0 until it is known. */
pid_t gb_vm_pid(const struct gb_vm *vm);
/* The isolation stages applied to this process (enum gb_guard_stage). */
uint32_t gb_vm_guard_stages(const struct gb_vm *vm);
/* In monotonic ns: start of the process, its HELLO (0: none yet). */
uint64_t gb_vm_started_ns(const struct gb_vm *vm);
uint64_t gb_vm_hello_ns(const struct gb_vm *vm);
/* Reads /proc, which takes a millisecond or so; do not call it for every event. */
int gb_vm_sample(struct gb_vm *vm, struct gb_vm_sample *ret_sample, struct gb_err *err);
/* The same, but cached for a second, and not sampled after @until_ns (monotonic): callers with many
 * VMs set themselves a time budget. NULL: never sampled. Borrows until the next call. */
const struct gb_vm_sample *gb_vm_look(struct gb_vm *vm, uint64_t until_ns);
/* When sampling was last attempted (monotonic); 0: never. */
uint64_t gb_vm_looked_ns(const struct gb_vm *vm);

/* The monitor. One operation at a time; @done is called once, from the loop, with @err NULL on
 * success. */
typedef void gb_vm_done_fn(void *arg, const struct gb_err *err);
/* Stop and continue the guest's CPU. */
void gb_vm_stop(struct gb_vm *vm, gb_vm_done_fn *done, void *arg);
void gb_vm_cont(struct gb_vm *vm, gb_vm_done_fn *done, void *arg);
/* Writes the device state (not the RAM, which is in its file) of a stopped VM to @path. */
void gb_vm_save(struct gb_vm *vm, const char *path, gb_vm_done_fn *done, void *arg);
/* Puts the content of @fd, a file of GB_VM_SPARE_BYTES that never changes, behind the
 * guest's spare disk, which nobody has read yet; only once in the life of a VM. Copies @fd. */
void gb_vm_attach(struct gb_vm *vm, int fd, gb_vm_done_fn *done, void *arg);
/* Calls @done when the process of a WAITING VM has mapped its memory and waits for device state. */
void gb_vm_await(struct gb_vm *vm, gb_vm_done_fn *done, void *arg);
/* Loads device state into a WAITING VM and lets it run; it is RUNNING at @done, and its user has to
 * ping and configure it. */
void gb_vm_load(struct gb_vm *vm, const char *path, gb_vm_done_fn *done, void *arg);
