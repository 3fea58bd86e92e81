/* SPDX-License-Identifier: Apache-2.0 */
/* What comes out of the renderer, read by a model of a terminal. */
#include "screen/render.h"

#include <locale.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <utf8proc.h>

#include "check_run.h"
#include "base/mem.h"
#include "screen/render_model.h"

/* ---- fixtures ---- */

static const struct looks looks = {.roles = {[ROLE_ACCENT] = {.fg = COLOUR_RGB(0x0000ff)},
                                             [ROLE_STRONG] = {.attributes = ATTRIBUTE_BOLD}}};
static struct grid grid;
static struct model model;
static struct renderer *renderer;
static struct terminal_abilities abilities;
static uint8_t missing; /* attributes that the terminal's entry has not */

static void environment(const char *term, const char *colour)
{
    (void)setenv("TERM", term, 1);
    (void)unsetenv("NO_COLOR");
    if (colour != NULL)
        (void)setenv("COLORTERM", colour, 1);
    else
        (void)unsetenv("COLORTERM");
}

static void open_on(const char *term, const char *colour, int width, int height)
{
    struct terminfo terminfo;
    struct gb_err err = {0};

    environment(term, colour);
    ck_assert_msg(terminfo_find(STDOUT_FILENO, &terminfo, &err) == 0, "%s", err.message);
    ck_assert_int_eq(renderer_open(&terminfo, &renderer, &err), 0);
    missing = strcmp(terminfo.entry, "screen-256color") == 0 ? ATTRIBUTE_ITALIC : 0;
    abilities = (struct terminal_abilities){.depth = terminfo.depth, .utf8 = true};
    terminfo_release(&terminfo);
    grid_resize(&grid, width, height);
    model_resize(&model, 80, 24);
    model_feed(&model, renderer_enter(renderer));
    model_resize(&model, width, height);
    renderer_forget(renderer);
}

static void shut(void)
{
    if (renderer != NULL)
        model_feed(&model, renderer_leave(renderer));
    ck_assert_uint_eq(model.alternate, 0);
    renderer_close(renderer);
    renderer = NULL;
    free(model.cells);
    model = (struct model){0};
}

static void setup(void)
{
    ck_assert_ptr_nonnull(setlocale(LC_ALL, "C.UTF-8"));
}

static void teardown(void)
{
    shut();
    grid_release(&grid);
}

/* Returns its bytes. */
static size_t frame(void)
{
    struct gb_buf out = {0};
    size_t size;

    renderer_frame(renderer, &grid, &looks, &abilities, &out);
    model_feed(&model, gb_buf_bytes(&out));
    size = out.size;
    gb_buf_release(&out);
    return size;
}

static void check_cell(int x, int y)
{
    const struct cell *cell = &grid.cells[y * grid.width + x];
    const struct model_cell *seen = model_at(&model, x, y);
    struct look look = look_resolve(&looks, cell->style, abilities.depth);
    char text[GLYPH_BYTES + 1] = "";

    memcpy(text, cell->text, cell->size);
    if ((!cell->uncertain || model.uncertain_width == 0) && strcmp(text, seen->text) != 0)
        ck_abort_msg("%d,%d: \"%s\" instead of \"%s\"", x, y, seen->text, text);
    look.attributes &= (uint8_t)~missing;
    /* Nobody sees the colour or the weight of nothing. */
    if (strcmp(text, " ") == 0 &&
        (look.attributes & (ATTRIBUTE_REVERSE | ATTRIBUTE_UNDERLINE | ATTRIBUTE_STRIKE)) == 0)
        look.fg = seen->look.fg, look.attributes = seen->look.attributes;
    if (look.fg != seen->look.fg || look.bg != seen->look.bg ||
        look.attributes != seen->look.attributes)
        ck_abort_msg("%d: %d,%d \"%s\" seen \"%s\": %x on %x, %x instead of %x on %x, %x",
                     model.uncertain_width, x, y, text, seen->text, seen->look.fg, seen->look.bg,
                     seen->look.attributes, look.fg, look.bg, look.attributes);
}

/* The terminal shows the grid: everything but what a terminal that thinks otherwise about a cluster
 * may have put beside it. */
static void check_screen(void)
{
    for (int y = 0; y < grid.height; y++)
        for (int x = 0; x < grid.width; x++) {
            if (grid.cells[y * grid.width + x].size > 0 && !model_at(&model, x, y)->spoiled)
                check_cell(x, y);
        }
    ck_assert_int_eq(model.cursor, grid.cursor);
    if (grid.cursor) {
        ck_assert_int_eq(model.x, grid.cursor_x);
        ck_assert_int_eq(model.y, grid.cursor_y);
    }
    ck_assert(!model.synchronized);
    ck_assert(!model.margins);
}

