/* SPDX-License-Identifier: Apache-2.0 */
#include "settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check_page.h"
#include "check_run.h"
#include "base/fd.h"
#include "base/mem.h"

static struct gb_settings settings;
static struct gb_err err;

static void begin(void)
{
    gb_settings_init(&settings);
    err = (struct gb_err){0};
}

static void end(void)
{
    gb_settings_release(&settings);
}

static int parse(const char *text)
{
    return gb_settings_parse(&settings, "a.conf", gb_bytes_str(text), &err);
}

START_TEST(standards)
{
    ck_assert_str_eq(settings.server.images, "");
    ck_assert(!settings.server.require_isolation);
    ck_assert_uint_eq(settings.server.drain_ms, 10000);
    ck_assert_uint_eq(settings.sessions.idle_ms, 1800000);
    ck_assert_uint_eq(settings.sessions.max_stdout, 1 << 20);
    ck_assert_int_eq(parse(""), 0);
    ck_assert_int_eq(parse("\n  # nothing\n\t\n[server]"), 0);
}
END_TEST

START_TEST(values)
{
    ck_assert_int_eq(parse("[server] # the first\n"
                           "require_isolation=yes\n"
                           "  log_level  =  debug   # loud\n"
                           "images = \"/a \\\"b\\\" \\\\ # c\"\n"
                           "[sessions]\n"
                           "timeout = 1.5m\n"
                           "idle = 0\n"
                           "max_stdout = 2 M\n"
                           "[server]\n"
                           "drain = 250ms\n"
                           "[keys]\n"
                           "C-t = theme next\n"
                           "\"=\" = \"eq #1\"\n"),
                     0);
    ck_assert(settings.server.require_isolation);
    ck_assert_int_eq(settings.server.log_level, GB_SETTINGS_LEVEL_DEBUG);
    ck_assert_str_eq(settings.server.images, "/a \"b\" \\ # c");
    ck_assert_uint_eq(settings.sessions.timeout_ms, 90000);
    ck_assert_uint_eq(settings.sessions.idle_ms, 0);
    ck_assert_uint_eq(settings.sessions.max_stdout, 2 << 20);
    ck_assert_uint_eq(settings.server.drain_ms, 250);
    ck_assert_uint_eq(settings.keys.count, 2);
    ck_assert_str_eq(settings.keys.pairs[0].key, "C-t");
    ck_assert_str_eq(settings.keys.pairs[0].value, "theme next");
    ck_assert_str_eq(settings.keys.pairs[1].key, "=");
    ck_assert_str_eq(settings.keys.pairs[1].value, "eq #1");
    ck_assert_uint_eq(settings.keys.pairs[1].line, 13);
}
END_TEST

START_TEST(pools)
{
    const struct gb_settings_pool *pool;

    ck_assert_int_eq(parse("[pool]\nceiling = 6\n[pool \"python\"]\nfloor = 2\n"
                           "[pool \"python:512\"]\nceiling = 0\nstanding = 3\n"
                           "[pool \"python\"]\nceiling = 9\n"),
                     0);
    ck_assert_int_eq(settings.pool.ceiling, 6);
    ck_assert_uint_eq(settings.pool_count, 2);
    pool = gb_settings_pool(&settings, "python");
    ck_assert_int_eq(pool->floor, 2);
    ck_assert_int_eq(pool->ceiling, 9);
    ck_assert_int_eq(pool->standing, -1); /* as [pool] says */
    pool = gb_settings_pool(&settings, "python:512");
    ck_assert_int_eq(pool->floor, -1);
    ck_assert_int_eq(pool->ceiling, 0);
    ck_assert_int_eq(pool->standing, 3);
}
END_TEST

START_TEST(home)
{
    ck_assert_int_eq(setenv("HOME", "/home/me", 1), 0);
    ck_assert_int_eq(parse("[server]\nimages = ~/images\n"), 0);
    ck_assert_str_eq(settings.server.images, "/home/me/images");
}
END_TEST

