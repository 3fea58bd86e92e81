/* SPDX-License-Identifier: Apache-2.0 */
/* The frame around a view, what can be typed behind `:`, and what is kept of it: without a terminal
 * and without a server. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_run.h"
#include "app/complete.h"
#include "app/internal.h"
#include "base/mem.h"

static char home[] = "/tmp/app-test-XXXXXX";
static struct tui tui;
static char steps[64]; /* what the view was asked for, a letter each */

/* ---- a view ---- */

static void step(char letter)
{
    size_t size = strlen(steps);

    ck_assert_uint_lt(size + 1, sizeof(steps));
    steps[size] = letter;
    steps[size + 1] = '\0';
}

static void view_arrange(struct view *view, struct region region)
{
    ck_assert_ptr_eq(view->tui, &tui);
    ck_assert_int_ge(region.height, 9);
    step('a');
}

static void view_draw(const struct view *view, struct region region, bool focused)
{
    (void)view;
    (void)paint_str(region, 0, 0, STYLE(ROLE_TEXT), focused ? "the view, focused" : "the view");
    step('d');
}

static enum context view_context(const struct view *view)
{
    (void)view;
    return CONTEXT_LIST;
}

static void view_title(const struct view *view, struct gb_buf *out)
{
    (void)view;
    gb_buf_adds(out, "a title");
}

static const struct view_ops view_ops = {
    .arrange = view_arrange, .draw = view_draw, .context = view_context, .title = view_title};

static unsigned runs;

static void run_count(struct tui *of, const struct words *words)
{
    ck_assert_ptr_eq(of, &tui);
    ck_assert_uint_ge(words->count, 1);
    runs++;
}

static const struct command commands[] = {
    {"count", "[N]", "count once more", "c", "count", CONTEXT_LIST, ARGUMENT_NONE, run_count},
    {"copy-it", "", "copy it", NULL, NULL, CONTEXT_LIST, ARGUMENT_NONE, run_count},
    {"elsewhere", "", "is not known here", "e", "else", CONTEXT_FILES, ARGUMENT_NONE, run_count},
    {NULL, NULL, NULL, NULL, NULL, CONTEXT_LIST, ARGUMENT_NONE, NULL},
};

static struct view view = {.ops = &view_ops, .tui = &tui};

/* The first @count of a few. */
static void set_servers(size_t count)
{
    static const struct tui_server servers[] = {
        {.name = "local"}, {.name = "build", .host = "ssh://build"}, {.name = "build:2"}};

    if (tui.uplinks != NULL)
        uplinks_close(&tui);
    tui.config.servers = servers;
    tui.config.server_count = count;
    uplinks_new(&tui);
}

static void setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(home));
    ck_assert_int_eq(setenv("HOME", home, 1), 0);
    ck_assert_int_eq(setenv("XDG_STATE_HOME", home, 1), 0);
    set_servers(1);
    tui.view = &view;
    tui.tables.tables[tui.tables.count++] = commands;
    tui.tables.tables[tui.tables.count++] = global_commands;
    ck_assert(keymap_defaults(&tui.keymap, &tui.tables));
}

static void teardown(void)
{
    uplinks_close(&tui);
    grid_release(&tui.grid);
}

/* A frame, row by row. */
static const char *framed(int width, int height, bool *ret_drawn)
{
    static struct gb_buf out;
    bool drawn;

    steps[0] = '\0';
    grid_resize(&tui.grid, width, height);
    drawn = frame_paint(&tui, region_all(&tui.grid));
    if (ret_drawn != NULL)
        *ret_drawn = drawn;
    gb_buf_clear(&out);
    dump_text(&tui.grid, &out);
    return gb_buf_str(&out);
}

START_TEST(test_frame)
{
    bool drawn;
    const char *text = framed(100, 30, &drawn);

    ck_assert(drawn);
    ck_assert_str_eq(steps, "ad"); /* arranged, then drawn, once each */
    ck_assert_ptr_nonnull(strstr(text, "a title"));
    ck_assert_ptr_nonnull(strstr(text, "the view, focused"));
    ck_assert_ptr_nonnull(strstr(text, "c count"));
    ck_assert_ptr_nonnull(strstr(text, "? help"));
    ck_assert_ptr_null(strstr(text, "e else")); /* a key of another context */
}
END_TEST

