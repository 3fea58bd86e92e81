/* SPDX-License-Identifier: Apache-2.0 */
/* The library with real VMs: the folder of images comes from $GLASSBELL_IMAGES, and without one the
 * tests fail. */
#include "glassbell.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

enum { OPENS_MAX = 50 };

static uv_loop_t uv;
static char folder[] = "/tmp/glassbell-api-test-XXXXXX";

/* What came of a call: at most one of the first two, the kind of an error, or `done` alone. */
struct outcome {
    struct glassbell *engine;
    struct glassbell_session *session;
    char kind[64], message[512];
    char out[256];
    int done;
};

static void note(struct outcome *outcome, const struct glassbell_error *error)
{
    outcome->done++;
    if (error == NULL)
        return;
    (void)snprintf(outcome->kind, sizeof(outcome->kind), "%s", error->kind);
    (void)snprintf(outcome->message, sizeof(outcome->message), "%s", error->message);
}

static void wait_for(const struct outcome *outcome)
{
    while (outcome->done == 0)
        ck_assert(uv_run(&uv, UV_RUN_ONCE) != 0 || outcome->done > 0);
    ck_assert_int_eq(outcome->done, 1);
}

static void on_engine(void *arg, struct glassbell *engine, const struct glassbell_error *error)
{
    struct outcome *outcome = arg;

    outcome->engine = engine;
    note(outcome, error);
}

static void on_session(void *arg, struct glassbell_session *session,
                       const struct glassbell_error *error)
{
    struct outcome *outcome = arg;

    outcome->session = session;
    note(outcome, error);
}

static void on_result(void *arg, const struct glassbell_result *result,
                      const struct glassbell_error *error)
{
    struct outcome *outcome = arg;

    if (result != NULL)
        (void)snprintf(outcome->out, sizeof(outcome->out), "%.*s", (int)result->out.size,
                       result->out.data);
    note(outcome, error);
}

static void on_engine_closed(void *arg)
{
    note(arg, NULL);
}

static struct outcome open_engine(const char *settings)
{
    struct glassbell_options options = {.state = folder};
    _cleanup_(freep) char *path = xasprintf("%s/a.conf", folder);
    struct outcome outcome = {0};

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(settings), 0600, NULL), 0);
    options.settings = path;
    glassbell_open(&uv, &options, on_engine, &outcome);
    ck_assert_int_eq(outcome.done, 0); /* never within the call */
    wait_for(&outcome);
    return outcome;
}

static void close_engine(struct glassbell *engine)
{
    struct outcome outcome = {0};

    glassbell_close(engine, on_engine_closed, &outcome);
    wait_for(&outcome);
    /* Handles that are being closed, and nothing else. */
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_alive(&uv), 0);
}

static struct outcome open_shell(struct glassbell *engine)
{
    const struct glassbell_session_options options = {.image = "shell"};
    struct outcome outcome = {0};

    glassbell_session_open(engine, &options, on_session, &outcome);
    wait_for(&outcome);
    return outcome;
}

static void expect_output(struct glassbell_session *session, const char *code, const char *out)
{
    struct outcome outcome = {0};

    glassbell_exec(session, &(struct glassbell_exec_options){.code = code}, on_result, &outcome);
    wait_for(&outcome);
    ck_assert_str_eq(outcome.kind, "");
    ck_assert_str_eq(outcome.out, out);
}

/* A file in the session, and the end of it. */
static void expect_programs(struct glassbell_session *session)
{
    const char *const words[] = {"x", "y z", NULL};
    const struct glassbell_exec_options options[] = {
        {.code = "echo \"$0|$1|$2\"", .file = "deep/s.sh", .args = words},
        {.file = "deep/s.sh"},
        {.code = "echo \"$0|$1\"", .args = words},
        {.code = "trap 'echo bye' EXIT", .final = true},
    };
    const char *const out[] = {"deep/s.sh|x|y z\n", "deep/s.sh||\n", "x|y z\n", "bye\n"};
    struct outcome outcome;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        outcome = (struct outcome){0};
        glassbell_exec(session, &options[i], on_result, &outcome);
        wait_for(&outcome);
        ck_assert_str_eq(outcome.kind, "");
        ck_assert_str_eq(outcome.out, out[i]);
    }
    outcome = (struct outcome){0};
    glassbell_exec(session, &options[0], on_result, &outcome);
    wait_for(&outcome);
    ck_assert_str_eq(outcome.kind, "policy");
}

/* The first session is a clone of a template, and soon one comes from the pool. */
START_TEST(opens_from_template_and_pool)
{
    struct outcome engine = open_engine("[pool \"shell\"]\nfloor = 1\nstanding = 0\n"), session;
    bool pool = false;

    ck_assert_ptr_nonnull(engine.engine);
    session = open_shell(engine.engine);
    ck_assert_msg(session.session != NULL, "%s", session.message);
    ck_assert_str_ne(glassbell_session_source(session.session), "boot");
    expect_output(session.session, "a=7; echo $a", "7\n");
    expect_output(session.session, "echo $a", "7\n");
    expect_programs(session.session);
    glassbell_session_close(session.session);
    for (int i = 0; i < OPENS_MAX && !pool; i++) {
        session = open_shell(engine.engine);
        ck_assert_msg(session.session != NULL, "%s", session.message);
        expect_output(session.session, "echo $a", "\n");
        pool = strcmp(glassbell_session_source(session.session), "pool") == 0;
        glassbell_session_close(session.session);
    }
    ck_assert(pool);
    close_engine(engine.engine);
}
END_TEST

/* With a session that starts, a pool that fills and a template that is looked at. */
START_TEST(closes_at_any_moment)
{
    struct outcome engine = open_engine("[pool \"shell\"]\nfloor = 3\n"), session = {0};

    glassbell_session_open(engine.engine, &(struct glassbell_session_options){.image = "shell"},
                           on_session, &session);
    close_engine(engine.engine);
    ck_assert_ptr_null(session.session);

    engine = open_engine("[pool \"shell\"]\nfloor = 3\n");
    session = open_shell(engine.engine);
    ck_assert_msg(session.session != NULL, "%s", session.message);
    close_engine(engine.engine);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    struct outcome outcome = open_engine("[pool]\nceilling = 3\n");
    const struct glassbell_session_options options = {.image = "cobol"};
    struct glassbell *engine;

    ck_assert_ptr_null(outcome.engine);
    ck_assert_str_eq(outcome.kind, "invalid_input");
    ck_assert_ptr_nonnull(strstr(outcome.message, "a.conf:2:"));
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_alive(&uv), 0);

    /* No room: said at once, or after as long as was asked for. */
    engine = open_engine("[admission]\nmemory = 64M\n").engine;
    ck_assert_ptr_nonnull(engine);
    outcome = open_shell(engine);
    ck_assert_ptr_null(outcome.session);
    ck_assert_str_eq(outcome.kind, "capacity");
    outcome = (struct outcome){0};
    glassbell_session_open(engine, &options, on_session, &outcome);
    wait_for(&outcome);
    ck_assert_str_eq(outcome.kind, "image_missing");
    close_engine(engine);
}
END_TEST

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(uv_loop_init(&uv), 0);
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf %s", folder);

    ck_assert_int_eq(uv_loop_close(&uv), 0);
    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
    memcpy(strrchr(folder, '-') + 1, "XXXXXX", 6);
}

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *tests = tcase_create("api");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 300);
    tcase_add_test(tests, opens_from_template_and_pool);
    tcase_add_test(tests, closes_at_any_moment);
    tcase_add_test(tests, says_what_is_wrong);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
