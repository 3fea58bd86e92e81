/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell: one program, a verb for each thing that it does. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/help.h"
#include "verbs.h"

static int print(struct gb_buf *text)
{
    ssize_t n = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(text), text->size);

    gb_buf_release(text);
    return n < 0 ? EXIT_GLASSBELL : 0;
}

int verb_version(const struct args *args)
{
    struct gb_buf text = {0};

    (void)args;
    gb_buf_adds(&text, "glassbell " GB_VERSION "\n");
    return print(&text);
}

int verb_completion(const struct args *args)
{
    struct gb_buf text = {0};

    if (args->word_count != 1 || strcmp(args->words[0], "bash") != 0)
        return app_wrong_use(args, "there is completion for one shell: bash");
    help_completion(&text, args->verbs);
    return print(&text);
}

static int unknown_verb(const char *name)
{
    const struct verb *near = args_nearest_verb(verbs, name);
    const char *instead = verb_instead(name);

    if (instead != NULL)
        app_say("there is no verb %s; %s", name, instead);
    else if (near != NULL)
        app_say("there is no verb %s; did you mean `glassbell %s`?", name, near->name);
    else
        app_say("there is no verb %s; `glassbell help` lists them", name);
    return EXIT_USAGE;
}

int verb_help(const struct args *args)
{
    const struct verb *verb;
    struct gb_buf text = {0};

    if (args->word_count == 0) {
        help_program(&text, args->verbs);
        return print(&text);
    }
    verb = args_find_verb(args->verbs, args->words[0]);
    if (verb == NULL)
        return unknown_verb(args->words[0]);
    help_verb(&text, verb);
    return print(&text);
}

static int run_verb(const struct verb *verb, int argc, char **argv)
{
    struct gb_buf message = {0};
    struct args args;
    int status;

    if (args_parse(verb, argc, argv, &args, &message)) {
        args.verbs = verbs;
        if (args.help)
            help_verb(&message, verb);
        status = args.help ? print(&message) : verb->run(&args);
        args_release(&args);
    } else {
        args = (struct args){.verb = verb, .verbs = verbs};
        status = app_wrong_use(&args, "%s", gb_buf_str(&message));
    }
    gb_buf_release(&message);
    return status;
}

/* A standard stream that the caller closed would lend its number to what is opened next, which then
 * would be read, written or closed for it (libuv ends the process over that). What stands there
 * instead fails when it is used, as a closed one does. */
static void hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct args none = {.verbs = verbs};
    const struct verb *verb;

    hold_streams();
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C"); /* JSON and our own options have points in their numbers */
    /* A reader that goes away is an error of the write. */
    (void)signal(SIGPIPE, SIG_IGN); /* allowed: its one use that is the same everywhere */
    if (argc < 2 && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
        app_exit(run_verb(args_find_verb(verbs, "tui"), 0, argv));
    if (argc < 2) {
        struct gb_buf text = {0};

        help_program(&text, verbs);
        (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&text), text.size);
        gb_buf_release(&text);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return verb_help(&none);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return verb_version(&none);
    /* The front end is what no verb means, and takes its options. */
    if (argv[1][0] == '-' && argv[1][1] != '\0')
        app_exit(run_verb(args_find_verb(verbs, "tui"), argc - 1, argv + 1));
    verb = args_find_verb(verbs, argv[1]);
    if (verb == NULL)
        return unknown_verb(argv[1]);
    app_exit(run_verb(verb, argc - 2, argv + 2));
}
