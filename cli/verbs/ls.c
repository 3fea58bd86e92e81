/* SPDX-License-Identifier: Apache-2.0 */
/* glassbell ls: lists sessions, as a table, as JSON, or only their names. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "cli/app.h"
#include "cli/past.h"
#include "model/session.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "show/words.h"
#include "store/store.h"
#include "verbs/options.h"
#include "verbs/verbs.h"

enum { ID_COLUMN_MAX = 12 };

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

static void ls_add_text(struct gb_buf *cell, struct gb_bytes text, size_t limit)
{
    if (text.size == 0)
        gb_buf_adds(cell, "-");
    else
        gb_escape(cell, text, limit);
}

/* In the words of the front end. */
static const char *ls_state_of(const struct gb_session_info *session)
{
    return session->state == GB_NO_WORD ? ""
                                        : state_word((enum gb_session_state)session->state,
                                                     (session->flags & GB_SESSION_FAILED) != 0);
}

static double ls_seconds(uint64_t ns)
{
    return (double)ns / (double)GB_NS_PER_S;
}

static void ls_fill_row(struct gb_buf *row, const struct gb_session_info *session)
{
    struct gb_bytes name = session->label.size > 0 ? session->label : session->key;
    double now = (double)gb_clock_wall_ns() / (double)GB_NS_PER_S;
    bool ended = session->ended_at_ns > 0;
    char text[32];

    ls_add_text(&row[COLUMN_ID], session->id, ID_COLUMN_MAX);
    ls_add_text(&row[COLUMN_NAME], name, 24);
    ls_add_text(&row[COLUMN_IMAGE], session->image, 24);
    ls_add_text(&row[COLUMN_STATE], gb_bytes_str(ls_state_of(session)), 24);
    gb_buf_addf(&row[COLUMN_CELLS], "%u", session->cells);
    words_short_age(text, sizeof(text), now - ls_seconds(session->created_at_ns));
    gb_buf_adds(&row[COLUMN_AGE], text);
    if (ended) {
        words_short_age(text, sizeof(text), now - ls_seconds(session->ended_at_ns));
        gb_buf_adds(&row[COLUMN_MEMORY], "-");
        gb_buf_addf(&row[COLUMN_IDLE], "ended %s ago", text);
        return;
    }
    if (session->state == GB_SESSION_RUNNING || session->state == GB_SESSION_WAITING_INPUT)
        (void)snprintf(text, sizeof(text), "now");
    else
        words_short_age(text, sizeof(text), now - ls_seconds(session->last_active_at_ns));
    gb_buf_adds(&row[COLUMN_IDLE], text);
    words_size(text, sizeof(text), (double)session->memory_bytes);
    gb_buf_adds(&row[COLUMN_MEMORY], text);
}

/* In characters: text is escaped, so each takes one cell, or two in rare cases that do not
 * matter. */
static size_t ls_width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void ls_print_cell(const char *text, size_t width, bool last)
{
    size_t used = ls_width_of(text);

    (void)printf("%s%*s%s", text, last || used >= width ? 0 : (int)(width - used), "",
                 last ? "\n" : "  ");
}

static void ls_print_table(struct table *table)
{
    size_t widths[COLUMN_COUNT];

    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        widths[c] = strlen(headings[c]);
        for (size_t r = 0; r < table->rows; r++)
            widths[c] =
                MAX(widths[c], ls_width_of(gb_buf_str(&table->cells[r * COLUMN_COUNT + c])));
    }
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        ls_print_cell(headings[c], widths[c], c + 1 == COLUMN_COUNT);
    for (size_t r = 0; r < table->rows; r++)
        for (size_t c = 0; c < COLUMN_COUNT; c++)
            ls_print_cell(gb_buf_str(&table->cells[r * COLUMN_COUNT + c]), widths[c],
                          c + 1 == COLUMN_COUNT);
}

/* Unmodified for programs (shell completion uses it); filtered for people. */
static void ls_print_word(struct gb_bytes text)
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

/* The sessions from several answers. */
struct listing {
    const struct args *args;
    struct table table;
    struct gb_buf json;
    struct gb_json_out out;
    bool refused; /* an answer was invalid */
};

static void ls_add_sessions(void *arg, const struct gb_json *result)
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
    JSON_FOREACH(session, list) {
        struct gb_session_info told;
        struct gb_err err = {0};

        if (gb_object_read(&gb_session_object, session, &told, &err) < 0) {
            app_say_err(&err);
            listing->refused = true;
            return;
        }
        ls_fill_row(&table->cells[table->rows++ * COLUMN_COUNT], &told);
        json_print(&listing->out, NULL, session);
        if (args_has(listing->args, "ids")) {
            ls_print_word(told.id);
            ls_print_word(told.key);
            ls_print_word(told.label);
        }
    }
}

static void ls_print_listing(struct listing *listing)
{
    if (args_has(listing->args, "json")) {
        json_make_visible(&listing->json, 0);
        gb_buf_adds(&listing->json, "\n");
        (void)gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&listing->json), listing->json.size);
    } else if (!args_has(listing->args, "ids")) {
        ls_print_table(&listing->table);
    }
}

static int ls_run(const struct args *args)
{
    struct listing listing = {.args = args, .out = {.buf = &listing.json}};
    struct app app;
    bool good;

    if (args->word_count > 0)
        return app_wrong_use(args, "ls takes no names");
    app_open(&app, args);
    gb_json_array(&listing.out, NULL);
    good = past_list(&app, NULL, ls_add_sessions, &listing);
    if (args_has(args, "all"))
        for (enum gb_session_state state = GB_SESSION_CLOSED; state <= GB_SESSION_LOST; state++)
            good = good &&
                   past_list(&app, gb_session_state_to_string(state), ls_add_sessions, &listing);
    gb_json_end(&listing.out);
    good = good && !listing.refused;
    if (good)
        ls_print_listing(&listing);
    for (size_t i = 0; i < listing.table.rows * COLUMN_COUNT; i++)
        gb_buf_release(&listing.table.cells[i]);
    free(listing.table.cells);
    gb_buf_release(&listing.json);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option ls_options[] = {
    {.letter = 'a', .name = "all", .kind = ARG_NONE, .help = "include ended sessions"},
    OPTION_JSON,
    {.name = "ids", .kind = ARG_NONE, .help = "only ids, keys and labels, one per line"},
    {0},
};

const struct verb verb_ls = {
    .name = "ls",
    .summary = "list the sessions",
    .usage = "[--all] [--json | --ids]",
    .options = ls_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  glassbell ls\n"
                "  glassbell ls --json\n",
    .run = ls_run,
};
