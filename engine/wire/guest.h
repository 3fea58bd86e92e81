/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of the guest protocols: structs, types and field tables. docs/guest.md documents
 * their meaning; both sides are built from this header. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "model/words.h"
#include "wire/fields.h"
#include "wire/frame.h"

/* Increment with every change below. */
#define GB_GUEST_VERSION 14u

#define GB_GUEST_PORT "glassbell.0"
#define GB_GUEST_NETWORK_PORT "glassbell.1"
#define GB_GUEST_DISK "root"
/* The spare disk, which is empty until the host puts a layer of packages behind it; its size never
 * changes. */
#define GB_GUEST_PACKAGES_DISK "packages"
#define GB_GUEST_PACKAGES_DISK_BYTES (UINT64_C(4) << 30)
/* Where PACKAGES mounts it: a link in the image to the folder in which its language looks. */
#define GB_GUEST_PACKAGES_PATH "/usr/share/glassbell/packages"

/* The file in the guest that has the certificates of TRUST, after the image's. */
#define GB_GUEST_CERTIFICATES "/run/certificates.pem"

/* X(constant, name). Ranges: 1– lifecycle, 16– cells, 24– streams, 32– queries, 40– terminals, 48–
 * files, 58– network, 64– answers. */
#define GB_GUEST_TYPES(X)                                                                          \
    X(GB_GUEST_HELLO, 1)                                                                           \
    X(GB_GUEST_READY, 2)                                                                           \
    X(GB_GUEST_PING, 3)                                                                            \
    X(GB_GUEST_PONG, 4)                                                                            \
    X(GB_GUEST_CONFIGURE, 5)                                                                       \
    X(GB_GUEST_STAT, 6)                                                                            \
    X(GB_GUEST_STATUS, 7)                                                                          \
    X(GB_GUEST_SHUTDOWN, 8)                                                                        \
    X(GB_GUEST_LOG, 9)                                                                             \
    X(GB_GUEST_PREPARE, 10)                                                                        \
    X(GB_GUEST_HOLD, 11)                                                                           \
    X(GB_GUEST_HELD, 12)                                                                           \
    X(GB_GUEST_RESUME, 13)                                                                         \
    X(GB_GUEST_EXEC, 16)                                                                           \
    X(GB_GUEST_DISPLAY, 19)                                                                        \
    X(GB_GUEST_WAITING, 20)                                                                        \
    X(GB_GUEST_DONE, 21)                                                                           \
    X(GB_GUEST_INTERRUPT, 23)                                                                      \
    X(GB_GUEST_OPEN, 24)                                                                           \
    X(GB_GUEST_DATA, 25)                                                                           \
    X(GB_GUEST_SHUT, 26)                                                                           \
    X(GB_GUEST_CREDIT, 27)                                                                         \
    X(GB_GUEST_RESET, 28)                                                                          \
    X(GB_GUEST_COMPLETE, 32)                                                                       \
    X(GB_GUEST_COMPLETIONS, 33)                                                                    \
    X(GB_GUEST_IS_COMPLETE, 34)                                                                    \
    X(GB_GUEST_COMPLETENESS, 35)                                                                   \
    X(GB_GUEST_DESCRIBE, 36)                                                                       \
    X(GB_GUEST_DESCRIPTION, 37)                                                                    \
    X(GB_GUEST_TERMINAL, 40)                                                                       \
    X(GB_GUEST_RESIZE, 41)                                                                         \
    X(GB_GUEST_NETWORK_REHEARSE, 42)                                                               \
    X(GB_GUEST_PACKAGES, 52)                                                                       \
    X(GB_GUEST_FILE_LIST, 53)                                                                      \
    X(GB_GUEST_FILE_ENTRIES, 54)                                                                   \
    X(GB_GUEST_FILE_STAT, 55)                                                                      \
    X(GB_GUEST_FILE_REMOVE, 56)                                                                    \
    X(GB_GUEST_FILE_MKDIR, 57)                                                                     \
    X(GB_GUEST_NETWORK_LOST, 58)                                                                   \
    X(GB_GUEST_TRUST, 59)                                                                          \
    X(GB_GUEST_NETWORK_ON, 60)                                                                     \
    X(GB_GUEST_NETWORK_OFF, 61)                                                                    \
    X(GB_GUEST_NETWORK_START, 62)                                                                  \
    X(GB_GUEST_LISTENING, 63)                                                                      \
    X(GB_GUEST_OK, 64)                                                                             \
    X(GB_GUEST_ERROR, 65)

