/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a session: folders to walk through, a look into the file under the cursor, and the
 * way in and out.
 */
#pragma once

#include "app/tui.h"
#include "highlight/highlight.h"
#include "kit/transfer.h"
#include "text/text.h"
#include "view/cells.h"

/* Columns of the list, beside which the file at the cursor is shown. */
#define FILES_LIST_COLUMNS(width) MIN(MAX((width)*2 / 5, 34), 60)

enum {
    FILES_MAX = 2000, /* entries of a folder that are shown */
    FILES_PATH_MAX = 1024,
    FILES_LOOK_MAX = 64 << 10, /* bytes of a file that are looked at */
    FILES_HEX_MAX = 4 << 10,   /* of one that is no text */
};

struct file_entry {
    char *name;
    bool folder, link, other;
    uint64_t size;
    double mtime;
};

struct files {
    struct tui *tui;
    const char *session;
    char path[FILES_PATH_MAX]; /* relative to the home; "." */
    struct file_entry *entries;
    size_t count, selected, top;
    bool loaded, more;
    char error[GB_ERR_MESSAGE_MAX]; /* why there is nothing; empty */
    char wanted[FILES_PATH_MAX];    /* the name to stand at when the folder is there */
    uint64_t list_call, look_call;
    int height; /* of the list, as last arranged */
    /* The file under the cursor. */
    char looked[FILES_PATH_MAX];
    struct text *text;            /* NULL: nothing to look at */
    struct gb_language *language; /* that colours it; a reference. NULL: none does */
    bool cut;
    uint64_t size;
    size_t text_top;
    struct transfer *transfer;
    char moving[FILES_PATH_MAX];
    uint64_t moved, moving_size;
};

/* Embed it. Borrows @session. */
void files_init(struct files *files, struct tui *tui, const char *session);
void files_release(struct files *files);
/* Asks for the folder again: when it is shown, and when a cell has ended. */
void files_refresh(struct files *files);
/* What of the list is in sight in this region. */
void files_arrange(struct files *files, struct region region);
void files_draw(const struct files *files, struct region region, bool focused);

void files_move(struct files *files, long rows);
void files_scroll(struct files *files, long rows); /* what is looked at */
void files_enter(struct files *files);
void files_leave(struct files *files);
void files_remove(struct files *files);
/* @local NULL: the file's own name in the working directory. */
void files_download(struct files *files, const char *local);
void files_upload(struct files *files, const char *local);
/* The path under the cursor; NULL: there is none. Borrowed. */
const struct file_entry *files_selected(const struct files *files);
void files_selected_path(const struct files *files, char path[FILES_PATH_MAX]);
