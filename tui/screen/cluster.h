/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a cell and ncurses cannot be trusted with, behind a code point that it can.
 *
 * Theory of operation. ncurses is given a character of Unicode's plane 15, of private use and one
 * column wide, in the place of the cluster; equal clusters have equal characters, so that ncurses
 * finds the differences between frames as ever. What ncurses writes is then expanded: the character
 * becomes the cluster's own bytes, between a saved and a restored cursor, so that the cursor ends
 * up one column further whatever the terminal takes the cluster's width for. A cluster of two
 * columns has a second character for its right half. Private characters of a text are clusters
 * themselves, so that none of them is mistaken.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#include "base/buf.h"
#include "glyph/glyph.h"

enum {
    CLUSTER_FIRST = 0xf0000,
    CLUSTERS_MAX = 0xfffd, /* what the plane has */
};

enum cluster_flag {
    CLUSTER_HELD = 1 << 0,   /* the terminal's cursor is saved around it */
    CLUSTER_STRUCK = 1 << 1, /* with a line through it, which ncurses has no attribute for */
    CLUSTER_WIDE = 1 << 2,   /* two columns are emptied first: the terminal may fill one only */
    CLUSTER_EDGE = 1 << 3, /* in the last column: the terminal may take it for too wide, and wrap */
    CLUSTER_RIGHT = 1 << 4, /* the right half of the one before: no text */
};

/* Zero what is not set, the text too: it is compared as bytes. */
struct cluster {
    char text[GLYPH_BYTES]; /* UTF-8 */
    uint64_t picture;       /* lies above the cell; 0: none */
    uint32_t size;
    uint32_t flags;
};

/* Embed it, zeroed. */
struct clusters {
    struct cluster *items;
    size_t count, capacity;
    uint32_t *slots; /* of a hash table: an index + 1, or 0 */
    size_t slot_count;
};

void clusters_release(struct clusters *clusters);
/* Forgets all: what ncurses has been given means nothing any more. */
void clusters_clear(struct clusters *clusters);
/* The character for @cluster; 0 when CLUSTERS_MAX others have been given since the last clear. */
wchar_t cluster_sign(struct clusters *clusters, const struct cluster *cluster);

/* Adds @bytes of ncurses to @out, with the clusters themselves. @drawn (may be NULL) is called for
 * each that a picture lies above. */
void clusters_expand(const struct clusters *clusters, struct gb_bytes bytes, struct gb_buf *out,
                     void (*drawn)(void *arg, uint64_t picture), void *arg);
