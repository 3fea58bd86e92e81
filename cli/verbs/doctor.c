/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell doctor: what works on this host, what does not, and how to fix it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/app.h"
#include "client/dial.h"
#include "guard/guard.h"
#include "platform/budget.h"
#include "platform/system.h"
#include "rpc/access.h"
#include "rpc/address.h"
#include "settings/settings.h"
#include "show/words.h"
#include "verbs/options.h"
#include "verbs/verbs.h"
#include "vm/host.h"

enum { NOFILE_WANTED = 4096, MEMORY_WANTED_MB = 512, FILE_LIMIT = 65536 };

enum verdict { VERDICT_GOOD, VERDICT_WEAK, VERDICT_BAD };

struct doctor {
    struct app app;
    struct gb_json_out json;
    struct gb_buf json_text;
    bool as_json, colours, done;
    bool bad;             /* something essential is missing */
    struct gb_host *host; /* NULL: unavailable */
};

/* A finding: a line for people, or a JSON object. */
static void doctor_find(struct doctor *doctor, enum verdict verdict, const char *what,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

static void doctor_find(struct doctor *doctor, enum verdict verdict, const char *what,
                        const char *format, ...)
{
    static const char *const words[] = {"ok", "weak", "missing"};
    static const char *const colours[] = {"\033[32m", "\033[33m", "\033[31m"};
    struct gb_buf text = {0}, shown = {0};
    va_list args;

    va_start(args, format);
    gb_buf_vaddf(&text, format, args);
    va_end(args);
    /* Paths and the version strings of programs may contain anything. */
    doctor->bad = doctor->bad || verdict == VERDICT_BAD;
    if (doctor->as_json) {
        gb_json_object(&doctor->json, NULL);
        gb_json_put_str(&doctor->json, "what", what);
        gb_json_put_str(&doctor->json, "verdict", words[verdict]);
        gb_json_put(&doctor->json, "text", gb_buf_bytes(&text));
        gb_json_end(&doctor->json);
    } else {
        gb_escape(&shown, gb_buf_bytes(&text), SIZE_MAX);
        (void)printf("%s%-8s%s%-18s %s\n", doctor->colours ? colours[verdict] : "", words[verdict],
                     doctor->colours ? "\033[0m" : "", what, gb_buf_str(&shown));
    }
    gb_buf_release(&text);
    gb_buf_release(&shown);
}

static void doctor_find_limits(struct doctor *doctor)
{
    struct rlimit files;
    uint64_t available_mb = gb_system_memory_available() >> 20;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        doctor_find(
            doctor, files.rlim_max >= NOFILE_WANTED ? VERDICT_GOOD : VERDICT_WEAK, "open files",
            "up to %llu can be open at once%s", (unsigned long long)files.rlim_max,
            files.rlim_max >= NOFILE_WANTED ? "" : "; each VM needs about 10: raise `ulimit -Hn`");
    if (gb_system_limits_groups())
        doctor_find(doctor, VERDICT_GOOD, "cgroup", "version 2");
    else
        doctor_find(
            doctor, VERDICT_WEAK, "cgroup",
            "not version 2: the kernel cannot limit each VM's processor time and memory by itself");
    if (available_mb > 0)
        doctor_find(doctor, available_mb >= MEMORY_WANTED_MB ? VERDICT_GOOD : VERDICT_WEAK,
                    "memory", "%llu MiB are free%s", (unsigned long long)available_mb,
                    available_mb >= MEMORY_WANTED_MB ? "" : "; a VM needs about 200 MiB at first");
}

/* How many VMs there is capacity for, by the settings that a server would read. */
static void doctor_find_room(struct doctor *doctor, const struct gb_settings *settings)
{
    const struct gb_settings_admission *wanted = &settings->admission;
    struct gb_budget *budget = gb_budget_new("");
    struct gb_budget_reading reading;
    char memory[32];
    uint64_t most;

    gb_budget_read(budget, &reading);
    gb_budget_free(budget);
    most = wanted->memory_bytes > 0
               ? wanted->memory_bytes
               : reading.memory_limit - MIN(reading.memory_limit, wanted->reserve_bytes);
    words_size(memory, sizeof(memory), (double)most);
    doctor_find(doctor, most > 0 ? VERDICT_GOOD : VERDICT_WEAK, "room",
                "%s of memory for VMs (%s), %.4g CPUs (%s)%s", memory,
                wanted->memory_bytes > 0  ? "by the settings"
                : reading.memory_by_group ? "by the control group"
                                          : "by the host",
                wanted->cpus > 0 ? wanted->cpus : reading.cpus,
                wanted->cpus > 0        ? "by the settings"
                : reading.cpus_by_group ? "by the control group"
                                        : "by the host",
                most > 0 ? "" : ": less than the reserve, so no VM can be started");
}

static void doctor_find_settings(struct doctor *doctor)
{
    struct gb_settings settings;
    struct gb_err err = {0};

    if (gb_settings_load(NULL, &settings, &err) < 0) {
        doctor_find(doctor, VERDICT_BAD, "settings", "%s", err.message);
        return;
    }
    doctor_find(doctor, VERDICT_GOOD, "settings", "%s",
                settings.path != NULL ? settings.path
                                      : "there is no file: all options have their defaults");
    doctor_find_room(doctor, &settings);
    gb_settings_release(&settings);
}

static void doctor_find_server(struct doctor *doctor, const struct args *args)
{
    _cleanup_(freep) char *path = gb_socket_path(args_value(args, "socket"));
    const struct gb_dial_config config = {.socket = path};
    struct gb_dialled dialled;
    struct gb_err err = {0};

    if (gb_dial(&config, &dialled, &err) == 0) {
        doctor_find(doctor, VERDICT_GOOD, "server", "listens at %s", path);
        (void)gb_close(dialled.fd);
    } else if (err.code == GB_ENOTFOUND) {
        doctor_find(doctor, VERDICT_GOOD, "server",
                    "none listens at %s; the first client starts one", path);
    } else {
        doctor_find(doctor, VERDICT_BAD, "server", "%s", err.message);
    }
}

static void doctor_find_isolation(struct doctor *doctor, const struct gb_host *host)
{
    uint32_t wanted = gb_guard_wanted();

    for (unsigned bit = 0; bit < GB_GUARD_STAGE_COUNT; bit++) {
        enum gb_guard_stage stage = (enum gb_guard_stage)(1u << bit);
        char what[64];

        if ((wanted & (1u << bit)) == 0)
            continue;
        (void)snprintf(what, sizeof(what), "%s", gb_guard_name(stage));
        if ((host->guard_stages & (1u << bit)) != 0)
            doctor_find(doctor, VERDICT_GOOD, what, "%s", gb_guard_sentence(stage));
        else
            doctor_find(doctor, VERDICT_WEAK, what, "cannot be applied here; it would give: %s",
                        gb_guard_sentence(stage));
    }
}

static void doctor_find_images(struct doctor *doctor, struct gb_host *host)
{
    for (size_t i = 0; i < host->images->count; i++) {
        struct gb_image *image = &host->images->images[i];
        struct gb_err err = {0};
        char what[64], size[32];

        (void)snprintf(what, sizeof(what), "image %.40s", image->name);
        words_size(size, sizeof(size), (double)image->size);
        if (gb_image_verify(host->images, image, &err) < 0)
            doctor_find(doctor, VERDICT_BAD, what, "%s", err.message);
        else
            doctor_find(doctor, VERDICT_GOOD, what, "%s, %s, sha256 %s", image->language, size,
                        image->sha256);
    }
    if (host->images->count == 0)
        doctor_find(doctor, VERDICT_BAD, "images",
                    "there are none in %s; `glassbell image build` makes them",
                    host->images->directory);
}

/* "a, b, c". */
static void doctor_add_names(struct gb_buf *text, const struct gb_cpu_feature *features,
                             size_t count)
{
    for (size_t i = 0; i < count; i++)
        gb_buf_addf(text, "%s%s", i > 0 ? ", " : "", features[i].name);
}

static void doctor_put_features(struct gb_json_out *json, const char *key,
                                const struct gb_cpu_feature *features, size_t count)
{
    gb_json_array(json, key);
    for (size_t i = 0; i < count; i++) {
        gb_json_object(json, NULL);
        gb_json_put_str(json, "name", features[i].name);
        gb_json_put_str(json, "why", features[i].why);
        gb_json_end(json);
    }
    gb_json_end(json);
}

/* The version of QEMU, and the workarounds for it. */
static void doctor_find_qemu(struct doctor *doctor, const struct gb_host *host)
{
    struct gb_buf text = {0};
    struct gb_cpu cpu;

    gb_host_describe_cpu(host, &cpu);
    doctor_find(doctor, VERDICT_GOOD, "qemu", "%s%s%s%s at %s%s", host->qemu_version,
                host->qemu_package[0] != '\0' ? " (" : "", host->qemu_package,
                host->qemu_package[0] != '\0' ? ")" : "", host->qemu,
                host->qemu_sandbox ? "" : "; it was built without -sandbox, so that goes without");
    gb_buf_addf(&text, "guests are shown \"%s\" without ", cpu.model);
    doctor_add_names(&text, cpu.off, cpu.off_count);
    if (cpu.unknown_count > 0) {
        gb_buf_addf(&text, "; QEMU %s knows no ", host->qemu_version);
        doctor_add_names(&text, cpu.unknown, cpu.unknown_count);
    }
    doctor_find(doctor, VERDICT_GOOD, "processor", "%s", gb_buf_str(&text));
    gb_buf_release(&text);
}

/* The same for programs, after the findings. */
static void doctor_put_qemu(struct gb_json_out *json, const struct gb_host *host)
{
    struct gb_cpu cpu;

    gb_host_describe_cpu(host, &cpu);
    gb_json_object(json, "qemu");
    gb_json_put_str(json, "path", host->qemu);
    gb_json_put_str(json, "version", host->qemu_version);
    gb_json_put_str(json, "package", host->qemu_package);
    gb_json_put_bool(json, "sandbox", host->qemu_sandbox);
    gb_json_put_str(json, "cpu", cpu.model);
    doctor_put_features(json, "cpu_without", cpu.off, cpu.off_count);
    doctor_put_features(json, "cpu_unknown", cpu.unknown, cpu.unknown_count);
    gb_json_end(json);
}

static void doctor_on_host(void *arg, struct gb_host *host, const struct gb_err *err)
{
    struct doctor *doctor = arg;

    doctor->done = true;
    if (err != NULL) {
        doctor_find(doctor, VERDICT_BAD, "host", "%s", err->message);
        return;
    }
    doctor_find(doctor, VERDICT_GOOD, "guests", "of %s, on QEMU's machine %s",
                host->machine->architecture, host->machine->name);
    doctor_find(doctor, host->accel == GB_ACCEL_TCG ? VERDICT_WEAK : VERDICT_GOOD, "accelerator",
                "%s: %s%s", gb_accel_name(host->accel), host->accel_reason,
                host->accel == GB_ACCEL_TCG ? "; emulation is not a security boundary" : "");
    doctor_find_qemu(doctor, host);
    doctor_find(doctor, VERDICT_GOOD, "firmware", "%s",
                host->firmware != NULL ? host->firmware : "none: QEMU starts the kernel itself");
    doctor_find(doctor, VERDICT_GOOD, "launcher", "%s", host->launcher);
    doctor_find(doctor, VERDICT_GOOD, "checkpoints", "changed memory is found by %s%s",
                gb_memory_way_name(host->tracking),
                host->tracking == GB_MEMORY_BY_CONTENT
                    ? ", which takes longer the more a session has used; Linux 6.7 has a faster way"
                    : "");
    doctor_find_isolation(doctor, host);
    doctor_find_images(doctor, host);
    doctor->host = host;
}

static int doctor_run(const struct args *args)
{
    _cleanup_(freep) char *run = gb_path_runtime();
    _cleanup_(freep) char *mine = xasprintf("%s/doctor", run);
    _cleanup_(freep) char *cache = gb_path_cache();
    const struct gb_host_config config = {
        .images = args_value(args, "images"), .run = mine, .cache = cache, .probe_anew = true};
    const char *no_colour = getenv("NO_COLOR");
    struct doctor doctor = {.as_json = args_has(args, "json")};

    if (args->word_count > 0)
        return app_wrong_use(args, "doctor takes no names");
    doctor.colours = isatty(STDOUT_FILENO) != 0 && (no_colour == NULL || no_colour[0] == '\0');
    doctor.json.buf = &doctor.json_text;
    if (doctor.as_json) {
        gb_json_object(&doctor.json, NULL);
        gb_json_put_str(&doctor.json, "version", GB_VERSION);
        gb_json_array(&doctor.json, "findings");
    }
    app_open_loop(&doctor.app);
    gb_host_open(doctor.app.loop, &config, doctor_on_host, &doctor);
    while (!doctor.done)
        app_turn(&doctor.app);
    (void)uv_run(doctor.app.uv, UV_RUN_DEFAULT);
    doctor_find_limits(&doctor);
    doctor_find_settings(&doctor);
    doctor_find_server(&doctor, args);
    if (doctor.as_json) {
        gb_json_end(&doctor.json);
        if (doctor.host != NULL)
            doctor_put_qemu(&doctor.json, doctor.host);
        gb_json_put_bool(&doctor.json, "usable", !doctor.bad);
        gb_json_end(&doctor.json);
        json_make_visible(&doctor.json_text, 0);
        gb_buf_adds(&doctor.json_text, "\n");
        (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&doctor.json_text),
                               doctor.json_text.size);
        gb_buf_release(&doctor.json_text);
    }
    gb_host_free(doctor.host);
    app_close(&doctor.app);
    return doctor.bad ? 1 : 0;
}

static const struct option doctor_options[] = {
    OPTION_JSON,
    {.name = "images",
     .value = "FOLDER",
     .kind = ARG_FILE,
     .help = "folder of the images (default: $GLASSBELL_IMAGES)"},
    {.name = "socket", .value = "PATH", .kind = ARG_FILE, .help = "the server's socket"},
    {0},
};

const struct verb verb_doctor = {
    .name = "doctor",
    .summary = "check what works on this host and what is missing",
    .usage = "[--json]",
    .options = doctor_options,
    .words = ARG_NONE,
    .examples = "  glassbell doctor\n",
    .run = doctor_run,
};
