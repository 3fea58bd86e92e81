/* SPDX-License-Identifier: Apache-2.0 */
/* Replaces texts in a stream of bytes by others of the same length, also where one comes in pieces.
 * Pure, incremental. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { GB_MASK_TEXTS_MAX = 192, GB_MASK_TEXT_MAX = 16 * 1024 };

struct gb_mask_text {
    uint8_t *text, *replacement;
    size_t size;
};

/* Embed it, zeroed. */
struct gb_mask {
    struct gb_mask_text texts[GB_MASK_TEXTS_MAX];
    size_t count;
    bool first[256]; /* bytes that begin a text */
};

/* @text is to be replaced: by @by, cut to its length, or extended by asterisks. No-op if the text
 * is there already. False if there are too many, or it is empty or too long. */
bool gb_mask_add(struct gb_mask *mask, struct gb_bytes text, const char *by);
void gb_mask_release(struct gb_mask *mask); /* wipes the texts */

/* Adds to @out the bytes held back in @held, then @bytes, with replacements. What may be the
 * beginning of a text is held back, unless @final: at most the longest text less one byte. */
void gb_mask_feed(const struct gb_mask *mask, struct gb_buf *held, struct gb_bytes bytes,
                  bool final, struct gb_buf *out);
