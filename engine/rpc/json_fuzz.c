/* SPDX-License-Identifier: Apache-2.0 */
/* What a client's line goes through: the parser, the tables of all methods, and the writer, whose
 * text must parse again to the same. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "rpc/json.h"
#include "rpc/methods.h"

static void write_value(struct gb_json_out *out, const struct gb_json *nodes, size_t count)
{
    /* Only strings and numbers: the order of the nodes is the order of the text. */
    gb_json_array(out, NULL);
    for (size_t i = 0; i < count; i++)
        if (nodes[i].type == GB_JSON_STRING)
            gb_json_put(out, NULL, nodes[i].text);
    gb_json_end(out);
}

static void same_strings(const struct gb_json_doc *one, const struct gb_json_doc *two)
{
    size_t at = 1;

    for (size_t i = 0; i < one->count; i++) {
        if (one->nodes[i].type != GB_JSON_STRING)
            continue;
        assert(at < two->count && two->nodes[at].text.size == one->nodes[i].text.size);
        assert(memcmp(two->nodes[at].text.data, one->nodes[i].text.data, one->nodes[i].text.size) ==
               0);
        at++;
    }
    assert(at == two->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_json_doc doc = {0}, again = {0};
    uint8_t *line = malloc(size + 1);
    struct gb_err err = {0};
    struct gb_buf text = {0};

    if (line == NULL)
        return 0;
    memcpy(line, data, size);
    if (gb_json_parse(&doc, line, size, GB_REQUEST_NODES_MAX, &err) == 0) {
        struct gb_json_out out = {.buf = &text};
        const struct gb_json *params = gb_json_member(doc.nodes, "params");
        struct gb_params read;

        assert(doc.nodes[0].span == doc.count);
        write_value(&out, doc.nodes, doc.count);
        assert(gb_json_parse(&again, text.memory + text.start, text.size, SIZE_MAX, &err) == 0);
        same_strings(&doc, &again);
        const struct gb_method *method;

        for (size_t i = 0; (method = gb_method_at(i)) != NULL; i++)
            (void)gb_params_read(method, params, &read, &err);
    } else {
        assert(err.message[0] != '\0');
    }
    gb_json_release(&doc);
    gb_json_release(&again);
    gb_buf_release(&text);
    free(line);
    return 0;
}
