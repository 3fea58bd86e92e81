/* SPDX-License-Identifier: Apache-2.0 */
#include "cell.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "console.h"
#include "init.h"
#include "output.h"
#include "upload.h"
#include "parse/path.h"

/* Standard input. */

static void stdin_close(struct cell *cell)
{
    struct gb_err why = {0};

    loop_unwatch(&cell->agent->loop, &cell->stdin_source);
    cell->stdin_source.fd = gb_close(cell->stdin_source.fd);
    gb_buf_release(&cell->stdin_data);
    if (cell->stdin_stream == NULL)
        return;
    (void)gb_err_set(&why, GB_ENOTFOUND, "nobody reads standard input of cell %u", cell->id);
    gb_mux_reset(TAKE_PTR(cell->stdin_stream), &why);
}

/* @bytes were written to the pipe: bytes of the stream open its window again. */
static void stdin_written(struct cell *cell, size_t bytes)
{
    size_t given = MIN(bytes, cell->stdin_given);

    gb_buf_consume(&cell->stdin_data, bytes);
    cell->stdin_given -= given;
    if (cell->stdin_stream != NULL && bytes > given)
        gb_mux_consume(cell->stdin_stream, bytes - given);
}

/* Writes what the pipe accepts, and closes it after the last byte. */
static void stdin_feed(struct cell *cell)
{
    struct gb_buf *data = &cell->stdin_data;

    while (cell->stdin_source.fd >= 0 && data->size > 0) {
        ssize_t n = write(cell->stdin_source.fd, gb_buf_data(data), data->size);

        if (n > 0) {
            stdin_written(cell, (size_t)n);
            continue;
        }
        if (errno == EAGAIN || errno == EINTR)
            break;
        stdin_close(cell); /* there is no reader any more */
    }
    if (cell->stdin_source.fd < 0)
        return;
    if (data->size == 0 && cell->stdin_ends)
        stdin_close(cell);
    else if (data->size == 0)
        loop_unwatch(&cell->agent->loop, &cell->stdin_source);
    else if (loop_watch(&cell->agent->loop, &cell->stdin_source, EPOLLOUT) < 0)
        stdin_close(cell);
}

static void stdin_ready(struct source *source)
{
    stdin_feed(container_of(source, struct cell, stdin_source));
}

/* A cell that may read gets a pipe, others get /dev/null. */
static int stdin_open(struct cell *cell, const struct gb_exec *exec, struct gb_err *err)
{
    int pair[2];

    cell->stdin_ends = (exec->flags & GB_EXEC_INTERACTIVE) == 0;
    if (cell->stdin_ends && exec->stdin_data.size == 0)
        return 0;
    if (!gb_buf_try_add(&cell->stdin_data, exec->stdin_data.data, exec->stdin_data.size,
                        GB_STDIN_MAX))
        return gb_err_set(err, GB_ECAPACITY, "no memory for standard input");
    if (pipe2(pair, O_CLOEXEC) < 0)
        return gb_err_sys(err, errno, "no pipe for standard input");
    cell->stdin_given = exec->stdin_data.size;
    cell->stdin_read_fd = pair[0];
    cell->stdin_source.fd = pair[1];
    (void)fcntl(pair[1], F_SETFL, O_NONBLOCK); /* every pipe accepts this flag */
    if (fchown(pair[0], USER_ID, USER_ID) < 0) /* so that /dev/stdin can be opened */
        console_say("fchown: %s", strerror(errno));
    stdin_feed(cell);
    return 0;
}

/* Life. */

static void timeout_passed(struct deadline *deadline);
static void nudge_passed(struct deadline *deadline);

struct cell *cell_prepare(struct agent *agent)
{
    struct cell *cell = xcalloc(1, sizeof(*cell));

    *cell = (struct cell){
        .agent = agent,
        .stdin_source = {.fd = -1, .rank = RANK_PIPE, .ready = stdin_ready},
        .stdin_read_fd = -1,
    };
    gb_list_init(&cell->link);
    deadline_init(&cell->timeout, timeout_passed);
    deadline_init(&cell->nudge, nudge_passed);
    if (output_open(&cell->out, cell, GB_STDOUT) < 0 ||
        output_open(&cell->err, cell, GB_STDERR) < 0) {
        output_close(&cell->out);
        output_close(&cell->err);
        free(cell);
        return NULL;
    }
    return cell;
}

