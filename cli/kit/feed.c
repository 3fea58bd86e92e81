/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/feed.h"

#include <signal.h>
#include <unistd.h>

#include "base/mem.h"
#include "kit/input.h"

enum phase { FEED_WAITING, FEED_RUNNING, FEED_OVER };

struct feed {
    struct app *app;
    struct input *input;
    struct gb_signal *continued; /* SIGCONT: we may be in the foreground again */
    enum phase phase;
    bool eof, under_way;
    char *session;
    uint64_t cell;
    void (*failed)(void *arg, const char *message);
    void *arg;
};

static void feed_go_on(struct feed *feed)
{
    if (feed->phase == FEED_RUNNING && !feed->eof && !feed->under_way)
        input_pause(feed->input, false);
}

/* The answer comes when there is room for the next piece. */
static void feed_on_taken(void *arg, const struct gb_json *result,
                          const struct gb_call_error *error)
{
    struct feed *feed = arg;

    (void)result;
    feed->under_way = false;
    if (feed->phase != FEED_RUNNING)
        return;
    if (error != NULL && error->code != GB_ENOTFOUND) /* the cell may have ended meanwhile */
        feed->failed(feed->arg, error->message);
    if (error == NULL)
        feed_go_on(feed);
}

static void feed_on_input(void *arg, struct gb_bytes bytes)
{
    struct feed *feed = arg;
    struct gb_buf params = {0};
    struct gb_json_out out = {.buf = &params};

    input_pause(feed->input, true); /* one piece at a time */
    if (feed->phase != FEED_RUNNING)
        return;
    feed->eof = bytes.size == 0;
    feed->under_way = true;
    gb_json_object(&out, NULL);
    gb_json_put_str(&out, "session", feed->session);
    gb_json_put_u64(&out, "cell", feed->cell);
    gb_json_put_bytes(&out, "text", "base64", bytes);
    gb_json_put_bool(&out, "eof", feed->eof);
    gb_json_end(&out);
    (void)gb_client_call(feed->app->client, "session.stdin", &params, 0, feed_on_taken, feed);
    gb_buf_release(&params);
}

static void feed_on_continued(void *arg, int signum)
{
    (void)signum;
    feed_go_on(arg);
}

struct feed *feed_new(struct app *app, void (*failed)(void *arg, const char *message), void *arg)
{
    struct feed *feed = xcalloc(1, sizeof(*feed));

    feed->app = app;
    feed->failed = failed;
    feed->arg = arg;
    feed->input = input_new(app->loop, STDIN_FILENO, feed_on_input, feed);
    feed->continued = gb_signal_new(app->loop, SIGCONT, feed_on_continued, feed);
    input_pause(feed->input, true); /* until the cell has started */
    return feed;
}

void feed_begin(struct feed *feed, const char *session, uint64_t cell)
{
    if (feed->phase != FEED_WAITING)
        return;
    feed->phase = FEED_RUNNING;
    feed->session = xstrdup(session);
    feed->cell = cell;
    input_pause(feed->input, false);
}

void feed_end(struct feed *feed)
{
    feed->phase = FEED_OVER;
    input_pause(feed->input, true);
}

void feed_free(struct feed *feed)
{
    if (feed == NULL)
        return;
    gb_signal_free(feed->continued);
    input_free(feed->input);
    free(feed->session);
    free(feed);
}
