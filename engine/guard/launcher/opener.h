/* SPDX-License-Identifier: Apache-2.0 */
/* Opens files on behalf of a process that may not open them itself.
 *
 * QEMU opens the file of its RAM for reading and writing even where it only maps it privately, so
 * it would have to be allowed to write to the template that all clones share. Instead its filter
 * turns every open(O_RDWR) into a question to the launcher, which answers with a descriptor that it
 * opened before it gave up its rights: read-only for a clone. The same goes for /dev/kvm, which
 * then needs no group. Any other file is left to the kernel, which finds everything read-only.
 */
#pragma once

#include <stdbool.h>

#include "guard/launcher/options.h"

/* Opens the files of @options that are handed out. Returns 0 or -errno and the path in *@ret_what.
 */
int opener_open(struct guard_options *options, const char **ret_what);

/* Hands @listener over a socket from the filtered process to the launcher. Each returns 0 or -errno
 * (receive: the descriptor; -EPIPE when there was none). */
int opener_send_listener(int socket, int listener);
int opener_receive_listener(int socket);

/* Answers one question. True when it was no question: the process aborts, and has to be ended. */
bool opener_answer(const struct guard_options *options, int listener);
