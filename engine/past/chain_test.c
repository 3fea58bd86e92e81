/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of checkpoints against a model that keeps each memory whole: what is read is what was,
 * also after a new opening, a torn end, a changed byte, and the forgetting of others. */
#include "past/chain.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"
#include "machine/crc32c.h"

enum { PAGES = 700, MOMENTS = 24 };

static char folder[64];
static char path[96];
static struct gb_err err;
static struct gb_chain *chain;

/* One moment: a number for each page, of which its content is made; 0 is the base's. */
struct moment {
    uint64_t seq, parent;
    uint32_t pages[PAGES];
    char device[32];
};

static struct moment moments[MOMENTS];
static size_t made;
static uint32_t content;

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-chain-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/chain", folder);
    srandom(7);
    made = 0;
    content = 0;
    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), 0);
}

static void teardown(void)
{
    _cleanup_(freep) char *fresh = xasprintf("%s.new", path);

    gb_chain_close(chain);
    chain = NULL;
    ck_assert_int_ne(access(fresh, F_OK), 0);
    (void)unlink(path);
    ck_assert_int_eq(rmdir(folder), 0);
}

static void fill(uint8_t *page, uint32_t number)
{
    uint32_t x = number * 2654435761u + 1;

    for (size_t i = 0; i < PAST_PAGE; i++) {
        x = x * 1664525u + 1013904223u;
        page[i] = number % 3 == 0 ? (uint8_t)number : (uint8_t)(x >> 24); /* some can be packed */
    }
}

/* A moment over @parent (NULL: the base) that changes @runs runs of pages. */
static void take(const struct moment *parent, size_t runs)
{
    static uint8_t pages[PAGES * PAST_PAGE];
    struct moment *moment = moments + made;
    struct gb_page_range ranges[PAGES];
    struct gb_chain_checkpoint checkpoint = {
        .parent = parent != NULL ? parent->seq : 0,
        .epoch = 3,
        .at_ns = 1000 + made,
        .cell = (uint32_t)made,
        .memory_pages = PAGES,
        .ranges = ranges,
        .pages = pages,
    };
    bool changed[PAGES] = {false};
    size_t count = 0;

    *moment = (struct moment){.parent = checkpoint.parent};
    if (parent != NULL)
        memcpy(moment->pages, parent->pages, sizeof(moment->pages));
    for (size_t i = 0; i < runs; i++) {
        size_t first = (size_t)random() % PAGES, length = 1 + (size_t)random() % 40;

        for (size_t page = first; page < MIN(first + length, (size_t)PAGES); page++)
            changed[page] = true;
    }
    for (uint32_t page = 0; page < PAGES; page++) {
        if (!changed[page])
            continue;
        moment->pages[page] = ++content;
        fill(pages + count++ * PAST_PAGE, content);
        if (page == 0 || !changed[page - 1])
            ranges[checkpoint.n_ranges++] = (struct gb_page_range){page, 0};
        ranges[checkpoint.n_ranges - 1].count++;
    }
    (void)snprintf(moment->device, sizeof(moment->device), "devices at %zu", made);
    checkpoint.device = gb_bytes_str(moment->device);
    ck_assert_int_eq(gb_chain_append(chain, &checkpoint, &moment->seq, &err), 0);
    made++;
}

static void take_tree(void)
{
    take(NULL, 5);
    while (made < MOMENTS)
        take(made % 7 == 0 ? NULL : moments + (size_t)random() % made, (size_t)random() % 6);
}

struct memory {
    const struct moment *moment;
    bool seen[PAGES], is_wrong;
};

static int check_pages(void *arg, struct gb_page_range range, const uint8_t *data, struct gb_err *e)
{
    struct memory *memory = arg;
    uint8_t expected[PAST_PAGE];

    (void)e;
    for (uint32_t i = 0; i < range.count; i++) {
        ck_assert_uint_lt(range.first + i, PAGES);
        ck_assert(!memory->seen[range.first + i]);
        memory->seen[range.first + i] = true;
        fill(expected, memory->moment->pages[range.first + i]);
        if (memcmp(expected, data + (size_t)i * PAST_PAGE, PAST_PAGE) != 0)
            memory->is_wrong = true; /* to be believed when the call succeeds, not before */
    }
    return 0;
}

