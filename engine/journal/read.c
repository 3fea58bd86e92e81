/* SPDX-License-Identifier: Apache-2.0 */
/* Reads records back, on the thread pool: pure except for reading files, which no longer change. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/fd.h"
#include "journal/internal.h"

enum { ENTRIES_MAX = 20000 };

struct reading {
    uv_work_t work;
    struct gb_journal_query query;
    char session[GB_RECORD_ID_MAX];
    int folder_fd, file_fd;
    struct gb_list segments;    /* copies of the existing ones: number and key */
    const struct segment *file; /* the one open as file_fd; NULL: none */
    uint32_t incarnation, count, last;
    bool more;
    uint64_t bytes;                /* read so far */
    struct gb_buf first, second;   /* payloads */
    struct gb_buf bookmark, note;  /* likewise, of annotations */
    struct gb_journal_mark *marks; /* of the session; NULL: none */
    uint32_t mark_count;
    struct gb_journal_network_query network; /* instead of `query` */
    struct gb_journal_note *notes;           /* instead of `entries` */
    uint64_t last_note;
    struct gb_journal_entry entries[];
};

/* -ENOENT: removed by rotation. */
static int open_segment(struct reading *reading, uint32_t number)
{
    struct segment *segment, *found = NULL;
    char name[48];

    if (reading->file != NULL && reading->file->number == number)
        return 0;
    reading->file_fd = gb_close(reading->file_fd);
    reading->file = NULL;
    GB_LIST_FOREACH(segment, &reading->segments, link)
        if (segment->number == number)
            found = segment;
    if (found == NULL)
        return -ENOENT;
    segment_name(name, number, found->key);
    reading->file_fd = openat(reading->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (reading->file_fd < 0)
        return -errno;
    reading->file = found;
    return 0;
}

static bool read_at(int fd, uint8_t *to, size_t size, uint64_t offset)
{
    while (size > 0) {
        ssize_t n = pread(fd, to, size, (off_t)offset);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        to += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return true;
}

enum found { FOUND, FOUND_DAMAGED, FOUND_NOTHING };

static bool read_segment_head(struct reading *reading, uint64_t at, struct gb_record_head *ret_head)
{
    uint8_t bytes[GB_RECORD_HEAD];
    size_t size = reading->file->key == 0 ? GB_RECORD_HEAD_OLD : GB_RECORD_HEAD;

    return read_at(reading->file_fd, bytes, size, at) &&
           gb_record_head_read((struct gb_bytes){bytes, size}, ret_head) == 0 &&
           ret_head->key == reading->file->key;
}

/* Reads the session's record at that position. Nothing: it is not there, or was removed by
 * rotation. */
static enum found read_record(struct reading *reading, struct place place, struct gb_buf *payload,
                              struct gb_record_head *ret_head)
{
    uint8_t *to;
    int r = place.segment == 0 ? -ENOENT : open_segment(reading, place.segment);

    if (r == -ENOENT)
        return FOUND_NOTHING;
    if (r < 0 || reading->file == NULL || !read_segment_head(reading, place.at, ret_head) ||
        strcmp(ret_head->session, reading->session) != 0)
        return FOUND_DAMAGED;
    gb_buf_clear(payload);
    to = gb_buf_reserve(payload, ret_head->size, GB_RECORD_MAX);
    if (to == NULL ||
        !read_at(reading->file_fd, to, ret_head->size, place.at + gb_record_head_size(ret_head)))
        return FOUND_DAMAGED;
    gb_buf_commit(payload, ret_head->size);
    reading->bytes += ret_head->size;
    return FOUND;
}

/* The record of cell @number. Borrows from @payload. */
static enum found read_cell(struct reading *reading, uint32_t number, struct place place,
                            struct gb_buf *payload, struct gb_cell_info *ret_cell)
{
    struct gb_record_head head;
    enum found found = read_record(reading, place, payload, &head);

    if (found != FOUND)
        return found;
    if (head.cell != number || gb_record_read_cell(&head, gb_buf_bytes(payload), ret_cell) < 0)
        return FOUND_DAMAGED;
    ret_cell->session = gb_bytes_str(reading->session); /* the head's does not outlive this frame */
    return FOUND;
}

/* False: there is none, or it cannot be read. */
static bool read_annotation(struct reading *reading, uint32_t cell, struct place place,
                            struct gb_buf *payload, struct gb_record_annotation *ret_annotation)
{
    struct gb_record_head head;

    return read_record(reading, place, payload, &head) == FOUND && head.cell == cell &&
           gb_record_read_annotation(&head, gb_buf_bytes(payload), ret_annotation) == 0;
}

static const struct gb_journal_mark *find_mark(const struct gb_journal_mark *marks, uint32_t count,
                                               uint32_t cell)
{
    for (uint32_t from = 0, to = count; from < to;) {
        uint32_t at = from + (to - from) / 2;

        if (marks[at].cell == cell)
            return &marks[at];
        if (marks[at].cell < cell)
            from = at + 1;
        else
            to = at;
    }
    return NULL;
}

/* Adds the cell's bookmark and note. */
static void read_mark(struct reading *reading, struct gb_cell_info *cell)
{
    const struct gb_journal_mark *mark =
        find_mark(reading->marks, reading->mark_count, cell->number);
    struct gb_record_annotation bookmark = {0}, note = {0};
    const struct gb_record_annotation *newest;
    bool marked, noted;

    if (mark == NULL)
        return;
    marked = read_annotation(reading, cell->number, mark->bookmark, &reading->bookmark, &bookmark);
    noted = read_annotation(reading, cell->number, mark->note, &reading->note, &note);
    if (!marked && !noted)
        return;
    newest = marked && (!noted || bookmark.number > note.number) ? &bookmark : &note;
    cell->flags |= GB_CELL_ANNOTATED | (marked ? GB_CELL_BOOKMARK : 0u);
    cell->annotation = noted ? note.note : (struct gb_bytes){0};
    cell->annotator = newest->client;
    cell->annotated_at_ns = newest->at_ns;
}

static enum gb_journal_verdict read_entry(struct reading *reading,
                                          const struct gb_journal_entry *entry)
{
    const struct place start_place = {entry->start_segment, entry->start_at};
    const struct place done_place = {entry->done_segment, entry->done_at};
    /* What is known if neither of its records can be read. */
    struct gb_cell_info cell = {.session = gb_bytes_str(reading->session),
                                .number = entry->number,
                                .incarnation = reading->incarnation,
                                .exit_code = -1,
                                .state = GB_CELL_RUNNING};
    struct gb_cell_info start;
    enum found done = read_cell(reading, entry->number, done_place, &reading->first, &cell);
    enum found begun = FOUND_NOTHING;
    bool needs_start = done != FOUND || (cell.flags & GB_CELL_NO_CODE) != 0;

    if (needs_start)
        begun = read_cell(reading, entry->number, start_place, &reading->second, &start);
    if (done == FOUND_NOTHING && begun == FOUND_NOTHING)
        return GB_JOURNAL_NEXT;
    if (begun == FOUND && done == FOUND) {
        cell.code = start.code;
        cell.file = start.file;
        cell.argv = start.argv;
    } else if (begun == FOUND) {
        cell = start;
    } else if (needs_start) {
        cell.flags |= GB_CELL_CODE_LOST;
    }
    if (done == FOUND_DAMAGED || (done == FOUND_NOTHING && entry->done_lost)) {
        cell.flags |= GB_CELL_RESULT_LOST;
        cell.state = GB_CELL_DONE;
    }
    read_mark(reading, &cell);
    return reading->query.each(reading->query.arg, &cell);
}

static void work(uv_work_t *request)
{
    struct reading *reading = container_of(request, struct reading, work);

    for (uint32_t i = 0; i < reading->count; i++) {
        enum gb_journal_verdict verdict = read_entry(reading, &reading->entries[i]);
        bool full = reading->query.bytes > 0 && reading->bytes >= reading->query.bytes;
        bool rest = i + 1 < reading->count;

        if (verdict != GB_JOURNAL_BEFORE)
            reading->last = reading->entries[i].number;
        if (verdict == GB_JOURNAL_BEFORE || verdict == GB_JOURNAL_ENOUGH || full) {
            reading->more = reading->more || rest || verdict == GB_JOURNAL_BEFORE;
            return;
        }
    }
}

static void copy_segments(struct reading *reading, const struct gb_journal *journal)
{
    gb_list_init(&reading->segments);
    for (struct gb_list *at = journal->segments.next; at != &journal->segments; at = at->next) {
        const struct segment *segment = container_of(at, struct segment, link);
        struct segment *copy = xcalloc(1, sizeof(*copy));

        copy->number = segment->number;
        copy->key = segment->key;
        gb_list_add_tail(&reading->segments, &copy->link);
    }
}

static void reading_free(struct reading *reading)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&reading->segments)) != NULL)
        free(container_of(link, struct segment, link));
    gb_buf_release(&reading->first);
    gb_buf_release(&reading->second);
    gb_buf_release(&reading->bookmark);
    gb_buf_release(&reading->note);
    free(reading->marks);
    free(reading->notes);
    (void)gb_close(reading->file_fd);
    (void)gb_close(reading->folder_fd);
    free(reading);
}

