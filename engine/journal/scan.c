/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. At start-up the index is read from the segments. Only the heads of records,
 * which follow each other, and the payloads that the index needs are read; cells are read on
 * request. Where no head follows, bytes are damaged: the next head is found by the file's key, so
 * that damage costs only the records that it touches. Records missing according to the numbers are
 * a *gap*; if a cell's end may lie in a gap, nothing is claimed about it.
 *
 * Only a record that is cut off by the end of its file is removed: a server was killed while
 * writing it, and has not reported it to anybody. Everything else is kept, for a tool that knows
 * more than this one; the next record is written after it.
 *
 * Files of older versions have no key: what looks like a head after damage may be a guest's output,
 * so they are read up to the first damage.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "journal/internal.h"

enum { WINDOW = 64 * 1024 };

#define NOWHERE UINT64_MAX

struct scan {
    struct gb_journal *journal;
    struct segment *segment;
    int fd;
    uint64_t size, window_at;
    struct gb_buf window; /* the part of the file read last */
    bool unreadable;      /* the disk failed to return part of it */
    uint64_t number;      /* of the last record; 0: none yet */
    uint64_t skipped;     /* bytes that belong to no record */
};

/* Returns @size bytes at @at; NULL if they do not exist. Borrows until the next call. */
static const uint8_t *scan_look(struct scan *scan, uint64_t at, size_t size)
{
    size_t want = MAX(size, (size_t)WINDOW);
    uint8_t *to;
    ssize_t n;

    if (at > scan->size || size > scan->size - at)
        return NULL;
    if (at >= scan->window_at && at + size <= scan->window_at + scan->window.size)
        return gb_buf_data(&scan->window) + (at - scan->window_at);
    gb_buf_clear(&scan->window);
    to = gb_buf_reserve(&scan->window, want, GB_RECORD_MAX);
    if (to == NULL)
        return NULL;
    do
        n = pread(scan->fd, to, want, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n < (ssize_t)size) {
        scan->unreadable = true;
        return NULL;
    }
    gb_buf_commit(&scan->window, (size_t)n);
    scan->window_at = at;
    return gb_buf_data(&scan->window);
}

/* The bytes at @at, up to the size of a head. */
static struct gb_bytes look_head(struct scan *scan, uint64_t at)
{
    size_t size = (size_t)MIN(scan->size - MIN(at, scan->size), (uint64_t)GB_RECORD_HEAD);
    const uint8_t *data = scan_look(scan, at, size);

    return (struct gb_bytes){data, data == NULL ? 0 : size};
}

/* Parses a head with this file's version and key. */
static bool scan_read_head(struct scan *scan, uint64_t at, struct gb_record_head *ret_head)
{
    struct gb_bytes bytes = look_head(scan, at);
    struct gb_record_head head;

    if (bytes.size == 0 || gb_record_head_read(bytes, &head) < 0 ||
        head.key != scan->segment->key || (head.key == 0) != (head.version < GB_RECORD_THIRD))
        return false;
    *ret_head = head;
    return true;
}

/* The position of the first head at or after @from, or NOWHERE. */
static uint64_t find_head(struct scan *scan, uint64_t from)
{
    uint64_t key = scan->segment->key, at = from + GB_RECORD_KEY_AT;
    struct gb_record_head head;
    uint8_t wanted[sizeof(key)];

    for (size_t i = 0; i < sizeof(key); i++)
        wanted[i] = (uint8_t)(key >> (8 * i));
    while (at < scan->size && scan->size - at >= sizeof(wanted)) {
        size_t size = (size_t)MIN(scan->size - at, (uint64_t)WINDOW);
        const uint8_t *bytes = scan_look(scan, at, size);
        const uint8_t *hit = bytes == NULL ? NULL : memmem(bytes, size, wanted, sizeof(wanted));

        if (hit == NULL) {
            at += size - (sizeof(wanted) - 1);
            continue;
        }
        at += (uint64_t)(hit - bytes);
        if (scan_read_head(scan, at - GB_RECORD_KEY_AT, &head))
            return at - GB_RECORD_KEY_AT;
        at++;
    }
    return NOWHERE;
}