/* 0 when the moment was read and is right; else the failure. */
static int look(const struct moment *moment)
{
    _cleanup_(gb_buf_release) struct gb_buf device = {0};
    struct memory memory = {.moment = moment};
    int r = gb_chain_read(chain, moment->seq, check_pages, &memory, &device, &err);

    if (r < 0)
        return r;
    ck_assert(!memory.is_wrong);
    ck_assert_str_eq(gb_buf_str(&device), moment->device);
    for (size_t page = 0; page < PAGES; page++)
        ck_assert_int_eq(memory.seen[page], moment->pages[page] != 0);
    return 0;
}

static void reopen(void)
{
    gb_chain_close(chain);
    chain = NULL;
    ck_assert_msg(gb_chain_open(path, false, &chain, &err) == 0, "%s", err.message);
}

START_TEST(what_was_is_read)
{
    take_tree();
    for (int round = 0; round < 2; round++) {
        size_t count;

        (void)gb_chain_entries(chain, &count);
        ck_assert_uint_eq(count, MOMENTS);
        for (size_t i = 0; i < made; i++) {
            const struct gb_chain_entry *entry = gb_chain_find(chain, moments[i].seq);

            ck_assert_uint_eq(entry->head.cell, i);
            ck_assert_uint_eq(entry->head.at_ns, 1000 + i);
            ck_assert_uint_eq(entry->head.epoch, 3);
            ck_assert_uint_eq(entry->head.parent, moments[i].parent);
            ck_assert_int_eq(look(moments + i), 0);
        }
        reopen();
    }
    ck_assert_int_eq(look(&(struct moment){.seq = 99}), -GB_ENOTFOUND);
}
END_TEST

START_TEST(what_is_not_there_is_no_parent)
{
    struct gb_chain_checkpoint checkpoint = {
        .parent = 5, .memory_pages = PAGES, .device = gb_bytes_str("x")};
    uint64_t seq, before = gb_chain_bytes(chain);

    ck_assert_int_eq(gb_chain_append(chain, &checkpoint, &seq, &err), -GB_ENOTFOUND);
    ck_assert_uint_eq(gb_chain_bytes(chain), before);
}
END_TEST

static struct gb_buf read_file(void)
{
    struct gb_buf content_ = {0};

    ck_assert_int_eq(gb_fd_read_file(path, 64 << 20, &content_, &err), 0);
    return content_;
}

static void write_file(struct gb_bytes bytes)
{
    ck_assert_int_eq(gb_fd_replace_file(path, bytes, 0600, &err), 0);
}

/* A writer that dies leaves any beginning of its last record. */
START_TEST(torn_end_is_cut)
{
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    uint64_t before;

    take(NULL, 3);
    take(moments, 2);
    before = gb_chain_bytes(chain);
    take(moments + 1, 2);
    gb_chain_close(chain);
    file = read_file();
    for (size_t size = (size_t)before; size < file.size; size += 1 + (size_t)random() % 997) {
        size_t count;

        write_file((struct gb_bytes){gb_buf_data(&file), size});
        ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), 0);
        (void)gb_chain_entries(chain, &count);
        ck_assert_uint_eq(count, 2);
        ck_assert_uint_eq(gb_chain_bytes(chain), before);
        ck_assert_int_eq(look(moments + 1), 0);
        made = 2;
        take(moments + 1, 1);
        ck_assert_uint_eq(moments[2].seq, 3);
        reopen();
        ck_assert_int_eq(look(moments + 2), 0);
        gb_chain_close(chain);
    }
    /* The size of a file may be on the disk before its content. */
    memset(file.memory + file.start + before, 0, file.size - before);
    write_file(gb_buf_bytes(&file));
    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), 0);
    ck_assert_uint_eq(gb_chain_bytes(chain), before);
}
END_TEST

static void reopen_heads(void)
{
    gb_chain_close(chain);
    chain = NULL;
    ck_assert_msg(gb_chain_open_heads(path, false, &chain, &err) == 0, "%s", err.message);
}

static void check_file_is(const struct gb_buf *file, size_t size)
{
    _cleanup_(gb_buf_release) struct gb_buf now = read_file();

    ck_assert_uint_eq(now.size, size);
    ck_assert(memcmp(gb_buf_data(&now), gb_buf_data(file), size) == 0);
}

