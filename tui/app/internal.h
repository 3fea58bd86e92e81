/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the front end, among themselves. */
#pragma once

#include "app/terminal.h"
#include "app/tui.h"
#include "command/keymap.h"
#include "command/line.h"

enum {
    FRAME_MS = 33,  /* between frames that no key asked for */
    RESIZE_MS = 16, /* resizes that come together are one */
    MESSAGE_TEXT_MAX = 512,
    SCREEN_COLUMNS_MIN = 40,
    SCREEN_ROWS_MIN = 12,
    HEADER_ROWS_MIN = 16, /* of the screen, for the line of the server to have one */
    CLICKS_MAX = 64,
};

/* A place of the frame that stands for a command. */
struct click {
    int x, y, width;
    char line[64];
};

/* What lies over the view and has the keys: a line being typed, the palette, help, a question. */
struct overlay;
struct overlay_ops {
    const char *mode; /* a word for what goes on, for the bar of keys */
    /* @region: the whole screen. */
    void (*draw)(struct overlay *overlay, struct region region);
    /* True: done with; false: the event is for whatever lies below. */
    bool (*event)(struct overlay *overlay, const struct input_event *event);
    void (*free)(struct overlay *overlay);
};

struct overlay {
    const struct overlay_ops *ops;
    const struct bar_key *keys; /* that it knows */
    struct tui *tui;
};

enum connection_state { CONNECTION_DIALING, CONNECTION_UP, CONNECTION_LOST };

struct connection {
    struct gb_client *client;
    enum connection_state state;
    struct gb_timer *retry;
    unsigned attempts;
    uint64_t number;              /* how many were begun */
    char why[GB_ERR_MESSAGE_MAX]; /* it was lost, or could not be started */
    bool starts;                  /* the one that is begun starts a server when none runs */
    bool asked;                   /* for by the person: what comes of it is told */
    bool was_up;
};

/* Sessions that the server was asked to close: told about when all answers are here. */
struct closing {
    struct gb_timer *timer; /* to the earliest end of a grace */
    bool leaving;           /* the program ends with the last answer */
    size_t asked, closed, failed;
    char name[STORE_NAME_MAX]; /* of the last */
    char why[GB_ERR_MESSAGE_MAX];
};

struct tui {
    struct tui_config config;
    uv_loop_t *uv;
    struct gb_loop *loop;
    struct terminal *terminal;
    struct terminal_abilities abilities;
    struct grid grid;
    struct gb_timer *frame_timer, *resize_timer;
    struct gb_deferred frame_soon, pop_soon, close_soon;
    uint64_t framed_ns;
    bool dirty;
    struct gb_signal *signals[6];
    size_t signal_count;
    struct store store;
    struct store_listener listener;
    struct connection connection;
    struct theme theme;
    char theme_wanted[THEME_NAME_MAX]; /* a name, or auto */
    bool background_dark, background_told;
    struct command_tables tables;
    struct keymap keymap;
    struct line_history history; /* of the `:` line */
    struct line_history recalled[RECALL_COUNT];
    char *history_path; /* where it is kept; NULL: nowhere */
    struct view *view;  /* on top */
    struct region view_region;
    struct click clicks[CLICKS_MAX];
    size_t click_count;
    struct overlay *overlay;
    char opened[STORE_NAME_MAX]; /* the session whose view is on top of the first one */
    bool entered;                /* the session to begin in was opened */
    bool frozen;
    double frozen_now;
    bool seen; /* somebody has pressed a key */
    bool quitting;
    int status;
    enum message message_kind;
    char message[MESSAGE_TEXT_MAX];
    char message_command[MESSAGE_TEXT_MAX]; /* the line that was run */
    char lease_session[STORE_NAME_MAX];     /* that a note is asked for */
    bool mouse;
    uint64_t undo_ms; /* how long a closing can be taken back; 0: not at all */
    struct closing closing;
    struct config_watch *config_watch;
    struct gb_list simple_calls, history_calls;
};

/* ---- lines.c: the lines of commands, kept over the program's life ---- */
/* Reads them; gives the file's path, or NULL where there can be none. Whoever has it frees it. */
char *lines_open(struct line_history *history);
/* @path NULL: does nothing. */
void lines_add(const char *path, const char *line);

/* ---- tui.c ---- */
void tui_set_overlay(struct tui *tui, struct overlay *overlay); /* takes; NULL: none */
void tui_suspend(struct tui *tui);
/* The store knows the server: what waited for that happens. */
void tui_known(struct tui *tui);
/* A name, or auto. False when it cannot be used, which was told. */
bool tui_set_theme(struct tui *tui, const char *name);

enum context tui_context(const struct tui *tui);

/* ---- typing.c, palette.c, help.c ---- */
void typing_command(struct tui *tui, const char *start);
void palette_open(struct tui *tui);
void help_open(struct tui *tui);

/* ---- frame.c, header.c ---- */
/* Paints everything into @region. False: it is too small for the view. */
bool frame_paint(struct tui *tui, struct region region);
void tui_add_click(struct tui *tui, int x, int y, int width, const char *line);
void header_paint(struct tui *tui, struct region row);
void crumbs_paint(struct tui *tui, struct region row);
/* What a click on the bar or the header stands for; NULL: nothing. */
const char *frame_click(struct tui *tui, int x, int y);

/* ---- config.c ---- */
void config_open(struct tui *tui);
void config_close(struct tui *tui);

/* ---- lease.c ---- */
/* The id of the session that the view on top is about; NULL: none. */
const char *lease_subject(const struct tui *tui);
void lease_take(struct tui *tui, const struct words *words);
void lease_hand_back(struct tui *tui, const struct words *words);
bool lease_text(struct tui *tui, const char *id, struct gb_buf *out, enum role *ret_role);

/* ---- closing.c ---- */
void closing_open(struct tui *tui);
/* What is about to close is closed now. True: the program ends when the answers are here. */
bool closing_leave(struct tui *tui);
/* The connection is lost: all of them stay open, which is told. */
void closing_give_up(struct tui *tui);
bool closing_is_pending(struct tui *tui);
void closing_run_close(struct tui *tui, const struct words *words);
void closing_run_undo(struct tui *tui, const struct words *words);

/* ---- uplink.c ---- */
void uplink_open(struct tui *tui, bool start_server);
void uplink_close(struct tui *tui);
