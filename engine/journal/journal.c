/* SPDX-License-Identifier: Apache-2.0 */
/* Theory of operation. A record is encoded into one buffer and immediately assigned its place at
 * the end of the newest segment; from then on it is in the index. The loop writes small records
 * itself, because handing them to a thread costs more than the write, unless the disk has proved to
 * be slow, each cell has to be synced, or earlier records are still being written; in these cases,
 * and if they are large, the writer's thread gets them, in order.
 *
 * A record that could not be written is removed from the index, the segment ends where it did
 * before, and the next record tries again there: an *outage* is over when a record about as large
 * as the largest failed one has been written. The number of the failed record is used up, so that a
 * later start notices that something is missing. Sessions affected by that are written again when
 * possible.
 *
 * Each new segment starts with the open sessions, so that no segment depends on an older one,
 * except for their packages, which may be long: they are in the first record and the last one of a
 * session, and again after the segment that has them was removed (index_forget()). A
 * cell's code is in its START; its CELL repeats it only if that is in another segment. Old segments
 * are removed only once the first record of a new one is on disk: a full disk costs nothing that is
 * already on it.
 */
#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "journal/internal.h"
#include "platform/random.h"

enum {
    DIRECT_MAX = 64 * 1024, /* bytes that the loop writes itself */
    SLOW_MS = 20,           /* a write that takes longer indicates a slow disk */
    SLOW_FOR_MS = 10000,
    OUTAGE_OVER_MS = 10000, /* no failure for this long */
    SEGMENT_MIN = 1 << 20,
    SEGMENT_MAX = 16 << 20,
    SEGMENTS_FOR_ALL = 16, /* segments within the limit */
    SESSIONS_MAX = 16384,  /* in the index, which is in memory; approximate */
};

/* ---- outages ---- */

/* A record of @size bytes could not be written. */
static void failed(struct gb_journal *journal, int sys_errno, size_t size)
{
    struct outage *outage = &journal->outage;

    journal->failures++;
    outage->records++;
    outage->largest = MAX(outage->largest, size);
    outage->last_ns = gb_clock_mono_ns();
    outage->sys_errno = sys_errno;
    if (!outage->on)
        gb_error("journal: %s cannot be written: %s; cells are run and not recorded",
                 journal->folder, strerror(sys_errno));
    outage->on = true;
}

/* One of @size bytes was written. On an almost full disk, small ones may still fit. */
static void worked(struct gb_journal *journal, uint32_t segment_number, size_t size)
{
    struct outage *outage = &journal->outage;
    struct segment *segment = segment_find(journal, segment_number);

    if (segment != NULL)
        segment->begun = true;

    if (!outage->on || (size + size / 4 < outage->largest &&
                        gb_clock_mono_ns() - outage->last_ns < OUTAGE_OVER_MS * GB_NS_PER_MS))
        return;
    gb_warning("journal: %s can be written again; %" PRIu64 " records were left out",
               journal->folder, outage->records);
    *outage = (struct outage){0};
}

/* ---- segments ---- */

static void forget_oldest(struct gb_journal *journal)
{
    struct segment *segment = container_of(journal->segments.next, struct segment, link);
    struct job *job = xcalloc(1, sizeof(*job));
    char name[48];

    segment_name(name, segment->number, segment->key);
    job->kind = JOB_REMOVE;
    job->path = xasprintf("%s/%s", journal->folder, name);
    writer_push(journal->writer, job);
    index_forget(journal, segment->number);
    journal->total -= segment->size;
    gb_list_remove(&segment->link);
    free(segment);
}

/* Removes old segments to make room for the newest, once that contains a record. Sessions may be
 * forgotten with them. */
static void make_room(struct gb_journal *journal)
{
    struct segment *segment = segment_newest(journal);

    if (segment == NULL || segment->counted || !segment->begun)
        return;
    segment->counted = true;
    while ((journal->total + journal->segment_limit > journal->limit ||
            journal->session_count > SESSIONS_MAX) &&
           journal->segments.next != &segment->link)
        forget_oldest(journal);
}

