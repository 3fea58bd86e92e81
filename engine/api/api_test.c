/* SPDX-License-Identifier: Apache-2.0 */
/* Engines, sessions and cells. */
#include "testing.h"

#include <signal.h>

enum { OPENS_MAX = 50 };

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
        glassbell_exec(session, &options[i], outcome_of_cell, &outcome);
        outcome_wait(&outcome);
        ck_assert_str_eq(outcome.kind, "");
        ck_assert_str_eq(outcome.out, out[i]);
    }
    outcome = (struct outcome){0};
    glassbell_exec(session, &options[0], outcome_of_cell, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.kind, "policy");
}

/* The first session is a clone of a template, and soon one comes from the pool. */
START_TEST(opens_from_template_and_pool)
{
    struct outcome engine = engine_open("[pool \"shell\"]\nfloor = 1\nstanding = 0\n", NULL),
                   session;
    bool pool = false;

    ck_assert_ptr_nonnull(engine.engine);
    session = session_try_shell(engine.engine);
    ck_assert_msg(session.session != NULL, "%s", session.message);
    ck_assert_str_ne(glassbell_session_source(session.session), "boot");
    cell_expect(session.session, "a=7; echo $a", "7\n");
    cell_expect(session.session, "echo $a", "7\n");
    expect_programs(session.session);
    glassbell_session_close(session.session);
    for (int i = 0; i < OPENS_MAX && !pool; i++) {
        session = session_try_shell(engine.engine);
        ck_assert_msg(session.session != NULL, "%s", session.message);
        cell_expect(session.session, "echo $a", "\n");
        pool = strcmp(glassbell_session_source(session.session), "pool") == 0;
        glassbell_session_close(session.session);
    }
    ck_assert(pool);
    engine_close(engine.engine);
}
END_TEST

/* With a session that starts, a pool that fills and a template that is looked at. */
START_TEST(closes_at_any_moment)
{
    struct outcome engine = engine_open("[pool \"shell\"]\nfloor = 3\n", NULL), session = {0};

    glassbell_session_open(engine.engine, &(struct glassbell_session_options){.image = "shell"},
                           outcome_of_session, &session);
    engine_close(engine.engine);
    ck_assert_ptr_null(session.session);
    ck_assert_str_eq(session.kind, "session_closed");

    engine = engine_open("[pool \"shell\"]\nfloor = 3\n", NULL);
    session = session_try_shell(engine.engine);
    ck_assert_msg(session.session != NULL, "%s", session.message);
    engine_close(engine.engine);
}
END_TEST

START_TEST(says_what_is_wrong)
{
    struct outcome outcome = engine_open("[pool]\nceilling = 3\n", NULL);
    const struct glassbell_session_options options = {.image = "cobol"};
    struct glassbell *engine;

    ck_assert_ptr_null(outcome.engine);
    ck_assert_str_eq(outcome.kind, "invalid_input");
    ck_assert_ptr_nonnull(strstr(outcome.message, "a.conf:2:"));
    (void)uv_run(&uv, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_alive(&uv), 0);

    /* No room: said at once, or after as long as was asked for. */
    engine = engine_open("[admission]\nmemory = 64M\n", NULL).engine;
    ck_assert_ptr_nonnull(engine);
    outcome = session_try_shell(engine);
    ck_assert_ptr_null(outcome.session);
    ck_assert_str_eq(outcome.kind, "capacity");
    outcome = (struct outcome){0};
    glassbell_session_open(engine, &options, outcome_of_session, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.kind, "image_missing");
    engine_close(engine);
}
END_TEST

/* What a cell printed while it ran. */
struct printed {
    struct outcome outcome;
    char text[256];
    size_t size, pieces;
};

static void on_printed(void *arg, int stream, struct glassbell_bytes bytes)
{
    struct printed *printed = arg;

    ck_assert(printed->outcome.done == 0 && stream == 1);
    ck_assert_uint_lt(printed->size + bytes.size, sizeof(printed->text));
    memcpy(printed->text + printed->size, bytes.data, bytes.size);
    printed->size += bytes.size;
    printed->pieces++;
}

static void on_printed_result(void *arg, const struct glassbell_result *result,
                              const struct glassbell_error *error)
{
    struct printed *printed = arg;

    outcome_of_cell(&printed->outcome, result, error);
}

