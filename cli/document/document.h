/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a session as a document: a notebook, a script, Markdown, a recording for a terminal,
 * or JSON. Pure: text is added to a buffer, which the caller may empty between calls, so that a
 * long history never has to be in memory.
 *
 * Cells and sessions are as the socket gives them (docs/protocol.md); what is missing in one is
 * left out of the document. What a guest printed goes as it is into formats whose reader deals with
 * it (notebook, JSON), and as a terminal may show it (show/filter.h) into those that end up on one.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "language/language.h"
#include "model/cell.h"
#include "rpc/json.h"

enum document_format {
    DOCUMENT_IPYNB,
    DOCUMENT_PY,
    DOCUMENT_MD,
    DOCUMENT_ASCIICAST,
    DOCUMENT_JSON,
    DOCUMENT_FORMAT_COUNT
};

/* DOCUMENT_FORMAT_COUNT when there is none of that name. */
enum document_format document_find(const char *name);
/* How files of that format end: "ipynb", …, "cast", "json". */
const char *document_ending(enum document_format format);
/* Whether the format is source text, which is of one language, and not one that suits all; and that
 * language: the one whose files end so. NULL: none does. */
bool document_is_source(enum document_format format);
const struct gb_language *document_language_of(enum document_format format,
                                               const struct gb_languages *languages);
/* "ipynb, py, …" */
extern const char document_names[];

struct document {
    enum document_format format;
    struct gb_buf *out;
    struct gb_json_out json;
    const struct gb_languages *languages;
    char language[GB_LANGUAGE_NAME_MAX + 1], title[300];
    bool begun;   /* something of it was written */
    double epoch; /* asciicast: Unix seconds at which it begins */
    double last;  /* asciicast: time of the last event */
    double created_at;
};

/* @session may lack anything, or be NULL; @languages may be NULL, too, and should have that of the
 * session. Borrows @out and @languages until the end. */
void document_begin(struct document *document, enum document_format format, struct gb_buf *out,
                    const struct gb_json *session, const struct gb_languages *languages);
/* @json is what @cell was read from. */
void document_cell(struct document *document, const struct gb_cell_info *cell,
                   const struct gb_json *json);
void document_end(struct document *document);
