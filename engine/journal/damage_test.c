/* SPDX-License-Identifier: Apache-2.0 */
/* Journals whose files were damaged: nothing wrong is told, no more is lost than was hit, nothing
 * on the disk is changed, and what a guest printed is never taken for a record. */
#include "journal/testing.h"
#include "machine/crc32c.h"

enum { CELLS = 8, RECORDS_MAX = 64 };

/* ---- a journal as it was ---- */

static struct gb_buf whole;
static char path[128];

/* Where its records stand. */
static struct {
    size_t begin, end;
    enum gb_record_type type;
    uint32_t cell;
} records[RECORDS_MAX];
static size_t record_count;

static const char *code_of(uint32_t number)
{
    static char text[32];

    (void)snprintf(text, sizeof(text), "run(%u)", number);
    return text;
}

/* The sizes of the outputs tell them apart. */
static struct gb_bytes out_of(uint32_t number)
{
    static const uint8_t text[] = "0123456789abcdefghijklmnopqrstuvwxyz";

    return (struct gb_bytes){text, number + 3};
}

/* Reads the newest file, and where its records are. */
static void remember(void)
{
    newest_path(path, sizeof(path));
    gb_buf_clear(&whole);
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &whole, &err), 0);
    record_count = 0;
    for (size_t at = 0; at < whole.size; record_count++) {
        struct gb_bytes rest = {gb_buf_data(&whole) + at, whole.size - at};
        struct gb_record_head head;

        ck_assert_uint_lt(record_count, RECORDS_MAX);
        ck_assert_int_eq(gb_record_head_read(rest, &head), 0);
        records[record_count].begin = at;
        at += GB_RECORD_HEAD + head.size;
        records[record_count].end = at;
        records[record_count].type = head.type;
        records[record_count].cell = head.cell;
    }
}

/* A session of some cells, closed in order unless it is to be @left_open; the journal is closed. */
static void make_journal(bool left_open)
{
    begin("s-1", "k");
    for (uint32_t i = 1; i <= CELLS; i++)
        run_cell("s-1", i, code_of(i), out_of(i));
    if (!left_open)
        end("s-1");
    close_journal();
    remember();
}

static void open_with(struct gb_bytes content)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(content.data, 1, content.size, file), content.size);
    ck_assert_int_eq(fclose(file), 0);
    open_journal();
}

/* ---- its description ---- */

/* What of @seen is there of @number: 2 both, 1 one, 0 nothing. Nothing of it is false. */
static int whole_parts(const struct seen *seen, uint32_t number)
{
    for (uint32_t i = 0; i < seen->count; i++) {
        bool code_lost = (seen->flags[i] & GB_CELL_CODE_LOST) != 0;
        bool result_lost = (seen->flags[i] & GB_CELL_RESULT_LOST) != 0;

        if (seen->numbers[i] != number)
            continue;
        ck_assert_str_eq(seen->state[i], "done");
        ck_assert_str_eq(seen->code[i], code_lost ? "" : code_of(number));
        ck_assert_uint_eq(seen->out_size[i], result_lost ? 0 : out_of(number).size);
        ck_assert_int_eq(seen->exit_code[i], result_lost ? -1 : 0);
        return !code_lost + !result_lost;
    }
    return 0;
}

/* How many cells are not whole any more. */
static size_t cells_hurt(void)
{
    struct seen seen = {0};
    size_t hurt = 0;

    if (find("s-1") != NULL)
        seen = look("s-1", 0, 60);
    for (uint32_t i = 0; i < seen.count; i++)
        ck_assert_uint_le(seen.numbers[i], CELLS);
    for (uint32_t i = 1; i <= CELLS; i++)
        hurt += whole_parts(&seen, i) != 2;
    return hurt;
}

/* The session's end is told as it was, or as what cannot be known. */
static void check_end(void)
{
    const struct gb_journal_session *session = find("s-1");

    if (session == NULL)
        return;
    if (session->state == GB_RECORD_CLOSED)
        ck_assert_str_eq(session->message, "it was closed");
    else
        ck_assert_ptr_nonnull(strstr(session->message, "damaged"));
}