static void note_gap(struct scan *scan, uint64_t at, uint64_t lost)
{
    scan->journal->gap = (struct place){scan->segment->number, at};
    scan->journal->lost += lost;
}

/* Numbers increase by one per record, across files. False: the record is a copy of an earlier
 * one. */
static bool check_number(struct scan *scan, uint64_t number, uint64_t at)
{
    struct gb_journal *journal = scan->journal;
    uint64_t before = scan->number > 0 ? scan->number : journal->last_number;

    if (scan->number > 0 && number <= scan->number)
        return false;
    if (before > 0 && number > before + 1)
        note_gap(scan, at, number - before - 1);
    scan->number = number;
    journal->last_number = MAX(journal->last_number, number);
    return true;
}

static void take_session(struct scan *scan, const struct gb_record_head *head, uint64_t at)
{
    uint64_t begin = at + gb_record_head_size(head);
    struct gb_bytes payload = {scan_look(scan, begin, head->size), head->size};
    struct gb_record_session session;

    if (payload.data != NULL && gb_record_read_session(head, payload, &session) == 0) {
        index_session(scan->journal, head, &session, (struct place){scan->segment->number, at});
        return;
    }
    index_damaged_session(scan->journal, head);
    scan->journal->lost++;
}

static void take_annotation(struct scan *scan, const struct gb_record_head *head, uint64_t at)
{
    uint64_t begin = at + gb_record_head_size(head);
    struct gb_bytes payload = {scan_look(scan, begin, head->size), head->size};

    if (payload.data == NULL ||
        !index_annotation(scan->journal, head, payload, (struct place){scan->segment->number, at}))
        scan->journal->lost++;
}

static void scan_take(struct scan *scan, const struct gb_record_head *head, uint64_t at)
{
    if (head->key != 0 && !check_number(scan, head->number, at))
        return;
    if (head->type == GB_RECORD_SESSION)
        take_session(scan, head, at);
    else if (head->type == GB_RECORD_ANNOTATION)
        take_annotation(scan, head, at);
    else if (head->type == GB_RECORD_NETWORK)
        index_network(scan->journal, head, (struct place){scan->segment->number, at});
    else
        index_cell(scan->journal, head, (struct place){scan->segment->number, at});
    scan->journal->records++;
}

/* Examines what follows the last record: nothing, the start of a record, or garbage. Returns the
 * size that the file should have. */
static uint64_t look_at_tail(struct scan *scan, uint64_t at)
{
    struct gb_bytes rest = look_head(scan, at);

    if (at == scan->size)
        return at;
    if (scan->size - at < GB_RECORD_HEAD && gb_record_head_begins(rest, scan->segment->key))
        return at;
    scan->skipped += scan->size - at;
    note_gap(scan, scan->size, 1);
    return scan->size;
}

static uint64_t scan_records(struct scan *scan)
{
    uint64_t at = 0, end = 0, next;
    struct gb_record_head head;

    if (!scan_read_head(scan, 0, &head)) {
        at = find_head(scan, 0);
        scan->skipped += at == NOWHERE ? 0 : at;
    }
    for (; at != NOWHERE && scan_read_head(scan, at, &head); at = next) {
        struct gb_record_head following;

        end = at + GB_RECORD_HEAD + head.size;
        if (end == scan->size || scan_read_head(scan, end, &following)) {
            next = end;
        } else {
            next = find_head(scan, at + GB_RECORD_HEAD);
            if (next == NOWHERE && end > scan->size)
                return at; /* cut off by the end of the file */
            scan->skipped += next != NOWHERE && next > end ? next - end : 0;
            end = MIN(end, scan->size);
        }
        scan_take(scan, &head, at);
        if (end == scan->size && (next == end || next == NOWHERE))
            return end;
    }
    return look_at_tail(scan, end);
}

/* Records without a key: read up to the first damage. */
static void scan_old_records(struct scan *scan)
{
    struct gb_record_head head;
    uint64_t at = 0, size;

    while (scan_read_head(scan, at, &head)) {
        size = GB_RECORD_HEAD_OLD + (uint64_t)head.size;
        if (size > scan->size - at)
            return; /* torn */
        scan_take(scan, &head, at);
        at += size;
    }
    if (at < scan->size) {
        scan->skipped = scan->size - at;
        note_gap(scan, at, 1);
    }
}

