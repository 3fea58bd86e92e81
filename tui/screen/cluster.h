/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters that ncurses cannot handle correctly, hidden behind code points that it can.
 *
 * Theory of operation. In place of a cluster, ncurses is given a private-use character from
 * Unicode's plane 15, one column wide; equal clusters get equal characters, so that ncurses still
 * finds the differences between frames. In ncurses' output the character is then replaced by the
 * cluster's own bytes, between saving and restoring the cursor, so that the cursor ends up one
 * column further whatever width the terminal gives the cluster. A two-column cluster has a second
 * character for its right half. Private-use characters in the text are themselves treated as
 * clusters, so that none is mistaken.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#include "base/buf.h"
#include "glyph/glyph.h"

enum {
    CLUSTER_FIRST = 0xf0000,
    CLUSTERS_MAX = 0xfffd, /* the size of the plane */
};

enum cluster_flag {
    CLUSTER_HELD = 1 << 0,   /* save and restore the cursor around it */
    CLUSTER_STRUCK = 1 << 1, /* crossed out, for which ncurses has no attribute */
    CLUSTER_WIDE = 1 << 2,   /* erase two columns first: the terminal may fill only one */
    CLUSTER_EDGE = 1 << 3, /* in the last column: the terminal may consider it too wide, and wrap */
    CLUSTER_RIGHT = 1 << 4, /* the right half of the previous one: no text */
};

/* Zero all unused bytes, including those of the text: clusters are compared as bytes. */
struct cluster {
    char text[GLYPH_BYTES]; /* UTF-8 */
    uint64_t picture;       /* that covers the cell; 0: none */
    uint32_t size;
    uint32_t flags;
};

/* Embed it, zeroed. */
struct clusters {
    struct cluster *items;
    size_t count, capacity;
    uint32_t *slots; /* a hash table: index + 1, or 0 */
    size_t slot_count;
};

void clusters_release(struct clusters *clusters);
/* Forgets all: the characters given to ncurses so far become meaningless. */
void clusters_clear(struct clusters *clusters);
/* The character for @cluster; 0 if CLUSTERS_MAX others are in use since the last clear. */
wchar_t cluster_sign(struct clusters *clusters, const struct cluster *cluster);

/* Appends ncurses' output @bytes to @out, with characters replaced by their clusters. Calls @drawn
 * (may be NULL) for each that is covered by a picture. */
void clusters_expand(const struct clusters *clusters, struct gb_bytes bytes, struct gb_buf *out,
                     void (*drawn)(void *arg, uint64_t picture), void *arg);
