/* SPDX-License-Identifier: Apache-2.0 */
/* Two cells in a Python session. cc hello.c $(pkg-config --cflags --libs glassbell) -o hello */
#include <glassbell.h>
#include <stdio.h>
#include <stdlib.h>

static struct glassbell *engine;
static struct glassbell_session *session;

static void check(const struct glassbell_error *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "%s (%s)\n", error->message, error->kind);
    exit(1);
}

static void on_output(void *arg, int stream, struct glassbell_bytes bytes)
{
    (void)arg;
    fwrite(bytes.data, 1, bytes.size, stream == 1 ? stdout : stderr);
}

static void on_second(void *arg, const struct glassbell_result *it, const struct glassbell_error *e)
{
    (void)arg;
    check(e);
    printf("value %.*s, exit code %d\n", (int)it->value.size, it->value.data, it->exit_code);
    glassbell_session_close(session);
    glassbell_close(engine, NULL, NULL);
}

static void on_first(void *arg, const struct glassbell_result *it, const struct glassbell_error *e)
{
    (void)it;
    check(e);
    glassbell_exec(session, &(struct glassbell_exec_options){.code = "x + 1"}, on_second, arg);
}

static void on_session(void *arg, struct glassbell_session *opened, const struct glassbell_error *e)
{
    const char *code = "x = 41; print('hello from', x)";

    check(e);
    session = opened;
    glassbell_exec(session, &(struct glassbell_exec_options){code, .output = on_output}, on_first,
                   arg);
}

static void on_engine(void *arg, struct glassbell *opened, const struct glassbell_error *e)
{
    check(e);
    engine = opened;
    glassbell_session_open(engine, NULL, on_session, arg); /* NULL: Python, with all defaults */
}

int main(void)
{
    glassbell_open(uv_default_loop(), NULL, on_engine, NULL);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
