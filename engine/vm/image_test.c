/* SPDX-License-Identifier: Apache-2.0 */
#include "vm/image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_run.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/mem.h"

static char folder[] = "/tmp/glassbell-image-test-XXXXXX";

static void put(const char *name, const char *content)
{
    char *path = xasprintf("%s/%s", folder, name);

    ck_assert_int_eq(gb_fd_replace_file(path, gb_bytes_str(content), 0600, NULL), 0);
    free(path);
}

/* The digest as the system's own tool sees it. */
static void digest(const char *name, char hex[65])
{
    char *command = xasprintf("sha256sum %s/%s", folder, name);
    FILE *out = popen(command, "r"); /* allowed: a test may ask the system */

    ck_assert_ptr_nonnull(out);
    ck_assert_int_eq(fscanf(out, "%64s", hex), 1);
    pclose(out);
    free(command);
}

static void put_image(const char *name, const char *file, const char *extra)
{
    char hex[65], *text, *manifest = xasprintf("%s.json", name);

    digest(file, hex);
    text =
        xasprintf("{\"format\":1,\"name\":\"%s\",\"language\":\"python\",\"aliases\":[\"%s1\"],"
                  "\"memory_mb\":192,\"root\":{\"file\":\"%s\",\"size\":4,\"sha256\":\"%s\"}%s}\n",
                  name, name, file, hex, extra);
    put(manifest, text);
    free(text);
    free(manifest);
}

static const char python_record[] =
    "{\"name\":\"python\",\"title\":\"Python\",\"aliases\":[\"py3\"],"
    "\"prompt\":{\"first\":\">>> \",\"more\":\"... \",\"indent\":\"    \"},"
    "\"notebook\":{\"kernel\":\"python3\",\"title\":\"Python 3\"},"
    "\"highlight\":{\"lexer\":\"python\"},\"warm\":{\"pool\":[\"print(1)\"]}}";

static void setup(void)
{
    char kernel[65], initramfs[65], *text;

    gb_log_open(-1, GB_LOG_ERROR);
    ck_assert_ptr_nonnull(mkdtemp(folder));
    put("vmlinux", "kernel");
    put("initramfs.cpio", "initramfs");
    put("python.erofs", "root");
    digest("vmlinux", kernel);
    digest("initramfs.cpio", initramfs);
    text =
        xasprintf("{\"format\":1,\"vmlinux\":{\"file\":\"vmlinux\",\"size\":6,\"sha256\":\"%s\"},"
                  "\"initramfs\":{\"file\":\"initramfs.cpio\",\"size\":9,\"sha256\":\"%s\"},"
                  "\"languages\":[%s]}",
                  kernel, initramfs, python_record);
    put("boot.json", text);
    free(text);
    put_image("python", "python.erofs", ",\"packages\":[{\"name\":\"bash\",\"version\":\"5\"}]");
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf %s", folder);

    ck_assert_int_eq(system(command), 0); /* allowed: a folder of the test's */
    free(command);
}

static struct gb_images *load(void)
{
    struct gb_images *images = NULL;
    struct gb_err err = {0};

    ck_assert_msg(gb_images_load(folder, &images, &err) == 0, "%s", err.message);
    return images;
}

START_TEST(loads_and_finds)
{
    struct gb_images *images;

    put("broken.json", "{");
    put("other.json", "{\"format\":2}");
    put_image("zz", "python.erofs", "");
    images = load();
    ck_assert_uint_eq(images->count, 2);
    ck_assert_ptr_nonnull(gb_images_find(images, "python"));
    ck_assert_ptr_eq(gb_images_find(images, "python"), gb_images_find(images, "python1"));
    ck_assert_ptr_eq(gb_images_find(images, "python"), gb_images_find(images, "py3"));
    ck_assert_ptr_null(gb_images_find(images, "broken"));
    ck_assert_uint_eq(gb_images_find(images, "python")->package_count, 1);
    ck_assert_uint_eq(gb_images_find(images, "python")->memory_mb, 192);
    gb_images_free(images);
}
END_TEST

START_TEST(verifies)
{
    struct gb_images *images = load();
    struct gb_image *image = gb_images_find(images, "python");
    struct gb_err err = {0};
    char *path = xasprintf("%s/python.erofs", folder);

    ck_assert_msg(gb_image_verify(images, image, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(image->verified[0].size, 4);
    ck_assert_int_eq(gb_image_verify(images, image, &err), 0);
    put("python.erofs", "evil"); /* the same size */
    ck_assert_int_eq(gb_image_verify(images, image, &err), -GB_EIMAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "damaged"));
    put("python.erofs", "longer");
    ck_assert_int_eq(gb_image_verify(images, image, &err), -GB_EIMAGE);
    put("python.erofs", "root");
    ck_assert_int_eq(gb_image_verify(images, image, &err), 0);
    put("initramfs.cpio", "INITRAMFS");
    ck_assert_int_eq(gb_image_verify(images, image, &err), -GB_EIMAGE);
    unlink(path);
    ck_assert_int_eq(gb_image_verify(images, image, &err), -GB_EIMAGE);
    ck_assert_ptr_nonnull(strstr(err.message, "missing"));
    free(path);
    gb_images_free(images);
}
END_TEST

START_TEST(needs_a_kernel)
{
    struct gb_images *images = NULL;
    struct gb_err err = {0};

    put("vmlinux", "another size");
    ck_assert_int_eq(gb_images_load(folder, &images, &err), -GB_EIMAGE);
    put("boot.json", "{}");
    ck_assert_int_eq(gb_images_load(folder, &images, &err), -GB_EIMAGE);
    ck_assert_int_eq(gb_images_load("/nonexistent", &images, &err), -GB_EIMAGE);
}
END_TEST

START_TEST(refuses_manifests)
{
    static const char base[] =
        "{\"format\":1,\"name\":\"%s\",\"language\":\"python\",\"memory_mb\":%s,"
        "\"root\":{\"file\":\"%s\",\"size\":4,\"sha256\":\"%s\"}}%s";
    static const char good[] = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2";
    static const struct {
        const char *name, *memory, *file, *digest, *behind;
    } bad[] = {
        {"../x", "192", "x", good, ""}, {"", "192", "x", good, ""},
        {"x", "1e99", "x", good, ""},   {"x", "-1", "x", good, ""},
        {"x", "100.5", "x", good, ""},  {"x", "192", "a/b", good, ""},
        {"x", "192", ".x", good, ""},   {"x", "192", "x", "abc", ""},
        {"x", "192", "x", good, "{}"},  {"X", "192", "x", good, ""},
    };
    struct gb_image image;
    char *text = xasprintf(base, "x", "192", "x", good, " \n");

    ck_assert_int_eq(gb_image_parse("/i", gb_bytes_str(text), &image, NULL), 0);
    ck_assert_str_eq(image.path, "/i/x");
    gb_image_release(&image);
    free(text);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        text =
            xasprintf(base, bad[i].name, bad[i].memory, bad[i].file, bad[i].digest, bad[i].behind);
        ck_assert_msg(gb_image_parse("/i", gb_bytes_str(text), &image, NULL) == -GB_EIMAGE, "%s",
                      text);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("image");
    TCase *tests = tcase_create("image");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, loads_and_finds);
    tcase_add_test(tests, verifies);
    tcase_add_test(tests, needs_a_kernel);
    tcase_add_test(tests, refuses_manifests);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
