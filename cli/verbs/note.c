/* SPDX-License-Identifier: Apache-2.0 */
/* note: bookmarks and notes that people give to the cells of a session, open or ended. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/past.h"
#include "rpc/access.h"
#include "show/filter.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000 };

struct noting {
    struct gb_buf text;
    bool failed;
};

/* On one line, and without colours: the server may be another machine's. */
static void note_add_text(struct gb_buf *to, struct gb_bytes note)
{
    struct gb_buf plain = {0};

    filter_plain(&plain, note);
    for (size_t i = 0; i < plain.size; i++) {
        const uint8_t byte = gb_buf_data(&plain)[i];

        if (byte < ' ')
            gb_buf_addf(to, "\\x%02x", byte);
        else
            gb_buf_add(to, &byte, 1);
    }
    gb_buf_release(&plain);
}

static bool note_on_cell(void *arg, const struct gb_cell_info *cell, const struct gb_json *json)
{
    struct noting *noting = arg;
    ssize_t n;

    (void)json;
    gb_buf_addf(&noting->text, "[%u]", cell->number);
    if ((cell->flags & GB_CELL_BOOKMARK) != 0)
        gb_buf_adds(&noting->text, "  bookmark");
    if (cell->annotation.size > 0) {
        gb_buf_adds(&noting->text, "  ");
        note_add_text(&noting->text, cell->annotation);
    }
    gb_buf_adds(&noting->text, "\n");
    n = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&noting->text), noting->text.size);
    gb_buf_clear(&noting->text);
    if (n < 0 && n != -EPIPE)
        app_say("cannot write: %s", strerror((int)-n));
    noting->failed = n < 0;
    return !noting->failed;
}

static bool note_list(struct past *past)
{
    struct noting noting = {0};
    bool good;

    past->annotated = true;
    good = past_read(past, 0, 0, note_on_cell, &noting) && !noting.failed;
    gb_buf_release(&noting.text);
    return good;
}

/* NULL @note: it stays as it is. */
static bool note_set(struct past *past, uint64_t cell, const char *note, const struct args *args)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", past->id);
    gb_json_put_u64(&out, "cell", cell);
    if (args_has(args, "bookmark") || args_has(args, "no-bookmark"))
        gb_json_put_bool(&out, "bookmark", args_has(args, "bookmark"));
    if (note != NULL)
        gb_json_put_str(&out, "note", note);
    gb_json_end(&out);
    good = app_call(past->app, "session.annotate", &params, DEADLINE_MS, NULL, NULL);
    gb_buf_release(&params);
    return good;
}

static int note_run(const struct args *args)
{
    const bool on = args_has(args, "bookmark"), off = args_has(args, "no-bookmark");
    struct gb_buf note = {0};
    struct past past = {0};
    double cell = 0;
    struct app app;
    bool good;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls --all` shows them");
    if (on && off)
        return app_wrong_use(args, "--bookmark and --no-bookmark exclude each other");
    if (args->word_count == 1 && (on || off))
        return app_wrong_use(args, "which cell? `glassbell log SESSION` shows them");
    if (args->word_count > 1 &&
        (!args_number(args->words[1], 1, 4294967295, &cell) || cell != (double)(uint64_t)cell)) {
        app_say("the second word is the number of a cell, not %s", args->words[1]);
        return EXIT_USAGE;
    }
    if (args->word_count == 2 && !on && !off)
        return app_wrong_use(args, "which note? an empty one, \"\", removes it");
    for (size_t i = 2; i < args->word_count; i++)
        gb_buf_addf(&note, "%s%s", i > 2 ? " " : "", args->words[i]);
    app_open(&app, args);
    good = past_find(&app, args->words[0], &past);
    if (good && args->word_count == 1)
        good = note_list(&past);
    else if (good)
        good =
            note_set(&past, (uint64_t)cell, args->word_count > 2 ? gb_buf_str(&note) : NULL, args);
    past_release(&past);
    app_close(&app);
    gb_buf_release(&note);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option note_options[] = {
    {.letter = 'b', .name = "bookmark", .kind = ARG_NONE, .help = "give the cell a bookmark"},
    {.name = "no-bookmark", .kind = ARG_NONE, .help = "remove its bookmark"},
    {0},
};

const struct verb verb_note = {
    .name = "note",
    .summary = "give a cell of a session a note or a bookmark, or list them",
    .usage = "SESSION [CELL] [options] [TEXT]",
    .options = note_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell note work\n"
                "  glassbell note work 3 the fit is wrong from here on\n"
                "  glassbell note work 3 --bookmark\n"
                "  glassbell note work 3 \"\"\n",
    .run = note_run,
};
