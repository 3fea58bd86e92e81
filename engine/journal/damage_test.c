/* Journals whose files were damaged: nothing wrong is told, and no more is lost than was hit. */
#include "journal/testing.h"

/* Cut at every byte of its last records, the journal opens, and has what was whole before. */
START_TEST(torn_at_any_byte)
{
    struct gb_buf whole = {0};
    struct stat st;
    char path[128];
    off_t two;

    begin("s-1", "k");
    run_cell("s-1", 1, "1", gb_bytes_str("one"));
    run_cell("s-1", 2, "2", gb_bytes_str("two"));
    newest_path(path, sizeof(path));
    ck_assert_int_eq(stat(path, &st), 0);
    two = st.st_size;
    run_cell("s-1", 3, "3", gb_bytes_str("three"));
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &whole, &err), 0);
    for (size_t size = (size_t)two; size < whole.size; size++) {
        struct seen seen;

        close_journal();
        ck_assert_int_eq(
            gb_fd_replace_file(path, (struct gb_bytes){gb_buf_data(&whole), size}, 0600, &err), 0);
        open_journal();
        seen = look("s-1", 0, 10);
        ck_assert_uint_ge(seen.count, 2);
        ck_assert_uint_eq(seen.out_size[0], 3);
        ck_assert_uint_eq(seen.out_size[1], 3);
        ck_assert_uint_le(seen.count, 3);
        run_cell("s-1", 9, "9", gb_bytes_str("nine")); /* and it goes on behind the cut */
        ck_assert_uint_eq(look("s-1", 8, 10).count, 1);
    }
    gb_buf_release(&whole);
}
END_TEST

/* Any byte turned over: nothing wrong is ever told. */
START_TEST(any_byte_wrong)
{
    struct gb_buf whole = {0};
    char path[128];

    begin("s-1", "k");
    for (uint32_t i = 1; i <= 3; i++)
        run_cell("s-1", i, "same", gb_bytes_str("same"));
    newest_path(path, sizeof(path));
    ck_assert_int_eq(gb_fd_read_file(path, 1 << 20, &whole, &err), 0);
    for (size_t at = 0; at < whole.size; at += 7) {
        struct gb_bytes bytes = gb_buf_bytes(&whole);
        uint8_t *broken = malloc(bytes.size);
        const struct gb_journal_session *session;

        memcpy(broken, bytes.data, bytes.size);
        broken[at] ^= 0x41;
        close_journal();
        ck_assert_int_eq(
            gb_fd_replace_file(path, (struct gb_bytes){broken, bytes.size}, 0600, &err), 0);
        open_journal();
        session = find("s-1");
        if (session != NULL) {
            struct seen seen = look("s-1", 0, 10);

            ck_assert_uint_le(seen.count, 3);
            for (uint32_t i = 0; i < seen.count; i++)
                ck_assert(seen.code[i][0] == 0 || strcmp(seen.code[i], "same") == 0);
        }
        free(broken);
    }
    gb_buf_release(&whole);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("damage");
    TCase *cases = tcase_create("damage");

    gb_log_open(-1, GB_LOG_ERROR); /* of damage there is much to tell here */
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, torn_at_any_byte);
    tcase_add_test(cases, any_byte_wrong);
    suite_add_tcase(suite, cases);
    return check_run(suite);
}
