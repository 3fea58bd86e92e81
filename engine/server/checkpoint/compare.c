/* SPDX-License-Identifier: Apache-2.0 */
#include "server/checkpoint/compare.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <nettle/sha2.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "platform/sort.h"
#include "rpc/access.h"
#include "rpc/json.h"

enum {
    COMPARE_NODES_MAX = 16, /* of a line of JSON */
    COMPARE_HEX = 64,       /* of a file's digest */
};

const char compare_files_code[] =
    "cd && find . -xdev -type f -print0 | LC_ALL=C sort -z | head -z -n 20001 | "
    "xargs -0 -r sha256sum -z --";

/* ---- reading ---- */

static bool compare_make_room(struct compare_list *list)
{
    const size_t capacity = MAX(list->capacity * 2, 64u);
    struct compare_thing *larger;

    if (list->count < list->capacity)
        return true;
    larger = realloc(list->list, capacity * sizeof(*larger));
    if (larger == NULL)
        return false;
    list->list = larger;
    list->capacity = capacity;
    return true;
}

/* Nothing follows what was left out. */
static void compare_add(struct compare_list *list, const struct compare_thing *thing)
{
    if (list->cut || list->count == COMPARE_THINGS_MAX || !compare_make_room(list))
        list->cut = true;
    else
        list->list[list->count++] = *thing;
}

/* Cuts what comes before @end off @rest; false: there is nothing left, or nothing that is whole. */
static bool compare_next(struct gb_bytes *rest, char end, bool cut, struct gb_bytes *ret_line)
{
    const uint8_t *stop = rest->size > 0 ? memchr(rest->data, end, rest->size) : NULL;

    if (rest->size == 0 || (stop == NULL && cut))
        return false;
    *ret_line =
        (struct gb_bytes){rest->data, stop != NULL ? (size_t)(stop - rest->data) : rest->size};
    rest->size -= MIN(ret_line->size + 1, rest->size);
    rest->data += ret_line->size + (stop != NULL);
    return true;
}

