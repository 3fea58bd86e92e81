/* SPDX-License-Identifier: Apache-2.0 */
/* The index: sessions by id, and the positions of their cells' records. */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "journal/internal.h"

enum { PACKAGES_SHARE = 4 }; /* of the journal: so much of it may be written again */

static int index_compare(const void *a, const void *b)
{
    return strcmp(((const struct gb_journal_session *)a)->id,
                  ((const struct gb_journal_session *)b)->id);
}

struct gb_journal_session *index_find(const struct gb_journal *journal, const char *id)
{
    struct gb_journal_session wanted = {0};
    void *found;

    memcpy(wanted.id, id, strnlen(id, sizeof(wanted.id) - 1));
    found = tfind(&wanted, &journal->by_id, index_compare);
    return found == NULL ? NULL : *(struct gb_journal_session **)found;
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

/* Creates it if there is none. */
static struct gb_journal_session *index_get(struct gb_journal *journal, const char *id)
{
    struct gb_journal_session *session = index_find(journal, id);

    if (session != NULL)
        return session;
    session = xcalloc(1, sizeof(*session));
    memcpy(session->id, id, strnlen(id, sizeof(session->id) - 1));
    session->image = text_hold(journal, (struct gb_bytes){0});
    session->language = text_hold(journal, (struct gb_bytes){0});
    session->reason = text_hold(journal, (struct gb_bytes){0});
    session->message = text_hold(journal, (struct gb_bytes){0});
    session->undone = text_hold(journal, (struct gb_bytes){0});
    session->packages = text_hold(journal, (struct gb_bytes){0});
    gb_list_add_tail(&journal->sessions, &session->link);
    journal->session_count++;
    if (tsearch(session, &journal->by_id, index_compare) == NULL)
        abort(); /* no memory for a node */
    return session;
}

static void session_release(struct gb_journal *journal, struct gb_journal_session *session)
{
    gb_list_remove(&session->link);
    text_release(journal, session->key);
    text_release(journal, session->label);
    text_release(journal, session->owner);
    text_release(journal, session->client);
    text_release(journal, session->image);
    text_release(journal, session->language);
    text_release(journal, session->reason);
    text_release(journal, session->message);
    text_release(journal, session->undone);
    text_release(journal, session->packages);
    text_release(journal, session->origin);
    free(session->entries);
    free(session->notes);
    free(session->marks);
    free(session);
}

static bool is_before(struct place place, struct place other)
{
    return place.segment < other.segment || (place.segment == other.segment && place.at < other.at);
}

static void set_text(struct gb_journal *journal, const char **to, struct gb_bytes text,
                     bool present)
{
    const char *before = *to;

    *to = present ? text_hold(journal, text) : NULL;
    text_release(journal, before);
}

static void index_touch(struct gb_journal_session *session, const struct gb_record_head *head,
                        struct place place)
{
    session->incarnation = MAX(session->incarnation, head->incarnation);
    session->last_at_ns = MAX(session->last_at_ns, head->at_ns);
    session->last_segment = place.segment;
    session->last_offset = place.at;
}

void index_session(struct gb_journal *journal, const struct gb_record_head *head,
                   const struct gb_record_session *record, struct place place)
{
    struct gb_journal_session *session = index_get(journal, head->session);

    index_touch(session, head, place);
    session->damaged = false;

    session->state = (enum gb_record_state)record->state;
    session->flags = record->flags;
    session->memory_mb = record->memory_mb;
    session->cells = MAX(session->cells, record->cells);
    session->created_at_ns = record->created_at_ns;
    session->segment = place.segment;
    set_text(journal, &session->key, record->key, (record->flags & GB_SESSION_HAS_KEY) != 0);
    set_text(journal, &session->label, record->label, (record->flags & GB_SESSION_HAS_LABEL) != 0);
    set_text(journal, &session->owner, record->owner, (record->flags & GB_SESSION_HAS_OWNER) != 0);
    set_text(journal, &session->client, record->client,
             (record->flags & GB_SESSION_HAS_CLIENT) != 0);
    set_text(journal, &session->image, record->image, true);
    set_text(journal, &session->language, record->language, true);
    set_text(journal, &session->reason, record->reason, true);
    set_text(journal, &session->message, record->message, true);
    set_text(journal, &session->undone, record->undone, true);
    set_text(journal, &session->origin, record->origin,
             (record->flags & GB_SESSION_HAS_ORIGIN) != 0);
    session->origin_checkpoint = record->origin_checkpoint;
    session->origin_cell = record->origin_cell;
    if (record->packages.size == 0)
        return;
    set_text(journal, &session->packages, record->packages, true);
    session->packages_segment = place.segment;
    session->packages_due = false;
}

void index_damaged_session(struct gb_journal *journal, const struct gb_record_head *head)
{
    struct gb_journal_session *session = index_get(journal, head->session);

    session->damaged = true;
    session->incarnation = MAX(session->incarnation, head->incarnation);
    session->last_at_ns = MAX(session->last_at_ns, head->at_ns);
}

bool index_ends_in_gap(const struct gb_journal *journal, const struct gb_journal_session *session)
{
    const struct place last = {session->last_segment, session->last_offset};

    return session->damaged || is_before(last, journal->gap);
}

/* The index of the cell, or where to insert it. Numbers mostly increase, so the search starts at
 * the end. */
static uint32_t place_of(const struct gb_journal_session *session, uint32_t number)
{
    uint32_t at = session->entry_count;

    while (at > 0 && session->entries[at - 1].number >= number)
        at--;
    return at;
}

static struct gb_journal_entry *entry_get(struct gb_journal_session *session, uint32_t number)
{
    uint32_t at = place_of(session, number);

