/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the guest. */
#include "model/answer.h"
#include "model/entry.h"
#include "rows.h"

/* clang-format off */
#define PATH(need)                                                                                 \
    TEXT("path", path, need, GB_PATH_MAX, "relative to the home `/home/user`; this or "            \
         "`path_base64`"),                                                                         \
    BYTES_OF("path_base64", path, GB_PATH_MAX, "a path that need not be UTF-8; this or `path`")

static const struct gb_param write_params[] = {
    SESSION, PATH(REQUIRED),
    TEXT("text", text, REQUIRED, GB_LINE_MAX, "the bytes; this or `base64`"),
    BASE64("the bytes; this or `text`"),
    INTEGER("offset", offset, 0, OFFSET_MAX, 0,
            "the offset of these bytes: 0 begins an upload, and each further piece begins "
            "where the last one ended"),
    BOOL("final", final, 1, "the last piece: the complete file appears"),
    INTEGER("mode", permissions, 0, 0777, 0, "permission bits; default 420 (0644)"),
};
static const struct gb_param read_params[] = {
    SESSION, PATH(REQUIRED),
    INTEGER("offset", offset, 0, OFFSET_MAX, 0, "where to begin"),
    INTEGER("length", length, 1, GB_READ_MAX, GB_READ_DEFAULT, "at most this many bytes"),
};
static const struct gb_param file_list_params[] = {
    SESSION, PATH(0),
    TEXT("after", after, 0, GB_FILE_NAME_MAX, "only names that sort after this one, bytewise; "
                                              "this or `next`"),
    BYTES_OF("next", after, GB_FILE_NAME_MAX, "`next` of the previous reply: continues after it"),
    INTEGER("limit", limit, 1, GB_LIST_MAX, GB_LIST_MAX, "at most this many entries"),
};
static const struct gb_param stat_params[] = {SESSION, PATH(REQUIRED)};
static const struct gb_param remove_params[] = {
    SESSION, PATH(REQUIRED),
    BOOL("recursive", recursive, 0, "removes a folder with its contents"),
};
static const struct gb_param mkdir_params[] = {
    SESSION, PATH(REQUIRED),
    BOOL("recursive", recursive, 1, "creates missing parents; no error if the folder exists"),
};

static const struct gb_method rows[] = {
    {.name = "file.write",
     .doc = "Writes a file, in one or several pieces. It appears complete, with `final`, or "
            "not at all; missing parent folders are created. An upload that is unfinished when "
            "its connection closes is dropped.",
     PARAMS(write_params), .result = &gb_written_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY)},
    {.name = "file.read",
     .doc = "Reads a piece of a file. It may return fewer bytes than `length`; only `eof` "
            "marks the end.",
     PARAMS(read_params), .result = &gb_piece_object,
     .holds = offsetof(struct gb_params, length),
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY)},
    {.name = "file.list",
     .doc = "Lists a folder; default: the home.",
     PARAMS(file_list_params), .result = &gb_listing_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY)},
    {.name = "file.stat",
     .doc = "One entry.",
     PARAMS(stat_params), .result = &gb_entry_object,
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY)},
    {.name = "file.remove",
     .doc = "Removes a file or a folder.",
     PARAMS(remove_params),
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY)},
    {.name = "file.mkdir",
     .doc = "Creates a folder.",
     PARAMS(mkdir_params),
     .errors = SESSION_ERRORS | VM_ERRORS | ERROR(POLICY)},
};
/* clang-format on */

const struct gb_method_group gb_methods_files = {rows, ARRAY_SIZE(rows)};
