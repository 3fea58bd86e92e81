/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions by name: open, ls, close, interrupt. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "past.h"
#include "store/store.h"
#include "verbs.h"

enum { OPEN_DEADLINE_MS = 300000, DEADLINE_MS = 30000, ID_COLUMN_MAX = 12 };

static bool put_seconds(const struct args *args, struct gb_json_out *out, const char *option,
                        const char *name)
{
    const char *text = args_value(args, option);
    double seconds;

    if (text == NULL)
        return true;
    if (!args_number(text, 0, 31622400, &seconds)) {
        app_say("--%s wants seconds, not %s", option, text);
        return false;
    }
    gb_json_put_u64(out, name, (uint64_t)(seconds * 1000));
    return true;
}

static void print_opened(void *arg, const struct gb_json *result)
{
    const struct args *args = arg;
    struct gb_bytes id = json_text(result, "session");

    if (args_has(args, "json"))
        print_result(result);
    else
        (void)printf("%.*s\n", (int)id.size, (const char *)id.data);
}

int verb_open(const struct args *args)
{
    const char *image = choose_image(args, "python");
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    struct app app;
    int status = EXIT_GLASSBELL;

    if (args->word_count > 0)
        return app_wrong_use(args, "open takes no names; --label or --key gives it one");
    if (image == NULL)
        return app_wrong_use(args, "there is no language %s: python, javascript, shell",
                             args_value(args, "lang"));
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "image", image);
    if (args_has(args, "key"))
        gb_json_put_str(&out, "key", args_value(args, "key"));
    if (args_has(args, "label"))
        gb_json_put_str(&out, "label", args_value(args, "label"));
    if (!put_seconds(args, &out, "idle", "idle_ms") ||
        !put_seconds(args, &out, "lifetime", "lifetime_ms") ||
        !put_seconds(args, &out, "time", "timeout_ms") || !put_memory(args, &out) ||
        !put_env(args, &out)) {
        gb_buf_release(&params);
        return EXIT_USAGE;
    }
    gb_json_end(&out);
    app_open(&app, args);
    if (app_call(&app, "session.open", &params, OPEN_DEADLINE_MS, print_opened,
                 (void *)(uintptr_t)args))
        status = 0;
    app_close(&app);
    gb_buf_release(&params);
    return status;
}

/* ---- ls ---- */

enum column {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_IMAGE,
    COLUMN_STATE,
    COLUMN_CELLS,
    COLUMN_MEMORY,
    COLUMN_AGE,
    COLUMN_IDLE,
    COLUMN_COUNT
};

static const char *const headings[COLUMN_COUNT] = {"SESSION", "NAME",   "IMAGE", "STATE",
                                                   "CELLS",   "MEMORY", "AGE",   "IDLE"};

struct table {
    struct gb_buf *cells; /* rows × COLUMN_COUNT */
    size_t rows;
};

static void add_text(struct gb_buf *cell, struct gb_bytes text, size_t limit)
{
    if (text.size == 0)
        gb_buf_adds(cell, "-");
    else
        gb_escape(cell, text, limit);
}

/* In the words of the front end; what it does not know stays as the server says it. */
static struct gb_bytes state_of(const struct gb_json *session)
{
    const char *word = state_word(json_text(session, "state"), json_true(session, "failed"));

    return word[0] != '\0' ? gb_bytes_str(word) : json_text(session, "state");
}

static void fill_row(struct gb_buf *row, const struct gb_json *session)
{
    struct gb_bytes label = json_text(session, "label");
    double now = (double)gb_clock_wall_ns() / (double)GB_NS_PER_S;
    bool ended = json_member(session, "ended_at") != NULL;
    char text[32];

    add_text(&row[COLUMN_ID], json_text(session, "session"), ID_COLUMN_MAX);
    add_text(&row[COLUMN_NAME], label.size > 0 ? label : json_text(session, "key"), 24);
    add_text(&row[COLUMN_IMAGE], json_text(session, "image"), 24);
    add_text(&row[COLUMN_STATE], state_of(session), 24);
    gb_buf_addf(&row[COLUMN_CELLS], "%.0f", json_number(session, "cells"));
    format_age(text, sizeof(text), now - json_number(session, "created_at"));
    gb_buf_adds(&row[COLUMN_AGE], text);
    if (ended) {
        format_age(text, sizeof(text), now - json_number(session, "ended_at"));
        gb_buf_adds(&row[COLUMN_MEMORY], "-");
        gb_buf_addf(&row[COLUMN_IDLE], "ended %s ago", text);
        return;
    }
    format_age(text, sizeof(text), now - json_number(session, "last_active_at"));
    gb_buf_adds(&row[COLUMN_IDLE], text);
    format_size(text, sizeof(text), json_number(session, "memory_bytes"));
    gb_buf_adds(&row[COLUMN_MEMORY], text);
}