/* Nothing is cut off before something is appended. */
START_TEST(opening_heads_changes_nothing)
{
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    uint64_t before;

    take(NULL, 3);
    take(moments, 2);
    before = gb_chain_bytes(chain);
    take(moments + 1, 2);
    file = read_file();
    for (size_t size = (size_t)before; size < file.size; size += 1 + (size_t)random() % 997) {
        size_t count;

        write_file((struct gb_bytes){gb_buf_data(&file), size});
        reopen_heads();
        (void)gb_chain_entries(chain, &count);
        ck_assert_uint_eq(count, 2);
        ck_assert_int_eq(look(moments + 1), 0);
        check_file_is(&file, size);
        made = 2;
        take(moments + 1, 1);
        ck_assert_uint_eq(moments[2].seq, 3);
        reopen();
        ck_assert_int_eq(look(moments + 2), 0);
        ck_assert_int_eq(look(moments + 1), 0);
    }
}
END_TEST

/* The last record counts until it is read: it is not cut off, and others follow it. */
START_TEST(heads_alone_do_not_show_damage)
{
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    const struct gb_chain_entry *last;

    take(NULL, 3);
    take(moments, 2);
    last = gb_chain_find(chain, 2);
    file = read_file();
    file.memory[file.start + last->at + past_blocks_at(&last->head) + 9] ^= 1;
    write_file(gb_buf_bytes(&file));
    reopen_heads();
    ck_assert_ptr_nonnull(gb_chain_find(chain, 2));
    ck_assert_int_eq(look(moments + 1), -GB_EINVALID);
    ck_assert(!gb_chain_is_sound(chain, 2));
    check_file_is(&file, file.size);
    take(moments, 1);
    ck_assert_uint_eq(moments[2].seq, 3);
    reopen();
    ck_assert_int_eq(look(moments + 2), 0);
    ck_assert_int_eq(look(moments), 0);
}
END_TEST

START_TEST(heads_of_nothing_are_refused)
{
    gb_chain_close(chain);
    chain = NULL;
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_lt(gb_chain_open_heads(path, false, &chain, &err), 0);
    ck_assert_int_lt(access(path, F_OK), 0); /* it is not made */
    write_file(gb_bytes_str("short"));
    ck_assert_int_eq(gb_chain_open_heads(path, false, &chain, &err), -GB_EINVALID);
}
END_TEST

static bool lies_over(const struct moment *moment, const struct moment *other)
{
    while (moment->seq != other->seq) {
        if (moment->parent == 0)
            return false;
        moment = moments + moment->parent - 1; /* they are numbered from 1 on */
    }
    return true;
}

/* Nearly every byte of heads and tables, some of each block. */
static size_t step(const struct gb_chain_entry *entries, size_t count, size_t at)
{
    for (size_t i = 0; i < count; i++) {
        const uint64_t begin = entries[i].at, blocks = begin + past_blocks_at(&entries[i].head);
        const uint64_t sizes = begin + past_sizes_at(&entries[i].head);

        if (at >= blocks && at < sizes)
            return (size_t)MIN(sizes - at, (uint64_t)(1 + random() % 29989));
    }
    return 1 + (size_t)random() % 5;
}

START_TEST(changed_byte_costs_what_lies_over_it)
{
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    struct gb_chain_entry entries[6];
    const struct gb_chain_entry *all;
    size_t count;

    for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
        take(i % 3 == 0 ? NULL : moments + (size_t)random() % made, 1 + i % 2);
    all = gb_chain_entries(chain, &count);
    ck_assert_uint_eq(count, ARRAY_SIZE(entries));
    memcpy(entries, all, sizeof(entries));
    file = read_file();
    for (size_t at = 0; at < file.size; at += step(entries, count, at)) {
        const struct moment *hit = NULL;
        const uint8_t change = (uint8_t)(1 + random() % 255);

        for (size_t i = 0; i < count; i++) {
            if (at >= entries[i].at && at < entries[i].at + past_record_size(&entries[i].head))
                hit = moments + i;
        }
        file.memory[file.start + at] ^= change;
        write_file(gb_buf_bytes(&file));
        reopen();
        file.memory[file.start + at] ^= change;
        for (size_t i = 0; i < made; i++) {
            bool is_lost = hit != NULL && lies_over(moments + i, hit);
            int r = look(moments + i);

            ck_assert_msg((r < 0) == is_lost, "byte %zu of %zu, moment %zu: %s", at, file.size, i,
                          r < 0 ? err.message : "read");
            ck_assert(r == 0 || r == -GB_EINVALID || r == -GB_ENOTFOUND);
        }
    }
}
END_TEST

