/* SPDX-License-Identifier: Apache-2.0 */
/* Macros for the rows of the method tables; only for methods_….c, each of which defines one. */
#pragma once

#include "methods.h"

#include "base/limits.h"
#include "base/mem.h"

enum { REQUIRED = 1 };

/* clang-format off */
#define PARAMS(array_) .params = array_, .param_count = ARRAY_SIZE(array_)
#define ERROR(code_) GB_ERROR_BIT(GB_E##code_)
/* Methods that address a session, and methods that need its VM, which may have failed to start, or
 * cannot be woken. */
#define SESSION_ERRORS (ERROR(NOTFOUND) | ERROR(CLOSED))
#define VM_ERRORS                                                                                  \
    (ERROR(IMAGE) | ERROR(CAPACITY) | ERROR(BOOT) | ERROR(UNSUPPORTED) | ERROR(GONE) |  \
     ERROR(PACKAGES) | ERROR(DISK))
#define RESULTS(array_) .results = array_, .result_count = ARRAY_SIZE(array_)

#define NAME(name_, field, need, max_, doc_)                                                       \
    {.name = name_, .type = GB_PARAM_NAME, .offset = offsetof(struct gb_params, field),            \
     .required = (need), .min = 1, .max = (max_), .doc = doc_}
#define TEXT(name_, field, need, max_, doc_)                                                       \
    {.name = name_, .type = GB_PARAM_TEXT, .offset = offsetof(struct gb_params, field),            \
     .required = (need), .max = (max_), .doc = doc_}
#define BASE64(doc_)                                                                               \
    {.name = "base64", .type = GB_PARAM_BASE64, .offset = offsetof(struct gb_params, text),        \
     .max = GB_LINE_MAX, .doc = doc_}
#define INTEGER(name_, field, min_, max_, standard_, doc_)                                         \
    {.name = name_, .type = GB_PARAM_INTEGER, .offset = offsetof(struct gb_params, field),         \
     .min = (min_), .max = (max_), .standard = (standard_), .doc = doc_}
#define BOOL(name_, field, standard_, doc_)                                                        \
    {.name = name_, .type = GB_PARAM_BOOL, .offset = offsetof(struct gb_params, field),            \
     .standard = (standard_), .doc = doc_}
#define NODE(name_, type_, field, max_, doc_)                                                      \
    {.name = name_, .type = type_, .offset = offsetof(struct gb_params, field), .max = (max_),     \
     .doc = doc_}

#define OFFSET_MAX (INT64_C(1) << 50)

#define SESSION NAME("session", session, REQUIRED, GB_NAME_MAX, "the session's id")
#define BYTES_OF(name_, field, max_, doc_)                                                         \
    {.name = name_, .type = GB_PARAM_BASE64, .offset = offsetof(struct gb_params, field),          \
     .max = (max_), .doc = doc_}
#define MEMORY INTEGER("memory_mb", memory_mb, GB_MEMORY_MIN_MB, GB_MEMORY_MAX_MB, 0, \
    "RAM of the VM in MiB, at most what the host has; default: the image's")
#define OPEN_OPTIONS                                                                               \
    NAME("image", image, 0, GB_NAME_MAX, "image, or alias of an image or a language (`hello` lists them); default `" GB_IMAGE_DEFAULT "`"),  \
    MEMORY,                                                                                        \
    NODE("network", GB_PARAM_ANY, network, 0,                                                      \
         "what it may reach (docs/network.md): `none`; a name of the settings; or `{\"rules\": "      \
         "[…]}` with a line each, and `{\"allow\": […]}` with what stands behind `allow`; default: "  \
         "`none`"),                                                                                \
    NODE("secrets", GB_PARAM_NAMES, secrets, 16,                                                   \
         "names of `[secret]` in the settings that its connections may use (docs/network.md)"),    \
    NODE("packages", GB_PARAM_NAMES, packages, GB_PACKAGES_MAX,                                                \
         "packages of its language, each as `NAME` or `NAME==VERSION` (docs/network.md, \"Packages\"): fetched "  \
         "from the host's index before it starts, unless they are known; it needs no network for them"),        \
    INTEGER("wait_ms", wait_ms, 0, 3600000, -1,                                                    \
            "how long it may wait for room, then it fails with `capacity`; 0: not at all; default: "\
            "the settings' (60 s)"),                                                               \
    NAME("label", label, 0, GB_NAME_MAX, "a name for people"),                                     \
    NAME("owner", owner, 0, GB_NAME_MAX, "who it belongs to, for people and filters")
/* clang-format on */
