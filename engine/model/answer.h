/* SPDX-License-Identifier: Apache-2.0 */
/* Results of methods that do not return an object of their own. Bytes borrow from whoever built the
 * struct. */
#pragma once

#include <stdint.h>

#include "base/buf.h"
#include "model/member.h"

enum gb_opened_flags { GB_OPENED_CREATED = 1 << 0 };

/* `session.open`; `run` also returns the source and the start-up times of the VM. */
struct gb_opened_info {
    struct gb_bytes session, reason;
    uint32_t incarnation;
    uint8_t source; /* enum gb_source */
    uint64_t total_ns, admission_ns, boot_ns, worker_ns;
    uint32_t flags; /* enum gb_opened_flags */
};

/* `session.list` */
struct gb_sessions_info {
    struct gb_items sessions; /* struct gb_session_info */
    uint32_t flags;           /* none */
};

struct gb_match_info {
    struct gb_bytes text, type;
    uint32_t flags; /* none */
};

/* `session.complete` */
struct gb_matches_info {
    struct gb_items matches; /* struct gb_match_info */
    uint32_t start, end;     /* code points */
    uint32_t flags;          /* none */
};

/* `session.is_complete` */
struct gb_whole_info {
    uint8_t status; /* enum gb_completeness */
    struct gb_bytes indent;
    uint32_t flags; /* none */
};

/* `session.describe` */
struct gb_description_info {
    struct gb_bytes type, signature, summary;
    uint32_t flags; /* none */
};

enum gb_page_flags {
    GB_PAGE_MORE = 1 << 0,
    GB_PAGE_HAS_NEXT = 1 << 1,
};

/* `session.history` */
struct gb_history_info {
    struct gb_items cells; /* struct gb_cell_info */
    uint32_t next;
    uint32_t flags; /* enum gb_page_flags */
};

/* `file.list` */
struct gb_listing_info {
    struct gb_items entries; /* struct gb_entry_info */
    struct gb_bytes next;    /* in base64 */
    uint32_t flags;          /* enum gb_page_flags */
};

enum gb_piece_flags { GB_PIECE_EOF = 1 << 0, GB_PIECE_BASE64 = 1 << 1 };

/* `file.read` */
struct gb_piece_info {
    struct gb_bytes data;
    uint64_t size;  /* of the whole file */
    uint32_t flags; /* enum gb_piece_flags */
};

/* `file.write` */
struct gb_written_info {
    uint64_t size;
    uint32_t flags; /* none */
};

/* `events.subscribe` */
struct gb_subscribed_info {
    uint64_t subscription;
    uint32_t flags; /* none */
};

extern const struct gb_object gb_opened_object, gb_start_object, gb_sessions_object,
    gb_match_object, gb_matches_object, gb_whole_object, gb_description_object, gb_history_object,
    gb_listing_object, gb_piece_object, gb_written_object, gb_subscribed_object;