static void cell_free(struct cell *cell)
{
    deadline_clear(&cell->timeout);
    deadline_clear(&cell->nudge);
    gb_list_remove(&cell->link);
    output_close(&cell->out);
    output_close(&cell->err);
    stdin_close(cell);
    cell->stdin_read_fd = gb_close(cell->stdin_read_fd);
    gb_buf_release(&cell->message);
    gb_buf_release(&cell->value);
    gb_buf_release(&cell->note);
    gb_buf_release(&cell->changed);
    free(cell);
}

static bool output_is_over(const struct output *output)
{
    return output->ended || output->source.fd < 0;
}

void cell_retire(struct cell *cell)
{
    struct agent *agent = cell->agent;
    struct cell *oldest;

    if (output_is_over(&cell->out) && output_is_over(&cell->err)) {
        if (!gb_list_empty(&cell->link))
            agent->lingering_count--;
        cell_free(cell);
        return;
    }
    if (!gb_list_empty(&cell->link))
        return;
    output_watch(&cell->out);
    output_watch(&cell->err);
    stdin_close(cell);
    gb_buf_release(&cell->value);
    gb_buf_release(&cell->changed);
    gb_list_add_tail(&agent->lingering, &cell->link);
    if (++agent->lingering_count > LINGERING_MAX) {
        oldest = container_of(agent->lingering.next, struct cell, link);
        agent->lingering_count--;
        cell_free(oldest);
    }
}

static void interrupt(struct cell *cell);

static struct worker *worker_for(struct agent *agent, uint8_t mode)
{
    switch (mode) {
    case GB_MODE_PROCESS:
        return &agent->process;
    case GB_MODE_SHELL:
        return &agent->shell;
    default:
        return &agent->kernel;
    }
}

/* A worker's start does not count as the cell's time, up to a limit: the host does not wait
 * longer. */
static void set_timeout(struct cell *cell, uint64_t at_ns)
{
    const uint64_t most = (cell->timeout_ms + (uint64_t)GB_WORKER_WAIT_MS) * GB_NS_PER_MS;

    if (cell->timeout_ms > 0)
        deadline_set(&cell->agent->loop, &cell->timeout, MIN(at_ns, cell->came_ns + most));
}

static void wait_for_worker(struct cell *cell)
{
    cell->state = CELL_WAITING;
    set_timeout(cell, UINT64_MAX);
    worker_hurry(cell->worker);
}

static void dispatch(struct cell *cell)
{
    const int null_fd = cell->agent->null_fd;
    const int fds[3] = {cell->stdin_read_fd >= 0 ? cell->stdin_read_fd : null_fd,
                        cell->out.write_fd, cell->err.write_fd};

    cell->state = CELL_RUNNING;
    cell->started_ns = gb_clock_mono_ns();
    set_timeout(cell, cell->started_ns + cell->timeout_ms * GB_NS_PER_MS);
    /* The worker must not take a signal for the previous cell as one for this cell. */
    cell->unbegun = cell->worker->interrupted;
    if (cell->unbegun)
        cell->message.memory[cell->message.start + CONTROL_RUN_FLAGS_AT] |= CONTROL_STALE_SIGINT;
    cell->worker->interrupted = false;
    worker_send_cell(cell->worker, gb_buf_bytes(&cell->message), fds);
    if (cell->sigint_owed && !cell->unbegun)
        interrupt(cell); /* it was owed by a worker that has died */
}

static void set_note(struct cell *cell, const char *text);
static void abandon(struct cell *cell);

static void close_far_ends(struct cell *cell)
{
    cell->stdin_read_fd = gb_close(cell->stdin_read_fd);
    cell->out.write_fd = gb_close(cell->out.write_fd);
    cell->err.write_fd = gb_close(cell->err.write_fd);
}

void cell_dispatched(struct agent *agent)
{
    close_far_ends(agent->cell);
    gb_buf_release(&agent->cell->message);
}

