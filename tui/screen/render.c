/* SPDX-License-Identifier: Apache-2.0 */
#include "screen/render.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utf8proc.h>
#include <wchar.h>

#include <curses.h>
#include <term.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "platform/file.h"
#include "screen/cluster.h"
#include "screen/colours.h"

enum {
    PICTURE_REMOVE_MAX = 64,
    UNKNOWN = 255,             /* the size of a cell that equals no other */
    PALETTE_FIRST = 0x1000000, /* first palette colour in glassbell-direct */
};

/* A style in ncurses' terms. */
struct ink {
    attr_t attributes;
    int pair;
    bool strike;
};

struct renderer {
    struct screen *screen;
    FILE *file; /* a memory file for ncurses' output */
    enum colour_depth depth;
    bool has_private; /* the locale gives each character of cluster.h one column */
    struct gb_buf enter, leave;
    char *cursor_hide, *cursor_show, *plain; /* plain: no attributes, the cursor at home */
    struct grid shown;                       /* what ncurses has been given */
    bool known;                              /* that is known; else all cells are passed again */
    bool certain;      /* the terminal shows what ncurses assumes; else redraw everything */
    bool cursor_shown; /* on the terminal */
    struct clusters clusters;
    int pairs, pairs_max;                               /* colour pairs allocated in ncurses */
    char remove[GRID_PICTURES_MAX][PICTURE_REMOVE_MAX]; /* sequences that remove the displayed
                                                         * pictures */
    cchar_t row[GRID_SIDE_MAX];
};

struct frame {
    struct renderer *renderer;
    const struct grid *grid;
    const struct looks *looks;
    const struct terminal_abilities *abilities;
    struct style style; /* the previous cell's style, and its translation */
    struct ink ink;
    bool has_ink;
    bool ascii;   /* only ASCII may be sent */
    bool full;    /* out of colour pairs or clusters */
    bool changed; /* a cell differs */
    uint64_t pictures[GRID_PICTURES_MAX];
    bool dirty[GRID_PICTURES_MAX]; /* cells covered by the picture were drawn */
};

/* ---- ncurses and its file ---- */

/* Moves ncurses' output to the end of @out. */
static void render_take(struct renderer *renderer, struct gb_buf *out)
{
    int fd = fileno(renderer->file);
    off_t size = lseek(fd, 0, SEEK_CUR), at = 0;
    uint8_t *to = size > 0 ? gb_buf_reserve(out, (size_t)size, SIZE_MAX) : NULL;

    while (to != NULL && at < size) {
        ssize_t n = pread(fd, to + at, (size_t)(size - at), at);

        if (n <= 0 && errno != EINTR)
            break;
        at += MAX(n, 0);
    }
    if (to != NULL)
        gb_buf_commit(out, (size_t)at);
    (void)lseek(fd, 0, SEEK_SET);
}

/* A string from the terminfo entry, without delays. */
static const char *render_capability(const char *name)
{
    const char *text = tigetstr((char *)(uintptr_t)name);

    return text != NULL && text != (char *)-1 ? text : "";
}

static void render_start_colours(struct renderer *renderer)
{
    if (renderer->depth == DEPTH_MONO || start_color() != OK || use_default_colors() != OK)
        renderer->depth = DEPTH_MONO;
    else
        renderer->pairs_max = COLOR_PAIRS - 1;
}

/* The entering sequence is the output of newterm() and the first doupdate(); the leaving sequence
 * is what endwin() would write, plus clearing the screen on terminals with only one. endwin()
 * itself is not used: it resets the palette, which the user may have set. */
