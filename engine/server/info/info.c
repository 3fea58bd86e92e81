/* SPDX-License-Identifier: Apache-2.0 */
#include "info.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guard/guard.h"
#include "model/hello.h"
#include "model/limits.h"
#include "model/stats.h"
#include "platform/process.h"
#include "rpc/object.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/sample.h"
#include "server/core/state.h"

/* ---- hello ---- */

enum { STAGES_MAX = 32 };

/* Iterates over wanted stages that are not applied. */
static bool info_next_missing(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_host *host = owner;
    const uint32_t missing = gb_guard_wanted() & ~host->guard_stages;

    while (*at < STAGES_MAX) {
        const uint32_t stage = UINT32_C(1) << (*at)++;

        if ((missing & stage) == 0)
            continue;
        *(struct gb_stage_info *)ret_item = (struct gb_stage_info){
            .stage = gb_bytes_str(gb_guard_name((enum gb_guard_stage)stage)),
            .why = gb_bytes_str("it does not work on this host (see the server's log)")};
        return true;
    }
    return false;
}

/* Fills @names, which has room for STAGES_MAX. */
static struct gb_names info_applied(uint32_t stages, const char **names)
{
    size_t count = 0;

    for (size_t i = 0; i < STAGES_MAX; i++)
        if ((stages >> i & 1) != 0)
            names[count++] = gb_guard_name((enum gb_guard_stage)(UINT32_C(1) << i));
    return (struct gb_names){.list = names, .count = count};
}

static bool info_next_package(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_image *image = owner;
    const struct gb_package *package;

    if (*at >= image->package_count)
        return false;
    package = &image->packages[(*at)++];
    *(struct gb_package_info *)ret_item = (struct gb_package_info){
        .name = gb_bytes_str(package->name), .version = gb_bytes_str(package->version)};
    return true;
}

static bool info_next_image(const void *owner, size_t *at, void *ret_item)
{
    const struct gb_images *images = owner;
    const struct gb_image *image;

    if (*at >= images->count)
        return false;
    image = &images->images[(*at)++];
    *(struct gb_image_info *)ret_item = (struct gb_image_info){
        .name = gb_bytes_str(image->name),
        .language = gb_bytes_str(image->language),
        .aliases = {.list = (const char *const *)image->aliases, .count = image->alias_count},
        .memory_mb = image->memory_mb,
        .packages = {.next = info_next_package, .owner = image},
    };
    return true;
}

static void info_put_languages(struct gb_json_out *out, const struct gb_languages *languages)
{
    gb_json_array(out, "languages");
    for (size_t i = 0; i < languages->count; i++)
        gb_language_put(out, languages->list[i]);
    gb_json_end(out);
}

/* The limits of base/limits.h, except where the settings change them. */
static void info_put_limits(struct gb_json_out *out, const struct gb_settings *settings)
{
    const struct {
        const char *name;
        uint64_t value;
    } settled[] = {
        {"sessions", (uint64_t)settings->sessions.maximum},
        {"stdout_default", settings->sessions.max_stdout},
        {"stderr_default", settings->sessions.max_stderr},
        {"timeout_default_ms", settings->sessions.timeout_ms},
    };

    gb_json_object(out, "limits");
    for (size_t i = 0; i < gb_limit_count; i++) {
        uint64_t value = gb_limits[i].value;

        if (gb_limits[i].name == NULL)
            continue;
        for (size_t j = 0; j < ARRAY_SIZE(settled); j++)
            if (strcmp(settled[j].name, gb_limits[i].name) == 0)
                value = settled[j].value;
        gb_json_put_u64(out, gb_limits[i].name, value);
    }
    gb_json_end(out);
}

static void info_put_hello(struct gb_json_out *out, const struct connection *connection)
{
    const struct gb_host *host = connection->server->host;
    const char *applied[STAGES_MAX];
    const struct gb_hello_info info = {
        .server = gb_bytes_str(GB_VERSION),
        .protocol = GB_PROTOCOL_VERSION,
        .pid = (uint64_t)getpid(),
        .client = connection->number,
        .accel = gb_bytes_str(gb_accel_name(host->accel)),
        .accel_reason = gb_bytes_str(host->accel_reason),
        .isolation = host->accel == GB_ACCEL_TCG ? GB_ISOLATION_EMULATION : GB_ISOLATION_HARDWARE,
        .tracking = gb_bytes_str(gb_memory_way_name(host->tracking)),
        .applied = info_applied(host->guard_stages, applied),
        .missing = {.next = info_next_missing, .owner = host},
        .images = {.next = info_next_image, .owner = host->images},
    };

    gb_object_write(out, &gb_hello_object, &info);
    info_put_languages(out, &host->images->languages);
    info_put_limits(out, &connection->server->settings);
}

