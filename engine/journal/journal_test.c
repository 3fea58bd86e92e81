/* SPDX-License-Identifier: Apache-2.0 */
/* The journal on a real file system: what was acknowledged is there after any end. */
#include "journal/testing.h"
#include "machine/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* A child that is killed while it writes has a thread of its own. */
const char *__tsan_default_options(void);
const char *__tsan_default_options(void)
{
    return "die_after_fork=0";
}

START_TEST(sums)
{
    ck_assert_uint_eq(gb_crc32c(0, "123456789", 9), 0xe3069283);
    ck_assert_uint_eq(gb_crc32c(gb_crc32c(0, "12345", 5), "6789", 4), 0xe3069283);
    ck_assert_uint_eq(gb_crc32c(0, "", 0), 0);
}
END_TEST

START_TEST(what_was_written_is_read)
{
    struct seen seen;

    begin("s-1", "notes");
    run_cell("s-1", 1, "print(1)", gb_bytes_str("1\n"));
    run_cell("s-1", 2, "print(2)", gb_bytes_str("22\n"));
    for (int again = 0; again < 2; again++) {
        seen = look("s-1", 0, 10);
        ck_assert_uint_eq(seen.count, 2);
        ck_assert_str_eq(seen.code[0], "print(1)");
        ck_assert_str_eq(seen.code[1], "print(2)");
        ck_assert_str_eq(seen.state[1], "done");
        ck_assert_uint_eq(seen.out_size[1], 3);
        ck_assert(!seen.more);
        reopen();
    }
    ck_assert_str_eq(find("s-1")->key, "notes");
    ck_assert_ptr_null(find("s-1")->label);
    ck_assert_int_eq(find("s-1")->state, GB_RECORD_LOST); /* nobody closed it */
    ck_assert_str_eq(find("s-1")->reason, "lost");
    ck_assert_ptr_null(find("s-2"));
    ck_assert_int_eq(
        gb_journal_read(journal, gb_bytes_str("s-2"), &(struct gb_journal_query){0}, &err),
        -GB_ENOTFOUND);
}
END_TEST

START_TEST(an_end_is_kept)
{
    begin("s-1", "k");
    run_cell("s-1", 1, "1", gb_bytes_str(""));
    end("s-1");
    reopen();
    ck_assert_int_eq(find("s-1")->state, GB_RECORD_CLOSED);
    ck_assert_str_eq(find("s-1")->message, "it was closed");
    ck_assert_uint_eq(find("s-1")->incarnation, 3);
    ck_assert_uint_eq(find("s-1")->cells, 1);
}
END_TEST

START_TEST(pages_of_a_history)
{
    struct seen seen;

    begin("s-1", "k");
    for (uint32_t i = 1; i <= 20; i++)
        run_cell("s-1", i, "x", gb_bytes_str(""));
    seen = look("s-1", 5, 10);
    ck_assert_uint_eq(seen.count, 10);
    ck_assert_uint_eq(seen.numbers[0], 6);
    ck_assert(seen.more);
    seen = look("s-1", 15, 10);
    ck_assert_uint_eq(seen.count, 5);
    ck_assert(!seen.more);
    seen = look("s-1", 20, 10);
    ck_assert_uint_eq(seen.count, 0);
}
END_TEST

