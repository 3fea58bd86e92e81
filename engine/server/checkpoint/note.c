/* SPDX-License-Identifier: Apache-2.0 */
#include "server/checkpoint/note.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rpc/object.h"

enum {
    NOTE_NODES_MAX = 200000,
    NOTE_RULES_MAX = 1024 * 1024,
    NOTE_SECRETS_MAX = 4096,
    NOTE_POLICIES = GB_SETTINGS_CHECKPOINTS_CELL + 1,
};

const char *const note_policies[] = {
    [GB_SETTINGS_CHECKPOINTS_OFF] = "off",
    [GB_SETTINGS_CHECKPOINTS_ASKED] = "asked",
    [GB_SETTINGS_CHECKPOINTS_IDLE] = "idle",
    [GB_SETTINGS_CHECKPOINTS_CELL] = "cell",
};
static_assert(ARRAY_SIZE(note_policies) == NOTE_POLICIES, "a word for each policy");

/* clang-format off */
#define LIFE(field_, ...) GB_MEMBER(struct note_life, field_, __VA_ARGS__)
static const struct gb_member life_members[] = {
    LIFE(from_epoch, "from_epoch", GB_U64, GB_ALWAYS),
    LIFE(from_cell, "from_cell", GB_U32, GB_ALWAYS),
    LIFE(cells_before, "cells_before", GB_U32, GB_ALWAYS),
};
static const struct gb_object life_object = {GB_OBJECT_TABLE("life", struct note_life, life_members)};

#define NAME(field_, ...) GB_MEMBER(struct note_name, field_, __VA_ARGS__)
static const struct gb_member name_members[] = {
    NAME(seq, "seq", GB_U64, GB_ALWAYS),
    NAME(name, "name", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX),
};
static const struct gb_object name_object = {GB_OBJECT_TABLE("name", struct note_name, name_members)};

#define SETTING(field_, ...) GB_MEMBER(struct note_setting, field_, __VA_ARGS__)
static const struct gb_member setting_members[] = {
    SETTING(name, "name", GB_TEXT, GB_ALWAYS),
    SETTING(value, "value", GB_TEXT, GB_ALWAYS),
};
static const struct gb_object setting_object = {GB_OBJECT_TABLE("setting", struct note_setting, setting_members)};

#define NOTE(field_, ...) GB_MEMBER(struct note, field_, __VA_ARGS__)
#define TEXT(field_) NOTE(field_, #field_, GB_TEXT, GB_NULLABLE, .max = GB_NAME_MAX)
static const struct gb_member note_members[] = {
    NOTE(version, "version", GB_U32, GB_ALWAYS),
    TEXT(id), TEXT(image), TEXT(key), TEXT(label), TEXT(owner), TEXT(client), TEXT(origin),
    NOTE(template, "template", GB_TEXT, GB_NULLABLE, .max = 64 * 1024),
    NOTE(packages, "packages", GB_TEXT, GB_OPTIONAL, .max = GB_PACKAGES_LOCK_MAX),
    NOTE(layer, "layer", GB_TEXT, GB_OPTIONAL, .max = GB_NAME_MAX),
    NOTE(checkpoints, "checkpoints", GB_TEXT, GB_OPTIONAL, .max = 16),
    NOTE(network, "network", GB_TEXT, GB_OPTIONAL, .max = GB_SETTINGS_NAME_MAX),
    NOTE(policy, "policy", GB_TEXT, GB_OPTIONAL, .max = GB_SETTINGS_NAME_MAX),
    NOTE(rules, "rules", GB_TEXT, GB_OPTIONAL, .max = NOTE_RULES_MAX),
    NOTE(secrets, "secrets", GB_TEXT, GB_OPTIONAL, .max = NOTE_SECRETS_MAX),
    NOTE(origin_checkpoint, "origin_checkpoint", GB_U64, GB_ALWAYS),
    NOTE(origin_cell, "origin_cell", GB_U32, GB_ALWAYS),
    NOTE(epoch, "epoch", GB_U64, GB_ALWAYS),
    NOTE(here, "here", GB_U64, GB_ALWAYS),
    NOTE(idle_ms, "idle_ms", GB_U64, GB_ALWAYS),
    NOTE(lifetime_ms, "lifetime_ms", GB_U64, GB_ALWAYS),
    NOTE(created_at_ns, "created_at", GB_SECONDS, GB_ALWAYS),
    NOTE(slept_at_ns, "slept_at", GB_SECONDS, GB_ALWAYS),
    NOTE(memory_mb, "memory_mb", GB_U32, GB_ALWAYS, .max = GB_MEMORY_MAX_MB),
    NOTE(timeout_ms, "timeout_ms", GB_U32, GB_ALWAYS, .max = GB_TIMEOUT_MAX_MS),
    NOTE(cells, "cells", GB_U32, GB_ALWAYS),
    NOTE(incarnation, "incarnation", GB_U32, GB_ALWAYS),
    NOTE(incarnation_before, "incarnation_before", GB_U32, GB_ALWAYS),
    NOTE(lives, "lives", GB_LIST, GB_ALWAYS, .object = &life_object, .max = NOTE_LIVES_MAX),
    NOTE(names, "names", GB_LIST, GB_ALWAYS, .object = &name_object, .max = NOTE_NAMES_MAX),
    NOTE(env, "env", GB_LIST, GB_ALWAYS, .object = &setting_object, .max = NOTE_ENV_MAX),
};
/* clang-format on */
static const struct gb_object note_object = {GB_OBJECT_TABLE("note", struct note, note_members)};

