/* SPDX-License-Identifier: Apache-2.0 */
#include "model/words.h"

#include <string.h>

#include "base/mem.h"
#include "check_run.h"
#include "model/flags.h"

static const struct {
    const char *name;
    const struct gb_words *words;
    unsigned count; /* that the enumeration has */
} all[] = {
    {"mode", &gb_mode_words, GB_MODE_COUNT},
    {"cell state", &gb_cell_state_words, GB_CELL_STATE_COUNT},
    {"output", &gb_output_words, 2},
    {"change", &gb_change_words, GB_CHANGE_COUNT},
    {"completeness", &gb_completeness_words, GB_COMPLETENESS_COUNT},
    {"session state", &gb_session_state_words, GB_SESSION_STATE_COUNT},
    {"end", &gb_end_words, GB_END_COUNT},
    {"source", &gb_source_words, GB_SOURCE_COUNT},
    {"lease action", &gb_lease_action_words, GB_LEASE_ACTION_COUNT},
    {"lease change", &gb_lease_change_words, GB_LEASE_CHANGE_COUNT},
    {"entry type", &gb_entry_type_words, GB_ENTRY_TYPE_COUNT},
    {"shortage", &gb_shortage_words, GB_SHORTAGE_COUNT - GB_SHORTAGE_MEMORY},
    {"budget source", &gb_budget_source_words, GB_BUDGET_SOURCE_COUNT},
    {"template state", &gb_template_state_words, GB_TEMPLATE_STATE_COUNT},
    {"pool VM state", &gb_pool_vm_state_words, GB_POOL_VM_STATE_COUNT},
    {"isolation", &gb_isolation_words, GB_ISOLATION_COUNT},
};

/* Every value has a word of its own, which leads back to it. */
START_TEST(words_and_values_are_pairs)
{
    const struct gb_words *words = all[_i].words;

    ck_assert_msg(words->count == all[_i].count, "%s", all[_i].name);
    ck_assert_ptr_null(words->names[words->count]);
    for (unsigned i = 0; i < words->count; i++) {
        unsigned value = ~0u;

        ck_assert(gb_words_find(words, gb_bytes_str(words->names[i]), &value));
        ck_assert_uint_eq(value, words->first + i);
        ck_assert_str_eq(gb_words_at(words, value), words->names[i]);
    }
}
END_TEST

/* Nothing but the word itself is one. */
START_TEST(other_words_are_none)
{
    const struct gb_words *words = all[_i].words;
    unsigned value = 77;

    for (unsigned i = 0; i < words->count; i++) {
        size_t size = strlen(words->names[i]);
        char longer[64];

        memcpy(longer, words->names[i], size);
        longer[size] = '\0';
        ck_assert(!gb_words_find(words, (struct gb_bytes){(uint8_t *)longer, size - 1}, &value));
        ck_assert(!gb_words_find(words, (struct gb_bytes){(uint8_t *)longer, size + 1}, &value));
        longer[0] = (char)(longer[0] - 'a' + 'A');
        ck_assert(!gb_words_find(words, (struct gb_bytes){(uint8_t *)longer, size}, &value));
    }
    ck_assert(!gb_words_find(words, gb_bytes_str(""), &value));
    ck_assert(!gb_words_find(words, gb_bytes_str("?"), &value));
    ck_assert_uint_eq(value, 77);
    ck_assert_str_eq(gb_words_at(words, words->first + words->count), "?");
    ck_assert_str_eq(gb_words_at(words, ~0u), "?");
    if (words->first > 0)
        ck_assert_str_eq(gb_words_at(words, 0), "?");
}
END_TEST

/* docs/protocol.md: exit code, signal, time-out, memory; one that was interrupted does not count.
 */
START_TEST(tells_failures)
{
    ck_assert(!gb_cell_failed(0, 0, false));
    ck_assert(!gb_cell_failed(GB_CELL_HAS_VALUE | GB_CELL_STATE_LOST, -1, false));
    ck_assert(gb_cell_failed(0, 1, false));
    ck_assert(gb_cell_failed(0, -1, true));
    ck_assert(gb_cell_failed(GB_CELL_OOM, 0, false));
    ck_assert(gb_cell_failed(GB_CELL_TIMED_OUT, -1, true));
    ck_assert(gb_cell_failed(GB_CELL_TIMED_OUT | GB_CELL_INTERRUPTED, 0, false));
    ck_assert(!gb_cell_failed(GB_CELL_INTERRUPTED, 1, false));
    ck_assert(!gb_cell_failed(GB_CELL_INTERRUPTED | GB_CELL_OOM, -1, true));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("words");
    TCase *test = tcase_create("words");

    tcase_add_loop_test(test, words_and_values_are_pairs, 0, ARRAY_SIZE(all));
    tcase_add_loop_test(test, other_words_are_none, 0, ARRAY_SIZE(all));
    tcase_add_test(test, tells_failures);
    suite_add_tcase(suite, test);
    return check_run(suite);
}
