/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell: one program with many verbs. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/help.h"
#include "cli/print.h"
#include "verbs/verbs.h"

static int main_run_verb(const struct verb *verb, int argc, char **argv)
{
    struct gb_buf message = {0};
    struct args args;
    int status;

    if (args_parse(verb, argc, argv, &args, &message)) {
        args.verbs = verbs;
        if (args.help)
            verbs_help(&message, verb);
        status = args.help ? print_text(&message) : verb->run(&args);
        args_release(&args);
    } else {
        args = (struct args){.verb = verb, .verbs = verbs};
        status = app_wrong_use(&args, "%s", gb_buf_str(&message));
    }
    gb_buf_release(&message);
    return status;
}

/* If the caller closed a standard stream, the next descriptor opened would get its number, and be
 * read, written or closed in its place (libuv aborts over that). The replacement opened here fails
 * when used, like a closed one. */
static void main_hold_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        if (fcntl(fd, F_GETFD) < 0)
            (void)open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

int main(int argc, char **argv)
{
    struct args none = {.verbs = verbs};
    const struct verb *verb;

    main_hold_streams();
    (void)setlocale(LC_ALL, "");
    (void)setlocale(LC_NUMERIC, "C"); /* numbers in JSON and in our own options use decimal
                                       * points */
    /* A closed pipe becomes an error of write(). */
    (void)signal(SIGPIPE, SIG_IGN); /* allowed: its one use that is the same everywhere */
    if (argc < 2 && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1)
        app_exit(main_run_verb(&verb_tui, 0, argv));
    if (argc < 2) {
        struct gb_buf text = {0};

        help_program(&text, verbs);
        (void)gb_fd_write_full(STDERR_FILENO, gb_buf_data(&text), text.size);
        gb_buf_release(&text);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return verb_help.run(&none);
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)
        return verb_version.run(&none);
    /* The front end is the default verb, and takes its options. */
    if (argv[1][0] == '-' && argv[1][1] != '\0')
        app_exit(main_run_verb(&verb_tui, argc - 1, argv + 1));
    verb = args_find_verb(verbs, argv[1]);
    if (verb == NULL)
        return verbs_unknown(argv[1]);
    app_exit(main_run_verb(verb, argc - 2, argv + 2));
}
