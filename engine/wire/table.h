/* SPDX-License-Identifier: Apache-2.0 */
/* Macros for the tables of messages; only for files that define such tables, not for headers. */
#pragma once

#include "base/mem.h"
#include "wire/fields.h"

/* clang-format off */
#define FIELD(type, field_type, member)                                                            \
    { #member, field_type, offsetof(struct type, member), 0, 0 }
#define U8(type, member) FIELD(type, GB_FIELD_U8, member)
/* A U8 with values below @count: of an enumeration, or 2 for yes and no. */
#define CHOICE(type, member, count)                                                                \
    { #member, GB_FIELD_U8, offsetof(struct type, member), (count) - 1, 0 }
#define U32(type, member) FIELD(type, GB_FIELD_U32, member)
#define U64(type, member) FIELD(type, GB_FIELD_U64, member)
#define I64(type, member) FIELD(type, GB_FIELD_I64, member)
#define BYTES(type, member, limit)                                                                 \
    { #member, GB_FIELD_BYTES, offsetof(struct type, member), limit, 0 }
#define PAIRS(type, member, limit, item)                                                           \
    { #member, GB_FIELD_PAIRS, offsetof(struct type, member), limit, item }
/* clang-format on */

/* Defines @table, the fields of message @title. STATIC_TABLE: local to the file. */
#define TABLE(table, title, ...)                                                                   \
    static const struct gb_field table##_list[] = {__VA_ARGS__};                                   \
    const struct gb_fields table = {title, table##_list, ARRAY_SIZE(table##_list)}
#define STATIC_TABLE(table, title, ...)                                                            \
    static const struct gb_field table##_list[] = {__VA_ARGS__};                                   \
    static const struct gb_fields table = {title, table##_list, ARRAY_SIZE(table##_list)}