/* Each cell gets its own output, also if the one before it prints nothing; bytes are bytes. */
START_TEST(gives_each_cell_its_output)
{
    static const char *const code[] = {"printf a", "true", "cat", "sleep 0.1; printf d",
                                       "printf e"};
    static const char bytes[] = {(char)0xff, 0, 'x', '\n'};
    struct glassbell *engine = engine_open("", NULL).engine;
    struct glassbell_session *session = session_shell(engine);
    struct printed printed[ARRAY_SIZE(code)] = {0};

    for (size_t i = 0; i < ARRAY_SIZE(code); i++)
        glassbell_exec(session,
                       &(struct glassbell_exec_options){
                           .code = code[i], .output = on_printed, .input = {bytes, sizeof(bytes)}},
                       on_printed_result, &printed[i]);
    for (size_t i = 0; i < ARRAY_SIZE(code); i++) {
        outcome_wait(&printed[i].outcome);
        ck_assert_str_eq(printed[i].outcome.message, "");
    }
    ck_assert_str_eq(printed[0].text, "a");
    ck_assert_uint_eq(printed[1].pieces, 0);
    ck_assert_uint_eq(printed[2].size, sizeof(bytes));
    ck_assert_mem_eq(printed[2].text, bytes, sizeof(bytes));
    ck_assert_str_eq(printed[3].text, "d");
    ck_assert_str_eq(printed[4].text, "e");
    engine_close(engine);
}
END_TEST

/* The same for what they hold. */
static void expect_bytes_bounded(struct glassbell *engine)
{
    enum { LARGE = 17, INPUT = 8 << 20 };
    struct outcome first = {0}, cells[LARGE] = {0};
    struct glassbell_session *session = session_shell(engine);
    char *input = xcalloc(INPUT, 1);
    size_t busy = 0;

    memset(input, 'x', INPUT);
    glassbell_exec(session, &(struct glassbell_exec_options){.code = "sleep 1000"}, outcome_of_cell,
                   &first);
    for (size_t i = 0; i < LARGE; i++)
        glassbell_exec(session,
                       &(struct glassbell_exec_options){.code = "cat", .input = {input, INPUT}},
                       outcome_of_cell, &cells[i]);
    free(input);
    outcome_wait(&cells[LARGE - 1]);
    glassbell_session_close(session);
    for (size_t i = 0; i < LARGE; i++) {
        outcome_wait(&cells[i]);
        busy += strcmp(cells[i].kind, "busy") == 0;
    }
    ck_assert_uint_eq(busy, 2); /* a little is needed besides the input */
    outcome_wait(&first);
}

/* Of the cells that a client sends, as many wait as the library says; and a closed session answers
 * all of them. */
START_TEST(bounds_what_waits)
{
    enum { SENT = 260 };
    static struct outcome cells[SENT];
    struct glassbell *engine = engine_open("", NULL).engine;
    struct glassbell_session *session = session_shell(engine);
    size_t busy = 0, closed = 0;

    memset(cells, 0, sizeof(cells));
    glassbell_exec(session, &(struct glassbell_exec_options){.code = "sleep 1000"}, outcome_of_cell,
                   &cells[0]);
    for (size_t i = 1; i < SENT; i++)
        glassbell_exec(session, &(struct glassbell_exec_options){.code = "echo never"},
                       outcome_of_cell, &cells[i]);
    outcome_wait(&cells[SENT - 1]);
    glassbell_session_close(session);
    for (size_t i = 0; i < SENT; i++) {
        outcome_wait(&cells[i]);
        busy += strcmp(cells[i].kind, "busy") == 0;
        closed += strcmp(cells[i].kind, "session_closed") == 0 ||
                  strcmp(cells[i].kind, "outcome_unknown") == 0;
        ck_assert_msg(i == 0 || !cells[i].is_dispatched, "%zu", i);
    }
    ck_assert_uint_eq(busy, SENT - 1 - 256);
    ck_assert_uint_eq(closed, SENT - busy);
    expect_bytes_bounded(engine);
    engine_close(engine);
}
END_TEST

struct life {
    struct outcome opening, ended;
};

static void on_life(void *arg, struct glassbell_session *session,
                    const struct glassbell_error *error)
{
    outcome_of_session(&((struct life *)arg)->opening, session, error);
}

static void on_life_closed(void *arg, struct glassbell_session *session,
                           const struct glassbell_error *why)
{
    struct life *life = arg;

    ck_assert_ptr_eq(session, life->opening.session);
    outcome_note(&life->ended, why);
}

/* The user is told, once; and not of what it has closed itself. */
START_TEST(tells_of_an_end)
{
    const struct glassbell_session_options options = {
        .image = "shell", .idle_ms = 50, .closed = on_life_closed};
    struct glassbell *engine = engine_open("", NULL).engine;
    struct life life = {0}, quiet = {0};

    glassbell_session_open(engine, &options, on_life, &life);
    outcome_wait(&life.opening);
    ck_assert_str_eq(life.opening.message, "");
    outcome_wait(&life.ended);
    ck_assert_str_eq(life.ended.kind, "session_closed");
    ck_assert_str_ne(life.ended.message, "");

    glassbell_session_open(
        engine, &(struct glassbell_session_options){.image = "shell", .closed = on_life_closed},
        on_life, &quiet);
    outcome_wait(&quiet.opening);
    engine_close(engine);
    ck_assert_int_eq(quiet.ended.done, 0);
    ck_assert_int_eq(life.ended.done, 1);
}
END_TEST

struct content {
    struct outcome outcome;
    size_t size;
    unsigned char first, last;
};

