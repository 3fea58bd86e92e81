/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats share. */
#pragma once

#include "document/document.h"

/* A line of somebody's code in a comment of ours: nothing of it is hidden, all else is as it was.
 */
void add_code_line(struct gb_buf *to, struct gb_bytes line);
/* Python, as the same program: in comments and plain strings what hides something is written as
 * Python itself writes it. False when such characters are left, where no other spelling means the
 * same (raw strings, f-strings, outside of all). */
bool add_python(struct gb_buf *to, struct gb_bytes code);
/* Ends the last line, unless it is ended but for the end of a colour. */
void end_line(struct gb_buf *text);
bool is_text_type(struct gb_bytes mime);
/* And has a name that can stand anywhere. */
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
void cast_cell(struct document *document, const struct gb_cell_info *cell);
void cast_end(struct document *document);
