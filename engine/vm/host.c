/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "machine/counter.h"
#include "platform/system.h"
#include "vm/accel.h"
#include "vm/find.h"
#include "vm/inspect.h"
#include "vm/private.h"

/* A host being opened: QEMU and the isolation are inspected concurrently, then the accelerator. */
struct opening {
    struct gb_host *host;
    enum gb_accel wanted;
    bool probe_anew;
    unsigned running; /* running inspections */
    struct gb_counter counter;
    struct gb_deferred end;
    struct gb_err err; /* the first failure */
    void (*done)(void *arg, struct gb_host *host, const struct gb_err *err);
    void *arg;
};

static void on_end(void *arg)
{
    struct opening *opening = arg;

    if (opening->err.code != GB_OK) {
        gb_host_free(opening->host);
        opening->done(opening->arg, NULL, &opening->err);
    } else {
        opening->done(opening->arg, opening->host, NULL);
    }
    free(opening);
}

static void end(struct opening *opening)
{
    gb_loop_defer(opening->host->loop, &opening->end, on_end, opening);
}

static void on_accel(void *arg, enum gb_accel accel, const char *reason, const struct gb_err *err)
{
    struct opening *opening = arg;

    if (err != NULL) {
        opening->err = *err;
    } else {
        opening->host->accel = accel;
        opening->host->accel_reason = xstrdup(reason);
    }
    end(opening);
}

static void inspected(struct opening *opening, const struct gb_err *err)
{
    if (err != NULL && opening->err.code == GB_OK)
        opening->err = *err;
    if (--opening->running > 0)
        return;
    if (opening->err.code != GB_OK) {
        end(opening);
        return;
    }
    opening->host->tsc_khz = gb_counter_khz(&opening->counter);
    accel_find(opening->host, opening->wanted, opening->probe_anew, on_accel, opening);
}

static void on_qemu(void *arg, const struct inspected_qemu *qemu, const struct gb_err *err)
{
    struct opening *opening = arg;

    if (err == NULL) {
        opening->host->qemu_version = xstrdup(qemu->version);
        opening->host->qemu_package = xstrdup(qemu->package);
        opening->host->qemu_sandbox = qemu->sandbox;
        opening->host->cpu_known = qemu->cpu_known;
    }
    inspected(opening, err);
}

static void on_guard(void *arg, const struct gb_guard_report *report, const struct gb_err *err)
{
    struct opening *opening = arg;
    struct gb_err missing = {0};
    struct gb_buf names = {0};

    if (err == NULL) {
        opening->host->guard_stages = report->applied;
        gb_guard_describe_missing(&names, report, gb_guard_wanted());
    }
    if (names.size > 0 && opening->host->require_isolation) {
        (void)gb_err_set(&missing, GB_EPOLICY, "isolation is required, and not available here: %s",
                         gb_buf_str(&names));
        err = &missing;
    }
    gb_buf_release(&names);
    inspected(opening, err);
}

static int check_architecture(const struct gb_host *host, const struct gb_images *images,
                              struct gb_err *err)
{
    if (gb_machine_find(images->architecture) == host->machine)
        return 0;
    return gb_err_set(err, GB_EIMAGE,
                      "the images in %s are for guests of %.40s, not of %s: name others in "
                      "$GLASSBELL_IMAGES, or the architecture in $GLASSBELL_GUEST_ARCH",
                      images->directory, images->architecture, host->machine->architecture);
}

/* The requested accelerator: the caller's, else the environment's. */
static int choose_accel(const struct gb_machine *machine, enum gb_accel given,
                        enum gb_accel *ret_accel, struct gb_err *err)
{
    const char *name = getenv("GLASSBELL_ACCEL");

    if (given == GB_ACCEL_UNKNOWN && name != NULL && name[0] != '\0') {
        given = gb_accel_find(name);
        if (given != GB_ACCEL_TCG && strcmp(name, gb_system_accelerator()) != 0)
            return gb_err_set(err, GB_EINVALID,
                              "GLASSBELL_ACCEL is \"%.40s\"; on this system it can be %s or tcg",
                              name, gb_system_accelerator());
    }
    if (gb_accel_is_hardware(given) && strcmp(gb_accel_name(given), gb_system_accelerator()) != 0)
        return gb_err_set(err, GB_EUNSUPPORTED, "there is no %s on this system; it has %s, or tcg",
                          gb_accel_title(given), gb_system_accelerator());
    *ret_accel = given;
    if (gb_machine_can_use(machine, given))
        return 0;
    return gb_err_set(err, GB_EUNSUPPORTED,
                      "guests of %s are emulated here: %s only runs those of %s; unset "
                      "GLASSBELL_ACCEL, or GLASSBELL_GUEST_ARCH",
                      machine->architecture, gb_accel_title(given),
                      gb_machine_native()->architecture);
}

