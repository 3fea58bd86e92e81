/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit that a client or a guest can hit: the constant, its value, its name in the result of
 * `hello` (NULL: internal), and what it limits. The constants, `hello` and the table in
 * docs/protocol.md are all generated from these rows. Sizes are bytes, unless the name ends in _MS
 * or _MB, or it is a count. */
#pragma once

/* clang-format off */
/* Guest frames (docs/guest.md). */
#define GB_FRAME_LIMITS(X) \
    X(GB_FRAME_MAX, 16 << 20, NULL, "bytes of one frame from a guest") \
    X(GB_STREAM_WINDOW, 512 << 10, NULL, "bytes of a stream that may be in flight") \
    X(GB_CONNECT_WINDOW, 128 << 10, NULL, "the same of a connection to the network") \
    X(GB_TERMINAL_WINDOW, 128 << 10, NULL, "the same of a terminal's stream") \
    X(GB_STREAM_COST, 256, NULL, "what a frame counts in addition to its bytes") \
    X(GB_STREAM_PIECE, 32 << 10, NULL, "one frame of a stream's data, with its header") \
    X(GB_STREAMS_MAX, 1024, NULL, "streams that either side may have open in one VM") \
    X(GB_HOST_NAME_MAX, 253, NULL, "the name of a host, including its dots") \
    X(GB_TERMINAL_INPUT_MAX, 256 << 10, "terminal_input_bytes", \
      "input that a program at a terminal has not read yet") \
    X(GB_TERMINAL_ROWS_MAX, 500, "terminal_rows", "rows of a terminal") \
    X(GB_TERMINAL_COLUMNS_MAX, 500, "terminal_columns", "columns of a terminal") \
    X(GB_CAST_READ_MAX, 256 << 10, NULL, "a piece of a recording of a terminal") \
    X(GB_TERMINALS_MAX, 16, "terminals", "programs at terminals in one session") \
    X(GB_GUEST_LOG_MAX, 4 << 10, NULL, "one line of a guest's log") \
    X(GB_GUEST_LOGS_MAX, 256 << 10, NULL, "all log lines of one VM") \
    X(GB_GUEST_QUEUE_MAX, 32 << 20, "guest_queue_bytes", \
      "bytes queued for a guest before requests are refused")

/* Cells. */
#define GB_CELL_LIMITS(X) \
    X(GB_CODE_MAX, 4 << 20, "code_bytes", "code of a cell") \
    X(GB_QUEUED_BYTES_MAX, 128 << 20, "queued_bytes", "cells that wait in one session") \
    X(GB_ARGS_MAX, 2000, "args", "arguments of a program") \
    X(GB_ARGV_BYTES_MAX, 256 << 10, "args_bytes", "all arguments of a program, including its name") \
    X(GB_STDIN_MAX, 8 << 20, "stdin_bytes", "standard input given with a cell") \
    X(GB_STDIN_PENDING_MAX, 1 << 20, "stdin_pending_bytes", \
      "standard input that an interactive cell has not read yet") \
    X(GB_VALUE_MAX, 1 << 20, "value_bytes", "the value of a cell") \
    X(GB_NOTE_MAX, 1 << 10, "note_bytes", "the agent's note about a cell") \
    X(GB_DISPLAY_MAX, 8 << 20, "display_bytes", "one display") \
    X(GB_DISPLAYS_MAX, 32 << 20, "displays_bytes", "all displays of a cell") \
    X(GB_DISPLAY_COUNT_MAX, 256, "displays", "displays of a cell") \
    X(GB_MIME_MAX, 128, "mime_bytes", "the type of a display") \
    X(GB_CHANGED_MAX, 1000, "changed_files", "files in a cell's list of changes") \
    X(GB_CHANGED_BYTES_MAX, 256 << 10, "changed_bytes", "all paths in that list") \
    X(GB_STDOUT_DEFAULT, 1 << 20, "stdout_default", \
      "default number of bytes kept of stdout") \
    X(GB_STDERR_DEFAULT, 256 << 10, "stderr_default", \
      "default number of bytes kept of stderr") \
    X(GB_OUTPUT_MAX, 64 << 20, "output_bytes", "maximum of `max_stdout` and `max_stderr`") \
    X(GB_TIMEOUT_DEFAULT_MS, 30000, "timeout_default_ms", \
      "default time limit of a cell") \
    X(GB_LEASE_WAIT_MS, 600000, NULL, \
      "how long our clients wait while another client holds a session; the Python package has " \
      "the same value") \
    X(GB_TIMEOUT_MAX_MS, 86400000, "timeout_max_ms", "maximum time limit of a cell") \
    X(GB_KILL_GRACE_MS, 2000, "kill_grace_ms", "between SIGINT and SIGKILL") \
    X(GB_WORKER_WAIT_MS, 15000, "worker_wait_ms", \
      "time for the start of an interpreter that does not count as a cell's")

