/* SPDX-License-Identifier: Apache-2.0 */
/* Bookmarks and notes in the journal: what was acknowledged is told with the cell, before and after
 * any end, and costs nothing that is older. */
#include "journal/testing.h"

#include <errno.h>
#include <fcntl.h>

enum {
    SET_BOOKMARK = GB_ANNOTATION_SETS_BOOKMARK | GB_ANNOTATION_BOOKMARK,
    NO_BOOKMARK = GB_ANNOTATION_SETS_BOOKMARK,
    SET_NOTE = GB_ANNOTATION_SETS_NOTE,
};

static int annotate(const char *id, uint32_t cell, unsigned flags, const char *note,
                    const char *client)
{
    struct gb_journal_ticket ticket = {.done = on_recorded};
    const struct gb_record_annotation annotation = {
        .flags = (uint8_t)flags, .note = gb_bytes_str(note), .client = gb_bytes_str(client)};
    int r;

    told = false;
    r = gb_journal_annotate(journal, gb_bytes_str(id), cell, &annotation, &ticket, &err);
    while (r == 0 && !told)
        (void)uv_run(&uv, UV_RUN_ONCE);
    return r == 0 && !told_recorded ? -GB_EINTERNAL : r < 0 ? r : 0;
}

/* The annotated cells: "1* 2:text(client) …". */
struct marks {
    char text[4096];
    uint32_t count;
    bool done;
};

static enum gb_journal_verdict on_marked(void *arg, const struct gb_cell_info *cell)
{
    struct marks *marks = arg;
    size_t used = strlen(marks->text);

    ck_assert((cell->flags & GB_CELL_ANNOTATED) != 0);
    ck_assert_uint_gt(cell->annotated_at_ns, 0);
    marks->count++;
    if (used < sizeof(marks->text) / 2)
        (void)snprintf(marks->text + used, sizeof(marks->text) - used, "%s%u%s%s%.*s(%.*s)",
                       used > 0 ? " " : "", cell->number,
                       (cell->flags & GB_CELL_BOOKMARK) != 0 ? "*" : "",
                       cell->annotation.size > 0 ? ":" : "", (int)cell->annotation.size,
                       (const char *)cell->annotation.data, (int)cell->annotator.size,
                       (const char *)cell->annotator.data);
    return GB_JOURNAL_NEXT;
}

static void on_marks(void *arg, uint32_t last, bool more, const struct gb_err *why)
{
    struct marks *marks = arg;

    (void)last;
    ck_assert(!more);
    ck_assert_ptr_null(why);
    marks->done = true;
}

static struct marks marks_of(const char *id)
{
    const struct gb_journal_query query = {
        .limit = 10000, .annotated = true, .each = on_marked, .done = on_marks};
    struct gb_journal_query asked = query;
    struct marks marks = {0};

    asked.arg = &marks;
    ck_assert_int_eq(gb_journal_read(journal, gb_bytes_str(id), &asked, &err), 0);
    while (!marks.done)
        (void)uv_run(&uv, UV_RUN_ONCE);
    return marks;
}

START_TEST(set_and_removed)
{
    begin("s-1", "k");
    for (uint32_t i = 1; i <= 4; i++)
        run_cell("s-1", i, "x", gb_bytes_str(""));
    ck_assert_int_eq(annotate("s-1", 2, SET_BOOKMARK, "", "ann"), 0);
    ck_assert_int_eq(annotate("s-1", 2, SET_NOTE, "see here", "bob"), 0);
    ck_assert_int_eq(annotate("s-1", 4, SET_BOOKMARK | SET_NOTE, "both", ""), 0);
    ck_assert_int_eq(annotate("s-1", 3, SET_NOTE, "gone", ""), 0);
    ck_assert_int_eq(annotate("s-1", 3, SET_NOTE, "", ""), 0);
    for (int again = 0; again < 2; again++) {
        ck_assert_str_eq(marks_of("s-1").text, "2*:see here(bob) 4*:both()");
        ck_assert_uint_eq(look("s-1", 0, 10).count, 4); /* and they are told with the others */
        ck_assert_uint_ne(look("s-1", 0, 10).flags[1] & GB_CELL_BOOKMARK, 0);
        ck_assert_uint_eq(look("s-1", 0, 10).flags[0] & GB_CELL_ANNOTATED, 0);
        reopen();
    }
    ck_assert_int_eq(annotate("s-1", 2, NO_BOOKMARK, "", "ann"), 0);
    ck_assert_str_eq(marks_of("s-1").text, "2:see here(bob) 4*:both()");
    ck_assert_int_eq(annotate("s-1", 4, NO_BOOKMARK | SET_NOTE, "", ""), 0);
    reopen();
    ck_assert_str_eq(marks_of("s-1").text, "2:see here(bob)");
    ck_assert_uint_eq(gb_journal_figures(journal).lost, 0);
}
END_TEST