static void paint(int x, int y, const char *text)
{
    (void)paint_str(region_all(&grid), x, y, STYLE(ROLE_TEXT), text);
}

/* ---- differences ---- */

START_TEST(only_differences_are_sent)
{
    open_on("xterm-256color", "truecolor", 80, 24);
    paint(0, 0, "hello");
    paint_cursor(region_all(&grid), 5, 0);
    (void)frame();
    check_screen();
    ck_assert_uint_eq(frame(), 0);
    paint(1, 0, "a");
    paint(3, 0, "x");
    ck_assert_uint_le(frame(), 40);
    check_screen();
    /* A key at a prompt: its letter, and the cursor behind it. */
    paint(5, 0, "z");
    paint_cursor(region_all(&grid), 6, 0);
    ck_assert_uint_le(frame(), 30);
    check_screen();
    paint_cursor(region_all(&grid), 0, 9);
    ck_assert_uint_le(frame(), 10);
    check_screen();
    grid.cursor = false;
    ck_assert_uint_le(frame(), 6);
    check_screen();
    ck_assert_uint_eq(frame(), 0);
    /* The same to the eye. */
    (void)paint_str(region_all(&grid), 20, 20, STYLE(ROLE_DIM), " ");
    ck_assert_uint_eq(frame(), 0);
    renderer_forget(renderer);
    model_resize(&model, 80, 24);
    ck_assert_uint_gt(frame(), 0);
    check_screen();
}
END_TEST

START_TEST(colours_that_are_set_are_not_set_again)
{
    const struct style one = {
        .role = ROLE_TEXT, .fg = COLOUR_RGB(0x111111), .bg = COLOUR_RGB(0x222222)};
    const struct style two = {
        .role = ROLE_TEXT, .fg = COLOUR_RGB(0x333333), .bg = COLOUR_RGB(0x222222)};
    struct gb_buf out = {0};
    const char *at;
    unsigned grounds = 0;

    open_on("xterm-256color", "truecolor", 80, 24);
    (void)frame();
    for (int i = 0; i < 20; i++)
        (void)paint_str(region_all(&grid), i, 3, i % 2 == 0 ? one : two, "x");
    renderer_frame(renderer, &grid, &looks, &abilities, &out);
    for (at = gb_buf_str(&out); (at = strstr(at, "\x1b[48;2;34;34;34m")) != NULL; at++)
        grounds++;
    ck_assert_uint_eq(grounds, 1);
    model_feed(&model, gb_buf_bytes(&out));
    check_screen();
    gb_buf_release(&out);
}
END_TEST

START_TEST(updates_are_synchronized_where_something_is_drawn)
{
    struct gb_buf out = {0};

    open_on("xterm-256color", "truecolor", 80, 24);
    (void)frame();
    abilities.synchronized = true;
    paint(0, 0, "a");
    renderer_frame(renderer, &grid, &looks, &abilities, &out);
    ck_assert_str_eq(gb_buf_str(&out), "\x1b[?2026h\x1b[1;1Ha\x1b[?2026l");
    gb_buf_clear(&out);
    paint_cursor(region_all(&grid), 3, 3);
    renderer_frame(renderer, &grid, &looks, &abilities, &out);
    ck_assert_ptr_null(strstr(gb_buf_str(&out), "2026"));
    gb_buf_clear(&out);
    renderer_frame(renderer, &grid, &looks, &abilities, &out);
    ck_assert_uint_eq(out.size, 0);
    gb_buf_release(&out);
}
END_TEST

/* ---- any screen, on terminals that measure clusters in different ways ---- */

static uint64_t seed;

static unsigned chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

static colour any_colour(void)
{
    switch (chance(5)) {
    case 0:
        return COLOUR_RGB(chance(0x1000000));
    case 1:
        return COLOUR_RGB(chance(300)); /* where other entries have the palette */
    case 2:
        return COLOUR_INDEX(chance(256));
    case 3:
        return COLOUR_INDEX(chance(16));
    default:
        return COLOUR_NONE;
    }
}

