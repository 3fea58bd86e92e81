/* Reading cells back, on the thread pool: pure but for the files, which nobody changes any more. */
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
    uint32_t file_number; /* that file_fd is; 0: none */
    uint32_t count, last;
    bool more;
    uint64_t bytes;              /* read so far */
    struct gb_buf first, second; /* payloads */
    struct gb_journal_entry entries[];
};

static int open_segment(struct reading *reading, uint32_t number)
{
    char name[32];

    if (reading->file_number == number)
        return 0;
    reading->file_fd = gb_close(reading->file_fd);
    reading->file_number = 0;
    segment_name(name, number);
    reading->file_fd = openat(reading->folder_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (reading->file_fd < 0)
        return -errno;
    reading->file_number = number;
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

/* The record of a cell; false when it is not there (any more) or not good. Borrows from @payload.
 */
static bool read_cell(struct reading *reading, uint32_t segment, uint64_t at,
                      struct gb_buf *payload, struct gb_record_cell *ret_cell)
{
    uint8_t bytes[GB_RECORD_HEAD], *to;
    struct gb_record_head head;

    if (segment == 0 || open_segment(reading, segment) < 0 ||
        !read_at(reading->file_fd, bytes, sizeof(bytes), at) ||
        gb_record_head_read(bytes, &head) < 0 || strcmp(head.session, reading->session) != 0)
        return false;
    gb_buf_clear(payload);
    to = gb_buf_reserve(payload, head.size, GB_RECORD_MAX);
    if (to == NULL || !read_at(reading->file_fd, to, head.size, at + GB_RECORD_HEAD))
        return false;
    gb_buf_commit(payload, head.size);
    reading->bytes += head.size;
    if (gb_record_read_cell(&head, gb_buf_bytes(payload), ret_cell) < 0)
        return false;
    ret_cell->session = reading->session; /* the head's goes with this frame */
    return true;
}

static enum gb_journal_verdict read_entry(struct reading *reading,
                                          const struct gb_journal_entry *entry)
{
    struct gb_record_cell cell, start;
    bool has_cell = read_cell(reading, entry->done_segment, entry->done_at, &reading->first, &cell);
    bool needs_start = !has_cell || (cell.flags & GB_CELL_NO_CODE) != 0;
    bool has_start = needs_start && read_cell(reading, entry->start_segment, entry->start_at,
                                              &reading->second, &start);

    if (!has_cell && !has_start)
        return GB_JOURNAL_NEXT;
    if (!has_cell)
        cell = start;
    else if (has_start)
        cell.code = start.code;
    if (cell.number != entry->number)
        return GB_JOURNAL_NEXT;
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

static void after(uv_work_t *request, int status)
{
    struct reading *reading = container_of(request, struct reading, work);
    struct gb_err err = {0};

    if (status < 0)
        (void)gb_err_set(&err, GB_EBUSY, "the journal could not be read: %s", uv_strerror(status));
    reading->query.done(reading->query.arg, reading->last, reading->more, status < 0 ? &err : NULL);
    gb_buf_release(&reading->first);
    gb_buf_release(&reading->second);
    (void)gb_close(reading->file_fd);
    (void)gb_close(reading->folder_fd);
    free(reading);
}

/* The entries that @query asks for: session->entries[*ret_from .. *ret_to). Numbers rise. */
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

int gb_journal_read(struct gb_journal *journal, struct gb_bytes id,
                    const struct gb_journal_query *query, struct gb_err *err)
{
    const struct gb_journal_session *session = gb_journal_find(journal, id);
    struct reading *reading;
    uint32_t from, to, count;
    int r;

    if (session == NULL)
        return gb_err_set(err, GB_ENOTFOUND, "the journal has no such session");
    find_range(session, query, &from, &to);
    count = MIN(to - from, MIN(query->limit, (uint32_t)ENTRIES_MAX));
    reading = xcalloc(1, sizeof(*reading) + count * sizeof(reading->entries[0]));
    reading->query = *query;
    reading->count = count;
    reading->more = count < to - from;
    reading->last = query->before > 0 ? query->before : query->after;
    memcpy(reading->session, session->id, sizeof(reading->session));
    for (uint32_t i = 0; i < count; i++)
        reading->entries[i] = session->entries[query->before > 0 ? to - 1 - i : from + i];
    reading->file_fd = -1;
    reading->folder_fd = fcntl(journal->folder_fd, F_DUPFD_CLOEXEC, 3);
    r = reading->folder_fd < 0
            ? gb_err_sys(err, errno, "cannot read the journal")
            : uv_queue_work(gb_loop_uv(journal->loop), &reading->work, work, after);
    if (r < 0 && reading->folder_fd >= 0)
        r = gb_err_set(err, GB_EBUSY, "cannot read the journal: %s", uv_strerror(r));
    if (r < 0) {
        (void)gb_close(reading->folder_fd);
        free(reading);
    }
    return r < 0 ? r : 0;
}