START_TEST(of_what_there_is_not)
{
    begin("s-1", "k");
    run_cell("s-1", 1, "x", gb_bytes_str(""));
    ck_assert_int_eq(annotate("s-1", 2, SET_BOOKMARK, "", ""), -GB_ENOTFOUND);
    ck_assert_int_eq(annotate("s-2", 1, SET_BOOKMARK, "", ""), -GB_ENOTFOUND);
}
END_TEST

/* A session that has ended, and one whose server died: neither is another one by that. */
START_TEST(after_the_end)
{
    uint64_t ended;

    begin("s-1", "k");
    run_cell("s-1", 1, "x", gb_bytes_str(""));
    end("s-1");
    ended = find("s-1")->last_at_ns;
    ck_assert_int_eq(annotate("s-1", 1, SET_NOTE, "later", "ann"), 0);
    reopen();
    ck_assert_str_eq(marks_of("s-1").text, "1:later(ann)");
    ck_assert_int_eq(find("s-1")->state, GB_RECORD_CLOSED);
    ck_assert_uint_eq(find("s-1")->last_at_ns, ended);
}
END_TEST

/* While it runs, and of a cell whose end was never recorded. */
START_TEST(of_a_running_cell)
{
    struct gb_cell_info cell = make_cell("s-1", 1, "while True: pass");

    begin("s-1", "k");
    gb_journal_start(journal, &cell);
    ck_assert_int_eq(annotate("s-1", 1, SET_BOOKMARK, "", ""), 0);
    ck_assert_str_eq(marks_of("s-1").text, "1*()");
    reopen();
    ck_assert_str_eq(marks_of("s-1").text, "1*()");
    ck_assert_str_eq(look("s-1", 0, 1).state[0], "running");
}
END_TEST

START_TEST(not_more_than_the_limit)
{
    begin("s-1", "k");
    for (uint32_t i = 1; i <= GB_ANNOTATIONS_MAX + 1; i++)
        run_cell("s-1", i, "", gb_bytes_str(""));
    for (uint32_t i = GB_ANNOTATIONS_MAX; i > 0; i--)
        ck_assert_int_eq(annotate("s-1", i, SET_BOOKMARK, "", ""), 0);
    ck_assert_int_eq(annotate("s-1", GB_ANNOTATIONS_MAX + 1, SET_NOTE, "n", ""), -GB_ECAPACITY);
    ck_assert_int_eq(annotate("s-1", 7, SET_NOTE, "n", ""), 0); /* it has one already */
    ck_assert_int_eq(annotate("s-1", 8, NO_BOOKMARK, "", ""), 0);
    ck_assert_int_eq(annotate("s-1", GB_ANNOTATIONS_MAX + 1, SET_NOTE, "n", ""), 0);
    ck_assert_uint_eq(marks_of("s-1").count, GB_ANNOTATIONS_MAX);
    reopen();
    ck_assert_uint_eq(marks_of("s-1").count, GB_ANNOTATIONS_MAX);
}
END_TEST

