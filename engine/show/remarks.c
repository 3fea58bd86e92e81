/* SPDX-License-Identifier: Apache-2.0 */
#include "show/remarks.h"

#include <stdbool.h>

#include "model/flags.h"
#include "show/outcome.h"

/* In the order in which they are displayed. */
enum remark {
    REMARK_ERROR,
    REMARK_NOTE,
    REMARK_STATE_LOST,
    REMARK_ROLLED_BACK,
    REMARK_LEFT_OUT,
    REMARK_COUNT
};

static bool remarks_have(const struct remarks *remarks, enum remark remark)
{
    switch (remark) {
    case REMARK_ERROR:
        return remarks->error.size > 0;
    case REMARK_NOTE:
        return remarks->note.size > 0;
    case REMARK_STATE_LOST:
        return (remarks->flags & GB_CELL_STATE_LOST) != 0;
    case REMARK_ROLLED_BACK:
        return (remarks->flags & GB_CELL_ROLLED_BACK) != 0;
    case REMARK_LEFT_OUT:
        return remarks->left_out > 0;
    case REMARK_COUNT:
        break;
    }
    return false;
}

size_t remarks_count(const struct remarks *remarks)
{
    size_t count = 0;

    for (int remark = 0; remark < REMARK_COUNT; remark++)
        count += remarks_have(remarks, (enum remark)remark);
    return count;
}

static void remarks_say(const struct remarks *remarks, enum remark remark, struct gb_buf *to)
{
    char text[64];

    switch (remark) {
    case REMARK_ERROR:
        gb_buf_add(to, remarks->error.data, remarks->error.size);
        break;
    case REMARK_NOTE:
        gb_buf_add(to, remarks->note.data, remarks->note.size);
        break;
    case REMARK_STATE_LOST:
        gb_buf_adds(to, outcome_state_lost);
        break;
    case REMARK_ROLLED_BACK:
        gb_buf_adds(to, outcome_rolled_back);
        break;
    case REMARK_LEFT_OUT:
        outcome_left_out(remarks->left_out, text, sizeof(text));
        gb_buf_adds(to, text);
        break;
    case REMARK_COUNT:
        break;
    }
}

void remarks_add(const struct remarks *remarks, size_t index, struct gb_buf *to)
{
    for (int remark = 0; remark < REMARK_COUNT; remark++)
        if (remarks_have(remarks, (enum remark)remark) && index-- == 0) {
            remarks_say(remarks, (enum remark)remark, to);
            return;
        }
}
