/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/image.h"

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "machine/machine.h"
#include "platform/file.h"
#include "vm/verify.h"

enum {
    MANIFEST_MAX = 1 << 20,
    FORMAT = 1,
    ALIAS_MAX = 16,
    PACKAGE_MAX = 8192,
    MEMORY_MIN_MB = 64,
    MEMORY_MAX_MB = 65536,
    IMAGE_MAX = 256,
    DIGEST_HEX = 2 * SHA256_DIGEST_SIZE,
};

#define SIZE_LIMIT_BYTES (UINT64_C(1) << 40)

static void json_deletep(cJSON **json)
{
    cJSON_Delete(*json);
}

/* Parses a manifest: an object, and nothing after it. */
static int parse_object(struct gb_bytes text, cJSON **ret_json, struct gb_err *err)
{
    _cleanup_(json_deletep) cJSON *json = NULL;
    const char *end = NULL;
    const cJSON *format;

    if (text.size > MANIFEST_MAX)
        return gb_err_set(err, GB_EIMAGE, "it is larger than %d bytes", (int)MANIFEST_MAX);
    json = cJSON_ParseWithLengthOpts((const char *)text.data, text.size, &end, 0);
    if (!cJSON_IsObject(json))
        return gb_err_set(err, GB_EIMAGE, "it is not a JSON object");
    for (; end < (const char *)text.data + text.size; end++) {
        if (strchr(" \t\r\n", *end) == NULL || *end == '\0')
            return gb_err_set(err, GB_EIMAGE, "there is data after the JSON object");
    }
    format = cJSON_GetObjectItemCaseSensitive(json, "format");
    if (!cJSON_IsNumber(format) || format->valuedouble != FORMAT)
        return gb_err_set(err, GB_EIMAGE, "its format is not %d; build the images again",
                          (int)FORMAT);
    *ret_json = TAKE_PTR(json);
    return 0;
}

/* A short string without control characters. */
static int get_text(const cJSON *object, const char *key, size_t limit, const char **ret_text,
                    struct gb_err *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!cJSON_IsString(item) || item->valuestring[0] == '\0' || strlen(item->valuestring) > limit)
        return gb_err_set(err, GB_EIMAGE, "\"%s\" is missing or not a usable text", key);
    for (const char *c = item->valuestring; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 127)
            return gb_err_set(err, GB_EIMAGE, "\"%s\" has a control character", key);
    }
    *ret_text = item->valuestring;
    return 0;
}

static bool is_name(const char *text)
{
    if (text[0] < 'a' || text[0] > 'z' || strlen(text) > GB_NAME_MAX)
        return false;
    return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == strlen(text);
}

static int get_name(const cJSON *object, const char *key, char **ret_name, struct gb_err *err)
{
    const char *text;
    int r = get_text(object, key, GB_NAME_MAX, &text, err);

    if (r < 0)
        return r;
    if (!is_name(text))
        return gb_err_set(err, GB_EIMAGE, "\"%s\" is not a name of a-z, 0-9, '-', '_' and '.'",
                          key);
    *ret_name = xstrdup(text);
    return 0;
}

static int get_number(const cJSON *object, const char *key, uint64_t min, uint64_t max,
                      uint64_t *ret_value, struct gb_err *err)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    if (!cJSON_IsNumber(item) || !(item->valuedouble >= (double)min) ||
        !(item->valuedouble <= (double)max) ||
        (double)(uint64_t)item->valuedouble != item->valuedouble)
        return gb_err_set(err, GB_EIMAGE, "\"%s\" is missing or out of range", key);
    *ret_value = (uint64_t)item->valuedouble;
    return 0;
}

