/* SPDX-License-Identifier: Apache-2.0 */
/* Of what a guest prints as its variables or its files, names stay in order, nothing is compared
 * that is not known, and a list does not differ from itself. The first byte chooses. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "server/checkpoint/compare.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct compare_list list = {0}, none = {.good = true};
    struct compare_changes changes;
    struct gb_buf text = {0};
    bool cut;

    if (size == 0)
        return 0;
    cut = (data[0] & 2) != 0;
    gb_buf_add(&text, data + 1, size - 1);
    if ((data[0] & 1) != 0)
        compare_read_files(&list, &text, true, cut);
    else
        compare_read_variables(&list, &text, true, cut);
    for (size_t i = 1; i < list.count; i++)
        assert(compare_bytes(list.list[i - 1].name, list.list[i].name) <= 0);
    if (list.good) {
        compare_lists(&list, &none, &changes);
        assert(changes.many || changes.count == list.count);
        free(changes.list);
        compare_lists(&list, &list, &changes);
        assert(changes.count == 0);
        free(changes.list);
    }
    compare_list_release(&list);
    gb_buf_release(&text);
    return 0;
}
