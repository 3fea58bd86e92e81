/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/cpuinfo.h"

#include <nettle/sha2.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/mem.h"

enum { FEATURES_MAX = 1024, SMALL_FILE_MAX = 256 };

/* Processors that differ in any of these may look different to a guest. The optional ones are those
 * of arm64. */
static const struct {
    const char *key;
    bool is_list, optional;
} facts[] = {
    {"vendor_id", false, false},      {"cpu family", false, false},
    {"model", false, false},          {"stepping", false, false},
    {"microcode", false, false},      {"address sizes", false, false},
    {"flags", true, false},           {"vmx flags", true, false},
    {"CPU implementer", false, true}, {"CPU architecture", false, true},
    {"CPU variant", false, true},     {"CPU part", false, true},
    {"CPU revision", false, true},    {"Features", true, true},
};

/* The value in a line "KEY<tab>…: VALUE" of the first processor; size 0 if there is none. */
static struct gb_bytes cpuinfo_value(struct gb_bytes cpuinfo, const char *key)
{
    const uint8_t *end = cpuinfo.data + cpuinfo.size, *line = cpuinfo.data;
    size_t length = strlen(key);

    while (line < end && *line != '\n') { /* an empty line ends a processor */
        const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));
        const uint8_t *stop = newline != NULL ? newline : end;
        const uint8_t *colon = memchr(line, ':', (size_t)(stop - line));

        if (colon != NULL && (size_t)(colon - line) > length && memcmp(line, key, length) == 0 &&
            line[length] == '\t') {
            colon += colon + 1 < stop && colon[1] == ' ' ? 2 : 1;
            return (struct gb_bytes){colon, (size_t)(stop - colon)};
        }
        line = newline != NULL ? newline + 1 : end;
    }
    return (struct gb_bytes){0};
}

static int cpuinfo_compare(const void *a, const void *b)
{
    const struct gb_bytes *one = a, *other = b;
    int order = memcmp(one->data, other->data, MIN(one->size, other->size));

    return order != 0 ? order : (one->size > other->size) - (one->size < other->size);
}

/* A digest of the words in @list that does not depend on their order. */
static void cpuinfo_add_digest(struct gb_buf *text, struct gb_bytes list)
{
    struct gb_bytes *words = xcalloc(FEATURES_MAX, sizeof(*words));
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    size_t count = 0;

    for (size_t i = 0; i < list.size && count < FEATURES_MAX;) {
        size_t begin;

        while (i < list.size && list.data[i] == ' ')
            i++;
        begin = i;
        while (i < list.size && list.data[i] != ' ')
            i++;
        if (i > begin)
            words[count++] = (struct gb_bytes){list.data + begin, i - begin};
    }
    qsort(words, count, sizeof(*words), cpuinfo_compare);
    sha256_init(&sha);
    for (size_t i = 0; i < count; i++) {
        sha256_update(&sha, words[i].size, words[i].data);
        sha256_update(&sha, 1, (const uint8_t *)" ");
    }
    sha256_digest(&sha, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest) / 2; i++)
        gb_buf_addf(text, "%02x", digest[i]);
    free(words);
}

void cpuinfo_add(struct gb_buf *text, struct gb_bytes cpuinfo, bool features)
{
    struct gb_bytes name = cpuinfo_value(cpuinfo, "model name");

    gb_buf_add(text, name.data, name.size);
    if (!features)
        return;
    for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
        struct gb_bytes value = cpuinfo_value(cpuinfo, facts[i].key);

        if (value.data == NULL && facts[i].optional)
            continue;
        gb_buf_addf(text, ", %s ", facts[i].key);
        if (facts[i].is_list)
            cpuinfo_add_digest(text, value);
        else
            gb_buf_add(text, value.data, value.size);
    }
}

void cpuinfo_add_nested(struct gb_buf *text, const char *folder)
{
    static const char *const modules[] = {"kvm_amd", "kvm_intel"};

    for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
        _cleanup_(freep) char *path = xasprintf("%s/%s/parameters/nested", folder, modules[i]);
        struct gb_buf value = {0};

        if (gb_fd_read_file(path, SMALL_FILE_MAX, &value, NULL) == 0)
            gb_buf_addf(text, ", %s nested %.*s", modules[i],
                        (int)strcspn(gb_buf_str(&value), "\n"), gb_buf_str(&value));
        gb_buf_release(&value);
    }
}