/* From the newest back, and where a reader says that it has enough. */
START_TEST(pages_from_the_end)
{
    static uint8_t block[1000];
    struct seen seen = {0}, cut = {0}, full = {0};

    begin("s-1", "k");
    for (uint32_t i = 1; i <= 20; i++)
        run_cell("s-1", i, "x", (struct gb_bytes){block, sizeof(block)});
    ask("s-1", (struct gb_journal_query){.before = UINT32_MAX, .after = 5, .limit = 10}, &seen);
    ck_assert_uint_eq(seen.count, 10);
    ck_assert_uint_eq(seen.numbers[0], 20);
    ck_assert_uint_eq(seen.numbers[9], 11);
    ck_assert_uint_eq(seen.last, 11);
    ck_assert(seen.more);
    seen = (struct seen){.before_at = 3};
    ask("s-1", (struct gb_journal_query){.before = 11, .after = 5, .limit = 10}, &seen);
    ck_assert_uint_eq(seen.numbers[0], 10);
    ck_assert_uint_eq(seen.last, 9); /* the third, 8, was not to count */
    ck_assert(seen.more);
    seen = (struct seen){0};
    ask("s-1", (struct gb_journal_query){.before = 9, .after = 5, .limit = 10}, &seen);
    ck_assert_uint_eq(seen.count, 3);
    ck_assert_uint_eq(seen.last, 6);
    ck_assert(!seen.more);
    cut = (struct seen){.enough_at = 3};
    ask("s-1", (struct gb_journal_query){.limit = 3}, &cut);
    ck_assert_uint_eq(cut.last, 3);
    ck_assert(cut.more);
    cut = (struct seen){.enough_at = 3};
    ask("s-1", (struct gb_journal_query){.after = 17, .limit = 10}, &cut);
    ck_assert(!cut.more); /* it was the last one anyway */
    ask("s-1", (struct gb_journal_query){.limit = 20, .bytes = 3000}, &full);
    ck_assert_uint_eq(full.last, 3);
    ck_assert_uint_eq(full.count, 3);
    ck_assert(full.more);
    full = (struct seen){0};
    ask("s-1", (struct gb_journal_query){.after = 20, .limit = 20}, &full);
    ck_assert_uint_eq(full.last, 20);
    ck_assert(!full.more);
}
END_TEST

/* Cells that were dropped before they ran end before those in front of them. */
START_TEST(cells_out_of_order)
{
    const uint32_t order[] = {1, 4, 3, 2, 5};
    struct seen seen;

    begin("s-1", "k");
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        struct gb_cell_info cell = make_cell("s-1", order[i], "code");

        record(&cell);
    }
    seen = look("s-1", 0, 10);
    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(seen.numbers[i], i + 1);
        ck_assert_str_eq(seen.code[i], "code");
    }
}
END_TEST

/* What ran when the server died: its start is there. */
START_TEST(a_cell_without_its_end)
{
    struct gb_cell_info cell = make_cell("s-1", 1, "while True: pass");
    struct seen seen;

    begin("s-1", "k");
    gb_journal_start(journal, &cell);
    reopen();
    seen = look("s-1", 0, 10);
    ck_assert_uint_eq(seen.count, 1);
    ck_assert_str_eq(seen.state[0], "running");
    ck_assert_str_eq(seen.code[0], "while True: pass");
}
END_TEST

/* Large ones go through the thread, small ones behind them wait for their turn. */
START_TEST(large_output)
{
    size_t size = 9 << 20;
    uint8_t *bytes = malloc(size);
    struct seen seen;

    memset(bytes, 'a', size);
    bytes[size - 1] = 'z';
    begin("s-1", "k");
    run_cell("s-1", 1, "large", (struct gb_bytes){bytes, size});
    run_cell("s-1", 2, "small", gb_bytes_str("s"));
    reopen();
    seen = look("s-1", 0, 10);
    ck_assert_uint_eq(seen.count, 2);
    ck_assert_uint_eq(seen.out_size[0], size);
    ck_assert_uint_eq(seen.out_first[0], 'z');
    ck_assert_uint_eq(seen.out_size[1], 1);
    free(bytes);
}
END_TEST

static void on_one_recorded(void *arg, bool recorded)
{
    ck_assert(recorded);
    ++*(size_t *)arg;
}