static void close_file(struct gb_journal *journal)
{
    struct job *job;

    if (journal->file == NULL)
        return;
    job = xcalloc(1, sizeof(*job));
    job->kind = JOB_CLOSE;
    job->file = TAKE_PTR(journal->file);
    writer_push(journal->writer, job);
}

static int open_file(struct gb_journal *journal, uint32_t number, uint64_t key, int flags)
{
    char name[48];
    int fd;

    segment_name(name, number, key);
    fd = openat(journal->folder_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return -errno;
    journal->file = xcalloc(1, sizeof(*journal->file));
    journal->file->fd = fd;
    journal->file->folder_fd = journal->folder_fd;
    journal->file->segment = number;
    return 0;
}

/* The folder could not be locked at start-up. Keeps what another server has written there
 * meanwhile. */
static int try_folder_again(struct gb_journal *journal)
{
    struct gb_err err = {0};
    int r;

    if (journal->lock_fd >= 0)
        return 0;
    r = folder_open(journal, &err);
    if (r < 0)
        return err.code == GB_EBUSY ? -EBUSY : err.sys_errno != 0 ? -err.sys_errno : -EIO;
    return journal_list(journal);
}

static void write_open_sessions(struct gb_journal *journal, struct segment *segment);

/* NULL on failure: *@ret_errno says why. */
static struct segment *begin_segment(struct gb_journal *journal, int *ret_errno)
{
    const struct segment *last;
    struct segment *segment;
    uint32_t number;
    uint64_t key = 0;
    int r = try_folder_again(journal);

    close_file(journal);
    last = segment_newest(journal);
    number = last == NULL ? 1 : last->number + 1;
    while (r == 0 && key == 0)
        r = gb_random_fill(&key, sizeof(key));
    if (r == 0)
        r = open_file(journal, number, key, O_CREAT | O_EXCL);
    if (r < 0) {
        *ret_errno = -r;
        return NULL;
    }
    segment = segment_add(journal, number, key);
    journal->sessions_here = 0;
    write_open_sessions(journal, segment);
    return segment;
}

/* Opens the newest segment's file for appending after its last good record. */
static bool file_goes_on(const struct gb_journal *journal)
{
    struct segment_file *file = journal->file;

    if (!file->failed)
        return true;
    if (!writer_idle(journal->writer))
        return false; /* what is queued for it fails first */
    file->failed = false;
    file->broken = 0;
    return true;
}

/* The segment for a record of @size bytes; NULL on failure, which has been reported. */
static struct segment *room_for(struct gb_journal *journal, size_t size)
{
    struct segment *segment = segment_newest(journal);
    bool crowded = journal->sessions_here >= SESSIONS_MAX / 8; /* so that only a few are forgotten
                                                                * at once */
    bool fits = journal->file != NULL && !crowded &&
                (segment->size == 0 || segment->size + size <= journal->segment_limit);
    int sys_errno = journal->outage.sys_errno;

    if (journal->file != NULL && !file_goes_on(journal))
        segment = NULL;
    else if (!fits)
        segment = begin_segment(journal, &sys_errno);
    if (segment == NULL) {
        journal->last_number++; /* the number of the unwritten record */
        failed(journal, sys_errno, 0);
    }
    return segment;
}

/* ---- adding ---- */

/* Undoes the effects of a record that was expected to be written and is not. */
static void journal_take_back(struct gb_journal *journal, const struct gb_record_head *head,
                              uint32_t segment_number, size_t size, int sys_errno)
{
    struct segment *segment = segment_find(journal, segment_number);
    struct gb_journal_session *session = index_find(journal, head->session);

    if (segment != NULL) {
        segment->size -= size;
        journal->total -= size;
    }
    journal->records--;
    if (head->type == GB_RECORD_ANNOTATION) {
        /* It is not in the index before it is on disk. */
    } else if (head->type == GB_RECORD_NETWORK) {
        index_drop_network(journal, head->session, head->number);
    } else if (head->cell > 0) {
        index_drop_cell(journal, head->session, head->cell, segment_number,
                        head->type == GB_RECORD_CELL);
    } else if (session != NULL) {
        index_set_unwritten(journal, session, true);
        session->packages_due = session->packages[0] != '\0';
    }
    failed(journal, sys_errno, size);
}

/* A record is on disk that readers are told about only then. */
static void journal_take(struct gb_journal *journal, uint32_t segment, uint64_t offset,
                         struct gb_bytes record)
{
    struct gb_record_head head;

    /* While it was being written its segment may have been removed. */
    if (segment_find(journal, segment) == NULL || gb_record_head_read(record, &head) < 0 ||
        head.type != GB_RECORD_ANNOTATION)
        return;
    (void)index_annotation(
        journal, &head,
        (struct gb_bytes){record.data + GB_RECORD_HEAD, record.size - GB_RECORD_HEAD},
        (struct place){segment, offset});
}

static void journal_settle(struct gb_journal *journal);

static void journal_on_written(struct job *job)
{
    struct gb_journal *journal = job->arg;
    struct gb_journal_ticket *ticket = job->ticket;

    if (job->result < 0) {
        if (journal->file != NULL && journal->file->segment == job->segment)
            journal->file->failed = true;
        journal_take_back(journal, &job->head, job->segment, job->bytes.size, -job->result);
    } else {
        journal_take(journal, job->segment, job->offset, gb_buf_bytes(&job->bytes));
        worked(journal, job->segment, job->bytes.size);
    }
    if (ticket != NULL) {
        ticket->job = NULL;
        ticket->done(ticket->arg, job->result == 0);
    }
    journal_settle(journal);
}

static bool may_write_here(const struct gb_journal *journal, size_t size)
{
    return size <= DIRECT_MAX && journal->sync != GB_JOURNAL_SYNC_CELL &&
           writer_idle(journal->writer) && gb_clock_mono_ns() >= journal->slow_until_ns;
}

static int write_here(struct gb_journal *journal, struct gb_bytes bytes, uint64_t offset)
{
    uint64_t before = gb_clock_mono_ns(), took;
    int r = write_at(journal->file->fd, bytes, offset);

    took = gb_clock_mono_ns() - before;
    if (took > SLOW_MS * GB_NS_PER_MS) {
        gb_debug("journal: a write took %.0f ms", gb_ns_to_ms(took));
        journal->slow_until_ns = before + took + SLOW_FOR_MS * GB_NS_PER_MS;
    }
    if (r < 0) {
        if (ftruncate(journal->file->fd, (off_t)offset) < 0)
            gb_debug("journal: cannot cut a torn record off: %s", strerror(errno));
        return r;
    }
    writer_wrote(journal->writer, journal->file);
    worked(journal, journal->file->segment, bytes.size);
    return 1;
}

/* Encodes a record of about @size bytes and appends it to @segment, the newest. 1: written; 0:
 * @ticket will be notified, if there is one; or the failure, which has been reported. */
static int append(struct gb_journal *journal, struct segment *segment, struct gb_record_head head,
                  const struct gb_fields *table, const void *message, size_t size,
                  struct gb_journal_ticket *ticket)
{
    uint64_t offset = segment->size;
    struct gb_buf record = {0};
    struct job *job;
    int r;

    if (head.type != GB_RECORD_SESSION &&
        writer_bytes(journal->writer) + size > GB_JOURNAL_QUEUE_MAX) {
        failed(journal, ENOBUFS, 0); /* the disk is too slow */
        return -GB_ECAPACITY;
    }
    head.key = segment->key;
    head.number = ++journal->last_number;
    if (gb_buf_reserve(&record, size, SIZE_MAX) == NULL) {
        failed(journal, ENOMEM, 0);
        return -GB_ECAPACITY;
    }
    gb_record_add(&record, head, table, message);
    segment->size += record.size;
    journal->total += record.size;
    journal->records++;
    if (head.type == GB_RECORD_NETWORK)
        index_network(journal, &head, (struct place){segment->number, offset});
    else if (head.type == GB_RECORD_START || head.type == GB_RECORD_CELL)
        index_cell(journal, &head, (struct place){segment->number, offset});
    if (may_write_here(journal, record.size)) {
        r = write_here(journal, gb_buf_bytes(&record), offset);
        if (r < 0)
            journal_take_back(journal, &head, segment->number, record.size, -r);
        else
            journal_take(journal, segment->number, offset, gb_buf_bytes(&record));
        gb_buf_release(&record);
        return r;
    }
    job = xcalloc(1, sizeof(*job));
    job->kind = JOB_WRITE;
    job->file = journal->file;
    job->offset = offset;
    job->bytes = record;
    job->done = journal_on_written;
    job->arg = journal;
    job->ticket = ticket;
    job->segment = segment->number;
    job->head = head;
    if (ticket != NULL)
        ticket->job = job;
    writer_push(journal->writer, job);
    return 0;
}

static struct gb_record_head make_head(enum gb_record_type type, const char *session, uint32_t cell,
                                       uint32_t incarnation)
{
    struct gb_record_head head = {
        .type = type, .cell = cell, .incarnation = incarnation, .at_ns = gb_clock_wall_ns()};

    memcpy(head.session, session, strnlen(session, GB_RECORD_ID_MAX - 1));
    return head;
}

/* ---- sessions ---- */

static struct gb_bytes journal_text_bytes(const char *text)
{
    return gb_bytes_str(text == NULL ? "" : text);
}

/* The index's record of @session. Borrows until the index changes. */
static struct gb_record_session record_of(const struct gb_journal_session *session)
{
    return (struct gb_record_session){
        .state = (uint8_t)session->state,
        .flags = session->flags,
        .memory_mb = session->memory_mb,
        .cells = session->cells,
        .created_at_ns = session->created_at_ns,
        .key = journal_text_bytes(session->key),
        .label = journal_text_bytes(session->label),
        .owner = journal_text_bytes(session->owner),
        .client = journal_text_bytes(session->client),
        .image = journal_text_bytes(session->image),
        .language = journal_text_bytes(session->language),
        .reason = journal_text_bytes(session->reason),
        .message = journal_text_bytes(session->message),
        .undone = journal_text_bytes(session->undone),
        .origin = journal_text_bytes(session->origin),
        .origin_checkpoint = session->origin_checkpoint,
        .origin_cell = session->origin_cell,
        .packages = journal_text_bytes(session->packages),
    };
}

static void write_session(struct gb_journal *journal, struct segment *segment,
                          struct gb_journal_session *session)
{
    struct gb_record_session record = record_of(session);
    struct gb_record_head head = make_head(GB_RECORD_SESSION, session->id, 0, session->incarnation);

    head.at_ns = session->last_at_ns;
    session->segment = segment->number;
    if (session->packages_due)
        session->packages_segment = segment->number;
    else
        record.packages = (struct gb_bytes){0};
    session->packages_due = false;
    index_set_unwritten(journal, session, false);
    (void)append(journal, segment, head, &gb_record_session_fields, &record, 0, NULL);
}

static void write_open_sessions(struct gb_journal *journal, struct segment *segment)
{
    uint64_t failures = journal->failures;
    struct gb_journal_session *session;

    GB_LIST_FOREACH(session, &journal->sessions, link)
        if (session->state == GB_RECORD_OPEN && journal->failures == failures)
            write_session(journal, segment, session);
        else if (session->state == GB_RECORD_OPEN)
            index_set_unwritten(journal, session, true);
}

/* Of its next record. */
static size_t session_size(const struct gb_journal_session *session)
{
    return GB_RECORD_HEAD + 1024 + strlen(session->undone) +
           (session->packages_due ? strlen(session->packages) : 0);
}

/* Writes the sessions whose last record could not be written, until one fails. */
static void journal_catch_up(struct gb_journal *journal)
{
    struct gb_journal_session *session;
    uint64_t failures = journal->failures;

    while (journal->unwritten > 0 && !journal->outage.on && journal->failures == failures &&
           (session = index_first_unwritten(journal)) != NULL) {
        struct segment *segment = room_for(journal, session_size(session));

        if (segment != NULL)
            write_session(journal, segment, session);
    }
}

/* Finishes the addition of a record. */
static void journal_settle(struct gb_journal *journal)
{
    if (journal->closing)
        return;
    journal_catch_up(journal);
    make_room(journal);
    journal_catch_up(journal); /* with the packages that were in what has been removed */
}

void gb_journal_session(struct gb_journal *journal, const char *id, uint32_t incarnation,
                        const struct gb_record_session *given)
{
    struct gb_record_head head = make_head(GB_RECORD_SESSION, id, 0, incarnation);
    struct gb_record_session record = *given;
    struct gb_journal_session *session = index_find(journal, id);
    struct segment *segment;
    struct place place = {0};

    if (record.state == GB_RECORD_OPEN && session != NULL && session->packages_segment != 0 &&
        !session->packages_due && gb_bytes_equal(record.packages, session->packages))
        record.packages = (struct gb_bytes){0};
    segment = room_for(journal, GB_RECORD_HEAD + 1024 + record.undone.size + record.packages.size);
    if (segment != NULL)
        place = (struct place){segment->number, segment->size};
    else if (session != NULL)
        place = (struct place){session->segment, session->last_offset};
    index_session(journal, &head, &record, place);
    session = index_find(journal, id);
    index_set_unwritten(journal, session, segment == NULL);
    if (segment != NULL)
        (void)append(journal, segment, head, &gb_record_session_fields, &record, 0, NULL);
    else
        session->packages_due = session->packages[0] != '\0';
    journal->sessions_here += record.state == GB_RECORD_OPEN;
    journal_settle(journal);
}

static struct gb_journal_session *first_open(const struct gb_journal *journal)
{
    for (struct gb_list *at = journal->sessions.next; at != &journal->sessions; at = at->next) {
        struct gb_journal_session *session = container_of(at, struct gb_journal_session, link);

        if (session->state == GB_RECORD_OPEN)
            return session;
    }
    return NULL;
}

/* Sessions that were open when the last server died. Writing may remove others from the list. */
static void mark_lost(struct gb_journal *journal)
{
    struct gb_journal_session *session;

    while ((session = first_open(journal)) != NULL) {
        _cleanup_(freep) char *key = session->key == NULL ? NULL : xstrdup(session->key);
        _cleanup_(freep) char *label = session->label == NULL ? NULL : xstrdup(session->label);
        _cleanup_(freep) char *owner = session->owner == NULL ? NULL : xstrdup(session->owner);
        _cleanup_(freep) char *client = session->client == NULL ? NULL : xstrdup(session->client);
        _cleanup_(freep) char *image = xstrdup(session->image);
        _cleanup_(freep) char *language = xstrdup(session->language);
        _cleanup_(freep) char *undone = xstrdup(session->undone);
        _cleanup_(freep) char *packages = xstrdup(session->packages);
        _cleanup_(freep) char *origin = session->origin == NULL ? NULL : xstrdup(session->origin);
        struct gb_record_session record = record_of(session);

        record.state = GB_RECORD_LOST;
        record.key = journal_text_bytes(key);
        record.label = journal_text_bytes(label);
        record.owner = journal_text_bytes(owner);
        record.client = journal_text_bytes(client);
        record.image = journal_text_bytes(image);
        record.language = journal_text_bytes(language);
        record.undone = journal_text_bytes(undone);
        record.origin = journal_text_bytes(origin);
        record.packages = journal_text_bytes(packages);
        record.reason = journal_text_bytes(gb_end_to_string(GB_END_LOST));
        record.message = journal_text_bytes(
            index_ends_in_gap(journal, session)
                ? "what ended it cannot be read: a part of the journal is damaged"
                : "the server that had it ended without closing it");
        gb_journal_session(journal, session->id, session->incarnation, &record);
    }
}

/* ---- cells ---- */

/* The segment for a record of that session, which has to be recorded first. */
static struct segment *room_for_cell(struct gb_journal *journal, const char *id, size_t size)
{
    struct gb_journal_session *session = index_find(journal, id);
    struct segment *segment = room_for(journal, size);

    if (segment == NULL || session == NULL || !session->unwritten)
        return segment;
    write_session(journal, segment, session);
    return session->unwritten ? NULL : segment;
}

/* The id of a cell's session, as a string. */
struct session_id {
    char text[GB_RECORD_ID_MAX];
};

static struct session_id id_of(const struct gb_cell_info *cell)
{
    struct session_id id = {""};

    assert(cell->session.size < sizeof(id.text));
    memcpy(id.text, cell->session.data, cell->session.size);
    return id;
}

/* The size of the fields that say what was run. */
static size_t program_size(const struct gb_cell_info *cell)
{
    return cell->code.size + cell->file.size + cell->argv.size;
}

void gb_journal_start(struct gb_journal *journal, const struct gb_cell_info *cell)
{
    const struct session_id id = id_of(cell);
    struct gb_record_head head =
        make_head(GB_RECORD_START, id.text, cell->number, cell->incarnation);
    struct gb_cell_info record = *cell;
    size_t size = GB_RECORD_HEAD + 1024 + program_size(cell);
    struct segment *segment = room_for_cell(journal, id.text, size);

    record.out = record.err = record.value = record.note = record.pace = (struct gb_bytes){0};
    record.displays = record.files = (struct gb_items){0};
    if (segment != NULL)
        (void)append(journal, segment, head, &gb_record_cell_fields, &record, size, NULL);
    journal_settle(journal);
}

static bool start_is_in(const struct gb_journal *journal, const struct segment *segment,
                        const char *id, uint32_t number)
{
    const struct gb_journal_session *session = index_find(journal, id);
    const struct gb_journal_entry *entry;

    for (uint32_t at = session == NULL ? 0 : session->entry_count; at > 0; at--) {
        entry = &session->entries[at - 1];
        if (entry->number <= number)
            return entry->number == number && entry->start_segment == segment->number;
    }
    return false;
}

int gb_journal_cell(struct gb_journal *journal, const struct gb_cell_info *cell,
                    struct gb_journal_ticket *ticket)
{
    const struct session_id id = id_of(cell);
    struct gb_record_head head =
        make_head(GB_RECORD_CELL, id.text, cell->number, cell->incarnation);
    struct gb_cell_info record = *cell;
    size_t size = GB_RECORD_HEAD + 1024 + program_size(cell) + cell->out.size + cell->err.size +
                  cell->value.size + cell->note.size + cell->displays.pairs.encoded.size +
                  cell->files.pairs.encoded.size + cell->pace.size;
    struct segment *segment = room_for_cell(journal, id.text, size);
    int r;

    if (segment == NULL) {
        index_lose_end(journal, id.text, cell->number);
        return -GB_EINTERNAL;
    }
    if (start_is_in(journal, segment, id.text, cell->number)) {
        record.flags |= GB_CELL_NO_CODE;
        record.code = record.file = record.argv = (struct gb_bytes){0};
    }
    r = append(journal, segment, head, &gb_record_cell_fields, &record, size, ticket);
    if (r < 0)
        index_lose_end(journal, id.text, cell->number);
    journal_settle(journal);
    return r;
}

/* ---- network ---- */

static struct gb_bytes cut(struct gb_bytes text, size_t most)
{
    return (struct gb_bytes){text.data, MIN(text.size, most)};
}

void gb_journal_network(struct gb_journal *journal, const char *id, uint32_t incarnation,
                        const struct gb_network_record *record)
{
    struct gb_record_head head = make_head(GB_RECORD_NETWORK, id, record->cell, incarnation);
    struct gb_network_record copy = *record;
    struct segment *segment;
    size_t size;

    copy.name = cut(copy.name, GB_NETWORK_HOST_MAX);
    copy.address = cut(copy.address, GB_NETWORK_HOST_MAX);
    copy.rule = cut(copy.rule, record->kind == GB_NETWORK_POLICY ? GB_NETWORK_RULES_TEXT_MAX
                                                                 : GB_NETWORK_RULE_MAX);
    copy.reason = cut(copy.reason, GB_NETWORK_REASON_MAX);
    copy.client = cut(copy.client, GB_NAME_MAX);
    size = GB_RECORD_HEAD + 256 + copy.name.size + copy.address.size + copy.rule.size +
           copy.reason.size + copy.client.size;
    segment = room_for_cell(journal, id, size);
    if (segment != NULL)
        (void)append(journal, segment, head, &gb_record_network_fields, &copy, size, NULL);
    journal_settle(journal);
}

/* ---- annotations ---- */

int gb_journal_annotate(struct gb_journal *journal, struct gb_bytes id, uint32_t cell,
                        const struct gb_record_annotation *annotation,
                        struct gb_journal_ticket *ticket, struct gb_err *err)
{
    const struct gb_journal_session *session = gb_journal_find(journal, id);
    size_t size = GB_RECORD_HEAD + 64 + annotation->note.size + annotation->client.size;
    struct gb_record_head head;
    struct segment *segment;
    int r = -GB_EINTERNAL;

    if (session == NULL || !index_has_cell(session, cell))
        return gb_err_set(err, GB_ENOTFOUND, "the journal has no cell %" PRIu32 " of this session",
                          cell);
    if (session->mark_count >= GB_ANNOTATIONS_MAX && index_mark(session, cell) == NULL)
        return gb_err_set(err, GB_ECAPACITY,
                          "%d cells of this session have bookmarks or notes; remove some first",
                          GB_ANNOTATIONS_MAX);
    head = make_head(GB_RECORD_ANNOTATION, session->id, cell, session->incarnation);
    segment = room_for_cell(journal, head.session, size);
    if (segment != NULL)
        r = append(journal, segment, head, &gb_record_annotation_fields, annotation, size, ticket);
    journal_settle(journal);
    return r < 0 ? gb_err_set(err, GB_EINTERNAL, "the journal cannot be written: %s",
                              strerror(journal->outage.sys_errno))
                 : r;
}

/* ---- life ---- */

static void journal_free(struct gb_journal *journal)
{
    struct gb_list *link;

    index_release(journal);
    while ((link = gb_list_pop(&journal->segments)) != NULL)
        free(container_of(link, struct segment, link));
    folder_close(journal);
    free(journal->folder);
    free(journal);
}

static void on_sync_failed(void *arg, int sys_errno)
{
    struct gb_journal *journal = arg;

    failed(journal, sys_errno, 0);
}

static struct gb_journal *journal_new(struct gb_loop *loop, const struct gb_journal_config *config)
{
    struct gb_journal *journal = xcalloc(1, sizeof(*journal));

    journal->loop = loop;
    journal->folder = xstrdup(config->folder);
    journal->lock_fd = journal->folder_fd = -1;
    journal->limit = config->size;
    journal->segment_limit =
        MIN(MAX(config->size / SEGMENTS_FOR_ALL, (uint64_t)SEGMENT_MIN), (uint64_t)SEGMENT_MAX);
    journal->sync = config->sync;
    gb_list_init(&journal->segments);
    gb_list_init(&journal->sessions);
    return journal;
}

int gb_journal_open(struct gb_loop *loop, const struct gb_journal_config *config,
                    struct gb_journal **ret_journal, struct gb_err *err)
{
    struct gb_journal *journal = journal_new(loop, config);
    uint64_t before = gb_clock_mono_ns();
    struct gb_err why = {0};
    const struct segment *last;

    if (folder_open(journal, &why) < 0) {
        if (why.code == GB_EBUSY) {
            journal_free(journal);
            return gb_err_set(err, GB_EBUSY, "%s", why.message);
        }
        failed(journal, why.sys_errno, 0);
    }
    if (journal->folder_fd >= 0)
        journal_scan(journal);
    journal->writer = writer_new(loop, config, on_sync_failed, journal);
    if (journal->writer == NULL) {
        journal_free(journal);
        return gb_err_set(err, GB_ECAPACITY, "no more files can be open, or no thread can start");
    }
    /* Append to the newest segment if possible; else the next record starts a new one. */
    last = segment_newest(journal);
    if (last != NULL && !last->closed)
        (void)open_file(journal, last->number, last->key, 0);
    mark_lost(journal);
    if (config->sweep && journal->lock_fd >= 0)
        folder_sweep(journal, config);
    gb_debug("journal: %s has %u sessions in %llu bytes, read in %.1f ms", journal->folder,
             journal->session_count, (unsigned long long)journal->total,
             gb_ns_to_ms(gb_clock_mono_ns() - before));
    *ret_journal = journal;
    return 0;
}

void gb_journal_close(struct gb_journal *journal)
{
    if (journal == NULL)
        return;
    journal->closing = true;
    close_file(journal);
    writer_free(journal->writer);
    journal_free(journal);
}