/* A file named in a manifest: next to it, with size and digest. */
static int get_file(const cJSON *object, const char *key, const char *directory, char **ret_path,
                    char **ret_sha256, uint64_t *ret_size, struct gb_err *err)
{
    const cJSON *file = cJSON_GetObjectItemCaseSensitive(object, key);
    const char *name, *digest;
    uint64_t size;
    int r;

    if (!cJSON_IsObject(file))
        return gb_err_set(err, GB_EIMAGE, "\"%s\" is missing", key);
    r = get_text(file, "file", GB_FILE_NAME_MAX, &name, err);
    if (r == 0)
        r = get_text(file, "sha256", DIGEST_HEX, &digest, err);
    if (r == 0)
        r = get_number(file, "size", 1, SIZE_LIMIT_BYTES, &size, err);
    if (r != 0)
        return gb_err_wrap(err, r, "in \"%s\"", key);
    if (strchr(name, '/') != NULL || name[0] == '.')
        return gb_err_set(err, GB_EIMAGE, "\"%s\" names a file elsewhere", key);
    if (strlen(digest) != DIGEST_HEX || strspn(digest, "0123456789abcdef") != DIGEST_HEX)
        return gb_err_set(err, GB_EIMAGE, "\"%s\" has no SHA-256 in lower-case hex", key);
    *ret_path = xasprintf("%s/%s", directory, name);
    *ret_sha256 = xstrdup(digest);
    *ret_size = size;
    return 0;
}

static int get_aliases(const cJSON *json, struct gb_image *image, struct gb_err *err)
{
    const cJSON *aliases = cJSON_GetObjectItemCaseSensitive(json, "aliases");
    const cJSON *alias;
    int count;

    if (aliases == NULL)
        return 0;
    count = cJSON_GetArraySize(aliases);
    if (!cJSON_IsArray(aliases) || count > ALIAS_MAX)
        return gb_err_set(err, GB_EIMAGE, "\"aliases\" is not a list, or has more than %d entries",
                          (int)ALIAS_MAX);
    image->aliases = xcalloc((size_t)count + 1, sizeof(*image->aliases));
    cJSON_ArrayForEach(alias, aliases)
    {
        if (!cJSON_IsString(alias) || !is_name(alias->valuestring))
            return gb_err_set(err, GB_EIMAGE, "an alias is not a name");
        image->aliases[image->alias_count++] = xstrdup(alias->valuestring);
    }
    return 0;
}

static int get_packages(const cJSON *json, struct gb_image *image, struct gb_err *err)
{
    const cJSON *packages = cJSON_GetObjectItemCaseSensitive(json, "packages");
    const cJSON *package;
    int count;

    if (packages == NULL)
        return 0;
    count = cJSON_GetArraySize(packages);
    if (!cJSON_IsArray(packages) || count > PACKAGE_MAX)
        return gb_err_set(err, GB_EIMAGE, "\"packages\" is not a list, or has more than %d entries",
                          (int)PACKAGE_MAX);
    image->packages = xcalloc((size_t)count + 1, sizeof(*image->packages));
    cJSON_ArrayForEach(package, packages)
    {
        const char *name, *version;
        int r = get_text(package, "name", GB_NAME_MAX, &name, err);

        if (r == 0)
            r = get_text(package, "version", GB_NAME_MAX, &version, err);
        if (r != 0)
            return gb_err_wrap(err, r, "in \"packages\"");
        image->packages[image->package_count++] =
            (struct gb_package){xstrdup(name), xstrdup(version)};
    }
    return 0;
}

/* Manifests of older builders do not have it: these built for native guests. */
static int get_architecture(const cJSON *json, char **ret_name, struct gb_err *err)
{
    if (cJSON_HasObjectItem(json, "architecture"))
        return get_name(json, "architecture", ret_name, err);
    *ret_name = xstrdup(gb_machine_native()->architecture);
    return 0;
}

void gb_image_release(struct gb_image *image)
{
    for (size_t i = 0; i < image->alias_count; i++)
        free(image->aliases[i]);
    for (size_t i = 0; i < image->package_count; i++) {
        free(image->packages[i].name);
        free(image->packages[i].version);
    }
    free(image->aliases);
    free(image->packages);
    free(image->name);
    free(image->language);
    free(image->architecture);
    gb_language_unref(image->record);
    free(image->path);
    free(image->sha256);
    *image = (struct gb_image){0};
}

