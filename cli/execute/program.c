/* SPDX-License-Identifier: Apache-2.0 */
#include "execute/program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/params.h"
#include "kit/transfer.h"
#include "model/answer.h"
#include "model/hello.h"
#include "model/session.h"
#include "model/words.h"
#include "rpc/access.h"
#include "rpc/object.h"

enum { MAX_OUTPUT_DEFAULT_MB = 16, MAX_OUTPUT_MB = 64, CALL_DEADLINE_MS = 30000 };
/* For `run --try`: the session that is forked, and its forks, close after being idle this long if
 * we are killed. */
enum { ABANDONED_MS = 60000 };

/* Reads the options common to both verbs; *ret_status is the exit status on failure. */
static bool program_configure(const struct args *args, struct execute_config *config,
                              int *ret_status)
{
    const char *time = args_value(args, "time"), *most = args_value(args, "max-output");
    double number;

    *ret_status = EXIT_USAGE;
    config->json = args_has(args, "json");
    config->forward_stdin = args_has(args, "stdin");
    config->max_output = (uint64_t)MAX_OUTPUT_DEFAULT_MB << 20;
    if (time != NULL) {
        if (!args_number(time, 0.001, PROGRAM_TIME_MAX_S, &number)) {
            (void)app_wrong_use(args, "-t wants seconds from 0.001 to %d, not %s",
                                PROGRAM_TIME_MAX_S, time);
            return false;
        }
        config->timeout_ms = (uint64_t)(number * 1000);
    }
    if (most != NULL) {
        if (!args_number(most, 1, MAX_OUTPUT_MB, &number)) {
            (void)app_wrong_use(args, "--max-output wants 1 to %d MiB, not %s", MAX_OUTPUT_MB,
                                most);
            return false;
        }
        config->max_output = (uint64_t)(number * (1 << 20));
    }
    return true;
}

static bool program_reads_stdin(const struct execute_config *config)
{
    for (size_t i = 0; i < config->count; i++)
        if (config->sources[i].kind == SOURCE_STDIN)
            return true;
    return false;
}

/* Decides about the program's standard input: ours if requested, or if it is a terminal, from which
 * nothing else has to be read. */
static bool program_decide_stdin(const struct args *args, struct execute_config *config)
{
    bool notebook = config->sources[0].kind == SOURCE_NOTEBOOK;

    if (!config->forward_stdin) {
        config->forward_stdin = config->count == 1 && !notebook && !config->json &&
                                !program_reads_stdin(config) && isatty(STDIN_FILENO) == 1;
        return true;
    }
    if (config->count > 1)
        (void)app_wrong_use(args, "--stdin goes to one program, and there are %zu", config->count);
    else if (program_reads_stdin(config))
        (void)app_wrong_use(args,
                            "standard input is the code already, so --stdin cannot hand it on");
    else if (notebook)
        (void)app_wrong_use(args, "--stdin goes to a program, and not to the cells of a notebook");
    else
        return true;
    return false;
}

/* Checks options that become parameters before anything is started. */
static bool program_check_parameters(const struct args *args)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    good = params_put_env(args, &out) && params_put_memory(args, &out) &&
           params_put_network(args, &out) && params_put_packages(args, &out);
    gb_buf_release(&params);
    return good;
}

/* ---- languages ---- */

struct image_search {
    const char *name;
    char *language; /* NULL: no such image; the server's error is better */
};

static bool program_is_called(const struct gb_image_info *image, const char *name)
{
    struct gb_bytes alias;

    if (gb_bytes_equal(image->name, name))
        return true;
    for (size_t at = 0; gb_names_next(&image->aliases, &at, &alias);)
        if (gb_bytes_equal(alias, name))
            return true;
    return false;
}

static void program_search_image(void *arg, const struct gb_json *result)
{
    struct image_search *search = arg;
    struct gb_hello_info hello;
    struct gb_image_info image;

    gb_object_take(&gb_hello_object, result, &hello);
    for (size_t at = 0; gb_items_next(&gb_image_info_object, &hello.images, &at, &image) == 1;)
        if (search->language == NULL && program_is_called(&image, search->name))
            search->language = xstrndup((const char *)image.language.data, image.language.size);
}

/* The language's title, as people write it. */
static const char *program_title(struct app *app, const char *name)
{
    const struct gb_language *language = gb_languages_find(app_languages(app), name);

    return language != NULL ? language->title : name;
}

