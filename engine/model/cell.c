/* SPDX-License-Identifier: Apache-2.0 */
#include "model/cell.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"

/* clang-format off */
#define DISPLAY(field_, ...) GB_MEMBER(struct gb_display_info, field_, __VA_ARGS__)
static const struct gb_member display_members[] = {
    DISPLAY(mime, "mime", GB_TEXT, GB_ALWAYS, .max = GB_MIME_MAX, .doc = "its type"),
    DISPLAY(size, "bytes", GB_U64, GB_OPTIONAL, .bit = GB_DISPLAY_HAS_SIZE, .max = GB_DISPLAY_MAX,
            .doc = "its size, in brief"),
    DISPLAY(data, "base64", GB_BASE64, GB_OPTIONAL, .bit = GB_DISPLAY_HAS_DATA,
            .base64 = GB_DISPLAY_BASE64, .max = GB_DISPLAY_MAX, .doc = "its data, except in brief"),
};

#define FILE_INFO(field_, ...) GB_MEMBER(struct gb_file_info, field_, __VA_ARGS__)
static const struct gb_member file_info_members[] = {
    FILE_INFO(path, "path", GB_BYTES, GB_ALWAYS, .base64 = GB_FILE_INFO_BASE64, .max = GB_PATH_MAX,
              .doc = "below the home"),
    FILE_INFO(change, "change", GB_WORD, GB_ALWAYS, .words = &gb_change_words,
              .doc = "how it changed"),
    FILE_INFO(size, "size", GB_U64, GB_ALWAYS, .doc = "bytes; 0 if it was removed"),
};

#define CELL(field_, ...) GB_MEMBER(struct gb_cell_info, field_, __VA_ARGS__)
static const struct gb_member truncated_members[] = {
    CELL(dropped_stdout, "stdout", GB_U64, GB_ALWAYS, .doc = "bytes of stdout"),
    CELL(dropped_stderr, "stderr", GB_U64, GB_ALWAYS, .doc = "bytes of stderr"),
};
static const struct gb_object truncated_object = {
    GB_OBJECT_TABLE("truncated", struct gb_cell_info, truncated_members)};

static const struct gb_member error_members[] = {
    CELL(error, "kind", GB_KIND, GB_ALWAYS, .doc = "as in `docs/errors.md`"),
    CELL(message, "message", GB_TEXT, GB_ALWAYS, .doc = "a sentence"),
    CELL(flags, "dispatched", GB_BOOL, GB_ALWAYS, .bit = GB_CELL_DISPATCHED,
         .doc = "the code may have run"),
};
static const struct gb_object error_object = {
    GB_OBJECT_TABLE("error", struct gb_cell_info, error_members)};

static const struct gb_member rolled_back_members[] = {
    CELL(rolled_back, "checkpoint", GB_U64, GB_ALWAYS, .doc = "its number"),
    CELL(rolled_back_cell, "cell", GB_U32, GB_ALWAYS, .doc = "the last cell before it"),
    CELL(rolled_back_lost, "lost", GB_U32, GB_ALWAYS,
         .doc = "how many cells directly before this one are undone with it: 0 if the "
                "checkpoint has the state from just before this cell"),
};
static const struct gb_object rolled_back_object = {
    GB_OBJECT_TABLE("rolled_back", struct gb_cell_info, rolled_back_members)};

static const struct gb_member annotation_members[] = {
    CELL(flags, "bookmark", GB_BOOL, GB_ALWAYS, .bit = GB_CELL_BOOKMARK,
         .doc = "whether it has one"),
    CELL(annotation, "note", GB_TEXT, GB_OPTIONAL, .max = GB_ANNOTATION_MAX,
         .doc = "absent: none"),
    CELL(annotator, "client", GB_TEXT, GB_OPTIONAL, .max = GB_NAME_MAX,
         .doc = "that changed it last; absent: unnamed"),
    CELL(annotated_at_ns, "at", GB_SECONDS, GB_ALWAYS, .doc = "when that was"),
};
static const struct gb_object annotation_object = {
    GB_OBJECT_TABLE("annotation", struct gb_cell_info, annotation_members)};

