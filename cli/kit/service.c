/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "platform/socket.h"

enum { FIRST_FD = 3, USEC_A_MS = 1000 };

struct service {
    struct sockaddr_un address;
    socklen_t address_size;
    int fd; /* -1: nobody is listening */
    uint64_t watchdog_ms;
    struct gb_timer *watchdog;
};

/* A number in the environment that is meant for this process; 0 if there is none. */
static uint64_t service_own_number(const char *name, const char *pid_name)
{
    const char *value = getenv(name), *pid = getenv(pid_name);
    char *end = NULL;
    unsigned long long number;

    if (value == NULL || (pid != NULL && strtoll(pid, NULL, 10) != getpid()))
        return 0;
    number = strtoull(value, &end, 10);
    return end != value && *end == '\0' ? number : 0;
}

static bool service_option_is(int fd, int option, int wanted)
{
    int value = 0;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 && value == wanted;
}

int service_socket(int *ret_fd, char **ret_path, struct gb_err *err)
{
    uint64_t count =
        getenv("LISTEN_PID") == NULL ? 0 : service_own_number("LISTEN_FDS", "LISTEN_PID");
    struct sockaddr_un address = {0};
    socklen_t size = sizeof(address);

    *ret_fd = -1;
    (void)unsetenv("LISTEN_FDS"); /* not for our child processes */
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDNAMES");
    if (count == 0)
        return 0;
    if (count > 1)
        return gb_err_set(err, GB_EINVALID, "only one socket can be passed, not %" PRIu64, count);
    if (!service_option_is(FIRST_FD, SO_TYPE, SOCK_STREAM) ||
        !service_option_is(FIRST_FD, SO_ACCEPTCONN, 1) ||
        getsockname(FIRST_FD, (struct sockaddr *)&address, &size) < 0 ||
        address.sun_family != AF_UNIX || address.sun_path[0] != '/')
        return gb_err_set(err, GB_EINVALID,
                          "what was passed is not a listening Unix stream socket with a path");
    if (gb_fd_set_cloexec(FIRST_FD, true) < 0 || gb_fd_set_nonblocking(FIRST_FD, true) < 0)
        return gb_err_set(err, GB_EINVALID, "the socket that was passed cannot be used");
    *ret_fd = FIRST_FD;
    *ret_path = xstrndup(address.sun_path, sizeof(address.sun_path));
    return 0;
}

static void service_send(struct service *service, const char *text)
{
    struct iovec data = {.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
    const struct msghdr message = {.msg_name = &service->address,
                                   .msg_namelen = service->address_size,
                                   .msg_iov = &data,
                                   .msg_iovlen = 1};

    (void)gb_socket_send_message(service->fd, &message);
}

static void service_tell(struct service *service, const char *text)
{
    if (service->fd >= 0) /* if the manager does not listen, that is its business */
        service_send(service, text);
}

static void service_on_watchdog(void *arg)
{
    struct service *service = arg;

    service_tell(service, "WATCHDOG=1");
    gb_timer_start(service->watchdog, service->watchdog_ms);
}

struct service *service_new(struct gb_loop *loop)
{
    struct service *service = xcalloc(1, sizeof(*service));
    const char *path = getenv("NOTIFY_SOCKET");
    size_t size = path == NULL ? 0 : strlen(path);

    service->fd = -1;
    if (size > 1 && size < sizeof(service->address.sun_path) &&
        (path[0] == '/' || path[0] == '@')) {
        service->address.sun_family = AF_UNIX;
        memcpy(service->address.sun_path, path, size);
        if (path[0] == '@') /* in the abstract namespace */
            service->address.sun_path[0] = '\0';
        service->address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size);
        service->fd = gb_socket_new(SOCK_DGRAM, true);
    }
    service->watchdog_ms = service_own_number("WATCHDOG_USEC", "WATCHDOG_PID") / USEC_A_MS / 2;
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    service->watchdog = gb_timer_new(loop, service_on_watchdog, service);
    if (service->fd >= 0 && service->watchdog_ms > 0)
        service_on_watchdog(service);
    return service;
}

void service_ready(struct service *service)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld", (long)getpid());
    service_tell(service, text);
}

void service_reloading(struct service *service)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                   gb_clock_mono_ns() / 1000);
    service_tell(service, text);
}

void service_stopping(struct service *service)
{
    service_tell(service, "STOPPING=1");
}

void service_free(struct service *service)
{
    if (service == NULL)
        return;
    gb_timer_free(service->watchdog);
    (void)gb_close(service->fd);
    free(service);
}