static void paint_anything(void)
{
    static const char *const texts[] = {
        "a",
        "some words ",
        "          ",
        "\xe2\x94\x82",
        "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e",
        "e\xcc\x81",
        "o\xcc\xa3\xcc\x82\xcc\x81\xcc\x80",
        "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80",
        "\xe2\x9a\xa0\xef\xb8\x8f warning",
        "\xf0\x9f\x87\xa9\xf0\x9f\x87\xaa",
        "\xf3\xb0\x80\x80\xf3\xb0\x80\x81",
        "\xef\xa3\xbf",
        "\xe2\x9c\x93 good",
        "\xcc\x81",
        "-------------------",
    };
    struct style style = {.role = (uint8_t)(chance(3) ? ROLE_TEXT : ROLE_ACCENT),
                          .attributes = (uint8_t)(chance(2) ? 0 : chance(64)),
                          .fg = any_colour(),
                          .bg = any_colour()};
    struct region all = region_all(&grid);
    int x = (int)chance((unsigned)grid.width), y = (int)chance((unsigned)grid.height);

    if (chance(12) == 0)
        paint_fill(region_part(all, x, y, (int)chance(30), (int)chance(8)), style);
    else
        (void)paint_str(all, x, y, style, texts[chance(ARRAY_SIZE(texts))]);
}

static void any_frames(const char *term, const char *colour, int uncertain_width)
{
    seed = UINT64_C(0x2545f4914f6cdd1d);
    open_on(term, colour, 60, 20);
    model.uncertain_width = uncertain_width;
    for (int i = 0; i < 120; i++) {
        if (chance(30) == 0) {
            grid_resize(&grid, (int)chance(70) + 1, (int)chance(30) + 1);
            model_resize(&model, grid.width, grid.height);
            renderer_forget(renderer);
        } else if (chance(15) == 0) {
            grid_clear(&grid);
        }
        for (unsigned n = chance(20); n > 0; n--)
            paint_anything();
        grid.cursor = false;
        if (chance(3) > 0)
            paint_cursor(region_all(&grid), (int)chance((unsigned)grid.width),
                         (int)chance((unsigned)grid.height));
        (void)frame();
        check_screen();
        ck_assert_uint_eq(frame(), 0);
    }
    shut();
}

START_TEST(any_screen_is_shown)
{
    static const struct {
        const char *term, *colour;
        enum colour_depth depth;
    } terminals[] = {
        {"xterm-256color", "truecolor", DEPTH_RGB},
        {"tmux-256color", "24bit", DEPTH_RGB},
        {"screen-256color", "truecolor", DEPTH_RGB},
        {"screen", NULL, DEPTH_16},
        {"linux", NULL, DEPTH_16},
        {"xterm-256color", NULL, DEPTH_256},
        {"tmux-256color", NULL, DEPTH_256},
        {"screen-256color", NULL, DEPTH_256},
    };

    for (size_t i = 0; i < ARRAY_SIZE(terminals); i++)
        for (int width = 0; width <= 2; width++) {
            any_frames(terminals[i].term, terminals[i].colour, width);
            ck_assert_int_eq(abilities.depth, terminals[i].depth);
        }
}
END_TEST

START_TEST(a_line_does_not_shift_behind_a_cluster)
{
    for (int width = 1; width <= 2; width++) {
        open_on("xterm-256color", "truecolor", 40, 2);
        model.uncertain_width = width;
        paint(0, 0, "\xf0\x9f\x91\xa9  z  \xe2\x9a\xa0  y");
        paint(0, 1, "##");
        (void)frame();
        check_cell(4, 0);
        check_cell(10, 0);
        /* What was there before is not seen through it. */
        paint(0, 1, "\xf0\x9f\x91\xa9");
        (void)frame();
        ck_assert_str_ne(model_at(&model, 1, 1)->text, "#");
        shut();
    }
}
END_TEST

/* ---- what runs out ---- */

static void fill_colours(unsigned salt)
{
    for (int y = 0; y < grid.height; y++)
        for (int x = 0; x < grid.width; x++) {
            struct style style = {
                .role = ROLE_TEXT,
                .fg = COLOUR_RGB(((unsigned)(y * grid.width + x) + salt) & 0xffffff)};

            (void)paint_str(region_all(&grid), x, y, style, "x");
        }
}