#define UNLESS_LOST .unless = GB_CELL_RESULT_LOST
#define UNLESS_BRIEF .unless = GB_CELL_RESULT_LOST | GB_CELL_NO_OUTPUT
#define FLAG(name_, bit_, presence_, ...) \
    CELL(flags, name_, GB_BOOL, presence_, .bit = bit_, __VA_ARGS__)

/* In the order in which they are written. */
static const struct gb_member cell_members[] = {
    CELL(session, "session", GB_TEXT, GB_ALWAYS, .max = GB_NAME_MAX, .doc = "its session"),
    CELL(number, "cell", GB_U32, GB_ALWAYS, .doc = "1, 2, … in its session"),
    CELL(image, "image", GB_TEXT, GB_ALWAYS, .doc = "of the session"),
    CELL(client, "client", GB_TEXT, GB_NULLABLE, .bit = GB_CELL_HAS_CLIENT, .max = GB_NAME_MAX,
         .doc = "the client that sent it, by its name in `hello`; null: unnamed"),
    CELL(mode, "mode", GB_WORD, GB_NULLABLE, .words = &gb_mode_words,
         .doc = "where it ran; null: `code_lost` and `result_lost`"),
    CELL(state, "state", GB_WORD, GB_ALWAYS, .words = &gb_cell_state_words, .doc = "where it is"),
    CELL(file, "file", GB_BYTES, GB_OPTIONAL, .base64 = GB_CELL_FILE_BASE64, .max = GB_PATH_MAX,
         .doc = "the program's file; absent: the code is not a file"),
    CELL(argv, "argv", GB_STRINGS, GB_OPTIONAL, .base64 = GB_CELL_ARGV_BASE64,
         .max = GB_ARGV_BYTES_MAX, .doc = "the program's arguments, its name first; absent: "
                                          "none were specified; in brief, left out if larger "
                                          "than 64 KiB"),
    FLAG("code_cut", GB_CELL_CODE_CUT, GB_OPTIONAL, .doc = "in brief: the code was truncated"),
    CELL(code, "code", GB_TEXT, GB_NULLABLE, .doc = "the source text; bytes that are not UTF-8 "
                                                    "are replaced; null: `code_lost`"),
    FLAG("code_lost", GB_CELL_CODE_LOST, GB_OPTIONAL,
         .doc = "in the journal: the record with the code is damaged"),
    CELL(code, "code_base64", GB_EXACT, GB_OPTIONAL, .unless = GB_CELL_BRIEF,
         .doc = "the code, if it is not UTF-8"),
    CELL(started_at_ns, "started_at", GB_SECONDS, GB_NULLABLE,
         .doc = "when it started to run; null: it did not"),
    FLAG("result_lost", GB_CELL_RESULT_LOST, GB_OPTIONAL, .doc = "in the journal: it ended, but the "
                                                                 "record of that is damaged or could "
                                                                 "not be written. Its output and "
                                                                 "outcome are unknown, and their fields "
                                                                 "are absent, as are those about time "
                                                                 "and memory"),
    CELL(stdout_bytes, "stdout_bytes", GB_U64, GB_OPTIONAL, .bit = GB_CELL_HAS_SIZES, UNLESS_LOST,
         .doc = "in brief, and if a part was requested: the full size of `stdout`"),
    CELL(stderr_bytes, "stderr_bytes", GB_U64, GB_OPTIONAL, .bit = GB_CELL_HAS_SIZES, UNLESS_LOST,
         .doc = "likewise of `stderr`"),
    CELL(offset, "offset", GB_U64, GB_OPTIONAL, .bit = GB_CELL_HAS_PART, UNLESS_LOST,
         .doc = "if a part was requested: where it begins"),
    CELL(out, "stdout", GB_BYTES, GB_ALWAYS, UNLESS_BRIEF, .base64 = GB_CELL_OUT_BASE64,
         .max = GB_OUTPUT_MAX, .doc = "the part that was kept; not in brief"),
    CELL(err, "stderr", GB_BYTES, GB_ALWAYS, UNLESS_BRIEF, .base64 = GB_CELL_ERR_BASE64,
         .max = GB_OUTPUT_MAX, .doc = "likewise"),
    FLAG("value_cut", GB_CELL_VALUE_CUT, GB_OPTIONAL, UNLESS_LOST,
         .doc = "the value was larger than 1 MiB, or in brief than 64 KiB"),
    CELL(value, "value", GB_TEXT, GB_OPTIONAL, .bit = GB_CELL_HAS_VALUE, UNLESS_LOST,
         .doc = "`repr` of the last expression; absent: none"),
    CELL(displays, "displays", GB_LIST, GB_ALWAYS, UNLESS_LOST, .object = &gb_display_object,
         .max = GB_DISPLAY_COUNT_MAX, .doc = "figures and the like"),
    CELL(exit_code, "exit_code", GB_I64, GB_NULLABLE, UNLESS_LOST, .max = 255,
         .doc = "0–255; null: it did not exit"),
    CELL(signal, "signal", GB_SIGNAL, GB_NULLABLE, UNLESS_LOST,
         .doc = "the signal that ended it: `SIGKILL`, …"),
    FLAG("timed_out", GB_CELL_TIMED_OUT, GB_ALWAYS, UNLESS_LOST, .doc = "it exceeded its `timeout_ms`"),
    FLAG("interrupted", GB_CELL_INTERRUPTED, GB_ALWAYS, UNLESS_LOST,
         .doc = "it was interrupted; with a null `started_at`: before it ran"),
    FLAG("oom", GB_CELL_OOM, GB_ALWAYS, UNLESS_LOST, .doc = "the VM ran out of memory"),
    FLAG("state_lost", GB_CELL_STATE_LOST, GB_ALWAYS, UNLESS_LOST,
         .doc = "a new interpreter was started after this cell"),
    CELL(session, "rolled_back", GB_OBJECT, GB_OPTIONAL, .bit = GB_CELL_ROLLED_BACK, UNLESS_LOST,
         .object = &rolled_back_object,
         .doc = "the interpreter had to be killed because of this cell, and the session was "
                "rolled back to this checkpoint, including its files; absent: it was not"),
    CELL(session, "truncated", GB_OBJECT, GB_ALWAYS, UNLESS_LOST, .object = &truncated_object,
         .doc = "bytes that were left out"),
    CELL(files, "files", GB_LIST, GB_ALWAYS, UNLESS_LOST, .object = &gb_file_info_object,
         .doc = "files of the home that this cell changed, see below"),
    FLAG("files_cut", GB_CELL_FILES_CUT, GB_OPTIONAL, UNLESS_LOST, .doc = "`files` is incomplete"),
    CELL(note, "note", GB_TEXT, GB_OPTIONAL, UNLESS_LOST,
         .doc = "the agent's explanation of what went wrong; absent: none"),
    CELL(wall_ns, "wall_ms", GB_MS, GB_ALWAYS, UNLESS_LOST, .doc = "as the guest measured it"),
    CELL(cpu_ns, "cpu_ms", GB_MS, GB_ALWAYS, UNLESS_LOST, .doc = "likewise"),
    CELL(peak_memory, "peak_memory_bytes", GB_U64, GB_ALWAYS, UNLESS_LOST, .doc = "likewise"),
    CELL(session, "error", GB_OBJECT, GB_OPTIONAL, .bit = GB_CELL_HAS_ERROR, UNLESS_LOST,
         .object = &error_object,
         .doc = "only in events and the journal: why it has no result"),
    FLAG("waiting", GB_CELL_WAITING, GB_OPTIONAL,
         .doc = "it is waiting for standard input (`session.stdin`)"),
    CELL(prompt, "prompt", GB_BYTES, GB_OPTIONAL, .base64 = GB_CELL_PROMPT_BASE64,
         .max = GB_PROMPT_MAX, .doc = "then the unfinished line that it has printed, at most "
                                      "its last 512 bytes; absent: none"),
    FLAG("unrecorded", GB_CELL_UNRECORDED, GB_OPTIONAL, .doc = "the journal could not be written"),
    FLAG("undone", GB_CELL_UNDONE, GB_OPTIONAL,
         .doc = "in a history: the session was taken back to before it, see The past of a session"),
    CELL(session, "annotation", GB_OBJECT, GB_OPTIONAL, .bit = GB_CELL_ANNOTATED,
         .object = &annotation_object,
         .doc = "in a history: the bookmark and the note that a person gave it "
                "(`session.annotate`); absent: neither"),
    CELL(incarnation, "incarnation", GB_U32, GB_OPTIONAL, .doc = "in a history: of its session"),
    CELL(pace_json, "pace", GB_ARRAY, GB_OPTIONAL,
         .doc = "in a history: the timing of its output, see Journal"),
};
/* clang-format on */

