/* SPDX-License-Identifier: Apache-2.0 */
#include "frames.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"

enum { USUAL_MS = 120000, WARM_MS = 240000 };

/* A single macro per frame, so that a row only contains what differs from others. */
/* clang-format off */
#define ROW(type, ...) [GB_GUEST_##type] = {.name = #type, __VA_ARGS__}
#define REQUEST(of_answer) .way = GB_WAY_TO_GUEST, .role = GB_ROLE_REQUEST, .answer = GB_GUEST_##of_answer
#define ANSWER .way = GB_WAY_TO_HOST, .role = GB_ROLE_ANSWER
#define NEWS .way = GB_WAY_TO_HOST, .role = GB_ROLE_NEWS
#define OF_CELL .way = GB_WAY_TO_HOST, .role = GB_ROLE_CELL
#define FIELDS(table) .fields = &gb_##table##_fields

static const struct gb_frame_info frame_infos[] = {
    ROW(HELLO, NEWS, FIELDS(hello)),
    ROW(READY, NEWS, FIELDS(ready)),
    ROW(PING, REQUEST(PONG)),
    ROW(PONG, ANSWER, FIELDS(pong)),
    ROW(CONFIGURE, REQUEST(OK), FIELDS(configure)),
    ROW(STAT, REQUEST(STATUS)),
    ROW(STATUS, ANSWER, FIELDS(status)),
    ROW(SHUTDOWN, .way = GB_WAY_TO_GUEST, .role = GB_ROLE_NEWS),
    ROW(LOG, NEWS, FIELDS(guest_log)),
    ROW(PREPARE, REQUEST(OK), .deadline = GB_DEADLINE_WARM),
    ROW(HOLD, REQUEST(HELD)),
    ROW(HELD, ANSWER),
    ROW(RESUME, REQUEST(OK), FIELDS(resume)),
    ROW(EXEC, .way = GB_WAY_TO_GUEST, .role = GB_ROLE_CELL, FIELDS(exec)),
    ROW(CREDIT, .way = GB_WAY_BOTH, .role = GB_ROLE_STREAM, FIELDS(credit)),
    ROW(DISPLAY, OF_CELL, FIELDS(display)),
    ROW(WAITING, OF_CELL, FIELDS(waiting)),
    ROW(DONE, OF_CELL, FIELDS(done)),
    ROW(INTERRUPT, REQUEST(OK), FIELDS(interrupt)),
    ROW(OPEN, .way = GB_WAY_BOTH, .role = GB_ROLE_STREAM, FIELDS(open)),
    ROW(DATA, .way = GB_WAY_BOTH, .role = GB_ROLE_STREAM, .raw = true),
    ROW(SHUT, .way = GB_WAY_BOTH, .role = GB_ROLE_STREAM, .raw = true),
    ROW(RESET, .way = GB_WAY_BOTH, .role = GB_ROLE_STREAM, FIELDS(guest_error)),
    ROW(COMPLETE, REQUEST(COMPLETIONS), .deadline = GB_DEADLINE_QUERY, FIELDS(complete)),
    ROW(COMPLETIONS, ANSWER, FIELDS(completions)),
    ROW(IS_COMPLETE, REQUEST(COMPLETENESS), .deadline = GB_DEADLINE_QUERY, FIELDS(is_complete)),
    ROW(COMPLETENESS, ANSWER, FIELDS(completeness)),
    ROW(DESCRIBE, REQUEST(DESCRIPTION), .deadline = GB_DEADLINE_QUERY, FIELDS(describe)),
    ROW(DESCRIPTION, ANSWER, FIELDS(description)),
    ROW(TERMINAL, REQUEST(OK), .changes = true, .files = true, FIELDS(terminal)),
    ROW(RESIZE, REQUEST(OK), FIELDS(resize)),
    ROW(NETWORK_REHEARSE, REQUEST(OK)),
    ROW(PACKAGES, REQUEST(OK), .changes = true),
    ROW(FILE_LIST, REQUEST(FILE_ENTRIES), .files = true, FIELDS(file_list)),
    ROW(FILE_ENTRIES, ANSWER, .raw = true),
    ROW(FILE_STAT, REQUEST(FILE_ENTRIES), .files = true, FIELDS(file_path)),
    ROW(FILE_REMOVE, REQUEST(OK), .changes = true, .files = true, FIELDS(file_change)),
    ROW(FILE_MKDIR, REQUEST(OK), .changes = true, .files = true, FIELDS(file_change)),
    ROW(TRUST, REQUEST(OK), .changes = true, FIELDS(trust)),
    ROW(NETWORK_LOST, NEWS),
    ROW(NETWORK_ON, REQUEST(OK), .changes = true, FIELDS(network_begin)),
    ROW(NETWORK_OFF, REQUEST(OK), .changes = true),
    ROW(NETWORK_START, REQUEST(OK), .changes = true, FIELDS(network_begin)),
    ROW(LISTENING, NEWS, FIELDS(listening)),
    ROW(OK, ANSWER),
    ROW(ERROR, ANSWER, FIELDS(guest_error)),
};
/* clang-format on */

const struct gb_frame_info *gb_frame_info(uint16_t type)
{
    return type < ARRAY_SIZE(frame_infos) && frame_infos[type].name != NULL ? &frame_infos[type]
                                                                            : NULL;
}

int gb_frame_decode(const struct gb_frame *frame, void *ret_message, struct gb_err *err)
{
    const struct gb_frame_info *info = gb_frame_info(frame->type);

    if (info == NULL || info->raw)
        return gb_err_set(err, GB_EINTERNAL, "frames of type %u have no fields", frame->type);
    if (info->fields != NULL)
        return gb_fields_decode(info->fields, frame->payload, ret_message, err);
    if (frame->payload.size > 0)
        return gb_err_set(err, GB_EINTERNAL, "%s has no payload", info->name);
    return 0;
}

uint64_t gb_frame_deadline_ms(enum gb_frame_deadline deadline)
{
    static const uint64_t all[] = {USUAL_MS, GB_QUERY_TIMEOUT_MS, WARM_MS};
    static_assert(ARRAY_SIZE(all) == GB_DEADLINE_COUNT, "a time for each");

    return all[deadline];
}
