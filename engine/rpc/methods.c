/* SPDX-License-Identifier: Apache-2.0 */
#include "methods.h"

#include <assert.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

static const char *const mode_choices[] = {"kernel", "process", "shell", NULL};

static const char *const lease_choices[] = {"take", "release", "hand_over", NULL};

enum { REQUIRED = 1 };

/* clang-format off */
#define NAME(name_, field, need, max_, doc_)                                                       \
    {.name = name_, .type = GB_PARAM_NAME, .offset = offsetof(struct gb_params, field),            \
     .required = (need), .min = 1, .max = (max_), .doc = doc_}
#define TEXT(name_, field, need, max_, doc_)                                                       \
    {.name = name_, .type = GB_PARAM_TEXT, .offset = offsetof(struct gb_params, field),            \
     .required = (need), .max = (max_), .doc = doc_}
#define BASE64(doc_)                                                                               \
    {.name = "base64", .type = GB_PARAM_BASE64, .offset = offsetof(struct gb_params, base64),      \
     .max = GB_LINE_MAX, .doc = doc_}
#define INTEGER(name_, field, min_, max_, standard_, doc_)                                         \
    {.name = name_, .type = GB_PARAM_INTEGER, .offset = offsetof(struct gb_params, field),         \
     .min = (min_), .max = (max_), .standard = (standard_), .doc = doc_}
#define BOOL(name_, field, standard_, doc_)                                                        \
    {.name = name_, .type = GB_PARAM_BOOL, .offset = offsetof(struct gb_params, field),            \
     .standard = (standard_), .doc = doc_}
#define NODE(name_, type_, field, max_, doc_)                                                      \
    {.name = name_, .type = type_, .offset = offsetof(struct gb_params, field), .max = (max_),     \
     .doc = doc_}

#define MS_MAX (INT64_C(366) * 86400000) /* a year: idle and lifetime */
#define OFFSET_MAX (INT64_C(1) << 50)

#define SESSION NAME("session", session, REQUIRED, GB_NAME_MAX, "the session's id")
#define BYTES_OF(name_, field, max_, doc_)                                                         \
    {.name = name_, .type = GB_PARAM_BASE64, .offset = offsetof(struct gb_params, field),          \
     .max = (max_), .doc = doc_}
#define PATH(need)                                                                                 \
    TEXT("path", path, need, GB_PATH_MAX, "relative to the home `/home/user`; this or "            \
         "`path_base64`"),                                                                         \
    BYTES_OF("path_base64", path, GB_PATH_MAX, "the bytes of a path, which need not be UTF-8; this " \
             "or `path`")
#define CODE TEXT("code", code, REQUIRED, GB_CODE_MAX, "the source text")
#define PROGRAM                                                                                    \
    TEXT("code", code, 0, GB_CODE_MAX, "the source text; this or `code_base64`, or else `file`"),  \
    BYTES_OF("code_base64", code, GB_CODE_MAX, "the same as bytes, in whatever encoding "  \
              "the language knows them"),                                                          \
    TEXT("file", file, 0, GB_PATH_MAX,                                                             \
         "runs the code as this file of the home, as the language's own command does (*Programs*, " \
         "above): with `code` the file is made, without it it has to be there"),                   \
    BYTES_OF("file_base64", file, GB_PATH_MAX, "the same for a name that is not UTF-8"),   \
    NODE("args", GB_PARAM_NAMES, args, GB_ARGS_MAX, "arguments of the program, behind its name"),  \
    NODE("args_base64", GB_PARAM_NAMES, args_base64, GB_ARGS_MAX,                                  \
         "the same as bytes, each in base64; this or `args`"),                                     \
    NAME("name", name, 0, GB_PATH_MAX, "what the program is called: `sys.argv[0]`, `$0`; default "  \
         "`file`, else `-c` when there are `args`")
#define MEMORY INTEGER("memory_mb", memory_mb, GB_MEMORY_MIN_MB, GB_MEMORY_MAX_MB, 0, \
    "RAM of the VM in MiB, at most what the host has; default: the image's")
