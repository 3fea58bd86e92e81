/* SPDX-License-Identifier: Apache-2.0 */
/* Determines which accelerator really works. /dev/kvm may open and still be useless: on some hosts
 * stock guests hang under it for ever. So a small guest is booted under the system's own
 * accelerator (KVM or another, platform/system.h) and under emulation. The former wins if it says
 * HELLO, and gets its full time for that; only if it fails does emulation have to.
 *
 * The result is cached in the cache folder. "KVM works" is valid for this kernel, processor, QEMU
 * and these images. "KVM does not work" may have a temporary cause (another hypervisor uses the
 * processor, memory was short, a setting), so it is valid only until the host reboots, and is
 * ignored if KVM or a new probe (`glassbell doctor`) is requested.
 *
 * Guests of another architecture than the host's are emulated, which needs no probe.
 */
#pragma once

#include "vm/host.h"

/* The result: @accel and the reason (borrowed), or an error. */
typedef void accel_done_fn(void *arg, enum gb_accel accel, const char *reason,
                           const struct gb_err *err);

/* Uses the result cached for @host, or boots guests and caches the result. @wanted: UNKNOWN for the
 * best one; TCG is accepted without a probe; if KVM does not work it is GB_EUNSUPPORTED. @anew:
 * ignores the cache. Calls @done once, from the loop. */
void accel_find(struct gb_host *host, enum gb_accel wanted, bool anew, accel_done_fn *done,
                void *arg);

/* A cached result. The strings are on the heap. */
struct accel_memory {
    enum gb_accel accel; /* KVM or TCG */
    char *key;           /* what it is valid for */
    char *boot;          /* the host's boot id */
    char *reason;        /* KVM: how it was seen to work; TCG: why KVM does not */
};

/* False if @text is not a cached result. *@ret_memory: gives; accel_release(). */
bool accel_parse(struct gb_bytes text, struct accel_memory *ret_memory);
void accel_format(const struct accel_memory *memory, struct gb_buf *text);
void accel_release(struct accel_memory *memory);

/* Whether it is valid for @key in this @boot (empty: unknown), with @wanted. */
bool accel_holds(const struct accel_memory *memory, const char *key, const char *boot,
                 enum gb_accel wanted);
