/* SPDX-License-Identifier: Apache-2.0 */
#include "session/program.h"

#include <string.h>

#include "base/limits.h"

static const char home[] = "/home/user/";

static int program_check_name(struct gb_bytes name, bool last, struct gb_err *err)
{
    bool dot = name.size == 1 && name.data[0] == '.';

    if (name.size == 2 && memcmp(name.data, "..", 2) == 0)
        return gb_err_set(err, GB_EPOLICY, "file must not have \"..\" in its path");
    if (last && (name.size == 0 || dot))
        return gb_err_set(err, GB_EINVALID, "file must be the path of a file");
    if (name.size > GB_FILE_NAME_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "a name in file has %zu bytes; the limit is %u",
                          name.size, GB_FILE_NAME_MAX);
    return 0;
}

static int program_check_file(struct gb_bytes path, struct gb_err *err)
{
    const size_t below = sizeof(home) - 1;
    size_t end;
    int r = 0;

    if (path.size > GB_PATH_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "file has %zu bytes; the limit is %u", path.size,
                          GB_PATH_MAX);
    if (memchr(path.data, '\0', path.size) != NULL)
        return gb_err_set(err, GB_EPOLICY, "file must not contain a NUL");
    if (path.data[0] == '/' && (path.size < below || memcmp(path.data, home, below) != 0))
        return gb_err_set(err, GB_EPOLICY, "file must be below the home");
    for (size_t at = 0; at <= path.size && r == 0; at = end + 1) {
        for (end = at; end < path.size && path.data[end] != '/';)
            end++;
        r = program_check_name((struct gb_bytes){path.data + at, end - at}, end == path.size, err);
    }
    return r;
}

static int program_check_argv(struct gb_bytes argv, struct gb_err *err)
{
    size_t count = 0;

    if (argv.size > GB_ARGV_BYTES_MAX)
        return gb_err_set(err, GB_ETOOLARGE, "the arguments take %zu bytes; the limit is %u",
                          argv.size, GB_ARGV_BYTES_MAX);
    if (argv.size > 0 && argv.data[argv.size - 1] != '\0')
        return gb_err_set(err, GB_EINVALID, "the last argument is not terminated");
    for (size_t i = 0; i < argv.size; i++)
        count += argv.data[i] == '\0';
    if (count > GB_ARGS_MAX + 1)
        return gb_err_set(err, GB_ETOOLARGE, "%zu arguments were given; the limit is %u", count - 1,
                          GB_ARGS_MAX);
    return 0;
}

int program_check(const struct gb_cell_config *config, struct gb_err *err)
{
    int r = 0;

    if (config->file.size > 0)
        r = program_check_file(config->file, err);
    else if (config->put)
        r = gb_err_set(err, GB_EINVALID, "there is no file that the code could be put into");
    if (r == 0 && config->file.size > 0 && !config->put && config->code.size > 0)
        r = gb_err_set(err, GB_EINVALID, "the code is in the file already");
    return r < 0 ? r : program_check_argv(config->argv, err);
}