/* What waits for the disk is bounded; cells beyond that are not recorded, and later ones are. */
START_TEST(a_disk_that_is_slow)
{
    enum { CELLS = 48, SIZE = 8 << 20 };
    struct gb_journal_ticket tickets[CELLS];
    uint8_t *bytes = calloc(1, SIZE);
    size_t waiting = 0, done = 0, refused = 0;

    begin("s-1", "k");
    for (uint32_t i = 0; i < CELLS; i++) { /* the loop does not run: nothing is known as written */
        struct gb_cell_info cell = make_cell("s-1", i + 1, "x");
        int r;

        tickets[i] = (struct gb_journal_ticket){.done = on_one_recorded, .arg = &done};
        cell.out = (struct gb_bytes){bytes, SIZE};
        r = gb_journal_cell(journal, &cell, &tickets[i]);
        waiting += r == 0;
        refused += r == -GB_ECAPACITY;
    }
    ck_assert_uint_eq(waiting, (256u << 20) / (SIZE + 1));
    ck_assert_uint_eq(waiting + refused, CELLS);
    while (done < waiting)
        (void)uv_run(&uv, UV_RUN_ONCE);
    run_cell("s-1", CELLS + 1, "after", gb_bytes_str("a"));
    ck_assert_int_eq(gb_journal_figures(journal).sys_errno, 0);
    free(bytes);
}
END_TEST

START_TEST(every_cell_synced)
{
    close_journal();
    config.sync = GB_JOURNAL_SYNC_CELL;
    open_journal();
    begin("s-1", "k");
    for (uint32_t i = 1; i <= 20; i++)
        run_cell("s-1", i, "x", gb_bytes_str("y"));
    ck_assert_uint_eq(look("s-1", 0, 30).count, 20);
}
END_TEST

/* The oldest go first, those that are open stay known, and all of it stays within its size. */
START_TEST(rotation)
{
    static uint8_t block[256 << 10];
    struct gb_journal_figures figures;
    struct seen seen;

    close_journal();
    config.size = 4 << 20;
    open_journal();
    begin("s-old", "old");
    run_cell("s-old", 1, "old", gb_bytes_str("o"));
    end("s-old");
    begin("s-open", "open");
    for (uint32_t i = 1; i <= 60; i++)
        run_cell("s-open", i, "x", (struct gb_bytes){block, sizeof(block)});
    figures = gb_journal_figures(journal);
    ck_assert_uint_le(figures.bytes, config.size);
    ck_assert_ptr_null(find("s-old"));
    reopen();
    ck_assert_ptr_null(find("s-old"));
    ck_assert_str_eq(find("s-open")->key, "open");
    ck_assert_uint_eq(find("s-open")->cells, 60);
    seen = look("s-open", 0, 60);
    ck_assert_uint_ge(seen.count, 8);
    ck_assert_uint_eq(seen.numbers[seen.count - 1], 60);
    ck_assert_str_eq(seen.code[0], "x");
}
END_TEST

struct seen_network {
    uint32_t count;
    uint64_t numbers[64], connections[64];
    uint32_t cells[64];
    char name[64][32];
    uint64_t last;
    bool more, done;
};

static bool on_network(void *arg, const struct gb_network_record *record)
{
    struct seen_network *seen = arg;

    ck_assert_uint_lt(seen->count, 64);
    ck_assert_uint_gt(record->at_ns, 0);
    seen->numbers[seen->count] = record->number;
    seen->connections[seen->count] = record->connection;
    seen->cells[seen->count] = record->cell;
    (void)snprintf(seen->name[seen->count], 32, "%.*s", (int)MIN(record->name.size, (size_t)31),
                   record->name.size > 0 ? (const char *)record->name.data : "");
    seen->count++;
    return true;
}

static void on_network_done(void *arg, uint64_t last, bool more, const struct gb_err *why)
{
    struct seen_network *seen = arg;

    ck_assert_ptr_null(why);
    seen->last = last;
    seen->more = more;
    seen->done = true;
}

static struct seen_network look_network(const char *id, uint64_t after, uint32_t limit)
{
    struct seen_network seen = {0};
    const struct gb_journal_network_query query = {
        .after = after, .limit = limit, .each = on_network, .done = on_network_done, .arg = &seen};

