/* SPDX-License-Identifier: Apache-2.0 */
/* Output of `run` and `exec`: program output in the order of the sources, messages, and JSON. */
#include "execute/internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "cli/cell.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/outcome.h"

enum { OUTPUT_QUEUE_MAX = 1u << 20 };

/* Precedes the bytes of waiting output. */
struct record {
    enum target target;
    size_t size;
};

size_t report_queued(const struct execution *execution)
{
    return output_queued(execution->outputs[TO_STDOUT]) +
           output_queued(execution->outputs[TO_STDERR]);
}

void report_pace(void *arg)
{
    struct execution *execution = arg;

    gb_client_pause(execution->app->client, report_queued(execution) > OUTPUT_QUEUE_MAX);
}

void report_write(struct job *job, enum target target, struct gb_bytes bytes)
{
    struct execution *execution = job->execution;
    struct record record = {target, bytes.size};

    if (bytes.size == 0)
        return;
    if (job == &execution->jobs[execution->current]) {
        output_write(execution->outputs[target], bytes);
        report_pace(execution);
        return;
    }
    gb_buf_add(&job->records, &record, sizeof(record));
    gb_buf_add(&job->records, bytes.data, bytes.size);
}

void report_say(struct job *job, const char *message, const char *detail)
{
    struct gb_buf line = {0};

    gb_buf_adds(&line, "glassbell: ");
    if (job->execution->config->count > 1) {
        gb_escape(&line, gb_bytes_str(job->source->name), 200);
        gb_buf_adds(&line, ": ");
    }
    gb_escape(&line, gb_bytes_str(message), 4096);
    gb_buf_adds(&line, detail);
    gb_buf_adds(&line, "\n");
    report_write(job, TO_STDERR, gb_buf_bytes(&line));
    gb_buf_release(&line);
}

void report_flush(struct job *job)
{
    while (job->records.size >= sizeof(struct record)) {
        struct record record;

        memcpy(&record, gb_buf_data(&job->records), sizeof(record));
        gb_buf_consume(&job->records, sizeof(record));
        report_write(job, record.target,
                     (struct gb_bytes){gb_buf_data(&job->records), record.size});
        gb_buf_consume(&job->records, record.size);
    }
}

/* ---- the end of a cell ---- */

static void report_truncated(struct job *job, const struct gb_cell_info *cell)
{
    const uint64_t dropped[] = {cell->dropped_stdout, cell->dropped_stderr};

    for (size_t i = 0; i < ARRAY_SIZE(dropped); i++) {
        char text[160];

        if (dropped[i] == 0)
            continue;
        (void)snprintf(text, sizeof(text), "%" PRIu64 " bytes of %s were left out%s", dropped[i],
                       i == 0 ? "standard output" : "standard error",
                       i == 0 ? "; --max-output raises the limit" : "");
        report_say(job, text, "");
    }
}

static void report_advice(void *arg, const char *sentence)
{
    report_say(arg, sentence, "");
}

static void report_outcome(struct job *job, const struct gb_cell_info *cell)
{
    struct outcome outcome = outcome_of(cell);

    report_truncated(job, cell);
    /* The VM ends with its program, so nobody gets to see a restarted interpreter. */
    outcome.flags &= ~(uint32_t)GB_CELL_STATE_LOST;
    outcome_advise(&outcome, report_advice, job);
    if (cell->note.size > 0 && cell_exit_status(cell) == EXIT_GLASSBELL) {
        _cleanup_(freep) char *text = xstrndup((const char *)cell->note.data, cell->note.size);

        report_say(job, text, "");
    }
    if (!job->execution->config->forward_stdin &&
        cell_wanted_input(cell, app_languages(job->execution->app)))
        report_say(job,
                   "the program wanted to read, and has no standard input; --stdin gives it ours",
                   "");
}

/* What a notebook shows of a cell besides its output. */
static void report_results(struct job *job, const struct gb_cell_info *cell)
{
    struct gb_display_info display;

    report_write(job, TO_STDOUT, cell->value);
    if (cell->value.size > 0)
        report_write(job, TO_STDOUT, gb_bytes_str("\n"));
    for (size_t at = 0; gb_items_next(&gb_display_object, &cell->displays, &at, &display) == 1;) {
        char text[160];

        (void)snprintf(text, sizeof(text), "cell %zu shows %.*s; --json has it", job->at + 1,
                       (int)MIN(display.mime.size, (size_t)64), (const char *)display.mime.data);
        report_say(job, text, "");
    }
}

/* For JSON: the cell, or a notebook's cells in an array, without a final one that says nothing. */
static void report_keep(struct job *job, const struct gb_cell_info *cell,
                        const struct gb_json *json)
{
    struct gb_json_out out = {.buf = &job->cell};

    if (job_is_notebook(job) && job->at == job->source->count && !cell_says_anything(cell))
        return;
    if (job_is_notebook(job))
        gb_buf_adds(&job->cell, job->cell.size == 0 ? "[" : ",\n");
    json_print(&out, NULL, json);
}

void report_cell(struct job *job, const struct gb_cell_info *cell, const struct gb_json *json)
{
    if (job->execution->config->json) {
        report_keep(job, cell, json);
        return;
    }
    if (job_is_notebook(job))
        report_results(job, cell);
    report_outcome(job, cell);
}

void report_error(struct job *job, const struct gb_call_error *error)
{
    const char *next = error->dispatched  ? "the code may have run; look before you run it again"
                       : error->retryable ? "nothing ran; the same command may work later"
                                          : "nothing ran";
    char detail[160];

    (void)snprintf(detail, sizeof(detail), " (%s: %s)", gb_code_kind(error->code), next);
    report_say(job, error->message, detail);
    if (job->execution->config->json) {
        struct gb_json_out out = {.buf = &job->cell};

        if (job_is_notebook(job))
            gb_buf_adds(&job->cell, job->cell.size == 0 ? "[" : ",\n");
        gb_json_object(&out, NULL);
        gb_json_object(&out, "error");
        gb_json_put_str(&out, "kind", error->kind);
        gb_json_put_str(&out, "message", error->message);
        gb_json_put_bool(&out, "dispatched", error->dispatched);
        gb_json_put_bool(&out, "retryable", error->retryable);
        gb_json_end(&out);
        gb_json_end(&out);
        if (job_is_notebook(job))
            gb_buf_adds(&job->cell, "]");
    }
}

void report_end_cells(struct job *job)
{
    if (job->execution->config->json && job_is_notebook(job))
        gb_buf_adds(&job->cell, job->cell.size == 0 ? "[]" : "]");
}

void report_json(struct execution *execution)
{
    const struct execute_config *config = execution->config;
    struct gb_buf text = {0};

    if (config->count > 1)
        gb_buf_adds(&text, "[");
    for (size_t i = 0; i < config->count; i++) {
        const struct gb_buf *cell = &execution->jobs[i].cell;

        if (i > 0)
            gb_buf_adds(&text, ",\n");
        if (cell->size > 0)
            gb_buf_add(&text, gb_buf_data(cell), cell->size);
        else
            gb_buf_adds(&text, "null");
    }
    gb_buf_adds(&text, config->count > 1 ? "]\n" : "\n");
    json_make_visible(&text, 0);
    output_write(execution->outputs[TO_STDOUT], gb_buf_bytes(&text));
    gb_buf_release(&text);
}
