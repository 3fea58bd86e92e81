/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/launcher/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool read_number(const char *text, unsigned long max, unsigned long *ret_value)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *ret_value = strtoul(text, &end, 10);
    return errno == 0 && *end == '\0' && *ret_value <= max;
}

static bool add_file(struct guard_options *options, enum guard_file_kind kind, const char *text)
{
    struct guard_file *file = &options->files[options->file_count];
    const char *equals = strchr(text, '=');
    size_t size = equals != NULL ? (size_t)(equals - text) : 0;

    if (options->file_count == GUARD_FILES_MAX || size == 0 || size >= sizeof(file->name) ||
        equals[1] != '/')
        return false;
    for (size_t i = 0; i < size; i++) {
        if (text[i] < 'a' || text[i] > 'z')
            return false;
    }
    memcpy(file->name, text, size);
    file->name[size] = '\0';
    file->kind = kind;
    file->path = equals + 1;
    file->fd = -1;
    options->file_count++;
    return true;
}

bool options_read(struct guard_options *options, int argc, char **argv, const char **ret_error)
{
    unsigned long number = 0;
    int i;

    *options = (struct guard_options){0};
    for (i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        const char *name = argv[i];
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        bool good = true;

        if (strcmp(name, "--require") == 0) {
            options->require = true;
            continue;
        }
        if (strcmp(name, "--hvf") == 0) {
            options->hvf = true;
            continue;
        }
        if (strcmp(name, "--kvm") == 0) {
            options->kvm = true;
            if (!add_file(options, GUARD_FILE_WRITE, "kvm=/dev/kvm")) {
                *ret_error = "too many files";
                return false;
            }
            continue;
        }
        if (strcmp(name, "--uid") == 0) {
            good = read_number(value, 0x7fffffff, &number);
            options->uid = (uid_t)number;
        } else if (strcmp(name, "--memory") == 0) {
            good = read_number(value, 1u << 20, &number);
            options->memory_mb = (unsigned)number;
        } else if (strcmp(name, "--keep") == 0) {
            good = read_number(value, 16, &number);
            options->keep = (unsigned)number;
        } else if (strcmp(name, "--file") == 0) {
            good = add_file(options, GUARD_FILE_SEEN, value);
        } else if (strcmp(name, "--read") == 0) {
            good = add_file(options, GUARD_FILE_READ, value);
        } else if (strcmp(name, "--write") == 0) {
            good = add_file(options, GUARD_FILE_WRITE, value);
        } else {
            good = false;
        }
        if (!good) {
            *ret_error = "an option of the launcher cannot be used";
            return false;
        }
        i++;
    }
    if (i < argc && argv[i + 1] != NULL)
        options->program = &argv[i + 1];
    return true;
}

void options_inside_path(const struct guard_file *file, char *to, size_t size)
{
    (void)snprintf(to, size, "/vm/%s", file->name); /* names are short */
}

static const struct guard_file *find_file(const struct guard_options *options, const char *name,
                                          size_t size)
{
    for (size_t i = 0; i < options->file_count; i++) {
        const struct guard_file *file = &options->files[i];

        if (strlen(file->name) == size && memcmp(file->name, name, size) == 0)
            return file;
    }
    return NULL;
}

/* Replaces the names in one argument; NULL if that fails. Gives. */
static char *place(const struct guard_options *options, const char *argument, options_put *put)
{
    char *result = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&result, &size);
    const char *at = argument, *mark;

    if (out == NULL)
        return NULL;
    while ((mark = strstr(at, "%{")) != NULL) {
        const char *end = strchr(mark, '}');
        const struct guard_file *file =
            end != NULL ? find_file(options, mark + 2, (size_t)(end - mark - 2)) : NULL;

        if (file == NULL) {
            (void)fclose(out);
            free(result);
            return NULL;
        }
        (void)fprintf(out, "%.*s", (int)(mark - at), at);
        put(out, file, mark == argument && end[1] == '\0');
        at = end + 1;
    }
    (void)fputs(at, out);
    return fclose(out) == 0 ? result : NULL;
}

bool options_place_files(struct guard_options *options, options_put *put)
{
    for (size_t i = 0; options->program[i] != NULL; i++) {
        if (strstr(options->program[i], "%{") == NULL)
            continue;
        options->program[i] = place(options, options->program[i], put);
        if (options->program[i] == NULL)
            return false;
    }
    return true;
}