static_assert(offsetof(struct gb_cell_info, session) == 0,
              "members of the cell in a nested object");

static bool display_from_pair(struct gb_bytes key, struct gb_bytes value, bool brief,
                              void *ret_item)
{
    *(struct gb_display_info *)ret_item =
        (struct gb_display_info){.mime = key,
                                 .data = value,
                                 .size = value.size,
                                 .flags = brief ? GB_DISPLAY_HAS_SIZE : GB_DISPLAY_HAS_DATA};
    return true;
}

enum { GB_FILE_INFO_VALUE = 1 + 8 }; /* change, size */

/* The value is written by gb_changed_add() (wire/guest.h). */
static bool file_info_from_pair(struct gb_bytes key, struct gb_bytes value, bool brief,
                                void *ret_item)
{
    (void)brief;
    if (value.size != GB_FILE_INFO_VALUE)
        return false;
    *(struct gb_file_info *)ret_item = (struct gb_file_info){
        .path = key, .change = value.data[0], .size = gb_get_u64(value.data + 1)};
    return true;
}

const struct gb_object gb_display_object = {
    GB_OBJECT_TABLE("display", struct gb_display_info, display_members),
    .from_pair = display_from_pair};
const struct gb_object gb_file_info_object = {
    GB_OBJECT_TABLE("file", struct gb_file_info, file_info_members),
    .from_pair = file_info_from_pair};
