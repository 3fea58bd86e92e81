/* SPDX-License-Identifier: Apache-2.0 */
/* CONFIGURE: names, environment, random numbers, and setting the clock until it is right.
 *
 * The agent answers the ping that follows CONFIGURE right after it has set the clock. The
 * difference between its clock then and ours now includes the error and the time the answer took,
 * so the error is no larger than that; while it is large, the clock is set again, a few times.
 */
#include <assert.h>
#include <errno.h>

#include "base/clock.h"
#include "base/mem.h"
#include "guest/private.h"
#include "platform/random.h"

enum { ENTROPY_BYTES = 64, CLOCK_LATE_MS = 30, CLOCK_TRIES = 5 };

static int configure_send(struct gb_guest *guest, struct gb_configure *message, struct gb_err *err);

static void configure_end(struct gb_guest *guest, const struct gb_err *err)
{
    void (*done)(void *arg, const struct gb_err *err) = TAKE_PTR(guest->settings.done);

    done(guest->settings.arg, err);
}

static void configure_on_answer(void *arg, const struct gb_frame *frame, const struct gb_err *err)
{
    struct gb_guest *guest = arg;
    struct guest_settings_state *settings = &guest->settings;
    struct gb_configure again = {0};
    struct gb_err problem = {0};

    if (settings->done == NULL)
        return; /* of a VM that was lost */
    if (frame != NULL && settings->late && settings->tries < CLOCK_TRIES) {
        if (configure_send(guest, &again, &problem) < 0)
            configure_end(guest, &problem);
        return;
    }
    configure_end(guest, err);
}

static void configure_on_clock(void *arg, const struct gb_pong *pong, const struct gb_err *err)
{
    struct gb_guest *guest = arg;
    uint64_t now = gb_clock_wall_ns();

    (void)err; /* the next CONFIGURE, or its own deadline, will report it */
    guest->settings.late =
        pong == NULL || pong->wall_ns > now || now - pong->wall_ns > CLOCK_LATE_MS * GB_NS_PER_MS;
}

/* Sends CONFIGURE with the current time; after a restore, with a query of the guest's clock. */
static int configure_send(struct gb_guest *guest, struct gb_configure *message, struct gb_err *err)
{
    int r;

    message->wall_ns = gb_clock_wall_ns();
    r = gb_guest_request(guest, GB_GUEST_CONFIGURE, 0, &gb_configure_fields, message, 0,
                         configure_on_answer, guest, err);
    if (r == 0 && guest->restored && guest->settings.exact_clock) {
        guest->settings.tries++;
        r = gb_guest_ping(guest, 0, configure_on_clock, guest, err);
    }
    return r;
}

int gb_guest_configure(struct gb_guest *guest, const struct gb_guest_settings *settings,
                       void (*done)(void *arg, const struct gb_err *err), void *arg,
                       struct gb_err *err)
{
    uint8_t entropy[ENTROPY_BYTES];
    struct gb_configure message = {.env = settings->env};
    int r;

    assert(gb_guest_listens(guest) && guest->settings.done == NULL);
    r = gb_random_fill(entropy, sizeof(entropy));
    if (r < 0)
        return gb_err_sys(err, -r, "cannot get random numbers");
    if (!settings->resumed)
        message.entropy = (struct gb_bytes){entropy, sizeof(entropy)};
    if (settings->hostname != NULL)
        message.hostname = gb_bytes_str(settings->hostname);
    if (settings->machine_id != NULL)
        message.machine_id = gb_bytes_str(settings->machine_id);
    guest->settings = (struct guest_settings_state){
        .done = done, .arg = arg, .exact_clock = settings->exact_clock};
    r = configure_send(guest, &message, err);
    if (r < 0)
        guest->settings.done = NULL;
    else
        guest_send_waiting(guest);
    return r;
}
