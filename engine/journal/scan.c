/* Reading the index from the segments at the start. Heads of records lie behind one another; only
 * those payloads are read that the index needs, and in the newest segment all of them, because its
 * last record may be torn. A segment that is damaged elsewhere counts up to the damage. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "journal/internal.h"

enum { NAME_DIGITS = 10, WINDOW = 64 * 1024 };

void segment_name(char name[32], uint32_t number)
{
    (void)snprintf(name, 32, "%0*" PRIu32 ".gbj", NAME_DIGITS, number);
}

uint32_t segment_number(const char *name)
{
    uint64_t number = 0;

    for (int i = 0; i < NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9')
            return 0;
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    return strcmp(name + NAME_DIGITS, ".gbj") == 0 && number < UINT32_MAX ? (uint32_t)number : 0;
}

static void add_segment(struct gb_journal *journal, uint32_t number)
{
    struct segment *segment = xcalloc(1, sizeof(*segment)), *at;

    segment->number = number;
    gb_list_init(&segment->link);
    /* In the order of their numbers. */
    GB_LIST_FOREACH(at, &journal->segments, link)
    if (at->number > number) {
        gb_list_add_tail(&at->link, &segment->link);
        return;
    }
    gb_list_add_tail(&journal->segments, &segment->link);
}

static int list_segments(struct gb_journal *journal, struct gb_err *err)
{
    int fd = openat(journal->folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (folder == NULL) {
        (void)gb_close(fd);
        return gb_err_sys(err, errno, "cannot list the journal %s", journal->folder);
    }
    while ((entry = readdir(folder)) != NULL) {
        uint32_t number = segment_number(entry->d_name);

        if (number > 0)
            add_segment(journal, number);
    }
    (void)closedir(folder);
    return 0;
}

/* A file that is read from front to back through a window. */
struct reader {
    int fd;
    uint64_t size, window_at;
    struct gb_buf window;
};

/* @size bytes at @at; NULL when they are not there. Borrows until the next call. */
static const uint8_t *look(struct reader *reader, uint64_t at, size_t size)
{
    size_t want = MAX(size, (size_t)WINDOW);
    uint8_t *to;
    ssize_t n;

    if (at > reader->size || size > reader->size - at)
        return NULL;
    if (at >= reader->window_at && at + size <= reader->window_at + reader->window.size)
        return gb_buf_data(&reader->window) + (at - reader->window_at);
    gb_buf_clear(&reader->window);
    to = gb_buf_reserve(&reader->window, want, GB_RECORD_MAX);
    if (to == NULL)
        return NULL;
    do
        n = pread(reader->fd, to, want, (off_t)at);
    while (n < 0 && errno == EINTR);
    if (n < (ssize_t)size)
        return NULL;
    gb_buf_commit(&reader->window, (size_t)n);
    reader->window_at = at;
    return gb_buf_data(&reader->window);
}

/* One record at @at: its whole size, or 0 when there is none. One whose head is good and whose
 * payload is not is passed over. Nothing looks for a head among bytes that are none: what a guest
 * has printed may look like one. */
static uint64_t scan_record(struct gb_journal *journal, struct reader *reader,
                            const struct segment *segment, uint64_t at, bool newest, bool *ret_good)
{
    const uint8_t *bytes = look(reader, at, GB_RECORD_HEAD);
    struct gb_record_session session;
    struct gb_record_cell cell;
    struct gb_record_head head;
    bool is_session;

    if (bytes == NULL || gb_record_head_read(bytes, &head) < 0 ||
        head.size > reader->size - at - GB_RECORD_HEAD)
        return 0;
    is_session = head.type == GB_RECORD_SESSION;
    *ret_good = true;
    if (is_session || newest) {
        struct gb_bytes payload = {look(reader, at + GB_RECORD_HEAD, head.size), head.size};

        if (payload.data == NULL || (is_session ? gb_record_read_session(&head, payload, &session)
                                                : gb_record_read_cell(&head, payload, &cell)) < 0)
            *ret_good = false;
    }
    if (!*ret_good)
        journal->damaged++;
    else if (is_session)
        index_session(journal, &head, &session, segment->number);
    else
        index_cell(journal, &head, segment->number, at);
    journal->records++;
    return (uint64_t)GB_RECORD_HEAD + head.size;
}

static bool is_foreign(struct reader *reader)
{
    const uint8_t *bytes = look(reader, 0, GB_RECORD_HEAD);

    return bytes != NULL && gb_record_head_foreign(bytes);
}

static int scan_segment(struct gb_journal *journal, struct segment *segment, bool newest,
                        struct gb_err *err)
{
    struct reader reader = {.fd = -1};
    uint64_t at = 0, good_end = 0, size;
    bool good = false;
    char name[32];
    struct stat st;
    int r = 0;

    segment_name(name, segment->number);
    reader.fd = openat(journal->folder_fd, name,
                       (newest ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (reader.fd < 0 || fstat(reader.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        r = gb_err_sys(err, errno, "cannot read %s/%s", journal->folder, name);
        (void)gb_close(reader.fd);
        return r;
    }
    reader.size = (uint64_t)st.st_size;
    while ((size = scan_record(journal, &reader, segment, at, newest, &good)) > 0) {
        at += size;
        good_end = good ? at : good_end;
    }
    at = newest ? good_end : at;
    segment->foreign = at == 0 && is_foreign(&reader);
    at = segment->foreign ? reader.size : at;
    segment->size = at;
    journal->total += at;
    if (segment->foreign)
        gb_warning("journal: %s/%s is of another version of glassbell and left as it is",
                   journal->folder, name);
    if (at < reader.size)
        gb_warning("journal: %s/%s is whole up to byte %" PRIu64 " of %" PRIu64 "; the rest %s",
                   journal->folder, name, at, reader.size, newest ? "was cut off" : "is left out");
    if (newest && at < reader.size && ftruncate(reader.fd, (off_t)at) < 0)
        r = gb_err_sys(err, errno, "cannot cut %s/%s", journal->folder, name);
    gb_buf_release(&reader.window);
    (void)gb_close(reader.fd);
    return r;
}

int journal_scan(struct gb_journal *journal, struct gb_err *err)
{
    struct segment *segment;
    int r = list_segments(journal, err);

    if (r < 0)
        return r;
    GB_LIST_FOREACH(segment, &journal->segments, link)
    {
        r = scan_segment(journal, segment, segment->link.next == &journal->segments, err);
        if (r < 0)
            return r;
    }
    return 0;
}
