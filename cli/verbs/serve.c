/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell serve: the server, in the foreground or as a daemon.
 *
 * A daemon reports through a pipe: "ready\n" once it is listening, or an error message. Its parent
 * waits for that and passes it on; a client that starts the server provides the pipe itself
 * (--ready-fd). Nobody has to poll the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fingerprint.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "cli/app.h"
#include "cli/service.h"
#include "platform/socket.h"
#include "rpc/address.h"
#include "server/core/server.h"
#include "server/parts.h"
#include "verbs/verbs.h"
#include "vm/host.h"

enum { IDLE_MAX_S = 31622400, POOL_MAX = 1024 };

struct serve {
    struct app app;
    const struct args *args;
    char *socket;
    struct gb_settings settings; /* owned by the server once that exists */
    struct gb_host *host;
    struct gb_server *server;
    struct gb_signal *signals[3];
    struct service *service;
    uv_work_t first_work;
    int listen_fd; /* from a service manager; -1: none */
    int ready_fd;
    int terminal; /* a descriptor of the terminal, while somebody may use it; else -1 */
    bool daemon, ended;
    unsigned asked_to_end;
    int status;
};

/* Notifies whoever waits. */
static void serve_tell_ready(struct serve *serve, const char *text)
{
    if (serve->ready_fd < 0)
        return;
    (void)gb_fd_write_full(serve->ready_fd, text, strlen(text)); /* it may have stopped waiting */
    serve->ready_fd = gb_close(serve->ready_fd);
}

static void serve_give_up(struct serve *serve, const struct gb_err *err)
{
    serve->status = EXIT_GLASSBELL;
    serve->ended = true;
    app_say_err(err); /* the terminal, or a daemon's log */
    if (serve->daemon) {
        char line[GB_ERR_MESSAGE_MAX + 2];

        (void)snprintf(line, sizeof(line), "%s\n", err->message);
        serve_tell_ready(serve, line);
    }
}

static void serve_on_ended(void *arg)
{
    struct serve *serve = arg;

    service_stopping(serve->service);
    serve->ended = true;
}

/* --pool NAME=FLOOR[:CEILING]. */
static bool serve_read_pool(const char *text, struct gb_settings *settings, struct gb_err *err)
{
    const char *equals = strchr(text, '='), *rest;
    _cleanup_(freep) char *name = equals == NULL ? NULL : xstrndup(text, (size_t)(equals - text));
    struct gb_settings_pool *pool;
    unsigned long floor, ceiling = POOL_MAX + 1;
    char *end = NULL;

    if (name == NULL || name[0] == '\0' || equals[1] < '0' || equals[1] > '9')
        goto wrong;
    floor = strtoul(equals + 1, &end, 10);
    if (*end == ':') {
        rest = end + 1;
        if (*rest < '0' || *rest > '9')
            goto wrong;
        ceiling = strtoul(rest, &end, 10);
        if (ceiling > POOL_MAX)
            goto wrong;
    }
    if (*end != '\0' || floor > POOL_MAX)
        goto wrong;
    pool = gb_settings_pool(settings, name);
    if (pool == NULL) {
        (void)gb_err_set(err, GB_EINVALID, "there are too many pools");
        return false;
    }
    pool->floor = (int64_t)floor;
    if (ceiling <= POOL_MAX)
        pool->ceiling = (int64_t)ceiling;
    return true;
wrong:
    (void)gb_err_set(err, GB_EINVALID,
                     "--pool wants IMAGE=VMS or IMAGE=LEAST:MOST (at most %d; IMAGE:MB for another "
                     "size of memory), not %s",
                     POOL_MAX, text);
    return false;
}

/* The command line takes precedence over the file. */
static bool serve_read_settings(const struct args *args, struct gb_settings *ret_settings,
                                struct gb_err *err)
{
    const char *images = args_value(args, "images"), *idle = args_value(args, "idle-exit");
    const char *format = args_value(args, "log-format");
    const char *pool;
    double seconds;
    size_t at = 0;

    if (gb_settings_load(args_value(args, "config"), ret_settings, err) < 0)
        return false;
    if (images != NULL) {
        free(ret_settings->server.images);
        ret_settings->server.images = xstrdup(images);
    }
    if (args_has(args, "require-isolation"))
        ret_settings->server.require_isolation = true;
    if (format != NULL) {
        static const char *const formats[] = {"auto", "text", "json"};

        for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
            if (strcmp(format, formats[i]) == 0)
                ret_settings->server.log_format = (int64_t)i;
    }
    if (args_has(args, "verbose"))
        ret_settings->server.log_level = GB_SETTINGS_LEVEL_DEBUG;
    if (idle != NULL && args_number(idle, 0, IDLE_MAX_S, &seconds))
        ret_settings->server.idle_exit_ms = (uint64_t)(seconds * 1000);
    while ((pool = args_next(args, "pool", &at)) != NULL)
        if (!serve_read_pool(pool, ret_settings, err)) {
            gb_settings_release(ret_settings);
            return false;
        }
    return true;
}

