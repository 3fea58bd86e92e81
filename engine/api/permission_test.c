/* SPDX-License-Identifier: Apache-2.0 */
/* The network of sessions: denied, allowed, asked about, and open ports. The server that is reached
 * is one of this test's own, on its loop. */
#include "testing.h"

static const char *const settings = "[past]\ncheckpoints = off\n";

/* ---- a server that says hello to whoever connects, and closes ---- */

static uv_tcp_t greeter;
static unsigned greeted;

static void greeter_free(uv_handle_t *handle)
{
    free(handle);
}

static void greeter_on_written(uv_write_t *write, int status)
{
    (void)status;
    uv_close((uv_handle_t *)write->handle, greeter_free);
    free(write);
}

static void greeter_on_client(uv_stream_t *stream, int status)
{
    uv_tcp_t *client = xcalloc(1, sizeof(*client));
    uv_write_t *write = xcalloc(1, sizeof(*write));
    uv_buf_t text = uv_buf_init((char *)(uintptr_t) "hello\n", 6);

    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(uv_tcp_init(&uv, client), 0);
    ck_assert_int_eq(uv_accept(stream, (uv_stream_t *)client), 0);
    ck_assert_int_eq(uv_write(write, (uv_stream_t *)client, &text, 1, greeter_on_written), 0);
    greeted++;
}

