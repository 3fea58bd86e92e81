/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "vm/cpu.h"
#include "vm/private.h"
#include "vm/qmp.h"

enum { LIMIT_MS = 10000, VERSION_PART_MAX = 999, PACKAGE_MAX = 64 };

/* A QEMU that runs to answer. It has been asked everything when it has ended and both its sockets
 * have been read to their end. */
struct inspection {
    struct gb_loop *loop;
    char *qemu;
    struct inspected_qemu found;
    bool greeted, answered;
    struct gb_child *child;
    struct gb_stream *errors;
    struct qmp *qmp;
    struct gb_timer *timer;
    struct gb_deferred end;
    struct gb_buf last_words;
    bool exited;
    void (*done)(void *arg, const struct inspected_qemu *found, const struct gb_err *err);
    void *arg;
};

static bool read_part(const cJSON *version, const char *name, int *ret_number)
{
    const cJSON *part = cJSON_GetObjectItemCaseSensitive(version, name);

    if (!cJSON_IsNumber(part) || part->valuedouble < 0 || part->valuedouble > VERSION_PART_MAX)
        return false;
    *ret_number = part->valueint;
    return true;
}

bool inspect_read_greeting(const cJSON *greeting, struct inspected_qemu *found)
{
    const cJSON *version = cJSON_GetObjectItemCaseSensitive(greeting, "version");
    const cJSON *package = cJSON_GetObjectItemCaseSensitive(version, "package");
    const cJSON *numbers = cJSON_GetObjectItemCaseSensitive(version, "qemu");
    struct gb_buf text = {0};
    int major, minor, micro;

    if (!read_part(numbers, "major", &major) || !read_part(numbers, "minor", &minor) ||
        !read_part(numbers, "micro", &micro))
        return false;
    (void)snprintf(found->version, sizeof(found->version), "%d.%d.%d", major, minor, micro);
    if (cJSON_IsString(package))
        gb_escape(&text, gb_bytes_str(package->valuestring), PACKAGE_MAX);
    (void)snprintf(found->package, sizeof(found->package), "%s", gb_buf_str(&text));
    gb_buf_release(&text);
    return true;
}

static void start(struct inspection *inspection);

static void finish(void *arg)
{
    struct inspection *inspection = arg;
    struct gb_err err = {0};

    gb_timer_free(TAKE_PTR(inspection->timer));
    gb_child_free(TAKE_PTR(inspection->child));
    if (!inspection->answered && inspection->found.sandbox) {
        /* Perhaps it was built without -sandbox. */
        inspection->found = (struct inspected_qemu){0};
        inspection->greeted = inspection->exited = false;
        gb_buf_clear(&inspection->last_words);
        start(inspection);
        return;
    }
    if (!inspection->answered) {
        struct gb_buf line = {0};

        (void)tail_last_line(&line, gb_buf_bytes(&inspection->last_words));
        (void)gb_err_set(&err, GB_EUNSUPPORTED, "%s does not run: %s", inspection->qemu,
                         line.size > 0 ? gb_buf_str(&line) : "it does not answer as QEMU does");
        gb_buf_release(&line);
    }
    inspection->done(inspection->arg, inspection->answered ? &inspection->found : NULL,
                     inspection->answered ? NULL : &err);
    gb_buf_release(&inspection->last_words);
    free(inspection->qemu);
    free(inspection);
}

static void check_end(struct inspection *inspection)
{
    if (inspection->exited && inspection->errors == NULL && inspection->qmp == NULL)
        gb_loop_defer(inspection->loop, &inspection->end, finish, inspection);
}

static void on_exited(void *arg, int status, int signal)
{
    struct inspection *inspection = arg;

    (void)status; /* what it has answered counts */
    (void)signal;
    inspection->exited = true;
    check_end(inspection);
}

static void on_errors_closed(void *arg, int sys_errno)
{
    struct inspection *inspection = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(inspection->errors));
    check_end(inspection);
}

static void on_errors_input(void *arg, struct gb_buf *input)
{
    struct inspection *inspection = arg;

    tail_add(&inspection->last_words, gb_buf_bytes(input));
    gb_buf_clear(input);
}

static void on_limit(void *arg)
{
    struct inspection *inspection = arg;

    gb_child_signal(inspection->child, SIGKILL);
}

static void on_greeting(void *arg, const cJSON *greeting)
{
    struct inspection *inspection = arg;

    inspection->greeted = inspect_read_greeting(greeting, &inspection->found);
}

static void on_quit(void *arg, const cJSON *value, const struct gb_err *err)
{
    (void)arg; /* its end is what is waited for */
    (void)value;
    (void)err;
}

static void on_properties(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct inspection *inspection = arg;

    inspection->answered =
        err == NULL && inspection->greeted && cpu_read_known(value, &inspection->found.cpu_known);
    if (inspection->answered)
        qmp_execute(inspection->qmp, "quit", NULL, -1, on_quit, inspection);
    else
        gb_child_signal(inspection->child, SIGKILL); /* whatever it is, it is no QEMU of use */
}

