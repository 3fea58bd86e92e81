/* SPDX-License-Identifier: Apache-2.0 */
#include "model/words.h"

#define WORD(name_, word_) word_,
#define COUNT(name_, word_) +1
#define DEFINE(type_, rows_, first_)                                                               \
    const char *const type_##_names[] = {rows_(WORD) NULL};                                        \
    const struct gb_words type_##_words = {type_##_names, first_, 0 rows_(COUNT)}

DEFINE(gb_network_entry, GB_NETWORK_ENTRIES, 0);
DEFINE(gb_network_answer, GB_NETWORK_ANSWERS, 0);
DEFINE(gb_mode, GB_MODES, 0);
DEFINE(gb_cell_state, GB_CELL_STATES, 0);
DEFINE(gb_output, GB_OUTPUTS, GB_STDOUT);
DEFINE(gb_change, GB_CHANGES, 0);
DEFINE(gb_completeness, GB_COMPLETENESSES, 0);
DEFINE(gb_session_state, GB_SESSION_STATES, 0);
DEFINE(gb_end, GB_ENDS, 0);
DEFINE(gb_source, GB_SOURCES, 0);
DEFINE(gb_lease_action, GB_LEASE_ACTIONS, 0);
DEFINE(gb_lease_change, GB_LEASE_CHANGES, 0);
DEFINE(gb_entry_type, GB_ENTRY_TYPES, 0);
DEFINE(gb_shortage, GB_SHORTAGES, GB_SHORTAGE_MEMORY);
DEFINE(gb_budget_source, GB_BUDGET_SOURCES, 0);
DEFINE(gb_template_state, GB_TEMPLATE_STATES, 0);
DEFINE(gb_pool_vm_state, GB_POOL_VM_STATES, 0);
DEFINE(gb_isolation, GB_ISOLATIONS, 0);

const char *gb_words_at(const struct gb_words *words, unsigned value)
{
    return value >= words->first && value - words->first < words->count
               ? words->names[value - words->first]
               : "?";
}

bool gb_words_find(const struct gb_words *words, struct gb_bytes word, unsigned *ret_value)
{
    for (unsigned i = 0; i < words->count; i++) {
        if (gb_bytes_equal(word, words->names[i])) {
            *ret_value = words->first + i;
            return true;
        }
    }
    return false;
}
