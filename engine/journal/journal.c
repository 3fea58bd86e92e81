/* Theory of operation. A record is encoded into one buffer and gets its place, at the end of the
 * newest segment, at once; the index knows it from then on. Small ones are written by the loop
 * itself, because handing them to a thread costs more than the write, unless the disk has shown to
 * be slow, each cell is to be synced, or others are still under way; then, and when they are large,
 * they go to the writer's thread, in their order. What could not be written is taken out of the
 * index again, and the next record begins a new segment.
 *
 * Each new segment begins with the sessions that are open, so that no segment needs an older one to
 * be understood. A cell's code stands in its START; its CELL repeats it only when that is in
 * another segment.
 */
#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "journal/internal.h"

enum {
    DIRECT_MAX = 64 * 1024, /* bytes that the loop writes by itself */
    SLOW_MS = 20,           /* a write that took longer shows a slow disk */
    SLOW_FOR_MS = 10000,
    SEGMENT_MIN = 1 << 20,
    SEGMENT_MAX = 16 << 20,
    SEGMENTS_FOR_ALL = 16, /* of the limit */
    SESSIONS_MAX = 16384,  /* in the index, which is in memory: about */
};

static struct segment *newest(const struct gb_journal *journal)
{
    return gb_list_empty(&journal->segments)
               ? NULL
               : container_of(journal->segments.previous, struct segment, link);
}

/* ---- segments ---- */

