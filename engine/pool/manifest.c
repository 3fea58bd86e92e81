#include "pool/manifest.h"

#include <inttypes.h>
#include <string.h>

#define HEAD "glovebox-template 1\n"

void manifest_write(struct gb_buf *text, const struct manifest *manifest)
{
    gb_buf_addf(text, HEAD "ram %" PRIu64 " %s\nstate %" PRIu64 " %s\nmade %" PRIu64 "\nkey %zu\n",
                manifest->ram.bytes, manifest->ram.sha256, manifest->state.bytes,
                manifest->state.sha256, manifest->made_at_s, manifest->key.size);
    gb_buf_add(text, manifest->key.data, manifest->key.size);
}

static bool skip(struct gb_bytes *text, const char *expected)
{
    size_t size = strlen(expected);

    if (text->size < size || memcmp(text->data, expected, size) != 0)
        return false;
    text->data += size;
    text->size -= size;
    return true;
}

static bool read_number(struct gb_bytes *text, uint64_t *ret_number)
{
    uint64_t number = 0;
    size_t digits = 0;

    while (digits < text->size && text->data[digits] >= '0' && text->data[digits] <= '9') {
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, text->data[digits] - '0', &number))
            return false;
        digits++;
    }
    text->data += digits;
    text->size -= digits;
    *ret_number = number;
    return digits > 0;
}

static bool read_digest(struct gb_bytes *text, char ret_hex[MANIFEST_DIGEST_HEX + 1])
{
    if (text->size < MANIFEST_DIGEST_HEX)
        return false;
    for (size_t i = 0; i < MANIFEST_DIGEST_HEX; i++) {
        if (memchr("0123456789abcdef", text->data[i], 16) == NULL)
            return false;
        ret_hex[i] = (char)text->data[i];
    }
    ret_hex[MANIFEST_DIGEST_HEX] = '\0';
    text->data += MANIFEST_DIGEST_HEX;
    text->size -= MANIFEST_DIGEST_HEX;
    return true;
}

static bool read_file(struct gb_bytes *text, const char *name, struct manifest_file *ret_file)
{
    return skip(text, name) && read_number(text, &ret_file->bytes) && skip(text, " ") &&
           read_digest(text, ret_file->sha256) && skip(text, "\n");
}

int manifest_parse(struct gb_bytes text, struct manifest *ret_manifest, struct gb_err *err)
{
    struct manifest manifest = {0};
    uint64_t key_bytes;

    if (text.size > MANIFEST_MAX)
        return gb_err_set(err, GB_EINVALID, "it is larger than %d bytes", (int)MANIFEST_MAX);
    if (!skip(&text, HEAD))
        return gb_err_set(err, GB_EINVALID, "it is not of this version's format");
    if (!read_file(&text, "ram ", &manifest.ram) || !read_file(&text, "state ", &manifest.state) ||
        !skip(&text, "made ") || !read_number(&text, &manifest.made_at_s) ||
        !skip(&text, "\nkey ") || !read_number(&text, &key_bytes) || !skip(&text, "\n"))
        return gb_err_set(err, GB_EINVALID, "it is damaged");
    if (key_bytes != text.size)
        return gb_err_set(err, GB_EINVALID, "it is cut short, or something is behind its end");
    manifest.key = text;
    *ret_manifest = manifest;
    return 0;
}
