/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "model/event.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/note.h"

enum { FOLLOWERS_MAX = 64 }; /* per session */

/* ---- notifications ---- */

void output_send_started(struct connection *connection, const struct hosted *hosted, uint32_t cell)
{
    const struct gb_waiting_info info = {.cell = cell};

    note_send(connection, "cell.started", hosted, &gb_started_object, &info);
}

void output_send_waiting(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                         bool on)
{
    const struct gb_waiting_info info = {.cell = cell, .flags = on ? GB_WAITING_ON : 0};

    note_send(connection, "cell.waiting", hosted, &gb_waiting_object, &info);
}

static struct gb_output_info output_info(uint32_t cell, enum gb_output stream,
                                         struct gb_bytes bytes, uint32_t flags)
{
    return (struct gb_output_info){
        .cell = cell, .stream = (uint8_t)stream, .data = bytes, .flags = flags};
}

void output_send(struct connection *connection, const struct hosted *hosted, uint32_t cell,
                 enum gb_output stream, struct gb_bytes bytes, bool background)
{
    const struct gb_output_info piece =
        output_info(cell, stream, bytes, background ? GB_OUTPUT_BACKGROUND : 0);

    note_send(connection, "cell.output", hosted, &gb_output_object, &piece);
}

/* ---- events ---- */

static void output_put(struct gb_json_out *out, uint32_t cell, enum gb_output stream,
                       struct gb_bytes bytes, uint32_t flags)
{
    const struct gb_output_info piece = output_info(cell, stream, bytes, flags);

    gb_object_write(out, &gb_output_object, &piece);
}

/* As much of @bytes as fits into an event, ending between characters. */
static struct gb_bytes output_take_piece(struct gb_bytes *bytes)
{
    struct gb_bytes piece = {bytes->data, MIN(bytes->size, (size_t)GB_EVENT_PIECE_MAX)};
    size_t unfinished = piece.size < bytes->size ? gb_utf8_unfinished(piece) : 0;

    piece.size -= unfinished;
    bytes->data += piece.size;
    bytes->size -= piece.size;
    return piece;
}

void output_tell(const struct hosted *hosted, uint32_t cell, enum gb_output stream,
                 struct gb_bytes bytes, bool background)
{
    while (bytes.size > 0) {
        struct gb_bytes piece = output_take_piece(&bytes);
        struct event event;

        if (!event_begin(&event, hosted->server, "cell.output", hosted))
            return;
        output_put(&event.out, cell, stream, piece, background ? GB_OUTPUT_BACKGROUND : 0);
        event_end(&event);
    }
}

static void output_replay_stream(struct hosted *hosted, struct exec *exec, enum gb_output stream,
                                 void *to)
{
    struct gb_bytes all = gb_buf_bytes(stream == GB_STDOUT ? &exec->cell->out : &exec->cell->error);
    struct event event;

    all.size -= exec->tails[stream - 1].size; /* the next piece starts with these */
    if (all.size > GB_EVENT_PIECE_MAX) {
        all.data += all.size - GB_EVENT_PIECE_MAX;
        all.size = GB_EVENT_PIECE_MAX;
        while (all.size > 0 && (all.data[0] & 0xc0) == 0x80) {
            all.data++;
            all.size--;
        }
    }
    if (all.size == 0)
        return;
    event_begin_for(&event, hosted->server, "cell.output", hosted, gb_clock_wall_ns(), to);
    output_put(&event.out, exec->cell->number, stream, all, GB_OUTPUT_REPLAY);
    event_end(&event);
}

void output_replay(struct hosted *hosted, void *to)
{
    struct exec *exec;

    GB_LIST_FOREACH(exec, &cells_of_session(hosted)->execs, of_session) {
        output_replay_stream(hosted, exec, GB_STDOUT, to);
        output_replay_stream(hosted, exec, GB_STDERR, to);
    }
}

struct gb_bytes tail_join(struct tail *tail, struct gb_bytes bytes, struct gb_buf *joined)
{
    size_t unfinished;

    if (tail->size > 0) {
        gb_buf_add(joined, tail->bytes, tail->size);
        gb_buf_add(joined, bytes.data, bytes.size);
        bytes = gb_buf_bytes(joined);
    }
    unfinished = gb_utf8_unfinished(bytes);
    tail->size = (uint8_t)unfinished;
    if (unfinished > 0)
        memcpy(tail->bytes, bytes.data + bytes.size - unfinished, unfinished);
    bytes.size -= unfinished;
    return bytes;
}

/* ---- after the cell's end ---- */

void follower_free(struct follower *follower)
{
    gb_list_remove(&follower->of_session);
    gb_list_remove(&follower->of_connection);
    free(follower);
}

