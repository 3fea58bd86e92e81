/* SPDX-License-Identifier: Apache-2.0 */
#include "model/entry.h"

#include "base/limits.h"

/* clang-format off */
#define ENTRY(field_, ...) GB_MEMBER(struct gb_entry_info, field_, __VA_ARGS__)
static const struct gb_member entry_members[] = {
    ENTRY(name, "name", GB_BYTES, GB_ALWAYS, .base64 = GB_ENTRY_BASE64, .max = GB_PATH_MAX,
          .doc = "in its folder"),
    ENTRY(type, "type", GB_WORD, GB_ALWAYS, .words = &gb_entry_type_words, .doc = "what it is"),
    ENTRY(size, "size", GB_U64, GB_ALWAYS,
          .doc = "apparent size: the bytes that a reader gets, including the holes of a sparse "
                 "file"),
    ENTRY(allocated, "allocated", GB_U64, GB_ALWAYS, .doc = "size on disk"),
    ENTRY(mtime_ns, "mtime", GB_SECONDS, GB_ALWAYS, .doc = "when it was last changed"),
    ENTRY(mode, "mode", GB_U32, GB_ALWAYS, .max = 07777, .doc = "permission bits: 420 is 0644"),
};
/* clang-format on */

const struct gb_object gb_entry_object = {
    GB_OBJECT_TABLE("entry", struct gb_entry_info, entry_members), .has_section = true};