/* Whether standard error goes to the system's journal, which expects a level prefix on each
 * line. */
static bool serve_logs_to_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char text[64];

    if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
        return false;
    (void)snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, text) == 0;
}

static void serve_open_log_level(const struct serve *serve, const struct gb_settings *settings)
{
    enum gb_log_level level = serve->daemon ? GB_LOG_INFO : GB_LOG_WARNING;

    if (settings->server.log_level != GB_SETTINGS_LEVEL_AUTO)
        level = (enum gb_log_level)(settings->server.log_level - GB_SETTINGS_LEVEL_ERROR);
    gb_log_open(STDERR_FILENO, level);
    gb_log_format(settings->server.log_format == GB_SETTINGS_LOG_JSON ? GB_LOG_JSON
                  : settings->server.log_format == GB_SETTINGS_LOG_AUTO && serve_logs_to_journal()
                      ? GB_LOG_JOURNAL
                      : GB_LOG_TEXT);
}

static void serve_reload(struct serve *serve)
{
    struct gb_settings fresh;
    struct gb_err err = {0};

    service_reloading(serve->service);
    if (!serve_read_settings(serve->args, &fresh, &err)) {
        gb_error("settings: nothing has changed: %s", err.message);
    } else {
        serve_open_log_level(serve, &fresh);
        gb_server_reload(serve->server, &fresh);
    }
    service_ready(serve->service);
}

static void serve_on_signal(void *arg, int signum)
{
    struct serve *serve = arg;

    if (serve->server == NULL) {
        serve->ended = true;
        return;
    }
    /* A hang-up is a request to reload, unless the terminal has really gone. */
    if (signum == SIGHUP && (serve->terminal < 0 || isatty(serve->terminal))) {
        serve_reload(serve);
        return;
    }
    service_stopping(serve->service);
    /* The first signal gives running cells some time to end, the second one does not. */
    gb_server_shutdown(serve->server, serve->asked_to_end++ == 0 && signum == SIGTERM,
                       gb_server_settings(serve->server)->server.drain_ms);
}

/* A relative path is another one in each folder. Gives. */
static char *serve_absolute(const char *path)
{
    _cleanup_(freep) char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);

    return here == NULL ? xstrdup(path) : xasprintf("%s/%s", here, path);
}

/* State belongs to a socket: the folder @name for the default one, a separate one for any other.
 * Gives. */
static char *serve_folder(const char *given, const char *name)
{
    _cleanup_(freep) char *socket = serve_absolute(given);
    _cleanup_(freep) char *state = gb_path_state(), *run = gb_path_runtime();
    _cleanup_(freep) char *usual = xasprintf("%s/server.sock", run);

    if (strcmp(socket, usual) == 0)
        return xasprintf("%s/%s", state, name);
    return xasprintf(
        "%s/%s-%016llx", state, name,
        (unsigned long long)gb_fingerprint(GB_FINGERPRINT_EMPTY, socket, strlen(socket)));
}

static void serve_on_host(void *arg, struct gb_host *host, const struct gb_err *err)
{
    struct serve *serve = arg;
    _cleanup_(freep) char *journal = serve_folder(serve->socket, "journal");
    _cleanup_(freep) char *casts = serve_folder(serve->socket, "terminals");
    _cleanup_(freep) char *past = serve_folder(serve->socket, "past");
    const struct gb_server_config config = {.parts = gb_server_parts,
                                            .socket = serve->socket,
                                            .settings = &serve->settings,
                                            .state = journal,
                                            .casts = casts,
                                            .past = past,
                                            .listen_fd = serve->listen_fd,
                                            .ended = serve_on_ended,
                                            .arg = serve};
    struct gb_err problem = {0};

    if (err != NULL) {
        serve_give_up(serve, err);
        return;
    }
    serve->host = host;
    if (serve->ended)
        return;
    serve->server = gb_server_new(serve->app.loop, host, &config);
    if (gb_server_listen(serve->server, &problem) < 0) {
        serve_give_up(serve, &problem);
        return;
    }
    if (!serve->daemon)
        app_say("listening at %s, accelerator %s%s", gb_server_socket(serve->server),
                gb_accel_name(host->accel),
                host->accel == GB_ACCEL_TCG ? " (emulation: not a security boundary)" : "");
    gb_info("listening at %s", gb_server_socket(serve->server));
    serve_tell_ready(serve, "ready\n");
    service_ready(serve->service);
}

