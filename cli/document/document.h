/* SPDX-License-Identifier: Apache-2.0 */
/* Exports the cells of a session as a document: a notebook, a script, Markdown, a terminal
 * recording, or JSON; or its connections as events (OCSF). Pure: text is appended to a buffer,
 * which the caller may drain between calls, so that a long history is never in memory as a whole.
 *
 * Cells and sessions come from the socket (docs/protocol.md); what they lack is left out of the
 * document. A guest's output is copied verbatim into formats whose readers handle it safely
 * (notebook, JSON), and filtered for terminals (show/filter.h) in those that end up on one.
 */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "language/language.h"
#include "model/cell.h"
#include "model/network.h"
#include "rpc/json.h"

enum document_format {
    DOCUMENT_IPYNB,
    DOCUMENT_PY,
    DOCUMENT_MD,
    DOCUMENT_ASCIICAST,
    DOCUMENT_JSON,
    DOCUMENT_OCSF,
    DOCUMENT_FORMAT_COUNT
};

/* DOCUMENT_FORMAT_COUNT if there is no such format. */
enum document_format document_find(const char *name);
/* As the path ends; DOCUMENT_FORMAT_COUNT if that says nothing. */
enum document_format document_of_file(const char *path);
/* Whether documents of the format have records of the network; or nothing else. */
bool document_has_network(enum document_format format);
bool document_has_cells(enum document_format format);
/* The file name extension of a format: "ipynb", …, "cast", "json". */
const char *document_ending(enum document_format format);
/* Whether the format is source code in one language rather than a format for all; and that
 * language: the one whose file name extension it is. NULL: none. */
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
    char language[GB_LANGUAGE_NAME_MAX + 1], title[300], session[64];
    bool begun;     /* something has been written */
    bool networked; /* a record of the network has */
    double epoch;   /* asciicast: Unix time of its start */
    double last;    /* asciicast: time of the last event */
    double created_at;
};

/* @session may be incomplete or NULL; @languages may be NULL, and should contain the session's
 * language. Borrows @out and @languages until the end. */
void document_begin(struct document *document, enum document_format format, struct gb_buf *out,
                    const struct gb_json *session, const struct gb_languages *languages);
/* @json is the value that @cell was read from. */
void document_cell(struct document *document, const struct gb_cell_info *cell,
                   const struct gb_json *json);
/* A connection, or a decision about the network: after all cells. Only some formats have
 * them. */
void document_network(struct document *document, const struct gb_network_record *record,
                      const struct gb_json *json);
void document_end(struct document *document);
