/* SPDX-License-Identifier: Apache-2.0 */
/* The interpreter: turns a program's bytes into rows of places (text.h describes the rules). */
#include "text.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "private.h"

void feed_init(struct feed *feed)
{
    *feed = (struct feed){.row_count = 1};
}

void feed_release(struct feed *feed)
{
    for (unsigned i = 0; i < TEXT_ROWS_MAX; i++)
        row_release(&feed->rows[i]);
}

bool feed_is_open(const struct feed *feed)
{
    return feed->row_count > 1 || feed->rows[0].columns > 0;
}

static struct row *feed_current(struct feed *feed)
{
    return &feed->rows[feed->row];
}

/* ---- lines ---- */

static void feed_store_first(struct text *text, enum text_stream stream)
{
    struct feed *feed = &text->feeds[stream];
    struct row first = feed->rows[0];

    text_store_row(text, stream, &first);
    memmove(feed->rows, feed->rows + 1, (feed->row_count - 1) * sizeof(first));
    feed->rows[--feed->row_count] = first; /* reuses its memory */
    if (feed->row > 0)
        feed->row--;
}

static void feed_store_all(struct text *text, enum text_stream stream)
{
    while (text->feeds[stream].row_count > 0)
        feed_store_first(text, stream);
    text->feeds[stream].row_count = 1;
    text->feeds[stream].row = text->feeds[stream].column = 0;
}

/* On the last open line, everything above is stored; a cursor can take it back from there. */
static void feed_new_line(struct text *text, enum text_stream stream, bool continues)
{
    struct feed *feed = &text->feeds[stream];

    feed->column = 0;
    feed->cutter = (struct unit_cutter){0};
    if (feed->row + 1 < feed->row_count) {
        feed->row++;
        while (feed->row > 0 && feed->row + 1 == feed->row_count)
            feed_store_first(text, stream);
        return;
    }
    feed_store_all(text, stream);
    feed->rows[0].continues = continues;
}

static void feed_move_up(struct text *text, enum text_stream stream, unsigned count)
{
    struct feed *feed = &text->feeds[stream];

    while (count > feed->row && feed->row_count < TEXT_ROWS_MAX) {
        struct row above = feed->rows[feed->row_count]; /* an unused one */

        above.columns = 0;
        if (!text_unstore(text, stream, &above)) {
            feed->rows[feed->row_count] = above;
            break;
        }
        memmove(feed->rows + 1, feed->rows, feed->row_count * sizeof(above));
        feed->rows[0] = above;
        feed->row_count++;
        feed->row++;
    }
    feed->row -= MIN(count, feed->row);
}

static void feed_move_down(struct feed *feed, unsigned count)
{
    feed->row = MIN(feed->row + count, feed->row_count - 1);
}

/* ---- units ---- */

/* If half of a wide unit is overwritten, the other half becomes a blank. */
static void feed_split_wide(struct row *row, unsigned column)
{
    if (column >= row->columns || row->places[column].unit.size != 0 || column == 0)
        return;
    row->places[column].unit = row->places[column - 1].unit =
        (struct unit){.bytes = " ", .size = 1, .width = 1};
}

static void feed_put_unit(struct text *text, enum text_stream stream, const struct unit *unit)
{
    struct feed *feed = &text->feeds[stream];
    struct row *row;

    if (feed->column + unit->width > TEXT_COLUMNS_MAX) {
        if (feed->row + 1 < feed->row_count)
            return; /* a line below is open: truncate what does not fit */
        feed_new_line(text, stream, true);
    }
    row = feed_current(feed);
    (void)row_place(row, feed->column + unit->width - 1);
    feed_split_wide(row, feed->column);
    feed_split_wide(row, feed->column + unit->width);
    if (unit->width == 2)
        row->places[feed->column + 1] = (struct place){.style = feed->style};
    row->places[feed->column] = (struct place){*unit, feed->style};
    feed->column += unit->width;
}

