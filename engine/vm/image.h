/* SPDX-License-Identifier: Apache-2.0 */
/* Images: what the builder (images/) left in a folder, as the engine sees it.
 *
 * A folder holds `boot.json` with the kernel, the initramfs and the records of the languages whose
 * workers are in it, and NAME.json and NAME.erofs for each root image. Manifests are files and so
 * foreign: parsed strictly, at most 1 MiB each.
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

/* What tells that a file has not been changed. */
struct gb_file_stamp {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
};

struct gb_image {
    char *name;                 /* "python" */
    char *language;             /* "python": which worker runs in it */
    struct gb_language *record; /* of that language; holds a reference */
    char **aliases;
    size_t alias_count;
    char *path;   /* of the EROFS file */
    char *sha256; /* hex; of that file */
    uint64_t size;
    uint32_t memory_mb; /* default of a VM */
    struct gb_package *packages;
    size_t package_count;
    /* When the digests were compared: of the image, the kernel and the initramfs. Zeroed: never. */
    struct gb_file_stamp verified[3];
    struct gb_verification *checking; /* a comparison under way (verify.h), or NULL */
};

struct gb_images {
    struct gb_list link; /* its owner's */
    char *directory;
    struct gb_file_stamp stamp; /* of the folder when it was read */
    char *kernel, *initramfs;   /* paths */
    char *kernel_sha256, *initramfs_sha256;
    uint64_t kernel_size, initramfs_size;
    struct gb_languages languages; /* of the workers in the initramfs */
    struct gb_image *images;
    size_t count;
};

/* Reads the folder. A root image whose manifest cannot be used is left out and logged as a warning;
 * a missing or unusable boot.json is GB_EIMAGE. Gives. */
int gb_images_load(const char *directory, struct gb_images **ret_images, struct gb_err *err);
void gb_images_free(struct gb_images *images);

/* Whether the folder is another one since: a builder has put something into it. */
bool gb_images_changed(const struct gb_images *images);

/* By name or alias, or the one that is called as the language of that alias. NULL when there is
 * none. */
struct gb_image *gb_images_find(const struct gb_images *images, const char *name);

/* The same that gb_images_load() does with the texts of manifests, for tests. @directory is put
 * before the names of files; nothing is opened. */
int gb_images_parse_boot(struct gb_images *images, struct gb_bytes text, struct gb_err *err);
int gb_image_parse(const char *directory, struct gb_bytes text, struct gb_image *ret_image,
                   struct gb_err *err);
void gb_image_release(struct gb_image *image);

/* Looks at the files without reading them: GB_EIMAGE when one is missing or has another size than
 * its manifest says. *@ret_verified tells whether the digests of just these files were compared
 * before. */
int gb_image_check(const struct gb_images *images, const struct gb_image *image, bool *ret_verified,
                   struct gb_err *err);

/* Fails with GB_EIMAGE and a sentence that says what to do when a file (the image's, the kernel,
 * the initramfs) is missing, has another size or another digest than its manifest says. The digest
 * of an unchanged file is computed once and remembered in @image; the first time reads the whole
 * file, so it is a function to be run on the thread pool: it reads @images and changes @image's
 * `verified`, and touches nothing else. */
int gb_image_verify(const struct gb_images *images, struct gb_image *image, struct gb_err *err);