enum gb_guest_type {
#define GB_X(name, value) name = value,
    GB_GUEST_TYPES(GB_X)
#undef GB_X
};

/* "EXEC", for logs; "?" for an unknown type. */
const char *gb_guest_type_name(uint16_t type);

enum gb_exec_flags { GB_EXEC_INTERACTIVE = 1, GB_EXEC_FINAL = 2, GB_EXEC_PUT = 4 };

enum gb_done_flags {
    GB_DONE_TIMED_OUT = 1,
    GB_DONE_INTERRUPTED = 2,
    GB_DONE_OOM = 4,
    GB_DONE_STATE_LOST = 8,
    GB_DONE_HAS_VALUE = 16,
    GB_DONE_VALUE_CUT = 32,
    GB_DONE_CHANGED_CUT = 64,
    GB_DONE_FLAGS_ALL = 127
};

enum gb_interrupt { GB_INTERRUPT_SIGINT, GB_INTERRUPT_SIGKILL, GB_INTERRUPT_COUNT };

struct gb_hello {
    uint32_t version;
    struct gb_bytes language, kernel;
    uint64_t boot_ns; /* since the kernel's start */
};

struct gb_ready {
    struct gb_bytes language;
    uint32_t generation; /* 1, incremented with each replacement */
    uint64_t start_ns;   /* from fork to ready */
};

struct gb_pong {
    uint64_t uptime_ns, wall_ns;
    uint8_t ready;
};

struct gb_configure {
    struct gb_bytes entropy;
    uint64_t wall_ns;
    struct gb_bytes hostname, machine_id;
    struct gb_pairs env;
    uint32_t nproc; /* 0: the agent's own limit */
};

struct gb_resume {
    uint64_t wall_ns;
    struct gb_bytes entropy; /* empty: only a pause has happened */
};

struct gb_exec {
    uint8_t mode;  /* enum gb_mode */
    uint8_t flags; /* enum gb_exec_flags */
    uint32_t timeout_ms;
    uint64_t max_stdout, max_stderr;
    struct gb_pairs env;
    struct gb_bytes file; /* relative to the home; empty: the code is a cell, not a file */
    struct gb_bytes argv; /* each argument followed by a NUL, the program's name first; or empty */
    struct gb_bytes code, stdin_data;
};

struct gb_credit {
    uint64_t bytes;
};

struct gb_display {
    struct gb_bytes mime, data;
};

struct gb_waiting {
    uint8_t on;
};

struct gb_done {
    int64_t exit_code; /* 0–255, −1: did not exit */
    uint32_t signal;   /* 0: none */
    uint32_t flags;    /* enum gb_done_flags */
    uint64_t dropped_stdout, dropped_stderr;
    uint64_t wall_ns, cpu_ns, peak_memory;
    struct gb_bytes value, note;
    struct gb_pairs changed; /* gb_changed_next() */
};

/* A file that a cell changed. */
struct gb_changed {
    struct gb_bytes path; /* relative to the home */
    uint8_t change;       /* enum gb_change */
    uint64_t size;        /* current size; 0 if removed */
};

/* DATA's header flags. */
enum gb_data_flags { GB_DATA_PUSH = 1 }; /* grant CREDIT as soon as all of it is consumed */

struct gb_open {
    uint8_t kind;           /* enum gb_stream_kind */
    struct gb_bytes params; /* the kind's own */
};

struct gb_interrupt_request {
    uint8_t how; /* enum gb_interrupt */
};

struct gb_complete {
    struct gb_bytes code;
    uint32_t cursor; /* code points */
};

struct gb_completions {
    uint32_t start, end;     /* code points */
    struct gb_pairs matches; /* text, type */
};

struct gb_is_complete {
    struct gb_bytes code;
};

struct gb_completeness_reply {
    uint8_t status; /* enum gb_completeness */
    struct gb_bytes indent;
};

struct gb_describe {
    struct gb_bytes code; /* ends with the name */
};

/* All empty: nothing is known of the name. */
struct gb_description {
    struct gb_bytes type, signature, summary;
};

/* A program at a terminal; its stream is opened next. */
struct gb_terminal_request {
    uint32_t number;        /* chosen by the host */
    uint32_t rows, columns; /* 1 to GB_TERMINAL_ROWS_MAX, GB_TERMINAL_COLUMNS_MAX */
    struct gb_pairs env;
    struct gb_bytes argv; /* each argument followed by a NUL; empty: the user's shell */
};

