/* SPDX-License-Identifier: Apache-2.0 */
/* The prompts of a language, as its own command shows them. */
#pragma once

/* What stands in front of the first and of further lines, and one level of indentation. */
struct signs {
    const char *language, *first, *more, *indent;
};

/* Those of a language that is not known are Python's. */
const struct signs *signs_of(const char *language);
