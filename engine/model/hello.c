/* SPDX-License-Identifier: Apache-2.0 */
#include "model/hello.h"

#include <assert.h>

#include "base/limits.h"

enum { IMAGES_MAX = 1024, ALIASES_MAX = 64, PACKAGES_MAX = 4096, STAGES_MAX = 32 };

/* clang-format off */
#define PACKAGE(field_, ...) GB_MEMBER(struct gb_package_info, field_, __VA_ARGS__)
static const struct gb_member package_members[] = {
    PACKAGE(name, "name", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its name"),
    PACKAGE(version, "version", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its version"),
};
static const struct gb_object package_object = {
    GB_OBJECT_TABLE("package", struct gb_package_info, package_members)};

#define IMAGE(field_, ...) GB_MEMBER(struct gb_image_info, field_, __VA_ARGS__)
static const struct gb_member image_members[] = {
    IMAGE(name, "name", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its name"),
    IMAGE(language, "language", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "of its worker"),
    IMAGE(aliases, "aliases", GB_NAMES, GB_ALWAYS, .max = ALIASES_MAX, .doc = "its other names"),
    IMAGE(memory_mb, "memory_mb", GB_U32, GB_ALWAYS, .doc = "default RAM of its VMs"),
    IMAGE(packages, "packages", GB_LIST, GB_ALWAYS, .object = &package_object, .max = PACKAGES_MAX,
          .doc = "what is installed, for people"),
};

#define STAGE(field_, ...) GB_MEMBER(struct gb_stage_info, field_, __VA_ARGS__)
static const struct gb_member stage_members[] = {
    STAGE(stage, "stage", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its name"),
    STAGE(why, "why", GB_TEXT, GB_ALWAYS, .doc = "a sentence"),
};

#define HELLO(field_, ...) GB_MEMBER(struct gb_hello_info, field_, __VA_ARGS__)
static const struct gb_member guard_members[] = {
    HELLO(applied, "applied", GB_NAMES, GB_ALWAYS, .max = STAGES_MAX, .doc = "names of stages"),
    HELLO(missing, "missing", GB_LIST, GB_ALWAYS, .object = &gb_stage_object, .max = STAGES_MAX,
          .doc = "stages that do not work on this host"),
};
static const struct gb_object guard_object = {
    GB_OBJECT_TABLE("guard", struct gb_hello_info, guard_members)};

static const struct gb_member hello_members[] = {
    HELLO(server, "server", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "version of the server"),
    HELLO(protocol, "protocol", GB_U32, GB_ALWAYS, .doc = "1"),
    HELLO(pid, "pid", GB_U64, GB_ALWAYS, .doc = "process id of the server"),
    HELLO(client, "client", GB_U64, GB_ALWAYS,
          .doc = "the number of this connection, as leases name it"),
    HELLO(accel, "accel", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "`kvm`, `hvf` or `tcg`"),
    HELLO(accel_reason, "accel_reason", GB_TEXT, GB_ALWAYS,
          .doc = "why this accelerator was chosen"),
    HELLO(isolation, "isolation", GB_WORD, GB_ALWAYS, .words = &gb_isolation_words,
          .doc = "emulation (TCG) is not a security boundary"),
    HELLO(tracking, "tracking", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX,
          .doc = "how a checkpoint finds changed memory: `userfaultfd`, `soft-dirty`, or "
                 "`content` (by comparing everything that the session has ever changed)"),
    HELLO(server, "guard", GB_OBJECT, GB_ALWAYS, .object = &guard_object,
          .doc = "isolation stages of the QEMU processes"),
    HELLO(images, "images", GB_LIST, GB_ALWAYS, .object = &gb_image_info_object, .max = IMAGES_MAX,
          .doc = "the images that sessions can use"),
    HELLO(languages, "languages", GB_ARRAY, GB_ALWAYS,
          .doc = "the record of each of its workers' languages (\"Languages\")"),
    HELLO(limits, "limits", GB_MAP, GB_ALWAYS, .doc = "every limit of this server, by name"),
};
/* clang-format on */

static_assert(offsetof(struct gb_hello_info, server) == 0, "members of hello in a nested object");

const struct gb_object gb_stage_object = {
    GB_OBJECT_TABLE("stage", struct gb_stage_info, stage_members)};
const struct gb_object gb_image_info_object = {
    GB_OBJECT_TABLE("image", struct gb_image_info, image_members)};
const struct gb_object gb_hello_object = {
    GB_OBJECT_TABLE("hello", struct gb_hello_info, hello_members)};
