/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs: help, completion and the test of the manual page read it. */
#include "verbs.h"

#include <string.h>

#include "base/mem.h"

#define END                                                                                        \
    {                                                                                              \
        0, NULL, NULL, ARG_NONE, NULL, false                                                       \
    }

#define CODE_OPTION                                                                                \
    {                                                                                              \
        'c', "code", "CODE", ARG_TEXT, "the code itself; may be repeated", false                   \
    }
#define FILE_OPTION                                                                                \
    {                                                                                              \
        'f', "file", "FILE", ARG_FILE, "the same as FILE; may be repeated", false                  \
    }
#define LANG_OPTION                                                                                \
    {                                                                                              \
        'l', "lang", "LANG", ARG_LANGUAGE,                                                         \
            "python, javascript, shell (default: as the file says)", false                         \
    }
#define IMAGE_OPTION                                                                               \
    {                                                                                              \
        0, "image", "NAME", ARG_IMAGE, "the image to run in", false                                \
    }
#define MEMORY_OPTION                                                                              \
    {                                                                                              \
        'm', "memory", "MB", ARG_TEXT, "memory of the VM in MiB", false                            \
    }
#define ENV_OPTION                                                                                 \
    {                                                                                              \
        'e', "env", "NAME=VALUE", ARG_TEXT, "environment variable; may be repeated", false         \
    }
#define TIME_OPTION                                                                                \
    {                                                                                              \
        't', "time", "SECONDS", ARG_TEXT, "time for the code (default 30; fractions)", false       \
    }
#define JSON_OPTION                                                                                \
    {                                                                                              \
        0, "json", NULL, ARG_NONE, "print the result as JSON", false                               \
    }
#define STDIN_OPTION                                                                               \
    {                                                                                              \
        0, "stdin", NULL, ARG_NONE, "the program reads our standard input", false                  \
    }
#define UPLOAD_OPTION                                                                              \
    {                                                                                              \
        0, "upload", "LOCAL[:REMOTE]", ARG_FILE,                                                   \
            "bring a file or folder in first; may be repeated", false                              \
    }
#define DOWNLOAD_OPTION                                                                            \
    {                                                                                              \
        0, "download", "REMOTE[:LOCAL]", ARG_TEXT,                                                 \
            "fetch a file or folder afterwards; may be repeated", false                            \
    }
#define OUTPUT_OPTION                                                                              \
    {                                                                                              \
        0, "max-output", "MB", ARG_TEXT, "standard output kept at most, in MiB (default 16)",      \
            false                                                                                  \
    }