/* The unit before the cursor, for a mark. NULL: none. */
static struct unit *feed_unit_before(struct feed *feed)
{
    struct row *row = feed_current(feed);
    unsigned column = feed->column;

    if (column == 0 || column > row->columns)
        return NULL;
    column--;
    if (row->places[column].unit.size == 0 && column > 0)
        column--;
    return &row->places[column].unit;
}

static void feed_put_code(struct text *text, enum text_stream stream, uint32_t code)
{
    struct feed *feed = &text->feeds[stream];
    struct unit *before = feed_unit_before(feed), unit = {0};

    if (before != NULL)
        unit = *before;
    switch (unit_add(&feed->cutter, code, &unit)) {
    case UNIT_BEGINS:
        feed_put_unit(text, stream, &unit);
        break;
    case UNIT_EXTENDS:
        if (before != NULL)
            *before = unit;
        break;
    case UNIT_NOTHING:
        break;
    }
}

/* ---- control characters ---- */

static void feed_control(struct text *text, enum text_stream stream, uint8_t byte)
{
    struct feed *feed = &text->feeds[stream];

    feed->cutter = (struct unit_cutter){0};
    switch (byte) {
    case '\n':
        feed_new_line(text, stream, false);
        break;
    case '\r':
        feed->column = 0;
        break;
    case '\b':
        feed->column -= feed->column > 0;
        break;
    case '\t': /* skips existing text; adds blanks elsewhere */
        feed->column = MIN((feed->column / TEXT_TAB + 1) * TEXT_TAB, TEXT_COLUMNS_MAX - 1u);
        (void)row_place(feed_current(feed), feed->column - 1);
        break;
    case '\a':
        break;
    case 0x1b:
        feed->state = PARSE_ESCAPE;
        break;
    default:
        feed_put_code(text, stream, byte);
        break;
    }
}

/* ---- control sequences ---- */

static unsigned feed_param(const struct feed *feed, unsigned i, unsigned otherwise)
{
    return i < feed->param_count && feed->params[i] > 0 ? feed->params[i] : otherwise;
}

/* 38;5;N 38;2;R;G;B 38:5:N 38:2::R:G:B 38:2:R:G:B. Returns the number of parameters used. */
static unsigned feed_extended_colour(const struct feed *feed, unsigned i, uint32_t *colour)
{
    unsigned end = i + 1, first = i + 2;
    bool colons = i + 1 < feed->param_count && (feed->joined >> (i + 1) & 1u) != 0;
    unsigned kind = feed_param(feed, i + 1, 0);

    if (colons) {
        while (end < feed->param_count && (feed->joined >> end & 1u) != 0)
            end++;
        if (kind == 2 && end - i >= 6)
            first++; /* with a colour space parameter */
    } else {
        end = MIN(i + (kind == 5 ? 3u : kind == 2 ? 5u : 1u), (unsigned)feed->param_count);
    }
    if (kind == 5 && first < end && feed->params[first] < 256)
        *colour = TEXT_COLOUR_INDEX | feed->params[first];
    else if (kind == 2 && first + 2 < end && feed->params[first] < 256 &&
             feed->params[first + 1] < 256 && feed->params[first + 2] < 256)
        *colour = TEXT_COLOUR_RGB | (uint32_t)feed->params[first] << 16 |
                  (uint32_t)feed->params[first + 1] << 8 | feed->params[first + 2];
    return end - i;
}

