/* SPDX-License-Identifier: Apache-2.0 */
/* A cell that is a program: a file with arguments, or code with arguments.
 *
 * A final cell's file is run for real: this process becomes `bash FILE ARGS`, or, if the file
 * starts with #! and is not named .sh or .bash, the interpreter in that line. In a session the file
 * runs here, so that its definitions stay, with the environment that bash gives a script: $0, "$@",
 * BASH_SOURCE, and its name in messages. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <shell.h> /* first: bash's other headers do not compile alone */

#include <builtins.h>
#include <builtins/common.h>
#include <execute_cmd.h>

#include "shell_worker.h"

#define BASH "/bin/bash"
#define SAMPLE 80 /* of a file, to tell whether it is binary, as bash does */
#define READ_FIRST 65536

static char **read_argv(struct fields *f, size_t *ret_count)
{
    size_t size, count = 0;
    const uint8_t *data = fields_bytes(f, &size);
    char **argv, *text;

    if (size > 0 && data[size - 1] != '\0')
        channel_violation();
    for (size_t i = 0; i < size; i++)
        count += data[i] == '\0';
    argv = calloc(count + 2, sizeof(*argv));
    text = malloc(size + 1);
    if (argv == NULL || text == NULL)
        channel_violation();
    memcpy(text, data, size);
    for (size_t i = 0; i < count; i++, text += strlen(text) + 1)
        argv[i] = text;
    if (count == 0)
        free(text);
    *ret_count = count;
    return argv;
}

void program_read(struct program *program, struct fields *f)
{
    size_t size;
    const uint8_t *data = fields_bytes(f, &size);

    *program = (struct program){.file = strndup((const char *)data, size)};
    if (program->file == NULL || strlen(program->file) != size)
        channel_violation();
    program->argv = read_argv(f, &program->argc);
}

void program_release(struct program *program)
{
    if (program->argc > 0)
        free(program->argv[0]);
    free(program->argv);
    free(program->file);
}

/* `bash -c CODE NAME ARGS`, `bash -s ARGS`, `bash FILE ARGS`: the value of $0, and the first of
 * "$@". */
static const char *program_name(const struct program *program, size_t *ret_first)
{
    const char *name = program->argv[0];

    *ret_first = 1;
    if (program->file[0] != '\0')
        return name;
    if (strcmp(name, "-c") == 0) {
        *ret_first = 2;
        return program->argc > 1 ? program->argv[1] : "bash";
    }
    return strcmp(name, "-") == 0 ? "bash" : name;
}

void program_enter(struct program *program)
{
    WORD_LIST *words = NULL;
    const char *name;
    size_t first;

    if (program->argc == 0)
        return;
    name = program_name(program, &first);
    for (size_t i = program->argc; i > first; i--)
        words = make_word_list(make_bare_word(program->argv[i - 1]), words);
    program->name_before = dollar_vars[0];
    dollar_vars[0] = strdup(name);
    if (dollar_vars[0] == NULL)
        channel_violation();
    push_dollar_vars();
    remember_args(words, 1);
    dispose_words(words);
}

void program_leave(struct program *program)
{
    if (program->name_before == NULL)
        return;
    pop_dollar_vars();
    free(dollar_vars[0]);
    dollar_vars[0] = program->name_before;
    program->name_before = NULL;
}

static bool called(const char *file, const char *ending)
{
    size_t size = strlen(file), length = strlen(ending);

    return size > length && strcmp(file + size - length, ending) == 0;
}