static bool keep_marked(void *arg, const struct gb_chain_entry *entry)
{
    const bool *marks = arg;

    return marks[entry->head.seq - 1];
}

START_TEST(others_are_forgotten)
{
    take_tree();
    for (int round = 0; round < 12; round++) {
        bool marks[MOMENTS];

        for (size_t i = 0; i < MOMENTS; i++)
            marks[i] = gb_chain_find(chain, moments[i].seq) != NULL && random() % 8 != 0;
        ck_assert_msg(gb_chain_compact(chain, keep_marked, marks, &err) == 0, "%s", err.message);
        if (round % 2 == 0)
            reopen();
        for (size_t i = 0; i < MOMENTS; i++)
            ck_assert_int_eq(look(moments + i), marks[i] ? 0 : -GB_ENOTFOUND);
    }
}
END_TEST

/* Freed memory counts as free. */
const char *__asan_default_options(void); /* NOLINT(bugprone-reserved-identifier) */
const char *__asan_default_options(void)  /* NOLINT(bugprone-reserved-identifier) */
{
    return "quarantine_size_mb=1";
}

static long peak_kb(void)
{
    struct rusage usage;

    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

/* However many are removed at a time. */
START_TEST(forgetting_takes_little_memory)
{
    bool marks[MOMENTS] = {[0] = true, [MOMENTS - 1] = true};
    long before;

    while (made < MOMENTS)
        take(made > 0 ? moments + made - 1 : NULL, 120);
    before = peak_kb();
    ck_assert_msg(gb_chain_compact(chain, keep_marked, marks, &err) == 0, "%s", err.message);
    ck_assert_int_lt(peak_kb() - before, 30 << 10);
    for (size_t i = 0; i < MOMENTS; i++)
        ck_assert_int_eq(look(moments + i), marks[i] ? 0 : -GB_ENOTFOUND);
}
END_TEST

START_TEST(no_number_is_given_twice)
{
    bool marks[MOMENTS] = {true, true};

    for (int i = 0; i < 4; i++)
        take(made > 0 ? moments + made - 1 : NULL, 1);
    ck_assert_int_eq(gb_chain_compact(chain, keep_marked, marks, &err), 0);
    reopen();
    take(moments + 1, 1);
    ck_assert_uint_eq(moments[4].seq, 5);
    ck_assert_int_eq(look(moments + 4), 0);
}
END_TEST

START_TEST(damaged_ones_are_forgotten)
{
    bool marks[MOMENTS];
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    const struct gb_chain_entry *second;

    memset(marks, true, sizeof(marks));
    take(NULL, 4);
    take(moments, 4);
    take(moments + 1, 4);
    take(moments, 4);
    second = gb_chain_find(chain, 2);
    file = read_file();
    file.memory[file.start + second->at + past_blocks_at(&second->head) + 9] ^= 1;
    write_file(gb_buf_bytes(&file));
    reopen();
    ck_assert_msg(gb_chain_compact(chain, keep_marked, marks, &err) == 0, "%s", err.message);
    ck_assert_int_eq(look(moments), 0);
    ck_assert_int_eq(look(moments + 1), -GB_ENOTFOUND);
    ck_assert_int_eq(look(moments + 2), -GB_ENOTFOUND);
    ck_assert_int_eq(look(moments + 3), 0);
}
END_TEST

START_TEST(what_is_based_on_damage_is_not_sound)
{
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    const struct gb_chain_entry *second;

    take(NULL, 4);
    take(moments, 4);
    take(moments + 1, 4);
    for (uint64_t seq = 0; seq <= 4; seq++)
        ck_assert_int_eq(gb_chain_is_sound(chain, seq), seq < 4);
    second = gb_chain_find(chain, 2);
    file = read_file();
    file.memory[file.start + second->at + past_blocks_at(&second->head) + 9] ^= 1;
    write_file(gb_buf_bytes(&file));
    reopen();
    ck_assert_int_eq(look(moments + 2), -GB_EINVALID);
    for (uint64_t seq = 0; seq <= 4; seq++)
        ck_assert_int_eq(gb_chain_is_sound(chain, seq), seq < 2);
}
END_TEST

/* A file whose key is everywhere in it. */
START_TEST(key_that_repeats_is_not_searched_for_ever)
{
    static uint8_t zeros[16 << 20];
    uint32_t crc;

    gb_chain_close(chain);
    chain = NULL;
    memcpy(zeros, "GBCHAIN\1", 8);
    crc = gb_crc32c(0, zeros, 28);
    for (size_t i = 0; i < sizeof(crc); i++)
        zeros[28 + i] = (uint8_t)(crc >> (8 * i));
    write_file((struct gb_bytes){zeros, sizeof(zeros)});
    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), -GB_EINVALID);
}
END_TEST

