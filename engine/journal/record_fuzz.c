/* SPDX-License-Identifier: Apache-2.0 */
/* A segment's bytes: records one behind the other, as the scan and the readers take them. */
#include "journal/pace.h"
#include "journal/record.h"
#include "machine/crc32c.h"
#include "model/undone.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The sums would keep a fuzzer out: they are made right, so that what lies behind is reached. */
static void mend(uint8_t *record, size_t size)
{
    size_t head = size >= GB_RECORD_HEAD && record[3] == '3' ? GB_RECORD_HEAD : GB_RECORD_HEAD_OLD;
    uint8_t *sizes = record + head - GB_RECORD_HEAD_OLD + 8;
    uint32_t payload = gb_get_u32(sizes), sum;

    if (payload > size - head)
        payload = (uint32_t)(size - head);
    memcpy(sizes, &payload, 4);
    sum = gb_crc32c(0, record + head, payload);
    memcpy(sizes + 4, &sum, 4);
    sum = gb_crc32c(0, record, head - 4);
    memcpy(record + head - 4, &sum, 4);
}

static volatile uint32_t sink;

static void touch(struct gb_bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        sink += bytes.data[i];
}

static void read_record(const struct gb_record_head *head, struct gb_bytes payload)
{
    struct gb_record_session session;
    struct gb_network_record network;
    struct gb_record_annotation annotation;
    struct gb_cell_info cell;
    struct gb_pace_step step;
    struct gb_bytes key, value;
    size_t at = 0;

    if (gb_record_read_session(head, payload, &session) == 0) {
        touch(session.key);
        touch(session.message);
        for (struct gb_undone undone = gb_undone_of(session.undone); gb_undone_next(&undone);)
            sink += undone.last - undone.first;
    }
    if (gb_record_read_network(head, payload, &network) == 0) {
        touch(network.name);
        touch(network.rule);
        touch(network.client);
    }
    if (gb_record_read_annotation(head, payload, &annotation) == 0) {
        touch(annotation.note);
        touch(annotation.client);
    }
    if (gb_record_read_cell(head, payload, &cell) == 0) {
        touch(cell.code);
        touch(cell.file);
        touch(cell.argv);
        touch(cell.message);
        while (gb_pairs_next(&cell.displays.pairs, &at, &key, &value) == 1)
            touch(value);
        at = 0;
        while (gb_pairs_next(&cell.files.pairs, &at, &key, &value) == 1)
            touch(key);
        for (at = 0; gb_pace_next(cell.pace, &at, &step);)
            sink += step.size;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);

    if (copy == NULL)
        return 0;
    memcpy(copy, data, size);
    for (size_t at = 0; size - at >= GB_RECORD_HEAD_OLD;) {
        struct gb_record_head head;

        mend(copy + at, size - at);
        if (gb_record_head_read((struct gb_bytes){copy + at, size - at}, &head) < 0)
            break;
        at += gb_record_head_size(&head);
        read_record(&head, (struct gb_bytes){copy + at, head.size});
        at += head.size;
    }
    free(copy);
    return 0;
}