static void render_learn(struct renderer *renderer)
{
    static const char *const farewell[] = {"op", "sgr0", "clear", "cnorm", "rmcup"};

    (void)wnoutrefresh(stdscr);
    (void)doupdate();
    render_take(renderer, &renderer->enter);
    /* newterm() limits scrolling to the number of lines in the entry, and nothing else resets
     * that. */
    if (strncmp(render_capability("csr"), "\x1b[", 2) == 0)
        gb_buf_adds(&renderer->enter, "\x1b[r");
    for (size_t i = 0; i < ARRAY_SIZE(farewell); i++)
        gb_buf_adds(&renderer->leave, render_capability(farewell[i]));
    renderer->cursor_hide = xstrdup(render_capability("civis"));
    renderer->cursor_show = xstrdup(render_capability("cnorm"));
    renderer->plain =
        xasprintf("%s%s", render_capability("sgr0"), tiparm(render_capability("cup"), 0, 0));
}

int renderer_open(const struct terminfo *terminfo, struct renderer **ret_renderer,
                  struct gb_err *err)
{
    struct renderer *renderer = xcalloc(1, sizeof(*renderer));
    int fd = gb_file_in_memory("glassbell-frame", NULL);

    renderer->depth = terminfo->depth;
    renderer->has_private = wcwidth(CLUSTER_FIRST) == 1;
    renderer->file = fd >= 0 ? fdopen(fd, "w+") : NULL;
    if (renderer->file != NULL)
        renderer->screen = terminfo_screen(terminfo, renderer->file);
    if (renderer->screen == NULL) {
        renderer_close(renderer);
        return gb_err_set(err, GB_EUNSUPPORTED, "ncurses cannot draw on the terminal %s",
                          terminfo->entry);
    }
    (void)typeahead(-1);
    (void)idlok(stdscr, FALSE);
    idcok(stdscr, FALSE); /* shifting cells within a line would move pictures along */
    render_start_colours(renderer);
    render_learn(renderer);
    *ret_renderer = renderer;
    return 0;
}

void renderer_close(struct renderer *renderer)
{
    if (renderer == NULL)
        return;
    if (renderer->screen != NULL)
        delscreen(renderer->screen);
    if (renderer->file != NULL)
        (void)fclose(renderer->file);
    gb_buf_release(&renderer->enter);
    gb_buf_release(&renderer->leave);
    free(renderer->cursor_hide);
    free(renderer->cursor_show);
    free(renderer->plain);
    clusters_release(&renderer->clusters);
    grid_release(&renderer->shown);
    free(renderer);
}

struct gb_bytes renderer_enter(const struct renderer *renderer)
{
    return gb_buf_bytes(&renderer->enter);
}

struct gb_bytes renderer_leave(const struct renderer *renderer)
{
    return gb_buf_bytes(&renderer->leave);
}

void renderer_forget(struct renderer *renderer)
{
    renderer->known = renderer->certain = false;
}

void renderer_restyle(struct renderer *renderer)
{
    renderer->known = false;
}

/* ---- styles ---- */

static int render_colour(const struct renderer *renderer, colour c)
{
    if (c == COLOUR_NONE)
        return -1;
    if (COLOUR_IS_RGB(c))
        return (int)(c & 0xffffff);
    return renderer->depth == DEPTH_RGB ? PALETTE_FIRST + (int)(c & 0xff)
                                        : (int)(c & 0xff) % COLORS;
}

/* Pairs are kept until all are used, so that a frame never loses one that it shows. */
static int render_pair(struct frame *frame, int fg, int bg)
{
    struct renderer *renderer = frame->renderer;
    int pair;

    if (fg == -1 && bg == -1)
        return 0;
    pair = find_pair(fg, bg);
    if (pair > 0)
        return pair;
    if (renderer->pairs == renderer->pairs_max) {
        frame->full = true;
        return 0;
    }
    renderer->pairs++;
    return MAX(alloc_pair(fg, bg), 0);
}

