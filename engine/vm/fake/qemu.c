/* SPDX-License-Identifier: Apache-2.0 */
/* A fake QEMU, for behaviour that no real machine produces on demand: a KVM that works, hangs or
 * aborts. Its behaviour depends on the name that it is started by, since nothing else reaches a
 * program inside the launcher:
 *
 *     kvm-works     a guest says HELLO at once under KVM, and never by software
 *     kvm-hangs     the other way round
 *     kvm-aborts    it fails an assertion under KVM; by software a guest says HELLO
 *     kvm-faults    the same with a fault of memory
 *     nothing-boots it fails an assertion under KVM, and ends with an error by software
 *
 * Each failure message contains the time, so that two failures can be told apart. Without a machine
 * it answers in the monitor what QEMU is asked at the start (vm/inspect.h).
 */
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "wire/frame.h"
#include "wire/guest.h"

enum { FD_INSPECTED = 3, FD_AGENT = 6 };

static const char *value_of(char **argv, const char *option)
{
    for (size_t i = 1; argv[i] != NULL; i++) {
        if (strcmp(argv[i], option) == 0)
            return argv[i + 1];
    }
    return "";
}

static void say(int fd, const char *text)
{
    (void)gb_fd_write_full(fd, text, strlen(text)); /* the reader has gone */
}

/* QMP, as far as needed: commands arrive one at a time. */
static int answer_questions(void)
{
    char line[1024];

    say(FD_INSPECTED, "{\"QMP\":{\"version\":{\"qemu\":{\"major\":99,\"minor\":1,\"micro\":0},"
                      "\"package\":\"a stand-in\"}}}\n");
    for (;;) {
        ssize_t n = read(FD_INSPECTED, line, sizeof(line) - 1);
        const char *id;
        char reply[200];

        if (n <= 0)
            return 1;
        line[n] = '\0';
        id = strstr(line, "\"id\":");
        (void)snprintf(reply, sizeof(reply), "{\"return\":%s,\"id\":%d}\n",
                       strstr(line, "qom-list-properties") != NULL ? "[{\"name\":\"svm\"}]" : "{}",
                       id != NULL ? (int)strtol(id + 5, NULL, 10) : 0);
        say(FD_INSPECTED, reply);
        if (strstr(line, "\"quit\"") != NULL)
            return 0;
    }
}

static void say_hello(void)
{
    const struct gb_hello hello = {
        .version = GB_GUEST_VERSION,
        .language = gb_bytes_str("probe"),
        .kernel = gb_bytes_str("none"),
    };
    struct gb_buf frame = {0};

    gb_guest_add(&frame, (struct gb_frame){.type = GB_GUEST_HELLO}, &gb_hello_fields, &hello);
    (void)gb_fd_write_full(FD_AGENT, gb_buf_data(&frame), frame.size);
    gb_buf_release(&frame);
}

static void complain(const char *what)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)fprintf(stderr, "%s at %jd.%09ld\n", what, (intmax_t)now.tv_sec, now.tv_nsec);
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    const char *name = slash != NULL ? slash + 1 : argv[0];
    bool kvm = strcmp(value_of(argv, "-accel"), "kvm") == 0;

    (void)argc;
    if (strcmp(value_of(argv, "-M"), "none") == 0)
        return answer_questions();
    if (kvm && (strcmp(name, "kvm-aborts") == 0 || strcmp(name, "nothing-boots") == 0)) {
        complain("kvm.c: Assertion `it works' failed");
        abort();
    }
    if (kvm && strcmp(name, "kvm-faults") == 0) {
        complain("all is well");
        (void)raise(SIGSEGV);
        *(volatile int *)(uintptr_t)argc = 0; /* process 1 is immune to signals that it sends to
                                               * itself */
    }
    if (!kvm && strcmp(name, "nothing-boots") == 0) {
        complain("software has an end");
        return 3;
    }
    if (kvm == (strcmp(name, "kvm-works") == 0))
        say_hello();
    for (;;)
        (void)pause();
}
