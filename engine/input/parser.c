/* SPDX-License-Identifier: Apache-2.0 */
#include "input/parser.h"

#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

enum { ESCAPE = 0x1b, BELL = 0x07, PARAMETERS_MAX = 16, PASTE_END_SIZE = 6 };
#define PASTE_END "\x1b[201~"

/* What take() found at the start of the sequence. */
struct taken {
    size_t size; /* 0: incomplete */
    bool event;  /* an event is to be reported */
    struct input_event told;
};

static void parser_tell_key(struct taken *taken, uint32_t code, uint8_t modifiers)
{
    taken->event = true;
    taken->told.kind = INPUT_KEY;
    taken->told.key = (struct key){code, modifiers};
}

/* ---- CSI ---- */

struct csi {
    uint8_t prefix; /* one of <=>? or 0 */
    uint8_t intermediate, final;
    int parameters[PARAMETERS_MAX]; /* -1: absent */
    size_t count;
};

/* Parses the parameters between @data and @end, which are known to be in 0x20–0x3f. */
static void parser_read_csi(const uint8_t *data, const uint8_t *end, struct csi *csi)
{
    int value = -1;

    if (data < end && *data >= '<' && *data <= '?')
        csi->prefix = *data++;
    for (; data < end && *data >= 0x30; data++) {
        if (*data >= '0' && *data <= '9') {
            value = MIN(MAX(value, 0) * 10 + (*data - '0'), 1 << 24);
        } else if (*data == ';' || *data == ':') {
            if (csi->count < PARAMETERS_MAX)
                csi->parameters[csi->count++] = value;
            value = -1;
        }
    }
    if (csi->count < PARAMETERS_MAX)
        csi->parameters[csi->count++] = value;
    if (data < end)
        csi->intermediate = *data;
}

static int parser_parameter(const struct csi *csi, size_t index, int standard)
{
    return index < csi->count && csi->parameters[index] >= 0 ? csi->parameters[index] : standard;
}

static uint8_t parser_modifiers_of(int value)
{
    int bits = value - 1;
    uint8_t modifiers = 0;

    if (value < 1)
        return 0;
    if ((bits & 1) != 0)
        modifiers |= KEY_SHIFT;
    if ((bits & (2 | 8 | 32)) != 0) /* alt, super, meta */
        modifiers |= KEY_META;
    if ((bits & 4) != 0)
        modifiers |= KEY_CONTROL;
    return modifiers;
}

static uint32_t parser_letter_key(uint8_t final)
{
    static const struct {
        uint8_t final;
        uint32_t code;
    } keys[] = {
        {'A', KEY_UP},   {'B', KEY_DOWN}, {'C', KEY_RIGHT}, {'D', KEY_LEFT},
        {'H', KEY_HOME}, {'F', KEY_END},  {'P', KEY_F1},    {'Q', KEY_F2},
        {'R', KEY_F3},   {'S', KEY_F4},   {'M', KEY_ENTER}, {'I', KEY_TAB},
    };

    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (keys[i].final == final)
            return keys[i].code;
    return KEY_NONE;
}

static uint32_t parser_tilde_key(int number)
{
    static const uint32_t keys[] = {
        [1] = KEY_HOME,      [2] = KEY_INSERT, [3] = KEY_DELETE, [4] = KEY_END,  [5] = KEY_PAGE_UP,
        [6] = KEY_PAGE_DOWN, [7] = KEY_HOME,   [8] = KEY_END,    [11] = KEY_F1,  [12] = KEY_F2,
        [13] = KEY_F3,       [14] = KEY_F4,    [15] = KEY_F5,    [17] = KEY_F6,  [18] = KEY_F7,
        [19] = KEY_F8,       [20] = KEY_F9,    [21] = KEY_F10,   [23] = KEY_F11, [24] = KEY_F12,
    };

    if (number < 0 || number >= (int)ARRAY_SIZE(keys) || keys[number] == 0)
        return KEY_NONE;
    return keys[number];
}

