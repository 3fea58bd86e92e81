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
        .help = "its language (default: as the file says)"                                         \
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
        .help = "what it may reach (default none): a name, a file, or rules"                       \
    }
#define OPTION_SECRET                                                                              \
    {                                                                                              \
        .name = "secret", .value = "NAME", .kind = ARG_TEXT,                                       \
        .help = "a secret that it may use and not see; may be repeated"                            \
    }
#define OPTION_ENV                                                                                 \
    {                                                                                              \
        .letter = 'e', .name = "env", .value = "NAME=VALUE", .kind = ARG_TEXT,                     \
        .help = "environment variable; may be repeated"                                            \
    }
#define OPTION_TIME                                                                                \
    {                                                                                              \
        .letter = 't', .name = "time", .value = "SECONDS", .kind = ARG_TEXT,                       \
        .help = "time for the code (default 30; fractions)"                                        \
    }
#define OPTION_TRY                                                                                 \
    {                                                                                              \
        .name = "try", .value = "COUNT", .kind = ARG_TEXT,                                         \
        .help = "so many times at once, each in a fork of the session"                             \
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
        .name = "stdin", .kind = ARG_NONE, .help = "the program reads our standard input"          \
    }
#define OPTION_UPLOAD                                                                              \
    {                                                                                              \
        .name = "upload", .value = "LOCAL[:REMOTE]", .kind = ARG_FILE,                             \
        .help = "bring a file or folder in first; may be repeated"                                 \
    }
#define OPTION_DOWNLOAD                                                                            \
    {                                                                                              \
        .name = "download", .value = "REMOTE[:LOCAL]", .kind = ARG_TEXT,                           \
        .help = "fetch a file or folder afterwards; may be repeated"                               \
    }
#define OPTION_OUTPUT                                                                              \
    {                                                                                              \
        .name = "max-output", .value = "MB", .kind = ARG_TEXT,                                     \
        .help = "standard output kept at most, in MiB (default 16)"                                \
    }
#define OPTION_QUIET                                                                               \
    {                                                                                              \
        .letter = 'q', .name = "quiet", .kind = ARG_NONE, .help = "no progress"                    \
    }
#define OPTION_THEME                                                                               \
    {                                                                                              \
        .name = "theme", .value = "NAME", .kind = ARG_TEXT,                                        \
        .help = "the colours (default: as the settings say, else auto)"                            \
    }
