/* SPDX-License-Identifier: Apache-2.0 */
/* Which accelerator really works. /dev/kvm may open and still be useless: on some hosts stock
 * guests hang under it for ever. So a small guest is booted under the system's own accelerator (KVM
 * or another, platform/system.h) and under emulation. The former has the first HELLO, or its time;
 * where it gives none, emulation has to.
 *
 * What came out is remembered in the cache folder. That KVM works holds for this kernel, processor,
 * QEMU and these images. That it does not may have a cause that passes (another hypervisor holds
 * the processor, memory was short, a setting), so it holds until the host boots again, and is not
 * believed where somebody asks for KVM, or for a look (`glassbell doctor`).
 */
#pragma once

#include "vm/host.h"

/* The answer: @accel and a sentence (borrowed), or an error. */
typedef void accel_done_fn(void *arg, enum gb_accel accel, const char *reason,
                           const struct gb_err *err);

/* Uses what the cache of @host knows, or boots guests and remembers the answer. @wanted: UNKNOWN
 * for whatever is best; TCG is believed; KVM that does not work is GB_EUNSUPPORTED. @anew: nothing
 * that is remembered counts. @done once, from the loop. */
void accel_find(struct gb_host *host, enum gb_accel wanted, bool anew, accel_done_fn *done,
                void *arg);

/* What is remembered. The strings are the heap's. */
struct accel_memory {
    enum gb_accel accel; /* KVM or TCG */
    char *key;           /* what it holds for */
    char *boot;          /* the host's boot id */
    char *reason;        /* KVM: how it was seen to work; TCG: why KVM does not */
};

/* False when @text is no such memory. *@ret_memory: gives; accel_release(). */
bool accel_parse(struct gb_bytes text, struct accel_memory *ret_memory);
void accel_format(const struct accel_memory *memory, struct gb_buf *text);
void accel_release(struct accel_memory *memory);

/* Whether it answers the question: for @key in this @boot (empty: not known), with @wanted. */
bool accel_holds(const struct accel_memory *memory, const char *key, const char *boot,
                 enum gb_accel wanted);