static int find_all(struct gb_host *host, const struct gb_host_config *config, struct gb_err *err)
{
    _cleanup_(freep) char *images = NULL;
    int r;

    r = find_images(host->machine, config->images, &images, err);
    if (r == 0)
        r = gb_images_load(images, &host->images, err);
    if (r == 0)
        r = check_architecture(host, host->images, err);
    if (r == 0)
        r = find_qemu(host->machine, config->qemu, &host->qemu, err);
    if (r == 0)
        r = find_firmware(host->machine, host->qemu, &host->firmware, err);
    if (r == 0)
        r = find_launcher(config->launcher, &host->launcher, err);
    if (r == 0)
        r = gb_fd_make_dirs(host->run, 0700, err);
    if (r == 0)
        r = gb_fd_make_dirs(host->cache, 0700, err);
    return r;
}

void gb_host_open(struct gb_loop *loop, const struct gb_host_config *config,
                  void (*done)(void *arg, struct gb_host *host, const struct gb_err *err),
                  void *arg)
{
    struct opening *opening = xcalloc(1, sizeof(*opening));
    struct gb_host *host = xcalloc(1, sizeof(*host));
    unsigned killed = 0;
    int r;

    opening->host = host;
    opening->done = done;
    opening->arg = arg;
    host->loop = loop;
    host->tracking = gb_memory_choose_way();
    host->run = config->run != NULL ? xstrdup(config->run) : gb_path_runtime();
    host->cache = config->cache != NULL ? xstrdup(config->cache) : gb_path_cache();
    host->require_isolation = config->require_isolation;
    opening->probe_anew = config->probe_anew;
    gb_list_init(&host->vms);
    gb_list_init(&host->old_images);
    r = find_machine(&host->machine, &opening->err);
    if (r == 0)
        r = choose_accel(host->machine, config->accel, &opening->wanted, &opening->err);
    if (r == 0)
        r = find_all(host, config, &opening->err);
    if (r == 0)
        r = registry_reap(host->run, &killed, &opening->err);
    if (r < 0) {
        end(opening);
        return;
    }
    if (killed > 0)
        gb_info("%u processes of a server that is gone were ended", killed);
    gb_counter_start(&opening->counter);
    opening->running = 2;
    inspect_qemu(loop, host->qemu, host->machine, on_qemu, opening);
    gb_guard_probe(loop, host->launcher, on_guard, opening);
}

struct gb_image *gb_host_find_image(struct gb_host *host, const char *name)
{
    struct gb_images *fresh = NULL;
    struct gb_err err;

    if (gb_images_changed(host->images)) {
        if (gb_images_load(host->images->directory, &fresh, &err) == 0 &&
            check_architecture(host, fresh, &err) == 0) {
            gb_list_add_tail(&host->old_images, &host->images->link);
            host->images = fresh;
        } else {
            gb_warning("%s", err.message);
            gb_images_free(fresh);
        }
    }
    return gb_images_find(host->images, name);
}

static void tell_empty(void *arg)
{
    struct gb_host *host = arg;
    void (*empty)(void *arg) = TAKE_PTR(host->empty);

    empty(host->empty_arg);
}

void host_vm_gone(struct gb_host *host)
{
    if (host->empty != NULL && gb_list_empty(&host->vms))
        gb_loop_defer(host->loop, &host->told_empty, tell_empty, host);
}

void gb_host_when_empty(struct gb_host *host, void (*empty)(void *arg), void *arg)
{
    assert(host->empty == NULL);
    host->empty = empty;
    host->empty_arg = arg;
    host_vm_gone(host);
}

void gb_host_free(struct gb_host *host)
{
    struct gb_list *old;

    if (host == NULL)
        return;
    gb_images_free(host->images);
    while ((old = gb_list_pop(&host->old_images)) != NULL)
        gb_images_free(container_of(old, struct gb_images, link));
    free(host->run);
    free(host->cache);
    free(host->qemu);
    free(host->qemu_version);
    free(host->qemu_package);
    free(host->firmware);
    free(host->launcher);
    free(host->accel_reason);
    free(host);
}
