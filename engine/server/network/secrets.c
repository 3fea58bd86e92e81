/* SPDX-License-Identifier: Apache-2.0 */
#include "secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "model/network.h"
#include "net/name.h"
#include "platform/random.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/network/edge.h"
#include "server/network/report.h"
#include "server/network/state.h"
#include "server/network/trust.h"
#include "session/query.h"
#include "wire/guest.h"

struct network_secrets {
    struct secret_grant grants[GB_EDGE_SECRETS_MAX];
    size_t count;
    struct edge_process *edge;
    bool delays;               /* cells wait until the guest is told whom to trust */
    int heritage;              /* yields the authority of what it was forked from; -1: none */
    struct gb_buf inspected;   /* hosts, a line each */
    struct gb_buf certificate; /* of the authority; empty: not yet */
};

enum { PLACEHOLDER_BYTES = 16 };

/* ---- what the settings say ---- */

static void secrets_clear(struct secret_grant *grants, size_t count)
{
    for (size_t i = 0; i < count; i++)
        gb_secret_release(&grants[i].secret);
}

static const struct gb_settings_text *secrets_find(const struct gb_settings *settings,
                                                   struct gb_bytes name)
{
    for (size_t i = 0; i < settings->secrets.count; i++) {
        if (gb_bytes_equal(name, settings->secrets.list[i].name))
            return &settings->secrets.list[i];
    }
    return NULL;
}

static int secrets_read_one(const struct gb_settings *settings, struct gb_bytes name,
                            struct secret_grant *grants, size_t count, struct gb_err *err)
{
    const struct gb_settings_text *text = secrets_find(settings, name);
    int r;

    if (text == NULL)
        return gb_err_set(err, GB_EINVALID,
                          "the settings have no [secret \"%.*s\"]: `glassbell secret list` shows "
                          "those that they have",
                          (int)MIN(name.size, (size_t)64), (const char *)name.data);
    r = gb_secret_parse(&grants[count].secret, text->name, gb_bytes_str(text->text), err);
    if (r == 0)
        r = edge_check_source(&grants[count].secret, err);
    for (size_t i = 0; i < count && r == 0; i++)
        r = gb_secret_check_both(&grants[i].secret, &grants[count].secret, err);
    return r;
}

/* Fills in @grants, with room for GB_EDGE_SECRETS_MAX; release *@ret_count of them in any case. */
static int secrets_read(const struct gb_server *server, const struct gb_params *params,
                        struct secret_grant *grants, size_t *ret_count, struct gb_err *err)
{
    const struct gb_json *name;
    int r = 0;

    *ret_count = 0;
    if (params->secrets == NULL)
        return 0;
    if (params->secrets->count > GB_EDGE_SECRETS_MAX)
        return gb_err_set(err, GB_EINVALID, "a session has at most %d secrets",
                          GB_EDGE_SECRETS_MAX);
    name = gb_json_first(params->secrets);
    for (uint32_t i = 0; i < params->secrets->count && r == 0; i++, name = gb_json_next(name))
        r = secrets_read_one(&server->settings,
                             name->type == GB_JSON_STRING ? name->text : gb_bytes_str(""), grants,
                             (*ret_count)++, err);
    return r;
}

/* The same from names that are each followed by a space. */
static int secrets_read_saved(const struct gb_server *server, struct gb_bytes names,
                              struct secret_grant *grants, size_t *ret_count, struct gb_err *err)
{
    const uint8_t *end;
    int r = 0;

    *ret_count = 0;
    while (r == 0 && names.size > 0 && (end = memchr(names.data, ' ', names.size)) != NULL) {
        const struct gb_bytes name = {names.data, (size_t)(end - names.data)};

        if (*ret_count == GB_EDGE_SECRETS_MAX)
            return gb_err_set(err, GB_EINVALID, "too many secrets");
        r = secrets_read_one(&server->settings, name, grants, (*ret_count)++, err);
        names.data += name.size + 1;
        names.size -= name.size + 1;
    }
    return r == 0 && names.size > 0 ? gb_err_set(err, GB_EINVALID, "its secrets are damaged") : r;
}

int secrets_check_saved(struct gb_server *server, struct gb_bytes names, struct gb_err *err)
{
    struct secret_grant *grants = xcalloc(GB_EDGE_SECRETS_MAX, sizeof(*grants));
    size_t count;
    int r = secrets_read_saved(server, names, grants, &count, err);

    secrets_clear(grants, count);
    free(grants);
    return r;
}

