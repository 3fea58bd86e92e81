/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the formats. */
#pragma once

#include "document/document.h"

/* Adds a line of code to a comment of ours: hidden characters are escaped, everything else is
 * copied. */
void add_code_line(struct gb_buf *to, struct gb_bytes line);
/* Adds Python code as an equivalent program: in comments and plain strings, hidden characters are
 * replaced by Python's own escapes. False if some remain where no equivalent spelling exists (raw
 * strings, f-strings, outside strings). */
bool add_python(struct gb_buf *to, struct gb_bytes code);
/* Ends the last line, unless it is ended already or only lacks a colour reset. */
void end_line(struct gb_buf *text);
bool is_text_type(struct gb_bytes mime);
/* Whether it is an image type, with a name that is safe anywhere. */
bool is_image_type(struct gb_bytes mime);
/* The language of the session, and of a cell's code. Never NULL. */
const struct gb_language *document_language(const struct document *document);
const struct gb_language *document_cell_language(const struct document *document,
                                                 const struct gb_cell_info *cell);

void ipynb_begin(struct document *document, const struct gb_json *session);
void ipynb_cell(struct document *document, const struct gb_cell_info *cell,
                const struct gb_json *json);
void ipynb_end(struct document *document);
void py_begin(struct document *document, const struct gb_json *session);
void py_cell(struct document *document, const struct gb_cell_info *cell);
void md_begin(struct document *document, const struct gb_json *session);
void md_cell(struct document *document, const struct gb_cell_info *cell);
void md_network(struct document *document, const struct gb_network_record *record);
void cast_cell(struct document *document, const struct gb_cell_info *cell);
void cast_end(struct document *document);
void ocsf_network(struct document *document, const struct gb_network_record *record);