int gb_image_parse(const char *directory, struct gb_bytes text, struct gb_image *ret_image,
                   struct gb_err *err)
{
    _cleanup_(json_deletep) cJSON *json = NULL;
    struct gb_image image = {0};
    uint64_t memory;
    int r;

    r = parse_object(text, &json, err);
    if (r == 0)
        r = get_name(json, "name", &image.name, err);
    if (r == 0)
        r = get_name(json, "language", &image.language, err);
    if (r == 0)
        r = get_number(json, "memory_mb", MEMORY_MIN_MB, MEMORY_MAX_MB, &memory, err);
    if (r == 0)
        r = get_file(json, "root", directory, &image.path, &image.sha256, &image.size, err);
    if (r == 0)
        r = get_architecture(json, &image.architecture, err);
    if (r == 0)
        r = get_aliases(json, &image, err);
    if (r == 0)
        r = get_packages(json, &image, err);
    if (r != 0) {
        gb_image_release(&image);
        return r;
    }
    image.memory_mb = (uint32_t)memory;
    *ret_image = image;
    return 0;
}

int gb_images_parse_boot(struct gb_images *images, struct gb_bytes text, struct gb_err *err)
{
    _cleanup_(json_deletep) cJSON *json = NULL;
    int r;

    r = parse_object(text, &json, err);
    if (r == 0)
        r = get_file(json, "vmlinux", images->directory, &images->kernel, &images->kernel_sha256,
                     &images->kernel_size, err);
    if (r == 0)
        r = get_file(json, "initramfs", images->directory, &images->initramfs,
                     &images->initramfs_sha256, &images->initramfs_size, err);
    if (r == 0)
        r = get_architecture(json, &images->architecture, err);
    if (r == 0 && !cJSON_HasObjectItem(json, "languages"))
        r = gb_err_set(err, GB_EIMAGE, "it names no languages; build the images again");
    if (r == 0 && gb_languages_read_file(text, &images->languages, err) < 0) {
        if (err != NULL)
            err->code = GB_EIMAGE;
        r = -GB_EIMAGE;
    }
    return r;
}

/* The size is checked immediately, the digest when the file is used. */
/* Zeroed if there is no such file. */
static struct gb_file_stamp stamp_of(const char *path)
{
    struct gb_file_stamp stamp = {0};
    struct stat st;

    if (stat(path, &st) == 0)
        stamp = (struct gb_file_stamp){
            .device = (uint64_t)st.st_dev,
            .inode = st.st_ino,
            .size = (uint64_t)st.st_size,
            .mtime_ns = gb_file_mtime_ns(&st),
            .ctime_ns = gb_file_ctime_ns(&st),
        };
    return stamp;
}

static int check_size(const char *path, uint64_t size, struct gb_file_stamp *ret_stamp,
                      struct gb_err *err)
{
    struct stat st;

    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): get_file() gave the path */
    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
        return gb_err_set(err, GB_EIMAGE,
                          "%s is missing; build the images with `glassbell image build`", path);
    if ((uint64_t)st.st_size != size)
        return gb_err_set(err, GB_EIMAGE,
                          "%s is not the file that its manifest describes (%jd bytes, not %ju); "
                          "build it again with `glassbell image build`",
                          path, (intmax_t)st.st_size, (uintmax_t)size);
    *ret_stamp = stamp_of(path);
    return 0;
}

static int read_manifest(const char *directory, const char *name, struct gb_buf *buf,
                         struct gb_err *err)
{
    _cleanup_(freep) char *path = xasprintf("%s/%s", directory, name);
    int r = gb_fd_read_file(path, MANIFEST_MAX, buf, err);

