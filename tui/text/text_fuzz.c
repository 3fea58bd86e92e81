/* SPDX-License-Identifier: Apache-2.0 */
/* Output of a guest, in pieces and both streams: whatever comes, the lines are clean and
 * consistent, and pieces make no difference. */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "text/text.h"
#include "text/unit.h"

static void check_line(const struct text_line *line)
{
    size_t at = 0, columns = 0, size;
    struct unit unit;

    assert(gb_utf8_valid(line->bytes));
    assert(line->columns <= TEXT_COLUMNS_MAX);
    for (size_t i = 0; i < line->bytes.size; i++)
        assert(line->bytes.data[i] >= 0x20 && line->bytes.data[i] != 0x7f);
    for (unsigned i = 0; i < line->run_count; i++)
        assert(line->runs[i].at < line->bytes.size &&
               (i == 0 || line->runs[i].at > line->runs[i - 1].at));
    while ((size = unit_next((struct gb_bytes){line->bytes.data + at, line->bytes.size - at},
                             &unit)) > 0) {
        assert(unit.width == 1 || unit.width == 2);
        columns += unit.width;
        at += size;
    }
    assert(at == line->bytes.size && columns == line->columns);
}

static void check_rows(struct text *text, unsigned width)
{
    size_t rows = text_rows(text, width), lines = text_lines(text), row = 0, at;
    struct text_line line;
    unsigned part;

    for (size_t i = 0; i < lines; i++) {
        unsigned count;
        size_t from, to, end = 0;

        assert(text_line(text, i, &line));
        check_line(&line);
        count = text_line_rows(&line, width);
        for (unsigned j = 0; j < count && j < 4; j++) {
            text_line_part(&line, width, j, &from, &to);
            assert(from == end && to <= line.bytes.size && (to > from || line.bytes.size == 0));
            end = to;
        }
        if (i < 16) {
            assert(text_locate(text, width, row, &at, &part) && at == i && part == 0);
            assert(text_row_of(text, width, i) == row);
        }
        row += count;
    }
    assert(row == rows);
    assert(!text_locate(text, width, rows, &at, &part));
}

static bool finds(const void *arg, struct gb_bytes line, size_t from, size_t *ret_start)
{
    for (size_t at = from; at < line.size; at++)
        if (line.data[at] == *(const char *)arg) {
            *ret_start = at;
            return true;
        }
    return false;
}

/* Up and down, at once and in the smallest turns, the same rows are found. */
static void check_find(struct text *text, unsigned width)
{
    struct text_filter filter = {.finds = finds, .arg = "e", .key = width + 1, .budget = SIZE_MAX};
    size_t count = text_found(text, width, &filter), rows = text_rows(text, width), row = 0, at;
    enum text_search result;

    for (size_t i = 0; i <= count && i < 300; i++, row++) {
        filter.key++; /* nothing is remembered */
        filter.budget = 1;
        while ((result = text_find(text, width, &filter, 1, &row)) == TEXT_PAUSED)
            filter.budget = 1;
        assert(result == (i < count ? TEXT_FOUND : TEXT_NONE));
        if (i == count)
            break;
        filter.budget = SIZE_MAX;
        assert(text_found_row(text, width, &filter, i, &at) && at == row);
        assert(text_found_before(text, width, &filter, row) == i && row < rows);
        at = row;
        assert(text_find(text, width, &filter, -1, &at) == TEXT_FOUND && at == row);
    }
    row = SIZE_MAX;
    filter.budget = 0;
    while ((result = text_find(text, width, &filter, -1, &row)) == TEXT_PAUSED)
        filter.budget = 1;
    filter.budget = SIZE_MAX;
    assert(result == (count > 0 ? TEXT_FOUND : TEXT_NONE));
    assert(count == 0 || (text_found_row(text, width, &filter, count - 1, &at) && at == row));
}

static void check_same(struct text *a, struct text *b)
{
    struct gb_buf copy_a = {0}, copy_b = {0};

    text_copy(a, TEXT_STREAM_COUNT, &copy_a);
    text_copy(b, TEXT_STREAM_COUNT, &copy_b);
    assert(copy_a.size == copy_b.size &&
           memcmp(gb_buf_data(&copy_a), gb_buf_data(&copy_b), copy_a.size) == 0);
    gb_buf_release(&copy_a);
    gb_buf_release(&copy_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text *whole = text_new(256 << 10), *pieces = text_new(256 << 10);
    size_t half = size / 2;

    text_feed(whole, TEXT_STDOUT, (struct gb_bytes){data, half});
    text_feed(whole, TEXT_STDERR, (struct gb_bytes){data + half, size - half});
    for (size_t i = 0; i < size; i++)
        text_feed(pieces, i < half ? TEXT_STDOUT : TEXT_STDERR, (struct gb_bytes){data + i, 1});
    check_rows(whole, 0);
    check_rows(whole, 3);
    check_rows(whole, 80);
    check_same(whole, pieces);
    check_find(whole, 0);
    check_find(whole, 3);
    text_end(whole);
    check_rows(whole, 7);
    check_find(whole, 7);
    text_trim(whole, 0);
    assert(text_lines(whole) == 0);
    text_free(whole);
    text_free(pieces);
    return 0;
}
