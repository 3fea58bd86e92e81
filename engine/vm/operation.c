/* SPDX-License-Identifier: Apache-2.0 */
/* Monitor operations: stop, continue, save and load of device state, one at a time.
 *
 * An operation starts from the loop when the monitor is ready, and ends exactly once: with the
 * answer to its last command, by its timer (vm.c), or with the end of the VM.
 */
#include "vm/operation.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"
#include "vm/private.h"

enum {
    /* For a complete operation, and until a new monitor has come up. Device state takes some 10
     * ms. */
    OPERATION_MS = 10000,
    /* For the first answer of a monitor that is up, which normally takes no time: whoever waits for
     * this VM is better off with another. */
    ANSWER_MS = 3000
};

void operation_finish(struct gb_vm *vm, const struct gb_err *err)
{
    gb_vm_done_fn *done = vm->done;

    if (vm->operation == OP_NONE)
        return;
    state_feed_free(TAKE_PTR(vm->feed));
    vm->operation = OP_NONE;
    vm->done = NULL;
    vm->operation_fd = gb_close(vm->operation_fd);
    gb_loop_undefer(&vm->begin);
    done(vm->done_arg, err);
}

static void begin_operation(void *arg);

static void on_qmp_ready(void *arg)
{
    struct gb_vm *vm = arg;

    vm->qmp_ready = true;
    if (vm->operation != OP_NONE && !vm->begin.queued) /* otherwise it starts, or fails, on its
                                                        * own */
        begin_operation(vm);
}

static void on_migration(struct gb_vm *vm, const cJSON *data);

static void on_qmp_event(void *arg, const char *name, const cJSON *data)
{
    struct gb_vm *vm = arg;

    if (strcmp(name, "MIGRATION") == 0)
        on_migration(vm, data);
}

static void on_qmp_closed(void *arg, const struct gb_err *err)
{
    struct gb_vm *vm = arg;

    qmp_free(TAKE_PTR(vm->qmp));
    vm->qmp_ready = false;
    if (err != NULL)
        gb_vm_kill(vm, err->message);
    vm_check_later(vm);
}

const struct qmp_events operation_qmp_events = {on_qmp_ready, on_qmp_event, on_qmp_closed, NULL};

static void operation_done(struct gb_vm *vm, const struct gb_err *err)
{
    if (vm->state != STARTING && !vm->killed)
        gb_timer_stop(vm->timer);
    operation_finish(vm, err);
}

/* The last command of an operation has been answered. */
static void on_last(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;

    (void)value;
    if (err == NULL && vm->operation == OP_LOAD) {
        vm->state = RUNNING;
        vm->ran = true;
    }
    operation_done(vm, err);
}

static void on_saved(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;
    struct gb_err problem = {0};

    (void)value;
    if (err == NULL && state_sink_take(vm->sink, vm->operation_fd, &problem) < 0)
        err = &problem;
    operation_done(vm, err);
}

static void save(struct gb_vm *vm)
{
    cJSON *arguments;
    struct gb_err err = {0};
    char name[64];

    if (state_sink_begin(vm->sink, &err) < 0) {
        operation_done(vm, &err);
        return;
    }
    (void)snprintf(name, sizeof(name), "/dev/fdset/%jd", (intmax_t)vm->fdset);
    arguments = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(arguments, "filename", name);
    /* Not a live migration: the disks stay with this process. */
    (void)cJSON_AddBoolToObject(arguments, "live", false);
    qmp_execute(vm->qmp, "xen-save-devices-state", arguments, -1, on_saved, vm);
}

/* The answer to add-fd: the number of the set, or an error. */
static int operation_read_fdset(const cJSON *value, int64_t *ret_fdset, struct gb_err *err)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(value, "fdset-id");

    if (!cJSON_IsNumber(id) || id->valuedouble < 0 || id->valuedouble > 1e6)
        return gb_err_set(err, GB_EINTERNAL, "QEMU's monitor gave no descriptor set");
    *ret_fdset = (int64_t)id->valuedouble;
    return 0;
}