/* Raises the limit on descriptors as far as allowed: each VM needs some. */
static void serve_raise_limits(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit); /* doctor reports its value */
    }
}

static void serve_no_work(uv_work_t *work)
{
    (void)work;
}

/* Starts libuv's threads, which inherit the signal mask of the thread that starts them: everything
 * blocked. */
static void serve_start_threads(struct serve *serve)
{
    sigset_t all, before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    (void)uv_queue_work(serve->app.uv, &serve->first_work, serve_no_work, NULL);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Repeated signals must not kill the server during its shutdown and change its exit status, as they
 * would without handlers. */
static void serve_hold_signals(const int *signals, size_t count)
{
    sigset_t held;

    (void)sigemptyset(&held);
    for (size_t i = 0; i < count; i++)
        (void)sigaddset(&held, signals[i]);
    (void)pthread_sigmask(SIG_BLOCK, &held, NULL);
}

static int serve_loop(struct serve *serve)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    _cleanup_(freep) char *run = xasprintf("%s.vms", serve->socket);
    _cleanup_(freep) char *cache = gb_path_cache();
    const struct gb_settings_server *settings = &serve->settings.server;
    _cleanup_(freep) char *images = settings->images[0] != '\0' ? xstrdup(settings->images) : NULL;
    const struct gb_host_config config = {
        .images = images,
        .run = run,
        .cache = cache,
        .require_isolation = settings->require_isolation,
    };

    serve_raise_limits();
    serve_open_log_level(serve, &serve->settings);
    if (serve->settings.path != NULL)
        gb_info("settings: %s", serve->settings.path);
    if (!serve->daemon && isatty(STDERR_FILENO))
        serve->terminal = STDERR_FILENO;
    app_open_loop(&serve->app);
    serve_start_threads(serve);
    serve->service = service_new(serve->app.loop);
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        serve->signals[i] = gb_signal_new(serve->app.loop, signals[i], serve_on_signal, serve);
    gb_host_open(serve->app.loop, &config, serve_on_host, serve);
    while (!serve->ended)
        app_turn(&serve->app);
    serve_hold_signals(signals, ARRAY_SIZE(signals));
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
        gb_signal_free(serve->signals[i]);
    gb_server_free(serve->server);
    service_free(serve->service);
    /* Until the last bytes have been sent and every child has been reaped. */
    (void)uv_run(serve->app.uv, UV_RUN_DEFAULT);
    gb_host_free(serve->host);
    app_close(&serve->app);
    serve_tell_ready(serve, ""); /* so that nobody waits for ever */
    return serve->status;
}

/* ---- the daemon ---- */

/* $XDG_STATE_HOME/glassbell/server.log. Gives, or NULL. */
static char *serve_log_path(void)
{
    _cleanup_(freep) char *folder = gb_path_state();

    if (gb_fd_make_dirs(folder, 0700, NULL) < 0)
        return NULL;
    return xasprintf("%s/server.log", folder);
}

static int serve_open_log(const struct args *args)
{
    const char *given = args_value(args, "log");
    _cleanup_(freep) char *found = given == NULL ? serve_log_path() : NULL;
    const char *path = given != NULL ? given : found;
    int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 && given != NULL)
        app_say("cannot write the log %s: %s", path, strerror(errno));
    if (fd < 0 && given == NULL)
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return fd;
}

/* Detaches from the terminal: standard streams, session, signals. */
static bool serve_detach(int log)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0 || setsid() < 0)
        return false;
    if (dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
        dup2(log, STDERR_FILENO) < 0)
        return false;
    (void)gb_close(null);
    (void)gb_close(log);
    return true;
}

/* Passes on what the daemon reports about itself. */
static int serve_wait_for_daemon(int fd)
{
    struct gb_buf text = {0};
    int status = EXIT_GLASSBELL;

    for (;;) {
        uint8_t *to = gb_buf_reserve(&text, 256, 4096);
        ssize_t n = to != NULL ? gb_fd_read_full(fd, to, 256) : 0;

        if (n <= 0)
            break;
        gb_buf_commit(&text, (size_t)n);
    }
    if (gb_bytes_equal(gb_buf_bytes(&text), "ready\n"))
        status = 0;
    else if (text.size > 0)
        app_say("the server could not start: %.*s", (int)text.size - 1, gb_buf_str(&text));
    else
        app_say("the server exited before it was ready; see its log");
    gb_buf_release(&text);
    return status;
}

