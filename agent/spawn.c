/* SPDX-License-Identifier: Apache-2.0 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "console.h"

enum {
    ARGV_BYTES = 4096,
    ARGV_MAX = 32,
    FIRST_CHANNEL = 3,
    OUT_OF_THE_WAY = 16,
    EXIT_NOT_FOUND = 127, /* as in shells */
    EXIT_NOT_STARTED = 126,
};

/* The environment of every worker; the session's overrides it. */
static const char *const base_env[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
    "HOME=" USER_HOME,
    "PWD=" USER_HOME,
    "USER=user",
    "LOGNAME=user",
    "SHELL=/bin/bash",
    "LANG=C.UTF-8",
    "TERM=dumb",
    /* Compiled module files would be the user's, and stale if a module is written twice within a
     * second. */
    "PYTHONDONTWRITEBYTECODE=1",
};

struct program {
    struct gb_buf text;     /* the file, with its lines terminated by NUL */
    char **argv;            /* points into it */
    struct gb_buf env_text; /* "NAME=value", each followed by a NUL */
    char **env;
};

static void program_release(struct program *program)
{
    gb_buf_release(&program->text);
    gb_buf_release(&program->env_text);
    free(program->argv);
    free(program->env);
}

static int read_argv(struct program *program, const char *name, struct gb_err *err)
{
    char path[128], *rest, *line;
    size_t count = 0;
    int r;

    (void)snprintf(path, sizeof(path), WORKER_ROOT "/%s/argv", name);
    r = gb_fd_read_file(path, ARGV_BYTES, &program->text, err);
    if (r < 0)
        return r;
    (void)gb_buf_str(&program->text);
    rest = (char *)program->text.memory + program->text.start;
    program->argv = xcalloc(ARGV_MAX + 1, sizeof(*program->argv));
    while ((line = strsep(&rest, "\n")) != NULL) {
        if (*line == '\0')
            continue;
        if (count == ARGV_MAX)
            return gb_err_set(err, GB_ETOOLARGE, "%s has more than %d lines", path, ARGV_MAX);
        program->argv[count++] = line;
    }
    return count > 0 ? 0 : gb_err_set(err, GB_EINVALID, "%s is empty", path);
}

/* Layers of settings: later ones override earlier ones. */
struct env_layers {
    struct gb_pairs layers[3];
    unsigned count;
};

/* True if a layer from @first on sets a variable of this name. */
static bool overridden(const struct env_layers *env, unsigned first, const char *name, size_t size)
{
    struct gb_bytes key, value;

    for (unsigned i = first; i < env->count; i++) {
        for (size_t at = 0; gb_pairs_next(&env->layers[i], &at, &key, &value) > 0;) {
            if (key.size == size && memcmp(key.data, name, size) == 0)
                return true;
        }
    }
    return false;
}

static size_t add_layer(struct program *program, const struct env_layers *env, unsigned layer)
{
    struct gb_bytes key, value;
    size_t count = 0;

    for (size_t at = 0; gb_pairs_next(&env->layers[layer], &at, &key, &value) > 0;) {
        if (overridden(env, layer + 1, (const char *)key.data, key.size))
            continue;
        gb_buf_add(&program->env_text, key.data, key.size);
        gb_buf_add(&program->env_text, "=", 1);
        gb_buf_add(&program->env_text, value.data, value.size);
        gb_buf_add(&program->env_text, "", 1);
        count++;
    }
    return count;
}

static void make_env(struct program *program, const struct env_layers *env)
{
    size_t count = 0;
    char *at;

    for (size_t i = 0; i < ARRAY_SIZE(base_env); i++) {
        if (overridden(env, 0, base_env[i], strcspn(base_env[i], "=")))
            continue;
        gb_buf_add(&program->env_text, base_env[i], strlen(base_env[i]) + 1);
        count++;
    }
    for (unsigned layer = 0; layer < env->count; layer++)
        count += add_layer(program, env, layer);
    program->env = xcalloc(count + 1, sizeof(*program->env));
    at = (char *)program->env_text.memory + program->env_text.start;
    for (size_t i = 0; i < count; i++) {
        program->env[i] = at;
        at += strlen(at) + 1;
    }
}

