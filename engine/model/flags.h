/* SPDX-License-Identifier: Apache-2.0 */
/* The facts about a cell as one word of bits: derived from the guest's DONE by engine/session, then
 * passed through the journal and the server to whatever displays them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum gb_cell_flags {
    /* Stored by the journal: the values must not change. */
    GB_CELL_TIMED_OUT = 1 << 0,
    GB_CELL_INTERRUPTED = 1 << 1,
    GB_CELL_OOM = 1 << 2,
    GB_CELL_STATE_LOST = 1 << 3, /* the interpreter was restarted after it */
    GB_CELL_HAS_VALUE = 1 << 4,
    GB_CELL_VALUE_CUT = 1 << 5,
    GB_CELL_HAS_CLIENT = 1 << 6,   /* the sender gave a name */
    GB_CELL_HAS_ERROR = 1 << 7,    /* it has no result */
    GB_CELL_DISPATCHED = 1 << 8,   /* with HAS_ERROR: its code may have run */
    GB_CELL_NO_CODE = 1 << 9,      /* in the journal: the code is in the START record of the same
                                    * segment */
    GB_CELL_FILES_CUT = 1 << 10,   /* more files were changed than are listed */
    GB_CELL_ROLLED_BACK = 1 << 11, /* the session went back to a checkpoint after it */
    GB_CELL_FLAGS_END = 1 << 12,

    /* Not stored by the journal. */
    GB_CELL_HAS_SIZES = 1 << 12,   /* stdout_bytes, stderr_bytes */
    GB_CELL_NO_OUTPUT = 1 << 13,   /* the output is not included */
    GB_CELL_HAS_PART = 1 << 14,    /* the output is a part, starting at `offset` */
    GB_CELL_BRIEF = 1 << 15,       /* displays without their data */
    GB_CELL_CODE_LOST = 1 << 16,   /* there was code, but the journal cannot read it */
    GB_CELL_RESULT_LOST = 1 << 17, /* it ended, but the journal cannot read how */
    GB_CELL_CODE_CUT = 1 << 19,
    GB_CELL_UNRECORDED = 1 << 20, /* the journal could not be written */
    GB_CELL_WAITING = 1 << 21,    /* it is running and waits for standard input */
    GB_CELL_UNDONE = 1 << 22,     /* the session was rewound to before it */
    GB_CELL_ANNOTATED = 1 << 18,  /* it has a bookmark (BOOKMARK) or a note (`annotation`) */
    GB_CELL_BOOKMARK = 1 << 23,

    /* In a reader: these bytes are in base64. */
    GB_CELL_OUT_BASE64 = 1 << 24,
    GB_CELL_ERR_BASE64 = 1 << 25,
    GB_CELL_FILE_BASE64 = 1 << 26,
    GB_CELL_ARGV_BASE64 = 1 << 27,
    GB_CELL_PROMPT_BASE64 = 1 << 28,
};

/* Whether a cell failed: one that was interrupted on purpose did not, one that timed out did.
 * @exit_code: -1 if it did not exit. */
static inline bool gb_cell_failed(uint32_t flags, int64_t exit_code, bool signalled)
{
    if ((flags & GB_CELL_TIMED_OUT) != 0)
        return true;
    return (flags & GB_CELL_INTERRUPTED) == 0 &&
           ((flags & GB_CELL_OOM) != 0 || signalled || exit_code > 0);
}