/* With its cell; the record that is newer than a forgotten session's end brings nothing back. */
START_TEST(forgotten_with_the_cell)
{
    static uint8_t block[512 << 10];
    uint32_t number = 0;

    config.size = 4 << 20;
    reopen();
    begin("s-1", "k");
    begin("s-2", "l");
    run_cell("s-1", 1, "x", gb_bytes_str(""));
    run_cell("s-2", 1, "x", gb_bytes_str(""));
    ck_assert_int_eq(annotate("s-2", 1, SET_BOOKMARK, "", ""), 0);
    end("s-1");
    for (int i = 0; i < 3; i++)
        run_cell("s-2", 2 + number++, "x", (struct gb_bytes){block, sizeof(block)});
    ck_assert_int_eq(annotate("s-1", 1, SET_NOTE, "newer", ""), 0);
    while (find("s-1") != NULL)
        run_cell("s-2", 2 + number++, "x", (struct gb_bytes){block, sizeof(block)});
    ck_assert_uint_eq(marks_of("s-2").count, 0);
    reopen();
    ck_assert_ptr_null(find("s-1"));
    ck_assert_uint_eq(marks_of("s-2").count, 0);
    ck_assert_int_eq(annotate("s-2", 1, SET_BOOKMARK, "", ""), -GB_ENOTFOUND);
}
END_TEST

/* What was said of cells that are gone is still on disk: it leaves no less room for others. */
START_TEST(forgotten_ones_take_no_room)
{
    static uint8_t block[512 << 10];
    uint32_t last = GB_ANNOTATIONS_MAX;

    config.size = 4 << 20;
    reopen();
    begin("s-1", "k");
    for (uint32_t i = 1; i <= GB_ANNOTATIONS_MAX; i++)
        run_cell("s-1", i, "", gb_bytes_str(""));
    for (int i = 0; i < 3; i++)
        run_cell("s-1", ++last, "x", (struct gb_bytes){block, sizeof(block)});
    for (uint32_t i = 1; i <= GB_ANNOTATIONS_MAX; i++)
        ck_assert_int_eq(annotate("s-1", i, SET_BOOKMARK, "", ""), 0);
    while (marks_of("s-1").count > 0)
        run_cell("s-1", ++last, "x", (struct gb_bytes){block, sizeof(block)});
    ck_assert_int_eq(annotate("s-1", last, SET_NOTE, "kept", ""), 0);
    reopen();
    ck_assert_uint_eq(marks_of("s-1").count, 1);
    ck_assert_ptr_nonnull(strstr(marks_of("s-1").text, ":kept()"));
}
END_TEST

/* A record whose content is damaged is counted, and affects no other one. */
START_TEST(damaged)
{
    static const char note[] = "a note that will be damaged";
    char path[256];
    uint8_t bytes[8192];
    ssize_t size;
    uint8_t *at;
    int fd;

    begin("s-1", "k");
    run_cell("s-1", 1, "x", gb_bytes_str(""));
    run_cell("s-1", 2, "x", gb_bytes_str(""));
    ck_assert_int_eq(annotate("s-1", 1, SET_NOTE, note, ""), 0);
    ck_assert_int_eq(annotate("s-1", 2, SET_NOTE, "whole", ""), 0);
    newest_path(path, sizeof(path));
    close_journal();
    fd = open(path, O_RDWR | O_CLOEXEC);
    size = pread(fd, bytes, sizeof(bytes), 0);
    ck_assert_int_gt(size, 0);
    at = memmem(bytes, (size_t)size, note, strlen(note));
    ck_assert_ptr_nonnull(at);
    ck_assert_int_eq(pwrite(fd, "A", 1, at - bytes), 1);
    (void)gb_close(fd);
    open_journal();
    ck_assert_str_eq(marks_of("s-1").text, "2:whole()");
    ck_assert_uint_eq(gb_journal_figures(journal).lost, 1);
    ck_assert_uint_eq(look("s-1", 0, 10).count, 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("annotation");
    TCase *cases = tcase_create("annotation");

    gb_log_open(-1, GB_LOG_ERROR);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, set_and_removed);
    tcase_add_test(cases, of_what_there_is_not);
    tcase_add_test(cases, after_the_end);
    tcase_add_test(cases, of_a_running_cell);
    tcase_add_test(cases, not_more_than_the_limit);
    tcase_add_test(cases, forgotten_with_the_cell);
    tcase_add_test(cases, forgotten_ones_take_no_room);
    tcase_add_test(cases, damaged);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}