static void on_content(void *arg, struct glassbell_bytes bytes, const struct glassbell_error *error)
{
    struct content *content = arg;

    content->size = bytes.size;
    if (bytes.size > 0) {
        content->first = (unsigned char)bytes.data[0];
        content->last = (unsigned char)bytes.data[bytes.size - 1];
    }
    outcome_note(&content->outcome, error);
}

/* Larger than a message. */
START_TEST(carries_whole_files)
{
    const size_t size = (33 << 20) + 1;
    struct glassbell *engine = engine_open("", NULL).engine;
    struct glassbell_session *session = session_shell(engine);
    struct content content = {0};
    char *bytes = xcalloc(size, 1);

    bytes[0] = (char)0xfe;
    bytes[size - 1] = 'z';
    glassbell_file_write(session, "d/f", (struct glassbell_bytes){bytes, size}, 0600, on_content,
                         &content);
    free(bytes);
    outcome_wait(&content.outcome);
    ck_assert_str_eq(content.outcome.message, "");
    cell_expect(session, "stat -c '%s %a' d/f", "34603009 600\n");
    content = (struct content){0};
    glassbell_file_read(session, "d/f", on_content, &content);
    outcome_wait(&content.outcome);
    ck_assert_uint_eq(content.size, size);
    ck_assert(content.first == 0xfe && content.last == 'z');
    cell_expect(session, "truncate -s 65M g", "");
    content = (struct content){0};
    glassbell_file_read(session, "g", on_content, &content);
    outcome_wait(&content.outcome);
    ck_assert_str_eq(content.outcome.kind, "too_large");
    content = (struct content){0};
    glassbell_file_read(session, "none", on_content, &content);
    outcome_wait(&content.outcome);
    ck_assert_str_eq(content.outcome.kind, "not_found");
    engine_close(engine);
}
END_TEST

static void on_signal(int signum)
{
    (void)signum;
}

/* A peer that hangs up ends no program, and what a program has decided is left alone. */
START_TEST(does_not_die_of_a_broken_pipe)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
    engine_close(engine_open("", NULL).engine);
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == SIG_IGN);
    action.sa_handler = on_signal;
    ck_assert_int_eq(sigaction(SIGPIPE, &action, NULL), 0);
    engine_close(engine_open("", NULL).engine);
    ck_assert_int_eq(sigaction(SIGPIPE, NULL, &action), 0);
    ck_assert(action.sa_handler == on_signal);
}
END_TEST

/* The answer to any call of the protocol. */
struct answer {
    struct outcome outcome;
    char text[4096];
};

static void on_answer(void *arg, const char *result, const struct glassbell_error *error)
{
    struct answer *answer = arg;

    ck_assert((result == NULL) != (error == NULL));
    if (result != NULL)
        (void)snprintf(answer->text, sizeof(answer->text), "%s", result);
    outcome_note(&answer->outcome, error);
}

static struct answer answer_of(struct glassbell *engine, const char *method, const char *params)
{
    struct answer answer = {0};

    glassbell_call(engine, method, params, on_answer, &answer);
    ck_assert_int_eq(answer.outcome.done, 0);
    outcome_wait(&answer.outcome);
    return answer;
}

START_TEST(makes_any_call)
{
    static const char *const wrong[][3] = {
        {"session.list", "[1]", "invalid_input"},
        {"session.list", "{", "invalid_input"},
        {"session.list", "{\"a\":1}", "invalid_input"},
        {"session.get", NULL, "invalid_input"},
        {"no.such", "{}", "unsupported"},
        {"server.shutdown", NULL, "unsupported"},
    };
    struct glassbell *engine = engine_open("", NULL).engine;
    struct answer answer = answer_of(engine, "hello", NULL);

    ck_assert_ptr_nonnull(strstr(answer.text, "\"protocol\":1,"));
    answer = answer_of(engine, "session.list", "{\n\"limit\":\n5 }");
    ck_assert_str_eq(answer.text, "{\"sessions\":[]}");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        answer = answer_of(engine, wrong[i][0], wrong[i][1]);
        ck_assert_str_eq(answer.outcome.kind, wrong[i][2]);
    }
    /* One that cannot be answered any more. */
    answer = (struct answer){0};
    glassbell_call(engine, "stats", "[]", on_answer, &answer);
    engine_close(engine);
    ck_assert_int_eq(answer.outcome.done, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("api");
    TCase *tests = case_make("api"), *without_vms = case_make("without_vms");

    tcase_add_test(tests, opens_from_template_and_pool);
    tcase_add_test(tests, closes_at_any_moment);
    tcase_add_test(without_vms, says_what_is_wrong);
    tcase_add_test(tests, gives_each_cell_its_output);
    tcase_add_test(tests, bounds_what_waits);
    tcase_add_test(tests, tells_of_an_end);
    tcase_add_test(tests, carries_whole_files);
    tcase_add_test(without_vms, makes_any_call);
    tcase_add_test(without_vms, does_not_die_of_a_broken_pipe);
    suite_add_tcase(suite, without_vms);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