/* The default image of a session. */
#define GB_IMAGE_DEFAULT "python"

/* RAM of a VM. */
#define GB_MEMORY_LIMITS(X) \
    X(GB_MEMORY_MIN_MB, 64, "memory_min_mb", "minimum RAM of a VM") \
    X(GB_MEMORY_MAX_MB, 1 << 20, "memory_max_mb", "maximum RAM of a VM; the host may have less")

/* Environment. */
#define GB_ENVIRONMENT_LIMITS(X) \
    X(GB_ENV_COUNT_MAX, 100, "env_count", "environment variables of a session, or of a cell") \
    X(GB_ENV_NAME_MAX, 256, "env_name_bytes", "the name of an environment variable") \
    X(GB_ENV_VALUE_MAX, 4096, "env_value_bytes", "its value")

/* Queries. */
#define GB_QUERY_LIMITS(X) \
    X(GB_MATCHES_MAX, 500, "matches", "completions") \
    X(GB_MATCH_TEXT_MAX, 1024, "match_bytes", "one completion") \
    X(GB_DESCRIPTION_MAX, 1024, "description_bytes", \
      "a signature, and a first line of documentation; longer ones are cut") \
    X(GB_QUERY_TIMEOUT_MS, 5000, "query_timeout_ms", "how long a guest may take for completions")

/* Files. */
#define GB_FILE_LIMITS(X) \
    X(GB_PATH_MAX, 4096, "path_bytes", "a path") \
    X(GB_FILE_NAME_MAX, 255, "file_name_bytes", "a name in a folder") \
    X(GB_UPLOADS_MAX, 16, "uploads", "uploads that are open in one VM") \
    X(GB_ENTRIES_MAX, 1000, NULL, "entries in one frame of a listing") \
    X(GB_READ_DEFAULT, 1 << 20, "read_default", \
      "default length of one `file.read`") \
    X(GB_READ_MAX, 16 << 20, "read_bytes", "bytes of one `file.read`") \
    X(GB_LIST_MAX, 100000, "list_entries", "entries in the reply to one `file.list`") \
    X(GB_LIST_BYTES_MAX, 16 << 20, "list_bytes", "size of those entries as JSON")

/* The journal. */
#define GB_JOURNAL_LIMITS(X) \
    X(GB_JOURNAL_QUEUE_MAX, 256 << 20, "journal_queue_bytes", \
      "records waiting to be written; more are dropped") \
    X(GB_FIND_MAX, 1 << 10, "find_bytes", "the text of a search in a history") \
    X(GB_ANNOTATION_MAX, 500, "annotation_bytes", "a person's note to a cell") \
    X(GB_ANNOTATIONS_MAX, 1000, "annotations", "cells of one session with a bookmark or a note") \
    X(GB_HISTORY_PIECE_MAX, 4 << 20, "history_bytes", \
      "a requested part of one cell's output")

/* The socket. */
#define GB_SOCKET_LIMITS(X) \
    X(GB_LINE_MAX, 32 << 20, "line_bytes", "a line from a client") \
    X(GB_LINES_MAX, 256 << 20, "lines_bytes", "all unfinished lines of all connections") \
    X(GB_LINE_SMALL, 64 << 10, NULL, "an unfinished line that is too short to be dropped to make room") \
    X(GB_REPLY_MAX, 256 << 20, NULL, "one line from the server, for our own clients") \
    X(GB_REQUESTS_MAX, 256, "requests", "requests in flight on one connection") \
    X(GB_REQUEST_BYTES_MAX, 128 << 20, "request_bytes", "memory that these may use") \
    X(GB_REQUESTS_BYTES_MAX, 1 << 30, "requests_bytes", "memory that the requests of all connections may use") \
    X(GB_REQUEST_NODES_MAX, 4096, "request_values", "JSON values in one line from a client") \
    X(GB_REQUEST_ID_MAX, 256, "request_id_bytes", "the id of a request") \
    X(GB_CONNECTIONS_MAX, 512, "connections", "connections") \
    X(GB_UNSENT_HIGH, 1 << 20, "unsent_high_bytes", \
      "unsent bytes of a connection above which it is not read") \
    X(GB_UNSENT_LOW, 256 << 10, "unsent_low_bytes", "unsent bytes below which it is read again") \
    X(GB_UPLOAD_QUEUE_MAX, 4 << 20, "upload_queue_bytes", \
      "bytes queued for a guest above which uploads are not read")

