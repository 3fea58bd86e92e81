/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by tests with failing VMs: a host whose VMs are fake/vm.c, and a fake image. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "guest/guest.h"
#include "platform/program.h"

enum { KIT_MEMORY_MB = 64, KIT_WAIT_S = 30 };

/* The digest of an empty file. */
#define KIT_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static uv_loop_t kit_uv;
static struct gb_loop *kit_loop;
static struct gb_host kit_host;
static struct gb_images kit_images;
static struct gb_image kit_image;
static char kit_folder[64], kit_empty[96], kit_vms[96], kit_launcher[4160], kit_script[96];

/* @script: the behaviour of VMs started from now on (fake/vm.c). */
static inline void kit_play(const char *script)
{
    (void)snprintf(kit_script, sizeof(kit_script), "%s", script);
}

/* A language as described by a record, with warm-up cells. Gives. */
enum { KIT_POOL_CELLS = 3 };
static inline struct gb_language *kit_language(void)
{
    static const char record[] = "{\"languages\":[{\"name\":\"shell\",\"title\":\"shell\","
                                 "\"prompt\":{\"first\":\"$ \",\"more\":\"> \",\"indent\":\"\\t\"},"
                                 "\"notebook\":{\"kernel\":\"bash\",\"title\":\"Bash\"},"
                                 "\"highlight\":{\"lexer\":\"shell\"},"
                                 "\"warm\":{\"template\":[\"echo warm\",\"false\",\"true\"],"
                                 "\"pool\":[\"echo 1\",\"echo two\",\"echo 1\"]}}]}";
    struct gb_languages languages = {0};
    struct gb_language *language;

    ck_assert_int_eq(gb_languages_read_file(gb_bytes_str(record), &languages, NULL), 0);
    language = gb_language_ref(languages.list[0]);
    gb_languages_release(&languages);
    return language;
}

static inline void kit_setup(void)
{
    char *folder = gb_program_folder();

    ck_assert_ptr_nonnull(folder);
    (void)snprintf(kit_launcher, sizeof(kit_launcher), "%s/fake-vm", folder);
    free(folder);
    (void)snprintf(kit_folder, sizeof(kit_folder), "/tmp/glassbell-guest-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(kit_folder));
    (void)snprintf(kit_empty, sizeof(kit_empty), "%s/empty", kit_folder);
    ck_assert_int_eq(gb_fd_replace_file(kit_empty, gb_bytes_str(""), 0600, NULL), 0);
    (void)snprintf(kit_vms, sizeof(kit_vms), "%s/vms", kit_folder);
    ck_assert_int_eq(mkdir(kit_vms, 0700), 0);
    uv_loop_init(&kit_uv);
    kit_loop = gb_loop_new(&kit_uv);
    kit_images = (struct gb_images){.kernel = kit_empty,
                                    .initramfs = kit_empty,
                                    .kernel_sha256 = (char *)(uintptr_t)KIT_EMPTY,
                                    .initramfs_sha256 = (char *)(uintptr_t)KIT_EMPTY};
    kit_image = (struct gb_image){.name = (char *)(uintptr_t) "toy",
                                  .language = (char *)(uintptr_t) "shell",
                                  .record = kit_language(),
                                  .path = kit_empty,
                                  .sha256 = (char *)(uintptr_t)KIT_EMPTY,
                                  .memory_mb = KIT_MEMORY_MB};
    kit_host = (struct gb_host){.loop = kit_loop,
                                .machine = gb_machine_native(),
                                .images = &kit_images,
                                .run = kit_folder,
                                .qemu = kit_script,
                                .firmware = kit_empty,
                                .launcher = kit_launcher,
                                .accel = GB_ACCEL_TCG};
    gb_list_init(&kit_host.vms);
    gb_list_init(&kit_host.old_images);
    kit_play("/honest/nothing/1");
}

/* Verifies that no VM and no registry file is left. */
static inline void kit_teardown(void)
{
    ck_assert(gb_list_empty(&kit_host.vms));
    gb_loop_undefer(&kit_host.told_empty);
    gb_loop_free(kit_loop);
    uv_run(&kit_uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&kit_uv), 0);
    gb_language_unref(kit_image.record);
    ck_assert_int_eq(unlink(kit_empty), 0);
    ck_assert_int_eq(rmdir(kit_vms), 0);
    ck_assert_msg(rmdir(kit_folder) == 0, "something is left in %s", kit_folder);
}

static inline void kit_wait_for(const int *count, int value)
{
    uint64_t end = gb_loop_now_ns() + KIT_WAIT_S * GB_NS_PER_S;

    while (*count < value) {
        ck_assert_msg(gb_loop_now_ns() < end, "waited for %d s in vain, with %s", KIT_WAIT_S,
                      kit_script);
        uv_run(&kit_uv, UV_RUN_ONCE);
    }
}

/* Runs the loop long enough for events that are not waited for. */
static inline void kit_settle(void)
{
    for (int i = 0; i < 20; i++)
        uv_run(&kit_uv, UV_RUN_NOWAIT);
}