int compare_bytes(struct gb_bytes a, struct gb_bytes b)
{
    const size_t size = MIN(a.size, b.size);
    const int order = size == 0 ? 0 : memcmp(a.data, b.data, size);

    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

static int compare_names(const void *a, const void *b, void *arg)
{
    (void)arg;
    return compare_bytes(((const struct compare_thing *)a)->name,
                         ((const struct compare_thing *)b)->name);
}

static bool compare_is_sorted(const struct compare_list *list)
{
    for (size_t i = 1; i < list->count; i++)
        if (compare_names(&list->list[i - 1], &list->list[i], NULL) > 0)
            return false;
    return true;
}

/* What is missing of a list that was cut sorts behind its last name, if only it was printed in that
 * order. */
static void compare_settle(struct compare_list *list, bool good, bool cut)
{
    list->cut |= cut;
    list->good = good && (!list->cut || (list->count > 0 && compare_is_sorted(list)));
    if (list->count > 0)
        gb_sort(list->list, list->count, sizeof(*list->list), compare_names, NULL);
}

/* {"name": …, "type": …, "repr": …} in each line. */
void compare_read_variables(struct compare_list *list, struct gb_buf *printed, bool good, bool cut)
{
    struct gb_bytes rest = gb_buf_bytes(printed), line;
    struct gb_json_doc doc = {0};

    while (compare_next(&rest, '\n', cut, &line)) {
        uint8_t *text = printed->memory + (line.data - printed->memory);
        struct compare_thing thing;

        if (gb_json_parse(&doc, text, line.size, COMPARE_NODES_MAX, NULL) < 0)
            continue;
        thing = (struct compare_thing){json_text(doc.nodes, "name"), json_text(doc.nodes, "type"),
                                       json_text(doc.nodes, "repr")};
        if (thing.name.size > 0)
            compare_add(list, &thing);
    }
    gb_json_release(&doc);
    compare_settle(list, good, cut);
}

static bool compare_is_digest(struct gb_bytes text)
{
    for (size_t i = 0; i < COMPARE_HEX; i++)
        if (text.data[i] == '\0' || strchr("0123456789abcdef", text.data[i]) == NULL)
            return false;
    return true;
}

/* What sha256sum prints: the digest, two characters, and "./" before the path. */
void compare_read_files(struct compare_list *list, struct gb_buf *printed, bool good, bool cut)
{
    struct gb_bytes rest = gb_buf_bytes(printed), line;

    while (compare_next(&rest, '\0', cut, &line)) {
        struct compare_thing thing;

        if (line.size <= COMPARE_HEX + 4 || !compare_is_digest(line))
            continue;
        thing = (struct compare_thing){
            .name = {line.data + COMPARE_HEX + 4, line.size - COMPARE_HEX - 4},
            .text = {line.data, COMPARE_HEX}};
        compare_add(list, &thing);
    }
    compare_settle(list, good, cut);
}

void compare_list_release(struct compare_list *list)
{
    free(list->list);
    *list = (struct compare_list){0};
}

/* ---- comparing ---- */

/* Up to this name both lists are known; data NULL: they are whole. */
static struct gb_bytes compare_known(const struct compare_list *a, const struct compare_list *b)
{
    const struct gb_bytes none = {0};
    const struct gb_bytes end_a = a->cut ? a->list[a->count - 1].name : none;
    const struct gb_bytes end_b = b->cut ? b->list[b->count - 1].name : none;

    if (end_a.data == NULL || end_b.data == NULL)
        return end_a.data != NULL ? end_a : end_b;
    return compare_bytes(end_a, end_b) < 0 ? end_a : end_b;
}

static size_t compare_size(const struct compare_thing *thing)
{
    return thing == NULL ? 0
                         : thing->name.size + thing->type.size +
                               MIN(thing->text.size, (size_t)COMPARE_TEXT_MAX);
}

static bool compare_is_same(const struct compare_thing *a, const struct compare_thing *b)
{
    return compare_bytes(a->text, b->text) == 0 && compare_bytes(a->type, b->type) == 0;
}

void compare_lists(const struct compare_list *a, const struct compare_list *b,
                   struct compare_changes *ret_changes)
{
    struct compare_changes *changes = ret_changes;
    size_t i = 0, j = 0, bytes = 0;

    *changes = (struct compare_changes){.known = compare_known(a, b)};
    changes->list = xcalloc(GB_DIFF_CHANGES_MAX, sizeof(*changes->list));
    while (i < a->count || j < b->count) {
        const struct compare_thing *before = i < a->count ? &a->list[i] : NULL;
        const struct compare_thing *after = j < b->count ? &b->list[j] : NULL;
        const int order = before == NULL  ? 1
                          : after == NULL ? -1
                                          : compare_bytes(before->name, after->name);
        const struct compare_thing *first = order > 0 ? after : before;

        assert(first != NULL);
        if (changes->known.data != NULL && compare_bytes(first->name, changes->known) > 0)
            return;
        i += order <= 0;
        j += order >= 0;
        before = order > 0 ? NULL : before;
        after = order < 0 ? NULL : after;
        if (before != NULL && after != NULL && compare_is_same(before, after))
            continue;
        bytes += compare_size(before) + compare_size(after);
        if (changes->count == GB_DIFF_CHANGES_MAX || bytes > COMPARE_BYTES_MAX) {
            changes->many = true;
            return;
        }
        changes->list[changes->count++] = (struct compare_change){before, after};
    }
}

/* ---- cells ---- */

bool compare_cells_add(struct compare_cells *cells, uint32_t number)
{
    if (cells->count == COMPARE_CELLS_MAX)
        return false;
    cells->list[cells->count++] = (struct compare_cell){.number = number};
    return true;
}

void compare_cells_drop_until(struct compare_cells *cells, uint32_t cell)
{
    while (cells->count > 0 && cells->list[cells->count - 1].number <= cell) {
        cells->count--;
        cells->cut = false; /* what is missing was older */
    }
}

/* Two moments of a session that share a cell share all that led to it. */
void compare_cells_drop_common(struct compare_cells *a, struct compare_cells *b)
{
    size_t i = 0, j = 0;

    while (i < a->count && j < b->count && a->list[i].number != b->list[j].number)
        if (a->list[i].number > b->list[j].number)
            i++;
        else
            j++;
    if (i < a->count && j < b->count) {
        const uint32_t common = a->list[i].number;

        compare_cells_drop_until(a, common);
        compare_cells_drop_until(b, common);
    }
}

static char *compare_beginning(struct gb_bytes text)
{
    if (text.size > COMPARE_OUTPUT_MAX) {
        text.size = COMPARE_OUTPUT_MAX;
        text.size -= gb_utf8_unfinished(text);
    }
    return xstrndup((const char *)text.data, text.size);
}

static void compare_digest(const struct gb_cell_info *record, uint8_t *digest)
{
    const struct gb_bytes texts[] = {record->out, record->err, record->value};
    struct sha256_ctx ctx;

    sha256_init(&ctx);
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        const uint64_t size = texts[i].size;

        sha256_update(&ctx, sizeof(size), (const uint8_t *)&size);
        sha256_update(&ctx, texts[i].size, texts[i].data);
    }
    sha256_digest(&ctx, COMPARE_DIGEST, digest);
}

