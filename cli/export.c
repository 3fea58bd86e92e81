/* `glassbell export`: the cells of a session as a document on standard output or in a file. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "cli/filter.h"
#include "document/document.h"
#include "past.h"
#include "verbs.h"

struct export
{
    struct document document;
    struct gb_buf text;
    int fd;
    bool terminal;
    struct filter filter; /* a terminal gets nothing but text and colours */
    bool failed;
};

static bool flush(struct export *export)
{
    struct gb_buf shown = {0};
    ssize_t n;

    if (export->terminal) {
        filter_add(&export->filter, &shown, gb_buf_bytes(&export->text));
        n = gb_fd_write_full(export->fd, gb_buf_data(&shown), shown.size);
    } else {
        n = gb_fd_write_full(export->fd, gb_buf_data(&export->text), export->text.size);
    }
    gb_buf_release(&shown);
    gb_buf_clear(&export->text);
    if (n < 0 && !export->failed) {
        if (n != -EPIPE)
            app_say("cannot write: %s", strerror((int)-n));
        export->failed = true;
    }
    return !export->failed;
}

static bool on_cell(void *arg, const struct gb_json *cell)
{
    struct export *export = arg;

    if (cell_is_running(cell)) /* it has no end that could be written down */
        return true;
    document_cell(&export->document, cell);
    return flush(export);
}

static bool write_document(struct app *app, const char *name, enum document_format format,
                           struct export *export)
{
    struct past past;
    bool good = past_find(app, name, &past);

    if (good && format == DOCUMENT_PY &&
        !gb_bytes_equal(json_text(past_session(&past), "language"), "python")) {
        app_say("%s is no session of Python; --format md or json suits every language", name);
        good = false;
    }
    if (good) {
        document_begin(&export->document, format, &export->text, past_session(&past));
        good = past_read(&past, 0, 0, on_cell, export);
    }
    if (good) {
        document_end(&export->document);
        good = flush(export);
    }
    gb_buf_release(&export->text);
    past_release(&past);
    return good && !export->failed;
}

/* The file appears whole or not at all. */
static int write_file(struct app *app, const char *name, enum document_format format,
                      const char *path)
{
    _cleanup_(freep) char *beside = xasprintf("%s.XXXXXX", path);
    struct export export = {.fd = mkostemp(beside, O_CLOEXEC)};
    mode_t mask = umask(022);

    (void)umask(mask);
    if (export.fd < 0) {
        app_say("cannot write beside %s: %s", path, strerror(errno));
        return EXIT_GLASSBELL;
    }
    (void)fchmod(export.fd, 0666 & ~mask); /* where it cannot be changed it stays private */
    if (!write_document(app, name, format, &export)) {
        (void)unlink(beside);
        (void)gb_close(export.fd);
        return EXIT_GLASSBELL;
    }
    (void)gb_close(export.fd);
    if (rename(beside, path) < 0) {
        app_say("cannot make %s: %s", path, strerror(errno));
        (void)unlink(beside);
        return EXIT_GLASSBELL;
    }
    return 0;
}

int verb_export(const struct args *args)
{
    const char *name = args_value(args, "format"), *path = args_value(args, "output");
    enum document_format format = document_find(name != NULL ? name : "ipynb");
    struct export export = {.fd = STDOUT_FILENO, .terminal = isatty(STDOUT_FILENO) == 1};
    struct app app;
    int status;

    if (args->word_count != 1)
        return app_wrong_use(args, "which session? `glassbell ls --all` shows them");
    if (format == DOCUMENT_FORMAT_COUNT)
        return app_wrong_use(args, "there is no format %s: %s", name, document_names);
    app_open(&app, args);
    if (path != NULL && strcmp(path, "-") != 0)
        status = write_file(&app, args->words[0], format, path);
    else
        status = write_document(&app, args->words[0], format, &export) ? 0 : EXIT_GLASSBELL;
    app_close(&app);
    return status;
}
