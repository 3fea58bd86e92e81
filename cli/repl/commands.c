/* SPDX-License-Identifier: Apache-2.0 */
/* The REPL's colon commands. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/files.h"
#include "kit/local.h"
#include "kit/transfer.h"
#include "repl/internal.h"
#include "model/entry.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/words.h"

enum { WORDS_MAX = 3, DEADLINE_MS = 30000 };

struct command {
    const char *name, *usage, *help;
    size_t least, most; /* number of words after the name */
    void (*run)(struct repl *repl, size_t count, char **words);
};

static const struct command *command_all(void);

static void command_say_out(struct gb_buf *text)
{
    (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(text), text->size);
    gb_buf_release(text);
}

static void command_help(struct repl *repl, size_t count, char **words)
{
    struct gb_buf text = {0};

    (void)count;
    (void)words;
    for (const struct command *command = command_all(); command->name != NULL; command++) {
        char left[40];

        (void)snprintf(left, sizeof(left), ":%s %s", command->name, command->usage);
        gb_buf_addf(&text, "%-26s %s\n", left, command->help);
    }
    gb_buf_addf(&text, "%s\n",
                repl->tty ? "Enter runs what is complete, Alt-Enter whatever it is; Tab completes; "
                            "Ctrl-C interrupts;\nCtrl-X Ctrl-E edits the cell in $EDITOR; "
                            "Ctrl-D leaves."
                          : "");
    command_say_out(&text);
}

static void command_reset(struct repl *repl, size_t count, char **words)
{
    (void)count;
    (void)words;
    if (!repl->owned) {
        app_say("this session belongs to others too; :reset is for sessions that were opened here");
        return;
    }
    repl_follow_end(repl);
    if (!app_call_on(repl->app, "session.close", repl->session, DEADLINE_MS, NULL, NULL))
        repl_follow_begin(repl);
    else if (!repl_start_opening(repl))
        repl->failed = repl->stopped = true;
}

static void command_save(struct repl *repl, size_t count, char **words)
{
    unsigned long number = strtoul(words[0], NULL, 10);
    const struct display *display = &repl->displays[number % REPL_DISPLAYS_MAX];
    struct gb_err err = {0};

    (void)count;
    if (number == 0 || display->number != number)
        app_say("there is no display %s", words[0]);
    else if (local_put(words[1], gb_buf_bytes(&display->data), &err) < 0)
        app_say_err(&err);
}

struct move {
    bool done, failed;
};

static void command_on_moved(void *arg, const struct gb_err *err)
{
    struct move *move = arg;

    move->done = true;
    move->failed = err != NULL;
    if (err != NULL)
        app_say_err(err);
}

/* Transfers one file and waits for it; Ctrl-C aborts the wait. */
static bool command_move_file(struct repl *repl, const char *local, const char *remote, bool upload)
{
    struct move move = {0};
    struct transfer_config config = {.session = repl->session,
                                     .local = local,
                                     .remote = remote,
                                     .finished = command_on_moved,
                                     .arg = &move};
    unsigned interrupts = repl->interrupts;
    struct gb_err err = {0};
    struct transfer *transfer = upload ? transfer_upload(repl->app->client, &config, &err)
                                       : transfer_download(repl->app->client, &config, &err);

    if (transfer == NULL) {
        app_say_err(&err);
        return false;
    }
    while (!move.done && !repl->stopped && repl->interrupts == interrupts)
        app_turn(repl->app);
    if (!move.done)
        transfer_cancel(transfer);
    return move.done && !move.failed;
}

static void command_put(struct repl *repl, size_t count, char **words)
{
    struct file_list files = {0};
    struct gb_err err = {0};

    if (!file_list_add(&files, words[0], count > 1 ? words[1] : NULL, &err))
        app_say_err(&err);
    for (size_t i = 0; i < files.count; i++)
        if (!command_move_file(repl, files.pairs[i].local, files.pairs[i].remote, true))
            break;
    file_list_release(&files);
}

static void command_get(struct repl *repl, size_t count, char **words)
{
    _cleanup_(freep) char *local =
        count > 1 ? file_into_folder(words[1], words[0]) : transfer_local_name(words[0]);

    if (local == NULL)
        app_say("no local file name can be derived from %s; give one", words[0]);
    else
        (void)command_move_file(repl, local, words[0], false);
}

static void command_print_entries(void *arg, const struct gb_json *result)
{
    const struct gb_json *list = json_member(result, "entries"), *entry = NULL;
    struct gb_buf text = {0};

    (void)arg;
    JSON_FOREACH(entry, list) {
        struct gb_entry_info told;
        struct gb_buf name = {0};
        char size[32];
        bool folder;

        if (gb_object_read(&gb_entry_object, entry, &told, NULL) < 0)
            continue;
        folder = told.type == GB_ENTRY_DIR;
        words_size(size, sizeof(size), (double)told.size);
        gb_buf_addf(&text, "%8s  ", folder ? "-" : size);
        (void)gb_bytes_add_decoded(&name, told.name, (told.flags & GB_ENTRY_BASE64) != 0);
        gb_escape(&text, gb_buf_bytes(&name), GB_FILE_NAME_MAX);
        gb_buf_release(&name);
        gb_buf_adds(&text, folder ? "/\n" : "\n");
    }
    command_say_out(&text);
}