static int check_exec(const struct gb_frame *frame, const struct gb_exec *exec, struct gb_err *err)
{
    if (frame->cell == 0)
        return gb_err_set(err, GB_EINVALID, "a cell needs a number");
    if (exec->mode >= GB_MODE_COUNT)
        return gb_err_set(err, GB_EINVALID, "there is no mode %u", exec->mode);
    if ((exec->flags & ~(GB_EXEC_INTERACTIVE | GB_EXEC_FINAL | GB_EXEC_PUT)) != 0)
        return gb_err_set(err, GB_EINVALID, "unknown flags %u", exec->flags);
    if (exec->timeout_ms > GB_TIMEOUT_MAX_MS)
        return gb_err_set(err, GB_EINVALID, "the time-out is longer than a day");
    if ((exec->flags & GB_EXEC_PUT) != 0 && exec->file.size == 0)
        return gb_err_set(err, GB_EINVALID, "there is no file to put the code into");
    if (exec->argv.size > 0 && exec->argv.data[exec->argv.size - 1] != '\0')
        return gb_err_set(err, GB_EINVALID, "the last argument is not terminated");
    return 0;
}

/* Fills the prepared cell from the request. */
static int fill(struct cell *cell, const struct gb_frame *frame, const struct gb_exec *exec,
                struct gb_err *err)
{
    struct path path = {0};
    _cleanup_(gb_buf_release) struct gb_buf file = {0};
    struct control_run run;
    int r;

    cell->id = frame->cell;
    cell->request = frame->id;
    cell->mode = exec->mode;
    cell->timeout_ms = exec->timeout_ms;
    cell->out.allowed = exec->max_stdout;
    cell->err.allowed = exec->max_stderr;
    cell->final = (exec->flags & GB_EXEC_FINAL) != 0 || exec->mode == GB_MODE_PROCESS;
    run = (struct control_run){
        .cell = frame->cell,
        .flags = (uint8_t)((exec->flags & GB_EXEC_INTERACTIVE ? CONTROL_INTERACTIVE : 0) |
                           (cell->final ? CONTROL_FINAL : 0)),
        .env = exec->env,
        .argv = exec->argv,
        .code = exec->code,
    };

    if (exec->file.size > 0) {
        r = path_parse(exec->file, USER_HOME, &path, err);
        if (r < 0)
            return r;
        gb_buf_addf(&file, USER_HOME "/%s", path.text);
        run.file = gb_buf_bytes(&file);
        run.code = (struct gb_bytes){0};
    }

    control_add(&cell->message, CONTROL_RUN, &control_run_fields, &run);
    return stdin_open(cell, exec, err);
}

/* Writes the program's file. One that starts with #! may be executed directly. */
static int put_file(struct cell *cell, const struct gb_exec *exec, struct gb_err *err)
{
    bool script = exec->code.size > 2 && memcmp(exec->code.data, "#!", 2) == 0;
    int r;

    if ((exec->flags & GB_EXEC_PUT) == 0)
        return 0;
    r = upload_put(&cell->agent->files, exec->file, exec->code, script ? 0755 : 0644, err);
    return r < 0 ? gb_err_wrap(err, r, "cannot put the program into the home") : 0;
}

/* The host and the agent disagree about what is running. The host ends the VM: a guest of which it
 * cannot tell what has run is useless. */
static void refuse(struct agent *agent, const struct gb_frame *frame, const struct gb_err *err)
{
    const struct gb_guest_error message = {(uint32_t)err->code, gb_bytes_str(err->message)};

    port_send(&agent->port,
              (struct gb_frame){.type = GB_GUEST_ERROR, .id = frame->id, .cell = frame->cell},
              &gb_guest_error_fields, &message);
}

void cell_refuse(struct agent *agent, const struct gb_frame *frame, const char *note)
{
    const struct gb_done done = {.exit_code = -1, .note = gb_bytes_str(note)};

    port_send(&agent->port,
              (struct gb_frame){.type = GB_GUEST_DONE, .id = frame->id, .cell = frame->cell},
              &gb_done_fields, &done);
}