static void info_hello(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    struct gb_err err = {0};
    struct reply reply;

    if (params->protocol != GB_PROTOCOL_VERSION) {
        (void)gb_err_set(&err, GB_EUNSUPPORTED,
                         "this server speaks version %d of the protocol, the client version %lld",
                         GB_PROTOCOL_VERSION, (long long)params->protocol);
        request_fail(request, &err);
        return;
    }
    if (params->client.data != NULL)
        connection_name(connection, params->client);
    reply_begin(&reply, request);
    info_put_hello(&reply.out, connection);
    reply_end(&reply);
}

/* ---- stats ---- */

static uint64_t info_own_cpu_ns(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return 0;
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * GB_NS_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

/* What all VMs have in common. */
static void info_describe_vm(struct gb_vm_info *info, struct gb_vm *vm,
                             const struct gb_image *image, uint32_t memory_mb)
{
    const struct gb_vm_sample *sample = gb_vm_look(vm, 0);

    *info = (struct gb_vm_info){
        .source = GB_NO_WORD,
        .pool = GB_NO_WORD,
        .image = gb_bytes_str(image->name),
        .pid = gb_vm_pid(vm),
        .memory_mb = memory_mb,
    };
    if (sample == NULL)
        return;
    info->flags |= GB_VM_HAS_USAGE;
    info->memory_bytes = sample->pss_bytes;
    info->private_bytes = sample->private_bytes;
    info->cpu_ns = sample->cpu_ns;
}

/* Iterates over the VMs of sessions, then those of the pool. */
struct info_vms {
    struct gb_server *server;
    struct gb_list **at; /* the next in server->sessions; its head: finished */
};

static bool info_next_vm(const void *owner, size_t *at, void *ret_item)
{
    const struct info_vms *vms = owner;
    struct gb_vm_info *info = ret_item;
    struct gb_pool_vm one;

    while (*vms->at != &vms->server->sessions) {
        struct gb_session *session = container_of(*vms->at, struct hosted, link)->session;

        *vms->at = (*vms->at)->next;
        if (gb_session_vm(session) == NULL)
            continue;
        info_describe_vm(info, gb_session_vm(session), gb_session_image(session),
                         gb_session_memory_mb(session));
        info->session = gb_bytes_str(gb_session_id(session));
        info->source = (uint8_t)gb_session_source(session);
        return true;
    }
    if (!gb_pool_next_vm(vms->server->capacity->pool, at, &one))
        return false;
    info_describe_vm(info, one.vm, one.image, one.memory_mb);
    info->pool = (uint8_t)one.state;
    return true;
}

static void info_put_stats(struct gb_json_out *out, struct gb_server *server)
{
    struct gb_list *at = server->sessions.next;
    const struct info_vms vms = {server, &at};
    struct gb_stats_info info = {
        .uptime_ns = gb_clock_mono_ns() - server->started_ns,
        .pid = (uint64_t)getpid(),
        .cpu_ns = info_own_cpu_ns(),
        .wakeups = gb_loop_turns(server->loop),
        .rss_bytes = gb_process_own_memory(),
        .connections = (uint32_t)server->connection_count,
        .opened = server->opened,
        .vms = {.next = info_next_vm, .owner = &vms},
    };
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        if (gb_session_state(hosted->session) < GB_SESSION_CLOSED)
            info.sessions[gb_session_state(hosted->session)]++;
    sample_describe_host(&info.host);
    histogram_describe(&info.open, &server->open_times);
    sample_look(server);
    PART_CALL(server, describe_stats, &info, server);
    gb_object_write(out, &gb_stats_object, &info);
}

static void info_stats(struct request *request, const struct gb_params *params)
{
    struct reply reply;

    (void)params;
    reply_begin(&reply, request);
    info_put_stats(&reply.out, request->connection->server);
    reply_end(&reply);
}

static const struct method_handler info_methods[] = {
    {"hello", info_hello},
    {"stats", info_stats},
    {NULL, NULL},
};

const struct gb_part info_part = {
    .name = "info",
    .methods = info_methods,
};
