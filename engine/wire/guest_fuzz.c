/* SPDX-License-Identifier: Apache-2.0 */
/* Frames as they come from a guest: cut, decoded by their tables, walked, and written again, which
 * must give the same bytes. */
#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "wire/frames.h"
#include "wire/guest.h"

/* Any message of the tables fits. */
union message {
    uint8_t bytes[512];
    uint64_t align;
};

static void walk_pairs(const struct gb_fields *table, const union message *message)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct gb_field *field = &table->fields[i];
        const struct gb_pairs *pairs;
        struct gb_bytes key, value;
        uint32_t count = 0;
        size_t at = 0;

        if (field->type != GB_FIELD_PAIRS)
            continue;
        pairs = (const struct gb_pairs *)(const void *)(message->bytes + field->offset);
        while (gb_pairs_next(pairs, &at, &key, &value))
            count++;
        assert(count == pairs->count && at == pairs->encoded.size);
    }
}

static void try_table(const struct gb_fields *table, struct gb_bytes payload)
{
    union message message = {0};
    struct gb_buf again = {0};

    if (gb_fields_decode(table, payload, &message, NULL) < 0)
        return;
    walk_pairs(table, &message);
    gb_fields_encode(table, &message, &again);
    assert(again.size == payload.size &&
           memcmp(gb_buf_data(&again), payload.data, payload.size) == 0);
    gb_buf_release(&again);
}

static void try_changed(struct gb_bytes payload)
{
    struct gb_buf again = {0};
    struct gb_changed changed;
    struct gb_done done;
    uint32_t count = 0;
    size_t at = 0;
    int r;

    if (gb_fields_decode(&gb_done_fields, payload, &done, NULL) < 0)
        return;
    while ((r = gb_changed_next(&done.changed, &at, &changed, NULL)) > 0) {
        assert(changed.path.size > 0 && changed.path.data[0] != '/');
        assert(changed.path.size <= GB_PATH_MAX && changed.change < GB_CHANGE_COUNT);
        gb_changed_add(&again, &count, &changed);
    }
    if (r == 0)
        assert(count == done.changed.count && again.size == done.changed.encoded.size &&
               memcmp(gb_buf_data(&again), done.changed.encoded.data, again.size) == 0);
    gb_buf_release(&again);
}

static void try_listening(struct gb_bytes payload)
{
    uint16_t ports[GB_LISTENING_MAX];
    unsigned count = 0;

    if (gb_listening_read(payload, ports, &count, NULL) < 0)
        return;
    assert(count == payload.size / sizeof(*ports));
    for (unsigned i = 0; i < count; i++)
        assert(ports[i] > (i > 0 ? ports[i - 1] : 0));
}

static void try_entries(struct gb_bytes payload)
{
    struct gb_file_entry entry;
    struct gb_bytes rest;
    uint32_t count;
    bool more;

    if (gb_entries_head(payload, &more, &count, &rest, NULL) < 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        if (gb_entries_next(&rest, &entry, NULL) < 0)
            return;
        assert(entry.name.size > 0 && entry.name.size <= GB_FILE_NAME_MAX);
        assert(memchr(entry.name.data, '/', entry.name.size) == NULL);
        assert(memchr(entry.name.data, '\0', entry.name.size) == NULL);
        assert(entry.type < GB_ENTRY_TYPE_COUNT && entry.mode <= 07777);
        assert(entry.size <= INT64_MAX && entry.allocated <= INT64_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_bytes input = {data, size};
    const struct gb_frame_info *info;
    struct gb_frame frame;
    size_t whole;

    while (gb_frame_next(input, &frame, &whole, NULL) > 0) {
        assert(whole <= input.size && frame.payload.size == whole - GB_FRAME_HEADER);
        (void)gb_guest_type_name(frame.type);
        info = gb_frame_info(frame.type);
        if (info != NULL && info->fields != NULL)
            try_table(info->fields, frame.payload);
        if (frame.type == GB_GUEST_DONE)
            try_changed(frame.payload);
        try_listening(frame.payload);
        if (frame.type == GB_GUEST_FILE_ENTRIES)
            try_entries(frame.payload);
        input.data += whole;
        input.size -= whole;
    }
    return 0;
}
