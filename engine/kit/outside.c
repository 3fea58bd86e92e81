/* SPDX-License-Identifier: Apache-2.0 */
#include "kit/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

int outside_write(const char *text, const char *ending, char **ret_path, struct gb_err *err)
{
    const char *folder = getenv("TMPDIR");
    _cleanup_(freep) char *path = xasprintf(
        "%s/glassbell-XXXXXX%s", folder != NULL && folder[0] != '\0' ? folder : "/tmp", ending);
    int fd = mkostemps(path, (int)strlen(ending), O_CLOEXEC);
    int r = 0;

    if (fd < 0)
        return gb_err_sys(err, errno, "cannot make %s", path);
    if (gb_fd_write_full(fd, text, strlen(text)) < 0) {
        r = gb_err_sys(err, errno, "cannot write %s", path);
        (void)unlink(path);
    }
    (void)gb_close(fd);
    if (r == 0)
        *ret_path = TAKE_PTR(path);
    return r;
}

/* Keys such as Ctrl-C send signals to all processes in the terminal's foreground group. */
static const int outside_signals[] = {SIGINT, SIGQUIT};

int outside_run(const char *path)
{
    const char *editor = getenv("VISUAL");
    _cleanup_(freep) char *command = NULL;

    if (editor == NULL || editor[0] == '\0')
        editor = getenv("EDITOR");
    if (editor == NULL || editor[0] == '\0')
        editor = "vi";
    command = xasprintf("%s \"$1\"", editor);
    return outside_run_program((const char *const[]){"/bin/sh", "-c", command, "sh", path, NULL});
}

static void outside_exec(const char *const *argv)
{
    for (size_t i = 0; i < ARRAY_SIZE(outside_signals); i++)
        (void)signal(outside_signals[i], SIG_DFL);        /* allowed: resets what is ignored here */
    (void)execv(argv[0], (char *const *)(uintptr_t)argv); /* changes none of them */
    _exit(127);
}

int outside_run_program(const char *const *argv)
{
    struct sigaction before[ARRAY_SIZE(outside_signals)];
    int status = 0;
    pid_t pid;

    for (size_t i = 0; i < ARRAY_SIZE(outside_signals); i++)
        (void)sigaction(outside_signals[i], &(struct sigaction){.sa_handler = SIG_IGN}, &before[i]);
    pid = fork();
    if (pid == 0)
        outside_exec(argv);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    for (size_t i = 0; i < ARRAY_SIZE(outside_signals); i++)
        (void)sigaction(outside_signals[i], &before[i], NULL);
    if (pid < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

int outside_read(const char *path, size_t most, struct gb_buf *to, struct gb_err *err)
{
    int r = gb_fd_read_file(path, most, to, err);

    (void)unlink(path);
    while (r == 0 && to->size > 0 && gb_buf_data(to)[to->size - 1] == '\n')
        to->size--;
    return r;
}
