/* SPDX-License-Identifier: Apache-2.0 */
/* Parses values into fields according to the option's type. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "settings/internal.h"

enum { SHOWN_MAX = 60, NUMBER_MAX = 32 };

struct unit {
    const char *name;
    double factor;
};

static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}, {NULL, 0},
};
static const struct unit sizes[] = {
    {"", 1},
    {"K", 1024},
    {"M", 1024.0 * 1024},
    {"G", 1024.0 * 1024 * 1024},
    {"T", 1024.0 * 1024 * 1024 * 1024},
    {NULL, 0},
};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

/* Fails with the value, escaped for a message. */
static int value_refuse(struct gb_err *err, struct gb_bytes value, const char *wanted)
{
    _cleanup_(gb_buf_release) struct gb_buf shown = {0};

    gb_escape(&shown, value, SHOWN_MAX);
    return gb_err_set(err, GB_EINVALID, "wants %s, and is \"%s\"", wanted, gb_buf_str(&shown));
}

/* Digits, optionally a point and more digits, then a unit; nothing else, not even a sign. */
static bool read_quantity(struct gb_bytes value, const struct unit *units, double *ret_number)
{
    char text[NUMBER_MAX + 1], *end;
    size_t digits = 0, points = 0, at = 0;
    double number;

    while (at < value.size && at < NUMBER_MAX) {
        uint8_t byte = value.data[at];

        if (byte == '.' && digits > 0)
            points++;
        else if (byte >= '0' && byte <= '9')
            digits++;
        else
            break;
        text[at++] = (char)byte;
    }
    text[at] = '\0';
    if (digits == 0 || points > 1 || text[at - 1] == '.')
        return false;
    number = strtod(text, &end);
    while (at < value.size && value.data[at] == ' ')
        at++;
    value.data += at;
    value.size -= at;
    for (; units->name != NULL; units++)
        if (gb_bytes_equal(value, units->name) || (value.size == 0 && number == 0)) {
            *ret_number = number * units->factor;
            return *end == '\0' && isfinite(*ret_number);
        }
    return false;
}

/* Formats it as in a file, for a message. */
static void show_bound(char *text, size_t size, enum gb_option_type type, double bound)
{
    const struct unit *units = type == GB_OPTION_DURATION ? durations
                               : type == GB_OPTION_SIZE   ? sizes
                                                          : plain;
    const struct unit *best = units;

    for (const struct unit *unit = units; unit->name != NULL; unit++)
        if (bound >= unit->factor && fmod(bound, unit->factor) == 0)
            best = unit;
    (void)snprintf(text, size, "%.15g%s", bound / best->factor, bound == 0 ? "" : best->name);
}

static int value_read_number(const struct gb_option *option, void *field, struct gb_bytes value,
                             struct gb_err *err)
{
    static const char *const wanted[GB_OPTION_TYPE_COUNT] = {
        [GB_OPTION_INTEGER] = "a whole number",
        [GB_OPTION_NUMBER] = "a number",
        [GB_OPTION_DURATION] = "a time such as 500ms, 30s, 5m, 2h or 7d",
        [GB_OPTION_SIZE] = "a size such as 64K, 512M or 10G",
    };
    const struct unit *units = option->type == GB_OPTION_DURATION ? durations
                               : option->type == GB_OPTION_SIZE   ? sizes
                                                                  : plain;
    double number;

    if (!read_quantity(value, units, &number) ||
        (option->type == GB_OPTION_INTEGER && number != floor(number)))
        return value_refuse(err, value, wanted[option->type]);
    if (number < option->min || number > option->max) {
        char low[32], high[32], range[80];

        show_bound(low, sizeof(low), option->type, option->min);
        show_bound(high, sizeof(high), option->type, option->max);
        (void)snprintf(range, sizeof(range), "%s to %s", low, high);
        return value_refuse(err, value, range);
    }
    if (option->type == GB_OPTION_NUMBER)
        *(double *)field = number;
    else if (option->type == GB_OPTION_INTEGER)
        *(int64_t *)field = (int64_t)number;
    else
        *(uint64_t *)field = (uint64_t)number;
    return 0;
}

static int read_bool(bool *field, struct gb_bytes value, struct gb_err *err)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (gb_bytes_equal(value, words[i])) {
            *field = i % 2 == 1;
            return 0;
        }
    return value_refuse(err, value, "yes or no");
}

static int value_read_choice(const struct gb_option *option, int64_t *field, struct gb_bytes value,
                             struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf wanted = {0};

    for (size_t i = 0; option->choices[i] != NULL; i++) {
        if (gb_bytes_equal(value, option->choices[i])) {
            *field = (int64_t)i;
            return 0;
        }
        gb_buf_addf(&wanted, "%s%s", i == 0 ? "one of: " : ", ", option->choices[i]);
    }
    return value_refuse(err, value, gb_buf_str(&wanted));
}

static int value_read_text(const struct gb_option *option, char **field, struct gb_bytes value,
                           struct gb_err *err)
{
    const char *home = getenv("HOME");
    bool at_home = value.size > 1 && value.data[0] == '~' && value.data[1] == '/';
    char *text;

    if ((double)value.size > option->max)
        return gb_err_set(err, GB_ETOOLARGE, "is longer than %.0f bytes", option->max);
    if (option->type == GB_OPTION_PATH && value.size > 0) {
        if (value.data[0] != '/' && !at_home)
            return value_refuse(err, value, "a path that begins with / or ~/");
        if (at_home && (home == NULL || home[0] != '/'))
            return gb_err_set(err, GB_EINVALID, "has a ~, and $HOME names no folder");
    }
    if (option->type == GB_OPTION_PATH && at_home)
        text = xasprintf("%s%.*s", home, (int)value.size - 1, (const char *)value.data + 1);
    else
        text = xstrndup((const char *)value.data, value.size);
    free(*field);
    *field = text;
    return 0;
}

int option_read(const struct gb_option *option, void *field, struct gb_bytes value,
                struct gb_err *err)
{
    switch (option->type) {
    case GB_OPTION_BOOL:
        return read_bool(field, value, err);
    case GB_OPTION_INTEGER:
    case GB_OPTION_NUMBER:
    case GB_OPTION_DURATION:
    case GB_OPTION_SIZE:
        return value_read_number(option, field, value, err);
    case GB_OPTION_TEXT:
    case GB_OPTION_PATH:
        return value_read_text(option, field, value, err);
    case GB_OPTION_CHOICE:
        return value_read_choice(option, field, value, err);
    case GB_OPTION_TYPE_COUNT:
        break;
    }
    return gb_err_set(err, GB_EINTERNAL, "has no type");
}
