/* SPDX-License-Identifier: Apache-2.0 */
/* The past of sessions, and what outlives an engine. */
#include "testing.h"

enum { FORKS = 3 };

/* Checkpoints are taken when a test says so. */
static const char *const asked = "[past]\ncheckpoints = asked\n";

static struct glassbell *open_with_store(void)
{
    _cleanup_(freep) char *store = xasprintf("%s/store", folder);
    const struct outcome outcome = engine_open(asked, store);

    ck_assert_msg(outcome.engine != NULL, "%s", outcome.message);
    return outcome.engine;
}

/* ---- one of each call, awaited ---- */

struct moved {
    struct outcome outcome;
    struct glassbell_kept kept;
    struct glassbell_rewound rewound;
    struct glassbell_slept slept;
};

static void on_kept(void *arg, const struct glassbell_kept *kept,
                    const struct glassbell_error *error)
{
    struct moved *moved = arg;

    if (kept != NULL)
        moved->kept = *kept;
    outcome_note(&moved->outcome, error);
}

static void on_rewound(void *arg, const struct glassbell_rewound *rewound,
                       const struct glassbell_error *error)
{
    struct moved *moved = arg;

    if (rewound != NULL)
        moved->rewound = *rewound;
    outcome_note(&moved->outcome, error);
}

static void on_slept(void *arg, const struct glassbell_slept *slept,
                     const struct glassbell_error *error)
{
    struct moved *moved = arg;

    if (slept != NULL)
        moved->slept = *slept;
    outcome_note(&moved->outcome, error);
}

static uint64_t keep(struct glassbell_session *session, const char *name)
{
    struct moved moved = {0};

    glassbell_session_checkpoint(session, name, on_kept, &moved);
    outcome_wait(&moved.outcome);
    ck_assert_str_eq(moved.outcome.message, "");
    ck_assert_uint_gt(moved.kept.seq, 0);
    return moved.kept.seq;
}

static struct moved rewind_to(struct glassbell_session *session,
                              const struct glassbell_moment moment)
{
    struct moved moved = {0};

    glassbell_session_rewind(session, &moment, NULL, on_rewound, &moved);
    outcome_wait(&moved.outcome);
    return moved;
}

typedef void step_fn(struct glassbell_session *session, glassbell_rewound_fn *done, void *arg);

static struct glassbell_rewound step(struct glassbell_session *session, step_fn *take)
{
    struct moved moved = {0};

    take(session, on_rewound, &moved);
    outcome_wait(&moved.outcome);
    ck_assert_str_eq(moved.outcome.message, "");
    return moved.rewound;
}

/* The checkpoints, copied. */
struct list {
    struct outcome outcome;
    struct glassbell_checkpoint rows[16];
    char names[16][16];
    size_t count;
    uint64_t epoch;
};

static void on_list(void *arg, const struct glassbell_past *past,
                    const struct glassbell_error *error)
{
    struct list *list = arg;

    for (size_t i = 0; past != NULL && i < past->count && i < ARRAY_SIZE(list->rows); i++) {
        list->rows[list->count++] = past->checkpoints[i];
        if (past->checkpoints[i].name != NULL)
            (void)snprintf(list->names[i], sizeof(list->names[i]), "%s", past->checkpoints[i].name);
    }
    if (past != NULL)
        list->epoch = past->epoch;
    outcome_note(&list->outcome, error);
}

static struct list list_of(struct glassbell_session *session)
{
    struct list list = {0};

    glassbell_session_checkpoints(session, on_list, &list);
    outcome_wait(&list.outcome);
    ck_assert_str_eq(list.outcome.message, "");
    return list;
}

/* ---- tests ---- */