static struct ink render_ink(struct frame *frame, struct style style)
{
    static const struct {
        uint8_t ours;
        attr_t theirs;
    } attributes[] = {
        {ATTRIBUTE_BOLD, A_BOLD},       {ATTRIBUTE_DIM, A_DIM},
        {ATTRIBUTE_ITALIC, A_ITALIC},   {ATTRIBUTE_UNDERLINE, A_UNDERLINE},
        {ATTRIBUTE_REVERSE, A_REVERSE},
    };
    struct look look = look_resolve(frame->looks, style, frame->renderer->depth);
    struct ink ink = {.strike = (look.attributes & ATTRIBUTE_STRIKE) != 0};

    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++)
        if ((look.attributes & attributes[i].ours) != 0)
            ink.attributes |= attributes[i].theirs;
    if (frame->renderer->depth != DEPTH_MONO)
        ink.pair = render_pair(frame, render_colour(frame->renderer, look.fg),
                               render_colour(frame->renderer, look.bg));
    return ink;
}

static bool render_same_style(struct style a, struct style b)
{
    return a.role == b.role && a.attributes == b.attributes && a.fg == b.fg && a.bg == b.bg;
}

/* ---- cells ---- */

static bool render_same_cell(const struct cell *a, const struct cell *b)
{
    return a->size == b->size && a->width == b->width && render_same_style(a->style, b->style) &&
           memcmp(a->text, b->text, GLYPH_BYTES) == 0;
}

/* For terminals without UTF-8: the symbols that we draw with, replaced by similar ASCII
 * characters. */
static char render_ascii(const struct cell *cell)
{
    static const struct {
        const char *sign;
        char ascii;
    } signs[] = {
        {"─", '-'}, {"━", '='}, {"│", '|'}, {"╭", '+'}, {"╮", '+'}, {"╰", '+'},
        {"╯", '+'}, {"├", '|'}, {"└", '`'}, {"…", '~'}, {"●", '*'}, {"◐", '?'},
        {"○", 'o'}, {"✕", 'x'}, {"✓", 'v'}, {"▲", '^'}, {"▼", 'v'}, {"▾", 'v'},
        {"▸", '>'}, {"◆", '*'}, {"›", '>'}, {"·", '.'},
    };

    if (cell->size == 1)
        return cell->text[0];
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++)
        if (strlen(signs[i].sign) == cell->size &&
            memcmp(signs[i].sign, cell->text, cell->size) == 0)
            return signs[i].ascii;
    return '?';
}

/* The picture that covers a cell; 0: none. */
static uint64_t render_picture_above(const struct frame *frame, int x, int y)
{
    uint64_t above = 0;

    for (size_t i = 0; i < frame->grid->picture_count; i++) {
        const struct picture *picture = &frame->grid->pictures[i];

        if (x >= picture->x && x < picture->x + picture->width && y >= picture->y &&
            y < picture->y + picture->height)
            above = frame->pictures[i];
    }
    return above;
}

/* The cell's only character, if ncurses agrees with us about its width; 0: not that simple. */
static wchar_t render_character(const struct cell *cell)
{
    utf8proc_int32_t c;

    if (cell->size == 1)
        return (unsigned char)cell->text[0];
    if (cell->uncertain ||
        utf8proc_iterate((const uint8_t *)cell->text, cell->size, &c) != cell->size ||
        wcwidth((wchar_t)c) != cell->width)
        return 0;
    return (wchar_t)c;
}

/* Adds a column, or a wide character, to what is passed to ncurses. */
static void render_add(struct frame *frame, size_t *count, wchar_t c)
{
    wchar_t text[2] = {c, 0};

    (void)setcchar(&frame->renderer->row[*count], text, frame->ink.attributes, 0, &frame->ink.pair);
    (*count)++;
}

