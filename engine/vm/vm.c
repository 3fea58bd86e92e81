/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation.
 *
 *   STARTING ── HELLO ──> RUNNING ──┐
 *   WAITING ─── load ───> RUNNING ──┼──> ENDING ──> DEAD
 *       └──────────── any end ──────┘
 *
 *   STARTING  the process runs, the guest has not spoken; a timer ends it
 *   WAITING   the process waits for device state (`incoming`)
 *   RUNNING   frames go both ways
 *   ENDING    told to go, or found gone; frames that are here already still go out unless it was us
 *             who ended it
 *   DEAD      everything has been reaped and read; `dead` has been told
 *
 * Five sockets belong to a VM: the launcher's status, QEMU's standard error, the monitor, the agent
 * and the console. A VM is dead when the launcher has been reaped, QEMU has ended (the launcher
 * reaps it before it exits; if something else killed the launcher, QEMU's process handle reports
 * that) and all five sockets have been read to the end. So the last frame comes before `dead`, and
 * `dead` includes the last messages.
 *
 * The socket of the second port is kept for gb_vm_take_network(), and plays no role in this.
 *
 * The lifeline is a pipe whose write end only this process holds; the launcher watches the other.
 */
#include "vm/vm.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/process.h"
#include "platform/random.h"
#include "platform/socket.h"
#include "vm/operation.h"
#include "vm/private.h"

enum {
    BOOT_TCG_MS = 60000,
    BOOT_HARDWARE_MS = 15000,
    GRACE_MS = 2000, /* for the launcher to reap QEMU */
    READ_BYTES = 64 * 1024,
    UID_FIRST = 61184, /* the range of systemd's DynamicUser=: these own no files */
    UID_LAST = 65519,
};

static void check_dead(struct gb_vm *vm);

/* Ends. */

static void on_dead_later(void *arg)
{
    check_dead(arg);
}

/* Every end is handled from the loop, not inside the callback that found it. */
void vm_check_later(struct gb_vm *vm)
{
    gb_loop_defer(vm->host->loop, &vm->end, on_dead_later, vm);
}

static void end_agent(struct gb_vm *vm)
{
    gb_stream_free(TAKE_PTR(vm->agent));
    vm->input = NULL;
}

void gb_vm_kill(struct gb_vm *vm, const char *reason)
{
    if (vm->killed || vm->state == DEAD)
        return;
    vm->killed = true;
    if (vm->state != ENDING || vm->reason == NULL)
        vm->reason = xstrdup(reason != NULL ? reason : "killed by Glassbell");
    vm->state = ENDING;
    end_agent(vm);
    /* The launcher kills QEMU, reaps it and exits; if it does not, it is killed. */
    gb_child_signal(vm->launcher, SIGTERM);
    gb_timer_start(vm->timer, GRACE_MS);
    vm_check_later(vm);
}

static void on_timer(void *arg)
{
    struct gb_vm *vm = arg;
    char text[96];

    if (vm->killed) {
        if (vm->qemu.fd >= 0)
            (void)gb_process_kill(&vm->qemu); /* fails if it has ended */
        gb_child_signal(vm->launcher, SIGKILL);
    } else if (vm->state == STARTING) {
        (void)snprintf(text, sizeof(text), "the guest did not start within %.0f s",
                       gb_ns_to_ms(gb_loop_now_ns() - vm->started_ns) / 1000);
        gb_vm_kill(vm, text);
    } else if (vm->operation != OP_NONE) {
        gb_vm_kill(vm, "QEMU's monitor did not answer");
    } else if (vm->state == ENDING) {
        gb_vm_kill(vm, "QEMU closed the agent's port");
    }
}