static const struct {
    const char *text, *says;
} refusals[] = {
    {"x = 1", "a.conf:1: an option comes before the first [section]"},
    {"\n[sever]", "a.conf:2: there is no section [sever]"},
    {"[server", "a.conf:1: the section does not end in ]"},
    {"[server] x", "a.conf:1: there is text after the section's ]"},
    {"[server \"x]", "a.conf:1: the name of the section does not end"},
    {"[server \"x\"]", "a.conf:1: the section [server] takes no name"},
    {"[server]\ndrainage = 1s",
     "a.conf:2: [server] has no option \"drainage\"; did you mean drain?"},
    {"[server]\nzzz = 1s", "a.conf:2: [server] has no option \"zzz\""},
    {"[server]\ndrain 1s", "a.conf:2: this is neither `[section]` nor `key = value`"},
    {"[server]\n= 1s", "a.conf:2: a key must have 1 to 128 bytes"},
    {"[server]\ndrain = 1s\ndrain = 2s", "a.conf:3: drain is given twice"},
    {"[server]\ndrain = 10", "a.conf:2: drain wants a time such as 500ms"},
    {"[server]\ndrain = -1s", "a.conf:2: drain wants a time"},
    {"[server]\ndrain = 1.s", "a.conf:2: drain wants a time"},
    {"[server]\ndrain = 1.1.1s", "a.conf:2: drain wants a time"},
    {"[server]\ndrain = 0x1s", "a.conf:2: drain wants a time"},
    {"[server]\ndrain = infs", "a.conf:2: drain wants a time"},
    {"[server]\ndrain = 99999d", "a.conf:2: drain wants 0 to 366d, and is \"99999d\""},
    {"[server]\ndrain =", "a.conf:2: drain wants a time"},
    {"[sessions]\nmax_stdout = 65M", "a.conf:2: max_stdout wants 1 to 64M, and is \"65M\""},
    {"[sessions]\nmaximum = 1.5", "a.conf:2: maximum wants a whole number"},
    {"[sessions]\nmaximum = 0", "a.conf:2: maximum wants 1 to 1024, and is \"0\""},
    {"[server]\nrequire_isolation = 1", "a.conf:2: require_isolation wants yes or no"},
    {"[server]\nlog_level = all", "log_level wants one of: auto, error, warning, info, debug"},
    {"[server]\nimages = images", "a.conf:2: images wants a path that begins with / or ~/"},
    {"[server]\nimages = \"/x\" y", "a.conf:2: there is text after the value"},
    {"[server]\nimages = \"/x\\n\"", "a.conf:2: the value does not end in a quotation mark"},
    {"[server]\nimages = /x\r\n", "a.conf:2: the line has a control character (0x0d)"},
    {"[server]\nimages = /\xff", "a.conf:2: the line is not UTF-8"},
    {"[pool \"a\"]\nfloor = 1\n[pool \"a\"]\nfloor = 1", "a.conf:4: floor is given twice"},
    {"[pool \"a\"]\nhalf_life = 1m", "a.conf:2: [pool \"…\"] has no option \"half_life\""},
    {"[pool \"\"]", "a.conf:1: the name of the section must have 1 to 128 bytes"},
    {"[keys]\nq =", "a.conf:2: [keys] q has no value"},
    {"[hosts]\nq = ssh://a\n[server]\n[hosts]\nq = ssh://b",
     "a.conf:5: q is given twice, first in line 2"},
    {"[hosts]\nlocal = ssh://a",
     "a.conf:2: [hosts] cannot name local, which is the server of this machine"},
    {"[keys]\nq = a\nq = b", "a.conf:3: q is given twice, first in line 2"},
};

START_TEST(refused)
{
    ck_assert_int_lt(parse(refusals[_i].text), 0);
    ck_assert_msg(strstr(err.message, refusals[_i].says) != NULL, "%s", err.message);
}
END_TEST

START_TEST(too_much)
{
    struct gb_buf text = {0};

    gb_buf_adds(&text, "[keys]\n");
    for (int i = 0; i <= GB_SETTINGS_PAIRS_MAX; i++)
        gb_buf_addf(&text, "k%d = x\n", i);
    ck_assert_int_lt(parse(gb_buf_str(&text)), 0);
    ck_assert_ptr_nonnull(strstr(err.message, ":514: [keys] has more than 512 lines"));
    gb_buf_clear(&text);
    gb_buf_addf(&text, "#%*d", GB_SETTINGS_LINE_MAX, 1);
    ck_assert_int_lt(parse(gb_buf_str(&text)), 0);
    ck_assert_ptr_nonnull(strstr(err.message, ":1: the line has more than 4096 bytes"));
    gb_buf_clear(&text);
    gb_buf_addf(&text, "%*d", GB_SETTINGS_FILE_MAX + 1, 1);
    ck_assert_int_eq(parse(gb_buf_str(&text)), -GB_ETOOLARGE);
    gb_buf_release(&text);
}
END_TEST

static struct gb_buf changes;

static void note(void *arg, const char *option, bool applied)
{
    (void)arg;
    gb_buf_addf(&changes, "%s%s;", option, applied ? "" : " (later)");
}

