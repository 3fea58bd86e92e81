/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the journal's tests: a journal in a temporary folder, cells, and ways to inspect
 * them. */
#pragma once

#include "journal/journal.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "check_run.h"

static char folder[64];
static uv_loop_t uv;
static struct gb_loop *loop;
static struct gb_journal *journal;
static struct gb_err err;
static struct gb_journal_config config;

static inline void open_journal(void)
{
    err = (struct gb_err){0};
    ck_assert_int_eq(uv_loop_init(&uv), 0);
    loop = gb_loop_new(&uv);
    ck_assert_msg(gb_journal_open(loop, &config, &journal, &err) == 0, "%s", err.message);
}

static inline void close_journal(void)
{
    gb_journal_close(journal);
    gb_loop_free(loop);
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&uv), 0);
}

static inline void reopen(void)
{
    close_journal();
    open_journal();
}

static inline void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/glassbell-journal-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    config = (struct gb_journal_config){
        .folder = folder, .size = 64 << 20, .interval_ms = 10, .sync = GB_JOURNAL_SYNC_INTERVAL};
    open_journal();
}

static inline void teardown(void)
{
    char command[128];

    close_journal();
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
}

/* ---- doing ---- */

static inline void begin(const char *id, const char *key)
{
    const struct gb_record_session record = {
        .flags = GB_SESSION_HAS_KEY,
        .memory_mb = 192,
        .created_at_ns = 1000,
        .key = gb_bytes_str(key),
        .image = gb_bytes_str("python"),
        .language = gb_bytes_str("python"),
    };

    gb_journal_session(journal, id, 1, &record);
}

static inline void end(const char *id)
{
    const struct gb_record_session record = {
        .state = GB_RECORD_CLOSED,
        .image = gb_bytes_str("python"),
        .language = gb_bytes_str("python"),
        .reason = gb_bytes_str("closed"),
        .message = gb_bytes_str("it was closed"),
    };

    gb_journal_session(journal, id, 3, &record);
}

static inline struct gb_cell_info make_cell(const char *id, uint32_t number, const char *code)
{
    return (struct gb_cell_info){
        .session = gb_bytes_str(id),
        .number = number,
        .incarnation = 1,
        .image = gb_bytes_str("python"),
        .code = gb_bytes_str(code),
        .exit_code = -1,
        .started_at_ns = 5000,
    };
}

static bool told, told_recorded;

static inline void on_recorded(void *arg, bool recorded)
{
    (void)arg;
    told = true;
    told_recorded = recorded;
}

/* Records and waits for the acknowledgement. */
static inline void record(const struct gb_cell_info *cell)
{
    struct gb_journal_ticket ticket = {.done = on_recorded};
    int r;

    told = false;
    r = gb_journal_cell(journal, cell, &ticket);
    ck_assert_int_ge(r, 0);
    while (r == 0 && !told)
        (void)uv_run(&uv, UV_RUN_ONCE);
    ck_assert(r == 1 || told_recorded);
}

static inline void run_cell(const char *id, uint32_t number, const char *code, struct gb_bytes out)
{
    struct gb_cell_info cell = make_cell(id, number, code);

    gb_journal_start(journal, &cell);
    cell.out = out;
    cell.exit_code = 0;
    record(&cell);
}

/* ---- looking ---- */

struct seen {
    uint32_t count, numbers[64];
    char code[64][32], state[64][16];
    uint32_t flags[64];
    int64_t exit_code[64];
    size_t out_size[64];
    uint8_t out_first[64];
    uint32_t last, before_at, enough_at; /* the last two: which verdict to return at which cell; 0:
                                          * never */
    bool more, done;
};

static inline enum gb_journal_verdict on_cell(void *arg, const struct gb_cell_info *cell)
{
    struct seen *seen = arg;

    ck_assert_uint_lt(seen->count, 64);
    seen->numbers[seen->count] = cell->number;
    (void)snprintf(seen->code[seen->count], 32, "%.*s", (int)MIN(cell->code.size, (size_t)31),
                   (const char *)cell->code.data);
    (void)snprintf(seen->state[seen->count], 16, "%s", gb_cell_state_to_string(cell->state));
    seen->flags[seen->count] = cell->flags;
    seen->exit_code[seen->count] = cell->exit_code;
    seen->out_size[seen->count] = cell->out.size;
    seen->out_first[seen->count] = cell->out.size > 0 ? cell->out.data[cell->out.size - 1] : 0;
    seen->count++;
    return seen->count == seen->before_at   ? GB_JOURNAL_BEFORE
           : seen->count == seen->enough_at ? GB_JOURNAL_ENOUGH
                                            : GB_JOURNAL_NEXT;
}

static inline void on_done(void *arg, uint32_t last, bool more, const struct gb_err *why)
{
    struct seen *seen = arg;

    ck_assert_ptr_null(why);
    seen->more = more;
    seen->last = last;
    seen->done = true;
}

static inline void ask(const char *id, struct gb_journal_query query, struct seen *seen)
{
    query.each = on_cell;
    query.done = on_done;
    query.arg = seen;
    ck_assert_int_eq(gb_journal_read(journal, gb_bytes_str(id), &query, &err), 0);
    while (!seen->done)
        (void)uv_run(&uv, UV_RUN_ONCE);
}

static inline struct seen look(const char *id, uint32_t after, uint32_t limit)
{
    struct seen seen = {0};

    ask(id, (struct gb_journal_query){.after = after, .limit = limit}, &seen);
    return seen;
}

static inline const struct gb_journal_session *find(const char *id)
{
    return gb_journal_find(journal, gb_bytes_str(id));
}

/* The newest segment's path. */
static inline void newest_path(char *path, size_t size)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    char name[32] = "";

    while ((entry = readdir(dir)) != NULL)
        if (strstr(entry->d_name, ".gbj") != NULL && strcmp(entry->d_name, name) > 0)
            (void)snprintf(name, sizeof(name), "%.31s", entry->d_name);
    (void)closedir(dir);
    (void)snprintf(path, size, "%s/%s", folder, name);
}