/* The whole file and two NULs, with its size; NULL with errno. */
static char *read_whole(const char *path, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = NULL;
    size_t size = 0, room = 0;
    ssize_t n = -1;

    while (fd >= 0) {
        if (size == room) { /* the size of a FIFO is unknown */
            char *more = realloc(text, (room = room * 2 + READ_FIRST) + 2);

            if (more == NULL) {
                n = -1;
                break;
            }
            text = more;
        }
        n = read(fd, text + size, room - size);
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    if (n == 0)
        text[size] = text[size + 1] = '\0';
    if (n < 0) {
        free(text);
        text = NULL;
    }
    if (fd >= 0)
        close(fd);
    *ret_size = size;
    return text;
}

/* Whether the interpreter in the first line is to run it: only for a regular file, which can be
 * read again. */
static bool names_interpreter(const struct program *program)
{
    char start[2];
    struct stat st;
    bool regular = stat(program->file, &st) == 0 && S_ISREG(st.st_mode);
    int fd = regular ? open(program->file, O_RDONLY | O_CLOEXEC) : -1;
    bool has = fd >= 0 && read(fd, start, sizeof(start)) == 2 && memcmp(start, "#!", 2) == 0;

    if (fd >= 0)
        close(fd);
    return has && !called(program->file, ".sh") && !called(program->file, ".bash");
}

/* How to name the file: as given if it is found under that name, else by its full path. */
static char *way_to(const struct program *program)
{
    struct stat named, meant;

    if (program->argc > 0 && stat(program->argv[0], &named) == 0 &&
        stat(program->file, &meant) == 0 && named.st_dev == meant.st_dev &&
        named.st_ino == meant.st_ino)
        return program->argv[0];
    return program->file;
}

void program_become(const struct program *program)
{
    char **argv = calloc(program->argc + 4, sizeof(*argv)), *path = way_to(program);
    size_t count = 0;

    if (argv == NULL)
        channel_violation();
    maybe_make_export_env();
    if (names_interpreter(program)) {
        argv[count++] = path;
    } else {
        argv[count++] = "bash";
        argv[count++] = "--";
        argv[count++] = path;
        path = BASH;
    }
    for (size_t i = 1; i < program->argc; i++)
        argv[count++] = program->argv[i];
    (void)execve(path, argv, export_env);
    (void)dprintf(2, "bash: %s: %s\n", path, strerror(errno));
    _exit(errno == ENOENT ? EX_NOTFOUND : EX_NOEXEC);
}

/* A script's frame, for BASH_SOURCE and for the name in messages; the worker removes it with all
 * others at the end of the cell. */
static void push_frame(const char *name)
{
    static const char *const names[] = {"BASH_SOURCE", "BASH_LINENO", "FUNCNAME"};
    const char *const values[] = {name, "0", "main"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        SHELL_VAR *v = find_variable(names[i]);

        if (v != NULL && array_p(v) && array_cell(v) != NULL)
            array_push(array_cell(v), (char *)(uintptr_t)values[i]);
    }
}

/* The text of the file as bash reads it: it ignores NULs after the first line. */
static char *script_text(const struct program *program)
{
    size_t size, to = 0;
    char *text = read_whole(program->file, &size);

    if (text == NULL) {
        (void)dprintf(2, "bash: %s: %s\n", program->argv[0], strerror(errno));
        last_command_exit_value = EX_NOTFOUND;
        return NULL;
    }
    if (check_binary_file(text, (int)(size < SAMPLE ? size : SAMPLE))) {
        (void)dprintf(2, "%s: %s: cannot execute binary file\n", program->argv[0],
                      program->argv[0]);
        free(text);
        last_command_exit_value = EX_BINARY_FILE;
        return NULL;
    }
    for (size_t i = 0; i < size; i++) {
        if (text[i] != '\0')
            text[to++] = text[i];
    }
    text[to] = text[to + 1] = '\0';
    return text;
}

/* To be run by a program other than bash, as a child. */
static char *command_line(const struct program *program)
{
    char *quoted = sh_single_quote(program->file), *text;

    if (asprintf(&text, "%s \"$@\"\n", quoted) < 0)
        channel_violation();
    free(quoted);
    return text;
}

char *program_text(const struct program *program)
{
    if (names_interpreter(program))
        return command_line(program);
    push_frame(program->argv[0]);
    return script_text(program);
}
