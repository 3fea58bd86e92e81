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
    GB_STREAM_CONNECT, /* of the second port, GB_GUEST_NETWORK_PORT, as the next */
    GB_STREAM_RESOLVE,
    GB_STREAM_TERMINAL,
    GB_STREAM_KIND_COUNT
};

/* Index 0: the half of the side that opens it; 1: that of the other. A half that has neither a
 * window nor a last word is closed from the start. */
struct gb_stream_kind_info {
    const char *name;
    enum gb_side opener;
    const struct gb_fields *open;    /* parameters of OPEN; NULL: none */
    uint32_t window[2];              /* that the data of a half has; 0: it has none */
    const struct gb_fields *shut[2]; /* last words of the halves; NULL: none */
};

extern const struct gb_stream_kind_info gb_stream_kinds[GB_STREAM_KIND_COUNT];

/* Parameters and last words. */
struct gb_upload {
    struct gb_bytes path; /* of the home */
    uint32_t mode;        /* permission bits; 0: the default, 0644 */
};
struct gb_upload_end {
    uint64_t size; /* of the file, which is there under its name now */
};
struct gb_download {
    struct gb_bytes path;
    uint64_t offset, length; /* at most so many bytes */
};
struct gb_download_end {
    uint64_t size; /* of the file */
    uint8_t eof;   /* the data went to its end */
};

/* A connection of a program in the guest. The first byte of the host's half says what came of it
 * (enum gb_connected); behind any but GB_CONNECTED nothing follows. */
struct gb_connect {
    uint32_t address; /* IPv4, 127.0.0.1 is 0x7f000001 */
    uint32_t port;
    uint32_t uid; /* of the program, as far as the guest can be believed */
};
enum gb_connected {
    GB_CONNECTED,
    GB_CONNECT_REFUSED,     /* there, and nobody listens */
    GB_CONNECT_UNREACHABLE, /* not there, or not allowed */
    GB_CONNECT_TIMED_OUT,
    GB_CONNECTED_COUNT
};

/* A question for a name, and the last word that answers it. */
struct gb_resolve {
    struct gb_bytes name; /* lower case, without a dot at its end */
    uint32_t type;        /* of DNS: 1 is an IPv4 address */
};
struct gb_resolve_end {
    uint8_t answer;   /* enum gb_resolved */
    uint32_t address; /* with GB_RESOLVED and type 1 */
    uint32_t ttl_s;
};
enum gb_resolved {
    GB_RESOLVED,        /* the name is known; an address when one was asked for */
    GB_RESOLVE_NO_NAME, /* no rule knows it */
    GB_RESOLVE_NOT_NOW, /* too many new names */
    GB_RESOLVED_COUNT
};

struct gb_terminal_open {
    uint32_t number; /* as TERMINAL said */
};
struct gb_terminal_end {
    int64_t exit_code; /* 0–255, −1: did not exit */
    uint32_t signal;   /* 0: none */
};

extern const struct gb_fields gb_upload_fields, gb_upload_end_fields, gb_download_fields,
    gb_download_end_fields, gb_connect_fields, gb_resolve_fields, gb_resolve_end_fields,
    gb_terminal_open_fields, gb_terminal_end_fields;
