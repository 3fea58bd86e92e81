/* SPDX-License-Identifier: Apache-2.0 */
/* What QEMU may do on macOS. Whether the kernel there takes the profile is not tested: no macOS has
 * run it. */
#include "guard/launcher/darwin/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check_folder.h"
#include "check_run.h"
#include "base/mem.h"

#define BREW "/opt/homebrew/Cellar/qemu/9.2.0/bin/qemu-system-aarch64"

static void setup(void)
{
    check_folder_make("profile");
}

static void teardown(void)
{
    check_folder_remove();
}

static void add(struct guard_options *options, enum guard_file_kind kind, const char *name,
                const char *path)
{
    struct guard_file *file = &options->files[options->file_count++];

    *file = (struct guard_file){.kind = kind, .path = path, .fd = -1};
    (void)snprintf(file->name, sizeof(file->name), "%s", name);
}

static bool has_rule(const char *profile, const char *operations, const char *filter,
                     const char *path)
{
    _cleanup_(freep) char *rule = xasprintf("\n(allow %s (%s \"%s\"))\n", operations, filter, path);

    return strstr(profile, rule) != NULL;
}

/* Each rule is closed where it should be, whatever is in its strings. */
static void check_balanced(const char *profile)
{
    bool quoted = false;
    int depth = 0;

    for (const char *at = profile; *at != '\0'; at++) {
        if (quoted && *at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && *at == '(')
            depth++;
        else if (!quoted && *at == ')')
            ck_assert_int_ge(--depth, 0);
        if (*at == '\n' && !quoted)
            ck_assert_int_eq(depth, 0);
    }
    ck_assert(!quoted);
    ck_assert_int_eq(depth, 0);
}

START_TEST(names_what_is_needed_and_no_more)
{
    char *argv[] = {(char[]){BREW}, NULL};
    struct guard_options options = {.program = argv};
    _cleanup_(freep) char *profile = NULL;

    add(&options, GUARD_FILE_SEEN, "kernel", "/Users/me/images/kernel");
    add(&options, GUARD_FILE_READ, "ram", "/Users/me/cache/ram");
    add(&options, GUARD_FILE_WRITE, "new", "/Users/me/cache/new");
    profile = profile_for_program(&options);
    ck_assert_ptr_nonnull(profile);
    check_balanced(profile);

    ck_assert_ptr_eq(strstr(profile, "(version 1)\n(deny default)\n"), profile);
    ck_assert_ptr_nonnull(strstr(profile, "(deny network*)\n"));
    ck_assert(has_rule(profile, "process-exec file-read* file-map-executable", "literal", BREW));
    ck_assert(
        has_rule(profile, "file-read* file-map-executable", "subpath", "/opt/homebrew/Cellar"));
    ck_assert(has_rule(profile, "file-read* file-map-executable", "subpath", "/opt/homebrew/opt"));
    ck_assert(has_rule(profile, "file-read*", "literal", "/Users/me/images/kernel"));
    ck_assert(has_rule(profile, "file-read*", "literal", "/Users/me/cache/ram"));
    ck_assert(has_rule(profile, "file-read* file-write-data", "literal", "/Users/me/cache/new"));
    ck_assert(has_rule(profile, "file-read-metadata", "literal", "/Users/me"));
    /* No folder of a home is open, and nothing else is executed or written. */
    ck_assert_ptr_null(strstr(profile, "(subpath \"/Users"));
    ck_assert_ptr_null(strstr(profile, "/opt/homebrew/var"));
    ck_assert_ptr_null(strstr(profile, "/opt/homebrew/etc"));
    ck_assert_ptr_null(strstr(strstr(profile, "process-exec") + 1, "process-exec"));
    ck_assert_ptr_null(strstr(strstr(profile, "file-write") + 1, "file-write"));
    ck_assert_ptr_null(strstr(profile, "process-fork"));
}
END_TEST

