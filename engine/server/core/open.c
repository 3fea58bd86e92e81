/* SPDX-License-Identifier: Apache-2.0 */
#include "open.h"

#include <string.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/mem.h"
#include "platform/system.h"
#include "server/core/ended.h"
#include "server/core/part.h"
#include "server/core/state.h"

static char *open_copy(struct gb_bytes name)
{
    return name.data == NULL ? NULL : xstrndup((const char *)name.data, name.size);
}

/* Suggests what may have been meant. */
static void open_refuse_image(const struct gb_images *images, const char *name, struct gb_err *err)
{
    struct gb_buf names = {0};

    for (size_t i = 0; i < images->count; i++)
        gb_buf_addf(&names, "%s%s", i > 0 ? ", " : "", images->images[i].name);
    if (images->count == 0)
        (void)gb_err_set(err, GB_EIMAGE,
                         "there is no image \"%.64s\", and no other: `glassbell image build` makes "
                         "them",
                         name);
    else
        (void)gb_err_set(
            err, GB_EIMAGE,
            "there is no image \"%.64s\"; there are %.300s (`glassbell image ls`), and "
            "`glassbell image build NAME` makes more",
            name, gb_buf_str(&names));
    gb_buf_release(&names);
}

struct gb_image *open_image(const struct gb_server *server, struct gb_bytes name,
                            struct gb_err *err)
{
    _cleanup_(freep) char *text = name.data == NULL ? xstrdup(GB_IMAGE_DEFAULT) : open_copy(name);
    struct gb_image *image = gb_host_find_image(server->host, text);

    if (image != NULL)
        return image;
    open_refuse_image(server->host->images, text, err);
    return NULL;
}

int open_check_memory(int64_t memory_mb, struct gb_err *err)
{
    uint64_t host_mb = memory_mb == 0 ? 0 : gb_system_memory_total() >> 20;

    if (host_mb == 0 || (uint64_t)memory_mb <= host_mb)
        return 0;
    return gb_err_set(err, GB_EINVALID,
                      "memory_mb must be between 64 and %llu, which is all that this host has",
                      (unsigned long long)host_mb);
}

int open_env(const struct gb_server *server, const struct gb_json *object, struct gb_env *env,
             struct gb_err *err)
{
    const struct gb_json *child;
    int r = 0;

    if (object == NULL)
        return 0;
    child = gb_json_first(object);
    for (uint32_t i = 0; i < object->count && r == 0; i++, child = gb_json_next(child))
        r = gb_env_add(env, &server->host->images->languages, child->key, child->text, err);
    return r;
}

/* Explains what happened to the previous session with this key, and counts how often its state was
 * lost. */
static void open_remember(struct gb_server *server, struct hosted *hosted, struct gb_bytes key)
{
    const struct hosted *before;
    const struct ended *ended;

    hosted->reason = "new";
    if (key.data == NULL)
        return;
    before = hosted_by_key(server, key, true);
    ended = ended_by_key(&server->ended, key);
    if (before != NULL) {
        hosted->reason = gb_end_to_string(before->end);
        hosted->incarnation_before = hosted_incarnation(before);
    } else if (ended != NULL) {
        hosted->reason = gb_end_to_string(ended->end);
        hosted->incarnation_before = ended->incarnation;
    }
}

/* A client is identified by its name in `hello`; all unnamed ones count as one. */
static int open_check_sessions(const struct gb_server *server, const char *client,
                               struct gb_err *err)
{
    int64_t quota = server->settings.sessions.per_client, count = 0;
    const struct hosted *hosted;

    if (quota == 0)
        return 0;
    GB_LIST_FOREACH(hosted, &server->sessions, link)
        count += !hosted->closing && !hosted->for_part && client_is_same(hosted->client, client);
    if (count < quota)
        return 0;
    return gb_err_set(err, GB_ECAPACITY,
                      "%.128s has %lld sessions open, and the settings allow it no more "
                      "([sessions] per_client)",
                      client == NULL ? "a client without a name" : client, (long long)count);
}

int open_check_cells(const struct connection *connection, struct gb_err *err)
{
    const struct gb_server *server = connection->server;
    int64_t quota = server->settings.sessions.cells_per_client, count = 0;
    struct hosted *hosted;

    if (quota == 0)
        return 0;
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        count += (int64_t)part_cells_of(hosted, connection->client);
    }
    if (count < quota)
        return 0;
    return gb_err_set(err, GB_EBUSY,
                      "%.128s has %lld cells under way, and the settings allow it no more "
                      "([sessions] cells_per_client)",
                      connection->client == NULL ? "a client without a name" : connection->client,
                      (long long)count);
}

