/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit that a client or a guest can run into, by name. Sizes are bytes. */
#pragma once

/* Guest frames (docs/guest.md). */
#define GB_FRAME_MAX (16u << 20)
#define GB_OUTPUT_WINDOW (1u << 20)    /* output of a cell without credit */
#define GB_OUTPUT_COST 256u            /* that a frame takes of it beside its bytes */
#define GB_GUEST_LOG_MAX (4u << 10)    /* one line of a guest's log */
#define GB_GUEST_LOGS_MAX (256u << 10) /* all lines that one VM may add to ours */
#define GB_GUEST_QUEUE_MAX (32u << 20) /* waiting for a guest: then requests are refused */

/* Cells. */
#define GB_CODE_MAX (4u << 20)
#define GB_QUEUED_BYTES_MAX (128u << 20) /* of the cells that wait in one session */
#define GB_ARGS_MAX 2000u                /* arguments of a program */
#define GB_ARGV_BYTES_MAX (256u << 10)   /* and what they take together, its name too */
#define GB_STDIN_MAX (8u << 20)          /* given at once */
#define GB_STDIN_PENDING_MAX (1u << 20)  /* waiting unread in an interactive cell */
#define GB_VALUE_MAX (1u << 20)
#define GB_NOTE_MAX (1u << 10)
#define GB_DISPLAY_MAX (8u << 20)   /* one */
#define GB_DISPLAYS_MAX (32u << 20) /* all of a cell */
#define GB_DISPLAY_COUNT_MAX 256u
#define GB_MIME_MAX 128u
#define GB_CHANGED_MAX 1000u              /* files that a cell's list of changes names */
#define GB_CHANGED_BYTES_MAX (256u << 10) /* and what their paths take together */
#define GB_STDOUT_DEFAULT (1u << 20)
#define GB_STDERR_DEFAULT (256u << 10)
#define GB_OUTPUT_MAX (64u << 20) /* what max_stdout and max_stderr may ask for */
#define GB_TIMEOUT_DEFAULT_MS 30000u
/* How long our clients wait by default while somebody else holds a session. The front end tells it,
 * and the Python package has the same. */
#define GB_LEASE_WAIT_MS 600000u
#define GB_TIMEOUT_MAX_MS 86400000u /* 24 h */
#define GB_KILL_GRACE_MS 2000u      /* SIGINT, then SIGKILL */
#define GB_WORKER_WAIT_MS 15000u    /* how long the start of an interpreter is not a cell's time */

/* RAM of a VM. */
#define GB_MEMORY_MIN_MB 64
#define GB_MEMORY_MAX_MB (1 << 20)

/* Environment. */
#define GB_ENV_COUNT_MAX 100u
#define GB_ENV_NAME_MAX 256u
#define GB_ENV_VALUE_MAX 4096u

/* Queries. */
#define GB_MATCHES_MAX 500u
#define GB_MATCH_TEXT_MAX 1024u
#define GB_QUERY_TIMEOUT_MS 5000u

/* Files. */
#define GB_PATH_MAX 4096u
#define GB_FILE_NAME_MAX 255u
#define GB_FILE_CHUNK_MAX (8u << 20) /* of one FILE_WRITE or FILE_READ frame */
#define GB_UPLOADS_MAX 16u           /* open in one VM */
#define GB_ENTRIES_MAX 1000u         /* in one frame of a listing */
#define GB_READ_DEFAULT (1u << 20)   /* of one file.read */
#define GB_READ_MAX (16u << 20)
#define GB_LIST_MAX 100000u           /* entries of one file.list */
#define GB_LIST_BYTES_MAX (16u << 20) /* and what they may take as JSON */
#define GB_WRITE_FRAME (1u << 20)     /* an upload goes to the guest in pieces of this size */

/* The journal. */
#define GB_JOURNAL_QUEUE_MAX (256u << 20) /* records that wait for a disk; more are left out */
#define GB_FIND_MAX (1u << 10)            /* of a text that is looked for in a history */
#define GB_HISTORY_PIECE_MAX (4u << 20)   /* of the output of one cell, where a part is asked for */

/* The socket. */
#define GB_LINE_MAX (32u << 20)
#define GB_LINES_MAX (256u << 20)         /* of all lines that have no end yet */
#define GB_LINE_SMALL (64u << 10)         /* of one that stays out of that when room is made */
#define GB_REPLY_MAX (256u << 20)         /* what our own clients read of one line of the server */
#define GB_REQUESTS_MAX 256u              /* in flight on one connection */
#define GB_REQUEST_BYTES_MAX (128u << 20) /* that these may hold in memory */
#define GB_REQUESTS_BYTES_MAX (1u << 30)  /* and those of all connections */
#define GB_REQUEST_NODES_MAX 4096u        /* JSON values in one line from a client */
#define GB_REQUEST_ID_MAX 256u
#define GB_CONNECTIONS_MAX 512u
#define GB_UNSENT_HIGH (1u << 20)      /* unsent bytes at which a client is no longer read from */
#define GB_UNSENT_LOW (256u << 10)     /* and at which it is again */
#define GB_UPLOAD_QUEUE_MAX (4u << 20) /* bytes waiting for a guest at which uploads wait */

/* Watching. */
#define GB_SUBSCRIPTIONS_MAX 16u       /* of one connection */
#define GB_EVENTS_HIGH (512u << 10)    /* unsent bytes above which events are dropped */
#define GB_FIGURES 60                  /* rounds of figures that are remembered, 10 s apart */
#define GB_FIGURES_TOLD 2500           /* of all sessions, that a new watcher is told */
#define GB_EVENTS_LOW (64u << 10)      /* and at which they go on, with a new snapshot */
#define GB_EVENT_PIECE_MAX (64u << 10) /* output in one event */
#define GB_PROMPT_MAX 512u             /* of the line that a program which waits left open */
#define GB_EVENT_TEXT_MAX (64u << 10)  /* code or value in one event */
#define GB_EVENT_HEAD_MAX 128u
/* Of a snapshot: cells that wait, the code of all cells, and of each when that is used up. */
#define GB_SNAPSHOT_WAITING_MAX 1000u
#define GB_SNAPSHOT_CODE_MAX (256u << 10)
#define GB_SNAPSHOT_CODE_MIN 256u
#define GB_NOTICE_MAX (8u << 10) /* what holders of leases left to be told */
#define GB_EVENT_LOG_MAX 64u     /* messages of the log in one turn of the loop */

/* Sessions. */
#define GB_SESSIONS_MAX 1024u
#define GB_ENDED_MAX 1024u            /* closed sessions that are remembered */
#define GB_BACKGROUND_MAX (64u << 10) /* kept of what a finished cell goes on printing */
#define GB_BACKGROUND_CELLS_MAX 64u   /* cells of a session for which that is kept */

/* Names that clients give: label, owner, key, image. */
#define GB_NAME_MAX 128u
