/* SPDX-License-Identifier: Apache-2.0 */
/* Colours that ncurses sets although they are set.
 *
 * ncurses sends both colours of a pair when only one of them is another. With a theme that has a
 * ground of its own that is every change of colour: a key in a list of 20 sessions took 947 bytes
 * instead of 722.
 */
#pragma once

#include "base/buf.h"

/* Adds @bytes of one frame of ncurses to @out, without sequences that set a colour anew to what it
 * is. What it is at the beginning is not assumed. */
void colours_once(struct gb_bytes bytes, struct gb_buf *out);