/* A file named as in older versions whose first record is of this version. */
static void find_key(struct scan *scan)
{
    struct gb_record_head head;

    if (scan->segment->key == 0 && gb_record_head_read(look_head(scan, 0), &head) == 0)
        scan->segment->key = head.key;
}

static bool is_foreign(struct scan *scan)
{
    return gb_record_head_foreign(look_head(scan, 0)) &&
           (scan->segment->key == 0 || find_head(scan, 0) == NOWHERE);
}

/* Whether its records are of an older version: such a file is never appended to. */
static bool is_old(struct scan *scan)
{
    struct gb_record_head head;

    return scan->segment->key == 0 ||
           (gb_record_head_read(look_head(scan, 0), &head) == 0 && head.version < GB_RECORD_NEWEST);
}

static void scan_file(struct scan *scan, bool newest)
{
    struct segment *segment = scan->segment;
    const char *folder = scan->journal->folder;
    uint64_t end = scan->size;

    if (is_foreign(scan)) {
        gb_warning("journal: file %" PRIu32 " of %s is of another version of glassbell and left as "
                   "it is",
                   segment->number, folder);
        note_gap(scan, scan->size, 0);
        return;
    }
    if (segment->key == 0)
        scan_old_records(scan);
    else
        end = scan_records(scan);
    if (scan->unreadable)
        note_gap(scan, scan->size, 1);
    if (scan->skipped > 0 || scan->unreadable)
        gb_warning("journal: %" PRIu64 " bytes of file %" PRIu32 " of %s are damaged and were "
                   "passed over",
                   scan->skipped, segment->number, folder);
    if (newest && !scan->unreadable && end < scan->size && ftruncate(scan->fd, (off_t)end) == 0)
        scan->size = end;
    segment->closed = is_old(scan);
}

static void scan_segment(struct gb_journal *journal, struct segment *segment, bool newest)
{
    struct scan scan = {.journal = journal, .segment = segment};
    char name[48];
    struct stat st;

    segment_name(name, segment->number, segment->key);
    segment->closed = segment->counted = true;
    scan.fd = openat(journal->folder_fd, name,
                     (newest ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (scan.fd < 0 && newest)
        scan.fd = openat(journal->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (scan.fd < 0 || fstat(scan.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        gb_warning("journal: file %" PRIu32 " of %s cannot be read: %s", segment->number,
                   journal->folder, strerror(errno));
        note_gap(&scan, 0, 1);
        (void)gb_close(scan.fd);
        return;
    }
    scan.size = (uint64_t)st.st_size;
    find_key(&scan);
    scan_file(&scan, newest);
    segment->size = scan.size;
    journal->total += scan.size;
    gb_buf_release(&scan.window);
    (void)gb_close(scan.fd);
}

/* ---- the folder ---- */

int journal_list(struct gb_journal *journal)
{
    int fd = openat(journal->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (folder == NULL) {
        int r = -errno;

        (void)gb_close(fd);
        return r;
    }
    while ((entry = readdir(folder)) != NULL) {
        uint32_t number;
        uint64_t key;

        if (segment_parse_name(entry->d_name, &number, &key) &&
            segment_find(journal, number) == NULL) {
            struct segment *segment = segment_add(journal, number, key);

            segment->closed = segment->counted = true;
        }
    }
    (void)closedir(folder);
    return 0;
}

void journal_scan(struct gb_journal *journal)
{
    struct segment *segment;
    int r = journal_list(journal);

    if (r < 0)
        gb_warning("journal: %s cannot be listed: %s", journal->folder, strerror(-r));
    GB_LIST_FOREACH(segment, &journal->segments, link)
        scan_segment(journal, segment, segment->link.next == &journal->segments);
    index_settle(journal);
    /* A gap at the end is also missing for later cells. */
    segment = segment_newest(journal);
    if (segment != NULL && journal->gap.segment == segment->number &&
        journal->gap.at >= segment->size)
        journal->last_number++;
    if (journal->lost > 0)
        gb_warning("journal: %" PRIu64 " records of %s are missing or damaged", journal->lost,
                   journal->folder);
}
