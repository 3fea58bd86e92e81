/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a program prints, in whatever pieces and between whatever changes of size: the grid is
 * whole, and a terminal that gets what a view paints shows it. A byte of 0xf5, which no text has,
 * paints; 0xf6 changes the size by the two bytes behind it. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vt/private.h"

enum { PAINT = 0xf5, RESIZE = 0xf6 };

struct fuzz {
    struct gb_vt *program, *terminal;
    struct gb_vt_view *view;
};

static void check_grid(const struct gb_vt *vt)
{
    assert(vt->cursor.row < vt->rows && vt->cursor.column < vt->columns);
    assert(vt->top <= vt->bottom && vt->bottom < vt->rows);
    assert(vt->replies.size <= VT_REPLIES_MAX);
    for (unsigned row = 0; row < vt->rows; row++)
        for (unsigned i = 0; i < vt->columns; i++) {
            const struct vt_cell *cell = &vt->lines[row].cells[i];

            assert(cell->width <= 2 && cell->size <= GLYPH_BYTES);
            assert((cell->width == 0) == (i > 0 && cell[-1].width == 2));
            assert(cell->width < 2 || i + 1 < vt->columns);
        }
}

static void paint(struct fuzz *fuzz)
{
    struct gb_buf out = {0}, want = {0}, have = {0};

    check_grid(fuzz->program);
    gb_vt_view_paint(fuzz->view, fuzz->program, &out);
    gb_vt_feed(fuzz->terminal, gb_buf_bytes(&out));
    gb_vt_text(fuzz->program, &want);
    gb_vt_text(fuzz->terminal, &have);
    if (strcmp(gb_buf_str(&want), gb_buf_str(&have)) != 0) {
        (void)fprintf(stderr, "want\n%s\nhave\n%s\nsent\n%s\n", gb_buf_str(&want),
                      gb_buf_str(&have), gb_buf_str(&out));
        abort();
    }
    gb_buf_release(&out);
    gb_buf_release(&want);
    gb_buf_release(&have);
    gb_buf_clear(gb_vt_replies(fuzz->program));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz fuzz = {gb_vt_new(5, 12), gb_vt_new(5, 12), gb_vt_view_new(5, 12)};
    size_t from = 0;

    for (size_t i = 0; i <= size; i++) {
        if (i < size && data[i] != PAINT && data[i] != RESIZE)
            continue;
        gb_vt_feed(fuzz.program, (struct gb_bytes){data + from, i - from});
        if (i + 2 < size && data[i] == RESIZE) {
            unsigned rows = data[i + 1] % 20 + 1, columns = data[i + 2] % 40 + 1;

            gb_vt_resize(fuzz.program, rows, columns);
            gb_vt_resize(fuzz.terminal, rows, columns);
            gb_vt_view_resize(fuzz.view, rows, columns);
            i += 2;
        }
        paint(&fuzz);
        from = i + 1;
    }
    gb_vt_free(fuzz.program);
    gb_vt_free(fuzz.terminal);
    gb_vt_view_free(fuzz.view);
    return 0;
}