static int serve_daemon(struct serve *serve, const struct args *args)
{
    bool parent_waits = serve->ready_fd < 0;
    int log = serve_open_log(args), ends[2] = {-1, -1}, r;
    pid_t pid;

    if (log < 0)
        return EXIT_GLASSBELL;
    if (parent_waits && (r = gb_socket_pipe(ends)) < 0) {
        app_say("cannot make a pipe: %s", strerror(-r));
        return EXIT_GLASSBELL;
    }
    pid = fork();
    if (pid < 0) {
        app_say("cannot start another process: %s", strerror(errno));
        return EXIT_GLASSBELL;
    }
    if (pid > 0) {
        (void)gb_close(ends[1]);
        return parent_waits ? serve_wait_for_daemon(ends[0]) : 0;
    }
    if (parent_waits) {
        (void)gb_close(ends[0]);
        serve->ready_fd = ends[1];
    }
    if (!serve_detach(log))
        return EXIT_GLASSBELL;
    return serve_loop(serve);
}

static int serve_run(const struct args *args)
{
    const char *ready = args_value(args, "ready-fd"), *idle = args_value(args, "idle-exit");
    const char *format = args_value(args, "log-format");
    struct serve serve = {.args = args,
                          .listen_fd = -1,
                          .ready_fd = -1,
                          .terminal = -1,
                          .daemon = args_has(args, "daemon")};
    struct gb_err err = {0};
    double number;
    int status;

    if (args->word_count > 0)
        return app_wrong_use(args, "serve takes no names");
    if (serve.daemon && args_has(args, "foreground"))
        return app_wrong_use(args, "--daemon and --foreground exclude each other");
    if (ready != NULL) {
        if (!args_number(ready, 3, 65535, &number))
            return app_wrong_use(args, "--ready-fd wants the number of a descriptor");
        serve.ready_fd = (int)number;
        if (gb_fd_set_cloexec(serve.ready_fd, true) < 0)
            return app_wrong_use(args, "--ready-fd %s is not open", ready);
    }
    if (format != NULL && strcmp(format, "auto") != 0 && strcmp(format, "text") != 0 &&
        strcmp(format, "json") != 0)
        return app_wrong_use(args, "--log-format is auto, text or json, not %s", format);
    if (idle != NULL && !args_number(idle, 0, IDLE_MAX_S, &number))
        return app_wrong_use(args, "--idle-exit wants seconds, not %s", idle);
    if (!serve_read_settings(args, &serve.settings, &err)) {
        serve_give_up(&serve, &err);
        return EXIT_GLASSBELL;
    }
    if (service_socket(&serve.listen_fd, &serve.socket, &err) < 0) {
        serve_give_up(&serve, &err);
        gb_settings_release(&serve.settings);
        return EXIT_GLASSBELL;
    }
    if (serve.socket == NULL)
        serve.socket = gb_socket_path(args_value(args, "socket"));
    status = serve.daemon ? serve_daemon(&serve, args) : serve_loop(&serve);
    gb_settings_release(&serve.settings);
    free(serve.socket);
    return status;
}

static const struct option serve_options[] = {
    {.name = "foreground", .kind = ARG_NONE, .help = "stay in the terminal (the default)"},
    {.name = "daemon", .kind = ARG_NONE, .help = "go into the background when it is ready"},
    {.name = "config",
     .value = "FILE",
     .kind = ARG_FILE,
     .help = "the settings file (default: $GLASSBELL_CONFIG)"},
    {.name = "socket", .value = "PATH", .kind = ARG_FILE, .help = "the socket to listen at"},
    {.name = "images",
     .value = "FOLDER",
     .kind = ARG_FILE,
     .help = "folder of the images (default: $GLASSBELL_IMAGES)"},
    {.name = "pool",
     .value = "IMAGE=VMS",
     .kind = ARG_TEXT,
     .help = "VMs that are kept ready (IMAGE=LEAST:MOST); may be repeated"},
    {.name = "require-isolation",
     .kind = ARG_NONE,
     .help = "refuse to start if an isolation stage cannot be applied"},
    {.name = "log", .value = "FILE", .kind = ARG_FILE, .help = "the log of a daemon"},
    {.name = "log-format", .value = "FORMAT", .kind = ARG_TEXT, .help = "auto, text or json"},
    {.letter = 'v', .name = "verbose", .kind = ARG_NONE, .help = "log more"},
    {.name = "idle-exit",
     .value = "SECONDS",
     .kind = ARG_TEXT,
     .help = "exit when not used for this long"},
    {.name = "ready-fd", .value = "FD", .kind = ARG_TEXT, .hidden = true, .help = ""},
    {0},
};

const struct verb verb_serve = {
    .name = "serve",
    .summary = "run the server",
    .usage = "[options]",
    .options = serve_options,
    .words = ARG_NONE,
    .examples = "  glassbell serve\n"
                "  glassbell serve --daemon --require-isolation\n",
    .run = serve_run,
};
