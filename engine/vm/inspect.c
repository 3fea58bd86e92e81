#include "vm/inspect.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "vm/private.h"

enum { OUTPUT_MAX = 16 * 1024, LIMIT_MS = 10000 };

struct inspection {
    struct gb_loop *loop;
    char *qemu;
    bool sandbox; /* asked for in this run */
    struct gb_child *child;
    struct gb_stream *stream;
    struct gb_timer *timer;
    struct gb_deferred end;
    struct gb_buf output;
    bool exited;
    int status;
    void (*done)(void *arg, const char *version, bool sandbox, const struct gb_err *err);
    void *arg;
};

bool inspect_parse_banner(struct gb_bytes text, char version[32])
{
    static const char before[] = "QEMU ";
    const uint8_t *at =
        text.size > 0 ? memmem(text.data, text.size, before, sizeof(before) - 1) : NULL;
    size_t size = 0, rest;

    if (at == NULL)
        return false;
    at += sizeof(before) - 1;
    rest = text.size - (size_t)(at - text.data);
    while (size < rest && size < 31 && (isdigit(at[size]) || at[size] == '.'))
        size++;
    if (size == 0 || size == rest || !isdigit(at[0]))
        return false;
    memcpy(version, at, size);
    version[size] = '\0';
    return true;
}

static void start(struct inspection *inspection);

static void finish(struct inspection *inspection)
{
    char version[32];
    struct gb_err err = {0};
    bool known =
        inspection->status == 0 && inspect_parse_banner(gb_buf_bytes(&inspection->output), version);

    gb_timer_free(TAKE_PTR(inspection->timer));
    gb_child_free(TAKE_PTR(inspection->child));
    if (!known && inspection->sandbox) {
        /* Perhaps it was built without -sandbox. */
        inspection->sandbox = false;
        inspection->exited = false;
        gb_buf_clear(&inspection->output);
        start(inspection);
        return;
    }
    if (!known) {
        struct gb_buf line = {0};

        (void)tail_last_line(&line, gb_buf_bytes(&inspection->output));
        (void)gb_err_set(&err, GB_EUNSUPPORTED, "%s does not run: %s", inspection->qemu,
                         gb_buf_str(&line));
        gb_buf_release(&line);
    }
    inspection->done(inspection->arg, known ? version : NULL, inspection->sandbox,
                     known ? NULL : &err);
    gb_buf_release(&inspection->output);
    free(inspection->qemu);
    free(inspection);
}

static void on_exited(void *arg, int status, int signal)
{
    struct inspection *inspection = arg;

    inspection->exited = true;
    inspection->status = signal != 0 ? 128 + signal : status;
    if (inspection->stream == NULL)
        finish(inspection);
}

static void on_closed(void *arg, int sys_errno)
{
    struct inspection *inspection = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(inspection->stream));
    if (inspection->exited)
        finish(inspection);
}

static void on_input(void *arg, struct gb_buf *input)
{
    struct inspection *inspection = arg;

    if (!gb_buf_try_add(&inspection->output, gb_buf_data(input), input->size, OUTPUT_MAX))
        gb_child_signal(inspection->child, SIGKILL); /* whatever it is, it is not QEMU */
    gb_buf_clear(input);
}

static void on_limit(void *arg)
{
    struct inspection *inspection = arg;

    gb_child_signal(inspection->child, SIGKILL);
}

static void on_cannot_start(void *arg)
{
    finish(arg);
}

static void start(struct inspection *inspection)
{
    static const struct gb_stream_events events = {on_input, on_closed, NULL};
    static const char quit[] = "quit\n";
    char *argv[] = {
        inspection->qemu,        (char[]){"-M"},         (char[]){"none"},
        (char[]){"-nodefaults"}, (char[]){"-display"},   (char[]){"none"},
        (char[]){"-monitor"},    (char[]){"stdio"},      (char[]){"-no-user-config"},
        (char[]){"-sandbox"},    (char[]){QEMU_SANDBOX}, NULL,
    };
    struct gb_child_config child = {.file = inspection->qemu, .argv = argv, .fd_count = 3};
    struct gb_err err = {0};
    int pair[2];
    int r;

    if (!inspection->sandbox)
        argv[9] = NULL;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        inspection->status = 255;
        gb_loop_defer(inspection->loop, &inspection->end, on_cannot_start, inspection);
        return;
    }
    child.fds[0] = child.fds[1] = child.fds[2] = pair[1];
    r = gb_child_start(inspection->loop, &child, on_exited, inspection, &inspection->child, &err);
    (void)gb_close(pair[1]);
    if (r < 0) {
        (void)gb_close(pair[0]);
        gb_buf_adds(&inspection->output, err.message);
        inspection->status = 255;
        gb_loop_defer(inspection->loop, &inspection->end, on_cannot_start, inspection);
        return;
    }
    inspection->stream = gb_stream_new(inspection->loop, pair[0], 4096, &events, inspection);
    gb_stream_send(inspection->stream, quit, sizeof(quit) - 1);
    inspection->timer = gb_timer_new(inspection->loop, on_limit, inspection);
    gb_timer_start(inspection->timer, LIMIT_MS);
}

void inspect_qemu(struct gb_loop *loop, const char *qemu,
                  void (*done)(void *arg, const char *version, bool sandbox,
                               const struct gb_err *err),
                  void *arg)
{
    struct inspection *inspection = xcalloc(1, sizeof(*inspection));

    inspection->loop = loop;
    inspection->qemu = xstrdup(qemu);
    inspection->sandbox = true;
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

char *inspect_machine(void)
{
    enum { PIECE = 4096 }; /* the first CPU's lines; the others are like it */
    static const char key[] = "\nmodel name\t: ";
    _cleanup_(closep) int fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    char text[PIECE + 1] = "";
    struct utsname name = {0};
    const char *model = NULL;
    ssize_t n = fd >= 0 ? gb_fd_read_full(fd, text, PIECE) : 0;

    text[n > 0 ? n : 0] = '\0';
    model = strstr(text, key);
    model = model != NULL ? model + sizeof(key) - 1 : "";
    (void)uname(&name); /* fails for a bad address only */
    return xasprintf("Linux %s, %.*s", name.release, (int)strcspn(model, "\n"), model);
}