int secrets_check(struct gb_server *server, const struct gb_params *params, bool has_network,
                  struct gb_err *err)
{
    struct secret_grant *grants = xcalloc(GB_EDGE_SECRETS_MAX, sizeof(*grants));
    size_t count;
    int r = secrets_read(server, params, grants, &count, err);

    secrets_clear(grants, count);
    free(grants);
    if (r == 0 && count > 0 && !has_network)
        r = gb_err_set(err, GB_EINVALID,
                       "secrets are for connections, and the session has no network: give it one "
                       "that allows their hosts");
    return r;
}

/* ---- the guest's environment ---- */

static int secrets_add(struct gb_server *server, struct gb_env *env, const char *name,
                       const char *value, struct gb_err *err)
{
    return gb_env_add(env, &server->host->images->languages, gb_bytes_str(name),
                      gb_bytes_str(value), err);
}

static int secrets_add_placeholder(struct gb_server *server, struct gb_env *env,
                                   const struct gb_secret *secret, struct gb_err *err)
{
    uint8_t bytes[PLACEHOLDER_BYTES];
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    int r = gb_random_fill(bytes, sizeof(bytes));

    if (r < 0)
        return gb_err_sys(err, -r, "cannot get random numbers");
    gb_buf_addf(&text, "gb_secret_%s_", secret->name);
    for (size_t i = 0; i < sizeof(bytes); i++)
        gb_buf_addf(&text, "%02x", bytes[i]);
    return secrets_add(server, env, secret->variable, gb_buf_str(&text), err);
}

int secrets_add_env(struct gb_server *server, const struct gb_params *params, bool inspected,
                    struct gb_env *env, struct gb_err *err)
{
    struct secret_grant *grants = xcalloc(GB_EDGE_SECRETS_MAX, sizeof(*grants));
    size_t count;
    int r = secrets_read(server, params, grants, &count, err);

    if (r == 0 && (count > 0 || inspected))
        r = trust_add_env(&server->host->images->languages, env, err);
    for (size_t i = 0; i < count && r == 0; i++)
        r = secrets_add_placeholder(server, env, &grants[i].secret, err);
    secrets_clear(grants, count);
    free(grants);
    return r;
}

static const char *secrets_placeholder(const struct gb_session_config *config,
                                       const struct gb_secret *secret)
{
    for (size_t i = 0; i < config->env->count; i++) {
        if (strcmp(config->env->names[i], secret->variable) == 0)
            return config->env->values[i];
    }
    return "";
}

/* ---- hosts without secrets ---- */

static bool secrets_add_inspected(void *arg, const char *name)
{
    gb_buf_addf(arg, "%s\n", name);
    return true;
}

/* More than the edge takes become all. */
static void secrets_find_inspected(const struct gb_policy *policy, struct gb_buf *hosts)
{
    struct gb_bytes rest, host;
    size_t count = 0;

    (void)gb_policy_each_inspected(policy, secrets_add_inspected, hosts);
    rest = gb_buf_bytes(hosts);
    while (gb_bytes_line(&rest, &host))
        count++;
    if (count <= GB_EDGE_HOSTS_MAX)
        return;
    gb_buf_clear(hosts);
    gb_buf_adds(hosts, "*\n");
}

static bool secrets_is_inspected(void *arg, const char *name)
{
    const struct network_secrets *secrets = arg;
    struct gb_bytes rest = {0}, host;
    bool found = false;

    if (secrets != NULL)
        rest = gb_buf_bytes(&secrets->inspected);
    while (!found && gb_bytes_line(&rest, &host)) {
        char pattern[2 + GB_HOST_NAME_MAX + 1];

        (void)snprintf(pattern, sizeof(pattern), "%.*s", (int)host.size, (const char *)host.data);
        found = strcmp(pattern, name) == 0 || gb_name_matches(pattern, name);
    }
    return found;
}

int secrets_check_policy(struct hosted *hosted, const struct gb_policy *policy, struct gb_err *err)
{
    if (gb_policy_each_inspected(policy, secrets_is_inspected, network_state(hosted)->secrets))
        return 0;
    return gb_err_set(err, GB_EINVALID,
                      "a host can be inspected only if a rule with `inspect` for it was there when "
                      "the session was opened: its programs were told then what to trust");
}

/* ---- life ---- */

/* With what it has room for grants. */
static struct network_secrets *secrets_new(struct hosted *hosted)
{
    struct network_secrets *secrets = xcalloc(1, sizeof(*secrets));