/* A character encoded as a number (kitty's keys, modifyOtherKeys). */
static void parser_tell_code(struct taken *taken, int code, uint8_t modifiers)
{
    switch (code) {
    case 9:
        parser_tell_key(taken, KEY_TAB, modifiers);
        break;
    case 13:
        parser_tell_key(taken, KEY_ENTER, modifiers);
        break;
    case 27:
        parser_tell_key(taken, KEY_ESCAPE, modifiers);
        break;
    case 8:
    case 127:
        parser_tell_key(taken, KEY_BACKSPACE, modifiers);
        break;
    default:
        if (code < ' ' || (code >= 0x7f && code < 0xa0) || code >= 0x110000 ||
            (code >= 0xd800 && code < 0xe000) || (code >= 0xe000 && code < 0xf900))
            return;
        if ((modifiers & KEY_SHIFT) != 0 && code >= 'a' && code <= 'z')
            code -= 'a' - 'A';
        if ((modifiers & KEY_CONTROL) != 0 && code >= 'A' && code <= 'Z')
            code += 'a' - 'A';
        parser_tell_key(taken, (uint32_t)code, modifiers & (uint8_t)~KEY_SHIFT);
        break;
    }
}

static void parser_tell_mouse(struct taken *taken, const struct csi *csi)
{
    int code = parser_parameter(csi, 0, 0), x = parser_parameter(csi, 1, 0),
        y = parser_parameter(csi, 2, 0);
    struct input_event *told = &taken->told;

    if (x < 1 || y < 1)
        return;
    *told = (struct input_event){.kind = INPUT_MOUSE, .x = x - 1, .y = y - 1};
    told->key.code = KEY_NONE;
    told->key.modifiers =
        (uint8_t)(((code & 4) != 0 ? KEY_SHIFT : 0) | ((code & 8) != 0 ? KEY_META : 0) |
                  ((code & 16) != 0 ? KEY_CONTROL : 0));
    if ((code & 0xc0) == 0x40) {
        if ((code & 3) > 1)
            return; /* horizontal wheel */
        told->action = (code & 1) != 0 ? MOUSE_WHEEL_DOWN : MOUSE_WHEEL_UP;
    } else if ((code & 0xc0) != 0) {
        return;
    } else {
        told->button = (code & 3) == 3 ? 0 : (code & 3) + 1;
        told->action = csi->final == 'm'    ? MOUSE_RELEASE
                       : (code & 0x20) != 0 ? MOUSE_DRAG
                                            : MOUSE_PRESS;
    }
    taken->event = true;
}

static void parser_tell_reply(struct taken *taken, const struct csi *csi)
{
    struct input_event *told = &taken->told;

    if (csi->final == 'y' && csi->intermediate == '$') {
        *told = (struct input_event){.kind = INPUT_MODE,
                                     .mode = parser_parameter(csi, 0, 0),
                                     .value = parser_parameter(csi, 1, 0)};
        taken->event = true;
    } else if (csi->final == 'c') {
        *told = (struct input_event){.kind = INPUT_DEVICE};
        for (size_t i = 1; i < csi->count; i++)
            told->sixel = told->sixel || csi->parameters[i] == 4;
        taken->event = true;
    } else if (csi->final == 'n' && parser_parameter(csi, 0, 0) == 997) {
        *told = (struct input_event){.kind = INPUT_SCHEME, .on = parser_parameter(csi, 1, 0) == 1};
        taken->event = true;
    }
}