static void after(uv_work_t *request, int status)
{
    struct reading *reading = container_of(request, struct reading, work);
    struct gb_err err = {0};

    if (status < 0)
        (void)gb_err_set(&err, GB_EBUSY, "the journal could not be read: %s", uv_strerror(status));
    reading->query.done(reading->query.arg, reading->last, reading->more, status < 0 ? &err : NULL);
    reading_free(reading);
}

/* Takes @reading. */
static int reading_begin(struct reading *reading, const struct gb_journal *journal,
                         uv_work_cb on_work, uv_after_work_cb on_done, struct gb_err *err)
{
    int r;

    copy_segments(reading, journal);
    reading->file_fd = -1;
    reading->folder_fd = fcntl(journal->folder_fd, F_DUPFD_CLOEXEC, 3);
    r = reading->folder_fd < 0
            ? gb_err_sys(err, errno, "cannot read the journal")
            : uv_queue_work(gb_loop_uv(journal->loop), &reading->work, on_work, on_done);
    if (r < 0 && reading->folder_fd >= 0)
        r = gb_err_set(err, GB_EBUSY, "cannot read the journal: %s", uv_strerror(r));
    if (r < 0)
        reading_free(reading);
    return r < 0 ? r : 0;
}

/* The entries selected by @query: session->entries[*ret_from .. *ret_to). Numbers increase. */
static void find_range(const struct gb_journal_session *session,
                       const struct gb_journal_query *query, uint32_t *ret_from, uint32_t *ret_to)
{
    uint32_t from = 0, to = session->entry_count;

    while (from < to && session->entries[from].number <= query->after)
        from++;
    while (query->before > 0 && to > from && session->entries[to - 1].number >= query->before)
        to--;
    *ret_from = from;
    *ret_to = to;
}

