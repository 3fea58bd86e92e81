/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the table of frames, and their meaning, as Markdown. */
#include "base/mem.h"
#include "wire/frames.h"

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): every element has its designator */
static const char *const frame_meanings[] = {
    [GB_GUEST_HELLO] = "first frame after the port was opened; after a restore there is none: the "
                       "host pings",
    [GB_GUEST_READY] =
        "a kernel worker has started and has run code; `generation` is 1, then one more for each "
        "that took the place of one before; when a cell was the end of that one, its DONE comes "
        "first",
    [GB_GUEST_PING] = "answered at any time",
    [GB_GUEST_PONG] = "",
    [GB_GUEST_CONFIGURE] = "before the first cell, and again after every restore: CRNG, clock, "
                           "names, workers' generators, session environment",
    [GB_GUEST_STAT] = "what the guest uses",
    [GB_GUEST_STATUS] = "",
    [GB_GUEST_SHUTDOWN] = "powers the guest off",
    [GB_GUEST_LOG] = "a line for the server's log, at most 4 KiB; of one VM the log takes 256 KiB",
    [GB_GUEST_PREPARE] =
        "before a template is made of the guest: the session's worker loads what most sessions "
        "need and runs the image's own warm-up (`/usr/share/glassbell/warm`); ERROR busy while a "
        "cell runs",
    [GB_GUEST_HOLD] = "before a checkpoint: no frame follows it until RESUME; ERROR busy while a "
                      "cell runs, a program is at a terminal, a file is on its way or something "
                      "else is asked, or without an interpreter",
    [GB_GUEST_HELD] = "the last frame until RESUME; what processes print waits in their pipes",
    [GB_GUEST_RESUME] =
        "the guest may speak again, after HELD or after a restore of a guest that was held; sets a "
        "clock that is late, and mixes `entropy` into the kernel's random numbers: it comes when "
        "the moment that was held is lived once more. Interpreters are told nothing: what a "
        "program has seeded goes on as it was. Ended cells go on printing, in new streams when all "
        "has begun anew",
    [GB_GUEST_EXEC] =
        "runs a cell, whose end is DONE; `mode`: 0 kernel, 1 process, 2 shell; `flags`: 1 "
        "interactive (a stream stdin follows), 2 final (the worker's process ends with it, and no "
        "other cell follows), 4 "
        "put; `file`: a path of the home, or empty: it is the program in there, which `put` makes "
        "of `code` before (when it cannot be made, DONE says so in its note and nothing runs); "
        "`argv`: each argument and a NUL, the name first, or empty; one cell runs at a time; what "
        "the guest has no room for ends with DONE, exit code −1 and a note",
    [GB_GUEST_DISPLAY] = "a figure or the like",
    [GB_GUEST_WAITING] =
        "the cell waits for standard input, or no longer does; the host keeps the last",
    [GB_GUEST_DONE] =
        "the cell has ended; all its foreground output has been sent before; `exit_code` −1: it "
        "did not exit; `flags`: 1 timed out, 2 interrupted, 4 oom, 8 state lost, 16 has value, 32 "
        "value cut, 64 list of changes cut; `note` is the agent's own sentence when something went "
        "wrong; `changed` are the files that came, changed or went since the DONE before, without "
        "what the host's own requests did (`agent/track/changes.h`): a path below the home, and "
        "`change` u8 (0 added, 1 changed, 2 removed) and `size` u64",
    [GB_GUEST_INTERRUPT] = "to the process group of the cell, `how`: 0 SIGINT, 1 SIGKILL; ERROR "
                           "not_found when no cell runs",
    [GB_GUEST_OPEN] = "a stream begins; `params` are the kind's.",
    [GB_GUEST_DATA] = "bytes; header flag 1: CREDIT as soon as all that came has been consumed",
    [GB_GUEST_SHUT] = "the sender's half has ended; the kind's last word",
    [GB_GUEST_CREDIT] = "so much of the window was consumed",
    [GB_GUEST_NETWORK_LOST] =
        "netd has ended by itself: programs have no route any more, and their "
        "connections are broken",
    [GB_GUEST_NETWORK_ON] =
        "starts netd, unless one runs that was started with this `mark`, and gives programs a "
        "route to it and a name server; one with another mark is ended before, and the connections "
        "with it; both sides begin on the second port with the 16 bytes of the mark, netd first, "
        "and drop what comes before them",
    [GB_GUEST_NETWORK_OFF] = "answers connections that wait, breaks those that are open, takes "
                             "route and name server away; netd stays",
    [GB_GUEST_NETWORK_START] =
        "likewise, without a route to it: forward streams can be opened on the second port",
    [GB_GUEST_NETWORK_REHEARSE] =
        "starts a network, ends it, and leaves a netd that waits for the next one: what NETWORK_ON "
        "does takes a fraction of the time from then on, where the guest's code is emulated",
    [GB_GUEST_LISTENING] = "the ports on which programs of the user listen, u16 each, ascending, "
                           "at most 64: when that "
                           "has changed, at most ten times a second; after the answer to RESUME; "
                           "before that to CONFIGURE if "
                           "there are any",
    [GB_GUEST_RESET] = "the stream is given up, for this reason; of stream 0: all begins anew",
    [GB_GUEST_COMPLETE] = "`cursor` counts code points",
    [GB_GUEST_COMPLETIONS] = "`start` and `end` count code points; `matches`: text, type",
    [GB_GUEST_IS_COMPLETE] = "is the code a whole cell?",
    [GB_GUEST_COMPLETENESS] = "`status`: 0 complete, 1 incomplete, 2 invalid",
    [GB_GUEST_DESCRIBE] = "`code` ends with the name that is asked about",
    [GB_GUEST_DESCRIPTION] = "of a function or class its parameters in parentheses, and the first "
                             "line of the name's documentation; empty: not known",
    [GB_GUEST_TERMINAL] =
        "starts a program at a terminal of that size, beside whatever cell runs: `argv` as in EXEC "
        "(empty: the user's shell), looked for in the PATH of `env`; the guest opens a stream with "
        "that `number`, then answers; a program that cannot be started says so at its terminal and "
        "ends with 127 or 126",
    [GB_GUEST_RESIZE] = "the terminal has another size now; ERROR not_found when it has ended",
    [GB_GUEST_FILE_LIST] = "names greater than `after`, sorted",
    [GB_GUEST_FILE_ENTRIES] =
        "`more` u8, `count` u32, then per entry `name` bytes, `type` u8 (0 file 1 dir 2 symlink 3 "
        "other), `size` u64, `allocated` u64, `mtime_ns` i64, `mode` u32",
    [GB_GUEST_FILE_STAT] = "one entry",
    [GB_GUEST_FILE_REMOVE] = "`recursive`: with all that is in it",
    [GB_GUEST_PACKAGES] = "mounts the spare disk, whose content the host has exchanged, where the "
                          "language looks for packages",
    [GB_GUEST_TRUST] = "certificates that programs trust beside the image's: "
                       "`/run/certificates.pem` has both, and is mounted over the file in `/etc`",
    [GB_GUEST_FILE_MKDIR] = "`recursive`: makes parents",
    [GB_GUEST_OK] = "done",
    [GB_GUEST_ERROR] = "the request failed; `code` is of `enum gb_code`. With the number of a "
                       "cell: host and agent disagree about what runs, and the VM is ended",
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

static void frames_put_fields(struct gb_buf *buf, const struct gb_frame_info *info)
{
    static const char *const types[] = {"u8", "u32", "u64", "i64", "bytes", "pairs"};

    if (info->raw)
        gb_buf_adds(buf, "raw");
    else if (info->fields == NULL)
        gb_buf_adds(buf, "–");
    else
        for (size_t i = 0; i < info->fields->count; i++)
            gb_buf_addf(buf, "%s`%s` %s", i > 0 ? ", " : "", info->fields->fields[i].name,
                        types[info->fields->fields[i].type]);
}

void gb_frames_markdown(struct gb_buf *buf)
{
    static const char *const ways[] = {"", "h→g", "g→h", "both"};

    gb_buf_adds(buf, "| type | number | direction | answer | fields | meaning |\n"
                     "|---|---|---|---|---|---|\n");
    for (size_t type = 0; type < ARRAY_SIZE(frame_meanings); type++) {
        const struct gb_frame_info *info = gb_frame_info((uint16_t)type);

        if (info == NULL)
            continue;
        gb_buf_addf(buf, "| %s | %zu | %s | %s%s | ", info->name, type, ways[info->way],
                    info->role == GB_ROLE_REQUEST ? gb_guest_type_name((uint16_t)info->answer) : "",
                    info->changes ? ", changes" : "");
        frames_put_fields(buf, info);
        gb_buf_addf(buf, " | %s |\n", frame_meanings[type] == NULL ? "" : frame_meanings[type]);
    }
    gb_buf_adds(buf, "\n");
}
