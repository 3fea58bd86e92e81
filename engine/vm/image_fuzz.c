/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: both kinds are tried on every input. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "vm/image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gb_images *images = xcalloc(1, sizeof(*images));
    struct gb_bytes text = {data, size};
    struct gb_image image;

    images->directory = xstrdup("/images");
    (void)gb_images_parse_boot(images, text, NULL);
    gb_images_free(images);
    if (gb_image_parse("/images", text, &image, NULL) == 0) {
        /* What was accepted stays in its folder. */
        if (strncmp(image.path, "/images/", 8) != 0 || strchr(image.path + 8, '/') != NULL ||
            image.path[8] == '.')
            abort();
        gb_image_release(&image);
    }
    return 0;
}
