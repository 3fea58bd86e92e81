/* SPDX-License-Identifier: Apache-2.0 */
/* session.diff: how two moments differ, of one session or of two.
 *
 * Theory of operation. Each moment is looked at in a fork, which is bound to the client's
 * connection, so that the sessions themselves are not touched. The fork runs two cells, of which
 * nobody is told: the code by which its language lists variables, and compare_files_code. Then it
 * is closed, and the next one is made. The output of cells is read from the journal. A thread
 * parses and compares all of that (compare.h), and the client is answered.
 *
 * One thing is under way at a time: the job for a fork, which has the request then; a cell; a
 * reading of the journal; or the thread. When the request has gone, whatever is under way frees the
 * struct as it ends. From the last fork on, the end of that is delayed, so that the server waits.
 */
#include "server/checkpoint/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "journal/journal.h"
#include "loop/loop.h"
#include "rpc/object.h"
#include "server/checkpoint/compare.h"
#include "server/core/state.h"

enum {
    DIFFS_MAX = 2, /* at a time */
    DIFF_CELL_MS = 120000,
    DIFF_PRINTED_MAX = 8 << 20,        /* of one of the lists */
    DIFF_BYTES = 8 * DIFF_PRINTED_MAX, /* of four lists, in buffers that grow */
    DIFF_REASON_MAX = 200,             /* bytes of what a failed list printed to stderr */
    DIFF_NAME_MAX = 200,               /* of a name in a remark */
    DIFF_JOURNAL_BYTES = 64 << 20,
    DIFF_JOURNAL_CELLS = 100000,
};

static const char *const diff_ordinals[] = {"first", "second"};

struct diff_printed {
    struct gb_buf bytes;
    struct gb_buf why; /* the last line of stderr */
    bool good;         /* the code ended well */
    bool cut;          /* it had printed more */
};

struct diff_side {
    char *session, *name;
    struct job_target target;
    char *child, *language;
    char *origin; /* the session that its own was forked from; NULL: none */
    uint32_t origin_cell;
    uint64_t seq;
    uint32_t cell;
    bool has_variables;
    struct diff_printed printed[2]; /* variables, files */
    struct compare_list lists[2];   /* what they say */
    struct compare_cells cells;
};

struct diff {
    struct request *request; /* NULL: a job has it, or it has gone */
    struct gb_server *server;
    uint64_t wait_ms, begun_ns;
    struct diff_side sides[2];
    unsigned at;              /* the side that is looked at, or whose cells are read */
    unsigned part;            /* what of it: 0 variables, 1 files */
    struct gb_cell *printing; /* NULL: none runs */
    struct hosted *delayed;   /* NULL: none */
    struct gb_loan loan;      /* for the lists */
    uv_work_t work;
    struct compare_changes changes[2];
    bool is_comparable, has_cells, is_incomplete;
    char *remarks[GB_DIFF_REMARKS_MAX];
    size_t remark_count;
};

static void diff_close_child(struct diff *diff)
{
    const char *id = diff->sides[diff->at].child;
    struct hosted *child = id == NULL ? NULL : hosted_lookup(diff->server, gb_bytes_str(id));

    if (child != NULL && !child->closing)
        hosted_close(child, GB_END_CLOSED, "it has been compared");
}

static void diff_release_side(struct diff_side *side)
{
    for (size_t i = 0; i < ARRAY_SIZE(side->printed); i++) {
        gb_buf_release(&side->printed[i].bytes);
        gb_buf_release(&side->printed[i].why);
        compare_list_release(&side->lists[i]);
    }
    compare_cells_release(&side->cells);
    free(side->session);
    free(side->name);
    free(side->child);
    free(side->language);
    free(side->origin);
}

/* Nothing is under way. */
static void diff_free(void *arg)
{
    struct diff *diff = arg;
    struct hosted *delayed = TAKE_PTR(diff->delayed);

    diff_close_child(diff);
    checkpoint_of_server(diff->server)->diffs--;
    for (size_t i = 0; i < ARRAY_SIZE(diff->sides); i++) {
        diff_release_side(&diff->sides[i]);
        free(diff->changes[i].list);
    }
    for (size_t i = 0; i < diff->remark_count; i++)
        free(diff->remarks[i]);
    gb_loan_return(&diff->loan);
    free(diff);
    if (delayed != NULL)
        hosted_allow_end(delayed);
}