START_TEST(colours_may_run_out)
{
    open_on("xterm-256color", "truecolor", 150, 150);
    for (unsigned i = 0; i < 4; i++) {
        fill_colours(i * 22500);
        (void)frame();
        check_screen();
    }
    grid_resize(&grid, 260, 260); /* more than there are pairs, at once */
    model_resize(&model, 260, 260);
    fill_colours(500000);
    (void)frame();
    check_cell(0, 0);
    ck_assert_str_eq(model_at(&model, 259, 259)->text, "x");
    grid_clear(&grid);
    (void)paint_str(region_all(&grid), 259, 259, STYLE(ROLE_ACCENT), "y");
    (void)frame();
    check_screen();
}
END_TEST

/* Clusters of a letter and marks, each different. */
static void fill_clusters(unsigned salt)
{
    for (int y = 0; y < grid.height; y++)
        for (int x = 0; x < grid.width; x++) {
            unsigned n = (unsigned)(y * grid.width + x) + salt;
            uint8_t bytes[16] = {(uint8_t)('a' + n % 26)};
            size_t size = 1;

            for (n /= 26; n > 0; n /= 64)
                size +=
                    (size_t)utf8proc_encode_char(0x300 + (utf8proc_int32_t)(n % 64), bytes + size);
            (void)paint_text(region_all(&grid), x, y, STYLE(ROLE_TEXT),
                             (struct gb_bytes){bytes, size});
        }
}

START_TEST(clusters_may_run_out)
{
    open_on("xterm-256color", "truecolor", 150, 150);
    for (unsigned i = 0; i < 4; i++) {
        fill_clusters(i * 22500);
        (void)frame();
        check_screen();
    }
    grid_resize(&grid, 260, 260);
    model_resize(&model, 260, 260);
    fill_clusters(500000);
    (void)frame();
    check_cell(0, 0);
    ck_assert_str_eq(model_at(&model, 259, 259)->text, "?");
    grid_clear(&grid);
    paint(259, 259, "e\xcc\x81");
    (void)frame();
    check_screen();
}
END_TEST

/* ---- pictures ---- */

static const char *frame_text(struct gb_buf *out)
{
    gb_buf_clear(out);
    renderer_frame(renderer, &grid, &looks, &abilities, out);
    return gb_buf_str(out);
}

static void paint_test_picture(int x, int y)
{
    struct picture picture = {.width = 6,
                              .height = 3,
                              .id = 7,
                              .bytes = gb_bytes_str("<PICTURE>"),
                              .remove = gb_bytes_str("<REMOVE>")};

    ck_assert(paint_picture(region_part(region_all(&grid), x, y, -1, -1), &picture));
}

START_TEST(pictures_are_sent_when_their_place_was_drawn)
{
    struct gb_buf out = {0};

    open_on("xterm-256color", "truecolor", 40, 10);
    paint(0, 2, "before");
    paint_test_picture(10, 2);
    ck_assert_ptr_nonnull(strstr(frame_text(&out), "\x1b"
                                                   "7\x1b[3;11H<PICTURE>\x1b"
                                                   "8"));
    ck_assert_uint_eq(strlen(frame_text(&out)), 0);
    paint(0, 8, "elsewhere");
    ck_assert_ptr_null(strstr(frame_text(&out), "PICTURE"));
    paint(12, 3, "over"); /* and taken off again */
    ck_assert_ptr_nonnull(strstr(frame_text(&out), "<PICTURE>"));
    paint(12, 3, "    ");
    ck_assert_ptr_nonnull(strstr(frame_text(&out), "<PICTURE>"));
    grid.picture_count = 0;
    paint_test_picture(10, 3); /* one row down */
    ck_assert_ptr_nonnull(strstr(frame_text(&out), "<REMOVE>"));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&out), "\x1b[4;11H<PICTURE>"));
    renderer_forget(renderer);
    ck_assert_ptr_nonnull(strstr(frame_text(&out), "<PICTURE>"));
    grid.picture_count = 0;
    ck_assert_ptr_null(strstr(frame_text(&out), "<PICTURE>"));
    ck_assert_ptr_nonnull(strstr(gb_buf_str(&out), "<REMOVE>"));
    ck_assert_uint_eq(strlen(frame_text(&out)), 0);
    gb_buf_release(&out);
}
END_TEST

/* ---- terminals ---- */

