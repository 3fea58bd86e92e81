/* SPDX-License-Identifier: Apache-2.0 */
/* What a client reads: any JSON by each table. What passes is within the bounds of its table, and
 * is read the same again. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/answer.h"
#include "model/cell.h"
#include "model/entry.h"
#include "model/hello.h"
#include "model/session.h"
#include "model/stats.h"
#include "rpc/object.h"

union object {
    struct gb_cell_info cell;
    struct gb_hello_info hello;
    struct gb_stats_info stats;
    uint8_t bytes[GB_OBJECT_SIZE_MAX];
};

static void check_cell(const struct gb_cell_info *cell)
{
    struct gb_display_info display;
    struct gb_file_info file;
    struct gb_buf bytes = {0};
    uint32_t count = 0;

    assert(cell->exit_code >= -1 && cell->exit_code <= 255);
    assert(cell->mode < GB_MODE_COUNT || cell->mode == GB_NO_WORD);
    assert(cell->state < GB_CELL_STATE_COUNT || cell->state == GB_NO_WORD);
    assert(cell->signal <= GB_SIGNAL_MAX && cell->error < GB_CODE_COUNT);
    for (size_t at = 0; gb_items_next(&gb_display_object, &cell->displays, &at, &display) == 1;
         count++)
        (void)gb_bytes_add_decoded(&bytes, display.data, (display.flags & GB_DISPLAY_BASE64) != 0);
    for (size_t at = 0; gb_items_next(&gb_file_info_object, &cell->files, &at, &file) == 1;)
        assert(file.change < GB_CHANGE_COUNT || file.change == GB_NO_WORD);
    assert(cell->displays.json == NULL ||
           count == ((const struct gb_json *)cell->displays.json)->count);
    (void)gb_bytes_add_decoded(&bytes, cell->out, (cell->flags & GB_CELL_OUT_BASE64) != 0);
    gb_buf_release(&bytes);
}

static void check_hello(const struct gb_hello_info *hello)
{
    struct gb_image_info image;
    struct gb_bytes name;
    uint32_t count = 0;

    assert(hello->isolation < GB_ISOLATION_COUNT || hello->isolation == GB_NO_WORD);
    for (size_t at = 0; gb_items_next(&gb_image_info_object, &hello->images, &at, &image) == 1;
         count++)
        for (size_t i = 0; gb_names_next(&image.aliases, &i, &name);)
            assert(name.data != NULL);
    assert(count == gb_items_count(&hello->images));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gb_object *const objects[] = {
        &gb_cell_object,     &gb_display_object,  &gb_file_info_object,   &gb_session_object,
        &gb_lease_object,    &gb_sample_object,   &gb_entry_object,       &gb_hello_object,
        &gb_stats_object,    &gb_capacity_object, &gb_warm_object,        &gb_opened_object,
        &gb_sessions_object, &gb_matches_object,  &gb_whole_object,       &gb_history_object,
        &gb_listing_object,  &gb_piece_object,    &gb_description_object,
    };
    struct gb_json_doc doc = {0};
    uint8_t *text = malloc(size + 1);
    struct gb_err err = {0};
    union object read, again;

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    if (gb_json_parse(&doc, text, size, 4096, &err) == 0) {
        for (size_t i = 0; i < ARRAY_SIZE(objects); i++) {
            int r = gb_object_read(objects[i], doc.nodes, &read, &err);

            assert(r == gb_object_read(objects[i], doc.nodes, &again, NULL));
            assert(r == 0 || r == -GB_EINTERNAL);
            if (r == 0 && objects[i] == &gb_cell_object)
                check_cell(&read.cell);
            if (r == 0 && objects[i] == &gb_hello_object)
                check_hello(&read.hello);
            if (r == 0)
                assert(memcmp(&read, &again, objects[i]->size) == 0);
        }
    }
    gb_json_release(&doc);
    free(text);
    return 0;
}