/* No room: nothing is lost, and the next one fits again. */
START_TEST(full_disk_loses_nothing)
{
    struct rlimit limit = {0, RLIM_INFINITY};
    struct gb_chain_checkpoint checkpoint = {.memory_pages = PAGES, .device = gb_bytes_str("x")};
    static const struct gb_page_range all[] = {{0, PAGES}};
    static uint8_t noise[PAGES * PAST_PAGE];
    bool marks[MOMENTS];
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    uint64_t seq, before;

    take(NULL, 3);
    take(moments, 3);
    before = gb_chain_bytes(chain);
    memset(marks, true, sizeof(marks));
    checkpoint.ranges = all;
    checkpoint.n_ranges = 1;
    checkpoint.parent = moments[1].seq;
    checkpoint.pages = noise;
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (uint8_t)random();
    ck_assert_int_eq(sigaction(SIGXFSZ, &ignored, NULL), 0);
    for (limit.rlim_cur = 0; limit.rlim_cur < before + 100000; limit.rlim_cur += 50000) {
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_int_lt(gb_chain_append(chain, &checkpoint, &seq, &err), 0);
        if (limit.rlim_cur < before)
            ck_assert_int_lt(gb_chain_compact(chain, keep_marked, marks, &err), 0);
        ck_assert_uint_eq(gb_chain_bytes(chain), before);
    }
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    ck_assert_int_eq(gb_chain_append(chain, &checkpoint, &seq, &err), 0);
    ck_assert_uint_eq(seq, 3);
    reopen();
    ck_assert_int_eq(look(moments), 0);
    ck_assert_int_eq(look(moments + 1), 0);
}
END_TEST

START_TEST(others_files_are_refused)
{
    gb_chain_close(chain);
    chain = NULL;
    write_file(gb_bytes_str("what somebody else has written, and more of it than a start has"));
    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), -GB_EINVALID);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/dev/null", path), 0);
    ck_assert_int_lt(gb_chain_open(path, false, &chain, &err), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(gb_chain_open(path, false, &chain, &err), -GB_EINVALID);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("past/chain");
    TCase *tests = tcase_create("chain");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_was_is_read);
    tcase_add_test(tests, what_is_not_there_is_no_parent);
    tcase_add_test(tests, torn_end_is_cut);
    tcase_add_test(tests, opening_heads_changes_nothing);
    tcase_add_test(tests, heads_alone_do_not_show_damage);
    tcase_add_test(tests, heads_of_nothing_are_refused);
    tcase_add_test(tests, changed_byte_costs_what_lies_over_it);
    tcase_add_test(tests, others_are_forgotten);
    tcase_add_test(tests, forgetting_takes_little_memory);
    tcase_add_test(tests, no_number_is_given_twice);
    tcase_add_test(tests, damaged_ones_are_forgotten);
    tcase_add_test(tests, what_is_based_on_damage_is_not_sound);
    tcase_add_test(tests, key_that_repeats_is_not_searched_for_ever);
    tcase_add_test(tests, full_disk_loses_nothing);
    tcase_add_test(tests, others_files_are_refused);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
