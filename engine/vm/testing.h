/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the tests of real VMs: a host with temporary folders, and guests. The images come from
 * $GLASSBELL_IMAGES; without it the tests fail. */
#pragma once

#include "vm/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"

enum { MEMORY_MB = 128, WAIT_S = 60 };

static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_host *host;
static struct gb_err host_error;
static char folder[] = "/tmp/glassbell-vm-test-XXXXXX";

/* A VM and the events received from it. */
struct guest {
    struct gb_vm *vm;
    int running, dead, frames, pongs;
    uint32_t pong_id;
    struct gb_err why;
    char language[64];
    int done; /* monitor operations */
    struct gb_err done_error;
};

static char last_death[GB_ERR_MESSAGE_MAX];

static inline void wait_for(const int *flag, int value)
{
    uint64_t end = gb_loop_now_ns() + WAIT_S * GB_NS_PER_S;

    while (*flag < value) {
        ck_assert_msg(gb_loop_now_ns() < end, "waited for %d s in vain; the last death: %s", WAIT_S,
                      last_death);
        uv_run(&uv, UV_RUN_ONCE);
    }
}

static inline void on_running(void *arg, const struct gb_hello *hello)
{
    struct guest *guest = arg;

    ck_assert_int_eq(guest->dead, 0);
    guest->running++;
    snprintf(guest->language, sizeof(guest->language), "%.*s", (int)hello->language.size,
             (const char *)hello->language.data);
}

static inline void on_frame(void *arg, const struct gb_frame *frame)
{
    struct guest *guest = arg;

    ck_assert_int_eq(guest->dead, 0);
    guest->frames++;
    if (frame->type == GB_GUEST_PONG) {
        guest->pong_id = frame->id;
        guest->pongs++;
    }
}

static inline void on_dead(void *arg, const struct gb_err *why)
{
    struct guest *guest = arg;

    guest->dead++;
    guest->why = *why;
    memcpy(last_death, why->message, sizeof(last_death));
}

static const struct gb_vm_events events = {on_running, on_frame, NULL, on_dead};

static inline void on_done(void *arg, const struct gb_err *err)
{
    struct guest *guest = arg;

    guest->done_error = err != NULL ? *err : (struct gb_err){0};
    guest->done++;
}

static inline void on_host(void *arg, struct gb_host *opened, const struct gb_err *err)
{
    int *called = arg;

    host = opened;
    if (err != NULL)
        host_error = *err;
    (*called)++;
}

static inline void open_host(void)
{
    struct gb_host_config config = {.run = folder, .cache = folder, .accel = GB_ACCEL_TCG};
    int called = 0;

    ck_assert_msg(getenv("GLASSBELL_IMAGES") != NULL, "GLASSBELL_IMAGES must name the images");
    uv_loop_init(&uv);
    loop = gb_loop_new(&uv);
    gb_host_open(loop, &config, on_host, &called);
    ck_assert_int_eq(called, 0);
    wait_for(&called, 1);
    ck_assert_msg(host != NULL, "%s", host_error.message);
}

static inline void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    open_host();
}

static inline void teardown(void)
{
    char *command = xasprintf("rm -rf %s", folder);

    gb_host_free(host);
    gb_loop_free(loop);
    uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
}

static inline struct gb_vm_config default_config(void)
{
    return (struct gb_vm_config){.image = gb_images_find(host->images, "shell"),
                                 .memory_mb = MEMORY_MB};
}

static inline void start(struct guest *guest, const struct gb_vm_config *config)
{
    struct gb_err err = {0};

    *guest = (struct guest){0};
    ck_assert_ptr_nonnull(config->image);
    ck_assert_msg(gb_vm_start(host, config, &events, guest, &guest->vm, &err) == 0, "%s",
                  err.message);
    ck_assert_int_eq(guest->running + guest->dead, 0);
}

static inline void boot(struct guest *guest)
{
    struct gb_vm_config config = default_config();

    start(guest, &config);
    while (guest->running == 0) {
        ck_assert_msg(guest->dead == 0, "%s", guest->why.message);
        uv_run(&uv, UV_RUN_ONCE);
    }
}

static inline void send_empty(struct guest *guest, uint16_t type, uint32_t id)
{
    struct gb_buf buf = {0};

    gb_guest_add(&buf, (struct gb_frame){.type = type, .id = id}, NULL, NULL);
    gb_vm_send(guest->vm, &buf);
    ck_assert_uint_eq(buf.size, 0);
    gb_buf_release(&buf);
}

static inline void ping(struct guest *guest, uint32_t id)
{
    int before = guest->pongs;

    send_empty(guest, GB_GUEST_PING, id);
    wait_for(&guest->pongs, before + 1);
    ck_assert_uint_eq(guest->pong_id, id);
}

static inline void finish(struct guest *guest)
{
    wait_for(&guest->dead, 1);
    /* Verifies that nothing follows. */
    for (int i = 0; i < 20; i++)
        uv_run(&uv, UV_RUN_NOWAIT);
    ck_assert_int_eq(guest->dead, 1);
    gb_vm_free(guest->vm);
}

static inline void end(struct guest *guest)
{
    gb_vm_kill(guest->vm, NULL);
    gb_vm_kill(guest->vm, "harmless");
    ck_assert_int_eq(guest->dead, 0);
    finish(guest);
}
