/* SPDX-License-Identifier: Apache-2.0 */
#include "guard/guard.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct stage {
    enum gb_guard_stage bit;
    unsigned systems;
    const char *name, *sentence;
};

static const struct stage stages[] = {
#define GB_X(constant, bit, name, systems, sentence) {constant, systems, name, sentence},
    GB_GUARD_STAGES(GB_X)
#undef GB_X
};

static_assert(ARRAY_SIZE(stages) == GB_GUARD_STAGE_COUNT, "every stage has its bit");

const char *gb_guard_name(enum gb_guard_stage stage)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (stages[i].bit == stage)
            return stages[i].name;
    }
    return "?";
}

const char *gb_guard_sentence(enum gb_guard_stage stage)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if (stages[i].bit == stage)
            return stages[i].sentence;
    }
    return "?";
}

uint32_t gb_guard_wanted(void)
{
    uint32_t wanted = 0, other = geteuid() == 0 ? GB_GUARD_USER_NAMESPACE : GB_GUARD_USER;

    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if ((stages[i].systems & GB_GUARD_HERE) != 0)
            wanted |= stages[i].bit;
    }
    return wanted & ~other;
}

/* Copies text from the launcher, which is untrusted enough to remove control characters. */
static void copy_text(char *to, size_t size, struct gb_bytes text)
{
    size_t n = MIN(text.size, size - 1);

    for (size_t i = 0; i < n; i++)
        to[i] = isprint(text.data[i]) ? (char)text.data[i] : '?';
    to[n] = '\0';
}

/* Skips @word and the following space at the front of @text. */
static bool skip_word(struct gb_bytes *text, const char *word)
{
    size_t size = strlen(word);

    if (text->size <= size || memcmp(text->data, word, size) != 0 || text->data[size] != ' ')
        return false;
    text->data += size + 1;
    text->size -= size + 1;
    return true;
}

static bool read_pid(struct gb_bytes text, pid_t *ret_pid)
{
    pid_t pid = 0;

    if (text.size == 0 || text.size > 9)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        pid = pid * 10 + (text.data[i] - '0');
    }
    *ret_pid = pid;
    return pid > 0;
}

static bool read_stage(struct gb_guard_report *report, struct gb_bytes text)
{
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        struct gb_bytes rest = text;

        if (!skip_word(&rest, stages[i].name))
            continue;
        if (gb_bytes_equal(rest, "ok")) {
            report->applied |= stages[i].bit;
            return true;
        }
        if (!skip_word(&rest, "failed"))
            return false;
        if (report->failed == 0)
            copy_text(report->reason, sizeof(report->reason), rest);
        report->failed |= stages[i].bit;
        return true;
    }
    return false;
}

static bool read_line(struct gb_guard_report *report, struct gb_bytes line)
{
    if (skip_word(&line, "stage"))
        return read_stage(report, line);
    if (skip_word(&line, "pid"))
        return report->pid == 0 && read_pid(line, &report->pid);
    if (skip_word(&line, "error")) {
        copy_text(report->error, sizeof(report->error), line);
        return true;
    }
    return false;
}

int gb_guard_report_read(struct gb_guard_report *report, struct gb_buf *text, struct gb_err *err)
{
    while (text->size > 0) {
        const uint8_t *data = gb_buf_data(text);
        const uint8_t *end = memchr(data, '\n', text->size);
        size_t size = end != NULL ? (size_t)(end - data) : text->size;

        if (size > GB_GUARD_LINE_MAX)
            return gb_err_set(err, GB_EINTERNAL, "the launcher's status has a line too long");
        if (end == NULL)
            return 0;
        if (!read_line(report, (struct gb_bytes){data, size}))
            return gb_err_set(err, GB_EINTERNAL, "the launcher's status cannot be read");
        gb_buf_consume(text, size + 1);
    }
    return 0;
}

void gb_guard_describe_missing(struct gb_buf *buf, const struct gb_guard_report *report,
                               uint32_t wanted)
{
    uint32_t missing = wanted & ~report->applied;
    const char *separator = "";

    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        if ((missing & stages[i].bit) == 0)
            continue;
        gb_buf_addf(buf, "%s%s", separator, stages[i].name);
        separator = ", ";
    }
    if (missing != 0 && report->reason[0] != '\0')
        gb_buf_addf(buf, " (%s)", report->reason);
}