static const struct option run_options[] = {
    CODE_OPTION,
    FILE_OPTION,
    LANG_OPTION,
    IMAGE_OPTION,
    TIME_OPTION,
    MEMORY_OPTION,
    ENV_OPTION,
    STDIN_OPTION,
    UPLOAD_OPTION,
    DOWNLOAD_OPTION,
    OUTPUT_OPTION,
    JSON_OPTION,
    {0, "network", "POLICY", ARG_TEXT, "not supported yet: VMs have no network", false},
    END,
};
static const struct option exec_options[] = {
    CODE_OPTION,
    FILE_OPTION,
    LANG_OPTION,
    TIME_OPTION,
    ENV_OPTION,
    STDIN_OPTION,
    UPLOAD_OPTION,
    DOWNLOAD_OPTION,
    OUTPUT_OPTION,
    JSON_OPTION,
    {0, "lease-wait", "SECONDS", ARG_TEXT,
     "wait so long while another client holds the session (default 600; 0: not)", false},
    END,
};
static const struct option repl_options[] = {
    {'l', "lang", "LANG", ARG_LANGUAGE, "python (default), javascript or shell", false},
    IMAGE_OPTION,
    MEMORY_OPTION,
    ENV_OPTION,
    {'t', "time", "SECONDS", ARG_TEXT, "time for each cell (default: 24 hours)", false},
    {0, "raw", NULL, ARG_NONE, "pass escape sequences of the program on to the terminal", false},
    END,
};
static const struct option open_options[] = {
    {'l', "lang", "LANG", ARG_LANGUAGE, "python (default), javascript or shell", false},
    IMAGE_OPTION,
    {0, "key", "KEY", ARG_TEXT, "attach to the session with this key, or create it", false},
    {0, "label", "TEXT", ARG_TEXT, "a name for people", false},
    {0, "idle", "SECONDS", ARG_TEXT, "close after so long without use (default 1800; 0: never)",
     false},
    {0, "lifetime", "SECONDS", ARG_TEXT, "close after so long in any case", false},
    {'t', "time", "SECONDS", ARG_TEXT, "time for each cell, unless it asks otherwise", false},
    MEMORY_OPTION,
    ENV_OPTION,
    JSON_OPTION,
    END,
};
static const struct option ls_options[] = {
    {'a', "all", NULL, ARG_NONE, "those that have ended, too", false},
    JSON_OPTION,
    {0, "ids", NULL, ARG_NONE, "ids, keys and labels only, one a line", false},
    END,
};
static const struct option close_options[] = {
    {'a', "all", NULL, ARG_NONE, "every session of the server", false},
    END,
};
static const struct option file_options[] = {
    {'q', "quiet", NULL, ARG_NONE, "no progress", false},
    END,
};
static const struct option tui_options[] = {
    {0, "theme", "NAME", ARG_TEXT, "the colours (default: as the settings say, else auto)", false},
    {0, "manual", NULL, ARG_NONE, "", true}, /* prints glassbell-keys(7), for the build */
    END,
};
static const struct option top_options[] = {
    {0, "once", NULL, ARG_NONE, "print the sessions once and end", false},
    {0, "json", NULL, ARG_NONE, "the same as JSON", false},
    {0, "theme", "NAME", ARG_TEXT, "the colours, on a screen", false},
    END,
};
static const struct option watch_options[] = {
    {0, "replay", NULL, ARG_NONE, "begin with what it did before", false},
    {0, "json", NULL, ARG_NONE, "the events as JSON, one a line", false},
    END,
};
static const struct option serve_options[] = {
    {0, "foreground", NULL, ARG_NONE, "stay in the terminal (the default)", false},
    {0, "daemon", NULL, ARG_NONE, "go into the background once it is ready", false},
    {0, "config", "FILE", ARG_FILE, "the settings file (default: $GLASSBELL_CONFIG)", false},
    {0, "socket", "PATH", ARG_FILE, "the socket to listen at", false},
    {0, "images", "FOLDER", ARG_FILE, "where the images are (default: $GLASSBELL_IMAGES)", false},
    {0, "pool", "IMAGE=VMS", ARG_TEXT, "VMs that stand ready (IMAGE=LEAST:MOST); may be repeated",
     false},
    {0, "require-isolation", NULL, ARG_NONE, "refuse to start when a stage cannot be applied",
     false},
    {0, "log", "FILE", ARG_FILE, "the log of a daemon", false},
    {0, "log-format", "FORMAT", ARG_TEXT, "auto, text or json", false},
    {'v', "verbose", NULL, ARG_NONE, "log more", false},
    {0, "idle-exit", "SECONDS", ARG_TEXT, "end when nobody used it for so long", false},
    {0, "ready-fd", "FD", ARG_TEXT, "", true},
    END,
};
static const struct option doctor_options[] = {
    JSON_OPTION,
    {0, "images", "FOLDER", ARG_FILE, "where the images are (default: $GLASSBELL_IMAGES)", false},
    {0, "socket", "PATH", ARG_FILE, "the server's socket", false},
    END,
};
static const struct option image_options[] = {
    {0, "images", "FOLDER", ARG_FILE, "where the images are (default: $GLASSBELL_IMAGES)", false},
    JSON_OPTION,
    {0, "names", NULL, ARG_NONE, "names only, one a line (ls)", false},
    {'m', "memory", "MB", ARG_TEXT, "memory of the VMs in MiB (warm)", false},
    END,
};
static const struct option log_options[] = {
    {'f', "follow", NULL, ARG_NONE, "go on with what the session runs, until it ends", false},
    {0, "cell", "N", ARG_TEXT, "only this cell", false},
    {0, "code", NULL, ARG_NONE, "only the code", false},
    {0, "output", NULL, ARG_NONE, "only what was printed", false},
    {0, "json", NULL, ARG_NONE, "print each cell as JSON, one a line", false},
    END,
};
static const struct option export_options[] = {
    {0, "format", "FORMAT", ARG_TEXT, "ipynb (default), py, md, asciicast or json", false},
    {'o', "output", "FILE", ARG_FILE, "write to this file or into this folder; -: standard output",
     false},
    END,
};
static const struct option answer_options[] = {
    {0, "eof", NULL, ARG_NONE, "end its input, behind TEXT if there is one", false},
    END,
};
static const struct option mcp_options[] = {
    {0, "image", "NAME", ARG_IMAGE, "image of what is run when the model names none", false},
    {'m', "memory", "MB", ARG_TEXT, "memory of each VM in MiB, unless the model asks otherwise",
     false},
    {0, "idle", "SECONDS", ARG_TEXT,
     "sessions close after so long without use (default 1800; 0: never)", false},
    {0, "owner", "NAME", ARG_TEXT, "sessions are opened for it, and only its own are listed",
     false},
    END,
};