static void describe_exit(struct gb_vm *vm, struct gb_buf *why)
{
    struct gb_buf line = {0};

    if (vm->report.error[0] != '\0') {
        gb_buf_addf(why, "the launcher gave up: %s", vm->report.error);
        return;
    }
    if (vm->exit_signal != 0)
        gb_buf_addf(why, "QEMU was ended by signal %d (%s)", vm->exit_signal,
                    strsignal(vm->exit_signal));
    else if (vm->exit_status != 0)
        gb_buf_addf(why, "QEMU ended with status %d", vm->exit_status);
    else
        tail_describe(why, gb_buf_bytes(&vm->console_tail));
    if ((vm->exit_signal != 0 || vm->exit_status != 0) &&
        tail_last_line(&line, gb_buf_bytes(&vm->errors_tail)))
        gb_buf_addf(why, ": %s", gb_buf_str(&line));
    gb_buf_release(&line);
}

static void check_dead(struct gb_vm *vm)
{
    struct gb_err err = {0};
    struct gb_buf why = {0};

    if (vm->state == DEAD || !vm->exited || vm->qemu.fd >= 0 || vm->status != NULL ||
        vm->errors != NULL || vm->agent != NULL || vm->console != NULL || vm->qmp != NULL)
        return;
    vm->state = DEAD;
    gb_timer_stop(vm->timer);
    gb_list_remove(&vm->link);
    host_vm_gone(vm->host);
    vm->lifeline = gb_close(vm->lifeline);
    vm->network_fd = gb_close(vm->network_fd);
    if (vm->registered)
        registry_remove(vm->host->run, gb_child_pid(vm->launcher));
    if (vm->reason != NULL)
        gb_buf_adds(&why, vm->reason);
    else
        describe_exit(vm, &why);
    (void)gb_err_set(&err, vm->ran ? GB_ECLOSED : GB_EBOOT, "%s", gb_buf_str(&why));
    gb_buf_release(&why);
    operation_finish(vm, &err);
    state_sink_free(TAKE_PTR(vm->sink));
    if (vm->reaped != NULL)
        vm->reaped(vm->reaped_arg);
    vm->events.dead(vm->arg, &err);
}

static void on_qemu_gone(void *arg)
{
    struct gb_vm *vm = arg;

    gb_watch_free(TAKE_PTR(vm->qemu_watch));
    gb_process_close(&vm->qemu);
    vm_check_later(vm);
}

static void on_launcher_exited(void *arg, int status, int signal)
{
    struct gb_vm *vm = arg;

    vm->exited = true;
    vm->exit_status = status;
    vm->exit_signal = signal;
    vm->state = ENDING;
    vm_check_later(vm);
}

static void violation(struct gb_vm *vm, const struct gb_err *err)
{
    char text[GB_ERR_MESSAGE_MAX + 64];

    (void)snprintf(text, sizeof(text), "the guest broke the protocol: %s", err->message);
    gb_vm_kill(vm, text);
}

/* The agent. */

static void on_hello(struct gb_vm *vm, const struct gb_frame *frame)
{
    struct gb_hello hello;
    struct gb_err err = {0};

    if (vm->spoke) {
        (void)gb_err_set(&err, GB_EINTERNAL, "a second HELLO");
        violation(vm, &err);
        return;
    }
    if (gb_fields_decode(&gb_hello_fields, frame->payload, &hello, &err) < 0) {
        violation(vm, &err);
        return;
    }
    if (hello.version != GB_GUEST_VERSION) {
        char text[160];

        (void)snprintf(text, sizeof(text),
                       "the image's agent speaks version %u, this program version %u; build the "
                       "images again with `glassbell image build`",
                       hello.version, GB_GUEST_VERSION);
        gb_vm_kill(vm, text);
        return;
    }
    vm->spoke = true;
    vm->hello_ns = gb_loop_now_ns();
    if (vm->state == STARTING) {
        gb_timer_stop(vm->timer);
        vm->state = RUNNING;
    }
    vm->ran = true;
    vm->events.running(vm->arg, &hello);
}

/* Passes on frames until the input is used up or the VM is killed. */
static void pump(struct gb_vm *vm)
{
    while (vm->agent != NULL && vm->input != NULL) {
        struct gb_frame frame;
        struct gb_err err = {0};
        struct gb_buf *input = vm->input;
        size_t size;
        int r = gb_frame_next(gb_buf_bytes(input), &frame, &size, &err);

        if (r == 0)
            return;
        if (r < 0) {
            violation(vm, &err);
        } else if (frame.type == GB_GUEST_HELLO) {
            on_hello(vm, &frame);
        } else if (!vm->spoke) {
            (void)gb_err_set(&err, GB_EINTERNAL, "%s before HELLO", gb_guest_type_name(frame.type));
            violation(vm, &err);
        } else {
            vm->events.frame(vm->arg, &frame);
        }
        if (r > 0 && vm->agent != NULL)
            gb_buf_consume(input, size);
    }
}