    if (r < 0 && err != NULL)
        err->code = GB_EIMAGE;
    return r < 0 ? -GB_EIMAGE : 0;
}

static int load_image(const struct gb_images *images, const char *manifest,
                      struct gb_image *ret_image, struct gb_err *err)
{
    struct gb_buf text = {0};
    struct gb_image image;
    struct gb_file_stamp stamp;
    int r;

    r = read_manifest(images->directory, manifest, &text, err);
    if (r == 0)
        r = gb_image_parse(images->directory, gb_buf_bytes(&text), &image, err);
    gb_buf_release(&text);
    if (r != 0)
        return r;
    image.record = gb_language_ref(gb_languages_find(&images->languages, image.language));
    r = image.record != NULL
            ? 0
            : gb_err_set(err, GB_EIMAGE, "no worker here runs %s; build the images again",
                         image.language);
    if (r == 0 && strcmp(images->architecture, image.architecture) != 0)
        r = gb_err_set(err, GB_EIMAGE,
                       "it is for guests of another architecture than the kernel; build it again "
                       "with `glassbell image build`");
    if (r == 0)
        r = check_size(image.path, image.size, &stamp, err);
    if (r < 0) {
        gb_image_release(&image);
        return r;
    }
    *ret_image = image;
    return 0;
}

static int load_boot(struct gb_images *images, struct gb_err *err)
{
    struct gb_buf text = {0};
    struct gb_file_stamp stamp;
    int r;

    r = read_manifest(images->directory, "boot.json", &text, err);
    if (r == 0)
        r = gb_images_parse_boot(images, gb_buf_bytes(&text), err);
    gb_buf_release(&text);
    if (r == 0)
        r = check_size(images->kernel, images->kernel_size, &stamp, err);
    if (r == 0)
        r = check_size(images->initramfs, images->initramfs_size, &stamp, err);
    return r;
}

static int compare_images(const void *a, const void *b)
{
    const struct gb_image *left = a, *right = b;

    return strcmp(left->name, right->name);
}

static bool is_image_manifest(const char *name)
{
    size_t size = strlen(name);

    return name[0] != '.' && size > 5 && strcmp(name + size - 5, ".json") == 0 &&
           strcmp(name, "boot.json") != 0;
}

bool gb_images_changed(const struct gb_images *images)
{
    struct gb_file_stamp now;

    if (images->directory == NULL)
        return false; /* made from texts by a test */
    now = stamp_of(images->directory);
    return memcmp(&now, &images->stamp, sizeof(now)) != 0;
}

int gb_images_load(const char *directory, struct gb_images **ret_images, struct gb_err *err)
{
    struct gb_images *images = xcalloc(1, sizeof(*images));
    struct dirent *entry;
    DIR *folder;
    int r;

    images->directory = xstrdup(directory);
    images->stamp = stamp_of(directory); /* before anything is read */
    r = load_boot(images, err);
    if (r < 0) {
        gb_images_free(images);
        return gb_err_wrap(err, r, "the images in %s", directory);
    }
    folder = opendir(directory);
    if (folder == NULL) {
        r = gb_err_set(err, GB_EIMAGE, "cannot read %s: %s", directory, strerror(errno));
        gb_images_free(images);
        return r;
    }
    images->images = xcalloc(IMAGE_MAX, sizeof(*images->images));
    while ((entry = readdir(folder)) != NULL && images->count < IMAGE_MAX) {
        struct gb_err why = {0};

        if (!is_image_manifest(entry->d_name))
            continue;
        if (load_image(images, entry->d_name, &images->images[images->count], &why) == 0)
            images->count++;
        else
            gb_warning("the image manifest %s is left out: %s", entry->d_name, why.message);
    }
    (void)closedir(folder);
    qsort(images->images, images->count, sizeof(*images->images), compare_images);
    *ret_images = images;
    return 0;
}

