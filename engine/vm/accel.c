/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/accel.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/system.h"
#include "vm/private.h"

/* On hardware a guest needs a fraction of a second; if it needs this long, the disk was slow. */
enum {
    CACHE_MAX = 16 * 1024,
    HARDWARE_MS = 15000,
    TCG_MS = 60000,
    PROBE_MEMORY_MB = 128,
    FORMAT = 2
};

struct race;

/* One guest. */
struct runner {
    struct race *race;
    enum gb_accel accel;
    struct gb_vm *vm; /* NULL: dead, or never started */
    double ms;        /* until its HELLO; 0: none came */
    char why[GB_ERR_MESSAGE_MAX];
};

struct race {
    struct gb_host *host;
    enum gb_accel wanted;
    struct runner hardware, tcg;
    enum gb_accel known; /* without a race */
    char reason[2 * GB_ERR_MESSAGE_MAX];
    struct gb_deferred end;
    accel_done_fn *done;
    void *arg;
};

/* ---- memory ---- */

static bool take_string(const cJSON *json, const char *name, char **ret_text)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

    if (!cJSON_IsString(item))
        return false;
    *ret_text = xstrdup(item->valuestring);
    return true;
}

static enum gb_accel read_accel(const cJSON *json)
{
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "accel");

    return cJSON_IsString(name) ? gb_accel_find(name->valuestring) : GB_ACCEL_UNKNOWN;
}

bool accel_parse(struct gb_bytes text, struct accel_memory *ret_memory)
{
    cJSON *json =
        text.size <= CACHE_MAX ? cJSON_ParseWithLength((const char *)text.data, text.size) : NULL;
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(json, "format");
    struct accel_memory memory = {.accel = read_accel(json)};
    bool good = cJSON_IsNumber(format) && format->valuedouble == FORMAT &&
                memory.accel != GB_ACCEL_UNKNOWN && take_string(json, "key", &memory.key) &&
                take_string(json, "boot", &memory.boot) &&
                take_string(json, "reason", &memory.reason);

    cJSON_Delete(json);
    if (good)
        *ret_memory = memory;
    else
        accel_release(&memory);
    return good;
}

void accel_format(const struct accel_memory *memory, struct gb_buf *text)
{
    cJSON *json = cJSON_CreateObject();
    char *printed;

    (void)cJSON_AddNumberToObject(json, "format", FORMAT);
    (void)cJSON_AddStringToObject(json, "key", memory->key);
    (void)cJSON_AddStringToObject(json, "boot", memory->boot);
    (void)cJSON_AddStringToObject(json, "accel", gb_accel_name(memory->accel));
    (void)cJSON_AddStringToObject(json, "reason", memory->reason);
    printed = cJSON_Print(json);
    if (printed == NULL)
        abort(); /* no memory for a few bytes */
    gb_buf_adds(text, printed);
    cJSON_free(printed);
    cJSON_Delete(json);
}

void accel_release(struct accel_memory *memory)
{
    free(memory->key);
    free(memory->boot);
    free(memory->reason);
    *memory = (struct accel_memory){0};
}

bool accel_holds(const struct accel_memory *memory, const char *key, const char *boot,
                 enum gb_accel wanted)
{
    if (strcmp(memory->key, key) != 0)
        return false;
    if (gb_accel_is_hardware(memory->accel))
        return true;
    return !gb_accel_is_hardware(wanted) && boot[0] != '\0' && strcmp(memory->boot, boot) == 0;
}

static char *cache_path(const struct gb_host *host)
{
    return xasprintf("%s/accel.json", host->cache);
}

static char *cache_key(const struct gb_host *host)
{
    _cleanup_(freep) char *machine = gb_system_describe(true);

    return xasprintf("%s; QEMU %s at %s; kernel %s; initramfs %s", machine, host->qemu_version,
                     host->qemu, host->images->kernel_sha256, host->images->initramfs_sha256);
}

/* Saves the result of the race. The reason of KVM's failure is stored unprefixed; readers add the
 * context. */
static void remember(const struct race *race, enum gb_accel winner)
{
    _cleanup_(freep) char *path = cache_path(race->host);
    struct accel_memory memory = {
        .accel = winner,
        .key = cache_key(race->host),
        .boot = gb_system_boot_id(),
        .reason = xstrdup(gb_accel_is_hardware(winner) ? race->reason : race->hardware.why),
    };
    struct gb_buf text = {0};
    struct gb_err err = {0};

    accel_format(&memory, &text);
    if (gb_fd_replace_file(path, gb_buf_bytes(&text), 0600, &err) < 0)
        gb_warning("the accelerator is not remembered: %s", err.message);
    gb_buf_release(&text);
    accel_release(&memory);
}

static const char *race_title(const struct race *race)
{
    return gb_accel_title(race->hardware.accel);
}

/* True with a result in @race. */
static bool recall(struct race *race)
{
    _cleanup_(freep) char *path = cache_path(race->host);
    _cleanup_(freep) char *key = cache_key(race->host);
    _cleanup_(freep) char *boot = gb_system_boot_id();
    struct accel_memory memory = {0};
    struct gb_buf text = {0};
    bool known = gb_fd_read_file(path, CACHE_MAX, &text, NULL) == 0 &&
                 accel_parse(gb_buf_bytes(&text), &memory) &&
                 accel_holds(&memory, key, boot, race->wanted);

    gb_buf_release(&text);
    if (known && gb_accel_is_hardware(memory.accel))
        (void)snprintf(race->reason, sizeof(race->reason), "%s", memory.reason);
    else if (known)
        (void)snprintf(race->reason, sizeof(race->reason),
                       "%s did not work here when it was last tried (`glassbell doctor` tries "
                       "again): %s",
                       race_title(race), memory.reason);
    if (known)
        race->known = memory.accel;
    accel_release(&memory);
    return known;
}

