/* SPDX-License-Identifier: Apache-2.0 */
/* Parsers for the kernel's descriptions of our limits. In a container they can be set up by others,
 * so bounds are checked as everywhere. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "platform/linux/budget_parse.h"

enum { FIELDS_MAX = 64 };

/* Cuts the next field off @text and drops the separator. False at the end. */
static bool parse_cut(struct gb_bytes *text, char separator, struct gb_bytes *ret_piece)
{
    const uint8_t *end;

    if (text->size == 0)
        return false;
    end = memchr(text->data, separator, text->size);
    ret_piece->data = text->data;
    ret_piece->size = end != NULL ? (size_t)(end - text->data) : text->size;
    text->data += ret_piece->size + (end != NULL ? 1 : 0);
    text->size -= ret_piece->size + (end != NULL ? 1 : 0);
    return true;
}

/* Whether @name is in the comma-separated list. */
static bool parse_is_listed(struct gb_bytes list, const char *name)
{
    struct gb_bytes piece;

    while (parse_cut(&list, ',', &piece))
        if (gb_bytes_equal(piece, name))
            return true;
    return false;
}

/* Digits, optionally with a point and more digits. */
static bool parse_read_fraction(struct gb_bytes *text, double *ret_value)
{
    uint64_t whole, part;
    size_t before;
    double value;

    if (!gb_bytes_number(text, UINT64_MAX, &whole))
        return false;
    value = (double)whole;
    if (text->size > 0 && text->data[0] == '.') {
        text->data++;
        text->size--;
        before = text->size;
        if (!gb_bytes_number(text, UINT64_MAX, &part))
            return false;
        value += (double)part / pow(10, (double)(before - text->size));
    }
    *ret_value = value;
    return true;
}

static void parse_skip_spaces(struct gb_bytes *text)
{
    while (text->size > 0 && (text->data[0] == ' ' || text->data[0] == '\t')) {
        text->data++;
        text->size--;
    }
}

static bool parse_is_at_end(struct gb_bytes text)
{
    return text.size == 0 || (text.size == 1 && text.data[0] == '\n');
}

bool budget_parse_group(struct gb_bytes text, const char *controller, struct gb_bytes *ret_path)
{
    struct gb_bytes line;

    while (parse_cut(&text, '\n', &line)) {
        struct gb_bytes number, names;

        if (!parse_cut(&line, ':', &number) || !parse_cut(&line, ':', &names) || line.size == 0 ||
            line.data[0] != '/')
            continue;
        if (controller == NULL ? names.size == 0 && gb_bytes_equal(number, "0")
                               : parse_is_listed(names, controller)) {
            *ret_path = line;
            return true;
        }
    }
    return false;
}

/* A path in the kernel's notation: escapes such as \040 stand for bytes. */
static char *parse_unescape(struct gb_bytes text)
{
    struct gb_buf path = {0};

    for (size_t i = 0; i < text.size; i++) {
        const uint8_t *at = text.data + i;

        if (at[0] == '\\' && i + 3 < text.size && at[1] >= '0' && at[1] <= '3' && at[2] >= '0' &&
            at[2] <= '7' && at[3] >= '0' && at[3] <= '7') {
            gb_buf_add_u8(&path, (uint8_t)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0')));
            i += 3;
        } else {
            gb_buf_add_u8(&path, at[0]);
        }
    }
    return gb_buf_take_str(&path);
}

bool budget_parse_mount(struct gb_bytes text, const char *controller,
                        struct budget_mount *ret_mount)
{
    struct gb_bytes line;

    /* id parent major:minor root point options [tags…] - type source super-options */
    while (parse_cut(&text, '\n', &line)) {
        struct gb_bytes fields[FIELDS_MAX];
        size_t count = 0, dash = 6;

        while (count < FIELDS_MAX && parse_cut(&line, ' ', &fields[count]))
            count++;
        while (dash < count && !gb_bytes_equal(fields[dash], "-"))
            dash++;
        if (dash + 3 >= count)
            continue;
        if (controller == NULL ? gb_bytes_equal(fields[dash + 1], "cgroup2")
                               : gb_bytes_equal(fields[dash + 1], "cgroup") &&
                                     parse_is_listed(fields[dash + 3], controller)) {
            ret_mount->root = parse_unescape(fields[3]);
            ret_mount->point = parse_unescape(fields[4]);
            return true;
        }
    }
    return false;
}

void budget_mount_release(struct budget_mount *mount)
{
    free(mount->root);
    free(mount->point);
    *mount = (struct budget_mount){0};
}

bool budget_parse_limit(struct gb_bytes text, uint64_t *ret_value)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t value;

    if (gb_bytes_equal(text, "max\n") || gb_bytes_equal(text, "max")) {
        *ret_value = UINT64_MAX;
        return true;
    }
    if (negative) {
        text.data++;
        text.size--;
    }
    if (!gb_bytes_number(&text, UINT64_MAX, &value) || !parse_is_at_end(text))
        return false;
    *ret_value = negative ? UINT64_MAX : value;
    return true;
}

bool budget_parse_cpu_max(struct gb_bytes text, double *ret_cpus)
{
    struct gb_bytes quota;
    uint64_t allowed, period;

    if (!parse_cut(&text, ' ', &quota) || !budget_parse_limit(quota, &allowed) ||
        !gb_bytes_number(&text, UINT64_MAX, &period) || !parse_is_at_end(text) || period == 0)
        return false;
    *ret_cpus = allowed == UINT64_MAX ? HUGE_VAL : (double)allowed / (double)period;
    return true;
}

bool budget_parse_field(struct gb_bytes text, const char *name, uint64_t *ret_value)
{
    size_t size = strlen(name);
    struct gb_bytes line;

    while (parse_cut(&text, '\n', &line)) {
        if (line.size <= size || memcmp(line.data, name, size) != 0 ||
            (line.data[size] != ' ' && line.data[size] != '\t'))
            continue;
        line.data += size;
        line.size -= size;
        parse_skip_spaces(&line);
        if (!gb_bytes_number(&line, UINT64_MAX, ret_value))
            return false;
        if (gb_bytes_equal(line, " kB"))
            return !__builtin_mul_overflow(*ret_value, 1024, ret_value);
        return line.size == 0;
    }
    return false;
}

bool budget_parse_pressure(struct gb_bytes text, double *ret_percent)
{
    static const char begin[] = "full avg10=";
    struct gb_bytes line;

    while (parse_cut(&text, '\n', &line)) {
        if (line.size < sizeof(begin) - 1 || memcmp(line.data, begin, sizeof(begin) - 1) != 0)
            continue;
        line.data += sizeof(begin) - 1;
        line.size -= sizeof(begin) - 1;
        return parse_read_fraction(&line, ret_percent) && line.size > 0 && line.data[0] == ' ';
    }
    return false;
}
