/* SPDX-License-Identifier: Apache-2.0 */
/* What the formats share. */
#pragma once

#include "document/document.h"

/* The bytes of a stream ("stdout") or of a display, whatever they are encoded in. */
void cell_stream(struct gb_buf *to, const struct gb_json *cell, const char *name);
void display_bytes(struct gb_buf *to, const struct gb_json *display);
/* The size of what is displayed, whether its bytes are there or not. */
double display_size(const struct gb_json *display);
/* As a terminal may show it, with its colours or without. */
void add_shown(struct gb_buf *to, struct gb_bytes text);
void add_plain(struct gb_buf *to, struct gb_bytes text);
/* A line of somebody's code in a comment of ours: nothing of it is hidden, all else is as it was.
 */
void add_code_line(struct gb_buf *to, struct gb_bytes line);
/* Python, as the same program: in comments and plain strings what hides something is written as
 * Python itself writes it. False when such characters are left, where no other spelling means the
 * same (raw strings, f-strings, outside of all). */
bool add_python(struct gb_buf *to, struct gb_bytes code);
/* Takes the colours out of what was shown. */
void add_without_colours(struct gb_buf *to, struct gb_bytes shown);
/* Ends the last line, unless it is ended but for the end of a colour. */
void end_line(struct gb_buf *text);
/* "12 ms", "1.20 s" */
void add_duration(struct gb_buf *to, double ms);

/* "exit code 1, timed out": how a cell ended when it did not end well; empty when it did. */
void cell_trouble(struct gb_buf *to, const struct gb_json *cell);
bool is_text_type(struct gb_bytes mime);
/* And has a name that can stand anywhere. */
bool is_image_type(struct gb_bytes mime);
/* A point in time or a duration in seconds or milliseconds; 0 for what cannot be one. */
double time_of(const struct gb_json *object, const char *name);
/* "kernel", "process" or "shell". */
struct gb_bytes cell_mode(const struct gb_json *cell);
bool cell_is_shell(const struct gb_json *cell);
/* The language of the cell's code: that of its session, or shell. */
const char *cell_language(const struct document *document, const struct gb_json *cell);
uint32_t list_count(const struct gb_json *list);

void ipynb_begin(struct document *document, const struct gb_json *session);
void ipynb_cell(struct document *document, const struct gb_json *cell);
void ipynb_end(struct document *document);
void py_begin(struct document *document, const struct gb_json *session);
void py_cell(struct document *document, const struct gb_json *cell);
void md_begin(struct document *document, const struct gb_json *session);
void md_cell(struct document *document, const struct gb_json *cell);
void cast_cell(struct document *document, const struct gb_json *cell);
void cast_end(struct document *document);
