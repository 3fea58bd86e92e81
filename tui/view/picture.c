/* SPDX-License-Identifier: Apache-2.0 */
#include "show/words.h"
#include "view/picture.h"

#include <chafa.h>
#include <png.h>
#include <string.h>

#include "base/mem.h"

enum {
    PIXELS_MAX = 2 << 20,   /* decoded on the loop, which takes some tens of milliseconds */
    GRAPHICS_MAX = 4 << 20, /* bytes sent to the terminal */
    REMOVE_MAX = 64,
};

/* A picture drawn for a given width. */
struct figure {
    int wanted; /* the columns it was drawn for */
    enum picture_mode mode;
    int columns, rows; /* 0: it cannot be drawn */
    struct spot {
        uint32_t sign;
        colour fg, bg;
    } * spots;
    GString *bytes; /* sixel or kitty; NULL: characters */
    uint64_t id;
    char remove[REMOVE_MAX];
};

static void picture_release(struct figure *figure)
{
    free(figure->spots);
    if (figure->bytes != NULL)
        (void)g_string_free(figure->bytes, TRUE);
    *figure = (struct figure){0};
}

void picture_free(void *picture)
{
    if (picture == NULL)
        return;
    picture_release(picture);
    free(picture);
}

/* ---- from PNG ---- */

struct pixels {
    uint8_t *rgba;
    int width, height;
};

static bool picture_decode(struct gb_bytes bytes, struct pixels *ret_pixels)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    uint8_t *rgba = NULL;

    if (png_image_begin_read_from_memory(&image, bytes.data, bytes.size) == 0)
        return false;
    image.format = PNG_FORMAT_RGBA;
    if (image.width > 0 && image.height > 0 && image.width <= PICTURE_SIDE_MAX &&
        image.height <= PICTURE_SIDE_MAX && image.width * image.height <= PIXELS_MAX)
        rgba = malloc(PNG_IMAGE_SIZE(image)); /* at most PIXELS_MAX * 4 */
    if (rgba == NULL || png_image_finish_read(&image, NULL, rgba, 0, NULL) == 0) {
        png_image_free(&image);
        free(rgba);
        return false;
    }
    *ret_pixels = (struct pixels){rgba, (int)image.width, (int)image.height};
    return true;
}

/* ---- to characters, or to the terminal's graphics ---- */

static ChafaCanvas *picture_draw_canvas(const struct pixels *pixels, const struct figure *figure,
                                        const struct picture_look *look)
{
    ChafaCanvasConfig *config = chafa_canvas_config_new();
    ChafaSymbolMap *signs = chafa_symbol_map_new();
    ChafaCanvas *canvas;

    /* Only blocks: other symbols are not in every font, and look like output. */
    chafa_symbol_map_add_by_tags(signs, CHAFA_SYMBOL_TAG_HALF);
    chafa_symbol_map_add_by_tags(signs, CHAFA_SYMBOL_TAG_QUAD);
    chafa_symbol_map_add_by_tags(signs, CHAFA_SYMBOL_TAG_SPACE);
    chafa_symbol_map_add_by_tags(signs, CHAFA_SYMBOL_TAG_SOLID);
    chafa_canvas_config_set_symbol_map(config, signs);
    chafa_canvas_config_set_geometry(config, figure->columns, figure->rows);
    chafa_canvas_config_set_canvas_mode(config, CHAFA_CANVAS_MODE_TRUECOLOR);
    chafa_canvas_config_set_pixel_mode(config, look->mode == PICTURE_SIXEL ? CHAFA_PIXEL_MODE_SIXELS
                                               : look->mode == PICTURE_KITTY
                                                   ? CHAFA_PIXEL_MODE_KITTY
                                                   : CHAFA_PIXEL_MODE_SYMBOLS);
    if (look->cell_width > 0 && look->cell_height > 0)
        chafa_canvas_config_set_cell_geometry(config, look->cell_width, look->cell_height);
    canvas = chafa_canvas_new(config);
    chafa_canvas_draw_all_pixels(canvas, CHAFA_PIXEL_RGBA8_UNASSOCIATED, pixels->rgba,
                                 pixels->width, pixels->height, pixels->width * 4);
    chafa_symbol_map_unref(signs);
    chafa_canvas_config_unref(config);
    return canvas;
}

static colour picture_colour_of(gint rgb)
{
    return rgb < 0 ? COLOUR_NONE : COLOUR_RGB((uint32_t)rgb & 0xffffff);
}

static void picture_keep_spots(struct figure *figure, const ChafaCanvas *canvas)
{
    figure->spots = xcalloc((size_t)figure->columns * (size_t)figure->rows, sizeof(*figure->spots));
    for (int y = 0; y < figure->rows; y++)
        for (int x = 0; x < figure->columns; x++) {
            struct spot *spot = &figure->spots[y * figure->columns + x];
            gint fg = -1, bg = -1;

            chafa_canvas_get_colors_at((ChafaCanvas *)(uintptr_t)canvas, x, y, &fg, &bg);
            spot->sign = chafa_canvas_get_char_at((ChafaCanvas *)(uintptr_t)canvas, x, y);
            spot->fg = picture_colour_of(fg);
            spot->bg = picture_colour_of(bg);
        }
}