    ck_assert_int_eq(gb_journal_read_network(journal, gb_bytes_str(id), &query, &err), 0);
    while (!seen.done)
        (void)uv_run(&uv, UV_RUN_ONCE);
    return seen;
}

static void connect_once(const char *id, uint32_t cell, uint64_t number, struct gb_bytes name)
{
    const struct gb_network_record record = {
        .cell = cell, .connection = number, .port = 443, .received = 5, .name = name};

    gb_journal_network(journal, id, 1, &record);
}

/* Records of the network: with and without a cell, in pages, and after a restart. */
START_TEST(connections)
{
    static uint8_t long_name[1000];
    struct seen_network seen;

    memset(long_name, 'a', sizeof(long_name));
    begin("s-1", "k");
    begin("s-2", "other");
    connect_once("s-1", 0, 1, gb_bytes_str("one"));
    run_cell("s-1", 1, "x", gb_bytes_str("y"));
    connect_once("s-2", 0, 1, gb_bytes_str("another session's"));
    connect_once("s-1", 1, 2, (struct gb_bytes){long_name, sizeof(long_name)});
    connect_once("s-1", 7, 3, (struct gb_bytes){0});
    for (int again = 0; again < 2; again++) {
        seen = look_network("s-1", 0, 2);
        ck_assert_uint_eq(seen.count, 2);
        ck_assert(seen.more);
        ck_assert_uint_eq(seen.last, seen.numbers[1]);
        ck_assert_str_eq(seen.name[0], "one");
        ck_assert_uint_eq(seen.cells[0], 0);
        ck_assert_uint_eq(seen.cells[1], 1);
        seen = look_network("s-1", seen.last, 2);
        ck_assert_uint_eq(seen.count, 1);
        ck_assert(!seen.more);
        ck_assert_uint_eq(seen.connections[0], 3);
        ck_assert_uint_eq(look_network("s-2", 0, 9).count, 1);
        ck_assert_uint_eq(look("s-1", 0, 9).count, 1);
        ck_assert_uint_eq(find("s-1")->cells, 1); /* a connection is no cell */
        reopen();
    }
    ck_assert_uint_eq(gb_journal_figures(journal).lost, 0);
}
END_TEST

static void on_network_closed(void *arg, uint64_t last, bool more, const struct gb_err *why)
{
    struct seen_network *seen = arg;

    ck_assert_ptr_nonnull(why);
    ck_assert_int_eq(why->code, GB_ECLOSED);
    ck_assert(!more);
    seen->last = last;
    seen->done = true;
}

/* What is still being written is waited for, and not skipped. */
START_TEST(connections_that_are_being_written)
{
    struct seen_network seen;
    const struct gb_journal_network_query query = {
        .after = 7, .limit = 9, .each = on_network, .done = on_network_closed, .arg = &seen};

    close_journal();
    config.sync = GB_JOURNAL_SYNC_CELL; /* everything is written by the thread */
    open_journal();
    begin("s-1", "k");
    for (uint64_t i = 1; i <= 20; i++) {
        connect_once("s-1", 0, i, gb_bytes_str("one"));
        seen = look_network("s-1", i == 1 ? 0 : seen.last, 64);
        ck_assert_uint_eq(seen.count, 1);
        ck_assert_uint_eq(seen.connections[0], i);
        ck_assert(!seen.more);
    }
    for (uint64_t i = 21; i <= 60; i++)
        connect_once("s-1", 0, i, gb_bytes_str("one"));
    ck_assert_uint_eq(look_network("s-1", seen.last, 64).count, 40);
    /* Who waits when the journal is closed is told. */
    connect_once("s-1", 0, 61, gb_bytes_str("one"));
    seen = (struct seen_network){0};
    ck_assert_int_eq(gb_journal_read_network(journal, gb_bytes_str("s-1"), &query, &err), 0);
    close_journal();
    ck_assert(seen.done);
    ck_assert_uint_eq(seen.last, 7);
    open_journal();
}
END_TEST

