/* SPDX-License-Identifier: Apache-2.0 */
#include "samples.h"

#include "model/session.h"
#include "rpc/object.h"
#include "server/core/event.h"
#include "server/core/sample.h"
#include "server/core/state.h"
#include "session/query.h"

enum { SAMPLE_MS = 1000, ASK_A_TURN = 16, ASK_DEADLINE_MS = 5000 };

static void samples_on_status(void *arg, const struct gb_status *status, const struct gb_err *err)
{
    struct hosted *hosted = arg;

    (void)err; /* a guest that does not answer is shown with its last known values */
    watch_of_session(hosted)->asked = false;
    if (status != NULL)
        hosted_take_status(hosted, status);
}

/* Asks guests in turn for their memory usage; the answers go into the next sample. */
static void samples_ask_guests(struct gb_server *server)
{
    struct watch_server *state = watch_of_server(server);
    size_t asked = 0;
    struct hosted *hosted;

    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        struct watch_session *of = watch_of_session(hosted);

        if (!hosted->opened || hosted->closing || of->asked || of->asked_round == state->ask_round)
            continue;
        if (asked++ == ASK_A_TURN)
            return;
        of->asked_round = state->ask_round;
        of->asked = gb_session_status(hosted->session, ASK_DEADLINE_MS, samples_on_status, hosted,
                                      NULL) == 0;
    }
    state->ask_round++; /* all have been asked */
}

static void samples_on_time(void *arg)
{
    struct gb_server *server = arg;
    struct event event;
    struct hosted *hosted;

    gb_timer_start(watch_of_server(server)->sample_timer, SAMPLE_MS);
    sample_look(server);
    samples_ask_guests(server);
    if (!event_begin(&event, server, "sample", NULL))
        return;
    sample_put_host(&event.out);
    gb_json_array(&event.out, "sessions");
    GB_LIST_FOREACH(hosted, &server->sessions, link) {
        struct gb_session_info info = {.id = gb_bytes_str(gb_session_id(hosted->session))};

        sample_describe(&info, hosted, 0);
        gb_json_object(&event.out, NULL);
        gb_object_write(&event.out, &gb_sample_object, &info);
        gb_json_end(&event.out);
    }
    gb_json_end(&event.out);
    event_end(&event);
}

void samples_run(struct gb_server *server, bool on)
{
    struct gb_timer *timer = watch_of_server(server)->sample_timer;

    if (on)
        gb_timer_start(timer, 0);
    else
        gb_timer_stop(timer);
}

void samples_init(struct gb_server *server)
{
    watch_of_server(server)->sample_timer = gb_timer_new(server->loop, samples_on_time, server);
}

void samples_release(struct gb_server *server)
{
    gb_timer_free(watch_of_server(server)->sample_timer);
}