static void parser_tell_csi(struct input_parser *parser, struct taken *taken, const struct csi *csi)
{
    uint8_t modifiers = parser_modifiers_of(parser_parameter(csi, 1, 1));

    if (csi->prefix == '<' && (csi->final == 'M' || csi->final == 'm')) {
        parser_tell_mouse(taken, csi);
    } else if (csi->prefix == '?') {
        parser_tell_reply(taken, csi);
    } else if (csi->prefix != 0 || csi->intermediate != 0) {
        return;
    } else if (csi->final == '~') {
        int number = parser_parameter(csi, 0, 0);

        if (number == 200)
            parser->pasting = true;
        else if (number == 27)
            parser_tell_code(taken, parser_parameter(csi, 2, 0), modifiers);
        else if (parser_tilde_key(number) != KEY_NONE)
            parser_tell_key(taken, parser_tilde_key(number), modifiers);
    } else if (csi->final == 'u') {
        parser_tell_code(taken, parser_parameter(csi, 0, 0), modifiers);
    } else if (csi->final == 'Z') {
        parser_tell_key(taken, KEY_TAB, KEY_SHIFT);
    } else if ((csi->final == 'I' || csi->final == 'O') && csi->count == 1 &&
               csi->parameters[0] < 0) {
        taken->event = true;
        taken->told = (struct input_event){.kind = INPUT_FOCUS, .on = csi->final == 'I'};
    } else if (csi->final == 't' && parser_parameter(csi, 0, 0) == 6) {
        taken->event = true;
        taken->told = (struct input_event){.kind = INPUT_CELL_SIZE,
                                           .x = parser_parameter(csi, 2, 0),
                                           .y = parser_parameter(csi, 1, 0)};
    } else if (parser_letter_key(csi->final) != KEY_NONE) {
        parser_tell_key(taken, parser_letter_key(csi->final), modifiers);
    }
}

/* @data starts after "ESC [". Returns the bytes used beyond that; 0: incomplete. */
static size_t parser_take_csi(struct input_parser *parser, const uint8_t *data, size_t size,
                              struct taken *taken)
{
    struct csi csi = {0};
    size_t i = 0;

    /* The keys F1 to F5 of the Linux console: "ESC [ [ A". */
    if (size > 0 && data[0] == '[') {
        if (size < 2)
            return 0;
        if (data[1] >= 'A' && data[1] <= 'E')
            parser_tell_key(taken, (uint32_t)(KEY_F1 + (data[1] - 'A')), 0);
        return 2;
    }
    while (i < size && data[i] >= 0x20 && data[i] <= 0x3f)
        i++;
    if (i == size)
        return 0;
    if (data[i] < 0x40 || data[i] > 0x7e)
        return i == 0 ? 1 : i; /* interrupted: the interrupting byte is handled separately */
    parser_read_csi(data, data + i, &csi);
    csi.final = data[i];
    parser_tell_csi(parser, taken, &csi);
    return i + 1;
}

/* ---- strings: OSC, DCS, APC, PM ---- */

static bool parser_read_hex(const uint8_t **at, const uint8_t *end, uint32_t *ret_byte)
{
    uint32_t value = 0;
    int digits = 0;

    for (; *at < end && digits < 5; (*at)++, digits++) {
        uint8_t c = **at;

        if (c >= '0' && c <= '9')
            value = value << 4 | (uint32_t)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value << 4 | (uint32_t)((c | 0x20) - 'a' + 10);
        else
            break;
    }
    if (digits < 1 || digits > 4)
        return false;
    *ret_byte = value * 255 / ((UINT32_C(1) << (4 * digits)) - 1);
    return true;
}

/* "11;rgb:RRRR/GGGG/BBBB" */
static void parser_tell_osc(struct taken *taken, const uint8_t *data, size_t size)
{
    const uint8_t *at = data + 7, *end = data + size;
    uint32_t rgb[3];

    if (size < 7 || memcmp(data, "11;rgb:", 7) != 0)
        return;
    for (size_t i = 0; i < 3; i++) {
        if (!parser_read_hex(&at, end, &rgb[i]))
            return;
        if (i < 2 && (at == end || *at++ != '/'))
            return;
    }
    taken->event = true;
    taken->told =
        (struct input_event){.kind = INPUT_BACKGROUND, .rgb = rgb[0] << 16 | rgb[1] << 8 | rgb[2]};
}

static size_t parser_take_string(uint8_t kind, const uint8_t *data, size_t size,
                                 struct taken *taken)
{
    size_t i = 0, end;

