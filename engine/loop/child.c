/* SPDX-License-Identifier: Apache-2.0 */
/* Child processes, on top of uv_spawn. */
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "loop/loop.h"

struct gb_child {
    uv_process_t handle; /* must be first: freed through it */
    void (*exited)(void *arg, int status, int signal);
    void *arg;
    bool reaped, abandoned;
};

static void free_child(uv_handle_t *handle)
{
    free(handle);
}

static void child_on_exited(uv_process_t *handle, int64_t status, int signal)
{
    struct gb_child *child = handle->data;

    child->reaped = true;
    if (child->abandoned)
        uv_close((uv_handle_t *)&child->handle, free_child);
    else
        child->exited(child->arg, (int)status, signal);
}

int gb_child_start(struct gb_loop *loop, const struct gb_child_config *config,
                   void (*exited)(void *arg, int status, int signal), void *arg,
                   struct gb_child **ret_child, struct gb_err *err)
{
    static char *no_env[] = {NULL};
    uv_stdio_container_t stdio[GB_CHILD_FDS_MAX] = {0};
    struct gb_child *child = xcalloc(1, sizeof(*child));
    uv_process_options_t options = {
        .file = config->file,
        .args = (char **)(uintptr_t)config->argv,
        .env = config->env != NULL ? (char **)(uintptr_t)config->env : no_env,
        .exit_cb = child_on_exited,
        .flags = config->new_session ? UV_PROCESS_DETACHED : 0,
        .stdio = stdio,
        .stdio_count = (int)config->fd_count,
    };
    int r;

    for (size_t i = 0; i < config->fd_count; i++) {
        stdio[i].flags = config->fds[i] >= 0 ? UV_INHERIT_FD : UV_IGNORE;
        stdio[i].data.fd = config->fds[i];
    }
    child->handle.data = child;
    child->exited = exited;
    child->arg = arg;
    r = uv_spawn(gb_loop_uv(loop), &child->handle, &options);
    if (r < 0) {
        uv_close((uv_handle_t *)&child->handle, free_child);
        return gb_err_sys(err, -r, "cannot start %s", config->file);
    }
    *ret_child = child;
    return 0;
}

pid_t gb_child_pid(const struct gb_child *child)
{
    return child->handle.pid;
}

void gb_child_signal(struct gb_child *child, int signum)
{
    if (!child->reaped)
        (void)uv_process_kill(&child->handle, signum); /* it has exited; the callback is pending */
}

void gb_child_signal_group(struct gb_child *child, int signum)
{
    if (!child->reaped) /* later, the number can be another's */
        (void)kill(-child->handle.pid, signum);
}

void gb_child_free(struct gb_child *child)
{
    if (child == NULL)
        return;
    if (child->reaped)
        uv_close((uv_handle_t *)&child->handle, free_child);
    else
        child->abandoned = true;
}
