/* SPDX-License-Identifier: Apache-2.0 */
/* The settings file: one table of options, a strict parser, and a plain struct with the result.
 * docs/settings.md is generated from the table.
 *
 * A file consists of `[section]` lines and `key = value` lines; `#` starts a comment at the start
 * of a line or after white space. Unknown keys, values out of range and duplicate keys are errors
 * that name file and line: no setting is silently ignored.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    GB_SETTINGS_FILE_MAX = 256 * 1024,
    GB_SETTINGS_LINE_MAX = 4096,
    GB_SETTINGS_NAME_MAX = 128, /* of a key or a section's name */
    GB_SETTINGS_POOLS_MAX = 64,
    GB_SETTINGS_TEXTS_MAX = 64,  /* networks; secrets */
    GB_SETTINGS_PAIRS_MAX = 512, /* per list */
};

/* `[server] log_level`. */
enum gb_settings_level {
    GB_SETTINGS_LEVEL_AUTO,
    GB_SETTINGS_LEVEL_ERROR,
    GB_SETTINGS_LEVEL_WARNING,
    GB_SETTINGS_LEVEL_INFO,
    GB_SETTINGS_LEVEL_DEBUG,
};

/* `[server] log_format`. */
enum gb_settings_log { GB_SETTINGS_LOG_AUTO, GB_SETTINGS_LOG_TEXT, GB_SETTINGS_LOG_JSON };

/* `[past] checkpoints`. */
enum gb_settings_checkpoints {
    GB_SETTINGS_CHECKPOINTS_OFF,
    GB_SETTINGS_CHECKPOINTS_ASKED,
    GB_SETTINGS_CHECKPOINTS_IDLE,
    GB_SETTINGS_CHECKPOINTS_CELL,
};

/* `[past] rollback`. */
enum gb_settings_rollback {
    GB_SETTINGS_ROLLBACK_OFF,
    GB_SETTINGS_ROLLBACK_EXACT,
    GB_SETTINGS_ROLLBACK_NEAREST,
};

/* `[pool "NAME"]`: NAME is an image, or IMAGE:MB for VMs of another memory size than the
 * image's. */
struct gb_settings_pool {
    char *name;
    unsigned line;                    /* of the section; 0: not from a file */
    uint64_t given;                   /* bits of the table's rows that the file sets */
    int64_t floor, ceiling, standing; /* −1: inherit from [pool] */
};

/* `[network "NAME"]`: what sessions opened with that network may reach; `[secret "NAME"]`: a secret
 * that they may use. Lines, which the module that applies them validates. */
struct gb_settings_text {
    char *name, *text;
    unsigned line;
};
struct gb_settings_texts {
    struct gb_settings_text *list;
    size_t count;
};

/* `[keys]`: a key of the front end and the command bound to it; `[hosts]`: the name of a host and
 * its address. The users of a list validate its content. */
struct gb_settings_pair {
    char *key, *value;
    unsigned line;
};
struct gb_settings_list {
    struct gb_settings_pair *pairs;
    size_t count;
};

/* Durations are in milliseconds, sizes in bytes; strings are never NULL, and "" means the
 * default. */
struct gb_settings {
    char *path;        /* the file that was read; NULL: none */
    uint64_t given[4]; /* bits of the table's rows that the file sets */
    struct gb_settings_server {
        char *images;
        bool require_isolation;
        int64_t log_level;  /* enum gb_settings_level */
        int64_t log_format; /* enum gb_settings_log */
        uint64_t idle_exit_ms, drain_ms;
    } server;
    struct gb_settings_sessions {
        uint64_t timeout_ms, idle_ms, lifetime_ms, max_stdout, max_stderr, question_ms;
        uint64_t network_bytes;
        int64_t maximum, per_client, cells_per_client, network_connections, network_names;
    } sessions;
    struct gb_settings_journal {
        bool enabled;
        char *path;
        uint64_t size, interval_ms, others_age_ms, others_size;
        int64_t sync; /* as enum gb_journal_sync */
    } journal;
    struct gb_settings_terminals {
        bool record;
        uint64_t record_size, record_total;
    } terminals;
    struct gb_settings_past {
        int64_t checkpoints; /* enum gb_settings_checkpoints */
        uint64_t per_session, total, largest;
        int64_t keep;
        int64_t rollback; /* enum gb_settings_rollback */
        uint64_t hibernate_ms, asleep_ms;
    } past;
    struct gb_settings_admission {
        uint64_t memory_bytes, reserve_bytes, wait_ms;
        double overcommit, cpus, vms_per_cpu, starts_per_cpu, pressure;
        int64_t waiting_max;
    } admission;
    struct gb_settings_pool_all {
        int64_t floor, ceiling, standing;
        uint64_t half_life_ms;
    } pool;
    struct gb_settings_templates {
        uint64_t max_bytes, max_age_ms;
    } templates;
    struct gb_settings_packages {
        uint64_t max_bytes, max_age_ms, memory_bytes, time_ms;
    } packages;
    struct gb_settings_tui {
        char *theme;
        char *hosts; /* names of `[hosts]`, separated by spaces */
        bool mouse;
        uint64_t undo_ms;
    } tui;
    struct gb_settings_pool *pools;
    size_t pool_count;
    struct gb_settings_texts networks, secrets;
    struct gb_settings_list keys, hosts;
};