static void render_add_cluster(struct frame *frame, size_t *count, const struct cell *cell,
                               bool edge, uint64_t picture)
{
    struct cluster cluster = {.picture = picture};
    wchar_t sign;

    memcpy(cluster.text, cell->text, cell->size);
    cluster.size = cell->size;
    if (cell->uncertain || cell->width == 2)
        cluster.flags |= CLUSTER_HELD;
    if (cell->uncertain && cell->width == 2)
        cluster.flags |= CLUSTER_WIDE;
    /* A cluster with marks is not too wide, and the marks would be misplaced where nothing
     * wraps. */
    if (cell->uncertain && edge &&
        gb_utf8_sequence((const uint8_t *)cell->text, cell->size) == cell->size)
        cluster.flags |= CLUSTER_EDGE;
    if (frame->ink.strike)
        cluster.flags |= CLUSTER_STRUCK;
    sign = cluster_sign(&frame->renderer->clusters, &cluster);
    frame->full |= sign == 0;
    render_add(frame, count, sign != 0 ? sign : '?');
    if (cell->width == 2) {
        cluster = (struct cluster){.picture = picture, .flags = CLUSTER_RIGHT};
        sign = cluster_sign(&frame->renderer->clusters, &cluster);
        frame->full |= sign == 0;
        render_add(frame, count, sign != 0 ? sign : '?');
    }
}

static void render_add_cell(struct frame *frame, size_t *count, int x, int y)
{
    const struct grid *grid = frame->grid;
    const struct cell *cell = &grid->cells[(size_t)y * (size_t)grid->width + (size_t)x];
    uint64_t picture = render_picture_above(frame, x, y);
    wchar_t c;

    if (!frame->has_ink || !render_same_style(cell->style, frame->style)) {
        frame->style = cell->style;
        frame->ink = render_ink(frame, cell->style);
        frame->has_ink = true;
    }
    if (frame->ascii) {
        for (int i = 0; i < cell->width; i++)
            render_add(frame, count, render_ascii(cell));
        return;
    }
    c = frame->ink.strike || picture != 0 ? 0 : render_character(cell);
    if (c != 0)
        render_add(frame, count, c);
    else
        render_add_cluster(frame, count, cell, x + cell->width == grid->width, picture);
}

/* Passes the changed cells of a row to ncurses, run by run. */
static void render_put_row(struct frame *frame, int y)
{
    struct renderer *renderer = frame->renderer;
    const int width = frame->grid->width;
    const struct cell *cells = &frame->grid->cells[(size_t)y * (size_t)width];
    struct cell *before = &renderer->shown.cells[(size_t)y * (size_t)width];
    bool changed = false;
    size_t count = 0;
    int from = 0;

    if (renderer->known && memcmp(before, cells, (size_t)width * sizeof(*cells)) == 0)
        return; /* most rows, in a tenth of the time; differing padding bytes only cost time */
    for (int x = 0; x < width; x++) {
        if (cells[x].size == 0) /* drawn with the left half */
            continue;
        if (renderer->known && render_same_cell(&cells[x], &before[x])) {
            if (count > 0)
                (void)mvadd_wchnstr(y, from, renderer->row, (int)count);
            count = 0;
            continue;
        }
        if (count == 0)
            from = x;
        render_add_cell(frame, &count, x, y);
        changed = true;
    }
    if (count > 0)
        (void)mvadd_wchnstr(y, from, renderer->row, (int)count);
    if (changed)
        memcpy(before, cells, (size_t)width * sizeof(*cells));
    frame->changed |= changed;
}

/* ---- pictures ---- */

static bool render_same_picture(const struct picture *a, const struct picture *b)
{
    return a->id == b->id && a->x == b->x && a->y == b->y && a->width == b->width &&
           a->height == b->height;
}

static bool render_has_picture(const struct grid *grid, const struct picture *picture)
{
    for (size_t i = 0; i < grid->picture_count; i++)
        if (render_same_picture(&grid->pictures[i], picture))
            return true;
    return false;
}

