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
#include "vm/inspect.h"
#include "vm/private.h"

enum { CACHE_MAX = 16 * 1024, KVM_MS = 5000, TCG_MS = 60000, PROBE_MEMORY_MB = 128, FORMAT = 1 };

struct race;

/* One guest. */
struct runner {
    struct race *race;
    enum gb_accel accel;
    struct gb_vm *vm; /* NULL: dead, or never started */
    char why[GB_ERR_MESSAGE_MAX];
};

struct race {
    struct gb_host *host;
    enum gb_accel wanted, winner;
    struct runner kvm, tcg;
    char reason[2 * GB_ERR_MESSAGE_MAX];
    bool remembered;
    struct gb_deferred end;
    accel_done_fn *done;
    void *arg;
};

static char *cache_path(const struct gb_host *host)
{
    return xasprintf("%s/accel.json", host->cache);
}

static char *cache_key(const struct gb_host *host)
{
    _cleanup_(freep) char *machine = inspect_machine();

    return xasprintf("%s; QEMU %s at %s; kernel %s; initramfs %s", machine, host->qemu_version,
                     host->qemu, host->images->kernel_sha256, host->images->initramfs_sha256);
}

enum gb_accel accel_parse(struct gb_bytes text, const char *key, char **ret_reason)
{
    cJSON *json =
        text.size <= CACHE_MAX ? cJSON_ParseWithLength((const char *)text.data, text.size) : NULL;
    const cJSON *format = cJSON_GetObjectItemCaseSensitive(json, "format");
    const cJSON *had = cJSON_GetObjectItemCaseSensitive(json, "key");
    const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "accel");
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(json, "reason");
    enum gb_accel accel = GB_ACCEL_UNKNOWN;

    if (cJSON_IsNumber(format) && format->valuedouble == FORMAT && cJSON_IsString(had) &&
        strcmp(had->valuestring, key) == 0 && cJSON_IsString(name) && cJSON_IsString(reason)) {
        for (unsigned i = GB_ACCEL_KVM; i < GB_ACCEL_COUNT; i++) {
            if (strcmp(name->valuestring, gb_accel_name(i)) == 0)
                accel = i;
        }
        if (accel != GB_ACCEL_UNKNOWN)
            *ret_reason = xstrdup(reason->valuestring);
    }
    cJSON_Delete(json);
    return accel;
}

static void remember(const struct race *race)
{
    _cleanup_(freep) char *path = cache_path(race->host);
    _cleanup_(freep) char *key = cache_key(race->host);
    cJSON *json = cJSON_CreateObject();
    struct gb_err err = {0};
    char *text;

    (void)cJSON_AddNumberToObject(json, "format", FORMAT);
    (void)cJSON_AddStringToObject(json, "key", key);
    (void)cJSON_AddStringToObject(json, "accel", gb_accel_name(race->winner));
    (void)cJSON_AddStringToObject(json, "reason", race->reason);
    text = cJSON_Print(json);
    if (text == NULL)
        abort(); /* no memory for a few bytes */
    if (gb_fd_replace_file(path, gb_bytes_str(text), 0600, &err) < 0)
        gb_warning("the accelerator is not remembered: %s", err.message);
    cJSON_free(text);
    cJSON_Delete(json);
}

static void on_end(void *arg)
{
    struct race *race = arg;
    struct gb_err err = {0};

    if (race->winner == GB_ACCEL_UNKNOWN) {
        (void)gb_err_set(&err, GB_EUNSUPPORTED, "no guest boots on this host: %s",
                         race->reason[0] != '\0' ? race->reason : race->tcg.why);
    } else if (race->wanted == GB_ACCEL_KVM && race->winner != GB_ACCEL_KVM) {
        (void)gb_err_set(&err, GB_EUNSUPPORTED, "KVM was asked for and does not work: %s",
                         race->reason);
    }
    if (err.code != GB_OK)
        race->done(race->arg, GB_ACCEL_UNKNOWN, NULL, &err);
    else
        race->done(race->arg, race->winner, race->reason, NULL);
    free(race);
}

/* When both guests are gone. */
static void check_end(struct race *race)
{
    if (race->kvm.vm != NULL || race->tcg.vm != NULL)
        return;
    if (race->winner != GB_ACCEL_UNKNOWN && !race->remembered)
        remember(race);
    gb_loop_defer(race->host->loop, &race->end, on_end, race);
}

static void on_running(void *arg, const struct gb_hello *hello)
{
    struct runner *runner = arg;
    struct race *race = runner->race;
    double ms = gb_ns_to_ms(gb_vm_hello_ns(runner->vm) - gb_vm_started_ns(runner->vm));

    (void)hello;
    if (race->winner == GB_ACCEL_UNKNOWN) {
        race->winner = runner->accel;
        if (runner->accel == GB_ACCEL_KVM)
            (void)snprintf(race->reason, sizeof(race->reason),
                           "a guest booted under KVM in %.0f ms", ms);
        else if (race->kvm.vm != NULL)
            (void)snprintf(
                race->reason, sizeof(race->reason),
                "/dev/kvm opens, but a guest booted by software in %.0f ms while it hung "
                "under KVM",
                ms);
        else
            (void)snprintf(race->reason, sizeof(race->reason), "KVM does not work here: %s",
                           race->kvm.why);
    }
    if (race->kvm.vm != NULL)
        gb_vm_kill(race->kvm.vm, NULL);
    if (race->tcg.vm != NULL)
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

/* True with an answer in @race. */
static bool recall(struct race *race)
{
    _cleanup_(freep) char *path = cache_path(race->host);
    _cleanup_(freep) char *key = cache_key(race->host);
    _cleanup_(freep) char *reason = NULL;
    struct gb_buf text = {0};

    if (gb_fd_read_file(path, CACHE_MAX, &text, NULL) == 0)
        race->winner = accel_parse(gb_buf_bytes(&text), key, &reason);
    gb_buf_release(&text);
    if (race->winner == GB_ACCEL_UNKNOWN)
        return false;
    (void)snprintf(race->reason, sizeof(race->reason), "%s", reason);
    race->remembered = true;
    return true;
}

static bool kvm_opens(struct race *race)
{
    _cleanup_(closep) int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        (void)snprintf(race->kvm.why, sizeof(race->kvm.why), "/dev/kvm: %s", strerror(errno));
    return fd >= 0;
}

void accel_find(struct gb_host *host, enum gb_accel wanted, accel_done_fn *done, void *arg)
{
    struct race *race = xcalloc(1, sizeof(*race));

    race->host = host;
    race->wanted = wanted;
    race->done = done;
    race->arg = arg;
    if (wanted == GB_ACCEL_TCG) {
        race->winner = GB_ACCEL_TCG;
        race->remembered = true;
        (void)snprintf(race->reason, sizeof(race->reason), "it was asked for");
    } else if (!kvm_opens(race)) {
        /* Nothing to find out, and nothing to remember: it may be there the next time. */
        race->winner = GB_ACCEL_TCG;
        race->remembered = true;
        (void)snprintf(race->reason, sizeof(race->reason), "%s", race->kvm.why);
    } else if (!recall(race)) {
        run(race, &race->kvm, GB_ACCEL_KVM, KVM_MS);
        run(race, &race->tcg, GB_ACCEL_TCG, TCG_MS);
    }
    check_end(race);
}