static void command_ls(struct repl *repl, size_t count, char **words)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", repl->session);
    gb_json_put_bytes(&out, "path", "path_base64", gb_bytes_str(count > 0 ? words[0] : "."));
    gb_json_end(&out);
    (void)repl_call(repl, "file.list", &params, command_print_entries, NULL);
    gb_buf_release(&params);
}

static void command_time(struct repl *repl, size_t count, char **words)
{
    (void)count;
    (void)words;
    if (repl->timing.size == 0)
        app_say("no cell has run yet");
    else
        (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&repl->timing), repl->timing.size);
}

static void command_others(struct repl *repl, size_t count, char **words)
{
    const char *word = count > 0 ? words[0] : "";

    if (strcmp(word, "on") == 0 || strcmp(word, "off") == 0) {
        repl->follow.off = strcmp(word, "off") == 0;
        if (repl->follow.off)
            repl_follow_end(repl);
        else
            repl_follow_begin(repl);
    } else if (count > 0) {
        app_say(":others is either on or off, not %s", word);
    } else {
        app_say("what other clients do is %s", repl->follow.off ? "not shown" : "shown");
    }
}

static void command_quit(struct repl *repl, size_t count, char **words)
{
    (void)count;
    (void)words;
    repl->quit = true;
}

static const struct command commands[] = {
    {.name = "help", .usage = "", .help = "this", .run = command_help},
    {.name = "reset", .usage = "", .help = "a fresh VM", .run = command_reset},
    {.name = "save",
     .usage = "N FILE",
     .help = "write what was displayed to a file",
     .least = 2,
     .most = 2,
     .run = command_save},
    {.name = "put",
     .usage = "LOCAL [REMOTE]",
     .help = "bring a file or folder in",
     .least = 1,
     .most = 2,
     .run = command_put},
    {.name = "get",
     .usage = "REMOTE [LOCAL]",
     .help = "fetch a file",
     .least = 1,
     .most = 2,
     .run = command_get},
    {.name = "ls",
     .usage = "[FOLDER]",
     .help = "list files of the session",
     .most = 1,
     .run = command_ls},
    {.name = "time", .usage = "", .help = "what the last cell took", .run = command_time},
    {.name = "others",
     .usage = "[on|off]",
     .help = "whether what other clients run is shown",
     .most = 1,
     .run = command_others},
    {.name = "quit", .usage = "", .help = "leave", .run = command_quit},
    {0},
};

static const struct command *command_all(void)
{
    return commands;
}

/* Splits @text at white space; quotes group words. Returns the number of words, or SIZE_MAX if
 * there are more than @most. Modifies @text. */
static size_t command_split(char *text, char **words, size_t most)
{
    size_t count = 0;

    for (char *at = text; *at != '\0';) {
        char quote = '\0';

        at += strspn(at, " \t");
        if (*at == '\0')
            break;
        if (*at == '"' || *at == '\'')
            quote = *at++;
        if (count == most)
            return SIZE_MAX;
        words[count++] = at;
        while (*at != '\0' && (quote != '\0' ? *at != quote : *at != ' ' && *at != '\t'))
            at++;
        if (*at != '\0')
            *at++ = '\0';
    }
    return count;
}

bool repl_is_command(const char *text)
{
    return text[0] == ':' && text[1] >= 'a' && text[1] <= 'z';
}

void repl_command_names(void (*each)(void *arg, const char *name), void *arg)
{
    for (const struct command *command = command_all(); command->name != NULL; command++) {
        _cleanup_(freep) char *name = xasprintf(":%s", command->name);

        each(arg, name);
    }
}

bool repl_command(struct repl *repl, const char *text)
{
    _cleanup_(freep) char *copy = xstrdup(text);
    char *words[WORDS_MAX + 1] = {NULL};
    size_t count;

    if (!repl_is_command(text))
        return false;
    count = command_split(copy + 1, words, WORDS_MAX + 1);
    if (words[0] == NULL)
        return false;
    for (const struct command *command = command_all(); command->name != NULL; command++) {
        if (strcmp(command->name, words[0]) != 0)
            continue;
        if (count == SIZE_MAX || count - 1 < command->least || count - 1 > command->most)
            app_say("usage: :%s %s", command->name, command->usage);
        else
            command->run(repl, count - 1, words + 1);
        return true;
    }
    app_say("there is no command :%s; :help lists them", words[0]);
    return true;
}