static void feed_attribute(struct text_style *style, unsigned code)
{
    static const struct {
        uint8_t on, off;
    } effects[30] = {
        [1] = {TEXT_BOLD, 0},      [2] = {TEXT_DIM, 0},        [3] = {TEXT_ITALIC, 0},
        [4] = {TEXT_UNDERLINE, 0}, [7] = {TEXT_REVERSE, 0},    [8] = {TEXT_CONCEAL, 0},
        [9] = {TEXT_STRIKE, 0},    [21] = {TEXT_UNDERLINE, 0}, [22] = {0, TEXT_BOLD | TEXT_DIM},
        [23] = {0, TEXT_ITALIC},   [24] = {0, TEXT_UNDERLINE}, [27] = {0, TEXT_REVERSE},
        [28] = {0, TEXT_CONCEAL},  [29] = {0, TEXT_STRIKE},
    };

    if (code == 0) {
        *style = (struct text_style){0};
    } else if (code < ARRAY_SIZE(effects)) {
        style->attributes |= effects[code].on;
        style->attributes &= (uint8_t)~effects[code].off;
    } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
        style->fg = TEXT_COLOUR_INDEX | (code < 90 ? code - 30 : code - 90 + 8);
    } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
        style->bg = TEXT_COLOUR_INDEX | (code < 100 ? code - 40 : code - 100 + 8);
    } else if (code == 39) {
        style->fg = TEXT_COLOUR_DEFAULT;
    } else if (code == 49) {
        style->bg = TEXT_COLOUR_DEFAULT;
    }
}

static void feed_select_graphics(struct feed *feed)
{
    unsigned i = 0;

    if (feed->param_count == 0)
        feed->style = (struct text_style){0};
    while (i < feed->param_count) {
        unsigned code = feed->params[i];

        if (code == 38 || code == 48) {
            i += feed_extended_colour(feed, i, code == 38 ? &feed->style.fg : &feed->style.bg);
            continue;
        }
        /* 4:0 is no underline, 4:3 a curly one. */
        if (code == 4 && i + 1 < feed->param_count && (feed->joined >> (i + 1) & 1u) != 0)
            code = feed->params[i + 1] == 0 ? 24 : 4;
        feed_attribute(&feed->style, code);
        for (i++; i < feed->param_count && (feed->joined >> i & 1u) != 0; i++)
            ;
    }
}

static void feed_erase_line(struct feed *feed, unsigned how)
{
    struct row *row = feed_current(feed);
    unsigned from = how == 0 ? feed->column : 0;
    unsigned to = how == 1 ? MIN(feed->column + 1, (unsigned)row->columns) : row->columns;

    if (how > 2 || from >= row->columns)
        return;
    feed_split_wide(row, from);
    if (to < row->columns)
        feed_split_wide(row, to);
    for (unsigned i = from; i < to; i++)
        row->places[i] = (struct place){.unit = {.bytes = " ", .size = 1, .width = 1}};
    if (to == row->columns)
        row->columns = (uint16_t)from;
}

static void feed_sequence(struct text *text, enum text_stream stream, uint8_t final)
{
    struct feed *feed = &text->feeds[stream];
    unsigned count = feed_param(feed, 0, 1);

    switch (final) {
    case 'm':
        feed_select_graphics(feed);
        break;
    case 'K':
        feed_erase_line(feed, feed_param(feed, 0, 0));
        break;
    case 'J':
        if (feed_param(feed, 0, 0) != 0)
            break; /* programs may not clear the whole screen */
        feed_erase_line(feed, 0);
        for (unsigned i = feed->row + 1; i < feed->row_count; i++)
            feed->rows[i].columns = 0;
        feed->row_count = feed->row + 1;
        break;
    case 'A':
        feed_move_up(text, stream, count);
        break;
    case 'F':
        feed_move_up(text, stream, count);
        feed->column = 0;
        break;
    case 'B':
        feed_move_down(feed, count);
        break;
    case 'E':
        feed_move_down(feed, count);
        feed->column = 0;
        break;
    case 'C':
        feed->column = MIN(feed->column + count, TEXT_COLUMNS_MAX - 1u);
        break;
    case 'D':
        feed->column -= MIN(count, feed->column);
        break;
    case 'G':
        feed->column = MIN(count, (unsigned)TEXT_COLUMNS_MAX) - 1;
        break;
    default:
        break;
    }
    feed->cutter = (struct unit_cutter){0};
}

