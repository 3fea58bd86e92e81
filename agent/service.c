/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <signal.h>
#include <string.h>
#include <sys/utsname.h>

#include "agent.h"
#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "console.h"
#include "listening.h"
#include "packages.h"
#include "parse/settings.h"
#include "system.h"
#include "trust.h"
#include "wire/frames.h"

enum { START_ATTEMPTS = 3, RESTART_LATEST_S = 60 };

static struct agent *agent_of(struct port *port)
{
    return container_of(port, struct agent, port);
}

/* Every message of the host, decoded. */
union request {
    struct gb_configure configure;
    struct gb_resume resume;
    struct gb_exec exec;
    struct gb_interrupt_request interrupt;
    struct gb_complete complete;
    struct gb_is_complete is_complete;
    struct gb_describe describe;
    struct gb_terminal_request terminal;
    struct gb_terminal_size resize;
    struct gb_file_list file_list;
    struct gb_file_path file_path;
    struct gb_file_change file_change;
    struct gb_trust trust;
    struct gb_network_begin network_begin;
};

static void serve_ping(struct agent *agent, const struct gb_frame *frame,
                       const union request *request)
{
    const struct gb_pong pong = {
        .uptime_ns = system_uptime_ns(),
        .wall_ns = gb_clock_wall_ns(),
        .ready = agent->kernel.state == WORKER_READY,
    };

    (void)request;
    port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_PONG, .id = frame->id},
              &gb_pong_fields, &pong);
}

static void serve_stat(struct agent *agent, const struct gb_frame *frame,
                       const union request *request)
{
    struct gb_status status;

    (void)request;
    system_status(agent, &status);
    port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_STATUS, .id = frame->id},
              &gb_status_fields, &status);
}

static void serve_shutdown(struct agent *agent, const struct gb_frame *frame,
                           const union request *request)
{
    (void)agent;
    (void)frame;
    (void)request;
    console_power_off();
}

/* OK follows when the session's worker has done its part. */
static void serve_configure(struct agent *agent, const struct gb_frame *frame,
                            const union request *request)
{
    const struct gb_configure *configure = &request->configure;
    struct gb_err err;

    if (agent->configure_id != 0)
        (void)gb_err_set(&err, GB_EBUSY, "an earlier CONFIGURE has not finished");
    else if (system_configure(agent, configure, &err) == 0) {
        if (agent->kernel.state == WORKER_STARTING || agent->kernel.state == WORKER_READY)
            agent->configure_id = frame->id;
        if (agent->listening.count > 0) /* in a template: this host does not know it */
            listening_repeat(agent);
        worker_settle(&agent->kernel, configure->entropy);
        worker_settle(&agent->process, configure->entropy);
        worker_settle(&agent->shell, configure->entropy);
        if (agent->configure_id == 0)
            port_send_ok(&agent->port, frame->id);
        return;
    }
    port_send_error(&agent->port, frame->id, &err);
}

/* OK follows when the session's worker has warmed up. */
static void serve_prepare(struct agent *agent, const struct gb_frame *frame,
                          const union request *request)
{
    struct gb_err err;

    (void)request;
    if (agent->kernel.state != WORKER_READY || agent->cell != NULL || agent->prepare_id != 0) {
        (void)gb_err_set(&err, GB_EBUSY, "the worker is not idle");
        port_send_error(&agent->port, frame->id, &err);
        return;
    }
    agent->prepare_id = frame->id;
    worker_send(&agent->kernel, CONTROL_CELL, CONTROL_PREPARE, NULL, NULL);
}