/* They go with their segment. */
START_TEST(connections_rotate)
{
    static uint8_t block[256 << 10];

    close_journal();
    config.size = 4 << 20;
    open_journal();
    begin("s-open", "open");
    connect_once("s-open", 0, 1, gb_bytes_str("old"));
    for (uint32_t i = 1; i <= 60; i++)
        run_cell("s-open", i, "x", (struct gb_bytes){block, sizeof(block)});
    ck_assert_uint_eq(look_network("s-open", 0, 9).count, 0);
    connect_once("s-open", 60, 2, gb_bytes_str("new"));
    reopen();
    ck_assert_uint_eq(look_network("s-open", 0, 9).count, 1);
    ck_assert_str_eq(look_network("s-open", 0, 9).name[0], "new");
}
END_TEST

/* However many small ones there are, the index does not grow without end. */
START_TEST(many_sessions)
{
    char id[24];

    for (int i = 0; i < 30000; i++) {
        (void)snprintf(id, sizeof(id), "s-%d", i);
        begin(id, "k");
        end(id);
        (void)uv_run(&uv, UV_RUN_NOWAIT); /* what the thread has written is told */
    }
    begin("s-last", "k");
    run_cell("s-last", 1, "x", gb_bytes_str("")); /* all before it has been written, too */
    ck_assert_uint_ge(gb_journal_figures(journal).sessions, 12000);
    ck_assert_uint_le(gb_journal_figures(journal).sessions, 24000);
    reopen();
    ck_assert_ptr_nonnull(find(id));
    ck_assert_ptr_null(find("s-0"));
}
END_TEST

START_TEST(one_server_at_a_time)
{
    struct gb_journal *other = NULL;

    ck_assert_int_eq(gb_journal_open(loop, &config, &other, &err), -GB_EBUSY);
    ck_assert_ptr_null(other);
}
END_TEST

/* What is undone is known again, also of a session whose server was killed. */
START_TEST(undone_cells_are_kept)
{
    const struct gb_record_session record = {
        .cells = 7, .image = gb_bytes_str("python"), .undone = gb_bytes_str("2-4,7")};

    begin("s-1", "k");
    ck_assert_str_eq(find("s-1")->undone, "");
    for (uint32_t cell = 1; cell <= 7; cell++)
        run_cell("s-1", cell, "x", gb_bytes_str(""));
    gb_journal_session(journal, "s-1", 1, &record);
    ck_assert_str_eq(find("s-1")->undone, "2-4,7");
    for (int again = 0; again < 2; again++) {
        reopen();
        ck_assert_int_eq(find("s-1")->state, GB_RECORD_LOST);
        ck_assert_str_eq(find("s-1")->undone, "2-4,7");
        ck_assert_uint_eq(find("s-1")->cells, 7);
    }
}
END_TEST

/* ---- other versions ---- */

/* The records of a file as an older version wrote them. The first eight had no `packages` in their
 * sessions, the first six no `origin` in theirs and no `rolled_back` in their cells, the first four
 * no `undone`, the first three no `file` and `argv` in their cells and the first no `pace`, all of
 * which are empty here; from the third on they have the heads of today. */
static struct gb_buf in_old_version(struct gb_bytes bytes, enum gb_record_version version)
{
    struct gb_buf old = {0};

