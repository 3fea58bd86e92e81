/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the parts of the front end. */
#pragma once

#include "app/terminal.h"
#include "app/tui.h"
#include "command/keymap.h"
#include "command/line.h"
#include "store/ref.h"

enum {
    FRAME_MS = 33,  /* between frames not caused by a key */
    RESIZE_MS = 16, /* resizes within this time are combined */
    MESSAGE_TEXT_MAX = 512,
    SCREEN_COLUMNS_MIN = 40,
    SCREEN_ROWS_MIN = 12,
    HEADER_ROWS_MIN = 16, /* rows of the screen needed for the servers' own lines */
    CLICKS_MAX = 64,
};

/* An area of the frame that stands for a command. */
struct click {
    int x, y, width;
    char line[64];
};

/* What is on top of the view and receives the keys: a line being typed, the palette, help, a
 * question. */
struct overlay;
struct overlay_ops {
    const char *mode; /* a word for the mode, for the key bar */
    /* @region: the whole screen. */
    void (*draw)(struct overlay *overlay, struct region region);
    /* True: handled; false: the event is for what is below. */
    bool (*event)(struct overlay *overlay, const struct input_event *event);
    void (*free)(struct overlay *overlay);
};

struct overlay {
    const struct overlay_ops *ops;
    const struct bar_key *keys; /* that it handles */
    struct tui *tui;
};

enum { WAYS_MAX = 50 };

/* Places that the user was at. */
struct ways {
    struct way {
        struct session_ref session; /* of none: the list of sessions, or what @line leads to */
        char line[64];              /* leads to where it stood */
    } list[WAYS_MAX];
    size_t count, at;
    bool moving; /* to one of them */
};

/* The left button of the mouse. */
struct mouse {
    bool down, selecting;     /* selecting: it has moved since the press */
    struct input_event press; /* which is a click when the button is up again */
    int from_x, from_y, x, y;
};

enum connection_state { CONNECTION_DIALING, CONNECTION_UP, CONNECTION_LOST };

struct uplink {
    struct tui *tui;
    struct tui_server place;
    struct store store;
    struct gb_client *client;
    enum connection_state state;
    struct gb_timer *retry;
    double retry_at; /* Unix seconds: the next attempt; lost links only */
    unsigned attempts;
    uint64_t number;              /* how many connections were started */
    char why[GB_ERR_MESSAGE_MAX]; /* why it was lost, or could not be started */
    bool starts;                  /* the current attempt starts a server if none is running */
    bool asked;                   /* requested by the user: report the result */
    bool was_up;
    struct gb_list simple_calls, history_calls;
    struct gb_list notices; /* struct uplink_listener */
};

/* Sessions that the server was asked to close: reported when all answers have arrived. */
struct closing {
    struct gb_timer *timer; /* runs to the earliest end of a grace period */
    bool leaving;           /* the program exits after the last answer */
    size_t asked, closed, failed;
    char name[STORE_NAME_MAX]; /* of the last one */
    char why[GB_ERR_MESSAGE_MAX];
    size_t refused; /* by the current command, because there is no link to their servers */
    char refused_host[STORE_HOST_MAX]; /* the name of that one; "": the only one, or several */
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
    struct uplink *uplinks;
    size_t uplink_count;
    struct theme theme;
    char theme_wanted[THEME_NAME_MAX]; /* a name, or auto */
    bool background_dark, background_told;
    struct command_tables tables;
    struct keymap keymap;
    struct line_history history; /* of the `:` line */
    struct line_history recalled[RECALL_COUNT];
    char *history_path; /* its file; NULL: none */
    struct view *view;  /* the top one */
    struct region view_region;
    struct click clicks[CLICKS_MAX];
    size_t click_count;
    struct overlay *overlay;
    struct view *open_view;    /* of a session, at the top; NULL: none */
    struct session_ref opened; /* that session */
    bool entered;              /* the initial session has been opened */
    bool frozen;
    double frozen_now;
    bool seen; /* a key has been pressed */
    bool quitting;
    int status;
    enum message message_kind;
    char message[MESSAGE_TEXT_MAX];
    char message_command[MESSAGE_TEXT_MAX]; /* the line that was run */
    struct session_ref lease_session;       /* for which a note is being asked */
    struct session_ref export_session;      /* for which a path is being asked */
    char *export_path;           /* of the file of which is asked whether to replace it */
    struct exporting *exporting; /* NULL: nothing is being written */
    bool mouse;
    struct mouse gesture;
    struct ways ways;
    uint64_t undo_ms; /* how long a close can be undone; 0: not at all */
    struct closing closing;
    struct config_watch *config_watch;
};

