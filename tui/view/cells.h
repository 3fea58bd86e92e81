/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a session for display: a list of cards, filled from events, from the history and
 * from the replies to our own cells. Does not paint.
 *
 * Theory of operation. A card is identified by its cell's number. Cells that we have sent and that
 * have no number yet come after all others. Events fill a card while its cell runs; the history
 * only fills cards that no event has filled, so it may be requested at any time. Memory is bounded:
 * per card by the limits below, in total by CELLS_OUTPUT_MAX. Above that, the output of the oldest
 * cards is dropped and they are marked `away`: whoever shows one requests it from the history
 * again. An output longer than that is only loaded in part, and other parts are requested as needed
 * (part.h). Strings come from guests and other clients; painting makes them safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "highlight/highlight.h"
#include "model/cell.h"
#include "model/event.h"
#include "rpc/json.h"
#include "show/outcome.h"
#include "text/text.h"

enum {
    CELLS_MAX = 1000,            /* cards kept; older ones are only in the journal */
    CELLS_OUTPUT_MAX = 12 << 20, /* bytes of the lines of all cards */
    CELL_OUTPUT_MAX = 8 << 20,   /* of one card */
    CELL_CODE_MAX = 64 << 10,
    CELL_FILES_MAX = 64,
    CELL_DISPLAYS_MAX = 16,
    CELL_PICTURE_MAX = 4 << 20,    /* bytes of a display's data that are kept */
    CELLS_PICTURES_MAX = 12 << 20, /* of all displays */
    CELL_NAME_MAX = 128,
    CELL_MARK_LINES = 64, /* lines of code between two saved lexer states */
};

/* Which part of a long output is requested (part.h). */
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
    struct gb_buf data; /* empty: not loaded */
    void *picture;      /* from picture.h, once decoded; freed by the hook below */
};

struct card {
    uint32_t number; /* 0: not known yet */
    uint64_t call;   /* our call, until it is answered; 0: none */
    enum card_state state;
    bool mine;
    char client[CELL_NAME_MAX];
    char mode[16];
    struct text *code, *output, *value; /* code always exists, the others may be NULL */
    struct gb_buf source;               /* the code as sent, truncated at CELL_CODE_MAX */
    bool source_cut;
    bool from_events;  /* its output came, or is coming, from events */
    bool away;         /* its output is in the journal and not loaded */
    bool figures_away; /* the same for its pictures */
    bool asked;        /* for what is away */
    bool asked_before; /* for the missing cells before it */
    bool waiting;      /* waits for standard input */
    struct outcome outcome;
    char *note, *error;                /* NULL: none */
    uint64_t cut[TEXT_STREAM_COUNT];   /* bytes dropped */
    uint64_t bytes[TEXT_STREAM_COUNT]; /* size of its output in the journal; 0 until it has ended */
    uint64_t from, to;                 /* the part of it fed to `output`; `to` 0: all */
    enum part_wish wish;               /* requested part */
    uint64_t seam;                     /* the byte of the output that the requested part and the
                                        * loaded one share */
    size_t seam_line;                  /* the line there, once the part has arrived; SIZE_MAX:
                                        * none */
    double started_at, wall_ms, cpu_ms;
    uint64_t peak_memory;
    struct card_file files[CELL_FILES_MAX];
    size_t file_count, files_left; /* left: not listed */
    struct card_display *displays; /* room for CELL_DISPLAYS_MAX, once there is one */
    size_t display_count;
    bool bookmark; /* a person gave it one (remark.h) */
    char *remark;  /* likewise a note; NULL: none. Untrusted text */
    /* Of the session's past (trail.h). */
    bool returnable;              /* the session can be rewound to the moment after it */
    bool undone;                  /* the session was rewound to before it */
    double undone_at;             /* Unix time; 0: unknown */
    bool tucked;                  /* in a group of undone cells that is shown as one line */
    bool revealed;                /* in one that is shown completely */
    uint32_t group_last;          /* of the first card of a group: its last cell; else 0 */
    double group_at, group_until; /* likewise: when it was undone, when its last cell ended */
    /* Set by the painter. */
    bool folded, whole; /* whole: show long code completely */
    struct highlight_state *marks;
    size_t mark_count;
};

struct cells {
    struct card **cards;
    size_t count, capacity;
    struct gb_language *language; /* the session's; a reference. NULL: unknown, or not known yet */
    char session[CELL_NAME_MAX];
    uint64_t change;       /* increases with every change */
    uint64_t ended_change; /* the same, but not for output: a cell has ended, was read from the
                            * journal, was undone or is no longer kept */
    uint32_t near;         /* the cell to keep others near; 0: the end */
    bool annotated;        /* cells without a bookmark or a note go first */
    size_t output_bytes;
    void (*free_picture)(void *picture);
};

/* Embed it. */
void cells_init(struct cells *cells, const char *session, void (*free_picture)(void *picture));
void cells_release(struct cells *cells);
/* The session's language has become known; NULL: it is not supported here. */
void cells_learn(struct cells *cells, struct gb_language *language);

/* Handles an event of this session. @params is the same as JSON. */
void cells_event(struct cells *cells, const struct gb_event_info *event,
                 const struct gb_json *params);
/* Handles the result of session.history. Returns its number of cells. */
size_t cells_history(struct cells *cells, const struct gb_json *result);
/* If there are too many cards, drops those far from this cell; 0: the oldest. */
void cells_keep_near(struct cells *cells, uint32_t number);
/* From now on, cells that nobody gave a bookmark or a note are the first to go, if @annotated. */
void cells_keep_annotated(struct cells *cells, bool annotated);
/* One of our cells has been sent as call @call. Gives its card, which the next call may free. */
struct card *cells_sent(struct cells *cells, uint64_t call, const char *code);
/* Its reply. @result NULL: it failed, for the reason in @message. */
void cells_reply(struct cells *cells, uint64_t call, const struct gb_json *result,
                 const char *message);
/* The connection is lost: running cells will not be updated any more. */
void cells_lost(struct cells *cells);

/* The card of our unanswered call @call. NULL: none. */
struct card *cells_of_call(const struct cells *cells, uint64_t call);
/* NULL: none. */
struct card *cells_find(const struct cells *cells, uint32_t number);
/* The running one, or NULL. */
struct card *cells_running(const struct cells *cells);

bool card_failed(const struct card *card);
/* "exit 1", "SIGKILL", "timed out", "interrupted", …; "" if it succeeded or is still running. */
void card_verdict(const struct card *card, char *to, size_t room);
/* Saves the lexer's states up to line @line of the code, so that later calls need not compute
 * them. */
void card_mark_code(struct card *card, const struct gb_language *language, size_t line);
/* The lexer's state at the start of line @line of the code. */
struct highlight_state card_state_at(const struct card *card, const struct gb_language *language,
                                     size_t line);