void cell_exec(struct agent *agent, const struct gb_frame *frame, const struct gb_exec *exec)
{
    struct gb_err err;
    struct cell *cell;
    int r = check_exec(frame, exec, &err);

    if (r == 0 && agent->cell != NULL)
        r = gb_err_set(&err, GB_EBUSY, "cell %u is running", agent->cell->id);
    if (r < 0) {
        refuse(agent, frame, &err);
        return;
    }
    if (agent->next == NULL)
        agent->next = cell_prepare(agent);
    if (agent->next == NULL) {
        cell_refuse(agent, frame, "no pipes for the cell");
        return;
    }
    agent->cell = cell = agent->next;
    agent->next = NULL;
    r = fill(cell, frame, exec, &err);
    agent->finishing = (exec->flags & GB_EXEC_FINAL) != 0;
    cell->came_ns = gb_clock_mono_ns();
    cell->worker = worker_for(agent, exec->mode);
    wait_for_worker(cell);
    cell->cpu_before = agent->cpu_seen;
    cell->peak_before = agent->peak_seen;
    cell->oom_before = agent->oom_kills;
    if (r == 0)
        r = put_file(cell, exec, &err);
    if (r < 0) {
        set_note(cell, err.message);
        abandon(cell);
    } else if (cell->worker->state == WORKER_READY) {
        dispatch(cell);
    } else if (cell->worker->state == WORKER_DOWN && !deadline_is_set(&agent->restart)) {
        worker_start(cell->worker);
    }
}

void cell_worker_ready(struct agent *agent, struct worker *worker)
{
    struct cell *cell = agent->cell;

    if (cell != NULL && cell->state == CELL_WAITING && cell->worker == worker)
        dispatch(cell);
}

bool cell_runs_in(const struct agent *agent, const struct worker *worker)
{
    return agent->cell != NULL && agent->cell->worker == worker &&
           agent->cell->state == CELL_RUNNING;
}

/* The end. */

/* Resumes reading output, or stops it, as allowed now. */
static void resume(struct cell *cell)
{
    output_watch(&cell->out);
    output_watch(&cell->err);
}

static void set_note(struct cell *cell, const char *text)
{
    gb_buf_clear(&cell->note);
    gb_buf_adds(&cell->note, text);
}

static void take_figures(struct cell *cell)
{
    struct agent *agent = cell->agent;
    uint64_t peak = cgroup_memory_peak(&agent->cgroup);

    agent->cpu_seen = cgroup_cpu_ns(&agent->cgroup);
    cell->done.cpu_ns = agent->cpu_seen - MIN(agent->cpu_seen, cell->cpu_before);
    /* The kernel keeps one peak value for the life of the group: a cell that did not raise it used
     * less than some earlier cell, so the usage at its end is reported instead. */
    cell->done.peak_memory = peak > cell->peak_before ? peak : cgroup_memory(&agent->cgroup);
    agent->peak_seen = peak;
}

static void take_changes(struct cell *cell)
{
    struct gb_done *done = &cell->done;

    if (!changes_report(cell->agent->files.changes, &cell->changed, &done->changed.count))
        done->flags |= GB_DONE_CHANGED_CUT;
}

static bool met_memory_limit(const struct cell *cell)
{
    return cell->agent->oom_kills > cell->oom_before;
}

/* All foreground output is in the queue: sends DONE after it. */
static void finish(struct cell *cell)
{
    struct agent *agent = cell->agent;
    struct gb_done *done = &cell->done;

    if (cell->timed_out)
        done->flags |= GB_DONE_TIMED_OUT;
    if (met_memory_limit(cell))
        done->flags |= GB_DONE_OOM;
    done->dropped_stdout = cell->out.dropped;
    done->dropped_stderr = cell->err.dropped;
    done->value = gb_buf_bytes(&cell->value);
    done->note = gb_buf_bytes(&cell->note);
    done->changed.encoded = gb_buf_bytes(&cell->changed);
    port_send(&agent->port,
              (struct gb_frame){.type = GB_GUEST_DONE, .id = cell->request, .cell = cell->id},
              &gb_done_fields, done);
    /* Not earlier: tearing down the process would delay DONE. */
    if (cell->final && cell->worker != NULL)
        worker_dismiss(cell->worker);
    cell->state = CELL_OVER;
    agent->cell = NULL;
    if (agent->ended != NULL)
        cell_retire(agent->ended);
    agent->ended = cell;
    service_cell_ended(agent);
}

