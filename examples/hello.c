/* Runs two cells in a Python session. cc hello.c $(pkg-config --cflags --libs glovebox) -o hello */
#include <glovebox.h>
#include <stdio.h>
#include <stdlib.h>

static struct glovebox *engine;
static struct glovebox_session *session;

static void check(const struct glovebox_error *error)
{
    if (error == NULL)
        return;
    fprintf(stderr, "%s (%s)\n", error->message, error->kind);
    exit(1);
}

static void on_output(void *arg, int stream, struct glovebox_bytes bytes)
{
    (void)arg;
    fwrite(bytes.data, 1, bytes.size, stream == 1 ? stdout : stderr);
}

static void on_second(void *arg, const struct glovebox_result *it, const struct glovebox_error *err)
{
    (void)arg;
    check(err);
    printf("value %.*s, exit code %d\n", (int)it->value.size, it->value.data, it->exit_code);
    glovebox_session_close(session);
    glovebox_close(engine, NULL, NULL);
}

static void on_first(void *arg, const struct glovebox_result *it, const struct glovebox_error *err)
{
    (void)it;
    check(err);
    glovebox_exec(session, &(struct glovebox_exec_options){.code = "x + 1"}, on_second, arg);
}

static void on_session(void *arg, struct glovebox_session *opened, const struct glovebox_error *err)
{
    const char *code = "x = 41; print('hello from', x)";

    check(err);
    session = opened;
    glovebox_exec(session, &(struct glovebox_exec_options){code, .output = on_output}, on_first,
                  arg);
}

static void on_engine(void *arg, struct glovebox *opened, const struct glovebox_error *err)
{
    check(err);
    engine = opened;
    glovebox_session_open(engine, NULL, on_session, arg); /* NULL: Python, with all defaults */
}

int main(void)
{
    glovebox_open(uv_default_loop(), NULL, on_engine, NULL);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
