/* SPDX-License-Identifier: Apache-2.0 */
/* The style of a screen cell: what it is (its role), not its colour.
 *
 * A theme gives every role colours and attributes. Only output of a guest, which has its own
 * colours, sets them in addition to the role.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* X(constant, name in a theme file, meaning). The order is free; names are part of the file format.
 */
#define ROLES(X)                                                                                   \
    X(ROLE_TEXT, "text", "whatever has no other role, and the empty screen")                       \
    X(ROLE_DIM, "dim", "what matters less: units, hints, times")                                   \
    X(ROLE_STRONG, "strong", "what matters more")                                                  \
    X(ROLE_ACCENT, "accent", "the colour of the house")                                            \
    X(ROLE_LINK, "link", "an address")                                                             \
    X(ROLE_HIDDEN, "hidden", "a character that cannot be shown, made visible")                     \
    X(ROLE_FRAME, "frame", "lines between panes")                                                  \
    X(ROLE_FRAME_ACTIVE, "frame.active", "lines around the pane that has the keys")                \
    X(ROLE_TITLE, "title", "the heading of a pane")                                                \
    X(ROLE_TITLE_ACTIVE, "title.active", "the heading of the pane that has the keys")              \
    X(ROLE_TAB, "tab", "a tab")                                                                    \
    X(ROLE_TAB_ACTIVE, "tab.active", "the tab that is shown")                                      \
    X(ROLE_HEADER, "header", "the line at the top")                                                \
    X(ROLE_HEADER_NAME, "header.name", "the program's name in it")                                 \
    X(ROLE_HEADER_DIM, "header.dim", "labels in it")                                               \
    X(ROLE_HEADER_STRONG, "header.strong", "figures in it")                                        \
    X(ROLE_BANNER_SAFE, "banner.safe", "the isolation is a boundary")                              \
    X(ROLE_BANNER_WARNING, "banner.warning", "the isolation is weaker than one may think")         \
    X(ROLE_BANNER_LEASE, "banner.lease", "somebody holds the session")                             \
    X(ROLE_BANNER_MINE, "banner.mine", "we hold the session")                                      \
    X(ROLE_BAR, "bar", "the line of keys at the bottom")                                           \
    X(ROLE_BAR_KEY, "bar.key", "a key in it")                                                      \
    X(ROLE_BAR_REPL, "bar.repl", "the same line while the keys go to the editor")                  \
    X(ROLE_BAR_MODE, "bar.mode", "the word that names the state of the keys")                      \
    X(ROLE_MESSAGE, "message", "the line that tells what was done")                                \
    X(ROLE_MESSAGE_GOOD, "message.good", "it worked")                                              \
    X(ROLE_MESSAGE_WARNING, "message.warning", "it worked, but")                                   \
    X(ROLE_MESSAGE_ERROR, "message.error", "it did not work")                                      \
    X(ROLE_MESSAGE_COMMAND, "message.command", "the command that was run")                         \
    X(ROLE_HEADING, "table.heading", "headings of columns")                                        \
    X(ROLE_HEADING_SORTED, "table.heading.sorted", "heading of the column that is sorted by")      \
    X(ROLE_ROW_SELECTED, "table.row.selected", "the row under the cursor")                         \
    X(ROLE_ROW_MARKED, "table.row.marked", "a row that is marked")                                 \
    X(ROLE_ROW_INACTIVE, "table.row.inactive", "the row under the cursor, keys elsewhere")         \
    X(ROLE_TREE, "table.tree", "branches of the tree")                                             \
    X(ROLE_STARTING, "state.starting", "a session that starts")                                    \
    X(ROLE_IDLE, "state.idle", "a session that waits for work")                                    \
    X(ROLE_RUNNING, "state.running", "a session that runs a cell")                                 \
    X(ROLE_WAITING, "state.waiting", "a session that waits for input")                             \
    X(ROLE_FAILED, "state.failed", "a session whose last cell failed")                             \
    X(ROLE_LOST, "state.lost", "a session that is gone")                                           \
    X(ROLE_GRAPH_LOW, "graph.low", "graphs: little")                                               \
    X(ROLE_GRAPH_MIDDLE, "graph.middle", "graphs: some")                                           \
    X(ROLE_GRAPH_HIGH, "graph.high", "graphs: much")                                               \
    X(ROLE_GRAPH_EMPTY, "graph.empty", "graphs: their ground")                                     \
    X(ROLE_TIME_ADMISSION, "time.admission", "where the time went: waiting for room")              \
    X(ROLE_TIME_RESTORE, "time.restore", "where the time went: starting the VM")                   \
    X(ROLE_TIME_DISPATCH, "time.dispatch", "where the time went: on the way")                      \
    X(ROLE_TIME_RUN, "time.run", "where the time went: running")                                   \
    X(ROLE_CELL, "cell.header", "the head line of a cell's card")                                  \
    X(ROLE_CELL_SELECTED, "cell.header.selected", "the same, under the cursor")                    \
    X(ROLE_CELL_NUMBER, "cell.number", "the number of a cell")                                     \
    X(ROLE_CELL_MINE, "cell.author.mine", "who sent it: this front end")                           \
    X(ROLE_CELL_OTHER, "cell.author.other", "who sent it: another client")                         \
    X(ROLE_CELL_GUTTER, "cell.gutter", "the edge that only we can draw on")                        \
    X(ROLE_CELL_CODE, "cell.code", "code that was run")                                            \
    X(ROLE_CELL_STDOUT, "cell.stdout", "standard output")                                          \
    X(ROLE_CELL_STDERR, "cell.stderr", "standard error")                                           \
    X(ROLE_CELL_VALUE, "cell.value", "the value of the last expression")                           \
    X(ROLE_CELL_GOOD, "cell.good", "it ended well")                                                \
    X(ROLE_CELL_FAILED, "cell.failed", "it ended badly")                                           \
    X(ROLE_CELL_STOPPED, "cell.stopped", "it was stopped: interrupt, time-out")                    \
    X(ROLE_CELL_NOTE, "cell.note", "a remark of ours in a card")                                   \
    X(ROLE_CODE_KEYWORD, "code.keyword", "code: keywords")                                         \
    X(ROLE_CODE_STRING, "code.string", "code: strings")                                            \
    X(ROLE_CODE_NUMBER, "code.number", "code: numbers")                                            \
    X(ROLE_CODE_COMMENT, "code.comment", "code: comments")                                         \
    X(ROLE_CODE_FUNCTION, "code.function", "code: names that are called or defined")               \
    X(ROLE_CODE_TYPE, "code.type", "code: types and constants")                                    \
    X(ROLE_CODE_OPERATOR, "code.operator", "code: operators")                                      \
    X(ROLE_CODE_VARIABLE, "code.variable", "code: variables of the shell")                         \
    X(ROLE_PROMPT, "editor.prompt", "the prompt")                                                  \
    X(ROLE_PROMPT_MORE, "editor.prompt.more", "the prompt of further lines")                       \
    X(ROLE_EDITOR, "editor.text", "what is being typed")                                           \
    X(ROLE_SUGGESTION, "editor.suggestion", "what history would put behind it")                    \
    X(ROLE_POPUP, "popup", "a list that lies over the rest")                                       \
    X(ROLE_POPUP_SELECTED, "popup.selected", "its row under the cursor")                           \
    X(ROLE_POPUP_DIM, "popup.dim", "remarks in it")                                                \
    X(ROLE_POPUP_MATCH, "popup.match", "the letters that match what was typed")                    \
    X(ROLE_POPUP_FRAME, "popup.frame", "its frame")                                                \
    X(ROLE_MATCH, "search.match", "what a search found")                                           \
    X(ROLE_MATCH_CURRENT, "search.match.current", "the one that the search stands at")             \
    X(ROLE_SELECTION, "selection", "what is selected")                                             \
    X(ROLE_FILE, "file", "a file")                                                                 \
    X(ROLE_FILE_DIR, "file.dir", "a folder")                                                       \
    X(ROLE_FILE_LINK, "file.link", "a symbolic link")                                              \
    X(ROLE_ADDED, "diff.added", "what came")                                                       \
    X(ROLE_REMOVED, "diff.removed", "what went")                                                   \
    X(ROLE_CHANGED, "diff.changed", "what changed")