#define OPEN_OPTIONS                                                                               \
    NAME("image", image, 0, GB_NAME_MAX, "image or alias (`py`, `js`, `raw`); default `python`"),  \
    MEMORY,                                                                                        \
    NODE("network", GB_PARAM_ANY, network, 0,                                                      \
         "only `\"none\"` or `{\"mode\": \"none\"}` so far; anything else is `unsupported`"),      \
    INTEGER("wait_ms", wait_ms, 0, 3600000, -1,                                                    \
            "how long it may wait for room, then it fails with `capacity`; 0: not at all; default: "\
            "the settings' (60 s)"),                                                               \
    NAME("label", label, 0, GB_NAME_MAX, "a name for people"),                                     \
    NAME("owner", owner, 0, GB_NAME_MAX, "who it belongs to, for people and filters")
#define EXEC_OPTIONS                                                                               \
    {.name = "mode", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, mode),          \
     .choices = mode_choices, .doc = "`kernel`: in the session's interpreter; `process`: in a "    \
     "fresh process of the same language; `shell`: in bash of the same VM"},                       \
    TEXT("stdin", standard_input, 0, GB_STDIN_MAX,                                                 \
         "standard input given at once; its end follows unless `interactive`; default empty"),     \
    BOOL("interactive", interactive, 0, "more standard input may come by `session.stdin`"),        \
    BOOL("stream", stream, 0, "`cell.output` and `cell.waiting` notifications before the reply"),  \
    INTEGER("max_stdout", max_stdout, 1, GB_OUTPUT_MAX, 0, "bytes kept of stdout; default: the "   \
            "settings' (1 MiB)"),                                                                  \
    INTEGER("max_stderr", max_stderr, 1, GB_OUTPUT_MAX, 0, "bytes kept of stderr; default: the "   \
            "settings' (256 KiB)"),                                                                \
    BOOL("detach", detach, 0, "the cell goes on when this connection closes")