    secrets->heritage = -1;
    network_state(hosted)->secrets = secrets;
    return secrets;
}

/* With the hosts to be inspected. NULL: neither those nor @wanted. */
static struct network_secrets *secrets_begin(struct hosted *hosted, bool wanted)
{
    _cleanup_(gb_buf_release) struct gb_buf inspected = {0};
    struct network_secrets *secrets;

    secrets_find_inspected(gb_net_policy(network_state(hosted)->net), &inspected);
    if (!wanted && inspected.size == 0)
        return NULL;
    secrets = secrets_new(hosted);
    secrets->inspected = inspected;
    inspected = (struct gb_buf){0};
    return secrets;
}

static void secrets_take_placeholders(struct hosted *hosted, struct network_secrets *secrets)
{
    const struct gb_session_config config = gb_session_config_of(hosted->session);

    for (size_t i = 0; i < secrets->count; i++)
        (void)snprintf(secrets->grants[i].placeholder, sizeof(secrets->grants[i].placeholder), "%s",
                       secrets_placeholder(&config, &secrets->grants[i].secret));
}

void secrets_take(struct hosted *hosted, const struct gb_params *params)
{
    struct network_secrets *secrets =
        secrets_begin(hosted, params->secrets != NULL && params->secrets->count > 0);

    if (secrets == NULL)
        return;
    /* It was checked just before. */
    (void)secrets_read(hosted->server, params, secrets->grants, &secrets->count, NULL);
    secrets_take_placeholders(hosted, secrets);
}

void secrets_load(struct hosted *hosted, struct gb_bytes names)
{
    struct network_secrets *secrets = secrets_begin(hosted, names.size > 0);

    if (secrets == NULL)
        return;
    /* It was checked just before. */
    (void)secrets_read_saved(hosted->server, names, secrets->grants, &secrets->count, NULL);
    secrets_take_placeholders(hosted, secrets);
}

void secrets_put_names(struct hosted *hosted, struct gb_buf *names)
{
    const struct network_secrets *secrets = network_state(hosted)->secrets;

    for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
        gb_buf_addf(names, "%s%s", i > 0 ? " " : "", secrets->grants[i].secret.name);
}

void secrets_save(struct hosted *hosted, struct gb_buf *names)
{
    const struct network_secrets *secrets = network_state(hosted)->secrets;

    for (size_t i = 0; secrets != NULL && i < secrets->count; i++)
        gb_buf_addf(names, "%s ", secrets->grants[i].secret.name);
}

/* Also those that the settings have no more. */
void secrets_fork(struct hosted *hosted, struct hosted *origin)
{
    const struct network_secrets *from = network_state(origin)->secrets;
    struct network_secrets *secrets;

    if (from == NULL)
        return;
    secrets = secrets_new(hosted);
    secrets->heritage = from->edge == NULL ? -1 : edge_share(from->edge);
    gb_buf_add(&secrets->inspected, gb_buf_data(&from->inspected), from->inspected.size);
    secrets->count = from->count;
    for (size_t i = 0; i < from->count; i++) {
        secrets->grants[i] = from->grants[i];
        secrets->grants[i].secret = gb_secret_copy(&from->grants[i].secret);
    }
}

/* ---- the edge ---- */

static void secrets_delay(struct hosted *hosted, bool delay)
{
    struct network_secrets *secrets = network_state(hosted)->secrets;

    if (secrets->delays == delay)
        return;
    secrets->delays = delay;
    gb_session_delay(hosted->session, delay);
}

/* The cells that wait come after this. Without a VM, secrets_on_moved() follows. */
static int secrets_tell_guest(struct hosted *hosted, struct gb_err *err)
{
    const struct gb_buf *certificate = &network_state(hosted)->secrets->certificate;
    int r;

    if (gb_session_is_asleep(hosted->session))
        return 0;
    r = trust_tell(hosted, gb_buf_bytes(certificate), err);
    if (r == 0)
        secrets_delay(hosted, false);
    return r;
}

static void secrets_on_ready(void *arg, struct gb_bytes certificate)
{
    struct hosted *hosted = arg;
    struct network_secrets *secrets = network_state(hosted)->secrets;
    struct gb_err err = {0};

    if (secrets->certificate.size > 0)
        return;
    gb_buf_add(&secrets->certificate, certificate.data, certificate.size);
    if (hosted->opened && !hosted->closing && secrets_tell_guest(hosted, &err) < 0)
        hosted_relapse(hosted, err.message);
}

