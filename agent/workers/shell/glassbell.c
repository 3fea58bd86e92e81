/* SPDX-License-Identifier: Apache-2.0 */
/* The shell worker: a loadable builtin that turns bash into a server of cells.
 *
 * Theory of operation
 * -------------------
 * bash starts with -c, loads this file and runs the builtin `glassbell`, which never returns: it
 * discards the frames of bash that led to it (unwind list, levels, the -c string) and takes the
 * place of an ordinary shell's reader loop. Each cell goes through parse_and_execute with
 * `top_level` set here, so that whatever would end a script (exit, set -e, set -u, a syntax
 * error, SIGINT) only ends the cell; variables, functions, options, traps, jobs and the working
 * directory stay.
 *
 * - `$?` of a cell is visible to the next; a cell that exits n leaves n.
 * - The EXIT trap only runs at the end of a final cell.
 * - `exec command` replaces the worker; `exec` of something that cannot be run fails, and the cell
 *   continues (as with shopt -s execfail).
 * - A cell that starts with #! is run by that interpreter from a memory file.
 * - SIGINT ends the running cell with 130, even one that has not started yet; one that arrives
 *   after the end of a cell is discarded.
 * - `read` reports that an interactive cell waits for input; programs that read cannot.
 * - While a cell runs, queries are not answered.
 *
 * Forked children close the channels immediately (pthread_atfork), so that the agent sees the
 * worker's end even if children of it live on. */

#include <config.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <shell.h> /* first: bash's other headers do not compile alone */

#include <builtins.h>
#include <builtins/common.h>
#include <execute_cmd.h>
#include <jobs.h>
#include <sig.h>
#include <unwind_prot.h>

#include "shell_worker.h"

/* Part of bash, but in none of the headers that Debian installs. */
extern int startup_state, loop_level, breaking, continuing, read_but_dont_execute;
extern int no_exit_on_failed_exec, funcnest, evalnest, wait_intr_flag, sourcelevel;
extern char *command_execution_string;
extern int run_exit_trap(void);
extern int signal_is_trapped(int number);
extern void reset_parser(void);
extern void reset_local_contexts(void);

#define EXIT_TRAP 0
#define CELL_INTERACTIVE 1
#define CELL_FINAL 2
#define CELL_STALE_SIGINT 4
#define DONE_INTERRUPTED 2
#define EVAL_FLAGS (SEVAL_NONINT | SEVAL_NOHIST | SEVAL_NOFREE | SEVAL_RESETLINE | SEVAL_NOHISTEXP)
#define SHELL_NAME "bash"

int shell_null_fd = -1;

static struct channel cells;
static struct channel queries;
static pid_t worker_pid;
static uint32_t cell_number;
static bool cell_interactive;
static bool cell_waiting;
static volatile sig_atomic_t interrupted;
static struct sigaction user_sigint;
static volatile sig_atomic_t early_sigint;
static sh_builtin_func_t *real_read;

/* Landing place */

/* set -e inside a function leaves the call stack as it was there. */
static void forget_calls(void)
{
    static char *const names[] = {"FUNCNAME", "BASH_SOURCE", "BASH_LINENO"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        SHELL_VAR *v = find_variable(names[i]);

        if (v != NULL && array_p(v) && array_cell(v) != NULL)
            array_flush(array_cell(v));
    }
}

/* Resets what a jump out of the middle of a command leaves behind. */
static void settle(void)
{
    run_unwind_protects();
    clear_unwind_protect_list(1);
    reset_parser();
    if (variable_context != 0)
        reset_local_contexts();
    variable_context = 0;
    parse_and_execute_level = 0;
    loop_level = continuing = breaking = 0;
    funcnest = evalnest = sourcelevel = 0;
    executing_list = comsub_ignore_return = return_catch_flag = wait_intr_flag = 0;
    executing_builtin = executing_command_builtin = 0;
    this_shell_function = NULL;
    forget_calls();
    stop_making_children(); /* otherwise the next command would get the status of the leftover
                             * child */
    interrupt_state = 0;
}

