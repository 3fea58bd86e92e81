/* SPDX-License-Identifier: Apache-2.0 */
#include "program.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "rpc/base64.h"
#include "session/program.h"

static int program_add_argument(struct gb_buf *argv, struct gb_bytes text, struct gb_err *err)
{
    if (memchr(text.data, '\0', text.size) != NULL)
        return gb_err_set(err, GB_EINVALID, "an argument must not contain a NUL");
    if (!gb_buf_try_add(argv, text.data, text.size, GB_ARGV_BYTES_MAX) ||
        !gb_buf_try_add(argv, "", 1, GB_ARGV_BYTES_MAX))
        return gb_err_set(err, GB_ETOOLARGE, "the arguments take more than %u bytes",
                          GB_ARGV_BYTES_MAX);
    return 0;
}

static int program_add_arguments(struct gb_buf *argv, const struct gb_json *list, bool base64,
                                 struct gb_err *err)
{
    const struct gb_json *child = list == NULL ? NULL : gb_json_first(list);
    int r = 0;

    for (uint32_t i = 0; list != NULL && i < list->count && r == 0;
         i++, child = gb_json_next(child)) {
        struct gb_bytes text = child->text;
        /* As in gb_params_read(): the line may be modified. */
        ptrdiff_t size =
            base64 ? gb_base64_decode(text, (uint8_t *)(uintptr_t)text.data) : (ptrdiff_t)text.size;

        if (size < 0)
            return gb_err_set(err, GB_EINVALID, "args_base64 is not base64 (RFC 4648, padded)");
        r = program_add_argument(argv, (struct gb_bytes){text.data, (size_t)size}, err);
    }
    return r;
}

/* Reads nothing if neither a file nor arguments are given. */
static int program_read_argv(struct program *program, const struct gb_params *params,
                             struct gb_err *err)
{
    struct gb_bytes name = params->name;
    int r;

    if (params->args != NULL && params->args_base64 != NULL)
        return gb_err_set(err, GB_EINVALID, "give args or args_base64, not both");
    if (program->file.size == 0 && name.data == NULL && params->args == NULL &&
        params->args_base64 == NULL)
        return 0;
    if (name.data == NULL)
        name = program->file.size > 0 ? gb_buf_bytes(&program->file) : gb_bytes_str("-c");
    r = program_add_argument(&program->argv, name, err);
    if (r == 0)
        r = program_add_arguments(&program->argv, params->args, false, err);
    return r < 0 ? r : program_add_arguments(&program->argv, params->args_base64, true, err);
}

static int program_read_file(struct program *program, const struct gb_params *params,
                             struct gb_err *err)
{
    const struct gb_bytes file = params->file;

    if (file.data == NULL)
        return 0;
    if (file.size == 0)
        return gb_err_set(err, GB_EINVALID, "file must not be empty");
    gb_buf_add(&program->file, file.data, file.size);
    program->put = program->code.data != NULL;
    return 0;
}

static int program_check_all(const struct program *program, struct gb_err *err)
{
    struct gb_cell_config config = {0};

    program_config(program, &config);
    return program_check(&config, err);
}

int program_read(const struct gb_params *params, struct program *program, struct gb_err *err)
{
    int r;

    program->code = params->code;
    r = program_read_file(program, params, err);
    if (r == 0 && program->code.data == NULL && program->file.size == 0)
        r = gb_err_set(err, GB_EINVALID,
                       "nothing to run: give the parameter code, code_base64 or file");
    /* The content of a file is for its language to judge; a prompt does not accept NUL. */
    if (r == 0 && program->file.size == 0 && params->code.size > 0 &&
        memchr(params->code.data, '\0', params->code.size) != NULL)
        r = gb_err_set(err, GB_EINVALID, "the code has a NUL character");
    if (r == 0)
        r = program_check_all(program, err);
    if (r == 0)
        r = program_read_argv(program, params, err);
    return r < 0 ? r : program_check_all(program, err);
}

void program_config(const struct program *program, struct gb_cell_config *config)
{
    config->code = program->code;
    config->file = gb_buf_bytes(&program->file);
    config->argv = gb_buf_bytes(&program->argv);
    config->put = program->put;
}

int program_keep(struct program *program, struct gb_err *err)
{
    if (!gb_buf_try_add(&program->kept, program->code.data, program->code.size, GB_CODE_MAX))
        return gb_err_set(err, GB_ECAPACITY, "the server has no memory for the code");
    program->code = gb_buf_bytes(&program->kept);
    return 0;
}

void program_release(struct program *program)
{
    gb_buf_release(&program->kept);
    gb_buf_release(&program->file);
    gb_buf_release(&program->argv);
}
