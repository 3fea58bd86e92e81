/* SPDX-License-Identifier: Apache-2.0 */
#include "model/layer.h"

#include "base/limits.h"

/* clang-format off */
#define LAYER(field_, ...) GB_MEMBER(struct gb_layer_info, field_, __VA_ARGS__)
static const struct gb_member layer_members[] = {
    LAYER(key, "name", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "what `packages.remove` takes"),
    LAYER(image, "image", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "for which they are"),
    LAYER(packages, "packages", GB_TEXT, GB_ALWAYS, .max = GB_PACKAGES_LOCK_MAX,
          .doc = "what was asked for, a line each"),
    LAYER(contents, "contents", GB_TEXT, GB_ALWAYS, .max = GB_PACKAGES_LOCK_MAX,
          .doc = "what there is, as `packages` of a session tells it"),
    LAYER(digest, "digest", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "SHA-256 of the file"),
    LAYER(bytes, "bytes", GB_U64, GB_ALWAYS, .doc = "that it takes on the disk"),
    LAYER(used_at_s, "used_at", GB_U64, GB_ALWAYS, .doc = "when a session was last opened with them, in seconds"),
};
#define LAYERS(field_, ...) GB_MEMBER(struct gb_layers_info, field_, __VA_ARGS__)
static const struct gb_member layers_members[] = {
    LAYERS(layers, "layers", GB_LIST, GB_ALWAYS, .object = &gb_layer_object, .doc = "by name"),
    LAYERS(flags, "more", GB_BOOL, GB_ALWAYS, .bit = GB_LAYERS_MORE,
           .doc = "there are more: ask again with `after`"),
};
/* clang-format on */

const struct gb_object gb_layer_object = {
    GB_OBJECT_TABLE("layer", struct gb_layer_info, layer_members)};
const struct gb_object gb_layers_object = {
    GB_OBJECT_TABLE("layers", struct gb_layers_info, layers_members)};
