/* SPDX-License-Identifier: Apache-2.0 */
/* What leaves the front end for a file: a session as a document, its log in the pager, and the
 * screen as text.
 *
 * A document is written by `glassbell export` in the background: it may be long, and the server far
 * away. What it says about a failure is what the user is told. One at a time.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/internal.h"
#include "base/fd.h"
#include "base/mem.h"
#include "kit/local.h"
#include "platform/socket.h"

extern char **environ;

enum { EXPORTING_SAID_MAX = 400, EXPORTING_READ = 4096, EXPORTING_READS_MAX = 64 };

struct exporting {
    struct tui *tui;
    struct gb_child *child;
    struct gb_watch *watch;
    int fd; /* what it says */
    struct gb_buf said;
    char *path;
};

void exporting_close(struct tui *tui)
{
    struct exporting *exporting = TAKE_PTR(tui->exporting);

    if (exporting == NULL)
        return;
    gb_child_free(exporting->child); /* if it still runs, it finishes the file */
    gb_watch_free(exporting->watch);
    (void)gb_close(exporting->fd);
    gb_buf_release(&exporting->said);
    free(exporting->path);
    free(exporting);
}

/* Reads on; keeps only the beginning. False: there is nothing at the moment. */
static bool exporting_read(struct exporting *exporting)
{
    uint8_t bytes[EXPORTING_READ];
    ssize_t n = read(exporting->fd, bytes, sizeof(bytes));

    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            gb_watch_pause(exporting->watch, true);
        return false;
    }
    if (exporting->said.size < EXPORTING_SAID_MAX)
        gb_buf_add(&exporting->said, bytes,
                   MIN((size_t)n, EXPORTING_SAID_MAX - exporting->said.size));
    return true;
}

static void exporting_on_readable(void *arg)
{
    (void)exporting_read(arg);
}

/* Its first line, without its name. */
static void exporting_message(struct exporting *exporting, char message[EXPORTING_SAID_MAX + 1])
{
    static const char name[] = "glassbell: ";
    const char *text = gb_buf_str(&exporting->said);

    if (strncmp(text, name, strlen(name)) == 0)
        text += strlen(name);
    (void)snprintf(message, EXPORTING_SAID_MAX + 1, "%.*s", (int)strcspn(text, "\n"), text);
}

static void exporting_on_exited(void *arg, int status, int signal)
{
    struct exporting *exporting = arg;
    struct tui *tui = exporting->tui;
    char message[EXPORTING_SAID_MAX + 1];

    for (int i = 0; i < EXPORTING_READS_MAX && exporting_read(exporting); i++)
        ;
    exporting_message(exporting, message);
    if (signal != 0 || status != 0)
        tui_say(tui, MESSAGE_ERROR, "export: %s",
                message[0] != '\0' ? message : "`glassbell export` ended without a word");
    else
        tui_say(tui, MESSAGE_GOOD, "exported as %s%s%s", exporting->path,
                message[0] != '\0' ? "; " : "", message);
    exporting_close(tui);
}

/* False, with @err, if it cannot be started. */
static bool exporting_spawn(struct exporting *exporting, const char *const *argv,
                            struct gb_err *err)
{
    struct gb_child_config config = {.file = argv[0],
                                     .argv = (char *const *)(uintptr_t)argv,
                                     .env = environ,
                                     .fds = {-1, -1},
                                     .fd_count = 3,
                                     .new_session = true}; /* ssh cannot ask at our terminal */
    struct gb_loop *loop = exporting->tui->loop;
    int pipe[2], r = gb_socket_pipe(pipe);

    if (r < 0) {
        (void)gb_err_sys(err, -r, "cannot make a pipe");
        return false;
    }
    exporting->fd = pipe[0];
    config.fds[2] = pipe[1];
    r = gb_fd_set_nonblocking(pipe[0], true);
    if (r < 0)
        (void)gb_err_sys(err, -r, "cannot use a pipe");
    else
        r = gb_child_start(loop, &config, exporting_on_exited, exporting, &exporting->child, err);
    (void)gb_close(pipe[1]);
    if (r == 0)
        exporting->watch = gb_watch_new(loop, pipe[0], exporting_on_readable, exporting);
    return r == 0;
}

/* Into a folder: under the name of the session. Gives. */
static char *exporting_path(const char *typed, const struct session *session)
{
    char *path = tui_local_path(typed), *inside;
    const size_t size = strlen(path);
    struct stat info;

    if ((stat(path, &info) < 0 || !S_ISDIR(info.st_mode)) && (size == 0 || path[size - 1] != '/'))
        return path;
    inside =
        xasprintf("%s%s%s.ipynb", path, path[size - 1] == '/' ? "" : "/", session_title(session));
    for (char *at = inside + size + 1; *at != '\0'; at++)
        if (*at == '/') /* in a label */
            *at = '_';
    free(path);
    return inside;
}

/* Has @write called, with the path in export_path (taken from @path): at once, or when the user has
 * agreed that a file is replaced. */
