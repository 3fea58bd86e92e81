/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt/editor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* readline's headers want stdio's first. */
#include <readline/readline.h>

#include "base/fd.h"
#include "base/mem.h"
#include "prompt/edit.h"
#include "prompt/history.h"

enum { TYPED_MAX = 4096 };

/* The one that readline allows. */
static struct {
    struct editor_config config;
    int fd; /* the terminal, opened for us alone */
    FILE *stream;
    struct gb_watch *watch;
    bool readable, raw, reading, interrupted;
    struct gb_buf before; /* the lines above the one that is edited, each with its newline */
    bool complete;        /* of the last Enter */
    char *indent;
    char *text; /* a whole cell */
    bool done, eof;
    void (*typed)(void *arg, struct gb_bytes line);
    void *typed_arg;
} editor = {.fd = -1};

/* ---- the terminal ---- */

/* Readline leaves raw mode between two lines; what was typed in that moment would be echoed twice.
 * So the terminal stays raw until a cell is whole. */
static void editor_prepare_terminal(int meta)
{
    if (!editor.raw)
        rl_prep_terminal(meta);
    editor.raw = true;
}

static void editor_keep_terminal(void)
{
}

static void editor_release_terminal(void)
{
    if (editor.raw)
        rl_deprep_terminal();
    editor.raw = false;
}

static void editor_on_readable(void *arg)
{
    (void)arg;
    editor.readable = true;
    gb_watch_pause(editor.watch, true);
}

/* ---- keys ---- */

/* Enter: either the cell is whole, or another line follows. No owning locals here or in other
 * functions bound to keys: readline may leave them by longjmp. */
static int editor_on_enter(int count, int key)
{
    struct gb_buf whole = {0};

    (void)count;
    (void)key;
    free(editor.indent);
    editor.indent = NULL;
    gb_buf_add(&whole, gb_buf_data(&editor.before), editor.before.size);
    if (!edit_is_blank(rl_line_buffer))
        gb_buf_adds(&whole, rl_line_buffer);
    editor.complete =
        whole.size == 0 || editor.config.hooks.is_complete(editor.config.hooks.arg,
                                                           gb_buf_str(&whole), &editor.indent);
    gb_buf_release(&whole);
    rl_point = rl_end;
    return rl_newline(1, '\n');
}

/* Runs it however incomplete it may look. */
static int editor_on_force(int count, int key)
{
    (void)count;
    (void)key;
    editor.complete = true;
    rl_point = rl_end;
    return rl_newline(1, '\n');
}

static void editor_show_matches(const struct editor_answer *answer)
{
    char **list = xcalloc(answer->count + 2, sizeof(*list));
    int longest = 0;

    list[0] =
        answer->matches[0].text; /* readline keeps what is common there and shows the others */
    for (size_t i = 0; i < answer->count; i++) {
        list[i + 1] = answer->matches[i].text;
        longest = MAX(longest, (int)strlen(list[i + 1]));
    }
    rl_crlf();
    rl_display_match_list(list, (int)answer->count, longest);
    rl_forced_update_display();
    free(list);
}

static const char *editor_text_at(const void *texts, size_t index)
{
    const struct editor_match *matches = texts;

    return matches[index].text;
}

/* False: there is no more to put than what stands there. */
static bool editor_put_common(const struct editor_answer *answer, size_t start)
{
    size_t size = edit_common(editor_text_at, answer->matches, answer->count);

    return size > 0 && edit_put(start, answer->matches[0].text, size);
}

static void editor_apply_matches(const struct editor_answer *answer)
{
    size_t above = edit_points((const char *)gb_buf_data(&editor.before), editor.before.size);
    size_t start;

    if (answer->count == 0 || answer->start < above) {
        (void)rl_ding();
        return;
    }
    start = edit_offset(rl_line_buffer, answer->start - above);
    if (start > (size_t)rl_point) {
        (void)rl_ding();
        return;
    }
    if (!editor_put_common(answer, start) && answer->count > 1)
        editor_show_matches(answer);
}

