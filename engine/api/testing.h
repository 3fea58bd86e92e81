/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the library share: a loop, a folder, engines and sessions, and waiting for the
 * one callback of each call. They use real VMs: the folder of images comes from $GLASSBELL_IMAGES,
 * and without one the tests fail. */
#pragma once

#include "glassbell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

static uv_loop_t uv;
static char folder[] = "/tmp/glassbell-api-test-XXXXXX";

/* What came of a call: at most one of the first two, the kind of an error, or `done` alone. */
struct outcome {
    struct glassbell *engine;
    struct glassbell_session *session;
    char kind[64], message[512];
    char out[256], note[512], refused[256];
    struct glassbell_rollback rollback; /* cell 0: none */
    bool timed_out, state_lost, is_dispatched;
    int done;
};

static inline void outcome_note(struct outcome *outcome, const struct glassbell_error *error)
{
    outcome->done++;
    if (error == NULL)
        return;
    outcome->is_dispatched = error->dispatched;
    (void)snprintf(outcome->kind, sizeof(outcome->kind), "%s", error->kind);
    (void)snprintf(outcome->message, sizeof(outcome->message), "%s", error->message);
}

static inline void outcome_wait(const struct outcome *outcome)
{
    while (outcome->done == 0)
        ck_assert(uv_run(&uv, UV_RUN_ONCE) != 0 || outcome->done > 0);
    ck_assert_int_eq(outcome->done, 1);
}

static inline void outcome_of_engine(void *arg, struct glassbell *engine,
                                     const struct glassbell_error *error)
{
    struct outcome *outcome = arg;

    outcome->engine = engine;
    outcome_note(outcome, error);
}

static inline void outcome_of_session(void *arg, struct glassbell_session *session,
                                      const struct glassbell_error *error)
{
    struct outcome *outcome = arg;

    outcome->session = session;
    outcome_note(outcome, error);
}

static inline void outcome_of_cell(void *arg, const struct glassbell_result *result,
                                   const struct glassbell_error *error)
{
    struct outcome *outcome = arg;

    ck_assert((result == NULL) != (error == NULL));
    if (result != NULL) {
        (void)snprintf(outcome->out, sizeof(outcome->out), "%.*s", (int)result->out.size,
                       result->out.data);
        (void)snprintf(outcome->note, sizeof(outcome->note), "%.*s", (int)result->note.size,
                       result->note.size > 0 ? result->note.data : "");
        if (result->network_refused[0] != NULL)
            (void)snprintf(outcome->refused, sizeof(outcome->refused), "%s",
                           result->network_refused[0]);
        if (result->rolled_back != NULL)
            outcome->rollback = *result->rolled_back;
        outcome->timed_out = result->timed_out;
        outcome->state_lost = result->state_lost;
    }
    outcome_note(outcome, error);
}

static inline void outcome_of_closing(void *arg)
{
    outcome_note(arg, NULL);
}

/* With settings, as text, and perhaps a folder for what is to outlive it. */
static inline struct outcome engine_open(const char *settings, const char *store)
{
    struct glassbell_options options = {.state = folder, .store = store};
    _cleanup_(freep) char *path = xasprintf("%s/a.conf", folder);
    struct outcome outcome = {0};

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(settings), 0600, NULL), 0);
    options.settings = path;
    glassbell_open(&uv, &options, outcome_of_engine, &outcome);
    ck_assert_int_eq(outcome.done, 0); /* never within the call */
    outcome_wait(&outcome);
    return outcome;
}

static inline void engine_close(struct glassbell *engine)
{
    struct outcome outcome = {0};

    glassbell_close(engine, outcome_of_closing, &outcome);
    outcome_wait(&outcome);
    /* Handles that are being closed, and nothing else. */
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_alive(&uv), 0);
}

static inline struct outcome session_try(struct glassbell *engine,
                                         const struct glassbell_session_options *options)
{
    struct outcome outcome = {0};

    glassbell_session_open(engine, options, outcome_of_session, &outcome);
    ck_assert_int_eq(outcome.done, 0);
    outcome_wait(&outcome);
    return outcome;
}

/* A shell, which starts fastest. */
static inline struct outcome session_try_shell(struct glassbell *engine)
{
    return session_try(engine, &(struct glassbell_session_options){.image = "shell"});
}

static inline struct glassbell_session *session_shell(struct glassbell *engine)
{
    const struct outcome outcome = session_try_shell(engine);

    ck_assert_msg(outcome.session != NULL, "%s", outcome.message);
    return outcome.session;
}

static inline struct outcome cell_run(struct glassbell_session *session, const char *code)
{
    struct outcome outcome = {0};

    glassbell_exec(session, &(struct glassbell_exec_options){.code = code}, outcome_of_cell,
                   &outcome);
    outcome_wait(&outcome);
    return outcome;
}

static inline void cell_expect(struct glassbell_session *session, const char *code, const char *out)
{
    const struct outcome outcome = cell_run(session, code);

    ck_assert_str_eq(outcome.message, "");
    ck_assert_str_eq(outcome.out, out);
}

/* ---- fixtures: the folder is one for all tests, with the template that the first one makes ----
 */

static inline void folder_make(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static inline void folder_remove(void)
{
    char *command = xasprintf("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
}

static inline void loop_make(void)
{
    ck_assert_int_eq(uv_loop_init(&uv), 0);
}

static inline void loop_close(void)
{
    char *command = xasprintf("rm -rf %s/store", folder);

    ck_assert_int_eq(uv_loop_close(&uv), 0);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
}

static inline TCase *case_make(const char *name)
{
    TCase *tests = tcase_create(name);

    tcase_add_unchecked_fixture(tests, folder_make, folder_remove);
    tcase_add_checked_fixture(tests, loop_make, loop_close);
    tcase_set_timeout(tests, 300);
    return tests;
}