    if (at < session->entry_count && session->entries[at].number == number)
        return &session->entries[at];
    if (session->entry_count == session->entry_capacity) {
        uint32_t capacity = session->entry_capacity == 0 ? 1 : session->entry_capacity * 2;
        struct gb_journal_entry *entries = xcalloc(capacity, sizeof(*entries));

        if (session->entry_count > 0)
            memcpy(entries, session->entries, session->entry_count * sizeof(*entries));
        free(session->entries);
        session->entries = entries;
        session->entry_capacity = capacity;
    }
    memmove(session->entries + at + 1, session->entries + at,
            (session->entry_count - at) * sizeof(*session->entries));
    session->entry_count++;
    session->entries[at] = (struct gb_journal_entry){.number = number};
    return &session->entries[at];
}

void index_cell(struct gb_journal *journal, const struct gb_record_head *head, struct place place)
{
    struct gb_journal_session *session = index_get(journal, head->session);
    struct gb_journal_entry *entry = entry_get(session, head->cell);

    if (head->type == GB_RECORD_START) {
        entry->start_segment = place.segment;
        entry->start_at = place.at;
    } else {
        entry->done_segment = place.segment;
        entry->done_at = place.at;
        entry->done_lost = false;
    }
    index_touch(session, head, place);
    session->cells = MAX(session->cells, head->cell);
}

bool index_has_cell(const struct gb_journal_session *session, uint32_t cell)
{
    uint32_t at = place_of(session, cell);

    return at < session->entry_count && session->entries[at].number == cell;
}

/* The index of the cell's mark, or where to insert it. */
static uint32_t mark_place(const struct gb_journal_session *session, uint32_t cell)
{
    uint32_t at = session->mark_count;

    while (at > 0 && session->marks[at - 1].cell >= cell)
        at--;
    return at;
}

static struct gb_journal_mark *mark_find(const struct gb_journal_session *session, uint32_t cell)
{
    uint32_t at = mark_place(session, cell);

    return at < session->mark_count && session->marks[at].cell == cell ? &session->marks[at] : NULL;
}

const struct gb_journal_mark *index_mark(const struct gb_journal_session *session, uint32_t cell)
{
    return mark_find(session, cell);
}

/* Never refuses: the limit is that of who writes, and of what is on disk some has lost its cell. */
static struct gb_journal_mark *mark_get(struct gb_journal_session *session, uint32_t cell)
{
    struct gb_journal_mark *mark = mark_find(session, cell);
    uint32_t at = mark_place(session, cell), count = session->mark_count;