/* The same, with the reason for the client, if it is still there. */
static void diff_fail(struct diff *diff, const struct gb_err *err)
{
    struct gb_err told = *err;

    told.dispatched = false; /* of the session, nothing was */
    if (diff->request != NULL)
        request_fail(TAKE_PTR(diff->request), &told);
    diff_free(diff);
}

static void diff_abandon(struct request *request)
{
    struct diff *diff = request->arg;

    diff->request = NULL;
    diff_close_child(diff);
}

static void diff_remark(struct diff *diff, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void diff_remark(struct diff *diff, const char *format, ...)
{
    struct gb_buf text = {0};
    va_list args;

    diff->is_incomplete = true;
    if (diff->remark_count == GB_DIFF_REMARKS_MAX)
        return;
    va_start(args, format);
    gb_buf_vaddf(&text, format, args);
    va_end(args);
    diff->remarks[diff->remark_count++] = gb_buf_take_str(&text);
}

/* ---- the answer ---- */

/* Never a NULL pointer, which would be null. */
static struct gb_bytes diff_text(struct gb_bytes text, size_t most)
{
    return text.size == 0 ? gb_bytes_str("") : (struct gb_bytes){text.data, MIN(text.size, most)};
}

static struct gb_diff_value diff_value(const struct compare_thing *thing)
{
    static const struct compare_thing none;
    const struct compare_thing *value = thing == NULL ? &none : thing;

    return (struct gb_diff_value){.type = diff_text(value->type, SIZE_MAX),
                                  .repr = diff_text(value->text, COMPARE_TEXT_MAX)};
}

static uint8_t diff_change(const struct compare_change *change)
{
    return change->before == NULL ? GB_ADDED : change->after == NULL ? GB_REMOVED : GB_CHANGED;
}

static bool diff_next_variable(const void *owner, size_t *at, void *ret_item)
{
    const struct compare_changes *changes = owner;
    const struct compare_change *change = &changes->list[*at];

    if (*at >= changes->count)
        return false;
    *(struct gb_diff_variable *)ret_item = (struct gb_diff_variable){
        .name = (change->before != NULL ? change->before : change->after)->name,
        .change = diff_change(change),
        .before = diff_value(change->before),
        .after = diff_value(change->after),
        .flags = (change->before != NULL ? GB_DIFF_HAS_BEFORE : 0u) |
                 (change->after != NULL ? GB_DIFF_HAS_AFTER : 0u),
    };
    ++*at;
    return true;
}

static bool diff_next_file(const void *owner, size_t *at, void *ret_item)
{
    const struct compare_changes *changes = owner;
    const struct compare_change *change = &changes->list[*at];

    if (*at >= changes->count)
        return false;
    *(struct gb_diff_file *)ret_item = (struct gb_diff_file){
        .path = (change->before != NULL ? change->before : change->after)->name,
        .change = diff_change(change),
    };
    ++*at;
    return true;
}

/* @at: how many have been told of both together; they are told from the start each time, as there
 * are few. */
static bool diff_next_cell(const void *owner, size_t *at, void *ret_item)
{
    const struct diff *diff = owner;
    const struct compare_cells *a = &diff->sides[0].cells, *b = &diff->sides[1].cells;
    size_t a_left = a->count, b_left = b->count;

    for (size_t i = 0; i <= *at; i++)
        if (!compare_cells_next(a, b, &a_left, &b_left, ret_item))
            return false;
    ++*at;
    return true;
}

static struct gb_diff_moment diff_moment(const struct diff_side *side)
{
    return (struct gb_diff_moment){.session = gb_bytes_str(side->session),
                                   .language = gb_bytes_str(side->language),
                                   .seq = side->seq,
                                   .cell = side->cell};
}

static void diff_tell(struct diff *diff)
{
    const struct gb_diff_info info = {
        .before = diff_moment(&diff->sides[0]),
        .after = diff_moment(&diff->sides[1]),
        .variables = {.next = diff_next_variable, .owner = &diff->changes[0]},
        .files = {.next = diff_next_file, .owner = &diff->changes[1]},
        .cells = {.next = diff_next_cell, .owner = diff},
        .remarks = {.list = (const char *const *)diff->remarks, .count = diff->remark_count},
        .took_us = (gb_clock_mono_ns() - diff->begun_ns) / 1000,
        .flags = (diff->is_incomplete ? 0u : GB_DIFF_COMPLETE) |
                 (diff->changes[0].list != NULL ? GB_DIFF_HAS_VARIABLES : 0u) |
                 (diff->changes[1].list != NULL ? GB_DIFF_HAS_FILES : 0u) |
                 (diff->has_cells ? GB_DIFF_HAS_CELLS : 0u),
    };
    struct reply reply;

    reply_begin(&reply, TAKE_PTR(diff->request));
    gb_object_write(&reply.out, &gb_diff_object, &info);
    reply_end(&reply);
    diff_free(diff);
}

/* ---- comparing ---- */

static void diff_on_thread(uv_work_t *work)
{
    struct diff *diff = work->data;

    for (size_t i = 0; i < ARRAY_SIZE(diff->sides); i++) {
        struct diff_side *side = &diff->sides[i];
        struct diff_printed *variables = &side->printed[0], *files = &side->printed[1];

        if (diff->is_comparable)
            compare_read_variables(&side->lists[0], &variables->bytes, variables->good,
                                   variables->cut);
        compare_read_files(&side->lists[1], &files->bytes, files->good, files->cut);
    }
    for (size_t i = 0; i < ARRAY_SIZE(diff->changes); i++)
        if (diff->sides[0].lists[i].good && diff->sides[1].lists[i].good)
            compare_lists(&diff->sides[0].lists[i], &diff->sides[1].lists[i], &diff->changes[i]);
}

/* What is left out of the comparison of variables, or of files. */
static void diff_remark_list(struct diff *diff, size_t part, const char *title)
{
    const struct compare_changes *changes = &diff->changes[part];

    for (size_t i = 0; i < ARRAY_SIZE(diff->sides); i++) {
        struct gb_buf *why = &diff->sides[i].printed[part].why;

        if (!diff->sides[i].lists[part].good)
            diff_remark(diff, "the %s of the %s moment could not be listed%s%s", title,
                        diff_ordinals[i], why->size > 0 ? ": " : "", gb_buf_str(why));
    }
    if (changes->known.data != NULL)
        diff_remark(diff, "there are more %s than can be compared: those after %.*s are left out",
                    title, (int)MIN(changes->known.size, (size_t)DIFF_NAME_MAX),
                    (const char *)changes->known.data);
    if (changes->many)
        diff_remark(diff, "the %s differ in more than can be told: only the first %zu are there",
                    title, changes->count);
}

static void diff_after_thread(uv_work_t *work, int status)
{
    struct diff *diff = work->data;

    (void)status; /* it is never cancelled */
    if (diff->request == NULL) {
        diff_free(diff);
        return;
    }
    if (diff->is_comparable)
        diff_remark_list(diff, 0, "variables");
    else
        diff_remark(diff, "variables are not compared: %s and %s", diff->sides[0].language,
                    diff->sides[1].language);
    diff_remark_list(diff, 1, "files");
    diff_tell(diff);
}

static void diff_compare(struct diff *diff)
{
    const struct diff_side *a = &diff->sides[0], *b = &diff->sides[1];
    struct gb_err err = {0};

    diff->is_comparable =
        a->has_variables && b->has_variables && strcmp(a->language, b->language) == 0;
    diff->work.data = diff;
    if (uv_queue_work(gb_loop_uv(diff->server->loop), &diff->work, diff_on_thread,
                      diff_after_thread) < 0) {
        (void)gb_err_set(&err, GB_EINTERNAL, "cannot start a thread to compare");
        diff_fail(diff, &err);
    }
}

/* ---- the output of cells ---- */

static void diff_read_cells(struct diff *diff);

static enum gb_journal_verdict diff_on_record(void *arg, const struct gb_cell_info *record)
{
    struct diff *diff = arg;
    struct compare_cells *cells = &diff->sides[diff->at].cells;

    if (record->number > cells->list[0].number)
        return GB_JOURNAL_BEFORE;
    compare_cells_take(cells, record);
    return GB_JOURNAL_NEXT;
}

static void diff_on_cells_read(void *arg, uint32_t last, bool more, const struct gb_err *err)
{
    struct diff *diff = arg;
    const struct compare_cells *cells = &diff->sides[diff->at].cells;

    if (diff->request == NULL) {
        diff_free(diff);
        return;
    }
    if (err != NULL) {
        diff_remark(diff, "output is not compared: %s", err->message);
        diff->has_cells = false;
    } else if (more && last < cells->list[0].number) {
        diff_remark(diff, "of the %s moment, the output of cells after %u is left out",
                    diff_ordinals[diff->at], last);
    }
    diff->at++;
    diff_read_cells(diff);
}

/* Of the side at which it is, and the following ones. */
static void diff_read_cells(struct diff *diff)
{
    struct gb_err err = {0};

    for (; diff->has_cells && diff->at < ARRAY_SIZE(diff->sides); diff->at++) {
        const struct diff_side *side = &diff->sides[diff->at];
        const struct compare_cells *cells = &side->cells;
        const struct gb_journal_query query = {
            .after = cells->count == 0 ? 0 : cells->list[cells->count - 1].number - 1,
            .limit = DIFF_JOURNAL_CELLS,
            .bytes = DIFF_JOURNAL_BYTES,
            .each = diff_on_record,
            .done = diff_on_cells_read,
            .arg = diff,
        };

        if (cells->cut)
            diff_remark(diff, "of the %s moment, only the output of the last %d cells is compared",
                        diff_ordinals[diff->at], COMPARE_CELLS_MAX);
        if (cells->count == 0)
            continue;
        if (part_read_cells(diff->server, gb_bytes_str(side->session), &query, &err) == 0)
            return;
        diff_remark(diff, "output is not compared: %s", err.message);
        diff->has_cells = false;
    }
    diff->at = ARRAY_SIZE(diff->sides) - 1;
    diff_compare(diff);
}

/* Drops the cells that led to both moments. */
static void diff_begin_cells(struct diff *diff)
{
    struct diff_side *a = &diff->sides[0], *b = &diff->sides[1];

    if (strcmp(a->session, b->session) == 0)
        compare_cells_drop_common(&a->cells, &b->cells);
    if (a->origin != NULL && strcmp(a->origin, b->session) == 0)
        compare_cells_drop_until(&b->cells, a->origin_cell);
    if (b->origin != NULL && strcmp(b->origin, a->session) == 0)
        compare_cells_drop_until(&a->cells, b->origin_cell);
    diff->has_cells = true;
    diff->at = 0;
    diff_read_cells(diff);
}

/* ---- looking at a moment ---- */

static void diff_fork(struct diff *diff, struct request *request);
static void diff_print(struct diff *diff, struct hosted *child);

/* All has been taken out of the fork. */
static void diff_end_side(struct diff *diff, struct hosted *child)
{
    if (diff->at == 0) {
        diff_close_child(diff);
        diff->at = 1;
        diff_fork(diff, TAKE_PTR(diff->request));
        return;
    }
    diff->delayed = child;
    hosted_delay_end(child);
    diff_close_child(diff);
    diff_begin_cells(diff);
}

static void diff_take_printed(struct diff_printed *printed, struct gb_cell *cell)
{
    struct gb_bytes rest = gb_buf_bytes(&cell->error), line, why = {0};

    printed->good = !gb_cell_failed(cell->flags, cell->exit_code, cell->signal > 0);
    printed->cut = cell->dropped_stdout > 0;
    gb_cell_take_out(cell, &printed->bytes);
    while (gb_bytes_line(&rest, &line))
        if (line.size > 0)
            why = line;
    if (why.size > 0)
        gb_buf_add(&printed->why, why.data, MIN(why.size, (size_t)DIFF_REASON_MAX));
}

static void diff_on_printed(void *arg, const struct gb_cell *cell, const struct gb_err *err)
{
    struct diff *diff = arg;
    struct diff_side *side = &diff->sides[diff->at];
    struct gb_err problem = {0};
    struct hosted *child = NULL;

    (void)cell; /* it is the one that is printing */
    if (err == NULL && diff->request != NULL)
        diff_take_printed(&side->printed[diff->part], diff->printing);
    gb_cell_unref(TAKE_PTR(diff->printing));
    if (err == NULL && diff->request != NULL)
        child = hosted_find(diff->server, gb_bytes_str(side->child), &problem);
    if (child == NULL) {
        diff_fail(diff, err != NULL ? err : &problem);
        return;
    }
    if (diff->part++ == 0)
        diff_print(diff, child);
    else
        diff_end_side(diff, child);
}

/* Lists what is to be listed next. */
static void diff_print(struct diff *diff, struct hosted *child)
{
    static const struct gb_cell_events events = {.done = diff_on_printed};
    const struct gb_language *language = gb_session_image(child->session)->record;
    struct diff_side *side = &diff->sides[diff->at];
    struct gb_cell_config config = {
        .timeout_ms = DIFF_CELL_MS, .max_stdout = DIFF_PRINTED_MAX, .keeps_loss = true};
    struct gb_err err = {0};

    side->has_variables = language->inspect.variables[0] != '\0';
    if (diff->part == 0 && !side->has_variables)
        diff->part = 1;
    config.mode = diff->part == 0 ? GB_MODE_KERNEL : GB_MODE_SHELL;
    config.code = gb_bytes_str(diff->part == 0 ? language->inspect.variables : compare_files_code);
    if (gb_session_exec(child->session, &config, &events, diff, &diff->printing, &err) < 0)
        diff_fail(diff, &err);
}

/* The cells that led to this moment of @hosted. */
static void diff_find_cells(struct compare_cells *cells, struct hosted *hosted,
                            const struct gb_past_moment *moment)
{
    const struct gb_lives *lives = &checkpoint_of(hosted)->lives;
    const uint32_t first = hosted->origin.session == NULL ? 1 : hosted->origin.cell + 1;
    uint64_t epoch = moment->epoch;
    uint32_t cell = moment->cell;

    (void)gb_lives_before(lives, true, &epoch, &cell);
    while (cell >= first) {
        if (!compare_cells_add(cells, cell)) {
            cells->cut = true;
            return;
        }
        if (!gb_lives_before(lives, false, &epoch, &cell))
            return;
    }
}

static void diff_take(void *arg, struct request *request, struct hosted *child,
                      const struct gb_past_moment *moment, const struct gb_err *err)
{
    struct diff *diff = arg;
    struct diff_side *side = &diff->sides[diff->at];
    struct hosted *hosted = hosted_lookup(diff->server, gb_bytes_str(side->session));

    diff->request = request;
    request->arg = diff;
    request->abandon = diff_abandon;
    if (child == NULL) {
        diff_fail(diff, err);
        return;
    }
    side->child = xstrdup(gb_session_id(child->session));
    side->language = xstrdup(gb_session_image(child->session)->language);
    side->seq = moment->seq;
    side->cell = moment->cell;
    if (hosted != NULL && hosted->origin.session != NULL) {
        side->origin = xstrdup(hosted->origin.session);
        side->origin_cell = hosted->origin.cell;
    }
    if (hosted != NULL)
        diff_find_cells(&side->cells, hosted, moment);
    diff->part = 0;
    diff_print(diff, child);
}

/* Of the side at which it is. Takes the request; may free @diff. */
static void diff_fork(struct diff *diff, struct request *request)
{
    struct diff_side *side = &diff->sides[diff->at];
    struct gb_err err = {0};
    struct hosted *hosted = hosted_find(diff->server, gb_bytes_str(side->session), &err);
    struct job *job;

    if (hosted == NULL) {
        diff->request = request;
        diff_fail(diff, &err);
        return;
    }
    job = checkpoint_new_job(request, hosted, gb_bytes_str(side->name));
    job->kind = JOB_FORK;
    job->target = side->target;
    job->target.name = job->name;
    job->fork = (struct job_fork){.count = 1,
                                  .wait_ms = diff->wait_ms,
                                  .bound = true,
                                  .alone = true,
                                  .label = xstrdup("diff"),
                                  .taker = {diff_take, diff_free, diff}};
    job_add(job, diff->wait_ms);
}

/* ---- the beginning ---- */

static void diff_set_side(struct diff_side *side, struct gb_bytes session, int64_t cell,
                          int64_t seq, struct gb_bytes name)
{
    side->session = xstrndup((const char *)session.data, session.size);
    side->name = name.data == NULL ? NULL : xstrndup((const char *)name.data, name.size);
    side->target = (struct job_target){.seq = (uint64_t)seq, .cell = cell};
}

static int diff_count_targets(int64_t cell, int64_t seq, struct gb_bytes name)
{
    return (cell >= 0) + (seq != 0) + (name.data != NULL);
}

/* Whether the checkpoint of the present, which is taken for the first moment, may be the second. */
static bool diff_is_taken_first(const struct diff *diff, struct hosted *hosted)
{
    const struct diff_side *a = &diff->sides[0], *b = &diff->sides[1];
    const struct gb_past *past = checkpoint_of(hosted)->past;
    const struct gb_past_moment *here =
        past == NULL ? NULL : gb_past_find(past, gb_past_here(past));

    return diff_count_targets(a->target.cell, (int64_t)a->target.seq, gb_bytes_str(a->name)) == 0 &&
           strcmp(a->session, b->session) == 0 &&
           b->target.cell >= (here == NULL ? 0 : here->cell) &&
           b->target.cell <= (int64_t)gb_session_cells(hosted->session);
}

/* What the second moment of @hosted needs is there, or may be when it is looked at. */
static int diff_check_second(const struct diff *diff, struct hosted *hosted, struct gb_err *err)
{
    const struct checkpoint_session *state = checkpoint_of(hosted);
    const struct diff_side *side = &diff->sides[1];
    struct job_target target = side->target;
    int r;

    target.name = side->name;
    if (diff_count_targets(target.cell, (int64_t)target.seq, gb_bytes_str(target.name)) == 0 ||
        !hosted->opened || state->job != NULL || !gb_list_empty(&state->waiting) ||
        diff_is_taken_first(diff, hosted))
        return 0;
    /* What is there can be looked at, also where no more can be kept. */
    r = state->past != NULL ? 0 : checkpoint_make_past(hosted, err);
    return r == 0 && target_find(state->past, &target, err) == 0 ? -GB_EGONE : r;
}

/* Before anything is done for it. */
static int diff_check(struct diff *diff, struct hosted *second, struct gb_err *err)
{
    struct gb_admission *admission = diff->server->capacity->admission;
    int r = diff_check_second(diff, second, err);

    if (r == 0 && gb_admission_room(admission) < DIFF_BYTES)
        r = gb_err_set(err, GB_ECAPACITY,
                       "a comparison may take %d MB of memory, which the host cannot spare now",
                       DIFF_BYTES >> 20);
    if (r == 0)
        gb_loan_take(&diff->loan, admission, DIFF_BYTES);
    return r;
}

void diff_handle(struct request *request, const struct gb_params *params)
{
    struct gb_server *server = request->connection->server;
    const int first = diff_count_targets(params->cell, params->seq, params->name);
    const int second = diff_count_targets(params->to_cell, params->to_seq, params->to_name);
    struct gb_params other = *params;
    struct gb_err err = {0};
    struct hosted *hosted;
    struct diff *diff;

    if (params->to.data != NULL)
        other.session = params->to;
    if (first > 1 || second > 1)
        (void)gb_err_set(&err, GB_EINVALID, "give one of `cell`, `seq` and `name`, or none");
    else if (checkpoint_of_server(server)->diffs >= DIFFS_MAX)
        (void)gb_err_set(&err, GB_EBUSY, "%d other comparisons are under way", DIFFS_MAX);
    if (err.code != GB_OK) {
        request_fail(request, &err);
        return;
    }
    if (checkpoint_find(request, params, first == 0) == NULL ||
        (hosted = checkpoint_find(request, &other, second == 0)) == NULL)
        return;
    diff = xcalloc(1, sizeof(*diff));
    checkpoint_of_server(server)->diffs++;
    diff->server = server;
    diff->wait_ms = (uint64_t)params->wait_ms;
    diff->begun_ns = gb_clock_mono_ns();
    diff_set_side(&diff->sides[0], params->session, params->cell, params->seq, params->name);
    diff_set_side(&diff->sides[1], other.session, params->to_cell, params->to_seq, params->to_name);
    if (diff_check(diff, hosted, &err) < 0) {
        target_refuse(request, checkpoint_of(hosted)->past, &diff->sides[1].target, &err);
        diff_free(diff);
        return;
    }
    diff_fork(diff, request);
}
