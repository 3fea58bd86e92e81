/* SPDX-License-Identifier: Apache-2.0 */
/* Digests of images, compared on the thread pool while the guest boots: once for each image and
 * each change of its files, however many sessions ask at the same time. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"
#include "vm/image.h"

/* Somebody who waits for the answer. Embed it, zeroed; do not touch its members. */
struct gb_verify_waiter {
    struct gb_list link;
    void (*done)(void *arg, const struct gb_err *err);
    void *arg;
};

/* Asks whether the files of @image are those of its manifest. Returns 1 when that is known to be so
 * (@done is not called), 0 when @done will be called from the loop, or GB_EIMAGE at once when a
 * file is missing or has another size. @images and @waiter must stay until then or until the
 * cancel. */
int gb_verify_start(struct gb_loop *loop, const struct gb_images *images, struct gb_image *image,
                    struct gb_verify_waiter *waiter,
                    void (*done)(void *arg, const struct gb_err *err), void *arg,
                    struct gb_err *err);

/* Harmless when it does not wait. */
void gb_verify_cancel(struct gb_verify_waiter *waiter);

/* The image is about to be freed: a comparison under way goes on without it. */
void gb_verify_forget(struct gb_image *image);