static bool program_any_language(const struct execute_config *config)
{
    for (size_t i = 0; i < config->count; i++)
        if (config->sources[i].language != NULL)
            return true;
    return false;
}

/* Whether the requested image can run the sources. */
static bool program_check_image(struct app *app, const struct execute_config *config,
                                int *ret_status)
{
    struct image_search search = {.name = config->image};
    bool good = true;

    *ret_status = EXIT_GLASSBELL;
    if (config->image == NULL || !program_any_language(config))
        return true;
    if (!app_call(app, "hello", NULL, CALL_DEADLINE_MS, program_search_image, &search))
        return false;
    for (size_t i = 0; i < config->count && good && search.language != NULL; i++) {
        const struct source *source = &config->sources[i];

        good = source->language == NULL || strcmp(source->language, search.language) == 0;
        if (!good)
            app_say("%s is %s, and the image %s runs %s", source->name,
                    program_title(app, source->language), config->image,
                    program_title(app, search.language));
    }
    free(search.language);
    if (!good)
        *ret_status = EXIT_USAGE;
    return good;
}

static void program_take_language(void *arg, const struct gb_json *result)
{
    struct gb_session_info session;

    gb_object_take(&gb_session_object, result, &session);
    *(char **)arg = xstrndup((const char *)session.language.data, session.language.size);
}

/* A session runs its own language, and shell code in a shell next to it. */
static bool program_fit_session(struct app *app, struct execute_config *config, int *ret_status)
{
    _cleanup_(freep) char *language = NULL;
    bool good;

    *ret_status = EXIT_GLASSBELL;
    if (!program_any_language(config))
        return true;
    good = app_call_on(app, "session.get", config->session, CALL_DEADLINE_MS, program_take_language,
                       &language);
    for (size_t i = 0; i < config->count && good; i++) {
        struct source *source = &config->sources[i];

        if (source->language == NULL || strcmp(source->language, language) == 0)
            continue;
        source->in_shell = strcmp(source->language, gb_mode_to_string(GB_MODE_SHELL)) == 0;
        if (source->in_shell)
            continue;
        app_say("%s is %s, and the session runs %s", source->name,
                program_title(app, source->language), program_title(app, language));
        *ret_status = EXIT_USAGE;
        good = false;
    }
    return good;
}

/* ---- both verbs ---- */

/* A name in the home can only belong to one file: the program's own, unless the same file was
 * uploaded under it. */
static bool program_check_names(const struct execute_config *config,
                                const struct file_list *uploads)
{
    for (size_t i = 0; i < config->count; i++) {
        const struct source *source = &config->sources[i];

        for (size_t k = 0; k < uploads->count && source->file != NULL; k++) {
            const char *remote = uploads->pairs[k].remote;
            struct stat program, other;

            while (strncmp(remote, "./", 2) == 0)
                remote += 2;
            if (strcmp(remote, source->file) != 0 ||
                (stat(source->name, &program) == 0 && stat(uploads->pairs[k].local, &other) == 0 &&
                 program.st_dev == other.st_dev && program.st_ino == other.st_ino))
                continue;
            app_say("the program %s and the upload %s would both be %s there", source->name,
                    uploads->pairs[k].local, source->file);
            return false;
        }
    }
    return true;
}

/* From the server's languages: the one given by -l, or the one that each program indicates. */
static bool program_decide_languages(struct app *app, const struct args *args,
                                     struct execute_config *config)
{
    const struct gb_languages *languages = app_languages(app);
    const struct gb_language *language;
    struct gb_buf message = {0};
    bool good;

    language = app_language(app, args, &good);
    if (!good || languages->count == 0)
        return good; /* the next call reports why nothing is known */
    good = sources_decide(config->sources, config->count, languages, language, &message);
    if (!good)
        app_say("%s", gb_buf_str(&message));
    gb_buf_release(&message);
    return good;
}

/* ---- tries ---- */

/* --try N: the program N times. False: it cannot be, which was reported. */
static bool program_multiply(const struct args *args, struct execute_config *config,
                             struct source **ret_sources)
{
    double tries;

