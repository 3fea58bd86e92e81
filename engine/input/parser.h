/* SPDX-License-Identifier: Apache-2.0 */
/* Splits terminal input into events: a pure function of the bytes and one time-out.
 *
 * Theory of operation. Bytes are fed as they arrive; an incomplete sequence waits for more. A lone
 * escape cannot be told from the start of a sequence, so the caller restarts a timer after each
 * read for as long as input_waiting() asks for one, and calls input_expired() when it fires: a lone
 * escape is then the Escape key, and half a sequence is dropped, never taken for text. Pastes,
 * replies and unknown sequences are limited as below; a longer one is dropped up to its end. The
 * time-out also ends a paste that does not end itself.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "input/key.h"

enum {
    INPUT_SEQUENCE_MAX = 256, /* bytes of an escape sequence */
    INPUT_ESCAPE_MS = 30,     /* time for the rest of a sequence to arrive */
    INPUT_PASTE_MS = 2000,    /* time for the rest of a paste to arrive */
};
#define INPUT_PASTE_MAX ((size_t)4 << 20)

enum input_kind {
    INPUT_KEY,
    INPUT_PASTE,
    INPUT_MOUSE,
    INPUT_FOCUS,      /* `on`: the terminal has the focus */
    INPUT_BACKGROUND, /* `rgb`: the terminal's background colour (OSC 11) */
    INPUT_MODE,       /* `mode`, `value`: the reply to DECRQM */
    INPUT_SCHEME,     /* `on`: dark, else light: the desktop's colour scheme has changed */
    INPUT_DEVICE,     /* reply to DA1: the terminal has processed everything sent before; `sixel` */
    INPUT_GRAPHICS,   /* reply to a kitty graphics query; `on`: supported */
    INPUT_CELL_SIZE,  /* `x`, `y`: pixels of a cell (reply to CSI 16 t) */
    INPUT_KIND_COUNT
};

enum mouse_action {
    MOUSE_PRESS,
    MOUSE_RELEASE,
    MOUSE_DRAG,
    MOUSE_WHEEL_UP,
    MOUSE_WHEEL_DOWN,
};

struct input_event {
    enum input_kind kind;
    struct key key;        /* KEY, and the modifiers of MOUSE */
    struct gb_bytes bytes; /* KEY: as sent by the terminal, for readline; PASTE: the content, with
                            * line feeds; borrowed for the call */
    enum mouse_action action;
    int button; /* 1 left, 2 middle, 3 right; 0: none */
    int x, y;   /* from 0 */
    bool on, sixel;
    uint32_t rgb;
    int mode, value;
};

typedef void input_event_cb(void *arg, const struct input_event *event);

/* Embed it, zeroed. */
struct input_parser {
    uint8_t sequence[INPUT_SEQUENCE_MAX];
    size_t size;
    uint8_t skipping; /* introducer of a sequence that was too long, until it ends; 0: none */
    bool pasting;
    bool paste_cut; /* the paste exceeded the limit */
    struct gb_buf paste;
};

/* Calls @event for each event that @bytes complete, in order. */
void input_feed(struct input_parser *parser, struct gb_bytes bytes, input_event_cb *event,
                void *arg);
/* Milliseconds after which to call input_expired() unless more input arrives; 0: nothing is
 * pending. */
unsigned input_waiting(const struct input_parser *parser);
void input_expired(struct input_parser *parser, input_event_cb *event, void *arg);
void input_release(struct input_parser *parser);
