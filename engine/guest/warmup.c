/* SPDX-License-Identifier: Apache-2.0 */
/* What runs in a guest before a user's first cell: the cells in its language's record.
 *
 * Before a template is saved: output, a value, and the first error, which loads the code that
 * prints it: a second under emulation. The last cell removes what the others left.
 *
 * In the pool: what a first cell is likely to contain: a call, a text, some of the language's ways
 * to loop and to format text. None leaves a name behind.
 */
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "guest/private.h"

enum { CELL_TIMEOUT_MS = 30000 };

/* Numbers that no session reaches; those of the pool run in guests that have run the others. */
static const uint32_t warmup_first_cell[] = {
    [GB_WARMUP_TEMPLATE] = 0xfffffe00u, [GB_WARMUP_POOL] = 0xffffff00u};

static const struct gb_texts *warmup_cells(const struct gb_image *image, enum gb_warmup warmup)
{
    return warmup == GB_WARMUP_POOL ? &image->record->warm.pool : &image->record->warm.template;
}

int gb_guest_prepare(struct gb_guest *guest, gb_vm_done_fn *done, void *arg, struct gb_err *err)
{
    return guest_order(guest, GB_GUEST_PREPARE, done, arg, err);
}

int gb_guest_rehearse_network(struct gb_guest *guest, gb_vm_done_fn *done, void *arg,
                              struct gb_err *err)
{
    return guest_order(guest, GB_GUEST_NETWORK_REHEARSE, done, arg, err);
}

unsigned gb_guest_warmup_count(const struct gb_guest *guest, enum gb_warmup warmup)
{
    return (unsigned)warmup_cells(guest->image, warmup)->count;
}

bool gb_guest_warm_up(struct gb_guest *guest, enum gb_warmup warmup, unsigned index)
{
    const struct gb_texts *cells = warmup_cells(guest->image, warmup);
    struct gb_exec message = {.mode = GB_MODE_KERNEL,
                              .timeout_ms = CELL_TIMEOUT_MS,
                              .max_stdout = GB_STDOUT_DEFAULT,
                              .max_stderr = GB_STDERR_DEFAULT};

    if (index >= cells->count)
        return false;
    message.code = gb_bytes_str(cells->list[index]);
    gb_guest_exec(guest, warmup_first_cell[warmup] + index, &message);
    return true;
}

void gb_warmup_describe(const struct gb_image *image, enum gb_warmup warmup, struct gb_buf *text)
{
    const struct gb_texts *cells = warmup_cells(image, warmup);

    for (size_t i = 0; i < cells->count; i++) {
        gb_buf_adds(text, "cell ");
        gb_escape(text, gb_bytes_str(cells->list[i]), GB_CODE_MAX);
        gb_buf_adds(text, "\n");
    }
}