START_TEST(rewinds_undoes_and_redoes)
{
    struct glassbell *engine = open_with_store();
    struct glassbell_session *session = session_shell(engine);
    struct moved moved;
    struct list list;
    uint64_t one;

    cell_expect(session, "a=1; echo one > f", "");
    one = keep(session, "one");
    cell_expect(session, "a=2; echo two > f", "");
    moved = rewind_to(session, (struct glassbell_moment){GLASSBELL_AT_NAME, .name = "one"});
    ck_assert_str_eq(moved.outcome.message, "");
    ck_assert_uint_eq(moved.rewound.seq, one);
    ck_assert_uint_eq(moved.rewound.cell, 1);
    ck_assert_uint_eq(moved.rewound.from_cell, 2);
    ck_assert_uint_eq(moved.rewound.epoch, 2);
    ck_assert_uint_eq(step(session, glassbell_session_redo).cell, 2);
    cell_expect(session, "echo $a; cat f", "2\ntwo\n");
    ck_assert_uint_eq(step(session, glassbell_session_undo).cell, 2);
    moved = rewind_to(session, (struct glassbell_moment){GLASSBELL_AFTER_CELL, .number = 1});
    ck_assert_uint_eq(moved.rewound.seq, one);
    cell_expect(session, "echo $a; cat f", "1\none\n");

    list = list_of(session);
    ck_assert_uint_ge(list.count, 2);
    ck_assert_uint_eq(list.rows[0].seq, one);
    ck_assert_str_eq(list.names[0], "one");
    ck_assert_uint_eq(list.rows[0].cell, 1);
    ck_assert_uint_eq(list.rows[0].parent, 0);
    ck_assert(list.rows[0].here && list.rows[0].size > 0 && list.rows[0].at > 1e9);
    ck_assert(!list.rows[1].here);
    ck_assert_uint_eq(list.epoch, 5);
    engine_close(engine);
}
END_TEST

START_TEST(says_which_moments_there_are_not)
{
    const struct glassbell_moment wrong[] = {
        {GLASSBELL_AT_CHECKPOINT, .number = 999},
        {GLASSBELL_AT_NAME, .name = "never"},
        {GLASSBELL_AFTER_CELL, .number = 77},
        {GLASSBELL_AT_NAME, .number = 0},
        {GLASSBELL_NOW, .number = 0},
        {(enum glassbell_moment_kind)9, .number = 0},
    };
    const char *const kinds[] = {"gone",          "gone",          "gone",
                                 "invalid_input", "invalid_input", "invalid_input"};
    struct glassbell *engine = open_with_store();
    struct glassbell_session *session = session_shell(engine);
    struct moved moved;

    cell_expect(session, "a=1", "");
    (void)keep(session, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        moved = rewind_to(session, wrong[i]);
        ck_assert_str_eq(moved.outcome.kind, kinds[i]);
        ck_assert(!moved.outcome.is_dispatched);
    }
    engine_close(engine);

    /* And where there is no past. */
    engine = engine_open(asked, NULL).engine;
    session = session_shell(engine);
    moved = (struct moved){0};
    glassbell_session_checkpoint(session, NULL, on_kept, &moved);
    outcome_wait(&moved.outcome);
    ck_assert_str_eq(moved.outcome.kind, "no_past");
    engine_close(engine);
}
END_TEST

struct family {
    struct outcome outcome;
    struct glassbell_session *children[FORKS];
    size_t count;
};

static void on_forked(void *arg, const struct glassbell_fork *forks, size_t count,
                      const struct glassbell_error *error)
{
    struct family *family = arg;

    for (size_t i = 0; i < count; i++) {
        ck_assert_msg(forks[i].error == NULL, "%s",
                      forks[i].error != NULL ? forks[i].error->message : "");
        family->children[family->count++] = forks[i].session;
    }
    outcome_note(&family->outcome, error);
}

START_TEST(forks_have_the_value_and_go_their_ways)
{
    struct glassbell *engine = open_with_store();
    struct glassbell_session *session = session_shell(engine);
    struct glassbell_fork_options options = {.count = FORKS};
    struct family family = {0};

    cell_expect(session, "a=1", "");
    options.from =
        (struct glassbell_moment){GLASSBELL_AT_CHECKPOINT, .number = keep(session, NULL)};
    cell_expect(session, "a=2", "");
    glassbell_session_fork(session, &options, on_forked, &family);
    outcome_wait(&family.outcome);
    ck_assert_str_eq(family.outcome.message, "");
    ck_assert_uint_eq(family.count, FORKS);
    for (int i = 0; i < FORKS; i++) {
        ck_assert_str_eq(glassbell_session_source(family.children[i]), "fork");
        ck_assert_str_ne(glassbell_session_id(family.children[i]), glassbell_session_id(session));
        cell_expect(family.children[i], "echo $a; a=3", "1\n");
    }
    cell_expect(session, "echo $a", "2\n");
    glassbell_session_close(session);
    cell_expect(family.children[0], "echo $a", "3\n");

    session = family.children[0];
    family = (struct family){0};
    options = (struct glassbell_fork_options){.count = 65};
    glassbell_session_fork(session, &options, on_forked, &family);
    outcome_wait(&family.outcome);
    ck_assert_str_eq(family.outcome.kind, "invalid_input");
    engine_close(engine);
}
END_TEST