START_TEST(test_a_screen_that_is_too_small)
{
    bool drawn;

    ck_assert_ptr_nonnull(strstr(framed(39, 30, &drawn), "39×30 is too small"));
    ck_assert(!drawn);
    ck_assert_str_eq(steps, "");
    (void)framed(80, 11, &drawn);
    ck_assert(!drawn);
    (void)framed(40, 12, &drawn);
    ck_assert(drawn);
}
END_TEST

/* A message that is longer than a row takes as many as it needs, and the view has what is left. */
START_TEST(test_messages)
{
    const char *text;

    (void)snprintf(tui.message, sizeof(tui.message), "it went well");
    tui.message_kind = MESSAGE_GOOD;
    ck_assert_ptr_nonnull(strstr(framed(80, 24, NULL), "it went well"));
    tui.message[0] = '\0';
    while (strlen(tui.message) < 200)
        (void)snprintf(tui.message + strlen(tui.message), 12, "word%02zu ",
                       strlen(tui.message) / 7);
    text = framed(80, 24, NULL);
    ck_assert_ptr_nonnull(strstr(text, "word00"));
    ck_assert_ptr_nonnull(strstr(text, "word27"));
}
END_TEST

/* What a click on the bar stands for is what is painted there. */
START_TEST(test_clicks)
{
    const char *text = framed(100, 30, NULL), *row = strrchr(text, '\n'), *found;
    int x, y = 29;

    while (row > text && (row[1] == '\0' || strstr(row, "c count") == NULL))
        while (--row > text && *row != '\n')
            ;
    found = strstr(row + 1, "c count");
    ck_assert_ptr_nonnull(found);
    x = (int)text_columns((struct gb_bytes){(const uint8_t *)row + 1, (size_t)(found - row - 1)});
    ck_assert_str_eq(frame_click(&tui, x, y), "count");
    ck_assert_str_eq(frame_click(&tui, x + 6, y), "count");
    ck_assert_ptr_null(frame_click(&tui, x + 7, y));
    ck_assert_ptr_null(frame_click(&tui, x, y - 1));
    (void)framed(39, 30, NULL); /* nothing of the frame before stays */
    ck_assert_ptr_null(frame_click(&tui, x, y));
}
END_TEST

/* The row below the title. */
static const char *links_row(int width)
{
    static char row[1024];
    const char *line = strchr(strchr(framed(width, 30, NULL), '\n') + 1, '\n') + 1;

    (void)snprintf(row, sizeof(row), "%.*s", (int)strcspn(line, "\n"), line);
    return row;
}

/* A single server has no such row. Where there is little room, the reason goes first, and then the
 * names of those that are connected. */
START_TEST(test_links)
{
    struct uplink *lost;

    ck_assert_ptr_null(strstr(framed(100, 30, NULL), "local"));
    set_servers(3);
    ck_assert_ptr_nonnull(strstr(links_row(100), "local ◌ connecting   build ◌ connecting"));
    tui.uplinks[0].state = CONNECTION_UP;
    tui.uplinks[0].store.server = (struct server){.told = true, .hardware = true, .accel = "kvm"};
    tui.uplinks[2].state = CONNECTION_UP;
    tui.uplinks[2].store.server = (struct server){.told = true, .accel = "tcg"};
    lost = &tui.uplinks[1];
    lost->state = CONNECTION_LOST;
    lost->retry_at = 1;
    (void)snprintf(lost->why, sizeof(lost->why), "no route to the host");
    ck_assert_ptr_nonnull(strstr(links_row(100), "local ✓ kvm   build ✕ lost, again at "));
    ck_assert_ptr_nonnull(strstr(links_row(100), ": no route to the host   build:2 ▲ tcg"));
    ck_assert_ptr_null(strstr(links_row(70), "no route"));
    ck_assert_ptr_nonnull(strstr(links_row(70), "build:2 ▲ tcg"));
    ck_assert_ptr_nonnull(strstr(links_row(50), "✓ 2 connected   build ✕ lost, again at "));
    lost->retry_at = 0;
    ck_assert_ptr_nonnull(strstr(links_row(100), "build ✕ lost, connecting"));
}
END_TEST