void cell_output_settled(struct cell *cell)
{
    if (cell->state == CELL_DRAINING && cell->out.settled && cell->err.settled)
        finish(cell);
}

/* The worker is done with the cell: what the pipes hold now is the rest of its output. */
static void drain(struct cell *cell)
{
    deadline_clear(&cell->timeout);
    deadline_clear(&cell->nudge);
    close_far_ends(cell);
    stdin_close(cell);
    cell->done.wall_ns = gb_clock_mono_ns() - cell->started_ns;
    take_figures(cell);
    take_changes(cell);
    cell->state = CELL_DRAINING;
    output_drain(&cell->out);
    output_drain(&cell->err);
    cell_output_settled(cell);
    if (cell->state == CELL_DRAINING)
        resume(cell);
}

/* Kills what a stopped cell, or one that hit the memory limit, has started: otherwise the next cell
 * would find neither memory nor CPU time. Older processes stay. */
static void clean_up(struct cell *cell)
{
    struct agent *agent = cell->agent;
    const pid_t workers[] = {agent->kernel.pid, agent->shell.pid};

    cgroup_kill_cell(&agent->cgroup, (struct cgroup_spared){workers, ARRAY_SIZE(workers)});
}

/* The worker's report about the cell itself, whatever the exit of its process is. */
static void take_result(struct cell *cell, uint8_t said, struct gb_bytes value)
{
    const struct {
        uint8_t from;
        uint32_t to;
    } flags[] = {
        {CONTROL_HAS_VALUE, GB_DONE_HAS_VALUE},
        {CONTROL_VALUE_CUT, GB_DONE_VALUE_CUT},
    };

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        if ((said & flags[i].from) != 0)
            cell->done.flags |= flags[i].to;
    }
    /* A SIGINT sent by the time-out is reported as a time-out. */
    if ((said & CONTROL_INTERRUPTED) != 0 && (cell->interrupted || !cell->timed_out))
        cell->done.flags |= GB_DONE_INTERRUPTED;
    if (!gb_buf_try_add(&cell->value, value.data, value.size, GB_VALUE_MAX))
        set_note(cell, "no memory for the value");
}

static void worker_done(struct cell *cell, const struct control_done *done)
{
    cell->done.exit_code = done->exit_code;
    take_result(cell, done->flags, done->value);
    if (cell->timed_out || met_memory_limit(cell))
        clean_up(cell);
    if (cell->final)
        worker_leaves(cell->worker); /* it has run its exit hooks */
    drain(cell);
}

void cell_message(struct agent *agent, struct worker *worker, const struct control_message *message)
{
    struct cell *cell = agent->cell;
    const uint32_t id = message->done.cell; /* the first field of each of them */
    const struct gb_display display = {message->display.mime, message->display.data};
    const struct gb_waiting waiting = {message->waiting.on};

    if (cell == NULL || cell->worker != worker || cell->state != CELL_RUNNING || cell->id != id) {
        worker_condemn(worker, "the worker sent a message about a cell that it does not run");
        return;
    }
    switch (message->type) {
    case CONTROL_DONE:
        worker_done(cell, &message->done);
        break;
    case CONTROL_ENDING:
        if (!cell->final || cell->ending) {
            worker_condemn(worker, "the worker ends with a cell that is not final");
            break;
        }
        cell->ending = true;
        take_result(cell, message->ending.flags, message->ending.value);
        break;
    case CONTROL_BEGUN:
        if (!cell->unbegun) {
            worker_condemn(worker, "the worker began the cell a second time");
            break;
        }
        cell->unbegun = false;
        if (cell->sigint_owed)
            interrupt(cell);
        break;
    case CONTROL_DISPLAY:
        port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_DISPLAY, .cell = id},
                  &gb_display_fields, &display);
        break;
    case CONTROL_WAITING:
        if (cell->waits == (waiting.on != 0))
            break; /* no change */
        cell->waits = waiting.on != 0;
        output_flush(&cell->out); /* the prompt comes before the wait for its answer */
        output_flush(&cell->err);
        port_send(&agent->port, (struct gb_frame){.type = GB_GUEST_WAITING, .cell = id},
                  &gb_waiting_fields, &waiting);
        break;
    default:
        worker_condemn(worker, "the worker sent a query's answer on its cell channel");
    }
}

