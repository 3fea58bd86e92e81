/* SPDX-License-Identifier: Apache-2.0 */
#include "always.h"

#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/log.h"
#include "base/mem.h"
#include "server/core/hosted.h"
#include "server/core/request.h"
#include "server/core/state.h"
#include "server/network/state.h"

/* A rule that is being written. */
struct always {
    uv_work_t work;
    struct hosted *hosted;   /* which does not end before */
    struct request *request; /* NULL: it has gone */
    uint64_t question;
    always_fn *done;
    char *path, *name, *rule, *text;
    struct gb_err err;
};

static void always_on_thread(uv_work_t *work)
{
    struct always *always = container_of(work, struct always, work);

    (void)gb_settings_add_rule(always->path, always->name, gb_bytes_str(always->rule),
                               &always->text, &always->err);
}

static void always_free(struct always *always)
{
    free(always->path);
    free(always->name);
    free(always->rule);
    free(always->text);
    free(always);
}

static void always_after(uv_work_t *work, int status)
{
    struct always *always = container_of(work, struct always, work);
    struct hosted *hosted = always->hosted;

    (void)status; /* it is never cancelled */
    network_server(hosted->server)->writing = false;
    if (always->text != NULL)
        gb_settings_set_network(&hosted->server->settings, always->name, always->text);
    if (always->text != NULL && always->err.code != GB_OK)
        gb_warning("a rule was added to the settings: %s", always->err.message);
    always->done(hosted, always->request, always->question,
                 always->text != NULL ? NULL : &always->err);
    always_free(always);
    hosted_allow_end(hosted);
}

static void always_asker_gone(struct request *request)
{
    ((struct always *)request->arg)->request = NULL;
}

static int always_check(struct hosted *hosted, struct gb_err *err)
{
    const struct network_session *state = network_state(hosted);
    const struct gb_settings *settings = &hosted->server->settings;
    bool found = false;

    for (size_t i = 0; i < settings->networks.count; i++)
        found = found || strcmp(settings->networks.list[i].name, state->policy_name) == 0;
    if (!found || settings->path == NULL)
        return gb_err_set(err, GB_EINVALID,
                          "the session was not given a [network \"…\"] of the settings, so the "
                          "answer has no place there: answer for the session, or open it with one");
    if (network_server(hosted->server)->writing)
        return gb_err_set(err, GB_EBUSY, "another answer is being written into the settings");
    return 0;
}

int always_begin(struct request *request, struct hosted *hosted, uint64_t question,
                 const char *rule, always_fn *done, struct gb_err *err)
{
    struct always *always;
    int r = always_check(hosted, err);

    if (r < 0)
        return r;
    always = xcalloc(1, sizeof(*always));
    always->hosted = hosted;
    always->request = request;
    always->question = question;
    always->done = done;
    always->path = xstrdup(hosted->server->settings.path);
    always->name = xstrdup(network_state(hosted)->policy_name);
    always->rule = xstrdup(rule);
    r = uv_queue_work(gb_loop_uv(hosted->server->loop), &always->work, always_on_thread,
                      always_after);
    if (r < 0) {
        always_free(always);
        return gb_err_set(err, GB_EBUSY, "the settings cannot be written now: %s", uv_strerror(r));
    }
    network_server(hosted->server)->writing = true;
    hosted_delay_end(hosted);
    request->arg = always;
    request->abandon = always_asker_gone;
    return 0;
}