START_TEST(reload)
{
    struct gb_settings fresh;

    ck_assert_int_eq(parse("[server]\nimages = /old\n[keys]\na = x\n[hosts]\nh = ssh://old\n"), 0);
    gb_settings_init(&fresh);
    ck_assert_int_eq(
        gb_settings_parse(
            &fresh, "b.conf",
            gb_bytes_str("[server]\nimages = /new\ndrain = 1s\n"
                         "[keys]\na = y\n[hosts]\nh = ssh://new\n[tui]\ntheme = dusk\n"),
            &err),
        0);
    gb_settings_reload(&settings, &fresh, note, NULL);
    ck_assert_str_eq(gb_buf_str(&changes),
                     "[server] images (later);[server] drain;[tui] theme;[keys];[hosts];");
    ck_assert_str_eq(settings.server.images, "/old");
    ck_assert_uint_eq(settings.server.drain_ms, 1000);
    ck_assert_str_eq(settings.keys.pairs[0].value, "y");
    ck_assert_str_eq(settings.hosts.pairs[0].value, "ssh://new");
    ck_assert_str_eq(settings.tui.theme, "dusk");
    ck_assert_uint_eq(fresh.keys.count, 0);
    gb_buf_release(&changes);
}
END_TEST

/* Which file is read: the named one, the user's, none. */
START_TEST(places)
{
    char folder[] = "/tmp/glassbell-settings-XXXXXX";
    _cleanup_(freep) char *own = NULL, *file = NULL;
    struct gb_settings loaded;

    ck_assert_ptr_nonnull(mkdtemp(folder));
    own = xasprintf("%s/glassbell", folder);
    file = xasprintf("%s/glassbell.conf", own);
    ck_assert_int_eq(setenv("XDG_CONFIG_HOME", folder, 1), 0);
    ck_assert_int_eq(unsetenv("GLASSBELL_CONFIG"), 0);
    ck_assert_int_eq(gb_fd_make_dirs(own, 0700, &err), 0);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("[server]\ndrain = 3s\n"), 0600, &err),
                     0);
    ck_assert_int_eq(gb_settings_load(NULL, &loaded, &err), 0);
    ck_assert_uint_eq(loaded.server.drain_ms, 3000);
    ck_assert_str_eq(loaded.path, file);
    gb_settings_release(&loaded);
    ck_assert_int_eq(gb_fd_replace_file(file, gb_bytes_str("[x]\n"), 0600, &err), 0);
    ck_assert_int_lt(gb_settings_load(NULL, &loaded, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, "glassbell.conf:1: "));
    /* The named one counts alone, and has to exist. */
    ck_assert_int_eq(setenv("GLASSBELL_CONFIG", "/dev/null", 1), 0);
    ck_assert_int_eq(gb_settings_load(NULL, &loaded, &err), 0);
    ck_assert_uint_eq(loaded.server.drain_ms, 10000);
    gb_settings_release(&loaded);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_lt(gb_settings_load(file, &loaded, &err), 0);
    ck_assert_int_eq(rmdir(own), 0);
    ck_assert_int_eq(rmdir(folder), 0);
}
END_TEST

START_TEST(table)
{
    for (size_t i = 0; i < gb_option_count; i++) {
        const struct gb_option *option = &gb_options[i];
        const struct gb_settings_section *section = gb_settings_sections;

        while (section->name != NULL && strcmp(section->name, option->section) != 0)
            section++;
        ck_assert_msg(section->name != NULL && section->list == 0, "%s", option->section);
        ck_assert(!option->of_pool || section->named);
        ck_assert_int_ne(option->help[strlen(option->help) - 1], '.');
        for (size_t j = 0; j < i; j++)
            ck_assert(option->of_pool != gb_options[j].of_pool ||
                      strcmp(option->section, gb_options[j].section) != 0 ||
                      strcmp(option->key, gb_options[j].key) != 0);
    }
}
END_TEST

START_TEST(page_is_fresh)
{
    check_page("settings.md", gb_settings_markdown);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("settings");
    TCase *tests = tcase_create("settings");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, standards);
    tcase_add_test(tests, values);
    tcase_add_test(tests, pools);
    tcase_add_test(tests, home);
    tcase_add_loop_test(tests, refused, 0, ARRAY_SIZE(refusals));
    tcase_add_test(tests, too_much);
    tcase_add_test(tests, reload);
    tcase_add_test(tests, places);
    tcase_add_test(tests, table);
    tcase_add_test(tests, page_is_fresh);
    suite_add_tcase(suite, tests);
    return check_run(suite);
}
