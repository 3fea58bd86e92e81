/* SPDX-License-Identifier: Apache-2.0 */
/* What all of Glassbell knows of a language: the record that its worker brings along.
 *
 * Theory of operation. `agent/workers/NAME/language.json` is written by whoever writes the worker
 * (docs/worker.md). The builder of images checks it and copies it into `boot.json`, beside the
 * initramfs that holds the worker; the engine reads it there, and warms guests up by it; `hello`
 * tells it to clients, but for what only the engine needs.
 *
 * A record is immutable and counted: who keeps a pointer for longer than a call holds a reference.
 * All strings are UTF-8 without characters that hide something (base/hidden.h), so that they may be
 * shown as they are; those that are left out are empty, never NULL.
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
    char *name;  /* of the folder of its worker: "python" */
    char *title; /* as people write it: "Python" */

    /* Which code is of this language. */
    struct gb_texts aliases;  /* other names of it, those of notebooks too */
    struct gb_texts endings;  /* of files: ".py"; the first is given to new ones */
    struct gb_texts programs; /* behind #!: "python3"; a last "*" stands for digits */
    struct {
        struct gb_texts endings; /* of files that look like it and do not run */
        char *why;
    } refused;

    /* At a prompt. */
    struct {
        char *first, *more; /* in front of the first and of further lines */
        char *indent;       /* one level */
        /* Not empty: a block ends where a line at the left margin begins with none of these. */
        struct gb_texts goes_on;
    } prompt;

    struct {
        char *kernel, *title;  /* of a Jupyter kernel: "python3", "Python 3" */
        char *shell, *process; /* in front of a cell of these modes: "%%bash"; may be empty */
    } notebook;
    struct {
        char *no_input; /* how standard error ends when a program read and there was nothing */
    } errors;

    struct {
        char *lexer;             /* one of engine/highlight; "words": by what follows alone */
        struct gb_texts endings; /* of files that are no programs and are coloured by it */
        struct gb_texts keywords, types; /* types and constants */
        struct gb_texts comments;        /* what begins one that goes to the end of the line */
        struct gb_texts block;           /* what begins and what ends a comment; none or two */
        struct gb_texts strings;         /* quotes; a backslash keeps the next character in */
        char *variables;                 /* what a name behind it is a variable by: "$" */
    } highlight;

    struct {
        struct gb_texts refused; /* names that would steer the worker; told to no client */
    } environment;

    /* Cells that are run before a user's first one; told to no client. */
    struct {
        struct gb_texts template; /* before a template is saved */
        struct gb_texts pool;     /* in a clone, before somebody has it */
    } warm;
};

/* Where a record comes from. */
enum gb_language_source {
    GB_LANGUAGE_OF_FILE,   /* all of it is checked, and there is nothing more */
    GB_LANGUAGE_OF_SERVER, /* what is not known here is left out, what only the engine needs too */
};

/* Reads a record. -GB_EINVALID with a sentence. Gives one reference. */
int gb_language_read(const struct gb_json *record, enum gb_language_source source,
                     struct gb_language **ret_language, struct gb_err *err);
/* Writes what clients are told. */
void gb_language_put(struct gb_json_out *out, const struct gb_language *language);

/* Both accept NULL. */
struct gb_language *gb_language_ref(struct gb_language *language);
void gb_language_unref(struct gb_language *language);
void gb_language_unrefp(struct gb_language **language);

bool gb_texts_have(const struct gb_texts *words, const char *word);
bool gb_texts_have_bytes(const struct gb_texts *words, struct gb_bytes word);

/* Stands in for a language of which nothing is known: it has no name, prompts that suit anything,
 * and nothing else. Never freed. */
extern const struct gb_language gb_language_unknown;

/* ---- sets ---- */

/* Embed it, zeroed is empty. No name, alias, ending or program is of two. */
struct gb_languages {
    struct gb_language *list[GB_LANGUAGES_MAX];
    size_t count;
};

/* Reads an array of records; of a server's the bad ones are left out, and then it does not fail.
 * -GB_EINVALID. Gives, into a set that is empty. */
int gb_languages_read(const struct gb_json *records, enum gb_language_source source,
                      struct gb_languages *ret_languages, struct gb_err *err);
/* The same of the member `languages` of an object in JSON text, for a file; @text is not changed.
 */
int gb_languages_read_file(struct gb_bytes text, struct gb_languages *ret_languages,
                           struct gb_err *err);
void gb_languages_release(struct gb_languages *languages);

/* All borrow from the set; NULL: none is meant. @languages may be NULL, too. */
struct gb_language *gb_languages_find(const struct gb_languages *languages, const char *name);
/* The same, and gb_language_unknown instead of NULL. */
const struct gb_language *gb_languages_named(const struct gb_languages *languages,
                                             struct gb_bytes name);
/* By name or alias. */
struct gb_language *gb_languages_of_word(const struct gb_languages *languages, const char *word);
/* By a file's ending, in whatever case, and not when the ending is all of the name. */
struct gb_language *gb_languages_of_file(const struct gb_languages *languages, const char *path);
/* The one that looks like it, for files that do not run. */
struct gb_language *gb_languages_of_refused(const struct gb_languages *languages, const char *path);
/* The one that colours a file, also if it is no program. */
struct gb_language *gb_languages_of_coloured(const struct gb_languages *languages,
                                             const char *path);
/* By what stands behind #!, without folders. */
struct gb_language *gb_languages_of_program(const struct gb_languages *languages,
                                            const char *program);
/* The ending of a file's name with its dot, or ""; in @path. */
const char *gb_file_ending(const char *path);
/* Whether the worker of one of them would be steered by this name, in whatever case. */
bool gb_languages_refuse(const struct gb_languages *languages, const char *name);
/* Adds "javascript, python, shell". */
void gb_languages_add_names(const struct gb_languages *languages, struct gb_buf *to);
