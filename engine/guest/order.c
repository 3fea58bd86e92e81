/* SPDX-License-Identifier: Apache-2.0 */
/* The order of calls, which streams would lose: what a call finds in the guest is what those before
 * it have made.
 *
 * Theory of operation. Calls are counted. The guest does what it is told in the order of frames, so
 * it is enough that they leave in the order of calls; an upload is the only one that leaves in
 * parts, and its last one makes the file. What comes behind that waits until it has left: the names
 * of other files, downloads, requests about files, and cells. Requests that wait hold up in turn
 * what comes behind them. An upload that is not finished holds up nobody, because nobody can see
 * it, and data never waits: only SHUT does. A call waits for earlier ones alone, so that nothing
 * waits for ever.
 */
#include "guest/private.h"

uint64_t gb_guest_call(struct gb_guest *guest)
{
    return ++guest->calls;
}

bool gb_guest_is_behind(const struct gb_guest *guest, uint64_t call)
{
    return guest_uploads_hold(guest, call) || guest_requests_hold(guest, call);
}

void guest_go_on(struct gb_guest *guest)
{
    if (!gb_guest_listens(guest) || guest->going_on)
        return;
    guest->going_on = true;
    do {
        guest->moved = false;
        guest_uploads_open(guest);
        guest_downloads_open(guest);
        guest_requests_send(guest);
    } while (guest->moved);
    guest->going_on = false;
}