/* Channels to 3 and 4, /dev/null to 0, 1 and 2; everything else is close-on-exec. */
static const char *arrange_descriptors(const int channels[2], int null_fd)
{
    int high[2];

    for (int i = 0; i < 2; i++) {
        high[i] = fcntl(channels[i], F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
        if (high[i] < 0)
            return "moving a channel";
    }
    null_fd = fcntl(null_fd, F_DUPFD_CLOEXEC, OUT_OF_THE_WAY);
    if (null_fd < 0)
        return "moving /dev/null";
    for (int i = 0; i < FIRST_CHANNEL; i++) {
        if (dup2(null_fd, i) < 0)
            return "standard streams";
    }
    for (int i = 0; i < 2; i++) {
        if (dup2(high[i], FIRST_CHANNEL + i) < 0)
            return "channels";
    }
    return NULL;
}

static void restore_signals(void)
{
    const struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &by_default,
                        NULL); /* refused for two of them, and the C library's */
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void become_worker(const struct agent *agent, const struct program *program,
                                    const int channels[2])
{
    const char *failed = NULL;

    if (setsid() < 0)
        failed = "setsid";
    restore_signals();
    umask(0022);
    if (failed == NULL)
        failed = arrange_descriptors(channels, agent->null_fd);
    if (failed == NULL && chdir(USER_HOME) < 0)
        failed = "chdir";
    if (failed == NULL)
        failed = sandbox_enter(&agent->sandbox);
    if (failed == NULL) {
        (void)execve(program->argv[0], program->argv, program->env);
        failed = program->argv[0];
    }
    console_say("worker: %s: %s", failed, strerror(errno));
    _exit(EXIT_NOT_FOUND);
}

/* fork() into the user's cgroup: moving a process there later costs a grace period. */
static pid_t fork_into(int cgroup_fd)
{
    struct clone_args args = {
        .flags = CLONE_INTO_CGROUP,
        .exit_signal = (uint64_t)SIGCHLD,
        .cgroup = (unsigned)cgroup_fd,
    };

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

int spawn_worker(const struct agent *agent, const char *name, const int channels[2], pid_t *ret_pid,
                 struct gb_err *err)
{
    _cleanup_(program_release) struct program program = {0};
    const struct env_layers env = {{{agent->env_count, gb_buf_bytes(&agent->env)}}, 1};
    pid_t pid;
    int r = read_argv(&program, name, err);

    if (r < 0)
        return r;
    make_env(&program, &env);
    pid = fork_into(agent->cgroup.cell_fd);
    if (pid == 0)
        become_worker(agent, &program, channels);
    if (pid < 0)
        return gb_err_sys(err, errno, "cannot start the worker %s", name);
    *ret_pid = pid;
    return 0;
}

/* ---- at a terminal ---- */

static void split_argv(struct program *program, struct gb_bytes argv)
{
    size_t count = 0;
    char *at;

    if (argv.size == 0)
        argv = (struct gb_bytes){(const uint8_t *)"/bin/bash", sizeof("/bin/bash")};
    gb_buf_add(&program->text, argv.data, argv.size);
    at = (char *)program->text.memory + program->text.start;
    for (size_t i = 0; i < argv.size; i++)
        count += argv.data[i] == '\0';
    program->argv = xcalloc(count + 1, sizeof(*program->argv));
    for (size_t i = 0; i < count; i++) {
        program->argv[i] = at;
        at += strlen(at) + 1;
    }
}

_Noreturn static void become_terminal_program(const struct agent *agent,
                                              const struct program *program, int terminal_fd)
{
    const char *failed = setsid() < 0 ? "setsid" : NULL;

    restore_signals();
    umask(0022);
    if (failed == NULL && ioctl(terminal_fd, TIOCSCTTY, 0) < 0)
        failed = "TIOCSCTTY";
    for (int i = 0; i < FIRST_CHANNEL && failed == NULL; i++)
        if (dup2(terminal_fd, i) < 0)
            failed = "standard streams";
    if (failed == NULL && chdir(USER_HOME) < 0)
        failed = "chdir";
    if (failed == NULL)
        failed = sandbox_enter(&agent->sandbox);
    if (failed != NULL) {
        console_say("terminal: %s: %s", failed, strerror(errno));
        _exit(EXIT_NOT_STARTED);
    }
    environ = program->env; /* its PATH is searched */
    (void)execvp(program->argv[0], program->argv);
    (void)dprintf(STDERR_FILENO, "%s: %s\n", program->argv[0], strerror(errno));
    _exit(errno == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_STARTED);
}

int spawn_at_terminal(const struct agent *agent, struct gb_bytes argv, const struct gb_pairs *env,
                      int terminal_fd, int group_fd, pid_t *ret_pid, struct gb_err *err)
{
    _cleanup_(program_release) struct program program = {0};
    _cleanup_(gb_buf_release) struct gb_buf own = {0};
    struct env_layers layers = {.count = 3};
    pid_t pid;

    gb_pairs_add(&own, &layers.layers[0].count, gb_bytes_str("TERM"),
                 gb_bytes_str("xterm-256color"));
    gb_pairs_add(&own, &layers.layers[0].count, gb_bytes_str("COLORTERM"),
                 gb_bytes_str("truecolor"));
    layers.layers[0].encoded = gb_buf_bytes(&own);
    layers.layers[1] = (struct gb_pairs){agent->env_count, gb_buf_bytes(&agent->env)};
    layers.layers[2] = *env;
    make_env(&program, &layers);
    split_argv(&program, argv);
    pid = fork_into(group_fd);
    if (pid == 0)
        become_terminal_program(agent, &program, terminal_fd);
    if (pid < 0)
        return gb_err_sys(err, errno, "cannot start a program at a terminal");
    *ret_pid = pid;
    return 0;
}
