/* SPDX-License-Identifier: Apache-2.0 */
/* What the host knows about a VM. */
#include "base/clock.h"
#include "platform/process.h"
#include "vm/operation.h"
#include "vm/private.h"

enum { LOOK_AGE_MS = 900 };

int gb_vm_sample(struct gb_vm *vm, struct gb_vm_sample *ret_sample, struct gb_err *err)
{
    pid_t pid = gb_vm_pid(vm);
    struct gb_process_usage usage;
    int r;

    if (pid == 0)
        return gb_err_set(err, GB_ENOTFOUND, "QEMU has not started yet");
    r = gb_process_usage(pid, &usage, err);
    if (r < 0)
        return r;
    *ret_sample = (struct gb_vm_sample){
        .pid = pid,
        .pss_bytes = usage.pss_bytes,
        .private_bytes = usage.private_bytes,
        .cpu_ns = usage.cpu_ns,
        .anonymous_bytes = usage.anonymous_bytes,
    };
    return 0;
}

const struct gb_vm_sample *gb_vm_look(struct gb_vm *vm, uint64_t until_ns)
{
    uint64_t now = gb_clock_mono_ns();
    bool stale = vm->sampled_ns == 0 || now - vm->sampled_ns > LOOK_AGE_MS * GB_NS_PER_MS;

    if (stale && now < until_ns) {
        vm->looked_ns = now;
        if (gb_vm_sample(vm, &vm->sample, NULL) == 0)
            vm->sampled_ns = now;
    }
    return vm->sampled_ns > 0 ? &vm->sample : NULL;
}

uint64_t gb_vm_looked_ns(const struct gb_vm *vm)
{
    return vm->looked_ns;
}
