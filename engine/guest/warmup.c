/* SPDX-License-Identifier: Apache-2.0 */
/* What runs in a guest before a user's first cell: a table by language.
 *
 * Before a template is saved: output, a value, and the first error, which loads what prints it: a
 * second under emulation. The last cell forgets what the others left.
 *
 * In the pool: what a first cell is likely to be: a call, a text, some of the language's ways to
 * loop and to make text. None leaves a name behind.
 */
#include <string.h>

#include "base/mem.h"
#include "base/log.h"
#include "guest/private.h"

enum { CELL_TIMEOUT_MS = 30000 };

static const struct warmup_cells {
    const char *language;
    const char *cells[GB_WARMUP_COUNT][GB_WARMUP_CELLS];
} warmup_languages[] = {
    {"python",
     {[GB_WARMUP_TEMPLATE] = {"print('warm', flush=True)", "1/0",
                              "import sys as _\n"
                              "for __ in 'last_type', 'last_value', 'last_traceback':\n"
                              "    _.__dict__.pop(__, None)\ndel _, __"},
      [GB_WARMUP_POOL] = {"print(1)",
                          "[f'{i}: {x:.1f}' for i, x in enumerate([1.5, 2])]\n"
                          "print('warm', flush=True)",
                          "print(1)"}}},
    {"javascript",
     {[GB_WARMUP_TEMPLATE] = {"console.log('warm')", "throw new Error('warm')"},
      [GB_WARMUP_POOL] = {"console.log(1)",
                          "[1.5, 2].map((x, i) => `${i}: ${x.toFixed(1)}`); console.log('warm')",
                          "console.log(1)"}}},
    {"shell",
     {[GB_WARMUP_TEMPLATE] = {"echo warm", "false", "true"},
      [GB_WARMUP_POOL] = {"echo 1", "for x in one two; do printf '%s\\n' \"$x\"; done | cat",
                          "echo 1"}}},
};

/* Numbers that no session comes to; those of the pool run in guests that have run the others. */
static const uint32_t warmup_first_cell[] = {
    [GB_WARMUP_TEMPLATE] = 0xfffffe00u, [GB_WARMUP_POOL] = 0xffffff00u};

/* NULL: there is none. */
static const char *warmup_cell(const char *language, enum gb_warmup warmup, unsigned index)
{
    for (size_t i = 0; i < ARRAY_SIZE(warmup_languages) && index < GB_WARMUP_CELLS; i++)
        if (strcmp(warmup_languages[i].language, language) == 0)
            return warmup_languages[i].cells[warmup][index];
    return NULL;
}

bool gb_guest_warm_up(struct gb_guest *guest, enum gb_warmup warmup, unsigned index)
{
    const char *code = warmup_cell(guest->image->language, warmup, index);
    struct gb_exec message = {.mode = GB_MODE_KERNEL,
                              .timeout_ms = CELL_TIMEOUT_MS,
                              .max_stdout = GB_STDOUT_DEFAULT,
                              .max_stderr = GB_STDERR_DEFAULT};

    if (code == NULL)
        return false;
    message.code = gb_bytes_str(code);
    gb_guest_exec(guest, warmup_first_cell[warmup] + index, &message);
    return true;
}

void gb_warmup_describe(const char *language, enum gb_warmup warmup, struct gb_buf *text)
{
    const char *code;

    for (unsigned i = 0; (code = warmup_cell(language, warmup, i)) != NULL; i++) {
        gb_buf_adds(text, "cell ");
        gb_escape(text, gb_bytes_str(code), GB_CODE_MAX);
        gb_buf_adds(text, "\n");
    }
}