static void on_ready(void *arg)
{
    struct inspection *inspection = arg;
    cJSON *arguments = cJSON_CreateObject();

    (void)cJSON_AddStringToObject(arguments, "typename", CPU_PROPERTIES_TYPE);
    qmp_execute(inspection->qmp, "qom-list-properties", arguments, -1, on_properties, inspection);
}

static void on_event(void *arg, const char *name, const cJSON *data)
{
    (void)arg;
    (void)name;
    (void)data;
}

static void on_qmp_closed(void *arg, const struct gb_err *err)
{
    struct inspection *inspection = arg;

    qmp_free(TAKE_PTR(inspection->qmp));
    if (err != NULL)
        gb_child_signal(inspection->child, SIGKILL);
    check_end(inspection);
}

/* Takes the sockets' other ends, which the child has copies of. */
static void listen_to(struct inspection *inspection, int errors, int monitor)
{
    static const struct gb_stream_events error_events = {.input = on_errors_input,
                                                         .closed = on_errors_closed};
    static const struct qmp_events events = {on_ready, on_event, on_qmp_closed, on_greeting};

    inspection->errors =
        gb_stream_new(inspection->loop, errors, TAIL_MAX, &error_events, inspection);
    inspection->qmp = qmp_new(inspection->loop, monitor, &events, inspection);
    inspection->timer = gb_timer_new(inspection->loop, on_limit, inspection);
    gb_timer_start(inspection->timer, LIMIT_MS);
}

static void start(struct inspection *inspection)
{
    char sandbox[] = "-sandbox";
    char *argv[] = {
        inspection->qemu,
        (char[]){"-M"},
        (char[]){"none"},
        (char[]){"-nodefaults"},
        (char[]){"-no-user-config"},
        (char[]){"-display"},
        (char[]){"none"},
        (char[]){"-chardev"},
        (char[]){"socket,id=qmp,fd=3"},
        (char[]){"-mon"},
        (char[]){"chardev=qmp,mode=control"},
        inspection->found.sandbox ? sandbox : NULL,
        (char[]){QEMU_SANDBOX},
        NULL,
    };
    struct gb_child_config child = {
        .file = inspection->qemu, .argv = argv, .fds = {-1, -1}, .fd_count = 4};
    _cleanup_(closep) int errors = -1, monitor = -1;
    int pairs[2][2] = {{-1, -1}, {-1, -1}};
    struct gb_err err = {0};
    int r = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[0]) < 0 ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pairs[1]) < 0)
        r = gb_err_sys(&err, errno, "cannot make sockets for QEMU");
    errors = pairs[0][0];
    monitor = pairs[1][0];
    child.fds[2] = pairs[0][1];
    child.fds[3] = pairs[1][1];
    if (r == 0)
        r = gb_child_start(inspection->loop, &child, on_exited, inspection, &inspection->child,
                           &err);
    (void)gb_close(pairs[0][1]);
    (void)gb_close(pairs[1][1]);
    if (r == 0) {
        listen_to(inspection, TAKE_FD(errors), TAKE_FD(monitor));
        return;
    }
    gb_buf_adds(&inspection->last_words, err.message);
    gb_loop_defer(inspection->loop, &inspection->end, finish, inspection);
}

void inspect_qemu(struct gb_loop *loop, const char *qemu,
                  void (*done)(void *arg, const struct inspected_qemu *found,
                               const struct gb_err *err),
                  void *arg)
{
    struct inspection *inspection = xcalloc(1, sizeof(*inspection));

    inspection->loop = loop;
    inspection->qemu = xstrdup(qemu);
    inspection->found.sandbox = true;
    inspection->done = done;
    inspection->arg = arg;
    start(inspection);
}

#if defined(__x86_64__)
/* Both clocks at one moment: the closest of a few pairs. */
void inspect_tsc_start(struct inspect_tsc *ret)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < 8; i++) {
        uint64_t before = __builtin_ia32_rdtsc();
        uint64_t ns = gb_clock_mono_ns();
        uint64_t after = __builtin_ia32_rdtsc();

        if (after - before >= best)
            continue;
        best = after - before;
        ret->ns = ns;
        ret->ticks = before + best / 2;
    }
}

uint32_t inspect_tsc_khz(const struct inspect_tsc *begin)
{
    struct inspect_tsc now;
    uint64_t khz;

    inspect_tsc_start(&now);
    if (now.ns <= begin->ns || now.ticks <= begin->ticks)
        return 0;
    /* Ticks a second fit 64 bits times a second or so of nanoseconds. */
    khz = (uint64_t)((double)(now.ticks - begin->ticks) * 1e6 / (double)(now.ns - begin->ns) + 0.5);
    return khz < UINT32_MAX ? (uint32_t)khz : 0;
}
#else
void inspect_tsc_start(struct inspect_tsc *ret)
{
    *ret = (struct inspect_tsc){0};
}

uint32_t inspect_tsc_khz(const struct inspect_tsc *begin)
{
    (void)begin;
    return 0;
}
#endif