/* Whether one more session may be open. */
static int open_check_count(const struct gb_server *server, const char *client, struct gb_err *err)
{
    const struct gb_settings_sessions *settings = &server->settings.sessions;
    const struct hosted *hosted;
    size_t count = 0;

    GB_LIST_FOREACH(hosted, &server->sessions, link)
        count += !hosted->for_part;
    if (count < (size_t)settings->maximum)
        return open_check_sessions(server, client, err);
    return gb_err_set(err, GB_ECAPACITY,
                      "%zu session%s open, and the settings allow no more ([sessions] maximum)",
                      count, count == 1 ? " is" : "s are");
}

int open_fork(struct connection *connection, const struct hosted *parent, const char *label,
              const struct origin *origin, struct hosted **ret_hosted, struct gb_err *err)
{
    struct gb_server *server = connection->server;
    struct gb_session_config config = gb_session_config_of(parent->session);
    struct hosted *hosted = NULL;
    _cleanup_(closep) int disk_fd = -1;
    int r = server_check_open(server, err);

    config.cells = origin->cell;
    if (r == 0)
        r = open_check_count(server, connection->client, err);
    if (r == 0)
        r = gb_fd_copy(parent->disk_fd, &disk_fd, err);
    if (r == 0)
        r = hosted_new(server, &config, &hosted, err);
    if (r < 0 || hosted == NULL)
        return r;
    label = label != NULL ? label : parent->label;
    hosted->label = label == NULL ? NULL : xstrdup(label);
    hosted->owner = parent->owner == NULL ? NULL : xstrdup(parent->owner);
    hosted->client = connection->client == NULL ? NULL : xstrdup(connection->client);
    hosted->reason = "new";
    hosted->origin = *origin;
    hosted->origin.session = xstrdup(origin->session);
    hosted->packages = parent->packages == NULL ? NULL : xstrdup(parent->packages);
    hosted->layer = parent->layer == NULL ? NULL : xstrdup(parent->layer);
    hosted->disk_fd = TAKE_FD(disk_fd);
    *ret_hosted = hosted;
    return 0;
}

/* @counts: for the quotas. */
static int open_with(struct gb_server *server, const char *client, const struct gb_params *params,
                     bool run, bool counts, struct hosted **ret_hosted, struct gb_err *err)
{
    _cleanup_(gb_env_release) struct gb_env env = {0};
    struct gb_session_config config = {.env = &env};
    const struct gb_settings_sessions *settings = &server->settings.sessions;
    struct hosted *hosted;
    int r = server_check_open(server, err);

    if (r == 0 && (config.image = open_image(server, params->image, err)) == NULL)
        r = -(int)err->code;
    if (r == 0)
        r = open_check_memory(params->memory_mb, err);
    if (r == 0)
        r = part_check_open(server, params, err);
    if (r == 0 && !run)
        r = open_env(server, params->env, &env, err);
    if (r == 0)
        r = part_add_env(server, params, &env, err);
    if (r == 0 && counts)
        r = open_check_count(server, client, err);
    if (r < 0)
        return r;
    config.memory_mb = (uint32_t)params->memory_mb;
    config.timeout_ms =
        (uint32_t)(params->timeout_ms > 0 ? (uint64_t)params->timeout_ms : settings->timeout_ms);
    if (!run) {
        config.idle_ms = params->idle_ms >= 0 ? (uint64_t)params->idle_ms : settings->idle_ms;
        config.lifetime_ms =
            params->lifetime_ms >= 0 ? (uint64_t)params->lifetime_ms : settings->lifetime_ms;
    }
    r = hosted_new(server, &config, &hosted, err);
    if (r < 0)
        return r;
    hosted->run = run;
    hosted->for_part = !counts;
    hosted->label = open_copy(params->label);
    hosted->owner = open_copy(params->owner);
    hosted->client = client == NULL ? NULL : xstrdup(client);
    open_remember(server, hosted, params->key);
    hosted->key = open_copy(params->key);
    PART_CALL(server, take_open, hosted, params);
    hosted_begin(hosted, params->wait_ms >= 0 ? (uint64_t)params->wait_ms
                                              : server->settings.admission.wait_ms);
    *ret_hosted = hosted;
    return 0;
}

int open_session(struct connection *connection, const struct gb_params *params, bool run,
                 struct hosted **ret_hosted, struct gb_err *err)
{
    return open_with(connection->server, connection->client, params, run, true, ret_hosted, err);
}

int open_for_part(struct gb_server *server, const char *client, const struct gb_params *params,
                  struct hosted **ret_hosted, struct gb_err *err)
{
    return open_with(server, client, params, false, false, ret_hosted, err);
}