void gb_images_free(struct gb_images *images)
{
    if (images == NULL)
        return;
    for (size_t i = 0; i < images->count; i++) {
        gb_verify_forget(&images->images[i]);
        gb_image_release(&images->images[i]);
    }
    free(images->images);
    free(images->kernel);
    free(images->kernel_sha256);
    free(images->initramfs);
    free(images->initramfs_sha256);
    free(images->architecture);
    gb_languages_release(&images->languages);
    free(images->directory);
    free(images);
}

struct gb_image *gb_images_find(const struct gb_images *images, const char *name)
{
    const struct gb_language *language;

    for (size_t i = 0; i < images->count; i++) {
        if (strcmp(images->images[i].name, name) == 0)
            return &images->images[i];
    }
    for (size_t i = 0; i < images->count; i++) {
        for (size_t j = 0; j < images->images[i].alias_count; j++) {
            if (strcmp(images->images[i].aliases[j], name) == 0)
                return &images->images[i];
        }
    }
    language = gb_languages_of_word(&images->languages, name);
    return language != NULL && strcmp(language->name, name) != 0
               ? gb_images_find(images, language->name)
               : NULL;
}

/* The digest of a whole file, in hex. */
static int digest_file(const char *path, char hex[DIGEST_HEX + 1], struct gb_err *err)
{
    enum { PIECE = 1 << 20 };
    _cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    _cleanup_(freep) uint8_t *piece = xmalloc(PIECE);
    uint8_t digest[SHA256_DIGEST_SIZE];
    struct sha256_ctx sha;
    ssize_t n;

    if (fd < 0)
        return gb_err_set(err, GB_EIMAGE, "cannot open %s: %s", path, strerror(errno));
    sha256_init(&sha);
    while ((n = gb_fd_read_full(fd, piece, PIECE)) > 0)
        sha256_update(&sha, (size_t)n, piece);
    if (n < 0)
        return gb_err_set(err, GB_EIMAGE, "cannot read %s: %s", path, strerror((int)-n));
    sha256_digest(&sha, sizeof(digest), digest);
    for (size_t i = 0; i < sizeof(digest); i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

static int verify_file(const char *path, uint64_t size, const char *sha256,
                       struct gb_file_stamp *verified, struct gb_err *err)
{
    struct gb_file_stamp stamp;
    char hex[DIGEST_HEX + 1];
    int r = check_size(path, size, &stamp, err);

    if (r < 0)
        return r;
    if (memcmp(&stamp, verified, sizeof(stamp)) == 0)
        return 0;
    r = digest_file(path, hex, err);
    if (r < 0)
        return r;
    if (strcmp(hex, sha256) != 0)
        return gb_err_set(err, GB_EIMAGE,
                          "%s is damaged: its SHA-256 is not the one of its manifest; build it "
                          "again with `glassbell image build`",
                          path);
    *verified = stamp;
    return 0;
}

int gb_image_check(const struct gb_images *images, const struct gb_image *image, bool *ret_verified,
                   struct gb_err *err)
{
    const struct {
        const char *path;
        uint64_t size;
    } files[] = {
        {image->path, image->size},
        {images->kernel, images->kernel_size},
        {images->initramfs, images->initramfs_size},
    };
    bool verified = true;

    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct gb_file_stamp stamp;
        int r = check_size(files[i].path, files[i].size, &stamp, err);

        if (r < 0)
            return r;
        verified = verified && memcmp(&stamp, &image->verified[i], sizeof(stamp)) == 0;
    }
    *ret_verified = verified;
    return 0;
}

int gb_image_verify(const struct gb_images *images, struct gb_image *image, struct gb_err *err)
{
    int r = verify_file(image->path, image->size, image->sha256, &image->verified[0], err);

    if (r == 0)
        r = verify_file(images->kernel, images->kernel_size, images->kernel_sha256,
                        &image->verified[1], err);
    if (r == 0)
        r = verify_file(images->initramfs, images->initramfs_size, images->initramfs_sha256,
                        &image->verified[2], err);
    return r;
}
