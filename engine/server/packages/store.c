/* SPDX-License-Identifier: Apache-2.0 */
#include "store.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "platform/file.h"
#include "snapshot/store.h"
#include "vm/vm.h"

#define STORE_HEAD "glassbell packages 1\n"
#define RECORD ".record"
#define LAYER ".erofs"

/* So old is a layer without a record when nobody will make one for it any more. */
enum { ORPHAN_S = 3600 };

static_assert((int)STORE_KEY_HEX == (int)GB_SNAPSHOT_NAME_HEX, "the same digest names both");

void layer_release(struct layer *layer)
{
    gb_buf_release(&layer->image);
    gb_buf_release(&layer->wanted);
    gb_buf_release(&layer->lock);
}

void store_key(struct gb_bytes request, char ret_key[STORE_KEY_HEX + 1])
{
    gb_snapshot_name(request, ret_key);
}

static char *store_path(const char *folder, const char *name, const char *ending)
{
    return xasprintf("%s/%s%s", folder, name, ending);
}

/* ---- records ---- */

static void store_put_lines(struct gb_buf *text, const char *word, const struct gb_buf *lines)
{
    struct gb_bytes rest = gb_buf_bytes(lines), line;

    while (gb_bytes_line(&rest, &line))
        gb_buf_addf(text, "%s %.*s\n", word, (int)line.size, (const char *)line.data);
}

static void store_write(const struct layer *layer, struct gb_buf *text)
{
    gb_buf_adds(text, STORE_HEAD);
    gb_buf_addf(text, "layer %s\nbytes %" PRIu64 "\n", layer->digest, layer->bytes);
    store_put_lines(text, "image", &layer->image);
    store_put_lines(text, "wanted", &layer->wanted);
    store_put_lines(text, "lock", &layer->lock);
}

static bool store_read_digest(struct gb_bytes text, struct layer *layer)
{
    if (text.size != STORE_DIGEST_HEX)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] == '\0' || strchr("0123456789abcdef", text.data[i]) == NULL)
            return false;
    memcpy(layer->digest, text.data, text.size);
    return true;
}

static bool store_read_line(struct gb_bytes line, struct layer *layer)
{
    struct gb_buf *to = NULL;

    if (gb_bytes_skip(&line, "layer "))
        return store_read_digest(line, layer);
    if (gb_bytes_skip(&line, "bytes "))
        return gb_bytes_number(&line, GB_VM_SPARE_BYTES, &layer->bytes) && line.size == 0;
    if (gb_bytes_skip(&line, "image "))
        to = &layer->image;
    else if (gb_bytes_skip(&line, "wanted "))
        to = &layer->wanted;
    else if (gb_bytes_skip(&line, "lock "))
        to = &layer->lock;
    if (to == NULL)
        return false;
    gb_buf_add(to, line.data, line.size);
    gb_buf_add_u8(to, '\n');
    return true;
}

static bool store_read(struct gb_bytes text, struct layer *layer)
{
    struct gb_bytes line;

    if (!gb_bytes_skip(&text, STORE_HEAD))
        return false;
    while (gb_bytes_line(&text, &line))
        if (!store_read_line(line, layer))
            return false;
    return layer->digest[0] != '\0' && layer->bytes > 0;
}

bool store_look(const char *folder, const char *key, struct layer *ret_layer)
{
    _cleanup_(freep) char *record = store_path(folder, key, RECORD);
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    struct layer layer = {0};

    if (gb_fd_read_file(record, STORE_RECORD_MAX, &text, NULL) < 0)
        return false;
    if (!store_read(gb_buf_bytes(&text), &layer)) {
        layer_release(&layer);
        return false;
    }
    memcpy(layer.key, key, STORE_KEY_HEX);
    *ret_layer = layer;
    return true;
}

int store_open_layer(const char *folder, struct gb_bytes digest, struct gb_err *err)
{
    struct layer layer = {0};
    _cleanup_(freep) char *path = NULL;
    struct stat info;
    int fd = -1;

    if (store_read_digest(digest, &layer)) {
        path = store_path(folder, layer.digest, LAYER);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    }
    if (fd >= 0 && fstat(fd, &info) == 0 && (uint64_t)info.st_size == GB_VM_SPARE_BYTES)
        return fd;
    (void)gb_close(fd);
    return gb_err_set(err, GB_ENOTFOUND, "the packages of the session are not kept any more");
}

int store_open(const char *folder, const char *key, struct layer *ret_layer, struct gb_err *err)
{
    _cleanup_(freep) char *record = store_path(folder, key, RECORD);
    struct layer layer = {0};
    int fd = -1;

    if (store_look(folder, key, &layer))
        fd = store_open_layer(folder, gb_bytes_str(layer.digest), err);
    if (fd < 0) {
        layer_release(&layer);
        return gb_err_set(err, GB_ENOTFOUND, "there is no such layer");
    }
    (void)utimensat(AT_FDCWD, record, NULL, 0); /* only the order of eviction depends on it */
    *ret_layer = layer;
    return fd;
}