static void feed_csi_byte(struct text *text, enum text_stream stream, uint8_t byte)
{
    struct feed *feed = &text->feeds[stream];

    if (byte >= '0' && byte <= '9') {
        uint16_t *value;

        if (feed->param_count == 0)
            feed->param_count = 1;
        value = &feed->params[feed->param_count - 1];
        *value = (uint16_t)MIN(*value * 10u + byte - '0', 9999u);
    } else if (byte == ';' || byte == ':') {
        if (feed->param_count == 0)
            feed->param_count = 1; /* the first one is absent */
        if (feed->param_count == TEXT_PARAMS_MAX) {
            feed->state = PARSE_CSI_IGNORE;
            return;
        }
        if (byte == ':')
            feed->joined |= 1u << feed->param_count;
        feed->params[feed->param_count++] = 0;
    } else if (byte >= 0x40 && byte <= 0x7e) {
        feed->state = PARSE_GROUND;
        feed_sequence(text, stream, byte);
    } else {
        feed->state = PARSE_CSI_IGNORE; /* a private prefix or an intermediate: unsupported */
    }
}

static void feed_begin_string(struct feed *feed, bool osc)
{
    feed->state = PARSE_STRING;
    feed->string_size = 0;
    feed->osc = osc;
}

static void feed_escape_byte(struct feed *feed, uint8_t byte)
{
    feed->state = PARSE_GROUND;
    switch (byte) {
    case '[':
        feed->state = PARSE_CSI;
        feed->param_count = 0;
        feed->joined = 0;
        memset(feed->params, 0, sizeof(feed->params));
        break;
    case ']':
        feed_begin_string(feed, true);
        break;
    case 'P':
    case 'X':
    case '^':
    case '_':
        feed_begin_string(feed, false);
        break;
    default:
        if (byte >= 0x20 && byte <= 0x2f)
            feed->state = PARSE_INTERMEDIATE;
        break;
    }
}

/* Handles a byte while in a control sequence. False: it is text. */
static bool feed_sequence_byte(struct text *text, enum text_stream stream, uint8_t byte)
{
    struct feed *feed = &text->feeds[stream];
    bool in_string = feed->state == PARSE_STRING || feed->state == PARSE_STRING_ESCAPE;

    if (byte == 0x18 || byte == 0x1a) { /* CAN, SUB: abort */
        feed->state = PARSE_GROUND;
        return true;
    }
    if (byte == '\n' && (!in_string || feed->osc)) {
        feed->state = PARSE_GROUND; /* sequences do not span lines */
        return false;
    }
    if (byte == 0x1b) {
        feed->state = in_string ? PARSE_STRING_ESCAPE : PARSE_ESCAPE;
        return true;
    }
    if (!in_string && (byte < 0x20 || byte >= 0x7f)) {
        feed->state = PARSE_GROUND; /* not a sequence: handle the byte on its own */
        return false;
    }
    switch (feed->state) {
    case PARSE_ESCAPE:
        feed_escape_byte(feed, byte);
        break;
    case PARSE_INTERMEDIATE:
        if (byte >= 0x30)
            feed->state = PARSE_GROUND;
        break;
    case PARSE_CSI:
        feed_csi_byte(text, stream, byte);
        break;
    case PARSE_CSI_IGNORE:
        if (byte >= 0x40)
            feed->state = PARSE_GROUND;
        break;
    case PARSE_STRING_ESCAPE: /* ESC \ ends it; another ESC starts a new sequence */
        feed->state = PARSE_ESCAPE;
        if (byte == '\\')
            feed->state = PARSE_GROUND;
        else
            feed_escape_byte(feed, byte);
        break;
    case PARSE_STRING:
        if (byte == '\a' || ++feed->string_size > TEXT_STRING_MAX)
            feed->state = PARSE_GROUND;
        break;
    case PARSE_GROUND:
    case PARSE_STATE_COUNT:
    default:
        break;
    }
    return true;
}

/* ---- bytes ---- */

