/* SPDX-License-Identifier: Apache-2.0 */
/* The table of options. A new one is a field in settings.h and a row here; docs/settings.md is
 * written by `GLASSBELL_WRITE_DOCS=1 build/dev/engine/test_settings_settings`. */
#include "settings.h"

#include <assert.h>

#include "base/limits.h"
#include "base/mem.h"

static const char *const levels[] = {"auto", "error", "warning", "info", "debug", NULL};

static const char *const formats[] = {"auto", "text", "json", NULL};
static const char *const syncs[] = {"none", "interval", "cell", NULL};
static const char *const checkpoints[] = {"off", "asked", "idle", NULL};

#define YEAR_MS (366.0 * 86400000)

/* clang-format off */
#define ROW(section_, key_, type_, field, standard_, reloadable_, help_)                           \
    .section = section_, .key = key_, .type = type_,                                               \
    .offset = offsetof(struct gb_settings, field), .standard = standard_,                          \
    .reloadable = reloadable_, .help = help_
#define BOOL(section, key, field, standard, reloadable, help)                                      \
    {ROW(section, key, GB_OPTION_BOOL, field, standard, reloadable, help)}
#define INTEGER(section, key, field, min_, max_, standard, reloadable, help)                       \
    {ROW(section, key, GB_OPTION_INTEGER, field, standard, reloadable, help), .min = min_, .max = max_}
#define DURATION(section, key, field, min_, max_, standard, reloadable, help)                      \
    {ROW(section, key, GB_OPTION_DURATION, field, standard, reloadable, help), .min = min_,        \
     .max = max_}
#define SIZE(section, key, field, min_, max_, standard, reloadable, help)                          \
    {ROW(section, key, GB_OPTION_SIZE, field, standard, reloadable, help), .min = min_, .max = max_}
#define TEXT(section, key, field, max_, standard, reloadable, help)                                \
    {ROW(section, key, GB_OPTION_TEXT, field, standard, reloadable, help), .max = max_}
#define PATH(section, key, field, standard, reloadable, help)                                      \
    {ROW(section, key, GB_OPTION_PATH, field, standard, reloadable, help), .max = GB_PATH_MAX - 1}
#define CHOICE(section, key, field, choices_, standard, reloadable, help)                          \
    {ROW(section, key, GB_OPTION_CHOICE, field, standard, reloadable, help), .choices = choices_}

#define NUMBER(section, key, field, min_, max_, standard, reloadable, help)                        \
    {ROW(section, key, GB_OPTION_NUMBER, field, standard, reloadable, help), .min = min_, .max = max_}
#define OF_POOL(key_, field, max_, help_)                                                          \
    {.section = "pool", .key = key_, .of_pool = true, .reloadable = true,                          \
     .type = GB_OPTION_INTEGER, .offset = offsetof(struct gb_settings_pool, field), .max = max_,   \
     .help = help_}

#define TB 1099511627776.0
#define POOL_MAX 1024

enum { FIXED = false, LIVE = true };

const struct gb_settings_section gb_settings_sections[] = {
    {.name = "server", .help = "The server itself"},
    {.name = "sessions", .help = "What a session gets when its client does not say otherwise"},
    {.name = "journal",
     .help =
         "What sessions did, on disk: `glassbell log` and `session.history` read it. A server that "
         "is killed loses nothing of it, whatever `sync` says; `sync` is about power cuts and "
         "crashes of the host"},
    {.name = "past", .help = "Checkpoints of sessions, to which they can be taken back"},
    {.name = "admission",
     .help = "Who may have a VM, and when: the room that there is, and how it is given out"},
    {.name = "pool",
     .help = "VMs that stand ready before anybody asks; these sizes hold for every image that has "
             "no section of its own",
     .named = true},
    {.name = "templates",
     .help = "What new sessions are restored from; they are kept in the cache folder"},
    {.name = "network",
     .help = "What sessions may reach that are opened with `network: NAME`, or `--net NAME`; under "
             "`[network \"NAME\"]` stand rules, a line each (docs/network.md), and no options",
     .lines = true},
    {.name = "tui", .help = "The terminal front end"},
    {.name = "keys",
     .help = "Keys of the front end, each with the command that it runs: `C-t = \"theme next\"`",
     .list = offsetof(struct gb_settings, keys)},
    {.name = "hosts",
     .help = "Servers of other machines, each with its address: `build = "
             "\"ssh://ann@build.example\"`; then `--host build` reaches the one there "
             "([`docs/hosts.md`](hosts.md))",
     .list = offsetof(struct gb_settings, hosts)},
    {.name = NULL},
};