static void on_fd_added(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;
    struct gb_err strange = {0};

    if (err == NULL && operation_read_fdset(value, &vm->fdset, &strange) < 0)
        err = &strange;
    if (err != NULL) {
        state_sink_free(TAKE_PTR(vm->sink));
        operation_done(vm, err);
        return;
    }
    save(vm);
}

/* ---- attach ---- */

static void attach_on_node(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;
    cJSON *arguments;

    (void)value;
    if (err != NULL) {
        operation_done(vm, err);
        return;
    }
    arguments = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(arguments, "path", "/machine/peripheral/" QEMU_SPARE_DEVICE);
    (void)cJSON_AddStringToObject(arguments, "property", "drive");
    (void)cJSON_AddStringToObject(arguments, "value", QEMU_SPARE_LAYER);
    qmp_execute(vm->qmp, "qom-set", arguments, -1, on_last, vm);
}

static void attach_on_fd(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;
    struct gb_err strange = {0};
    int64_t fdset = 0;
    char name[64];
    cJSON *arguments;

    if (err == NULL && operation_read_fdset(value, &fdset, &strange) < 0)
        err = &strange;
    if (err != NULL) {
        operation_done(vm, err);
        return;
    }
    (void)snprintf(name, sizeof(name), "/dev/fdset/%jd", (intmax_t)fdset);
    arguments = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(arguments, "driver", "file");
    (void)cJSON_AddStringToObject(arguments, "node-name", QEMU_SPARE_LAYER);
    (void)cJSON_AddStringToObject(arguments, "filename", name);
    (void)cJSON_AddBoolToObject(arguments, "read-only", true);
    (void)cJSON_AddStringToObject(arguments, "locking", "off");
    qmp_execute(vm->qmp, "blockdev-add", arguments, -1, attach_on_node, vm);
}

static void begin_save(struct gb_vm *vm)
{
    struct gb_err err = {0};

    if (vm->sink != NULL)
        save(vm);
    else if (state_sink_new(&vm->sink, &err) < 0)
        operation_done(vm, &err);
    else
        qmp_execute(vm->qmp, "add-fd", NULL, state_sink_fd(vm->sink), on_fd_added, vm);
}

static void on_incoming(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;

    (void)value;
    if (err != NULL) {
        operation_done(vm, err);
        return;
    }
    vm->incoming = true; /* the outcome comes in a MIGRATION event, possibly before this answer */
    if (vm->loaded)
        qmp_execute(vm->qmp, "cont", NULL, -1, on_last, vm);
}

static void on_fd_sent(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;
    cJSON *arguments;

    (void)value;
    if (err != NULL) {
        operation_done(vm, err);
        return;
    }
    arguments = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(arguments, "uri", "fd:state");
    qmp_execute(vm->qmp, "migrate-incoming", arguments, -1, on_incoming, vm);
}

static void on_events_wanted(void *arg, const cJSON *value, const struct gb_err *err)
{
    struct gb_vm *vm = arg;
    _cleanup_(closep) int theirs = -1;
    struct gb_err problem = {0};
    cJSON *arguments;

    (void)value;
    if (err == NULL &&
        state_feed_new(vm->host->loop, vm->operation_fd, &vm->feed, &theirs, &problem) < 0)
        err = &problem;
    if (err != NULL) {
        operation_done(vm, err);
        return;
    }
    gb_timer_start(vm->timer, OPERATION_MS);
    arguments = cJSON_CreateObject();
    (void)cJSON_AddStringToObject(arguments, "fdname", "state");
    qmp_execute(vm->qmp, "getfd", arguments, theirs, on_fd_sent, vm);
}

static void on_migration(struct gb_vm *vm, const cJSON *data)
{
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(data, "status");
    struct gb_err err = {0};

    if (vm->operation != OP_LOAD || !cJSON_IsString(status))
        return;
    if (strcmp(status->valuestring, "completed") == 0 && !vm->loaded) {
        vm->loaded = true;
        if (vm->incoming)
            qmp_execute(vm->qmp, "cont", NULL, -1, on_last, vm);
    } else if (strcmp(status->valuestring, "failed") == 0) {
        (void)gb_err_set(&err, GB_EBOOT, "QEMU cannot load the device state");
        operation_done(vm, &err);
    }
}

