/* SPDX-License-Identifier: Apache-2.0 */
/* top: the list of sessions without a screen, once: as text or as JSON. */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "cli/app.h"
#include "list/rows.h"
#include "model/hello.h"
#include "rpc/access.h"
#include "rpc/object.h"
#include "screen/render.h"
#include "show/words.h"
#include "store/store.h"
#include "verbs/verbs.h"

enum { DEADLINE_MS = 30000, WIDTH_DEFAULT = 120 };

struct top {
    struct store store;
    struct gb_buf json;
    struct gb_json_out out;
};

static void top_on_hello(void *arg, const struct gb_json *result)
{
    struct top *top = arg;
    struct gb_hello_info hello;

    store_hello(&top->store, result);
    gb_object_take(&gb_hello_object, result, &hello);
    gb_json_put(&top->out, "server", hello.server);
    gb_json_put(&top->out, "accel", hello.accel);
    gb_json_put_str(&top->out, "isolation", gb_words_at(&gb_isolation_words, hello.isolation));
}

static void top_on_sessions(void *arg, const struct gb_json *result)
{
    struct top *top = arg;
    const struct gb_json *list = json_member(result, "sessions");

    store_sessions(&top->store, result);
    if (list != NULL)
        json_print(&top->out, "sessions", list);
}

static void top_on_pools(void *arg, const struct gb_json *result)
{
    struct top *top = arg;

    store_pools(&top->store, result);
    json_print(&top->out, "pool", result);
}

static void top_on_stats(void *arg, const struct gb_json *result)
{
    struct top *top = arg;

    store_stats(&top->store, result);
    json_print(&top->out, "stats", result);
}

static int top_width_of_output(void)
{
    struct winsize size;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return WIDTH_DEFAULT;
}

static void top_add_summary(const struct top *top, struct gb_buf *text)
{
    const struct host *host = &top->store.host;
    unsigned counts[SESSION_STATE_COUNT] = {0};
    struct session *session;
    double used = 0;
    char memory[16], available[16];

    GB_LIST_FOREACH(session, &top->store.sessions, link) {
        counts[session_shown(session)]++;
        used += (double)session->memory_bytes;
    }
    words_size(memory, sizeof(memory), used);
    words_size(available, sizeof(available), (double)host->memory_available);
    gb_buf_addf(text, "%u running, %u waiting for input, %u failed, %u idle, %u starting; ",
                counts[SESSION_RUNNING], counts[SESSION_WAITING], counts[SESSION_FAILED],
                counts[SESSION_IDLE], counts[SESSION_STARTING]);
    if (counts[SESSION_ASLEEP] > 0)
        gb_buf_addf(text, "%u asleep; ", counts[SESSION_ASLEEP]);
    gb_buf_addf(text, "memory %s, available %s; %s%s\n", memory, available, top->store.server.accel,
                top->store.server.hardware ? "" : " (emulation: not a security boundary)");
    for (size_t i = 0; i < top->store.pool_count; i++)
        gb_buf_addf(text, "%s%s %u/%u", i == 0 ? "pool: " : ", ", top->store.pools[i].image,
                    top->store.pools[i].ready, top->store.pools[i].target);
    gb_buf_adds(text, top->store.pool_count > 0 ? "\n\n" : "\n");
}

static void top_paint_row(struct region line, const struct layout *layout,
                          const struct session *session, double now)
{
    int x = 0;

    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        struct region cell = region_part(line, x, 0, layout->widths[i], 1);

        if (layout->widths[i] == 0)
            continue;
        if (session != NULL)
            column_paint(cell, (enum column)i, session, STYLE(ROLE_TEXT), true, GRAPH_ASCII, now);
        else if (column_right((enum column)i))
            paint_right(cell, 0, 0, cell.width, STYLE(ROLE_TEXT),
                        gb_bytes_str(column_heading((enum column)i)));
        else
            (void)paint_str(cell, 0, 0, STYLE(ROLE_TEXT), column_heading((enum column)i));
        x += layout->widths[i] + 1;
    }
}

static void top_add_table(struct top *top, struct gb_buf *text)
{
    struct layout layout = columns_layout(top_width_of_output(), ~UINT32_C(0), 0);
    double now = (double)gb_clock_wall_ns() / (double)GB_NS_PER_S;
    struct rows_config config = {.sort = COLUMN_STATE};
    struct session **sessions, *session;
    struct rows rows = {0};
    struct grid grid = {0};
    size_t count = 0;

    /* A single sample has no CPU share, and no history of the memory. */
    layout.widths[COLUMN_CPU] = layout.widths[COLUMN_GRAPH] = 0;
    sessions = xcalloc(top->store.session_count + 1, sizeof(*sessions));
    GB_LIST_FOREACH(session, &top->store.sessions, link)
        sessions[count++] = session;
    rows_build(&rows, sessions, count, &config, now);
    for (size_t i = 0; i <= rows.count; i++) {
        grid_resize(&grid, top_width_of_output(), 1);
        top_paint_row(region_all(&grid), &layout, i == 0 ? NULL : rows.rows[i - 1].session, now);
        dump_text(&grid, text);
    }
    grid_release(&grid);
    rows_release(&rows);
    free(sessions);
}

static int top_run(const struct args *args)
{
    struct top top = {0};
    struct gb_buf text = {0};
    struct app app;
    bool good;

    if (args->word_count > 0)
        return app_wrong_use(args, "top takes no names");
    if (!args_has(args, "once") && !args_has(args, "json"))
        return verb_tui.run(args);
    app_open(&app, args);
    store_init(&top.store);
    top.out.buf = &top.json;
    gb_json_object(&top.out, NULL);
    good = app_call(&app, "hello", NULL, DEADLINE_MS, top_on_hello, &top) &&
           app_call(&app, "stats", NULL, DEADLINE_MS, top_on_stats, &top) &&
           app_call(&app, "pool.status", NULL, DEADLINE_MS, top_on_pools, &top) &&
           app_call(&app, "session.list", NULL, DEADLINE_MS, top_on_sessions, &top);
    gb_json_end(&top.out);
    if (good && args_has(args, "json")) {
        gb_buf_add(&text, gb_buf_data(&top.json), top.json.size);
        json_make_visible(&text, 0);
        gb_buf_adds(&text, "\n");
    } else if (good) {
        top_add_summary(&top, &text);
        top_add_table(&top, &text);
    }
    good = gb_fd_write_full(STDOUT_FILENO, gb_buf_data(&text), text.size) >= 0 && good;
    gb_buf_release(&text);
    gb_buf_release(&top.json);
    store_release(&top.store);
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option top_options[] = {
    {.name = "once", .kind = ARG_NONE, .help = "print the sessions once and exit"},
    {.name = "json", .kind = ARG_NONE, .help = "the same as JSON"},
    {.name = "theme", .value = "NAME", .kind = ARG_TEXT, .help = "the colours, on a screen"},
    {0},
};

const struct verb verb_top = {
    .name = "top",
    .summary = "list the sessions live, or once",
    .usage = "[--once | --json]",
    .options = top_options,
    .common = app_options,
    .words = ARG_NONE,
    .examples = "  glassbell top --once\n"
                "  glassbell top --json | jq '.sessions | length'\n",
    .run = top_run,
};
