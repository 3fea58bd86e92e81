/* SPDX-License-Identifier: Apache-2.0 */
/* Images: a folder written by the builder (images/), as the engine sees it.
 *
 * A folder contains `boot.json`, which describes the kernel, the initramfs and the records of the
 * languages whose workers are in it, and NAME.json and NAME.erofs for each root image. Manifests
 * may be foreign: parsed strictly, at most 1 MiB each.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "language/language.h"

struct gb_package {
    char *name, *version;
};

/* Identifies an unchanged file. */
struct gb_file_stamp {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
};

struct gb_image {
    char *name;                 /* "python" */
    char *language;             /* "python": the worker that runs in it */
    char *architecture;         /* of its programs, as in machine.h */
    struct gb_language *record; /* the record of that language; holds a reference */
    char **aliases;
    size_t alias_count;
    char *path;   /* of the EROFS file */
    char *sha256; /* hex; of that file */
    uint64_t size;
    uint32_t memory_mb; /* default of a VM */
    struct gb_package *packages;
    size_t package_count;
    /* The files (image, kernel, initramfs) whose digests have been verified. Zeroed: never. */
    struct gb_file_stamp verified[3];
    struct gb_verification *checking; /* verification in progress (verify.h), or NULL */
};

struct gb_images {
    struct gb_list link; /* its owner's */
    char *directory;
    char *architecture;         /* of their guests, as in machine.h */
    struct gb_file_stamp stamp; /* of the folder when it was read */
    char *kernel, *initramfs;   /* paths */
    char *kernel_sha256, *initramfs_sha256;
    uint64_t kernel_size, initramfs_size;
    struct gb_languages languages; /* of the workers in the initramfs */
    struct gb_image *images;
    size_t count;
};

/* Reads the folder. A root image with an unusable manifest is skipped with a warning in the log; a
 * missing or unusable boot.json is GB_EIMAGE. Gives. */
int gb_images_load(const char *directory, struct gb_images **ret_images, struct gb_err *err);
void gb_images_free(struct gb_images *images);

/* Whether the folder has changed since: a builder has written to it. */
bool gb_images_changed(const struct gb_images *images);

/* By name or alias, or the image named like the language with that alias. NULL if there is none. */
struct gb_image *gb_images_find(const struct gb_images *images, const char *name);

/* The parsing that gb_images_load() does, for tests: on texts of manifests. @directory is prepended
 * to file names; nothing is opened. */
int gb_images_parse_boot(struct gb_images *images, struct gb_bytes text, struct gb_err *err);
int gb_image_parse(const char *directory, struct gb_bytes text, struct gb_image *ret_image,
                   struct gb_err *err);
void gb_image_release(struct gb_image *image);

/* Checks the files without reading them: GB_EIMAGE if one is missing or its size differs from the
 * manifest. *@ret_verified tells whether the digests of exactly these files have been verified. */
int gb_image_check(const struct gb_images *images, const struct gb_image *image, bool *ret_verified,
                   struct gb_err *err);

/* Fails with GB_EIMAGE and a message that says what to do if a file (the image's, the kernel, the
 * initramfs) is missing or differs in size or digest from its manifest. The digest of an unchanged
 * file is computed once and cached in @image; the first call reads the whole file, so run it on the
 * thread pool: it reads @images, modifies `verified` of @image, and accesses nothing else. */
int gb_image_verify(const struct gb_images *images, struct gb_image *image, struct gb_err *err);
