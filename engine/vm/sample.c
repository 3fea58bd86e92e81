/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's /proc tells of a VM. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "vm/operation.h"
#include "vm/private.h"

enum { PROC_MAX = 16 * 1024, LOOK_AGE_MS = 900 };

/* The kB behind "NAME:" in a smaps_rollup, added to *@total. */
static void add_field(const char *text, const char *name, uint64_t *total)
{
    const char *at = strstr(text, name);

    if (at != NULL)
        *total += strtoull(at + strlen(name), NULL, 10) << 10;
}

static int read_proc(pid_t pid, const char *file, struct gb_buf *text, struct gb_err *err)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    return gb_fd_read_file(path, PROC_MAX, text, err);
}

int gb_vm_sample(struct gb_vm *vm, struct gb_vm_sample *ret_sample, struct gb_err *err)
{
    struct gb_vm_sample sample = {.pid = gb_vm_pid(vm)};
    struct gb_buf text = {0};
    uint64_t user, system;
    int r;

    if (sample.pid == 0)
        return gb_err_set(err, GB_ENOTFOUND, "QEMU has not started yet");
    r = read_proc(sample.pid, "smaps_rollup", &text, err);
    if (r == 0) {
        add_field(gb_buf_str(&text), "\nPss:", &sample.pss_bytes);
        add_field(gb_buf_str(&text), "\nPrivate_Clean:", &sample.private_bytes);
        add_field(gb_buf_str(&text), "\nPrivate_Dirty:", &sample.private_bytes);
        add_field(gb_buf_str(&text), "\nAnonymous:", &sample.anonymous_bytes);
        gb_buf_clear(&text);
        r = read_proc(sample.pid, "stat", &text, err);
    }
    if (r == 0) {
        if (!registry_stat_number(gb_buf_bytes(&text), STAT_USER, &user) ||
            !registry_stat_number(gb_buf_bytes(&text), STAT_SYSTEM, &system))
            r = gb_err_set(err, GB_EINTERNAL, "the host's /proc cannot be read");
        else
            sample.cpu_ns = (user + system) * (GB_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
    }
    gb_buf_release(&text);
    if (r < 0)
        return r;
    *ret_sample = sample;
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