static void on_agent_input(void *arg, struct gb_buf *input)
{
    struct gb_vm *vm = arg;

    vm->input = input;
    pump(vm);
}

static void on_agent_closed(void *arg, int sys_errno)
{
    struct gb_vm *vm = arg;

    (void)sys_errno;
    end_agent(vm);
    /* QEMU closes its sockets when it exits; if it closes one without exiting, it is useless. */
    if (vm->state != ENDING) {
        vm->state = ENDING;
        gb_timer_start(vm->timer, GRACE_MS);
    }
    vm_check_later(vm);
}

static void on_agent_sent(void *arg, size_t bytes)
{
    struct gb_vm *vm = arg;

    if (vm->events.sent != NULL)
        vm->events.sent(vm->arg, bytes);
}

/* The launcher's status, QEMU's errors, the console. */

static void on_status_input(void *arg, struct gb_buf *input)
{
    struct gb_vm *vm = arg;
    struct gb_err err = {0};
    bool known = vm->report.pid != 0;

    if (gb_guard_report_read(&vm->report, input, &err) < 0) {
        gb_buf_clear(input);
        gb_vm_kill(vm, err.message);
        return;
    }
    if (known || vm->report.pid == 0)
        return;
    if (gb_process_open(vm->report.pid, &vm->qemu) < 0)
        return; /* it has ended and been reaped */
    vm->qemu_watch = gb_watch_new(vm->host->loop, vm->qemu.fd, on_qemu_gone, vm);
    if (registry_add(vm->host->run, gb_child_pid(vm->launcher), vm->report.pid, &err) == 0)
        vm->registered = true;
    else
        gb_warning("a VM is not in the registry: %s", err.message);
}

static void on_status_closed(void *arg, int sys_errno)
{
    struct gb_vm *vm = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(vm->status));
    vm_check_later(vm);
}

static void on_errors_input(void *arg, struct gb_buf *input)
{
    struct gb_vm *vm = arg;

    tail_add(&vm->errors_tail, gb_buf_bytes(input));
    gb_buf_clear(input);
}

static void on_errors_closed(void *arg, int sys_errno)
{
    struct gb_vm *vm = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(vm->errors));
    vm_check_later(vm);
}

static void on_console_input(void *arg, struct gb_buf *input)
{
    struct gb_vm *vm = arg;

    tail_add(&vm->console_tail, gb_buf_bytes(input));
    gb_buf_clear(input);
}

static void on_console_closed(void *arg, int sys_errno)
{
    struct gb_vm *vm = arg;

    (void)sys_errno;
    gb_stream_free(TAKE_PTR(vm->console));
    vm_check_later(vm);
}

static const struct gb_stream_events status_events = {.input = on_status_input,
                                                      .closed = on_status_closed};
static const struct gb_stream_events errors_events = {.input = on_errors_input,
                                                      .closed = on_errors_closed};
static const struct gb_stream_events console_events = {.input = on_console_input,
                                                       .closed = on_console_closed};
static const struct gb_stream_events agent_events = {
    .input = on_agent_input, .closed = on_agent_closed, .sent = on_agent_sent};

/* Start. */

/* A uid that no other VM of this host uses. */
static uint32_t choose_uid(const struct gb_host *host)
{
    if (geteuid() != 0)
        return 0;
    for (;;) {
        struct gb_vm *other;
        bool used = false;
        uint32_t uid;

        /* Other servers choose from the same range. */
        if (gb_random_fill(&uid, sizeof(uid)) < 0)
            uid = (uint32_t)gb_loop_now_ns();
        uid = UID_FIRST + uid % (UID_LAST - UID_FIRST + 1);
        GB_LIST_FOREACH(other, &host->vms, link)
            used = used || other->uid == uid;
        if (!used)
            return uid;
    }
}

