/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/notebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rpc/json.h"

static struct gb_bytes notebook_text_of(const struct gb_json *object, const char *key)
{
    const struct gb_json *value = object == NULL ? NULL : gb_json_member(object, key);

    return value != NULL && value->type == GB_JSON_STRING ? value->text : gb_bytes_str("");
}

/* The kernel's language, else that in the language_info of the file, else the kernel's name. */
static char *notebook_language_of(const struct gb_json *notebook)
{
    const struct gb_json *metadata = gb_json_member(notebook, "metadata");
    const struct gb_json *kernel = NULL, *info = NULL;
    struct gb_bytes name;

    if (metadata != NULL) {
        kernel = gb_json_member(metadata, "kernelspec");
        info = gb_json_member(metadata, "language_info");
    }
    name = notebook_text_of(kernel, "language");
    if (name.size == 0)
        name = notebook_text_of(info, "name");
    if (name.size == 0)
        name = notebook_text_of(kernel, "name");
    return xstrndup((const char *)name.data, name.size);
}

/* A source is a string or an array of lines. False: neither, or too large. */
static bool notebook_add_source(struct gb_buf *code, const struct gb_json *source)
{
    const struct gb_json *line;

    if (source == NULL)
        return false;
    if (source->type == GB_JSON_STRING)
        return gb_buf_try_add(code, source->text.data, source->text.size, GB_CODE_MAX);
    if (source->type != GB_JSON_ARRAY)
        return false;
    line = gb_json_first(source);
    for (uint32_t i = 0; i < source->count; i++, line = gb_json_next(line))
        if (line->type != GB_JSON_STRING ||
            !gb_buf_try_add(code, line->text.data, line->text.size, GB_CODE_MAX))
            return false;
    return true;
}

static bool notebook_is_blank(const struct gb_buf *code)
{
    const uint8_t *data = gb_buf_data(code);

    for (size_t i = 0; i < code->size; i++)
        if (data[i] != ' ' && (data[i] < '\t' || data[i] > '\r'))
            return false;
    return true;
}

static int notebook_read_cells(const struct gb_json *cells, struct notebook *notebook,
                               struct gb_err *err)
{
    const struct gb_json *cell = gb_json_first(cells);

    if (cells->count > NOTEBOOK_CELLS_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "a notebook may have %d cells", NOTEBOOK_CELLS_MAX);
    notebook->cells = xcalloc((size_t)cells->count + 1, sizeof(*notebook->cells));
    for (uint32_t i = 0; i < cells->count; i++, cell = gb_json_next(cell)) {
        struct gb_buf *code = &notebook->cells[notebook->count];

        if (!gb_bytes_equal(notebook_text_of(cell, "cell_type"), "code"))
            continue;
        if (!notebook_add_source(code, gb_json_member(cell, "source"))) {
            notebook->count++;
            return gb_err_set(err, GB_EINVALID,
                              "cell %u of the notebook has no source that can be run", i + 1);
        }
        if (notebook_is_blank(code))
            gb_buf_release(code);
        else
            notebook->count++;
    }
    return 0;
}

int notebook_read(uint8_t *text, size_t size, struct notebook *ret_notebook, struct gb_err *err)
{
    struct notebook notebook = {0};
    struct gb_json_doc doc = {0};
    const struct gb_json *format, *cells;
    int64_t version = 0;
    int r = gb_json_parse(&doc, text, size, NOTEBOOK_VALUES_MAX, err);

    if (r < 0) {
        gb_json_release(&doc);
        return gb_err_wrap(err, r, "it is not a notebook");
    }
    format = gb_json_member(doc.nodes, "nbformat");
    cells = gb_json_member(doc.nodes, "cells");
    if (format == NULL || format->type != GB_JSON_NUMBER || !gb_json_integer(format, &version))
        r = gb_err_set(err, GB_EINVALID, "it is not a notebook: it does not name its format");
    else if (version != 4)
        r = gb_err_set(err, GB_EINVALID,
                       "it is a notebook of format %lld, and only format 4 is supported: `jupyter "
                       "nbconvert --to notebook` converts it",
                       (long long)version);
    else if (cells == NULL || cells->type != GB_JSON_ARRAY)
        r = gb_err_set(err, GB_EINVALID, "it is not a notebook: it has no cells");
    else
        r = notebook_read_cells(cells, &notebook, err);
    if (r == 0) {
        notebook.language = notebook_language_of(doc.nodes);
        *ret_notebook = notebook;
    } else {
        notebook_release(&notebook);
    }
    gb_json_release(&doc);
    return r;
}

void notebook_release(struct notebook *notebook)
{
    for (size_t i = 0; i < notebook->count; i++)
        gb_buf_release(&notebook->cells[i]);
    free(notebook->cells);
    free(notebook->language);
    *notebook = (struct notebook){0};
}
