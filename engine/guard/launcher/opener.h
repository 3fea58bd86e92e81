/* SPDX-License-Identifier: Apache-2.0 */
/* Opens files on behalf of a process that may not open them itself.
 *
 * QEMU opens the file of its RAM for reading and writing even where it only maps it privately, so
 * it would need write access to the template that all clones share. Instead, its filter forwards
 * every open(O_RDWR) to the launcher, which answers with a descriptor that it opened before it
 * dropped its privileges: read-only for a clone. The same goes for /dev/kvm, so QEMU needs no extra
 * group. Any other open continues in the kernel, where everything is read-only.
 */
#pragma once

#include <stdbool.h>

#include "guard/launcher/options.h"

/* Opens the files in @options that are to be handed out. Returns 0, or -errno and the path in
 * *@ret_what. */
int opener_open(struct guard_options *options, const char **ret_what);

/* Pass @listener from the filtered process to the launcher over a socket. Both return 0 or -errno
 * (receive: the descriptor; -EPIPE if none was sent). */
int opener_send_listener(int socket, int listener);
int opener_receive_listener(int socket);

/* Answers one request. Returns true if the notification was QEMU aborting: the caller has to kill
 * it. */
bool opener_answer(const struct guard_options *options, int listener);