static void forget_oldest(struct gb_journal *journal)
{
    struct segment *segment = container_of(journal->segments.next, struct segment, link);
    struct job *job = xcalloc(1, sizeof(*job));
    char name[32];

    segment_name(name, segment->number);
    job->kind = JOB_REMOVE;
    job->path = xasprintf("%s/%s", journal->folder, name);
    writer_push(journal->writer, job);
    index_forget(journal, segment->number);
    journal->total -= segment->size;
    gb_list_remove(&segment->link);
    free(segment);
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

/* Something could not be written: the next record begins a new segment, and when the disk is full
 * an old one makes room. */
static void failed(struct gb_journal *journal, int sys_errno)
{
    journal->failures++;
    if (!journal->failing)
        gb_error("journal: %s cannot be written: %s; cells are run and not recorded",
                 journal->folder, strerror(sys_errno));
    journal->failing = true;
    journal->disk_full = sys_errno == ENOSPC || sys_errno == EDQUOT;
    close_file(journal);
}

static void worked(struct gb_journal *journal)
{
    if (journal->failing)
        gb_warning("journal: %s can be written again", journal->folder);
    journal->failing = false;
}

static int open_file(struct gb_journal *journal, uint32_t number, int flags)
{
    char name[32];
    int fd;

    segment_name(name, number);
    fd = openat(journal->folder_fd, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return -errno;
    journal->file = xcalloc(1, sizeof(*journal->file));
    journal->file->fd = fd;
    return 0;
}

static void write_open_sessions(struct gb_journal *journal, struct segment *segment);

/* NULL when it cannot be had. */
static struct segment *begin_segment(struct gb_journal *journal)
{
    const struct segment *last = newest(journal);
    uint32_t number = last == NULL ? 1 : last->number + 1;
    struct segment *segment;
    int r;

    close_file(journal);
    if (journal->disk_full && last != NULL && journal->segments.next != &last->link)
        forget_oldest(journal);
    journal->disk_full = false;
    r = open_file(journal, number, O_CREAT | O_EXCL);
    if (r < 0) {
        failed(journal, -r);
        return NULL;
    }
    segment = xcalloc(1, sizeof(*segment));
    segment->number = number;
    gb_list_add_tail(&journal->segments, &segment->link);
    journal->sessions_here = 0;
    write_open_sessions(journal, segment);
    while ((journal->total + journal->segment_limit > journal->limit ||
            journal->session_count > SESSIONS_MAX) &&
           journal->segments.next != &segment->link)
        forget_oldest(journal);
    return journal->file == NULL ? NULL : segment;
}

/* The segment that a record of @size bytes goes into; NULL when it cannot be had. */
static struct segment *room_for(struct gb_journal *journal, size_t size)
{
    struct segment *segment = newest(journal);
    bool crowded = journal->sessions_here >= SESSIONS_MAX / 8; /* so that few go at once */

    if (journal->file != NULL && segment != NULL && !crowded &&
        (segment->size == 0 || segment->size + size <= journal->segment_limit))
        return segment;
    return begin_segment(journal);
}

/* ---- adding ---- */

static void on_written(struct job *job)
{
    struct gb_journal *journal = job->arg;
    struct gb_journal_ticket *ticket = job->ticket;

    if (job->result < 0) {
        index_drop_cell(journal, job->session, job->cell, job->segment, ticket != NULL);
        failed(journal, -job->result);
    } else {
        worked(journal);
    }
    if (ticket != NULL) {
        ticket->job = NULL;
        ticket->done(ticket->arg, job->result == 0);
    }
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
        failed(journal, -r);
        return r;
    }
    writer_wrote(journal->writer, journal->file);
    worked(journal);
    return 1;
}

/* Writes @record to the end of @segment, the newest; takes its content. 1: written; 0: @ticket will
 * be told. */
static int append(struct gb_journal *journal, struct segment *segment, struct gb_buf *record,
                  const struct gb_record_head *head, struct gb_journal_ticket *ticket)
{
    uint64_t offset = segment->size;
    struct job *job;
    int r;

    segment->size += record->size;
    journal->total += record->size;
    journal->records++;
    if (head->cell > 0)
        index_cell(journal, head, segment->number, offset);
    if (may_write_here(journal, record->size)) {
        r = write_here(journal, gb_buf_bytes(record), offset);
        gb_buf_release(record);
        if (r < 0 && head->cell > 0)
            index_drop_cell(journal, head->session, head->cell, segment->number,
                            head->type == GB_RECORD_CELL);
        return r;
    }
    job = xcalloc(1, sizeof(*job));
    job->kind = JOB_WRITE;
    job->file = journal->file;
    job->offset = offset;
    job->bytes = *record;
    *record = (struct gb_buf){0};
    job->done = on_written;
    job->arg = journal;
    job->ticket = ticket;
    job->segment = segment->number;
    job->cell = head->cell;
    memcpy(job->session, head->session, sizeof(job->session));
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

static void append_session(struct gb_journal *journal, struct segment *segment,
                           const struct gb_record_head *head,
                           const struct gb_record_session *record)
{
    struct gb_buf buf = {0};

    gb_record_add(&buf, *head, &gb_record_session_fields, record);
    (void)append(journal, segment, &buf, head, NULL); /* a failure has been logged */
}

static struct gb_bytes text_bytes(const char *text)
{
    return gb_bytes_str(text == NULL ? "" : text);
}

static void write_open_sessions(struct gb_journal *journal, struct segment *segment)
{
    struct gb_journal_session *session;

    GB_LIST_FOREACH(session, &journal->sessions, link)
    {
        const struct gb_record_session record = {
            .state = (uint8_t)session->state,
            .flags = session->flags,
            .memory_mb = session->memory_mb,
            .cells = session->cells,
            .created_at_ns = session->created_at_ns,
            .key = text_bytes(session->key),
            .label = text_bytes(session->label),
            .owner = text_bytes(session->owner),
            .client = text_bytes(session->client),
            .image = text_bytes(session->image),
            .language = text_bytes(session->language),
            .reason = text_bytes(session->reason),
            .message = text_bytes(session->message),
        };
        struct gb_record_head head =
            make_head(GB_RECORD_SESSION, session->id, 0, session->incarnation);

        if (session->state != GB_RECORD_OPEN || journal->file == NULL)
            continue;
        head.at_ns = session->last_at_ns;
        session->segment = segment->number;
        append_session(journal, segment, &head, &record);
    }
}

void gb_journal_session(struct gb_journal *journal, const char *id, uint32_t incarnation,
                        const struct gb_record_session *record)
{
    struct gb_record_head head = make_head(GB_RECORD_SESSION, id, 0, incarnation);
    struct segment *segment = room_for(journal, GB_RECORD_HEAD + 1024);

    if (segment != NULL)
        append_session(journal, segment, &head, record);
    journal->sessions_here += record->state == GB_RECORD_OPEN;
    index_session(journal, &head, record, segment == NULL ? 0 : segment->number);
}

const struct gb_journal_session *gb_journal_find(const struct gb_journal *journal,
                                                 struct gb_bytes id)
{
    char text[GB_RECORD_ID_MAX] = "";

    if (id.size >= sizeof(text))
        return NULL;
    memcpy(text, id.data, id.size);
    return index_find(journal, text);
}

struct gb_list *gb_journal_sessions(struct gb_journal *journal)
{
    return &journal->sessions;
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
        const struct gb_record_session record = {
            .state = GB_RECORD_LOST,
            .flags = session->flags,
            .memory_mb = session->memory_mb,
            .cells = session->cells,
            .created_at_ns = session->created_at_ns,
            .key = text_bytes(key),
            .label = text_bytes(label),
            .owner = text_bytes(owner),
            .client = text_bytes(client),
            .image = text_bytes(image),
            .language = text_bytes(language),
            .reason = text_bytes("lost"),
            .message = text_bytes("the server that had it ended without closing it"),
        };

        gb_journal_session(journal, session->id, session->incarnation, &record);
    }
}

/* ---- cells ---- */

void gb_journal_start(struct gb_journal *journal, const struct gb_record_cell *cell)
{
    struct gb_record_head head =
        make_head(GB_RECORD_START, cell->session, cell->number, cell->incarnation);
    struct gb_record_cell record = *cell;
    struct gb_buf buf = {0};
    struct segment *segment;

    record.out = record.err = record.value = record.note = record.pace = (struct gb_bytes){0};
    record.displays = record.files = (struct gb_pairs){0};
    segment = room_for(journal, GB_RECORD_HEAD + 1024 + cell->code.size);
    if (segment == NULL)
        return;
    gb_record_add(&buf, head, &gb_record_cell_fields, &record);
    (void)append(journal, segment, &buf, &head, NULL);
}

static bool start_is_in(const struct gb_journal *journal, const struct segment *segment,
                        const struct gb_record_cell *cell)
{
    const struct gb_journal_session *session = index_find(journal, cell->session);
    const struct gb_journal_entry *entry;

    for (uint32_t at = session == NULL ? 0 : session->entry_count; at > 0; at--) {
        entry = &session->entries[at - 1];
        if (entry->number <= cell->number)
            return entry->number == cell->number && entry->start_segment == segment->number;
    }
    return false;
}

int gb_journal_cell(struct gb_journal *journal, const struct gb_record_cell *cell,
                    struct gb_journal_ticket *ticket)
{
    struct gb_record_head head =
        make_head(GB_RECORD_CELL, cell->session, cell->number, cell->incarnation);
    struct gb_record_cell record = *cell;
    size_t size = GB_RECORD_HEAD + 1024 + cell->code.size + cell->out.size + cell->err.size +
                  cell->value.size + cell->note.size + cell->displays.encoded.size +
                  cell->files.encoded.size + cell->pace.size;
    struct segment *segment = room_for(journal, size);
    struct gb_buf buf = {0};

    if (segment == NULL)
        return -GB_EINTERNAL;
    if (start_is_in(journal, segment, cell)) {
        record.flags |= GB_CELL_NO_CODE;
        record.code = (struct gb_bytes){0};
    }
    if (gb_buf_reserve(&buf, size, SIZE_MAX) == NULL) {
        failed(journal, ENOMEM);
        return -GB_ECAPACITY;
    }
    gb_record_add(&buf, head, &gb_record_cell_fields, &record);
    return append(journal, segment, &buf, &head, ticket);
}

/* ---- life ---- */

/* 1: another server has just removed the folder (sweep.h). */
static int try_folder(struct gb_journal *journal, struct gb_err *err)
{
    struct stat info;
    int r = gb_fd_make_dirs(journal->folder, 0700, err);

    if (r < 0)
        return r;
    journal->folder_fd = open(journal->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (journal->folder_fd < 0)
        return gb_err_sys(err, errno, "cannot open the journal %s", journal->folder);
    journal->lock_fd =
        openat(journal->folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (journal->lock_fd < 0)
        return gb_err_sys(err, errno, "cannot open the lock of the journal %s", journal->folder);
    if (flock(journal->lock_fd, LOCK_EX | LOCK_NB) < 0)
        return gb_err_set(err, GB_EBUSY, "another server keeps its journal in %s", journal->folder);
    (void)futimens(journal->lock_fd, NULL); /* it is in use: see sweep.h */
    return fstat(journal->lock_fd, &info) == 0 && info.st_nlink == 0;
}

static int open_folder(struct gb_journal *journal, struct gb_err *err)
{
    int r = try_folder(journal, err);

    if (r <= 0)
        return r;
    (void)gb_close(journal->folder_fd);
    (void)gb_close(journal->lock_fd);
    return try_folder(journal, err);
}

static void on_swept(struct job *job)
{
    const char *line = gb_buf_str(&job->bytes);

    while (*line != '\0') {
        size_t size = strcspn(line, "\n");

        gb_info("journal: %.*s", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

static void sweep(struct gb_journal *journal, const struct gb_journal_config *config)
{
    struct job *job = xcalloc(1, sizeof(*job));

    job->kind = JOB_SWEEP;
    job->path = xstrdup(journal->folder);
    job->limits = (struct gb_surplus_limits){
        config->others_age_ms == 0 ? UINT64_MAX : config->others_age_ms / 1000,
        config->others_size == 0 ? UINT64_MAX : config->others_size,
    };
    job->done = on_swept;
    writer_push(journal->writer, job);
}

static void journal_free(struct gb_journal *journal)
{
    struct gb_list *link;

    index_release(journal);
    while ((link = gb_list_pop(&journal->segments)) != NULL)
        free(container_of(link, struct segment, link));
    (void)gb_close(journal->folder_fd);
    (void)gb_close(journal->lock_fd);
    free(journal->folder);
    free(journal);
}

int gb_journal_open(struct gb_loop *loop, const struct gb_journal_config *config,
                    struct gb_journal **ret_journal, struct gb_err *err)
{
    struct gb_journal *journal = xcalloc(1, sizeof(*journal));
    uint64_t before = gb_clock_mono_ns();
    int r;

    journal->loop = loop;
    journal->folder = xstrdup(config->folder);
    journal->lock_fd = journal->folder_fd = -1;
    journal->limit = config->size;
    journal->segment_limit =
        MIN(MAX(config->size / SEGMENTS_FOR_ALL, (uint64_t)SEGMENT_MIN), (uint64_t)SEGMENT_MAX);
    journal->sync = config->sync;
    gb_list_init(&journal->segments);
    gb_list_init(&journal->sessions);
    r = open_folder(journal, err);
    if (r == 0)
        r = journal_scan(journal, err);
    if (r < 0) {
        journal_free(journal);
        return r;
    }
    journal->writer = writer_new(loop, config->sync, config->interval_ms, journal->folder_fd);
    /* The newest segment is added to, if that is possible; else the next record begins one. */
    if (newest(journal) != NULL && !newest(journal)->foreign)
        (void)open_file(journal, newest(journal)->number, 0);
    mark_lost(journal);
    if (config->sweep)
        sweep(journal, config);
    if (journal->damaged > 0)
        gb_warning("journal: %s has %llu damaged records", journal->folder,
                   (unsigned long long)journal->damaged);
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
    close_file(journal);
    writer_free(journal->writer);
    journal_free(journal);
}

struct gb_journal_figures gb_journal_figures(const struct gb_journal *journal)
{
    struct gb_journal_figures figures = {.bytes = journal->total,
                                         .records = journal->records,
                                         .failures = journal->failures,
                                         .sessions = journal->session_count};

    for (const struct gb_list *at = journal->segments.next; at != &journal->segments; at = at->next)
        figures.segments++;
    return figures;
}