static void picture_keep_bytes(struct figure *figure, ChafaCanvas *canvas)
{
    static uint64_t last_id;
    ChafaTermInfo *terminal = chafa_term_db_get_fallback_info(chafa_term_db_get_default());

    figure->bytes = chafa_canvas_print(canvas, terminal);
    chafa_term_info_unref(terminal);
    if (figure->bytes != NULL && figure->bytes->len > GRAPHICS_MAX) {
        (void)g_string_free(figure->bytes, TRUE);
        figure->bytes = NULL;
    }
    figure->id = ++last_id;
}

static void picture_make(struct figure *figure, struct gb_bytes png,
                         const struct picture_look *look)
{
    struct pixels pixels = {0};
    ChafaCanvas *canvas;
    gint columns = look->columns, rows = PICTURE_ROWS_MAX;
    gfloat ratio = look->cell_width > 0 && look->cell_height > 0
                       ? (gfloat)look->cell_width / (gfloat)look->cell_height
                       : 0.5F;

    picture_release(figure);
    figure->wanted = look->columns;
    figure->mode = look->mode;
    if (look->columns < 4 || !picture_decode(png, &pixels))
        return;
    chafa_calc_canvas_geometry(pixels.width, pixels.height, &columns, &rows, ratio, FALSE, FALSE);
    figure->columns = MAX(1, MIN(columns, look->columns));
    figure->rows = MAX(1, MIN(rows, (gint)PICTURE_ROWS_MAX));
    canvas = picture_draw_canvas(&pixels, figure, look);
    if (look->mode == PICTURE_BLOCKS)
        picture_keep_spots(figure, canvas);
    else
        picture_keep_bytes(figure, canvas);
    chafa_canvas_unref(canvas);
    free(pixels.rgba);
    if (figure->spots == NULL && figure->bytes == NULL)
        figure->columns = figure->rows = 0;
}

/* The picture for this look; NULL: it is only named. */
static struct figure *picture_figure_of(struct card_display *display,
                                        const struct picture_look *look)
{
    struct figure *figure = display->picture;

    if (look->mode == PICTURE_NAMED || display->data.size == 0 ||
        strcmp(display->mime, "image/png") != 0)
        return NULL;
    if (figure == NULL)
        display->picture = figure = xcalloc(1, sizeof(*figure));
    if (figure->wanted != look->columns || figure->mode != look->mode)
        picture_make(figure, gb_buf_bytes(&display->data), look);
    return figure->rows > 0 ? figure : NULL;
}

size_t picture_rows(struct card_display *display, const struct picture_look *look)
{
    const struct figure *figure = picture_figure_of(display, look);

    return figure != NULL ? (size_t)figure->rows + 1 : 1;
}

static void picture_draw_spots(const struct figure *figure, struct region region, int y)
{
    for (int x = 0; x < figure->columns; x++) {
        const struct spot *spot = &figure->spots[y * figure->columns + x];
        struct style style = {.role = ROLE_TEXT, .fg = spot->fg, .bg = spot->bg};
        struct glyph glyph = {.width = 1};

        glyph.size = (uint8_t)g_unichar_to_utf8(spot->sign != 0 ? spot->sign : ' ', glyph.text);
        paint_glyph(region, x, 0, style, &glyph);
    }
}

/* Graphics are sent as a whole, when all of it is visible. */
static void picture_draw_graphics(struct figure *figure, struct region region)
{
    struct picture picture = {
        .width = figure->columns,
        .height = figure->rows,
        .id = figure->id,
        .bytes = {(const uint8_t *)figure->bytes->str, figure->bytes->len},
    };

    if (figure->mode == PICTURE_KITTY) {
        int n = g_snprintf(figure->remove, sizeof(figure->remove), "\033_Ga=d,d=p,x=%d,y=%d\033\\",
                           region.x + 1, region.y + 1);

        picture.remove = (struct gb_bytes){(const uint8_t *)figure->remove, (size_t)n};
    }
    if (!paint_picture(region, &picture))
        (void)paint_str(region, 0, 0, STYLE(ROLE_DIM), "(scroll to see the figure)");
}

void picture_draw(struct card_display *display, struct region region, size_t row,
                  const struct picture_look *look, size_t ordinal)
{
    struct figure *figure = picture_figure_of(display, look);
    char size[16];

    if (figure != NULL && (int)row < figure->rows) {
        if (figure->spots != NULL)
            picture_draw_spots(figure, region, (int)row);
        else if (row == 0)
            picture_draw_graphics(figure, region);
        return;
    }
    words_size(size, sizeof(size), (double)display->bytes);
    (void)paint_f(region, 0, 0, STYLE(ROLE_CELL_NOTE), "▦ %zu: %s, %s", ordinal, display->mime,
                  size);
}