    while (i < size && data[i] != BELL && data[i] != ESCAPE)
        i++;
    if (i == size || (data[i] == ESCAPE && i + 1 == size))
        return 0;
    end = data[i] == BELL ? i + 1 : data[i + 1] == '\\' ? i + 2 : i;
    if (end == i)
        return MAX(i, 1); /* interrupted by another sequence */
    if (kind == ']')
        parser_tell_osc(taken, data, i);
    else if (kind == '_' && i > 0 && data[0] == 'G') {
        taken->event = true;
        taken->told =
            (struct input_event){.kind = INPUT_GRAPHICS, .on = memmem(data, i, ";OK", 3) != NULL};
    }
    return end;
}

/* ---- characters ---- */

static uint32_t parser_decode(const uint8_t *data, size_t size)
{
    static const uint8_t masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = data[0] & masks[size];

    for (size_t i = 1; i < size; i++)
        c = c << 6 | (data[i] & 0x3f);
    return c;
}

/* A character or a control byte. Returns the bytes used; 0: incomplete. */
static size_t parser_take_character(const uint8_t *data, size_t size, uint8_t modifiers,
                                    struct taken *taken)
{
    uint8_t c = data[0];
    size_t n;

    if (c == '\r')
        parser_tell_key(taken, KEY_ENTER, modifiers);
    else if (c == '\t')
        parser_tell_key(taken, KEY_TAB, modifiers);
    else if (c == 0x7f)
        parser_tell_key(taken, KEY_BACKSPACE, modifiers);
    else if (c == 0)
        parser_tell_key(taken, ' ', modifiers | KEY_CONTROL);
    else if (c < 0x1b)
        parser_tell_key(taken, (uint32_t)(c - 1 + 'a'), modifiers | KEY_CONTROL);
    else if (c < 0x20)
        parser_tell_key(taken, (uint32_t)(c + 0x40), modifiers | KEY_CONTROL);
    else {
        n = gb_utf8_sequence(data, size);
        if (n == 0)
            return gb_utf8_unfinished((struct gb_bytes){data, size}) == size ? 0 : 1;
        if (n == 2 && data[0] == 0xc2 && data[1] < 0xa0)
            return n; /* C1 */
        parser_tell_key(taken, parser_decode(data, n), modifiers);
        return n;
    }
    return 1;
}

static size_t parser_take_escape(struct input_parser *parser, const uint8_t *data, size_t size,
                                 struct taken *taken)
{
    size_t n;

    if (size < 2)
        return 0;
    switch (data[1]) {
    case '[':
        n = parser_take_csi(parser, data + 2, size - 2, taken);
        return n == 0 ? 0 : n + 2;
    case 'O':
        if (size < 3)
            return 0;
        if (parser_letter_key(data[2]) != KEY_NONE)
            parser_tell_key(taken, parser_letter_key(data[2]), 0);
        return 3;
    case ']':
    case 'P':
    case '_':
    case '^':
        n = parser_take_string(data[1], data + 2, size - 2, taken);
        return n == 0 ? 0 : n + 2;
    case ESCAPE:
        parser_tell_key(taken, KEY_ESCAPE, 0);
        return 1;
    default:
        n = parser_take_character(data + 1, size - 1, KEY_META, taken);
        return n == 0 ? 0 : n + 1;
    }
}

/* ---- feeding ---- */

static void parser_drop(struct input_parser *parser, size_t size)
{
    parser->size -= size;
    memmove(parser->sequence, parser->sequence + size, parser->size);
}

/* Reports all complete events. */
static void parser_take_all(struct input_parser *parser, input_event_cb *event, void *arg)
{
    while (parser->size > 0 && !parser->pasting) {
        struct taken taken = {0};

        if (parser->sequence[0] == ESCAPE)
            taken.size = parser_take_escape(parser, parser->sequence, parser->size, &taken);
        else
            taken.size = parser_take_character(parser->sequence, parser->size, 0, &taken);
        if (taken.size == 0)
            return;
        if (taken.event && taken.told.kind == INPUT_KEY)
            taken.told.bytes = (struct gb_bytes){parser->sequence, taken.size};
        if (taken.event)
            event(arg, &taken.told);
        parser_drop(parser, taken.size);
    }
}

