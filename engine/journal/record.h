/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the journal: a fixed-size head, then a payload of the fields codec.
 *
 * A record is valid if the checksums of its head and of its payload match. A file's bytes are as
 * untrusted as a guest's: everything is bounded, and anything malformed is an error.
 *
 * A head contains the random key of its file and a number that increases by one per record. After
 * damage, a reader searches for the next head by the key: a guest's output, which is in the
 * payloads, cannot imitate one, because no guest knows the key. Gaps in the numbers show how much
 * was lost. The two oldest versions have neither. Older versions are read, but not written.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/cell.h"
#include "model/network.h"
#include "model/session.h"
#include "wire/fields.h"

enum {
    GB_RECORD_HEAD = 80,        /* bytes, since the third version */
    GB_RECORD_HEAD_OLD = 64,    /* in the first two */
    GB_RECORD_KEY_AT = 8,       /* offset of the key in a head */
    GB_RECORD_ID_MAX = 24,      /* of a session, including the NUL */
    GB_RECORD_MAX = 192 << 20,  /* payload */
    GB_RECORD_FILES_MAX = 4096, /* a cell's changed files */
};

enum gb_record_type {
    GB_RECORD_SESSION = 1, /* what a session is; the newest one counts */
    GB_RECORD_START,       /* a cell was sent to its guest: its code, the sender, the time */
    GB_RECORD_CELL,        /* a cell has ended: the complete cell */
    GB_RECORD_NETWORK,     /* a connection has ended, or the like: model/network.h */
    GB_RECORD_ANNOTATION,  /* a cell got a bookmark or a note, or lost it */
    GB_RECORD_TYPE_END
};

enum gb_record_version {
    GB_RECORD_FIRST = 1, /* cells have no `pace` */
    GB_RECORD_SECOND,    /* neither key nor number */
    GB_RECORD_THIRD,     /* cells have neither `file` nor `argv` */
    GB_RECORD_FOURTH,    /* sessions have no `undone` */
    GB_RECORD_FIFTH,     /* no records of the network */
    GB_RECORD_SIXTH,     /* sessions have no `origin`, cells no `rolled_back` */
    GB_RECORD_SEVENTH,   /* no requests, ports and visits in records of the network */
    GB_RECORD_EIGHTH,    /* sessions have no `packages` */
    GB_RECORD_NINTH,     /* no annotations */
    GB_RECORD_TENTH,     /* the current version */
    GB_RECORD_NEWEST = GB_RECORD_TENTH,
};

struct gb_record_head {
    enum gb_record_version version;
    enum gb_record_type type;
    char session[GB_RECORD_ID_MAX];
    uint32_t cell; /* 0 for a session; for the network 0: none was running */
    uint32_t incarnation;
    uint64_t at_ns;  /* wall clock */
    uint32_t size;   /* of the payload */
    uint32_t crc;    /* of it */
    uint64_t key;    /* of its file; 0 in the first two versions */
    uint64_t number; /* one more than the previous record's, across all files; 0 likewise */
};

/* The size of the head itself. */
static inline size_t gb_record_head_size(const struct gb_record_head *head)
{
    return head->version >= GB_RECORD_THIRD ? GB_RECORD_HEAD : GB_RECORD_HEAD_OLD;
}

/* The state of a session; the values are those on disk. */
enum gb_record_state { GB_RECORD_OPEN, GB_RECORD_CLOSED, GB_RECORD_LOST, GB_RECORD_STATE_COUNT };

struct gb_record_session {
    uint8_t state;
    uint32_t flags, memory_mb, cells;
    uint64_t created_at_ns;
    struct gb_bytes key, label, owner, client, image, language;
    struct gb_bytes reason, message; /* of the end */
    struct gb_bytes undone;          /* cells, as of model/undone.h */
    struct gb_bytes origin;          /* the session that it was forked from; empty: it was not */
    uint64_t origin_checkpoint;
    uint32_t origin_cell;
    struct gb_bytes packages; /* a line for each, with its digest; empty: none, or as before */
};

enum gb_annotation_flags {
    /* Stored: the values must not change. */
    GB_ANNOTATION_SETS_BOOKMARK = 1 << 0,
    GB_ANNOTATION_BOOKMARK = 1 << 1, /* with that: the cell has one from now on */
    GB_ANNOTATION_SETS_NOTE = 1 << 2,
    GB_ANNOTATION_FLAGS_END = 1 << 3,
};

/* What a person changed about a cell; what it does not set is as before. */
struct gb_record_annotation {
    uint8_t flags;                /* enum gb_annotation_flags */
    struct gb_bytes note, client; /* note: empty removes it; client: empty for an unnamed one */
    uint64_t number, at_ns;       /* of the head; ignored when it is written */
};

extern const struct gb_fields gb_record_session_fields, gb_record_cell_fields,
    gb_record_network_fields, gb_record_annotation_fields;

/* Adds a complete record in the newest version; size and checksums of @head are filled in. */
void gb_record_add(struct gb_buf *buf, struct gb_record_head head, const struct gb_fields *table,
                   const void *message);

/* Parses the head at the start of @bytes: -GB_EINTERNAL if there is none. */
int gb_record_head_read(struct gb_bytes bytes, struct gb_record_head *ret_head);

/* Whether the bytes claim to be of an unknown version. */
bool gb_record_head_foreign(struct gb_bytes bytes);

/* Whether the bytes, fewer than a head has, could be the start of a head with that key. */
bool gb_record_head_begins(struct gb_bytes bytes, uint64_t key);

/* Parses a payload of the head's size: checksum, fields and ranges. @ret_message is of the head's
 * type and borrows from @payload. -GB_EINTERNAL. */
int gb_record_read_session(const struct gb_record_head *head, struct gb_bytes payload,
                           struct gb_record_session *ret_session);
int gb_record_read_cell(const struct gb_record_head *head, struct gb_bytes payload,
                        struct gb_cell_info *ret_cell);
int gb_record_read_network(const struct gb_record_head *head, struct gb_bytes payload,
                           struct gb_network_record *ret_record);
int gb_record_read_annotation(const struct gb_record_head *head, struct gb_bytes payload,
                              struct gb_record_annotation *ret_annotation);