/* In characters: what is shown is escaped, so each takes a cell, or two where nobody minds. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void print_cell(const char *text, size_t width, bool last)
{
    size_t used = width_of(text);

    (void)printf("%s%*s%s", text, last || used >= width ? 0 : (int)(width - used), "",
                 last ? "\n" : "  ");
}

static void print_table(struct table *table)
{
    size_t widths[COLUMN_COUNT];

    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        widths[c] = strlen(headings[c]);
        for (size_t r = 0; r < table->rows; r++)
            widths[c] = MAX(widths[c], width_of(gb_buf_str(&table->cells[r * COLUMN_COUNT + c])));
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        print_cell(headings[c], widths[c], c + 1 == COLUMN_COUNT);
    for (size_t r = 0; r < table->rows; r++)
        for (size_t c = 0; c < COLUMN_COUNT; c++)
            print_cell(gb_buf_str(&table->cells[r * COLUMN_COUNT + c]), widths[c],
                       c + 1 == COLUMN_COUNT);
}

/* For programs (the shell completes by it) as it is; for a person as it may be shown. */
static void print_word(struct gb_bytes text)
{
    struct gb_buf shown = {0};

    if (text.size == 0)
        return;
    if (isatty(STDOUT_FILENO) == 1)
        gb_escape(&shown, text, SIZE_MAX);
    else
        gb_buf_add(&shown, text.data, text.size);
    (void)printf("%s\n", gb_buf_str(&shown));
    gb_buf_release(&shown);
}

/* The sessions of several answers. */
struct listing {
    const struct args *args;
    struct table table;
    struct gb_buf json;
    struct gb_json_out out;
};

static void add_sessions(void *arg, const struct gb_json *result)
{
    struct listing *listing = arg;
    const struct gb_json *list = json_member(result, "sessions"), *session = NULL;
    struct table *table = &listing->table;
    struct gb_buf *cells;

    if (list == NULL || list->type != GB_JSON_ARRAY || list->count == 0)
        return;
    cells = xcalloc((table->rows + list->count) * COLUMN_COUNT, sizeof(*cells));
    if (table->rows > 0)
        memcpy(cells, table->cells, table->rows * COLUMN_COUNT * sizeof(*cells));
    free(table->cells);
    table->cells = cells;
    for (uint32_t i = 0; i < list->count; i++) {
        session = i == 0 ? gb_json_first(list) : gb_json_next(session);
        fill_row(&table->cells[table->rows++ * COLUMN_COUNT], session);
        json_print(&listing->out, NULL, session);
        if (args_has(listing->args, "ids")) {
            print_word(json_text(session, "session"));
            print_word(json_text(session, "key"));
            print_word(json_text(session, "label"));
        }
    }
}

static void print_listing(struct listing *listing)
{
    if (args_has(listing->args, "json")) {
        json_make_visible(&listing->json, 0);
        gb_buf_adds(&listing->json, "\n");
        (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&listing->json), listing->json.size);
    } else if (!args_has(listing->args, "ids")) {
        print_table(&listing->table);
    }
}

int verb_ls(const struct args *args)
{
    struct listing listing = {.args = args, .out = {.buf = &listing.json}};
    struct app app;
    bool good;

    if (args->word_count > 0)
        return app_wrong_use(args, "ls takes no names");
    app_open(&app, args);
    gb_json_array(&listing.out, NULL);
    good = past_list(&app, NULL, add_sessions, &listing);
    if (args_has(args, "all"))
        good = good && past_list(&app, "closed", add_sessions, &listing) &&
               past_list(&app, "lost", add_sessions, &listing);
    gb_json_end(&listing.out);
    if (good)
        print_listing(&listing);
    for (size_t i = 0; i < listing.table.rows * COLUMN_COUNT; i++)
        gb_buf_release(&listing.table.cells[i]);
    free(listing.table.cells);
    gb_buf_release(&listing.json);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

/* ---- close, interrupt ---- */

struct ids {
    char **ids;
    size_t count;
};

static void collect_ids(void *arg, const struct gb_json *result)
{
    struct ids *ids = arg;
    const struct gb_json *list = json_member(result, "sessions"), *session;

    if (list == NULL || list->type != GB_JSON_ARRAY)
        return;
    ids->ids = xcalloc((size_t)list->count + 1, sizeof(*ids->ids));
    session = gb_json_first(list);
    for (uint32_t i = 0; i < list->count; i++, session = gb_json_next(session)) {
        struct gb_bytes id = json_text(session, "session");

        ids->ids[ids->count++] = xstrndup((const char *)id.data, id.size);
    }
}

static bool close_all(struct app *app)
{
    struct ids ids = {0};
    bool good = app_call(app, "session.list", NULL, DEADLINE_MS, collect_ids, &ids);

    for (size_t i = 0; i < ids.count; i++) {
        good = app_call_on(app, "session.close", ids.ids[i], DEADLINE_MS, NULL, NULL) && good;
        free(ids.ids[i]);
    }
    free(ids.ids);
    return good;
}

static int call_on_words(const struct args *args, const char *method)
{
    struct app app;
    bool good = true;

    app_open(&app, args);
    if (args_has(args, "all"))
        good = close_all(&app);
    for (size_t i = 0; i < args->word_count; i++) {
        _cleanup_(freep) char *session = app_find_session(&app, args->words[i]);

        good =
            session != NULL && app_call_on(&app, method, session, DEADLINE_MS, NULL, NULL) && good;
    }
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

int verb_close(const struct args *args)
{
    if (args->word_count == 0 && !args_has(args, "all"))
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    return call_on_words(args, "session.close");
}

int verb_interrupt(const struct args *args)
{
    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    return call_on_words(args, "session.interrupt");
}