    for (size_t at = 0; at < bytes.size;) {
        const uint8_t *record = bytes.data + at;
        uint32_t payload = gb_get_u32(record + 24), kept = payload;
        uint8_t head[GB_RECORD_HEAD] = {0};
        size_t size = version < GB_RECORD_THIRD ? GB_RECORD_HEAD_OLD : GB_RECORD_HEAD;
        uint8_t *rest =
            head + 8 + (size - GB_RECORD_HEAD_OLD); /* behind magic and type, and more */
        uint32_t sum;

        if (gb_get_u32(record + 4) == GB_RECORD_SESSION)
            kept -= version <= GB_RECORD_FOURTH   ? 24
                    : version <= GB_RECORD_SIXTH  ? 20
                    : version <= GB_RECORD_EIGHTH ? 4
                                                  : 0;
        else if (version <= GB_RECORD_SIXTH)
            kept -= version == GB_RECORD_FIRST ? 28 : version <= GB_RECORD_THIRD ? 24 : 16;
        memcpy(head, record, size - GB_RECORD_HEAD_OLD + 8);
        head[3] = (uint8_t)('0' + version);
        memcpy(rest, &kept, 4);
        sum = gb_crc32c(0, record + GB_RECORD_HEAD, kept);
        memcpy(rest + 4, &sum, 4);
        memcpy(rest + 8, record + 32, 44);
        sum = gb_crc32c(0, head, size - 4);
        memcpy(head + size - 4, &sum, 4);
        gb_buf_add(&old, head, size);
        gb_buf_add(&old, record + GB_RECORD_HEAD, kept);
        at += GB_RECORD_HEAD + (size_t)payload;
    }
    return old;
}

/* Puts @content in place of the newest segment, under the name that older versions gave it. */
static char *replace_newest(struct gb_bytes content, const char *name)
{
    char path[128], *old = xasprintf("%s/%s", folder, name);

    newest_path(path, sizeof(path));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(gb_fd_replace_file(old, content, 0600, &err), 0);
    return old;
}

/* What older versions wrote is read, and stays as it is: what comes goes into a file of its own. */
START_TEST(older_versions)
{
    struct gb_buf whole = {0}, old, after = {0};
    _cleanup_(freep) char *old_path = NULL;
    enum gb_record_version version = GB_RECORD_FIRST + (unsigned)_i;
    char path[128];

    begin("s-1", "k");
    run_cell("s-1", 1, "one", gb_bytes_str("1"));
    end("s-1");
    close_journal();
    newest_path(path, sizeof(path));
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &whole, &err), 0);
    old = in_old_version(gb_buf_bytes(&whole), version);
    old_path = replace_newest(
        gb_buf_bytes(&old), version < GB_RECORD_THIRD ? "0000000001.gbj" : strrchr(path, '/') + 1);
    for (int again = 0; again < 2; again++) {
        open_journal();
        ck_assert_int_eq(find("s-1")->state, GB_RECORD_CLOSED);
        ck_assert_str_eq(find("s-1")->message, "it was closed");
        ck_assert_uint_eq(look("s-1", 0, 10).count, 1);
        ck_assert_str_eq(look("s-1", 0, 10).code[0], "one");
        ck_assert_uint_eq(gb_journal_figures(journal).lost, 0);
        begin("s-2", "k");
        run_cell("s-2", 1 + (uint32_t)again, "two", gb_bytes_str("22"));
        close_journal();
        gb_buf_clear(&after);
        ck_assert_int_eq(gb_fd_read_file(old_path, 1 << 20, &after, &err), 0);
        ck_assert_uint_eq(after.size, old.size);
        ck_assert_mem_eq(gb_buf_data(&after), gb_buf_data(&old), old.size);
    }
    open_journal();
    ck_assert_uint_eq(look("s-2", 0, 10).count, 2);
    gb_buf_release(&whole);
    gb_buf_release(&old);
    gb_buf_release(&after);
}
END_TEST