void follower_add(struct connection *connection, struct hosted *hosted, uint32_t cell)
{
    struct gb_list *followers = &cells_of_session(hosted)->followers;
    struct follower *follower;

    if (gb_list_count(followers) >= FOLLOWERS_MAX)
        follower_free(container_of(followers->next, struct follower, of_session));
    follower = xcalloc(1, sizeof(*follower));
    follower->connection = connection;
    follower->cell = cell;
    gb_list_add_tail(followers, &follower->of_session);
    gb_list_add_tail(&cells_of_connection(connection)->followers, &follower->of_connection);
}

static void background_free(struct background *background)
{
    gb_buf_release(&background->bytes);
    free(background);
}

/* The slot for what @cell prints; replaces the oldest one if necessary. */
static struct background *background_of(struct hosted *hosted, uint32_t cell, enum gb_output stream)
{
    struct cells_session *state = cells_of_session(hosted);
    struct background *background;

    for (size_t i = 0; i < state->background_count; i++)
        if (state->background[i]->cell == cell && state->background[i]->stream == stream)
            return state->background[i];
    if (state->background_count == GB_BACKGROUND_CELLS_MAX) {
        background_free(state->background[0]);
        state->background_count--;
        for (size_t i = 0; i < state->background_count; i++)
            state->background[i] = state->background[i + 1];
    }
    background = xcalloc(1, sizeof(*background));
    background->cell = cell;
    background->stream = stream;
    state->background[state->background_count++] = background;
    return background;
}

/* The slot for a stream's incomplete character; replaces the least recently used one, whose bytes
 * are sent as they are. */
static struct tail *watched_tail(struct hosted *hosted, uint32_t cell, enum gb_output stream)
{
    struct watched_tail *tails = cells_of_session(hosted)->watched_tails,
                        found = {.cell = cell, .stream = stream};
    size_t at = 0;

    while (at < WATCHED_TAILS - 1 && !(tails[at].cell == cell && tails[at].stream == stream))
        at++;
    if (tails[at].cell == cell && tails[at].stream == stream)
        found = tails[at];
    else if (tails[at].tail.size > 0)
        output_tell(hosted, tails[at].cell, tails[at].stream,
                    (struct gb_bytes){tails[at].tail.bytes, tails[at].tail.size}, true);
    memmove(tails + 1, tails, at * sizeof(tails[0]));
    tails[0] = found;
    return &tails[0].tail;
}

static void background_tell(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                            struct gb_bytes bytes)
{
    _cleanup_(gb_buf_release) struct gb_buf joined = {0};

    bytes = tail_join(watched_tail(hosted, cell, stream), bytes, &joined);
    output_tell(hosted, cell, stream, bytes, true);
}

void background_output(struct hosted *hosted, uint32_t cell, enum gb_output stream,
                       struct gb_bytes bytes)
{
    struct background *background;
    struct follower *follower;
    size_t room;

    background_tell(hosted, cell, stream, bytes);
    GB_LIST_FOREACH(follower, &cells_of_session(hosted)->followers, of_session)
        /* A connection that does not read gets nothing more: no cell waits for these bytes. */
        if (follower->cell == cell && !follower->connection->full) {
            _cleanup_(gb_buf_release) struct gb_buf joined = {0};

            bytes = tail_join(&follower->tails[stream - 1], bytes, &joined);
            if (bytes.size > 0)
                output_send(follower->connection, hosted, cell, stream, bytes, true);
            return;
        }
    background = background_of(hosted, cell, stream);
    room = GB_BACKGROUND_MAX - background->bytes.size;
    background->dropped += bytes.size - MIN(bytes.size, room);
    gb_buf_add(&background->bytes, bytes.data, MIN(bytes.size, room));
}

void background_release(struct hosted *hosted)
{
    struct cells_session *state = cells_of_session(hosted);
    for (size_t i = 0; i < state->background_count; i++)
        background_free(state->background[i]);
    state->background_count = 0;
}

void background_put(struct gb_json_out *out, struct hosted *hosted)
{
    struct cells_session *state = cells_of_session(hosted);
    if (state->background_count == 0)
        return;
    gb_json_array(out, "background");
    for (size_t i = 0; i < state->background_count; i++) {
        const struct background *background = state->background[i];
        const struct gb_output_info piece = {.cell = background->cell,
                                             .stream = (uint8_t)background->stream,
                                             .data = gb_buf_bytes(&background->bytes),
                                             .dropped = background->dropped};

        gb_json_object(out, NULL);
        gb_object_write(out, &gb_background_object, &piece);
        gb_json_end(out);
    }
    gb_json_end(out);
    background_release(hosted);
}