/* A number for a picture at its position, so that the cells it covers change when it moves. */
static uint64_t render_picture_number(const struct picture *picture)
{
    const uint64_t fields[] = {picture->id, (uint64_t)picture->x << 32 | (uint64_t)picture->y,
                               (uint64_t)picture->width << 32 | (uint64_t)picture->height};
    uint64_t number = 1;

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        number = (number ^ number >> 29 ^ fields[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return number | 1;
}

static void render_forget_area(struct grid *shown, const struct picture *picture)
{
    for (int y = picture->y; y < MIN(picture->y + picture->height, shown->height); y++)
        for (int x = picture->x; x < MIN(picture->x + picture->width, shown->width); x++)
            shown->cells[(size_t)y * (size_t)shown->width + (size_t)x].size = UNKNOWN;
}

/* Passes cells again that are covered by pictures which appeared or disappeared. */
static void render_compare_pictures(struct frame *frame)
{
    struct grid *shown = &frame->renderer->shown;
    const struct grid *grid = frame->grid;

    for (size_t i = 0; i < grid->picture_count; i++) {
        frame->pictures[i] = render_picture_number(&grid->pictures[i]);
        if (!render_has_picture(shown, &grid->pictures[i])) {
            render_forget_area(shown, &grid->pictures[i]);
            frame->dirty[i] = true;
        }
    }
    for (size_t i = 0; i < shown->picture_count; i++)
        if (!render_has_picture(grid, &shown->pictures[i]))
            render_forget_area(shown, &shown->pictures[i]);
}

static void render_remove_pictures(const struct frame *frame, struct gb_buf *out)
{
    const struct renderer *renderer = frame->renderer;

    for (size_t i = 0; i < renderer->shown.picture_count; i++)
        if (!render_has_picture(frame->grid, &renderer->shown.pictures[i]))
            gb_buf_adds(out, renderer->remove[i]);
}

static void render_on_drawn(void *arg, uint64_t picture)
{
    struct frame *frame = arg;

    for (size_t i = 0; i < frame->grid->picture_count; i++)
        frame->dirty[i] |= frame->pictures[i] == picture;
}

/* Saves and restores ncurses' cursor around each. */
static void render_put_pictures(const struct frame *frame, struct gb_buf *out)
{
    for (size_t i = 0; i < frame->grid->picture_count; i++) {
        const struct picture *picture = &frame->grid->pictures[i];

        if (!frame->dirty[i] && !(frame->ascii && frame->changed))
            continue;
        gb_buf_addf(out,
                    "\x1b"
                    "7\x1b[%d;%dH",
                    picture->y + 1, picture->x + 1);
        gb_buf_add(out, picture->bytes.data, picture->bytes.size);
        gb_buf_adds(out, "\x1b"
                         "8");
    }
}

/* ---- frames ---- */

static void render_remember(struct renderer *renderer, const struct grid *grid)
{
    struct grid *shown = &renderer->shown;

    memcpy(shown->pictures, grid->pictures, sizeof(shown->pictures));
    shown->picture_count = grid->picture_count;
    for (size_t i = 0; i < grid->picture_count; i++) {
        struct gb_bytes remove = grid->pictures[i].remove;

        if (remove.size >= PICTURE_REMOVE_MAX)
            remove.size = 0;
        if (remove.size > 0)
            memcpy(renderer->remove[i], remove.data, remove.size);
        renderer->remove[i][remove.size] = '\0';
    }
    shown->cursor = grid->cursor;
    shown->cursor_x = grid->cursor_x;
    shown->cursor_y = grid->cursor_y;
    renderer->known = renderer->certain = true;
}

static bool render_same_cursor(const struct grid *a, const struct grid *b)
{
    return a->cursor == b->cursor &&
           (!a->cursor || (a->cursor_x == b->cursor_x && a->cursor_y == b->cursor_y));
}

/* Colour pairs or clusters have run out, most of them no longer used: allocates them anew for the
 * current content. What exceeds the limit within a single frame gets the terminal's default
 * colours, or a question mark. */
static void render_start_over(struct renderer *renderer)
{
    if (renderer->pairs > 0) {
        reset_color_pairs();
        (void)use_default_colors();
        renderer->pairs = 0;
    }
    clusters_clear(&renderer->clusters);
    renderer->known = renderer->certain = false;
}

/* Makes ncurses assume that the cursor is where `plain` puts it. Its output is discarded:
 * everything is redrawn. */
static void render_go_home(struct renderer *renderer)
{
    struct gb_buf dropped = {0};

    (void)leaveok(stdscr, FALSE);
    (void)move(0, 0);
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
    render_take(renderer, &dropped);
    gb_buf_release(&dropped);
}

static void render_put(struct frame *frame)
{
    frame->full = frame->has_ink = false;
    for (int y = 0; y < frame->grid->height; y++)
        render_put_row(frame, y);
}

static void render_resize(struct renderer *renderer, const struct grid *grid)
{
    if (renderer->shown.width == grid->width && renderer->shown.height == grid->height)
        return;
    grid_resize(&renderer->shown, grid->width, grid->height);
    (void)resize_term(grid->height, grid->width);
    renderer->known = renderer->certain = false;
}

/* ncurses' output, with clusters expanded; nothing if nothing has changed. */
static void render_update(struct frame *frame, struct gb_buf *out)
{
    const struct grid *grid = frame->grid;
    struct gb_buf bytes = {0}, once = {0};

    if (!frame->renderer->certain) {
        gb_buf_adds(out, frame->renderer->plain);
        (void)redrawwin(stdscr);
    }
    (void)leaveok(stdscr, !grid->cursor);
    if (grid->cursor)
        (void)move(grid->cursor_y, grid->cursor_x);
    (void)wnoutrefresh(stdscr);
    (void)doupdate();
    render_take(frame->renderer, &bytes);
    colours_once(gb_buf_bytes(&bytes), &once);
    clusters_expand(&frame->renderer->clusters, gb_buf_bytes(&once), out, render_on_drawn, frame);
    gb_buf_release(&bytes);
    gb_buf_release(&once);
}

/* Adds around @body what ncurses does not do. */
static void render_finish(struct frame *frame, const struct gb_buf *body, struct gb_buf *out)
{
    struct renderer *renderer = frame->renderer;
    const bool cursor = frame->grid->cursor, drawn = frame->changed && body->size > 0;

    if (drawn && frame->abilities->synchronized)
        gb_buf_adds(out, "\x1b[?2026h");
    if (renderer->cursor_shown && (drawn || !cursor)) {
        gb_buf_adds(out, renderer->cursor_hide);
        renderer->cursor_shown = false;
    }
    gb_buf_add(out, gb_buf_data(body), body->size);
    if (cursor && !renderer->cursor_shown) {
        gb_buf_adds(out, renderer->cursor_show);
        renderer->cursor_shown = true;
    }
    if (drawn && frame->abilities->synchronized)
        gb_buf_adds(out, "\x1b[?2026l");
}

void renderer_frame(struct renderer *renderer, const struct grid *grid, const struct looks *looks,
                    const struct terminal_abilities *abilities, struct gb_buf *out)
{
    struct frame frame = {
        .renderer = renderer,
        .grid = grid,
        .looks = looks,
        .abilities = abilities,
        .ascii = !abilities->utf8 || !renderer->has_private,
    };
    struct gb_buf body = {0};

    (void)set_term(renderer->screen);
    render_resize(renderer, grid);
    if (!renderer->certain) {
        render_go_home(renderer);
        renderer->cursor_shown = true; /* perhaps */
    }
    render_compare_pictures(&frame);
    render_put(&frame);
    if (frame.full) {
        render_start_over(renderer);
        render_put(&frame);
    }
    if (!frame.changed && renderer->certain && render_same_cursor(grid, &renderer->shown))
        return;
    render_remove_pictures(&frame, &body);
    render_update(&frame, &body);
    render_put_pictures(&frame, &body);
    render_finish(&frame, &body, out);
    render_remember(renderer, grid);
    gb_buf_release(&body);
}
