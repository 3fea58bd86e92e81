/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* A verification in progress. The thread only uses copies, so that images may be freed
 * meanwhile. */
struct gb_verification {
    uv_work_t work;         /* must be first: freed through it */
    struct gb_image *image; /* NULL once it has been freed */
    struct gb_images files;
    struct gb_image copy;
    struct gb_list waiters;
    struct gb_err err;
    int r;
};

static void on_thread(uv_work_t *work)
{
    struct gb_verification *check = work->data;

    check->r = gb_image_verify(&check->files, &check->copy, &check->err);
}

static void free_check(struct gb_verification *check)
{
    free(check->files.kernel);
    free(check->files.kernel_sha256);
    free(check->files.initramfs);
    free(check->files.initramfs_sha256);
    free(check->copy.path);
    free(check->copy.sha256);
    free(check);
}

static void on_compared(uv_work_t *work, int status)
{
    struct gb_verification *check = work->data;
    struct gb_list *link;

    (void)status; /* it is never cancelled */
    if (check->image != NULL) {
        check->image->checking = NULL;
        if (check->r == 0)
            memcpy(check->image->verified, check->copy.verified, sizeof(check->copy.verified));
    }
    while ((link = gb_list_pop(&check->waiters)) != NULL) {
        struct gb_verify_waiter *waiter = container_of(link, struct gb_verify_waiter, link);

        waiter->link.next = NULL;
        waiter->done(waiter->arg, check->r < 0 ? &check->err : NULL);
    }
    free_check(check);
}

static int start(struct gb_loop *loop, const struct gb_images *images, struct gb_image *image,
                 struct gb_err *err)
{
    struct gb_verification *check = xcalloc(1, sizeof(*check));
    int r;

    check->work.data = check;
    check->image = image;
    check->files.kernel = xstrdup(images->kernel);
    check->files.kernel_sha256 = xstrdup(images->kernel_sha256);
    check->files.kernel_size = images->kernel_size;
    check->files.initramfs = xstrdup(images->initramfs);
    check->files.initramfs_sha256 = xstrdup(images->initramfs_sha256);
    check->files.initramfs_size = images->initramfs_size;
    check->copy.path = xstrdup(image->path);
    check->copy.sha256 = xstrdup(image->sha256);
    check->copy.size = image->size;
    memcpy(check->copy.verified, image->verified, sizeof(image->verified));
    gb_list_init(&check->waiters);
    r = uv_queue_work(gb_loop_uv(loop), &check->work, on_thread, on_compared);
    if (r < 0) {
        free_check(check);
        return gb_err_sys(err, -r, "cannot start a thread to verify %s", image->path);
    }
    image->checking = check;
    return 0;
}

int gb_verify_start(struct gb_loop *loop, const struct gb_images *images, struct gb_image *image,
                    struct gb_verify_waiter *waiter,
                    void (*done)(void *arg, const struct gb_err *err), void *arg,
                    struct gb_err *err)
{
    bool known;
    int r = gb_image_check(images, image, &known, err);

    if (r < 0)
        return r;
    if (known)
        return 1;
    if (image->checking == NULL && (r = start(loop, images, image, err)) < 0)
        return r;
    waiter->done = done;
    waiter->arg = arg;
    gb_list_add_tail(&image->checking->waiters, &waiter->link);
    return 0;
}

void gb_verify_cancel(struct gb_verify_waiter *waiter)
{
    if (waiter->link.next == NULL)
        return;
    gb_list_remove(&waiter->link);
    waiter->link.next = NULL;
}

void gb_verify_forget(struct gb_image *image)
{
    if (image->checking != NULL)
        image->checking->image = NULL;
    image->checking = NULL;
}
