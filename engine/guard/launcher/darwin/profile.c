/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. Everything is denied, and then allowed by name. What every program needs to
 * start at all (the system's libraries and their cache, a few services) changes from one macOS to
 * the next, and is in the system's own "system.sb", which Apple's services import as well. Rules
 * name files by their real paths, and each folder above such a file may be looked up, but not read.
 *
 * QEMU comes from a package manager, with libraries and firmware beside it: `trees` says where.
 * Homebrew's var and etc, and homes, are not among them.
 *
 * Nothing here needs macOS, so that it is tested everywhere (guard/profile_test.c). */
#include "guard/launcher/darwin/profile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Below the folder that the program's path has before @mark. */
static const struct {
    const char *mark;
    const char *folders[5];
} trees[] = {
    {"/Cellar/", {"/Cellar", "/opt", "/lib"}},      /* Homebrew */
    {"/nix/store/", {"/nix/store"}},                /* Nix */
    {"/bin/", {"/lib", "/libexec", "/share/qemu"}}, /* MacPorts, and `make install` */
};

/* ---- paths ---- */

int profile_resolve(struct guard_options *options, const char **ret_what)
{
    char *real;

    for (size_t i = 0; i < options->file_count; i++) {
        *ret_what = options->files[i].path;
        real = realpath(options->files[i].path, NULL);
        if (real == NULL)
            return -errno;
        options->files[i].path = real;
    }
    if (options->program == NULL)
        return 0;
    *ret_what = options->program[0];
    real = realpath(options->program[0], NULL);
    if (real == NULL)
        return -errno;
    options->program[0] = real;
    return 0;
}

/* A path as a whole argument, or as a value among others, where QEMU wants commas doubled. */
static void profile_put_path(FILE *out, const struct guard_file *file, bool whole)
{
    for (const char *at = file->path; *at != '\0'; at++) {
        if (*at == ',' && !whole)
            (void)fputc(',', out);
        (void)fputc(*at, out);
    }
    if (file->kind == GUARD_FILE_READ && !whole)
        (void)fputs(",readonly=on,rom=off", out);
}

bool profile_place_files(struct guard_options *options)
{
    return options_place_files(options, profile_put_path);
}

/* ---- rules ---- */

/* As a string of the language. */
static void profile_put_quoted(FILE *out, const char *text, size_t size)
{
    (void)fputc('"', out);
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '"' || text[i] == '\\')
            (void)fputc('\\', out);
        (void)fputc(text[i], out);
    }
    (void)fputc('"', out);
}

/* (allow OPERATIONS (FILTER "PATH")) */
static void profile_put_rule(FILE *out, const char *operations, const char *filter,
                             const char *path, size_t size)
{
    (void)fprintf(out, "(allow %s (%s ", operations, filter);
    profile_put_quoted(out, path, size);
    (void)fputs("))\n", out);
}

/* The folders above @path can be passed. */
static void profile_put_above(FILE *out, const char *path)
{
    for (const char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/'))
        profile_put_rule(out, "file-read-metadata", "literal", path, (size_t)(slash - path));
}

static void profile_put_tree(FILE *out, const char *program)
{
    for (size_t i = 0; i < COUNT(trees); i++) {
        const char *mark = strstr(program, trees[i].mark);
        char folder[PATH_MAX];

        if (mark == NULL)
            continue;
        for (size_t n = 0; n < COUNT(trees[i].folders) && trees[i].folders[n] != NULL; n++) {
            (void)snprintf(folder, sizeof(folder), "%.*s%s", (int)(mark - program), program,
                           trees[i].folders[n]);
            profile_put_rule(out, "file-read* file-map-executable", "subpath", folder,
                             strlen(folder));
            profile_put_above(out, folder);
        }
        return;
    }
}

static void profile_put_file(FILE *out, const struct guard_file *file)
{
    profile_put_rule(out,
                     file->kind == GUARD_FILE_WRITE ? "file-read* file-write-data" : "file-read*",
                     "literal", file->path, strlen(file->path));
    profile_put_above(out, file->path);
}

char *profile_for_program(const struct guard_options *options)
{
    const char *program = options->program != NULL ? options->program[0] : NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (out == NULL)
        return NULL;
    (void)fputs("(version 1)\n(deny default)\n(import \"system.sb\")\n"
                "(deny network*)\n"
                "(allow signal (target self))\n" /* allowed: the language's word */
                "(allow sysctl-read (sysctl-name-prefix \"hw.\")"
                " (sysctl-name-prefix \"machdep.cpu.\") (sysctl-name \"kern.hv_support\"))\n",
                out);
    /* Emulation translates the guest's code. */
    if (!options->hvf)
        (void)fputs("(allow dynamic-code-generation)\n", out);
    if (program != NULL) {
        profile_put_rule(out, "process-exec file-read* file-map-executable", "literal", program,
                         strlen(program));
        profile_put_above(out, program);
        profile_put_tree(out, program);
    }
    for (size_t i = 0; i < options->file_count; i++)
        profile_put_file(out, &options->files[i]);
    return fclose(out) == 0 ? text : NULL;
}
