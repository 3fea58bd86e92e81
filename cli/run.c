/* glassbell run: code in VMs that are destroyed after; glassbell exec: the same in a session. */
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "cli/transfer.h"
#include "execute.h"
#include "files.h"
#include "verbs.h"

enum { MAX_OUTPUT_DEFAULT_MB = 16, MAX_OUTPUT_MB = 64, TIME_MAX_S = 86400 };

/* What both verbs have in common, read from the options; *ret_status is the answer when it failed.
 */
static bool configure(const struct args *args, struct execute_config *config, int *ret_status)
{
    const char *time = args_value(args, "time"), *most = args_value(args, "max-output");
    double number;

    *ret_status = EXIT_USAGE;
    config->json = args_has(args, "json");
    config->forward_stdin = args_has(args, "stdin");
    config->max_output = (uint64_t)MAX_OUTPUT_DEFAULT_MB << 20;
    if (time != NULL) {
        if (!args_number(time, 0.001, TIME_MAX_S, &number)) {
            (void)app_wrong_use(args, "-t wants seconds from 0.001 to %d, not %s", TIME_MAX_S,
                                time);
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

static bool check_stdin(const struct args *args, const struct execute_config *config)
{
    if (!config->forward_stdin)
        return true;
    if (config->count > 1) {
        (void)app_wrong_use(args, "--stdin goes to one program, and there are %zu", config->count);
        return false;
    }
    if (strcmp(config->sources[0].name, "-") == 0) {
        (void)app_wrong_use(args,
                            "standard input is the code already, so --stdin cannot hand it on");
        return false;
    }
    return true;
}

/* Options that go into the parameters are looked at before anything is started. */
static bool check_parameters(const struct args *args)
{
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};
    bool good;

    gb_json_object(&out, NULL);
    good = put_env(args, &out) && put_memory(args, &out);
    gb_buf_release(&params);
    return good;
}

static int run_sources(const struct args *args, struct execute_config *config, size_t first_word,
                       const char *session_name)
{
    struct gb_buf message = {0};
    struct file_list uploads = {0}, downloads = {0};
    _cleanup_(freep) char *session = NULL;
    struct source *sources;
    struct app app;
    int status;

    if (!configure(args, config, &status))
        return status;
    if (!sources_read(args, first_word, &sources, &config->count, &message)) {
        status = app_wrong_use(args, "%s", gb_buf_str(&message));
        gb_buf_release(&message);
        return status;
    }
    config->sources = sources;
    status = EXIT_USAGE;
    if (check_parameters(args) && check_stdin(args, config) && file_list_uploads(args, &uploads) &&
        file_list_downloads(args, config->count, &downloads)) {
        config->uploads = uploads.pairs;
        config->upload_count = uploads.count;
        config->downloads = downloads.pairs;
        config->download_count = downloads.count;
        app_open(&app, args);
        status = EXIT_GLASSBELL;
        if (session_name != NULL)
            config->session = session = app_find_session(&app, session_name);
        if (session_name == NULL || session != NULL)
            status = execute(&app, args, config);
        app_close(&app);
    }
    file_list_release(&uploads);
    file_list_release(&downloads);
    sources_free(sources, config->count);
    return status;
}

int verb_run(const struct args *args)
{
    struct execute_config config = {0};
    const char *language = args_value(args, "lang");

    if (args_has(args, "network")) {
        app_say("--network is not supported yet: VMs have no network, and run without one "
                "(unsupported)");
        return EXIT_GLASSBELL;
    }
    config.image = choose_image(args, NULL);
    if (language != NULL && config.image == NULL)
        return app_wrong_use(args, "there is no language %s: python, javascript, shell", language);
    return run_sources(args, &config, 0, NULL);
}

int verb_exec(const struct args *args)
{
    struct execute_config config = {.lease_wait_ms = GB_LEASE_WAIT_MS};
    const char *wait = args_value(args, "lease-wait");
    double seconds;

    if (args->word_count == 0)
        return app_wrong_use(args, "which session? `glassbell ls` shows them");
    if (wait != NULL && !args_number(wait, 0, TIME_MAX_S, &seconds))
        return app_wrong_use(args, "--lease-wait wants seconds up to %d, not %s", TIME_MAX_S, wait);
    if (wait != NULL)
        config.lease_wait_ms = (uint64_t)(seconds * 1000);
    return run_sources(args, &config, 1, args->words[0]);
}
