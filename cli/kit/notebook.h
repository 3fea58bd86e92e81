/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a Jupyter notebook (nbformat 4): its language and its code cells. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    NOTEBOOK_MAX = 128 << 20,      /* size of a file, including images */
    NOTEBOOK_VALUES_MAX = 1 << 20, /* JSON values in a file */
    NOTEBOOK_CELLS_MAX = 10000,
};

struct notebook {
    char *language;       /* from its metadata: "python", "R", …; "" if absent */
    struct gb_buf *cells; /* the sources of its non-blank code cells, in order */
    size_t count;
};

/* Parses @text, which is modified. Gives @ret_notebook. -GB_EINVALID: not a notebook;
 * -GB_ETOOLARGE. */
int notebook_read(uint8_t *text, size_t size, struct notebook *ret_notebook, struct gb_err *err);
void notebook_release(struct notebook *notebook);