static size_t records_between(size_t from, size_t to)
{
    size_t count = 0;

    for (size_t i = 0; i < record_count; i++)
        count += records[i].begin < to && from < records[i].end;
    return count;
}

/* The damaged file with the bytes @from .. @to hurt: opened, looked at, added to, opened again. */
static void check_damaged(struct gb_bytes damaged, size_t from, size_t to, bool all_of_it)
{
    size_t touched = records_between(from, to);
    struct gb_buf after = {0};

    open_with(damaged);
    ck_assert_msg(cells_hurt() <= touched + 1, "bytes %zu to %zu: %zu cells for %zu records", from,
                  to, cells_hurt(), touched);
    check_end();
    begin("s-2", "k2");
    run_cell("s-2", 1, "later", gb_bytes_str("later"));
    end("s-2");
    for (int again = 0; again < 2; again++) {
        struct seen seen;

        reopen();
        ck_assert_uint_le(cells_hurt(), touched + 1);
        check_end();
        seen = look("s-2", 0, 10);
        ck_assert_uint_eq(seen.count, 1);
        ck_assert_str_eq(seen.code[0], "later");
        ck_assert_int_eq(find("s-2")->state, GB_RECORD_CLOSED);
    }
    close_journal();
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &after, &err), 0);
    if (all_of_it) { /* nothing of what was there is gone */
        ck_assert_uint_ge(after.size, damaged.size);
        ck_assert_mem_eq(gb_buf_data(&after), damaged.data, damaged.size);
    }
    gb_buf_release(&after);
}

static uint8_t *copy_of_whole(void)
{
    uint8_t *copy = xmalloc(whole.size);

    memcpy(copy, gb_buf_data(&whole), whole.size);
    return copy;
}

/* ---- damage ---- */

enum { FLIP_PARTS = 8 };

/* One bit of each byte. */
START_TEST(flipped_bits)
{
    make_journal(false);
    for (size_t at = (size_t)_i; at < whole.size; at += FLIP_PARTS) {
        uint8_t *damaged = copy_of_whole();

        damaged[at] ^= (uint8_t)(1u << (at / FLIP_PARTS % 8));
        check_damaged((struct gb_bytes){damaged, whole.size}, at, at + 1, true);
        free(damaged);
    }
    open_journal();
}
END_TEST

START_TEST(zeroed_sectors)
{
    static const size_t sizes[] = {16, 512, 1024};

    make_journal(false);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (size_t at = 0; at < whole.size; at += MAX(sizes[i] / 4, (size_t)48)) {
            size_t end = MIN(at + sizes[i], whole.size);
            uint8_t *damaged = copy_of_whole();

            memset(damaged + at, 0, end - at);
            check_damaged((struct gb_bytes){damaged, whole.size}, at, end, true);
            free(damaged);
        }
    open_journal();
}
END_TEST

/* Bytes that come between: foreign ones, nothing, and those that stood there before. */
START_TEST(inserted_ranges)
{
    static const size_t sizes[] = {1, 100, 512};

    make_journal(false);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (size_t at = sizes[i]; at < whole.size; at += 61) {
            struct gb_buf damaged = {0};
            uint8_t between[512];

            for (size_t j = 0; j < sizes[i]; j++)
                between[j] = _i == 0 ? (uint8_t)(j * 37 + 11) : 0;
            if (_i == 2)
                memcpy(between, gb_buf_data(&whole) + at - sizes[i], sizes[i]);
            gb_buf_add(&damaged, gb_buf_data(&whole), at);
            gb_buf_add(&damaged, between, sizes[i]);
            gb_buf_add(&damaged, gb_buf_data(&whole) + at, whole.size - at);
            check_damaged(gb_buf_bytes(&damaged), at - 1, at + 1, true);
            gb_buf_release(&damaged);
        }
    open_journal();
}
END_TEST