static int editor_on_tab(int count, int key)
{
    struct editor_answer answer = {0};
    struct gb_buf whole = {0};
    char *left = xstrndup(rl_line_buffer, (size_t)rl_point);
    bool nothing = edit_is_blank(left);
    size_t cursor;

    (void)count;
    if (nothing) {
        free(left);
        (void)rl_insert_text(editor.config.indent);
        return 0;
    }
    if (left[0] == ':' && editor.before.size == 0) { /* our own commands take files of the host */
        free(left);
        return rl_complete(1, key);
    }
    gb_buf_add(&whole, gb_buf_data(&editor.before), editor.before.size);
    gb_buf_adds(&whole, left);
    cursor = edit_points((const char *)gb_buf_data(&whole), whole.size);
    gb_buf_adds(&whole, rl_line_buffer + rl_point);
    free(left);
    editor.config.hooks.complete(editor.config.hooks.arg, gb_buf_str(&whole), cursor, &answer);
    gb_buf_release(&whole);
    editor_apply_matches(&answer);
    for (size_t i = 0; i < answer.count; i++)
        free(answer.matches[i].text);
    free(answer.matches);
    return 0;
}

static int editor_insert_indent(void)
{
    if (editor.indent != NULL)
        (void)rl_insert_text(editor.indent);
    free(editor.indent);
    editor.indent = NULL;
    return 0;
}

static void editor_on_line(char *line)
{
    if (line == NULL) {
        editor.eof = editor.before.size == 0;
        if (editor.eof) {
            editor.done = true;
            rl_callback_handler_remove();
        } else {
            editor_interrupt(); /* Ctrl-D in an unfinished cell drops it */
        }
        return;
    }
    if (!edit_is_blank(line) || editor.before.size > 0) {
        if (!edit_is_blank(line))
            gb_buf_adds(&editor.before, line);
        if (!editor.complete)
            gb_buf_adds(&editor.before, "\n");
    }
    free(line);
    if (!editor.complete && editor.before.size > 0) {
        (void)rl_set_prompt(editor.config.more_prompt);
        return;
    }
    if (editor.before.size == 0) { /* an empty line: the prompt again */
        return;
    }
    while (editor.before.size > 0 && gb_buf_data(&editor.before)[editor.before.size - 1] == '\n')
        editor.before.size--;
    editor.text = gb_buf_take_str(&editor.before);
    editor.done = true;
    rl_callback_handler_remove();
}

/* ---- the editor ---- */