const struct gb_object gb_cell_object = {GB_OBJECT_TABLE("cell", struct gb_cell_info, cell_members),
                                         .has_section = true};

static struct gb_bytes cell_beginning(struct gb_bytes text, size_t most)
{
    if (text.size > most) {
        text.size = most;
        text.size -= gb_utf8_unfinished(text);
    }
    return text;
}

void gb_cell_cut_code(struct gb_cell_info *cell, size_t most)
{
    const struct gb_bytes code = cell_beginning(cell->code, most);

    if (code.size < cell->code.size)
        cell->flags |= GB_CELL_CODE_CUT;
    cell->code = code;
}

void gb_cell_make_brief(struct gb_cell_info *cell)
{
    const struct gb_bytes value = cell_beginning(cell->value, GB_EVENT_TEXT_MAX);

    cell->flags |= GB_CELL_BRIEF | GB_CELL_NO_OUTPUT | GB_CELL_HAS_SIZES;
    cell->stdout_bytes = cell->out.size;
    cell->stderr_bytes = cell->err.size;
    cell->displays.brief = true;
    gb_cell_cut_code(cell, GB_EVENT_TEXT_MAX);
    if (value.size < cell->value.size)
        cell->flags |= GB_CELL_VALUE_CUT;
    cell->value = value;
    if (cell->argv.size > GB_EVENT_TEXT_MAX)
        cell->argv.size = 0;
}