void shell_guard(void (*action)(void *arg), void *arg)
{
    if (setjmp_nosigs(top_level) == 0)
        action(arg);
    else
        settle();
}

static void run_text(void *arg)
{
    last_command_exit_value = parse_and_execute(arg, SHELL_NAME, EVAL_FLAGS);
}

static void run_file(void *arg)
{
    const struct program *program = arg;
    char *text = program_text(program);

    if (text != NULL)
        last_command_exit_value = parse_and_execute(text, program->argv[0], EVAL_FLAGS);
    free(text);
}

static void run_trap(void *arg)
{
    (void)arg;
    last_command_exit_value = run_exit_trap();
}

/* What bash's codes above 255 mean to its parent. */
static uint32_t exit_code(int status)
{
    if (status == EX_BADSYNTAX || status == EX_USAGE)
        return EX_BADUSAGE;
    if (status > 255)
        return EXECUTION_FAILURE;
    return (uint32_t)status & 0xff;
}

/* SIGINT */

/* bash only checks its flag between commands, so children that were being created when SIGINT
 * arrived, and were not in the group yet, have to be signalled again; later ones die in
 * close_in_child. Background jobs ignore the signal. */
static void on_sigint(int number)
{
    bool first = !interrupted;

    interrupted = 1;
    if (first && getpid() == worker_pid)
        kill(0, number);
    sigint_sighandler(number);
}

/* Runs the user's trap if there is one, else ends the cell. */
static void listen_sigint(void)
{
    interrupted = 0;
    if (user_sigint.sa_handler == SIG_DFL || user_sigint.sa_handler == termsig_sighandler) {
        user_sigint = (struct sigaction){.sa_handler = on_sigint};
        sigemptyset(&user_sigint.sa_mask);
    }
    sigaction(SIGINT, &user_sigint, NULL);
}

/* Between cells: it may be meant for the next cell. */
static void note_sigint(int number)
{
    (void)number;
    early_sigint = 1;
}

static void put_off_sigint(void)
{
    struct sigaction note = {.sa_handler = note_sigint, .sa_flags = SA_RESTART};

    sigemptyset(&note.sa_mask);
    sigaction(SIGINT, &note, &user_sigint);
    interrupt_state = 0;
}

/* Waiting for input */

static void tell_waiting(bool on)
{
    struct payload p = {0};

    cell_waiting = on;
    payload_u32(&p, cell_number);
    payload_u8(&p, on);
    channel_send(&cells, MSG_WAITING, &p);
    payload_release(&p);
}

static int read_builtin_that_tells(WORD_LIST *list)
{
    struct pollfd input = {.fd = 0, .events = POLLIN};
    int status;

    if (!cell_interactive || getpid() != worker_pid || poll(&input, 1, 0) != 0)
        return real_read(list);
    tell_waiting(true);
    status = real_read(list);
    tell_waiting(false);
    return status;
}

/* Variables of one cell */

struct kept {
    char *name;
    char *value;
    bool exported;
};

/* Runs what bash does when one of its special variables changes. */
static void set_exported(char *name, char *value, bool export)
{
    SHELL_VAR *v = bind_variable(name, value, 0);

    if (v != NULL && export)
        VSETATTR(v, att_exported);
    else if (v != NULL)
        VUNSETATTR(v, att_exported);
    array_needs_making = 1;
    stupidly_hack_special_variables(name);
}

static char *copy_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 2);

    if (text == NULL)
        channel_violation();
    memcpy(text, data, size);
    text[size] = text[size + 1] = '\0';
    return text;
}

/* Sets the variables in @f; returns their previous values in @ret_kept (an array of
 * *@ret_count). */