/* Of a part that is missing at the end nobody can say whether it was ever written. */
START_TEST(missing_ranges)
{
    static const size_t sizes[] = {1, 90, 512};

    make_journal(false);
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
        for (size_t at = 0; at + sizes[i] < records[record_count - 2].end; at += 67) {
            struct gb_buf damaged = {0};

            gb_buf_add(&damaged, gb_buf_data(&whole), at);
            gb_buf_add(&damaged, gb_buf_data(&whole) + at + sizes[i], whole.size - at - sizes[i]);
            check_damaged(gb_buf_bytes(&damaged), at, at + sizes[i], true);
            gb_buf_release(&damaged);
        }
    open_journal();
}
END_TEST

/* Cut at every byte of its last records, the journal opens, has what was whole before, and goes on
 * there. */
START_TEST(torn_at_any_byte)
{
    size_t two;

    begin("s-1", "k");
    run_cell("s-1", 1, "1", gb_bytes_str("one"));
    run_cell("s-1", 2, "2", gb_bytes_str("two"));
    close_journal();
    remember();
    two = whole.size;
    open_journal(); /* it is lost now, which is one record more */
    run_cell("s-1", 3, "3", gb_bytes_str("three"));
    close_journal();
    remember();
    for (size_t size = two; size < whole.size; size++) {
        struct seen seen;

        open_with((struct gb_bytes){gb_buf_data(&whole), size});
        ck_assert_uint_eq(gb_journal_figures(journal).lost, 0);
        seen = look("s-1", 0, 10);
        ck_assert_uint_ge(seen.count, 2);
        ck_assert_uint_eq(seen.out_size[0], 3);
        ck_assert_uint_eq(seen.out_size[1], 3);
        ck_assert_uint_le(seen.count, 3);
        if (seen.count == 3)
            ck_assert_str_eq(seen.state[2], "running"); /* its end was not written */
        begin("s-3", "k3");
        run_cell("s-3", 1, "9", gb_bytes_str("nine"));
        close_journal();
        remember(); /* one record behind the other */
        open_with(gb_buf_bytes(&whole));
        ck_assert_uint_eq(gb_journal_figures(journal).lost, 0);
        ck_assert_uint_eq(look("s-3", 0, 10).count, 1);
        close_journal();
        ck_assert_int_eq(unlink(path), 0);
        open_journal();
        begin("s-1", "k");
        run_cell("s-1", 1, "1", gb_bytes_str("one"));
        run_cell("s-1", 2, "2", gb_bytes_str("two"));
        run_cell("s-1", 3, "3", gb_bytes_str("three"));
        close_journal();
        remember();
    }
    open_journal();
}
END_TEST

/* ---- what is known of an end ---- */

/* The server died. What ran then is told as running, and what is lost as lost. */
START_TEST(an_end_that_nobody_saw)
{
    struct gb_cell_info cell = make_cell("s-1", CELLS + 1, "while True: pass");
    uint8_t *damaged;
    struct seen seen;

    begin("s-1", "k");
    for (uint32_t i = 1; i <= CELLS; i++)
        run_cell("s-1", i, code_of(i), out_of(i));
    gb_journal_start(journal, &cell);
    close_journal();
    remember();
    open_with(gb_buf_bytes(&whole));
    seen = look("s-1", 0, 60);
    ck_assert_uint_eq(seen.count, CELLS + 1);
    ck_assert_str_eq(seen.state[CELLS], "running");
    ck_assert_uint_eq(seen.flags[CELLS] & GB_CELL_RESULT_LOST, 0);
    ck_assert_str_eq(find("s-1")->message, "the server that had it ended without closing it");
    close_journal();
    for (size_t i = 0; i < record_count; i++) {
        bool is_end = records[i].type == GB_RECORD_CELL;

        if (records[i].cell == 0)
            continue;
        for (int head = 0; head < 2; head++) {
            damaged = copy_of_whole();
            damaged[head ? records[i].begin + 20 : records[i].end - 3] ^= 4;
            open_with((struct gb_bytes){damaged, whole.size});
            seen = look("s-1", records[i].cell - 1, 1);
            if (records[i].cell <= CELLS) {
                ck_assert_uint_eq(seen.numbers[0], records[i].cell);
                ck_assert_uint_eq(seen.flags[0] & (GB_CELL_CODE_LOST | GB_CELL_RESULT_LOST),
                                  is_end ? GB_CELL_RESULT_LOST : GB_CELL_CODE_LOST);
                ck_assert_str_eq(seen.state[0], "done");
            }
            close_journal();
            free(damaged);
        }
    }
    open_journal();
}
END_TEST