static void secrets_on_failed(void *arg, const char *why)
{
    struct hosted *hosted = arg;
    char text[GB_EDGE_TEXT_MAX + 64];

    (void)snprintf(text, sizeof(text), "glassbell-edge: %s", why);
    gb_warning("%s: %s", gb_session_id(hosted->session), text);
    /* Later, connections to the hosts of secrets are refused, and all else goes on. */
    if (network_state(hosted)->secrets->certificate.size == 0)
        hosted_relapse(hosted, text);
}

/* For the journal: `GET /path 200 NAME`. */
static void secrets_put_request(const struct gb_edge_message *message, struct gb_buf *text)
{
    gb_buf_add(text, message->method.data, message->method.size);
    gb_buf_addf(text, " %.*s", (int)message->path.size, (const char *)message->path.data);
    if (message->status > 0)
        gb_buf_addf(text, " %u", message->status);
    if (message->secrets.size > 0)
        gb_buf_addf(text, " %.*s", (int)message->secrets.size, (const char *)message->secrets.data);
}

/* Texts of the edge are ASCII, but it might not be what it was. */
static void secrets_put_text(struct gb_json_out *out, const char *key, struct gb_bytes text)
{
    _cleanup_(gb_buf_release) struct gb_buf shown = {0};

    gb_escape(&shown, text, GB_EDGE_TEXT_MAX);
    gb_json_put_str(out, key, gb_buf_str(&shown));
}

static void secrets_tell_request(struct hosted *hosted, const struct gb_edge_message *message,
                                 const char *reason)
{
    struct event event;

    if (!event_begin(&event, hosted->server, "network.request", hosted))
        return;
    if (message->cell > 0)
        gb_json_put_u64(&event.out, "cell", message->cell);
    gb_json_put_u64(&event.out, "connection", message->number);
    secrets_put_text(&event.out, "name", message->name);
    gb_json_put_u64(&event.out, "port", message->port);
    secrets_put_text(&event.out, "method", message->method);
    secrets_put_text(&event.out, "path", message->path);
    if (message->status > 0)
        gb_json_put_u64(&event.out, "status", message->status);
    secrets_put_text(&event.out, "secrets", message->secrets);
    if (reason != NULL)
        gb_json_put_str(&event.out, "reason", reason);
    event_end(&event);
}

static void secrets_on_told(void *arg, const struct gb_edge_message *message)
{
    struct hosted *hosted = arg;
    const char *reason = message->kind == GB_EDGE_REFUSED ? gb_edge_reason(message->reason) : NULL;
    _cleanup_(gb_buf_release) struct gb_buf text = {0}, name = {0};
    struct gb_net_news news = {.number = message->number,
                               .port = (uint16_t)message->port,
                               .cell = message->cell,
                               .opened = true,
                               .reason = reason};

    if (hosted->closing)
        return;
    gb_buf_add(&name, message->name.data, message->name.size);
    news.name = gb_buf_str(&name);
    if (reason != NULL)
        report_denied(hosted, &news);
    secrets_put_request(message, &text);
    report_record(hosted, (struct gb_network_record){.kind = GB_NETWORK_REQUEST,
                                                     .cell = message->cell,
                                                     .connection = message->number,
                                                     .port = message->port,
                                                     .name = gb_buf_bytes(&name),
                                                     .rule = gb_buf_bytes(&text),
                                                     .reason = gb_bytes_str(reason)});
    secrets_tell_request(hosted, message, reason);
}

static int secrets_start_edge(struct hosted *hosted, struct gb_err *err)
{
    static const struct edge_events events = {
        .ready = secrets_on_ready, .told = secrets_on_told, .failed = secrets_on_failed};
    struct network_secrets *secrets = network_state(hosted)->secrets;
    struct edge_work work;
    int r;

    if (secrets == NULL || secrets->edge != NULL || gb_session_is_asleep(hosted->session))
        return 0;
    secrets_delay(hosted, true);
    work = (struct edge_work){.grants = secrets->grants,
                              .count = secrets->count,
                              .inspected = gb_buf_bytes(&secrets->inspected),
                              .heritage = secrets->heritage};
    r = edge_start(hosted->server->loop, hosted->server->host, &work, &events, hosted,
                   &secrets->edge, err);
    secrets->heritage = gb_close(secrets->heritage);
    if (r < 0)
        secrets_delay(hosted, false);
    return r;
}

void secrets_start(struct hosted *hosted)
{
    struct gb_err err = {0};

    if (secrets_start_edge(hosted, &err) < 0)
        hosted_close(hosted, GB_END_CRASHED, err.message);
}

