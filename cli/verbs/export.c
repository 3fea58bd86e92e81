/* SPDX-License-Identifier: Apache-2.0 */
/* `glassbell export`: writes the cells of a session as a document to standard output or a file. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "cli/app.h"
#include "cli/past.h"
#include "document/document.h"
#include "kit/local.h"
#include "rpc/access.h"
#include "show/facts.h"
#include "show/filter.h"
#include "verbs/verbs.h"

struct export
{
    struct document document;
    struct gb_buf text;
    struct local *to;
    uint64_t written;
    struct filter filter; /* a terminal only gets text and colours */
    bool all;             /* include undone cells */
    unsigned left_out;
    bool failed;
};

static bool export_write_out(struct export *export, struct gb_bytes bytes)
{
    struct gb_err err = {0};

    if (local_write(export->to, export->written, bytes, &err) == 0) {
        export->written += bytes.size;
        return true;
    }
    if (err.sys_errno != EPIPE) /* the reader closed the pipe */
        app_say_err(&err);
    return false;
}

static bool export_flush(struct export *export)
{
    struct gb_buf shown = {0};

    if (local_is_terminal(export->to)) {
        filter_add(&export->filter, &shown, gb_buf_bytes(&export->text));
        gb_buf_clear(&export->text);
        gb_buf_add(&export->text, gb_buf_data(&shown), shown.size);
        gb_buf_release(&shown);
    }
    export->failed = export->failed || !export_write_out(export, gb_buf_bytes(&export->text));
    gb_buf_clear(&export->text);
    return !export->failed;
}

static bool export_on_cell(void *arg, const struct gb_cell_info *cell, const struct gb_json *json)
{
    struct export *export = arg;

    if (facts_is_running(cell)) /* it has no end to write down */
        return true;
    if (!export->all && export->document.format != DOCUMENT_JSON &&
        (cell->flags & GB_CELL_UNDONE) != 0) {
        export->left_out++;
        return true;
    }
    document_cell(&export->document, cell, json);
    return export_flush(export);
}

static bool export_on_record(void *arg, const struct gb_network_record *record,
                             const struct gb_json *json)
{
    struct export *export = arg;

    document_network(&export->document, record, json);
    return export_flush(export);
}

/* A script has a single language. */
static bool export_suits(struct app *app, const struct past *past, const char *name,
                         enum document_format format)
{
    const struct gb_language *of = document_language_of(format, app_languages(app));
    struct gb_bytes language = past->info.language;

    if (!document_is_source(format) || (of != NULL && gb_bytes_equal(language, of->name)))
        return true;
    app_say("%s is not a session of %s; --format md or json works for every language", name,
            of != NULL ? of->title : "a language with such files");
    return false;
}

static bool export_write_document(struct app *app, const char *name, enum document_format format,
                                  struct export *export)
{
    struct past past;
    bool good = past_find(app, name, &past);

    if (good && !export_suits(app, &past, name, format))
        good = false;
    if (good) {
        document_begin(&export->document, format, &export->text, past_session(&past),
                       app_languages(app));
        if (document_has_cells(format))
            good = past_read(&past, 0, 0, export_on_cell, export);
    }
    if (good && document_has_network(format))
        good = past_read_network(&past, export_on_record, export);
    if (good) {
        document_end(&export->document);
        good = export_flush(export);
    }
    if (good && export->left_out > 0)
        app_say("%u undone cells are left out; --all includes them", export->left_out);
    gb_buf_release(&export->text);
    past_release(&past);
    return good && !export->failed;
}

/* Into a folder, like cp: named after the session. Gives. */
static char *export_file_of(const char *path, const char *name, enum document_format format)
{
    size_t size = strlen(path);
    struct stat status;
    char *text;

    if (strcmp(path, "-") == 0)
        return xstrdup(LOCAL_STDOUT);
    if ((stat(path, &status) < 0 || !S_ISDIR(status.st_mode)) &&
        (size == 0 || path[size - 1] != '/'))
        return xstrdup(path);
    text = xasprintf("%s/%s.%s", path, name, document_ending(format));
    for (char *at = text + size + 1; *at != '\0'; at++)
        if (*at == '/') /* in a label */
            *at = '_';
    return text;
}

static bool export_write_to(struct app *app, const char *name, enum document_format format,
                            const char *path, bool all)
{
    struct gb_err err = {0};
    struct export export = {.to = local_open(path, &err), .all = all};

    if (export.to == NULL) {
        app_say_err(&err);
        return false;
    }
    if (!export_write_document(app, name, format, &export)) {
        local_cancel(export.to);
        return false;
    }
    if (local_finish(export.to, &err) == 0)
        return true;
    app_say_err(&err);
    return false;
}

/* What --format says, else the ending of the file, else a notebook. */
static enum document_format export_format(const char *name, const char *path)
{
    enum document_format format = name != NULL   ? document_find(name)
                                  : path != NULL ? document_of_file(path)
                                                 : DOCUMENT_IPYNB;

    return name == NULL && format == DOCUMENT_FORMAT_COUNT ? DOCUMENT_IPYNB : format;
}

static int export_run(const struct args *args)
{
    const char *name = args_value(args, "format"), *path = args_value(args, "output");
    enum document_format format = export_format(name, path);
    _cleanup_(freep) char *file = NULL;
    bool good;
    struct app app;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls --all` shows them");
    if (format == DOCUMENT_FORMAT_COUNT)
        return app_wrong_use(args, "there is no format %s: %s", name, document_names);
    file = export_file_of(path != NULL ? path : "-", args->words[0], format);
    app_open(&app, args);
    good = export_write_to(&app, args->words[0], format, file, args_has(args, "all"));
    app_close(&app);
    return good ? 0 : EXIT_GLASSBELL;
}

static const struct option export_options[] = {
    {.name = "format",
     .value = "FORMAT",
     .kind = ARG_TEXT,
     .help = "ipynb, py, md, asciicast, json, or ocsf: its connections as events (default: as FILE "
             "ends, else ipynb)"},
    {.letter = 'o',
     .name = "output",
     .value = "FILE",
     .kind = ARG_FILE,
     .help = "write to this file, or into this folder; -: standard output"},
    {.letter = 'a', .name = "all", .kind = ARG_NONE, .help = "include undone cells"},
    {0},
};

const struct verb verb_export = {
    .name = "export",
    .summary = "export a session as a notebook, script, document or recording",
    .usage = "SESSION [options]",
    .options = export_options,
    .common = app_options,
    .words = ARG_SESSION,
    .examples = "  glassbell export work -o work.ipynb\n"
                "  glassbell export work -o work.cast\n",
    .run = export_run,
};