static const struct gb_param hello_params[] = {
    TEXT("client", client, 0, GB_NAME_MAX, "name and version of the client, for the log"),
    INTEGER("protocol", protocol, 0, INT32_MAX, GB_PROTOCOL_VERSION,
            "the version that the client speaks; another one than the server's is `unsupported`"),
};
static const struct gb_param run_params[] = {
    PROGRAM, OPEN_OPTIONS, EXEC_OPTIONS,
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables"),
    INTEGER("timeout_ms", timeout_ms, 1, GB_TIMEOUT_MAX_MS, 0,
            "of the code; the start of the VM does not count; default: the settings' (30 s)"),
};
static const struct gb_param open_params[] = {
    OPEN_OPTIONS,
    NAME("key", key, 0, GB_NAME_MAX, "attaches to the session with this key, or creates it"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables of the session"),
    INTEGER("timeout_ms", timeout_ms, 1, GB_TIMEOUT_MAX_MS, 0,
            "default for its cells; default: the settings' (30 s)"),
    INTEGER("idle_ms", idle_ms, 0, MS_MAX, -1,
            "closes itself when nothing was asked for so long; 0: never; default: the settings' (30 "
            "min)"),
    INTEGER("lifetime_ms", lifetime_ms, 0, MS_MAX, -1, "closes itself so long after it was opened; "
            "0: no limit; default: the settings' (0)"),
};
static const struct gb_param warm_params[] = {
    NAME("image", image, 1, GB_NAME_MAX, "image or alias; default `python`"),
    INTEGER("memory_mb", memory_mb, GB_MEMORY_MIN_MB, GB_MEMORY_MAX_MB, 0, "RAM of the VMs in MiB; default: the image's"),
};
static const struct gb_param exec_params[] = {
    SESSION, PROGRAM, EXEC_OPTIONS,
    BOOL("final", final, 0, "the last cell: the interpreter ends with it as a program does, its exit "
         "hooks and all, and no other follows; the files stay until the session is closed"),
    NODE("env", GB_PARAM_STRINGS, env, GB_ENV_COUNT_MAX, "environment variables of this cell only"),
    INTEGER("timeout_ms", timeout_ms, 0, GB_TIMEOUT_MAX_MS, 0,
            "time for the code; 0: the session's default"),
    INTEGER("lease_wait_ms", lease_wait_ms, 0, GB_TIMEOUT_MAX_MS, 0,
            "how long to wait while another client holds the session; 0: `held` at once"),
};
static const struct gb_param stdin_params[] = {
    SESSION,
    TEXT("text", text, 0, GB_STDIN_MAX, "what the program reads; this or `base64`"),
    BASE64("what the program reads; this or `text`"),
    BOOL("eof", eof, 0, "the end of standard input follows"),
    INTEGER("cell", cell, 0, UINT32_MAX, 0,
            "only when this cell runs, else `not_found`; 0: whichever runs"),
};
static const struct gb_param session_params[] = {SESSION};
static const struct gb_param complete_params[] = {
    SESSION, CODE,
    INTEGER("cursor", cursor, 0, GB_CODE_MAX, -1,
            "where to complete, in code points; default: the end of the code"),
};
static const struct gb_param is_complete_params[] = {SESSION, CODE};
static const struct gb_param history_params[] = {
    SESSION,
    INTEGER("after", after_cell, 0, UINT32_MAX, 0, "cells with larger numbers"),
    INTEGER("before", before_cell, 0, UINT32_MAX, 0,
            "cells with smaller numbers, the newest first; 0: no limit, and the oldest first"),
    INTEGER("limit", limit, 1, 1000, 100, "at most so many cells"),
    NAME("find", find, 0, GB_FIND_MAX,
         "only cells that have this text in their code, their output, their value or the reason "
         "why there is none; letters of ASCII match in either case, unless it has a capital one, "
         "and colours do not matter"),
    BOOL("output", output, 1, "false: briefly, as in events"),
    INTEGER("length", length, 1, GB_HISTORY_PIECE_MAX, 0,
            "of each cell's output, `stdout` first and `stderr` behind it, only so many bytes; "
            "default: all of it, or with `output` false nothing"),
    INTEGER("offset", offset, -OFFSET_MAX, OFFSET_MAX, 0,
            "with `length`: where these begin; negative: so far before the end"),
};
static const struct gb_param lease_params[] = {
    SESSION,
    {.name = "action", .type = GB_PARAM_CHOICE, .offset = offsetof(struct gb_params, action),
     .choices = lease_choices, .standard = -1, .doc = "required. `hand_over` needs `to`, and that "
     "the caller holds the lease; `release` of a session that nobody holds does nothing"},
    NAME("to", to, 0, GB_NAME_MAX, "who gets it: a client's name as in `hello`, or its number"),
    TEXT("note", note, 0, GB_PATH_MAX,
         "take: why; else for those who come after: `notice` of the next cell of another client"),
    BOOL("human", human, 0, "a person holds it, for those who are refused"),
    BOOL("force", force, 0, "`take` it from whoever holds it"),
};
static const struct gb_param list_params[] = {
    NAME("state", state, 0, GB_NAME_MAX, "only sessions in this state; `closed` and `lost`: those "
         "that have ended, from the journal, the newest first"),
    NAME("key", key, 0, GB_NAME_MAX, "only the session with this key"),
    NAME("label", label, 0, GB_NAME_MAX, "only sessions with this label"),
    NAME("owner", owner, 0, GB_NAME_MAX, "only sessions of this owner"),
    NAME("image", image, 0, GB_NAME_MAX, "only sessions of this image"),
    INTEGER("limit", limit, 1, 100000, 1000, "of those that have ended: at most so many"),
};
static const struct gb_param write_params[] = {
    SESSION, PATH(REQUIRED),
    TEXT("text", text, 0, GB_LINE_MAX, "the bytes; this or `base64`"),
    BASE64("the bytes; this or `text`"),
    INTEGER("offset", offset, 0, OFFSET_MAX, 0,
            "where these bytes begin: 0 begins an upload, each further piece begins where the last "
            "one ended"),
    BOOL("final", final, 1, "the last piece: the file appears, whole"),
    INTEGER("mode", permissions, 0, 0777, 0, "permission bits; default 420 (0644)"),
};
static const struct gb_param read_params[] = {
    SESSION, PATH(REQUIRED),
    INTEGER("offset", offset, 0, OFFSET_MAX, 0, "where to begin"),
    INTEGER("length", length, 1, GB_READ_MAX, GB_READ_DEFAULT, "bytes at most"),
};
static const struct gb_param file_list_params[] = {
    SESSION, PATH(0),
    TEXT("after", after, 0, GB_FILE_NAME_MAX, "only names that sort behind this one, bytewise; this "
         "or `next`"),
    BYTES_OF("next", after, GB_FILE_NAME_MAX, "as the reply before gave it: what comes behind that"),
    INTEGER("limit", limit, 1, GB_LIST_MAX, GB_LIST_MAX, "at most so many entries"),
};
static const struct gb_param stat_params[] = {SESSION, PATH(REQUIRED)};
static const struct gb_param remove_params[] = {
    SESSION, PATH(REQUIRED),
    BOOL("recursive", recursive, 0, "a folder goes with all that is in it"),
};
static const struct gb_param mkdir_params[] = {
    SESSION, PATH(REQUIRED),
    BOOL("recursive", recursive, 1, "parents are made, and a folder that is there is no error"),
};
static const struct gb_param subscribe_params[] = {
    NODE("sessions", GB_PARAM_NAMES, sessions, 1024, "ids of open sessions; default: all, those to come included"),
    NODE("kinds", GB_PARAM_NAMES, kinds, 64, "kinds of events; default: all. `snapshot` and `gap` always come"),
    BOOL("output", output, 0, "with `cell.output`"),
    BOOL("replay", replay, 0, "then come figures of the last minutes, and what running cells have printed so far"),
};
static const struct gb_param unsubscribe_params[] = {
    INTEGER("subscription", subscription, 0, INT32_MAX, 0, "as `events.subscribe` gave it"),
};
static const struct gb_param shutdown_params[] = {
    BOOL("drain", drain, 0, "running and queued cells end first; new ones are refused (`busy`)"),
};

static const struct gb_result hello_results[] = {
    {"server", "string", "version of the server"},
    {"protocol", "integer", "1"},
    {"pid", "integer", "process id of the server"},
    {"client", "integer", "the number of this connection, as leases name it"},
    {"accel", "string", "`kvm`, `hvf` or `tcg`"},
    {"accel_reason", "string", "a sentence: why this accelerator"},
    {"isolation", "string", "`hardware`, or `emulation` (TCG: not a security boundary)"},
    {"guard", "object", "stages of confinement of the QEMU processes: `applied` [names], `missing` "
     "[{`stage`, `why`}]"},
    {"images", "array", "{`name`, `language`, `aliases`, `memory_mb`, `packages` [{`name`, "
     "`version`}]}"},
    {"limits", "object", "every limit of this server, by name"},
};
static const struct gb_result run_results[] = {
    {"…", "cell", "the fields of a cell"},
    {"source", "string", "where the VM came from, as in `session.open`"},
    {"timing", "object", "of its start, as in `session.open`"},
};
static const struct gb_result open_results[] = {
    {"session", "string", "its id"},
    {"created", "boolean", "false: there was one with this key"},
    {"incarnation", "integer", "1, and one more whenever state was lost"},
    {"reason", "string", "`attached`; or why it was created: `new`, `expired` (the session with this "
     "key was idle too long or past its lifetime), `crashed` (its VM died), `closed` (a client "
     "closed it)"},
    {"source", "string", "`boot`, `template` or `pool`"},
    {"timing", "object", "`total_ms`, `admission_ms`, `boot_ms`, `worker_ms`"},
};
static const struct gb_result exec_results[] = {
    {"…", "cell", "the fields of a cell, once, when it has ended"},
    {"background", "array", "what background processes of earlier cells printed since the last "
     "reply: {`cell`, `stream`, `text` or `base64`, `dropped`}; absent when nothing"},
    {"notice", "string", "what who held the session left to be told; absent: nothing"},
};
static const struct gb_result lease_results[] = {
    {"lease", "object or null", "the session's lease now"},
};
static const struct gb_result complete_results[] = {
    {"matches", "array", "{`text`, `type`}"},
    {"start", "integer", "the match replaces from here, in code points"},
    {"end", "integer", "to here"},
};
static const struct gb_result is_complete_results[] = {
    {"status", "string", "`complete`, `incomplete` or `invalid`"},
    {"indent", "string", "to put in front of the next line"},
};
static const struct gb_result history_results[] = {
    {"cells", "array", "of cells in their order, each with its `incarnation` too; one that runs has "
     "the `state` `running`, one that ended without a result has `error`; with "
     "`length` also `offset` (where the part begins), `stdout_bytes` and `stderr_bytes` (the whole "
     "of each)"},
    {"more", "boolean", "there are further cells, or with `find` cells that were not looked at: ask "
     "again"},
    {"next", "integer", "what to give then as `after`, or as `before` where that was given; absent "
     "without `more`"},
};
static const struct gb_result get_results[] = {{"…", "session", "the fields of a session"}};
static const struct gb_result list_results[] = {
    {"sessions", "array", "of sessions; without a fresh `guest_memory` (the last one known)"},
};
static const struct gb_result write_results[] = {
    {"size", "integer", "bytes of the upload so far, or of the file at `final`"},
};
static const struct gb_result read_results[] = {
    {"text / base64", "string", "the bytes"},
    {"size", "integer", "of the whole file"},
    {"eof", "boolean", "the file ends with these bytes; while it is false, read on behind them"},
};
static const struct gb_result file_list_results[] = {
    {"entries", "array", "of entries, sorted by name, bytewise"},
    {"more", "boolean", "there are further entries: ask again with `next`"},
    {"next", "string", "what to give as `next` for them, whatever their names are; absent: there are "
     "none"},
};
static const struct gb_result stat_results[] = {{"…", "entry", "the fields of an entry"}};
static const struct gb_result subscribe_results[] = {{"subscription", "integer", "its number"}};
static const struct gb_result pool_results[] = {
    {"pools", "array", "for each image and memory size that was asked for: {`image`, `memory_mb`, "
     "`network`, `ready`, `target` (VMs wanted ready now), `floor`, `ceiling`, `starting`, `waiting` "
     "(QEMU processes that wait for a template's state), `hits`, `misses`, `lost` (died, or did not "
     "answer), `template` {`state`, `bytes`, `made_at`, `message`}}"},
    {"admission", "object", "`memory_budget`, `memory_source` (`settings`, `cgroup`, `host`), "
     "`memory_used` (charges of all VMs), `memory_reserve`, `memory_available` (of the host, now), "
     "`pressure` (percent, or null), `cpus`, `cpus_source`, `cpu_budget` (VMs at most), `vms`, "
     "`starting`, `starts` (at a time at most), `waiting`, `short` (what the first of those who wait "
     "waits for: `memory`, `vms`, `starts`, `available`, `pressure`), `granted`, `queued`, "
     "`refused`"},
};
static const struct gb_result warm_results[] = {
    {"image", "string", "its name"},
    {"memory_mb", "integer", "RAM of the VMs that it is for"},
    {"bytes", "integer", "that it takes on the disk"},
    {"made_at", "integer", "when it was made"},
};
static const struct gb_result stats_results[] = {
    {"uptime_ms", "number", "of the server"},
    {"pid", "integer", "of the server"},
    {"cpu_ms", "number", "that the server itself has used"},
    {"wakeups", "integer",
     "how often the server has woken up: each call wakes it once, and while nothing happens only the "
     "figures of sessions do, every ten seconds"},
    {"rss_bytes", "integer", "of the server itself"},
    {"host", "object", "`cpus`, `memory_total`, `memory_available`"},
    {"connections", "integer", "open now"},
    {"sessions", "object", "how many, by state"},
    {"opened", "integer", "sessions opened since the start"},
    {"cells", "integer", "cells ended since the start"},
    {"journal", "object or null", "`bytes`, `segments`, `sessions`, `records`, "
     "`failures` (records that could not be written since the start), `lost` (that were missing or "
     "damaged at the start), `trouble` (why nothing is recorded now, or null)"},
    {"latency", "object", "`open`, `exec` (request to reply) and `overhead` (the same without the "
     "guest's own `wall_ms`): {`count`, `p50_ms`, `p90_ms`, `p99_ms`, `max_ms`}"},
    {"vms", "array", "{`session` and its `source` (as of `session.open`), or null of a VM of the pool; "
     "`pool` (`ready`, `starting`, `waiting`), or null of a session's; `image`, `pid`, `memory_mb`, "
     "`memory_bytes` (PSS), `private_bytes`, `cpu_ms`; the last three are null until they are known}"},
    {"pools, admission", "", "as `pool.status`"},
};

#define METHOD(id, name_, doc_, params_, results_)                                                 \
    [id] = {.name = name_, .doc = doc_, .params = params_, .param_count = ARRAY_SIZE(params_),     \
            .results = results_, .result_count = ARRAY_SIZE(results_)}
#define METHOD_EMPTY(id, name_, doc_, params_)                                                     \
    [id] = {.name = name_, .doc = doc_, .params = params_, .param_count = ARRAY_SIZE(params_)}
#define METHOD_PLAIN(id, name_, doc_, results_)                                                    \
    [id] = {.name = name_, .doc = doc_, .results = results_, .result_count = ARRAY_SIZE(results_)}

const struct gb_method gb_methods[GB_METHOD_COUNT] = {
    METHOD(GB_METHOD_HELLO, "hello", "Who the server is and what it can do. Not required.",
           hello_params, hello_results),
    METHOD(GB_METHOD_RUN, "run",
           "Runs code in a fresh VM that is destroyed after. The reply comes as soon as the cell is "
           "done; the VM goes meanwhile.",
           run_params, run_results),
    METHOD(GB_METHOD_SESSION_OPEN, "session.open",
           "Opens a session, or attaches to the one with this key.", open_params, open_results),
    METHOD(GB_METHOD_SESSION_EXEC, "session.exec",
           "Runs a cell. Cells of one session run in the order of their arrival.", exec_params,
           exec_results),
    METHOD_EMPTY(GB_METHOD_SESSION_STDIN, "session.stdin",
                 "Feeds the running `interactive` cell. Answered when the guest has taken it.",
                 stdin_params),
    METHOD_EMPTY(GB_METHOD_SESSION_INTERRUPT, "session.interrupt",
                 "Sends SIGINT to the running cell; kept state is kept. `not_found` when none runs.",
                 session_params),
    METHOD(GB_METHOD_SESSION_COMPLETE, "session.complete",
           "What could stand at the cursor; computed in the guest, also while a cell runs.",
           complete_params, complete_results),
    METHOD(GB_METHOD_SESSION_IS_COMPLETE, "session.is_complete",
           "Whether the code can be run as it is, or a next line belongs to it.",
           is_complete_params, is_complete_results),
    METHOD(GB_METHOD_SESSION_HISTORY, "session.history",
           "The cells of a session, open or not, as long as the journal has them.",
           history_params, history_results),
    METHOD(GB_METHOD_SESSION_GET, "session.get", "One session.", session_params, get_results),
    METHOD(GB_METHOD_SESSION_LIST, "session.list",
           "The sessions that are open, VMs of `run` among them.", list_params, list_results),
    METHOD_EMPTY(GB_METHOD_SESSION_CLOSE, "session.close",
                 "Closes a session. Idempotent. Answered when its VM is gone.", session_params),
    METHOD(GB_METHOD_SESSION_LEASE, "session.lease",
           "Takes, releases or hands over the right to run cells in a session. It ends with the "
           "connection that holds it, and the session does not expire as idle meanwhile.",
           lease_params, lease_results),
    METHOD(GB_METHOD_FILE_WRITE, "file.write",
           "Writes a file, in one piece or in several. It appears whole, at `final`, or not at all; "
           "folders above it are made. An upload that is not finished when its connection closes is "
           "dropped.",
           write_params, write_results),
    METHOD(GB_METHOD_FILE_READ, "file.read",
           "Reads a piece of a file. Fewer bytes than `length` are no error: go by `eof`.",
           read_params, read_results),
    METHOD(GB_METHOD_FILE_LIST, "file.list", "The entries of a folder; default the home.",
           file_list_params, file_list_results),
    METHOD(GB_METHOD_FILE_STAT, "file.stat", "One entry.", stat_params, stat_results),
    METHOD_EMPTY(GB_METHOD_FILE_REMOVE, "file.remove", "Removes a file or a folder.",
                 remove_params),
    METHOD_EMPTY(GB_METHOD_FILE_MKDIR, "file.mkdir", "Makes a folder.", mkdir_params),
    METHOD(GB_METHOD_EVENTS_SUBSCRIBE, "events.subscribe",
           "Tells what happens from now on, as `event` notifications that begin with a snapshot.",
           subscribe_params,
           subscribe_results),
    METHOD_EMPTY(GB_METHOD_EVENTS_UNSUBSCRIBE, "events.unsubscribe",
                 "Ends a subscription. It also ends with its connection.", unsubscribe_params),
    METHOD_PLAIN(GB_METHOD_POOL_STATUS, "pool.status",
                 "The warm pool and the room that there is.",
                 pool_results),
    METHOD(GB_METHOD_IMAGE_WARM, "image.warm",
           "Makes the template of an image, from which sessions are restored, unless it is there and "
           "good. Answered when it is.",
           warm_params, warm_results),
    METHOD_PLAIN(GB_METHOD_STATS, "stats", "Figures of the host, the server and each VM.",
                 stats_results),
    METHOD_EMPTY(GB_METHOD_SERVER_SHUTDOWN, "server.shutdown",
                 "Closes all sessions and ends the server. Answered when the sessions are gone.",
                 shutdown_params),
};
/* clang-format on */

enum gb_method_id gb_method_find(struct gb_bytes name)
{
    for (int i = 0; i < GB_METHOD_COUNT; i++)
        if (gb_bytes_equal(name, gb_methods[i].name))
            return (enum gb_method_id)i;
    return GB_METHOD_COUNT;
}
