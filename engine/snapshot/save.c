/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/save.h"

#include <stdlib.h>

#include "base/mem.h"

static void save_end(struct gb_snapshot_save *save, const struct gb_err *err)
{
    gb_vm_done_fn *done = save->done;
    void *arg = save->arg;

    free(save->state_path);
    *save = (struct gb_snapshot_save){0};
    done(arg, err);
}

static void save_on_saved(void *arg, const struct gb_err *err)
{
    save_end(arg, err);
}

static void save_on_frozen(void *arg, const struct gb_err *err)
{
    struct gb_snapshot_save *save = arg;

    if (err != NULL)
        save_end(save, err);
    else
        gb_vm_save(gb_guest_vm(save->guest), save->state_path, save_on_saved, save);
}

void gb_snapshot_save(struct gb_snapshot_save *save, struct gb_guest *guest, const char *state_path,
                      gb_vm_done_fn *done, void *arg)
{
    save->guest = guest;
    save->state_path = xstrdup(state_path);
    save->done = done;
    save->arg = arg;
    gb_guest_freeze(guest, save_on_frozen, save);
}