    if (mark != NULL)
        return mark;
    if ((count & (count - 1)) == 0) { /* there is room up to the next power of two */
        struct gb_journal_mark *marks = xcalloc(MAX((size_t)count * 2, 1u), sizeof(*marks));

        for (uint32_t i = 0; i < count; i++)
            marks[i] = session->marks[i];
        free(session->marks);
        session->marks = marks;
    }
    for (uint32_t i = count; i > at; i--)
        session->marks[i] = session->marks[i - 1];
    session->marks[at] = (struct gb_journal_mark){.cell = cell};
    session->mark_count++;
    return &session->marks[at];
}

/* Removes marks without a place, or without a cell. */
static void index_prune_marks(struct gb_journal_session *session)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < session->mark_count; i++) {
        const struct gb_journal_mark *mark = &session->marks[i];

        if ((mark->bookmark.segment != 0 || mark->note.segment != 0) &&
            index_has_cell(session, mark->cell))
            session->marks[kept++] = *mark;
    }
    session->mark_count = kept;
}

bool index_annotation(struct gb_journal *journal, const struct gb_record_head *head,
                      struct gb_bytes payload, struct place place)
{
    /* It may be newer than the record of the session's end, which is forgotten alone: then it says
     * nothing. For the same reason it proves nothing about when the session was last heard of. */
    struct gb_journal_session *session = index_find(journal, head->session);
    struct gb_record_annotation annotation;
    struct gb_journal_mark *mark;

    if (gb_record_read_annotation(head, payload, &annotation) < 0)
        return false;
    if (session == NULL)
        return true;
    mark = mark_get(session, head->cell);
    if ((annotation.flags & GB_ANNOTATION_SETS_BOOKMARK) != 0)
        mark->bookmark =
            (annotation.flags & GB_ANNOTATION_BOOKMARK) != 0 ? place : (struct place){0};
    if ((annotation.flags & GB_ANNOTATION_SETS_NOTE) != 0)
        mark->note = annotation.note.size > 0 ? place : (struct place){0};
    if (mark->bookmark.segment == 0 && mark->note.segment == 0) {
        session->mark_count--;
        memmove(mark, mark + 1,
                (size_t)(session->marks + session->mark_count - mark) * sizeof(*mark));
    }
    return true;
}

void index_network(struct gb_journal *journal, const struct gb_record_head *head,
                   struct place place)
{
    struct gb_journal_session *session = index_get(journal, head->session);

    if (session->note_count == session->note_capacity) {
        uint32_t capacity = session->note_capacity == 0 ? 4 : session->note_capacity * 2;
        struct gb_journal_note *notes = xcalloc(capacity, sizeof(*notes));

        if (session->note_count > 0)
            memcpy(notes, session->notes, session->note_count * sizeof(*notes));
        free(session->notes);
        session->notes = notes;
        session->note_capacity = capacity;
    }
    session->notes[session->note_count++] =
        (struct gb_journal_note){place.segment, place.at, head->number};
    index_touch(session, head, place);
}

void index_drop_network(struct gb_journal *journal, const char *id, uint64_t number)
{
    struct gb_journal_session *session = index_find(journal, id);
    uint32_t kept = 0;

    for (uint32_t i = 0; session != NULL && i < session->note_count; i++) {
        if (session->notes[i].number != number)
            session->notes[kept++] = session->notes[i];
    }
    if (session != NULL)
        session->note_count = kept;
}

static void entry_remove(struct gb_journal_session *session, uint32_t at)
{
    session->entry_count--;
    memmove(session->entries + at, session->entries + at + 1,
            (session->entry_count - at) * sizeof(*session->entries));
}

void index_drop_cell(struct gb_journal *journal, const char *id, uint32_t cell, uint32_t segment,
                     bool done)
{
    struct gb_journal_session *session = index_find(journal, id);
    uint32_t at = session == NULL ? 0 : place_of(session, cell);
    struct gb_journal_entry *entry;

    if (session == NULL || at >= session->entry_count || session->entries[at].number != cell)
        return;
    entry = &session->entries[at];
    if (done && entry->done_segment == segment) {
        entry->done_segment = 0;
        entry->done_lost = true;
    } else if (!done && entry->start_segment == segment) {
        entry->start_segment = 0;
    }
    if (entry->start_segment == 0 && entry->done_segment == 0)
        entry_remove(session, at);
}