    if (!args_has(args, "try")) {
        if (args_has(args, "keep"))
            (void)app_wrong_use(args, "--keep goes with --try");
        return !args_has(args, "keep");
    }
    if (!args_number(args_value(args, "try"), 1, GB_FORKS_MAX, &tries) ||
        tries != (double)(size_t)tries) {
        (void)app_wrong_use(args, "--try wants a number from 1 to %d, not %s", GB_FORKS_MAX,
                            args_value(args, "try"));
        return false;
    }
    if (config->count != 1 || config->sources[0].kind == SOURCE_NOTEBOOK) {
        (void)app_wrong_use(args, "--try takes one program, and no notebook");
        return false;
    }
    if (config->forward_stdin) {
        (void)app_wrong_use(args, "--stdin goes to one program, and --try runs several");
        return false;
    }
    config->tries = true;
    config->keeps = args_has(args, "keep");
    config->count = (size_t)tries;
    *ret_sources = xcalloc(config->count, sizeof(**ret_sources));
    for (size_t i = 0; i < config->count; i++)
        (*ret_sources)[i] = config->sources[0];
    config->sources = *ret_sources;
    return true;
}

static void program_take_opened(void *arg, const struct gb_json *result)
{
    struct gb_opened_info opened;

    gb_object_take(&gb_opened_object, result, &opened);
    *(char **)arg = xstrndup((const char *)opened.session.data, opened.session.size);
}

/* `run --try`: opens the session to be forked. */
static int program_try(struct app *app, const struct args *args, struct execute_config *config)
{
    _cleanup_(freep) char *session = NULL;
    const char *image = config->image;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    int status = EXIT_GLASSBELL;

    if (image == NULL)
        image =
            config->sources[0].language != NULL ? config->sources[0].language : GB_IMAGE_DEFAULT;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "image", image);
    gb_json_put_str(&out, "label", "run");
    if (!config->keeps)
        gb_json_put_u64(&out, "idle_ms", ABANDONED_MS);
    (void)params_put_memory(args, &out); /* both were checked before */
    (void)params_put_network(args, &out);
    (void)params_put_packages(args, &out);
    gb_json_end(&out);
    if (app_call(app, "session.open", &params, params_open_ms(args), program_take_opened,
                 &session)) {
        config->session = session;
        config->ours = true;
        status = execute(app, args, config);
    }
    gb_buf_release(&params);
    return status;
}

static int program_execute_there(const struct args *args, struct execute_config *config,
                                 const char *session_name)
{
    _cleanup_(freep) char *session = NULL;
    struct app app;
    int status = EXIT_GLASSBELL;

    app_open(&app, args);
    if (!program_decide_languages(&app, args, config)) {
        status = EXIT_USAGE;
    } else if (session_name == NULL) {
        if (program_check_image(&app, config, &status))
            status = config->tries ? program_try(&app, args, config) : execute(&app, args, config);
    } else {
        config->session = session = app_find_session(&app, session_name);
        if (session != NULL && program_fit_session(&app, config, &status))
            status = execute(&app, args, config);
    }
    app_close(&app);
    return status;
}

int program_run(const struct args *args, struct execute_config *config, size_t first_word,
                const char *session_name)
{
    enum source_fault fault;
    struct gb_buf message = {0};
    struct file_list uploads = {0}, downloads = {0};
    struct source *sources, *tries = NULL;
    size_t source_count;
    int status;

    if (!program_configure(args, config, &status))
        return status;
    fault = sources_read(args, first_word, &sources, &config->count, &message);
    if (fault != SOURCE_GOOD) {
        if (fault == SOURCE_WRONG_USE)
            (void)app_wrong_use(args, "%s", gb_buf_str(&message));
        else
            app_say("%s", gb_buf_str(&message));
        gb_buf_release(&message);
        return EXIT_USAGE;
    }
    config->sources = sources;
    source_count = config->count;
    status = EXIT_USAGE;
    if (program_check_parameters(args) && program_multiply(args, config, &tries) &&
        program_decide_stdin(args, config) && file_list_uploads(args, &uploads) &&
        program_check_names(config, &uploads) &&
        file_list_downloads(args, config->count, &downloads)) {
        config->uploads = uploads.pairs;
        config->upload_count = uploads.count;
        config->downloads = downloads.pairs;
        config->download_count = downloads.count;
        status = program_execute_there(args, config, session_name);
    }
    file_list_release(&uploads);
    file_list_release(&downloads);
    free(tries);
    sources_free(sources, source_count);
    return status;
}
