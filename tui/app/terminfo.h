/* SPDX-License-Identifier: Apache-2.0 */
/* What terminfo and the environment say of the terminal. Apart from all else, because its header
 * names things as it likes. */
#pragma once

#include "base/err.h"
#include "screen/render.h"

/* The colours of the terminal at @fd. NO_COLOR, COLORTERM and TERM are heard. GB_EUNSUPPORTED when
 * it is not known or cannot place its cursor. */
int terminfo_depth(int fd, enum colour_depth *ret_depth, struct gb_err *err);