struct gb_terminal_size {
    uint32_t number, rows, columns;
};

struct gb_file_list {
    struct gb_bytes path, after; /* returns names greater than `after`, bytewise */
    uint32_t limit;
};

struct gb_file_path {
    struct gb_bytes path;
};

struct gb_file_change {
    struct gb_bytes path;
    uint8_t recursive;
};

struct gb_network_begin {
    struct gb_bytes mark; /* GB_SYNC_BYTES, with which both begin on the second port */
};

struct gb_trust {
    struct gb_bytes certificates; /* PEM; empty: none beyond the image's */
};

/* An entry of FILE_ENTRIES, whose payload is `more` u8, `count` u32 and the entries. */
struct gb_file_entry {
    struct gb_bytes name;
    uint8_t type; /* enum gb_entry_type */
    uint64_t size, allocated;
    int64_t mtime_ns;
    uint32_t mode;
};

struct gb_status {
    uint64_t memory_total, memory_available, memory_used, cpu_ns;
    uint32_t processes;
    uint64_t uptime_ns, wall_ns;
};

/* The ports on which programs listen, u16 each, ascending. */
struct gb_listening {
    struct gb_bytes ports;
};
enum { GB_LISTENING_MAX = 64 };
/* Decodes them. A violation (-GB_EINTERNAL): 0, a repetition, or half a port. */
int gb_listening_read(struct gb_bytes encoded, uint16_t ret_ports[GB_LISTENING_MAX],
                      unsigned *ret_count, struct gb_err *err);

struct gb_guest_error {
    uint32_t code; /* enum gb_code */
    struct gb_bytes message;
};

/* Reads the fields of an ERROR or a RESET: the guest's message, made safe for display. A violation
 * (-GB_EINTERNAL): a code that a guest cannot use, because it knows nothing of sessions, images,
 * leases or other VMs, and does not report the result of a cell this way. */
int gb_guest_error_read(const struct gb_frame *frame, struct gb_err *ret_error, struct gb_err *err);

struct gb_guest_log {
    uint8_t level; /* enum gb_log_level */
    struct gb_bytes text;
};

extern const struct gb_fields gb_hello_fields, gb_ready_fields, gb_pong_fields, gb_configure_fields,
    gb_resume_fields, gb_exec_fields, gb_credit_fields, gb_display_fields, gb_waiting_fields,
    gb_done_fields, gb_open_fields, gb_interrupt_fields, gb_complete_fields, gb_completions_fields,
    gb_is_complete_fields, gb_completeness_fields, gb_describe_fields, gb_description_fields,
    gb_terminal_fields, gb_resize_fields, gb_file_list_fields, gb_file_path_fields,
    gb_file_change_fields, gb_trust_fields, gb_status_fields, gb_guest_error_fields,
    gb_guest_log_fields, gb_listening_fields, gb_network_begin_fields;

/* Adds a complete frame: the header and the fields of @message (NULL with a NULL table: no
 * payload). */
void gb_guest_add(struct gb_buf *buf, struct gb_frame frame, const struct gb_fields *table,
                  const void *message);

/* FILE_ENTRIES: begin, add entries, end; the buffer then contains the payload. */
size_t gb_entries_begin(struct gb_buf *payload);
void gb_entries_add(struct gb_buf *payload, const struct gb_file_entry *entry);
void gb_entries_end(struct gb_buf *payload, size_t begin, uint32_t count, bool more);

/* Reads FILE_ENTRIES: the head, then one entry per call from the front of *@rest, which must be
 * empty after @ret_count entries (the caller checks that). A name must be a single path component
 * and not "..", sizes must be possible for a file, modes are permission bits. Failure:
 * -GB_EINTERNAL. */
int gb_entries_head(struct gb_bytes payload, bool *ret_more, uint32_t *ret_count,
                    struct gb_bytes *ret_rest, struct gb_err *err);
int gb_entries_next(struct gb_bytes *rest, struct gb_file_entry *ret_entry, struct gb_err *err);

/* DONE's list of changed files: adds one to encoded pairs; iterates (*@at starts at 0), returning 1
 * with a file, 0 at the end, -GB_EINTERNAL for an invalid one: the path must be below the home. */
void gb_changed_add(struct gb_buf *encoded, uint32_t *count, const struct gb_changed *changed);
int gb_changed_next(const struct gb_pairs *pairs, size_t *at, struct gb_changed *ret_changed,
                    struct gb_err *err);