START_TEST(sleeps_and_wakes)
{
    struct glassbell *engine = open_with_store();
    struct glassbell_session *session = session_shell(engine);
    struct moved moved = {0};

    cell_expect(session, "a=1", "");
    glassbell_session_sleep(session, on_slept, &moved);
    outcome_wait(&moved.outcome);
    ck_assert_str_eq(moved.outcome.message, "");
    ck_assert_uint_eq(moved.slept.cell, 1);
    ck_assert_uint_gt(moved.slept.size, 0);
    moved = (struct moved){0};
    glassbell_session_wake(session, on_slept, &moved);
    outcome_wait(&moved.outcome);
    ck_assert_str_eq(moved.outcome.message, "");
    cell_expect(session, "echo $a; a=2", "1\n");

    /* It also wakes because it is used. */
    moved = (struct moved){0};
    glassbell_session_sleep(session, on_slept, &moved);
    outcome_wait(&moved.outcome);
    cell_expect(session, "echo $a", "2\n");
    engine_close(engine);
}
END_TEST

/* A cell that does not end when it is told to costs no state. */
START_TEST(rolls_back_what_had_to_be_killed)
{
    const struct glassbell_exec_options stuck = {.code = "trap '' INT; a=2; while :; do :; done",
                                                 .timeout_ms = 300};
    struct glassbell *engine = open_with_store();
    struct glassbell_session *session = session_shell(engine);
    struct glassbell_exec_options lost = stuck;
    struct outcome outcome = {0};

    cell_expect(session, "a=1", "");
    (void)keep(session, NULL);
    glassbell_exec(session, &stuck, outcome_of_cell, &outcome);
    outcome_wait(&outcome);
    ck_assert(outcome.timed_out && !outcome.state_lost);
    ck_assert_uint_gt(outcome.rollback.checkpoint, 0);
    ck_assert_uint_eq(outcome.rollback.cell, 1);
    ck_assert_uint_eq(outcome.rollback.lost, 0);
    cell_expect(session, "echo $a", "1\n");

    lost.no_rollback = true;
    outcome = (struct outcome){0};
    glassbell_exec(session, &lost, outcome_of_cell, &outcome);
    outcome_wait(&outcome);
    ck_assert(outcome.timed_out && outcome.state_lost);
    ck_assert_uint_eq(outcome.rollback.checkpoint, 0);
    cell_expect(session, "echo $a", "\n");
    engine_close(engine);
}
END_TEST

START_TEST(keeps_sessions_with_a_key)
{
    const struct glassbell_session_options options = {.image = "shell", .key = "work"};
    struct glassbell *engine = open_with_store();
    struct glassbell_session *session = session_try(engine, &options).session, *other;
    _cleanup_(freep) char *store = xasprintf("%s/store", folder), *id = NULL;
    struct outcome outcome;

    ck_assert_ptr_nonnull(session);
    cell_expect(session, "a=1", "");
    (void)keep(session, NULL);
    other = session_shell(engine);
    cell_expect(other, "b=1", "");
    (void)keep(other, NULL);
    id = xstrdup(glassbell_session_id(other));

    outcome = engine_open(asked, store);
    ck_assert_ptr_null(outcome.engine);
    ck_assert_str_eq(outcome.kind, "busy");
    engine_close(engine);

    engine = open_with_store();
    session = session_try(engine, &options).session;
    ck_assert_ptr_nonnull(session);
    cell_expect(session, "echo $a", "1\n");
    outcome = (struct outcome){0};
    glassbell_session_attach(engine, id, NULL, outcome_of_session, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.kind, "session_closed");

    /* The same session, twice. */
    outcome = (struct outcome){0};
    glassbell_session_attach(engine, glassbell_session_id(session), NULL, outcome_of_session,
                             &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.message, "");
    cell_expect(outcome.session, "echo $a", "1\n");
    glassbell_session_close(session);
    engine_close(engine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("time_travel");
    TCase *tests = case_make("time_travel");

    tcase_add_test(tests, rewinds_undoes_and_redoes);
    tcase_add_test(tests, says_which_moments_there_are_not);
    tcase_add_test(tests, forks_have_the_value_and_go_their_ways);
    tcase_add_test(tests, sleeps_and_wakes);
    tcase_add_test(tests, rolls_back_what_had_to_be_killed);
    tcase_add_test(tests, keeps_sessions_with_a_key);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
