/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by uploads and downloads: they wait for a guest that listens and for a stream, fail if the
 * guest makes no progress for too long, and count their pieces as requests. */
#include "base/clock.h"
#include "guest/private.h"
#include "wire/frames.h"

int guest_transfer_check(const struct gb_guest *guest, struct gb_err *err)
{
    if (guest->transfer_count >= GB_GUEST_REQUESTS_MAX)
        return gb_err_set(err, GB_EBUSY, "%d pieces of files of this session wait already",
                          GB_GUEST_REQUESTS_MAX);
    if (gb_guest_queued(guest) > GB_GUEST_QUEUE_MAX)
        return gb_err_set(err, GB_EBUSY, "the guest does not read, and %zu bytes wait for it",
                          gb_guest_queued(guest));
    return 0;
}

void guest_transfer_begun(struct gb_guest *guest)
{
    guest->transfer_count++;
    if (!gb_timer_active(guest->transfer_timer))
        gb_timer_start(guest->transfer_timer, gb_frame_deadline_ms(GB_DEADLINE_USUAL));
}

void guest_transfer_ended(struct gb_guest *guest, bool counts)
{
    if (!counts)
        return;
    guest->transfer_count--;
    if (guest->events.request_ended != NULL)
        guest->events.request_ended(guest->arg, GB_GUEST_OPEN);
}

uint64_t guest_transfer_deadline(void)
{
    return gb_clock_mono_ns() + gb_frame_deadline_ms(GB_DEADLINE_USUAL) * GB_NS_PER_MS;
}

void guest_transfer_expired(void *arg)
{
    struct gb_guest *guest = arg;
    uint64_t now = gb_clock_mono_ns(), first = UINT64_MAX;

    first = MIN(first, guest_uploads_expire(guest, now));
    first = MIN(first, guest_downloads_expire(guest, now));
    guest_flush(guest);
    if (first != UINT64_MAX)
        gb_timer_start(guest->transfer_timer, (first - now) / GB_NS_PER_MS + 1);
}