/* In files that were filled before the newest one, too. */
START_TEST(damage_in_an_older_file)
{
    static uint8_t block[300 << 10];
    char first[128];
    uint8_t *damaged;
    struct seen seen;

    close_journal();
    config.size = 16 << 20;
    open_journal();
    begin("s-1", "k");
    for (uint32_t i = 1; i <= 3; i++)
        run_cell("s-1", i, code_of(i), (struct gb_bytes){block, sizeof(block)});
    newest_path(first, sizeof(first));
    for (uint32_t i = 4; i <= 9; i++)
        run_cell("s-1", i, code_of(i), (struct gb_bytes){block, sizeof(block)});
    end("s-1");
    close_journal();
    newest_path(path, sizeof(path));
    ck_assert_str_ne(first, path);
    (void)snprintf(path, sizeof(path), "%s", first);
    gb_buf_clear(&whole);
    ck_assert_int_eq(gb_fd_read_file(path, 2 << 20, &whole, &err), 0);
    for (size_t at = 0; at < whole.size; at += 29989) {
        damaged = copy_of_whole();
        memset(damaged + at, 0x5a, MIN((size_t)40, whole.size - at));
        open_with((struct gb_bytes){damaged, whole.size});
        seen = look("s-1", 0, 60);
        ck_assert_uint_eq(seen.count, 9);
        for (uint32_t i = 0, hurt = 0; i < 9; i++) {
            bool code_lost = (seen.flags[i] & GB_CELL_CODE_LOST) != 0;
            bool result_lost = (seen.flags[i] & GB_CELL_RESULT_LOST) != 0;

            ck_assert_str_eq(seen.code[i], code_lost ? "" : code_of(i + 1));
            ck_assert_uint_eq(seen.out_size[i], result_lost ? 0 : sizeof(block));
            hurt += code_lost || result_lost;
            ck_assert_uint_le(hurt, 2);
        }
        close_journal();
        free(damaged);
    }
    open_journal();
}
END_TEST

/* ---- a guest that knows the format ---- */

/* A record of a session and a cell that there are not, under some key. */
static void add_forged(struct gb_buf *to, uint64_t key, uint64_t number, bool session)
{
    const struct gb_record_session made_up = {.image = gb_bytes_str("python"),
                                              .reason = gb_bytes_str("forged")};
    struct gb_cell_info cell = make_cell("s-1", 55, "forged()");
    struct gb_record_head head = {.type = session ? GB_RECORD_SESSION : GB_RECORD_CELL,
                                  .session = "s-1",
                                  .cell = session ? 0 : 55,
                                  .key = key,
                                  .number = number};

    cell.exit_code = 0;
    if (session)
        gb_record_add(to, head, &gb_record_session_fields, &made_up);
    else
        gb_record_add(to, head, &gb_record_cell_fields, &cell);
}

/* All that can be known or guessed: the format, the session, its numbers, keys of other files. */
static void add_forgeries(struct gb_buf *to)
{
    const uint64_t keys[] = {0, 1, UINT64_MAX, 0x31426247, 0x0102030405060708};

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        for (uint64_t number = 0; number < 40; number += 3) {
            add_forged(to, keys[i], number, false);
            add_forged(to, keys[i], number, true);
        }
    for (int version = '1'; version <= '9'; version++) {
        size_t at = to->size;
        uint32_t sum;

        add_forged(to, 7, 9, false);
        to->memory[to->start + at + 3] = (uint8_t)version;
        sum = gb_crc32c(0, to->memory + to->start + at, GB_RECORD_HEAD - 4);
        memcpy(to->memory + to->start + at + GB_RECORD_HEAD - 4, &sum, 4);
        sum = gb_crc32c(0, to->memory + to->start + at, GB_RECORD_HEAD_OLD - 4);
        memcpy(to->memory + to->start + at + GB_RECORD_HEAD_OLD - 4, &sum, 4);
    }
}