struct gb_bytes secrets_authority(struct hosted *hosted)
{
    const struct network_secrets *secrets = network_state(hosted)->secrets;

    if (secrets == NULL)
        return (struct gb_bytes){0};
    return gb_buf_bytes(&secrets->certificate);
}

void secrets_on_open(struct hosted *hosted)
{
    const struct network_secrets *secrets = network_state(hosted)->secrets;
    struct gb_err err = {0};

    if (secrets != NULL && secrets->certificate.size > 0 && secrets_tell_guest(hosted, &err) < 0)
        hosted_close(hosted, GB_END_CRASHED, err.message);
}

int secrets_on_moved(struct hosted *hosted, struct gb_err *err)
{
    const struct network_secrets *secrets = network_state(hosted)->secrets;

    if (secrets == NULL)
        return 0;
    if (secrets->certificate.size > 0)
        return secrets_tell_guest(hosted, err);
    return secrets_start_edge(hosted, err);
}

void secrets_on_asleep(struct hosted *hosted)
{
    struct network_secrets *secrets = network_state(hosted)->secrets;

    if (secrets == NULL || secrets->certificate.size > 0)
        return;
    edge_free(TAKE_PTR(secrets->edge));
    secrets_delay(hosted, false);
}

int secrets_divert(void *arg, const struct gb_net_news *news, int socket)
{
    struct network_secrets *secrets = network_state(arg)->secrets;
    struct gb_edge_message connect = {.kind = GB_EDGE_CONNECT,
                                      .name = gb_bytes_str(news->name),
                                      .number = news->number,
                                      .cell = news->cell,
                                      .port = news->port};
    size_t i = 0;
    int fd;

    while (secrets != NULL && i < secrets->count &&
           !gb_secret_covers(&secrets->grants[i].secret, news->name))
        i++;
    if (!news->inspected && (secrets == NULL || i == secrets->count))
        return GB_NET_STRAIGHT;
    fd = secrets == NULL || secrets->edge == NULL ? -1
                                                  : edge_connect(secrets->edge, &connect, socket);
    return fd >= 0 ? fd : GB_NET_NOT;
}

void secrets_release(struct hosted *hosted)
{
    struct network_session *state = network_state(hosted);
    struct network_secrets *secrets = TAKE_PTR(state->secrets);

    if (secrets == NULL)
        return;
    edge_free(secrets->edge);
    (void)gb_close(secrets->heritage);
    gb_buf_release(&secrets->inspected);
    secrets_clear(secrets->grants, secrets->count);
    gb_buf_release(&secrets->certificate);
    free(secrets);
}

/* ---- secret.list ---- */

/* Describes one; `problem` says why sessions cannot have it. */
static void secrets_list_one(struct gb_json_out *out, const struct gb_settings_text *text)
{
    static const char *const sources[] = {"", "file", "env", "command"};
    _cleanup_(gb_buf_release) struct gb_buf place = {0}, hosts = {0};
    struct gb_secret secret;
    struct gb_secret_info info = {.name = gb_bytes_str(text->name)};
    struct gb_err err = {0};
    int r = gb_secret_parse(&secret, text->name, gb_bytes_str(text->text), &err);

    if (r == 0) {
        gb_secret_write_place(&secret, &place);
        for (size_t i = 0; i < secret.host_count; i++)
            gb_buf_addf(&hosts, "%s%s", i > 0 ? " " : "", secret.hosts[i]);
        info.source = gb_bytes_str(sources[secret.source]);
        info.place = gb_buf_bytes(&place);
        info.hosts = gb_buf_bytes(&hosts);
        info.variable = gb_bytes_str(secret.variable);
        r = edge_check_source(&secret, &err);
    }
    if (r < 0)
        info.problem = gb_bytes_str(err.message);
    gb_json_object(out, NULL);
    gb_object_write(out, &gb_secret_object, &info);
    gb_json_end(out);
    gb_secret_release(&secret);
}

void secrets_handle_list(struct request *request, const struct gb_params *params)
{
    const struct gb_settings *settings = &request->connection->server->settings;
    struct reply reply;

    (void)params;
    reply_begin(&reply, request);
    gb_json_array(&reply.out, "secrets");
    for (size_t i = 0; i < settings->secrets.count; i++)
        secrets_list_one(&reply.out, &settings->secrets.list[i]);
    gb_json_end(&reply.out);
    reply_end(&reply);
}