START_TEST(translated_code_is_for_emulation_alone)
{
    char *argv[] = {(char[]){"/usr/local/bin/qemu-system-x86_64"}, NULL};
    struct guard_options options = {.program = argv};
    _cleanup_(freep) char *emulated = profile_for_program(&options), *accelerated = NULL;

    options.hvf = true;
    accelerated = profile_for_program(&options);
    ck_assert_ptr_nonnull(strstr(emulated, "(allow dynamic-code-generation)\n"));
    ck_assert_ptr_null(strstr(accelerated, "dynamic-code-generation"));
    ck_assert(has_rule(accelerated, "file-read* file-map-executable", "subpath",
                       "/usr/local/share/qemu"));
    ck_assert_ptr_null(strstr(accelerated, "(subpath \"/usr/local\")"));
}
END_TEST

/* A path is text, whatever it looks like. */
START_TEST(paths_stay_in_their_strings)
{
    struct guard_options options = {0};
    _cleanup_(freep) char *profile = NULL;

    add(&options, GUARD_FILE_SEEN, "root", "/a\"))(allow default)(deny (literal \"\\/b");
    profile = profile_for_program(&options);
    check_balanced(profile);
    ck_assert_ptr_null(strstr(profile, "\n(allow default)"));
    ck_assert_ptr_nonnull(strstr(profile, "\"/a\\\"))(allow default)(deny (literal \\\"\\\\/b\""));
}
END_TEST

START_TEST(arguments_get_real_paths)
{
    char *argv[] = {(char[]){"/q"}, (char[]){"%{kernel}"},
                    (char[]){"id=ram,mem-path=%{ram},share=off"}, (char[]){"file=%{root},if=none"},
                    NULL};
    char *unknown[] = {(char[]){"/q"}, (char[]){"%{other}"}, NULL};
    char *unfinished[] = {(char[]){"/q"}, (char[]){"%{kernel"}, NULL};
    struct guard_options options = {.program = argv};

    add(&options, GUARD_FILE_SEEN, "kernel", "/a,b/kernel");
    add(&options, GUARD_FILE_READ, "ram", "/a,b/ram");
    add(&options, GUARD_FILE_SEEN, "root", "/a,b/root");
    ck_assert(profile_place_files(&options));
    ck_assert_str_eq(argv[1], "/a,b/kernel");
    ck_assert_str_eq(argv[2], "id=ram,mem-path=/a,,b/ram,readonly=on,rom=off,share=off");
    ck_assert_str_eq(argv[3], "file=/a,,b/root,if=none");
    for (int i = 1; i <= 3; i++)
        free(argv[i]);
    options.program = unknown;
    ck_assert(!profile_place_files(&options));
    options.program = unfinished;
    ck_assert(!profile_place_files(&options));
}
END_TEST

START_TEST(links_are_followed)
{
    _cleanup_(freep) char *file = xasprintf("%s/file", folder),
                          *link = xasprintf("%s/link", folder);
    _cleanup_(freep) char *real = NULL;
    char *argv[] = {link, NULL};
    struct guard_options options = {.program = argv};
    const char *what = "";

    ck_assert_int_eq(mkdir(file, 0700), 0);
    ck_assert_int_eq(symlink(file, link), 0);
    real = realpath(file, NULL);
    add(&options, GUARD_FILE_SEEN, "root", link);
    ck_assert_int_eq(profile_resolve(&options, &what), 0);
    ck_assert_str_eq(options.files[0].path, real);
    ck_assert_str_eq(argv[0], real);
    free(argv[0]);
    free((char *)(uintptr_t)options.files[0].path);
    options.files[0].path = "/nonexistent/file";
    ck_assert_int_eq(profile_resolve(&options, &what), -ENOENT);
    ck_assert_str_eq(what, "/nonexistent/file");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("profile");
    TCase *tests = tcase_create("profile");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, names_what_is_needed_and_no_more);
    tcase_add_test(tests, translated_code_is_for_emulation_alone);
    tcase_add_test(tests, paths_stay_in_their_strings);
    tcase_add_test(tests, arguments_get_real_paths);
    tcase_add_test(tests, links_are_followed);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