/* Whether anything is in progress that a host without knowledge of it could not end. */
static int check_rest(const struct agent *agent, struct gb_err *err)
{
    const struct gb_mux_stream *stream;

    GB_LIST_FOREACH_CONST(stream, &agent->mux.streams, link)
        if (stream->kind != GB_STREAM_STDOUT && stream->kind != GB_STREAM_STDERR)
            return gb_err_set(err, GB_EBUSY, "a stream is open");
    if (agent->kernel.state != WORKER_READY || agent->cell != NULL)
        return gb_err_set(err, GB_EBUSY, "the worker is not idle");
    if (agent->configure_id != 0 || agent->prepare_id != 0 || query_is_open(&agent->queries))
        return gb_err_set(err, GB_EBUSY, "a query of the worker is unanswered");
    if (agent->files.removing_count > 0)
        return gb_err_set(err, GB_EBUSY, "a folder is being removed");
    return 0;
}

static void serve_hold(struct agent *agent, const struct gb_frame *frame,
                       const union request *request)
{
    struct gb_err err;

    (void)request;
    if (check_rest(agent, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_hold(&agent->port, frame->id);
}

static void serve_resume(struct agent *agent, const struct gb_frame *frame,
                         const union request *request)
{
    struct gb_err err;
    int r = system_resume(agent, &request->resume, &err);

    if (r < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_send_ok(&agent->port, frame->id);
    cell_live_again(agent);
    listening_repeat(agent);
    port_resume(&agent->port);
}

static void serve_exec(struct agent *agent, const struct gb_frame *frame,
                       const union request *request)
{
    struct gb_err err;

    if (settings_check_env(&request->exec.env, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        cell_exec(agent, frame, &request->exec);
}

static void serve_interrupt(struct agent *agent, const struct gb_frame *frame,
                            const union request *request)
{
    cell_interrupt(agent, frame, &request->interrupt);
}

static void serve_complete(struct agent *agent, const struct gb_frame *frame,
                           const union request *request)
{
    query_complete(agent, frame, &request->complete);
}

static void serve_is_complete(struct agent *agent, const struct gb_frame *frame,
                              const union request *request)
{
    query_is_complete(agent, frame, &request->is_complete);
}

static void serve_describe(struct agent *agent, const struct gb_frame *frame,
                           const union request *request)
{
    query_describe(agent, frame, &request->describe);
}

static void serve_terminal(struct agent *agent, const struct gb_frame *frame,
                           const union request *request)
{
    terminal_start(agent, frame->id, &request->terminal);
}

static void serve_resize(struct agent *agent, const struct gb_frame *frame,
                         const union request *request)
{
    terminal_resize(agent, frame->id, &request->resize);
}

static void serve_file_list(struct agent *agent, const struct gb_frame *frame,
                            const union request *request)
{
    files_list(&agent->files, &agent->port, frame->id, &request->file_list);
}

static void serve_file_stat(struct agent *agent, const struct gb_frame *frame,
                            const union request *request)
{
    files_stat(&agent->files, &agent->port, frame->id, &request->file_path);
}

static void serve_file_remove(struct agent *agent, const struct gb_frame *frame,
                              const union request *request)
{
    files_remove(&agent->files, &agent->port, frame->id, &request->file_change);
}

static void serve_file_mkdir(struct agent *agent, const struct gb_frame *frame,
                             const union request *request)
{
    files_mkdir(&agent->files, &agent->port, frame->id, &request->file_change);
}

static void serve_network_on(struct agent *agent, const struct gb_frame *frame,
                             const union request *request)
{
    struct gb_err err;

    if (netd_on(agent, request->network_begin.mark, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_send_ok(&agent->port, frame->id);
}

static void serve_network_start(struct agent *agent, const struct gb_frame *frame,
                                const union request *request)
{
    struct gb_err err;

    if (netd_start(agent, request->network_begin.mark, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_send_ok(&agent->port, frame->id);
}

static void serve_network_rehearse(struct agent *agent, const struct gb_frame *frame,
                                   const union request *request)
{
    struct gb_err err;

    (void)request;
    if (netd_rehearse(agent, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_send_ok(&agent->port, frame->id);
}

static void serve_network_off(struct agent *agent, const struct gb_frame *frame,
                              const union request *request)
{
    (void)request;
    if (!netd_off(agent, frame->id))
        port_send_ok(&agent->port, frame->id);
}

static void serve_trust(struct agent *agent, const struct gb_frame *frame,
                        const union request *request)
{
    struct gb_err err;

    if (trust_set(request->trust.certificates, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_send_ok(&agent->port, frame->id);
}

static void serve_packages(struct agent *agent, const struct gb_frame *frame,
                           const union request *request)
{
    struct gb_err err;

    (void)request;
    if (packages_mount(&agent->boot, &err) < 0)
        port_send_error(&agent->port, frame->id, &err);
    else
        port_send_ok(&agent->port, frame->id);
}

static const struct service {
    enum gb_guest_type type;
    void (*serve)(struct agent *agent, const struct gb_frame *frame, const union request *request);
} services[] = {
    {GB_GUEST_EXEC, serve_exec},
    {GB_GUEST_PING, serve_ping},
    {GB_GUEST_CONFIGURE, serve_configure},
    {GB_GUEST_STAT, serve_stat},
    {GB_GUEST_PREPARE, serve_prepare},
    {GB_GUEST_HOLD, serve_hold},
    {GB_GUEST_RESUME, serve_resume},
    {GB_GUEST_SHUTDOWN, serve_shutdown},
    {GB_GUEST_INTERRUPT, serve_interrupt},
    {GB_GUEST_COMPLETE, serve_complete},
    {GB_GUEST_IS_COMPLETE, serve_is_complete},
    {GB_GUEST_DESCRIBE, serve_describe},
    {GB_GUEST_TERMINAL, serve_terminal},
    {GB_GUEST_RESIZE, serve_resize},
    {GB_GUEST_FILE_LIST, serve_file_list},
    {GB_GUEST_FILE_STAT, serve_file_stat},
    {GB_GUEST_FILE_REMOVE, serve_file_remove},
    {GB_GUEST_FILE_MKDIR, serve_file_mkdir},
    {GB_GUEST_PACKAGES, serve_packages},
    {GB_GUEST_TRUST, serve_trust},
    {GB_GUEST_NETWORK_ON, serve_network_on},
    {GB_GUEST_NETWORK_OFF, serve_network_off},
    {GB_GUEST_NETWORK_START, serve_network_start},
    {GB_GUEST_NETWORK_REHEARSE, serve_network_rehearse},
};

static void service_frame(struct port *port, const struct gb_frame *frame)
{
    struct agent *agent = agent_of(port);
    union request request;
    struct gb_err err;

    if (gb_mux_takes(frame)) {
        stream_frame(agent, frame);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
        if (services[i].type != frame->type)
            continue;
        if (gb_frame_decode(frame, &request, &err) < 0)
            port_send_error(port, frame->id, &err);
        else
            services[i].serve(agent, frame, &request);
        return;
    }
    (void)gb_err_set(&err, GB_EUNSUPPORTED, "the agent does not know frames of type %u",
                     frame->type);
    port_send_error(port, frame->id, &err);
}

static int service_check_room(struct port *port, uint64_t size, struct gb_err *err)
{
    const struct agent *agent = agent_of(port);

    return system_check_available(agent->boot.proc_fd, agent->reserve + size, err);
}

static void service_refused(struct port *port, const struct gb_frame *frame,
                            const struct gb_err *why)
{
    /* One of a stream is over any window. */
    if (gb_mux_takes(frame))
        console_fatal("the host broke the protocol: a frame of a stream is too large");
    if (frame->type == GB_GUEST_EXEC)
        cell_refuse(agent_of(port), frame, why->message);
    else
        port_send_error(port, frame->id, why);
}

static void send_ready(struct agent *agent)
{
    const struct worker *kernel = &agent->kernel;
    const struct cell *cell = agent->cell;
    const struct gb_ready ready = {
        .language = gb_bytes_str(kernel->name),
        .generation = kernel->generation,
        .start_ns = kernel->ready_ns - kernel->started_ns,
    };

    /* If the previous worker ended with a cell, that cell is reported first: it says what was
     * lost. */
    agent->ready_waits = cell != NULL && cell->worker == kernel && cell->state == CELL_DRAINING;
    if (agent->port.connected && !agent->ready_waits)
        port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_READY}, &gb_ready_fields,
                  &ready);
}

static void service_connected(struct port *port)
{
    struct agent *agent = agent_of(port);
    struct utsname kernel;
    struct gb_hello hello = {
        .version = GB_GUEST_VERSION,
        .language = gb_bytes_str(agent->kernel.name),
        .boot_ns = system_uptime_ns(),
    };

    (void)uname(&kernel); /* fails for a bad pointer only */
    hello.kernel = gb_bytes_str(kernel.release);
    if (!agent->greeted)
        port_send(port, (struct gb_frame){.type = GB_GUEST_HELLO}, &gb_hello_fields, &hello);
    if (!agent->greeted && agent->kernel.state == WORKER_READY)
        send_ready(agent);
    agent->greeted = true;
}

static void service_drained(struct port *port)
{
    cell_resume_output(agent_of(port));
    terminal_resume_output(agent_of(port));
}

const struct port_owner service_port = {
    .frame = service_frame,
    .check_room = service_check_room,
    .refused = service_refused,
    .connected = service_connected,
    .drained = service_drained,
};

void service_worker_ready(struct agent *agent, struct worker *worker)
{
    if (worker == &agent->kernel)
        send_ready(agent);
}

void service_cell_ended(struct agent *agent)
{
    if (agent->ready_waits)
        send_ready(agent);
}

void service_worker_settled(struct agent *agent, struct worker *worker)
{
    if (worker != &agent->kernel || agent->configure_id == 0)
        return;
    port_send_ok(&agent->port, agent->configure_id);
    agent->configure_id = 0;
}

void service_worker_prepared(struct agent *agent, struct worker *worker)
{
    if (worker != &agent->kernel || agent->prepare_id == 0)
        return;
    netd_park(agent);
    port_send_ok(&agent->port, agent->prepare_id);
    agent->prepare_id = 0;
}

static void refuse_prepare(struct agent *agent, const struct worker *worker)
{
    struct gb_err err;

    if (worker != &agent->kernel || agent->prepare_id == 0)
        return;
    (void)gb_err_set(&err, GB_EINTERNAL, "the worker died while it warmed up");
    port_send_error(&agent->port, agent->prepare_id, &err);
    agent->prepare_id = 0;
}

/* The next worker gets the settings in its environment. */
static void answer_configure(struct agent *agent, const struct worker *worker)
{
    if (worker == &agent->kernel && agent->configure_id != 0) {
        port_send_ok(&agent->port, agent->configure_id);
        agent->configure_id = 0;
    }
}

void service_worker_gone(struct agent *agent, struct worker *worker)
{
    if (worker->note[0] != '\0')
        port_log(&agent->port, GB_LOG_WARNING, "worker %s: %s", worker->name, worker->note);
    answer_configure(agent, worker);
    refuse_prepare(agent, worker);
    if (worker == &agent->kernel && worker->state == WORKER_DOWN && !agent->finishing)
        worker_start(worker);
}

void service_start_failed(struct agent *agent, struct worker *worker)
{
    answer_configure(agent, worker);
    port_log(&agent->port, GB_LOG_ERROR, "worker %s does not start: %s", worker->name,
             worker->note[0] != '\0' ? worker->note : "it ended before it was ready");
    worker->failures++;
    if (worker != &agent->kernel) {
        cell_worker_unavailable(agent, worker);
        return;
    }
    if (worker->failures >= START_ATTEMPTS)
        console_fatal("the worker %s does not start", worker->name);
    /* Probably background processes leave no room for it. */
    cgroup_kill_all(&agent->cgroup);
    deadline_set(&agent->loop, &agent->restart,
                 gb_clock_mono_ns() + RESTART_LATEST_S * GB_NS_PER_S);
}
