/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of streams: who opens one, which halves it has, its window, its messages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/fields.h"

enum gb_side { GB_SIDE_HOST, GB_SIDE_GUEST };

enum gb_stream_kind {
    GB_STREAM_STDOUT = 1,
    GB_STREAM_STDERR,
    GB_STREAM_STDIN,
    GB_STREAM_UPLOAD,
    GB_STREAM_DOWNLOAD,
    GB_STREAM_CONNECT, /* this, the next and FORWARD: on the second port, GB_GUEST_NETWORK_PORT */
    GB_STREAM_RESOLVE,
    GB_STREAM_TERMINAL,
    GB_STREAM_FORWARD,
    GB_STREAM_KIND_COUNT
};

/* Index 0: the half of the opener; 1: the other half. A half with neither a window nor a final
 * message is closed from the start. */
struct gb_stream_kind_info {
    const char *name;
    enum gb_side opener;
    const struct gb_fields *open;    /* parameters of OPEN; NULL: none */
    uint32_t window[2];              /* window of a half's data; 0: it has none */
    const struct gb_fields *shut[2]; /* final messages of the halves; NULL: none */
};

extern const struct gb_stream_kind_info gb_stream_kinds[GB_STREAM_KIND_COUNT];

/* Parameters and final messages. */
struct gb_upload {
    struct gb_bytes path; /* relative to the home */
    uint32_t mode;        /* permission bits; 0: the default, 0644 */
};
struct gb_upload_end {
    uint64_t size; /* size of the file, which now exists under its name */
};
struct gb_download {
    struct gb_bytes path;
    uint64_t offset, length; /* at most this many bytes */
};
struct gb_download_end {
    uint64_t size; /* size of the file */
    uint8_t eof;   /* the data reached its end */
};

/* A connection of a program in the guest. The first byte of the host's half is the result (enum
 * gb_connected); nothing follows unless it is GB_CONNECTED. */
struct gb_connect {
    uint32_t address; /* IPv4, 127.0.0.1 is 0x7f000001 */
    uint32_t port;
    uint32_t uid; /* the program's, as far as the guest can be trusted */
};
enum gb_connected {
    GB_CONNECTED,
    GB_CONNECT_REFUSED,     /* reachable, but no program listens */
    GB_CONNECT_UNREACHABLE, /* unreachable, or not allowed */
    GB_CONNECT_TIMED_OUT,
    GB_CONNECTED_COUNT
};

/* A name lookup, and the final message with its answer. */
struct gb_resolve {
    struct gb_bytes name; /* lower case, without a trailing dot */
    uint32_t type;        /* DNS type: 1 is an IPv4 address */
};
struct gb_resolve_end {
    uint8_t answer;   /* enum gb_resolved */
    uint32_t address; /* with GB_RESOLVED and type 1 */
    uint32_t ttl_s;
};
enum gb_resolved {
    GB_RESOLVED,        /* the name is known; includes an address if one was requested */
    GB_RESOLVE_NO_NAME, /* no rule allows it */
    GB_RESOLVE_NOT_NOW, /* too many new names */
    GB_RESOLVED_COUNT
};

/* A connection to a port of the guest's own loopback addresses. If nobody listens there, the guest
 * resets the stream with GB_ENOTFOUND. */
struct gb_forward {
    uint32_t port;
};

struct gb_terminal_open {
    uint32_t number; /* as given in TERMINAL */
};
struct gb_terminal_end {
    int64_t exit_code; /* 0–255, −1: did not exit */
    uint32_t signal;   /* 0: none */
};

extern const struct gb_fields gb_upload_fields, gb_upload_end_fields, gb_download_fields,
    gb_download_end_fields, gb_connect_fields, gb_resolve_fields, gb_resolve_end_fields,
    gb_forward_fields, gb_terminal_open_fields, gb_terminal_end_fields;