/* ---- a new one ---- */

int store_begin(const char *folder, struct store_draft *ret_draft, struct gb_err *err)
{
    int r = gb_fd_make_dirs(folder, 0700, err), fd;

    if (r < 0)
        return r;
    fd = gb_file_unnamed(folder);
    if (fd < 0)
        return gb_err_sys(err, -fd, "cannot make a file in %s", folder);
    *ret_draft = (struct store_draft){.fd = fd};
    sha256_init(&ret_draft->digest);
    return 0;
}

int store_add(struct store_draft *draft, struct gb_bytes piece, struct gb_err *err)
{
    ssize_t n = gb_fd_write_full(draft->fd, piece.data, piece.size);

    if (n < 0)
        return gb_err_sys(err, (int)-n, "the layer of packages cannot be written");
    draft->bytes += piece.size;
    sha256_update(&draft->digest, piece.size, piece.data);
    return 0;
}

static void store_end_digest(struct store_draft *draft, struct layer *layer)
{
    uint8_t bytes[SHA256_DIGEST_SIZE];

    sha256_digest(&draft->digest, sizeof(bytes), bytes);
    for (size_t i = 0; i < sizeof(bytes); i++)
        (void)snprintf(layer->digest + 2 * i, 3, "%02x", bytes[i]);
    layer->bytes = draft->bytes;
}

int store_publish(const char *folder, struct store_draft *draft, struct layer *layer,
                  struct gb_err *err)
{
    _cleanup_(gb_buf_release) struct gb_buf text = {0};
    _cleanup_(freep) char *record = store_path(folder, layer->key, RECORD);
    _cleanup_(freep) char *path = NULL;
    int r;

    store_end_digest(draft, layer);
    path = store_path(folder, layer->digest, LAYER);
    if (ftruncate(draft->fd, (off_t)GB_VM_SPARE_BYTES) < 0)
        return gb_err_sys(err, errno, "the layer of packages cannot be written");
    r = gb_file_sync_data(draft->fd);
    if (r == 0)
        r = gb_file_link(draft->fd, path);
    if (r == -EEXIST) /* the same content is there already: it is as good as new */
        r = utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
    if (r < 0)
        return gb_err_sys(err, -r, "the layer of packages cannot be kept as %s", path);
    store_write(layer, &text);
    return gb_fd_replace_file(record, gb_buf_bytes(&text), 0600, err);
}

void store_drop(struct store_draft *draft)
{
    draft->fd = gb_close(draft->fd);
}

/* ---- all of them ---- */

/* Whether a file is called after that many digits, and the ending. */
static bool store_is_named(const char *name, size_t digits, const char *ending)
{
    return strspn(name, "0123456789abcdef") == digits && strcmp(name + digits, ending) == 0;
}

uint64_t store_disk_bytes(const char *folder, const char *digest)
{
    _cleanup_(freep) char *path = store_path(folder, digest, LAYER);
    struct stat info;

    return stat(path, &info) == 0 ? (uint64_t)info.st_blocks * 512 : 0;
}

static int store_compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct store_entry *)a)->key, ((const struct store_entry *)b)->key);
}

size_t store_list(const char *folder, struct store_entry **ret_entries)
{
    _cleanup_(gb_buf_release) struct gb_buf found = {0};
    DIR *entries = opendir(folder);
    const struct dirent *entry;
    struct stat info;
    size_t count = 0;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        struct store_entry one = {0};

        if (!store_is_named(entry->d_name, STORE_KEY_HEX, RECORD) ||
            fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        one.used = info.st_mtime;
        memcpy(one.key, entry->d_name, STORE_KEY_HEX);
        gb_buf_add(&found, &one, sizeof(one));
        count++;
    }
    if (entries != NULL)
        (void)closedir(entries);
    *ret_entries = xcalloc(MAX(count, 1), sizeof(**ret_entries));
    if (count > 0) {
        memcpy(*ret_entries, gb_buf_data(&found), count * sizeof(**ret_entries));
        qsort(*ret_entries, count, sizeof(**ret_entries), store_compare_keys);
    }
    return count;
}

/* Whether a record names the layer. */
static bool store_is_needed(const char *folder, const char *digest)
{
    struct store_entry *entries;
    const size_t count = store_list(folder, &entries);
    bool needed = false;

    for (size_t i = 0; i < count && !needed; i++) {
        struct layer layer = {0};

        if (!store_look(folder, entries[i].key, &layer))
            continue;
        needed = strcmp(layer.digest, digest) == 0;
        layer_release(&layer);
    }
    free(entries);
    return needed;
}