void index_lose_end(struct gb_journal *journal, const char *id, uint32_t cell)
{
    struct gb_journal_session *session = index_find(journal, id);
    uint32_t at = session == NULL ? 0 : place_of(session, cell);

    if (session != NULL && at < session->entry_count && session->entries[at].number == cell)
        session->entries[at].done_lost = true;
}

void index_set_unwritten(struct gb_journal *journal, struct gb_journal_session *session, bool on)
{
    if (on && !session->unwritten)
        journal->unwritten++;
    else if (!on && session->unwritten)
        journal->unwritten--;
    session->unwritten = on;
}

struct gb_journal_session *index_first_unwritten(const struct gb_journal *journal)
{
    for (struct gb_list *at = journal->sessions.next; at != &journal->sessions; at = at->next) {
        struct gb_journal_session *session = container_of(at, struct gb_journal_session, link);

        if (session->unwritten)
            return session;
    }
    return NULL;
}

/* The packages of open sessions that were in that segment. */
static void index_carry_packages(struct gb_journal *journal, uint32_t segment)
{
    struct gb_journal_session *session;
    uint64_t bytes = 0;

    GB_LIST_FOREACH(session, &journal->sessions, link) {
        if (session->state != GB_RECORD_OPEN || session->packages_segment == 0)
            continue;
        bytes += strlen(session->packages);
        if (session->packages_segment != segment)
            continue;
        session->packages_segment = 0;
        session->packages_due = bytes <= journal->limit / PACKAGES_SHARE;
        if (session->packages_due)
            index_set_unwritten(journal, session, true);
    }
}

void index_forget(struct gb_journal *journal, uint32_t segment)
{
    struct gb_journal_session *session;

    index_carry_packages(journal, segment);
    GB_LIST_FOREACH(session, &journal->sessions, link) {
        uint32_t kept = 0;

        for (uint32_t i = 0; i < session->entry_count; i++) {
            struct gb_journal_entry entry = session->entries[i];

            entry.start_segment = entry.start_segment == segment ? 0 : entry.start_segment;
            entry.done_segment = entry.done_segment == segment ? 0 : entry.done_segment;
            if (entry.start_segment != 0 || entry.done_segment != 0)
                session->entries[kept++] = entry;
        }
        session->entry_count = kept;
        kept = 0;
        for (uint32_t i = 0; i < session->note_count; i++) {
            if (session->notes[i].segment != segment)
                session->notes[kept++] = session->notes[i];
        }
        session->note_count = kept;
        for (uint32_t i = 0; i < session->mark_count; i++) {
            struct gb_journal_mark *mark = &session->marks[i];

            mark->bookmark.segment = mark->bookmark.segment == segment ? 0 : mark->bookmark.segment;
            mark->note.segment = mark->note.segment == segment ? 0 : mark->note.segment;
        }
        index_prune_marks(session);
        /* The record of the end is a session's last one, except for annotations of its cells:
         * there are no others left. */
        if (session->state != GB_RECORD_OPEN && session->segment <= segment) {
            (void)tdelete(session, &journal->by_id, index_compare);
            journal->session_count--;
            session_release(journal, session);
        }
    }
}

void index_settle(struct gb_journal *journal)
{
    struct gb_journal_session *session;

    GB_LIST_FOREACH(session, &journal->sessions, link) {
        index_prune_marks(session);
        for (uint32_t i = 0; i < session->entry_count; i++) {
            struct gb_journal_entry *entry = &session->entries[i];
            const struct place start = {entry->start_segment, entry->start_at};

            entry->done_lost = entry->done_segment == 0 && is_before(start, journal->gap);
        }
    }
}

void index_release(struct gb_journal *journal)
{
    struct gb_list *link;

    while ((link = gb_list_pop(&journal->sessions)) != NULL) {
        struct gb_journal_session *session = container_of(link, struct gb_journal_session, link);

        (void)tdelete(session, &journal->by_id, index_compare);
        session_release(journal, session);
    }
}