/* ---- the table ---- */

enum gb_option_type {
    GB_OPTION_BOOL,     /* bool: yes no true false on off */
    GB_OPTION_INTEGER,  /* int64_t */
    GB_OPTION_NUMBER,   /* double */
    GB_OPTION_DURATION, /* uint64_t, ms: 500ms 30s 5m 2h 7d, or 0 */
    GB_OPTION_SIZE,     /* uint64_t, bytes: 64K 512M 10G 1T, or bytes */
    GB_OPTION_TEXT,     /* char *: at most `max` bytes */
    GB_OPTION_PATH,     /* char *: absolute, or ~/… */
    GB_OPTION_CHOICE,   /* int64_t: the index of one of `choices` */
    GB_OPTION_TYPE_COUNT
};

struct gb_option {
    const char *section, *key;
    bool of_pool;    /* belongs in `[pool "NAME"]`: offset in struct gb_settings_pool */
    bool reloadable; /* takes effect on SIGHUP; else on restart */
    enum gb_option_type type;
    size_t offset;              /* in struct gb_settings */
    const char *standard;       /* the default as a file would spell it; NULL, for a pool: −1,
                                 * inherit from [pool] */
    double min, max;            /* in the unit of the field; for a text: bytes */
    const char *const *choices; /* NULL-terminated */
    const char *help;           /* a sentence without its full stop */
};

extern const struct gb_option gb_options[];
extern const size_t gb_option_count; /* at most 256, of pools at most 64 */

/* The sections in order, each with a sentence; ends with a NULL name. */
/* The name of this machine's server where hosts are named. */
#define GB_HOST_LOCAL "local"

struct gb_settings_section {
    const char *name, *help;
    bool named;   /* `[name "NAME"]` is also allowed */
    size_t list;  /* offset of the list in struct gb_settings if any key is allowed, with a text
                   * value; 0: the section takes the options of the table */
    size_t lines; /* offset of the texts in struct gb_settings if it always has a NAME, and contains
                   * lines that are not options; 0: it does not */
    const char *reserved, *reserved_says; /* a key that a list cannot have, and what it is; NULL:
                                           * none */
};
extern const struct gb_settings_section gb_settings_sections[];

/* Writes the tables as Markdown, for docs/settings.md. */
void gb_settings_markdown(struct gb_buf *buf);

/* ---- reading ---- */

/* Sets the defaults of the table. */
void gb_settings_init(struct gb_settings *settings);
void gb_settings_release(struct gb_settings *settings);

/* Parses @text (the content of file @name) into @settings, which must be initialised. GB_EINVALID
 * with "NAME:LINE: what is wrong", or GB_ETOOLARGE; @settings can then only be released. */
int gb_settings_parse(struct gb_settings *settings, const char *name, struct gb_bytes text,
                      struct gb_err *err);

/* Reads the file @path; if NULL: $GLASSBELL_CONFIG, else the first that exists of
 * $XDG_CONFIG_HOME/glassbell/glassbell.conf (~/.config) and /etc/glassbell/glassbell.conf, else
 * none. An explicitly named file must exist. Fills @ret_settings only on success. Gives. */
int gb_settings_load(const char *path, struct gb_settings *ret_settings, struct gb_err *err);

/* The pool with this name (as in the file), created with the defaults if missing; NULL if there are
 * too many. Valid until the next call. */
struct gb_settings_pool *gb_settings_pool(struct gb_settings *settings, const char *name);

/* Sets one option from text, as in a file; @where is the location for messages. @pool for options
 * of a pool, else NULL. */
int gb_option_set(const struct gb_option *option, struct gb_settings *settings,
                  struct gb_settings_pool *pool, const char *where, struct gb_bytes value,
                  struct gb_err *err);

/* Copies the reloadable options of @fresh to @live, and calls @changed (may be NULL) for each
 * option that differs: @applied is false if it needs a restart. Releases @fresh. */
void gb_settings_reload(struct gb_settings *live, struct gb_settings *fresh,
                        void (*changed)(void *arg, const char *option, bool applied), void *arg);

/* ---- writing ---- */

/* Adds @line as the first one of `[network "NAME"]` in the file @path, where all else stays as it
 * is, comments and the order of lines too; the file is replaced in one step, under a lock beside
 * it, PATH.lock. Gives the section's lines as they are now, also with an error if the line is in
 * the file, but may be gone after a power cut. Blocks. GB_ENOTFOUND: the file has no such section;
 * GB_EPOLICY: it belongs to another user; GB_EBUSY: another process writes it at the same time; or
 * it cannot be read, or written, or is not valid. */
int gb_settings_add_rule(const char *path, const char *name, struct gb_bytes line, char **ret_text,
                         struct gb_err *err);
/* Sets the lines of that section in settings that were read before. No-op if there is none. */
void gb_settings_set_network(struct gb_settings *settings, const char *name, const char *text);