/* The common case: whole lines of printable ASCII. Returns the bytes used. */
static size_t feed_lines(struct text *text, enum text_stream stream, struct gb_bytes bytes)
{
    struct feed *feed = &text->feeds[stream];
    const uint64_t begin = feed->at;
    size_t at = 0;

    while (feed->row_count == 1 && feed->rows[0].columns == 0 && feed->column == 0 &&
           !feed->rows[0].continues && at < bytes.size) {
        const uint8_t *line = bytes.data + at;
        size_t size = 0, room = MIN(bytes.size - at, TEXT_COLUMNS_MAX + 1u);

        while (size < room && line[size] >= 0x20 && line[size] < 0x7f)
            size++;
        if (size == room || line[size] != '\n' || size > TEXT_COLUMNS_MAX)
            break;
        feed->at = begin + at + size;
        text_store_ascii(text, stream, (struct gb_bytes){line, size}, feed->style);
        feed->cutter = (struct unit_cutter){0};
        at += size + 1;
    }
    return at;
}

/* Printable ASCII at the cursor. Returns the bytes used. */
static size_t feed_ascii(struct text *text, enum text_stream stream, struct gb_bytes bytes)
{
    size_t at = 0;

    for (; at < bytes.size && bytes.data[at] >= 0x20 && bytes.data[at] < 0x7f; at++) {
        struct unit unit = {.bytes = {(char)bytes.data[at]}, .size = 1, .width = 1};

        feed_put_unit(text, stream, &unit);
    }
    if (at > 0)
        text->feeds[stream].cutter = (struct unit_cutter){0};
    return at;
}

/* A byte above ASCII, or one that follows one. Returns the bytes used: 0 or 1. */
static size_t feed_utf8(struct text *text, enum text_stream stream, uint8_t byte)
{
    struct feed *feed = &text->feeds[stream];
    size_t size;

    feed->partial[feed->partial_size++] = byte;
    size = gb_utf8_sequence(feed->partial, feed->partial_size);
    if (size > 0) {
        feed_put_code(text, stream, unit_decode(feed->partial, size));
        feed->partial_size = 0;
        return 1;
    }
    if (gb_utf8_unfinished((struct gb_bytes){feed->partial, feed->partial_size}) ==
        feed->partial_size)
        return 1;
    /* The sequence so far is not UTF-8; this byte may start another. */
    size = feed->partial_size > 1 ? 0 : 1;
    feed->partial_size = 0;
    feed_put_code(text, stream, UINT32_MAX);
    return size;
}

void text_feed(struct text *text, enum text_stream stream, struct gb_bytes bytes)
{
    struct feed *feed = &text->feeds[stream];
    const uint64_t begin = feed->at;
    size_t at = 0;

    while (at < bytes.size) {
        struct gb_bytes rest = {bytes.data + at, bytes.size - at};
        uint8_t byte = rest.data[0];

        feed->at = begin + at;
        if (feed->partial_size > 0 || (byte >= 0x80 && feed->state == PARSE_GROUND)) {
            at += feed_utf8(text, stream, byte);
        } else if (feed->state != PARSE_GROUND) {
            at += feed_sequence_byte(text, stream, byte) ? 1 : 0;
        } else if (byte >= 0x20 && byte < 0x7f) {
            size_t used = feed_lines(text, stream, rest);

            at += used > 0 ? used : feed_ascii(text, stream, rest);
        } else {
            feed_control(text, stream, byte);
            at++;
        }
    }
    feed->at = begin + at;
}

void text_end(struct text *text)
{
    for (int i = 0; i < TEXT_STREAM_COUNT; i++) {
        enum text_stream stream = (enum text_stream)i;
        struct feed *feed = &text->feeds[i];
        const uint64_t at = feed->at;

        if (feed->partial_size > 0)
            feed_put_code(text, stream, UINT32_MAX);
        if (feed_is_open(feed))
            feed_store_all(text, stream);
        feed_release(feed);
        feed_init(feed);
        feed->at = feed->ended = at;
    }
}