START_TEST(the_entry_fits_the_terminal)
{
    static const struct {
        const char *term, *colour, *none, *entry;
        enum colour_depth depth;
    } terminals[] = {
        {"xterm-256color", "truecolor", NULL, "glassbell-direct", DEPTH_RGB},
        {"tmux-256color", "24bit", NULL, "glassbell-direct", DEPTH_RGB},
        {"tmux-256color", "truecolor", "1", "glassbell-16color", DEPTH_MONO},
        {"tmux-256color", NULL, "", "tmux-256color", DEPTH_256},
        {"screen-256color", NULL, NULL, "screen-256color", DEPTH_256},
        {"screen", NULL, NULL, "glassbell-16color", DEPTH_16},
        {"linux", "truecolor", NULL, "glassbell-16color", DEPTH_16},
        {"vt100", "truecolor", NULL, "vt100", DEPTH_MONO},
        {"xterm-mono", NULL, NULL, "xterm-mono", DEPTH_MONO},
    };
    struct terminfo terminfo;
    struct gb_err err = {0};

    (void)setenv("TERMINFO", "/nonexistent", 1);
    for (size_t i = 0; i < ARRAY_SIZE(terminals); i++) {
        environment(terminals[i].term, terminals[i].colour);
        if (terminals[i].none != NULL)
            (void)setenv("NO_COLOR", terminals[i].none, 1);
        ck_assert_int_eq(terminfo_find(STDOUT_FILENO, &terminfo, &err), 0);
        ck_assert_str_eq(terminfo.entry, terminals[i].entry);
        ck_assert_int_eq(terminfo.depth, terminals[i].depth);
        ck_assert_int_eq(renderer_open(&terminfo, &renderer, &err), 0);
        renderer_close(renderer);
        renderer = NULL;
        terminfo_release(&terminfo);
        ck_assert_str_eq(getenv("TERMINFO"), "/nonexistent"); /* the person's own */
    }
    (void)unsetenv("TERMINFO");
    environment("xterm-256color", "truecolor");
    ck_assert_int_eq(terminfo_find(STDOUT_FILENO, &terminfo, &err), 0);
    terminfo_release(&terminfo);
    ck_assert_ptr_null(getenv("TERMINFO"));
}
END_TEST

START_TEST(terminals_that_do_not_serve_are_refused)
{
    static const char *const terms[] = {"dumb", "unknown", "no-such-terminal", ""};
    struct terminfo terminfo;

    for (size_t i = 0; i < ARRAY_SIZE(terms); i++) {
        struct gb_err err = {0};

        environment(terms[i], "truecolor");
        ck_assert_int_eq(terminfo_find(STDOUT_FILENO, &terminfo, &err), -GB_EUNSUPPORTED);
        ck_assert_ptr_nonnull(strstr(err.message, "the terminal "));
    }
    (void)unsetenv("TERM");
    ck_assert_int_eq(terminfo_find(STDOUT_FILENO, &terminfo, NULL), -GB_EUNSUPPORTED);
}
END_TEST

/* Of those that ncurses catches where nobody else does. */
START_TEST(signals_are_left_alone)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        (void)signal(numbers[i], i % 2 == 0 ? SIG_DFL : SIG_IGN); /* allowed: in a test */
    open_on("xterm-256color", NULL, 80, 24);
    (void)frame();
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct sigaction after;

        (void)sigaction(numbers[i], NULL, &after);
        ck_assert(after.sa_handler == (i % 2 == 0 ? SIG_DFL : SIG_IGN));
    }
}
END_TEST

START_TEST(nothing_but_ascii_without_utf8)
{
    open_on("xterm-256color", "truecolor", 40, 2);
    abilities.utf8 = false;
    paint(0, 0, "\xe2\x94\x82 \xe6\x97\xa5 e\xcc\x81 \xe2\x97\x8f \xf0\x9f\x91\xa9 z");
    (void)frame();
    for (int x = 0; x < 11; x++)
        ck_assert_int_eq(model_at(&model, x, 0)->text[0], "| ?? ? * ?? z"[x]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("render");
    TCase *tests = tcase_create("render");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, only_differences_are_sent);
    tcase_add_test(tests, colours_that_are_set_are_not_set_again);
    tcase_add_test(tests, updates_are_synchronized_where_something_is_drawn);
    tcase_add_test(tests, any_screen_is_shown);
    tcase_add_test(tests, a_line_does_not_shift_behind_a_cluster);
    tcase_add_test(tests, colours_may_run_out);
    tcase_add_test(tests, clusters_may_run_out);
    tcase_add_test(tests, pictures_are_sent_when_their_place_was_drawn);
    tcase_add_test(tests, the_entry_fits_the_terminal);
    tcase_add_test(tests, terminals_that_do_not_serve_are_refused);
    tcase_add_test(tests, signals_are_left_alone);
    tcase_add_test(tests, nothing_but_ascii_without_utf8);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
