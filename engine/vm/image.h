/* Images: what the builder (images/) left in a folder, as the engine sees it.
 *
 * A folder holds `boot.json` with the kernel and the initramfs, and NAME.json and NAME.erofs for each
 * root image. Manifests are files and so foreign: parsed strictly, at most 1 MiB each.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct gb_package {
    char *name, *version;
};

struct gb_image {
    char *name;     /* "python" */
    char *language; /* "python": which worker runs in it */
    char **aliases;
    size_t alias_count;
    char *path; /* of the EROFS file */
    char *sha256; /* hex; of that file */
    uint64_t size;
    uint32_t memory_mb; /* default of a VM */
    struct gb_package *packages;
    size_t package_count;
    bool verified; /* the digest has been compared since this file was last changed */
};

struct gb_images {
    char *directory;
    char *kernel, *initramfs; /* paths */
    char *kernel_sha256, *initramfs_sha256;
    struct gb_image *images;
    size_t count;
};

/* Reads the folder. A root image whose manifest cannot be used is left out and logged as a warning;
 * a missing or unusable boot.json is GB_EIMAGE. Gives. */
int gb_images_load(const char *directory, struct gb_images **ret_images, struct gb_err *err);
void gb_images_free(struct gb_images *images);

/* By name or alias. NULL when there is none. */
struct gb_image *gb_images_find(const struct gb_images *images, const char *name);

/* Fails with GB_EIMAGE and a sentence that says what to do when a file is missing, has another size
 * or another digest than its manifest says. The digest of an unchanged file (device, inode, size,
 * mtime, ctime) is computed once and remembered in @images; the first time reads the whole file, so
 * it is a pure function to be run on the thread pool: it touches nothing but its arguments. */
int gb_image_verify(struct gb_images *images, struct gb_image *image, struct gb_err *err);