/* Copies the entries from @from to @to, in the order of the query, as many as it may examine. */
static void copy_entries(struct reading *reading, const struct gb_journal_session *session,
                         uint32_t from, uint32_t to, uint32_t most)
{
    const struct gb_journal_query *query = &reading->query;

    for (uint32_t i = from; i < to; i++) {
        const struct gb_journal_entry *entry =
            &session->entries[query->before > 0 ? to - 1 - (i - from) : i];

        if (query->annotated &&
            find_mark(session->marks, session->mark_count, entry->number) == NULL)
            continue;
        if (reading->count == most) {
            reading->more = true;
            return;
        }
        reading->entries[reading->count++] = *entry;
    }
}

static void copy_marks(struct reading *reading, const struct gb_journal_session *session)
{
    if (session->mark_count == 0)
        return;
    reading->marks = xcalloc(session->mark_count, sizeof(*reading->marks));
    memcpy(reading->marks, session->marks, session->mark_count * sizeof(*reading->marks));
    reading->mark_count = session->mark_count;
}

int gb_journal_read(struct gb_journal *journal, struct gb_bytes id,
                    const struct gb_journal_query *query, struct gb_err *err)
{
    const struct gb_journal_session *session = gb_journal_find(journal, id);
    struct reading *reading;
    uint32_t from, to, count;

    if (session == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "the journal has no such session");
    find_range(session, query, &from, &to);
    count = MIN(to - from, MIN(query->limit, (uint32_t)ENTRIES_MAX));
    reading = xcalloc(1, sizeof(*reading) + count * sizeof(reading->entries[0]));
    reading->query = *query;
    reading->last = query->before > 0 ? query->before : query->after;
    memcpy(reading->session, session->id, sizeof(reading->session));
    copy_entries(reading, session, from, to, count);
    copy_marks(reading, session);
    reading->incarnation = session->incarnation;
    return reading_begin(reading, journal, work, after, err);
}

