/* SPDX-License-Identifier: Apache-2.0 */
/* The order of calls, which streams would lose: a call finds in the guest the effects of earlier
 * ones.
 *
 * Theory of operation. Calls are numbered. The guest executes frames in order, so it is enough to
 * send them in the order of the calls; only an upload is sent in parts, and its last frame creates
 * the file. Later calls wait until that has been sent: other uploads' last frames, downloads,
 * requests about files, and cells. Waiting requests in turn delay later calls. An unfinished upload
 * delays nothing, because nobody can see it, and data never waits: only SHUT does. A call only
 * waits for earlier ones, so nothing waits for ever.
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