static void set_environment(struct fields *f, struct kept **ret_kept, size_t *ret_count)
{
    uint32_t count = fields_u32(f);
    struct kept *kept = NULL;
    size_t n = 0;

    for (uint32_t i = 0; i < count; i++) {
        size_t name_size, value_size;
        const uint8_t *name_data = fields_bytes(f, &name_size);
        const uint8_t *value_data = fields_bytes(f, &value_size);
        char *name = copy_text(name_data, name_size);
        char *value = copy_text(value_data, value_size);
        SHELL_VAR *old = find_variable(name);

        if (strlen(name) != name_size || strlen(value) != value_size)
            channel_violation();
        if (legal_identifier(name) && (old == NULL || !readonly_p(old))) {
            char *text = old == NULL ? NULL : get_variable_value(old);

            kept = realloc(kept, (n + 1) * sizeof(*kept));
            if (kept == NULL)
                channel_violation();
            kept[n++] = (struct kept){.name = strdup(name),
                                      .value = text == NULL ? NULL : strdup(text),
                                      .exported = old != NULL && exported_p(old)};
            set_exported(name, value, true);
        }
        free(name);
        free(value);
    }
    *ret_kept = kept;
    *ret_count = n;
}

static void forget_environment(struct kept *kept, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(kept[i].name);
        free(kept[i].value);
    }
    free(kept);
}

static void restore_environment(const struct kept *kept, size_t count)
{
    while (count-- > 0) {
        if (kept[count].value != NULL) {
            set_exported(kept[count].name, kept[count].value, kept[count].exported);
        } else {
            unbind_variable(kept[count].name);
            array_needs_making = 1;
            stupidly_hack_special_variables(kept[count].name);
        }
    }
}

/* Cells */

/* Writes a cell that starts with #! to an executable memory file; returns its descriptor or -1. */
static int script_file(const char *code)
{
    size_t size = strlen(code);
    int low, fd;

    if (strncmp(code, "#!", 2) != 0)
        return -1;
    low = memfd_create("cell", MFD_CLOEXEC);
    if (low < 0)
        return -1;
    /* The interpreter opens it through /proc/self/fd, so it has to be inherited. */
    fd = fcntl(low, F_DUPFD, CHANNEL_FIRST_FD);
    close(low);
    while (fd >= 0 && size > 0) {
        ssize_t n = write(fd, code, size);

        if (n <= 0) {
            close(fd);
            return -1;
        }
        code += n;
        size -= (size_t)n;
    }
    return fd;
}

