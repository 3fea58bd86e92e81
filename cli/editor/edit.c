/* SPDX-License-Identifier: Apache-2.0 */
#include "editor/edit.h"

#include <string.h>
#include <sys/stat.h>

/* readline's headers need stdio's first. */
#include <readline/readline.h>
#include <readline/tilde.h>

#include "base/mem.h"

void edit_start(FILE *in, FILE *out)
{
    rl_instream = in;
    rl_outstream = out;
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_change_environment = 0;
    rl_readline_name = "glassbell";
    rl_completion_query_items = -1;
    (void)rl_initialize();
    /* Without a display of its own, readline thinks that the terminal lacks this ability and turns
     * it off: restore it, so that the user's setting in ~/.inputrc applies. */
    (void)rl_variable_bind("enable-bracketed-paste", "on");
    (void)rl_read_init_file(NULL);
    (void)rl_variable_bind("bell-style", "none");
    (void)rl_variable_bind("page-completions", "off");
}

bool edit_is_blank(const char *text)
{
    return text[strspn(text, " \t\n")] == '\0';
}

static bool edit_begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t edit_points(const char *text, size_t size)
{
    size_t points = 0;

    for (size_t i = 0; i < size; i++)
        points += edit_begins_character(text[i]);
    return points;
}

size_t edit_offset(const char *text, size_t points)
{
    size_t i = 0;

    for (; text[i] != '\0'; i++)
        if (edit_begins_character(text[i]) && points-- == 0)
            break;
    return i;
}

size_t edit_common(const char *(*text_at)(const void *texts, size_t index), const void *texts,
                   size_t count)
{
    const char *first = text_at(texts, 0);
    size_t size = strlen(first);

    for (size_t i = 1; i < count; i++) {
        const char *text = text_at(texts, i);
        size_t n = 0;

        while (n < size && text[n] == first[n])
            n++;
        size = n;
    }
    while (size > 0 && !edit_begins_character(first[size]))
        size--;
    return size;
}

bool edit_put(size_t start, const char *text, size_t size)
{
    _cleanup_(freep) char *copy = xstrndup(text, size);

    if (size == (size_t)rl_point - start && memcmp(rl_line_buffer + start, copy, size) == 0)
        return false;
    (void)rl_begin_undo_group();
    (void)rl_delete_text((int)start, rl_point);
    rl_point = (int)start;
    (void)rl_insert_text(copy);
    (void)rl_end_undo_group();
    return true;
}

void edit_files(const char *path, void (*each)(void *arg, const char *path), void *arg)
{
    char *found;

    for (int more = 0; (found = rl_filename_completion_function(path, more)) != NULL; more = 1) {
        _cleanup_(freep) char *real = tilde_expand(found);
        struct stat status;
        bool folder = stat(real, &status) == 0 && S_ISDIR(status.st_mode);
        _cleanup_(freep) char *shown = xasprintf("%s%s", found, folder ? "/" : "");

        each(arg, shown);
        free(found);
    }
}