enum { SOCKETS = 6 }; /* errors, status, monitor, agent, console, network */

struct sockets {
    int ours[SOCKETS], theirs[SOCKETS];
    int lifeline[2]; /* read end, write end */
};

static void close_sockets(struct sockets *sockets)
{
    for (size_t i = 0; i < SOCKETS; i++) {
        sockets->ours[i] = gb_close(sockets->ours[i]);
        sockets->theirs[i] = gb_close(sockets->theirs[i]);
    }
    for (size_t i = 0; i < 2; i++)
        sockets->lifeline[i] = gb_close(sockets->lifeline[i]);
}

static int open_sockets(struct sockets *sockets, struct gb_err *err)
{
    int r = 0;

    memset(sockets, -1, sizeof(*sockets));
    for (size_t i = 0; i < SOCKETS && r == 0; i++) {
        int pair[2] = {-1, -1};

        r = gb_socket_pair(pair);
        sockets->ours[i] = pair[0];
        sockets->theirs[i] = pair[1];
    }
    if (r == 0)
        r = gb_socket_pipe(sockets->lifeline);
    return r < 0 ? gb_err_sys(err, -r, "cannot make sockets for a VM") : 0;
}

static int check_config(const struct gb_vm_config *config, struct gb_err *err)
{
    if (config->memory_mb < 32 || config->memory_mb > 65536)
        return gb_err_set(err, GB_EINVALID, "a VM cannot have %u MB of memory", config->memory_mb);
    if ((config->ram == GB_RAM_ANONYMOUS) != (config->ram_path == NULL))
        return gb_err_set(err, GB_EINTERNAL, "a RAM file is missing, or there is one too many");
    return 0;
}

/* Sets the size of a template's RAM file here, because QEMU may not write large files. */
static int prepare_ram(const struct gb_vm_config *config, struct gb_err *err)
{
    _cleanup_(closep) int fd = -1;

    if (config->ram != GB_RAM_SHARED_FILE)
        return 0;
    fd = open(config->ram_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)config->memory_mb << 20) < 0)
        return gb_err_sys(err, errno, "cannot make the RAM file %s", config->ram_path);
    return 0;
}

static int start_launcher(struct gb_vm *vm, struct qemu_machine *machine, struct sockets *sockets,
                          struct gb_err *err)
{
    struct gb_child_config child = {
        .file = vm->host->launcher,
        .fds = {-1, -1, sockets->theirs[0], sockets->theirs[1], sockets->lifeline[0],
                sockets->theirs[2], sockets->theirs[3], sockets->theirs[4], sockets->theirs[5]},
        .fd_count = QEMU_FD_END,
        .new_session = true,
    };
    char **argv;
    int r = qemu_build_argv(vm->host, machine, &argv, err);

    if (r < 0)
        return r;
    child.argv = argv;
    r = gb_child_start(vm->host->loop, &child, on_launcher_exited, vm, &vm->launcher, err);
    qemu_free_argv(argv);
    return r;
}

int vm_start(struct gb_host *host, enum gb_accel accel, const struct gb_vm_config *config,
             const struct gb_vm_events *events, void *arg, struct gb_vm **ret_vm,
             struct gb_err *err)
{
    struct qemu_machine machine = {
        .accel = accel,
        .uid = choose_uid(host),
        .image = config->image,
        .memory_mb = config->memory_mb,
        .ram = config->ram,
        .ram_path = config->ram_path,
        .incoming = config->incoming,
    };
    struct sockets sockets;
    struct gb_vm *vm;
    uint64_t limit = config->boot_timeout_ms;
    int r;