/* "build:2" is a server, and "build:2:web" a session of that one. */
START_TEST(test_names_of_servers)
{
    const char *rest;
    char text[64];

    ck_assert_ptr_null(tui_uplink_named(&tui, "local:web", &rest)); /* it is the only one */
    ck_assert_str_eq(rest, "local:web");
    uplink_qualify(&tui.uplinks[0], "web", text, sizeof(text));
    ck_assert_str_eq(text, "web");
    set_servers(3);
    ck_assert_ptr_eq(tui_uplink_named(&tui, "build:web", &rest), &tui.uplinks[1]);
    ck_assert_str_eq(rest, "web");
    ck_assert_ptr_eq(tui_uplink_named(&tui, "build:2:web", &rest), &tui.uplinks[2]);
    ck_assert_str_eq(rest, "web");
    ck_assert_ptr_null(tui_uplink_named(&tui, "buildx:web", &rest));
    ck_assert_str_eq(rest, "buildx:web");
    uplink_qualify(&tui.uplinks[2], "web", text, sizeof(text));
    ck_assert_str_eq(text, "build:2:web");
}
END_TEST

static struct candidates candidates;

static const char *offered(const char *line)
{
    static struct gb_buf out;

    complete_line(&tui, line, strlen(line), &candidates);
    gb_buf_clear(&out);
    for (size_t i = 0; i < candidates.count; i++)
        gb_buf_addf(&out, "%s%s", i > 0 ? " " : "", candidates.items[i].text);
    return gb_buf_str(&out);
}

START_TEST(test_completion)
{
    ck_assert_ptr_nonnull(strstr(offered("co"), "count"));
    ck_assert_ptr_nonnull(strstr(offered("co"), "copy-it"));
    ck_assert_ptr_null(strstr(offered("els"), "elsewhere"));
    ck_assert_str_eq(offered("theme gruv"), "gruvbox");
    ck_assert_uint_eq(candidates.from, strlen("theme "));
    ck_assert_str_eq(offered("nothing of the kind"), "");
}
END_TEST

static const char *meant(const char *name)
{
    static struct gb_buf out;

    gb_buf_clear(&out);
    ck_assert(command_meant(&tui.tables, CONTEXT_LIST, name, &out) == (out.size > 0));
    return gb_buf_str(&out);
}

START_TEST(test_mistyped_commands)
{
    ck_assert_str_eq(meant("cuont"), ":count");
    ck_assert_str_eq(meant("copyit"), ":copy-it");
    ck_assert_str_eq(meant("freeez"), ":freeze");
    ck_assert_str_eq(meant("elsewhre"), ""); /* not known here */
    ck_assert_str_eq(meant("xyzzy"), "");
    ck_assert_str_eq(meant("re"), ":reconnect or :redraw"); /* the beginning of both */
    ck_assert_str_eq(meant("co"), ":count, :copy-it or :command");
}
END_TEST

START_TEST(test_paths)
{
    char line[sizeof(home) + 16];

    (void)snprintf(line, sizeof(line), "%s/folder", home);
    ck_assert_int_eq(mkdir(line, 0700), 0);
    (void)snprintf(line, sizeof(line), "%s/file", home);
    ck_assert_int_eq(fclose(fopen(line, "w")), 0);
    complete_path("~/f", 0, 3, &candidates);
    ck_assert_uint_eq(candidates.count, 2);
    ck_assert_uint_eq(candidates.from, 2);
    ck_assert_str_eq(candidates.items[0].text, "file");
    ck_assert_str_eq(candidates.items[1].text, "folder/");
    complete_path("~/x", 0, 3, &candidates);
    ck_assert_uint_eq(candidates.count, 0);
}
END_TEST

/* Lines outlive the program; what nobody can have typed is passed over. */
START_TEST(test_lines_are_kept)
{
    struct line_history history = {0}, again = {0};
    char *path = lines_open(&history);

    ck_assert_ptr_nonnull(path);
    ck_assert_uint_eq(history.count, 0);
    lines_add(path, "sort memory");
    lines_add(path, "");
    lines_add(path, "evil \x1b[2J");
    lines_add(path, "theme nord");
    lines_add(NULL, "goes nowhere");
    free(path);
    path = lines_open(&again);
    ck_assert_uint_eq(again.count, 2);
    ck_assert_str_eq(again.lines[0], "sort memory");
    ck_assert_str_eq(again.lines[1], "theme nord");
    free(path);
    history_release(&again);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("app");
    TCase *tests = tcase_create("app");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_frame);
    tcase_add_test(tests, test_a_screen_that_is_too_small);
    tcase_add_test(tests, test_messages);
    tcase_add_test(tests, test_clicks);
    tcase_add_test(tests, test_links);
    tcase_add_test(tests, test_names_of_servers);
    tcase_add_test(tests, test_completion);
    tcase_add_test(tests, test_mistyped_commands);
    tcase_add_test(tests, test_paths);
    tcase_add_test(tests, test_lines_are_kept);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