void cell_display_dropped(struct agent *agent, const struct worker *worker)
{
    if (cell_runs_in(agent, worker))
        set_note(agent->cell, "there was no memory for all displays of the cell");
}

void cell_worker_died(struct agent *agent, struct worker *worker, int status)
{
    struct cell *cell = agent->cell;

    if (cell_runs_in(agent, worker) && cell->message.size > 0 && !cell->timed_out &&
        !cell->interrupted) {
        wait_for_worker(cell); /* nothing of it had been sent: the next worker runs it */
        deadline_clear(&cell->nudge);
    } else if (cell_runs_in(agent, worker)) {
        if (!cell->final) /* otherwise there was nothing to preserve */
            cell->done.flags |= GB_DONE_STATE_LOST;
        if (WIFEXITED(status)) {
            cell->done.exit_code = WEXITSTATUS(status);
        } else {
            cell->done.exit_code = -1;
            cell->done.signal = (uint32_t)WTERMSIG(status);
        }
        if (cell->interrupted)
            cell->done.flags |= GB_DONE_INTERRUPTED;
        if (worker->note[0] != '\0')
            set_note(cell, worker->note);
        agent->oom_kills = limit_kills(&agent->limit, &agent->cgroup);
        if (cell->killed || cell->timed_out || met_memory_limit(cell))
            clean_up(cell);
        drain(cell);
    }
    service_worker_gone(agent, worker);
    /* A cell that arrived meanwhile waits for the next worker. */
    cell = agent->cell;
    if (cell != NULL && cell->worker == worker && cell->state == CELL_WAITING &&
        worker->state == WORKER_DOWN)
        worker_start(worker);
}

/* Ends a cell that has not started. */
static void abandon(struct cell *cell)
{
    cell->done.exit_code = -1;
    cell->started_ns = gb_clock_mono_ns();
    drain(cell);
}

void cell_worker_unavailable(struct agent *agent, const struct worker *worker)
{
    struct cell *cell = agent->cell;

    if (cell == NULL || cell->worker != worker || cell->state != CELL_WAITING)
        return;
    cell->done.flags |= GB_DONE_STATE_LOST;
    set_note(cell, worker->note[0] != '\0' ? worker->note : "the worker could not be started");
    abandon(cell);
}

/* Stopping. */

/* An interpreter handles a signal when it checks for one; if the signal arrives between the last
 * check and a blocking system call, it is only noticed when that call returns (Python's
 * time.sleep() is an example). So SIGINT is followed by a signal without meaning that just
 * interrupts the call: the interpreter checks, and continues to wait if there is nothing. */
enum { NUDGE_FIRST_MS = 20 }; /* doubled each time: some twenty per day */

static void nudge(struct cell *cell, uint64_t after_ns)
{
    cell->nudge_ns = after_ns;
    deadline_set(&cell->agent->loop, &cell->nudge, gb_clock_mono_ns() + after_ns);
}

static void nudge_passed(struct deadline *deadline)
{
    struct cell *cell = container_of(deadline, struct cell, nudge);

    if (cell->state != CELL_RUNNING || cell->worker->state == WORKER_DOWN)
        return;
    (void)kill(cell->worker->pid, SIGURG); /* only to the interpreter: others ignore it */
    nudge(cell, cell->nudge_ns * 2);
}

static void interrupt(struct cell *cell)
{
    if (cell->unbegun) {
        cell->sigint_owed = true;
        return;
    }
    worker_signal(cell->worker, SIGINT);
    nudge(cell, NUDGE_FIRST_MS * GB_NS_PER_MS);
}

