/* SPDX-License-Identifier: Apache-2.0 */
/* What Glassbell knows about a language: the record that its worker supplies.
 *
 * Theory of operation. The author of a worker writes `agent/workers/NAME/language.json`
 * (docs/worker.md). The image builder validates it and copies it into `boot.json`, next to the
 * initramfs that contains the worker; the engine reads it from there and uses it to warm guests up;
 * `hello` sends it to clients, except for what only the engine needs.
 *
 * A record is immutable and reference-counted: hold a reference to keep a pointer beyond a call.
 * All strings are UTF-8 without hidden characters (base/hidden.h), so they can be displayed as they
 * are; absent ones are empty, never NULL.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "rpc/json.h"

enum {
    GB_LANGUAGES_MAX = 64,     /* in one set */
    GB_LANGUAGE_NAME_MAX = 31, /* bytes */
    GB_LANGUAGE_VALUES_MAX = 1 << 16,
};

struct gb_texts {
    char **list;
    size_t count;
};

struct gb_language {
    unsigned references;
    char *name;  /* the name of its worker's folder: "python" */
    char *title; /* as people write it: "Python" */

    /* What code is in this language. */
    struct gb_texts aliases;  /* alternative names, including those used in notebooks */
    struct gb_texts endings;  /* file name extensions: ".py"; new files get the first */
    struct gb_texts programs; /* interpreters after #!: "python3"; a trailing "*" matches digits */
    struct {
        struct gb_texts endings; /* extensions of files that look like this language but cannot be
                                  * run */
        char *why;
    } refused;

    /* Interactive prompts. */
    struct {
        char *first, *more; /* for the first line and for further lines */
        char *indent;       /* one level */
        /* If not empty, a block ends at an unindented line that begins with none of these. */
        struct gb_texts goes_on;
    } prompt;

    struct {
        char *kernel, *title;  /* of a Jupyter kernel: "python3", "Python 3" */
        char *shell, *process; /* first line of a cell in these modes: "%%bash"; may be empty */
    } notebook;
    struct {
        char *no_input; /* the end of standard error when a program tried to read at end of file */
    } errors;

    struct {
        char *lexer;             /* a lexer of engine/highlight; "words": uses only the lists
                                  * below */
        struct gb_texts endings; /* of files that are highlighted by it but are no programs */
        struct gb_texts keywords, types; /* types and constants */
        struct gb_texts comments;        /* what starts a comment that runs to the end of the
                                          * line */
        struct gb_texts block;           /* start and end of a block comment; none or two */
        struct gb_texts strings;         /* quotes; a backslash escapes the next character */
        char *variables;                 /* the prefix of variables: "$" */
    } highlight;

    struct {
        char *variables; /* a cell that prints them, one as JSON in each line: name, type, repr */
    } inspect;

    struct {
        struct gb_texts refused; /* variables that would affect the worker itself; not sent to
                                  * clients */
    } environment;

    /* Of packages that sessions can have: the name of the network policy with which their index is
     * reached; not sent to clients. Empty: there are none. */
    struct {
        char *network;
    } packages;

    /* Warm-up cells, run before the first cell of a user; not sent to clients. */
    struct {
        struct gb_texts template; /* before a template is saved */
        struct gb_texts pool;     /* in a clone, before a session gets it */
    } warm;
};

/* Where a record comes from. */
enum gb_language_source {
    GB_LANGUAGE_OF_FILE,   /* fully validated; unknown members are errors */
    GB_LANGUAGE_OF_SERVER, /* unknown members are ignored; what only the engine needs is absent */
};

/* Reads a record. -GB_EINVALID with a message. Gives one reference. */
int gb_language_read(const struct gb_json *record, enum gb_language_source source,
                     struct gb_language **ret_language, struct gb_err *err);
/* Writes the part of the record that clients get. */
void gb_language_put(struct gb_json_out *out, const struct gb_language *language);

/* NULL is allowed in both. */
struct gb_language *gb_language_ref(struct gb_language *language);
void gb_language_unref(struct gb_language *language);
void gb_language_unrefp(struct gb_language **language);

bool gb_texts_have(const struct gb_texts *words, const char *word);
bool gb_texts_have_bytes(const struct gb_texts *words, struct gb_bytes word);

/* A placeholder for an unknown language: no name, generic prompts, everything else empty. Never
 * freed. */
extern const struct gb_language gb_language_unknown;

/* ---- sets ---- */

/* Embed it; zeroed is empty. No two records share a name, alias, extension or interpreter. */
struct gb_languages {
    struct gb_language *list[GB_LANGUAGES_MAX];
    size_t count;
};

/* Reads an array of records. Invalid ones from a server are skipped, and then it cannot fail; else
 * -GB_EINVALID. Gives, into an empty set. */
int gb_languages_read(const struct gb_json *records, enum gb_language_source source,
                      struct gb_languages *ret_languages, struct gb_err *err);
/* Reads the member `languages` of a JSON object, as in a file; leaves @text unchanged. */
int gb_languages_read_file(struct gb_bytes text, struct gb_languages *ret_languages,
                           struct gb_err *err);
void gb_languages_release(struct gb_languages *languages);

/* Lookups. The results borrow from the set; NULL if nothing matches. @languages may be NULL. */
struct gb_language *gb_languages_find(const struct gb_languages *languages, const char *name);
/* The same, but returns gb_language_unknown instead of NULL. */
const struct gb_language *gb_languages_named(const struct gb_languages *languages,
                                             struct gb_bytes name);
/* By name or alias. */
struct gb_language *gb_languages_of_word(const struct gb_languages *languages, const char *word);
/* By a file's extension, ignoring case; a name that is only an extension does not match. */
struct gb_language *gb_languages_of_file(const struct gb_languages *languages, const char *path);
/* The language that the file looks like, for files that cannot be run. */
struct gb_language *gb_languages_of_refused(const struct gb_languages *languages, const char *path);
/* The language that highlights a file, even if it is no program. */
struct gb_language *gb_languages_of_coloured(const struct gb_languages *languages,
                                             const char *path);
/* By the interpreter after #!, without its folder. */
struct gb_language *gb_languages_of_program(const struct gb_languages *languages,
                                            const char *program);
/* The extension of a file's name, with its dot, or ""; points into @path. */
const char *gb_file_ending(const char *path);
/* Whether a variable of this name, ignoring case, would affect the worker of one of them. */
bool gb_languages_refuse(const struct gb_languages *languages, const char *name);
/* Adds "javascript, python, shell". */
void gb_languages_add_names(const struct gb_languages *languages, struct gb_buf *to);