/* Its port. */
static int greeter_start(void)
{
    struct sockaddr_in address;
    int size = sizeof(address);

    greeted = 0;
    ck_assert_int_eq(uv_ip4_addr("127.0.0.1", 0, &address), 0);
    ck_assert_int_eq(uv_tcp_init(&uv, &greeter), 0);
    ck_assert_int_eq(uv_tcp_bind(&greeter, (const struct sockaddr *)&address, 0), 0);
    ck_assert_int_eq(uv_listen((uv_stream_t *)&greeter, 16, greeter_on_client), 0);
    ck_assert_int_eq(uv_tcp_getsockname(&greeter, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

/* ---- what is asked of a session ---- */

/* What is known of its network. */
struct view {
    struct outcome outcome;
    char name[64], rules[512];
    uint64_t opened;
    size_t questions, ports;
};

static void on_network(void *arg, const struct glassbell_network *network,
                       const struct glassbell_error *error)
{
    struct view *view = arg;

    if (network != NULL) {
        (void)snprintf(view->name, sizeof(view->name), "%s", network->name);
        (void)snprintf(view->rules, sizeof(view->rules), "%s", network->rules);
        view->opened = network->opened;
        view->questions = network->question_count;
        view->ports = network->port_count;
    }
    outcome_note(&view->outcome, error);
}

static struct view view_wait(struct view *view)
{
    outcome_wait(&view->outcome);
    return *view;
}

static struct view view_of(struct glassbell_session *session)
{
    struct view view = {0};

    glassbell_session_network(session, on_network, &view);
    return view_wait(&view);
}

/* A cell that prints what a connection to app.test says. */
static char *greeting_code(int port)
{
    return xasprintf("exec 3<>/dev/tcp/app.test/%d && cat <&3; exec 3>&-", port);
}

static void on_done(void *arg, const struct glassbell_error *error)
{
    outcome_note(arg, error);
}

/* The kinds and names of the records. */
struct records {
    struct outcome outcome;
    char text[512];
};

static void on_records(void *arg, const struct glassbell_record *records, size_t count,
                       const struct glassbell_error *error)
{
    struct records *to = arg;
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(to->text + used, sizeof(to->text) - used, "%s %s %s|",
                                 records[i].kind, records[i].name != NULL ? records[i].name : "-",
                                 records[i].reason != NULL ? records[i].reason : "-");
        ck_assert_uint_lt(used, sizeof(to->text));
    }
    outcome_note(&to->outcome, error);
}

/* ---- tests ---- */

START_TEST(reaches_what_is_allowed)
{
    const int port = greeter_start();
    _cleanup_(freep) char *store = xasprintf("%s/store", folder), *code = greeting_code(port);
    _cleanup_(freep) char *allow = xasprintf("app.test :%d tcp private", port);
    const char *const rules[] = {"resolve app.test 127.0.0.1", NULL};
    struct glassbell *engine = engine_open(settings, store).engine;
    struct glassbell_session *session = session_shell(engine);
    struct view view = view_of(session);
    struct records records = {0};
    struct outcome outcome;

    /* By default, nothing. */
    ck_assert_str_eq(view.name, "none");
    ck_assert_str_eq(cell_run(session, code).out, "");
    ck_assert_uint_eq(greeted, 0);

    view = (struct view){0};
    glassbell_session_network_set(session, NULL, rules, on_network, &view);
    ck_assert_str_eq(view_wait(&view).outcome.message, "");
    outcome = cell_run(session, code);
    ck_assert_str_eq(outcome.out, "");
    ck_assert_str_eq(outcome.refused, "app.test (no_rule)");

    view = (struct view){0};
    glassbell_session_allow(session, allow, on_network, &view);
    ck_assert_str_eq(view_wait(&view).outcome.message, "");
    ck_assert_str_eq(view.name, "rules");
    ck_assert_ptr_nonnull(strstr(view.rules, allow));
    cell_expect(session, code, "hello\n");
    ck_assert_uint_eq(greeted, 1);
    ck_assert_uint_eq(view_of(session).opened, 1);

    view = (struct view){0};
    glassbell_session_deny(session, "app.test", on_network, &view);
    (void)view_wait(&view);
    ck_assert_str_eq(cell_run(session, code).out, "");
    ck_assert_uint_eq(greeted, 1);

    glassbell_session_records(session, 0, 100, on_records, &records);
    outcome_wait(&records.outcome);
    ck_assert_msg(strstr(records.text, "connection app.test -|") != NULL, "%s", records.text);
    ck_assert_msg(strstr(records.text, "denied app.test no_rule|") != NULL, "%s", records.text);

    view = (struct view){0};
    glassbell_session_allow(session, "a b :x", on_network, &view);
    ck_assert_str_eq(view_wait(&view).outcome.kind, "invalid_input");
    uv_close((uv_handle_t *)&greeter, NULL);
    engine_close(engine);
}
END_TEST

struct asked {
    enum glassbell_answer answer;
    unsigned questions;
    char name[64];
    uint16_t port;
    struct outcome outcome, answered;
};

static void on_question(void *arg, struct glassbell_session *session,
                        const struct glassbell_question *question)
{
    struct asked *asked = arg;

    asked->questions++;
    asked->port = question->port;
    (void)snprintf(asked->name, sizeof(asked->name), "%s", question->name);
    asked->answered = (struct outcome){0};
    glassbell_session_answer(session, question->number, asked->answer, on_done, &asked->answered);
}

static void on_asked_session(void *arg, struct glassbell_session *session,
                             const struct glassbell_error *error)
{
    struct asked *asked = arg;

    outcome_of_session(&asked->outcome, session, error);
}

START_TEST(asks_its_user)
{
    const int port = greeter_start();
    _cleanup_(freep) char *code = greeting_code(port);
    const char *const rules[] = {"ask * private tcp", "resolve app.test 127.0.0.1", NULL};
    struct glassbell_session_options options = {
        .image = "shell", .network_rules = rules, .question = on_question};
    struct glassbell *engine = engine_open(settings, NULL).engine;
    struct glassbell_session *session;
    struct asked asked = {.answer = GLASSBELL_REFUSE};
    struct outcome outcome;

    glassbell_session_open(engine, &options, on_asked_session, &asked);
    outcome_wait(&asked.outcome);
    session = asked.outcome.session;
    ck_assert_msg(session != NULL, "%s", asked.outcome.message);
    outcome = cell_run(session, code);
    ck_assert_str_eq(outcome.out, "");
    ck_assert_uint_eq(asked.questions, 1);
    ck_assert_str_eq(asked.name, "app.test");
    ck_assert_int_eq(asked.port, port);
    ck_assert_str_eq(asked.answered.message, "");
    ck_assert_ptr_nonnull(strstr(outcome.note, "was refused by a person"));

    asked.answer = GLASSBELL_SESSION;
    cell_expect(session, code, "hello\n");
    cell_expect(session, code, "hello\n"); /* a rule by now */
    ck_assert_uint_eq(asked.questions, 2);
    outcome = (struct outcome){0};
    glassbell_session_answer(session, 99, GLASSBELL_ONCE, on_done, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.kind, "not_found");
    outcome = (struct outcome){0};
    glassbell_session_answer(session, 1, (enum glassbell_answer)7, on_done, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.kind, "invalid_input");

    /* Nobody to ask. */
    options.question = NULL;
    session = session_try(engine, &options).session;
    outcome = cell_run(session, code);
    ck_assert_str_eq(outcome.out, "");
    ck_assert_ptr_nonnull(strstr(outcome.refused, "nobody_to_ask"));
    uv_close((uv_handle_t *)&greeter, NULL);
    engine_close(engine);
}
END_TEST

/* ---- ports ---- */

struct heard {
    struct outcome outcome; /* of opening the session */
    uint16_t port;
};

static void on_heard_session(void *arg, struct glassbell_session *session,
                             const struct glassbell_error *error)
{
    struct heard *heard = arg;

    outcome_of_session(&heard->outcome, session, error);
}

static void on_listening(void *arg, struct glassbell_session *session, const uint16_t *ports,
                         size_t count)
{
    struct heard *heard = arg;

    (void)session;
    heard->port = count > 0 ? ports[0] : 0;
}

struct opened {
    struct outcome outcome;
    char address[128];
};

static void on_port(void *arg, const struct glassbell_port *port,
                    const struct glassbell_error *error)
{
    struct opened *opened = arg;

    if (port != NULL)
        (void)snprintf(opened->address, sizeof(opened->address), "%s", port->address);
    outcome_note(&opened->outcome, error);
}

/* Reads what the other side says, until it ends. */
struct visit {
    uv_pipe_t pipe;
    uv_connect_t connect;
    char text[64], space[64];
    size_t size;
    bool over;
};

static void visit_on_space(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
    struct visit *visit = handle->data;

    (void)size;
    *buf = uv_buf_init(visit->space, sizeof(visit->space));
}

static void visit_on_closed(uv_handle_t *handle)
{
    ((struct visit *)handle->data)->over = true;
}

static void visit_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct visit *visit = stream->data;

    if (size < 0) {
        uv_close((uv_handle_t *)stream, visit_on_closed);
        return;
    }
    ck_assert_uint_lt(visit->size + (size_t)size, sizeof(visit->text));
    memcpy(visit->text + visit->size, buf->base, (size_t)size);
    visit->size += (size_t)size;
}

static void visit_on_connected(uv_connect_t *connect, int status)
{
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(uv_read_start(connect->handle, visit_on_space, visit_on_read), 0);
}

START_TEST(opens_ports)
{
    const struct glassbell_session_options options = {.image = "python", .listening = on_listening};
    _cleanup_(freep) char *path = xasprintf("%s/port", folder);
    struct glassbell *engine = engine_open(settings, NULL).engine;
    struct heard heard = {0};
    struct opened opened = {0};
    struct visit visit = {0};
    struct outcome outcome = {0};

    glassbell_session_open(engine, &options, on_heard_session, &heard);
    outcome_wait(&heard.outcome);
    ck_assert_msg(heard.outcome.session != NULL, "%s", heard.outcome.message);
    cell_expect(heard.outcome.session,
                "import socket, threading\n"
                "s = socket.create_server(('127.0.0.1', 8000))\n"
                "def serve():\n"
                "    c = s.accept()[0]; c.sendall(b'from inside'); c.close()\n"
                "threading.Thread(target=serve, daemon=True).start()",
                "");
    while (heard.port != 8000)
        ck_assert_int_ne(uv_run(&uv, UV_RUN_ONCE), 0);
    glassbell_session_port_open(heard.outcome.session, 8000, path, on_port, &opened);
    outcome_wait(&opened.outcome);
    ck_assert_str_eq(opened.outcome.message, "");
    ck_assert_str_eq(opened.address, path);
    ck_assert_uint_eq(view_of(heard.outcome.session).ports, 1);

    ck_assert_int_eq(uv_pipe_init(&uv, &visit.pipe, 0), 0);
    visit.pipe.data = &visit;
    uv_pipe_connect(&visit.connect, &visit.pipe, path, visit_on_connected);
    while (!visit.over)
        ck_assert_int_ne(uv_run(&uv, UV_RUN_ONCE), 0);
    ck_assert_str_eq(visit.text, "from inside");

    glassbell_session_port_close(heard.outcome.session, 8000, NULL, on_done, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.message, "");
    ck_assert_uint_eq(view_of(heard.outcome.session).ports, 0);
    outcome = (struct outcome){0};
    glassbell_session_port_close(heard.outcome.session, 8000, NULL, on_done, &outcome);
    outcome_wait(&outcome);
    ck_assert_str_eq(outcome.kind, "not_found");
    engine_close(engine);
}
END_TEST

START_TEST(knows_its_secrets_and_packages)
{
    const char *const none[] = {"never", NULL}, *const bad[] = {"x y ==", NULL};
    const char *const rules[] = {"allow app.test", NULL};
    const struct glassbell_session_options options[] = {
        {.image = "shell", .secrets = none},
        {.image = "python", .packages = bad},
        {.image = "shell", .network = "nothing-of-that-name"},
        {.image = "shell", .network = "python", .network_rules = rules},
        {.image = "shell", .checkpoints = (enum glassbell_checkpoints)9},
    };
    struct glassbell *engine = engine_open(settings, NULL).engine;
    struct outcome outcome;

    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        outcome = session_try(engine, &options[i]);
        ck_assert_ptr_null(outcome.session);
        ck_assert_msg(strcmp(outcome.kind, "invalid_input") == 0, "%zu: %s (%s)", i,
                      outcome.message, outcome.kind);
    }
    engine_close(engine);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("permission");
    TCase *tests = case_make("permission");

    tcase_add_test(tests, reaches_what_is_allowed);
    tcase_add_test(tests, asks_its_user);
    tcase_add_test(tests, opens_ports);
    tcase_add_test(tests, knows_its_secrets_and_packages);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
