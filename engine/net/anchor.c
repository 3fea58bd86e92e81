/* SPDX-License-Identifier: Apache-2.0 */
#include "net/anchor.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"
#include "platform/file.h"

#define ANCHOR_BEGIN "-----BEGIN CERTIFICATE-----"
#define ANCHOR_END "-----END CERTIFICATE-----"

enum {
    ANCHOR_FILE_MAX = 64 * 1024, /* a larger one is the system's bundle, or the like */
    ANCHOR_LINE_MAX = 128,
    ANCHOR_FILES_MAX = 64, /* of a folder */
};

static bool anchor_is_base64(struct gb_bytes line)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

    if (line.size == 0 || line.size > ANCHOR_LINE_MAX)
        return false;
    for (size_t i = 0; i < line.size; i++)
        if (line.data[i] == '\0' || strchr(letters, line.data[i]) == NULL)
            return false;
    return true;
}

static void anchor_add(struct gb_buf *pem, size_t room, const struct gb_buf *one)
{
    const size_t size = one->size;

    if (pem->size > 0 && memmem(gb_buf_data(pem), pem->size, gb_buf_data(one), size) != NULL)
        return;
    if (pem->size + size > room)
        gb_info("a certificate of this host's own is not passed on: there are too many");
    else
        gb_buf_add(pem, gb_buf_data(one), size);
}

void gb_anchors_take(struct gb_bytes text, size_t room, struct gb_buf *pem)
{
    _cleanup_(gb_buf_release) struct gb_buf one = {0};
    struct gb_bytes line;

    while (gb_bytes_line(&text, &line)) {
        while (line.size > 0 && strchr(" \t\r", line.data[line.size - 1]) != NULL &&
               line.data[line.size - 1] != '\0')
            line.size--;
        if (gb_bytes_equal(line, ANCHOR_BEGIN)) {
            gb_buf_clear(&one);
            gb_buf_adds(&one, ANCHOR_BEGIN "\n");
        } else if (one.size > 0 && gb_bytes_equal(line, ANCHOR_END)) {
            gb_buf_adds(&one, ANCHOR_END "\n");
            anchor_add(pem, room, &one);
            gb_buf_clear(&one);
        } else if (one.size > 0 && anchor_is_base64(line)) {
            gb_buf_add(&one, line.data, line.size);
            gb_buf_add_u8(&one, '\n');
        } else {
            gb_buf_clear(&one);
        }
    }
}

/* What is done with each file, by its path. */
typedef void anchor_visit_fn(const char *path, struct gb_buf *to);

static void anchor_read_file(const char *path, struct gb_buf *pem)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};

    if (gb_fd_read_file(path, ANCHOR_FILE_MAX, &text, NULL) == 0)
        gb_anchors_take(gb_buf_bytes(&text), GB_ANCHORS_MAX, pem);
}

/* Adds what is another if the file has changed. */
static void anchor_look_at_file(const char *path, struct gb_buf *state)
{
    struct stat info;

    if (stat(path, &info) == 0)
        gb_buf_addf(state, "%s %" PRIu64 " %" PRId64 " %" PRId64 "\n", path, (uint64_t)info.st_ino,
                    (int64_t)info.st_size, gb_file_mtime_ns(&info));
}

static int anchor_is_file(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return entry->d_name[0] != '.' && dot != NULL &&
           (strcmp(dot, ".crt") == 0 || strcmp(dot, ".pem") == 0);
}

static void anchor_visit_folder(const char *folder, anchor_visit_fn *visit, struct gb_buf *to)
{
    struct dirent **entries = NULL;
    const int count = scandir(folder, &entries, anchor_is_file, alphasort);

    for (int i = 0; i < count; i++) {
        _cleanup_(freep) char *path = xasprintf("%s/%s", folder, entries[i]->d_name);

        if (i < ANCHOR_FILES_MAX)
            visit(path, to);
        free(entries[i]);
    }
    free((void *)entries);
}

static void anchor_visit_all(anchor_visit_fn *visit, struct gb_buf *to)
{
    static const char *const variables[] = {"PIP_CERT", "NODE_EXTRA_CA_CERTS"};
    /* Where the owners of Debian, Fedora and Arch put theirs. */
    static const char *const folders[] = {"/usr/local/share/ca-certificates",
                                          "/etc/pki/ca-trust/source/anchors",
                                          "/etc/ca-certificates/trust-source/anchors"};

    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        const char *path = getenv(variables[i]);

        if (path != NULL && path[0] == '/')
            visit(path, to);
    }
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
        anchor_visit_folder(folders[i], visit, to);
}

struct gb_bytes gb_anchors_read(struct gb_anchors *anchors)
{
    struct gb_buf state = {0};

    anchor_visit_all(anchor_look_at_file, &state);
    if (anchors->state.size == state.size && state.size > 0 &&
        memcmp(gb_buf_data(&anchors->state), gb_buf_data(&state), state.size) == 0) {
        gb_buf_release(&state);
        return gb_buf_bytes(&anchors->pem);
    }
    gb_anchors_release(anchors);
    anchors->state = state;
    anchor_visit_all(anchor_read_file, &anchors->pem);
    return gb_buf_bytes(&anchors->pem);
}

void gb_anchors_release(struct gb_anchors *anchors)
{
    gb_buf_release(&anchors->state);
    gb_buf_release(&anchors->pem);
}
