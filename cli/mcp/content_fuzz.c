/* SPDX-License-Identifier: Apache-2.0 */
/* What the socket answers, as the result of each tool: whatever it is, the line to the client must
 * be JSON of bounded size. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mcp/content.h"

static void check(struct gb_buf *text)
{
    struct gb_json_doc doc = {0};

    assert(gb_json_parse(&doc, text->memory + text->start, text->size, SIZE_MAX, NULL) == 0);
    assert(gb_json_member(&doc.nodes[0], "content")->count >= 1);
    gb_json_release(&doc);
    gb_buf_release(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tool_options options = {.max_output = 256, .whole_image = size % 2 == 0};
    uint8_t *line = malloc(size + 1);
    struct gb_json_doc doc = {0};

    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    if (gb_json_parse(&doc, line, size, 4096, NULL) == 0) {
        for (size_t i = 0; i < tools_count(); i++) {
            const struct content_error error = {"busy", "a sentence", i % 2 == 0, true};
            struct gb_buf text = {0};
            struct gb_json_out out = {.buf = &text};

            gb_json_object(&out, NULL);
            if (tools[i].answer == ANSWER_TRIED) {
                const struct gb_json *const results[] = {&doc.nodes[0], &doc.nodes[0]};
                const bool failed[] = {false, true};

                content_write_tries(&out, REVISION_2025_11_25, &tools[i], &options, results, failed,
                                    2);
            } else {
                content_write(&out, REVISION_2025_11_25, &tools[i], &options, &doc.nodes[0]);
            }
            gb_json_end(&out);
            check(&text);
            out = (struct gb_json_out){.buf = &text};
            gb_json_object(&out, NULL);
            content_write_error(&out, REVISION_2024_11_05, &tools[i], &options, &error,
                                &doc.nodes[0]);
            gb_json_end(&out);
            check(&text);
        }
    }
    gb_json_release(&doc);
    free(line);
    return 0;
}