/* ---- the machine ---- */

enum { CPUINFO_MAX = 32 * 1024, FEATURES_MAX = 1024, SMALL_FILE_MAX = 256 };

/* The value in a line "KEY<tab>…: VALUE" of the first processor; size 0 when there is none. */
static struct gb_bytes find_value(struct gb_bytes cpuinfo, const char *key)
{
    const uint8_t *end = cpuinfo.data + cpuinfo.size, *line = cpuinfo.data;
    size_t length = strlen(key);

    while (line < end && *line != '\n') { /* an empty line ends a processor */
        const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));
        const uint8_t *stop = newline != NULL ? newline : end;
        const uint8_t *colon = memchr(line, ':', (size_t)(stop - line));

        if (colon != NULL && (size_t)(colon - line) > length && memcmp(line, key, length) == 0 &&
            line[length] == '\t') {
            colon += colon + 1 < stop && colon[1] == ' ' ? 2 : 1;
            return (struct gb_bytes){colon, (size_t)(stop - colon)};
        }
        line = newline != NULL ? newline + 1 : end;
    }
    return (struct gb_bytes){0};
}

static int compare_words(const void *a, const void *b)
{
    const struct gb_bytes *one = a, *other = b;
    int order = memcmp(one->data, other->data, MIN(one->size, other->size));

    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

/* A digest of the words of @list, whatever their order. */
static void add_digest(struct gb_buf *text, struct gb_bytes list)
{
    struct gb_bytes *words = xcalloc(FEATURES_MAX, sizeof(*words));
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    size_t count = 0;

    for (size_t i = 0; i < list.size && count < FEATURES_MAX;) {
        size_t begin;

        while (i < list.size && list.data[i] == ' ')
            i++;
        begin = i;
        while (i < list.size && list.data[i] != ' ')
            i++;
        if (i > begin)
            words[count++] = (struct gb_bytes){list.data + begin, i - begin};
    }
    qsort(words, count, sizeof(*words), compare_words);
    sha256_init(&sha);
    for (size_t i = 0; i < count; i++) {
        sha256_update(&sha, words[i].size, words[i].data);
        sha256_update(&sha, 1, (const uint8_t *)" ");
    }
    sha256_digest(&sha, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest) / 2; i++)
        gb_buf_addf(text, "%02x", digest[i]);
    free(words);
}

void inspect_add_processor(struct gb_buf *text, struct gb_bytes cpuinfo, bool features)
{
    /* One that differs in any of these may show a guest another processor. */
    static const char *const facts[] = {"vendor_id", "cpu family", "model",
                                        "stepping",  "microcode",  "address sizes"};
    static const char *const lists[] = {"flags", "vmx flags"};
    struct gb_bytes name = find_value(cpuinfo, "model name");

    gb_buf_add(text, name.data, name.size);
    if (!features)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        struct gb_bytes value = find_value(cpuinfo, facts[i]);

        gb_buf_addf(text, ", %s ", facts[i]);
        gb_buf_add(text, value.data, value.size);
    }
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        gb_buf_addf(text, ", %s ", lists[i]);
        add_digest(text, find_value(cpuinfo, lists[i]));
    }
}

void inspect_add_nested(struct gb_buf *text, const char *folder)
{
    static const char *const modules[] = {"kvm_amd", "kvm_intel"};

    for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
        _cleanup_(freep) char *path = xasprintf("%s/%s/parameters/nested", folder, modules[i]);
        struct gb_buf value = {0};

        if (gb_fd_read_file(path, SMALL_FILE_MAX, &value, NULL) == 0)
            gb_buf_addf(text, ", %s nested %.*s", modules[i],
                        (int)strcspn(gb_buf_str(&value), "\n"), gb_buf_str(&value));
        gb_buf_release(&value);
    }
}

char *inspect_machine(bool features)
{
    _cleanup_(closep) int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    char *cpuinfo = xmalloc(CPUINFO_MAX);
    ssize_t n = fd >= 0 ? gb_fd_read_full(fd, cpuinfo, CPUINFO_MAX) : 0;
    struct utsname name = {0};
    struct gb_buf text = {0};

    (void)uname(&name); /* fails for a bad address only */
    gb_buf_addf(&text, "Linux %s, ", name.release);
    inspect_add_processor(&text, (struct gb_bytes){(uint8_t *)cpuinfo, n > 0 ? (size_t)n : 0},
                          features);
    if (features)
        inspect_add_nested(&text, "/sys/module");
    free(cpuinfo);
    return gb_buf_take_str(&text);
}

char *inspect_boot(void)
{
    struct gb_buf text = {0};

    if (gb_fd_read_file("/proc/sys/kernel/random/boot_id", SMALL_FILE_MAX, &text, NULL) < 0)
        gb_buf_clear(&text);
    while (text.size > 0 && gb_buf_data(&text)[text.size - 1] == '\n')
        text.size--;
    return gb_buf_take_str(&text);
}
