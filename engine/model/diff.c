/* SPDX-License-Identifier: Apache-2.0 */
#include "model/diff.h"

#include "base/limits.h"

/* clang-format off */
#define VALUE(field_, ...) GB_MEMBER(struct gb_diff_value, field_, __VA_ARGS__)
static const struct gb_member value_members[] = {
    VALUE(type, "type", GB_TEXT, GB_ALWAYS, .doc = "its type"),
    VALUE(repr, "repr", GB_TEXT, GB_ALWAYS,
          .doc = "its value as the language writes it; a digest stands for what is left out of a "
                 "long one"),
};

#define OUTPUT(field_, ...) GB_MEMBER(struct gb_diff_output, field_, __VA_ARGS__)
static const struct gb_member output_members[] = {
    OUTPUT(flags, "ok", GB_BOOL, GB_ALWAYS, .bit = GB_DIFF_OUTPUT_OK,
           .doc = "whether it ended well"),
    OUTPUT(out, "stdout", GB_TEXT, GB_ALWAYS, .doc = "the first 1,000 bytes"),
    OUTPUT(err, "stderr", GB_TEXT, GB_ALWAYS, .doc = "the first 1,000 bytes"),
    OUTPUT(value, "value", GB_TEXT, GB_NULLABLE, .doc = "the first 1,000 bytes"),
};

#define VARIABLE(field_, ...) GB_MEMBER(struct gb_diff_variable, field_, __VA_ARGS__)
static const struct gb_member variable_members[] = {
    VARIABLE(name, "name", GB_TEXT, GB_ALWAYS, .doc = "its name"),
    VARIABLE(change, "change", GB_WORD, GB_ALWAYS, .words = &gb_change_words,
             .doc = "what is different at the second moment"),
    VARIABLE(before, "before", GB_OBJECT, GB_OPTIONAL, .bit = GB_DIFF_HAS_BEFORE,
             .object = &gb_diff_value_object, .doc = "at the first moment; absent: added"),
    VARIABLE(after, "after", GB_OBJECT, GB_OPTIONAL, .bit = GB_DIFF_HAS_AFTER,
             .object = &gb_diff_value_object, .doc = "at the second; absent: removed"),
};

#define FILE_(field_, ...) GB_MEMBER(struct gb_diff_file, field_, __VA_ARGS__)
static const struct gb_member file_members[] = {
    FILE_(path, "path", GB_BYTES, GB_ALWAYS, .base64 = GB_DIFF_PATH_BASE64,
          .doc = "below the home"),
    FILE_(change, "change", GB_WORD, GB_ALWAYS, .words = &gb_change_words,
          .doc = "what is different at the second moment"),
};

#define CELL(field_, ...) GB_MEMBER(struct gb_diff_cell, field_, __VA_ARGS__)
static const struct gb_member cell_members[] = {
    CELL(cell, "cell", GB_U32, GB_ALWAYS, .doc = "its number"),
    CELL(change, "change", GB_WORD, GB_ALWAYS, .words = &gb_change_words,
         .doc = "`removed`, `added`: it led to the first, or the second moment only; `changed`: one "
                "with this number led to each, in two sessions, with different output"),
    CELL(before, "before", GB_OBJECT, GB_OPTIONAL, .bit = GB_DIFF_HAS_BEFORE,
         .object = &gb_diff_output_object, .doc = "of the first moment"),
    CELL(after, "after", GB_OBJECT, GB_OPTIONAL, .bit = GB_DIFF_HAS_AFTER,
         .object = &gb_diff_output_object, .doc = "of the second"),
};

#define MOMENT(field_, ...) GB_MEMBER(struct gb_diff_moment, field_, __VA_ARGS__)
static const struct gb_member moment_members[] = {
    MOMENT(session, "session", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its id"),
    MOMENT(language, "language", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its language"),
    MOMENT(seq, "seq", GB_U64, GB_ALWAYS, .doc = "its checkpoint"),
    MOMENT(cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell that had ended by then"),
};

#define DIFF(field_, ...) GB_MEMBER(struct gb_diff_info, field_, __VA_ARGS__)
static const struct gb_member diff_members[] = {
    DIFF(before, "before", GB_OBJECT, GB_ALWAYS, .object = &gb_diff_moment_object,
         .doc = "the first moment"),
    DIFF(after, "after", GB_OBJECT, GB_ALWAYS, .object = &gb_diff_moment_object,
         .doc = "the second"),
    DIFF(variables, "variables", GB_LIST, GB_NULLABLE, .bit = GB_DIFF_HAS_VARIABLES,
         .object = &gb_diff_variable_object, .max = GB_DIFF_CHANGES_MAX,
         .doc = "by name; null: they were not compared, see `remarks`"),
    DIFF(files, "files", GB_LIST, GB_NULLABLE, .bit = GB_DIFF_HAS_FILES,
         .object = &gb_diff_file_object, .max = GB_DIFF_CHANGES_MAX,
         .doc = "regular files of the home by path, compared by their content; null: likewise"),
    DIFF(cells, "cells", GB_LIST, GB_NULLABLE, .bit = GB_DIFF_HAS_CELLS,
         .object = &gb_diff_cell_object, .max = GB_DIFF_CELLS_MAX,
         .doc = "by number: the cells with output, a value or a failure that led to one of the "
                "moments and not to the other; null: likewise"),
    DIFF(flags, "complete", GB_BOOL, GB_ALWAYS, .bit = GB_DIFF_COMPLETE,
         .doc = "nothing was left out: without a difference above, there is none"),
    DIFF(remarks, "remarks", GB_NAMES, GB_ALWAYS, .max = GB_DIFF_REMARKS_MAX,
         .doc = "what was left out, and why; sentences"),
    DIFF(took_us, "took_us", GB_U64, GB_ALWAYS, .doc = "how long it took"),
};

const struct gb_object
    gb_diff_value_object = {
        GB_OBJECT_TABLE("diff_value", struct gb_diff_value, value_members)},
    gb_diff_output_object = {
        GB_OBJECT_TABLE("diff_output", struct gb_diff_output, output_members)},
    gb_diff_variable_object = {
        GB_OBJECT_TABLE("diff_variable", struct gb_diff_variable, variable_members)},
    gb_diff_file_object = {GB_OBJECT_TABLE("diff_file", struct gb_diff_file, file_members)},
    gb_diff_cell_object = {GB_OBJECT_TABLE("diff_cell", struct gb_diff_cell, cell_members)},
    gb_diff_moment_object = {
        GB_OBJECT_TABLE("diff_moment", struct gb_diff_moment, moment_members)},
    gb_diff_object = {GB_OBJECT_TABLE("diff", struct gb_diff_info, diff_members)};
/* clang-format on */