bool editor_open(struct gb_loop *loop, const struct editor_config *config)
{
    editor.config = *config;
    editor.fd = open("/proc/self/fd/0", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (editor.fd < 0)
        return false;
    editor.stream = fdopen(editor.fd, "r");
    if (editor.stream == NULL)
        return false;
    editor.watch = gb_watch_new(loop, editor.fd, editor_on_readable, NULL);
    gb_watch_pause(editor.watch, true);
    rl_prep_term_function = editor_prepare_terminal;
    rl_deprep_term_function = editor_keep_terminal;
    rl_startup_hook = editor_insert_indent;
    edit_start(editor.stream, stdout);
    (void)rl_bind_key('\r', editor_on_enter);
    (void)rl_bind_key('\n', editor_on_enter);
    (void)rl_bind_key('\t', editor_on_tab);
    (void)rl_bind_keyseq("\\e\\r", editor_on_force);
    history_file_read(config->history);
    return true;
}

static void editor_start(void)
{
    editor.done = editor.eof = false;
    editor.reading = true;
    rl_callback_handler_install(editor.config.prompt, editor_on_line);
    gb_watch_pause(editor.watch, false);
}

static void editor_read_keys(void)
{
    if (editor.readable && editor.reading && !editor.done) {
        editor.readable = false;
        rl_callback_read_char();
        if (editor.reading && !editor.done)
            gb_watch_pause(editor.watch, false);
    }
    if (editor.interrupted && !editor.done) {
        editor.interrupted = false;
        gb_buf_clear(&editor.before);
        rl_free_line_state();
        rl_callback_sigcleanup();
        (void)rl_crlf();
        rl_callback_handler_remove();
        rl_callback_handler_install(editor.config.prompt, editor_on_line);
    }
}

enum editor_end editor_read(const bool *stopped, char **ret_text)
{
    editor_start();
    while (!editor.done && !*stopped) {
        editor.config.hooks.turn(editor.config.hooks.arg);
        editor_read_keys();
    }
    editor.reading = false;
    gb_watch_pause(editor.watch, true);
    if (!editor.done)
        rl_callback_handler_remove();
    editor_release_terminal();
    if (!editor.done || editor.eof)
        return editor.done ? EDITOR_EOF : EDITOR_STOPPED;
    history_file_add(editor.config.history, editor.text);
    *ret_text = TAKE_PTR(editor.text);
    return EDITOR_TEXT;
}

void editor_interrupt(void)
{
    editor.interrupted = editor.reading;
}

/* Whether the shell, which had us in the background, has put its own modes in the place of ours. */
static bool editor_is_foreign(void)
{
    struct termios now;

    return tcgetattr(STDIN_FILENO, &now) == 0 && (now.c_lflag & ICANON) != 0;
}

void editor_resized(void)
{
    if (!editor.reading)
        return;
    if (editor_is_foreign())
        rl_reset_screen_size(); /* editor_continued() is next, and draws the line */
    else
        rl_resize_terminal();
}

void editor_continued(void)
{
    if (!editor.reading)
        return;
    /* Readline believes that its modes are there. */
    rl_deprep_terminal();
    editor.raw = false;
    editor_prepare_terminal(1);
    rl_reset_screen_size();
    (void)rl_forced_update_display();
    (void)fflush(rl_outstream);
}

void editor_step_aside(void)
{
    if (!editor.reading || editor.done)
        return;
    (void)rl_clear_visible_line();
    (void)fflush(rl_outstream);
}

void editor_step_back(void)
{
    if (editor.reading && !editor.done)
        (void)rl_forced_update_display();
}

void editor_want_line(void (*typed)(void *arg, struct gb_bytes line), void *arg)
{
    editor.typed = typed;
    editor.typed_arg = arg;
    gb_watch_pause(editor.watch, typed == NULL);
}

/* What was typed while the terminal was still raw comes with the Enter key's own character, which
 * the kernel turns into a newline otherwise, and nobody has shown it. */
static void editor_adopt_typed_ahead(uint8_t *line, size_t size)
{
    if (memchr(line, '\r', size) == NULL)
        return;
    for (size_t i = 0; i < size; i++)
        if (line[i] == '\r')
            line[i] = '\n';
    (void)gb_fd_write_full(STDOUT_FILENO, line, size);
}

void editor_poll(void)
{
    uint8_t line[TYPED_MAX];
    void (*typed)(void *, struct gb_bytes) = editor.typed;
    void *arg = editor.typed_arg;
    ssize_t n;

    if (!editor.readable || typed == NULL)
        return;
    editor.readable = false;
    n = read(editor.fd, line, sizeof(line)); /* a line at most: the terminal is not raw */
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        gb_watch_pause(editor.watch, false);
        return;
    }
    n = MAX(n, 0);
    editor_adopt_typed_ahead(line, (size_t)n);
    /* One line is wanted, and a part of one is not a line. */
    if (n > 0 && line[n - 1] != '\n')
        gb_watch_pause(editor.watch, false);
    else
        editor.typed = NULL;
    typed(arg, (struct gb_bytes){line, (size_t)n});
}

void editor_close(void)
{
    if (editor.fd < 0)
        return;
    editor_release_terminal();
    gb_watch_free(editor.watch);
    (void)fclose(editor.stream);
    editor.fd = -1;
    gb_buf_release(&editor.before);
    free(editor.indent);
    free(editor.text);
    history_file_tidy(editor.config.history);
}