    r = check_config(config, err);
    if (r == 0)
        r = prepare_ram(config, err);
    if (r < 0)
        return r;
    vm = xcalloc(1, sizeof(*vm));
    vm->host = host;
    vm->events = *events;
    vm->arg = arg;
    vm->uid = machine.uid;
    vm->state = config->incoming ? WAITING : STARTING;
    vm->started_ns = gb_loop_now_ns();
    vm->qemu = GB_PROCESS_NONE;
    vm->operation_fd = vm->lifeline = vm->network_fd = -1;
    gb_list_init(&vm->link);
    r = open_sockets(&sockets, err);
    if (r == 0)
        r = start_launcher(vm, &machine, &sockets, err);
    if (r < 0) {
        close_sockets(&sockets);
        free(vm);
        return gb_err_wrap(err, r, "starting a VM");
    }
    vm->errors = gb_stream_new(host->loop, TAKE_FD(sockets.ours[0]), TAIL_MAX, &errors_events, vm);
    vm->status = gb_stream_new(host->loop, TAKE_FD(sockets.ours[1]), TAIL_MAX, &status_events, vm);
    vm->qmp = qmp_new(host->loop, TAKE_FD(sockets.ours[2]), &operation_qmp_events, vm);
    vm->agent = gb_stream_new(host->loop, TAKE_FD(sockets.ours[3]), READ_BYTES, &agent_events, vm);
    vm->console =
        gb_stream_new(host->loop, TAKE_FD(sockets.ours[4]), TAIL_MAX, &console_events, vm);
    vm->network_fd = TAKE_FD(sockets.ours[5]);
    vm->lifeline = TAKE_FD(sockets.lifeline[1]);
    close_sockets(&sockets);
    vm->timer = gb_timer_new(host->loop, on_timer, vm);
    if (limit == 0)
        limit = gb_accel_is_hardware(accel) ? BOOT_HARDWARE_MS : BOOT_TCG_MS;
    if (!config->incoming)
        gb_timer_start(vm->timer, limit);
    gb_list_add_tail(&host->vms, &vm->link);
    *ret_vm = vm;
    return 0;
}

int gb_vm_start(struct gb_host *host, const struct gb_vm_config *config,
                const struct gb_vm_events *events, void *arg, struct gb_vm **ret_vm,
                struct gb_err *err)
{
    assert(config->image != NULL);
    return vm_start(host, host->accel, config, events, arg, ret_vm, err);
}

void gb_vm_hand_over(struct gb_vm *vm, const struct gb_vm_events *events, void *arg)
{
    assert(vm->state != DEAD);
    vm->events = *events;
    vm->arg = arg;
}

void gb_vm_on_reaped(struct gb_vm *vm, void (*reaped)(void *arg), void *arg)
{
    assert(vm->state != DEAD && vm->reaped == NULL);
    vm->reaped = reaped;
    vm->reaped_arg = arg;
}

void gb_vm_free(struct gb_vm *vm)
{
    if (vm == NULL)
        return;
    assert(vm->state == DEAD);
    gb_loop_undefer(&vm->end);
    gb_loop_undefer(&vm->begin);
    gb_timer_free(vm->timer);
    gb_child_free(vm->launcher);
    gb_buf_release(&vm->errors_tail);
    gb_buf_release(&vm->console_tail);
    free(vm->reason);
    free(vm);
}

/* Use. */

void gb_vm_send(struct gb_vm *vm, struct gb_buf *frames)
{
    if (vm->agent == NULL || vm->state == ENDING)
        gb_buf_clear(frames);
    else
        gb_stream_send_buf(vm->agent, frames);
}

size_t gb_vm_queued(const struct gb_vm *vm)
{
    return vm->agent != NULL ? gb_stream_queued(vm->agent) : 0;
}

int gb_vm_take_network(struct gb_vm *vm)
{
    return TAKE_FD(vm->network_fd);
}

bool gb_vm_network_is_taken(const struct gb_vm *vm)
{
    return vm->network_fd < 0;
}

pid_t gb_vm_pid(const struct gb_vm *vm)
{
    return vm->report.pid;
}

uint32_t gb_vm_guard_stages(const struct gb_vm *vm)
{
    return vm->report.applied;
}

uint64_t gb_vm_started_ns(const struct gb_vm *vm)
{
    return vm->started_ns;
}

uint64_t gb_vm_hello_ns(const struct gb_vm *vm)
{
    return vm->hello_ns;
}