bool store_remove(const char *folder, const char *key)
{
    _cleanup_(freep) char *record = store_path(folder, key, RECORD);
    _cleanup_(freep) char *path = NULL;
    struct layer layer = {0};
    const bool known = store_look(folder, key, &layer);

    if (unlink(record) < 0) {
        layer_release(&layer);
        return false;
    }
    if (known && !store_is_needed(folder, layer.digest)) {
        path = store_path(folder, layer.digest, LAYER);
        (void)unlink(path);
    }
    layer_release(&layer);
    return true;
}

/* ---- eviction ---- */

/* What a record says, and what becomes of it. */
struct stored {
    char key[STORE_KEY_HEX + 1], digest[STORE_DIGEST_HEX + 1];
    bool removed;
};

struct eviction {
    const char *folder, *keep;
    struct stored *all; /* sorted by key; then by digest */
    size_t count;
    uint64_t now_ns; /* before the records were read */
};

static int store_compare_stored(const void *a, const void *b)
{
    return strcmp(((const struct stored *)a)->key, ((const struct stored *)b)->key);
}

/* Those that stay come first. */
static int store_compare_digests(const void *a, const void *b)
{
    const struct stored *one = a, *other = b;
    const int order = strcmp(one->digest, other->digest);

    return order != 0 ? order : (int)one->removed - (int)other->removed;
}

static bool store_evict_one(const struct gb_surplus_item *item, bool old, void *arg)
{
    struct eviction *eviction = arg;
    _cleanup_(freep) char *record = store_path(eviction->folder, item->name, RECORD);
    struct stored wanted = {0}, *found;

    (void)old;
    if (eviction->keep != NULL && strcmp(item->name, eviction->keep) == 0)
        return false;
    memcpy(wanted.key, item->name, STORE_KEY_HEX);
    found = bsearch(&wanted, eviction->all, eviction->count, sizeof(wanted), store_compare_stored);
    if (found == NULL || unlink(record) < 0)
        return false;
    found->removed = true;
    return true;
}

/* The first record with that digest: one that stays, if there is any. */
static const struct stored *store_find_digest(const struct eviction *eviction, const char *digest)
{
    size_t low = 0, high = eviction->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(eviction->all[middle].digest, digest) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == eviction->count || strcmp(eviction->all[low].digest, digest) != 0)
        return NULL;
    return &eviction->all[low];
}

/* Layers that no record names any more. One that was made or used for a new record meanwhile, by
 * another server, too, is younger than the list. */
static void store_remove_layers(const struct eviction *eviction)
{
    DIR *entries = opendir(eviction->folder);
    const struct dirent *entry;
    struct stat info;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char digest[STORE_DIGEST_HEX + 1] = "";
        const struct stored *named;
        uint64_t made_ns;

        if (!store_is_named(entry->d_name, STORE_DIGEST_HEX, LAYER) ||
            fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        memcpy(digest, entry->d_name, STORE_DIGEST_HEX);
        named = store_find_digest(eviction, digest);
        made_ns = (uint64_t)gb_file_mtime_ns(&info);
        if (named != NULL ? named->removed && made_ns <= eviction->now_ns
                          : made_ns + ORPHAN_S * GB_NS_PER_S <= eviction->now_ns)
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries != NULL)
        (void)closedir(entries);
}

void store_evict(const char *folder, const struct gb_surplus_limits *limits, const char *keep)
{
    struct eviction eviction = {.folder = folder, .keep = keep, .now_ns = gb_clock_wall_ns()};
    struct store_entry *entries;
    struct gb_surplus_item *items;

    eviction.count = store_list(folder, &entries);
    eviction.all = xcalloc(MAX(eviction.count, 1), sizeof(*eviction.all));
    items = xcalloc(MAX(eviction.count, 1), sizeof(*items));
    for (size_t i = 0; i < eviction.count; i++) {
        struct stored *one = &eviction.all[i];
        struct layer layer = {0};

        memcpy(one->key, entries[i].key, sizeof(one->key));
        memcpy(items[i].name, entries[i].key, sizeof(entries[i].key));
        items[i].used = entries[i].used;
        if (!store_look(folder, one->key, &layer))
            continue;
        memcpy(one->digest, layer.digest, sizeof(one->digest));
        items[i].bytes = store_disk_bytes(folder, layer.digest);
        layer_release(&layer);
    }
    gb_surplus(items, eviction.count, limits, time(NULL), store_evict_one, &eviction);
    qsort(eviction.all, eviction.count, sizeof(*eviction.all), store_compare_digests);
    store_remove_layers(&eviction);
    free(entries);
    free(items);
    free(eviction.all);
}
