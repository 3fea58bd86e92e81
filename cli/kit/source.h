/* What is to be run, and in which language. */
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "cli/args.h"

struct source {
    const char *name;  /* for messages: a file, "-" or "-c"; borrowed from the arguments */
    const char *image; /* chosen by the file's ending, or NULL; static */
    struct gb_buf code;
};

/* The sources that the arguments name: each -c, then each word from @first_word on. Reads files and
 * standard input; at most GB_CODE_MAX each. False with a sentence in @message. Gives @ret_sources,
 * @ret_count of them; at least one. */
bool sources_read(const struct args *args, size_t first_word, struct source **ret_sources,
                  size_t *ret_count, struct gb_buf *message);
void sources_free(struct source *sources, size_t count);

/* The image of a language's name or alias ("py", "js", "bash", …), or of a file's name by its
 * ending; NULL when there is none. */
const char *source_language(const char *name);
const char *source_language_of_file(const char *path);