enum role {
#define ROLE_X(constant, name, meaning) constant,
    ROLES(ROLE_X)
#undef ROLE_X
        ROLE_COUNT
};

/* A colour: the role's in the theme (or the terminal's default, if the theme has none), one of the
 * 256-colour palette, or 24-bit RGB. */
typedef uint32_t colour;
#define COLOUR_NONE ((colour)0)
#define COLOUR_INDEX(n) ((colour)(UINT32_C(0x01000000) | (n)))
#define COLOUR_RGB(rgb) ((colour)(UINT32_C(0x02000000) | (rgb)))
#define COLOUR_IS_INDEX(c) (((c) >> 24) == 1)
#define COLOUR_IS_RGB(c) (((c) >> 24) == 2)

enum attribute {
    ATTRIBUTE_BOLD = 1 << 0,
    ATTRIBUTE_DIM = 1 << 1,
    ATTRIBUTE_ITALIC = 1 << 2,
    ATTRIBUTE_UNDERLINE = 1 << 3,
    ATTRIBUTE_REVERSE = 1 << 4,
    ATTRIBUTE_STRIKE = 1 << 5,
};

struct style {
    uint8_t role;       /* enum role */
    uint8_t attributes; /* in addition to the role's */
    colour fg, bg;      /* COLOUR_NONE: the role's */
};

#define STYLE(role_) ((struct style){.role = (uint8_t)(role_)})

/* The name in a theme file. */
const char *role_name(enum role role);
/* ROLE_COUNT if there is no such role. */
enum role role_find(const char *name);