static void begin_load(struct gb_vm *vm)
{
    cJSON *arguments = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(arguments, "capabilities");
    cJSON *capability = cJSON_CreateObject();

    /* The guest may send frames before QEMU's answer arrives. */
    vm->spoke = true;
    (void)cJSON_AddStringToObject(capability, "capability", "events");
    (void)cJSON_AddBoolToObject(capability, "state", true);
    (void)cJSON_AddItemToArray(list, capability);
    qmp_execute(vm->qmp, "migrate-set-capabilities", arguments, -1, on_events_wanted, vm);
}

static void begin_operation(void *arg)
{
    struct gb_vm *vm = arg;
    struct gb_err err = {0};

    if (vm->qmp == NULL) {
        (void)gb_err_set(&err, GB_ECLOSED, "QEMU's monitor is closed");
        operation_done(vm, &err);
        return;
    }
    if (vm->operation == OP_NONE)
        return;
    if (vm->state != STARTING)
        gb_timer_start(vm->timer,
                       vm->operation == OP_LOAD && vm->qmp_ready ? ANSWER_MS : OPERATION_MS);
    if (!vm->qmp_ready)
        return; /* on_qmp_ready() continues here */
    switch (vm->operation) {
    case OP_NONE:
        break;
    case OP_STOP:
        qmp_execute(vm->qmp, "stop", NULL, -1, on_last, vm);
        break;
    case OP_CONT:
        qmp_execute(vm->qmp, "cont", NULL, -1, on_last, vm);
        break;
    case OP_SAVE:
        begin_save(vm);
        break;
    case OP_AWAIT: /* the monitor answers once the machine has been created */
        operation_done(vm, NULL);
        break;
    case OP_LOAD:
        begin_load(vm);
        break;
    case OP_ATTACH:
        qmp_execute(vm->qmp, "add-fd", NULL, vm->operation_fd, attach_on_fd, vm);
        break;
    }
}

static void fail_later(void *arg)
{
    struct gb_vm *vm = arg;

    operation_done(vm, &vm->outcome);
}

static void start_operation(struct gb_vm *vm, enum operation operation, const char *path,
                            gb_vm_done_fn *done, void *arg)
{
    int r = 0;

    assert(vm->operation == OP_NONE); /* one at a time */
    vm->operation = operation;
    vm->done = done;
    vm->done_arg = arg;
    if (vm->state == ENDING || vm->state == DEAD)
        r = gb_err_set(&vm->outcome, GB_ECLOSED, "the VM has ended");
    else if ((operation == OP_LOAD || operation == OP_AWAIT) && vm->state != WAITING)
        r = gb_err_set(&vm->outcome, GB_EINTERNAL, "the VM does not wait for device state");
    if (r == 0 && path != NULL) {
        vm->operation_fd = operation == OP_SAVE
                               ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)
                               : open(path, O_RDONLY | O_CLOEXEC);
        if (vm->operation_fd < 0)
            r = gb_err_sys(&vm->outcome, errno, "cannot open %s", path);
    }
    gb_loop_defer(vm->host->loop, &vm->begin, r < 0 ? fail_later : begin_operation, vm);
}

void gb_vm_stop(struct gb_vm *vm, gb_vm_done_fn *done, void *arg)
{
    start_operation(vm, OP_STOP, NULL, done, arg);
}

void gb_vm_cont(struct gb_vm *vm, gb_vm_done_fn *done, void *arg)
{
    start_operation(vm, OP_CONT, NULL, done, arg);
}

void gb_vm_save(struct gb_vm *vm, const char *path, gb_vm_done_fn *done, void *arg)
{
    start_operation(vm, OP_SAVE, path, done, arg);
}

void gb_vm_await(struct gb_vm *vm, gb_vm_done_fn *done, void *arg)
{
    start_operation(vm, OP_AWAIT, NULL, done, arg);
}

void gb_vm_load(struct gb_vm *vm, const char *path, gb_vm_done_fn *done, void *arg)
{
    start_operation(vm, OP_LOAD, path, done, arg);
}

void gb_vm_attach(struct gb_vm *vm, int fd, gb_vm_done_fn *done, void *arg)
{
    start_operation(vm, OP_ATTACH, NULL, done, arg);
    vm->operation_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}