/* ---- lines.c: the lines of commands, kept over the program's life ---- */
/* Reads them; returns the file's path, or NULL if there can be none. The caller frees it. */
char *lines_open(struct line_history *history);
/* No-op if @path is NULL. */
void lines_add(const char *path, const char *line);

/* ---- tui.c ---- */
void tui_set_overlay(struct tui *tui, struct overlay *overlay); /* takes; NULL: none */
void tui_suspend(struct tui *tui);
/* Shows the first view instead of all others. */
void tui_show_first(struct tui *tui);
/* A store knows its server now: does what waited for that. */
void tui_known(struct tui *tui);
/* A name, or auto. False if it cannot be used, which was reported. */
bool tui_set_theme(struct tui *tui, const char *name);

enum context tui_context(const struct tui *tui);

/* The arguments of `glassbell VERB WORDS…` for that server, with a NULL at the end; borrows. False:
 * our own path is not known. */
enum { TUI_VERB_WORDS_MAX = COMMAND_WORDS_MAX + 8 };
bool tui_verb_argv(struct uplink *uplink, const char *verb, const char *const *words, size_t count,
                   const char **argv);

/* ---- typing.c, palette.c, help.c ---- */
void typing_command(struct tui *tui, const char *start);
void palette_open(struct tui *tui);
void help_open(struct tui *tui);
/* Waits for a key, and says what it does instead of doing it. */
void help_ask_key(struct tui *tui);
void help_say_key(struct tui *tui, struct key key);

/* ---- frame.c, header.c ---- */
/* Paints everything into @region. False: it is too small for the view. */
bool frame_paint(struct tui *tui, struct region region);
void tui_add_click(struct tui *tui, int x, int y, int width, const char *line);
void header_paint(struct tui *tui, struct region row);
void crumbs_paint(struct tui *tui, struct region row);
/* ---- links.c ---- */
/* The state of the link to each of several servers. */
void links_paint(struct tui *tui, struct region row);
/* Whether all are connected: then a low screen does without their line. */
bool links_are_up(const struct tui *tui);
/* The command for a click on the bar or the header; NULL: none. */
const char *frame_click(struct tui *tui, int x, int y);

/* ---- config.c ---- */
void config_open(struct tui *tui);
void config_close(struct tui *tui);

/* ---- lease.c ---- */
/* The session that the top view is about; NULL: none. */
struct session *lease_subject(const struct tui *tui);
void lease_take(struct tui *tui, const struct words *words);
void lease_hand_back(struct tui *tui, const struct words *words);
bool lease_text(struct tui *tui, const struct session *session, struct gb_buf *out,
                enum role *ret_role);

/* ---- question.c ---- */
/* Answers the oldest question of the session that the top view is about. */
void question_run(struct tui *tui, const struct words *words);
/* For the banner. False if no connection of the session waits. */
bool question_banner(struct tui *tui, const struct session *session, struct gb_buf *out);

/* ---- ways.c ---- */
/* Before another view is shown, and after. */
void ways_leave(struct tui *tui);
void ways_arrive(struct tui *tui);
void ways_run_backward(struct tui *tui, const struct words *words);
void ways_run_forward(struct tui *tui, const struct words *words);

/* ---- mouse.c ---- */
/* False: *ret_event is an event for the rest of the front end. */
bool mouse_event(struct tui *tui, const struct input_event *event, struct input_event *ret_event);
/* Marks what is selected in the frame. */
void mouse_paint(struct tui *tui);

/* ---- menu.c ---- */
void menu_open(struct tui *tui, int x, int y);
void menu_run(struct tui *tui, const struct words *words);

/* ---- exporting.c ---- */
void exporting_run(struct tui *tui, const struct words *words);
void exporting_run_log(struct tui *tui, const struct words *words);
void exporting_run_screen(struct tui *tui, const struct words *words);
void exporting_close(struct tui *tui);

/* ---- closing.c ---- */
void closing_open(struct tui *tui);
/* Carries out all pending closes. True: the program exits when the answers have arrived. */
bool closing_leave(struct tui *tui);
/* The connection is lost: all of its sessions stay open, which is reported. */
void closing_give_up(struct uplink *uplink);
bool closing_is_pending(struct tui *tui);
void closing_run_close(struct tui *tui, const struct words *words);
void closing_run_undo(struct tui *tui, const struct words *words);

/* ---- uplink.c ---- */
/* Those of the configuration. */
void uplinks_new(struct tui *tui);
/* Starts connecting all of them. */
void uplinks_open(struct tui *tui);
void uplinks_close(struct tui *tui);
/* @start_server: if none is running. */
void uplink_connect(struct uplink *uplink, bool start_server);