/* A file of a version that is to come is left alone. */
START_TEST(a_version_to_come)
{
    struct gb_buf whole = {0}, after = {0};
    _cleanup_(freep) char *path = NULL;
    char now[128];

    begin("s-1", "k");
    run_cell("s-1", 1, "one", gb_bytes_str("1"));
    close_journal();
    newest_path(now, sizeof(now));
    ck_assert_int_eq(gb_fd_read_file(now, 1 << 20, &whole, &err), 0);
    for (size_t at = 0; at < whole.size; at += GB_RECORD_HEAD + gb_get_u32(whole.memory + at + 24))
        memcpy(whole.memory + at, "GbB;", 4);
    path = replace_newest(gb_buf_bytes(&whole), _i == 0 ? "0000000001.gbj" : strrchr(now, '/') + 1);
    open_journal();
    ck_assert_ptr_null(find("s-1"));
    begin("s-2", "k");
    run_cell("s-2", 1, "new", gb_bytes_str(""));
    reopen();
    ck_assert_uint_eq(look("s-2", 0, 10).count, 1);
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &after, &err), 0);
    ck_assert_uint_eq(after.size, whole.size);
    ck_assert_mem_eq(gb_buf_data(&after), gb_buf_data(&whole), whole.size);
    gb_buf_release(&whole);
    gb_buf_release(&after);
}
END_TEST

/* A process that is killed while it writes: what it had acknowledged is there.
 * $GLASSBELL_HARDEN_KILLS says how often. */
START_TEST(killed_while_writing)
{
    const char *given = getenv("GLASSBELL_HARDEN_KILLS");
    long rounds = given == NULL ? 5 : strtol(given, NULL, 10);

    for (int round = 0; round < rounds; round++) {
        int acks[2], status;
        uint32_t acknowledged = 0, number;
        pid_t child;
        char id[24];

        (void)snprintf(id, sizeof(id), "s-%d", round);
        close_journal();
        ck_assert_int_eq(pipe(acks), 0);
        child = fork();
        if (child == 0) {
            open_journal();
            begin(id, "k");
            for (uint32_t i = 1;; i++) {
                run_cell(id, i, "code", gb_bytes_str("out"));
                if (write(acks[1], &i, sizeof(i)) != sizeof(i))
                    _exit(1);
            }
        }
        (void)close(acks[1]);
        for (int i = 0; i < 40 + 17 * round % 199; i++)
            ck_assert_int_eq(read(acks[0], &acknowledged, sizeof(acknowledged)),
                             sizeof(acknowledged));
        ck_assert_int_eq(kill(child, SIGKILL), 0);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        while (read(acks[0], &number, sizeof(number)) == sizeof(number))
            acknowledged = number;
        (void)close(acks[0]);
        open_journal();
        ck_assert_uint_ge(find(id)->cells, acknowledged);
        ck_assert_uint_eq(look(id, acknowledged - 1, 1).count, 1);
        ck_assert_uint_eq(look(id, 0, 40).count, 40);
    }
}
END_TEST

