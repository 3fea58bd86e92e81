/* Every limit that a client or a guest can run into, by name. Sizes are bytes. */
#pragma once

/* Guest frames (docs/guest.md). */
#define GB_FRAME_MAX (16u << 20)
#define GB_OUTPUT_WINDOW (1u << 20)
#define GB_GUEST_LOG_MAX (4u << 10)

/* Cells. */
#define GB_CODE_MAX (4u << 20)
#define GB_STDIN_MAX (8u << 20)        /* given at once */
#define GB_STDIN_PENDING_MAX (1u << 20) /* waiting unread in an interactive cell */
#define GB_VALUE_MAX (1u << 20)
#define GB_NOTE_MAX (1u << 10)
#define GB_DISPLAY_MAX (8u << 20)  /* one */
#define GB_DISPLAYS_MAX (32u << 20) /* all of a cell */
#define GB_DISPLAY_COUNT_MAX 256u
#define GB_MIME_MAX 128u
#define GB_STDOUT_DEFAULT (1u << 20)
#define GB_STDERR_DEFAULT (256u << 10)
#define GB_OUTPUT_MAX (64u << 20) /* what max_stdout and max_stderr may ask for */
#define GB_TIMEOUT_DEFAULT_MS 30000u
#define GB_TIMEOUT_MAX_MS 86400000u /* 24 h */
#define GB_KILL_GRACE_MS 2000u      /* SIGINT, then SIGKILL */

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

/* The socket. */
#define GB_LINE_MAX (32u << 20)
#define GB_REQUESTS_MAX 256u /* in flight on one connection */

/* Names that clients give: label, owner, key, image. */
#define GB_NAME_MAX 128u
