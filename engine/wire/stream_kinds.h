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

extern const struct gb_fields gb_upload_fields, gb_upload_end_fields, gb_download_fields,
    gb_download_end_fields;