const struct verb verbs[] = {
    {"run", "run code in a fresh VM and destroy it", "[options] (FILE | - | -c CODE) [ARGS…]",
     run_options, app_options, ARG_PROGRAM,
     "  glassbell run -c 'print(6 * 7)'\n"
     "  glassbell run -t 2.5 report.py 2026 --verbose\n"
     "  glassbell run -f a.py -f b.js -f c.sh\n"
     "  echo 'ls -l' | glassbell run -l shell -\n"
     "  glassbell run --upload data.csv --download plot.png plot.py\n",
     verb_run},
    {"tui", "see every session live (also: glassbell without a verb)", "[options]", tui_options,
     app_options, ARG_NONE,
     "  glassbell\n"
     "  glassbell tui --theme light\n",
     verb_tui},
    {"attach", "open the front end at a session", "SESSION [options]", tui_options, app_options,
     ARG_SESSION, "  glassbell attach work\n", verb_attach},
    {"watch", "print what a session does, as plain text", "SESSION [options]", watch_options,
     app_options, ARG_SESSION,
     "  glassbell watch work\n"
     "  glassbell watch work --json | jq .kind\n",
     verb_watch},
    {"top", "list the sessions live, or once", "[--once | --json]", top_options, app_options,
     ARG_NONE,
     "  glassbell top --once\n"
     "  glassbell top --json | jq '.sessions | length'\n",
     verb_top},
    {"repl", "type code and see what it does", "[options] [SESSION]", repl_options, app_options,
     ARG_SESSION,
     "  glassbell repl\n"
     "  glassbell repl -l javascript -m 512\n"
     "  glassbell repl my-session\n",
     verb_repl},
    {"open", "open a session and print its id", "[options]", open_options, app_options, ARG_NONE,
     "  id=$(glassbell open --label work)\n"
     "  glassbell open --key nightly -l shell --idle 3600\n",
     verb_open},
    {"exec", "run code in a session", "SESSION [options] (FILE | - | -c CODE) [ARGS…]",
     exec_options, app_options, ARG_PROGRAM_IN_SESSION,
     "  glassbell exec work -c 'x = 41'\n"
     "  glassbell exec work -c 'print(x + 1)'\n"
     "  glassbell exec work load.py data.csv\n",
     verb_exec},
    {"ls", "list the sessions", "[--all] [--json | --ids]", ls_options, app_options, ARG_NONE,
     "  glassbell ls\n"
     "  glassbell ls --json\n",
     verb_ls},
    {"close", "close sessions", "(SESSION… | --all)", close_options, app_options, ARG_SESSION,
     "  glassbell close work\n", verb_close},
    {"interrupt", "interrupt what a session runs", "SESSION…", NULL, app_options, ARG_SESSION,
     "  glassbell interrupt work\n", verb_interrupt},
    {"answer", "type a line for a program that waits for input", "SESSION [options] [TEXT]",
     answer_options, app_options, ARG_SESSION,
     "  glassbell answer work yes\n"
     "  glassbell answer work --eof <lines.txt\n",
     verb_answer},
    {"put", "bring a file or folder into a session", "SESSION LOCAL [REMOTE]", file_options,
     app_options, ARG_FILE,
     "  glassbell put work data.csv\n"
     "  glassbell put work src lib/src\n"
     "  make-data | glassbell put work - data.csv\n",
     verb_put},
    {"get", "fetch a file or folder from a session", "SESSION REMOTE [LOCAL]", file_options,
     app_options, ARG_SESSION,
     "  glassbell get work plot.png\n"
     "  glassbell get work logs/today.txt /tmp/today.txt\n"
     "  glassbell get work results\n"
     "  glassbell get work data.csv - | column -t -s,\n",
     verb_get},
    {"log", "show what a session ran", "SESSION [options]", log_options, app_options, ARG_SESSION,
     "  glassbell log work\n"
     "  glassbell log work --follow\n"
     "  glassbell log work --cell 3 --output >out.txt\n",
     verb_log},
    {"export", "write what a session ran as a notebook or the like", "SESSION [options]",
     export_options, app_options, ARG_SESSION,
     "  glassbell export work -o work.ipynb\n"
     "  glassbell export work --format asciicast -o work.cast\n",
     verb_export},
    {"mcp", "be an MCP server for agents, on standard input and output", "[options]", mcp_options,
     app_options, ARG_NONE,
     "  glassbell mcp\n"
     "  claude mcp add glassbell -- glassbell mcp --idle 3600\n",
     verb_mcp},
    {"serve", "be the server", "[options]", serve_options, NULL, ARG_NONE,
     "  glassbell serve\n"
     "  glassbell serve --daemon --require-isolation\n",
     verb_serve},
    {"doctor", "tell what works on this host and what is missing", "[--json]", doctor_options, NULL,
     ARG_NONE, "  glassbell doctor\n", verb_doctor},
    {"image", "list, build or warm images", "(ls | build [NAME…] | warm [NAME…])", image_options,
     app_options, ARG_IMAGE,
     "  glassbell image ls\n"
     "  glassbell image build python\n"
     "  glassbell image warm python javascript\n",
     verb_image},
    {"version", "print the version", "", NULL, NULL, ARG_NONE, NULL, verb_version},
    {"help", "tell about the verbs", "[VERB]", NULL, NULL, ARG_VERB, "  glassbell help run\n",
     verb_help},
    {"completion", "print completion for the shell", "bash", NULL, NULL, ARG_NONE,
     "  source <(glassbell completion bash)\n", verb_completion},
    {NULL, NULL, NULL, NULL, NULL, ARG_NONE, NULL, NULL},
};

