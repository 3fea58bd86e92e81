/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a Jupyter notebook (nbformat 4) has to run: its language and its code cells. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    NOTEBOOK_MAX = 128 << 20,      /* bytes of a file, with its pictures */
    NOTEBOOK_VALUES_MAX = 1 << 20, /* JSON values in it */
    NOTEBOOK_CELLS_MAX = 10000,
};

struct notebook {
    char *language;       /* as its metadata say: "python", "R", …; "" when they say nothing */
    struct gb_buf *cells; /* the sources of its code cells that are not blank, in order */
    size_t count;
};

/* Reads @text, which is changed. Gives @ret_notebook. -GB_EINVALID: it is no notebook;
 * -GB_ETOOLARGE.
 */
int notebook_read(uint8_t *text, size_t size, struct notebook *ret_notebook, struct gb_err *err);
void notebook_release(struct notebook *notebook);