static void run_code(char *code, size_t size)
{
    static char path[32];
    int fd;

    if (strlen(code) != size) {
        (void)dprintf(2, SHELL_NAME ": there is a NUL byte in the code\n");
        last_command_exit_value = EX_BADUSAGE;
        return;
    }
    if (strncmp(code, "\xef\xbb\xbf", 3) == 0)
        code += 3;
    fd = script_file(code);
    if (fd >= 0) {
        (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        code = path;
    }
    shell_guard(run_text, code);
    if (fd >= 0)
        close(fd);
}

static void put_streams(const int fds[CHANNEL_CELL_FDS], bool take)
{
    for (int i = 0; i < CHANNEL_CELL_FDS; i++) {
        dup2(fds[i], i);
        if (take)
            close(fds[i]);
    }
}

static void flush_streams(void)
{
    if (fflush(stdout) != 0)
        __fpurge(stdout);
    clearerr(stdout);
    clearerr(stdin);
    __fpurge(stdin);
}

/* The end of a final cell is the end of the shell. */
_Noreturn static void end_shell(void)
{
    struct payload ending = {0};

    shell_guard(run_trap, NULL);
    flush_streams();
    payload_u32(&ending, cell_number);
    payload_u8(&ending, interrupted && exit_code(last_command_exit_value) == 128 + SIGINT
                            ? DONE_INTERRUPTED
                            : 0);
    payload_bytes(&ending, NULL, 0);
    channel_send(&cells, MSG_ENDING, &ending);
    exit((int)exit_code(last_command_exit_value));
}

/* Leftover signals have been discarded: a SIGINT from here on is meant for the cell. */
static void tell_begun(void)
{
    struct payload begun = {0};

    payload_u32(&begun, cell_number);
    channel_send(&cells, MSG_BEGUN, &begun);
    payload_release(&begun);
}

static void run_cell(const struct message *m)
{
    const int null_fds[CHANNEL_CELL_FDS] = {shell_null_fd, shell_null_fd, shell_null_fd};
    struct fields f = {m->data, m->size};
    struct payload reply = {0};
    struct program program;
    struct kept *kept;
    size_t count, size;
    const uint8_t *data;
    uint8_t flags;
    uint32_t status;
    char *code;

    cell_number = fields_u32(&f);
    flags = fields_u8(&f);
    if ((flags & CELL_STALE_SIGINT) != 0) {
        early_sigint = 0;
        tell_begun();
    }
    set_environment(&f, &kept, &count);
    program_read(&program, &f);
    data = fields_bytes(&f, &size);
    fields_end(&f);
    code = copy_text(data, size);
    if (cells.n_fds != CHANNEL_CELL_FDS)
        channel_violation();
    put_streams(cells.fds, true);
    cells.n_fds = 0;

    cell_interactive = flags & CELL_INTERACTIVE;
    read_but_dont_execute = 0;
    listen_sigint();
    if (early_sigint) {
        early_sigint = 0;
        (void)raise(SIGINT);
    }
    program_enter(&program);
    if (program.file[0] == '\0') {
        run_code(code, size);
    } else if ((flags & CELL_FINAL) != 0) {
        program_become(&program);
    } else {
        shell_guard(run_file, &program);
        forget_calls();
    }
    if (getpid() != worker_pid) {
        fflush(NULL);
        _exit(last_command_exit_value & 0xff);
    }
    if ((flags & CELL_FINAL) != 0)
        end_shell();
    program_leave(&program);
    program_release(&program);
    put_off_sigint();
    last_command_exit_value = (int)exit_code(last_command_exit_value);
    status = (uint32_t)last_command_exit_value;
    flush_streams();
    if (cell_waiting)
        tell_waiting(false);
    cell_interactive = false;
    restore_environment(kept, count);
    forget_environment(kept, count);
    free(code);
    put_streams(null_fds, false);

    payload_u32(&reply, cell_number);
    payload_u32(&reply, status);
    payload_u8(&reply, interrupted && status == 128 + SIGINT ? DONE_INTERRUPTED : 0);
    payload_bytes(&reply, NULL, 0);
    channel_send(&cells, MSG_DONE, &reply);
    payload_release(&reply);
}

/* Reseeds $RANDOM; $SRANDOM uses the kernel. */
static void reseed(const uint8_t *entropy, size_t size)
{
    SHELL_VAR *v = find_variable("RANDOM");
    char text[16];
    uint32_t seed = 2166136261u;

    for (size_t i = 0; i < size; i++)
        seed = (seed ^ entropy[i]) * 16777619u;
    if (size == 0 || v == NULL || v->assign_func == NULL)
        return;
    (void)snprintf(text, sizeof(text), "%u", seed);
    bind_variable("RANDOM", text, 0);
}

/* bash reads the name only once, at its start: for a clone in its template. */
static void set_hostname(void)
{
    char name[256];

    if (gethostname(name, sizeof(name)) == 0)
        bind_variable("HOSTNAME", name, 0);
}

static void apply_settings(const struct message *m)
{
    struct fields f = {m->data, m->size};
    struct payload nothing = {0};
    struct kept *kept;
    size_t count, size;
    const uint8_t *entropy = fields_bytes(&f, &size);

    set_hostname();
    set_environment(&f, &kept, &count);
    fields_end(&f);
    forget_environment(kept, count);
    reseed(entropy, size);
    channel_send(&cells, MSG_SETTLED, &nothing);
}

/* Start and loop */

/* bash blocks SIGINT while it forks; a pending one would not reach the child. */
static void look_before_fork(void)
{
    sigset_t waiting;

    if (!signal_is_trapped(SIGINT) && sigpending(&waiting) == 0 &&
        sigismember(&waiting, SIGINT) == 1)
        interrupted = 1;
}

/* Between fork and exec bash would only record a SIGINT, and the program would never get it;
 * subshells install their handler anew. */
static void close_in_child(void)
{
    struct sigaction action;

    close(cells.fd);
    close(queries.fd);
    if (interrupted || terminating_signal == SIGINT)
        _exit(128 + SIGINT);
    if (signal_is_trapped(SIGINT) || sigaction(SIGINT, NULL, &action) != 0 ||
        action.sa_handler == SIG_IGN)
        return;
    action.sa_handler = SIG_DFL;
    (void)sigaction(SIGINT, &action, NULL);
}

static void serve_cells(void)
{
    const struct payload nothing = {0};
    struct message m;

    channel_fill(&cells);
    while (channel_next(&cells, &m)) {
        if (m.type == MSG_CELL)
            run_cell(&m);
        else if (m.type == MSG_SETTINGS)
            apply_settings(&m);
        else if (m.type == MSG_PREPARE)
            channel_send(&cells, MSG_PREPARED, &nothing);
        else
            channel_violation();
        channel_drop(&cells, &m);
    }
}

static void serve_queries(void)
{
    struct message m;

    channel_fill(&queries);
    while (channel_next(&queries, &m)) {
        complete_answer(&queries, &m);
        channel_drop(&queries, &m);
    }
}

/* Forgets how this builtin was called: from here on it is the top level. */
static void become_top(void)
{
    struct builtin *self = builtin_address_internal("glassbell", 1);
    struct builtin *reader = builtin_address_internal("read", 1);

    clear_unwind_protect_list(1);
    startup_state = 0; /* With 2, as for -c, the last command of a cell would replace the shell. */
    command_execution_string = NULL;
    unbind_variable("BASH_EXECUTION_STRING");
    no_exit_on_failed_exec = 1;
    last_command_exit_value = 0;
    settle();
    if (self != NULL)
        self->flags = BUILTIN_DELETED;
    if (reader != NULL) {
        real_read = reader->function;
        reader->function = read_builtin_that_tells;
    }
}

static int glassbell_builtin(WORD_LIST *list)
{
    static char warm_up[] = "printf '' \"$((1 + 1))\"";
    struct pollfd polled[2];
    struct payload nothing = {0};
    int low = open("/dev/null", O_RDWR | O_CLOEXEC);

    (void)list;
    channel_init(&cells, 3);
    channel_init(&queries, 4);
    shell_null_fd = fcntl(low, F_DUPFD_CLOEXEC, CHANNEL_FIRST_FD);
    close(low);
    worker_pid = getpid();
    if (pthread_atfork(look_before_fork, NULL, close_in_child) != 0)
        channel_violation();
    become_top();
    put_off_sigint();
    shell_guard(run_text, warm_up);
    channel_send(&cells, MSG_READY, &nothing);

    polled[0] = (struct pollfd){.fd = cells.fd, .events = POLLIN};
    polled[1] = (struct pollfd){.fd = queries.fd, .events = POLLIN};
    for (;;) {
        if (poll(polled, 2, -1) < 0)
            continue; /* A signal: bash's handlers have recorded what matters. */
        if (polled[0].revents != 0)
            serve_cells();
        if (polled[1].revents != 0)
            serve_queries();
    }
}

static char *glassbell_doc[] = {"Serve cells.", NULL};

__attribute__((visibility("default"))) struct builtin glassbell_struct = {
    "glassbell", glassbell_builtin, BUILTIN_ENABLED, glassbell_doc, "glassbell", NULL};