/* ---- network ---- */

static void network_work(uv_work_t *request)
{
    struct reading *reading = container_of(request, struct reading, work);
    const struct gb_journal_network_query *query = &reading->network;

    for (uint32_t i = 0; i < reading->count; i++) {
        const struct gb_journal_note *note = &reading->notes[i];
        struct gb_network_record record;
        struct gb_record_head head;

        if (read_record(reading, (struct place){note->segment, note->at}, &reading->first, &head) ==
                FOUND &&
            gb_record_read_network(&head, gb_buf_bytes(&reading->first), &record) == 0 &&
            !query->each(query->arg, &record)) {
            reading->more = true;
            return;
        }
        reading->last_note = note->number;
    }
}

static void network_after(uv_work_t *request, int status)
{
    struct reading *reading = container_of(request, struct reading, work);
    struct gb_err err = {0};

    if (status < 0)
        (void)gb_err_set(&err, GB_EBUSY, "the journal could not be read: %s", uv_strerror(status));
    reading->network.done(reading->network.arg, reading->last_note, reading->more,
                          status < 0 ? &err : NULL);
    reading_free(reading);
}

static int network_begin(struct gb_journal *journal, const char *id,
                         const struct gb_journal_network_query *query, struct gb_err *err)
{
    const struct gb_journal_session *session = index_find(journal, id);
    struct reading *reading;
    uint32_t from = 0;

    if (session == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "the journal has no such session");
    while (from < session->note_count && session->notes[from].number <= query->after)
        from++;
    reading = xcalloc(1, sizeof(*reading));
    reading->network = *query;
    reading->count = MIN(session->note_count - from, MIN(query->limit, (uint32_t)ENTRIES_MAX));
    reading->more = reading->count < session->note_count - from;
    reading->last_note = query->after;
    memcpy(reading->session, session->id, sizeof(reading->session));
    if (reading->count > 0) {
        reading->notes = xcalloc(reading->count, sizeof(*reading->notes));
        memcpy(reading->notes, session->notes + from, reading->count * sizeof(*reading->notes));
    }
    return reading_begin(reading, journal, network_work, network_after, err);
}

/* A query that waits for the writer. */
struct network_waiting {
    struct gb_journal *journal;
    struct gb_journal_network_query query;
    char session[GB_RECORD_ID_MAX];
};

static void network_on_written(struct job *job)
{
    struct network_waiting *waiting = job->arg;
    struct gb_err err = {0};
    int r = waiting->journal->closing
                ? gb_err_set(&err, GB_ECLOSED, "the journal is being closed")
                : network_begin(waiting->journal, waiting->session, &waiting->query, &err);

    if (r < 0)
        waiting->query.done(waiting->query.arg, waiting->query.after, false, &err);
    free(waiting);
}

int gb_journal_read_network(struct gb_journal *journal, struct gb_bytes id,
                            const struct gb_journal_network_query *query, struct gb_err *err)
{
    const struct gb_journal_session *session = gb_journal_find(journal, id);
    struct network_waiting *waiting;
    struct job *job;

    if (session == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "the journal has no such session");
    if (writer_idle(journal->writer))
        return network_begin(journal, session->id, query, err);
    /* A record that is not on disk yet could not be read, and whoever asks for those after the last
     * one would never get it. */
    waiting = xcalloc(1, sizeof(*waiting));
    waiting->journal = journal;
    waiting->query = *query;
    memcpy(waiting->session, session->id, sizeof(waiting->session));
    job = xcalloc(1, sizeof(*job));
    job->kind = JOB_WAIT;
    job->done = network_on_written;
    job->arg = waiting;
    writer_push(journal->writer, job);
    return 0;
}