static void exporting_to(struct tui *tui, char *path, void (*write)(void *tui))
{
    char question[MESSAGE_TEXT_MAX];
    struct stat info;

    free(tui->export_path);
    tui->export_path = path;
    if (strcmp(path, "-") == 0 ||
        local_is_stream(path)) { /* a FIFO would block the whole program */
        tui_say(tui, MESSAGE_WARNING, "%s is not a file", path);
    } else if (lstat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
        (void)snprintf(question, sizeof(question), "replace what is there? %s", path);
        tui_confirm(tui, question, write, tui);
    } else {
        write(tui);
    }
}

static void exporting_start(void *arg)
{
    struct tui *tui = arg;
    const struct session *session = ref_find(&tui->export_session);
    _cleanup_(freep) char *path = TAKE_PTR(tui->export_path);
    const char *argv[TUI_VERB_WORDS_MAX];
    struct gb_err err = {0};

    if (session == NULL) {
        tui_say(tui, MESSAGE_ERROR, "the session is gone");
        return;
    }
    if (tui->exporting != NULL) {
        tui_say(tui, MESSAGE_WARNING, "one at a time: %s is being written", tui->exporting->path);
        return;
    }
    if (!uplink_may_ask(uplink_of(session)))
        return;
    if (!tui_verb_argv(uplink_of(session), "export",
                       (const char *const[]){"--no-autostart", "-o", path, "--", session->id}, 5,
                       argv)) {
        tui_say(tui, MESSAGE_ERROR, "use `glassbell export %s`", session->id);
        return;
    }
    tui->exporting = xcalloc(1, sizeof(*tui->exporting));
    *tui->exporting = (struct exporting){.tui = tui, .fd = -1, .path = xstrdup(path)};
    if (exporting_spawn(tui->exporting, argv, &err)) {
        tui_say(tui, MESSAGE_PLAIN, "%s is being written…", path);
        return;
    }
    tui_say(tui, MESSAGE_ERROR, "export: %s", err.message);
    exporting_close(tui);
}

static void exporting_on_path(void *arg, const char *line)
{
    struct tui *tui = arg;
    const struct session *session = ref_find(&tui->export_session);

    if (line == NULL || line[0] == '\0')
        return;
    if (session == NULL)
        tui_say(tui, MESSAGE_ERROR, "the session is gone");
    else
        exporting_to(tui, exporting_path(line, session), exporting_start);
}

void exporting_run(struct tui *tui, const struct words *words)
{
    const struct session *session = lease_subject(tui);
    char start[STORE_NAME_MAX + 8];

    if (session == NULL) {
        tui_say(tui, MESSAGE_PLAIN, "there is no session here");
    } else if (words->rest[0] != '\0') {
        ref_set(&tui->export_session, session);
        exporting_to(tui, exporting_path(words->rest, session), exporting_start);
    } else {
        ref_set(&tui->export_session, session);
        (void)snprintf(start, sizeof(start), "%s.ipynb", session_title(session));
        for (char *at = start; *at != '\0'; at++)
            if (*at == '/')
                *at = '_';
        tui_ask_path(tui, "export to", start, exporting_on_path, tui);
    }
}

void exporting_run_log(struct tui *tui, const struct words *words)
{
    static const char page[] = "\"$0\" \"$@\" 2>&1 | ${PAGER:-less}";
    const struct session *session = lease_subject(tui);
    const char *argv[TUI_VERB_WORDS_MAX + 3] = {"/bin/sh", "-c", page};

    (void)words;
    if (session == NULL)
        tui_say(tui, MESSAGE_PLAIN, "there is no session here");
    else if (!uplink_may_ask(uplink_of(session)))
        return;
    else if (!tui_verb_argv(uplink_of(session), "log",
                            (const char *const[]){"--no-autostart", "--", session->id}, 3,
                            argv + 3))
        tui_say(tui, MESSAGE_ERROR, "use `glassbell log %s`", session->id);
    else if (tui_run_program(tui, argv) != 0)
        tui_say(tui, MESSAGE_ERROR, "log: the pager failed");
    else
        tui_say(tui, MESSAGE_PLAIN, "the pager showed the log of %s", session_title(session));
}

/* ---- the screen ---- */

static void exporting_write_screen(void *arg)
{
    struct tui *tui = arg;
    _cleanup_(freep) char *path = TAKE_PTR(tui->export_path);
    struct gb_buf text = {0};
    struct gb_err err = {0};

    /* Without the command and what it says. */
    tui->message_command[0] = tui->message[0] = '\0';
    grid_clear(&tui->grid);
    (void)frame_paint(tui, region_all(&tui->grid));
    dump_text(&tui->grid, &text);
    if (local_put(path, gb_buf_bytes(&text), &err) < 0)
        tui_say(tui, MESSAGE_ERROR, "screen: %s", err.message);
    else
        tui_say(tui, MESSAGE_GOOD, "the screen is in %s", path);
    gb_buf_release(&text);
}

static void exporting_on_screen(void *arg, const char *line)
{
    if (line != NULL && line[0] != '\0')
        exporting_to(arg, tui_local_path(line), exporting_write_screen);
}

void exporting_run_screen(struct tui *tui, const struct words *words)
{
    if (words->rest[0] != '\0')
        exporting_on_screen(tui, words->rest);
    else
        tui_ask_path(tui, "the screen as text into", "glassbell-screen.txt", exporting_on_screen,
                     tui);
}
