/* SPDX-License-Identifier: Apache-2.0 */
/* Options shared by several verbs: rows for their tables. */
#pragma once

#include "base/limits.h"
#include "cli/args.h"

#define OPTION_CODE                                                                                \
    {                                                                                              \
        .letter = 'c', .name = "code", .value = "CODE", .kind = ARG_TEXT,                          \
        .help = "the code itself; may be repeated"                                                 \
    }
#define OPTION_FILE                                                                                \
    {                                                                                              \
        .letter = 'f', .name = "file", .value = "FILE", .kind = ARG_FILE,                          \
        .help = "the same as FILE; may be repeated"                                                \
    }
#define OPTION_LANG                                                                                \
    {                                                                                              \
        .letter = 'l', .name = "lang", .value = "LANG", .kind = ARG_LANGUAGE,                      \
        .help = "its language (default: from the file)"                                            \
    }
#define OPTION_LANG_OF_SESSION                                                                     \
    {                                                                                              \
        .letter = 'l', .name = "lang", .value = "LANG", .kind = ARG_LANGUAGE,                      \
        .help = "its language (default: " GB_IMAGE_DEFAULT ")"                                     \
    }
#define OPTION_IMAGE                                                                               \
    {                                                                                              \
        .name = "image", .value = "NAME", .kind = ARG_IMAGE, .help = "the image to run in"         \
    }
#define OPTION_MEMORY                                                                              \
    {                                                                                              \
        .letter = 'm', .name = "memory", .value = "MB", .kind = ARG_TEXT,                          \
        .help = "memory of the VM in MiB"                                                          \
    }
#define OPTION_NET                                                                                 \
    {                                                                                              \
        .name = "net", .value = "POLICY", .kind = ARG_TEXT,                                        \
        .help = "network access (default none): a name, a file, or rules"                          \
    }
#define OPTION_SECRET                                                                              \
    {                                                                                              \
        .name = "secret", .value = "NAME", .kind = ARG_TEXT,                                       \
        .help = "a secret that it may use without seeing it; may be repeated"                      \
    }
#define OPTION_PACKAGES                                                                            \
    {                                                                                              \
        .name = "packages", .value = "NAMES", .kind = ARG_FILE,                                    \
        .help = "packages that it has: names, or a requirements.txt"                               \
    }
#define OPTION_ENV                                                                                 \
    {                                                                                              \
        .letter = 'e', .name = "env", .value = "NAME=VALUE", .kind = ARG_TEXT,                     \
        .help = "environment variable; may be repeated"                                            \
    }
#define OPTION_TIME                                                                                \
    {                                                                                              \
        .letter = 't', .name = "time", .value = "SECONDS", .kind = ARG_TEXT,                       \
        .help = "time limit in seconds (default 30; may be fractional)"                            \
    }
#define OPTION_TRY                                                                                 \
    {                                                                                              \
        .name = "try", .value = "COUNT", .kind = ARG_TEXT,                                         \
        .help = "run this many times at once, each in a fork of the session"                       \
    }
#define OPTION_KEEP                                                                                \
    {                                                                                              \
        .name = "keep", .kind = ARG_NONE, .help = "with --try: do not close the forks"             \
    }
#define OPTION_JSON                                                                                \
    {                                                                                              \
        .name = "json", .kind = ARG_NONE, .help = "print the result as JSON"                       \
    }
#define OPTION_STDIN                                                                               \
    {                                                                                              \
        .name = "stdin", .kind = ARG_NONE, .help = "connect our standard input to the program"     \
    }
#define OPTION_UPLOAD                                                                              \
    {                                                                                              \
        .name = "upload", .value = "LOCAL[:REMOTE]", .kind = ARG_FILE,                             \
        .help = "copy a file or folder in first; may be repeated"                                  \
    }
#define OPTION_DOWNLOAD                                                                            \
    {                                                                                              \
        .name = "download", .value = "REMOTE[:LOCAL]", .kind = ARG_TEXT,                           \
        .help = "copy a file or folder out afterwards; may be repeated"                            \
    }
#define OPTION_OUTPUT                                                                              \
    {                                                                                              \
        .name = "max-output", .value = "MB", .kind = ARG_TEXT,                                     \
        .help = "maximum of standard output that is kept, in MiB (default 16)"                     \
    }
#define OPTION_QUIET                                                                               \
    {                                                                                              \
        .letter = 'q', .name = "quiet", .kind = ARG_NONE, .help = "no progress"                    \
    }
#define OPTION_THEME                                                                               \
    {                                                                                              \
        .name = "theme", .value = "NAME", .kind = ARG_TEXT,                                        \
        .help = "the colours (default: from the settings, else auto)"                              \
    }