/* Watching. */
#define GB_WATCH_LIMITS(X) \
    X(GB_SUBSCRIPTIONS_MAX, 16, "subscriptions", "subscriptions of one connection") \
    X(GB_EVENTS_HIGH, 512 << 10, "events_high_bytes", \
      "unsent bytes above which events are dropped") \
    X(GB_EVENTS_LOW, 64 << 10, "events_low_bytes", "unsent bytes below which they are sent again, beginning with a new snapshot") \
    X(GB_FIGURES, 60, "figures", "samples that are remembered, 10 s apart") \
    X(GB_FIGURES_TOLD, 2500, "figures_told", "samples of all sessions that a new watcher receives") \
    X(GB_EVENT_PIECE_MAX, 64 << 10, "event_output_bytes", "output in one event") \
    X(GB_PROMPT_MAX, 512, "prompt_bytes", \
      "the unfinished line of a program that waits for input") \
    X(GB_EVENT_TEXT_MAX, 64 << 10, "event_text_bytes", "code or value in one event") \
    X(GB_EVENT_HEAD_MAX, 128, NULL, "an event without its variable parts") \
    X(GB_SNAPSHOT_WAITING_MAX, 1000, "snapshot_cells", "waiting cells in a snapshot") \
    X(GB_SNAPSHOT_CODE_MAX, 256 << 10, "snapshot_code_bytes", "code of all cells in a snapshot") \
    X(GB_SNAPSHOT_CODE_MIN, 256, "snapshot_code_min_bytes", \
      "code of each cell once that is exceeded") \
    X(GB_NOTICE_MAX, 8 << 10, "notice_bytes", "notes left by holders of leases") \
    X(GB_EVENT_LOG_MAX, 64, "log_events", "log messages sent to watchers per iteration of the loop")

/* Sessions. */
#define GB_SESSION_LIMITS(X) \
    X(GB_FORKS_MAX, 64, "forks", "sessions of one `session.fork`") \
    X(GB_SESSIONS_MAX, 1024, "sessions", "sessions") \
    X(GB_ENDED_MAX, 1024, "ended", "ended sessions that are remembered without a journal") \
    X(GB_BACKGROUND_MAX, 64 << 10, "background_bytes", \
      "output kept of a finished cell's background processes") \
    X(GB_BACKGROUND_CELLS_MAX, 64, "background_cells", "cells of a session for which it is kept")

/* Names given by clients: label, owner, key, image. */
#define GB_NAME_LIMITS(X) \
    X(GB_NAME_MAX, 128, "name_bytes", "a label, an owner, a key, an image, a client's name") \
    X(GB_PACKAGES_MAX, 256, "packages", "packages that a session asks for") \
    X(GB_PACKAGE_MAX, 1024, "package_bytes", "one of them, with version and digests") \
    X(GB_PACKAGES_LOCK_MAX, 64 << 10, NULL, "all that a session has, a line each")

#define GB_LIMITS(X) \
    GB_FRAME_LIMITS(X) GB_CELL_LIMITS(X) GB_MEMORY_LIMITS(X) \
    GB_ENVIRONMENT_LIMITS(X) GB_QUERY_LIMITS(X) GB_FILE_LIMITS(X) \
    GB_JOURNAL_LIMITS(X) GB_SOCKET_LIMITS(X) GB_WATCH_LIMITS(X) \
    GB_SESSION_LIMITS(X) GB_NAME_LIMITS(X)
/* clang-format on */

#define GB_LIMIT_CONSTANT(constant_, value_, name_, doc_) constant_ = (value_),
enum { GB_LIMITS(GB_LIMIT_CONSTANT) };
#undef GB_LIMIT_CONSTANT
