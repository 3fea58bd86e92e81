/* SPDX-License-Identifier: Apache-2.0 */
#include "snapshot/manifest.h"

#include <inttypes.h>
#include <string.h>

#define HEAD "glassbell-template 1\n"

void snapshot_manifest_write(struct gb_buf *text, const struct snapshot_manifest *manifest)
{
    gb_buf_addf(text, HEAD "ram %" PRIu64 " %s\nstate %" PRIu64 " %s\nmade %" PRIu64 "\nkey %zu\n",
                manifest->ram.bytes, manifest->ram.sha256, manifest->state.bytes,
                manifest->state.sha256, manifest->made_at_s, manifest->key.size);
    gb_buf_add(text, manifest->key.data, manifest->key.size);
}

static bool manifest_read_digest(struct gb_bytes *text,
                                 char ret_hex[SNAPSHOT_MANIFEST_DIGEST_HEX + 1])
{
    if (text->size < SNAPSHOT_MANIFEST_DIGEST_HEX)
        return false;
    for (size_t i = 0; i < SNAPSHOT_MANIFEST_DIGEST_HEX; i++) {
        if (memchr("0123456789abcdef", text->data[i], 16) == NULL)
            return false;
        ret_hex[i] = (char)text->data[i];
    }
    ret_hex[SNAPSHOT_MANIFEST_DIGEST_HEX] = '\0';
    text->data += SNAPSHOT_MANIFEST_DIGEST_HEX;
    text->size -= SNAPSHOT_MANIFEST_DIGEST_HEX;
    return true;
}

static bool manifest_read_file(struct gb_bytes *text, const char *name,
                               struct snapshot_manifest_file *ret_file)
{
    return gb_bytes_skip(text, name) && gb_bytes_number(text, UINT64_MAX, &ret_file->bytes) &&
           gb_bytes_skip(text, " ") && manifest_read_digest(text, ret_file->sha256) &&
           gb_bytes_skip(text, "\n");
}

int snapshot_manifest_parse(struct gb_bytes text, struct snapshot_manifest *ret_manifest,
                            struct gb_err *err)
{
    struct snapshot_manifest manifest = {0};
    uint64_t key_bytes;

    if (text.size > SNAPSHOT_MANIFEST_MAX)
        return gb_err_set(err, GB_EINVALID, "it is larger than %d bytes",
                          (int)SNAPSHOT_MANIFEST_MAX);
    if (!gb_bytes_skip(&text, HEAD))
        return gb_err_set(err, GB_EINVALID, "it is not of this version's format");
    if (!manifest_read_file(&text, "ram ", &manifest.ram) ||
        !manifest_read_file(&text, "state ", &manifest.state) || !gb_bytes_skip(&text, "made ") ||
        !gb_bytes_number(&text, UINT64_MAX, &manifest.made_at_s) ||
        !gb_bytes_skip(&text, "\nkey ") || !gb_bytes_number(&text, UINT64_MAX, &key_bytes) ||
        !gb_bytes_skip(&text, "\n"))
        return gb_err_set(err, GB_EINVALID, "it is damaged");
    if (key_bytes != text.size)
        return gb_err_set(err, GB_EINVALID, "it is truncated, or has data after its end");
    manifest.key = text;
    *ret_manifest = manifest;
    return 0;
}