static void parser_end_paste(struct input_parser *parser, input_event_cb *event, void *arg)
{
    struct input_event told = {.kind = INPUT_PASTE, .on = parser->paste_cut};
    uint8_t *data =
        parser->paste.memory == NULL ? NULL : parser->paste.memory + parser->paste.start;
    uint8_t before = 0;
    size_t kept = 0;

    /* Terminals send a carriage return at the end of a line; "\r\n" is one line end. */
    for (size_t i = 0; i < parser->paste.size; i++) {
        uint8_t byte = data[i]; /* NOLINT(clang-analyzer-core.NullDereference): empty then */

        if (byte != '\n' || before != '\r')
            data[kept++] = byte == '\r' ? '\n' : byte;
        before = byte;
    }
    told.bytes = (struct gb_bytes){gb_buf_data(&parser->paste), kept};
    event(arg, &told);
    parser->pasting = false;
    parser->paste_cut = false;
    gb_buf_release(&parser->paste);
}

/* The last bytes are kept in the sequence, because they may be the start of the end marker. */
static void parser_feed_paste(struct input_parser *parser, uint8_t byte, input_event_cb *event,
                              void *arg)
{
    parser->sequence[parser->size++] = byte;
    while (parser->size > 0 &&
           memcmp(parser->sequence, PASTE_END, MIN(parser->size, (size_t)PASTE_END_SIZE)) != 0) {
        if (!gb_buf_try_add(&parser->paste, parser->sequence, 1, INPUT_PASTE_MAX))
            parser->paste_cut = true;
        parser_drop(parser, 1);
    }
    if (parser->size == PASTE_END_SIZE) {
        parser->size = 0;
        parser_end_paste(parser, event, arg);
    }
}

/* True while @byte belongs to a sequence that was too long. */
static bool parser_skip(struct input_parser *parser, uint8_t byte)
{
    bool csi = parser->skipping == '[';

    if (byte == ESCAPE) {
        parser->skipping = 0;
        return false;
    }
    if (csi ? byte >= 0x40 && byte <= 0x7e : byte == BELL)
        parser->skipping = 0;
    return true;
}

void input_feed(struct input_parser *parser, struct gb_bytes bytes, input_event_cb *event,
                void *arg)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t byte = bytes.data[i];

        if (parser->pasting) {
            parser_feed_paste(parser, byte, event, arg);
            continue;
        }
        if (parser->skipping != 0 && parser_skip(parser, byte))
            continue;
        parser->sequence[parser->size++] = byte;
        parser_take_all(parser, event, arg);
        if (parser->size == INPUT_SEQUENCE_MAX) {
            parser->skipping = parser->sequence[1];
            parser->size = 0;
        }
    }
}

unsigned input_waiting(const struct input_parser *parser)
{
    if (parser->pasting)
        return INPUT_PASTE_MS;
    return parser->size > 0 || parser->skipping != 0 ? INPUT_ESCAPE_MS : 0;
}

void input_expired(struct input_parser *parser, input_event_cb *event, void *arg)
{
    struct taken taken = {0};

    if (parser->pasting) {
        for (size_t i = 0; i < parser->size; i++)
            if (!gb_buf_try_add(&parser->paste, parser->sequence + i, 1, INPUT_PASTE_MAX))
                parser->paste_cut = true;
        parser->size = 0;
        parser_end_paste(parser, event, arg);
        return;
    }
    parser->skipping = 0;
    if (parser->size == 1 && parser->sequence[0] == ESCAPE)
        parser_tell_key(&taken, KEY_ESCAPE, 0);
    else if (parser->size == 2 && parser->sequence[0] == ESCAPE)
        (void)parser_take_character(parser->sequence + 1, 1, KEY_META, &taken);
    taken.told.bytes = (struct gb_bytes){parser->sequence, parser->size};
    if (taken.event)
        event(arg, &taken.told);
    parser->size = 0;
}

void input_release(struct input_parser *parser)
{
    gb_buf_release(&parser->paste);
}
