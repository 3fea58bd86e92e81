/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a session: browsing folders, a preview of the file under the cursor, upload and
 * download. */
#pragma once

#include "app/tui.h"
#include "highlight/highlight.h"
#include "kit/transfer.h"
#include "text/text.h"
#include "view/cells.h"

/* Width of the list; the file under the cursor is previewed next to it if there is room. */
#define FILES_LIST_COLUMNS(width) ((width) < 60 ? (width) : MIN(MAX((width)*2 / 5, 34), 60))

enum {
    FILES_MAX = 2000, /* entries shown per folder */
    FILES_PATH_MAX = 1024,
    FILES_LOOK_MAX = 64 << 10, /* bytes of a file that are previewed */
    FILES_HEX_MAX = 4 << 10,   /* for binary files */
};

struct file_entry {
    char *name;
    bool folder, link, other;
    uint64_t size;
    double mtime;
};

struct files {
    struct tui *tui;
    struct uplink *uplink;
    const char *session;
    char path[FILES_PATH_MAX]; /* relative to the home; "." */
    struct file_entry *entries;
    size_t count, selected, top;
    bool loaded, more;
    char error[GB_ERR_MESSAGE_MAX]; /* why the folder cannot be shown; empty: none */
    char wanted[FILES_PATH_MAX];    /* the name to select when the folder has been loaded */
    uint64_t list_call, look_call;
    int height; /* of the list, as last arranged */
    /* The file under the cursor. */
    char looked[FILES_PATH_MAX];
    struct text *text;            /* NULL: nothing to preview */
    struct gb_language *language; /* for highlighting; a reference. NULL: none */
    bool cut;
    uint64_t size;
    size_t text_top;
    struct transfer *transfer;
    char moving[FILES_PATH_MAX];
    uint64_t moved, moving_size;
};

/* Embed it. Borrows @session. */
void files_init(struct files *files, struct uplink *uplink, const char *session);
void files_release(struct files *files);
/* Requests the folder again: when it is shown, and when a cell has ended. */
void files_refresh(struct files *files);
/* Determines which part of the list is visible in this region. */
void files_arrange(struct files *files, struct region region);
void files_draw(const struct files *files, struct region region, bool focused);

void files_move(struct files *files, long rows);
void files_scroll(struct files *files, long rows); /* scrolls the preview */
void files_enter(struct files *files);
void files_leave(struct files *files);
/* To the file with this path, in whatever folder. */
void files_seek(struct files *files, const char *path);
/* The path of an entry, relative to the home. */
void files_path_of(const struct files *files, const struct file_entry *entry,
                   char path[FILES_PATH_MAX]);
void files_remove(struct files *files);
/* @local NULL: the file's own name, in the working directory. */
void files_download(struct files *files, const char *local);
void files_upload(struct files *files, const char *local);
/* The entry under the cursor; NULL: none. Borrowed. */
const struct file_entry *files_selected(const struct files *files);
void files_selected_path(const struct files *files, char path[FILES_PATH_MAX]);