void compare_cells_take(struct compare_cells *cells, const struct gb_cell_info *record)
{
    for (size_t i = 0; i < cells->count; i++) {
        struct compare_cell *cell = &cells->list[i];

        if (cell->number != record->number || cell->is_known)
            continue;
        cell->ok = record->state == GB_CELL_DONE && (record->flags & GB_CELL_HAS_ERROR) == 0 &&
                   !gb_cell_failed(record->flags, record->exit_code, record->signal > 0);
        if (cell->ok && record->out.size + record->err.size + record->value.size == 0)
            return;
        cell->is_known = true;
        cell->out = compare_beginning(record->out);
        cell->err = compare_beginning(record->err);
        cell->value = record->value.size > 0 ? compare_beginning(record->value) : NULL;
        compare_digest(record, cell->digest);
        return;
    }
}

void compare_cells_release(struct compare_cells *cells)
{
    for (size_t i = 0; i < cells->count; i++) {
        free(cells->list[i].out);
        free(cells->list[i].err);
        free(cells->list[i].value);
    }
    cells->count = 0;
}

static void compare_cells_skip(const struct compare_cells *cells, size_t *left)
{
    while (*left > 0 && !cells->list[*left - 1].is_known)
        --*left;
}

static struct gb_diff_output compare_output(const struct compare_cell *cell)
{
    if (cell == NULL)
        return (struct gb_diff_output){0};
    return (struct gb_diff_output){.out = gb_bytes_str(cell->out),
                                   .err = gb_bytes_str(cell->err),
                                   .value = gb_bytes_str(cell->value),
                                   .flags = cell->ok ? GB_DIFF_OUTPUT_OK : 0};
}

bool compare_cells_next(const struct compare_cells *a, const struct compare_cells *b,
                        size_t *a_left, size_t *b_left, struct gb_diff_cell *ret_cell)
{
    const struct compare_cell *before, *after;

    do {
        compare_cells_skip(a, a_left);
        compare_cells_skip(b, b_left);
        before = *a_left > 0 ? &a->list[*a_left - 1] : NULL;
        after = *b_left > 0 ? &b->list[*b_left - 1] : NULL;
        if (before == NULL && after == NULL)
            return false;
        if (before != NULL && after != NULL && before->number != after->number) {
            before = before->number < after->number ? before : NULL;
            after = before == NULL ? after : NULL;
        }
        *a_left -= before != NULL;
        *b_left -= after != NULL;
    } while (before != NULL && after != NULL && before->ok == after->ok &&
             memcmp(before->digest, after->digest, COMPARE_DIGEST) == 0);
    *ret_cell = (struct gb_diff_cell){
        .cell = before != NULL ? before->number : after->number,
        .change = before == NULL  ? GB_ADDED
                  : after == NULL ? GB_REMOVED
                                  : GB_CHANGED,
        .before = compare_output(before),
        .after = compare_output(after),
        .flags =
            (before != NULL ? GB_DIFF_HAS_BEFORE : 0u) | (after != NULL ? GB_DIFF_HAS_AFTER : 0u),
    };
    return true;
}