static void limit_files(rlim_t bytes)
{
    const struct rlimit limit = {bytes, RLIM_INFINITY};

    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A disk that takes nothing more: that is told, and when it can, the journal goes on elsewhere. */
START_TEST(writes_that_fail)
{
    static uint8_t block[200 << 10];
    struct gb_cell_info cell = make_cell("s-1", 2, "2");
    struct gb_journal_ticket ticket = {.done = on_recorded};
    int r;

    (void)signal(SIGXFSZ, SIG_IGN); /* allowed: what a limit on files does by default is die */
    begin("s-1", "k");
    run_cell("s-1", 1, "1", gb_bytes_str("one"));
    limit_files(4096);
    cell.out = (struct gb_bytes){block, 3000};
    while ((r = gb_journal_cell(journal, &cell, &ticket)) == 1)
        cell.number++;
    ck_assert_int_lt(r, 0); /* by the loop itself */
    cell.number++;
    cell.out.size = sizeof(block);
    told = false;
    if (gb_journal_cell(journal, &cell, &ticket) == 0) {
        while (!told)
            (void)uv_run(&uv, UV_RUN_ONCE);
        ck_assert(!told_recorded); /* by the thread */
    }
    ck_assert_uint_ge(gb_journal_figures(journal).failures, 1);
    limit_files(1);
    connect_once("s-1", 0, 1, gb_bytes_str("lost"));
    ck_assert_uint_eq(look_network("s-1", 0, 9).count, 0);
    limit_files(RLIM_INFINITY);
    connect_once("s-1", 0, 2, gb_bytes_str("kept"));
    run_cell("s-1", 50, "50", gb_bytes_str("again"));
    reopen();
    ck_assert_uint_eq(look_network("s-1", 0, 9).connections[0], 2);
    ck_assert_uint_eq(look("s-1", 0, 1).out_size[0], 3);
    ck_assert_uint_eq(look("s-1", 49, 1).out_size[0], 5);
    ck_assert_uint_eq(look("s-1", cell.number - 1, 1).count, 1); /* 50, and not what failed */
    ck_assert_uint_eq(look("s-1", cell.number - 1, 1).numbers[0], 50);
}
END_TEST

/* What is told of a cell and not kept: it stands in the head of its record, is true only of the
 * present, or of what was asked for, or is found again when the cell is read. */
static const char *const not_kept[] = {
    "session",     "cell",        "incarnation",  "state",        "code_cut", "code_lost",
    "code_base64", "result_lost", "stdout_bytes", "stderr_bytes", "offset",   "waiting",
    "prompt",      "unrecorded",  "pace",         "undone",
};

static bool is_kept(const struct gb_member *member)
{
    size_t offset = member->offset;

    if (member->type == GB_BOOL)
        return member->bit < GB_CELL_FLAGS_END;
    if (member->type == GB_LIST)
        offset += offsetof(struct gb_items, pairs); /* what a record has of it */
    for (size_t i = 0; i < gb_record_cell_fields.count; i++)
        if (gb_record_cell_fields.fields[i].offset == offset)
            return member->type != GB_EXACT;
    return false;
}

static size_t check_kept(const struct gb_object *object)
{
    size_t left_out = 0;

    for (size_t i = 0; i < object->count; i++) {
        const struct gb_member *member = &object->members[i];
        bool known = false;

        if (member->bit == GB_CELL_ANNOTATED)
            continue; /* it has records of its own */
        if (member->type == GB_OBJECT) {
            left_out += check_kept(member->object);
            continue;
        }
        for (size_t j = 0; j < ARRAY_SIZE(not_kept); j++)
            known = known || (object == &gb_cell_object && strcmp(member->name, not_kept[j]) == 0);
        ck_assert_msg(is_kept(member) != known, "%s", member->name);
        left_out += known;
    }
    return left_out;
}

/* A member that is added to the table of cells is kept, or said not to be. */
START_TEST(cells_are_kept_whole)
{
    ck_assert_uint_eq(check_kept(&gb_cell_object), ARRAY_SIZE(not_kept));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("journal");
    TCase *cases = tcase_create("journal");

    gb_log_open(-1, GB_LOG_ERROR); /* of damage there is much to tell here */
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, cells_are_kept_whole);
    tcase_add_test(cases, sums);
    tcase_add_test(cases, what_was_written_is_read);
    tcase_add_test(cases, an_end_is_kept);
    tcase_add_test(cases, pages_of_a_history);
    tcase_add_test(cases, pages_from_the_end);
    tcase_add_test(cases, cells_out_of_order);
    tcase_add_test(cases, a_cell_without_its_end);
    tcase_add_test(cases, large_output);
    tcase_add_test(cases, a_disk_that_is_slow);
    tcase_add_test(cases, every_cell_synced);
    tcase_add_test(cases, rotation);
    tcase_add_test(cases, connections);
    tcase_add_test(cases, connections_that_are_being_written);
    tcase_add_test(cases, connections_rotate);
    tcase_add_test(cases, many_sessions);
    tcase_add_test(cases, one_server_at_a_time);
    tcase_add_test(cases, undone_cells_are_kept);
    tcase_add_loop_test(cases, older_versions, 0, GB_RECORD_NEWEST - GB_RECORD_FIRST);
    tcase_add_loop_test(cases, a_version_to_come, 0, 2);
    tcase_add_test(cases, killed_while_writing);
    tcase_add_test(cases, writes_that_fail);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}
