/* SPDX-License-Identifier: Apache-2.0 */
/* Records, of a file and of a server, alone and in a list. What is accepted is written, and what
 * was written is read as the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "language/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_to_write(const struct gb_language *language)
{
    struct gb_buf first = {0}, second = {0}, copy = {0};
    struct gb_json_out out = {.buf = &first};
    struct gb_json_doc doc = {0};
    struct gb_language *again = NULL;

    gb_language_put(&out, language);
    gb_buf_add(&copy, gb_buf_data(&first), first.size);
    assert(gb_json_parse(&doc, copy.memory + copy.start, copy.size, GB_LANGUAGE_VALUES_MAX, NULL) ==
           0);
    assert(gb_language_read(doc.nodes, GB_LANGUAGE_OF_FILE, &again, NULL) == 0);
    out = (struct gb_json_out){.buf = &second};
    gb_language_put(&out, again);
    assert(first.size == second.size &&
           memcmp(gb_buf_data(&first), gb_buf_data(&second), first.size) == 0);
    gb_language_unref(again);
    gb_json_release(&doc);
    gb_buf_release(&first);
    gb_buf_release(&second);
    gb_buf_release(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_json_doc doc = {0};
    struct gb_buf text = {0};

    gb_buf_add(&text, data, size);
    if (size > 0 &&
        gb_json_parse(&doc, text.memory + text.start, size, GB_LANGUAGE_VALUES_MAX, NULL) == 0) {
        for (int source = GB_LANGUAGE_OF_FILE; source <= (int)GB_LANGUAGE_OF_SERVER; source++) {
            struct gb_languages languages = {0};
            struct gb_language *language = NULL;

            if (gb_language_read(doc.nodes, (enum gb_language_source)source, &language, NULL) == 0)
                try_to_write(language);
            gb_language_unref(language);
            if (gb_languages_read(doc.nodes, (enum gb_language_source)source, &languages, NULL) ==
                0)
                for (size_t i = 0; i < languages.count; i++)
                    assert(gb_languages_find(&languages, languages.list[i]->name) ==
                           languages.list[i]);
            gb_languages_release(&languages);
        }
    }
    gb_json_release(&doc);
    gb_buf_release(&text);
    return 0;
}