static void timeout_passed(struct deadline *deadline)
{
    struct cell *cell = container_of(deadline, struct cell, timeout);

    if (cell->state == CELL_WAITING) {
        cell->timed_out = true;
        set_note(cell, "its interpreter was not ready in time: the code has not begun");
        abandon(cell);
        return;
    }
    if (!cell->timed_out) {
        cell->timed_out = true;
        interrupt(cell);
        deadline_set(&cell->agent->loop, deadline,
                     gb_clock_mono_ns() + GB_KILL_GRACE_MS * GB_NS_PER_MS);
        return;
    }
    cell->killed = true;
    clean_up(cell); /* also kills processes that hold what the worker needs in order to exit */
    worker_kill(cell->worker);
}

void cell_interrupt(struct agent *agent, const struct gb_frame *frame,
                    const struct gb_interrupt_request *request)
{
    struct cell *cell = agent->cell;
    struct gb_err err;

    if (cell == NULL || cell->state == CELL_DRAINING ||
        (frame->cell != 0 && frame->cell != cell->id)) {
        (void)gb_err_set(&err, GB_ENOTFOUND, "no cell is running");
        port_send_error(&agent->port, frame->id, &err);
        return;
    }
    cell->interrupted = true;
    if (cell->state == CELL_WAITING) {
        cell->done.flags |= GB_DONE_INTERRUPTED;
        abandon(cell);
    } else if (request->how == GB_INTERRUPT_SIGKILL) {
        cell->killed = true;
        worker_kill(cell->worker);
    } else {
        interrupt(cell);
    }
    port_send_ok(&agent->port, frame->id);
}

/* More standard input. */

int cell_stdin_opened(void *arg, struct gb_mux_stream *stream, struct gb_bytes params,
                      struct gb_err *err)
{
    const struct agent *agent = arg;
    struct cell *cell = agent->cell;

    (void)params;
    if (cell == NULL || cell->state > CELL_RUNNING || cell->id != stream->cell ||
        cell->stdin_source.fd < 0 || cell->stdin_ends || cell->stdin_stream != NULL)
        return -gb_err_set(err, GB_ENOTFOUND, "nobody reads standard input of cell %u",
                           stream->cell);
    stream->user = cell;
    cell->stdin_stream = stream;
    return 0;
}

int cell_stdin_data(void *arg, struct gb_mux_stream *stream, struct gb_bytes bytes,
                    struct gb_err *err)
{
    struct cell *cell = stream->user;

    (void)arg;
    (void)err;
    if (gb_buf_try_add(&cell->stdin_data, bytes.data, bytes.size, SIZE_MAX))
        stdin_feed(cell);
    else
        stdin_close(cell); /* out of memory: the program sees a premature end of file */
    return 0;
}

int cell_stdin_shut(void *arg, struct gb_mux_stream *stream, struct gb_bytes word,
                    struct gb_err *err)
{
    struct cell *cell = stream->user;

    (void)arg;
    (void)word;
    (void)err;
    cell->stdin_stream = NULL; /* it has ended: nothing to shut down */
    cell->stdin_ends = true;
    stdin_feed(cell);
    return 0;
}

void cell_stdin_ended(void *arg, struct gb_mux_stream *stream, const struct gb_err *why)
{
    struct cell *cell = stream->user;

    (void)arg;
    if (why == NULL)
        return; /* cell_stdin_shut() has handled it */
    cell->stdin_stream = NULL;
    cell->stdin_ends = true;
    stdin_feed(cell);
}

/* Sending output to the host. */

void cell_live_again(struct agent *agent)
{
    struct cell *cell;

    GB_LIST_FOREACH(cell, &agent->lingering, link) {
        output_want(&cell->out);
        output_want(&cell->err);
    }
}

void cell_resume_output(struct agent *agent)
{
    struct cell *cell;

    if (agent->cell != NULL && agent->cell->state == CELL_DRAINING) {
        output_flush(&agent->cell->out); /* no event comes if another reader has emptied it */
        output_flush(&agent->cell->err);
        cell_output_settled(agent->cell);
    }
    if (agent->cell != NULL && agent->cell->state != CELL_WAITING)
        resume(agent->cell);
    GB_LIST_FOREACH(cell, &agent->lingering, link)
        resume(cell);
    worker_resume(&agent->kernel);
    worker_resume(&agent->process);
    worker_resume(&agent->shell);
}
