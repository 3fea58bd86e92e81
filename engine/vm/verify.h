/* SPDX-License-Identifier: Apache-2.0 */
/* Verifies the digests of images on the thread pool while the guest boots: once per image and
 * change of its files, however many sessions ask at the same time. */
#pragma once

#include "base/list.h"
#include "loop/loop.h"
#include "vm/image.h"

/* A request that waits for the result. Embed it, zeroed; do not touch its members. */
struct gb_verify_waiter {
    struct gb_list link;
    void (*done)(void *arg, const struct gb_err *err);
    void *arg;
};

/* Verifies that the files of @image match its manifest. Returns 1 if that is already known (@done
 * is not called), 0 if @done will be called from the loop, or GB_EIMAGE immediately if a file is
 * missing or has a different size. @images and @waiter must live until then, or until the
 * cancel. */
int gb_verify_start(struct gb_loop *loop, const struct gb_images *images, struct gb_image *image,
                    struct gb_verify_waiter *waiter,
                    void (*done)(void *arg, const struct gb_err *err), void *arg,
                    struct gb_err *err);

/* No-op if it is not waiting. */
void gb_verify_cancel(struct gb_verify_waiter *waiter);

/* The image is about to be freed: a verification in progress continues without it. */
void gb_verify_forget(struct gb_image *image);
