/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a session as a person reads them: a list of cards, fed by events, by the history and
 * by the replies to our own cells. No painting here.
 *
 * Theory of operation. A card is known by its cell's number. What we have sent and what is not
 * numbered yet stands behind all others. Events fill a card while its cell runs; what the history
 * says fills only cards that no event has filled, so it may be asked for at any time. Memory is
 * bounded: of a card by the limits below, of all together by CELLS_OUTPUT_MAX. Over that, the
 * output of the oldest is let go, and the card is marked `away`: whoever shows it asks the history
 * again. Of one output that is longer than that a part is here, and others are asked for (part.h).
 * Strings come from guests and other clients: painting makes them harmless.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "highlight/highlight.h"
#include "rpc/json.h"
#include "show/outcome.h"
#include "text/text.h"

enum {
    CELLS_MAX = 1000,            /* cards kept; older ones are in the journal */
    CELLS_OUTPUT_MAX = 12 << 20, /* bytes of lines of all cards */
    CELL_OUTPUT_MAX = 8 << 20,   /* of one */
    CELL_CODE_MAX = 64 << 10,
    CELL_FILES_MAX = 64,
    CELL_DISPLAYS_MAX = 16,
    CELL_PICTURE_MAX = 4 << 20,    /* bytes of a display that are kept */
    CELLS_PICTURES_MAX = 12 << 20, /* of all */
    CELL_NAME_MAX = 128,
    CELL_MARK_LINES = 64, /* of code between two states of the lexer that are kept */
};

/* Which part of an output that is too long is asked for (part.h). */
enum part_wish { PART_NONE, PART_BEGINNING, PART_EARLIER, PART_LATER, PART_END };

enum card_state { CARD_SENT, CARD_RUNNING, CARD_DONE };

struct card_file {
    char *path;
    char change; /* '+', '-' or '~' */
    uint64_t size;
};

struct card_display {
    char mime[CELL_NAME_MAX];
    uint64_t bytes;
    struct gb_buf data; /* empty: not here */
    void *picture;      /* of picture.h, once it has been decoded; freed by the hook below */
};

struct card {
    uint32_t number; /* 0: not told yet */
    uint64_t call;   /* of ours, while its reply is awaited; 0: none */
    enum card_state state;
    bool mine;
    char client[CELL_NAME_MAX];
    char mode[16];
    struct text *code, *output, *value; /* code is always there, the others may be NULL */
    struct gb_buf source;               /* the code as it was sent, cut at CELL_CODE_MAX */
    bool source_cut;
    bool from_events;  /* its output has come, or comes by events */
    bool away;         /* its output is in the journal and not here */
    bool figures_away; /* the same of its figures */
    bool asked;        /* for what is away */
    bool asked_before; /* for the cells that are missing in front of it */
    bool waiting;      /* for standard input */
    struct outcome outcome;
    char *note, *error;                /* NULL: none */
    uint64_t cut[TEXT_STREAM_COUNT];   /* bytes that were left out */
    uint64_t bytes[TEXT_STREAM_COUNT]; /* of its output in the journal; 0 before it has ended */
    uint64_t from, to;                 /* of them, what `output` was fed; `to` 0: all of them */
    enum part_wish wish;               /* that is on its way */
    uint64_t seam;                     /* of it and of what is here, a byte of the output */
    size_t seam_line;                  /* the line there, once it has come; SIZE_MAX: none */
    double started_at, wall_ms, cpu_ms;
    uint64_t peak_memory;
    struct card_file files[CELL_FILES_MAX];
    size_t file_count, files_left; /* left out */
    struct card_display *displays; /* room for CELL_DISPLAYS_MAX, once there is one */
    size_t display_count;
    /* Of the one who paints. */
    bool folded, whole; /* whole: long code is shown to its end */
    struct highlight_state *marks;
    size_t mark_count;
};

struct cells {
    struct card **cards;
    size_t count, capacity;
    struct gb_language *language; /* of the session; a reference. NULL: not known, or not yet */
    char session[CELL_NAME_MAX];
    uint64_t change; /* rises with every change */
    uint32_t near;   /* the cell that one goes to; 0: the end is what matters */
    size_t output_bytes;
    void (*free_picture)(void *picture);
};

/* Embed it. */
void cells_init(struct cells *cells, const char *session, void (*free_picture)(void *picture));
void cells_release(struct cells *cells);
/* The language of the session has come to be known; NULL: it is not known here. */
void cells_learn(struct cells *cells, struct gb_language *language);

/* An event of this session. */
void cells_event(struct cells *cells, const char *kind, const struct gb_json *params);
/* The result of session.history. Returns the number of cells in it. */
size_t cells_history(struct cells *cells, const struct gb_json *result);
/* When there are too many cards, those far from this cell go; 0: the oldest do. */
void cells_keep_near(struct cells *cells, uint32_t number);
/* A cell of ours goes out as call @call. Gives its card, which may be freed by the next call. */
struct card *cells_sent(struct cells *cells, uint64_t call, const char *code);
/* Its reply. @result NULL: it failed, @message says why. */
void cells_reply(struct cells *cells, uint64_t call, const struct gb_json *result,
                 const char *message);
/* The connection is gone: nothing that runs will be told any more. */
void cells_lost(struct cells *cells);

/* That of call @call of ours, which is still to be answered. NULL: there is none. */
struct card *cells_of_call(const struct cells *cells, uint64_t call);
/* NULL: there is none. */
struct card *cells_find(const struct cells *cells, uint32_t number);
/* The one that runs; NULL. */
struct card *cells_running(const struct cells *cells);

bool card_failed(const struct card *card);
/* "exit 1", "SIGKILL", "timed out", "interrupted", …; "" when it ended well or has not ended. */
void card_verdict(const struct card *card, char *to, size_t room);
/* Notes the lexer's states up to line @line of the code, so that what follows need not find them.
 */
void card_mark_code(struct card *card, const struct gb_language *language, size_t line);
/* The lexer's state at the beginning of line @line of the code. */
struct highlight_state card_state_at(const struct card *card, const struct gb_language *language,
                                     size_t line);
