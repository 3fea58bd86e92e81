/* SPDX-License-Identifier: Apache-2.0 */
/* A cell spoils something, and is undone. cc time_travel.c $(pkg-config --cflags --libs glassbell)
 */
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

static void run(const char *code, glassbell_exec_fn *done)
{
    glassbell_exec(session, &(struct glassbell_exec_options){.code = code}, done, NULL);
}

static void on_seen(void *arg, const struct glassbell_result *it, const struct glassbell_error *e)
{
    (void)arg;
    check(e);
    printf("undone, they are %.*s\n", (int)it->value.size, it->value.data);
    glassbell_close(engine, NULL, NULL);
}

static void on_rewound(void *arg, const struct glassbell_rewound *it,
                       const struct glassbell_error *e)
{
    (void)arg;
    check(e);
    printf("back after cell %u\n", (unsigned)it->cell);
    run("primes", on_seen);
}

static void on_spoilt(void *arg, const struct glassbell_result *it, const struct glassbell_error *e)
{
    const struct glassbell_moment before = {GLASSBELL_AT_NAME, .name = "good"};

    check(e);
    printf("the primes are %.*s\n", (int)it->value.size, it->value.data);
    glassbell_session_rewind(session, &before, NULL, on_rewound, arg);
}

static void on_kept(void *arg, const struct glassbell_kept *it, const struct glassbell_error *e)
{
    (void)arg;
    (void)it;
    check(e);
    run("primes.clear(); primes", on_spoilt);
}

static void on_made(void *arg, const struct glassbell_result *it, const struct glassbell_error *e)
{
    (void)it;
    check(e);
    glassbell_session_checkpoint(session, "good", on_kept, arg);
}

static void on_session(void *arg, struct glassbell_session *opened, const struct glassbell_error *e)
{
    (void)arg;
    check(e);
    session = opened;
    run("primes = [2, 3, 5, 7]", on_made);
}

static void on_engine(void *arg, struct glassbell *opened, const struct glassbell_error *e)
{
    check(e);
    engine = opened;
    glassbell_session_open(engine, NULL, on_session, arg);
}

int main(int argc, char **argv)
{
    const struct glassbell_options options = {.store = argc == 2 ? argv[1] : NULL};

    if (argc != 2)
        return fprintf(stderr, "usage: time_travel FOLDER (private, for checkpoints)\n") > 0;
    glassbell_open(uv_default_loop(), &options, on_engine, NULL);
    return uv_run(uv_default_loop(), UV_RUN_DEFAULT);
}