const char *verb_instead(const char *name)
{
    static const struct {
        const char *names, *sentence;
    } table[] = {
        {" ps list sessions ", "`glassbell ls` lists the sessions"},
        {" logs history ", "`glassbell log` shows what a session ran"},
        {" rm delete destroy kill terminate ", "`glassbell close` ends a session"},
        {" stop cancel abort ",
         "`glassbell interrupt` stops what runs, `glassbell close` ends the session"},
        {" cp copy ", "`glassbell put` brings files in, `glassbell get` fetches them"},
        {" upload push ", "`glassbell put` brings files in"},
        {" download pull ", "`glassbell get` fetches files; images are made by `glassbell image "
                            "build`"},
        {" shell sh bash ssh ", "`glassbell repl -l shell` is a shell in a fresh VM"},
        {" python python3 py ", "`glassbell repl` is a Python prompt, `glassbell run` runs a file"},
        {" node js javascript ",
         "`glassbell repl -l javascript` is a prompt, `glassbell run` runs a file"},
        {" images ", "`glassbell image ls` lists the images"},
        {" build ", "`glassbell image build` makes images"},
        {" stats status monitor ",
         "`glassbell top` shows what runs, `glassbell doctor` what works"},
        {" info check ", "`glassbell doctor` tells what works on this host"},
        {" start create new ", "`glassbell open` opens a session"},
        {" server daemon ", "`glassbell serve` is the server; the first client starts it"},
        {" eval ", "`glassbell run -c CODE` runs code"},
        {" input stdin send ", "`glassbell answer` types a line for a program that waits"},
        {" connect enter ", "`glassbell attach` opens the front end at a session"},
        {" tail follow ", "`glassbell watch` prints what a session does"},
        {" save notebook ", "`glassbell export` writes what a session ran"},
    };
    char word[32];

    if (name[0] == '\0' || strchr(name, ' ') != NULL || strlen(name) + 3 > sizeof(word))
        return NULL;
    word[0] = ' ';
    memcpy(word + 1, name, strlen(name));
    memcpy(word + 1 + strlen(name), " ", 2);
    for (size_t i = 0; i < ARRAY_SIZE(table); i++)
        if (strstr(table[i].names, word) != NULL)
            return table[i].sentence;
    return NULL;
}