void note_write(struct gb_buf *text, const struct note *note)
{
    struct gb_json_out out = {.buf = text};

    gb_json_object(&out, NULL);
    gb_object_write(&out, &note_object, note);
    gb_json_end(&out);
    gb_buf_adds(text, "\n");
}

bool note_find_policy(const struct note *note, enum gb_settings_checkpoints *ret_policy)
{
    for (size_t i = 0; i < ARRAY_SIZE(note_policies); i++) {
        if (!gb_bytes_equal(note->checkpoints, note_policies[i]))
            continue;
        *ret_policy = (enum gb_settings_checkpoints)i;
        return true;
    }
    return false;
}

int note_read(struct gb_json_doc *doc, struct gb_buf *text, struct note *ret_note,
              struct gb_err *err)
{
    enum gb_settings_checkpoints policy;
    int r = gb_json_parse(doc, text->memory + text->start, text->size, NOTE_NODES_MAX, err);

    if (r == 0)
        r = gb_object_read(&note_object, doc->nodes, ret_note, err);
    if (r < 0 || (ret_note->checkpoints.data != NULL && !note_find_policy(ret_note, &policy)))
        return gb_err_set(err, GB_EINVALID, "its note is damaged");
    if (ret_note->version != NOTE_VERSION)
        return gb_err_set(err, GB_EINVALID, "its note has version %u, and this server knows %d",
                          ret_note->version, (int)NOTE_VERSION);
    if (ret_note->id.data == NULL || ret_note->image.data == NULL ||
        ret_note->template.data == NULL || ret_note->here == 0 || ret_note->epoch == 0 ||
        ret_note->incarnation == 0 || ret_note->memory_mb < GB_MEMORY_MIN_MB)
        return gb_err_set(err, GB_EINVALID, "its note is incomplete");
    return 0;
}

int note_next_life(const struct note *note, size_t *at, struct note_life *ret_life)
{
    return gb_items_next(&life_object, &note->lives, at, ret_life);
}

int note_next_setting(const struct note *note, size_t *at, struct note_setting *ret_setting)
{
    return gb_items_next(&setting_object, &note->env, at, ret_setting);
}

int note_next_name(const struct note *note, size_t *at, struct note_name *ret_name)
{
    return gb_items_next(&name_object, &note->names, at, ret_name);
}