/* ---- the race ---- */

/* The result; UNKNOWN with an error. */
static enum gb_accel judge(struct race *race, struct gb_err *err)
{
    const struct runner *hardware = &race->hardware, *tcg = &race->tcg;

    if (race->known != GB_ACCEL_UNKNOWN)
        return race->known;
    if (hardware->ms > 0) {
        (void)snprintf(race->reason, sizeof(race->reason), "a guest booted under %s in %.0f ms",
                       race_title(race), hardware->ms);
        return hardware->accel;
    }
    if (gb_accel_is_hardware(race->wanted)) {
        (void)gb_err_set(err, GB_EUNSUPPORTED, "%s was requested and does not work here: %s",
                         race_title(race), hardware->why);
        return GB_ACCEL_UNKNOWN;
    }
    if (tcg->ms > 0) {
        (void)snprintf(race->reason, sizeof(race->reason),
                       "%s does not work here: %s (by software a guest booted in %.0f ms)",
                       race_title(race), hardware->why, tcg->ms);
        return GB_ACCEL_TCG;
    }
    (void)gb_err_set(err, GB_EUNSUPPORTED,
                     "no guest boots on this host; under %s: %s; by software: %s", race_title(race),
                     hardware->why, tcg->why);
    return GB_ACCEL_UNKNOWN;
}

static void on_end(void *arg)
{
    struct race *race = arg;
    struct gb_err err = {0};
    enum gb_accel winner = judge(race, &err);

    if (winner != GB_ACCEL_UNKNOWN && race->known == GB_ACCEL_UNKNOWN)
        remember(race, winner);
    if (winner == GB_ACCEL_UNKNOWN)
        race->done(race->arg, GB_ACCEL_UNKNOWN, NULL, &err);
    else
        race->done(race->arg, winner, race->reason, NULL);
    free(race);
}

/* When both guests have ended. */
static void check_end(struct race *race)
{
    if (race->hardware.vm == NULL && race->tcg.vm == NULL)
        gb_loop_defer(race->host->loop, &race->end, on_end, race);
}

static void on_running(void *arg, const struct gb_hello *hello)
{
    struct runner *runner = arg;
    struct race *race = runner->race;

    (void)hello;
    runner->ms = gb_ns_to_ms(gb_vm_hello_ns(runner->vm) - gb_vm_started_ns(runner->vm));
    gb_vm_kill(runner->vm, NULL);
    /* Emulation coming first does not end the race: the hardware gets its full time. */
    if (gb_accel_is_hardware(runner->accel) && race->tcg.vm != NULL)
        gb_vm_kill(race->tcg.vm, NULL);
}

static void on_frame(void *arg, const struct gb_frame *frame)
{
    (void)arg;
    (void)frame;
}

static void on_dead(void *arg, const struct gb_err *why)
{
    struct runner *runner = arg;

    gb_vm_free(TAKE_PTR(runner->vm));
    (void)snprintf(runner->why, sizeof(runner->why), "%s", why->message);
    check_end(runner->race);
}

static void run(struct race *race, struct runner *runner, enum gb_accel accel, uint64_t limit_ms)
{
    static const struct gb_vm_events events = {on_running, on_frame, NULL, on_dead};
    struct gb_vm_config config = {
        .memory_mb = PROBE_MEMORY_MB,
        .ram = GB_RAM_ANONYMOUS,
        .boot_timeout_ms = limit_ms,
    };
    struct gb_err err = {0};

    runner->race = race;
    runner->accel = accel;
    if (vm_start(race->host, accel, &config, &events, runner, &runner->vm, &err) < 0)
        (void)snprintf(runner->why, sizeof(runner->why), "%s", err.message);
}

static bool hardware_opens(struct race *race)
{
    struct gb_err err = {0};
    int r = gb_system_open_accelerator(&err);

    if (r < 0)
        (void)snprintf(race->hardware.why, sizeof(race->hardware.why), "%s", err.message);
    return r == 0;
}

/* Whether there is anything to try. */
static bool hardware_fits(struct race *race)
{
    const struct gb_machine *machine = race->host->machine;

    if (gb_machine_can_use(machine, race->hardware.accel))
        return true;
    (void)snprintf(race->hardware.why, sizeof(race->hardware.why),
                   "guests of %s are emulated on a machine of %s", machine->architecture,
                   gb_machine_native()->architecture);
    return false;
}

void accel_find(struct gb_host *host, enum gb_accel wanted, bool anew, accel_done_fn *done,
                void *arg)
{
    struct race *race = xcalloc(1, sizeof(*race));

    race->host = host;
    race->wanted = wanted;
    race->hardware.accel = gb_accel_find(gb_system_accelerator());
    race->done = done;
    race->arg = arg;
    if (wanted == GB_ACCEL_TCG) {
        race->known = GB_ACCEL_TCG;
        (void)snprintf(race->reason, sizeof(race->reason), "it was requested");
    } else if (!hardware_fits(race) || !hardware_opens(race)) {
        /* Nothing to probe, and nothing to cache: it may exist next time. */
        if (wanted == GB_ACCEL_UNKNOWN)
            race->known = GB_ACCEL_TCG;
        (void)snprintf(race->reason, sizeof(race->reason), "%s", race->hardware.why);
    } else if (anew || !recall(race)) {
        run(race, &race->hardware, race->hardware.accel, HARDWARE_MS);
        if (wanted == GB_ACCEL_UNKNOWN)
            run(race, &race->tcg, GB_ACCEL_TCG, TCG_MS);
    }
    check_end(race);
}