START_TEST(forged_records)
{
    struct gb_buf forged = {0};

    add_forgeries(&forged);
    begin("s-1", "k");
    run_cell("s-1", 1, "honest", gb_bytes_str("1"));
    run_cell("s-1", 2, "print(forged)", gb_buf_bytes(&forged));
    run_cell("s-1", 3, "honest", gb_bytes_str("3"));
    end("s-1");
    close_journal();
    remember();
    for (size_t i = 0; i < record_count; i++)
        for (size_t at = records[i].begin; at < records[i].begin + GB_RECORD_HEAD; at += 3) {
            uint8_t *damaged = copy_of_whole();
            struct seen seen = {0};

            damaged[at] ^= 0x10;
            open_with((struct gb_bytes){damaged, whole.size});
            ck_assert_ptr_nonnull(find("s-1"));
            ck_assert_str_ne(find("s-1")->reason, "forged");
            seen = look("s-1", 0, 60);
            for (uint32_t j = 0; j < seen.count; j++)
                ck_assert_uint_le(seen.numbers[j], 3);
            ck_assert_uint_eq(find("s-1")->cells, 3);
            close_journal();
            free(damaged);
        }
    gb_buf_release(&forged);
    open_journal();
}
END_TEST

/* In a file of an older version, which has no key, nothing is looked for behind damage. */
START_TEST(an_old_file_with_damage)
{
    struct gb_buf old = {0};
    char name[128];

    make_journal(false);
    ck_assert_int_eq(unlink(path), 0);
    (void)snprintf(name, sizeof(name), "%s/0000000001.gbj", folder);
    memcpy(path, name, sizeof(path));
    gb_buf_adds(&old, "GbB2 and then what is no record");
    add_forgeries(&old);
    open_with(gb_buf_bytes(&old));
    ck_assert_ptr_null(find("s-1"));
    begin("s-2", "k");
    run_cell("s-2", 1, "new", gb_bytes_str(""));
    reopen();
    ck_assert_ptr_null(find("s-1"));
    ck_assert_uint_eq(look("s-2", 0, 10).count, 1);
    gb_buf_clear(&whole);
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &whole, &err), 0);
    ck_assert_uint_eq(whole.size, old.size);
    ck_assert_mem_eq(gb_buf_data(&whole), gb_buf_data(&old), old.size);
    gb_buf_release(&old);
}
END_TEST

/* Thousands of journals are opened here: none of them has to outlive a power cut. */
static void setup_unsynced(void)
{
    setup();
    close_journal();
    config.sync = GB_JOURNAL_SYNC_NONE;
    open_journal();
}

static void teardown_whole(void)
{
    gb_buf_release(&whole);
    teardown();
}

int main(void)
{
    Suite *suite = suite_create("damage");
    TCase *cases = tcase_create("damage");

    gb_log_open(-1, GB_LOG_ERROR); /* of damage there is much to tell here */
    tcase_add_checked_fixture(cases, setup_unsynced, teardown_whole);
    tcase_set_timeout(cases, 120);
    tcase_add_loop_test(cases, flipped_bits, 0, FLIP_PARTS);
    tcase_add_test(cases, zeroed_sectors);
    tcase_add_loop_test(cases, inserted_ranges, 0, 3);
    tcase_add_test(cases, missing_ranges);
    tcase_add_test(cases, torn_at_any_byte);
    tcase_add_test(cases, an_end_that_nobody_saw);
    tcase_add_test(cases, damage_in_an_older_file);
    tcase_add_test(cases, forged_records);
    tcase_add_test(cases, an_old_file_with_damage);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}
