/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces texts in a stream of bytes by others of the same length, also where one comes in pieces.
 * Pure, incremental.
 *
 * How many bytes come out, and when, depends on how many went in and on the length of the longest
 * text, never on what they are: who chooses the bytes and sees the pieces does not learn whether
 * they are the beginning of a text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { GB_MASK_TEXTS_MAX = 704, GB_MASK_TEXT_MAX = 16 * 1024 };

struct gb_mask_text {
    uint8_t *text, *replacement;
    size_t size;
    uint32_t owners;
    uint16_t next; /* index + 1 of another one with the same first byte; 0: none */
};

/* Embed it, zeroed. */
struct gb_mask {
    struct gb_mask_text texts[GB_MASK_TEXTS_MAX];
    size_t count;
    uint16_t first[256]; /* index + 1 of a text that begins with the byte; 0: none does */
};

/* The end of a stream, not passed yet. Embed it, zeroed. */
struct gb_mask_tail {
    struct gb_buf bytes;
    size_t done; /* of them, at the front, that are final: they end a text that was replaced */
};

/* @text is to be replaced: by @by, cut to its length, or extended by asterisks; in the streams of
 * @owners, a set of bits, in addition to those of the same text before. False if there are too
 * many, or it is empty or too long. */
bool gb_mask_add(struct gb_mask *mask, struct gb_bytes text, const char *by, uint32_t owners);
void gb_mask_release(struct gb_mask *mask); /* wipes the texts */

/* Adds to @out the bytes of @tail, then @bytes, with replacements of the texts of @owners. Keeps
 * the last of them in @tail, one less than the longest text has; @final: none. */
void gb_mask_feed(const struct gb_mask *mask, uint32_t owners, struct gb_mask_tail *tail,
                  struct gb_bytes bytes, bool final, struct gb_buf *out);
void gb_mask_tail_release(struct gb_mask_tail *tail); /* wipes it */
