/* SPDX-License-Identifier: Apache-2.0 */
#include "err.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *kind;
    int rpc;
    enum gb_class class;
    const char *meaning;
} codes[] = {[GB_OK] = {"ok", 0, GB_CLASS_CALLER, "no failure"},
#define GB_X(name, kind, rpc, class, meaning) [name] = {kind, rpc, class, meaning},
             GB_ERRORS(GB_X)
#undef GB_X
};
static_assert(sizeof(codes) / sizeof(codes[0]) == GB_CODE_COUNT, "a row for each code");

static enum gb_code code_from_errno(int sys_errno)
{
    switch (sys_errno) {
    case ENOENT:
        return GB_ENOTFOUND;
    case ENOSPC:
    case EDQUOT:
        return GB_EDISK;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return GB_ECAPACITY;
    case EFBIG:
    case ENAMETOOLONG:
        return GB_ETOOLARGE;
    default:
        return GB_EINTERNAL;
    }
}

__attribute__((format(printf, 4, 0))) static void
set_message(struct gb_err *err, enum gb_code code, int sys_errno, const char *format, va_list args)
{
    int n;

    err->code = code;
    err->sys_errno = sys_errno;
    err->dispatched = false;
    n = vsnprintf(err->message, sizeof(err->message), format, args);
    if (n < 0)
        err->message[0] = '\0';
    if (sys_errno != 0 && n >= 0 && (size_t)n < sizeof(err->message))
        (void)snprintf(err->message + n, sizeof(err->message) - (size_t)n, ": %s",
                       strerror(sys_errno));
}

int(gb_err_set)(struct gb_err *err, enum gb_code code, const char *format, ...)
{
    va_list args;

    assert(code > GB_OK && code < GB_CODE_COUNT);
    if (err != NULL) {
        va_start(args, format);
        set_message(err, code, 0, format, args);
        va_end(args);
    }
    return -(int)code;
}

int(gb_err_sys)(struct gb_err *err, int sys_errno, const char *format, ...)
{
    enum gb_code code = code_from_errno(sys_errno);
    va_list args;

    if (err != NULL) {
        va_start(args, format);
        set_message(err, code, sys_errno, format, args);
        va_end(args);
    }
    return -(int)code;
}

int gb_err_wrap(struct gb_err *err, int r, const char *format, ...)
{
    char old[GB_ERR_MESSAGE_MAX];
    size_t room, length;
    va_list args;
    int n;

    if (err == NULL)
        return r;
    memcpy(old, err->message, sizeof(old));
    va_start(args, format);
    n = vsnprintf(err->message, sizeof(err->message) - 2, format, args);
    va_end(args);
    if (n < 0)
        n = 0;
    room = sizeof(err->message) - 3;
    length = (size_t)n < room ? (size_t)n : room;
    memcpy(err->message + length, ": ", 2);
    length += 2;
    n = (int)strnlen(old, sizeof(err->message) - length - 1);
    memcpy(err->message + length, old, (size_t)n);
    err->message[length + (size_t)n] = '\0';
    return r;
}

static enum gb_code checked(enum gb_code code)
{
    return (unsigned)code < GB_CODE_COUNT ? code : GB_EINTERNAL;
}

const char *gb_code_kind(enum gb_code code)
{
    return codes[checked(code)].kind;
}

int gb_code_rpc(enum gb_code code)
{
    return codes[checked(code)].rpc;
}

enum gb_class gb_code_class(enum gb_code code)
{
    return codes[checked(code)].class;
}

const char *gb_code_meaning(enum gb_code code)
{
    return codes[checked(code)].meaning;
}

enum gb_code gb_code_from_kind(const char *kind)
{
    for (int i = GB_OK + 1; i < GB_CODE_COUNT; i++)
        if (strcmp(codes[i].kind, kind) == 0)
            return (enum gb_code)i;
    return GB_EINTERNAL;
}