const struct gb_option gb_options[] = {
    PATH("server", "images", server.images, "", FIXED,
         "folder of the images; empty: `$GLASSBELL_IMAGES`, else where an installation has them"),
    BOOL("server", "require_isolation", server.require_isolation, "no", FIXED,
         "refuse to start when a stage of isolation cannot be applied on this host"),
    CHOICE("server", "log_level", server.log_level, levels, "auto", LIVE,
           "what goes into the log; `auto`: `info` for a daemon, `warning` in the foreground"),
    CHOICE("server", "log_format", server.log_format, formats, "auto", LIVE,
           "`text`: a line with time and level; `json`: an object a line; `auto`: text, and for the "
           "journal of systemd the level in its own way"),
    DURATION("server", "idle_exit", server.idle_exit_ms, 0, YEAR_MS, "0", LIVE,
             "the server ends itself when nobody was connected and no session was open for so "
             "long; 0: never"),
    DURATION("server", "drain", server.drain_ms, 0, YEAR_MS, "10s", LIVE,
             "how long SIGTERM lets cells that run come to their end; 0: no limit"),

    DURATION("sessions", "timeout", sessions.timeout_ms, 1, GB_TIMEOUT_MAX_MS, "30s", LIVE,
             "time for a cell"),
    DURATION("sessions", "idle", sessions.idle_ms, 0, YEAR_MS, "30m", LIVE,
             "a session closes itself when nothing was asked of it for so long; 0: never"),
    DURATION("sessions", "lifetime", sessions.lifetime_ms, 0, YEAR_MS, "0", LIVE,
             "a session closes itself so long after it was opened; 0: no limit"),
    SIZE("sessions", "max_stdout", sessions.max_stdout, 1, GB_OUTPUT_MAX, "1M", LIVE,
         "bytes kept of a cell's standard output"),
    SIZE("sessions", "max_stderr", sessions.max_stderr, 1, GB_OUTPUT_MAX, "256K", LIVE,
         "bytes kept of a cell's standard error"),
    INTEGER("sessions", "maximum", sessions.maximum, 1, GB_SESSIONS_MAX, "1024", LIVE,
            "sessions and runs open at once"),
    INTEGER("sessions", "per_client", sessions.per_client, 0, GB_SESSIONS_MAX, "0", LIVE,
            "sessions and runs that one client, by its name in `hello`, may have open at once; 0: "
            "no limit of its own"),
    INTEGER("sessions", "cells_per_client", sessions.cells_per_client, 0, 1e6, "0", LIVE,
            "cells that one client may have running and waiting at once; 0: no limit of its own"),

    BOOL("journal", "enabled", journal.enabled, "yes", FIXED, "keep a journal"),
    PATH("journal", "path", journal.path, "", FIXED,
         "its folder; empty: `$XDG_STATE_HOME/glassbell/journal` (mostly "
         "`~/.local/state/glassbell/journal`), with a number behind it for a server at another "
         "socket than the usual one"),
    SIZE("journal", "size", journal.size, 4 << 20, 1e12, "256M", FIXED,
         "what it may take on disk, about; the oldest cells go first. It also holds some 16,000 "
         "sessions at most"),
    CHOICE("journal", "sync", journal.sync, syncs, "interval", FIXED,
           "when it is forced to the disk: `cell`: before a cell is answered, so that a power cut "
           "takes nothing that was told (it costs a disk write for each cell); `interval`: a power "
           "cut takes what is younger than `interval`; `none`: whenever the system likes"),
    DURATION("journal", "interval", journal.interval_ms, 10, 3600000, "1s", FIXED,
             "see `sync`"),
    DURATION("journal", "others_age", journal.others_age_ms, 0, YEAR_MS, "30d", FIXED,
             "journals of servers at other sockets, in folders beside it: one that was not used for "
             "so long is removed when a server starts; 0: never"),
    SIZE("journal", "others_size", journal.others_size, 0, 1e12, "1G", FIXED,
         "what those may take on disk, all together; those not used for the longest go first; 0: no "
         "limit"),
    CHOICE("past", "checkpoints", past.checkpoints, checkpoints, "asked", LIVE,
           "`asked`: only those that a client asks for are taken; `idle`: also after a cell, when the "
           "session has been idle for a moment; `off`: none at all"),
    SIZE("past", "per_session", past.per_session, 1 << 20, TB, "256M", LIVE,
         "what those of one session may take on disk; the older they are the fewer stay, and those "
         "with a name go last"),
    INTEGER("past", "keep", past.keep, 4, 10000, "200", LIVE, "checkpoints of one session at most"),
    SIZE("past", "total", past.total, 0, TB, "4G", LIVE,
         "what those of all sessions may take on disk: above it none are taken"),
    SIZE("past", "largest", past.largest, 1 << 20, TB, "128M", LIVE,
         "a session with more memory of its own than this is not looked at after each cell, which "
         "would take it too long, but only when it is asked for"),
    SIZE("admission", "memory", admission.memory_bytes, 0, TB, "0", LIVE,
         "memory for VMs, all charges together; 0: what the control group or the host has, less the "
         "reserve"),
    SIZE("admission", "reserve", admission.reserve_bytes, 0, TB, "512M", LIVE,
         "memory that is left alone: of the budget, and of what the host has free when a VM is to be "
         "started"),
    NUMBER("admission", "overcommit", admission.overcommit, 1, 100, "10", LIVE,
           "a VM is charged what an idle one takes and one part in so many of what it could take "
           "beyond that; 1: no over-commitment"),
    NUMBER("admission", "cpus", admission.cpus, 0, 4096, "0", LIVE,
           "CPUs to reckon with; 0: by affinity and control group"),
    NUMBER("admission", "vms_per_cpu", admission.vms_per_cpu, 1, 1024, "64", LIVE,
           "VMs for each CPU (an idle one takes a little of it too)"),
    NUMBER("admission", "starts_per_cpu", admission.starts_per_cpu, 0.1, 64, "2", LIVE,
           "VMs that start at a time, for each CPU; at least two"),
    NUMBER("admission", "pressure", admission.pressure, 1, 100, "10", LIVE,
           "percent of the last ten seconds in which the host stood still for memory (PSI, `full`) "
           "at which no VM is started; 100: never mind"),
    DURATION("admission", "wait", admission.wait_ms, 0, 3600000, "60s", LIVE,
             "how long a request waits for room before it fails with `capacity`; 0: not at all"),
    INTEGER("admission", "queue", admission.waiting_max, 0, GB_SESSIONS_MAX, "256", LIVE,
            "requests that wait for room at most"),

    INTEGER("pool", "floor", pool.floor, 0, POOL_MAX, "0", LIVE,
            "VMs that stand ready always, from the start on"),
    INTEGER("pool", "ceiling", pool.ceiling, 0, POOL_MAX, "4", LIVE,
            "VMs that stand ready at most, when there is demand; 0: no more than the floor"),
    INTEGER("pool", "standing", pool.standing, 0, 64, "1", LIVE,
            "QEMU processes that wait for a template's state behind the ready VMs, while any are "
            "wanted"),
    DURATION("pool", "half_life", pool.half_life_ms, 1000, YEAR_MS, "1m", LIVE,
             "after so long a peak of demand counts half"),
    OF_POOL("floor", floor, POOL_MAX, "VMs that stand ready always"),
    OF_POOL("ceiling", ceiling, POOL_MAX, "VMs that stand ready at most"),
    OF_POOL("standing", standing, 64, "QEMU processes that wait behind them"),

    SIZE("templates", "max_size", templates.max_bytes, 0, 1e15, "10G", LIVE,
         "room that they may take on the disk; those that were not used for the longest go first"),
    DURATION("templates", "max_age", templates.max_age_ms, 0, YEAR_MS, "30d", LIVE,
             "one that was not used for so long goes"),

    TEXT("tui", "theme", tui.theme, GB_NAME_MAX, "auto", LIVE,
         "name of a theme, or `auto`: light or dark, as the terminal is"),
    BOOL("tui", "mouse", tui.mouse, "yes", LIVE,
         "the front end takes the mouse (with Shift the terminal selects as usual)"),
    DURATION("tui", "undo", tui.undo_ms, 0, 3600000, "10s", LIVE,
             "how long closing a session can be taken back; 0: not at all"),
};
/* clang-format on */

const size_t gb_option_count = ARRAY_SIZE(gb_options);
static_assert(ARRAY_SIZE(gb_options) <= 256, "struct gb_settings has a bit for each");
