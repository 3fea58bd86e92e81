/* SPDX-License-Identifier: Apache-2.0 */
#include "info.h"

#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guard/guard.h"
#include "model/limits.h"
#include "platform/process.h"
#include "server/core/connection.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/sample.h"
#include "server/core/state.h"

static void info_put_guard(struct gb_json_out *out, uint32_t applied, uint32_t wanted)
{
    gb_json_object(out, "guard");
    gb_json_array(out, "applied");
    for (uint32_t stage = 1; stage != 0; stage <<= 1)
        if ((applied & stage) != 0)
            gb_json_put_str(out, NULL, gb_guard_name((enum gb_guard_stage)stage));
    gb_json_end(out);
    gb_json_array(out, "missing");
    for (uint32_t stage = 1; stage != 0; stage <<= 1)
        if ((wanted & ~applied & stage) != 0) {
            gb_json_object(out, NULL);
            gb_json_put_str(out, "stage", gb_guard_name((enum gb_guard_stage)stage));
            gb_json_put_str(out, "why", "it does not work on this host (see the server's log)");
            gb_json_end(out);
        }
    gb_json_end(out);
    gb_json_end(out);
}

static void info_put_images(struct gb_json_out *out, const struct gb_images *images)
{
    gb_json_array(out, "images");
    for (size_t i = 0; i < images->count; i++) {
        const struct gb_image *image = &images->images[i];

        gb_json_object(out, NULL);
        gb_json_put_str(out, "name", image->name);
        gb_json_put_str(out, "language", image->language);
        gb_json_array(out, "aliases");
        for (size_t j = 0; j < image->alias_count; j++)
            gb_json_put_str(out, NULL, image->aliases[j]);
        gb_json_end(out);
        gb_json_put_u64(out, "memory_mb", image->memory_mb);
        gb_json_array(out, "packages");
        for (size_t j = 0; j < image->package_count; j++) {
            gb_json_object(out, NULL);
            gb_json_put_str(out, "name", image->packages[j].name);
            gb_json_put_str(out, "version", image->packages[j].version);
            gb_json_end(out);
        }
        gb_json_end(out);
        gb_json_end(out);
    }
    gb_json_end(out);
}

/* Those of base/limits.h, but for what the settings say otherwise. */
static void info_put_languages(struct gb_json_out *out, const struct gb_languages *languages)
{
    gb_json_array(out, "languages");
    for (size_t i = 0; i < languages->count; i++)
        gb_language_put(out, languages->list[i]);
    gb_json_end(out);
}

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

static void info_hello(struct request *request, const struct gb_params *params)
{
    struct connection *connection = request->connection;
    const struct gb_host *host = connection->server->host;
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
    gb_json_put_str(&reply.out, "server", GB_VERSION);
    gb_json_put_u64(&reply.out, "protocol", GB_PROTOCOL_VERSION);
    gb_json_put_u64(&reply.out, "pid", (uint64_t)getpid());
    gb_json_put_u64(&reply.out, "client", connection->number);
    gb_json_put_str(&reply.out, "accel", gb_accel_name(host->accel));
    gb_json_put_str(&reply.out, "accel_reason", host->accel_reason);
    gb_json_put_str(&reply.out, "isolation",
                    host->accel == GB_ACCEL_TCG ? "emulation" : "hardware");
    info_put_guard(&reply.out, host->guard_stages, gb_guard_wanted());
    info_put_images(&reply.out, host->images);
    info_put_languages(&reply.out, &host->images->languages);
    info_put_limits(&reply.out, &connection->server->settings);
    reply_end(&reply);
}

static uint64_t info_own_cpu_ns(void)
{
    struct rusage usage;

    if (getrusage(RUSAGE_SELF, &usage) < 0)
        return 0;
    return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * GB_NS_PER_S +
           (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000;
}

static void info_put_states(struct gb_json_out *out, struct gb_server *server)
{
    uint64_t counts[GB_SESSION_STATE_COUNT] = {0};
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        counts[gb_session_state(hosted->session)]++;
    gb_json_object(out, "sessions");
    for (int i = 0; i < GB_SESSION_CLOSED; i++)
        gb_json_put_u64(out, gb_session_state_to_string((enum gb_session_state)i), counts[i]);
    gb_json_end(out);
}

/* What a VM is of, then what all have in common. */
static void info_put_vm(struct gb_json_out *out, struct gb_vm *vm, const struct gb_image *image,
                        uint32_t memory_mb)
{
    const struct gb_vm_sample *sample = gb_vm_look(vm, 0);

    gb_json_put_str(out, "image", image->name);
    gb_json_put_i64(out, "pid", gb_vm_pid(vm));
    gb_json_put_u64(out, "memory_mb", memory_mb);
    if (sample != NULL) {
        gb_json_put_u64(out, "memory_bytes", sample->pss_bytes);
        gb_json_put_u64(out, "private_bytes", sample->private_bytes);
        gb_json_put_ms(out, "cpu_ms", sample->cpu_ns);
    } else {
        gb_json_put_null(out, "memory_bytes");
        gb_json_put_null(out, "private_bytes");
        gb_json_put_null(out, "cpu_ms");
    }
    gb_json_end(out);
}

static void info_put_vms(struct gb_json_out *out, struct gb_server *server)
{
    struct gb_pool_vm one;
    struct hosted *hosted;

    sample_look(server);
    gb_json_array(out, "vms");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        struct gb_session *session = hosted->session;

        if (gb_session_vm(session) == NULL)
            continue;
        gb_json_object(out, NULL);
        gb_json_put_str(out, "session", gb_session_id(session));
        gb_json_put_str(out, "source", gb_source_to_string(gb_session_source(session)));
        gb_json_put_null(out, "pool");
        info_put_vm(out, gb_session_vm(session), gb_session_image(session),
                    gb_session_memory_mb(session));
    }
    for (size_t at = 0; gb_pool_next_vm(server->capacity->pool, &at, &one);) {
        gb_json_object(out, NULL);
        gb_json_put_null(out, "session");
        gb_json_put_null(out, "source");
        gb_json_put_str(out, "pool", one.state);
        info_put_vm(out, one.vm, one.image, one.memory_mb);
    }
    gb_json_end(out);
}

static void info_stats(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    struct reply reply;

    (void)params;
    reply_begin(&reply, request);
    gb_json_put_ms(&reply.out, "uptime_ms", gb_clock_mono_ns() - server->started_ns);
    gb_json_put_u64(&reply.out, "pid", (uint64_t)getpid());
    gb_json_put_ms(&reply.out, "cpu_ms", info_own_cpu_ns());
    gb_json_put_u64(&reply.out, "wakeups", gb_loop_turns(server->loop));
    gb_json_put_u64(&reply.out, "rss_bytes", gb_process_own_memory());
    sample_put_host(&reply.out);
    gb_json_put_u64(&reply.out, "connections", server->connection_count);
    info_put_states(&reply.out, server);
    gb_json_put_u64(&reply.out, "opened", server->opened);
    gb_json_object(&reply.out, "latency");
    histogram_put(&reply.out, "open", &server->open_times);
    PART_CALL(server, put_latency, &reply.out, server);
    gb_json_end(&reply.out);
    info_put_vms(&reply.out, server);
    PART_CALL(server, put_stats, &reply.out, server);
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
